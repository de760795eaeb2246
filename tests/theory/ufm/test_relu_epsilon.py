"""theory.ufm.relu_epsilon: Definition 7, the steps of the bound, wrong input."""

import numpy as np
import pytest

from theory.ufm import ReLUEpsilon
from theory.ufm.relu_epsilon import feature_gap, fit_gap, minimiser_gap, output_gap


@pytest.mark.parametrize("exponent", [2, 3, 8])
@pytest.mark.parametrize("epsilon", [1e-3, 0.5, 4.0])
def test_definition_7(epsilon, exponent):
    sigma = ReLUEpsilon(epsilon, exponent)
    x = np.linspace(-2 * epsilon, 3 * epsilon, 5001)
    outside = (x <= 0) | (x >= epsilon)
    assert sigma(x)[outside] == pytest.approx(np.maximum(x, 0)[outside], abs=1e-15 * epsilon)
    inside = (x > 1e-3 * epsilon) & (x < epsilon)
    assert (sigma(x)[inside] > 0).all()
    assert (sigma.derivative(x)[inside] > 0).all()
    assert sigma.derivative(x).max() == pytest.approx(sigma.slope, rel=1e-5)
    # The derivative is that of the function, and continuous across both ends.
    step = 1e-6 * epsilon
    numeric = (sigma(x + step) - sigma(x - step)) / (2 * step)
    assert sigma.derivative(x) == pytest.approx(numeric, abs=1e-4)
    assert np.abs(sigma(x) - np.maximum(x, 0)).max() <= epsilon


def test_large_exponents_come_near_the_largest_error():
    x = np.linspace(0, 1, 10001)
    errors = [np.abs(ReLUEpsilon(1.0, p)(x) - x).max() for p in (2, 10, 1000)]
    assert errors[0] == pytest.approx(4 / 27, rel=1e-6)
    assert errors[0] < errors[1] < errors[2] < 1
    assert errors[2] > 0.98


def test_bounds_scale_as_stated():
    sigma = ReLUEpsilon(1e-4)
    first = feature_gap(1, 3, [0.1, 0.2, 0.3, 0.4], [9, 9], sigma, n=2)
    assert feature_gap(2, 3, [0.1, 0.2, 0.3, 0.4], [9, 9], sigma, n=2) == pytest.approx(first * (4 / 3) / 0.2**0.5)
    gap = output_gap(1e-4, [9, 9], [0.3**-0.5, 0.4**-0.5])
    assert gap == pytest.approx(1e-4 * 3 * ((0.3 * 0.4) ** -0.5 + 0.4**-0.5))
    assert first == pytest.approx(4 * (gap * (2 + gap) / (2 * 3 * 2 * 0.1)) ** 0.5)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: ReLUEpsilon(0.0), ValueError, "epsilon = 0.0"),
        (lambda: ReLUEpsilon(np.inf), ValueError, "epsilon = inf"),
        (lambda: ReLUEpsilon("small"), ValueError, "epsilon = 'small'"),
        (lambda: ReLUEpsilon(0.1, 1), ValueError, "exponent = 1"),
        (lambda: output_gap(0.1, [3], [1.0, 2.0]), ValueError, "1 widths and 2 norms"),
        (lambda: output_gap(0.1, [0], [1.0]), ValueError, r"widths\[0\] = 0"),
        (lambda: output_gap(0.1, [3], [-1.0]), ValueError, r"norms\[0\] = -1.0"),
        (lambda: fit_gap(-0.1, 3), ValueError, "gap = -0.1"),
        (lambda: fit_gap(0.1, 0), ValueError, "K = 0"),
        (lambda: minimiser_gap(-1.0, 1.0), ValueError, "delta = -1.0"),
        (lambda: minimiser_gap(1.0, 0.0), ValueError, "convexity = 0.0"),
        (lambda: feature_gap(3, 2, [0.1] * 3, [4], ReLUEpsilon(0.1)), ValueError, "layer = 3"),
        (lambda: feature_gap(1, 2, [0.1] * 3, [4, 4], ReLUEpsilon(0.1)), ValueError, "3 lams and 2 widths"),
        (lambda: feature_gap(1, 2, [0.1, 0.0, 0.1], [4], ReLUEpsilon(0.1)), ValueError, r"lams\[1\] = 0.0"),
    ],
)
def test_wrong_input(call, error, match):
    with pytest.raises(error, match=match):
        call()
