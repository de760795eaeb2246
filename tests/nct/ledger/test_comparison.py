"""Requirements that record both sides, and the checks that are found to measure nothing."""

import json
import math
from fractions import Fraction
from xml.etree import ElementTree

import numpy as np
import pytest
import sympy as sp
import torch

from nct.ledger import Refuted, require_at_most, require_close, require_equal
from nct.ledger._comparison import Measured, faults, recording

pytest_plugins = ["pytester"]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        (Fraction(1, 3), Fraction(2, 6)),
        (sp.Rational(1, 3), Fraction(1, 3)),
        (sp.Matrix([[1, 2]]), sp.Matrix([[1, 2]])),
        (np.zeros((2, 3)), 0),
        (np.arange(3), np.arange(3)),
        (torch.ones(2), torch.ones(2)),
        ([1, "a"], [1, "a"]),
    ],
)
def test_equal(left, right):
    require_equal(left, right, "differs")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1 + 1e-15),
        (math.nan, math.nan),
        (sp.Matrix([[1, 2]]), sp.Matrix([[1, 3]])),
        (np.arange(3), np.array([0, 1, 3])),
        (np.zeros((3, 1)), np.zeros((1, 3))),  # would be broadcast
        (torch.ones(2), torch.tensor([1.0, 2.0])),
        ([1, 2], [1]),
    ],
)
def test_not_equal(left, right):
    with pytest.raises(Refuted, match="differs"):
        require_equal(left, right, "differs")


@pytest.mark.parametrize(
    ("left", "right", "tolerance", "near"),
    [
        (1.0, 1.0 + 1e-9, {"rtol": 1e-8}, True),
        (1.0, 1.0 + 1e-7, {"rtol": 1e-8}, False),
        (100.0, 101.0, {"atol": 1.0}, True),
        (np.array([1.0, 2.0]), np.array([1.0, 2.1]), {"atol": 0.05}, False),
        (np.array([1.0, np.inf]), np.array([1.0, np.inf]), {"atol": 0.05}, True),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), {"atol": 0.05}, False),
        (torch.tensor([1.0]), torch.tensor([1.01]), {"rtol": 0.1}, True),
        (np.zeros((3, 1)), np.zeros((1, 3)), {"atol": 1.0}, False),
        (math.inf, -math.inf, {"rtol": 1.0}, False),
        (sp.pi, 3.14159, {"atol": 1e-5}, True),
        (1j, -1j, {"atol": 1.0}, False),
    ],
)
def test_close(left, right, tolerance, near):
    if near:
        require_close(left, right, "far", **tolerance)
    else:
        with pytest.raises(Refuted, match="far"):
            require_close(left, right, "far", **tolerance)


@pytest.mark.parametrize("tolerance", [{}, {"rtol": -1.0}, {"atol": math.nan}])
def test_tolerances_are_given_and_positive(tolerance):
    with pytest.raises(ValueError, match="must be"):
        require_close(1, 1, "far", **tolerance)


@pytest.mark.parametrize(
    ("value", "bound", "strict", "kept"),
    [
        (1, 1, False, True),
        (1, 1, True, False),
        (np.array([1, 3]), 3, False, True),
        (np.array([1, 3]), np.array([2, 2]), False, False),
        (math.nan, 1, False, False),
        (1, math.nan, False, False),
        (sp.sqrt(2), Fraction(3, 2), True, True),
        (torch.ones(3, 1), torch.ones(1, 3), False, False),
    ],
)
def test_at_most(value, bound, strict, kept):
    if kept:
        require_at_most(value, bound, "too large", strict=strict)
    else:
        with pytest.raises(Refuted, match="too large"):
            require_at_most(value, bound, "too large", strict=strict)


def test_the_witness_shows_both_sides_where_they_are_short():
    with pytest.raises(Refuted, match=r"^off: m = 3, left = 1, right = 2$"):
        require_equal(1, 2, "off", m=3)
    with pytest.raises(Refuted, match=r"^off: left = 3$"):
        require_equal(1, 2, "off", left=3)
    with pytest.raises(Refuted, match=r"^off: m = 3$"):
        require_equal(np.arange(99), 2, "off", m=3)


# What was measured.


def measured(comparisons):
    with recording() as notes:
        for left, right in comparisons:
            require_equal(left, right, "off")
    return Measured.from_json(json.loads(json.dumps(notes.to_json())))


