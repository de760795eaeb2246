"""theory.deep_rfm.kernel_ridge: the eliminated problem, certificates, the conic solver, metrics, wrong input."""

import builtins
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from theory import labels
from theory.deep_rfm import kernel_ridge

SIZES = st.lists(st.integers(1, 3), min_size=1, max_size=4)


def random_kernel(rng, N, nonnegative=True):
    features = rng.standard_normal((rng.integers(1, N + 2), N))
    features = np.abs(features) if nonnegative else features
    features = features / np.linalg.norm(features, axis=0)
    return features.T @ features


@given(SIZES, st.floats(0.01, 10.0), st.integers(0, 2**32 - 1))
def test_coefficients_are_the_best(sizes, mu, seed):
    rng, Y = np.random.default_rng(seed), labels.one_hot(sizes)
    k = random_kernel(rng, Y.shape[1])
    A = kernel_ridge.optimal_coefficients(k, Y, mu)
    best = kernel_ridge.objective(A, k, Y, mu)
    assert best == pytest.approx(kernel_ridge.reduced_objective(k, Y, mu), rel=1e-9)
    for _ in range(5):
        assert kernel_ridge.objective(A + rng.standard_normal(A.shape) * rng.random(), k, Y, mu) >= best * (1 - 1e-12)


@given(SIZES, st.floats(0.05, 5.0), st.integers(0, 2**32 - 1))
def test_reduced_objective_is_convex(sizes, mu, seed):
    rng, Y = np.random.default_rng(seed), labels.one_hot(sizes)
    one, other = (random_kernel(rng, Y.shape[1], nonnegative=False) for _ in range(2))
    middle = kernel_ridge.reduced_objective((one + other) / 2, Y, mu)
    ends = (kernel_ridge.reduced_objective(one, Y, mu) + kernel_ridge.reduced_objective(other, Y, mu)) / 2
    assert middle <= ends * (1 + 1e-10)


@given(SIZES, st.floats(0.05, 5.0), st.integers(0, 2**32 - 1))
def test_certificate_holds_the_gradient(sizes, mu, seed):
    rng, Y = np.random.default_rng(seed), labels.one_hot(sizes)
    certificate = kernel_ridge.dual_certificate(kernel_ridge.collapsed_kernel(Y), Y, mu)
    C = np.diag(certificate.diagonal) - certificate.psd - certificate.entries
    direction = rng.standard_normal((Y.shape[1],) * 2)
    direction = direction @ direction.T  # so that a step along it stays positive semi-definite
    step = 1e-6 / np.linalg.norm(direction)
    at = certificate.kernel + 1e-3 * np.eye(Y.shape[1])
    slope = (
        kernel_ridge.reduced_objective(at + step * direction, Y, mu) - kernel_ridge.reduced_objective(at, Y, mu)
    ) / step
    assert slope == pytest.approx(-np.sum(C * direction), rel=0.1, abs=1e-6)  # 10⁻³ away from where C is taken


@given(SIZES, st.fractions(min_value=Fraction(1, 30), max_value=9, max_denominator=30))
def test_one_hot_labels_need_no_sign_constraint(sizes, mu):
    Y = labels.one_hot(sizes)
    assert kernel_ridge.dual_certificate(kernel_ridge.collapsed_kernel(Y), Y, mu).faults(nonnegative=False) == []


@pytest.mark.parametrize("K", range(2, 8))
def test_sign_labels_stop_at_four_classes(K):
    # one row of labels ±1 a class: the inner product of the columns of two classes is K − 4
    Y = 2 * labels.one_hot([2] * K) - 1
    certificate = kernel_ridge.dual_certificate(kernel_ridge.collapsed_kernel(Y), Y, Fraction(1, 2))
    assert (certificate.faults() == []) == (K <= 4)
    assert (certificate.faults(nonnegative=False) == []) == (K == 4)


def test_faults_name_what_fails():
    Y = labels.one_hot([2, 1])
    good = kernel_ridge.dual_certificate(kernel_ridge.collapsed_kernel(Y), Y, 1)
    assert good.faults() == []
    assert good.faults(psd=False) == ["S ≠ 0"]
    assert good.faults(unit_diagonal=False) == ["d ≠ 0"]
    signs = kernel_ridge.dual_certificate(kernel_ridge.collapsed_kernel([[1, -1]]), [[1, -1]], 1)
    assert signs.faults(nonnegative=False) == ["Λ ≠ 0"]
    assert good._replace(kernel=np.eye(3)).faults() == ["S k ≠ 0"]
    assert good._replace(entries=np.eye(3)).faults() == ["Λ ∘ k ≠ 0"]
    assert "S is not positive semi-definite" in good._replace(psd=-good.psd).faults()


@pytest.mark.parametrize("mu", [0.1, 1.0])
def test_solver_without_the_sign_constraint(mu):
    Y = labels.one_hot([2, 1])
    free = kernel_ridge.solve(Y, mu, nonnegative=False)
    assert np.abs(free.kernel - Y.T @ Y).max() < 1e-2
    y = np.array([1.0, 1.0, -1.0])
    assert np.abs(kernel_ridge.solve(y, mu, nonnegative=False).kernel - np.outer(y, y)).max() < 1e-2
    assert np.abs(kernel_ridge.solve(y, mu).kernel - kernel_ridge.collapsed_kernel(y)).max() < 1e-2


