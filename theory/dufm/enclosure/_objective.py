"""The loss of one block as a function of its scale u, and intervals of u that hold one local minimum each.

In units of the block's share of the classes the loss is f(u) = (L/2) c u^{1/L} + Σ w_i / (2 (1 + e_i u)), and
f'(u) = u^{1/L−1} (c − G(u)) / 2 with G(u) = Σ w_i e_i u^{1−1/L} / (1 + e_i u)²: minima are where G falls through c. The
lemmas that the methods stand for are proved in docs/enclosures.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from flint import arb, ctx, fmpq

from theory.deadline import Deadline
from theory.dufm.enclosure._bounds import HALF, Ball, Interval, root

__all__ = ["LocalMinimum", "Node", "Objective", "Part", "Undecided", "smallest"]


class Undecided(ArithmeticError):
    """The working precision does not decide a comparison."""


@dataclass(frozen=True)
class Part:
    """A block of a solution, as the minimisation needs it.

    Attributes
    ----------
    share : fmpq
        Its share of the classes.
    L : int
        Layers.
    eigenvalues : tuple of int
        The distinct e_i, the largest first.
    weights : tuple of fmpq
        The shares w_i of their eigenspaces in the block; they add to 1.
    cost : callable
        c, at the working precision.
    """

    share: fmpq
    L: int
    eigenvalues: tuple[int, ...]
    weights: tuple[fmpq, ...]
    cost: Callable[[], Ball]


class LocalMinimum(NamedTuple):
    """Bounds of a local minimum.

    Attributes
    ----------
    value : Interval
        Bounds of f there.
    scale : Ball
        Some exact u at or close to the minimiser.
    bracket : Ball
        An interval of u that is proved to contain the minimiser.
    """

    value: Interval
    scale: Ball
    bracket: Ball


class Node:
    """A scale u, and what f is made of there: its pieces by eigenvalue, its value, and how far G is above c."""

    def __init__(self, f: Objective, u: Ball) -> None:
        f.deadline.check()
        self.u = u
        self.root = root(u, f.L)
        damped = [1 / (1 + e * u) for e in f.eigenvalues]
        self.fits = [w * d for w, d in zip(f.weights, damped, strict=True)]
        self.bumps = [u / self.root * e * fit * d for e, fit, d in zip(f.eigenvalues, self.fits, damped, strict=True)]
        self.tilts = [f.rise - 2 * (1 - d) for d in damped]  # d log bump / d log u, decreasing in u
        self.norms = f.half_L_cost * self.root
        self.value = self.norms + sum(self.fits) / 2
        self.excess = sum(self.bumps) - f.cost

    @property
    def slope(self) -> Ball:
        """f′(u) = u^{1/L−1} (c − G(u)) / 2; of all scales in the ball, if u is one."""
        return -self.excess * self.root / self.u / 2


class Objective:
    """The loss f of a block at the working precision."""

    def __init__(self, part: Part, deadline: Deadline) -> None:
        self.deadline = deadline
        self.L = part.L
        self.eigenvalues = part.eigenvalues
        self.weights = [arb(w) for w in part.weights]
        self.cost = part.cost()
        self.half_L_cost = self.cost * self.L / 2
        self.rise = 1 - arb(1) / self.L
        self.peak = fmpq(self.L - 1, self.L + 1)  # of a bump, in e u
        height = arb(self.peak) ** self.rise / (1 + self.peak) ** 2
        self.heights = [w * root(arb(e), self.L) * height for w, e in zip(self.weights, self.eigenvalues, strict=True)]

    def ends(self) -> tuple[Ball, Ball] | None:
        """Scales between which all minima below f(0) = 1/2 lie; None if there is none."""
        first = (arb(self.peak) / self.eigenvalues[0]).lower()  # G rises up to here
        if self.half_L_cost * root(first, self.L) > HALF:
            return None
        tails = sum(w / e for w, e in zip(self.weights, self.eigenvalues, strict=True))
        # beyond, G ≤ tails · u^{−1−1/L} is below c
        last = ((tails / self.cost).log() * fmpq(self.L, self.L + 1)).exp().upper()
        return (first, last) if first < last else None

    def isolate(self) -> list[tuple[Ball, Ball]]:
        """Disjoint intervals with one local minimum each; the global minimum is one of these minima, or f(0) = 1/2."""
        ends = self.ends()
        if ends is None:
            return []
        found, best = [], arb(HALF)
        waiting = [(Node(self, ends[0]), Node(self, ends[1]))]
        while waiting:
            low, high = waiting.pop()
            best = smallest(best, low.value.upper(), high.value.upper())
            if self.above(best, low, high) or self.monotone(low, high):
                continue
            if self.falls(low, high):
                if low.excess > 0 > high.excess:
                    found.append((low.u, high.u))
                    continue
                if low.excess < 0 or high.excess > 0:
                    continue
            node = self._between(low, high)
            waiting += [(low, node), (node, high)]
        return found

    def _between(self, low: Node, high: Node) -> Node:
        middle = (low.u * high.u).sqrt().mid()
        if not low.u < middle < high.u or high.u / low.u - 1 < arb(2) ** (16 - ctx.prec):
            raise Undecided
        return Node(self, middle)

    def above(self, best: Ball, low: Node, high: Node) -> bool:
        """Whether f is proved to be above `best` between two scales: the norms rise in u, the fit falls."""
        return bool(low.norms + sum(high.fits) / 2 > best)

    def monotone(self, low: Node, high: Node) -> bool:
        """Whether G is proved to stay on one side of c, so that f rises or falls throughout."""
        most = sum(self._highest(low, high))
        least = sum(a.min(b) for a, b in zip(low.bumps, high.bumps, strict=True))
        return bool(most < self.cost or least > self.cost)

    def _highest(self, low: Node, high: Node) -> list[Ball]:
        """Each bump's largest value: at an end, unless its peak may lie between."""
        return [
            height if not (low.u * e >= self.peak or high.u * e <= self.peak) else a.max(b)
            for height, e, a, b in zip(self.heights, self.eigenvalues, low.bumps, high.bumps, strict=True)
        ]

    def falls(self, low: Node, high: Node) -> bool:
        """Whether G is proved to fall throughout."""
        return bool(self.slope(low, high) < 0)

    def slope(self, low: Node, high: Node) -> Ball:
        """An upper bound of d G / d log u between two scales, from the tilts at the lower one."""
        slope = arb(0)
        highest = self._highest(low, high)
        for tilt, most, a, b in zip(low.tilts, highest, low.bumps, high.bumps, strict=True):
            slope += tilt * a.min(b) if tilt <= 0 else tilt * most
        return slope

    def local_minimum(self, low: Ball, high: Ball, bits: int) -> LocalMinimum:
        """Bounds of the minimum in an isolating interval, to about `bits` bits."""
        u = self._crossing(low, high, bits)
        spread = arb(2) ** (8 - bits // 2)
        below, above = (u * (1 - spread)).mid(), (u * (1 + spread)).mid()
        below, above = below if low < below else low, above if above < high else high
        if not Node(self, below).excess > 0 > Node(self, above).excess:
            below, above = self._bisected(low, high, spread)
            u = (below * above).sqrt().mid()
        around = below.union(above).union(u)
        # f(minimiser) = f(u) + f'(between)·(minimiser − u), and it is at most f(u)
        error = Node(self, around).slope * (around - u)
        node = Node(self, u)
        return LocalMinimum(Interval((node.value + error).lower(), node.value.upper()), u, around)

    def _bisected(self, low: Ball, high: Ball, spread: Ball) -> tuple[Ball, Ball]:
        while high / low - 1 > spread:
            middle = (low * high).sqrt().mid()
            excess = Node(self, middle).excess
            if excess > 0:
                low = middle
            elif excess < 0:
                high = middle
            else:  # as close as the working precision gets
                break
        return low, high

    def _crossing(self, low: Ball, high: Ball, bits: int) -> Ball:
        """An approximation of where G falls through c: Newton's method in log u, then in u with doubling precision."""
        u = self._rough_crossing(low, high)
        precision = 64
        while precision < bits // 2 + 16:
            precision = min(2 * precision - 16, bits // 2 + 32)
            with ctx.workprec(precision):
                node = Node(self, u)
                slope = sum(t * b for t, b in zip(node.tilts, node.bumps, strict=True)) / u
                u = (u - node.excess / slope).mid()
        return u

    def _rough_crossing(self, low: Ball, high: Ball) -> Ball:
        """The same to about 32 bits, kept between the ends by bisection."""
        start, end = low, high
        with ctx.workprec(64):
            u = (start * end).sqrt().mid()
            for _ in range(200):
                node = Node(self, u)
                if node.excess > 0:
                    start = u
                elif node.excess < 0:
                    end = u
                total = sum(node.bumps)
                slope = sum(t * b for t, b in zip(node.tilts, node.bumps, strict=True)) / total
                step = -(total / self.cost).log() / slope
                newton = (u * step.exp()).mid() if slope < 0 else start
                u = newton if start < newton < end else (start * end).sqrt().mid()
                if abs(step) < arb(2) ** -32 or not start < u < end:
                    break
        return u


def smallest(*exact: Ball) -> Ball:
    """The smallest of some balls of radius 0."""
    least = exact[0]
    for ball in exact[1:]:
        least = ball if ball < least else least
    return least
