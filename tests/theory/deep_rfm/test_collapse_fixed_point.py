"""theory.deep_rfm.collapse_fixed_point: the fixed point, the bound on a step, the asymptotic factor, wrong input."""

import numpy as np
import pytest
from collapse_grams import SIZES, gram_of
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import labels
from theory.deep_rfm import collapse_fixed_point, collapse_map


@given(SIZES, st.floats(-2, 2), st.floats(-3, 1.5), st.floats(0.2, 3.0))
def test_fixed_point_is_fixed(sizes, log_map, log_ratio, kappa):
    Y, lam_map = labels.one_hot(sizes), 10.0**log_map
    parameters = {"lam_k": lam_map * 10.0**log_ratio, "lam_map": lam_map, "kappa": kappa}
    gram = collapse_fixed_point.fixed_point(Y, **parameters)
    assert np.allclose(collapse_map.step(gram, Y, **parameters), gram, rtol=1e-11, atol=1e-13 * np.abs(gram).max())


def test_largest_of_several_fixed_points():
    # λ_k beyond the critical value: three fixed points. From the largest possible scale, 1/κ, the map decreases to
    # the largest.
    n, lam_map, lam_k, kappa = 50, 0.1, 6.0, 1.0
    coefficients = [
        kappa * n**2,
        2 * kappa * n * (lam_map + lam_k) - n**2,
        kappa * (lam_map + lam_k) ** 2 - 2 * n * lam_map,
    ]
    assert np.sum(np.isreal(np.roots([*coefficients, -(lam_map**2)]))) == 3
    scale = 1 / kappa
    for _ in range(2000):
        scale = ((scale * n + lam_map) / (scale * n + lam_map + lam_k)) ** 2 / kappa
    found = collapse_fixed_point.fixed_point_scales([n], lam_k=lam_k, lam_map=lam_map, kappa=kappa)
    assert found == pytest.approx([scale], rel=1e-12)


@given(st.integers(1, 10**6), st.floats(-8, 8), st.floats(-10, 6), st.floats(-3, 3))
def test_fixed_point_equation_over_many_orders_of_magnitude(n, log_map, log_ratio, log_kappa):
    lam_map, kappa = 10.0**log_map, 10.0**log_kappa
    lam_k = lam_map * 10.0**log_ratio
    (scale,) = collapse_fixed_point.fixed_point_scales([n], lam_k=lam_k, lam_map=lam_map, kappa=kappa)
    occupied = scale * n
    assert kappa * scale == pytest.approx(((occupied + lam_map) / (occupied + lam_map + lam_k)) ** 2, rel=1e-12)


@given(SIZES, st.floats(-2, 2), st.floats(-3, 1), st.floats(0.3, 3.0), st.integers(0, 2**32 - 1))
def test_contraction_bound(sizes, log_map, log_ratio, kappa, seed):
    Y, lam_map = labels.one_hot(sizes), 10.0**log_map
    N, parameters = Y.shape[1], {"lam_k": lam_map * 10.0**log_ratio, "lam_map": lam_map, "kappa": kappa}
    fixed = collapse_fixed_point.fixed_point(Y, **parameters)
    bound = collapse_fixed_point.contraction_bound(sizes, **parameters)
    rng = np.random.default_rng(seed)
    for gram in (gram_of(seed, N, 10 ** rng.uniform(-2, 1)), fixed + gram_of(seed, N, 1e-3), np.zeros((N, N))):
        before = np.linalg.norm(gram - fixed, 2)
        after = np.linalg.norm(collapse_map.step(gram, Y, **parameters) - fixed, 2)
        assert after <= bound.linear * before + bound.quadratic * before**2 + 1e-12 * np.linalg.norm(fixed)
    first = collapse_map.agop_gram(lam_map * np.eye(N) + gram_of(seed, N), Y, parameters["lam_k"]) / kappa
    occupied = fixed.sum(axis=0).max()  # the largest g_c n_c
    assert np.linalg.norm(first - fixed, 2) <= occupied * ((1 + 10.0**log_ratio) ** 2 - 1) * (1 + 1e-12)


