"""Activations of the deep unconstrained features model, with their derivatives, in place.

An activation acts on a whole buffer of pre-activations. ReLU and the identity
overwrite it; ReLU_ε needs the pre-activation again on the way back and keeps both.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Activation", "Identity", "ReLU", "SmoothReLU", "activation"]

_threshold_backward = torch.ops.aten.threshold_backward.grad_input


@dataclass(frozen=True)
class Activation:
    """An activation σ; the subclasses say which.

    Attributes
    ----------
    overwrites : bool
        Whether ``forward`` may be given the same buffer twice.
    """

    overwrites = True

    @property
    def name(self) -> str:
        """The name under which :func:`activation` finds it."""
        raise NotImplementedError

    def forward(self, pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]) -> None:
        """Write σ(pre) to ``out``."""
        raise NotImplementedError

    def backward(
        self, grad: Float[Tensor, "*shape"], pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]
    ) -> None:
        """Multiply ``grad`` by σ'(pre), where ``out`` = σ(pre)."""
        raise NotImplementedError


@dataclass(frozen=True)
class ReLU(Activation):
    """max(x, 0), with derivative 0 at 0."""

    @property
    def name(self) -> str:
        """``"relu"``."""
        return "relu"

    def forward(self, pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]) -> None:
        """Write max(pre, 0) to ``out``."""
        if out is pre:
            pre.relu_()
        else:
            torch.clamp(pre, min=0, out=out)

    def backward(
        self, grad: Float[Tensor, "*shape"], pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]
    ) -> None:
        """Zero ``grad`` where the activation is 0."""
        _threshold_backward(grad, out, 0, grad_input=grad)


@dataclass(frozen=True)
class Identity(Activation):
    """x: a linear layer."""

    @property
    def name(self) -> str:
        """``"identity"``."""
        return "identity"

    def forward(self, pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]) -> None:
        """Copy, if there is anything to copy."""
        if out is not pre:
            out.copy_(pre)

    def backward(
        self, grad: Float[Tensor, "*shape"], pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]
    ) -> None:
        """Leave ``grad`` as it is."""


@dataclass(frozen=True)
class SmoothReLU(Activation):
    """ReLU_ε: 0 below 0, x above ε, and ε t²(2 − t) with t = x/ε in between.

    The cubic joins the two with a continuous derivative t(4 − 3t), which is
    positive on (0, 1] and at most 4/3.

    References
    ----------
    `lowrank`, Definition 7.
    """

    eps: float = 1e-3
    overwrites = False

    def __post_init__(self) -> None:
        if isinstance(self.eps, bool) or not isinstance(self.eps, Real):
            raise TypeError(f"eps must be a number, got {self.eps!r}")
        if not 0 < self.eps < float("inf"):
            raise ValueError(f"eps must be positive and finite, got {self.eps!r}")

    @property
    def name(self) -> str:
        """``"relu_eps"``."""
        return "relu_eps"

    def forward(self, pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]) -> None:
        """Write ReLU_ε(pre) to ``out``, which may not be ``pre``."""
        t = (pre / self.eps).clamp_(0, 1)
        torch.clamp(pre - self.eps, min=0, out=out)
        out.addcmul_(t * t, 2 - t, value=self.eps)

    def backward(
        self, grad: Float[Tensor, "*shape"], pre: Float[Tensor, "*shape"], out: Float[Tensor, "*shape"]
    ) -> None:
        """Multiply ``grad`` by t(4 − 3t), t = pre/ε clipped to [0, 1]."""
        t = (pre / self.eps).clamp_(0, 1)
        grad.mul_(t).mul_(4 - 3 * t)


def activation(spec: str | Activation, eps: float = 1e-3) -> Activation:
    """Look an activation up by its name.

    Parameters
    ----------
    spec : str or Activation
        ``"relu"``, ``"identity"``, ``"relu_eps"``, or an activation, which is returned.
    eps : float
        The ε of ``"relu_eps"``.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> activation("relu_eps", eps=0.5)
    SmoothReLU(eps=0.5)
    """
    if isinstance(spec, Activation):
        return spec
    match spec:
        case "relu":
            return ReLU()
        case "identity":
            return Identity()
        case "relu_eps":
            return SmoothReLU(eps)
    raise ValueError(f"activation must be 'relu', 'relu_eps', 'identity' or an Activation, got {spec!r}")
