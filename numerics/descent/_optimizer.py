"""Full-batch optimisers for a batch of runs: gradient descent, momentum, Adam.

Each holds its state in tensors with the run as first dimension and steps in place,
so that a run can be frozen, saved or replayed without touching the others, and a CUDA
graph can capture the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from numerics.descent._network import Network
from theory.arguments import check_choice, check_real

__all__ = ["OPTIMIZERS", "Adam", "GradientDescent", "Momentum", "Optimizer", "check_options", "make_optimizer"]

_UNROLLED = 20  # steps in one CUDA graph; even, because gradient descent alternates two buffers for H_1


class Optimizer:
    """A method that steps a network; the subclasses say which.

    Parameters
    ----------
    network : Network
        What is stepped.
    lr : float
        Learning rate.
    """

    def __init__(self, network: Network, lr: float) -> None:
        self.network, self.lr = network, lr
        self._graph: torch.cuda.CUDAGraph | None = None

    def state(self) -> list[Tensor]:
        """Return every tensor that a step changes and the next one reads, the parameters first."""
        return list(self.network.parameters)

    def advance(self, steps: int) -> None:
        """Take that many steps, through a CUDA graph where there is a GPU."""
        if self.network.device.type == "cuda" and steps >= _UNROLLED:
            if self._graph is None:
                self._graph = self._capture()
            for _ in range(steps // _UNROLLED):
                self._graph.replay()
            steps %= _UNROLLED
        self._steps(steps)

    def snapshot(self) -> list[Tensor]:
        """Copy the `state`."""
        return [tensor.clone() for tensor in self.state()]

    def restore(self, snapshot: Sequence[Tensor]) -> None:
        """Go back to a `snapshot`."""
        for tensor, saved in zip(self.state(), snapshot, strict=True):
            tensor.copy_(saved)

    def freeze(self, runs: Tensor) -> None:
        """Set the runs that are marked to zero, where the gradient is zero, so that they stay there."""
        for tensor in self.state():
            if tensor.dim() > 0:
                tensor[runs] = 0

    def _steps(self, steps: int) -> None:
        raise NotImplementedError

    def _capture(self) -> torch.cuda.CUDAGraph:
        saved, device = self.snapshot(), self.network.device
        stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream):
            self._steps(4)
        torch.cuda.current_stream(device).wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._steps(_UNROLLED)
        self.restore(saved)
        return graph


class GradientDescent(Optimizer):
    """θ ← θ − lr ∇loss(θ), the optimiser of the paper's experiments."""

    def __init__(self, network: Network, lr: float) -> None:
        super().__init__(network, lr)
        self._spare = torch.empty_like(network.parameters[0])

    def _steps(self, steps: int) -> None:
        network, lr, spare = self.network, self.lr, self._spare
        for _ in range(steps):
            spare = network.descend(lr, spare)
        if steps % 2:  # leave H_1 in the buffer it came in
            spare.copy_(network.parameters[0])
            spare, network.parameters[0] = network.parameters[0], spare
        self._spare = spare


class Momentum(Optimizer):
    """Heavy ball: v ← μ v + ∇loss(θ), θ ← θ − lr v.

    Parameters
    ----------
    network : Network
        What is stepped.
    lr : float
        Learning rate.
    momentum : float
        μ, from 0 to below 1.
    """

    def __init__(self, network: Network, lr: float, momentum: float = 0.9) -> None:
        super().__init__(network, lr)
        self.momentum = momentum
        self._gradient = [torch.empty_like(p) for p in network.parameters]
        self._velocity = [torch.zeros_like(p) for p in network.parameters]

    def state(self) -> list[Tensor]:
        """Return parameters and velocities."""
        return [*self.network.parameters, *self._velocity]

    def _steps(self, steps: int) -> None:
        for _ in range(steps):
            self.network.gradient(self._gradient)
            for p, v, g in zip(self.network.parameters, self._velocity, self._gradient, strict=True):
                v.mul_(self.momentum).add_(g)
                p.add_(v, alpha=-self.lr)


