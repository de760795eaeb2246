"""The arguments that every DUFM function takes: K, L, the regularisation and n, checked and brought to common shapes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log
from numbers import Rational, Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from theory.arguments import check_integer

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from numpy.typing import ArrayLike

__all__ = ["Integers", "Regularisation", "Scalar", "exact_lams", "log_exact", "problems", "scalar_problem"]

Scalar: TypeAlias = "float | Fraction | str"
Integers: TypeAlias = "int | ArrayLike"
Regularisation: TypeAlias = "Scalar | ArrayLike | None"

LARGEST_K = 10**12  # up to here r(r−1)/2 ≤ K is decided exactly in float64
SMALLEST_K = {"srg": 6, "dnc": 2}
SMALLEST_L = 3
_POSITIVE = "a positive finite number, Fraction or decimal string"


@dataclass(frozen=True)
class Problems:
    """Flat arrays of DUFM problems, one entry a problem, and the shape that the caller's arguments broadcast to."""

    K: Int[np.ndarray, " problems"]
    L: Int[np.ndarray, " problems"]
    log_lams_n: Float[np.ndarray, " problems"]  # log(n λ_H1 λ_W1 ⋯ λ_WL)
    shape: tuple[int, ...]

    def shaped(self, values: Float[np.ndarray, " problems"]) -> float | Float[np.ndarray, "..."]:
        """`values` as the caller expects them: a float for scalars, else an array of the broadcast shape."""
        return values.reshape(self.shape) if self.shape else float(values[0])


def problems(
    K: Integers, L: Integers, lam: Regularisation, lams: Sequence[Scalar] | None, n: Integers, *, solution: str
) -> Problems:
    """Check the arguments of a vectorised function and broadcast them.

    Raises
    ------
    ValueError
        If a value is out of range, the shapes do not broadcast, or not exactly one of `lam` and `lams` is given.
    TypeError
        If a value is of a wrong type.
    """
    Ks = _integers("K", K, SMALLEST_K[solution], LARGEST_K)
    Ls = _integers("L", L, SMALLEST_L)
    ns = _integers("n", n, 1)
    _one_of(lam, lams)
    if lams is not None:
        if Ks.ndim or Ls.ndim:
            raise ValueError(f"lams goes with scalar K and L; K has shape {Ks.shape}, L has shape {Ls.shape}")
        total = sum(log_exact(value) for value in exact_lams(lams, int(Ls))) + np.log(ns)
    else:
        logs = _logs("lam", lam)
        shapes = {"K": Ks.shape, "L": Ls.shape, "lam": logs.shape, "n": ns.shape}
        try:
            np.broadcast_shapes(*shapes.values())
        except ValueError:
            listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise ValueError(f"the shapes of the arguments do not broadcast: {listed}") from None
        total = (Ls + 1) * logs + np.log(ns)
    Ks, Ls, total = np.broadcast_arrays(Ks, Ls, total)
    return Problems(Ks.ravel(), Ls.ravel(), np.asarray(total, float).ravel(), Ks.shape)


def scalar_problem(
    K: int, L: int, lam: Scalar | None, lams: Sequence[Scalar] | None, n: int, *, solution: str
) -> tuple[int, int, tuple[Fraction, ...], int]:
    """Check the arguments of one problem: K, L, the L+1 regularisations as exact numbers, and n.

    Raises
    ------
    ValueError, TypeError
        As `problems`.
    """
    K = check_integer("K", K, at_least=SMALLEST_K[solution], at_most=LARGEST_K)
    L = check_integer("L", L, at_least=SMALLEST_L)
    n = check_integer("n", n, at_least=1)
    _one_of(lam, lams)
    values = exact_lams(lams, L) if lams is not None else (_exact("lam", lam),) * (L + 1)
    return K, L, values, n


def exact_lams(lams: Sequence[Scalar], L: int) -> tuple[Fraction, ...]:
    """(λ_H1, λ_W1, …, λ_WL) as exact positive numbers.

    Raises
    ------
    ValueError
        If there are not L+1 of them or one is not positive and finite.
    TypeError
        If `lams` is not a sequence of numbers.
    """
    if isinstance(lams, (str, bytes)) or not hasattr(lams, "__len__"):
        raise TypeError(f"lams = {lams!r} is a {type(lams).__name__}; lams must be a sequence of L+1 = {L + 1} numbers")
    if len(lams) != L + 1:
        raise ValueError(f"lams has {len(lams)} entries; for L = {L} it must have L+1 = {L + 1}: λ_H1, λ_W1, …, λ_W{L}")
    return tuple(_exact(f"lams[{i}]", value) for i, value in enumerate(lams))


def _one_of(lam: object, lams: object) -> None:
    if (lam is None) == (lams is None):
        given = "neither" if lam is None else "both"
        raise ValueError(f"{given} of lam and lams given; exactly one is allowed")


def _exact(name: str, value: object) -> Fraction:
    """A positive number as it stands: a Fraction or a decimal string exactly, a float by its binary value."""
    allowed = f"{name} must be {_POSITIVE}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (Real, str)):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}; {allowed}")
    try:
        if isinstance(value, str) and not re.fullmatch(r"[^eE]*([eE][+-]?\d{1,4})?", value):
            raise ValueError("an exponent of more than four digits would take the memory of that many")
        exact = Fraction(str(value) if isinstance(value, (Rational, str)) else float(value))
    except (ValueError, OverflowError, ZeroDivisionError):
        raise ValueError(f"{name} = {value!r}; {allowed}") from None
    if exact <= 0:
        raise ValueError(f"{name} = {value!r}; {allowed}")
    return exact


def log_exact(value: Fraction) -> float:
    """log of a positive number, also where the number itself would overflow or underflow a float."""
    nearest = (
        float(value) if value.numerator.bit_length() - value.denominator.bit_length() in range(-1000, 1000) else 0.0
    )
    return log(nearest) if nearest else log(value.numerator) - log(value.denominator)


def _logs(name: str, values: Any) -> Float[np.ndarray, "..."]:
    """log of positive numbers of any allowed type, elementwise."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":  # strings, Fractions, and what is not allowed
        objects = np.asarray(values, dtype=object)
        logs = [log_exact(_exact(name, value)) for value in objects.ravel()]
        return np.array(logs, float).reshape(objects.shape)
    array = array.astype(float)
    wrong = ~(np.isfinite(array) & (array > 0))
    if wrong.any():
        raise ValueError(f"{name} = {array[wrong][0]}; {name} must be {_POSITIVE}")
    logarithms: Float[np.ndarray, "..."] = np.log(array)
    return logarithms


def _integers(name: str, values: Any, at_least: int, at_most: int | None = None) -> Int[np.ndarray, "..."]:
    array = np.asarray(values)
    allowed = f"{name} must be an integer ≥ {at_least}" + (f" and ≤ {at_most}" if at_most is not None else "")
    if array.dtype.kind not in "iuf":
        flat = [check_integer(name, value, at_least=at_least) for value in np.asarray(values, dtype=object).ravel()]
        array = np.array(flat, dtype=float).reshape(array.shape)
    wrong = ~np.isfinite(array) | (array != np.floor(array)) | (array < at_least)
    if at_most is not None:
        wrong |= array > at_most
    if wrong.any():
        raise ValueError(f"{name} = {array[wrong][0]}; {allowed}")
    return array.astype(np.int64)
