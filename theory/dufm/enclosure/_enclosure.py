r"""L_srg, L_dnc and their ratio with proved bounds, by ball arithmetic (python-flint's Arb).

Divided by the share of the classes that a block has, its loss is the minimum over u ≥ 0 of

.. math::
    f(u) = \frac L2\,c\,u^{1/L} + \sum_i \frac{w_i}{2(1 + e_iu)}, \qquad
    f'(u) = \tfrac12\,u^{1/L-1}\,(c - G(u)), \quad G(u) = \sum_i \frac{w_i e_i u^{1-1/L}}{(1+e_iu)^2}.

Each bump of G rises up to :math:`e_iu = (L-1)/(L+1)` and falls after it. Left of the first peak f therefore has no minimum but 0;
elsewhere intervals are divided until each is disposed of: its least value is above one that f takes, or f is monotone on it, or G
falls on it from above c to below, so that it holds exactly one local minimum. No local minimum can be taken for the global
one, since all of them are compared, with f(0) = 1/2.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from functools import partial, reduce
from itertools import count, islice
from math import comb, prod
from typing import Any, Literal, NamedTuple, TypeAlias

from flint import arb, ctx, fmpq

from theory.arguments import check_integer
from theory.dufm._losses import Construction, check_construction
from theory.dufm._problem import SMALLEST_K, SMALLEST_L, Scalar, _exact, scalar_problem
from theory.geometry import triangular_graph

__all__ = ["Bounds", "WidthNotReached", "enclose_loss", "enclose_ratio", "enclose_ratio_over"]

Ball: TypeAlias = Any  # flint.arb, which has no type information

_LOW = 96  # bits for finding the minima and for boxes
_HIGHEST = 1 << 14  # bits at which an undecided comparison is given up
_HALF = fmpq(1, 2)


class Bounds(NamedTuple):
    """Numbers between which a value is proved to lie; both are exact.

    >>> Bounds(Decimal("0.25"), Decimal("0.5")).width
    Decimal('0.25')
    >>> Fraction(1, 3) in Bounds(Decimal("0.25"), Decimal("0.5"))
    True
    """

    lower: Decimal
    upper: Decimal

    @property
    def width(self) -> Decimal:
        """upper − lower, rounded up."""
        return Context(prec=9, rounding=ROUND_CEILING).subtract(self.upper, self.lower)

    def __contains__(self, value: object) -> bool:
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
        super().__init__(message)
        self.bounds, self.excess = bounds, excess


def enclose_loss(
    solution: Literal["srg", "dnc"],
    K: int,
    L: int,
    lam: Scalar | None = None,
    *,
    lams: Sequence[Scalar] | None = None,
    n: int = 1,
    digits: int = 30,
    construction: Construction = "block",
) -> Bounds:
    """Bounds of L_srg or L_dnc, the global minimum over the scale included.

    Parameters
    ----------
    solution : {"srg", "dnc"}
        Which.
    K : int
        Number of classes; at least 6 for "srg" and 2 for "dnc".
    L : int
        Number of layers, at least 3.
    lam : float, Fraction or decimal string, optional
        One regularisation for every matrix. Fractions and decimal strings are exact, a float is its binary value.
    lams : sequence of L+1 numbers, optional
        (λ_H1, λ_W1, …, λ_WL), in place of `lam`.
    n : int
        Samples per class.
    digits : int
        The bounds differ by at most 10^−digits times the value.
    construction : {"block", "drop", "best"}
        As in `srg_loss`.

    Returns
    -------
    Bounds
        Both are exactly 1/2 where that is proved to be the value.

    Raises
    ------
    ValueError, TypeError
        As `srg_loss`, and for an unknown solution or digits < 1.
    ArithmeticError
        If two minima of the loss cannot be told apart, where it matters which is the global one ("drop").

    References
    ----------
    lowrank, Definitions 9–11 and the proof of Theorem 5.

    Examples
    --------
    >>> lower, upper = enclose_loss("srg", 10, 4, "5e-4", digits=20)
    >>> str(lower)[:20], upper - lower < Decimal("1e-21")
    ('0.010198315767107897', True)
    """
    if solution not in ("srg", "dnc"):
        raise ValueError(f"solution = {solution!r}; allowed are 'srg' and 'dnc'")
    K, L, values, n = scalar_problem(K, L, lam, lams, n, solution=solution)
    check_construction(construction)
    if solution == "dnc":
        return _to_width(_Problem.of(K, L, values, n).collapsed_loss, digits)
    return _to_width(_srg_loss(K, L, values, n, construction), digits)


def enclose_ratio(
    K: int,
    L: int,
    lam: Scalar | None = None,
    *,
    lams: Sequence[Scalar] | None = None,
    n: int = 1,
    digits: int = 30,
    construction: Construction = "block",
) -> Bounds:
    """Bounds of L_srg / L_dnc.

    Parameters
    ----------
    K, L, lam, lams, n, digits, construction
        As in `enclose_loss`.

    Returns
    -------
    Bounds
        Both are exactly 1 where both losses are proved to be 1/2.

    Raises
    ------
    ValueError, TypeError
        As `enclose_loss`.

    References
    ----------
    lowrank, Theorem 5.

    Examples
    --------
    >>> lower, upper = enclose_ratio(10, 4, Fraction(1, 2000))
    >>> str(lower)[:20], upper - lower < Decimal("1e-30")
    ('0.816684409818276153', True)
    >>> enclose_ratio(6, 4, 1)
    Bounds(lower=Decimal('1'), upper=Decimal('1'))
    """
    K, L, values, n = scalar_problem(K, L, lam, lams, n, solution="srg")
    check_construction(construction)
    above, below = _srg_loss(K, L, values, n, construction), _Problem.of(K, L, values, n).collapsed_loss

    def quotient(bits: int) -> _Interval:
        srg, dnc = above(bits), below(bits)
        if srg.exact_half and dnc.exact_half:
            return _Interval.one()
        return _Interval.of(srg.ball / dnc.ball)

    return _to_width(quotient, digits)


def enclose_ratio_over(
    K: int | Iterable[int],
    L: int | Iterable[int],
    lam: tuple[Scalar, Scalar],
    *,
    n: int = 1,
    width: Scalar = "1e-3",
    max_points: int = 20_000,
) -> Bounds:
    r"""Bounds of L_srg / L_dnc over a box: every λ of an interval and all the K and L given.

    Both losses are concave in κ, which is proportional to :math:`\lambda^{1+1/L}`. Between two values of κ each is above its
    chord and below its tangents, and so is their ratio between quotients of linear functions; the interval is divided where
    that is too coarse.

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

    Returns
    -------
    Bounds

    Raises
    ------
    WidthNotReached
        If `max_points` do not suffice; it carries the bounds proved so far.
    ValueError, TypeError
        As `enclose_ratio`; and if the box is empty, or `max_points` too few for the ends of its intervals.

    References
    ----------
    lowrank, Theorem 5.

    Examples
    --------
    >>> lower, upper = enclose_ratio_over(range(6, 11), [4, 5], ("1e-6", "1e-4"))
    >>> lower.quantize(Decimal("0.001")), upper.quantize(Decimal("0.001"))
    (Decimal('0.752'), Decimal('0.976'))
    """
    max_points = check_integer("max_points", max_points, at_least=2)
    orders = _integers("K", K, SMALLEST_K["srg"], max_points)
    depths = _integers("L", L, SMALLEST_L, max_points)
    if 2 * len(orders) * len(depths) > max_points:
        raise ValueError(
            f"K and L give {len(orders)} × {len(depths)} intervals, whose ends are more than max_points = {max_points}"
        )
    if not isinstance(lam, Sequence) or isinstance(lam, str) or len(lam) != 2:
        raise TypeError(f"lam = {lam!r}; lam must be a pair (low, high)")
    low, high = _exact("lam[0]", lam[0]), _exact("lam[1]", lam[1])
    if low > high:
        raise ValueError(f"lam = ({lam[0]!r}, {lam[1]!r}) is an empty interval; lam[0] must be at most lam[1]")
    n = check_integer("n", n, at_least=1)
    goal = _exact("width", width)
    with ctx.workprec(_LOW):
        return _Boxes(
            [_Curve(K, L, n, low, high) for K in orders for L in depths], fmpq(goal.numerator, goal.denominator)
        ).hull(max_points)


def _integers(name: str, values: int | Iterable[int], at_least: int, at_most_values: int) -> list[int]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        values = [values]
    listed = [check_integer(name, value, at_least=at_least) for value in islice(values, at_most_values)]
    if not listed:
        raise ValueError(f"{name} is empty; the box must hold at least one {name}")
    return listed


def _kappa_power(K: int, L: int, lams: Sequence[Fraction], n: int) -> fmpq:
    """κ^L = K^{L+1} n λ_H1 λ_W1 ⋯ λ_WL, exactly."""
    exact = K ** (L + 1) * n * prod(lams)
    return fmpq(exact.numerator, exact.denominator)


def _srg_loss(
    K: int, L: int, lams: Sequence[Fraction], n: int, construction: Construction
) -> Callable[[int], _Interval]:
    """L_srg at a precision in bits."""
    _, above = triangular_graph.triangular_order(K)
    whole = comb(above, 2)
    block = _Problem.of(K, L, lams, n).block_loss
    if whole == K or construction == "block":
        return block
    drop = partial(_Problem.of(whole, L, lams, n).loss_without, whole - K)
    if construction == "drop":
        return drop
    return lambda bits: block(bits).smaller(drop(bits))


def _root_of(power: fmpq, L: int) -> Callable[[], Ball]:
    return lambda: arb(power).root(L)


# Bounds of one number.


@dataclass(frozen=True)
class _Interval:
    """Exact ends, as balls of radius 0."""

    lower: Ball
    upper: Ball

    @classmethod
    def of(cls, ball: Ball) -> _Interval:
        return cls(ball.lower(), ball.upper())

    @classmethod
    def half(cls) -> _Interval:
        return cls(arb(_HALF), arb(_HALF))

    @classmethod
    def one(cls) -> _Interval:
        return cls(arb(1), arb(1))

    def smaller(self, other: _Interval) -> _Interval:
        """Bounds of the smaller of two numbers."""
        lower = self.lower if self.lower < other.lower else other.lower
        return _Interval(lower, self.upper if self.upper < other.upper else other.upper)

    @property
    def exact_half(self) -> bool:
        return bool(self.lower == _HALF and self.upper == _HALF)

    @property
    def ball(self) -> Ball:
        return self.lower if self.lower == self.upper else self.lower.union(self.upper)

    def narrower_than(self, digits: int) -> bool:
        return bool((self.upper - self.lower) * arb(10) ** digits <= self.lower)

    def decimals(self, digits: int) -> Bounds:
        return Bounds(_decimal(self.lower, digits, ROUND_FLOOR), _decimal(self.upper, digits, ROUND_CEILING))


def _decimal(exact: Ball, digits: int, rounding: str) -> Decimal:
    mantissa, exponent = exact.man_exp()
    mantissa, exponent = int(mantissa), int(exponent)
    context = Context(prec=digits, rounding=rounding)
    rounded = (
        context.divide(Decimal(mantissa), Decimal(2**-exponent))
        if exponent < 0
        else context.create_decimal(mantissa << exponent)
    )
    return rounded.normalize(context)


def _to_width(interval: Callable[[int], _Interval], digits: int) -> Bounds:
    """Raise the precision until the bounds agree to the digits asked for."""
    digits = check_integer("digits", digits, at_least=1)
    bits = int(3.3220 * digits) + 48
    while True:
        with ctx.workprec(bits):
            found = interval(bits)
            if found.narrower_than(digits + 1):
                return found.decimals(digits + 3)
        bits *= 2
        if bits > max(_HIGHEST, 64 * digits):
            raise ArithmeticError(f"the bounds did not come within 10^-{digits} of each other at {bits // 2} bits")


# One block: the minimum over its scale.


class _Undecided(ArithmeticError):
    """The working precision does not decide a comparison."""


class _Minimum(NamedTuple):
    value: _Interval
    scale: Ball  # some exact u at or close to the minimiser, 0 for the zero solution
    bracket: Ball | None = None  # the minimiser is proved to lie in it; None if it may be another one


@dataclass(frozen=True)
class _Part:
    """A block of a solution, as the minimisation needs it.

    Attributes
    ----------
    share : fmpq
        Its share of the classes.
    L : int
    eigenvalues : tuple of int
        The distinct e_i, the largest first.
    weights : tuple of fmpq
        The shares w_i of their eigenspaces in the block.
    cost : callable
        c, at the working precision.
    """

    share: fmpq
    L: int
    eigenvalues: tuple[int, ...]
    weights: tuple[fmpq, ...]
    cost: Callable[[], Ball]

    def minimum(self, bits: int) -> _Minimum:
        """The global minimum, to about `bits` bits."""
        candidates = self._candidates()
        if not candidates:
            return _Minimum(_Interval.half(), arb(0))
        with ctx.workprec(bits):
            f = _Objective(self)
            minima = [f.local_minimum(*ends, bits) for ends in candidates]
            best = min(minima, key=lambda m: m.value.upper)
            lower = reduce(lambda a, b: a if a < b else b, (m.value.lower for m in minima))
            if lower >= _HALF:
                return _Minimum(_Interval.half(), arb(0))
            upper = best.value.upper if best.value.upper < _HALF else arb(_HALF)
            unique = len(minima) == 1 and upper < _HALF
            return _Minimum(_Interval(lower, upper), best.scale, best.bracket if unique else None)

    def _candidates(self) -> list[tuple[Ball, Ball]]:
        """Intervals with one local minimum each, such that the global minimum is among these or 1/2."""
        bits = _LOW
        while True:
            try:
                with ctx.workprec(bits):
                    f = _Objective(self)
                    intervals = f.isolate()
                    if not intervals:
                        return []
                    values = [f.local_minimum(*ends, bits).value for ends in intervals]
                    best = min(v.upper for v in values)
                    best = best if best < _HALF else arb(_HALF)
                    return [ends for ends, v in zip(intervals, values, strict=True) if not v.lower > best]
            except _Undecided:
                bits *= 2
                if bits > _HIGHEST:
                    raise ArithmeticError(f"the minima of the loss cannot be told apart at {bits // 2} bits") from None


class _Node:
    """A scale u (exact) and what f is made of there."""

    def __init__(self, f: _Objective, u: Ball) -> None:
        self.u = u
        self.root = u.root(f.L)
        damped = [1 / (1 + e * u) for e in f.eigenvalues]
        self.fits = [w * d for w, d in zip(f.weights, damped, strict=True)]
        self.bumps = [u / self.root * e * fit * d for e, fit, d in zip(f.eigenvalues, self.fits, damped, strict=True)]
        self.tilts = [f.rise - 2 * (1 - d) for d in damped]  # d log bump / d log u, decreasing in u
        self.norms = f.half_L_cost * self.root
        self.value = self.norms + sum(self.fits) / 2
        self.excess = sum(self.bumps) - f.cost


class _Objective:
    """f at the working precision."""

    def __init__(self, part: _Part) -> None:
        self.L = part.L
        self.eigenvalues = part.eigenvalues
        self.weights = [arb(w) for w in part.weights]
        self.cost = part.cost()
        self.half_L_cost = self.cost * self.L / 2
        self.rise = 1 - arb(1) / self.L
        self.peak = fmpq(self.L - 1, self.L + 1)  # of a bump, in e u
        height = arb(self.peak) ** self.rise / (1 + self.peak) ** 2
        self.heights = [w * arb(e).root(self.L) * height for w, e in zip(self.weights, self.eigenvalues, strict=True)]

    def isolate(self) -> list[tuple[Ball, Ball]]:
        """Disjoint intervals with one local minimum each; the global minimum is one of these minima, or f(0) = 1/2."""
        first = (arb(self.peak) / self.eigenvalues[0]).lower()
        last = (2 * (self.L * self.cost) ** -self.L).upper()  # beyond, the norms alone cost more than 1/2
        if not first < last:
            return []
        found, best = [], arb(_HALF)
        waiting = [(_Node(self, first), _Node(self, last))]
        while waiting:
            low, high = waiting.pop()
            for node in (low, high):
                best = node.value.upper() if node.value.upper() < best else best
            if low.norms + sum(high.fits) / 2 > best or self._monotone(low, high):
                continue
            if self._falls(low, high):
                if low.excess > 0 > high.excess:
                    found.append((low.u, high.u))
                    continue
                if low.excess < 0 or high.excess > 0:
                    continue
            middle = (low.u * high.u).sqrt().mid()
            if not low.u < middle < high.u or high.u / low.u - 1 < arb(2) ** (16 - ctx.prec):
                raise _Undecided
            node = _Node(self, middle)
            waiting += [(low, node), (node, high)]
        return found

    def _monotone(self, low: _Node, high: _Node) -> bool:
        """Whether G is proved to stay on one side of c, so that f rises or falls throughout."""
        most = sum(
            height if not (low.u * e >= self.peak or high.u * e <= self.peak) else _larger(a, b)
            for height, e, a, b in zip(self.heights, self.eigenvalues, low.bumps, high.bumps, strict=True)
        )
        least = sum(_smaller(a, b) for a, b in zip(low.bumps, high.bumps, strict=True))
        return bool(most < self.cost or least > self.cost)

    def _falls(self, low: _Node, high: _Node) -> bool:
        """Whether G is proved to fall throughout, by bounds of d G / d log u."""
        slope = arb(0)
        for height, e, tilt, a, b in zip(self.heights, self.eigenvalues, low.tilts, low.bumps, high.bumps, strict=True):
            if tilt <= 0:
                slope += tilt * _smaller(a, b)
            else:
                slope += tilt * (height if not high.u * e <= self.peak else _larger(a, b))
        return bool(slope < 0)

    def local_minimum(self, low: Ball, high: Ball, bits: int) -> _Minimum:
        """Bounds of the minimum in an isolating interval."""
        u = self._crossing(low, high, bits)
        spread = arb(2) ** (8 - bits // 2)
        below, above = (u * (1 - spread)).mid(), (u * (1 + spread)).mid()
        below, above = below if low < below else low, above if above < high else high
        if not _Node(self, below).excess > 0 > _Node(self, above).excess:
            below, above = self._bisected(low, high, spread)
            u = (below * above).sqrt().mid()
        around = below.union(above).union(u)
        slope = -_Node(self, around).excess * around.root(self.L) / around / 2
        error = slope * (around - u)  # f(minimiser) = f(u) + f'(between)·(minimiser − u), and it is at most f(u)
        node = _Node(self, u)
        return _Minimum(_Interval((node.value + error).lower(), node.value.upper()), u, around)

    def _bisected(self, low: Ball, high: Ball, spread: Ball) -> tuple[Ball, Ball]:
        while high / low - 1 > spread:
            middle = (low * high).sqrt().mid()
            excess = _Node(self, middle).excess
            if excess > 0:
                low = middle
            elif excess < 0:
                high = middle
            else:  # as close as the working precision gets
                break
        return low, high

    def _crossing(self, low: Ball, high: Ball, bits: int) -> Ball:
        """An approximation of where G falls through c: safeguarded Newton steps in log u, then in u, precision doubling."""
        start, end = low, high
        with ctx.workprec(64):
            u = (start * end).sqrt().mid()
            for _ in range(200):
                node = _Node(self, u)
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
        precision = 64
        while precision < bits // 2 + 16:
            precision = min(2 * precision - 16, bits // 2 + 32)
            with ctx.workprec(precision):
                node = _Node(self, u)
                slope = sum(t * b for t, b in zip(node.tilts, node.bumps, strict=True)) / u
                u = (u - node.excess / slope).mid()
        return u


def _larger(a: Ball, b: Ball) -> Ball:
    return a.max(b)


def _smaller(a: Ball, b: Ball) -> Ball:
    return a.min(b)


class _Problem:
    """The blocks of both solutions at a given κ."""

    def __init__(self, K: int, L: int, kappa: Callable[[], Ball]) -> None:
        r, _ = triangular_graph.triangular_order(K)
        K1 = comb(r, 2)
        self.L, self.r, self.K1 = L, r, K1
        self.kappa = kappa
        self.share = fmpq(K1, K)
        self.collapsed = _Part(fmpq(1), L, (1,), (fmpq(1),), kappa)
        self.parts = [self.collapsed]
        if r >= 4:
            weights: dict[int, fmpq] = {}
            spectrum = triangular_graph.last_layer_gram_spectrum(r)
            for e, multiplicity in zip(*spectrum, strict=True):
                weights[e] = weights.get(e, fmpq(0)) + fmpq(multiplicity, K1)
            self.graph = _Part(
                self.share, L, tuple(weights), tuple(weights.values()), lambda: kappa() * self.relative_cost()
            )
            self.parts = [self.graph]
            if K1 < K:
                self.parts.append(replace(self.collapsed, share=1 - self.share))

    def relative_cost(self) -> Ball:
        """ϱ^{1/L}: what the strongly regular graph pays at the same u, as a multiple of what the collapsed solution does."""
        nuclear = arb(2).sqrt() + arb((self.r - 1) * (self.r - 2)).sqrt()
        return (nuclear**2 * self.r ** (self.L - 3) / (2 * arb(self.K1) ** (self.L - 2))).root(self.L)

    @classmethod
    def of(cls, K: int, L: int, lams: Sequence[Fraction], n: int) -> _Problem:
        return cls(K, L, _root_of(_kappa_power(K, L, lams, n), L))

    def collapsed_loss(self, bits: int) -> _Interval:
        """L_dnc."""
        return self.collapsed.minimum(bits).value

    def block_loss(self, bits: int) -> _Interval:
        """L_srg by Definition 11's first construction."""
        minima = [part.minimum(bits).value for part in self.parts]
        if all(m.exact_half for m in minima):
            return _Interval.half()
        return _Interval.of(sum(part.share * m.ball for part, m in zip(self.parts, minima, strict=True)))

    def loss_without(self, surplus: int, bits: int) -> _Interval:
        """The loss after `surplus` classes, edges at one vertex, are removed from the solution for all K₁ classes.

        Every class has the same share of ‖H_1‖², ‖W_L‖² and the fit; the outputs' errors are
        −(M_LᵀM_L/(Kλ) + I)⁻¹, whose entries depend on whether two edges are the same, meet or are disjoint.
        """
        best = self.graph.minimum(bits)
        if best.value.exact_half:
            return _Interval.half()
        if best.bracket is None:
            return _Interval(arb(0), arb(_HALF))  # undecided at this precision
        u, r, K1 = best.bracket, self.r, self.K1
        eigenvalues, multiplicities = triangular_graph.last_layer_gram_spectrum(r)
        errors = [1 / (1 + e * u) for e in eigenvalues]
        fit = sum(m * rho**2 for m, rho in zip(multiplicities, errors, strict=True))
        norm = sum(m * rho * (1 - rho) for m, rho in zip(multiplicities, errors, strict=True))
        cosines = (fmpq(1), fmpq(r - 4, 2 * (r - 2)), fmpq(-1, r - 2))
        same = sum(m * rho for m, rho in zip(multiplicities, errors, strict=True)) / K1
        meeting = sum(m * rho * c for m, rho, c in zip(multiplicities, errors, cosines, strict=True)) / K1
        left_out = fit * fmpq(2 * surplus, K1) - surplus * same**2 - surplus * (surplus - 1) * meeting**2
        share = fmpq(K1 - surplus, K1)
        one_layer = self.kappa() * self.relative_cost() * u.root(self.L) / 2
        return _Interval.of(
            one_layer * (self.L - 1 + share) + share * norm / (2 * K1) + (fit - left_out) / (2 * (K1 - surplus))
        )

    def mixed(self, ratio: Ball) -> Ball:
        """L_srg / L_dnc, from that of the strongly regular graph's block alone."""
        return self.share * ratio + (1 - self.share)


