"""The door of every public function: scalar arguments are converted here, or refused with one wording.

A number may be an int, a float, a Fraction, a Decimal, a NumPy scalar or a zero-dimensional array or tensor, and where
a real number is wanted also a decimal string; they all mean the same everywhere. A bool is no number. An array is one
of real numbers without a mask.

Every error names the argument, the value and what is allowed:

>>> check_integer("K", 5, at_least=6)
Traceback (most recent call last):
...
ValueError: K = 5; K must be an integer ≥ 6
>>> check_integer("K", "many", at_least=6)
Traceback (most recent call last):
...
TypeError: K = 'many' is a str; K must be an integer ≥ 6
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Set
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from numbers import Rational, Real
from typing import TYPE_CHECKING, Any, SupportsFloat, TypeAlias, TypeVar

import numpy as np

from theory.foreign import array_of, scalar_of
from theory.wording import wrong_type, wrong_value

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["LARGEST_SIZE", "IntegerLike", "RealLike"]
__all__ += ["check_array", "check_choice", "check_exact", "check_integer", "check_real", "check_sequence"]
__all__ += ["check_instance", "refuse_masked"]

#: What `check_integer` converts, where its value is integral: any type of number, no string.
IntegerLike: TypeAlias = SupportsFloat
#: What `check_real` and `check_exact` convert: any type of number, or a decimal string.
RealLike: TypeAlias = SupportsFloat | str

T = TypeVar("T")
LARGEST_SIZE = 2**31 - 1
"""How large the number of classes, samples, features … of an array that is made may be."""


def check_integer(name: str, value: object, *, at_least: int, at_most: int | None = None) -> int:
    """Return `value` as an int; an integral float such as 10.0 counts as an integer.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller was given.
    at_least : int
        The least value that is allowed.
    at_most : int, optional
        The largest value that is allowed.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If it is not a real number (a bool or a string is none).
    ValueError
        If it is not integral, below `at_least` or above `at_most`.

    Examples
    --------
    >>> check_integer("K", np.uint8(200), at_least=2), check_integer("K", Fraction(6, 2), at_least=2)
    (200, 3)
    """
    allowed = f"{name} must be an integer ≥ {at_least}" + (f" and ≤ {at_most}" if at_most is not None else "")
    number = scalar_of(value)
    if not _is_real(number):
        raise wrong_type(name, value, allowed)
    exact = _fraction(number)
    if exact is None or exact.denominator != 1 or exact < at_least or (at_most is not None and exact > at_most):
        raise wrong_value(name, value, allowed)
    return exact.numerator


def check_real(name: str, value: object, *, above: float | None = None, at_least: float | None = None) -> float:
    """Return `value` as a finite float within the bound given.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller was given; a decimal string counts as a number.
    above, at_least : float, optional
        The bound, which the value has to exceed or may not fall below.

    Returns
    -------
    float
        The nearest float. A positive number that is too small for a float is refused where 0 would be.

    Raises
    ------
    TypeError
        If it is not a real number (a bool is none).
    ValueError
        If it is not finite, beyond the floats, not above `above` or not at least `at_least`.

    Examples
    --------
    >>> check_real("lam", "5e-4", above=0), check_real("lam", Fraction(1, 4), above=0)
    (0.0005, 0.25)
    """
    allowed = f"{name} must be a finite real number" + _bound(above, at_least)
    exact = _exact(name, value, allowed)
    try:
        number = float(exact)
    except OverflowError:
        raise wrong_value(name, value, allowed) from None
    # Both the number and its nearest float have to be within: a tiny positive one must not become 0 where 0 is
    # refused.
    if not all(_within(candidate, above, at_least) for candidate in (exact, number)):
        raise wrong_value(name, value, allowed)
    return number


def check_exact(name: str, value: object, *, above: int | None = None, at_least: int | None = None) -> Fraction:
    """Return `value` exactly: a Fraction or a decimal string as it stands, a float by its binary value.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller was given.
    above, at_least : int, optional
        The bound, which the value has to exceed or may not fall below.

    Returns
    -------
    Fraction

    Raises
    ------
    TypeError
        If it is not a real number (a bool is none).
    ValueError
        If it is not finite, not within the bound, or a decimal string with an exponent of more than four digits.

    Examples
    --------
    >>> check_exact("lam", "5e-4", above=0), check_exact("lam", 0.5, above=0)
    (Fraction(1, 2000), Fraction(1, 2))
    """
    allowed = f"{name} must be a finite number, Fraction or decimal string" + _bound(above, at_least)
    exact = _exact(name, value, allowed)
    if not _within(exact, above, at_least):
        raise wrong_value(name, value, allowed)
    return exact


def check_choice(name: str, value: T, choices: Collection[T]) -> T:
    """Return `value` if it is one of the choices.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller was given.
    choices : collection
        What is allowed.

    Returns
    -------
    object
        The choice that the value equals: a NumPy string becomes a str.

    Raises
    ------
    ValueError
        If it is none of them.

    Examples
    --------
    >>> check_choice("polish", "no", ["none", "best"])
    Traceback (most recent call last):
    ...
    ValueError: polish = 'no'; polish must be one of 'none', 'best'
    >>> type(check_choice("polish", np.str_("best"), ["none", "best"]))
    <class 'str'>
    """
    for choice in choices:
        if isinstance(value, type(choice)) and isinstance(value, bool) == isinstance(choice, bool) and value == choice:
            return choice
    raise wrong_value(name, value, f"{name} must be one of {', '.join(map(repr, choices))}")


def check_sequence(
    name: str, values: Any, check: Callable[[str, object], T], *, length: int | None = None, entries: str = "numbers"
) -> list[T]:
    """Return the entries of a sequence, each as a check of scalars returns it.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    values : object
        What the caller was given.
    check : callable
        Takes an entry's name and the entry, and returns it converted or raises.
    length : int, optional
        The number of entries that there must be; at least 1 by default.
    entries : str
        What the entries are, for the error.

    Returns
    -------
    list

    Raises
    ------
    TypeError
        If it is no sequence.
    ValueError
        If the number of entries is wrong.

    Examples
    --------
    >>> check_sequence("widths", np.array([3.0, 4.0]), lambda name, width: check_integer(name, width, at_least=1))
    [3, 4]
    """
    wanted = f"{name} must be a sequence of {'one or more' if length is None else length} {entries}"
    refuse_masked(name, values)
    if hasattr(values, "detach") and values.ndim:
        values = array_of(name, values)
    shape = getattr(values, "shape", None)
    none = isinstance(values, (str, bytes, Mapping, Set)) or shape == ()
    if none or not hasattr(values, "__len__"):
        raise wrong_type(name, values, wanted)
    if (len(values) == 0) if length is None else (len(values) != length):
        raise ValueError(f"{name} has {len(values)} entries; {wanted}")
    return [check(f"{name}[{i}]", value) for i, value in enumerate(values)]


def check_array(
    name: str, value: object, *, ndim: int | None = None, empty: bool = True, finite: bool = True
) -> Float[np.ndarray, "..."]:
    """Return `value` as a float64 array of numbers.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : array_like
        What the caller was given.
    ndim : int, optional
        The number of dimensions that it must have.
    empty : bool
        Whether it may be empty.
    finite : bool
        Whether every entry must be finite.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    TypeError
        If it is no array of real numbers, or a masked array.
    ValueError
        If its shape is not allowed, or an entry is not finite.

    Examples
    --------
    >>> check_array("M", [1, 2], ndim=2)
    Traceback (most recent call last):
    ...
    ValueError: M has shape (2,); M must have 2 dimensions
    """
    refuse_masked(name, value)
    array = _numbers(name, value)
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} has shape {array.shape}; {name} must have {ndim} dimension{'s' * (ndim != 1)}")
    if not (empty or array.size):
        raise ValueError(f"{name} has shape {array.shape}; {name} must not be empty")
    if finite and not np.isfinite(array).all():
        where = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
        raise ValueError(f"{name}[{', '.join(map(str, where))}] = {array[where]}; {name} must be finite")
    return array


def check_instance(name: str, value: object, kind: type[T]) -> T:
    """Return `value` if it is an object of a class.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller was given.
    kind : type
        The class.

    Returns
    -------
    object

    Raises
    ------
    TypeError
        If it is none.
    """
    if not isinstance(value, kind):
        raise wrong_type(name, value, f"{name} must be of the class {kind.__name__}")
    return value


def refuse_masked(name: str, value: object) -> None:
    """Raise TypeError if `value` is a masked array, whose mask NumPy's functions would pass over in silence."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array; {name} must be an array without a mask, for instance {name}.filled(0)"
        )


