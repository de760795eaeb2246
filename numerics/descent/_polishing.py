"""A second-order finish: from where gradient descent stopped to a stationary point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.descent._activations import relaxed
from numerics.descent._lbfgs import minimise
from numerics.descent._model import check_parameters, shapes
from numerics.descent._network import Network
from theory.arguments import IntegerLike, RealLike, check_integer, check_real
from theory.ufm import Problem

__all__ = ["PolishOptions", "polish"]

_EPSILONS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)


class PolishOptions(NamedTuple):
    """How far `polish` goes.

    Attributes
    ----------
    eps : float
        The ε at which it ends.
    tol : float
        It stops when no entry of the gradient is larger.
    max_steps : int
        Most iterations for each run and each ε.
    """

    eps: float
    tol: float
    max_steps: int

    @classmethod
    def checked(cls, eps: RealLike = 1e-5, tol: RealLike = 1e-10, max_steps: IntegerLike = 3000) -> PolishOptions:
        """Check what a user would write.

        Raises
        ------
        ValueError, TypeError
            Naming the option that is wrong.
        """
        return cls(
            check_real("eps", eps, above=0),
            check_real("tol", tol, above=0),
            check_integer("max_steps", max_steps, at_least=1),
        )


def polish(
    problem: Problem,
    parameters: Sequence[Tensor],
    *,
    eps: RealLike = 1e-5,
    tol: RealLike = 1e-10,
    max_steps: IntegerLike = 3000,
) -> list[Tensor]:
    """Minimise the objective by L-BFGS in float64 from given parameters; `Runs.polish` does it for runs.

    Parameters
    ----------
    problem : Problem
        The problem.
    parameters : sequence of L + 1 tensors
        (H_1, W_1, …, W_L), each with the run as first dimension.
    eps : float
        Every ReLU is relaxed to ReLU_ε, with ε = 10⁻², 10⁻³, … down to this value, each from where the last
        one ended. Networks without ReLU are minimised as they are.
    tol : float
        Stop when no entry of the gradient is larger.
    max_steps : int
        Most iterations for each run and each ε.

    Returns
    -------
    list of L + 1 tensors
        In float64.

    Notes
    -----
    The relaxation is not for convenience. The solutions that gradient descent finds hold many
    pre-activations at exactly 0, the kink of the ReLU, where the objective has no gradient, and descent with a
    fixed step chatters about it. A stationary point of the relaxed objective is one of the original up to ε,
    with the slopes of ReLU_ε as the choice from the subdifferential.

    References
    ----------
    lowrank, Definition 7 (the relaxation).

    Examples
    --------
    >>> from numerics import descent
    >>> rough = descent.train(3, 3, 1e-3, width=6, seeds=1, steps=2000)
    >>> fine = polish(rough.problem, rough.parameters)
    >>> bool(descent.loss(rough.problem, fine)[0] < rough.losses[0])
    True
    """
    options = PolishOptions.checked(eps, tol, max_steps)
    check_parameters(problem, parameters)
    stages = [e for e in _EPSILONS if e > options.eps] + [options.eps]
    point = [p.double().clone() for p in parameters]
    with torch.inference_mode():
        for stage in dict.fromkeys(relaxed(problem, e) for e in stages):
            point = _minimise(stage, point, options)
    return point


def _minimise(problem: Problem, start: Sequence[Tensor], options: PolishOptions) -> list[Tensor]:
    sizes = [rows * columns for rows, columns in shapes(problem)]
    point = torch.cat([p.flatten(1) for p in start], 1)
    slope = torch.empty_like(point)

    def matrices(rows: Float[Tensor, "S P"]) -> list[Tensor]:
        parts = torch.split(rows, sizes, 1)
        return [part.view(len(rows), *shape) for part, shape in zip(parts, shapes(problem), strict=True)]

    here, gradient = matrices(point.clone()), matrices(slope)
    network = Network(problem, here)

    def objective(x: Float[Tensor, "S P"]) -> tuple[Float[Tensor, " S"], Float[Tensor, "S P"]]:
        for matrix, new in zip(here, matrices(x), strict=True):
            matrix.copy_(new)
        network.gradient(gradient)
        return network.objective(), slope

    return matrices(minimise(objective, point, tol=options.tol, max_steps=options.max_steps))
