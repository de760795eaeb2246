"""The global minimum of a block's loss: each lemma where it is tight, and no local minimum for the global one."""

import numpy as np
import pytest
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from theory.deadline import Deadline
from theory.dufm.enclosure._minimum import minimum
from theory.dufm.enclosure._objective import Objective, Part


@given(
    st.integers(3, 9),
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 30)), min_size=1, max_size=4, unique_by=lambda p: p[0]),
    st.floats(-9, 0.5),
)
def test_no_local_minimum_is_taken_for_the_global_one(L, bumps, log_cost):
    # Objectives of the same form with eigenvalues far apart have several local minima.
    total = sum(w for _, w in bumps)
    eigenvalues = tuple(10**e for e, _ in sorted(bumps, reverse=True))
    weights = tuple(fmpq(w, total) for _, w in sorted(bumps, reverse=True))
    cost = 10**log_cost
    part = Part(fmpq(1), L, eigenvalues, weights, lambda: arb(cost))
    found = minimum(part, 128, Deadline(None)).value
    x = np.linspace(-45, 90, 20_001)
    shares = [w / total for _, w in sorted(bumps, reverse=True)]
    fits = sum(w / (1 + e * np.exp(x)) for w, e in zip(shares, eigenvalues, strict=True))
    f = L / 2 * cost * np.exp(x / L) + fits / 2
    scanned = min(0.5, f.min())
    assert float(found.lower) <= scanned * (1 + 1e-12)
    assert float(found.upper) >= scanned * (1 - 1e-4)  # the scan's step is 0.007 in log u


def test_two_local_minima_that_change_places():
    def depth(cost, bracket):
        def f(x):
            return 4 * cost * np.exp(x / 8) + (1 / (1 + np.exp(x + 40 * np.log(10))) + 1 / (1 + np.exp(x))) / 4

        return minimize_scalar(f, bounds=bracket, method="bounded", options={"xatol": 1e-10}).fun

    first, second = (-95, -30), (-3, 30)  # brackets of log u
    tie = brentq(lambda cost: depth(cost, first) - depth(cost, second), 0.01, 0.055, xtol=1e-13)
    for factor, deeper in ((1 - 1e-6, "second"), (1, "either"), (1 + 1e-6, "first")):
        cost = tie * factor
        part = Part(fmpq(1), 8, (10**40, 1), (fmpq(1, 2), fmpq(1, 2)), lambda cost=cost: arb(cost))
        value, scale, bracket = minimum(part, 200, Deadline(None))
        assert float(value.lower) == pytest.approx(min(depth(cost, first), depth(cost, second)), rel=1e-9)
        if deeper != "either":
            assert (scale > 1e-6) == (deeper == "second")
            assert bracket.contains(scale)


def test_the_zero_solution_where_only_many_bits_tell_that_it_is_optimal():
    """At 96 bits a local minimum that is above 1/2 by 1e-60 is not told from one that is below."""
    low, high = arb("0.1"), arb("0.3")
    part = lambda cost: Part(fmpq(1), 4, (1,), (fmpq(1),), lambda: cost)  # noqa: E731
    interval = arb("0.9"), arb(10)
    with ctx.workprec(400):
        for _ in range(350):
            middle = ((low + high) / 2).mid()
            below = Objective(part(middle), Deadline(None)).local_minimum(*interval, 400).value.upper < fmpq(1, 2)
            low, high = (middle, high) if below else (low, middle)
        above, under = (high * (1 + arb("1e-60"))).mid(), (low * (1 - arb("1e-60"))).mid()
    zero = minimum(part(above), 400, Deadline(None))
    assert zero.value.exact_half
    assert zero.scale == 0
    assert zero.bracket is None
    better = minimum(part(under), 400, Deadline(None))
    assert better.value.upper < fmpq(1, 2)
    assert better.scale > 1
    assert better.bracket.contains(better.scale)