@given(SIZES, st.floats(-1, 1), st.floats(-2, 0), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_contraction_factor_is_attained_and_not_exceeded(sizes, log_map, log_ratio, seed):
    # power iteration on a difference quotient
    Y, lam_map = labels.one_hot(sizes), 10.0**log_map
    N, parameters = Y.shape[1], {"lam_k": lam_map * 10.0**log_ratio, "lam_map": lam_map, "kappa": 1.0}
    fixed = collapse_fixed_point.fixed_point(Y, **parameters)
    direction, small = gram_of(seed, N), 1e-5 * lam_map
    growth = 0.0
    for _ in range(60):
        direction /= np.linalg.norm(direction)
        forward, backward = (collapse_map.step(fixed + sign * small * direction, Y, **parameters) for sign in (1, -1))
        direction = (forward - backward) / (2 * small)
        direction = (direction + direction.T) / 2
        growth = np.linalg.norm(direction)
    factor = collapse_fixed_point.contraction_factor(sizes, **parameters)
    assert growth <= factor * (1 + 1e-4)
    assert growth >= 0.9 * factor  # the iteration may still be turning between close factors


@given(SIZES, st.floats(-2, 2), st.floats(-3, 1), st.floats(0.3, 3.0))
def test_coefficients_of_the_bound_are_the_norms_of_the_proof(sizes, log_map, log_ratio, kappa):
    """With R* the resolvent at the fixed point, and ‖R‖ replaced by its bound 1/(λ_map+λ_k)."""
    Y, m = labels.one_hot(sizes), 10.0**log_map
    k = m * 10.0**log_ratio
    fixed = collapse_fixed_point.fixed_point(Y, lam_k=k, lam_map=m, kappa=kappa)
    resolvent = np.linalg.inv(fixed + (m + k) * np.eye(len(fixed)))
    labelled = Y.T @ Y @ resolvent
    first = k / (m + k) * np.linalg.norm(labelled @ (np.eye(len(fixed)) - k * resolvent), 2) / kappa
    second = (k / (m + k)) ** 2 * np.linalg.norm(resolvent @ labelled, 2) / kappa
    bound = collapse_fixed_point.contraction_bound(sizes, lam_k=k, lam_map=m, kappa=kappa)
    assert bound.linear == pytest.approx(2 * first, rel=1e-9)
    assert bound.quadratic == pytest.approx(second, rel=1e-9)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.floats(-1, 1), st.floats(-2, 1), st.floats(0.3, 2.0))
@settings(max_examples=30)
def test_contraction_factor_is_the_spectral_radius_of_the_derivative(sizes, log_map, log_ratio, kappa):
    Y, m = labels.one_hot(sizes), 10.0**log_map
    k, N = m * 10.0**log_ratio, Y.shape[1]
    fixed = collapse_fixed_point.fixed_point(Y, lam_k=k, lam_map=m, kappa=kappa)
    R = np.linalg.inv(fixed + (m + k) * np.eye(N))
    right = R @ Y.T @ Y @ (np.eye(N) - k * R)
    derivative = k / kappa * (np.kron(R, right.T) + np.kron(right.T, R))  # of E: R E R YᵀY S and its transpose
    factor = collapse_fixed_point.contraction_factor(sizes, lam_k=k, lam_map=m, kappa=kappa)
    assert factor == pytest.approx(np.abs(np.linalg.eigvals(derivative)).max(), rel=1e-7)


@pytest.mark.parametrize("n", [2, 7, 50])
@pytest.mark.parametrize("K", [1, 2, 8])
def test_factor_for_classes_of_equal_size(n, K):
    for m in (0.1, 1.0, 0.9 * n):
        k = 0.3 * m
        kappa = collapse_map.exact_kappa(n, k, m)
        factor = collapse_fixed_point.contraction_factor([n] * K, lam_k=k, lam_map=m, kappa=kappa)
        sizes, angles = 2 * k * n / ((n + m) * (n + m + k)), k * n / ((n + m) * (m + k))
        assert factor == pytest.approx(max(sizes, angles), rel=1e-9)
        critical = collapse_fixed_point.critical_lam_k(n, m)
        assert 2 * critical * n / ((n + m) * (n + m + critical)) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.any_type
def test_scalars_of_every_kind():
    expected = collapse_fixed_point.contraction_factor([3, 5], lam_k=0.25, lam_map=2, kappa=0.75)
    for k, m in ((np.float32(0.25), np.uint8(2)), ("1/4", "2"), (np.array(0.25), 2.0)):
        found = collapse_fixed_point.contraction_factor(np.array([3, 5], np.uint8), lam_k=k, lam_map=m, kappa="0.75")
        assert found == expected
        bound = collapse_fixed_point.contraction_bound((3.0, 5.0), lam_k=k, lam_map=m, kappa="0.75")
        assert bound == collapse_fixed_point.contraction_bound([3, 5], lam_k=0.25, lam_map=2, kappa=0.75)
    assert collapse_fixed_point.critical_lam_k(np.uint8(200), "100") == 900.0
    with pytest.raises(ValueError, match="sizes = 0; sizes must be an integer ≥ 1"):
        collapse_fixed_point.contraction_bound([3, 0], lam_k=0.1, lam_map=1, kappa=1)
    with pytest.raises(ValueError, match="kappa = 0"):
        collapse_fixed_point.fixed_point_scales([3], lam_k=0.1, lam_map=1, kappa=0)