# Boxes of problems.


class _Sample(NamedTuple):
    """A block's loss at one κ, and a linear function of κ that is nowhere below the loss and touches it there."""

    value: _Interval
    slope: Ball
    constant: Ball

    def line(self, kappa: Ball) -> Ball:
        return self.slope * kappa + self.constant


class _Point(NamedTuple):
    kappa: Ball
    graph: _Sample
    collapsed: _Sample
    ratio: Ball


class _Curve:
    """The ratio for one K and L as a function of κ, between the ends that belong to an interval of λ."""

    def __init__(self, K: int, L: int, n: int, low: Fraction, high: Fraction) -> None:
        self.K, self.L = K, L
        ends = (_root_of(_kappa_power(K, L, (lam,) * (L + 1), n), L)() for lam in (low, high))
        self.ends = [self.point(kappa) for kappa in (next(ends).lower(), next(ends).upper())]

    def point(self, kappa: Ball) -> _Point:
        problem = _Problem(self.K, self.L, lambda: kappa)
        relative = problem.relative_cost()
        graph = self._sample(problem.graph, relative)
        collapsed = self._sample(problem.collapsed, arb(1))
        self.mixed = problem.mixed
        trivial = graph.value.exact_half and collapsed.value.exact_half
        ratio = arb(1) if trivial else problem.mixed(graph.value.ball / collapsed.value.ball)
        return _Point(kappa, graph, collapsed, ratio)

    def _sample(self, part: _Part, relative: Ball) -> _Sample:
        value, u, _ = part.minimum(_LOW)
        slope = relative * u.root(self.L) * self.L / 2 if u > 0 else arb(0)
        return _Sample(
            value, slope, sum(w / (1 + e * u) for w, e in zip(part.weights, part.eigenvalues, strict=True)) / 2
        )

    def bounds(self, left: _Point, right: _Point) -> tuple[Ball, Ball]:
        """Bounds of the ratio between two points."""
        if left.graph.value.exact_half and left.collapsed.value.exact_half:
            return arb(1), arb(1)  # the losses never fall in κ, and are at most 1/2
        most = _quotient(left.kappa, right.kappa, (left.graph, right.graph), (left.collapsed, right.collapsed))
        least = 1 / _quotient(left.kappa, right.kappa, (left.collapsed, right.collapsed), (left.graph, right.graph))
        return self.mixed(least).lower(), self.mixed(most).upper()


