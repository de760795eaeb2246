"""The global minimum of a block's loss over its scale: every local one and the zero solution are compared."""

from __future__ import annotations

from typing import NamedTuple

from flint import arb, ctx

from theory.deadline import Deadline
from theory.dufm.enclosure._bounds import HALF, HIGHEST, Ball, Interval
from theory.dufm.enclosure._objective import Objective, Part, Undecided, smallest

__all__ = ["LOW", "Minimum", "minimum"]

LOW = 96  # bits for finding the minima and for boxes


class Minimum(NamedTuple):
    """Bounds of the global minimum of a block's loss.

    Attributes
    ----------
    value : Interval
        Bounds of the minimum; exactly 1/2 where the zero solution is proved to be optimal.
    scale : Ball
        Some exact u at or close to the minimiser; 0 for the zero solution.
    bracket : Ball or None
        An interval that is proved to contain the minimiser; None if it may be another one.
    """

    value: Interval
    scale: Ball
    bracket: Ball | None = None


def minimum(part: Part, bits: int, deadline: Deadline) -> Minimum:
    """The global minimum of a block's loss over its scale, to about `bits` bits.

    Raises
    ------
    ArithmeticError
        If comparisons stay undecided up to a very high precision.
    TimeoutError
        If the time is over.
    """
    candidates = _candidates(part, deadline)
    if not candidates:
        return Minimum(Interval.exactly(HALF), arb(0))
    with ctx.workprec(bits):
        f = Objective(part, deadline)
        minima = [f.local_minimum(*ends, bits) for ends in candidates]
        best = min(minima, key=lambda m: m.value.upper)
        lower = smallest(*(m.value.lower for m in minima))
        if lower >= HALF:
            return Minimum(Interval.exactly(HALF), arb(0))
        upper = smallest(best.value.upper, arb(HALF))
        unique = len(minima) == 1 and upper < HALF
        return Minimum(Interval(lower, upper), best.scale, best.bracket if unique else None)


def _candidates(part: Part, deadline: Deadline) -> list[tuple[Ball, Ball]]:
    """Intervals with one local minimum each, such that the global minimum is among these or 1/2."""
    bits = LOW
    while True:
        try:
            with ctx.workprec(bits):
                return _promising(Objective(part, deadline), bits)
        except Undecided:
            bits *= 2
            if bits > HIGHEST:
                raise ArithmeticError(f"the minima of the loss cannot be told apart at {bits // 2} bits") from None


def _promising(f: Objective, bits: int) -> list[tuple[Ball, Ball]]:
    intervals = f.isolate()
    values = [f.local_minimum(*ends, bits).value for ends in intervals]
    best = smallest(arb(HALF), *(v.upper for v in values))
    return [ends for ends, v in zip(intervals, values, strict=True) if not v.lower > best]
