r"""The inverse of a matrix after a change of low rank.

$$ (P + UV^\top)^{-1} = P^{-1} - P^{-1}U\,(I + V^\top P^{-1}U)^{-1}\,V^\top P^{-1} $$

Given that P is invertible, the left side exists exactly when the right side does, because
det(P + UVᵀ) = det P det(I + Vᵀ P⁻¹ U).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import check_array
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Float
    from numpy.typing import ArrayLike

__all__ = ["updated_inverse"]


@within_floats
def updated_inverse(P_inverse: ArrayLike, U: ArrayLike, V: ArrayLike) -> Float[np.ndarray, "N N"]:
    """The inverse of P + U Vᵀ from the inverse of P, in O(N² m).

    Parameters
    ----------
    P_inverse : array_like, shape (N, N)
        The inverse of P.
    U, V : array_like, shape (N, m)
        The factors of the change.

    Returns
    -------
    ndarray, shape (N, N)

    Raises
    ------
    ValueError
        If the shapes do not fit, an entry is not finite, or P + U Vᵀ is singular to working precision; the condition
        number of the m × m matrix I + Vᵀ P⁻¹ U is then in the message.
    TypeError
        If an argument is no array of numbers, or a masked array.

    References
    ----------
    agop, Lemma C.1; agop-v1, Lemma A.1.

    Examples
    --------
    >>> updated_inverse(np.eye(2), [[1.0], [0.0]], [[1.0], [0.0]])
    array([[0.5, 0. ],
           [0. , 1. ]])
    """
    inverse = check_array("P_inverse", P_inverse, ndim=2)
    left, right = check_array("U", U, ndim=2), check_array("V", V, ndim=2)
    if inverse.shape[0] != inverse.shape[1]:
        raise ValueError(f"P_inverse has shape {inverse.shape}; P_inverse must be a square matrix")
    if left.shape != right.shape or len(left) != len(inverse):
        raise ValueError(f"U and V have shapes {left.shape} and {right.shape}; both must be ({len(inverse)}, m)")
    small = np.eye(left.shape[1]) + right.T @ inverse @ left
    condition = float(np.linalg.cond(small)) if small.size else 1.0
    if not condition < 1 / np.finfo(np.float64).eps:
        raise ValueError(
            f"P + U Vᵀ is singular to working precision: I + Vᵀ P⁻¹ U has condition number {condition:.1e}"
        )
    updated: Float[np.ndarray, "N N"] = inverse - inverse @ left @ np.linalg.solve(small, right.T @ inverse)
    return updated
