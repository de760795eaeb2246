"""numerics.kernels.squared_distances: its accuracy as points come together, and at every size."""

from decimal import Decimal, getcontext

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics.kernels import _distances, squared_distances

F64 = torch.float64


def points(n, d, seed=0, dtype=F64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


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
    exact = torch.tensor([[exact_square(x, z) for z in X] for x in X], dtype=F64)
    # d + 4 roundings of squares and sums, doubled; a pair above the refinement threshold loses up to 1e4 more.
    for distances in (squared_distances(X), squared_distances(X, X.clone())):
        torch.testing.assert_close(distances, exact, rtol=2 * (d + 4) * 1e4 * 1.2e-16, atol=0.0)


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
    error = 2 * 60**0.5 * torch.finfo(dtype).eps / _distances.CANCELLATION[dtype]
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
    refine = _distances.refine_pairs
    monkeypatch.setattr(_distances, "refine_pairs", lambda *a: (pairs.append(len(a[3])), refine(*a)))
    squared_distances(clusters_of_many_scales(scale, 0.5))
    assert sum(pairs) <= 8 * 400


@pytest.mark.parametrize(("dtype", "size", "fits"), [
    (F64, 2.0**498, True), (F64, 2.0**-470, True), (F64, 2.0**600, False), (F64, 2.0**-600, False),
    (torch.float32, 2.0**40, True), (torch.float32, 2.0**70, False), (torch.float32, 2.0**-70, False),
])  # fmt: skip
def test_squares_are_those_of_the_rescaled_points_or_refused(dtype, size, fits):
    X = points(30, 4, 1, dtype)
    X[10:20] = X[:10] + 1e-3 * points(10, 4, 2, dtype)
    X[20:25] = X[:5]
    if fits:
        assert torch.equal(squared_distances(size * X), squared_distances(X) * size**2)
    else:
        with pytest.raises(ValueError, match="the matrix of squared distances has entries of size"):
            squared_distances(size * X)
