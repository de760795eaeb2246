"""theory.deep_rfm.relu_distance: accuracy against 40 digits, limits, simulation, wrong input."""

import mpmath as mp
import numpy as np
import pytest

from theory.deep_rfm import relu_distance

ANGLES = np.concatenate([np.logspace(-6, -1, 12), np.linspace(0.1, 3.1, 31), np.pi - np.logspace(-4, -1, 8)])


@pytest.mark.parametrize("theta", ANGLES)
def test_distances_against_forty_digits(moments, theta):
    with mp.workdps(40):
        exact = mp.mpf(float(theta))
        mean_square = 2 - 4 * moments[1, 1](exact)
        ratio = mp.sqrt(mean_square / (2 - 2 * mp.cos(exact)))
        fourth = 4 * (3 - 8 * moments[3, 1](exact) + 6 * moments[2, 2](exact))
        slope = -mp.sin(exact) * (exact - mp.sin(exact)) / (mp.pi * (1 - mp.cos(exact)) ** 2)
        assert abs(relu_distance.distance_ratio(theta) / ratio - 1) < 1e-15
        assert abs(relu_distance.squared_distance_variance(theta) / (fourth / mean_square**2 - 1) - 1) < 1e-14
        assert abs(relu_distance.distance_ratio_slope(theta) / slope - 1) < 1e-15 * (2 + 1 / (np.pi - theta))


def test_slope_is_the_derivative_of_the_square():
    theta = np.linspace(0.2, 3.0, 15)
    difference = relu_distance.distance_ratio(theta + 1e-5) ** 2 - relu_distance.distance_ratio(theta - 1e-5) ** 2
    assert np.allclose(difference / 2e-5, relu_distance.distance_ratio_slope(theta), atol=1e-9)


@pytest.mark.parametrize("D", [1, 2, 5, 40])
def test_bounds_contain_the_exact_expected_ratio(D):
    # exact for opposite vectors, and with one feature at every angle
    lower, upper = relu_distance.distance_ratio_bounds(np.pi, D)
    assert lower < relu_distance.opposite_distance_ratio(D) < upper
    if D == 1:
        lower, upper = relu_distance.distance_ratio_bounds(np.linspace(0, np.pi, 50), 1)
        assert np.all((lower < np.pi**-0.5) & (upper > np.pi**-0.5))


def test_bounds_contain_a_simulated_ratio():
    rng, D, draws, theta = np.random.default_rng(0), 20, 20_000, 1.3
    plane = rng.standard_normal((2, draws, D)) * (2 / D) ** 0.5
    v = np.cos(theta) * plane[0] + np.sin(theta) * plane[1]
    distance = np.linalg.norm(np.maximum(plane[0], 0) - np.maximum(v, 0), axis=1) / (2 * np.sin(theta / 2))
    lower, upper = relu_distance.distance_ratio_bounds(theta, D)
    error = 5 * distance.std() / draws**0.5
    assert lower - error < distance.mean() < upper + error
    relative = D * np.var(distance**2) / np.mean(distance**2) ** 2
    assert abs(relative / relu_distance.squared_distance_variance(theta) - 1) < 0.1  # five standard errors


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
    values = np.array([relu_distance.opposite_distance_ratio(D) for D in (1, 2, 3, 10, 100, 10**8)])
    assert np.all(np.diff(values) > 0)
    assert values[0] == pytest.approx(np.pi**-0.5, rel=1e-14)
    assert 0 < 2**-0.5 - values[-1] < 1e-8


def test_tiny_angles_do_not_underflow():
    theta = np.array([0.0, 5e-324, 1e-200, 1e-100])
    assert np.array_equal(relu_distance.distance_ratio(theta), np.ones(4))
    assert np.allclose(relu_distance.distance_ratio_slope(theta), -2 / (3 * np.pi))
    assert np.allclose(relu_distance.squared_distance_variance(theta), 5)


@pytest.mark.parametrize("theta", [1e-12, 9.9e-10, 1.01e-9, 1e-8, 9.9e-7, 1.01e-6, 1e-4])
def test_accuracy_on_both_sides_of_where_the_limit_takes_over(moments, theta):
    with mp.workdps(60):
        exact = mp.mpf(theta)
        mean_square = 2 - 4 * moments[1, 1](exact)
        ratio = mp.sqrt(mean_square / (2 - 2 * mp.cos(exact)))
        slope = -mp.sin(exact) * (exact - mp.sin(exact)) / (mp.pi * (1 - mp.cos(exact)) ** 2)
        fourth = 4 * (3 - 8 * moments[3, 1](exact) + 6 * moments[2, 2](exact))
        assert abs(relu_distance.distance_ratio(theta) - ratio) < 3e-16
        assert abs(relu_distance.distance_ratio_slope(theta) / slope - 1) < 2e-9 if theta < 1e-9 else 1e-14
        variance = fourth / mean_square**2 - 1
        assert abs(relu_distance.squared_distance_variance(theta) / variance - 1) < (1e-6 if theta < 1e-6 else 1e-12)


@pytest.mark.parametrize("D", [1, 3, 64, 10**6])
def test_bounds_are_the_ones_stated(moments, D):
    """R (1 − v/(2D)) and R, with the variance v from the moments."""
    for theta in (0.01, 1.0, 2.5, np.pi):
        with mp.workdps(40):
            exact = mp.mpf(theta)
            mean_square = 2 - 4 * moments[1, 1](exact)
            fourth = 4 * (3 - 8 * moments[3, 1](exact) + 6 * moments[2, 2](exact))
            ratio = mp.sqrt(mean_square / (2 - 2 * mp.cos(exact)))
            stated = ratio * (1 - (fourth / mean_square**2 - 1) / (2 * D))
        lower, upper = relu_distance.distance_ratio_bounds(theta, D)
        assert float(lower) == pytest.approx(float(stated), rel=1e-11, abs=1e-12)
        assert float(upper) == pytest.approx(float(ratio), rel=1e-14)


FUNCTIONS = [relu_distance.distance_ratio, relu_distance.distance_ratio_slope, relu_distance.squared_distance_variance]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_angles_that_exceed_pi_by_rounding(function):
    assert float(np.float32(np.pi)) > np.pi
    assert function(np.float32(np.pi)) == function(np.pi)
    assert function(np.array([-1e-14, 4e-14 + np.pi])).tolist() == function(np.array([0, np.pi])).tolist()


@pytest.mark.parametrize("theta", [-0.1, -3e-13, 3.15, np.pi + 3e-13])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_angle_out_of_range(function, theta):
    with pytest.raises(ValueError, match=r"theta = .*\[0, pi\]"):
        function(theta)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_angle_that_is_no_number(function):
    with pytest.raises(ValueError, match=r"theta.* = nan; theta must be finite"):
        function(np.nan)


@pytest.mark.parametrize("D", [0, 2.5, np.nan])
def test_feature_count(D):
    with pytest.raises(ValueError, match="D = "):
        relu_distance.distance_ratio_bounds(1.0, D)
    with pytest.raises(ValueError, match="D = "):
        relu_distance.opposite_distance_ratio(D)
