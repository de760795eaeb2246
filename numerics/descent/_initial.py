"""Seeds, and the random starting points that they stand for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from numerics.descent._model import shapes
from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_integer, check_real
from theory.foreign import entries
from theory.ufm import Problem

__all__ = ["initial_parameters", "initial_scales", "seed_list"]


def initial_parameters(
    problem: Problem, seeds: Sequence[int], init_scale: RealLike | Sequence[RealLike] | np.ndarray = 1.0
) -> list[Tensor]:
    """Draw the starting point of each seed.

    Parameters
    ----------
    problem : Problem
        The problem.
    seeds : sequence of int
        Each has a generator of its own, so that a start does not depend on the others.
    init_scale : float or sequence of L + 1 floats
        Entries have standard deviation init_scale / √columns.

    Returns
    -------
    list of L + 1 tensors
        (H_1, W_1, …, W_L) in float64, each of shape (len(seeds), …).

    Raises
    ------
    ValueError, TypeError
        If `init_scale` is no positive number, or no L + 1 of them.

    Examples
    --------
    >>> problem = Problem.of(3, 2, 0.1, width=4)
    >>> alone, both = initial_parameters(problem, [7]), initial_parameters(problem, [3, 7])
    >>> all(bool((a[0] == b[1]).all()) for a, b in zip(alone, both))
    True
    """
    sizes = shapes(problem)
    scales = initial_scales(problem, init_scale)
    draws: list[list[np.ndarray]] = [[] for _ in sizes]
    for seed in seed_list(seeds):
        rng = np.random.default_rng(seed)
        for draw, scale, shape in zip(draws, scales, sizes, strict=True):
            with np.errstate(over="ignore"):  # `train` says what to do about it
                draw.append(rng.standard_normal(shape) * (scale / math.sqrt(shape[1])))
    return [torch.from_numpy(np.stack(draw)) for draw in draws]


def initial_scales(problem: Problem, init_scale: RealLike | Sequence[RealLike] | np.ndarray) -> tuple[float, ...]:
    """Return the scale of each of H_1, W_1, …, W_L, from one for all or L + 1 of them.

    Parameters
    ----------
    problem : Problem
        The problem.
    init_scale : float or sequence of L + 1 floats
        What the user gave.

    Returns
    -------
    tuple of L + 1 floats

    Raises
    ------
    ValueError, TypeError
        If it is no positive number, or no L + 1 of them.

    Examples
    --------
    >>> initial_scales(Problem.of(3, 2, 0.1), "0.5")
    (0.5, 0.5, 0.5)
    """
    several = entries(init_scale)
    if several is None:
        return (check_real("init_scale", init_scale, above=0),) * (problem.L + 1)
    scales = tuple(check_real("init_scale", scale, above=0) for scale in several)
    if len(scales) != problem.L + 1:
        raise ValueError(
            f"init_scale has {len(scales)} entries; init_scale must be one number or L + 1 = {problem.L + 1} of them"
        )
    return scales


def seed_list(seeds: IntegerLike | Sequence[IntegerLike] | np.ndarray) -> tuple[int, ...]:
    """Return the seeds that were asked for, by their number or one by one.

    Parameters
    ----------
    seeds : int or sequence of int
        That many seeds 0, 1, …, or the seeds themselves.

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError, TypeError
        If there is none, one is negative or no integer, or two are the same.

    Examples
    --------
    >>> seed_list(3), seed_list([8, 3])
    ((0, 1, 2), (8, 3))
    """
    several = entries(seeds)
    if several is None:
        return tuple(range(check_integer("seeds", seeds, at_least=1, at_most=LARGEST_SIZE)))
    values = tuple(check_integer("seeds", seed, at_least=0) for seed in several)
    if not values:
        raise ValueError("seeds is empty; seeds must hold at least one seed")
    if len(set(values)) != len(values):
        raise ValueError(f"seeds = {list(values)}; seeds must be distinct")
    return values
