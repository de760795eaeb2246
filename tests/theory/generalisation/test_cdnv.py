"""Class-distance normalised variances, and bounds of the true ones."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics import metrics
from theory.generalisation import cdnv, cdnv_bound, class_moments, mean_gap, variance_gap


@given(st.integers(1, 4), st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_the_cdnv_of_a_sample_is_that_of_numerics(m, K, seed):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.concatenate([np.arange(K), rng.integers(0, K, 3 * K)]))
    F = rng.normal(size=(m, len(y))) + 5 * rng.normal(size=(m, K))[:, y]
    moments = class_moments(F, y)
    statistics = metrics.class_statistics(torch.tensor(F.T.copy()), torch.tensor(y), K)
    np.testing.assert_allclose(cdnv(*moments[:2]), metrics.cdnv(statistics).numpy(), rtol=1e-10)
    np.testing.assert_array_equal(moments.sizes, np.bincount(y))


def test_features_far_from_zero_keep_their_variance():
    moments = class_moments(np.array([[1e8, 1e8 + 2, 0.0]]), [0, 0, 1])
    np.testing.assert_array_equal(moments.variances, [1.0, 0.0])
    np.testing.assert_array_equal(moments.means, [[1e8 + 1, 0.0]])


@pytest.mark.parametrize("n", [1, 2, 5, 50])
def test_gaps_hold_as_often_as_they_say(n):
    # Atoms ±1 with probability p and else 0: the rarer, the more often a sample sees too little variance.
    rng, delta = np.random.default_rng(n), 0.2
    for p in (0.02, 0.2, 0.9):
        X = rng.choice([-1.0, 0.0, 1.0], p=[p / 2, 1 - p, p / 2], size=(20_000, n))
        means, variances = X.mean(axis=1), X.var(axis=1)
        assert (abs(means) > mean_gap(n, 1, delta)).mean() <= delta
        gaps = {float(s): variance_gap(n, 1, delta, float(s)) for s in np.unique(variances)}
        assert (p - variances > [gaps[float(s)] for s in variances]).mean() <= delta


@given(st.integers(2, 10**6), st.floats(1e-6, 0.99), st.floats(0.01, 100), st.floats(0, 1))
def test_gaps_scale_with_the_radius(n, delta, radius, part):
    assert mean_gap(n, radius, delta) == pytest.approx(radius * mean_gap(n, 1, delta), rel=1e-12)
    scaled = variance_gap(n, radius, delta, part * radius**2)
    assert scaled == pytest.approx(radius**2 * variance_gap(n, 1, delta, part), rel=1e-9, abs=1e-9 * radius**2)


def test_gaps_are_no_larger_than_the_ball():
    assert mean_gap(1, 3, 0.1) == 6.0
    assert variance_gap(1, 3, 0.1, 0.0) == 9.0
    assert variance_gap(2, 1, 0.1, 1.0) == 0.0
    assert mean_gap(10**8, 1, math.exp(-2)) == pytest.approx(3e-4)
    assert variance_gap(10**8 + 1, 1, math.exp(-2), 0.5) == pytest.approx(4e-4, rel=1e-4)


def test_the_bound_is_made_of_its_parts():
    bound = cdnv_bound([[0.0, 3.0, 9.0]], [0.5, 0.25, 0.0], [4000, 6000, 1], 6, 0.1)
    each = 0.1 / 6
    e = [mean_gap(n, 6, each) for n in (4000, 6000, 1)]
    g = [variance_gap(n, 6, each, s) for n, s in ((4000, 0.5), (6000, 0.25), (1, 0.0))]
    assert bound.sample[0, 1] == pytest.approx(0.75 / 18)
    assert bound.B[0, 1] == pytest.approx((g[0] + g[1]) / 18)
    assert bound.A[0, 1] == pytest.approx((e[0] + e[1]) / (3 - e[0] - e[1]))
    assert bound.value[0, 1] == pytest.approx((0.75 + g[0] + g[1]) / 2 / (3 - e[0] - e[1]) ** 2)
    assert math.isinf(bound.value[0, 2])
    np.testing.assert_array_equal(np.diag(bound.value), 0)
    np.testing.assert_array_equal(bound.value, bound.value.T)


def test_bounds_hold_at_once_and_approach_the_cdnv():
    rng, delta = np.random.default_rng(0), 0.3
    truth = cdnv([[0.0, 1.0, 2.0]], [0.25 / 3] * 3)
    last = np.inf
    for n in (2000, 40_000):
        missed = 0
        for _ in range(40):
            X = rng.uniform(-0.5, 0.5, size=(3, n)) + np.arange(3)[:, None]
            bound = cdnv_bound([X.mean(axis=1)], X.var(axis=1), [n] * 3, 1.5, delta).value
            missed += bool((bound < truth).any())
        assert missed <= delta * 40
        assert truth[0, 1] < bound[0, 1] < last
        last = bound[0, 1]
    assert last < 4 * truth[0, 1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"means": [[1.0, 1.0]]}, "means has equal columns 0 and 1"),
        ({"means": [[1.0]], "variances": [0.0]}, "means must have at least 2 columns"),
        ({"variances": [0.1]}, "an entry for each"),
        ({"variances": [0.1, -0.5]}, r"variances\[1\] = -0.5; variances must be ≥ 0"),
        ({"variances": [0.1, 2.0]}, r"variances\[1\] = 2.0; variances\[1\] must be at most 1.0 for n = 5"),
        ({"sizes": [5, 1]}, "must be at most 0.0 for n = 1"),
        ({"sizes": [5, 0]}, r"sizes\[1\] = 0"),
        ({"delta": 1}, "delta = 1; delta must be a real number > 0 and < 1"),
        ({"radius": 0}, "radius = 0; radius must be a finite real number > 0"),
    ],
)
def test_wrong_arguments_are_named(arguments, words):
    usual = {"means": [[0.0, 1.0]], "variances": [0.1, 0.2], "sizes": [5, 5], "radius": 1.0, "delta": 0.1}
    with pytest.raises(ValueError, match=words):
        cdnv_bound(**usual | arguments)


def test_empty_classes_are_named():
    with pytest.raises(ValueError, match="labels has no sample in class 1"):
        class_moments([[0.0, 1.0]], [0, 2])
