r"""The nuclear norm as the price of a factorisation.

.. math::
    \min_{A B = X} \frac{\lambda_A}2 \lVert A \rVert_F^2 + \frac{\lambda_B}2 \lVert B \rVert_F^2
    = \sqrt{\lambda_A \lambda_B}\, \lVert X \rVert_*

where the inner dimension of the factors, the columns of A and rows of B, is at least the rank of X.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from theory._arguments import check_integer, check_real

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["balanced_factorisation", "factorisation_cost", "nuclear_norm"]


def nuclear_norm(X: Float[np.ndarray, "m n"]) -> float:
    """The sum of the singular values of X.

    >>> nuclear_norm(np.diag([3.0, -4.0]))
    7.0
    """
    return float(np.linalg.norm(_matrix(X), "nuc"))


def factorisation_cost(X: Float[np.ndarray, "m n"], lam_A: float, lam_B: float) -> float:
    """The least of λ_A/2 ‖A‖² + λ_B/2 ‖B‖² over the factorisations AB = X.

    Parameters
    ----------
    X : ndarray, shape (m, n)
        The product.
    lam_A, lam_B : float
        Regularisation of the factors, positive.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If X is not a matrix of finite numbers, or lam_A or lam_B is not positive.

    References
    ----------
    lowrank, Lemma 18.

    Examples
    --------
    >>> factorisation_cost(np.diag([3.0, -4.0]), 2.0, 8.0)
    28.0
    """
    return sqrt(check_real("lam_A", lam_A, above=0)) * sqrt(check_real("lam_B", lam_B, above=0)) * nuclear_norm(X)


def balanced_factorisation(
    X: Float[np.ndarray, "m n"], lam_A: float, lam_B: float, inner: int | None = None
) -> tuple[Float[np.ndarray, "m p"], Float[np.ndarray, "p n"]]:
    r"""Factors AB = X of least cost: :math:`A = \gamma U \Sigma^{1/2}`, :math:`B = \gamma^{-1} \Sigma^{1/2} V^\top`.

    Here :math:`U \Sigma V^\top` is the singular value decomposition of X and :math:`\gamma = (\lambda_B/\lambda_A)^{1/4}`.
    All other factors of least cost are AR and RᵀB with R orthogonal.

    Parameters
    ----------
    X : ndarray, shape (m, n)
        The product.
    lam_A, lam_B : float
        Regularisation of the factors, positive.
    inner : int, optional
        Number p of the columns of A and rows of B, min(m, n) by default; those beyond the rank of X are zero.

    Returns
    -------
    A : ndarray, shape (m, p)
    B : ndarray, shape (p, n)

    Raises
    ------
    ValueError
        If X is not a matrix of finite numbers, lam_A or lam_B is not positive, or `inner` is less than the numerical rank
        of X.

    References
    ----------
    lowrank, Lemma 18.

    Examples
    --------
    >>> A, B = balanced_factorisation(np.diag([4.0, 1.0]), 1.0, 1.0)
    >>> np.abs(A), np.abs(B)
    (array([[2., 0.],
           [0., 1.]]), array([[2., 0.],
           [0., 1.]]))
    """
    ratio = check_real("lam_B", lam_B, above=0) / check_real("lam_A", lam_A, above=0)
    X, gamma = _matrix(X), float(ratio) ** 0.25
    left, values, right = np.linalg.svd(X, full_matrices=False)
    rank = int(np.sum(values > values[0] * max(X.shape) * np.finfo(float).eps))
    inner = len(values) if inner is None else check_integer("inner", inner, at_least=max(1, rank))
    kept, root = min(inner, len(values)), np.sqrt(values)
    A, B = np.zeros((len(X), inner)), np.zeros((inner, X.shape[1]))
    A[:, :kept] = gamma * left[:, :kept] * root[:kept]
    B[:kept] = root[:kept, None] * right[:kept] / gamma
    return A, B


def _matrix(X: Any) -> Float[np.ndarray, "m n"]:
    matrix: Float[np.ndarray, "m n"] = np.asarray(X, dtype=float)
    if matrix.ndim != 2 or 0 in matrix.shape or not np.all(np.isfinite(matrix)):
        raise ValueError(f"X has shape {matrix.shape}; it must be a matrix of finite numbers")
    return matrix
