"""Checks of matrices, and exact matrices, for the files of this folder."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from theory.arguments import check_array, check_exact

if TYPE_CHECKING:
    import flint
    from jaxtyping import Float, Shaped

__all__ = ["as_labels", "as_symmetric", "check_psd", "exact_matrix", "exact_or_float", "flint_matrix", "fractions_of"]


def as_symmetric(name: str, value: ArrayLike, size: int | None = None) -> Float[np.ndarray, "N N"]:
    """Return `value` as a float matrix if it is symmetric up to rounding, made so exactly.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : array_like, shape (N, N)
        What the caller was given.
    size : int, optional
        The N that is wanted: one row for each column of Y.

    Returns
    -------
    ndarray, shape (N, N)

    Raises
    ------
    TypeError, ValueError
        If it is no finite square matrix of that size, or differs from its transpose by more than 1e-12 of its largest
        entry.
    """
    matrix = check_array(name, value)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"{name} has shape {matrix.shape}; {name} must be a square matrix")
    if size is not None and len(matrix) != size:
        raise ValueError(
            f"{name} has shape {matrix.shape}; {name} must be ({size}, {size}), a row for each column of Y"
        )
    asymmetry = float(np.abs(matrix - matrix.T).max())
    if asymmetry > 1e-12 * float(np.abs(matrix).max()):
        raise ValueError(f"{name} differs from its transpose by {asymmetry:.3g}; {name} must be symmetric")
    return matrix / 2 + matrix.T / 2 if asymmetry else matrix


def check_psd(name: str, matrix: Float[np.ndarray, "N N"]) -> None:
    """Raise ValueError if a symmetric matrix has an eigenvalue below −1e-12 N times its largest entry."""
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest < -1e-12 * float(np.abs(matrix).max()) * len(matrix):
        raise ValueError(f"{name} has the eigenvalue {smallest:.3g}; {name} must be positive semi-definite")


def exact_or_float(name: str, value: object, *, above: int | None = None) -> Any:
    """Return an integer, Fraction or decimal string as a Fraction, and any other number as a float.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller was given.
    above : int, optional
        The bound, which the value has to exceed.

    Returns
    -------
    Fraction or float
    """
    exact = check_exact(name, value, above=above)
    return exact if isinstance(value, Rational | Decimal | str) else float(exact)


def exact_matrix(matrix: Float[np.ndarray, "p q"]) -> Shaped[np.ndarray, "p q"]:
    """Return an array of Fractions, the entries' binary values."""
    return np.array([[Fraction(entry) for entry in row] for row in matrix.tolist()], dtype=object)


def flint_matrix(rows: Iterable[Iterable[Fraction]]) -> flint.fmpq_mat:
    """Return a matrix of Fractions as one of python-flint."""
    from flint import fmpq, fmpq_mat

    return fmpq_mat([[fmpq(entry.numerator, entry.denominator) for entry in row] for row in rows])


def fractions_of(matrix: flint.fmpq_mat) -> list[list[Fraction]]:
    """Return a matrix of python-flint as lists of Fractions."""
    return [[Fraction(int(entry.p), int(entry.q)) for entry in row] for row in matrix.tolist()]


def as_labels(Y: ArrayLike) -> Float[np.ndarray, "K N"]:
    """Return labels as a float matrix (rows × samples) if its columns are one-hot, or all entries are 1 and −1.

    Raises
    ------
    TypeError, ValueError
        Otherwise.
    """
    labels = np.atleast_2d(check_array("Y", Y))
    if labels.ndim != 2 or labels.size == 0:
        raise ValueError(f"Y has shape {labels.shape}; Y must be a matrix (rows × samples), not empty")
    signs = np.abs(labels) == 1
    one_hot = (labels == 0) | (labels == 1)
    if not (signs.all() or (one_hot.all() and (labels.sum(axis=0) == 1).all())):
        raise ValueError("Y must have one-hot columns, or entries 1 and -1 only")
    return labels
