r"""Closed forms of the flow: linearised at small factors, and the full one on the subspace of collapse.

On S, where F = (A ⊗ 1)ᵀ/√n, 1ᵀA = 0 and b = β1, the full flow of the squared error stays in S, and is
$A' = \sqrt n\,A - AA^\top A$: each eigenvalue w of $AA^\top/\sqrt n$ follows the logistic $w' = 2\sqrt n\,w(1-w)$.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_array, check_integer, check_real
from theory.overflow import within_floats
from theory.ufm.factors import check_factors
from theory.ufm.strong_collapse._eigenspaces import eigenspaces
from theory.ufm.strong_collapse._point import SNCPoint
from theory.ufm.strong_collapse._risk import Loss, loss_scale

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["flow_on_collapse_subspace", "linearised_flow"]


@within_floats
def linearised_flow(
    A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"], t: RealLike, *, loss: Loss = "se"
) -> tuple[Float[np.ndarray, "K m"], Float[np.ndarray, "m N"], Float[np.ndarray, " K"]]:
    """The flow linearised at small A and F, with bias 0 at the start, in closed form.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier at the start, one row a class.
    F : ndarray, shape (m, N)
        Features at the start, one column a sample, sorted by class, the same number of each.
    t : float
        Time, at least 0.
    loss : "se" or "mse"
        The squared error, or the mean squared error, for which time runs slower by N.

    Returns
    -------
    A : ndarray, shape (K, m)
    F : ndarray, shape (m, N)
    b : ndarray, shape (K,)
        (1 − e^{−Nt})/K in each entry.

    Raises
    ------
    ValueError
        If the shapes do not fit, t is negative, an entry is not finite, or the flow has left the floats.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 19 and Appendix A.3.

    Examples
    --------
    >>> F = np.array([[1.0, -1.0]])
    >>> A, F, b = linearised_flow(F.T, F, 1)
    >>> A.T, F, b
    (array([[ 2.71828183, -2.71828183]]), array([[ 2.71828183, -2.71828183]]), array([0.432, 0.432]))
    """
    A, F, _ = check_factors(A, F)
    K, N = len(A), F.shape[1]
    time = check_real("t", t, at_least=0) * loss_scale(loss, N)
    root = (N / K) ** 0.5
    turned = -np.expm1(-N * time)
    factors = [np.exp(x) for x in (root * time, -root * time, root / N * turned, -root / N * turned, 0.0)]
    parts = list(zip(factors, eigenspaces(A, F), strict=True))
    return sum(c * a for c, (a, _) in parts), sum(c * f for c, (_, f) in parts), np.full(K, turned / K)


@within_floats
def flow_on_collapse_subspace(
    A: Float[np.ndarray, "K m"], n: IntegerLike, t: RealLike, *, beta: RealLike = 0.0, loss: Loss = "se"
) -> SNCPoint:
    """The full gradient flow of the squared error on the subspace of collapse, in closed form.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier at the start, with columns of sum 0; the features are (A ⊗ 1)ᵀ/√n.
    n : int
        Samples of each class.
    t : float
        Time, at least 0.
    beta : float
        The entries of the bias at the start.
    loss : "se" or "mse"
        The squared error, or the mean squared error, for which time runs slower by N.

    Returns
    -------
    SNCPoint
        A, F, b at time t. The singular values of A tend to n^{1/4}, except those that are zero: the limit has strong
        neural collapse exactly if A has rank K−1. Singular values of the size of rounding count as zero.

    Raises
    ------
    ValueError
        If A has fewer than two rows, a column does not sum to 0, t is negative or an entry is not finite.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 20.

    Examples
    --------
    >>> A, F, b = flow_on_collapse_subspace(np.array([[0.01], [-0.01]]), 4, 10)
    >>> A.T, b
    (array([[ 1., -1.]]), array([0.5, 0.5]))
    """
    A = check_array("A", A, ndim=2, empty=False)
    n = check_integer("n", n, at_least=1, at_most=10**7)
    K = len(A)
    if K < 2:
        raise ValueError(f"A has shape {A.shape}; A must have at least 2 rows, one a class")
    off = np.abs(A.sum(axis=0)).max()
    if off > 1e-12 * K * np.abs(A).max():
        raise ValueError(f"A has a column of sum {off}; the columns of A must sum to 0")
    time = check_real("t", t, at_least=0) * loss_scale(loss, K * n)
    U, s, V = np.linalg.svd(A, full_matrices=False)
    s[s <= max(A.shape) * np.finfo(float).eps * s[0]] = 0  # of rounding: they would grow
    w = s**2 / n**0.5
    decay = np.exp(-(n**0.5) * time)
    # w(t) = w/(w + (1 − w) e^{−2√n t}), and A(t) = U √(w(t)/w) diag(s) Vᵀ
    grown = s / np.sqrt(w + (1 - w) * decay**2, where=s > 0, out=np.ones_like(s))
    A = (U * np.where(s > 0, grown, 0)) @ V
    bias = 1 / K + (check_real("beta", beta) - 1 / K) * np.exp(-K * n * time)
    return SNCPoint(A, np.repeat(A.T, n, axis=1) / n**0.5, np.full(K, bias))
