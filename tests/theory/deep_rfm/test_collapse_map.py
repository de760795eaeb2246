"""theory.deep_rfm.collapse_map: the iteration against its definition, fixed points, contraction, wrong input."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import labels, woodbury
from theory.deep_rfm import collapse_map

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=3)


def gram_of(seed, N, scale=1.0):
    features = np.random.default_rng(seed).standard_normal((N, N)) * scale
    return features @ features.T


@given(SIZES, st.integers(0, 2**32 - 1), st.floats(0, 3))
def test_agop_gram_from_its_definition(sizes, seed, lam_k):
    # predictor α(XᵀX + λ_k I)⁻¹ …, its gradient at every sample, their mean outer product
    Y = labels.one_hot(sizes)
    N = Y.shape[1]
    X = np.random.default_rng(seed).standard_normal((N + 2, N))
    beta = X @ np.linalg.solve(X.T @ X + lam_k * np.eye(N), Y.T)
    gradients = [beta] * N
    M = sum(gradient @ gradient.T for gradient in gradients) / N
    expected = X.T @ M @ X
    tolerance = 1e-13 * np.linalg.cond(X) ** 2 * N
    assert np.abs(collapse_map.agop_gram(X.T @ X, Y, lam_k) - expected).max() < tolerance


@given(SIZES, st.integers(0, 2**32 - 1))
def test_shuffling_samples_shuffles_the_result(sizes, seed):
    Y = labels.one_hot(sizes)
    N = Y.shape[1]
    order, gram = np.random.default_rng(seed).permutation(N), gram_of(seed, N)
    parameters = {"lam_k": 0.3, "lam_map": 0.7, "kappa": 0.9}
    shuffled = collapse_map.step(gram[np.ix_(order, order)], Y[:, order], **parameters)
    assert np.allclose(shuffled, collapse_map.step(gram, Y, **parameters)[np.ix_(order, order)], atol=1e-11)


@given(SIZES, st.fractions(min_value=Fraction(1, 50), max_value=3, max_denominator=50), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_float_step_agrees_with_the_exact_one(sizes, lam, seed):
    Y = labels.one_hot(sizes)
    N = Y.shape[1]
    factor = np.random.default_rng(seed).integers(-2, 3, size=(N, N))
    gram = factor @ factor.T
    exact = collapse_map.exact_step(gram.tolist(), Y, lam_k=lam, lam_map=Fraction(1, 3), kappa=Fraction(3, 4))
    rounded = collapse_map.step(gram, Y, lam_k=float(lam), lam_map=1 / 3, kappa=0.75)
    assert np.abs(np.array(exact, dtype=float) - rounded).max() < 1e-12 * (1 + np.abs(gram).max()) * N


@given(SIZES, st.floats(-2, 2), st.floats(-3, 1.5), st.floats(0.2, 3.0))
def test_fixed_point_is_fixed(sizes, log_map, log_ratio, kappa):
    Y, lam_map = labels.one_hot(sizes), 10.0**log_map
    parameters = {"lam_k": lam_map * 10.0**log_ratio, "lam_map": lam_map, "kappa": kappa}
    gram = collapse_map.fixed_point(Y, **parameters)
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
    found = collapse_map.fixed_point_scales([n], lam_k=lam_k, lam_map=lam_map, kappa=kappa)
    assert found == pytest.approx([scale], rel=1e-12)


@given(st.integers(1, 10**6), st.floats(-8, 8), st.floats(-10, 6), st.floats(-3, 3))
def test_fixed_point_equation_over_many_orders_of_magnitude(n, log_map, log_ratio, log_kappa):
    lam_map, kappa = 10.0**log_map, 10.0**log_kappa
    lam_k = lam_map * 10.0**log_ratio
    (scale,) = collapse_map.fixed_point_scales([n], lam_k=lam_k, lam_map=lam_map, kappa=kappa)
    occupied = scale * n
    assert kappa * scale == pytest.approx(((occupied + lam_map) / (occupied + lam_map + lam_k)) ** 2, rel=1e-12)


def test_exact_kappa_fixes_the_collapsed_gram_exactly():
    for n, K in ((1, 1), (2, 1), (3, 2)):
        Y = labels.one_hot([n] * K)
        lam_k, lam_map = Fraction(3, 7), Fraction(2, 5)
        gram = [[Fraction(int(entry)) for entry in row] for row in collapse_map.collapsed_gram(Y)]
        kappa = collapse_map.exact_kappa(n, lam_k, lam_map)
        assert collapse_map.exact_step(gram, Y, lam_k=lam_k, lam_map=lam_map, kappa=kappa) == gram
        printed = collapse_map.printed_kappa(Fraction(1, 100), lam_map)
        assert collapse_map.exact_step(gram, Y, lam_k=Fraction(1, 100), lam_map=lam_map, kappa=printed) != gram


def test_printed_kappa_moves_the_fixed_point_at_first_order():
    n, lam_map = 3, 0.5
    for lam_k in (1e-3, 1e-4, 1e-5):
        kappa = collapse_map.printed_kappa(lam_k, lam_map)
        scale = collapse_map.fixed_point_scales([n], lam_k=lam_k, lam_map=lam_map, kappa=kappa)[0]
        slope = 2 * (1 + 1 / lam_map - 1 / (n + lam_map))
        assert abs((scale - 1) / lam_k - slope) < 60 * lam_k


def test_printed_kappa_leaves_the_positive_numbers_within_its_range():
    # λ_k ≤ C λ_map/(2 (1 + 1/λ_map) n) (1−ε), with C = 1/10 and ε = 1/2, at λ_map = 30 n/C
    n, lam_map = 1, 300.0
    lam_k = 0.1 * lam_map / (2 * (1 + 1 / lam_map) * n) * 0.5
    kappa = collapse_map.printed_kappa(lam_k, lam_map)
    assert kappa < 0
    with pytest.raises(ValueError, match="kappa = -"):
        collapse_map.step([[1.0]], [[1]], lam_k=lam_k, lam_map=lam_map, kappa=kappa)


@given(st.integers(1, 4), st.integers(1, 3), st.floats(-2, 2), st.floats(0.01, 0.3), st.integers(0, 2**32 - 1))
def test_smallest_repair_of_the_printed_theorem(n, K, log_map, ratio, seed):
    # κ = 1 − 2u with u = λ_k/(n+λ_map) has the printed form of bound, with the error n (s²/κ − 1) = 3 n u² + O(u³)
    Y, lam_map = labels.one_hot([n] * K), 10.0**log_map
    lam_k, N = ratio * lam_map, n * K
    u = lam_k / (n + lam_map)
    excess = 1 / ((1 + u) ** 2 * (1 - 2 * u)) - 1
    assert excess <= (3 * u**2 + 2 * u**3) / (1 - 3 * u**2 - 2 * u**3) * (1 + 1e-9) + 1e-15
    data = lam_map * np.eye(N) + gram_of(seed, N)
    grams = collapse_map.iterate(data, Y, lam_k=lam_k, lam_map=lam_map, kappa=1 - 2 * u, layers=5)
    errors = [np.linalg.norm(gram - Y.T @ Y, 2) for gram in grams]
    for before, after in pairwise(errors):
        assert after <= (1 + excess) * 2 * ratio * before + n * excess + 1e-12 * (n + 1)


@given(SIZES, st.floats(-2, 2), st.floats(-3, 1), st.floats(0.3, 3.0), st.integers(0, 2**32 - 1))
def test_contraction_bound(sizes, log_map, log_ratio, kappa, seed):
    Y, lam_map = labels.one_hot(sizes), 10.0**log_map
    N, parameters = Y.shape[1], {"lam_k": lam_map * 10.0**log_ratio, "lam_map": lam_map, "kappa": kappa}
    fixed = collapse_map.fixed_point(Y, **parameters)
    bound = collapse_map.contraction_bound(sizes, **parameters)
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
    fixed = collapse_map.fixed_point(Y, **parameters)
    direction, small = gram_of(seed, N), 1e-5 * lam_map
    growth = 0.0
    for _ in range(60):
        direction /= np.linalg.norm(direction)
        forward, backward = (collapse_map.step(fixed + sign * small * direction, Y, **parameters) for sign in (1, -1))
        direction = (forward - backward) / (2 * small)
        direction = (direction + direction.T) / 2
        growth = np.linalg.norm(direction)
    factor = collapse_map.contraction_factor(sizes, **parameters)
    assert growth <= factor * (1 + 1e-4)
    assert growth >= 0.9 * factor  # the iteration may still be turning between close factors


def test_critical_lam_k_is_where_the_factor_is_one():
    for n, lam_map in ((2, 1.0), (5, 0.1), (10, 9.0)):
        lam_k = collapse_map.critical_lam_k(n, lam_map)
        for k, attracts in ((0.99 * lam_k, True), (1.01 * lam_k, False)):
            factor = 2 * k * n / ((n + lam_map) * (n + lam_map + k))
            assert (factor < 1) == attracts
            # the iteration itself, from next to the collapsed Gram matrix
            Y = labels.one_hot([n])
            kappa, gram = collapse_map.exact_kappa(n, k, lam_map), collapse_map.collapsed_gram(Y)
            once = collapse_map.step((1 + 1e-6) * gram, Y, lam_k=k, lam_map=lam_map, kappa=kappa)
            assert (np.linalg.norm(once - gram, 2) < 1e-6 * n) == attracts
    assert collapse_map.critical_lam_k(3, 3.0) == np.inf


def test_inverse_of_the_collapsed_gram_and_woodbury():
    Y = labels.one_hot([1, 4, 2])
    inverse = collapse_map.collapsed_gram_inverse(Y, 0.3)
    assert np.allclose(inverse, woodbury.updated_inverse(np.eye(7) / 0.3, Y.T, Y.T), atol=1e-13)
    assert np.allclose(inverse @ (collapse_map.collapsed_gram(Y) + 0.3 * np.eye(7)), np.eye(7), atol=1e-13)


# The other lines of the printed proof of the convergence theorem (agop, Appendix C.1).


@given(SIZES, st.floats(-2, 2), st.floats(0.001, 1.0), st.integers(0, 2**32 - 1))
def test_expansion_in_lam_k(sizes, log_map, ratio, seed):
    # Z = λ_k A⁻¹ has norm ε_lin = λ_k/λ_map at most. The two expansions hold, the first with the constant 1, the
    # second with 3n: not with a universal one.
    Y, lam_map = labels.one_hot(sizes), 10.0**log_map
    N, n, lam_k = Y.shape[1], max(sizes), ratio * lam_map
    A = lam_map * np.eye(N) + gram_of(seed, N)
    Z, gram = lam_k * np.linalg.inv(A), Y.T @ Y
    smoother = A @ np.linalg.inv(A + lam_k * np.eye(N))
    rounding = 1e-12 * np.linalg.cond(A)
    series = np.linalg.inv(np.eye(N) + Z) @ Z
    assert np.allclose(smoother, np.eye(N) - series, atol=rounding)
    assert np.linalg.norm(series - Z, 2) <= ratio**2 + rounding
    expansion = gram - Z @ gram - gram @ Z
    assert np.linalg.norm(collapse_map.agop_gram(A, Y, lam_k) - expansion, 2) <= 3 * n * ratio**2 + n * rounding


@pytest.mark.parametrize("n", [1, 10, 1000])
def test_constant_of_the_expansion_grows_with_n(n):
    # A = λ_map I: the map is (1+ε)⁻² YᵀY, its expansion (1−2ε) YᵀY
    small = 1e-3
    error = n * abs((1 + small) ** -2 - (1 - 2 * small))
    assert error == pytest.approx(3 * n * small**2, rel=1e-2)


@given(SIZES, st.floats(-1, 1), st.floats(0.01, 0.49), st.integers(0, 2**32 - 1))
def test_expansion_about_the_collapsed_gram(sizes, log_map, share, seed):
    Y, lam_map = labels.one_hot(sizes), 10.0**log_map
    N = Y.shape[1]
    change = gram_of(seed, N) - gram_of(seed + 1, N)
    change /= np.linalg.norm(change, 2)
    epsilon = share * lam_map  # partial collapse: ε_A < λ_map/2
    collapsed = collapse_map.collapsed_gram_inverse(Y, lam_map)
    inner = np.linalg.inv(np.eye(N) + epsilon * change @ collapsed)
    assert np.linalg.norm(inner, 2) <= 2
    expansion = collapsed - epsilon * collapsed @ inner @ change @ collapsed
    exact = np.linalg.inv(collapse_map.collapsed_gram(Y) + lam_map * np.eye(N) + epsilon * change)
    assert np.allclose(expansion, exact, rtol=0, atol=1e-12 * (1 + sum(sizes)) / lam_map**2)


def test_partial_collapse_is_not_what_the_last_lines_show():
    # They show a distance below 1/2; the proof needs it below λ_map/2, and rescales by κ after.
    lam_map = 0.01
    gram = collapse_map.agop_gram(lam_map * np.eye(4), labels.one_hot([4]), 0.0005)
    assert lam_map / 2 < np.linalg.norm(gram - np.ones((4, 4)), 2) < 0.5


# Wrong input.

GOOD = {"lam_k": 0.1, "lam_map": 1.0, "kappa": 0.9}


@pytest.mark.parametrize(
    ("Y", "message"),
    [
        ([[1, -1]], r"column 1"),
        ([[0.5, 1], [0.5, 0]], r"column 0"),
        ([[1, 1], [1, 0]], r"column 0"),
        ([[1, 1], [0, 0]], r"class 1"),
        ([1, 1], r"shape \(2,\)"),
        ([[np.nan, 1]], r"column 0"),
    ],
)
def test_labels_that_are_not_one_hot(Y, message):
    with pytest.raises(ValueError, match=message):
        collapse_map.step(np.eye(2), Y, **GOOD)


@pytest.mark.parametrize("name", ["lam_map", "kappa"])
@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf])
def test_parameters_that_must_be_positive(name, value):
    with pytest.raises(ValueError, match=f"{name} = "):
        collapse_map.step(np.eye(2), [[1, 1]], **GOOD | {name: value})


def test_other_parameters():
    with pytest.raises(ValueError, match=r"lam_k = -0.1"):
        collapse_map.step(np.eye(2), [[1, 1]], **GOOD | {"lam_k": -0.1})
    with pytest.raises(TypeError, match="lam_map = '1'"):
        collapse_map.step(np.eye(2), [[1, 1]], **GOOD | {"lam_map": "1"})
    with pytest.raises(ValueError, match="n = 0"):
        collapse_map.exact_kappa(0, 0.1, 1.0)
    with pytest.raises(ValueError, match="layers = 0"):
        collapse_map.iterate(np.eye(2), [[1, 1]], **GOOD, layers=0)
    with pytest.raises(TypeError, match=r"kappa = 0\.9"):
        collapse_map.exact_step([[1]], [[1]], lam_k=1, lam_map=1, kappa=0.9)
    with pytest.raises(TypeError, match=r"gram has the entry 0\.5"):
        collapse_map.exact_step([[0.5]], [[1]], lam_k=1, lam_map=1, kappa=1)


@pytest.mark.parametrize(
    ("gram", "message"),
    [
        (np.eye(3), r"shape \(3, 3\)"),
        ([[1, 0.5], [0, 1]], "transpose"),
        ([[1, 0], [0, np.nan]], "not finite"),
        ([[1, 0], [0, -2]], r"eigenvalue -1"),
    ],
)
def test_gram_matrices(gram, message):
    with pytest.raises(ValueError, match=message):
        collapse_map.step(gram, [[1, 1]], **GOOD)


def test_singular_data():
    with pytest.raises(ValueError, match="A must be positive definite"):
        collapse_map.iterate(np.diag([1.0, -1e-3]), [[1, 1]], **GOOD, layers=1)


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
        occupied = sizes * collapse_map.fixed_point_scales(sizes, **parameters)
        if lam_k / lam_map <= occupied.min() / occupied.max() * (1 + 1e-12):
            break
        lam_k *= 0.97
    Y = labels.one_hot(sizes)
    fixed = collapse_map.fixed_point(Y, **parameters)
    data = lam_map * np.eye(len(fixed)) + features @ features.T
    grams = collapse_map.iterate(data, Y, **parameters, layers=5)
    errors = np.array([np.linalg.norm(gram - fixed, 2) for gram in grams])
    visible = errors[:-1] > 1e-8 * max(sizes)  # below, rounding decides
    return max((errors[1:] / errors[:-1])[visible], default=0.0) / (1 - eps)
