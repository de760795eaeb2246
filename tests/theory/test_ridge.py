"""Ridge regression of one-hot labels on class means."""

import numpy as np
import pytest

from theory import ridge


@pytest.mark.parametrize(("d", "K"), [(1, 1), (2, 4), (4, 2), (3, 3), (7, 5)])
@pytest.mark.parametrize("lam", [1e-12, 1e-3, 2.0])
def test_minimiser_solves_the_normal_equations(d, K, lam):
    M = np.random.default_rng(d * K).standard_normal((d, K))
    W = ridge.minimiser(M, lam)
    gradient = (W @ M - np.eye(K)) @ M.T / K + lam * W
    assert np.abs(gradient).max() < 1e-13 * np.linalg.norm(M)
    assert np.isclose(ridge.objective(W, M, lam), ridge.minimum(np.linalg.svd(M, compute_uv=False), lam, K), rtol=1e-12)


def test_minimiser_of_a_singular_matrix_and_a_small_lam():
    M = np.outer([3.0, 4.0], [0.6, 0.8])  # one singular value, 5
    lam = 1e-8  # the smaller singular value is a rounding error of 5, and weighs 1/(2λ)
    expected = np.outer([0.6, 0.8], [0.6, 0.8]) / 5
    assert np.allclose(ridge.minimiser(M, lam), expected, rtol=0, atol=10 * np.finfo(float).eps * 5 / (2 * lam))
    assert np.isclose(ridge.minimum([5.0, 0.0], 1e-14), 0.25, rtol=1e-12)  # one class in two is not fitted


def test_objective_is_the_mean_over_repeated_samples():
    rng = np.random.default_rng(0)
    M, W, n, K, lam = rng.standard_normal((4, 3)), rng.standard_normal((3, 4)), 5, 3, 0.7
    residual = W @ np.kron(M, np.ones(n)) - np.kron(np.eye(K), np.ones(n))
    whole = (residual**2).sum() / (2 * K * n) + lam / 2 * (W**2).sum()
    assert np.isclose(ridge.objective(W, M, lam), whole, rtol=1e-14)


def test_missing_singular_values_are_zeros():
    assert ridge.minimum([2.0], 0.1, K=3) == pytest.approx(ridge.minimum([2.0, 0.0, 0.0], 0.1), rel=1e-15)
    assert ridge.minimum([], 0.1, K=4) == 0.5


@pytest.mark.parametrize("lam", [0.0, -1.0, float("nan"), float("inf")])
def test_lam_out_of_range(lam):
    M = np.eye(2)
    for call in (
        lambda: ridge.minimiser(M, lam),
        lambda: ridge.objective(M, M, lam),
        lambda: ridge.minimum([1.0], lam),
    ):
        with pytest.raises(ValueError, match="lam = "):
            call()


@pytest.mark.parametrize("M", [np.ones(3), np.ones((2, 0)), np.array([[np.nan]]), np.ones((1, 2, 3))])
def test_class_means_that_are_no_matrix(M):
    with pytest.raises(ValueError, match="M has shape"):
        ridge.minimiser(M, 1.0)


def test_weights_of_the_wrong_shape():
    with pytest.raises(ValueError, match=r"W has shape \(2, 3\); for M of shape \(2, 3\) it must be \(3, 2\)"):
        ridge.objective(np.ones((2, 3)), np.ones((2, 3)), 1.0)


def test_weights_that_are_not_finite():
    with pytest.raises(ValueError, match="W has an entry that is not finite"):
        ridge.objective(np.array([[np.inf]]), np.eye(1), 1.0)


@pytest.mark.parametrize(
    ("values", "K", "message"),
    [
        ([-1.0], None, "singular_values"),
        ([float("nan")], None, "singular_values"),
        ([[1.0]], None, "singular_values"),
        ([1.0, 2.0], 1, "K = 1; K must be an integer ≥ 2"),
        ([1.0], 1.5, "K = 1.5"),
        ([], None, "K = 0"),
    ],
)
def test_singular_values_out_of_range(values, K, message):
    with pytest.raises(ValueError, match=message):
        ridge.minimum(values, 1.0, K)
