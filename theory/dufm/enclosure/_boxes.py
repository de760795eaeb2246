"""Proved bounds of L_srg / L_dnc over a box of problems: an interval of λ, and several K and L.

Both losses are concave in κ, so that each lies above its chord and below its tangents; intervals of κ are divided until
that is tight enough. docs/enclosures.md has the proof.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import count, islice
from typing import Any, NamedTuple, NoReturn, cast

from flint import arb, ctx, fmpq

from theory.arguments import IntegerLike, RealLike, check_exact, check_integer
from theory.deadline import Deadline
from theory.dufm._problem import LARGEST_K, SMALLEST_K, SMALLEST_L
from theory.dufm.enclosure._blocks import Blocks, Kappa, rational
from theory.dufm.enclosure._bounds import HALF, Ball, Bounds, Interval, WidthNotReached, root
from theory.dufm.enclosure._minimum import LOW, minimum
from theory.dufm.enclosure._objective import Part
from theory.wording import shown

__all__ = ["Curve", "Point", "Sample", "enclose_ratio_over", "quotient_above"]


def enclose_ratio_over(
    K: IntegerLike | Iterable[IntegerLike],
    L: IntegerLike | Iterable[IntegerLike],
    lam: Sequence[RealLike],
    *,
    n: IntegerLike = 1,
    width: RealLike = "1e-3",
    max_points: IntegerLike = 20_000,
    time_limit: RealLike | None = None,
) -> Bounds:
    """Prove bounds of L_srg / L_dnc over a box: every λ of an interval and all the K and L given.

    Parameters
    ----------
    K, L : int or iterable of int
        Numbers of classes and layers, such as ``range(6, 29)``.
    lam : pair of float, Fraction or decimal string
        The interval's ends, both included.
    n : int
        Samples per class.
    width : float, Fraction or decimal string
        Each bound is at most this far beyond a value that the ratio takes in the box.
    max_points : int
        How many problems may be solved before the subdivision is given up.
    time_limit : float, optional
        Seconds before it is given up; without it the result does not depend on the machine. Ctrl-C stops it any time.

    Returns
    -------
    Bounds

    Raises
    ------
    WidthNotReached
        If `max_points` or `time_limit` do not suffice; it carries the bounds proved so far.
    TimeoutError
        If the time is over before there are any.
    ValueError, TypeError
        As `enclose_ratio`; and if the box is empty, or `max_points` too few for the ends of its intervals.

    References
    ----------
    lowrank, Theorem 5; the method is proved in docs/enclosures.md.

    Examples
    --------
    >>> from decimal import Decimal
    >>> lower, upper = enclose_ratio_over(range(6, 11), [4, 5], ("1e-6", "1e-4"))
    >>> lower.quantize(Decimal("0.001")), upper.quantize(Decimal("0.001"))
    (Decimal('0.752'), Decimal('0.976'))
    """
    deadline = Deadline(time_limit)
    max_points = check_integer("max_points", max_points, at_least=2)
    orders = _integers("K", K, SMALLEST_K["srg"], LARGEST_K, max_points)
    depths = _integers("L", L, SMALLEST_L, None, max_points)
    if 2 * len(orders) * len(depths) > max_points:
        raise ValueError(
            f"K and L give {len(orders)} × {len(depths)} intervals, whose ends are more than max_points = {max_points}"
        )
    if not isinstance(lam, Sequence) or isinstance(lam, str) or len(lam) != 2:
        raise TypeError(f"lam = {shown(lam)}; lam must be a pair (low, high)")
    low, high = (check_exact(f"lam[{i}]", end, above=0) for i, end in enumerate(lam))
    if low > high:
        raise ValueError(f"lam = ({lam[0]!r}, {lam[1]!r}) is an empty interval; lam[0] must be at most lam[1]")
    n = check_integer("n", n, at_least=1)
    goal = rational("width", check_exact("width", width, above=0))
    with ctx.workprec(LOW):
        kappas = [(Kappa.of(L, (low,), n), Kappa.of(L, (high,), n)) for L in depths]
        curves = [Curve(K, least, most, deadline) for K in orders for least, most in kappas]
        return _Boxes(curves, goal, deadline).hull(max_points)


def _integers(
    name: str, values: IntegerLike | Iterable[IntegerLike], at_least: int, at_most: int | None, at_most_values: int
) -> list[int]:
    one = isinstance(values, str) or not isinstance(values, Iterable) or getattr(values, "shape", None) == ()
    few: Iterable[Any] = [values] if one else islice(cast("Iterable[Any]", values), at_most_values)
    listed = [check_integer(name, value, at_least=at_least, at_most=at_most) for value in few]
    if not listed:
        raise ValueError(f"{name} is empty; the box must hold at least one {name}")
    return listed


class Sample(NamedTuple):
    """A block's loss at one κ, and a linear function of κ that is nowhere below the loss and touches it there."""

    value: Interval
    slope: Ball
    constant: Ball

    def line(self, kappa: Ball) -> Ball:
        """The linear function."""
        return self.slope * kappa + self.constant


class Point(NamedTuple):
    """Both blocks' losses at one κ, and the ratio there."""

    kappa: Ball
    graph: Sample
    collapsed: Sample
    ratio: Ball


