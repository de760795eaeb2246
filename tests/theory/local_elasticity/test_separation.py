"""Separation of the features of classes: counts, simulation, the linear program, and wrong input."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from theory import local_elasticity as le


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_equal_means_on_a_line(n):
    assert le.separation_probability(0, n) == pytest.approx(1 / comb(2 * n, n), rel=1e-9)


@pytest.mark.parametrize(("gap", "n"), [(1.0, 1), (2.0, 3), (5.0, 20), (-0.5, 2), (4.0, 1000)])
def test_against_draws(gap, n):
    rng = np.random.default_rng(n)
    far, near = rng.normal(size=(2, 20_000, n)) if n < 100 else rng.normal(size=(2, 2_000, n))
    share = np.mean(far.min(axis=1) + gap > near.max(axis=1))
    error = np.sqrt(max(share * (1 - share), 1e-4) / len(far))
    assert abs(le.separation_probability(gap, n) - share) < 4.5 * error


def test_one_sample_is_a_normal_distribution():
    from scipy.stats import norm

    for gap in (-3.0, 0.0, 0.7, 4.0, 50.0):
        assert le.separation_probability(gap, 1) == pytest.approx(norm.cdf(gap / np.sqrt(2)), abs=1e-10)
    assert le.separation_probability(-200, 1) == 0


@pytest.mark.parametrize("n", [1, 2, 5, 30])
@pytest.mark.parametrize("m", [1, 2, 7, 100])
def test_covers_share(n, m):
    exact = min(Fraction(1), Fraction(2 * sum(comb(2 * n - 1, i) for i in range(m + 1)), comb(2 * n, n)))
    assert le.separation_bounds(0, n, m)[1] == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.parametrize("m", [1, 2])
@pytest.mark.parametrize("gap", [0.0, 0.5, 3.0, 8.0])
def test_bounds_hold_for_draws(m, gap):
    rng, n, draws = np.random.default_rng(0), 4, 120
    F = rng.normal(size=(draws, m, 2 * n))
    F[:, 0, n:] += gap
    share = np.mean([le.pairwise_separable(features, 2) for features in F])
    low, high = le.separation_bounds(gap, n, m)
    assert low - 4.5 / 2 / np.sqrt(draws) <= share <= high + 4.5 / 2 / np.sqrt(draws)
    assert 0 <= low <= high <= 1


def test_always_separable_in_many_dimensions():
    F = np.random.default_rng(0).normal(size=(5, 6))
    assert le.pairwise_separable(F, 2)
    assert le.separation_bounds(0.0, 3, 5) == (1.0, 1.0)
    assert le.separation_bounds(0.0, 3, 4) == (0.0, 1.0)


def test_separable_by_hand():
    square = np.array([[0.0, 1, 0, 1], [0, 1, 1, 0]])  # diagonals against each other
    assert not le.pairwise_separable(square, 2)
    assert le.pairwise_separable(square[:, [0, 2, 1, 3]], 2)
    assert not le.pairwise_separable(np.zeros((2, 4)), 2)
    assert not le.pairwise_separable([[0.0, 1.0, 1.0, 2.0]], 2)  # they touch
    assert le.pairwise_separable(1.7e308 * np.array([[-1.0, -1.0, 1.0, 1.0], [1.0, -1.0, 1.0, -1.0]]), 2)
    assert le.pairwise_separable([[1e-9, 2e-9, 3e-9, 4e-9]], 2)
    assert not le.pairwise_separable([[0.0, 3.0, 9.0, 9.5, 1.0, 2.0]], 3)  # the third lies within the first


def test_threshold():
    assert le.separation_threshold(4) == 2
    assert le.separation_threshold(4, 0.5) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: le.separation_threshold(1), "K = 1"),
        (lambda: le.separation_threshold(2, -1), "noise_exponent = -1"),
        (lambda: le.separation_probability(0, 0), "n = 0"),
        (lambda: le.separation_probability(np.inf, 1), "gap = inf"),
        (lambda: le.separation_bounds(-1, 1, 1), "gap = -1"),
        (lambda: le.separation_bounds(1, 1, 0), "m = 0"),
        (lambda: le.pairwise_separable([[1.0, 2.0, 3.0]], 2), "a multiple of K = 2 columns"),
        (lambda: le.pairwise_separable([[1.0, np.nan]], 2), r"F\[0, 1\] = nan"),
    ],
)
def test_wrong_values(call, message):
    with pytest.raises(ValueError, match=message):
        call()
