"""Activations in place against those of `theory.ufm`, in values and in slopes."""

import numpy as np
import pytest
import torch

from numerics import descent
from numerics.descent import Identity, Problem, ReLU, ReLUEpsilon, kernel

ALL = [ReLU(), Identity(), ReLUEpsilon(0.5), ReLUEpsilon(0.3), ReLUEpsilon(0.5, exponent=7), ReLUEpsilon(1e-9)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("activation", ALL)
def test_agree_with_theory(activation, dtype):
    x = torch.linspace(-1, 1, 401, dtype=dtype)
    out, slope = torch.empty_like(x), torch.full_like(x, 3)
    kernel(activation).forward(x, out)
    kernel(activation).backward(slope, x, out)
    eps = torch.finfo(dtype).eps
    np.testing.assert_allclose(out, activation(x.double().numpy()), rtol=0, atol=4 * eps)
    # The slope of ReLU_ε is a difference of numbers up to p² − 1.
    size = getattr(activation, "exponent", 1) ** 2
    np.testing.assert_allclose(slope, 3 * activation.derivative(x.double().numpy()), rtol=0, atol=20 * size * eps)


@pytest.mark.parametrize("activation", [ReLU(), Identity()])
def test_may_overwrite_where_they_say_so(activation):
    x = torch.linspace(-1, 1, 11)
    expected = torch.empty_like(x)
    kernel(activation).forward(x.clone(), expected)
    assert kernel(activation).overwrites
    kernel(activation).forward(x, x)
    assert torch.equal(x, expected)
    assert not kernel(ReLUEpsilon(0.5)).overwrites


def test_slope_is_the_derivative():
    """By differences; the second derivative jumps at 0 and ε."""
    act, x, h = kernel(ReLUEpsilon(0.5)), torch.linspace(-1, 1, 401, dtype=torch.float64), 1e-6
    out, slope, up, down = (torch.ones_like(x) for _ in range(4))
    act.forward(x, out)
    act.backward(slope, x, out)
    act.forward(x + h, up)
    act.forward(x - h, down)
    assert float(((up - down) / (2 * h) - slope).abs().max()) < 1e-4
    assert bool((out[x >= 0.5] == x[x >= 0.5]).all())
    assert bool((out[x <= 0] == 0).all())
    assert bool((slope[(x > 0) & (x <= 0.5)] > 0).all())
    assert float(slope.max()) <= 4 / 3 + 1e-12


def test_what_has_no_operations_on_tensors_is_refused():
    class Softplus:
        def __call__(self, x):
            return np.logaddexp(x, 0)

        def derivative(self, x):
            return 1 / (1 + np.exp(-x))

    with pytest.raises(
        TypeError, match=r"activation = .*Softplus.*; activation must be a ReLU, ReLUEpsilon or Identity"
    ):
        descent.train(3, 3, 1e-2, width=4, steps=1, activation=Softplus())


def test_relaxing_replaces_every_relu_and_nothing_else():
    problem = Problem.of(3, 4, 0.1, activation=["relu", "identity", "relu_eps"], eps=0.25)
    assert descent.relaxed(problem, 0.1).activations == (ReLUEpsilon(0.1), Identity(), ReLUEpsilon(0.25))
