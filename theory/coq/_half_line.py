"""A half-line in pieces, on each of which a polynomial is positive at sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb

from theory.arguments import RealLike, check_exact
from theory.foreign import entries
from theory.wording import wrong_type

_MOST_PIECES = 200


@dataclass(frozen=True)
class Interval:
    """A closed interval, and a polynomial's Bernstein coefficients there, all of them positive.

    Attributes
    ----------
    lower, upper : Fraction
        The ends.
    bernstein : tuple of Fraction
        The polynomial at lower + t·(upper − lower) is Σ bⱼ·C(n, j)·tʲ·(1−t)ⁿ⁻ʲ.
    """

    lower: Fraction
    upper: Fraction
    bernstein: tuple[Fraction, ...]


def pieces(coefficients: Sequence[RealLike], at_least: RealLike) -> tuple[list[Interval], Fraction, list[Fraction]]:
    """Return intervals, and a last half-line, that together prove a polynomial positive from an end to infinity.

    Parameters
    ----------
    coefficients : sequence of int, Fraction or decimal string
        The polynomial, constant coefficient first; a float is its binary value.
    at_least : int, Fraction or decimal string
        The end of the half-line.

    Returns
    -------
    intervals : list of Interval
        From the end on, each beginning where the one before ends.
    beyond : Fraction
        Where the last half-line begins.
    shifted : list of Fraction
        The polynomial's coefficients in x − beyond: none is negative, the constant one is positive.

    Raises
    ------
    ValueError
        If there are none, or more than two hundred; a polynomial that is not positive has none.

    Examples
    --------
    >>> intervals, beyond, shifted = pieces((1, -1, 0, 0, 1), 0)  # x⁴ − x + 1
    >>> [(str(i.lower), str(i.upper)) for i in intervals], beyond == 1, [int(c) for c in shifted]
    ([('0', '1')], True, [1, 3, 6, 4, 1])
    """
    polynomial = _trimmed(coefficients)
    start = check_exact("at_least", at_least)
    if not polynomial or polynomial[-1] <= 0 or shift(polynomial, start)[0] <= 0:
        raise ValueError(f"coefficients are those of a polynomial that is not positive at {start} or far beyond")
    beyond, step = start, Fraction(1)
    while not _none_negative(shifted := shift(polynomial, beyond)):
        beyond, step = start + step, 2 * step
    return _bisected(polynomial, start, beyond), beyond, shifted


def _bisected(polynomial: list[Fraction], start: Fraction, beyond: Fraction) -> list[Interval]:
    waiting, found = [(start, beyond)] if start < beyond else [], list[Interval]()
    while waiting:
        lower, upper = waiting.pop()
        if len(waiting) + len(found) > _MOST_PIECES:
            raise ValueError(f"coefficients are those of a polynomial that is not found positive near {float(lower)}")
        coefficients = bernstein(polynomial, lower, upper)
        if min(coefficients) > 0:
            found.append(Interval(lower, upper, tuple(coefficients)))
        else:
            middle = (lower + upper) / 2
            waiting += [(middle, upper), (lower, middle)]
    return found


def _trimmed(coefficients: Sequence[RealLike]) -> list[Fraction]:
    several = entries(coefficients)
    if several is None:
        raise wrong_type("coefficients", coefficients, "coefficients must be a sequence of numbers")
    result = [check_exact("coefficients", c) for c in several]
    while result and not result[-1]:
        result.pop()
    return result


def _none_negative(shifted: list[Fraction]) -> bool:
    return min(shifted) >= 0 and shifted[0] > 0


def shift(polynomial: Sequence[int | Fraction], by: int | Fraction) -> list[Fraction]:
    """Return the coefficients in x − by.

    Examples
    --------
    >>> [int(c) for c in shift([0, 0, 1], 3)]
    [9, 6, 1]
    """
    result = [Fraction(c) for c in polynomial]
    for i in range(len(result)):
        for j in range(len(result) - 2, i - 1, -1):
            result[j] += by * result[j + 1]
    return result


def bernstein(polynomial: Sequence[int | Fraction], lower: int | Fraction, upper: int | Fraction) -> list[Fraction]:
    """Return the Bernstein coefficients of a polynomial on an interval.

    Examples
    --------
    >>> [str(c) for c in bernstein([1, -1, 1], 0, 1)]  # 1 − x + x²
    ['1', '1/2', '1']
    """
    n, width = len(polynomial) - 1, upper - lower
    powers = [c * width**k for k, c in enumerate(shift(polynomial, lower))]
    return [
        sum((Fraction(comb(j, k), comb(n, k)) * powers[k] for k in range(j + 1)), Fraction(0)) for j in range(n + 1)
    ]
