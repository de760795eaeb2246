"""A second-order finish: from where gradient descent stopped to a stationary point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.descent._history import History
from numerics.descent._lbfgs import minimise
from numerics.descent._network import Network
from numerics.descent._problem import Problem, positive_integer, positive_number, relaxed
from numerics.descent._runs import Runs

__all__ = ["polish"]


_EPSILONS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)


def polish(runs: Runs, *, eps: float = 1e-5, tol: float = 1e-10, max_steps: int = 3000) -> Runs:
    """Minimise the objective by L-BFGS in float64 from the parameters of each run.

    Parameters
    ----------
    runs : Runs
        Runs that diverged are left as they are.
    eps : float
        Every ReLU is relaxed to ReLU_ε, with ε = 10⁻², 10⁻³, … down to this value, each from where the last
        one ended. Networks without ReLU are minimised as they are.
    tol : float
        Stop when no entry of the gradient is larger.
    max_steps : int
        Most iterations for each run and each ε.

    Returns
    -------
    Runs
        With new parameters in float64, and a history of only the final state. Losses are those of the
        original problem; ``gradient_norms()`` is of the relaxed one and says how stationary each run is.

    Notes
    -----
    The relaxation is not for convenience. The solutions that gradient descent finds hold many
    pre-activations at exactly 0, the kink of the ReLU, where the objective has no gradient, and descent with a
    fixed step chatters about it. A stationary point of the relaxed objective is one of the original up to ε,
    with the slopes of ReLU_ε as the choice from the subdifferential.

    References
    ----------
    `lowrank`, Definition 7 (the relaxation).

    Examples
    --------
    >>> from numerics import descent
    >>> rough = descent.train(3, 3, 1e-3, width=6, seeds=1, steps=2000)
    >>> fine = polish(rough)
    >>> bool(fine.losses[0] < rough.losses[0]), bool(fine.gradient_norms()[0] < 1e-4)
    (True, True)
    """
    eps, tol = positive_number("eps", eps), positive_number("tol", tol)
    max_steps = positive_integer("max_steps", max_steps)
    stages = [e for e in _EPSILONS if e > eps] + [eps]
    problems = list(dict.fromkeys(relaxed(runs.problem, e) for e in stages))
    parameters = [p.double().clone() for p in runs.parameters]
    alive = torch.from_numpy(runs.diverged_at < 0)
    if bool(alive.any()):
        point = [p[alive] for p in parameters]
        with torch.inference_mode():
            for problem in problems:
                point = _minimise(problem, point, tol, max_steps)
        for p, new in zip(parameters, point, strict=True):
            p[alive] = new
    history = History.empty(runs.problem, len(runs), [runs.steps])
    history.record(0, runs.problem, parameters, runs.diverged_at >= 0)
    settings = {**runs.settings, "polished": {"eps": eps, "tol": tol, "max_steps": max_steps}}
    return replace(runs, parameters=tuple(parameters), history=history, settings=settings)


def _minimise(problem: Problem, start: Sequence[Tensor], tol: float, max_steps: int) -> list[Tensor]:
    sizes = [rows * columns for rows, columns in problem.shapes]
    point = torch.cat([p.flatten(1) for p in start], 1)
    slope = torch.empty_like(point)

    def matrices(rows: Float[Tensor, "S P"]) -> list[Tensor]:
        return [
            part.view(len(rows), *shape)
            for part, shape in zip(torch.split(rows, sizes, 1), problem.shapes, strict=True)
        ]

    here, gradient = matrices(point.clone()), matrices(slope)
    network = Network(problem, here)

    def objective(x: Float[Tensor, "S P"]) -> tuple[Float[Tensor, " S"], Float[Tensor, "S P"]]:
        for matrix, new in zip(here, matrices(x), strict=True):
            matrix.copy_(new)
        network.gradient(gradient)
        return network.objective(), slope

    return matrices(minimise(objective, point, tol=tol, max_steps=max_steps))
