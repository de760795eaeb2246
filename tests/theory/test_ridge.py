"""Ridge regression of one-hot labels on class means."""

import numpy as np
import pytest

from theory import ridge
from theory.labels import one_hot


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
@pytest.mark.any_type
def test_class_means_that_are_no_matrix(M):
    with pytest.raises(ValueError, match=r"M has shape|M\[0, 0\] = nan"):
        ridge.minimiser(M, 1.0)


@pytest.mark.parametrize("function", [ridge.minimiser, ridge.residual])
def test_masked_class_means(function):
    with pytest.raises(TypeError, match="M is a masked array"):
        function(np.ma.array(np.eye(2), mask=[[1, 0], [0, 0]]), 0.1)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_scale_of_the_class_means(scale):
    """M and λ of any size: the weights of cM at c²λ are those of M at λ, over c."""
    M = np.random.default_rng(3).standard_normal((3, 4))
    weights = ridge.minimiser(M, 0.3)
    assert ridge.minimiser(scale * M, 0.3 * scale**2) * scale == pytest.approx(weights, rel=1e-13)
    assert ridge.residual(scale * M, 0.3 * scale**2) == pytest.approx(ridge.residual(M, 0.3), rel=1e-12, abs=1e-15)
    assert ridge.minimiser(np.diag([1e200, 1e160]), 0.3) == pytest.approx(np.diag([1e-200, 1e-160]), rel=1e-15)


@pytest.mark.parametrize(("d", "K"), [(2, 4), (4, 2), (3, 3)])
@pytest.mark.parametrize("lam", [1e-9, 1e-3, 2.0])
def test_residual_is_that_of_the_minimiser(d, K, lam):
    M = np.random.default_rng(d).standard_normal((d, K))
    assert ridge.residual(M, lam) == pytest.approx(ridge.minimiser(M, lam) @ M - np.eye(K), abs=1e-14)


def test_residual_keeps_its_digits_at_small_lam():
    M = np.array([[3.0, 1.0], [1.0, 2.0]])
    inverse = np.array([[5, -5], [-5, 10]]) / 25  # of MᵀM = [[10, 5], [5, 5]]
    assert ridge.residual(M, 1e-40) / 2e-40 == pytest.approx(-inverse, rel=1e-13)


def test_weights_of_the_wrong_shape():
    with pytest.raises(ValueError, match=r"W has shape \(2, 3\); for M of shape \(2, 3\) W must have \(3, 2\)"):
        ridge.objective(np.ones((2, 3)), np.ones((2, 3)), 1.0)


def test_weights_that_are_not_finite():
    with pytest.raises(ValueError, match=r"W\[0, 0\] = inf; W must be finite"):
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


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lam", [0.0, 0.1])
@pytest.mark.parametrize(("m", "N"), [(3, 12), (8, 6)])
def test_least_squares_classifier_solves_the_augmented_problem(bias, lam, m, N):
    generator = np.random.default_rng(m)
    F, Y = generator.normal(size=(m, N)) + 1, one_hot([N // 3] * 3)
    A, b = ridge.least_squares_classifier(F, Y, bias=bias, ridge=lam)
    # Least squares of stacked equations: the fit, and √(Nλ) A = 0; the least norm comes from a tiny one.
    weight = np.sqrt(N * max(lam, 1e-14))
    rows = np.vstack([F, np.full(N, 1.0 if bias else 0.0)])
    system = np.hstack([rows, np.vstack([weight * np.eye(m), np.zeros(m)])]).T
    right = np.hstack([Y, np.zeros((3, m))]).T
    expected = np.linalg.lstsq(system, right, rcond=None)[0].T
    np.testing.assert_allclose(A, expected[:, :m], atol=1e-6)
    np.testing.assert_allclose(b, expected[:, m] if bias else np.zeros(3), atol=1e-6)


def test_least_squares_classifier_of_equal_features_is_constant():
    A, b = ridge.least_squares_classifier(np.ones((2, 4)), one_hot([2, 2]))
    assert not A.any()
    np.testing.assert_allclose(b, 0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"F": np.ones((2, 3))}, "Y must have 3 columns"),
        ({"ridge": -1}, "ridge = -1; ridge must be"),
        ({"bias": 2}, "bias = 2; bias must be"),
    ],
)
def test_least_squares_classifier_wrong_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        ridge.least_squares_classifier(**({"F": np.ones((2, 4)), "Y": one_hot([2, 2])} | arguments))
