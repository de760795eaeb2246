"""The explicit solutions of :mod:`theory.dufm` as runs, to be measured or trained further."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from numerics.descent._history import History
from numerics.descent._problem import Problem, positive_integer
from numerics.descent._runs import Runs

if TYPE_CHECKING:
    from theory.dufm import Solution

__all__ = ["from_solution"]


def from_solution(solution: Solution, width: int | None = None) -> Runs:
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
        One run in float64; its ``parameters`` can be the ``initial`` of :func:`train`.

    Raises
    ------
    ValueError
        If a layer of the solution is wider than ``width``.

    Examples
    --------
    >>> from theory import dufm
    >>> from_solution(dufm.srg(10, 4, 5e-4)).recognise()[0].kind
    'srg'
    """
    K, L, n = solution.K, solution.L, solution.n
    needed = [len(solution.class_means(l)) for l in range(1, L + 1)]
    if width is not None and positive_integer("width", width) < max(needed):
        raise ValueError(f"width must be at least {max(needed)}, which this solution needs, got {width}")
    problem = Problem.of(K, L, lams=solution.lams, n=n, width=[width or max(K, d) for d in needed])
    features = np.repeat(solution.class_means(1), n, axis=1).T
    parameters = []
    for matrix, shape in zip([features, *(solution.weights(l) for l in range(1, L + 1))], problem.shapes, strict=True):
        padded = torch.zeros(1, *shape, dtype=torch.float64)
        padded[0, : matrix.shape[0], : matrix.shape[1]] = torch.from_numpy(np.array(matrix))
        parameters.append(padded)
    history = History.empty(problem, 1, [0])
    history.record(0, problem, parameters, np.array([False]))
    return Runs(problem, (0,), tuple(parameters), np.array([-1]), 0, history, {"solution": solution.name})
