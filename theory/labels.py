r"""Label matrices: one column a sample, one row a class.

Samples of a class need not be adjacent. With one-hot labels Y the collapsed Gram matrix :math:`Y^\top Y` has a one
wherever two samples share their class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from theory.arguments import check_integer

if TYPE_CHECKING:
    from jaxtyping import Float, Int

__all__ = ["as_one_hot", "class_sizes", "one_hot"]


def one_hot(sizes: Sequence[int]) -> Float[np.ndarray, "K N"]:
    """The label matrix of classes of the given sizes, their samples in blocks.

    Parameters
    ----------
    sizes : sequence of int
        Samples in each class, each at least 1.

    Raises
    ------
    ValueError
        If there is no class, or an empty one.

    Examples
    --------
    >>> one_hot([1, 2])
    array([[1., 0., 0.],
           [0., 1., 1.]])
    """
    sizes = [check_integer("sizes", size, at_least=1) for size in sizes]
    if not sizes:
        raise ValueError("sizes is empty; at least one class is needed")
    labels: Float[np.ndarray, "K N"] = np.repeat(np.eye(len(sizes)), sizes, axis=1)
    return labels


def as_one_hot(Y: ArrayLike) -> Float[np.ndarray, "K N"]:
    """`Y` as a float matrix, after making sure that its columns are one-hot and that no class is empty.

    Raises
    ------
    ValueError
        Otherwise, naming the first column or row that is wrong.

    Examples
    --------
    >>> as_one_hot([[1, 0], [0, 2]])
    Traceback (most recent call last):
    ...
    ValueError: Y has [0.0, 2.0] in column 1; every column must be one-hot (a single 1, else 0)
    """
    labels = _matrix(Y)
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

    >>> class_sizes(one_hot([3, 1]))
    array([3, 1])
    """
    sizes: Int[np.ndarray, " K"] = as_one_hot(Y).sum(axis=1).astype(np.int64)
    return sizes


def _matrix(Y: ArrayLike) -> Float[np.ndarray, "K N"]:
    labels = np.asarray(Y, dtype=np.float64)
    if labels.ndim != 2 or labels.size == 0:
        raise ValueError(f"Y has shape {labels.shape}; it must be a matrix (classes × samples), not empty")
    return labels
