"""Many problems at once: what closed forms need of them, as flat arrays, and the reading of array arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_exact, check_integer, refuse_masked
from theory.foreign import array_of
from theory.ufm._problem import LARGEST, LARGEST_L, Problem, exact_lams, log_exact, one_of

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from numpy.typing import ArrayLike

__all__ = ["Integers", "Problems", "Regularisation"]

Integers: TypeAlias = "IntegerLike | ArrayLike"
Regularisation: TypeAlias = "RealLike | ArrayLike | None"

_DEEPEST = 600.0  # losses below about exp(−600) are computed times a power of e that makes them this large


@dataclass(frozen=True)
class Problems:
    """Flat arrays of L-DUFM problems, one entry a problem, and the shape that the caller's arguments broadcast to.

    Attributes
    ----------
    K, L : ndarray of int64, shape (problems,)
    log_lams_n : ndarray, shape (problems,)
        log (n λ_H1 λ_W1 ⋯ λ_WL).
    shape : tuple of int
        The shape of what the caller gets back.

    Examples
    --------
    >>> batch = Problems.of([3, 4], 2, ["1e-3", 1e-3])
    >>> batch.K, batch.log_kappa.round(4)
    (array([3, 4]), array([-8.7137, -8.2822]))
    """

    K: Int[np.ndarray, " problems"]
    L: Int[np.ndarray, " problems"]
    log_lams_n: Float[np.ndarray, " problems"]
    shape: tuple[int, ...]

    @classmethod
    def of(
        cls,
        K: Integers,
        L: Integers,
        lam: Regularisation = None,
        *,
        lams: Sequence[RealLike] | None = None,
        n: Integers = 1,
        smallest_K: int = 2,
        largest_K: int = LARGEST,
        smallest_L: int = 1,
    ) -> Problems:
        """Check the arguments of a vectorised function and broadcast them.

        Parameters
        ----------
        K, L, n : int or array_like of int
            Classes, layers, samples per class.
        lam : float, Fraction, decimal string, or array_like of these, optional
            One regularisation for every matrix, positive.
        lams : sequence of L+1 numbers, optional
            (λ_H1, λ_W1, …, λ_WL), in place of `lam`; K and L are then scalars.
        smallest_K, largest_K, smallest_L : int
            What is allowed.

        Returns
        -------
        Problems

        Raises
        ------
        ValueError
            If a value is out of range, the shapes do not broadcast, or not exactly one of `lam` and `lams` is given.
        TypeError
            If a value is of a wrong type.
        """
        Ks = _integers("K", K, smallest_K, largest_K)
        Ls = _integers("L", L, smallest_L, LARGEST)
        ns = _integers("n", n, 1, LARGEST)
        one_of(lam, lams)
        if lams is not None:
            if Ks.ndim or Ls.ndim:
                raise ValueError(f"lams goes with scalar K and L; K has shape {Ks.shape}, L has shape {Ls.shape}")
            depth = check_integer("L", L, at_least=smallest_L, at_most=LARGEST_L)
            total = sum(log_exact(value) for value in exact_lams(depth, None, lams, positive=True)) + np.log(ns)
        else:
            logs = _logs("lam", lam)
            _check_broadcast(K=Ks.shape, L=Ls.shape, lam=logs.shape, n=ns.shape)
            total = (Ls + 1) * logs + np.log(ns)
        Ks, Ls, total = np.broadcast_arrays(Ks, Ls, total)
        return cls(Ks.ravel(), Ls.ravel(), np.asarray(total, float).ravel(), Ks.shape)

    @classmethod
    def one(cls, problem: Problem) -> Problems:
        """A single problem, with all λ positive."""
        return cls(np.array([problem.K]), np.array([problem.L]), np.array([problem.log_lams_n]), ())

    def __getitem__(self, index: Any) -> Problems:
        """Some of the problems, by any index of a flat array that leaves one."""
        K = self.K[index]
        return Problems(K, self.L[index], self.log_lams_n[index], K.shape)

    def shaped(self, values: Float[np.ndarray, " problems"]) -> float | Float[np.ndarray, "..."]:
        """`values` as the caller expects them: a float for scalars, else an array of the broadcast shape."""
        return values.reshape(self.shape) if self.shape else float(values[0])

    @cached_property
    def log_kappa(self) -> Float[np.ndarray, " problems"]:
        """log κ of deep neural collapse, κ = K (n λ_H1 λ_W1 ⋯ λ_WL K)^{1/L}."""
        log_K = np.log(self.K)
        kappa: Float[np.ndarray, " problems"] = log_K + (self.log_lams_n + log_K) / self.L
        return kappa

    @cached_property
    def shift(self) -> Float[np.ndarray, " problems"]:
        """What to multiply a loss by, as a logarithm, so that it is a normal float: 0 but for the very smallest.

        A small loss of collapse is about ((L+1)/2) K times the geometric mean of the L+1 regularisations.
        """
        shift: Float[np.ndarray, " problems"] = np.maximum(0.0, -self.log_lams_n / (self.L + 1) - _DEEPEST)
        return shift

    def losses(self, shifted: Float[np.ndarray, " problems"]) -> Float[np.ndarray, " problems"]:
        """Losses from their values times exp(shift).

        Raises
        ------
        ValueError
            If one is below the floats of full precision.
        """
        losses: Float[np.ndarray, " problems"] = shifted * np.exp(-self.shift)
        if (losses < np.finfo(float).tiny).any():
            raise ValueError(
                "lam is so small that the loss is below 2.2e-308, the least float of full precision; lam must be "
                "larger, except for ratios of losses and enclosures"
            )
        return losses


def _check_broadcast(**shapes: tuple[int, ...]) -> None:
    try:
        np.broadcast_shapes(*shapes.values())
    except ValueError:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"the shapes of the arguments do not broadcast: {listed}") from None


def _logs(name: str, values: Any) -> Float[np.ndarray, "..."]:
    """log of positive numbers of any allowed type, elementwise."""
    refuse_masked(name, values)
    array = array_of(name, values) if hasattr(values, "detach") else np.asarray(values)
    if array.dtype.kind not in "iuf":  # strings, Fractions, and what is not allowed
        objects = np.asarray(values, dtype=object)
        logs = [log_exact(check_exact(name, value, above=0)) for value in objects.ravel()]
        return np.array(logs, float).reshape(objects.shape)
    array = array.astype(float)
    wrong = ~(np.isfinite(array) & (array > 0))
    if wrong.any():
        check_exact(name, float(array[wrong][0]), above=0)
    logarithms: Float[np.ndarray, "..."] = np.asarray(np.log(array))
    return logarithms


def _integers(name: str, values: Any, at_least: int, at_most: int) -> Int[np.ndarray, "..."]:
    """Integers of any allowed type, elementwise, as int64."""
    refuse_masked(name, values)
    array = array_of(name, values) if hasattr(values, "detach") else np.asarray(values)
    if array.dtype.kind not in "iuf":
        objects = np.asarray(values, dtype=object)
        flat = [check_integer(name, value, at_least=at_least, at_most=at_most) for value in objects.ravel()]
        return np.array(flat, dtype=np.int64).reshape(objects.shape)
    with np.errstate(invalid="ignore"):
        right = (array >= at_least) & (array <= at_most) & (array == np.floor(array))
    if not right.all():
        check_integer(name, array[~right][0], at_least=at_least, at_most=at_most)
    return array.astype(np.int64)
