"""Checks of arguments, with errors that name the argument, the value and what is allowed."""

from fractions import Fraction
from numbers import Rational, Real

import numpy as np


def check_integer(name: str, value: object, *, at_least: int) -> int:
    """`value` as an int; an integral float such as 10.0 counts as an integer.

    Raises
    ------
    TypeError
        If it is not a real number (a bool is none).
    ValueError
        If it is not integral, or below `at_least`.
    """
    allowed = f"{name} must be an integer ≥ {at_least}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}; {allowed}")
    try:
        exact = Fraction(value) if isinstance(value, Rational) else Fraction(float(value))
    except (ValueError, OverflowError):  # NaN, infinity
        raise ValueError(f"{name} = {value!r}; {allowed}") from None
    if exact.denominator != 1 or exact < at_least:
        raise ValueError(f"{name} = {value!r}; {allowed}")
    return exact.numerator
