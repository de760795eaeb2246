r"""Simplex equiangular tight frames: K unit vectors, each at the cosine −1/(K−1) to every other.

They exist in K − 1 dimensions and more, and sum to 0. Their Gram matrix is $\frac K{K-1}(I - \frac1KJ)$, J all ones
(review, equation 5).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import LARGEST_SIZE, IntegerLike, check_array, check_integer
from theory.wording import wrong_value

if TYPE_CHECKING:
    from jaxtyping import Float
    from numpy.typing import ArrayLike

__all__ = ["etf", "etf_cosine", "etf_deviation", "etf_gram"]


def etf(K: IntegerLike, d: IntegerLike | None = None) -> Float[np.ndarray, "d K"]:
    """The vectors of a simplex equiangular tight frame, one a column.

    The k-th has k entries that are not 0 (from Gram–Schmidt on the simplex), and dimensions beyond K − 1 are zero.

    Parameters
    ----------
    K : int
        Number of vectors, at least 2.
    d : int, optional
        Dimension, at least K − 1, and that by default.

    Returns
    -------
    ndarray, shape (d, K)

    Raises
    ------
    ValueError
        If K is below 2, or d below K − 1.
    TypeError
        If an argument is no integer.

    References
    ----------
    review, equations 5 and 6.

    Examples
    --------
    >>> etf(3).round(4)
    array([[ 1.   , -0.5  , -0.5  ],
           [ 0.   ,  0.866, -0.866]])
    """
    K = check_integer("K", K, at_least=2, at_most=LARGEST_SIZE)
    d = check_integer("d", K - 1 if d is None else d, at_least=1, at_most=LARGEST_SIZE)
    if d < K - 1:
        raise wrong_value("d", d, f"d must be at least K − 1 = {K - 1} for K = {K} vectors")
    left = np.arange(K - 1, 0, -1, dtype=float)  # vectors after the i-th, i = 0 … K − 2
    diagonal = np.sqrt(K * left / ((K - 1) * (left + 1)))
    vectors: Float[np.ndarray, "d K"] = np.zeros((d, K))
    for i in range(K - 1):
        vectors[i, i], vectors[i, i + 1 :] = diagonal[i], -diagonal[i] / left[i]
    return vectors


def etf_cosine(K: IntegerLike) -> Fraction:
    """The cosine of the angle between two vectors of a simplex equiangular tight frame, −1/(K−1), exactly.

    Parameters
    ----------
    K : int
        Number of vectors, at least 2.

    Returns
    -------
    Fraction

    Raises
    ------
    ValueError
        If K is below 2.
    TypeError
        If K is no integer.

    References
    ----------
    review, equation 6.

    Examples
    --------
    >>> etf_cosine(10)
    Fraction(-1, 9)
    """
    return Fraction(-1, check_integer("K", K, at_least=2) - 1)


def etf_gram(K: IntegerLike) -> Float[np.ndarray, "K K"]:
    """The Gram matrix of a simplex equiangular tight frame, K/(K−1) I − J/(K−1).

    Parameters
    ----------
    K : int
        Number of vectors, at least 2.

    Returns
    -------
    ndarray, shape (K, K)

    Raises
    ------
    ValueError
        If K is below 2.
    TypeError
        If K is no integer.

    References
    ----------
    review, equation 5.

    Examples
    --------
    >>> etf_gram(3)
    array([[ 1. , -0.5, -0.5],
           [-0.5,  1. , -0.5],
           [-0.5, -0.5,  1. ]])
    """
    K = check_integer("K", K, at_least=2, at_most=LARGEST_SIZE)
    gram: Float[np.ndarray, "K K"] = np.full((K, K), float(etf_cosine(K)))
    np.fill_diagonal(gram, 1.0)
    return gram


def etf_deviation(means: ArrayLike) -> float:
    """How far centred class means are from a simplex equiangular tight frame: 0 if and only if they are one.

    It is the Frobenius distance of the centred Gram matrix, divided by its norm, from (I − J/K)/√(K−1). The columns are
    not normalised, so that unequal norms count as well.

    Parameters
    ----------
    means : ndarray, shape (m, K)
        Class means, one a column.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are fewer than two means, all are equal, or an entry is not finite.
    TypeError
        If it is no array of numbers.

    References
    ----------
    review, equation 7, without its normalisation of the rows.

    Examples
    --------
    >>> etf_deviation(5 + 3 * etf(4, 6)) < 1e-15
    True
    >>> round(etf_deviation([[1, -1, 0, 0], [0, 0, 1, -1]]), 4)  # an orthoplex
    0.6058
    """
    points = check_array("means", means, ndim=2, empty=False)
    K = points.shape[1]
    if K < 2:
        raise ValueError(f"means has shape {points.shape}; means must have at least two columns")
    points = points / (np.abs(points).max() or 1.0)
    centred = points - points.mean(axis=1, keepdims=True)
    if not np.abs(centred).max() > 8 * np.finfo(float).eps:
        raise ValueError("the columns of means are equal; means must have columns that differ")
    centred = centred / np.abs(centred).max()
    gram = centred.T @ centred
    return float(np.linalg.norm(gram / np.linalg.norm(gram) - (np.eye(K) - 1 / K) / np.sqrt(K - 1)))
