"""numerics.scaling: powers of two that change no digit, and what no number holds."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics.scaling import binary_scale, common_scale, restored, safe_scale, unit_rows

F64 = torch.float64
RANGE = {torch.float32: (-149, 127), F64: (-1074, 1023)}


@pytest.mark.parametrize("dtype", RANGE)
def test_scales_are_powers_of_two_at_every_exponent(dtype):
    low, high = RANGE[dtype]
    for exponent in range(low, high + 1):
        X = torch.tensor([[1.0, -0.75]], dtype=F64).mul(2.0**exponent).to(dtype)
        assert float(binary_scale(X)) == 2.0**exponent
        assert float(safe_scale(X)) in (1.0, 2.0**exponent)
        assert math.isfinite(float((X / safe_scale(X)).square().sum()))
        scaled = (X / safe_scale(X)).square().sum()
        assert float(scaled) > 0.0
    assert float(binary_scale(torch.zeros(2, 3, dtype=dtype))) == float(safe_scale(torch.zeros(2, dtype=dtype))) == 1.0


def test_data_of_ordinary_size_are_left_alone():
    assert float(safe_scale(torch.tensor([1e38, 1.0], dtype=F64))) == 1.0
    assert float(safe_scale(torch.tensor([1e-38], dtype=F64))) == 1.0
    assert float(safe_scale(torch.tensor([1e39], dtype=F64))) != 1.0


def test_a_common_scale_is_that_of_the_largest():
    small, ordinary, large = (torch.full((2, 2), size, dtype=F64) for size in (1e-200, 1.0, 1e200))
    assert common_scale(small, ordinary) == common_scale(ordinary, None) == 1.0
    assert common_scale(small, None) == float(binary_scale(small))
    assert common_scale(large, small, ordinary) == float(binary_scale(large))


@given(st.integers(-900, 900), st.integers(0, 1000))
def test_unit_rows_are_those_of_the_rescaled_rows(exponent, seed):
    X = torch.randn(4, 5, generator=torch.Generator().manual_seed(seed), dtype=F64)
    X[2] = 0.0
    rows = unit_rows(X * 2.0**exponent)
    assert torch.equal(rows, unit_rows(X))
    assert not rows[2].any()
    torch.testing.assert_close(rows[[0, 1, 3]].norm(dim=1), torch.ones(3, dtype=F64), rtol=0.0, atol=4e-16)
    assert torch.equal(unit_rows(torch.stack([X, 2.0 * X])), torch.stack([rows, rows]))


@given(st.floats(-307, 307), st.floats(-300, 300))
def test_what_is_restored_is_right_or_refused(size, scale):
    scale = 2.0 ** round(scale / math.log10(2.0) / 2.0)
    value = torch.tensor([10.0**size], dtype=F64)
    exact = math.log10(float(value)) + 2.0 * math.log10(scale)
    if scale == 1.0 or -307.6 < exact < 308.2:
        expected = math.ldexp(float(value), 2 * round(math.log2(scale)))
        assert restored(value.clone(), scale, "A").item() == expected
    elif not -307.7 < exact < 308.3:
        with pytest.raises(ValueError, match=r"A has entries of size .*, which torch\.float64 cannot hold"):
            restored(value.clone(), scale, "A")
