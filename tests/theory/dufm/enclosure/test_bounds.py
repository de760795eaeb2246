"""Bounds as numbers: when the precision is raised, when it is given up, and rounding outwards."""

from fractions import Fraction
from itertools import pairwise

import pytest
from flint import arb, ctx, fmpq

from theory.deadline import Deadline
from theory.dufm.enclosure._bounds import HIGHEST, Interval, root, to_width


def third_from(bits_needed, tried):
    """1/3 to the working precision from so many bits on, and before that between 0 and 1."""

    def interval(bits):
        assert ctx.prec == bits
        tried.append(bits)
        third = arb(fmpq(1, 3))
        return Interval(third.lower(), third.upper()) if bits >= bits_needed else Interval(arb(0), arb(1))

    return interval


@pytest.mark.parametrize("digits", [1, 5, 30, 1000])
def test_no_more_precision_than_the_digits_need(digits):
    tried = []
    lower, upper = map(Fraction, to_width(third_from(0, tried), digits, Deadline(None)))
    assert len(tried) == 1
    assert 3.3219 * digits + 40 < tried[0] < 3.3220 * digits + 50
    assert lower * 3 < 1 < upper * 3
    assert Fraction(1, 10 ** (digits + 4)) <= upper - lower <= Fraction(1, 10 ** (digits + 1))


@pytest.mark.parametrize(("digits", "last"), [(1, HIGHEST), (100, HIGHEST), (256, HIGHEST), (1000, 64_000)])
def test_the_precision_is_doubled_as_far_as_the_limit_and_no_further(digits, last):
    tried = []
    with pytest.raises(ArithmeticError, match=rf"the bounds did not come within 10\^-{digits} of each other at") as at:
        to_width(third_from(10**9, tried), digits, Deadline(None))
    assert all(after == 2 * before for before, after in pairwise(tried))
    assert last / 2 < tried[-1] <= last
    assert str(at.value).endswith(f"at {tried[-1]} bits")
    lower, upper = map(Fraction, to_width(third_from(tried[-1], []), digits, Deadline(None)))  # the last try is used
    assert lower * 3 < 1 < upper * 3


def test_undecided_comparisons_are_given_up_at_sixteen_thousand_bits():
    assert HIGHEST == 2**14


@pytest.mark.parametrize("L", [2, 7, 2**63 - 1, 2**63, 10**30])
def test_roots_for_any_integer(L):
    with ctx.workprec(300):
        found = root(arb(10), L)
        assert (found.log() * L - arb(10).log()).contains(0)
        assert found.rad() < arb("1e-80")


def test_the_smaller_of_two_numbers_has_both_smaller_ends():
    one, other = Interval(arb(1), arb(4)), Interval(arb(2), arb(3))
    for smaller in (one.smaller(other), other.smaller(one)):
        assert (smaller.lower, smaller.upper) == (1, 3)
    assert Interval.exactly(fmpq(1, 2)).exact_half
    assert not Interval(arb(fmpq(1, 2)), arb(1)).exact_half
    assert not Interval(arb(0), arb(fmpq(1, 2))).exact_half
    assert one.ball.contains(arb(1))
    assert one.ball.contains(arb(4))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("power", [-400, -60, -1, 0, 3, 90, 700])
@pytest.mark.parametrize("digits", [1, 3, 17, 40])
def test_decimals_are_the_nearest_outwards(sign, power, digits):
    with ctx.workprec(500):
        exact = (arb(sign * 12345678901234567) * arb(2) ** power).mid()
        lower, upper = Interval(exact, exact).decimals(digits)
        numerator, exponent = exact.man_exp()
    true = Fraction(int(numerator)) * Fraction(2) ** int(exponent)
    assert Fraction(lower) <= true <= Fraction(upper)
    unit = Fraction(10) ** (max(lower.adjusted(), upper.adjusted()) - digits + 1)
    assert Fraction(upper) - Fraction(lower) <= unit