def _numbers(name: str, value: Any) -> Float[np.ndarray, "..."]:
    array = array_of(name, value)
    if array.dtype.kind in "OU":  # Fractions, long integers, decimal strings
        flat = [check_real(f"{name}.flat[{i}]", entry) for i, entry in enumerate(array.ravel())]
        array = np.array(flat, float).reshape(array.shape)
    if array.dtype.kind not in "iuf" and array.size:
        raise TypeError(f"{name} has entries of type {array.dtype}; {name} must be an array of real numbers")
    return array.astype(float, copy=False)


def _is_real(value: object) -> bool:
    return isinstance(value, (Real, Decimal)) and not isinstance(value, (bool, np.bool_))


def _fraction(number: Any) -> Fraction | None:
    if isinstance(number, Decimal):
        short = number.is_finite() and abs(number.adjusted()) < 10_000
        return Fraction(number) if short else None
    try:
        return (
            Fraction(int(number.numerator), int(number.denominator))
            if isinstance(number, Rational)
            else Fraction(float(number))
        )
    except (ValueError, OverflowError):  # NaN, infinity
        return None


def _exact(name: str, value: object, allowed: str) -> Fraction:
    number = scalar_of(value)
    if not (_is_real(number) or isinstance(number, str)):
        raise wrong_type(name, value, allowed)
    if not isinstance(number, str):
        exact = _fraction(number)
    elif re.fullmatch(r"[^eE]*([eE][+-]?\d{1,4})?", number):  # longer ones would take the memory of that many digits
        try:
            exact = Fraction(number)
        except (ValueError, ZeroDivisionError):
            exact = None
    else:
        exact = None
    if exact is None:
        raise wrong_value(name, value, allowed)
    return exact


def _within(number: Fraction | float, above: float | None, at_least: float | None) -> bool:
    finite = isinstance(number, Fraction) or isfinite(number)
    return finite and (above is None or number > above) and (at_least is None or number >= at_least)


def _bound(above: float | None, at_least: float | None) -> str:
    return f" > {above}" if above is not None else f" ≥ {at_least}" if at_least is not None else ""
