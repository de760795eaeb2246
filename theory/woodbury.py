r"""The inverse of a matrix after a change of low rank.

.. math::
    (P + UV^\top)^{-1} = P^{-1} - P^{-1}U\,(I + V^\top P^{-1}U)^{-1}\,V^\top P^{-1}

Given that P is invertible, the left side exists exactly when the right side does, because
:math:`\det(P + UV^\top) = \det P\,\det(I + V^\top P^{-1}U)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["updated_inverse"]


def updated_inverse(P_inverse: ArrayLike, U: ArrayLike, V: ArrayLike) -> Float[np.ndarray, "N N"]:
    r"""The inverse of :math:`P + UV^\top` from the inverse of P, in O(N² m).

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
        If the shapes do not fit, or :math:`P + UV^\top` is singular to working precision; the condition number of the
        m × m matrix :math:`I + V^\top P^{-1} U` is then in the message.

    References
    ----------
    agop, Lemma C.1; agop-v1, Lemma A.1.

    Examples
    --------
    >>> updated_inverse(np.eye(2), [[1.0], [0.0]], [[1.0], [0.0]])
    array([[0.5, 0. ],
           [0. , 1. ]])
    """
    P_inverse, U, V = (np.asarray(matrix, dtype=np.float64) for matrix in (P_inverse, U, V))
    if P_inverse.ndim != 2 or P_inverse.shape[0] != P_inverse.shape[1]:
        raise ValueError(f"P_inverse has shape {P_inverse.shape}; it must be a square matrix")
    if U.ndim != 2 or U.shape != V.shape or U.shape[0] != len(P_inverse):
        raise ValueError(f"U and V have shapes {U.shape} and {V.shape}; both must be ({len(P_inverse)}, m)")
    small = np.eye(U.shape[1]) + V.T @ P_inverse @ U
    condition = float(np.linalg.cond(small)) if small.size else 1.0
    if not condition < 1 / np.finfo(np.float64).eps:
        raise ValueError(
            f"P + U Vᵀ is singular to working precision: I + Vᵀ P⁻¹ U has condition number {condition:.1e}"
        )
    updated: Float[np.ndarray, "N N"] = P_inverse - P_inverse @ U @ np.linalg.solve(small, V.T @ P_inverse)
    return updated