class Curve:
    """The ratio for one K and L as a function of κ, between the ends that belong to an interval of λ."""

    def __init__(self, K: int, low: Kappa, high: Kappa, deadline: Deadline) -> None:
        self.K, self.L, self.deadline = K, low.L, deadline
        self.ends = [self.point(low(K).lower()), self.point(high(K).upper())]

    def point(self, kappa: Ball) -> Point:
        """Solve both problems at one κ."""
        blocks = Blocks(self.K, self.L, lambda: kappa, self.deadline)
        graph = self._sample(blocks.graph, blocks.relative_cost())
        collapsed = self._sample(blocks.collapsed, arb(1))
        self.mixed = blocks.mixed
        trivial = graph.value.exact_half and collapsed.value.exact_half
        ratio = arb(1) if trivial else blocks.mixed(graph.value.ball / collapsed.value.ball)
        return Point(kappa, graph, collapsed, ratio)

    def _sample(self, part: Part, relative: Ball) -> Sample:
        value, u, _ = minimum(part, LOW, self.deadline)
        slope = relative * root(u, self.L) * self.L / 2 if u > 0 else arb(0)
        fit = sum(w / (1 + e * u) for w, e in zip(part.weights, part.eigenvalues, strict=True)) / 2
        return Sample(value, slope, fit)

    def bounds(self, left: Point, right: Point) -> tuple[Ball, Ball]:
        """Bounds of the ratio between two points."""
        if left.graph.value.exact_half and left.collapsed.value.exact_half:
            return arb(1), arb(1)  # the losses never fall in κ, and are at most 1/2
        graphs, collapsed = (left.graph, right.graph), (left.collapsed, right.collapsed)
        most = quotient_above(left.kappa, right.kappa, graphs, collapsed)
        least = 1 / quotient_above(left.kappa, right.kappa, collapsed, graphs)
        return self.mixed(least).lower(), self.mixed(most).upper()


def quotient_above(left: Ball, right: Ball, above: tuple[Sample, Sample], below: tuple[Sample, Sample]) -> Ball:
    """An upper bound of the quotient of two losses on an interval of κ.

    The numerator is below the lines of its samples and below 1/2, the denominator above its chord. A quotient of linear
    functions is monotone, so that its ends bound it.

    Parameters
    ----------
    left, right : Ball
        The interval's ends.
    above, below : pair of Sample
        The numerator's samples at the ends, and the denominator's.

    Returns
    -------
    Ball
    """
    first, second = above
    middle = _crossing(left, right, first, second)
    starts, ends = below[0].value.lower, below[1].value.lower
    chord = starts + (ends - starts) * ((middle - left) / (right - left)) if left < right else starts
    chord = chord.min(ends)
    pieces = [((left, starts), (middle, chord), first), ((middle, chord), (right, ends), second)]
    most = [
        (sample.line(a) / over_a).max(sample.line(b) / over_b).min((HALF / over_a).max(HALF / over_b))
        for (a, over_a), (b, over_b), sample in pieces
    ]
    return most[0].max(most[1])


def _crossing(left: Ball, right: Ball, first: Sample, second: Sample) -> Ball:
    """Where the lines of two samples cross, or some other point of the interval."""
    divisor = second.slope - first.slope
    middle = ((first.constant - second.constant) / divisor).mid() if divisor < 0 else (left * right).sqrt().mid()
    return middle if left < middle < right else ((left + right) / 2).mid()


class _Boxes:
    """Subdivision of the curves until their hull is as tight as asked for."""

    def __init__(self, curves: list[Curve], goal: fmpq, deadline: Deadline) -> None:
        self.goal, self.deadline = goal, deadline
        self.least = reduce(arb.min, (p.ratio.upper() for curve in curves for p in curve.ends))
        self.most = reduce(arb.max, (p.ratio.lower() for curve in curves for p in curve.ends))
        self.points = 2 * len(curves)
        self.order = count()  # settles ties in the heap
        self.done: list[tuple[Ball, Ball]] = []
        self.waiting: list[tuple[float, int, Curve, Point, Point, tuple[Ball, Ball]]] = []
        for curve in curves:
            self._add(curve, *curve.ends)

    def hull(self, max_points: int) -> Bounds:
        """Bounds of all curves' values, as tight as asked for."""
        while self.waiting:
            *_, curve, left, right, bounds = heapq.heappop(self.waiting)
            if self._excess(bounds) <= self.goal:
                self.done.append(bounds)
                continue
            if self.points >= max_points:
                self._give_up(bounds, f"after max_points = {max_points} problems")
            try:
                middle = curve.point((left.kappa * right.kappa).sqrt().mid())
            except TimeoutError:
                self._give_up(bounds, f"after time_limit = {self.deadline.seconds:g} s")
            self.points += 1
            self.least = self.least.min(middle.ratio.upper())
            self.most = self.most.max(middle.ratio.lower())
            self._add(curve, left, middle)
            self._add(curve, middle, right)
        return self._bounds()

    def _add(self, curve: Curve, left: Point, right: Point) -> None:
        bounds = curve.bounds(left, right)
        heapq.heappush(self.waiting, (-float(self._excess(bounds)), next(self.order), curve, left, right, bounds))

    def _excess(self, bounds: tuple[Ball, Ball]) -> Ball:
        return (self.least - bounds[0]).max(bounds[1] - self.most)

    def _bounds(self) -> Bounds:
        lower = reduce(arb.min, (bounds[0] for bounds in self.done))
        upper = reduce(arb.max, (bounds[1] for bounds in self.done))
        return Interval(lower.lower(), upper.upper()).decimals(20)

    def _give_up(self, bounds: tuple[Ball, Ball], when: str) -> NoReturn:
        excess = float(self._excess(bounds))
        self.done += [bounds, *(entry[-1] for entry in self.waiting)]
        found = self._bounds()
        raise WidthNotReached(
            f"{when} the bounds {found.lower} and {found.upper} are {excess:.3g} wide of the ratio's values, "
            f"more than width = {float(arb(self.goal)):.3g}",
            found,
            excess,
        )
