"""The lemmas of docs/enclosures.md, each where it is tight: moved a little, it decides otherwise."""

from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
from flint import arb, ctx, fmpq

from theory.deadline import Deadline
from theory.dufm.enclosure._bounds import Interval
from theory.dufm.enclosure._boxes import Sample, quotient_above
from theory.dufm.enclosure._minimum import minimum
from theory.dufm.enclosure._objective import Node, Objective, Part, Undecided, smallest

PARTS = {
    "one bump": Part(fmpq(1), 4, (1,), (fmpq(1),), lambda: arb("0.01")),
    "two bumps": Part(fmpq(1), 5, (10**6, 1), (fmpq(2, 3), fmpq(1, 3)), lambda: arb("0.003")),
    "K5": Part(fmpq(1), 3, (9, 4, 1), (fmpq(1, 10), fmpq(2, 5), fmpq(1, 2)), lambda: arb("0.02")),
}


def objective(part, cost=None):
    """The objective at 200 bits; with another cost if one is given."""
    return Objective(part if cost is None else replace(part, cost=lambda: arb(cost)), Deadline(None))


def direct(part, u):
    """f, G, f' and d G / d log u by their definitions and by mpmath's derivatives."""
    L, c = part.L, mp.mpf(str(part.cost().mid().str(50, radius=False)))
    weights = [mp.mpf(int(w.p)) / int(w.q) for w in part.weights]

    def f(x):
        return mp.mpf(L) / 2 * c * mp.root(x, L) + sum(
            w / (2 * (1 + e * x)) for w, e in zip(weights, part.eigenvalues, strict=True)
        )

    def G(x):
        pieces = zip(weights, part.eigenvalues, strict=True)
        return sum(w * e * x ** (1 - mp.mpf(1) / L) / (1 + e * x) ** 2 for w, e in pieces)

    return f(u), G(u), mp.diff(f, u), u * mp.diff(G, u)


@pytest.fixture(autouse=True)
def precise():
    with ctx.workprec(200), mp.workdps(60):
        yield


def close(ball, value, tolerance=1e-25):
    return abs(mp.mpf(ball.mid().str(50, radius=False)) / value - 1) < tolerance


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("where", [1e-7, 0.03, 1.0, 40.0, 1e5])
def test_pieces_of_a_node(name, where):
    part = PARTS[name]
    f, node = objective(part), Node(objective(part), arb(where))
    value, G, slope, steepness = direct(part, mp.mpf(where))
    assert close(node.value, value)
    assert close(node.excess + f.cost, G)
    assert close(node.slope, slope, 1e-15)
    across = Node(f, arb(where).union(arb(where) * arb("1.01"))).slope  # of a ball: of every scale in it
    for factor in (1, arb("1.004"), arb("1.01")):
        assert across.contains(Node(f, arb(where) * factor).slope)
    assert close(sum(t * b for t, b in zip(node.tilts, node.bumps, strict=True)), steepness, 1e-15)


@pytest.mark.parametrize("name", PARTS)
def test_heights_are_the_peaks_of_the_bumps(name):
    part = PARTS[name]
    f = objective(part)
    for i, e in enumerate(part.eigenvalues):
        at_peak, near = Node(f, arb(f.peak) / e), [Node(f, arb(f.peak) / e * x) for x in (arb("0.99"), arb("1.01"))]
        assert abs(at_peak.bumps[i] / f.heights[i] - 1) < arb("1e-50")  # attained
        assert abs(at_peak.tilts[i]) < arb("1e-50")
        assert all(node.bumps[i] < f.heights[i] for node in near)
        assert near[0].tilts[i] > 0 > near[1].tilts[i]


@pytest.mark.parametrize("name", PARTS)
def test_no_minimum_is_outside_the_ends(name):
    part = PARTS[name]
    f = objective(part)
    first, last = f.ends()
    assert close(first, mp.mpf(part.L - 1) / (part.L + 1) / part.eigenvalues[0])  # the first peak itself
    # beyond the last end f rises; a single bump comes within the factor (1 + 1/u)² of the bound
    beyond = [Node(f, last * arb(10) ** k) for k in range(4)]
    assert all(node.excess < 0 for node in beyond)
    assert f.cost > sum(beyond[0].bumps) > f.cost * arb("0.9" if name != "K5" else "0.5")


