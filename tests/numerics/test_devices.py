"""Everything in numerics that takes a device, on a pretended GPU: no tensor of one device meets one of the other."""

import numpy as np
import pytest
import torch
from pretend_gpu import CUDA, PretendTensor, pretend_gpu

from numerics import descent
from numerics.agop import kernel_agop
from numerics.deep_rfm import DeepRFM
from numerics.kernels import (
    CosineFeatures,
    Gaussian,
    Laplace,
    Linear,
    Linearised,
    ReLUFeatures,
    solve_kernel,
    squared_distances,
)
from numerics.metrics import NearestClassCenter, NeuralCollapse, collapse_metrics, nc3

F64 = torch.float64


@pytest.fixture(autouse=True)
def device(monkeypatch):
    with pretend_gpu(monkeypatch):
        yield


def points(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=F64)


def collapsed():
    """Classes whose radii need distances one by one, in balls, and balls within balls."""
    radii = torch.tensor([1.0, 1e-3, 1e-7, 0.0])[torch.arange(120) % 4, None]
    return points(3, 5, 1)[torch.arange(120) % 3] + radii * points(120, 5, 2)


def same(on_device, on_cpu):
    assert isinstance(on_device, PretendTensor)
    assert on_device.device == CUDA
    torch.testing.assert_close(on_device.inner, on_cpu, rtol=1e-9, atol=1e-12)


def test_the_pretended_gpu_refuses_what_a_gpu_refuses():
    there = torch.zeros(3, device="cuda")
    assert there.to(F64).device == CUDA
    assert there.cpu().numpy().tolist() == [0.0, 0.0, 0.0]
    for mixed in (
        lambda: there + torch.ones(3),
        lambda: torch.ones(3)[there.long()],
        lambda: there.index_put_((torch.tensor([0, 1]),), torch.ones(2)),
    ):
        with pytest.raises(RuntimeError, match="all tensors on one device"):
            mixed()
    assert there[torch.tensor([0, 1])].device == CUDA
    here = torch.ones(3)
    assert here.to("cpu") is here
    assert here.to("cpu", copy=True) is not here
    with pytest.raises(RuntimeError, match="generator"):
        torch.randn(3, device="cuda", generator=torch.Generator())
    with pytest.raises(RuntimeError, match="numpy"):
        there.numpy()


@pytest.mark.parametrize("kernel", [Laplace(2.0), Gaussian(2.0), Linear(), Linearised(0.1)])
def test_kernels(kernel):
    X = collapsed()
    same(kernel(X.to("cuda")), kernel(X))
    same(kernel(X.to("cuda"), X[:7].to("cuda")), kernel(X, X[:7]))
    same(kernel.gradient(X.to("cuda")), kernel.gradient(X))
    same(squared_distances(X.to("cuda")), squared_distances(X))


@pytest.mark.parametrize("route", ["auto", "samples", "features"])
@pytest.mark.parametrize("limit", [None, 300_000])
def test_kernel_agop(route, limit):
    X, alpha = points(120, 5, 6) if route == "samples" else collapsed(), points(120, 3, 3)
    there, here = (
        kernel_agop(Laplace(2.0), X.to(device), alpha.to(device), route=route, memory_limit=limit)
        for device in ("cuda", "cpu")
    )
    same(there, here)


@pytest.mark.parametrize("size", [2.0**400, 2.0**-400])
def test_data_of_any_size(size):
    X, alpha = collapsed(), points(120, 3, 3)
    kernel = Laplace(2.0 * size)
    same(kernel((size * X).to("cuda")), Laplace(2.0)(X))
    there = kernel_agop(kernel, (size * X).to("cuda"), (size * alpha).to("cuda"), route="features")
    same(there, kernel_agop(Laplace(2.0), X, alpha, route="features"))


@pytest.mark.parametrize("singular", ["pinv", "jitter"])
def test_kernel_regression(singular):
    X = collapsed()
    K, Y = Laplace(2.0)(X), points(120, 2, 4)
    solution = solve_kernel(K.to("cuda"), Y.to("cuda"), singular=singular)
    expected = solve_kernel(K, Y, singular=singular)
    assert (solution.method, solution.rank) == (expected.method, expected.rank)
    assert solution.method == singular
    same(solution.alpha, expected.alpha)
    regular = points(20, 20, 5)
    same(
        solve_kernel((regular @ regular.T).to("cuda"), Y[:20].to("cuda")).alpha,
        solve_kernel(regular @ regular.T, Y[:20]).alpha,
    )


@pytest.mark.parametrize("features", [ReLUFeatures(64), CosineFeatures(64)])
@pytest.mark.filterwarnings("ignore::numerics.kernels.SingularKernelWarning")
def test_deep_rfm_fits_predicts_saves_and_loads(features, tmp_path):
    X, y = points(60, 5).numpy(), np.arange(60) % 3
    X[y == 1] += 1.0
    arguments = {"depth": 3, "feature_map": features, "random_state": 0, "grams": (1, 2)}
    there, here = (DeepRFM(device=device, **arguments).fit(X, y) for device in ("cuda", "cpu"))
    assert there.layers_[0].root.vectors.device == CUDA
    # Sums are taken in another order there. M^{1/2} has the square root of that rounding where M has no more to say.
    np.testing.assert_allclose(there.transform(X), here.transform(X), rtol=0, atol=1e-8)
    np.testing.assert_allclose(there.decision_function(X), here.decision_function(X), rtol=0, atol=1e-12)
    assert there.records_[-1].metrics["features"].nc1 == pytest.approx(here.records_[-1].metrics["features"].nc1)
    there.save(tmp_path / "model.pt")
    for device in ("cuda", "cpu"):
        loaded = DeepRFM.load(tmp_path / "model.pt", device=device)
        np.testing.assert_allclose(loaded.transform(X), there.transform(X), rtol=0, atol=1e-12)
        loaded.set_params(warm_start=True, depth=4).fit(X, y)
        assert len(loaded.records_) == 4


def test_neural_collapse():
    X, labels = points(60, 5), torch.arange(60) % 3
    assert collapse_metrics(X.to("cuda"), labels.to("cuda"), 3) == collapse_metrics(X, labels, 3)
    there, here = NeuralCollapse(3, 5).to("cuda"), NeuralCollapse(3, 5)
    for part in (slice(0, 20), slice(20, 60)):
        there.update(X[part].to("cuda"), labels[part].to("cuda"))
        here.update(X[part], labels[part])
    for name, value in there.compute().items():
        assert float(value) == pytest.approx(float(here.compute()[name]), rel=1e-12)
    nearest = NearestClassCenter(there.statistics().means).to("cuda")
    nearest.update(X.to("cuda"), labels.to("cuda"))
    assert 0.0 <= float(nearest.compute()) <= 1.0
    W = points(3, 5, 8)
    assert float(nc3(there.statistics(), W.to("cuda"))) == pytest.approx(float(nc3(here.statistics(), W)))


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "adam"])
def test_dufm_training(optimizer):
    """Fewer steps than a CUDA graph takes at once: graphs need the real thing."""
    arguments = {"width": 5, "seeds": 3, "steps": 15, "lr": 0.05, "optimizer": optimizer}
    there, here = descent.train(4, 3, 2e-3, device="cuda", **arguments), descent.train(4, 3, 2e-3, **arguments)
    for a, b in zip(there.parameters, here.parameters, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
