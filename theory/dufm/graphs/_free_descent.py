"""Descent over all matrices of the deep unconstrained features model, from a solution that is disturbed a little."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_instance, check_integer, check_real
from theory.dufm._matrices import Matrices, evaluate_loss, layers, ranks, without_idle_units
from theory.dufm._solution import Solution
from theory.ufm import Point, Problem, descend

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["free_descent", "solution_of_matrices"]

_IDLE = 1e-6  # a unit whose class means are below this share of the layer's largest is left out


def free_descent(
    solution: Solution,
    *,
    noise: RealLike = 0.02,
    restarts: IntegerLike = 2,
    steps: IntegerLike = 2500,
    seed: IntegerLike = 0,
) -> Solution:
    """Find the best solution by L-BFGS over all matrices, from disturbances of a given one.

    Whatever structure the solution has may be given up: nothing but the loss counts. Every layer may use K units, or
    as many as the solution does if it has more.

    Parameters
    ----------
    solution : Solution
        With a loss below 0.5.
    noise : float
        Standard deviation of the entries of the first disturbance; it doubles with each restart.
    restarts : int
        Disturbances tried, at least 1.
    steps : int
        Iterations of each descent.
    seed : int
        Seed of the disturbances.

    Returns
    -------
    Solution
        `solution` itself if no descent finds less.

    Raises
    ------
    ValueError
        If the solution is the zero solution, or a value is out of range.

    Examples
    --------
    >>> from theory import dufm
    >>> start = dufm.dnc(6, 4, 5e-4)
    >>> free_descent(start, noise=0.3, steps=300).loss <= start.loss
    True
    """
    restarts = check_integer("restarts", restarts, at_least=1)
    steps = check_integer("steps", steps, at_least=1)
    seed = check_integer("seed", seed, at_least=0)
    noise = check_real("noise", noise, above=0)
    if math.log2(noise) + restarts > 300:
        raise ValueError(f"noise = {noise}, restarts = {restarts}; noise · 2^restarts must be at most 2^300")
    if not check_instance("solution", solution, Solution).nontrivial:
        raise ValueError("solution is the zero solution, from which no descent leads away")
    rng = np.random.default_rng(seed)
    best = solution
    padded = _padded(solution)
    for attempt in range(restarts):
        start = [m + noise * 2**attempt * rng.standard_normal(m.shape) for m in padded]
        found = solution_of_matrices(_descended(start, solution.lams, solution.n, steps), solution)
        best = min(best, found, key=lambda s: s.loss)
    return best


def solution_of_matrices(
    matrices: list[Float[np.ndarray, "_ _"]], origin: Solution, name: str | None = None
) -> Solution:
    """The solution with class means M_1 and weights W_1, …, W_L given; its graph is that of `origin`."""
    means = layers(matrices[0], matrices[1:-1])
    loss = evaluate_loss(np.repeat(means[0], origin.n, axis=1), matrices[1:], origin.lams, origin.n)
    scales = np.array([[float((m**2).sum()) / origin.K for m in means[1:]]])
    origin_name = origin.name.removesuffix(", released")
    return Solution(
        name=name or f"{origin_name}, released",
        K=origin.K,
        L=origin.L,
        n=origin.n,
        lams=origin.lams,
        loss=loss,
        scales=scales,
        ranks=ranks(means),
        make_graph=origin.make_graph,
        make_matrices=partial(Matrices, tuple(m.copy() for m in means), tuple(w.copy() for w in matrices[1:])),
    )


def _padded(solution: Solution) -> list[Float[np.ndarray, "_ _"]]:
    """M_1, W_1, …, W_L with room for at least K units in every layer."""
    K, L = solution.K, solution.L
    widths = [max(K, len(solution.class_means(l))) for l in range(1, L + 1)]
    shapes = [(widths[0], K), *((widths[l], widths[l - 1]) for l in range(1, L)), (K, widths[-1])]
    padded = []
    for matrix, shape in zip([solution.class_means(1), *map(solution.weights, range(1, L + 1))], shapes, strict=True):
        whole = np.zeros(shape)
        whole[: matrix.shape[0], : matrix.shape[1]] = matrix
        padded.append(whole)
    return padded


def _descended(
    start: list[Float[np.ndarray, "_ _"]], lams: tuple[float, ...], n: int, steps: int
) -> list[Float[np.ndarray, "_ _"]]:
    first, *weights = start
    # A class mean stands for n features.
    L = len(weights)
    problem = Problem.of(len(weights[-1]), L, lams=(n * lams[0], *lams[1:]), width=[len(m) for m in start[:-1]])
    found = descend(Point(problem, first, weights), tolerance=1e-10, iterations=steps, flat=1e-15, memory=30)
    return without_idle_units([found.features, *found.weights], _IDLE)
