"""The activations of the unconstrained features model, entrywise, with their derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_choice, check_integer, check_real

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["Activation", "ActivationLike", "Identity", "ReLU", "ReLUEpsilon", "activation", "activations"]

_NAMES = ("relu", "relu_eps", "identity")


@runtime_checkable
class Activation(Protocol):
    """A function of the entries with its derivative."""

    def __call__(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """σ, entrywise."""

    def derivative(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """σ', entrywise."""


@dataclass(frozen=True)
class ReLU:
    """The ReLU max(x, 0), with derivative 0 at 0."""

    def __call__(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """max(x, 0), entrywise."""
        positive: Float[np.ndarray, "..."] = np.maximum(x, 0.0)
        return positive

    def derivative(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """1 where x > 0, else 0."""
        return (np.asarray(x) > 0).astype(float)


@dataclass(frozen=True)
class Identity:
    """The identity: a linear layer."""

    def __call__(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """x, as it is."""
        return np.asarray(x, float)

    def derivative(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """1 everywhere."""
        return np.ones_like(x, dtype=float)


@dataclass(frozen=True)
class ReLUEpsilon:
    """A continuously differentiable function that is the ReLU outside [0, ε] and increasing inside.

    Inside it is ε uᵖ (p − (p−1) u) with u = x/ε; p = 2 is the cubic. Large p come as far from the ReLU as the
    definition allows, up to ε.

    Parameters
    ----------
    epsilon : float
        Positive.
    exponent : int
        p ≥ 2: how flat the function leaves 0.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range or no number.

    References
    ----------
    lowrank, Definition 7.

    Examples
    --------
    >>> sigma = ReLUEpsilon(0.5)
    >>> sigma(np.array([-1.0, 0.25, 0.5, 2.0]))
    array([0.    , 0.1875, 0.5   , 2.    ])
    >>> sigma.derivative(np.array([-1.0, 0.25, 0.5, 2.0]))
    array([0.  , 1.25, 1.  , 1.  ])
    """

    epsilon: float = 1e-3
    exponent: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "epsilon", check_real("epsilon", self.epsilon, above=0))
        object.__setattr__(self, "exponent", check_integer("exponent", self.exponent, at_least=2))

    def __call__(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """σ_ε, entrywise."""
        p, u = self.exponent, self._inside(x)
        result: Float[np.ndarray, "..."] = np.where(x >= self.epsilon, x, self.epsilon * u**p * (p - (p - 1) * u))
        return result

    def derivative(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """σ_ε', entrywise."""
        p, u = self.exponent, self._inside(x)
        result: Float[np.ndarray, "..."] = u ** (p - 1) * (p * p - (p * p - 1) * u)
        return result

    @property
    def slope(self) -> float:
        """The largest derivative, p (p/(p+1))^(p−1); 4/3 for the cubic."""
        p = self.exponent
        return float(p * (p / (p + 1)) ** (p - 1))

    def _inside(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        clipped: Float[np.ndarray, "..."] = np.clip(np.asarray(x, float) / self.epsilon, 0.0, 1.0)
        return clipped


ActivationLike: TypeAlias = "str | Activation"


def activation(spec: ActivationLike, eps: RealLike = 1e-3) -> Activation:
    """Look an activation up by its name.

    Parameters
    ----------
    spec : str or Activation
        "relu", "identity", "relu_eps", or an activation, which is returned.
    eps : float
        The ε of "relu_eps".

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If the name is unknown, or ε is not positive.
    TypeError
        If it is neither a name nor a function with a derivative.

    Examples
    --------
    >>> activation("relu_eps", eps=0.5)
    ReLUEpsilon(epsilon=0.5, exponent=2)
    """
    if not isinstance(spec, str):
        if isinstance(spec, Activation):
            return spec
        names = ", ".join(map(repr, _NAMES))
        raise TypeError(
            f"activation = {spec!r} is a {type(spec).__name__}; activation must be {names} or an Activation"
        )
    check_choice("activation", spec, _NAMES)
    eps = check_real("eps", eps, above=0)
    return ReLUEpsilon(eps) if spec == "relu_eps" else ReLU() if spec == "relu" else Identity()


def activations(
    spec: ActivationLike | Sequence[ActivationLike], L: IntegerLike, eps: RealLike = 1e-3
) -> tuple[Activation, ...]:
    """The L−1 activations of a network with L layers of weights.

    Parameters
    ----------
    spec : str or Activation, or a sequence of L−1 of them
        One for all layers, or one each, as `activation` takes them.
    L : int
        Layers.
    eps : float
        The ε of "relu_eps".

    Returns
    -------
    tuple of L−1 Activation

    Raises
    ------
    ValueError, TypeError
        As `activation`, or if their number is wrong.

    Examples
    --------
    >>> activations(["identity", "relu"], 3)
    (Identity(), ReLU())
    """
    L = check_integer("L", L, at_least=1, at_most=10**6)
    if isinstance(spec, str) or not isinstance(spec, Sequence):
        return (activation(spec, eps),) * (L - 1)
    if len(spec) != L - 1:
        raise ValueError(f"activation = {spec!r}; activation must be one or a sequence of L−1 = {L - 1} of them")
    return tuple(activation(one, eps) for one in spec)
