"""Local elasticity against independent computations: matrices by loops, eigenvalues, the matrix exponential."""

import numpy as np
import pytest
import sympy as sp
from scipy.linalg import expm

from theory import local_elasticity as le


def matrix(K, alpha, beta):
    """K times the drift matrix of residuals, by loops."""
    M = np.zeros((K * K, K * K))
    for i in range(K):
        for j in range(K):
            d = np.array([float(a == j) - 1 / K for a in range(K)])
            M[i * K : i * K + K, j * K : j * K + K] = (alpha if i == j else beta) * np.outer(d, d) / sum(d**2)
    return M


@pytest.mark.parametrize("K", [2, 3, 5])
def test_matrices(K):
    M = matrix(K, 0.75, -0.5)
    B = le.drift_matrix(le.impact_matrix(K, 0.75, -0.5), le.transformation(K))
    np.testing.assert_allclose(B * K, M, atol=1e-15)
    isotropic = le.drift_matrix(le.impact_matrix(K, 2, 1), le.transformation(K, 3, kind="isotropic"))
    np.testing.assert_allclose(isotropic * K, np.kron(np.eye(K) + 1, np.eye(3)), atol=1e-15)
    assert le.transformation(K, K + 2).shape == (K * (K + 2), K * (K + 2))


@pytest.mark.parametrize(("K", "alpha", "beta"), [(2, 1, -0.5), (3, 1, -0.5), (4, -1, 2), (3, 1, 1), (4, 0, 0)])
def test_spectrum(K, alpha, beta):
    found = le.spectrum(K, alpha, beta)
    want = np.sort(np.repeat(found.values, found.multiplicities))
    np.testing.assert_allclose(np.sort(np.linalg.eigvals(matrix(K, alpha, beta)).real), want, atol=1e-7)


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize(("alpha", "beta"), [(1, -1), (1, -2), (1, 1), (0, 0), (2, 1), (-1, 2)])
def test_diagonalisable(K, alpha, beta):
    d = sp.eye(K) - sp.ones(K, K) / K
    P = [d[:, j] * d[:, j].T / (1 - sp.Rational(1, K)) for j in range(K)]
    M = sp.Matrix.vstack(*[
        sp.Matrix.hstack(*[(alpha if i == j else beta) * P[j] for j in range(K)]) for i in range(K)
    ])  # fmt: skip
    assert le.spectrum(K, alpha, beta).diagonalisable == M.is_diagonalizable()


@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, -0.5), (0.5, 1.0), (1.0, 1.0), (-1.0, 4.0), (0.0, 0.0)])
def test_ode(K, alpha, beta):
    F0 = np.random.default_rng(K).standard_normal((K, K))
    for b in (beta, -(K - 1) * alpha):  # the second: Jordan blocks
        want = (expm(matrix(K, alpha, b) * 1.5 / K) @ F0.T.ravel()).reshape(K, K).T
        np.testing.assert_allclose(le.le_ode(F0, alpha, b, 1.5), want, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: le.impact_matrix(1, 1, 0), "K = 1; K must be an integer ≥ 2"),
        (lambda: le.transformation(3, 2), "m = 2; m must be an integer ≥ 3"),
        (lambda: le.transformation(3, kind="none"), "kind = 'none'; kind must be one of"),
        (lambda: le.drift_matrix(np.eye(2), np.eye(3)), "T has shape"),
        (lambda: le.drift_matrix(np.ones((2, 3)), np.eye(2)), "E has shape"),
        (lambda: le.le_ode(np.ones((2, 3)), 1, 0, 1), "F0 has shape"),
        (lambda: le.le_ode(np.eye(2), 1, 0, -1), "t = -1; t must be"),
    ],
)
def test_wrong_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
