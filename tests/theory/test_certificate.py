"""Certificates: what the verifiers accept and reject, and that they are about the losses they claim to be about."""

from fractions import Fraction
from itertools import pairwise
from math import comb, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.certificate import (
    ShiftCertificate,
    SturmCertificate,
    strongly_regular_beats_collapse,
    zero_is_optimal,
)
from theory.geometry import triangular_graph


def test_shift_is_the_polynomial_itself():
    certificate = ShiftCertificate("", ("x", "y"), {(2, 1): 3, (0, 2): Fraction(-1, 2), (1, 0): 7}, (2, Fraction(1, 3)))
    shifted = ShiftCertificate("", ("s", "t"), certificate.shifted(), (0, 0))
    for s in (0, 1, Fraction(5, 7)):
        for t in (0, 2, Fraction(1, 9)):
            assert certificate.value(2 + s, Fraction(1, 3) + t) == shifted.value(s, t)


@pytest.mark.parametrize(
    ("coefficients", "bounds", "strict", "accepted"),
    [
        ({(1,): 1, (0,): -2}, (2,), False, True),  # zero at the bound
        ({(1,): 1, (0,): -2}, (2,), True, False),
        ({(1,): 1, (0,): -2}, (Fraction(201, 100),), True, True),
        ({(1,): 1, (0,): -2}, (Fraction(199, 100),), False, False),
        ({(2,): -1, (0,): 100}, (0,), True, False),  # positive at the bound, negative in the end
        ({}, (0,), False, True),
        ({}, (0,), True, False),
    ],
)
def test_shift_certificate_decides(coefficients, bounds, strict, accepted):
    assert ShiftCertificate("", ("x",), coefficients, bounds, strict).verify() == accepted


def test_a_positive_polynomial_without_a_shift_certificate_is_not_accepted():
    # x² − 2x + 2 is positive everywhere, but its coefficients at 0 are not: the verifier proves, it does not guess.
    assert not ShiftCertificate("", ("x",), {(2,): 1, (1,): -2, (0,): 2}, (0,)).verify()
    assert SturmCertificate("", (2, -2, 1), 0).verify()


def test_widths_have_to_agree():
    with pytest.raises(ValueError, match="2 variables"):
        ShiftCertificate("", ("x", "y"), {(1,): 1}, (0, 0))


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=7), st.integers(-3, 3))
def test_sturm_agrees_with_the_roots(coefficients, at_least):
    verified = SturmCertificate("", tuple(coefficients), at_least).verify()
    value = sum(c * at_least**i for i, c in enumerate(coefficients))
    trimmed = np.trim_zeros(coefficients, "b")
    if value <= 0 or not trimmed:
        assert not verified
        return
    roots = np.roots(trimmed[::-1])
    beyond = roots[(abs(roots.imag) < 1e-4) & (roots.real > at_least)]
    surely = roots[(abs(roots.imag) < 1e-9) & (roots.real > at_least + 1e-6)]
    assert not verified or not surely.size
    assert verified or beyond.size or trimmed[-1] < 0


@pytest.mark.parametrize(
    ("coefficients", "at_least", "accepted"),
    [
        ((1, -2, 1), 0, False),  # a double root at 1
        ((1, -2, 1), 2, True),
        ((-6, 11, -6, 1), 3, False),  # a root at the end
        ((-6, 11, -6, 1), Fraction(31, 10), True),
        ((5,), 0, True),
        ((0,), 0, False),
        ((), 0, False),
        ((5, -1), 0, False),
    ],
)
def test_sturm_certificate_decides(coefficients, at_least, accepted):
    assert SturmCertificate("", coefficients, at_least).verify() == accepted


def test_every_step_of_theorem_5_fails_one_order_lower():
    proof = strongly_regular_beats_collapse()
    assert proof.verify()
    assert not strongly_regular_beats_collapse(three_layers_from=4).verify()
    assert not strongly_regular_beats_collapse(four_layers_from=3).verify()
    for step in (proof.three_layers, proof.four_layers, proof.next_layer, *proof.eigenvalues):
        lower, *rest = step.bounds
        assert not step.with_bounds(lower - 1, *rest).verify()


def test_every_step_of_theorem_5_says_what_it_shows():
    proof = strongly_regular_beats_collapse()
    steps = (proof.nuclear_norm, proof.three_layers, proof.four_layers, proof.next_layer, *proof.eigenvalues)
    assert [step.statement for step in steps] == [
        "(3r−5)² − 8(r−1)(r−2) ≥ 0, so S_r² ≤ r² − 1",
        "Σ w_i/(1 + e_i ur/(r+1)) < 1/(1+u)",
        "ϱ(r, 4) < 1",
        "r/K < 1",
        "C(r−2,2) − 1 = (r−1)(r−4)/2 ≥ 0",
        "(r−3)² − 1 = (r−2)(r−4) ≥ 0",
    ]


def test_a_bound_slightly_wrong_is_rejected():
    # S_r² ≤ r² − 2 in place of r² − 1: (3r−6)² − 8(r−1)(r−2) is negative at r = 4.
    assert not ShiftCertificate("", ("r",), {(2,): 1, (1,): -12, (0,): 20}, (4,), strict=False).verify()


