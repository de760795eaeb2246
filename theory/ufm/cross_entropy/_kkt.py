r"""The minimum-norm separation problem (review, equation 15), its KKT points, and which of them are not global minima.

$$ \min_{A,F} \tfrac12\lVert A\rVert_F^2 + \tfrac12\lVert F\rVert_F^2 \quad\text{subject to}\quad
(a_k-a_j)^\top f_{k,i} \ge 1, \quad j \ne k. $$

The constraints are homogeneous of degree 2, so that at a feasible point (A, F) itself is a direction along which all
of them grow: the qualification of Mangasarian and Fromovitz holds everywhere. It makes minima KKT points, not KKT
points minima: for K ≥ 4 a regular polygon (`polygon_kkt_point`) is one, with a larger norm than the simplex.
"""

from __future__ import annotations

from math import cos, pi, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import nnls

from theory.arguments import IntegerLike, check_integer
from theory.overflow import within_floats
from theory.ufm.cross_entropy._margin import margins
from theory.ufm.factors import balanced_labels, check_factors

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["KKTResidual", "constraint_gradients", "kkt_residual", "polygon_kkt_point"]


class KKTResidual(NamedTuple):
    """How far a point is from a KKT point of the separation problem, once scaled to a least margin of 1."""

    stationarity: float
    complementarity: float
    multipliers: Float[np.ndarray, "N K"]


@within_floats
def constraint_gradients(
    A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"]
) -> tuple[Float[np.ndarray, "N K"], Float[np.ndarray, "N K K*m+m*N"]]:
    """The constraints' values (a_k − a_j)ᵀf of each sample and class j, and their gradients; both are 0 for j = k.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.

    Returns
    -------
    values : ndarray, shape (N, K)
    gradients : ndarray, shape (N, K, Km + mN)
        In the entries of A, then of F, row by row.

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    Examples
    --------
    >>> values, gradients = constraint_gradients(np.array([[1.0], [-1.0]]), np.array([[2.0, -2.0]]))
    >>> values, gradients[0, 1]
    (array([[0., 4.],
           [4., 0.]]), array([ 2., -2.,  2.,  0.]))
    """
    A, F, _ = check_factors(A, F)
    (K, m), N = A.shape, F.shape[1]
    y, samples, all_j = balanced_labels(K, N), np.arange(N)[:, None], np.arange(K)[None, :]
    differences = A[y][:, None, :] - A[None, :, :]  # N × K × m
    in_A, in_F = np.zeros((N, K, K, m)), np.zeros((N, K, m, N))
    in_A[samples, all_j, y[:, None]] += F.T[:, None, :]
    in_A[samples, all_j, all_j] -= F.T[:, None, :]
    in_F[samples, all_j, :, samples] = differences
    values = np.einsum("skm,ms->sk", differences, F)
    if not np.isfinite(values).all():
        raise ValueError("products of A and F are beyond the floats; A and F must be scaled")
    return values, np.concatenate([in_A.reshape(N, K, -1), in_F.reshape(N, K, -1)], axis=2)


@within_floats
def kkt_residual(A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"]) -> KKTResidual:
    """The least residual of the KKT conditions of the separation problem along the direction of a separating point.

    The point is scaled to a least margin of 1. Multipliers λ ≥ 0 minimise the sum of the squares of the stationarity
    ‖θ − Σλ∇g‖ and the complementarity, the norm of λ(g − 1), both relative to the norm of the point θ.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.

    Returns
    -------
    KKTResidual
        `stationarity`, `complementarity`, `multipliers` (N × K).

    Raises
    ------
    ValueError
        If a margin is not positive, the shapes do not fit, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    References
    ----------
    review, equation 15.

    Examples
    --------
    >>> square = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    >>> found = kkt_residual(square, square.T)
    >>> bool(found.stationarity < 1e-12), found.multipliers[0].round(6)
    (True, array([0. , 0.5, 0. , 0.5]))
    """
    A, F, _ = check_factors(A, F)
    least = float(margins(A, F).min())
    if not least > 0:
        raise ValueError(f"the least margin is {least:.6g}; A and F must separate all samples")
    scale = 1 / sqrt(least)
    values, gradients = constraint_gradients(A * scale, F * scale)
    others = ~np.eye(len(A), dtype=bool)[balanced_labels(len(A), F.shape[1])]
    g, J = values[others], gradients[others]
    theta = np.concatenate([A.ravel(), F.ravel()]) * scale
    norm = np.linalg.norm(theta)
    multipliers, _ = nnls(np.vstack([J.T, np.diag(g - 1)]), np.concatenate([theta, np.zeros(len(g))]))
    placed = np.zeros(values.shape)
    placed[others] = multipliers
    return KKTResidual(
        float(np.linalg.norm(theta - multipliers @ J) / norm),
        float(np.linalg.norm(multipliers * (g - 1)) / norm),
        placed,
    )


@within_floats
def polygon_kkt_point(K: IntegerLike, n: IntegerLike = 1) -> tuple[Float[np.ndarray, "K 2"], Float[np.ndarray, "2 N"]]:
    """A KKT point of the separation problem in the plane: classes at the corners of a regular polygon.

    With further coordinates 0 it is a KKT point of every width. Its objective is √n K/(1 − cos(2π/K)); the least for a
    width of K − 1 or more is √n (K−1), which is smaller from K = 4 on.

    Parameters
    ----------
    K : int
        Number of classes, at least 3.
    n : int
        Samples of each class.

    Returns
    -------
    A : ndarray, shape (K, 2)
    F : ndarray, shape (2, Kn)

    Raises
    ------
    ValueError
        If K is below 3, or n below 1.
    TypeError
        If one is no integer.

    References
    ----------
    review, equation 15.

    Examples
    --------
    >>> A, F = polygon_kkt_point(4)
    >>> round(float(np.sum(A**2) + np.sum(F**2)) / 2, 6)
    4.0
    """
    K, n = check_integer("K", K, at_least=3, at_most=10_000), check_integer("n", n, at_least=1, at_most=10**6)
    angles = 2 * pi * np.arange(K) / K
    corners = np.stack([np.cos(angles), np.sin(angles)], axis=1) / sqrt(1 - cos(2 * pi / K))
    return corners * n**0.25, np.repeat(corners.T, n, axis=1) / n**0.25
