"""A solution's shape at another regularisation: only the scales of its matrices are chosen anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from theory import ridge
from theory.arguments import check_instance
from theory.dufm._matrices import Matrices, layers, ranks
from theory.dufm._solution import Solution
from theory.ufm import Problem, least_over_scale

if TYPE_CHECKING:
    import networkx as nx
    from jaxtyping import Float

__all__ = ["of_shape", "rescaled"]


def rescaled(solution: Solution, problem: Problem) -> Solution:
    """Give every matrix of a solution the best scale for a problem of the same K and L.

    The ReLU is positively homogeneous: the loss depends on the scales of H_1, W_1, …, W_{L−1} through their product
    only, and all λ‖·‖² are the same at the optimum. W_L is the ridge solution.

    Parameters
    ----------
    solution : Solution
        With a loss below ½.
    problem : Problem
        With ReLU activations; its widths are not looked at.

    Returns
    -------
    Solution
        With the same graph, of name, K and L of `solution`.

    Raises
    ------
    ValueError
        If K or L differ, or the solution is the zero solution.

    Examples
    --------
    >>> from theory import dufm
    >>> other = rescaled(dufm.srg(10, 4, 1e-3), Problem.of(10, 4, 5e-4))
    >>> bool(abs(other.loss / dufm.srg_loss(10, 4, 5e-4) - 1) < 1e-9)
    True
    """
    K, L = check_instance("solution", solution, Solution).K, solution.L
    if (K, L) != (check_instance("problem", problem, Problem).K, problem.L):
        raise ValueError(f"problem has K = {problem.K}, L = {problem.L}; problem must have K = {K}, L = {L}")
    if not solution.nontrivial:
        raise ValueError("solution is the zero solution, which has no shape")
    matrices = [solution.class_means(1), *(solution.weights(l) for l in range(1, L))]
    return of_shape(problem, matrices, solution.name, solution.make_graph)


def of_shape(
    problem: Problem, shape: Sequence[Float[np.ndarray, "_ _"]], name: str, make_graph: Callable[[], nx.Graph]
) -> Solution:
    """The solution with matrices of a given shape at their best scales, and the best W_L.

    Parameters
    ----------
    problem : Problem
        With ReLU activations; its widths are not looked at.
    shape : sequence of L ndarrays
        H_1 of shape (d_1, K), and W_1, …, W_{L−1}, of which only the directions matter.
    name : str
        The solution's name.
    make_graph : callable
        What makes its graph.

    Returns
    -------
    Solution
        The zero solution where no scale is better.
    """
    K, L = problem.K, problem.L
    shapes = [matrix / np.linalg.norm(matrix) for matrix in shape]
    last = layers(shapes[0], shapes[1:])[-1]
    logs = np.log(np.array(problem.lams[:L])) + np.log(problem.n) * (np.arange(L) == 0)
    squares = np.linalg.svd(last, compute_uv=False) ** 2
    unit = squares.max()
    log_kappa = (logs.sum() + np.log(problem.lams[L]) + np.log(K) - np.log(unit)) / L
    least = least_over_scale(L, float(log_kappa), np.pad(squares / unit, (0, K - squares.size)))
    # the product of the norms that M_L = √(u Kλ_WL / unit) · last asks for, shared out so that all λ‖·‖² are equal
    with np.errstate(divide="ignore"):
        log_product = 0.5 * (np.log(least.u) + np.log(K) + np.log(problem.lams[L]) - np.log(unit))
    each = np.exp((log_product + logs.sum() / 2) / L - logs / 2)
    scaled = [size * matrix for size, matrix in zip(each, shapes, strict=True)]
    means = layers(scaled[0], scaled[1:])
    return Solution(
        name=name,
        K=K,
        L=L,
        n=problem.n,
        lams=problem.lams,
        loss=least.loss,
        scales=np.array([[float((M**2).sum()) / K for M in means[1:]]]),
        ranks=ranks(means) if least.loss < 0.5 else (0,) * L,
        make_graph=make_graph,
        make_matrices=partial(_matrices, scaled, problem.lams[L]),
    )


def _matrices(scaled: list[Float[np.ndarray, "_ _"]], lam: float) -> Matrices:
    means = layers(scaled[0], scaled[1:])
    return Matrices(tuple(means), (*scaled[1:], ridge.minimiser(means[-1], lam)), ridge.residual(means[-1], lam))