@given(st.integers(5, 40), st.fractions(0, 50))
def test_three_layer_polynomial_is_the_difference_of_the_fits(r, u):
    eigenvalues, multiplicities = triangular_graph.last_layer_gram_spectrum(r)
    v = u * Fraction(r, r + 1)
    fits = sum(Fraction(m, comb(r, 2)) / (1 + e * v) for e, m in zip(eigenvalues, multiplicities, strict=True))
    gap = 1 / (1 + u) - fits
    value = strongly_regular_beats_collapse().three_layers.value(r, u)
    assert value > 0
    assert (gap > 0) == (u > 0)
    denominator = (
        (1 + u) * (r + 1 + r * u) * (r + 1 + (r - 3) ** 2 * r * u) * (4 * (r + 1) + ((r - 2) * (r - 3)) ** 2 * r * u)
    )
    assert gap * denominator == u * value


@given(st.integers(2, 60))
def test_every_other_polynomial_of_theorem_5_is_of_its_inequality(r):
    proof, K = strongly_regular_beats_collapse(), comb(r, 2)
    # S_r² = 2 + (r−1)(r−2) + √(8(r−1)(r−2)) ≤ r² − 1, compared in squares
    assert proof.nuclear_norm.value(r) == (r**2 - 3 - (r - 1) * (r - 2)) ** 2 - 8 * (r - 1) * (r - 2)
    relative = [Fraction((r**2 - 1) * r ** (L - 3), 2 * K ** (L - 2)) for L in (4, 5, 6)]  # ϱ with r² − 1 for S_r²
    assert proof.four_layers.value(r) == r * (r - 1) * (1 - relative[0])
    assert {proof.next_layer.value(r)} == {(r - 1) * (1 - after / before) for before, after in pairwise(relative)}
    first, second = proof.eigenvalues
    assert (first.value(r), second.value(r)) == (comb(r - 2, 2) - 1, (r - 3) ** 2 - 1)
    if r >= 4:
        stated = (comb(r - 2, 2) ** 2, (r - 3) ** 2, 1)
        assert tuple(triangular_graph.last_layer_gram_spectrum(r).eigenvalues) == stated


@given(st.integers(2, 6), st.fractions(0, 3), st.lists(st.integers(1, 9), min_size=1, max_size=3), st.fractions(0, 9))
def test_zero_is_optimal_is_of_the_inequality(L, kappa, eigenvalues, x):
    """Lκx + Σ w_i/(1 + e_i x^L) − 1, times the common denominator, is x times the certified polynomial."""
    weights = [Fraction(2 * i + 1, len(eigenvalues) ** 2) for i in range(len(eigenvalues))]
    certificate = zero_is_optimal(L, kappa, weights, eigenvalues)
    fits = sum(w / (1 + e * x**L) for w, e in zip(weights, eigenvalues, strict=True))
    value = sum(c * x**i for i, c in enumerate(certificate.coefficients))
    assert certificate.at_least == 0
    assert x * value == (L * kappa * x + fits - 1) * prod(1 + e * x**L for e in eigenvalues)


@given(st.integers(4, 300))
def test_nuclear_norm_bound(r):
    from flint import arb

    assert (arb(2).sqrt() + arb((r - 1) * (r - 2)).sqrt()) ** 2 < r**2 - 1


def test_zero_is_optimal_on_the_right_side_of_the_threshold_only():
    for L in (3, 4, 7, 12):
        threshold = (L - 1) ** (1 - 1 / L) / L**2
        for factor, expected in ((1 + 1e-9, True), (1 - 1e-9, False), (2, True), (0.01, False)):
            certificate = zero_is_optimal(L, Fraction(threshold * factor), [Fraction(1)], [1])
            assert certificate.verify() == expected, (L, factor)


def test_zero_is_optimal_agrees_with_a_scan_for_several_eigenvalues():
    weights, eigenvalues = [Fraction(1, 10), Fraction(4, 10), Fraction(5, 10)], [9, 4, 1]
    x = np.geomspace(1e-4, 1e4, 200_001)
    gain = 1 - sum(float(w) / (1 + e * x**3) for w, e in zip(weights, eigenvalues, strict=True))
    threshold = (gain / (3 * x)).max()
    assert zero_is_optimal(3, Fraction(threshold * 1.0001), weights, eigenvalues).verify()
    assert not zero_is_optimal(3, Fraction(threshold * 0.9999), weights, eigenvalues).verify()


def test_weights_have_to_sum_to_one():
    with pytest.raises(ValueError, match="sum to 3/2"):
        zero_is_optimal(3, Fraction(1), [Fraction(1), Fraction(1, 2)], [1, 2])


def test_a_share_or_an_eigenvalue_below_zero_is_refused():
    with pytest.raises(ValueError, match=r"weights\[1\] must be .* ≥ 0"):
        zero_is_optimal(3, 1, ["3/2", "-1/2"], [1, 2])
    with pytest.raises(ValueError, match=r"eigenvalues\[0\] must be .* ≥ 0"):
        zero_is_optimal(3, 1, ["1/2", "1/2"], [-1, 2])
