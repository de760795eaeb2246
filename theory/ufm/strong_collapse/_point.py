r"""Points with strong neural collapse, how far a point is from them, and what the gradient flow conserves.

Strong neural collapse (review, equation 17) means

$$ AA^\top = \sqrt n\,(I - J/K), \qquad F = \tfrac1{\sqrt n}(A \otimes 1_n)^\top, \qquad b = \tfrac1K 1. $$

Such points exist for widths m ≥ K−1. They are the global minima of least ‖A‖² + ‖F‖².
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import helmert

from theory.arguments import LARGEST_SIZE, IntegerLike, check_integer
from theory.overflow import within_floats
from theory.ufm.factors import check_factors

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["SNCErrors", "SNCPoint", "distance_from_collapse_subspace", "imbalance", "least_risk"]
__all__ += ["snc_errors", "snc_point"]


class SNCPoint(NamedTuple):
    """A classifier A (K × m), features F (m × N) and bias b (K) with strong neural collapse."""

    A: Float[np.ndarray, "K m"]
    F: Float[np.ndarray, "m N"]
    b: Float[np.ndarray, " K"]


class SNCErrors(NamedTuple):
    """The three norms by which a point misses SNC1, SNC2 and SNC3."""

    snc1: float
    snc2: float
    snc3: float

    def _repr_html_(self) -> str:
        head = "".join(f"<th>δ<sub>{name.upper()}</sub></th>" for name in self._fields)
        return f"<table><tr>{head}</tr><tr>{''.join(f'<td>{value:.4g}</td>' for value in self)}</tr></table>"


def snc_point(K: IntegerLike, n: IntegerLike, m: IntegerLike | None = None) -> SNCPoint:
    """A point with strong neural collapse; the others have A and F rotated in the space of features.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    n : int
        Samples of each class.
    m : int, optional
        Width, at least K−1, which is the default.

    Returns
    -------
    SNCPoint
        The factors A, F and b.

    Raises
    ------
    ValueError
        If K is below 2 or m below K−1: AAᵀ has rank K−1.
    TypeError
        If an argument is no integer.

    References
    ----------
    review, equation 17.

    Examples
    --------
    >>> A, F, b = snc_point(2, 4)
    >>> A.T, F, b
    (array([[ 1., -1.]]), array([[ 0.5,  0.5,  0.5,  0.5, -0.5, -0.5, -0.5, -0.5]]), array([0.5, 0.5]))
    """
    K = check_integer("K", K, at_least=2, at_most=10_000)
    n = check_integer("n", n, at_least=1, at_most=10**7)
    m = K - 1 if m is None else check_integer("m", m, at_least=K - 1, at_most=10**7)
    A = np.zeros((K, m))
    A[:, : K - 1] = helmert(K).T * n**0.25
    return SNCPoint(A, np.repeat(A.T, n, axis=1) / n**0.5, np.full(K, 1 / K))


@within_floats
def snc_errors(
    A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"], b: Float[np.ndarray, " K"] | None = None
) -> SNCErrors:
    """How far a point is from strong neural collapse, as three Frobenius norms.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    b : ndarray, shape (K,), optional
        Bias, 0 by default.

    Returns
    -------
    SNCErrors
        ‖AAᵀ − √n(I − J/K)‖, ‖F − (A ⊗ 1)ᵀ/√n‖ and ‖b − 1/K‖.

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    References
    ----------
    review, Section 3.1.2 and Figure 3.

    Examples
    --------
    >>> snc_errors(np.zeros((2, 1)), np.zeros((1, 8)))
    SNCErrors(snc1=2.0, snc2=0.0, snc3=0.70710678118...)
    """
    A, F, b = check_factors(A, F, b)
    K, n = len(A), F.shape[1] // len(A)
    gram = A @ A.T - n**0.5 * (np.eye(K) - 1 / K)
    off = F - np.repeat(A.T, n, axis=1) / n**0.5
    return SNCErrors(*(float(np.linalg.norm(error)) for error in (gram, off, b - 1 / K)))


@within_floats
def distance_from_collapse_subspace(
    A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"], b: Float[np.ndarray, " K"] | None = None
) -> float:
    """The distance of a point from the subspace S of F = (A ⊗ 1)ᵀ/√n, 1ᵀA = 0, b ∈ span(1).

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    b : ndarray, shape (K,), optional
        Bias, 0 by default.

    Returns
    -------
    float
        The distance in the norm √(‖A‖² + ‖F‖² + ‖b‖²).

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    References
    ----------
    review, equation 20.

    Examples
    --------
    >>> round(distance_from_collapse_subspace(*snc_point(4, 3)), 12)
    0.0
    >>> distance_from_collapse_subspace(np.ones((2, 1)), np.ones((1, 2)))
    2.0
    """
    A, F, b = check_factors(A, F, b)
    n = F.shape[1] // len(A)
    means = F.reshape(F.shape[0], len(A), n).mean(axis=2).T
    centred = (A + n**0.5 * means) / 2
    on = centred - centred.mean(axis=0)
    parts = A - on, F - np.repeat(on.T, n, axis=1) / n**0.5, b - b.mean()
    return float(np.sqrt(sum((part**2).sum() for part in parts)))


@within_floats
def imbalance(A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"]) -> Float[np.ndarray, "m m"]:
    """What the gradient flow conserves, with a bias or without: AᵀA − FFᵀ.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.

    Returns
    -------
    ndarray, shape (m, m)
        Zero at points with strong neural collapse.

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    Examples
    --------
    >>> imbalance(np.ones((2, 1)), np.array([[1.0, 0.5]]))
    array([[0.75]])
    """
    A, F, _ = check_factors(A, F)
    G: Float[np.ndarray, "m m"] = A.T @ A - F @ F.T
    return G


def least_risk(K: IntegerLike, n: IntegerLike, m: IntegerLike, *, bias: bool = True) -> float:
    """The global minimum of the squared error: n/2 for each class that a narrow model cannot fit, else zero.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    n : int
        Samples of each class.
    m : int
        Width.
    bias : bool
        Whether there is a bias, which does the work of one feature.

    Returns
    -------
    float
        n max(0, K−1−m)/2, without a bias n max(0, K−m)/2.

    Raises
    ------
    ValueError
        If K is below 2, or n or m below 1.
    TypeError
        If one is no integer.

    Examples
    --------
    >>> least_risk(5, 3, 2), least_risk(5, 3, 2, bias=False), least_risk(5, 3, 4)
    (3.0, 4.5, 0.0)
    """
    K, n, m = (
        check_integer(name, value, at_least=least, at_most=LARGEST_SIZE)
        for name, value, least in (("K", K, 2), ("n", n, 1), ("m", m, 1))
    )
    return n * max(0, K - bool(bias) - m) / 2
