"""Bounds as floats, on either side of what they bound."""

import math
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from nct.problems import at_least, at_most

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("1e-300"), max_value=1, places=None)


@given(DECIMALS)
def test_the_nearest_floats_on_either_side(value):
    above, below = at_least(value), at_most(value)
    assert math.nextafter(above, -math.inf) < value <= above
    assert below <= value < math.nextafter(below, math.inf)
