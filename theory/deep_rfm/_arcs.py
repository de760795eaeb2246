"""Angles and cosines as arguments, and the integrals over arcs that they enter, evaluated without cancellation."""

from __future__ import annotations

from math import factorial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from theory.arguments import check_array
from theory.foreign import array_of

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["arc_of_squares", "as_angle", "as_cosine", "fourth_power_of_sine", "lune"]


def as_cosine(name: str, value: ArrayLike) -> Float[np.ndarray, "..."]:
    """Return `value` as float64 cosines; what exceeds [−1, 1] by rounding, as products of unit rows may, is cut off.

    Rounding is up to 1000 machine epsilons of the dtype that was given.

    Raises
    ------
    TypeError, ValueError
        If it is no array of numbers in [−1, 1], naming the first entry that is not.
    """
    return _within(name, value, -1.0, 1.0, "[-1, 1]")


def as_angle(name: str, value: ArrayLike) -> Float[np.ndarray, "..."]:
    """Return `value` as float64 angles; what exceeds [0, π] by rounding, as π in float32 does, is cut off.

    Rounding is up to 1000 machine epsilons of the dtype that was given.

    Raises
    ------
    TypeError, ValueError
        If it is no array of numbers in [0, π], naming the first entry that is not.
    """
    return _within(name, value, 0.0, np.pi, "[0, pi]")


def _within(name: str, value: Any, low: float, high: float, allowed: str) -> Float[np.ndarray, "..."]:
    array = check_array(name, value)
    given = array_of(name, value).dtype
    rounding = 1000.0 * float(np.finfo(given if given.kind == "f" else np.float64).eps)
    wrong = (array < low - rounding) | (array > high + rounding)
    if wrong.any():
        at = tuple(map(int, np.argwhere(wrong)[0]))
        entry = f"{name}[{', '.join(map(str, at))}]" if at else name
        raise ValueError(f"{entry} = {float(array[at])!r}; {name} must be in {allowed}")
    return np.asarray(np.clip(array, low, high))


def lune(x: Float[np.ndarray, "..."] | np.float64) -> Float[np.ndarray, "..."]:
    """Return sin x − x cos x on [0, π]; below 1.5 by its series x³/3 (1 − x²/10 (1 − x²/28 (1 − x²/54 (…))))."""
    tail = np.ones_like(x)
    for k in range(12, 0, -1):  # the ratio of consecutive terms is −x²/(2k(2k+3))
        tail = 1 - x**2 / (2 * k * (2 * k + 3)) * tail
    value: Float[np.ndarray, "..."] = np.where(x < 1.5, x**3 / 3 * tail, np.sin(x) - x * np.cos(x))
    return value


def arc_of_squares(x: Float[np.ndarray, "..."] | np.float64) -> Float[np.ndarray, "..."]:
    """Return x (1 + 2 cos² x) − 3 sin x cos x on [0, π]; below 0.5 by its series."""
    t = 2 * x
    series = sum((-1) ** k * t ** (2 * k + 1) * (k - 1) / factorial(2 * k + 1) for k in range(2, 14))
    value: Float[np.ndarray, "..."] = np.where(x < 0.5, series, t + t / 2 * np.cos(t) - 1.5 * np.sin(t))
    return value


def fourth_power_of_sine(x: Float[np.ndarray, "..."] | np.float64) -> Float[np.ndarray, "..."]:
    """Return the integral of sin⁴ from 0 to x on [0, π]; below 0.5 by its series."""
    series = sum(
        (-1) ** k * (4 ** (2 * k + 1) - 4 ** (k + 2)) * x ** (2 * k + 1) / factorial(2 * k + 1) for k in range(2, 14)
    )
    closed = (12 * x - 8 * np.sin(2 * x) + np.sin(4 * x)) / 32
    value: Float[np.ndarray, "..."] = np.where(x < 0.5, series / 32, closed)
    return value
