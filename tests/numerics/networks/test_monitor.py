"""The monitor against metrics computed from features held in memory, in one process and two, and what it must leave."""

import gc
import random

import numpy as np
import pytest
import torch
import torch.distributed
import torch.multiprocessing
from collapse_reference import F64, labelled
from scipy.sparse.linalg import svds
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from numerics import metrics as nc
from numerics.networks import CollapseMonitor

K, D = 4, 6


def mlp(seed=0, dtype=F64):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(D, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, 9), nn.ReLU(), nn.Linear(9, K)
    ).to(dtype)


def batches(n=203, size=32, seed=0, **options):
    X, y = labelled(n, D, K, seed, balanced=False)
    return X, y, DataLoader(TensorDataset(X, y), batch_size=size, **options)


def features(model, X, upto):
    model.eval()
    with torch.no_grad():
        return model[:upto](X)


def offline(model, X, y, upto, weighting="classes"):
    """Every measure from features in memory."""
    F = features(model, X, upto)
    whole = nc.collapse_metrics(F, y, K, weighting=weighting, with_effective_rank=True)
    statistics = nc.class_statistics(F, y, K)
    with torch.no_grad():
        predictions = model.eval()(X).argmax(dim=1)
    expected = {k: v for k, v in vars(whole).items() if k != "undefined"}
    expected["nc4"] = float(nc.nc4(F, predictions, statistics.means))
    expected["rank"] = int(torch.linalg.matrix_rank(F - F.mean(dim=0), rtol=1e-3))
    if upto == 6:
        expected["nc3"] = float(nc.nc3(statistics, model[6].weight.detach(), weighting=weighting))
    return expected


def agree(layer, expected):
    for name, value in expected.items():
        assert layer[name] == pytest.approx(value, rel=1e-10), name


@pytest.mark.parametrize("weighting", ["classes", "samples"])
@pytest.mark.parametrize("scatter_up_to", [1024, 0])
def test_it_agrees_with_metrics_of_features_in_memory(weighting, scatter_up_to):
    model = mlp()
    X, y, loader = batches(shuffle=True)
    monitor = CollapseMonitor(
        model, ["2", "5"], K, weighting=weighting, scatter_up_to=scatter_up_to, loss=nn.functional.cross_entropy
    )
    record = monitor.measure(loader)
    assert list(record.layers) == ["2", "5", "6.input"]
    for layer, upto in {"2": 3, "5": 6, "6.input": 6}.items():
        expected = offline(model, X, y, upto, weighting)
        if layer != "6.input":
            expected.pop("nc3", None)
            assert "nc3" not in record[layer].values
        if not scatter_up_to:
            for name in ("rank", "effective_rank"):
                del expected[name]
                assert np.isnan(record[layer][name])
                assert "scatter_up_to" in record[layer].undefined[name]
        agree(record[layer], expected)
    with torch.no_grad():
        outputs = model.eval()(X)
    assert record.samples == 203
    assert record.error == float((outputs.argmax(dim=1) != y).double().mean())
    assert record.loss == pytest.approx(float(nn.functional.cross_entropy(outputs, y)), rel=1e-12)


def work(rank, path, X, y, queue):
    torch.distributed.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=2)
    model = nn.parallel.DistributedDataParallel(mlp())
    shards = slice(0, 61), slice(61, 203)  # of unequal size
    loader = DataLoader(TensorDataset(X[shards[rank]], y[shards[rank]]), batch_size=16)
    monitor = CollapseMonitor(model, ["2", "5"], K, scatter_up_to=10, history=path.parent / "history.json")
    record = monitor.measure(loader)
    queue.put((rank, record.samples, record.error, {name: dict(part.values) for name, part in record.layers.items()}))
    everything = [(X, y)] if rank else []  # a process without samples
    queue.put((rank, monitor.measure(everything)["5"]["nc1"], record["5"]["nc1"]))
    errors = []
    for bad in ([], [(X[:4], torch.zeros(4))])[rank : rank + 1]:  # one process has no samples, the other no labels
        with pytest.raises(ValueError, match="without labels") as caught:
            monitor.measure(bad)
        errors.append(str(caught.value))
    queue.put((rank, errors))
    torch.distributed.destroy_process_group()


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed")
def test_two_processes_see_the_whole_and_each_others_failures(tmp_path):
    X, y, loader = batches()
    context = torch.multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [context.Process(target=work, args=(rank, tmp_path / "store", X, y, queue)) for rank in range(2)]
    for process in processes:
        process.start()
    given = [queue.get(timeout=120) for _ in range(6)]
    for process in processes:
        process.join(timeout=120)
        assert process.exitcode == 0
    model = mlp()
    alone = CollapseMonitor(model, ["2", "5"], K, scatter_up_to=10).measure(loader)
    results = [entry for entry in given if len(entry) == 4]
    assert len(results) == 2
    for _, samples, error, layers in results:
        assert (samples, error) == (203, alone.error)
        for name, values in layers.items():
            agree(alone[name], {k: v for k, v in values.items() if not np.isnan(v)})
    agree(alone["5"], {k: v for k, v in offline(model, X, y, 6).items() if k != "nc3"})
    for _, unequal, equal in (entry for entry in given if len(entry) == 3):
        assert unequal == pytest.approx(equal, rel=1e-10)
    failures = dict(entry for entry in given if len(entry) == 2)
    assert failures[0][0].startswith("process 1: ")
    assert failures[1][0].startswith("loader gives")