def test_solver_needs_cvxpy(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "cvxpy":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="CVXPY"):
        kernel_ridge.solve([[1, 1]], 1.0)


@given(SIZES, st.integers(0, 4), st.floats(0.5, 20.0), st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_metrics_realise_their_distances(sizes, more, spread, seed):
    rng, Y = np.random.default_rng(seed), labels.one_hot(sizes)
    N = Y.shape[1]
    X, R = rng.standard_normal((N + more, N)), rng.standard_normal((2, N))
    assume(np.linalg.cond(X) < 100)
    phi = lambda distance: distance  # the distances themselves  # noqa: E731
    wanted = np.linalg.norm(R[:, :, None] - R[:, None, :], axis=0)
    assert np.allclose(kernel_ridge.mahalanobis_kernel(X, kernel_ridge.metric_realising(X, R), phi), wanted, atol=1e-5)
    distances = kernel_ridge.mahalanobis_kernel(X, kernel_ridge.collapsing_metric(X, Y, distance=spread), phi)
    same = kernel_ridge.collapsed_kernel(Y) == 1
    assert distances[same].max() < 1e-5 * spread * np.linalg.cond(X)
    if not same.all():
        assert distances[~same].min() == pytest.approx(spread, rel=1e-6)


def test_affine_independence_is_enough_to_collapse():
    X, Y = np.array([[0.0, 1.0]]), labels.one_hot([1, 1])  # linearly dependent: the first sample is zero
    with pytest.raises(ValueError, match="linearly independent"):
        kernel_ridge.metric_realising(X, Y)
    assert kernel_ridge.collapsing_metric(X, Y, distance=3.0) == pytest.approx(9.0)


def test_classes_that_no_metric_separates():
    X, Y = np.array([[0.0, 1.0, 2.0]]), labels.one_hot([2, 1])[:, [0, 2, 1]]
    with pytest.raises(ValueError, match="samples 0 and 1 of different classes"):
        kernel_ridge.collapsing_metric(X, Y, distance=1.0)


# Wrong input.


@pytest.mark.parametrize("mu", [0, -1.0, np.nan, np.inf])
def test_ridge_that_is_not_positive(mu):
    for function in (kernel_ridge.optimal_coefficients, kernel_ridge.reduced_objective, kernel_ridge.dual_certificate):
        with pytest.raises(ValueError, match="mu = "):
            function(np.eye(2), [[1, -1]], mu)
    with pytest.raises(ValueError, match="mu = "):
        kernel_ridge.solve([[1, -1]], mu)


@pytest.mark.parametrize("Y", [[[1, 0.5]], [[2, 0], [0, 1]], [[1, 1], [1, 0]], [[np.nan, 1]], [[]]])
def test_labels_neither_one_hot_nor_signs(Y):
    with pytest.raises(ValueError, match="Y "):
        kernel_ridge.reduced_objective(np.eye(2), Y, 1.0)


@pytest.mark.parametrize(
    ("k", "message"),
    [
        ([[1.0, 2.0], [2.0, 1.0]], "eigenvalue -1"),
        ([[1.0, 0.5], [0.0, 1.0]], "symmetric"),
        ([1.0, 1.0], "square"),
        ([[1.0, np.inf], [np.inf, 1.0]], "finite"),
        (np.eye(3), r"shape \(3, 3\)"),
    ],
)
def test_kernel_matrices(k, message):
    with pytest.raises(ValueError, match=message):
        kernel_ridge.optimal_coefficients(k, [[1, -1]], 1.0)


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (2 * np.eye(2), "ones on its diagonal"),
        ([[1.0, -2.0], [-2.0, 1.0]], "eigenvalue -1"),
        (np.eye(3), r"shape \(3, 3\)"),
    ],
)
def test_kernel_matrices_to_certify(kernel, message):
    with pytest.raises(ValueError, match=message):
        kernel_ridge.dual_certificate(kernel, [[1, -1]], 1)


def test_metrics_that_do_not_fit():
    with pytest.raises(ValueError, match=r"shapes \(2, 2\) and \(1, 3\)"):
        kernel_ridge.metric_realising(np.eye(2), [[1, 2, 3]])
    with pytest.raises(ValueError, match="positive semi-definite"):
        kernel_ridge.mahalanobis_kernel(np.eye(2), -np.eye(2), np.exp)
    with pytest.raises(ValueError, match="2 rows"):
        kernel_ridge.mahalanobis_kernel(np.eye(3), np.eye(2), np.exp)
    with pytest.raises(ValueError, match="distance = 0"):
        kernel_ridge.collapsing_metric(np.eye(2), np.eye(2), distance=0)
    with pytest.raises(ValueError, match="A has shape"):
        kernel_ridge.objective([[1.0]], np.eye(2), [[1, -1]], 1.0)
