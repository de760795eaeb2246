"""theory.deep_rfm.relu_kernel: accuracy against 40 digits, limits, simulation, wrong input."""

from fractions import Fraction

import flint
import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from theory.deep_rfm import relu_kernel

THETA = sp.Symbol("theta")
ANGLES = np.concatenate([np.logspace(-6, -1, 12), np.linspace(0.1, 3.1, 31), np.pi - np.logspace(-4, -1, 8)])


@pytest.fixture(scope="module")
def moments():
    """The moments that SymPy integrates, as mpmath functions of θ."""
    pairs = {(1, 1), (2, 2), (3, 1)}
    return {pair: sp.lambdify(THETA, relu_kernel.derive_moment(*pair), "mpmath") for pair in pairs}


@pytest.mark.parametrize("theta", ANGLES)
def test_product_and_variance_against_forty_digits(moments, theta):
    with mp.workdps(40):
        r = float(np.cos(theta))
        exact = mp.acos(mp.mpf(r))
        mean = 2 * moments[1, 1](exact)
        variance = 4 * moments[2, 2](exact) - mean**2
        assert abs(relu_kernel.expected_product(r) - mean) <= 1e-15 * mean + mp.mpf(10) ** -35
        assert abs(relu_kernel.product_variance(r) - variance) <= 4e-14 * variance + mp.mpf(10) ** -30


@pytest.mark.parametrize("theta", ANGLES)
def test_distances_against_forty_digits(moments, theta):
    with mp.workdps(40):
        exact = mp.mpf(float(theta))
        mean_square = 2 - 4 * moments[1, 1](exact)
        ratio = mp.sqrt(mean_square / (2 - 2 * mp.cos(exact)))
        fourth = 4 * (3 - 8 * moments[3, 1](exact) + 6 * moments[2, 2](exact))
        slope = -mp.sin(exact) * (exact - mp.sin(exact)) / (mp.pi * (1 - mp.cos(exact)) ** 2)
        assert abs(relu_kernel.distance_ratio(theta) / ratio - 1) < 1e-15
        assert abs(relu_kernel.squared_distance_variance(theta) / (fourth / mean_square**2 - 1) - 1) < 1e-14
        assert abs(relu_kernel.distance_ratio_slope(theta) / slope - 1) < 1e-15 * (2 + 1 / (np.pi - theta))


def test_slope_is_the_derivative_of_the_square():
    theta = np.linspace(0.2, 3.0, 15)
    difference = relu_kernel.distance_ratio(theta + 1e-5) ** 2 - relu_kernel.distance_ratio(theta - 1e-5) ** 2
    assert np.allclose(difference / 2e-5, relu_kernel.distance_ratio_slope(theta), atol=1e-9)


def test_enclosures_contain_the_function_and_shrink():
    for r in (Fraction(-99, 100), Fraction(-1, 3), Fraction(1, 2), "0.999"):
        narrow, wide = (relu_kernel.enclose_expected_product(r, digits=digits) for digits in (40, 12))
        assert wide.contains(narrow)
        assert narrow.rad() < flint.arb("1e-40") < wide.rad()
        assert abs(float(narrow.mid()) - relu_kernel.expected_product(float(Fraction(r)))) < 1e-15


def test_enclosure_notices_another_formula():
    ball = relu_kernel.enclose_expected_product(Fraction(1, 2), digits=30)
    without_pi = (3**0.5 / 2 - np.pi / 3 / 2) / np.pi
    assert not ball.overlaps(flint.arb(without_pi, 1e-10))


@pytest.mark.parametrize("D", [1, 2, 5, 40])
def test_bounds_contain_the_exact_expected_ratio(D):
    # exact for opposite vectors, and with one feature at every angle
    lower, upper = relu_kernel.distance_ratio_bounds(np.pi, D)
    assert lower < relu_kernel.opposite_distance_ratio(D) < upper
    if D == 1:
        lower, upper = relu_kernel.distance_ratio_bounds(np.linspace(0, np.pi, 50), 1)
        assert np.all((lower < np.pi**-0.5) & (upper > np.pi**-0.5))