def test_critical_lam_k_is_where_the_factor_is_one():
    for n, lam_map in ((2, 1.0), (5, 0.1), (10, 9.0)):
        lam_k = collapse_fixed_point.critical_lam_k(n, lam_map)
        for k, attracts in ((0.99 * lam_k, True), (1.01 * lam_k, False)):
            factor = 2 * k * n / ((n + lam_map) * (n + lam_map + k))
            assert (factor < 1) == attracts
            # the iteration itself, from next to the collapsed Gram matrix
            Y = labels.one_hot([n])
            kappa, gram = collapse_map.exact_kappa(n, k, lam_map), collapse_map.collapsed_gram(Y)
            once = collapse_map.step((1 + 1e-6) * gram, Y, lam_k=k, lam_map=lam_map, kappa=kappa)
            assert (np.linalg.norm(once - gram, 2) < 1e-6 * n) == attracts
    assert collapse_fixed_point.critical_lam_k(3, 3.0) == np.inf


@pytest.mark.parametrize("sizes", [[1], [3, 3], [1, 2, 5]])
def test_one_layer_distance_is_attained_and_not_exceeded(sizes):
    Y, rng = labels.one_hot(sizes), np.random.default_rng(4)
    N = Y.shape[1]
    for lam_k, lam_map in ((0.01, 1.0), (1.0, 1.0), (5.0, 0.1)):
        most = collapse_fixed_point.one_layer_distance(sizes, lam_k=lam_k, lam_map=lam_map)
        for scale in (0.0, 0.1, 1.0, 10.0):
            B = scale * rng.normal(size=(N, N))
            mapped = collapse_map.agop_gram(lam_map * np.eye(N) + B @ B.T, Y, lam_k)
            distance = np.linalg.norm(mapped - Y.T @ Y, 2)
            assert distance <= most * (1 + 1e-12)
            assert scale or distance == pytest.approx(most, rel=1e-12)
    assert collapse_fixed_point.one_layer_distance(sizes, lam_k=0, lam_map=1) == 0
    tiny = collapse_fixed_point.one_layer_distance(sizes, lam_k=1e-20, lam_map=1)  # 2 n λ_k/λ_map, without cancellation
    assert tiny == pytest.approx(2e-20 * max(sizes), rel=1e-12)
    with pytest.raises(ValueError, match="lam_map = 0; lam_map must be"):
        collapse_fixed_point.one_layer_distance(sizes, lam_k=1, lam_map=0)
    with pytest.raises(ValueError, match="lam_k = -1; lam_k must be"):
        collapse_fixed_point.one_layer_distance(sizes, lam_k=-1, lam_map=1)


@pytest.mark.ledger_long
@pytest.mark.parametrize(("share", "equal"), [(0.5, True), (0.5, False), (1.0, True)])
def test_adversarial_search_for_a_layer_that_shrinks_less(share, equal):
    # Hill climbing over the data for the largest factor of a layer in units of 1 − ε.
    rng = np.random.default_rng(11)
    for _ in range(150):
        sizes = [int(size) for size in rng.integers(1, 8, rng.integers(1, 4))]
        sizes = sizes[:1] * len(sizes) if equal else sizes
        lam_map, eps, N = 10 ** rng.uniform(-3, 2), rng.choice([0.01, 0.1, 0.5, 0.9, 0.99]), sum(sizes)
        features = rng.standard_normal((N, rng.integers(1, N + 1))) * 10 ** rng.uniform(-2, 1) * lam_map**0.5
        best, spread = worst_factor(features, sizes, lam_map, eps, share), 0.5
        for _ in range(50):
            change = rng.standard_normal(features.shape) * (rng.random(features.shape) < 0.3)
            candidate = features + spread * np.abs(features).max() * change
            factor = worst_factor(candidate, sizes, lam_map, eps, share)
            if factor > best:
                features, best = candidate, factor
            else:
                spread *= 0.93
        assert best <= 1 + 1e-6, (sizes, lam_map, eps)


def worst_factor(features, sizes, lam_map, eps, share):
    """The largest factor of layers 3 to 6 in units of 1 − ε, at the end of the range."""
    lam_k = share * (1 - eps) * lam_map
    while True:
        kappa = collapse_map.exact_kappa(max(sizes), lam_k, lam_map)
        parameters = {"lam_k": lam_k, "lam_map": lam_map, "kappa": kappa}
        occupied = sizes * collapse_fixed_point.fixed_point_scales(sizes, **parameters)
        if lam_k / lam_map <= occupied.min() / occupied.max() * (1 + 1e-12):
            break
        lam_k *= 0.97
    Y = labels.one_hot(sizes)
    fixed = collapse_fixed_point.fixed_point(Y, **parameters)
    data = lam_map * np.eye(len(fixed)) + features @ features.T
    grams = collapse_map.iterate(data, Y, **parameters, layers=5)
    errors = np.array([np.linalg.norm(gram - fixed, 2) for gram in grams])
    visible = errors[:-1] > 1e-8 * max(sizes)  # below, rounding decides
    return max((errors[1:] / errors[:-1])[visible], default=0.0) / (1 - eps)
