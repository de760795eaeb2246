"""The streaming metrics: merging of any split in any order, processes, precision, wrong input."""

import copy
import itertools
import pickle

import pytest
import torch
import torch.distributed
import torch.multiprocessing
from collapse_reference import F64, labelled
from hypothesis import given
from hypothesis import strategies as st

from numerics import metrics as nc


def at_once(X, y, K):
    found = dict(vars(nc.collapse_metrics(X, y, K, with_effective_rank=True)))
    assert found.pop("undefined") == {}
    return found


def close(result, expected, rel=1e-10):
    for name, value in expected.items():
        assert float(result[name]) == pytest.approx(float(value), rel=rel), name


@given(
    st.integers(0, 10**6), st.lists(st.integers(1, 199), max_size=6), st.randoms(use_true_random=False), st.booleans()
)
def test_streaming_in_any_split_and_order_is_the_one_shot_result(seed, cuts, random, balanced):
    K, d = 4, 5
    X, y = labelled(200, d, K, seed, balanced)
    X = X + 1000.0  # an offset, on which sums of squares would lose six digits
    order = torch.tensor(random.sample(range(200), 200))
    edges = [0, *sorted(set(cuts)), 200]
    metric = nc.NeuralCollapse(K, d)
    for start, stop in itertools.pairwise(edges):
        metric.update(X[order[start:stop]], y[order[start:stop]])
    expected = at_once(X, y, K)
    del expected["dnc2"]  # of means at distance 1000: conditioned like 1e6
    close(metric.compute(), expected)


def test_shards_merge_in_any_tree():
    K, d = 3, 4
    X, y = labelled(90, d, K)
    shards = [nc.NeuralCollapse(K, d) for _ in range(5)]
    for k, shard in enumerate(shards[:4]):  # the fifth stays empty
        shard.update(X[k::4], y[k::4])
    expected = at_once(X, y, K)
    left, right = copy.deepcopy(shards[4]), pickle.loads(pickle.dumps(shards[2]))
    left.merge_state(shards[3])
    left.merge_state(shards[0])
    right.merge_state(shards[1])
    right.merge_state(left)
    close(right.compute(), expected)
    assert float(right.statistics().total) == 90


def test_relative_accuracy_down_to_full_collapse():
    """NC1 of 1e-25, where a variance as a difference of sums would be noise of 1e-16."""
    K, d = 4, 6
    X, y = labelled(400, d, K, spread=0.0)
    noise = torch.randn(400, d, dtype=F64, generator=torch.Generator().manual_seed(5))
    spread = 2.0**-40
    # Rounded, so that means plus spread times noise is exact and the true deviations are known.
    X, noise = X.mul(2**6).round().div(2**6), noise.mul(2**4).round().div(2**4)
    metric = nc.NeuralCollapse(K, d)
    for part in torch.arange(400).split(64):
        metric.update(X[part] + spread * noise[part], y[part])
    expected = spread**2 * nc.class_statistics(noise, y, K).deviations
    # Means of size 10 are rounded by 1e-15, against a spread of 1e-12.
    torch.testing.assert_close(metric.statistics().deviations, expected, rtol=1e-3, atol=0.0)


def test_memory_of_the_state_does_not_grow():
    metric = nc.NeuralCollapse(3, 4)
    size = metric.moments.numel()
    for seed in range(5):
        metric.update(*labelled(300, 4, 3, seed))
    assert metric.moments.numel() == size == 3 * (4 + 2) + 1 + 16
    assert nc.NeuralCollapse(3, 4, scatter=False).moments.numel() == 3 * (4 + 2) + 1


def test_forward_gives_the_batch_and_accumulates():
    X, y = labelled(60, 4, 3)
    metric = nc.NeuralCollapse(3, 4)
    batch = metric(X[:30], y[:30])
    assert float(batch["nc1"]) == pytest.approx(nc.collapse_metrics(X[:30], y[:30], 3).nc1)
    metric(X[30:], y[30:])
    assert float(metric.compute()["nc1"]) == pytest.approx(nc.collapse_metrics(X, y, 3).nc1, rel=1e-12)