def test_ends_see_what_cannot_beat_the_zero_solution():
    limit = 1 / (4 * (arb(3) / 5).root(4))  # (L/2) c u^{1/L} = 1/2 at the first peak, u = 3/5
    assert objective(PARTS["one bump"], limit * (1 - arb("1e-50"))).ends() is not None
    assert objective(PARTS["one bump"], limit * (1 + arb("1e-50"))).ends() is None


def test_above_is_tight_on_a_point_and_the_sum_of_the_best_pieces_elsewhere():
    f = objective(PARTS["K5"])
    a, b = Node(f, arb("0.5")), Node(f, arb("7"))
    assert not f.above(a.value.upper(), a, a)
    assert f.above(a.value - arb("1e-50"), a, a)
    least = a.norms + sum(b.fits) / 2
    assert f.above(least - arb("1e-50"), a, b)
    assert not f.above(least + arb("1e-50"), a, b)


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize(("low", "high"), [("1e-9", "1e-8"), ("0.001", "1000"), ("30", "31"), ("0.59", "0.61")])
def test_monotone_exactly_as_far_as_the_bumps_allow(name, low, high):
    part = PARTS[name]
    f = objective(part)
    ends = [Node(f, arb(low)), Node(f, arb(high))]
    peaks = [arb(f.peak) / e for e in part.eigenvalues]
    inside = [Node(f, u) if arb(low) < u < arb(high) else ends[0] for u in peaks]
    most = sum(ends[0].bumps[i].max(ends[1].bumps[i]).max(inside[i].bumps[i]) for i in range(len(peaks)))
    least = sum(a.min(b) for a, b in zip(ends[0].bumps, ends[1].bumps, strict=True))
    for bound, above_it, below_it in ((most, True, False), (least, False, True)):
        for factor, expected in ((1 + arb("1e-40"), above_it), (1 - arb("1e-40"), below_it)):
            g = objective(part, (bound * factor).mid())
            assert g.monotone(Node(g, arb(low)), Node(g, arb(high))) == expected


@pytest.mark.parametrize("name", PARTS)
def test_slope_is_an_upper_bound_and_attained_on_a_point(name):
    part = PARTS[name]
    f = objective(part)
    for k in range(-40, 40, 3):
        u = arb(2) ** (fmpq(k, 2))
        here, there = Node(f, u), Node(f, u * arb("1.3"))
        assert abs(f.slope(here, here) - sum(t * b for t, b in zip(here.tilts, here.bumps, strict=True))) < arb("1e-50")
        bound = f.slope(here, there)
        for x in ("1.0", "1.05", "1.1", "1.2", "1.3"):
            node = Node(f, u * arb(x))
            assert sum(t * b for t, b in zip(node.tilts, node.bumps, strict=True)) < bound + arb("1e-50")
        assert f.falls(here, there) == bool(bound < 0)


def test_slope_of_a_bump_that_turns_inside():
    # Where a bump rises at the lower end and its peak is inside, the bound is tilt · height, not tilt · an end.
    part = PARTS["one bump"]
    f = objective(part)
    low, high = Node(f, arb(f.peak) / 3), Node(f, arb(f.peak) * 3)
    assert abs(f.slope(low, high) / (low.tilts[0] * f.heights[0]) - 1) < arb("1e-50")
    beyond = Node(f, arb(f.peak) * 2)
    assert abs(f.slope(beyond, high) / (beyond.tilts[0] * high.bumps[0]) - 1) < arb("1e-50")


@pytest.mark.parametrize("cost", ["0.004", "0.04", "0.1", "0.3"])
def test_isolation_finds_every_local_minimum_that_counts(cost):
    # Two bumps 16 decades apart, so that for the middle costs both have a minimum behind them.
    part = Part(fmpq(1), 8, (10**16, 1), (fmpq(1, 6), fmpq(5, 6)), lambda: arb(cost))
    f = objective(part)
    grid = [Node(f, arb(10) ** fmpq(k, 20)) for k in range(-400, 300)]
    falls = [(a, b) for a, b in pairwise(grid) if a.excess > 0 > b.excess and b.value < fmpq(49, 100)]
    intervals = f.isolate()
    assert all(Node(f, low).excess > 0 > Node(f, high).excess for low, high in intervals)
    best = min((b.value.mid() for _, b in falls), default=None)
    for a, b in falls:  # every one that is not clearly above the best is in one of the intervals
        if b.value < best * arb("1.05"):
            assert sum(bool(low < b.u and a.u < high) for low, high in intervals) == 1
    assert bool(falls) <= bool(intervals)


