"""The thresholds of minority collapse, against the optimality conditions solved without their closed form."""

import math

import mpmath as mp
import numpy as np
import pytest

from theory.ufm import layer_peeled

BUDGETS = [(1, 2, 1.0), (1, 5, 0.1), (2, 2, 1.0), (2, 3, 2.0), (3, 2, 0.05), (3, 3, 2.0), (2, 2, 1e-4), (6, 4, 1.5)]


def stationary(a, b, budget):
    """t₀ in forty digits: where the minimum over t = 0 has the slope 0 in t, by derivatives of the loss alone."""
    K = a + b

    def losses(s, p, t, q):
        major = mp.log1p((a - 1) * mp.exp(-s) + b * mp.exp(-s * (1 - mp.mpf(1) / a) - p))
        return major, mp.log1p((b - 1) * mp.exp(-t) + a * mp.exp(-t * (1 - mp.mpf(1) / b) - q))

    def size(s, p, t, q):
        return (a - 1) * s + (b - 1) * t + mp.sqrt((p * a) ** 2 * b / K + (q * b) ** 2 * a / mp.mpf(K))

    def conditions(r, s, p, q):
        point = (s, p, mp.mpf(0), q)

        def slope(f, i):
            return mp.diff(f, point, tuple(int(i == j) for j in range(4)))

        def risk(*x):
            major, minor = losses(*x)
            return r * a * major + b * minor

        mu = -slope(risk, 2) / (b - 1)
        others = [slope(risk, i) + mu * slope(size, i) for i in ((1, 3) if a == 1 else (0, 1, 3))]
        return [size(*point) - K * mp.mpf(budget), *others, *([s] if a == 1 else [])]

    with mp.workdps(40):
        guess = layer_peeled.layer_peeled_optimum(
            a, b, layer_peeled.minority_collapse_threshold(a, b, budget, budget), budget, budget
        )
        K_between = [guess.between[0] / (a * math.sqrt(b / K)), guess.between[1] / (b * math.sqrt(a / K))]
        return mp.findroot(conditions, (guess.ratio, guess.majority_scale, *K_between), tol=1e-50)[0]


@pytest.mark.parametrize(("a", "b", "budget"), BUDGETS)
def test_threshold_is_where_the_slope_vanishes(a, b, budget):
    exact = stationary(a, b, budget)
    found = layer_peeled.minority_collapse_threshold(a, b, budget, budget)
    assert abs(found - 1 - (exact - 1)) <= 1e-12 * exact


@pytest.mark.parametrize(("a", "b", "budget"), BUDGETS)
def test_sides_of_the_threshold(a, b, budget):
    threshold = layer_peeled.minority_collapse_threshold(a, b, budget, budget)
    below, at, above = (
        layer_peeled.layer_peeled_optimum(a, b, 1 + (threshold - 1) * x, budget, budget)
        for x in (1 - 1e-8, 1, 1 + 1e-8)
    )
    assert (below.regime, at.regime, above.regime) == ("distinct", "collapsed", "collapsed")
    assert below.multiplier < 1 <= above.multiplier
    assert below.minority_angle > 0 == above.minority_angle
    assert (below.rank, above.rank) == (a + b - 1, a)
    assert max(o.gap / o.loss for o in (below, at, above)) < 1e-13


@pytest.mark.parametrize(("a", "b", "budget"), [(2, 1, 0.1), (2, 2, 0.1), (3, 2, 0.2), (5, 5, 1.0), (4, 1, 1.0)])
def test_sides_of_the_vanishing(a, b, budget):
    threshold = layer_peeled.minority_vanishing_threshold(a, b, budget, budget)
    below, above = (
        layer_peeled.layer_peeled_optimum(a, b, threshold * x, budget, budget) for x in (1 - 1e-6, 1 + 1e-6)
    )
    assert (below.regime, above.regime) == ("collapsed" if b > 1 else "distinct", "vanished")
    assert 0 < max(below.between) < 1e-4 * a
    assert max(above.between) == 0
    assert not above.A[a:].any()
    assert not above.F[:, a:].any()
    assert above.rank == a - 1
    assert below.rank == a
    assert max(below.gap, above.gap) < 1e-14
    assert math.isnan(above.minority_angle)


def test_largest_budget_of_vanishing():
    for a, b in ((2, 1), (2, 3), (5, 2)):
        most = a * (a - 1) * math.log(1 + math.sqrt((a + b) / b)) / (a + b)
        assert layer_peeled.minority_vanishing_threshold(a, b, most * 1.0001, most) is None
        assert layer_peeled.minority_vanishing_threshold(a, b, most * 0.999, most) > 10
    assert layer_peeled.minority_vanishing_threshold(1, 3, 1e-5, 1) is None


def test_curve_and_threshold_agree():
    for a, b in ((1, 2), (2, 2), (4, 3)):
        points = [layer_peeled.threshold_point(a, b, q) for q in (1e-6, 1e-2, 0.3, 1.0, 2.0)]
        assert (np.diff(points, axis=0)[:, [0, 1, 3, 4]] > 0).all()
        for point in points:
            found = layer_peeled.minority_collapse_threshold(a, b, point.budget, point.budget)
            assert found - 1 == pytest.approx(point.ratio - 1, rel=1e-11, abs=1e-15)


def test_small_and_large_budgets():
    for a, b in ((1, 2), (2, 2), (4, 3)):
        K = a + b
        small = layer_peeled.minority_collapse_threshold(a, b, 1e-7, 1e-7)
        assert (small - 1) / 1e-7 == pytest.approx(K / (a * (K - 1)), rel=1e-5, abs=1e-8)
        rate = K / (a - 1 + math.sqrt(b / K))
        low, high = (math.log(layer_peeled.minority_collapse_threshold(a, b, x, x)) for x in (50, 100))
        assert (high - low) / 50 == pytest.approx(rate, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 2, 1, 1), "K_maj = 0; K_maj must be an integer ≥ 1"),
        ((2, 1, 1, 1), "K_min = 1; K_min must be an integer ≥ 2"),
        ((2, 2, 0, 1), "Omega_A = 0"),
        ((2, 2, 1, -1), "Omega_F = -1"),
        ((2, 2, 1e9, 1), "beyond the floats"),
    ],
)
def test_wrong_threshold(arguments, message):
    with pytest.raises(ValueError, match=message):
        layer_peeled.minority_collapse_threshold(*arguments)
