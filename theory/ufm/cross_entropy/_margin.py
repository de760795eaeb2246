r"""Margins of the unconstrained features model, and the largest.

For all classifiers A and features F, of any width (review, after equation 15),

$$ q_{\min} \le \frac{\lVert A\rVert_F\lVert F\rVert_F}{(K-1)\sqrt n}
\le \frac{\lVert A\rVert_F^2+\lVert F\rVert_F^2}{2(K-1)\sqrt n}: $$

the mean of (a_k − a_j)ᵀf_{k,i} is K/(K−1) times the mean of the inner products of a_k − ā and f_{k,i}. Both are equal
exactly if ‖A‖ = ‖F‖, the features are collapsed on a simplex equiangular tight frame about 0, and A is proportional to
their means; that needs m ≥ K − 1. Class means about another point than 0 have a smaller margin.
"""

from __future__ import annotations

from math import exp, log1p, sqrt
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import helmert

from theory.arguments import IntegerLike, RealLike, check_integer, check_real
from theory.overflow import within_floats
from theory.ufm.factors import balanced_labels, check_factors

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["largest_margin", "largest_margin_factors", "margin_bound", "margins", "sphere_minimum"]


@within_floats
def margins(A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"]) -> Float[np.ndarray, " N"]:
    """The margin of every sample, a_kᵀf − max over j ≠ k of a_jᵀf.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.

    Returns
    -------
    ndarray, shape (N,)
        Positive where the sample is classified correctly; 0 at a tie.

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    References
    ----------
    review, after equation 14.

    Examples
    --------
    >>> margins(np.eye(2), np.array([[3.0, 1.0], [1.0, 1.0]]))
    array([2., 0.])
    """
    A, F, _ = check_factors(A, F)
    H = A @ F
    y, samples = balanced_labels(*H.shape), np.arange(H.shape[1])
    own = H[y, samples]
    H[y, samples] = -np.inf
    q: Float[np.ndarray, " N"] = own - H.max(axis=0)
    return q


@within_floats
def margin_bound(A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"]) -> float:
    """The bound ‖A‖‖F‖/((K−1)√n) of the least margin.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    Examples
    --------
    >>> margin_bound(np.array([[1.0], [-1.0]]), np.array([[1.0, -1.0]]))
    2.0000000000000004
    """
    A, F, _ = check_factors(A, F)
    return float(np.linalg.norm(A) * np.linalg.norm(F) / ((len(A) - 1) * sqrt(F.shape[1] / len(A))))


@within_floats
def largest_margin(K: IntegerLike, n: IntegerLike, norm2: RealLike) -> float:
    """The largest least margin at ‖A‖² + ‖F‖² = norm2, for a width of K − 1 or more; below, an upper bound.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    n : int
        Samples of each class.
    norm2 : float
        ‖A‖_F² + ‖F‖_F², at least 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of its range.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, after equation 15.

    Examples
    --------
    >>> largest_margin(3, 4, 16)
    2.0
    """
    K, n = check_integer("K", K, at_least=2), check_integer("n", n, at_least=1)
    return check_real("norm2", norm2, at_least=0) / (2 * (K - 1) * sqrt(n))


@within_floats
def largest_margin_factors(
    K: IntegerLike, n: IntegerLike, norm2: RealLike, m: IntegerLike | None = None
) -> tuple[Float[np.ndarray, "K m"], Float[np.ndarray, "m N"]]:
    """A classifier and features with the largest margin, a simplex equiangular tight frame.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    n : int
        Samples of each class.
    norm2 : float
        ‖A‖_F² + ‖F‖_F², at least 0.
    m : int, optional
        Width, at least K − 1, which is the default.

    Returns
    -------
    A : ndarray, shape (K, m)
    F : ndarray, shape (m, Kn)

    Raises
    ------
    ValueError
        If an argument is out of its range.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, after equation 15.

    Examples
    --------
    >>> A, F = largest_margin_factors(3, 2, 12)
    >>> margins(A, F).round(6), round(largest_margin(3, 2, 12), 6)
    (array([2.12132, 2.12132, 2.12132, 2.12132, 2.12132, 2.12132]), 2.12132)
    """
    K, n = check_integer("K", K, at_least=2, at_most=10_000), check_integer("n", n, at_least=1, at_most=10**6)
    norm2 = check_real("norm2", norm2, at_least=0)
    m = K - 1 if m is None else check_integer("m", m, at_least=K - 1, at_most=10**6)
    A = np.zeros((K, m))
    A[:, : K - 1] = helmert(K).T * sqrt(norm2 / (2 * (K - 1)))
    return A, np.repeat(A.T, n, axis=1) / sqrt(n)


@within_floats
def sphere_minimum(K: IntegerLike, n: IntegerLike, norm2: RealLike) -> float:
    """The least cross-entropy at ‖A‖² + ‖F‖² = norm2 without bias, for a width of K − 1 or more; below, a lower bound.

    It is log(1 + (K−1) exp(−q)) with q = `largest_margin`, and taken exactly where q is.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    n : int
        Samples of each class.
    norm2 : float
        ‖A‖_F² + ‖F‖_F², at least 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of its range.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, Section 3.1.1, on the loss landscape.

    Examples
    --------
    >>> round(sphere_minimum(3, 1, 8), 6)
    0.239545
    """
    K = check_integer("K", K, at_least=2)
    return log1p((K - 1) * exp(-largest_margin(K, n, norm2)))