def published(model, X, y):
    """The measures of the first paper, as its public code computes them, batch by batch, for the classifier's input."""
    F = features(model, X, 6)
    weight = model[6].weight.detach()
    mean = [F[y == c].sum(dim=0) / (y == c).sum() for c in range(K)]
    Sw = sum(torch.outer(h - mean[c], h - mean[c]) for h, c in zip(F, y.tolist(), strict=True)) / len(F)
    M = torch.stack(mean).T
    M_ = M - M.mean(dim=1, keepdim=True)
    Sb = M_ @ M_.T / K
    vectors, values, _ = svds(Sb.numpy(), k=K - 1)
    norms, weight_norms = M_.norm(dim=0), weight.T.norm(dim=0)

    def coherence(V):
        G = V.T @ V + torch.ones(K, K, dtype=F64) / (K - 1)
        G = G - torch.diag(torch.diag(G))
        return float(G.abs().sum() / (K * (K - 1)))

    def dual(A):
        return A / A.norm()

    projector = (torch.eye(K, dtype=F64) - torch.ones(K, K, dtype=F64) / K) / (K - 1) ** 0.5
    with torch.no_grad():
        predictions = model.eval()(X).argmax(dim=1)
    nearest = torch.stack([(F - m).norm(dim=1) for m in M.T]).argmin(dim=0)
    return {
        "Sw_invSb": float(np.trace(Sw.numpy() @ vectors @ np.diag(1 / values) @ vectors.T)),
        "norm_M_CoV": float(norms.std() / norms.mean()),
        "norm_W_CoV": float(weight_norms.std() / weight_norms.mean()),
        "cos_M": coherence(M_ / norms),
        "W_M_dist": float((dual(weight.T) - dual(M_)).norm() ** 2),
        "NCC_mismatch": float((nearest != predictions).double().mean()),
        "H_ETF": float((dual(M_.T @ M_) - projector).norm()),  # of the second paper's code, as the next
        "W_H_relation": float((dual(weight @ M_) - projector).norm()),
    }


@pytest.mark.parametrize("divisor", ["N", "KN"])
def test_it_agrees_with_the_published_code(divisor):
    model = mlp()
    X, y, loader = batches()
    expected = published(model, X, y)
    found = CollapseMonitor(model, ["5"], K, divisor=divisor, means="scaled").measure(loader)["6.input"]
    factor = K if divisor == "N" else K * K  # that code does not divide the trace by K
    assert found["nc1_pinv"] * factor == pytest.approx(expected["Sw_invSb"], rel=1e-9)
    assert found["equinorm"] == pytest.approx(expected["norm_M_CoV"], rel=1e-10)
    assert found["equiangularity"] == pytest.approx(expected["cos_M"], rel=1e-10)
    assert found["self_duality"] == pytest.approx(expected["W_M_dist"], rel=1e-10)
    assert found["nc4"] == expected["NCC_mismatch"]
    assert found["nc2_normalised"] == pytest.approx(expected["H_ETF"], rel=1e-10)
    assert found["nc3"] == pytest.approx(expected["W_H_relation"], rel=1e-10)
    assert float(nc.equinorm(model[6].weight.detach())) == pytest.approx(expected["norm_W_CoV"], rel=1e-10)


