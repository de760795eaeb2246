"""numerics.agop.kernel_agop: both routes against Jacobians, differences and xrfm; sizes; memory; wrong input."""

import math
import subprocess
import sys
import textwrap

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics.agop import AgopAccuracyWarning, _gradients, _kernel_machines, _samples_route, agop_cost, kernel_agop
from numerics.agop._machine import KernelMachine
from numerics.agop._near_pairs import NearPairs
from numerics.kernels import Gaussian, Laplace, Linear, Linearised

F64 = torch.float64


def points(n, d, seed=0, dtype=F64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def metric(d, seed=1):
    B = points(d, d, seed)
    M = B @ B.T / d
    return 0.5 * (M + M.T)


def by_jacobian(kernel, X, alpha):
    """The AGOP from its definition: Jacobians of Σ_j alpha_j k(x, x_j) by torch.func.

    The term of the point itself is left out: it has zero gradient, by definition or by the convention at the kink.
    """
    M = torch.eye(X.shape[1], dtype=X.dtype) if kernel.M is None else kernel.M
    apart = (X[:, None, :] != X).any(dim=2)

    def value(x, apart):
        difference = X - x
        square = torch.where(apart, ((difference @ M) * difference).sum(dim=1), 1.0)
        if isinstance(kernel, Laplace):
            values = torch.exp(-square.sqrt() / kernel.bandwidth)
        else:
            values = torch.exp(-square / (2 * kernel.bandwidth**2))
        return torch.where(apart, values, 0.0) @ alpha

    jacobians = torch.func.vmap(torch.func.jacrev(value))(X, apart)
    return torch.einsum("icd,ice->de", jacobians, jacobians) / len(X)


def relative(A, B):
    return (torch.linalg.matrix_norm(A - B) / torch.linalg.matrix_norm(B)).item()


def smallest_limit(n, d, panel):
    """A memory limit that leaves room for panels of this many rows and no more."""
    return 8 * (3 * n * d + 3 * d * d) + 8 * (13 * n // 4 + d) * panel + 32 * panel**2


@given(
    st.integers(2, 25), st.integers(1, 20), st.integers(1, 4), st.integers(0, 10**6),
    st.sampled_from([Laplace, Gaussian]), st.booleans(),
)  # fmt: skip
def test_both_routes_are_the_jacobians(n, d, c, seed, make, mahalanobis):
    X, alpha = points(n, d, seed), points(n, c, seed + 1)
    kernel = make(2.0 * d**0.5, M=metric(d, seed + 2) if mahalanobis else None)
    expected = by_jacobian(kernel, X, alpha)
    for route in ("features", "samples", "auto"):
        result = kernel_agop(kernel, X, alpha, route=route)
        assert relative(result, expected) < 1e-10
        assert torch.equal(result, result.T)


@pytest.mark.parametrize(("n", "d"), [(150, 7), (150, 140), (97, 300)])
def test_blocks_of_features_change_nothing(n, d):
    X, alpha = points(n, d), points(n, 3, 1)
    kernel = Laplace(3.0)
    whole = kernel_agop(kernel, X, alpha, route="features")
    limit = 8 * (2 * n * d + d * d + (13 * n // 4 + 8 * d) * 70)
    assert relative(kernel_agop(kernel, X, alpha, route="features", memory_limit=limit), whole) < 1e-12
    assert relative(whole, by_jacobian(kernel, X, alpha)) < 1e-10


# Of fewer points all of Q takes less memory than the smallest panels.
@pytest.mark.parametrize(("n", "d"), [(400, 7), (400, 140), (400, 300)])
def test_panels_of_samples_change_nothing(n, d, monkeypatch):
    panels = []

    def in_panels(machine, panel, forced):
        panels.append(panel)
        return kept(machine, panel, forced)

    kept = _samples_route._in_panels
    monkeypatch.setattr(_samples_route, "_in_panels", in_panels)
    X, alpha = points(n, d), points(n, 3, 1)
    whole = kernel_agop(Laplace(3.0), X, alpha, route="features")
    result = kernel_agop(Laplace(3.0), X, alpha, route="samples", memory_limit=smallest_limit(n, d, 70))
    assert relative(result, whole) < 1e-12
    assert len(panels) == 1
    assert 64 <= panels[0] <= 70


@pytest.mark.parametrize("near", [None, 1e-9])
def test_panels_are_left_where_they_would_cost_accuracy(near, monkeypatch):
    found = []

    def in_panels(machine, panel, forced):
        assert not forced
        found.append(kept(machine, panel, forced)[0])
        return None if found[-1] is None else found[-1].clone(), 1.0

    kept = _samples_route._in_panels
    monkeypatch.setattr(_samples_route, "_in_panels", in_panels)
    n, d = 400, 300
    X, alpha = points(n, d), points(n, 3, 1)
    if near is not None:  # pairs so near that their share of the gradients cancels
        X[n // 2 :] = X[: n // 2] + near * points(n // 2, d, 2)
    expected = kernel_agop(Laplace(3.0), X, alpha, route="features")
    result = kernel_agop(Laplace(3.0), X, alpha, route="auto", memory_limit=smallest_limit(n, d, 70))
    assert relative(result, expected) < (1e-12 if near is None else 1e-9)
    assert [one is None for one in found] == [near is not None]


def test_duplicates_contribute_nothing_to_each_other():
    X, alpha = points(20, 4), points(20, 2, 1)
    X[5], X[6] = X[4], X[4]
    for kernel in (Laplace(2.0), Gaussian(2.0)):
        for route in ("features", "samples"):
            assert relative(kernel_agop(kernel, X, alpha, route=route), by_jacobian(kernel, X, alpha)) < 1e-10


def test_all_points_equal_give_zero():
    X = torch.ones(5, 3, dtype=F64)
    for route in ("features", "samples", "auto"):
        assert not kernel_agop(Laplace(1.0), X, points(5, 2), route=route).any()


def test_far_from_the_origin_the_result_is_the_same():
    X, alpha = points(40, 6), points(40, 2, 1)
    moved = X + 1000.0
    for route in ("features", "samples"):
        # Moving the points rounds them by about 1e-13.
        assert (
            relative(kernel_agop(Laplace(2.0), moved, alpha, route=route), by_jacobian(Laplace(2.0), X, alpha)) < 1e-9
        )


def test_linear_kernels_have_a_constant_gradient():
    X, alpha, M = points(9, 4), points(9, 2, 1), metric(4)
    beta = M @ X.T @ alpha
    torch.testing.assert_close(kernel_agop(Linear(M=M), X, alpha), beta @ beta.T)
    torch.testing.assert_close(kernel_agop(Linearised(0.5), X, alpha), X.T @ alpha @ alpha.T @ X)


def cancelling_machine():
    """Coefficients orthogonal to constants and to the points: the gradient vanishes up to second order in 1/L."""
    X = points(60, 20)
    span = torch.linalg.qr(torch.cat([torch.ones(60, 1, dtype=F64), X], dim=1)).Q
    alpha = points(60, 40, 1)
    return Gaussian(1000.0), X, alpha - span @ (span.T @ alpha)


@pytest.mark.parametrize(("n", "d"), [(200, 20), (60, 200)])
def test_float32_is_as_good_as_float32_can_be(n, d):
    X, alpha = points(n, d), points(n, 5, 1)
    expected = kernel_agop(Laplace(3.0), X, alpha)
    for route in ("features", "samples", "auto"):
        result = kernel_agop(Laplace(3.0), X.float(), alpha.float(), route=route)
        assert result.dtype == torch.float32
        assert relative(result.double(), expected) < 1e-4


@pytest.mark.parametrize(("n", "d", "c"), [(60, 100, 30), (300, 500, 1), (200, 400, 200), (500, 300, 2)])
@pytest.mark.parametrize(("dtype", "error"), [(F64, 3e-14), (torch.float32, 2e-6)])
def test_the_samples_route_costs_a_few_roundings_where_features_are_many(n, d, c, dtype, error):
    """Through a Cholesky factor of the core, which is singular: what is added to it may not be seen."""
    X, alpha = points(n, d) / math.sqrt(d), points(n, c, 1)
    expected = kernel_agop(Laplace(2.0), X, alpha, route="features")
    result = kernel_agop(Laplace(2.0), X.to(dtype), alpha.to(dtype), route="samples")
    assert relative(result.double(), expected) < error


def test_partial_cancellation_in_many_dimensions_keeps_ten_digits():
    """Gradients a hundredth of their terms: all rounding of the core shows."""
    X = points(60, 100)
    alpha = points(60, 30, 1)
    alpha = alpha - alpha.mean(dim=0)
    X = 1e-3 * X + points(1, 100, 5)
    for kernel in (Gaussian(1.0), Laplace(1.0)):
        assert relative(kernel_agop(kernel, X, alpha), by_jacobian(kernel, X, alpha)) < 1e-10


def test_auto_leaves_the_samples_route_when_gradients_cancel():
    kernel, X, alpha = cancelling_machine()
    cost = agop_cost(60, 20, 40)
    assert cost["samples"] < cost["features"]
    features = kernel_agop(kernel, X, alpha, route="features")
    assert torch.equal(kernel_agop(kernel, X, alpha), features)
    expected = by_jacobian(kernel, X, alpha)
    # Gradients are 1e-5 of their terms: both sides carry 1e-16 / 1e-5 of relative error, with some room.
    assert relative(features, expected) < 1e-9


def collapsed_machine(scale, n=80, classes=4):
    """Classes of one radius, with a point twice, and some points apart from all."""
    X = points(classes, 20)[torch.arange(n) % classes] + scale * points(n, 20, 1)
    X[8] = X[4]
    X[-10:] = points(10, 20, 2)
    return Laplace(5.0), X, points(n, 40, 3)


def spied(monkeypatch):
    """What the route takes besides the plain samples route."""
    taken = []
    rest, features = NearPairs.rest, _kernel_machines.by_features
    monkeypatch.setattr(NearPairs, "rest", lambda *a: (taken.append("near pairs"), rest(*a))[1])
    monkeypatch.setattr(_kernel_machines, "by_features", lambda *a: (taken.append("features"), features(*a))[1])
    return taken


@pytest.mark.parametrize(("scale", "expected"), [(1e-1, []), (1e-4, ["near pairs"]), (1e-7, ["near pairs"])])
@pytest.mark.parametrize("route", ["auto", "samples"])
def test_collapsed_classes_keep_the_samples_route_and_their_digits(scale, expected, route, monkeypatch):
    """Near pairs are taken apart where they would cancel, and then nothing is lost however small the classes."""
    kernel, X, alpha = collapsed_machine(scale)
    taken = spied(monkeypatch)
    result = kernel_agop(kernel, X, alpha, route=route)
    assert taken == expected
    assert torch.equal(result, result.T)
    assert relative(result, by_jacobian(kernel, X, alpha)) < 1e-13


def test_the_amplification_is_foreseen_from_the_gradients_at_a_few_points():
    kernel, X, alpha = Laplace(2.0), points(50, 7), points(50, 3, 1)
    exact = 50 * torch.trace(by_jacobian(kernel, X, alpha)).item()
    machine = KernelMachine(kernel, X, alpha)
    for probes, error in ((machine.probes(), 0.5), (machine.probes(50), 1e-12)):
        assert machine.foreseen_trace(machine.factor()[probes], probes) == pytest.approx(exact, rel=error)


def by_differences(kernel, X, alpha):
    """The AGOP from differences of the points, pair by pair: every digit of them that there is."""
    difference = X[:, None, :] - X
    square = difference.square().sum(dim=2)
    apart = square > (1e-10 * (X - X.mean(dim=0)).norm(dim=1).max()) ** 2
    r = torch.where(apart, square, 1.0).sqrt()
    L = kernel.bandwidth
    slope = torch.exp(-r / L) / (r * L) if isinstance(kernel, Laplace) else torch.exp(-(r**2) / (2 * L**2)) / L**2
    gradients = torch.einsum("ij,ijd,jc->icd", torch.where(apart, -slope, 0.0), difference, alpha)
    return torch.einsum("icd,ice->de", gradients, gradients) / len(X)


def few_near_duplicates():
    X = points(200, 8)
    X[50:60] = X[:10] + 1e-9 * points(10, 8, 3)
    return X


NEAR = {
    "a few pairs": few_near_duplicates,
    "classes": lambda: points(4, 8, 5)[torch.arange(200) % 4] + 1e-9 * points(200, 8, 3),
    "classes of clusters": lambda: (
        points(4, 8, 5)[torch.arange(200) % 4]
        + 1e-3 * points(20, 8, 7)[torch.arange(200) // 10]
        + 1e-9 * points(200, 8, 3)
    ),
    "a line through all scales": lambda: torch.logspace(-9, 0, 200, dtype=F64)[:, None] * points(1, 8, 5),
}


@pytest.mark.parametrize("name", NEAR)
@pytest.mark.parametrize("outputs", [1, 3, 40])
@pytest.mark.parametrize("kernel", [Laplace(2.0), Gaussian(2.0), Gaussian(1e-8)])
def test_near_duplicates_lose_no_digits(name, outputs, kernel):
    """Where only the pairs at 1e-9 have a gradient, products about the mean of all points would lose half of them."""
    X, alpha = NEAR[name](), points(200, outputs, 1)
    expected = by_differences(kernel, X, alpha)
    for route in ("auto", "features"):
        result = kernel_agop(kernel, X, alpha, route=route)
        # A pair keeps all digits but two of those of its difference; the distance itself has eleven at least.
        assert relative(result, expected) < 1e-11
    # Blocks of 64 points, across which classes and clusters reach.
    limit = 8 * (2 * 200 * 8 + 64 + (13 * 200 // 4 + 16 * outputs + 16) * 64)
    assert relative(kernel_agop(kernel, X, alpha, route="features", memory_limit=limit), expected) < 1e-11


@pytest.mark.parametrize("chunk", [8, 25, 80])
def test_near_pairs_are_taken_a_few_at_a_time(chunk, monkeypatch):
    """One, three or ten of the twenty differences at once."""
    X, alpha = few_near_duplicates(), points(200, 3, 1)
    whole = kernel_agop(Laplace(2.0), X, alpha, route="features")
    monkeypatch.setattr(_gradients, "_CHUNK", chunk)
    assert relative(kernel_agop(Laplace(2.0), X, alpha, route="features"), whole) < 1e-14
    assert relative(whole, by_differences(Laplace(2.0), X, alpha)) < 1e-11


def test_gradients_that_cancel_by_themselves_are_warned_of():
    """A dipole whose two points are 1e-9 apart has, at all other points, a gradient of 1e-9 of its terms."""
    X, alpha = points(40, 5), torch.zeros(40, 1, dtype=F64)
    X[1] = X[0] + 1e-9 * points(1, 5, 1)[0]
    alpha[0], alpha[1] = 1.0, -1.0
    with pytest.warns(AgopAccuracyWarning, match="left of terms that cancel"):
        kernel_agop(Gaussian(2.0), X, alpha, route="features")


@pytest.mark.parametrize(("dtype", "size"), [
    (torch.float32, 2.0**66), (torch.float32, 2.0**-66), (F64, 2.0**498), (F64, 2.0**-498),
])  # fmt: skip
@pytest.mark.parametrize("make", [Laplace, Gaussian])
@pytest.mark.parametrize("route", ["auto", "features", "samples"])
def test_the_agop_of_data_of_any_size_is_that_of_the_rescaled_data(dtype, size, make, route):
    X, alpha = points(60, 7, 3, dtype), points(60, 3, 1, dtype)
    X[20:40] = X[:20] + 1e-3 * X[40:]
    expected = kernel_agop(make(2.0), X, alpha, route=route)
    assert torch.equal(kernel_agop(make(2.0 * size), size * X, size * alpha, route=route), expected)
    if dtype == F64:
        assert torch.equal(kernel_agop(make(2.0 * size), size * X, alpha, route=route), expected / size**2)
        assert torch.equal(kernel_agop(make(2.0), X, size * alpha, route=route), expected * size**2)
    else:
        with pytest.raises(ValueError, match=r"the AGOP has entries of size .*, which torch\.float32 cannot hold"):
            kernel_agop(make(2.0 * size), size * X, alpha, route=route)


def test_the_agop_of_linear_kernels_at_any_size():
    X, alpha = points(9, 4), points(9, 2, 1)
    for size in (2.0**498, 2.0**-498):
        assert torch.equal(kernel_agop(Linear(), size * X, alpha / size), kernel_agop(Linear(), X, alpha))


def test_near_pairs_are_left_in_where_there_is_no_memory_to_take_them_out(monkeypatch):
    kernel, X, alpha = collapsed_machine(1e-4, n=300, classes=2)
    plain = 8 * (2 * 300**2 + 300**2 // 8 + 3 * 300 * 20 + 2 * 20**2)
    taken = spied(monkeypatch)
    for limit, expected in ((plain, "features"), (2 * plain, "near pairs")):
        result = kernel_agop(kernel, X, alpha, memory_limit=limit)
        assert taken.pop() == expected
        assert not taken
        assert relative(result, by_jacobian(kernel, X, alpha)) < 1e-10


def test_the_samples_route_warns_when_it_loses_half_of_the_digits():
    kernel, X, alpha = cancelling_machine()
    with pytest.warns(AgopAccuracyWarning, match="relative error about"):
        samples = kernel_agop(kernel, X, alpha, route="samples")
    # The warning is not idle: what it warns of is there.
    assert relative(samples, kernel_agop(kernel, X, alpha, route="features")) > 1e-9


def test_against_xrfm_up_to_its_normalisation():
    """xrfm sums over the points; its distances carry the rounding of one matrix product, 1e-8 on the diagonal."""
    kernels = pytest.importorskip("xrfm.rfm_src.kernels")
    X, alpha = points(200, 20), points(200, 5, 1)
    theirs = kernels.LaplaceKernel(bandwidth=2.0, exponent=1.0).get_agop(X, X, alpha.T.contiguous()) / 200
    for route in ("features", "samples"):
        assert relative(kernel_agop(Laplace(2.0), X, alpha, route=route), theirs) < 1e-6


def test_the_cost_model_chooses_samples_for_many_outputs_and_features_for_many_points():
    assert agop_cost(2000, 3072, 10)["samples"] < agop_cost(2000, 3072, 10)["features"] / 5
    assert agop_cost(8000, 16, 1)["features"] < agop_cost(8000, 16, 1)["samples"] / 50


def test_memory_stays_within_the_limit():
    """In a process of its own: the peak of the resident set above that of the same call on few points."""
    script = textwrap.dedent("""
        import resource, torch
        from numerics.agop import kernel_agop
        from numerics.kernels import Laplace
        torch.set_num_threads(1)
        X, alpha = torch.randn(4000, 20, dtype=torch.float64), torch.randn(4000, 2, dtype=torch.float64)
        kernel_agop(Laplace(2.0), X[:300], alpha[:300], route="samples")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        kernel_agop(Laplace(2.0), X, alpha, route="samples", memory_limit=30_000_000)
        print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))
    """)
    used = int(subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout)
    # The n × n matrix alone would be 128 MB. The allocator keeps some freed blocks.
    assert used < 45_000_000


def test_wrong_input():
    X, alpha = points(6, 3), points(6, 2, 1)
    kernel = Laplace(1.0)
    with pytest.raises(TypeError, match="kernel"):
        kernel_agop("laplace", X, alpha)
    with pytest.raises(ValueError, match="alpha must have one row a point: 6"):
        kernel_agop(kernel, X, alpha[:5])
    with pytest.raises(ValueError, match="float32"):
        kernel_agop(kernel, X, alpha.float())
    with pytest.raises(ValueError, match="route"):
        kernel_agop(kernel, X, alpha, route="both")
    with pytest.raises(TypeError, match="memory_limit"):
        kernel_agop(kernel, X, alpha, memory_limit="1 GB")
    for route in ("features", "samples"):
        with pytest.raises(ValueError, match=r"too small: \d+ bytes are needed for the smallest block, 6 rows"):
            kernel_agop(kernel, X, alpha, route=route, memory_limit=1000 if route == "samples" else 100)
    alpha[2, 1] = torch.inf
    with pytest.raises(ValueError, match="alpha contains NaN or infinity, first in row 2"):
        kernel_agop(kernel, X, alpha)
