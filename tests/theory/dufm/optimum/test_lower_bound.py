"""dufm.lower_bound, relu_constant and bounds: against known minima and solutions, at the ends of their ranges."""

from decimal import Decimal
from fractions import Fraction
from math import sqrt

import numpy as np
import pytest

from theory import dufm
from theory.ufm import Problem, search


@pytest.mark.parametrize("L", [2, 3, 4, 9])
@pytest.mark.parametrize("lam", ["1e-2", "1e-4", "1e-9"])
def test_with_two_classes_it_is_the_minimum(L, lam):
    bound = dufm.lower_bound(2, L, lam)
    assert bound.argument == "two classes"
    assert float(bound.value) == pytest.approx(Problem.of(2, L, lam).collapsed_loss(), rel=1e-12)


@pytest.mark.parametrize("K", [2, 3, 5, 6, 9])
def test_no_solution_of_two_layers_is_below(K):
    for lam in (1e-2, 1e-3, 1e-4):
        problem = Problem.of(K, 2, lam)
        bound = float(dufm.lower_bound(K, 2, lam).value)
        assert bound <= problem.collapsed_loss() * (1 + 1e-12)
        assert bound <= search(problem, starts=3, seed=0)[0].loss * (1 + 1e-12)


@pytest.mark.parametrize(("K", "L"), [(2, 3), (3, 4), (5, 5), (6, 8), (10, 4), (28, 8)])
def test_best_known_solutions_lie_above(K, L):
    assert float(dufm.lower_bound(K, L, 5e-4).value) <= dufm.best_known(K, L).loss * (1 + 1e-9)


def test_the_problem_enters_by_the_product_only():
    lams = [Fraction(1, 100), Fraction(1, 3000), Fraction(1, 700), Fraction(1, 10)]
    product = 6 * np.prod([float(lam) for lam in lams])
    one = dufm.lower_bound(7, 3, product ** (1 / 4))
    several = dufm.lower_bound(7, 3, lams=lams, n=6)
    assert float(one.value) == pytest.approx(float(several.value), rel=1e-12)


def test_one_half_where_zero_is_optimal_and_only_there():
    # For two classes the threshold of the product is (L−1)^{L−1}/(2^{L+1} L^{2L}).
    threshold = Fraction(4, 16 * 3**6)
    for factor, trivial in ((Fraction(1001, 1000), True), (Fraction(999, 1000), False)):
        lams = [1, 1, 1, threshold * factor]
        assert (dufm.lower_bound(2, 3, lams=lams).value == Decimal("0.5")) == trivial
        assert (dufm.bounds(2, 3, lams=lams).solution is None) == trivial
        assert dufm.bounds(2, 3, lams=lams).optimal


def test_it_is_rounded_down_and_to_the_digits_asked_for():
    few, many = (dufm.lower_bound(5, 4, "1e-3", digits=digits).value for digits in (5, 40))
    assert few <= many
    assert many - few <= many * Decimal("1e-5")


def test_very_deep_and_very_many():
    assert dufm.lower_bound(10, 10**30, "1e-3").value <= Decimal("0.5")
    assert dufm.lower_bound(10**12, 4, "1e-30").argument == "removing classes"
    assert dufm.lower_bound(10**12, 2, "1e-30").argument == "nuclear norm"


@pytest.mark.parametrize("K", [*range(2, 40), 100, 10**4, 10**6])
def test_relu_constant_is_the_best_over_q(K):
    m = np.arange(K + 1) if K < 10**4 else np.unique(np.r_[np.linspace(0, K, 2000).astype(int), K // 2 : K // 2 + 2000])

    def largest(q):
        return ((m - q * m**2 / (1 - q + K * q)) / (1 - q)).max()

    found = float(dufm.relu_constant(K))
    near = 1 / (1 + sqrt(K))
    scanned = min(largest(q) for q in np.linspace(near / 3, (1 + near) / 2, 20_001))
    assert found <= scanned * (1 + 1e-9)
    assert found <= (1 + sqrt(K)) ** 2 / 4 * (1 + 1e-12)
    assert found >= scanned * (1 - 1e-3)  # the scan is coarse


def test_relu_constant_where_the_root_is_an_integer():
    assert [dufm.relu_constant(k * k) for k in (2, 3, 10)] == [Fraction((1 + k) ** 2, 4) for k in (2, 3, 10)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"K": 1, "L": 3, "lam": 1e-3}, "K = 1"),
        ({"K": 3, "L": 1, "lam": 1e-3}, "L = 1"),
        ({"K": 3, "L": 3}, "lam"),
        ({"K": 3, "L": 3, "lam": 0}, "lam = 0"),
        ({"K": 3, "L": 3, "lams": [1, 1]}, "lams"),
        ({"K": 3, "L": 3, "lam": 1e-3, "digits": 0}, "digits = 0"),
    ],
)
def test_wrong_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        dufm.lower_bound(**arguments)
