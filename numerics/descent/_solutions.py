"""The explicit solutions of `theory.dufm` as runs, to be measured or trained further."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from numerics.descent._history import History
from numerics.descent._model import shapes
from numerics.descent._runs import Runs
from theory.arguments import LARGEST_SIZE, IntegerLike, check_integer
from theory.ufm import Problem

if TYPE_CHECKING:
    from theory.dufm import Solution

__all__ = ["from_solution"]


def from_solution(solution: Solution, width: IntegerLike | None = None) -> Runs:
    """Put a solution into samples-in-rows matrices, as a run of no steps.

    Parameters
    ----------
    solution : theory.dufm.Solution
        Such as ``theory.dufm.srg(10, 4, 5e-4)``.
    width : int, optional
        Width of every layer; units that the solution does not need are zero. By default each layer is as wide as
        the solution needs, and at least K.

    Returns
    -------
    Runs
        One run in float64; its `parameters` can be the `initial` of `train`.

    Raises
    ------
    TypeError
        If `solution` is no solution of `theory.dufm`.
    ValueError
        If a layer of the solution is wider than `width`.

    Examples
    --------
    >>> from theory import dufm
    >>> from_solution(dufm.srg(10, 4, 5e-4)).recognise()[0].kind
    'srg'
    """
    from theory import dufm

    if not isinstance(solution, dufm.Solution):
        raise TypeError(
            f"solution = {solution!r} is a {type(solution).__name__}; solution must be a theory.dufm.Solution"
        )
    K, L, n = solution.K, solution.L, solution.n
    needed = [len(solution.class_means(l)) for l in range(1, L + 1)]
    widths = [max(K, d) for d in needed]
    if width is not None:
        widths = [check_integer("width", width, at_least=max(widths), at_most=LARGEST_SIZE)] * L
    problem = Problem.of(K, L, lams=solution.lams, n=n, width=widths)
    features = np.repeat(solution.class_means(1), n, axis=1).T
    parameters = []
    for matrix, shape in zip([features, *(solution.weights(l) for l in range(1, L + 1))], shapes(problem), strict=True):
        padded = torch.zeros(1, *shape, dtype=torch.float64)
        padded[0, : matrix.shape[0], : matrix.shape[1]] = torch.from_numpy(np.array(matrix))
        parameters.append(padded)
    history = History.empty(problem, 1, [0])
    history.record(0, problem, parameters, np.array([False]))
    return Runs(problem, (0,), tuple(parameters), np.array([-1]), 0, history, {"solution": solution.name})
