"""theory.deep_rfm.kernel_ridge: the eliminated problem at every μ, the conic solver, wrong input."""

import builtins
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_kernels import SIZES, random_kernel

from theory import labels
from theory.deep_rfm import kernel_certificate, kernel_ridge


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


MUS = [5e-324, 1e-300, 1e-100, 1e-30, 1e-20, 1e-17, 1e-16, 1e-8, 1.0, 1e8, 1e300]


@pytest.mark.parametrize("mu", MUS)
@pytest.mark.parametrize("sizes", [[1], [3, 2], [1, 4, 2, 2, 3, 1, 1, 5]])
def test_value_at_the_collapsed_kernel_for_every_mu(sizes, mu):
    """It is the sum of μ n/(n+μ) over the classes; the kernel matrix is singular."""
    Y = labels.one_hot(sizes)
    exact = sum(Fraction(mu) * n / (n + Fraction(mu)) for n in sizes)
    found = kernel_ridge.reduced_objective(kernel_ridge.collapsed_kernel(Y), Y, mu)
    assert found == pytest.approx(float(exact), rel=1e-13, abs=0 if mu > 1e-307 else 1e-322)
    A = kernel_ridge.optimal_coefficients(kernel_ridge.collapsed_kernel(Y), Y, mu)
    assert np.allclose(A, Y / (np.array(sizes)[:, None] + mu), rtol=1e-13, atol=1e-15 / (1 + mu))


@given(SIZES, st.integers(0, 2**32 - 1), st.sampled_from(MUS[1:]))
@settings(max_examples=40)
def test_value_of_a_positive_definite_kernel_for_every_mu(sizes, seed, mu):
    rng, Y = np.random.default_rng(seed), labels.one_hot(sizes)
    N = Y.shape[1]
    k = 0.5 * random_kernel(rng, N) + 0.5 * np.eye(N)
    with mp.workdps(700):
        inverse = (mp.matrix(k.tolist()) + mp.mpf(mu) * mp.eye(N)) ** -1
        exact = mp.mpf(mu) * mp.fsum((mp.matrix([row]) * inverse * mp.matrix(list(row)))[0] for row in Y.tolist())
        assert abs(mp.mpf(kernel_ridge.reduced_objective(k, Y, mu)) / exact - 1) < 1e-12


@pytest.mark.parametrize("mu", MUS[1:])
def test_labels_off_the_range_of_the_kernel_cost_what_cannot_be_fitted(mu):
    """y = (1, −1) has nothing of the kernel matrix 11ᵀ: the value is ‖y‖² for every μ, not 2μ/(λ+μ) for some λ ≈ ε."""
    rng = np.random.default_rng(3)
    points = rng.standard_normal(8)
    k = np.outer(points, points)
    off = np.sign(rng.standard_normal(8))
    inside = points @ off / np.linalg.norm(points)
    expected = off @ off - inside**2 + mu / (points @ points + mu) * inside**2
    assert kernel_ridge.reduced_objective(k, off, mu) == pytest.approx(expected, rel=1e-12)
    assert kernel_ridge.reduced_objective(np.ones((2, 2)), [1, -1], mu) == pytest.approx(2.0, rel=1e-14)


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


# Wrong input.


@pytest.mark.parametrize("mu", [0, -1.0, np.nan, np.inf])
def test_ridge_that_is_not_positive(mu):
    for function in (
        kernel_ridge.optimal_coefficients,
        kernel_ridge.reduced_objective,
        kernel_certificate.dual_certificate,
    ):
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


@pytest.mark.parametrize("size", [1e-150, 1.0, 1e150])
@pytest.mark.parametrize(("gap", "symmetric"), [(0.9e-12, True), (1.1e-12, False), (1e-3, False)])
def test_symmetric_up_to_rounding(size, gap, symmetric):
    k = size * np.array([[2.0, 1.0], [1.0, 2.0]])
    k[0, 1] += 2 * gap * size
    if symmetric:
        found = kernel_ridge.reduced_objective(k, [1, 1], size)
        assert found == pytest.approx(kernel_ridge.reduced_objective([[2, 1], [1, 2]], [1, 1], 1), rel=1e-11)
    else:
        with pytest.raises(ValueError, match="k differs from its transpose"):
            kernel_ridge.reduced_objective(k, [1, 1], size)


@pytest.mark.parametrize("size", [1e-150, 1.0, 1e150])
@pytest.mark.parametrize(("low", "allowed"), [(0.0, True), (-1.9e-12, True), (-2.1e-12, False), (-1e-3, False)])
def test_semi_definite_up_to_rounding(size, low, allowed):
    """Up to 1e-12 N times the largest entry, N = 2."""
    k = size * np.diag([1.0, low])
    if allowed:
        assert kernel_ridge.reduced_objective(k, [1, 1], size) == pytest.approx(1.5, rel=1e-11)
    else:
        with pytest.raises(ValueError, match="k has the eigenvalue -"):
            kernel_ridge.reduced_objective(k, [1, 1], size)


@pytest.mark.any_type
def test_scalars_of_every_kind():
    expected = kernel_ridge.reduced_objective(np.eye(2), [1, -1], 0.25)
    for mu in (np.float32(0.25), "1/4", "0.25", Fraction(1, 4), np.array(0.25)):
        assert kernel_ridge.reduced_objective(np.eye(2), [1, -1], mu) == expected
        assert kernel_ridge.objective([[1.0, 0.0]], np.eye(2), [1, -1], mu) == 1.25


def test_masked_arrays_are_refused():
    masked = np.ma.masked_array(np.eye(2), mask=np.eye(2))
    for call in (
        lambda: kernel_ridge.reduced_objective(masked, [1, -1], 1),
        lambda: kernel_ridge.reduced_objective(np.eye(2), masked, 1),
        lambda: kernel_ridge.objective(masked, np.eye(2), np.eye(2), 1),
        lambda: kernel_certificate.dual_certificate(masked, [1, -1], 1),
    ):
        with pytest.raises(TypeError, match="masked array"):
            call()


def test_objective_that_does_not_fit():
    with pytest.raises(ValueError, match="A has shape"):
        kernel_ridge.objective([[1.0]], np.eye(2), [[1, -1]], 1.0)
    with pytest.raises(ValueError, match="largest_diagonal = 0"):
        kernel_ridge.solve([[1, -1]], 1.0, largest_diagonal=0)
