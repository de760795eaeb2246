"""Checks of arguments, with errors that name the argument, the value and what is allowed."""

from fractions import Fraction
from numbers import Rational, Real
from typing import Any

import numpy as np


def check_integer(name: str, value: object, *, at_least: int, at_most: int | None = None) -> int:
    """`value` as an int; an integral float such as 10.0 counts as an integer.

    Raises
    ------
    TypeError
        If it is not a real number (a bool is none).
    ValueError
        If it is not integral, below `at_least` or above `at_most`.
    """
    allowed = f"{name} must be an integer ≥ {at_least}" + (f" and ≤ {at_most}" if at_most is not None else "")
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}; {allowed}")
    try:
        exact = Fraction(value) if isinstance(value, Rational) else Fraction(float(value))
    except (ValueError, OverflowError):  # NaN, infinity
        raise ValueError(f"{name} = {value!r}; {allowed}") from None
    if exact.denominator != 1 or exact < at_least or (at_most is not None and exact > at_most):
        raise ValueError(f"{name} = {value!r}; {allowed}")
    return exact.numerator


def check_real(name: str, value: Any, *, above: float | None = None, at_least: float | None = None) -> Any:
    """`value`, unchanged, after making sure that it is a finite real number within the bound given.

    Raises
    ------
    TypeError
        If it is not a real number (a bool is none).
    ValueError
        If it is not finite, not above `above` or not at least `at_least`.
    """
    bound = f" > {above}" if above is not None else f" ≥ {at_least}" if at_least is not None else ""
    allowed = f"{name} must be a finite real number{bound}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}; {allowed}")
    number = float(value)
    within = (above is None or number > above) and (at_least is None or number >= at_least)
    if not (np.isfinite(number) and within):
        raise ValueError(f"{name} = {value!r}; {allowed}")
    return value
