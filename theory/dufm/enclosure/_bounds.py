"""Numbers between which a value is proved to lie, as balls and as decimals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any, NamedTuple, TypeAlias

from flint import arb, ctx, fmpq, fmpz

from theory.arguments import LARGEST_SIZE, IntegerLike, check_integer
from theory.deadline import Deadline

__all__ = ["HALF", "HIGHEST", "Ball", "Bounds", "Interval", "WidthNotReached", "root", "to_width"]

Ball: TypeAlias = Any  # flint.arb, which has no type information

HALF = fmpq(1, 2)
HIGHEST = 1 << 14  # bits at which an undecided comparison is given up
_QUICK = 1 << 15  # bits up to which one evaluation takes no time worth foreseeing


class Bounds(NamedTuple):
    """Numbers between which a value is proved to lie; both are exact.

    Attributes
    ----------
    lower, upper : Decimal
        The bounds, which are equal where the value is known exactly.

    Examples
    --------
    >>> Bounds(Decimal("0.25"), Decimal("0.5")).width
    Decimal('0.25')
    >>> from fractions import Fraction
    >>> Fraction(1, 3) in Bounds(Decimal("0.25"), Decimal("0.5"))
    True
    """

    lower: Decimal
    upper: Decimal

    @property
    def width(self) -> Decimal:
        """The difference upper − lower, rounded up."""
        return Context(prec=9, rounding=ROUND_CEILING).subtract(self.upper, self.lower)

    def __contains__(self, value: object) -> bool:
        """Say whether a number lies between the bounds or is one of them."""
        return bool(self.lower <= value <= self.upper)  # type: ignore[operator]


class WidthNotReached(RuntimeError):
    """The subdivision came to its limit; `bounds` are proved all the same, and `excess` is what was reached.

    Attributes
    ----------
    bounds : Bounds
        Valid bounds, wider than asked for.
    excess : float
        The width that they have in place of the one asked for.
    """

    def __init__(self, message: str, bounds: Bounds, excess: float) -> None:
        super().__init__(message, bounds, excess)
        self.bounds, self.excess = bounds, excess

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Interval:
    """Bounds of one number; the ends are balls of radius 0."""

    lower: Ball
    upper: Ball

    @classmethod
    def of(cls, ball: Ball) -> Interval:
        """The interval that a ball is."""
        return cls(ball.lower(), ball.upper())

    @classmethod
    def exactly(cls, value: arb | fmpq | int) -> Interval:
        """A number that is a ball of radius 0."""
        return cls(arb(value), arb(value))

    def smaller(self, other: Interval) -> Interval:
        """Bounds of the smaller of two numbers."""
        lower = self.lower if self.lower < other.lower else other.lower
        return Interval(lower, self.upper if self.upper < other.upper else other.upper)

    @property
    def exact_half(self) -> bool:
        """Whether the number is proved to be 1/2."""
        return bool(self.lower == HALF and self.upper == HALF)

    @property
    def ball(self) -> Ball:
        """A ball that contains the interval."""
        return self.lower if self.lower == self.upper else self.lower.union(self.upper)

    def narrower_than(self, digits: int) -> bool:
        """Whether the ends differ by no more than 10^−digits times the lower one."""
        return bool((self.upper - self.lower) * arb(10) ** digits <= self.lower)

    def decimals(self, digits: int) -> Bounds:
        """The ends, rounded outwards to so many digits."""
        return Bounds(_decimal(self.lower, digits, ROUND_FLOOR), _decimal(self.upper, digits, ROUND_CEILING))


def root(x: Ball, L: int) -> Ball:
    """x^{1/L} for x > 0 and any integer L ≥ 1; Arb's own root stops at the machine's largest integer."""
    return x.root(L) if L < 1 << 63 else (x.log() / L).exp()


def to_width(interval: Callable[[int], Interval], digits: IntegerLike, deadline: Deadline) -> Bounds:
    """Raise the precision until the bounds agree to the digits asked for.

    Parameters
    ----------
    interval : callable
        Bounds of the number at a precision in bits.
    digits : int
        The bounds will differ by at most 10^−digits times the value.
    deadline : Deadline
        Many digits are approached in steps, so that the time is known to be too short before it is over.

    Returns
    -------
    Bounds

    Raises
    ------
    TimeoutError
        If the time does not suffice.
    ArithmeticError
        If the bounds stay apart.
    """
    digits = check_integer("digits", digits, at_least=1, at_most=LARGEST_SIZE)
    bits = int(3.3220 * digits) + 48
    for fewer in _rungs(bits):
        before = deadline.spent
        with ctx.workprec(fewer):
            interval(fewer)
        deadline.check((deadline.spent - before) * bits / fewer)  # more bits cost more than in proportion
    while True:
        with ctx.workprec(bits):
            found = interval(bits)
            if found.narrower_than(digits + 1):
                return found.decimals(digits + 3)
        bits *= 2
        if bits > max(HIGHEST, 64 * digits):
            raise ArithmeticError(f"the bounds did not come within 10^-{digits} of each other at {bits // 2} bits")


def _rungs(bits: int) -> Iterator[int]:
    rung = _QUICK
    while rung < bits:
        yield rung
        rung *= 8


def _decimal(exact: Ball, digits: int, rounding: str) -> Decimal:
    """A ball of radius 0, rounded once; by way of an integer of a few digits more, whose rounding goes the same way."""
    mantissa, exponent = exact.man_exp()
    if mantissa == 0:
        return Decimal(0)
    shift = digits + 2 - int(0.30103 * (int(abs(mantissa)).bit_length() + int(exponent)))
    above, below = fmpz(mantissa), fmpz(1)
    for base, power in ((2, int(exponent)), (10, shift)):
        above, below = (above * fmpz(base) ** power, below) if power >= 0 else (above, below * fmpz(base) ** -power)
    shifted = above // below if rounding == ROUND_FLOOR else -(-above // below)
    context = Context(prec=digits, rounding=rounding)
    return context.create_decimal(f"{shifted}E{-shift}").normalize(context)
