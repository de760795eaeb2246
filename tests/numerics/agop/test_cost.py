"""numerics.agop.agop_cost: what is refused."""

import pytest

from numerics.agop import agop_cost


@pytest.mark.parametrize(("sizes", "named"), [((0, 2, 2), "n"), ((2, 0, 2), "d"), ((2, 2, 0), "c")])
def test_the_cost_of_nothing_is_refused(sizes, named):
    with pytest.raises(ValueError, match=f"^{named} = 0; {named} must be an integer ≥ 1"):
        agop_cost(*sizes)
