"""numerics.kernels: values and gradients by definition, distances of nearly coincident points, wrong input."""

from decimal import Decimal, getcontext

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics import kernels
from numerics.kernels import COINCIDENCE, Gaussian, Laplace, Linear, Linearised, squared_distances

F64 = torch.float64


def points(n, d, seed=0, dtype=F64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def metric(d, seed=1):
    B = points(d, d, seed)
    M = B @ B.T / d
    return 0.5 * (M + M.T)


KERNELS = {
    "laplace": (lambda M: Laplace(1.7, M=M), lambda r, inner: torch.exp(-r / 1.7)),
    "gaussian": (lambda M: Gaussian(1.7, M=M), lambda r, inner: torch.exp(-(r**2) / (2 * 1.7**2))),
    "linear": (lambda M: Linear(M=M), lambda r, inner: inner),
}


def definition(function, x, z, M):
    """k(x, z) for two vectors, straight from its formula."""
    difference = x - z
    return function(torch.sqrt(difference @ M @ difference), x @ M @ z)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("mahalanobis", [False, True])
def test_values_and_gradients_are_those_of_the_definition(name, mahalanobis):
    make, function = KERNELS[name]
    X, Z = points(6, 4, 2), points(5, 4, 3)
    M = metric(4) if mahalanobis else None
    full = torch.eye(4, dtype=F64) if M is None else M
    kernel = make(M)
    values = torch.stack([torch.stack([definition(function, x, z, full) for z in Z]) for x in X])
    torch.testing.assert_close(kernel(X, Z), values, rtol=1e-13, atol=1e-14)
    gradient = torch.func.grad(lambda x, z: definition(function, x, z, full))
    expected = torch.stack([torch.stack([gradient(x, z) for z in Z]) for x in X])
    torch.testing.assert_close(kernel.gradient(X, Z), expected, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(kernel.diagonal(X), kernel(X).diagonal(), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("kernel", [Laplace(0.8), Gaussian(0.8), Linear()])
def test_a_kernel_matrix_is_exactly_symmetric_and_positive_semidefinite(kernel):
    K = kernel(points(300, 7))
    assert torch.equal(K, K.T)
    # Eigenvalues are off by at most about n machine epsilons of the largest.
    values = torch.linalg.eigvalsh(K)
    assert values[0] > -300 * 2.3e-16 * values[-1]


def test_linearised_kernel_perturbs_the_training_points_alone():
    X = points(4, 6)
    torch.testing.assert_close(Linearised(0.3)(X), X @ X.T + 0.3 * torch.eye(4, dtype=F64))
    torch.testing.assert_close(Linearised(0.3)(X, X.clone()), X @ X.T)
    assert torch.equal(Linearised(0.3).gradient(X), Linear().gradient(X))


def exact_square(x, z):
    getcontext().prec = 60
    return float(sum((Decimal(a) - Decimal(b)) ** 2 for a, b in zip(x.tolist(), z.tolist(), strict=True)))


@given(st.integers(-16, 0), st.integers(1, 3), st.integers(0, 10**6))
def test_distances_keep_their_relative_accuracy_as_clusters_collapse(exponent, classes, seed):
    """Against 60 digits, whatever the size of the clusters; float64 points are exact rationals."""
    n, d = 12, 5
    centres = 100.0 * points(classes, d, seed)
    X = centres[torch.arange(n) % classes] + 10.0**exponent * points(n, d, seed + 1)
    X[3] = X[0]
    distances = squared_distances(X)
    for i in range(n):
        for j in range(n):
            # d + 4 roundings of squares and sums, doubled; a pair above the refinement threshold loses up to 1e4 more.
            assert distances[i, j].item() == pytest.approx(exact_square(X[i], X[j]), rel=2 * (d + 4) * 1e4 * 1.2e-16)
    assert torch.equal(distances, squared_distances(X, X.clone()).minimum(distances))


@pytest.mark.parametrize("scale", [1e-3, 1e-7, 1e-12, 1e-15])
def test_large_clusters_take_the_recentred_path(scale):
    X = 5.0 * points(4, 60, 1)[torch.arange(400) % 4] + scale * points(400, 60, 2)
    reference = torch.cdist(X, X, compute_mode="donot_use_mm_for_euclid_dist").square()
    distances = squared_distances(X)
    torch.testing.assert_close(distances, reference, rtol=2e-10, atol=0.0)  # 1e-16 / the threshold 1e-4, times √d
    assert torch.equal(distances, distances.T)
    rectangular = squared_distances(X[:150], X[50:])
    torch.testing.assert_close(rectangular, reference[:150, 50:], rtol=2e-10, atol=0.0)


def test_nested_clusters_are_recentred_again():
    sizes = [1.0, 1e-4, 1e-8]
    index = torch.arange(600)
    X = sum(s * points(5, 20, k)[(index // 5**k) % 5] for k, s in enumerate(sizes)) + 1e-13 * points(600, 20, 9)
    reference = torch.cdist(X, X, compute_mode="donot_use_mm_for_euclid_dist").square()
    torch.testing.assert_close(squared_distances(X), reference, rtol=2e-10, atol=0.0)


def clusters_of_many_scales(scale, spread, dtype=F64):
    """Unit vectors around which points lie at radii scale · exp(spread · g), g standard normal."""
    centres, steps, radii = points(4, 60, 1, dtype), points(400, 60, 2, dtype), points(400, 1, 3, dtype)
    unit = torch.nn.functional.normalize
    return unit(centres)[torch.arange(400) % 4] + scale * torch.exp(spread * radii) * unit(steps)


def segments(dtype):
    """From −0.6 to −0.5 and from 0.5 to 0.6, each in need of many balls that overlap."""
    steps = torch.linspace(0.5, 0.6, 200, dtype=dtype)
    return torch.cat([-steps, steps])


SPREAD_OUT = {
    "a class across the threshold": lambda dtype: clusters_of_many_scales(0.007, 0.5, dtype),
    "radii over ten orders": lambda dtype: clusters_of_many_scales(1e-5, 4.0, dtype),
    "two segments": lambda dtype: segments(dtype)[:, None] * points(1, 60, 7, dtype),
    "a plane": lambda dtype: points(400, 2, 4, dtype) @ torch.linalg.qr(points(60, 2, 1, dtype)).Q.T,
    "a cusp": lambda dtype: torch.exp(3.0 * points(400, 1, 5, dtype)) * points(400, 60, 6, dtype),
    "duplicates": lambda dtype: clusters_of_many_scales(1e-3, 1.0, dtype)[torch.arange(400) % 37],
}


@pytest.mark.parametrize("name", SPREAD_OUT)
@pytest.mark.parametrize("dtype", [F64, torch.float32])
def test_distances_of_every_scale_at_once_keep_their_accuracy(name, dtype):
    # The expanded square is off by some √d machine epsilons of the norms, of which what is kept is a share at least.
    error = 2 * 60**0.5 * torch.finfo(dtype).eps / kernels._CANCELLATION[dtype]
    X = SPREAD_OUT[name](dtype)
    reference = torch.cdist(X, X, compute_mode="donot_use_mm_for_euclid_dist").square()
    distances = squared_distances(X)
    torch.testing.assert_close(distances, reference, rtol=error, atol=0.0)
    assert torch.equal(distances, distances.T)
    torch.testing.assert_close(squared_distances(X[:150], X[50:]), reference[:150, 50:], rtol=error, atol=0.0)


@pytest.mark.parametrize("scale", [1e-3, 5e-3, 0.01, 0.02, 1e-8])
def test_collapsing_classes_are_recomputed_by_products(scale, monkeypatch):
    """Pair by pair only a few a point and level, however the radii of a class straddle the threshold."""
    pairs = []
    refine = kernels._refine_pairs
    monkeypatch.setattr(kernels, "_refine_pairs", lambda *a: (pairs.append(len(a[3])), refine(*a)))
    squared_distances(clusters_of_many_scales(scale, 0.5))
    assert sum(pairs) <= 8 * 400


def test_equal_points_are_at_distance_zero_and_have_no_gradient():
    X = points(5, 3)
    X[4] = X[1]
    assert squared_distances(X)[1, 4] == 0.0
    for kernel in (Laplace(2.0), Gaussian(2.0)):
        assert kernel(X)[1, 4] == 1.0
        gradient = kernel.gradient(X)
        assert torch.isfinite(gradient).all()
        assert not gradient[1, 4].any()
        assert not gradient[2, 2].any()
        assert gradient[1, 2].any()


def test_points_nearer_than_the_coincidence_radius_have_no_gradient():
    X = torch.zeros(3, 1, dtype=F64)
    X[1] = 1.0
    radius = (2.0 / 3.0) * COINCIDENCE[F64]  # the largest distance from the mean is 2/3
    X[2] = 0.5 * radius
    assert not Laplace(1.0).gradient(X)[0, 2].any()
    X[2] = 2.0 * radius
    assert Laplace(1.0).gradient(X)[0, 2].item() == pytest.approx(1.0)


def test_float32_stays_float32():
    X = points(4, 3, dtype=torch.float32)
    for kernel in (Laplace(1.0), Gaussian(1.0), Linear()):
        assert kernel(X).dtype == kernel.gradient(X).dtype == torch.float32
        torch.testing.assert_close(kernel(X).double(), kernel(X.double()), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [Laplace, Gaussian])
@pytest.mark.parametrize(
    ("bandwidth", "error"), [(0.0, ValueError), (-1, ValueError), (float("nan"), ValueError), ("2", TypeError)]
)
def test_bandwidths_must_be_positive(make, bandwidth, error):
    with pytest.raises(error, match="bandwidth"):
        make(bandwidth)


@pytest.mark.parametrize(
    ("M", "message"),
    [
        (torch.eye(2, 3, dtype=F64), "square"),
        (torch.tensor([[1.0, 0.5], [0.0, 1.0]], dtype=F64), "symmetric"),
        (torch.diag(torch.tensor([1.0, -1.0], dtype=F64)), "semi-definite"),
        (torch.full((2, 2), torch.inf, dtype=F64), "NaN or infinity"),
    ],
)
def test_mahalanobis_matrices_must_be_symmetric_psd(M, message):
    with pytest.raises(ValueError, match=message):
        Laplace(1.0, M=M)


def test_wrong_points():
    X = points(3, 2)
    with pytest.raises(TypeError, match=r"X must be a torch\.Tensor, got ndarray"):
        Laplace(1.0)(np.ones((2, 2)))
    with pytest.raises(ValueError, match="shape"):
        Laplace(1.0)(X[0])
    with pytest.raises(ValueError, match="shape"):
        Laplace(1.0)(X[:0])
    with pytest.raises(ValueError, match=r"torch.int64"):
        Laplace(1.0)(X.long())
    with pytest.raises(ValueError, match="Z must have 2 columns"):
        Laplace(1.0)(X, points(3, 4))
    with pytest.raises(ValueError, match="float32"):
        Laplace(1.0)(X, X.float())
    with pytest.raises(ValueError, match="M is 3 × 3"):
        Laplace(1.0, M=torch.eye(3, dtype=F64))(X)
    bad = X.clone()
    bad[1, 0] = torch.nan
    with pytest.raises(ValueError, match="first in row 1"):
        Gaussian(1.0)(bad)
    with pytest.raises(ValueError, match="lam"):
        Linearised(-0.1)