def test_isolation_gives_up_where_a_comparison_is_undecided():
    # G falls on the interval and meets c at its upper end: whether it does so inside cannot be told.
    part = PARTS["one bump"]
    low, high = arb(1), arb(50)
    at_the_end = replace(part, cost=lambda: sum(Node(objective(part), high).bumps))

    class Between(Objective):
        def ends(self):
            return low, high

    f = Between(at_the_end, Deadline(None))
    assert Node(f, high).excess.contains(0)
    assert f.falls(Node(f, low), Node(f, high))
    with pytest.raises(Undecided):
        f.isolate()


@pytest.mark.parametrize("bits", [64, 200])
def test_isolation_gives_up_sixteen_bits_before_the_working_precision_ends(bits):
    class Undecidable(Objective):
        above = monotone = falls = lambda *_: False

        def ends(self):
            return arb(1), arb(4)

    looked_at = []

    class Counted(Deadline):
        def check(self, *_):
            looked_at.append(None)

    with ctx.workprec(bits), pytest.raises(Undecided):
        Undecidable(PARTS["K5"], Counted(None)).isolate()
    # log2(log 4 / 2^(16 − bits)) halvings, the two ends, and the one that is too near
    assert len(looked_at) == pytest.approx(bits - 16 + 2, abs=2)


@pytest.mark.parametrize("name", PARTS)
def test_what_isolation_compares_with_is_never_below_the_minimum(name, monkeypatch):
    """At twelve bits the balls are wide: only their upper ends are known to be values that f does not exceed."""
    f = objective(PARTS[name])
    exact = [f.local_minimum(*interval, 200).value.lower for interval in f.isolate()]
    compared = []
    kept = Objective.above
    monkeypatch.setattr(Objective, "above", lambda f, best, *ends: compared.append(best) or kept(f, best, *ends))
    with ctx.workprec(12), suppress(Undecided):
        objective(PARTS[name]).isolate()
    assert len(compared) >= 3
    assert min(map(float, compared)) >= float(smallest(*exact))


