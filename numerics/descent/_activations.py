"""The activations of `theory.ufm` as operations of torch in place, with their derivatives.

An activation acts on a whole buffer of pre-activations. ReLU and the identity overwrite it; ReLU_ε needs the
pre-activation again on the way back and keeps both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from theory.arguments import check_instance, check_real
from theory.ufm import Activation, Identity, Problem, ReLU, ReLUEpsilon

__all__ = ["Kernel", "activation_entry", "activation_from_entry", "kernel", "relaxed"]

_threshold_backward = torch.ops.aten.threshold_backward.grad_input


class Kernel:
    """An activation σ on tensors; the subclasses say which.

    Attributes
    ----------
    overwrites : bool
        Whether `forward` may be given the same buffer twice.
    """

    overwrites = True

    def forward(self, pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]) -> None:
        """Write σ(pre) to `out`."""
        raise NotImplementedError

    def backward(
        self, grad: Float[Tensor, "*shape"], pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]
    ) -> None:
        """Multiply `grad` by σ'(pre), where `out` = σ(pre)."""
        raise NotImplementedError


class _ReLU(Kernel):
    def forward(self, pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]) -> None:
        if out is pre:
            pre.relu_()
        else:
            torch.clamp(pre, min=0, out=out)

    def backward(
        self, grad: Float[Tensor, "*shape"], pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]
    ) -> None:
        _threshold_backward(grad, out, 0, grad_input=grad)


class _Identity(Kernel):
    def forward(self, pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]) -> None:
        if out is not pre:
            out.copy_(pre)

    def backward(
        self, grad: Float[Tensor, "*shape"], pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]
    ) -> None:
        """Leave `grad` as it is."""


@dataclass(frozen=True)
class _ReLUEpsilon(Kernel):
    epsilon: float
    exponent: int
    overwrites = False

    def forward(self, pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]) -> None:
        p, t = self.exponent, (pre / self.epsilon).clamp_(0, 1)
        torch.clamp(pre - self.epsilon, min=0, out=out)
        out.addcmul_(t**p, p - (p - 1) * t, value=self.epsilon)

    def backward(
        self, grad: Float[Tensor, "*shape"], pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]
    ) -> None:
        p, t = self.exponent, (pre / self.epsilon).clamp_(0, 1)
        grad.mul_(t ** (p - 1)).mul_(p * p - (p * p - 1) * t)


def kernel(activation: Activation) -> Kernel:
    """Return the operations on tensors for an activation.

    Parameters
    ----------
    activation : theory.ufm.Activation
        ReLU, ReLUEpsilon or Identity.

    Returns
    -------
    Kernel

    Raises
    ------
    TypeError
        For any other activation.

    Examples
    --------
    >>> x = torch.tensor([-1.0, 2.0])
    >>> kernel(ReLU()).forward(x, x)
    >>> x
    tensor([0., 2.])
    """
    match activation:
        case ReLU():
            return _ReLU()
        case Identity():
            return _Identity()
        case ReLUEpsilon():
            return _ReLUEpsilon(activation.epsilon, activation.exponent)
    raise TypeError(
        f"activation = {activation!r} is a {type(activation).__name__};"
        " activation must be a ReLU, ReLUEpsilon or Identity"
    )


def relaxed(problem: Problem, eps: float) -> Problem:
    """Return the problem with every ReLU replaced by ReLU_ε.

    Parameters
    ----------
    problem : Problem
        The problem.
    eps : float
        ε, positive.

    Returns
    -------
    Problem

    Examples
    --------
    >>> relaxed(Problem.of(3, 2, 0.1), 0.01).activations
    (ReLUEpsilon(epsilon=0.01, exponent=2),)
    """
    eps = check_real("eps", eps, above=0)
    smooth = tuple(
        ReLUEpsilon(eps) if isinstance(a, ReLU) else a for a in check_instance("problem", problem, Problem).activations
    )
    return replace(problem, activations=smooth)


def activation_entry(activation: Activation) -> list[str | float]:
    """Say in JSON which activation it is.

    >>> activation_entry(ReLUEpsilon(0.25))
    ['relu_eps', 0.25, 2]
    """
    match activation:
        case ReLUEpsilon():
            return ["relu_eps", activation.epsilon, activation.exponent]
        case Identity():
            return ["identity", 0]
        case ReLU():
            return ["relu", 0]
    raise TypeError(f"activation = {activation!r} is a {type(activation).__name__}, which no file can hold")


def activation_from_entry(name: str, eps: float, exponent: int = 2) -> Activation:
    """Read what `activation_entry` says, now or before it knew of exponents.

    >>> activation_from_entry("relu_eps", 0.25)
    ReLUEpsilon(epsilon=0.25, exponent=2)
    """
    if name == "relu_eps":
        return ReLUEpsilon(eps, exponent)
    named: dict[str, Activation] = {"relu": ReLU(), "identity": Identity()}
    return named[name]