def test_bounds_contain_a_simulated_ratio():
    rng, D, draws, theta = np.random.default_rng(0), 20, 20_000, 1.3
    plane = rng.standard_normal((2, draws, D)) * (2 / D) ** 0.5
    v = np.cos(theta) * plane[0] + np.sin(theta) * plane[1]
    distance = np.linalg.norm(np.maximum(plane[0], 0) - np.maximum(v, 0), axis=1) / (2 * np.sin(theta / 2))
    lower, upper = relu_kernel.distance_ratio_bounds(theta, D)
    error = 5 * distance.std() / draws**0.5
    assert lower - error < distance.mean() < upper + error
    relative = D * np.var(distance**2) / np.mean(distance**2) ** 2
    assert abs(relative / relu_kernel.squared_distance_variance(theta) - 1) < 0.1  # five standard errors


@pytest.mark.parametrize("D", [2, 16])
def test_simulated_expected_ratio_falls(D):
    # the same features at neighbouring angles, so that the difference is known well: five standard errors
    draws, rng = 100_000, np.random.default_rng(D)
    plane = rng.standard_normal((2, draws, D)) * (2 / D) ** 0.5
    previous = None
    for theta in np.linspace(0.1, 3.0, 8):
        v = np.cos(theta) * plane[0] + np.sin(theta) * plane[1]
        ratio = np.linalg.norm(np.maximum(plane[0], 0) - np.maximum(v, 0), axis=1) / (2 * np.sin(theta / 2))
        if previous is not None:
            fall = previous - ratio
            assert fall.mean() > 5 * fall.std() / draws**0.5
        previous = ratio


def test_opposite_ratio_tends_to_one_over_root_two():
    values = np.array([relu_kernel.opposite_distance_ratio(D) for D in (1, 2, 3, 10, 100, 10**8)])
    assert np.all(np.diff(values) > 0)
    assert values[0] == pytest.approx(np.pi**-0.5, rel=1e-14)
    assert 0 < 2**-0.5 - values[-1] < 1e-8


def test_tiny_angles_do_not_underflow():
    theta = np.array([0.0, 5e-324, 1e-200, 1e-100])
    assert np.array_equal(relu_kernel.distance_ratio(theta), np.ones(4))
    assert np.allclose(relu_kernel.distance_ratio_slope(theta), -2 / (3 * np.pi))
    assert np.allclose(relu_kernel.squared_distance_variance(theta), 5)


@pytest.mark.parametrize("r", [1.0000001, -2, np.nan, [0.5, np.inf]])
@pytest.mark.parametrize("function", [relu_kernel.expected_product, relu_kernel.product_variance])
def test_inner_product_out_of_range(function, r):
    with pytest.raises(ValueError, match=r"r = .*\[-1, 1\]"):
        function(r)


@pytest.mark.parametrize("theta", [-0.1, 3.15, np.nan])
@pytest.mark.parametrize(
    "function",
    [relu_kernel.distance_ratio, relu_kernel.distance_ratio_slope, relu_kernel.squared_distance_variance],
)
def test_angle_out_of_range(function, theta):
    with pytest.raises(ValueError, match=r"theta = .*\[0, pi\]"):
        function(theta)


def test_enclosure_out_of_range():
    with pytest.raises(ValueError, match=r"r = '1.1'"):
        relu_kernel.enclose_expected_product("1.1")
    with pytest.raises(ValueError, match="digits = 0"):
        relu_kernel.enclose_expected_product(0, digits=0)


@pytest.mark.parametrize("D", [0, 2.5, np.nan])
def test_feature_count(D):
    with pytest.raises(ValueError, match="D = "):
        relu_kernel.distance_ratio_bounds(1.0, D)
    with pytest.raises(ValueError, match="D = "):
        relu_kernel.opposite_distance_ratio(D)