@pytest.mark.parametrize("bits", [60, 96, 150, 400])
@pytest.mark.parametrize("name", PARTS)
def test_local_minimum_contains_the_minimum_and_its_place(name, bits):
    part = PARTS[name]
    f = objective(part)
    (interval,) = f.isolate()[-1:]
    with ctx.workprec(bits):
        value, scale, bracket = objective(part).local_minimum(*interval, bits)
    with ctx.workprec(2000):
        fine = objective(part)
        best, u, place = fine.local_minimum(*interval, 2000)
        assert value.lower <= best.lower
        assert best.upper <= value.upper
        assert bracket.contains(place.mid())
        assert abs(scale / u - 1) < arb(2) ** (10 - bits // 2)
        assert value.upper - value.lower < value.lower * arb(2) ** (24 - bits)  # and is tight


@pytest.mark.parametrize("bits", range(24, 64, 4))
def test_minima_that_cannot_be_told_apart_are_both_in_the_bounds(bits):
    # At this cost the two local minima agree to 100 bits, so that at few bits either may be the global one.
    def depth(cost, interval):
        return objective(two, cost).local_minimum(*interval, 200).value.lower

    two = Part(fmpq(1), 8, (10**40, 1), (fmpq(1, 2), fmpq(1, 2)), lambda: arb("0.05"))
    first, second = (arb("1e-40").mid(), arb("1e-20").mid()), (arb(1), arb(10) ** 10)  # right of the peaks
    low, high = arb("0.042"), arb("0.044")
    for _ in range(105):
        middle = ((low + high) / 2).mid()
        if depth(middle, first) < depth(middle, second):
            high = middle
        else:
            low = middle
    tied = replace(two, cost=lambda: middle)
    with ctx.workprec(bits):
        f = objective(tied)
        both = [f.local_minimum(*interval, bits).value for interval in (first, second)]
    value, _, bracket = minimum(tied, bits, Deadline(None))
    assert bracket is None  # either may be the minimiser
    assert value.lower <= smallest(*(one.lower for one in both))
    assert value.upper <= smallest(*(one.upper for one in both))
    exact = [depth(middle, interval) for interval in (first, second)]
    assert value.lower <= smallest(*exact) <= value.upper


@pytest.mark.parametrize("power", range(36, 44))
def test_of_minima_that_are_nearly_equal_the_smaller_is_kept(power):
    """At costs that come closer and closer to the tie, on both sides of it: at some of them rounding tells wrongly."""
    two = Part(fmpq(1), 8, (10**power, 1), (fmpq(1, 2), fmpq(1, 2)), lambda: arb("0.05"))
    intervals = (arb(f"1e-{power}").mid(), arb(f"1e-{power // 2}").mid()), (arb(1), arb(10) ** 10)
    low, high = arb("0.03"), arb("0.06")
    for _ in range(108):
        middle = ((low + high) / 2).mid()
        exact = [objective(two, middle).local_minimum(*interval, 200).value for interval in intervals]
        value = minimum(replace(two, cost=lambda cost=middle: cost), 200, Deadline(None)).value
        assert value.lower <= smallest(*(one.upper for one in exact))
        assert value.upper >= smallest(*(one.lower for one in exact))
        low, high = (low, middle) if exact[0].lower < exact[1].lower else (middle, high)


# Boxes: the quotient of two losses on an interval.


def sample(value, slope, constant):
    return Sample(Interval.exactly(fmpq(value)), arb(slope), arb(constant))


def test_quotient_is_attained_by_the_extreme_losses():
    # Numerator: the smaller of its two lines 1/10 + κ and 3/10 + κ/2, which cross at 2/5; denominator: the chord.
    left, right = arb(0), arb(1)
    above = (sample(fmpq(1, 10), 1, fmpq(1, 10)), sample(fmpq(8, 10), fmpq(1, 2), fmpq(3, 10)))
    below = (sample(fmpq(2), 0, 2), sample(fmpq(4), 0, 4))
    # (1/10 + 2/5)/(2 + 4/5) at the crossing, below which and above which 1/2 is no better
    assert abs(quotient_above(left, right, above, below) - fmpq(5, 28)) < arb("1e-40")


def test_quotient_of_the_largest_loss_is_that_at_the_denominators_smallest():
    trivial = (sample(fmpq(1, 2), 0, fmpq(1, 2)),) * 2
    rising = (sample(fmpq(1, 5), fmpq(1, 5), fmpq(1, 5)), sample(fmpq(2, 5), fmpq(1, 5), fmpq(1, 5)))
    assert abs(quotient_above(arb(0), arb(1), trivial, rising) - fmpq(5, 2)) < arb("1e-25")
    # lines that are above 1/2 count as 1/2
    high = (sample(fmpq(1, 2), 1, fmpq(3, 5)), sample(fmpq(1, 2), 1, fmpq(3, 5)))
    assert abs(quotient_above(arb(0), arb(1), high, rising) - fmpq(5, 2)) < arb("1e-25")


@pytest.mark.parametrize("seed", range(20))
def test_quotient_contains_every_pair_of_concave_losses(seed):
    rng = np.random.default_rng(seed)
    left, right = np.sort(rng.uniform(0.1, 2, 2))
    kappas = np.linspace(left, right, 101)

    def loss():  # the least of some rising lines, and 1/2: concave; its samples are exact at the ends
        slopes, constants = rng.uniform(0, 0.3, 4), rng.uniform(0.01, 0.3, 4)
        lines = np.vstack([slopes[:, None] * kappas + constants[:, None], np.full(101, 0.5)])
        at = [int(np.argmin(lines[:, k])) for k in (0, -1)]
        pairs = [*zip(slopes, constants, strict=True), (0.0, 0.5)]
        ends = [Sample(Interval.of(arb(lines[a, k])), *map(arb, pairs[a])) for a, k in zip(at, (0, -1), strict=True)]
        return lines.min(0), ends

    above, below = loss(), loss()
    bound = quotient_above(arb(left), arb(right), tuple(above[1]), tuple(below[1]))
    assert float(bound.mid()) >= (above[0] / below[0]).max() * (1 - 1e-12)


@pytest.mark.parametrize("name", PARTS)
def test_bounds_of_a_local_minimum_hold_for_any_point_of_its_interval(name, monkeypatch):
    """f(m) = f(u) + f′(ξ)(m − u): with a u far from the minimiser m, at the steep end of an interval that ends at m."""
    f = objective(PARTS[name])
    low, high = f.isolate()[-1]
    exact = f.local_minimum(low, high, 200)
    m = exact.scale
    low, high = (m / 3).mid(), (m * (1 + arb("1e-9"))).mid()
    assert Node(f, low).excess > 0 > Node(f, high).excess
    monkeypatch.setattr(Objective, "_crossing", lambda *_: low)
    wide = f.local_minimum(low, high, 2).value  # at two bits the interval is not made smaller
    assert wide.lower <= exact.value.lower
    assert wide.upper >= exact.value.upper
    assert wide.upper > Node(f, m).value  # of the other end
