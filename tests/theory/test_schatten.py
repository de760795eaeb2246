"""theory.schatten: values against known norms, factors, wrong input."""

import numpy as np
import pytest

from theory import schatten


def test_powers_of_known_matrices():
    rotation = np.array([[0.6, -0.8], [0.8, 0.6]])
    matrix = rotation @ np.diag([3.0, 4.0])
    assert schatten.power(matrix, 1) == pytest.approx(7)
    assert schatten.power(matrix, 2) == pytest.approx((matrix**2).sum())
    assert schatten.power(matrix, 1 / 3) == pytest.approx(3 ** (1 / 3) + 4 ** (1 / 3))


def test_rounding_of_zero_singular_values_does_not_count():
    rank_one = np.outer([1.0, 2.0, 3.0], [0.3, 0.1, 0.7])
    noisy = np.linalg.svd(rank_one, compute_uv=False)
    assert noisy[1] > 0  # the reason for the threshold: at p = 1/4 such a value would add some 1e-4
    assert schatten.power(rank_one, 0.25) == pytest.approx(noisy[0] ** 0.25, rel=1e-12)


def test_zero_matrix():
    assert schatten.power(np.zeros((2, 3)), 0.5) == 0
    assert schatten.variational_value(np.zeros((2, 3)), [1.0, 2.0]) == 0
    assert not np.any(np.linalg.multi_dot(schatten.minimal_factors(np.zeros((2, 3)), [1.0, 2.0, 3.0])))


def test_constant_is_a_geometric_mean():
    assert schatten.variational_constant([1e-200, 1e-200, 1e300]) == pytest.approx(1.5 * 10 ** (-100 / 3))


@pytest.mark.parametrize("width", [None, 2, 5])
def test_factors_multiply_to_the_matrix_at_the_least_cost(width):
    matrix = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0]])
    lams = [0.1, 3.0, 0.7]
    factors = schatten.minimal_factors(matrix, lams, width)
    inner = 2 if width is None else width
    assert [factor.shape for factor in factors] == [(2, inner), (inner, inner), (inner, 3)]
    assert np.linalg.multi_dot(factors) == pytest.approx(matrix, abs=1e-13)
    cost = sum(lam / 2 * (factor**2).sum() for lam, factor in zip(lams, factors, strict=True))
    assert cost == pytest.approx(schatten.variational_value(matrix, lams), rel=1e-12)


def test_one_factor_is_the_matrix():
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    (factor,) = schatten.minimal_factors(matrix, [0.3])
    assert factor == pytest.approx(matrix)


@pytest.mark.parametrize("p", [0, -1.0, np.nan, np.inf])
def test_wrong_exponent(p):
    with pytest.raises(ValueError, match="p = "):
        schatten.power(np.eye(2), p)


@pytest.mark.any_type
def test_exponent_that_is_no_number():
    with pytest.raises(TypeError, match="p = None is a NoneType"):
        schatten.power(np.eye(2), None)
    with pytest.raises(ValueError, match="p = 'one'"):
        schatten.power(np.eye(2), "one")


@pytest.mark.parametrize("matrix", [np.ones(3), np.ones((2, 2, 2)), np.array([[np.nan]]), np.array([[np.inf]])])
def test_wrong_matrix(matrix):
    with pytest.raises(ValueError, match=r"matrix has|matrix\[0, 0\] = "):
        schatten.power(matrix, 1)


@pytest.mark.parametrize("lams", [[], [1.0, 0.0], [1.0, -2.0], [np.nan], [np.inf, 1.0]])
def test_wrong_decays(lams):
    with pytest.raises(ValueError, match="lams"):
        schatten.variational_constant(lams)


@pytest.mark.any_type
def test_decays_that_are_no_sequence():
    with pytest.raises(TypeError, match=r"lams = 1\.0 is a float"):
        schatten.variational_constant(1.0)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
@pytest.mark.parametrize("p", [0.25, 1, 1.5, 2])
def test_scale_of_the_matrix(scale, p):
    matrix = np.random.default_rng(5).standard_normal((3, 5))
    assert schatten.power(scale * matrix, p) == pytest.approx(scale**p * schatten.power(matrix, p), rel=1e-12)
    expected = schatten.variational_value(matrix, [0.2, 0.3])
    assert schatten.variational_value(scale * matrix, [0.2, 0.3]) == pytest.approx(scale * expected, rel=1e-12)
    first, second = schatten.minimal_factors(scale * matrix, [0.2, 0.3])
    assert first @ second == pytest.approx(scale * matrix, rel=1e-11, abs=1e-12 * scale)


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_powers_beyond_the_floats_are_refused(scale):
    with pytest.raises(ValueError, match=r"p = 3\.0 must be within the range of float64"):
        schatten.power(scale * np.eye(2), 3)
    assert schatten.power(np.zeros((2, 2)), 3) == 0


def test_masked_matrix():
    with pytest.raises(TypeError, match="matrix is a masked array"):
        schatten.power(np.ma.array(np.eye(2), mask=np.eye(2)), 1)


def test_width_below_the_rank():
    with pytest.raises(ValueError, match="width = 1 is below the rank 2"):
        schatten.minimal_factors(np.eye(2), [1.0, 1.0], width=1)


@pytest.mark.parametrize("small", [1e-9, 1e-12, 2e-15])
def test_a_singular_value_counts_down_to_its_rounding_error(small):
    assert schatten.power(np.diag([1.0, small]), 0.5) == pytest.approx(1 + small**0.5, rel=1e-12)
    assert schatten.power(np.diag([1.0, 1e-17]), 0.5) == 1.0


def test_powers_that_vanish_in_floats_are_no_error():
    with np.errstate(all="raise"):
        assert schatten.power(np.diag([1.0, 1e-12]), 30) == 1.0
        with pytest.raises(ValueError, match="must be within the range of float64"):
            schatten.power(np.diag([1e12, 1.0]), 30)
