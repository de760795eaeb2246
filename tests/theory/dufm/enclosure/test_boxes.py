"""Boxes of problems: against the floating-point ratio, as tight as asked for, and for wrong input."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory import dufm


@given(st.integers(6, 40), st.integers(3, 8), st.floats(-6, -0.5), st.floats(0, 2), st.floats(0, 1))
def test_box_contains_the_ratio_at_its_points(K, L, log_low, decades, where):
    low, high = 10**log_low, 10 ** (log_low + decades)
    lower, upper = dufm.enclose_ratio_over(K, L, (low, high), width="0.01")
    lam = min(max(10 ** (log_low + where * decades), low), high)
    ratio = dufm.loss_ratio(K, L, lam)
    assert float(lower) - 1e-12 <= ratio <= float(upper) + 1e-12


def test_box_is_as_tight_as_asked():
    Ks, Ls, lams = range(6, 16), (3, 4, 6), np.geomspace(1e-6, 1e-1, 400)
    values = dufm.loss_ratio(np.array(Ks)[:, None, None], np.array(Ls)[:, None], lams)
    for width in ("0.1", "0.01", "0.0005"):
        lower, upper = map(float, dufm.enclose_ratio_over(Ks, Ls, ("1e-6", "0.1"), width=width))
        assert lower <= values.min()
        assert upper >= values.max()
        assert lower >= values.min() - float(width) - 2e-4  # the grid's own distance from the extremes
        assert upper <= values.max() + float(width) + 2e-4


def test_box_of_one_point_and_trivial_box():
    lower, upper = dufm.enclose_ratio_over(10, 4, ("5e-4", "5e-4"))
    assert lower <= dufm.enclose_ratio(10, 4, "5e-4").lower <= upper
    assert dufm.enclose_ratio_over([6, 10], [3, 4], (1, 100)) == (1, 1)


def test_box_gives_up_with_what_it_has():
    with pytest.raises(dufm.WidthNotReached, match=r"max_points = 10 .* width = 1e-05") as caught:
        dufm.enclose_ratio_over(10, 4, ("1e-6", "1e-2"), width="1e-5", max_points=10)
    lower, upper = caught.value.bounds
    assert caught.value.excess > 1e-5
    assert caught.value.args[1:] == (caught.value.bounds, caught.value.excess)
    for lam in ("1e-6", "1e-4", "1e-2"):
        assert lower <= dufm.enclose_ratio(10, 4, lam).lower <= upper


# Wrong input.


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "message"),
    [
        (([], 4, (1e-3, 1e-2)), {}, ValueError, "K is empty"),
        ((10, range(5, 5), (1e-3, 1e-2)), {}, ValueError, "L is empty"),
        ((10, 4, (1e-2, 1e-3)), {}, ValueError, "empty interval"),
        ((10, 4, 1e-2), {}, TypeError, "must be a pair"),
        ((10, 4, (1e-3, 1e-2, 1e-1)), {}, TypeError, "must be a pair"),
        ((10, 4, (0, 1e-2)), {}, ValueError, r"lam\[0\] = 0"),
        (([10, 3], 4, (1e-3, 1e-2)), {}, ValueError, "K = 3"),
        (("10", 4, (1e-3, 1e-2)), {}, TypeError, "K = '10'"),
        ((10, 4, (1e-3, 1e-2)), {"width": 0}, ValueError, "width = 0"),
        ((10, 4, (1e-3, 1e-2)), {"n": 0.5}, ValueError, "n = 0.5"),
        ((10, 4, (1e-3, 1e-2)), {"max_points": 1}, ValueError, "max_points = 1"),
        ((range(6, 10**15), 4, (1e-3, 1e-2)), {}, ValueError, "more than max_points = 20000"),
    ],
)
def test_wrong_boxes(arguments, keywords, error, message):
    with pytest.raises(error, match=message):
        dufm.enclose_ratio_over(*arguments, **keywords)


def test_a_width_beyond_all_numbers_is_refused():
    with pytest.raises(ValueError, match=r"width = about 2\^-33219\d; width must be between 10\^-100000 and"):
        dufm.enclose_ratio_over(10, 4, ("1e-6", "1e-2"), width=Fraction(1, 10**100_001))