class Restless(nn.Module):
    """Changes its buffers whenever it is called, in evaluation too, and draws numbers from every generator."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("replaced", torch.zeros(2))
        self.inner = nn.BatchNorm1d(D).double()

    def forward(self, x):
        self.calls += 1
        self.replaced = self.replaced + 1
        random.random(), np.random.rand()  # noqa: NPY002
        return self.inner(x + 0 * torch.rand(()))


@pytest.mark.any_type  # the checks of annotations draw from Python's generator themselves
def test_training_goes_on_as_if_nothing_had_been_measured():
    def trained(measured):
        torch.manual_seed(3), random.seed(3), np.random.seed(3)  # noqa: NPY002
        _, _, loader = batches(shuffle=True, generator=torch.Generator().manual_seed(5))
        model = nn.Sequential(Restless(), *mlp(seed=3))
        model[2].eval()  # a mode of its own in the middle of a training
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        monitor = CollapseMonitor(model, nn.ReLU, K)
        for _ in range(2):
            for x, labels in loader:
                optimiser.zero_grad()
                loss = nn.functional.cross_entropy(model(x), labels)
                if measured:
                    monitor.measure(loader)  # between the forward and the backward pass
                loss.backward()
                optimiser.step()
        state = [value.clone() for value in model.state_dict().values()]
        state += [parameter.grad for parameter in model.parameters()]
        modes = [module.training for module in model.modules()]
        draws = [torch.rand(()).item(), random.random(), np.random.rand()]  # noqa: NPY002
        hooks = [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()]
        return state, modes, draws, hooks, model[0].calls.item()

    first, second = trained(False), trained(True)
    assert all(torch.equal(a, b) for a, b in zip(first[0], second[0], strict=True))
    assert first[1:] == second[1:]
    assert sum(second[3]) == 0
    assert second[4] > 0


def test_the_second_pass_draws_what_the_first_did():
    """Augmentation by random numbers of a dataset: both passes see the same samples."""

    class Augmented(TensorDataset):
        def __getitem__(self, index):
            x, label = super().__getitem__(index)
            seen.append(x + torch.randn(D, dtype=F64))
            return seen[-1], label

    seen = []
    X, y, _ = batches(60)
    CollapseMonitor(mlp(), ["5"], K).measure(DataLoader(Augmented(X, y), batch_size=16, shuffle=True))
    assert len(seen) == 120
    assert torch.equal(torch.stack(seen[:60]), torch.stack(seen[60:]))


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3)
        self.act = nn.ReLU()
        self.head = nn.Linear(5, K)

    def forward(self, x):
        return self.head(self.act(self.act(self.conv(x)) + 1).mean(dim=(2, 3)))


def images(n=40):
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(n, 3, 6, 6, generator=generator)
    return X, torch.arange(n) % K


@pytest.mark.parametrize(
    ("pooling", "width", "expected"),
    [
        ("flatten", 80, lambda F: F.flatten(1)),
        ("mean", 5, lambda F: F.mean(dim=(2, 3))),
        ("max", 5, lambda F: F.amax(dim=(2, 3))),
        ("tokens", 4, lambda F: F.mean(dim=(1, 2))),
        (lambda F: F[:, 0], 16, lambda F: F[:, 0].flatten(1)),
    ],
)
def test_features_of_convolutions_are_pooled_as_told(pooling, width, expected):
    torch.manual_seed(0)
    model = Convolutional()
    X, y = images()
    record = CollapseMonitor(model, "conv", K, pooling={"conv": pooling}).measure([(X[:25], y[:25]), (X[25:], y[25:])])
    assert record["conv"].width == width
    with torch.no_grad():
        F = expected(model.conv(X)).double()
    assert record["conv"]["nc1"] == pytest.approx(nc.collapse_metrics(F, y, K).nc1, rel=1e-10)


def test_a_module_that_is_called_twice_has_two_rows():
    torch.manual_seed(0)
    model = Convolutional()
    X, y = images()
    record = CollapseMonitor(model, nn.ReLU, K, pooling="mean").measure([(X, y)])
    assert list(record.layers) == ["act", "act:2", "head.input"]
    with torch.no_grad():
        once = model.act(model.conv(X))
    twice = (once + 1).mean(dim=(2, 3)).double()
    assert record["act:2"]["nc1"] == pytest.approx(nc.collapse_metrics(twice, y, K).nc1, rel=1e-10)
    assert record["act"].width == record["act:2"].width == 5


def test_patterns_types_and_compiled_modules():
    model = mlp()
    assert CollapseMonitor(model, ["[25]", nn.Dropout], K).layers == ["2", "3", "5"]
    wrapped = nn.ModuleDict({"body": model})
    assert CollapseMonitor(wrapped, "body.*", K).layers[0] == "body.0"
    assert CollapseMonitor(torch.compile(model, backend="eager"), "2", K).model is model
    assert CollapseMonitor(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), "1", K).classifier is None


def test_dictionaries_and_outputs_of_other_kinds():
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = mlp()

        def forward(self, *, x, labels):
            return {"logits": self.net(x)}

    model = Wrapped()
    X, y, _ = batches()
    monitor = CollapseMonitor(
        model, "net.5", K, unpack=lambda batch: (batch, batch["labels"]), predict=lambda outputs: outputs["logits"]
    )
    record = monitor.measure([{"x": X, "labels": y}])
    agree(record["net.5"], {"nc1": offline(model.net, X, y, 6)["nc1"]})


def test_a_classifier_that_is_called_by_keyword():
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = mlp()

        def forward(self, x):
            return self.net[6](input=self.net[:6](x))

    X, y, loader = batches()
    model = Named()
    agree(CollapseMonitor(model, "net.5", K).measure(loader)["net.6.input"], offline(model.net, X, y, 6))


def test_one_pass_has_neither_nc4_nor_what_needs_samples_again():
    X, y, loader = batches()
    model = mlp()
    record = CollapseMonitor(model, "5", K, passes=1, scatter_up_to=8).measure(iter(loader))
    assert "nc4" not in record["5"].values
    assert "passes = 2" in record["5"].undefined["nc1_pinv"]
    agree(record["5"], {"nc1": offline(model, X, y, 6)["nc1"]})


def test_half_precision_is_accumulated_in_float64():
    X, y, loader = batches()
    model = mlp(dtype=torch.bfloat16)
    record = CollapseMonitor(model, "5", K).measure([(x.bfloat16(), labels) for x, labels in loader])
    F = features(model, X.bfloat16(), 6).double()
    # batches are rounded alike whatever their size: matrix products of bfloat16 are accumulated in float32
    assert record["5"]["nc1"] == pytest.approx(nc.collapse_metrics(F, y, K).nc1, rel=1e-2)


def test_memory_does_not_grow_with_the_samples():
    """Of the tensors made between the first batch and the last, next to nothing is alive when the next one is asked."""

    def peak(copies):
        X, y, _ = batches(64)
        held = []

        class Repeatable:
            def __iter__(self):
                for _ in range(copies):
                    yield X, y
                held.append(sum(t.numel() for t in gc.get_objects() if type(t) is torch.Tensor))

        CollapseMonitor(mlp(), "5", K).measure(Repeatable())
        return max(held)

    few, many = peak(2), peak(20)
    assert many <= few + 64 * 9  # 18 more batches of 64 samples with 9 features


def test_an_empty_batch_is_passed_over():
    X, y, _ = batches()
    monitor = CollapseMonitor(mlp(), "5", K)
    with_empty = monitor.measure([(X[:0], y[:0]), (X, y)])
    assert with_empty["5"]["nc1"] == monitor.measure([(X, y)])["5"]["nc1"]


def test_collapsed_features_are_measured_as_collapsed():
    """Of a network that gives the class's vertex of a simplex: every measure is at collapse."""
    y = torch.arange(40) % K
    X = nc.simplex_etf(K)[y]
    model = nn.Sequential(nn.Identity(), nn.Linear(K, K, bias=False)).double()
    with torch.no_grad():
        model[1].weight.copy_(nc.simplex_etf(K))
    record = CollapseMonitor(model, "0", K).measure([(X, y)])
    for name in ("nc1", "nc1_pinv", "nc2", "nc2_normalised", "nc3", "nc4", "cdnv", "equinorm", "equiangularity"):
        assert abs(record["1.input"][name]) < 1e-12, name
    assert record["1.input"]["self_duality"] < 1e-24
    assert record["1.input"]["rank"] == record["1.input"]["rank_of_means"] == K - 1
    assert record["1.input"]["effective_rank"] == pytest.approx(K - 1)
    assert record["1.input"]["effective_rank_of_means"] == pytest.approx(K - 1)
    assert record.error == 0.0


def test_what_is_not_defined_says_why():
    model = mlp()
    with torch.no_grad():
        model[4].weight.zero_()
    _, _, loader = batches()
    record = CollapseMonitor(model, "5", K, scatter_up_to=0).measure(loader)
    for name in ("nc1", "nc1_pinv", "nc2", "nc3", "equiangularity", "self_duality"):
        assert np.isnan(record["6.input"][name])
        assert record["6.input"].undefined[name]
