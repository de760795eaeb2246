"""numerics.kernels: expected inner products within their statistical error, seeds, wrong input."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from numerics.kernels import CosineFeatures, Gaussian, Laplace, ReLUFeatures

F64 = torch.float64
WIDTH = 40_000
# 21 distinct pairs, each within 5 standard deviations except with probability 6e-7.
SIGMAS = 5.0


def points(n=6, d=3, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=F64)


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


TARGETS = {
    "gaussian": lambda X, L: Gaussian(L)(X),
    "laplace-l2": lambda X, L: Laplace(L)(X),
    "laplace-l1": lambda X, L: torch.exp(-torch.cdist(X, X, p=1) / L),
}


@pytest.mark.parametrize("kernel", TARGETS)
@pytest.mark.parametrize("bandwidth", [0.7, 3.0])
def test_cosine_features_approximate_their_kernel_and_no_other(kernel, bandwidth):
    X = points()
    phi = CosineFeatures(WIDTH, kernel, bandwidth).draw(3, generator())(X)
    # A product of two cosines times two lies in [−2, 2] and has variance at most 1.
    error = SIGMAS / math.sqrt(WIDTH)
    distances = {name: (phi @ phi.T - target(X, bandwidth)).abs().max() for name, target in TARGETS.items()}
    assert distances.pop(kernel) < error
    assert all(distance > error for distance in distances.values())


def test_relu_features_have_the_arc_cosine_kernel():
    X = points(4, 5)
    X = X / X.norm(dim=1, keepdim=True)
    phi = ReLUFeatures(WIDTH).draw(5, generator())(X)
    theta = (X @ X.T).clamp(-1, 1).acos()
    expected = (theta.sin() + (math.pi - theta) * theta.cos()) / math.pi
    # The variance of 2·relu(a)·relu(b), a and b standard normal, is at most 4·E[relu(a)⁴] = 6.
    assert (phi @ phi.T - expected).abs().max() < SIGMAS * math.sqrt(6.0 / WIDTH)


def test_uniform_relu_weights_are_those_of_a_torch_layer():
    drawn = ReLUFeatures(WIDTH, distribution="uniform").draw(9, generator())
    assert drawn.weight.abs().max() <= 1 / 3
    # The variance of U(−a, a) is a²/3; its estimate from n values has relative error √(0.8/n).
    n = WIDTH * 9
    assert drawn.weight.var().item() == pytest.approx(1 / 27, rel=SIGMAS * math.sqrt(0.8 / n))
    X = points(5, 9)
    torch.testing.assert_close(drawn(X), torch.relu(X @ drawn.weight.T))


@pytest.mark.parametrize("feature_map", [ReLUFeatures(7), CosineFeatures(7, "laplace-l2", 2.0)])
def test_a_seed_repeats_and_dtype_is_followed(feature_map):
    X = points()
    first, second = (feature_map.draw(3, generator(3)) for _ in range(2))
    assert torch.equal(first(X), second(X))
    assert not torch.equal(first(X), feature_map.draw(3, generator(4))(X))
    single = feature_map.draw(3, generator(3), dtype=torch.float32)
    assert single(X.float()).dtype == torch.float32
    torch.testing.assert_close(single(X.float()).double(), first(X), rtol=1e-4, atol=1e-5)


def test_wrong_input():
    with pytest.raises(ValueError, match="width = 0; width must be an integer ≥ 1"):
        ReLUFeatures(0)
    with pytest.raises(ValueError, match=r"width = 2\.5"):
        CosineFeatures(2.5)
    with pytest.raises(TypeError, match="width"):
        CosineFeatures("wide")
    with pytest.raises(ValueError, match="distribution"):
        ReLUFeatures(3, distribution="cauchy")
    with pytest.raises(ValueError, match="kernel must be"):
        CosineFeatures(3, "laplace")
    with pytest.raises(ValueError, match="bandwidth must be a finite real number > 0"):
        CosineFeatures(3, "gaussian", 0.0)
    with pytest.raises(ValueError, match="d must be an integer ≥ 1"):
        ReLUFeatures(3).draw(0, generator())
    with pytest.raises(TypeError, match="generator"):
        ReLUFeatures(3).draw(2, np.random.default_rng(0))
    drawn = ReLUFeatures(3).draw(2, generator())
    with pytest.raises(ValueError, match="X must have 2 columns"):
        drawn(points(4, 3))
    with pytest.raises(ValueError, match="float32"):
        drawn(points(4, 2).float())


@pytest.mark.any_type
def test_numbers_of_every_type_are_taken_and_kept_plain():
    features = CosineFeatures(np.int64(5), np.str_("laplace-l1"), Fraction(1, 4))
    assert features == CosineFeatures(5, "laplace-l1", 0.25)
    assert (type(features.width), type(features.bandwidth)) == (int, float)
    assert ReLUFeatures(5.0) == ReLUFeatures(torch.tensor(5)) == ReLUFeatures(5)


@pytest.mark.parametrize("feature_map", [ReLUFeatures(7), CosineFeatures(7)])
def test_features_that_no_number_holds_are_refused(feature_map):
    drawn = feature_map.draw(3, generator(), dtype=torch.float32)
    with pytest.raises(ValueError, match="the matrix of features contains NaN or infinity"):
        drawn(torch.full((2, 3), 3e38))


def test_features_are_differentiable():
    X = points().requires_grad_()
    ReLUFeatures(7).draw(3, generator())(X).sum().backward()
    assert X.grad.shape == X.shape
