"""Label matrices: one column a sample, one row a class.

Samples of a class need not be adjacent. With one-hot labels Y the collapsed Gram matrix Yᵀ Y has a one wherever two
samples share their class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import LARGEST_SIZE, IntegerLike, check_array, check_integer, check_sequence, refuse_masked

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from numpy.typing import ArrayLike

__all__ = ["as_one_hot", "check_labels", "class_sizes", "one_hot"]


def one_hot(sizes: Sequence[IntegerLike]) -> Float[np.ndarray, "K N"]:
    """The label matrix of classes of the given sizes, their samples in blocks.

    Parameters
    ----------
    sizes : sequence of K ints
        Samples in each class, each at least 1.

    Returns
    -------
    ndarray, shape (K, N)

    Raises
    ------
    ValueError
        If there is no class, or an empty one.
    TypeError
        If a size is no integer.

    Examples
    --------
    >>> one_hot([1, 2])
    array([[1., 0., 0.],
           [0., 1., 1.]])
    """
    counts = check_sequence(
        "sizes",
        sizes,
        lambda name, size: check_integer(name, size, at_least=1, at_most=LARGEST_SIZE),
        entries="integers",
    )
    labels: Float[np.ndarray, "K N"] = np.repeat(np.eye(len(counts)), counts, axis=1)
    return labels


def as_one_hot(Y: ArrayLike) -> Float[np.ndarray, "K N"]:
    """`Y` as a float matrix, after making sure that its columns are one-hot and that no class is empty.

    Parameters
    ----------
    Y : array_like, shape (K, N)
        Zeros and ones, or an array of truth values.

    Returns
    -------
    ndarray, shape (K, N)

    Raises
    ------
    ValueError
        If a column or a row is wrong; the first is named.
    TypeError
        If `Y` is no array of numbers, or a masked array.

    Examples
    --------
    >>> as_one_hot([[1, 0], [0, 2]])
    Traceback (most recent call last):
    ...
    ValueError: Y has [0.0, 2.0] in column 1; every column must be one-hot (a single 1, else 0)
    """
    truth = isinstance(Y, np.ndarray) and Y.dtype.kind == "b" and not isinstance(Y, np.ma.MaskedArray)
    labels = check_array("Y", np.asarray(Y, float) if truth else Y, ndim=2, empty=False, finite=False)
    wrong = ~(((labels == 0) | (labels == 1)).all(axis=0) & (labels.sum(axis=0) == 1))
    if wrong.any():
        column = int(np.argmax(wrong))
        raise ValueError(
            f"Y has {labels[:, column].tolist()} in column {column}; every column must be one-hot (a single 1, else 0)"
        )
    empty = labels.sum(axis=1) == 0
    if empty.any():
        raise ValueError(f"Y has no sample in class {int(np.argmax(empty))}; every class needs one")
    return labels


def class_sizes(Y: ArrayLike) -> Int[np.ndarray, " K"]:
    """Samples in each class of one-hot labels.

    Parameters
    ----------
    Y : array_like, shape (K, N)

    Returns
    -------
    ndarray of int, shape (K,)

    Raises
    ------
    ValueError, TypeError
        As `as_one_hot`.

    Examples
    --------
    >>> class_sizes(one_hot([3, 1]))
    array([3, 1])
    """
    sizes: Int[np.ndarray, " K"] = as_one_hot(Y).sum(axis=1).astype(np.int64)
    return sizes


def check_labels(
    name: str, labels: ArrayLike, *, samples: int, classes: int | None = None, filled: bool = False
) -> Int[np.ndarray, " N"]:
    """Return class numbers from 0 on, one a sample, as an array of integers.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    labels : array_like of int, shape (N,)
        What the caller was given.
    samples : int
        N.
    classes : int, optional
        K; by default one more than the largest number.
    filled : bool
        Whether each of the classes must have a sample.

    Returns
    -------
    ndarray of int, shape (N,)

    Raises
    ------
    ValueError
        If the length is wrong, a number is not in 0, …, K − 1 or a class has no sample.
    TypeError
        If it is no sequence of integers.

    Examples
    --------
    >>> check_labels("labels", [0, 2], samples=2, filled=True)
    Traceback (most recent call last):
    ...
    ValueError: labels has no sample in class 1; every class needs one
    """
    refuse_masked(name, labels)
    most = (LARGEST_SIZE if classes is None else classes) - 1
    numbers = check_sequence(
        name,
        labels,
        lambda entry, label: check_integer(entry, label, at_least=0, at_most=most),
        length=samples,
        entries="integers",
    )
    checked = np.array(numbers, dtype=np.int64)
    present = np.unique(checked)
    count = int(present[-1]) + 1 if classes is None else classes
    if filled and len(present) < count:
        missing = next(k for k in range(count) if k >= len(present) or present[k] != k)
        raise ValueError(f"{name} has no sample in class {missing}; every class needs one")
    return checked
