"""Classifier, features and bias of the unconstrained features model with one layer, as arguments of its functions.

The model's outputs are AF + b1ᵀ. Samples are sorted by class, the same number of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import IntegerLike, check_array, check_integer

if TYPE_CHECKING:
    from jaxtyping import Float, Int

__all__ = ["balanced_labels", "check_factors"]


def balanced_labels(K: IntegerLike, N: IntegerLike) -> Int[np.ndarray, " N"]:
    """The class of each of N samples that are sorted by class, the same number of each of K.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    N : int
        Number of samples, a multiple of K.

    Returns
    -------
    ndarray of int, shape (N,)

    Raises
    ------
    ValueError
        If K is below 2, or N no positive multiple of K.
    TypeError
        If one is no integer.

    Examples
    --------
    >>> balanced_labels(3, 6)
    array([0, 0, 1, 1, 2, 2])
    """
    K, N = check_integer("K", K, at_least=2, at_most=100_000), check_integer("N", N, at_least=1, at_most=10**8)
    if N % K:
        raise ValueError(f"N = {N}; N must be a multiple of K = {K}, the samples sorted by class")
    return np.repeat(np.arange(K), N // K)


def check_factors(
    A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"], b: Float[np.ndarray, " K"] | None = None
) -> tuple[Float[np.ndarray, "K m"], Float[np.ndarray, "m N"], Float[np.ndarray, " K"]]:
    """Return a classifier, features and bias as float64 arrays of shapes that fit, the bias 0 by default.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    b : ndarray, shape (K,), optional
        Bias.

    Returns
    -------
    A : ndarray, shape (K, m)
    F : ndarray, shape (m, N)
    b : ndarray, shape (K,)

    Raises
    ------
    ValueError
        If there are fewer than two classes, N is no positive multiple of K, the shapes do not fit, or an entry is not
        finite.
    TypeError
        If an argument is no array of real numbers.

    Examples
    --------
    >>> A, F, b = check_factors(np.eye(2), np.ones((2, 4)))
    >>> A.shape, F.shape, b
    ((2, 2), (2, 4), array([0., 0.]))
    """
    A, F = check_array("A", A, ndim=2, empty=False), check_array("F", F, ndim=2, empty=False)
    if A.shape[0] < 2:
        raise ValueError(f"A has shape {A.shape}; A must have at least 2 rows, one a class")
    if F.shape[0] != A.shape[1]:
        raise ValueError(f"F has shape {F.shape}; for A of shape {A.shape} F must have {A.shape[1]} rows")
    if F.shape[1] % A.shape[0]:
        raise ValueError(
            f"F has shape {F.shape}; for A of shape {A.shape} the columns of F, sorted by class, must be a multiple "
            f"of {A.shape[0]}"
        )
    b = np.zeros(len(A)) if b is None else check_array("b", b, ndim=1)
    if b.shape != A.shape[:1]:
        raise ValueError(f"b has shape {b.shape}; for A of shape {A.shape} b must have {A.shape[:1]}")
    return A, F, b
