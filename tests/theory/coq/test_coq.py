"""What is exported is what the certificate says, and only what is true can be proved of it."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from nct.ledger import find_coqc, run_coqc
from theory.certificate import ShiftCertificate, SturmCertificate, strongly_regular_beats_collapse
from theory.coq import expression, pieces, refutation, script, translate, translate_all
from theory.deep_rfm.kernel_certificate import dual_certificate
from theory.deep_rfm.kernel_ridge import collapsed_kernel
from theory.verified import verified_certificates

needs_coq = pytest.mark.skipif(find_coqc() is None, reason="there is no coqc (Debian's package is coq)")

QUADRATIC = ShiftCertificate("x² − 2xy/3 + y > 0", ("x", "y"), {(2, 0): 1, (1, 1): Fraction(-1, 3), (0, 1): 1}, (1, 0))
SHIFTED = ShiftCertificate("r² − 3r > 0", ("r",), {(2,): 1, (1,): -3}, (4,))
TWO_CLASSES = [[1, 1, 0], [0, 0, 1]]


def multipliers():
    return dual_certificate(collapsed_kernel(TWO_CLASSES), TWO_CLASSES, Fraction(1, 3))


def accepted(lemmas):
    return run_coqc(script(lemmas)).accepted


@needs_coq
def test_every_class_of_certificates_is_accepted():
    lemmas = [
        *translate(strongly_regular_beats_collapse(), "five"),
        *translate(SturmCertificate("x⁴ − x + 1 > 0", (1, -1, 0, 0, 1), 0), "sturm"),
        *translate(ShiftCertificate("", ("x",), {(1,): Fraction(1, 2)}, (0,), strict=False), "at_least"),
        *translate(ShiftCertificate("", ("x",), {(0,): 2, (1,): 0}, (1,)), "constant"),
        *translate(multipliers(), "optimum"),
    ]
    checked = run_coqc(script(lemmas))
    assert checked.accepted, checked.message
    assert checked.assumptions <= {
        "ClassicalDedekindReals.sig_not_dec",
        "ClassicalDedekindReals.sig_forall_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
    }
    assert checked.assumptions


@needs_coq
@pytest.mark.parametrize(
    "wrong",
    [
        SHIFTED.with_bounds(3),
        QUADRATIC,
        strongly_regular_beats_collapse(three_layers_from=4).three_layers,
        strongly_regular_beats_collapse(four_layers_from=3).four_layers,
    ],
)
def test_a_certificate_that_does_not_verify_is_rejected(wrong):
    assert not wrong.verify()
    assert not accepted(translate(wrong, "wrong"))


@needs_coq
def test_wrong_multipliers_and_a_wrong_half_line_are_rejected():
    certificate = multipliers()
    negative = certificate.entries.copy()
    negative[0, 2] = negative[2, 0] = Fraction(-1)
    wrong = certificate._replace(entries=negative)
    assert wrong.faults()
    assert not accepted(translate(wrong, "wrong"))
    (lemma,) = translate(SturmCertificate("x⁴ − x + 1 > 0", (1, -1, 0, 0, 1), 0), "sturm")
    assert accepted([lemma])
    changes = [("positive_between 0 1 1", "positive_between 0 2 1"), ("positive_beyond 1 1", "positive_beyond 0 1")]
    for old, new in changes:
        assert old in lemma.text
        assert not accepted([replace(lemma, text=lemma.text.replace(old, new))])


@needs_coq
def test_one_changed_coefficient_is_rejected():
    (lemma,) = translate(SHIFTED, "edges")
    assert accepted([lemma])
    assert not accepted([lemma.text.replace("- 3 * r", "- 4 * r", 1)])
    (lemma,) = translate(SturmCertificate("", (1, -1, 0, 0, 1), 0), "sturm")
    changed = replace(lemma, text=lemma.text.replace("0 < 1 - x", "0 < 1 - 2 * x"))
    assert changed != lemma
    assert not accepted([changed])
    lemmas = translate(strongly_regular_beats_collapse(), "five")
    changed = [replace(one, text=one.text.replace("- 3 * r + r ^ 2", "- 4 * r + r ^ 2", 1)) for one in lemmas]
    assert changed != lemmas
    assert not accepted(changed)
    (optimum,) = translate(multipliers(), "optimum")
    assert accepted([optimum])
    assert not accepted([optimum.text.replace(".\nProof.", " - 1.\nProof.", 1)])


@needs_coq
def test_a_refutation_is_accepted_where_the_statement_fails_and_nowhere_else():
    assert accepted([refutation(SHIFTED.with_bounds(3), "at_three", 3)])
    assert not accepted([refutation(SHIFTED.with_bounds(3), "at_five", 5)])


@pytest.mark.parametrize("coefficients", [(1, -2, 1), (-1, 0, 1), (1, 0, -1), ()])
def test_no_pieces_where_a_polynomial_is_not_positive(coefficients):
    with pytest.raises(ValueError, match="coefficients are"):
        pieces(coefficients, 0)


def test_pieces_cover_the_half_line_and_have_its_values():
    coefficients = (2, -3, 0, 1, 0, Fraction(1, 2))
    intervals, beyond, shifted = pieces(coefficients, Fraction(1, 3))
    ends = [Fraction(1, 3), *(interval.upper for interval in intervals)]
    assert [interval.lower for interval in intervals] == ends[:-1]
    assert ends[-1] == beyond
    for interval in intervals:
        at = [sum(c * x**i for i, c in enumerate(coefficients)) for x in (interval.lower, interval.upper)]
        assert [interval.bernstein[0], interval.bernstein[-1]] == at
        assert min(interval.bernstein) > 0
    assert shifted[0] == sum(c * beyond**i for i, c in enumerate(coefficients))


def test_sources_are_readable():
    certificates = [*strongly_regular_beats_collapse().steps, multipliers()]
    text = script(translate_all(certificates))
    assert max(map(len, text.splitlines())) <= 120
    assert "bound_r" in text
    assert all(step.statement in text for step in strongly_regular_beats_collapse().steps)


def test_only_what_verifies_is_noted():
    with verified_certificates() as found:
        assert SHIFTED.verify()
        assert not SHIFTED.with_bounds(3).verify()
        assert multipliers().faults() == []
        assert dual_certificate(np.eye(3), TWO_CLASSES, Fraction(1, 3)).faults()
    assert SHIFTED.verify()
    assert [type(certificate).__name__ for certificate in found] == ["ShiftCertificate", "Certificate"]


def test_what_cannot_be_translated():
    with pytest.raises(TypeError, match="certificate is a str"):
        translate("r > 0", "name")
    with pytest.raises(ValueError, match="float multipliers"):
        translate(dual_certificate(collapsed_kernel(TWO_CLASSES), TWO_CLASSES, 0.5), "name")
    with pytest.raises(ValueError, match="at least one"):
        translate_all([])


def test_a_point_of_any_type_of_number_is_the_same_refutation():
    false = ShiftCertificate("", ("r",), {(2,): 1, (1,): -3}, (Fraction(5, 2),))
    expected = refutation(false, "at_a_point", Fraction(5, 2)).text
    for point in (2.5, np.float32(2.5), "2.5", Decimal("2.5")):
        assert refutation(false, "at_a_point", point).text == expected


def test_a_wrong_point_is_named():
    with pytest.raises(TypeError, match="point = None"):
        refutation(SHIFTED, "at_a_point", None)


def test_only_rational_expressions_are_written():
    r, s = sp.symbols("r s")
    assert expression(-r * (r - 3) ** 2 / 2 + 1 / r, {r: "INR r"}) == "-INR r * (INR r - 3) ^ 2 / 2 + 1 / INR r"
    assert expression(r - s, {r: "s", s: "r"}) == "s - r"
    for wrong in (sp.sqrt(r), sp.log(r), r + s, r**s):
        with pytest.raises(ValueError, match="must be rational"):
            expression(wrong, {r: "r"})


@pytest.mark.parametrize("coefficients", [(1,), (1, 2), ("1/3", 0, 5)])
def test_no_pieces_are_needed_where_no_coefficient_is_negative(coefficients):
    intervals, beyond, shifted = pieces(coefficients, 0)
    assert intervals == []
    assert beyond == 0
    assert shifted == [Fraction(c) for c in coefficients]