class Adam(Optimizer):
    """Adam on the objective (the regularisation is part of the gradient).

    Parameters
    ----------
    network : Network
        What is stepped.
    lr : float
        Learning rate.
    betas : pair of floats
        Decay of the first and second moments, from 0 to below 1.
    epsilon : float
        Added to the root of the second moment.
    """

    def __init__(
        self, network: Network, lr: float, betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8
    ) -> None:
        super().__init__(network, lr)
        self.betas, self.epsilon = betas, epsilon
        parameters = network.parameters
        self._gradient = [torch.empty_like(p) for p in parameters]
        self._mean = [torch.zeros_like(p) for p in parameters]
        self._square = [torch.zeros_like(p) for p in parameters]
        # In tensors, so that a captured graph updates them; in float64, where 1 − β^t keeps its digits.
        self._powers = [torch.ones((), dtype=torch.float64, device=network.device) for _ in betas]

    def state(self) -> list[Tensor]:
        """Return parameters, moments, and the powers of the betas."""
        return [*self.network.parameters, *self._mean, *self._square, *self._powers]

    def _steps(self, steps: int) -> None:
        (b1, b2), (p1, p2) = self.betas, self._powers
        for _ in range(steps):
            self.network.gradient(self._gradient)
            p1.mul_(b1)
            p2.mul_(b2)
            size, correction = self.lr / (1 - p1), (1 - p2).sqrt()
            for p, m, v, g in zip(self.network.parameters, self._mean, self._square, self._gradient, strict=True):
                m.mul_(b1).add_(g, alpha=1 - b1)
                v.mul_(b2).addcmul_(g, g, value=1 - b2)
                torch.sqrt(v, out=g)
                g.div_(correction).add_(self.epsilon)
                p.sub_(m / g * size)


OPTIMIZERS: Mapping[str, Callable[..., Optimizer]] = {"gd": GradientDescent, "momentum": Momentum, "adam": Adam}


def check_options(name: str, options: Mapping[str, object]) -> dict[str, Any]:
    """Return the options of an optimiser as plain numbers, after checking that it takes them.

    Parameters
    ----------
    name : {"gd", "momentum", "adam"}
        The optimiser.
    options : mapping
        What the user gave.

    Returns
    -------
    dict

    Raises
    ------
    ValueError, TypeError
        If there is no such optimiser, it does not take an option, or a number is out of range.

    Examples
    --------
    >>> check_options("adam", {"betas": ["0.8", 0.95]})
    {'betas': (0.8, 0.95)}
    """
    check_choice("optimizer", name, OPTIMIZERS)
    return {option: _checked(name, option, value) for option, value in options.items()}


def make_optimizer(name: str, network: Network, lr: float, **options: object) -> Optimizer:
    """Make an optimiser by name.

    Parameters
    ----------
    name : {"gd", "momentum", "adam"}
        Which.
    network : Network
        What is stepped.
    lr : float
        Learning rate.
    **options
        "momentum" takes ``momentum``; "adam" takes ``betas`` and ``epsilon``.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError, TypeError
        As `check_options`.
    """
    options = check_options(name, options)
    return OPTIMIZERS[name](network, check_real("lr", lr, above=0), **options)


def _checked(name: str, option: str, value: Any) -> float | tuple[float, float]:
    match name, option:
        case "momentum", "momentum":
            return _fraction("momentum", value)
        case "adam", "betas":
            if isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 2:
                raise TypeError(f"betas = {value!r}; betas must be two numbers in [0, 1)")
            return _fraction("betas[0]", value[0]), _fraction("betas[1]", value[1])
        case "adam", "epsilon":
            return check_real("epsilon", value, at_least=0)
    raise TypeError(f"optimizer_options has {option!r}, which {name!r} does not take")


def _fraction(name: str, value: object) -> float:
    number = check_real(name, value, at_least=0)
    if number >= 1:
        raise ValueError(f"{name} = {value!r}; {name} must be in [0, 1)")
    return number
