"""The solution of least rank: two dimensions up to the last layer, whatever the number of classes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_integer
from theory.dufm._blocks import layer_scales
from theory.dufm._matrices import Matrices, conditionally_optimal
from theory.dufm._problem import scalar_problem
from theory.dufm._solution import Solution
from theory.ufm import Problem, Problems, minimise_scale

if TYPE_CHECKING:
    import networkx as nx
    from jaxtyping import Float, Int

__all__ = ["no_graph", "rank_two", "ray_weights", "rays"]

_MOST_CLASSES = 1000


def rays(K: IntegerLike) -> Int[np.ndarray, "2 K"]:
    """The class means of all layers between the first and the last, up to scale: (K − k, k − 1) for k = 1, …, K.

    Parameters
    ----------
    K : int
        Classes, at least 3.

    Returns
    -------
    ndarray of int, shape (2, K)

    Examples
    --------
    >>> rays(4)
    array([[3, 2, 1, 0],
           [0, 1, 2, 3]])
    """
    K = check_integer("K", K, at_least=3, at_most=_MOST_CLASSES)
    return np.array([np.arange(K - 1, -1, -1), np.arange(K)])


def ray_weights(K: IntegerLike) -> Int[np.ndarray, "K 2"]:
    """K − 1 times the weights that make k − j + 1 of the k-th ray in row j.

    Behind the ReLU that is a triangular matrix with ones on its diagonal, so that all K classes are told apart again.

    Parameters
    ----------
    K : int
        Classes, at least 3.

    Returns
    -------
    ndarray of int, shape (K, 2)

    Examples
    --------
    >>> np.maximum(ray_weights(4) @ rays(4) // 3, 0)
    array([[1, 2, 3, 4],
           [0, 1, 2, 3],
           [0, 0, 1, 2],
           [0, 0, 0, 1]])
    """
    K = check_integer("K", K, at_least=3, at_most=_MOST_CLASSES)
    first = 2 - np.arange(1, K + 1)
    return np.stack([first, first + K - 1], axis=1)


def rank_two(
    K: IntegerLike,
    L: IntegerLike,
    lam: RealLike | None = None,
    *,
    lams: Sequence[RealLike] | None = None,
    n: IntegerLike = 1,
) -> Solution:
    """The solution whose layers all have rank 2, but for the last, which has rank K.

    The class means of layers 2 to L−1 are `rays`: points of a line, seen from the origin. The last layer's ReLU bends
    the line at every class. What a further layer costs does not grow with the number of classes: from some depth on
    the loss is below those of deep neural collapse and of strongly regular graphs, and for small regularisation its
    ratio to the optimum tends to 1 as L grows (docs/optimum.md). In shallow networks it is a bad solution.

    Parameters
    ----------
    K : int
        Number of classes, 3 to 1000.
    L : int
        Number of layers, at least 3.
    lam : float, Fraction or decimal string, optional
        One regularisation for every matrix.
    lams : sequence of L+1 numbers, optional
        (λ_H1, λ_W1, …, λ_WL), in place of `lam`.
    n : int
        Samples per class, at least 1.

    Returns
    -------
    Solution
        It has no graph.

    Raises
    ------
    ValueError, TypeError
        As `dnc_loss`, and for fewer than 3 classes or more than 1000.

    Examples
    --------
    >>> from theory import dufm
    >>> deep = dufm.rank_two(10, 12, 1e-5)
    >>> deep.ranks[:3], deep.ranks[-1]
    ((2, 2, 2), 10)
    >>> bool(deep.loss < dufm.srg_loss(10, 12, 1e-5) < dufm.dnc_loss(10, 12, 1e-5))
    True
    >>> bool(abs(deep.evaluate() / deep.loss - 1) < 1e-9)
    True
    """
    check_integer("K", K, at_least=3, at_most=_MOST_CLASSES)
    problem = scalar_problem(K, L, lam, lams, n, solution="dnc")
    nuclear, squares = _spectra(problem.K)
    weights = (ray_weights(problem.K).astype(float) ** 2).sum()
    batch = Problems.one(problem)
    # κ^L = nλ_H1 ⋯ λ_WL K · ‖rays‖_*² · 2^{L−3} · ‖weights‖²
    log_structure = 2 * np.log(nuclear) + (problem.L - 3) * np.log(2.0) + np.log(weights)
    log_kappa = (batch.log_lams_n + np.log(problem.K) + log_structure) / problem.L
    shares = np.full((problem.K, 1), 1 / problem.K)
    least = minimise_scale(log_kappa, batch.L, shares, squares[:, None], batch.shift)
    found = float(batch.losses(least.value)[0])
    loss = found if np.isfinite(least.log_u[0]) else 0.5
    nontrivial = loss < 0.5
    scales = layer_scales(problem, least, log_kappa, 2 * np.log(nuclear), np.log(2.0))
    return Solution(
        name="rank two",
        K=problem.K,
        L=problem.L,
        n=problem.n,
        lams=problem.lams,
        loss=loss,
        scales=scales[None, :],
        ranks=(*(2 * nontrivial,) * (problem.L - 1), problem.K * nontrivial),
        make_graph=no_graph,
        make_matrices=partial(_matrices, scales, problem),
    )


def _spectra(K: int) -> tuple[float, Float[np.ndarray, " K"]]:
    """The nuclear norm of the rays, and the squares of the singular values of the last layer, the largest first.

    The last layer's inverse is the bidiagonal matrix of differences, squared; its singular values are accurate where
    those of the matrix itself would lose the smallest.
    """
    points = rays(K)
    differences = np.eye(K) - np.eye(K, k=1)
    inverse = np.linalg.svd(differences @ differences, compute_uv=False)
    return float(np.linalg.svd(points, compute_uv=False).sum()), 1 / inverse[::-1] ** 2 * (K - 1) ** 2


def _matrices(scales: Float[np.ndarray, " scaled"], problem: Problem) -> Matrices:
    points, weights = rays(problem.K).astype(float), ray_weights(problem.K).astype(float)
    roots = np.sqrt(scales)
    return conditionally_optimal(
        [root * points for root in roots[:-1]], roots[-1] * (weights @ points), problem.lams, problem.n
    )


def no_graph() -> nx.Graph:
    raise ValueError("the solution of rank two has no graph: its layers have two rows, and its classes are no edges")