def _quotient(left: Ball, right: Ball, above: tuple[_Sample, _Sample], below: tuple[_Sample, _Sample]) -> Ball:
    """An upper bound of the quotient of two losses on an interval of κ.

    The numerator is below the lines of its samples and below 1/2, the denominator above its chord. A quotient of linear
    functions is monotone, so that its ends bound it.
    """
    first, second = above
    divisor = second.slope - first.slope
    middle = ((first.constant - second.constant) / divisor).mid() if divisor < 0 else (left * right).sqrt().mid()
    if not left < middle < right:
        middle = ((left + right) / 2).mid()
    starts, ends = below[0].value.lower, below[1].value.lower
    chord = starts + (ends - starts) * ((middle - left) / (right - left)) if left < right else starts
    chord = _smaller(chord, ends)
    pieces = [((left, starts), (middle, chord), first), ((middle, chord), (right, ends), second)]
    return reduce(
        _larger,
        (
            _smaller(_larger(sample.line(a) / over_a, sample.line(b) / over_b), _larger(_HALF / over_a, _HALF / over_b))
            for (a, over_a), (b, over_b), sample in pieces
        ),
    )


class _Boxes:
    """Subdivision of the curves until their hull is as tight as asked for."""

    def __init__(self, curves: list[_Curve], goal: fmpq) -> None:
        self.goal = goal
        self.least = reduce(_smaller, (p.ratio.upper() for curve in curves for p in curve.ends))
        self.most = reduce(_larger, (p.ratio.lower() for curve in curves for p in curve.ends))
        self.points = 2 * len(curves)
        self.order = count()  # settles ties in the heap
        self.done: list[tuple[Ball, Ball]] = []
        self.waiting: list[tuple[float, int, _Curve, _Point, _Point, tuple[Ball, Ball]]] = []
        for curve in curves:
            self._add(curve, *curve.ends)

    def hull(self, max_points: int) -> Bounds:
        while self.waiting:
            *_, curve, left, right, bounds = heapq.heappop(self.waiting)
            if self._excess(bounds) <= self.goal:
                self.done.append(bounds)
                continue
            if self.points >= max_points:
                self._give_up(bounds, max_points)
            middle = curve.point((left.kappa * right.kappa).sqrt().mid())
            self.points += 1
            self.least = _smaller(self.least, middle.ratio.upper())
            self.most = _larger(self.most, middle.ratio.lower())
            self._add(curve, left, middle)
            self._add(curve, middle, right)
        return self._bounds()

    def _add(self, curve: _Curve, left: _Point, right: _Point) -> None:
        bounds = curve.bounds(left, right)
        heapq.heappush(self.waiting, (-float(self._excess(bounds)), next(self.order), curve, left, right, bounds))

    def _excess(self, bounds: tuple[Ball, Ball]) -> Ball:
        return _larger(self.least - bounds[0], bounds[1] - self.most)

    def _bounds(self) -> Bounds:
        lower = reduce(_smaller, (bounds[0] for bounds in self.done))
        upper = reduce(_larger, (bounds[1] for bounds in self.done))
        return _Interval(lower.lower(), upper.upper()).decimals(20)

    def _give_up(self, bounds: tuple[Ball, Ball], max_points: int) -> None:
        excess = float(self._excess(bounds))
        self.done += [bounds, *(entry[-1] for entry in self.waiting)]
        found = self._bounds()
        raise WidthNotReached(
            f"after max_points = {max_points} problems the bounds {found.lower} and {found.upper} are {excess:.3g} wide of "
            f"the ratio's values, more than width = {float(arb(self.goal)):.3g}",
            found,
            excess,
        )
