"""The printed proof of the convergence theorem (agop, Appendix C.1) line by line: what holds, and what does not."""

from itertools import pairwise

import numpy as np
import pytest
from collapse_grams import SIZES, gram_of
from hypothesis import given
from hypothesis import strategies as st

from theory import labels
from theory.deep_rfm import collapse_fixed_point, collapse_map


def test_printed_kappa_moves_the_fixed_point_at_first_order():
    n, lam_map = 3, 0.5
    for lam_k in (1e-3, 1e-4, 1e-5):
        kappa = collapse_map.printed_kappa(lam_k, lam_map)
        scale = collapse_fixed_point.fixed_point_scales([n], lam_k=lam_k, lam_map=lam_map, kappa=kappa)[0]
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
