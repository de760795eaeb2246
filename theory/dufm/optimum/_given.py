"""Matrices that somebody has found, as a solution at their best scales."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_array, check_sequence
from theory.dufm._matrices import layers
from theory.dufm._solution import Solution
from theory.dufm.optimum._rank_two import no_graph
from theory.dufm.optimum._rescaled import of_shape
from theory.ufm import Problem

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["of_matrices"]


def of_matrices(
    matrices: Sequence[Float[np.ndarray, "_ _"]],
    lam: RealLike | None = None,
    *,
    lams: Sequence[RealLike] | None = None,
    n: IntegerLike = 1,
) -> Solution:
    """The solution that given matrices are, each at its best scale and W_L the best one.

    The loss is not above that of the matrices as they are: ReLU is positively homogeneous, so that every scale is free.

    Parameters
    ----------
    matrices : sequence of L+1 ndarrays
        H_1 of shape (d_1, K), and W_1, …, W_L, with W_l of shape (d_{l+1}, d_l) and d_{L+1} = K; L is at least 3.
    lam : float, Fraction or decimal string, optional
        One regularisation for every matrix.
    lams : sequence of L+1 numbers, optional
        (λ_H1, λ_W1, …, λ_WL), in place of `lam`.
    n : int
        Samples per class.

    Returns
    -------
    Solution
        Named ``matrices``; the zero solution where no scale is better.

    Raises
    ------
    ValueError
        If there are too few matrices, their shapes do not fit, an entry is not finite, the last layer is zero, or a
        regularisation is out of range.

    Examples
    --------
    >>> from theory import dufm
    >>> known = dufm.best_known(6, 4)
    >>> found = of_matrices([known.class_means(1), *(known.weights(l) for l in range(1, 5))], "0.0005")
    >>> found.K, found.L, bool(abs(found.loss / known.loss - 1) < 1e-9)
    (6, 4, True)
    """
    given = check_sequence("matrices", matrices, _matrix, entries="matrices")
    L, K = len(given) - 1, given[0].shape[1]
    if L < 3:
        raise ValueError(f"matrices has {L + 1} matrices; matrices must be H_1, W_1, …, W_L with L at least 3")
    problem = Problem.of(K, L, lam, lams=lams, n=n)
    for i, (before, after) in enumerate(pairwise(given), 1):
        wanted = (K if i == L else len(after), len(before))
        if after.shape != wanted:
            raise ValueError(f"matrices[{i}] has the shape {after.shape}; matrices[{i}] must have the shape {wanted}")
    shape = [matrix / (abs(matrix).max() or 1.0) for matrix in given[:-1]]
    if not layers(shape[0], shape[1:])[-1].any():
        raise ValueError("matrices have the last layer 0; matrices must have some output")
    return of_shape(problem, shape, "matrices", no_graph)


def _matrix(name: str, value: object) -> Float[np.ndarray, "_ _"]:
    return check_array(name, value, ndim=2, empty=False)