def test_what_changes_is_measured():
    assert not list(faults(measured([(1, 1), (2, 2)])))
    assert not list(faults(measured([(np.zeros(2), 0), (np.zeros(3), 0)])))
    assert not list(faults(measured([])))  # nothing recorded, nothing judged
    (fault,) = faults(measured([(np.zeros(2), 0)] * 5))
    assert "nothing that it compares changes" in fault
    assert "(5 at test_comparison.py:" in fault


@pytest.mark.parametrize("make", [object, lambda: lambda x: x, lambda: [object()]])
def test_an_address_is_no_value(make):
    with recording() as notes:
        for _ in range(3):
            kept = make()
            require_equal(kept, kept, "off")
    assert list(faults(notes))


@pytest.mark.parametrize(
    "values", [[torch.tensor(1.0), torch.tensor(2.0)], [np.array([{1}]), np.array([{2}])], [sp.Symbol("x"), sp.pi]]
)
def test_values_of_all_sorts_are_told_apart(values):
    assert not list(faults(measured([(value, value) for value in values])))


def test_runs_are_taken_together():
    one, other = (Measured.from_json({"a:1": {"left": side, "right": "0"}}) for side in "12")
    assert list(faults(one))
    one.add(other)
    assert not list(faults(one))


def test_a_bound_on_zero():
    def at_most(values):
        with recording() as notes:
            for value, bound in values:
                require_at_most(value, bound, "too large")
        return list(faults(notes))

    (fault,) = at_most([(0, 1), (0, 2)])
    assert "is zero throughout (2 comparisons)" in fault
    assert not at_most([(0, 1), (1, 1)])
    assert not at_most([(np.array([0, 1e-300]), 1), (0, 2)])


def test_nothing_is_recorded_outside_a_check():
    with recording() as notes:
        pass
    require_equal(1, 1, "off")
    assert notes.places == {}


# In a ledger.

CLAIM = """
from nct.ledger import Claim, Statement, require, require_at_most, require_equal

claim = Claim(
    id="example.sum",
    title="Sum of the first integers",
    source="example, Theorem 1",
    verdict="holds",
    printed=Statement("m(m+1)/2", lambda m: m * (m + 1) // 2),
    near_misses={{"one less": lambda m: m * (m - 1) // 2}},
)


@claim.check("exact")
def test_adding_up(statement):
    for m in range(9):
        require_equal(statement(m), sum(range(m + 1)), "the sum differs", m=m)


@claim.check("derived")
def test_other(statement):
{body}
"""
GOOD = "    require_equal(statement(3), 6, 'the sum differs')"  # one instance, but the forms differ
CONSTANT = "    require_equal(4 > 3, True, 'order')\n    require(statement(3) == 6, 'the sum differs')"
ZERO = "    require_at_most(0 * statement(3), 1, 'large')\n" + GOOD


@pytest.fixture
def run(pytester):
    def run(body, *options):
        path = pytester.path / "proofs_checks" / "example" / "test_sum.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CLAIM.format(body=body), encoding="utf-8")
        pytester.makeini("[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\n")
        result = pytester.runpytest_inprocess("--ledger", "ledger.json", "proofs_checks", *options)
        return result, result.stdout.str()

    return run


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
@pytest.mark.parametrize(
    ("body", "message"), [(CONSTANT, "nothing that it compares changes"), (ZERO, "what is bounded at test_sum.py:22")]
)
def test_a_check_that_measures_nothing_fails_the_run(run, pytester, body, message, workers):
    result, printed = run(body, *workers, "--junitxml", "results.xml")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=5, failed=1)
    assert "test_sum.py::test_other[measured]" in printed
    assert f"example.sum: vacuous check: {message}" in " ".join(printed.split())
    assert "1 claim: 1 broken" in printed
    tests = ElementTree.parse(pytester.path / "results.xml").getroot()[0]
    assert [test.get("name") for test in tests if test.find("failure") is not None] == ["test_other[measured]"]


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_forms_that_differ_are_measured(run, workers):
    result, _ = run(GOOD, *workers)
    result.assert_outcomes(passed=5)
    assert result.ret == 0


def test_a_selection_of_forms_leaves_it_open(run):
    result, _ = run(ZERO, "-k", "printed")
    result.assert_outcomes(passed=2, deselected=3)
    assert result.ret == 0
