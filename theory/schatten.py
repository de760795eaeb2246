r"""Schatten quasi-norms and their variational form: what weight decay on a product of matrices costs.

For p > 0 the Schatten-p quasi-norm of M is (Σ_i s_iᵖ)^{1/p}, over the singular values. A product of L factors with
weight decay on each pays for M

$$ \min_{A_1\cdots A_L=M} \sum_{i=1}^L \frac{\lambda_i}2\lVert A_i\rVert_F^2
= \frac L2\,(\lambda_1\cdots\lambda_L)^{1/L}\,\lVert M\rVert_{S_{2/L}}^{2/L}, $$

as soon as the inner dimensions are at least the rank of M. *At least*: Horn's inequalities give
Σ_j s_j(M)^{2/L} ≤ Σ_j Π_i s_j(A_i)^{2/L}, and the means of the λ_i s_j(A_i)² over i do the rest. *At most*:
`minimal_factors` splits every singular value so that all terms are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_array, check_integer, check_real, check_sequence

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["minimal_factors", "power", "variational_constant", "variational_value"]


def power(matrix: Float[np.ndarray, "_ _"], p: RealLike) -> float:
    """The p-th power of the Schatten-p quasi-norm, Σ_i s_iᵖ.

    Parameters
    ----------
    matrix : ndarray, shape (rows, columns)
    p : float
        Positive. A norm for p ≥ 1 (p = 1 is the nuclear norm); near 0 it counts the rank.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If p is not positive and finite, the matrix is not two-dimensional and finite, or the power is beyond the range
        of float64.
    TypeError
        If p is no number, or the matrix no array of numbers without a mask.

    Notes
    -----
    Singular values below max(rows, columns) · ε · s₁, with ε = 2.2e-16, are indistinguishable from 0 in
    float64 and count as 0: for small p each would otherwise add an amount that has nothing to do with the matrix.

    Examples
    --------
    >>> power(np.diag([4.0, 9.0]), 0.5)
    5.0
    """
    p = check_real("p", p, above=0)
    values = _svd(matrix)[1]
    with np.errstate(over="ignore", under="ignore"):
        total = float((values**p).sum())
    if values.any() and not np.finfo(float).tiny <= total < np.inf:
        raise ValueError(
            f"matrix has the largest singular value {values.max():.3g}; its power p = {p} must be within the range of "
            "float64 (scale the matrix)"
        )
    return total


def variational_constant(lams: Sequence[RealLike]) -> float:
    """The constant (L/2) (λ_1 ⋯ λ_L)^{1/L} of the variational form.

    Parameters
    ----------
    lams : sequence of L floats
        Weight decay of the factors, positive.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If `lams` is empty or an entry is not positive and finite.
    TypeError
        If `lams` is no sequence of numbers.

    References
    ----------
    lowrank, Section 4, after equation (2), where the constant is left open.

    Examples
    --------
    >>> round(variational_constant([1.0, 2.0, 4.0]), 12)
    3.0
    """
    decay = _decays(lams)
    return float(len(decay) / 2 * np.exp(np.log(decay).mean()))


def variational_value(matrix: Float[np.ndarray, "_ _"], lams: Sequence[RealLike]) -> float:
    """The least Σ_i (λ_i/2) ‖A_i‖² over all factorisations A₁ ⋯ A_L of a matrix.

    Parameters
    ----------
    matrix : ndarray, shape (rows, columns)
    lams : sequence of L floats
        Weight decay of the factors, positive.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        As `variational_constant` and `power`.

    Examples
    --------
    Two factors with the same decay λ cost λ times the nuclear norm:

    >>> round(variational_value(np.diag([1.0, 2.0]), [0.5, 0.5]), 12)
    1.5
    """
    return variational_constant(lams) * power(matrix, 2 / len(lams))


def minimal_factors(
    matrix: Float[np.ndarray, "_ _"], lams: Sequence[RealLike], width: IntegerLike | None = None
) -> list[Float[np.ndarray, "left right"]]:
    """Factors A₁, …, A_L of a matrix for which the weighted sum of squared norms is least.

    With the singular value decomposition U diag(s) Vᵀ, A_i carries s^{1/L} (λ_1 ⋯ λ_L)^{1/(2L)} λ_i^{−1/2} on its
    diagonal, so that all λ_i ‖A_i‖² are equal; the first has U on its left, the last Vᵀ on its right.

    Parameters
    ----------
    matrix : ndarray, shape (rows, columns)
    lams : sequence of L floats
        Weight decay of the factors, in the order of the product, positive.
    width : int, optional
        The inner dimension, at least the rank. By default the smaller dimension of the matrix.

    Returns
    -------
    list of L ndarrays
        Shapes (rows, width), (width, width), …, (width, columns).

    Raises
    ------
    ValueError
        As `variational_constant`; or if the width is below the rank, so that no such factorisation exists.
    TypeError
        If an argument is of a wrong type.

    Examples
    --------
    >>> A, B, C = minimal_factors(np.diag([8.0, 1.0]), [1.0, 1.0, 1.0])
    >>> np.abs(A @ B @ C).round(12)
    array([[8., 0.],
           [0., 1.]])
    >>> [round(float((factor**2).sum()), 12) for factor in (A, B, C)]
    [5.0, 5.0, 5.0]
    """
    decay = _decays(lams)
    U, s, Vt = _svd(matrix)
    rank = np.count_nonzero(s)
    width = len(s) if width is None else check_integer("width", width, at_least=1, at_most=LARGEST_SIZE)
    if width < rank:
        raise ValueError(f"width = {width} is below the rank {rank} of the matrix; no factorisation exists")
    root = np.zeros(width)
    root[:rank] = s[:rank] ** (1 / len(decay))
    scales = np.exp(np.log(decay).mean() / 2) / np.sqrt(decay)
    factors = [np.diag(scale * root) for scale in scales]
    left, right = np.zeros((U.shape[0], width)), np.zeros((width, Vt.shape[1]))
    left[:, :rank], right[:rank] = U[:, :rank], Vt[:rank]
    factors[0] = left @ factors[0]
    factors[-1] = factors[-1] @ right
    return factors


def _svd(
    matrix: Float[np.ndarray, "_ _"],
) -> tuple[Float[np.ndarray, "rows rank"], Float[np.ndarray, " rank"], Float[np.ndarray, "rank columns"]]:
    array = check_array("matrix", matrix, ndim=2)
    U, s, Vt = np.linalg.svd(array, full_matrices=False)
    noise = max(array.shape) * np.finfo(float).eps * s.max(initial=0.0)
    return U, np.where(s > noise, s, 0.0), Vt


def _decays(lams: Sequence[RealLike]) -> Float[np.ndarray, " L"]:
    return np.array(check_sequence("lams", lams, lambda name, lam: check_real(name, lam, above=0)))