def work(rank, path, X, y, queue):
    torch.distributed.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=2)
    metric = nc.NeuralCollapse(3, 4)
    metric.update(X[rank::2], y[rank::2])
    queue.put({name: float(value) for name, value in metric.compute().items()})
    # Synchronisation must not leave the merged state behind.
    assert float(metric.statistics().total) == len(X[rank::2])
    torch.distributed.destroy_process_group()


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed")
def test_two_processes_see_the_whole(tmp_path):
    X, y = labelled(61, 4, 3)
    context = torch.multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [context.Process(target=work, args=(rank, tmp_path / "store", X, y, queue)) for rank in range(2)]
    for process in processes:
        process.start()
    results = [queue.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(timeout=120)
        assert process.exitcode == 0
    for result in results:
        close(result, at_once(X, y, 3))


def test_half_precision_features_are_accumulated_in_float64():
    X, y = labelled(60, 4, 3)
    half = X.bfloat16()
    metric = nc.NeuralCollapse(3, 4)
    metric.update(half, y)
    assert metric.compute()["nc1"].dtype == F64
    assert float(metric.compute()["nc1"]) == pytest.approx(nc.collapse_metrics(half.double(), y, 3).nc1, rel=1e-12)


def casts():
    yield "half", lambda module: module.half()
    yield "float", lambda module: module.float()
    yield "bfloat16", lambda module: module.bfloat16()
    yield "to", lambda module: module.to(torch.float16)
    yield "to device and dtype", lambda module: module.to("cpu", torch.bfloat16)
    yield "type", lambda module: module.type(torch.float32)


@pytest.mark.parametrize("cast", [cast for _, cast in casts()], ids=[name for name, _ in casts()])
def test_states_keep_their_precision_whatever_the_module_around_them_is_cast_to(cast):
    X, y = labelled(60, 4, 3)
    means = nc.class_statistics(X, y, 3).means
    network = torch.nn.Module()
    network.layer = torch.nn.Linear(2, 2, dtype=F64)
    network.collapse, network.nearest = nc.NeuralCollapse(3, 4), nc.NearestClassCenter(means)
    alone, nearest_alone = nc.NeuralCollapse(3, 4), nc.NearestClassCenter(means)
    for metric in (network.collapse, alone):
        metric.update(X[:30], y[:30])
    cast(network)
    assert network.layer.weight.dtype != F64
    for metric in (network.collapse, alone):
        metric.update(X[30:], y[30:])
    for metric in (network.nearest, nearest_alone):
        metric.update(X, (y + 1) % 3)
    assert torch.equal(network.collapse.moments, alone.moments)
    assert torch.equal(network.nearest.means, means)
    close(network.collapse.compute(), alone.compute(), rel=0)
    assert network.nearest.compute() == nearest_alone.compute()
    network.collapse.reset()
    assert network.collapse.moments.dtype == F64


def test_float32_states_stay_float32():
    X, y = labelled(60, 4, 3)
    metric = nc.NeuralCollapse(3, 4, dtype=torch.float32).double()
    metric.update(X, y)
    assert metric.moments.dtype == torch.float32
    with pytest.raises(ValueError, match="keeps the dtype that it was made with"):
        metric.set_dtype(torch.float16)


@pytest.mark.parametrize("sizes", [(1e-150, 1e-150), (1e150, 1e150), (1e-300, 1e-300), (1e300, 1e300)])
def test_data_of_any_size(sizes):
    X, y = labelled(60, 4, 3)
    metric = nc.NeuralCollapse(3, 4)
    for size, part in zip(sizes, torch.arange(60).split(30), strict=True):
        metric.update(size * X[part], y[part])
    close(metric.compute(), at_once(X, y, 3), rel=1e-12)


def test_batches_of_very_different_size_are_what_they_are_together():
    X, y = labelled(60, 4, 3)
    sizes = torch.cat([torch.full((30, 1), 1e-60, dtype=F64), torch.full((30, 1), 1e60, dtype=F64)])
    for order in (torch.arange(60), torch.arange(60).flip(0)):
        metric = nc.NeuralCollapse(3, 4)
        for part in order.split(30):
            metric.update((sizes * X)[part], y[part])
        close(metric.compute(), at_once(sizes * X, y, 3), rel=1e-10)


def test_batches_on_both_sides_of_the_ordinary_sizes():
    X, y = labelled(60, 4, 3)
    sizes = torch.cat([torch.full((30, 1), 2.0**123, dtype=F64), torch.full((30, 1), 2.0**128, dtype=F64)])
    for order in (torch.arange(60), torch.arange(60).flip(0)):
        metric, scales = nc.NeuralCollapse(3, 4), []
        for part in order.split(30):
            metric.update((sizes * X)[part], y[part])
            scales.append(float(nc.class_statistics((sizes * X)[part], y[part], 3).scale))
        assert sorted(scales)[0] == 1 < sorted(scales)[1]
        close(metric.compute(), at_once(sizes * X, y, 3), rel=1e-10)


def test_undefined_measures_are_nan_with_a_reason():
    metric = nc.NeuralCollapse(2, 2)
    metric.update(torch.tensor([[1.0, 1], [-1, -1]]), torch.tensor([0, 0]))
    metric.update(torch.tensor([[1.0, -1], [-1, 1]]), torch.tensor([1, 1]))
    values = metric.compute()
    assert set(metric.undefined) == {"nc1", "nc1_pinv", "nc2", "nc2_normalised", "cdnv"}
    assert all(values[name].isnan() for name in metric.undefined)
    assert values["effective_rank"] == 2
    metric.update(torch.tensor([[9.0, 0]]), torch.tensor([1]))
    assert not any(value.isnan() for value in metric.compute().values())
    assert metric.undefined == {}


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.uint16, torch.uint32])
def test_labels_of_every_integer_dtype(dtype):
    X, y = labelled(200, 4, 100)
    expected, metric = nc.NeuralCollapse(100, 4), nc.NeuralCollapse(100, 4)
    expected.update(X, y)
    metric.update(X, y.to(dtype))
    assert torch.equal(metric.moments, expected.moments)
    nearest = nc.NearestClassCenter(metric.statistics().means)
    nearest.update(X, y.to(dtype))
    assert nearest.compute() == nc.nc4(X, y, metric.statistics().means)


def test_wrong_input():
    X, y = labelled(30, 4, 3)
    metric = nc.NeuralCollapse(3, 4)
    with pytest.raises(ValueError, match=r"num_classes = 2\.5; num_classes must be an integer ≥ 2"):
        nc.NeuralCollapse(2.5, 4)
    with pytest.raises(TypeError, match="num_classes = 'many' is a str"):
        nc.NeuralCollapse("many", 4)
    with pytest.raises(ValueError, match="num_features = 0; num_features must be an integer ≥ 1"):
        nc.NeuralCollapse(2, 0)
    with pytest.raises(ValueError, match="no samples"), pytest.warns(UserWarning, match="compute"):
        metric.compute()
    with pytest.raises(ValueError, match="num_features = 4"):
        metric.update(X[:, :3], y)
    X[4, 1] = torch.nan
    with pytest.raises(ValueError, match="first in row 4"):
        metric.update(X, y)
    assert float(metric.statistics().total) == 0
