"""The angle after random ReLU layers, against its formula and drawn layers."""

import numpy as np
import pytest

from theory.deep_rfm._arcs import as_cosine
from theory.deep_rfm.relu_angle import angle_after


def test_against_the_cosine():
    theta = np.linspace(0.05, np.pi, 50)
    cosine = (np.sin(theta) + (np.pi - theta) * np.cos(theta)) / np.pi
    np.testing.assert_allclose(angle_after(theta), np.arccos(cosine), rtol=1e-12)
    np.testing.assert_allclose(angle_after(theta, 3), angle_after(angle_after(angle_after(theta))), rtol=1e-15)
    assert angle_after(1.0, 0) == 1.0


def test_small_angles_are_not_lost():
    theta = np.array([1e-3, 1e-6, 1e-9])
    np.testing.assert_allclose(angle_after(theta) / theta, 1 - theta / (3 * np.pi), rtol=1e-7)
    assert angle_after(0.0) == 0


def test_against_a_drawn_layer():
    generator = np.random.default_rng(0)
    x, y = np.array([1.0, 0.0]), np.array([np.cos(2.0), np.sin(2.0)])
    W = generator.normal(size=(400_000, 2))
    u, v = np.maximum(W @ x, 0), np.maximum(W @ y, 0)
    drawn = np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v))
    assert angle_after(2.0) == pytest.approx(drawn, abs=0.01)


def test_wrong_input():
    with pytest.raises(ValueError, match="theta"):
        angle_after(4.0)
    with pytest.raises(ValueError, match="layers = -1; layers must be"):
        angle_after(1.0, -1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_of_up_to_a_thousand_epsilons_is_cut_off(dtype):
    """The last that is allowed and the first that is not."""
    epsilon = np.finfo(dtype).eps
    last, first = np.array([0.0, -1000 * epsilon], dtype), np.array([0.0, -1001 * epsilon], dtype)
    assert angle_after(last).tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match=r"theta\[1\] = .*; theta must be in \[0, pi\]"):
        angle_after(first)
    r = np.array([1, 1 + 1000 * epsilon, -1, -1 - 1000 * epsilon], dtype)
    assert as_cosine("r", r).tolist() == [1.0, 1.0, -1.0, -1.0]
    for beyond in (1 + 1001 * epsilon, -1 - 1001 * epsilon):
        with pytest.raises(ValueError, match=r"r = .*; r must be in \[-1, 1\]"):
            as_cosine("r", dtype(beyond))
