"""numerics.metrics against naive definitions; merging of any split in any order; processes; wrong input."""

import copy
import itertools
import math
import pickle

import numpy as np
import pytest
import torch
import torch.distributed
import torch.multiprocessing
from hypothesis import given
from hypothesis import strategies as st

from numerics import metrics as nc

F64 = torch.float64


def labelled(n, d, K, seed=0, balanced=True, spread=1.0):
    generator = torch.Generator().manual_seed(seed)
    if balanced:
        y = torch.arange(n) % K
    else:
        y = torch.cat([torch.arange(K), torch.randint(0, K, (n - K,), generator=generator) // 2])
    means = 3.0 * torch.randn(K, d, generator=generator, dtype=F64)
    X = means[y] + spread * torch.randn(n, d, generator=generator, dtype=F64)
    return X, y


def naive(X, y, K, weighting):
    """Every measure from the formula it is printed with, in NumPy, by loops."""
    X, y = X.numpy(), y.numpy()
    N, d = X.shape
    groups = [X[y == c] for c in range(K)]
    mu = np.stack([group.mean(axis=0) for group in groups])
    w = np.full(K, 1 / K) if weighting == "classes" else np.array([len(group) / N for group in groups])
    glob = (w[:, None] * mu).sum(axis=0)
    within, between = np.zeros((d, d)), np.zeros((d, d))
    for c, group in enumerate(groups):
        for x in group:
            within += np.outer(x - mu[c], x - mu[c]) / N
        between += w[c] * np.outer(mu[c] - glob, mu[c] - glob)
    M = (mu - glob) / np.linalg.norm(mu - glob, axis=1, keepdims=True)
    etf = np.where(np.eye(K, dtype=bool), 1.0, -1 / (K - 1))
    projector = (np.eye(K) - np.ones((K, K)) / K) / math.sqrt(K - 1)
    pairs = [(i, j) for i in range(K) for j in range(K) if i != j]
    variance = [((group - group.mean(axis=0)) ** 2).sum(axis=1).mean() for group in groups]
    eigenvalues = np.linalg.eigvalsh(np.cov(X.T, bias=True).reshape(d, d)).clip(0)
    shares = eigenvalues[eigenvalues > 0] / eigenvalues.sum()
    return {
        "nc1": np.trace(within) / np.trace(between),
        "nc1_pinv": np.trace(within @ np.linalg.pinv(between, rcond=1e-10)) / K,
        "nc2": np.linalg.norm(M @ M.T - etf),
        "nc2_normalised": np.linalg.norm(M @ M.T / np.linalg.norm(M @ M.T) - projector),
        "dnc2": np.linalg.cond(mu) if d >= K else math.inf,
        "cdnv": np.mean([(variance[i] + variance[j]) / (2 * ((mu[i] - mu[j]) ** 2).sum()) for i, j in pairs]),
        "effective_rank": math.exp(-(shares * np.log(shares)).sum()),
    }


def close(result, expected, rel=1e-10):
    for name, value in expected.items():
        assert float(result[name]) == pytest.approx(float(value), rel=rel), name


@given(
    st.integers(2, 5), st.integers(2, 8), st.integers(0, 10**6), st.booleans(), st.sampled_from(["classes", "samples"])
)  # fmt: skip
def test_one_shot_measures_are_the_printed_definitions(K, d, seed, balanced, weighting):
    X, y = labelled(60, d, K, seed, balanced)
    expected = naive(X, y, K, weighting)
    # Conditioning: of the means for dnc2 and of Σ_B for the pseudo-inverse.
    condition = max(1.0, expected["nc1_pinv"], expected["dnc2"] if d >= K else 1.0)
    result = nc.collapse_metrics(X, y, K, weighting=weighting, with_effective_rank=True)
    close(vars(result), expected, rel=1e-12 * condition**2 + 1e-10)
    without = nc.collapse_metrics(X, y, K, weighting=weighting)
    assert without.effective_rank is None
    assert without.nc1_pinv == pytest.approx(result.nc1_pinv, rel=1e-10)


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
    expected = vars(nc.collapse_metrics(X, y, K, with_effective_rank=True))
    del expected["dnc2"]  # of means at distance 1000: conditioned like 1e6
    close(metric.compute(), expected)


def test_shards_merge_in_any_tree():
    K, d = 3, 4
    X, y = labelled(90, d, K)
    shards = [nc.NeuralCollapse(K, d) for _ in range(5)]
    for k, shard in enumerate(shards[:4]):  # the fifth stays empty
        shard.update(X[k::4], y[k::4])
    expected = vars(nc.collapse_metrics(X, y, K, with_effective_rank=True))
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
    assert metric.moments.numel() == size == 3 * (4 + 2) + 16
    assert nc.NeuralCollapse(3, 4, scatter=False).moments.numel() == 3 * (4 + 2)


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
        close(result, vars(nc.collapse_metrics(X, y, 3, with_effective_rank=True)))


def test_collapsed_classes_on_an_etf():
    K = 5
    means = torch.linalg.cholesky(nc.simplex_etf(K) + 1 / (K - 1) * torch.ones(K, K, dtype=F64))  # orthogonal
    statistics = nc.class_statistics(means[torch.arange(20) % K] + 7.0, torch.arange(20) % K, K, scatter=True)
    assert nc.nc1(statistics) < 1e-28
    assert nc.nc2(statistics) < 1e-13
    assert nc.nc2_normalised(statistics) < 1e-13
    assert nc.nc3(statistics, statistics.means - 7.0) < 1e-13
    assert nc.nc3(statistics, -(statistics.means - 7.0)) > 1.0
    etf = nc.simplex_etf(3)
    assert etf.diagonal().tolist() == [1.0] * 3
    assert etf[0, 1] == -0.5


def test_dnc2_is_one_for_orthogonal_means_of_equal_length_and_infinite_for_dependent_ones():
    y = torch.arange(3)
    assert nc.dnc2(nc.class_statistics(2.0 * torch.eye(3, dtype=F64), y, 3)) == pytest.approx(1.0)
    assert nc.dnc2(nc.class_statistics(torch.ones(3, 3, dtype=F64), y, 3)) == math.inf
    assert nc.dnc2(nc.class_statistics(torch.randn(3, 2), y, 3)) == math.inf


def test_nc3_is_equation_8():
    X, y = labelled(40, 6, 4)
    A = torch.randn(4, 6, dtype=F64, generator=torch.Generator().manual_seed(3))
    statistics = nc.class_statistics(X, y, 4)
    M = statistics.means - statistics.means.mean(dim=0)
    M = M / M.norm(dim=1, keepdim=True)
    AM = (A @ M.T).numpy()
    expected = np.linalg.norm(AM / np.linalg.norm(AM) - (np.eye(4) - 0.25) / math.sqrt(3))
    assert float(nc.nc3(statistics, A)) == pytest.approx(expected, rel=1e-12)


def test_nc4_by_loops_and_in_a_second_pass():
    X, y = labelled(120, 3, 4, spread=3.0)
    predictions = torch.randint(0, 4, (120,), generator=torch.Generator().manual_seed(1))
    means = nc.class_statistics(X, y, 4).means
    nearest = [min(range(4), key=lambda c: float((x - means[c]).norm())) for x in X]
    expected = sum(a != b for a, b in zip(nearest, predictions.tolist(), strict=True)) / 120
    assert 0.1 < expected < 0.9
    assert float(nc.nc4(X, predictions, means)) == pytest.approx(expected)
    metric = nc.NearestClassCenter(means)
    for part in torch.arange(120).split(50):
        metric.update(X[part], predictions[part])
    assert float(metric.compute()) == pytest.approx(expected)


@given(st.integers(1, 6), st.integers(0, 3))
def test_effective_rank_of_equal_eigenvalues_is_their_number(r, zeros):
    values = torch.cat([torch.full((r,), 0.3, dtype=F64), torch.zeros(zeros, dtype=F64)])
    assert float(nc.effective_rank(torch.diag(values))) == pytest.approx(r, rel=1e-12)


def test_centred_gram():
    X, _ = labelled(30, 4, 3)
    G = nc.centred_gram(X)
    centred = X - X.mean(dim=0)
    expected = torch.nn.functional.cosine_similarity(centred[:, None], centred[None], dim=2)
    torch.testing.assert_close(G, expected, rtol=1e-12, atol=1e-12)
    assert not nc.centred_gram(torch.ones(3, 2, dtype=F64)).any()


def test_half_precision_features_are_accumulated_in_float64():
    X, y = labelled(60, 4, 3)
    half = X.bfloat16()
    metric = nc.NeuralCollapse(3, 4)
    metric.update(half, y)
    assert metric.compute()["nc1"].dtype == F64
    assert float(metric.compute()["nc1"]) == pytest.approx(nc.collapse_metrics(half.double(), y, 3).nc1, rel=1e-12)


def test_wrong_input():
    X, y = labelled(30, 4, 3)
    with pytest.raises(ValueError, match="at least 2"):
        nc.class_statistics(X, y * 0, 1)
    with pytest.raises(TypeError, match="num_classes"):
        nc.NeuralCollapse(2.5, 4)
    with pytest.raises(ValueError, match="num_features"):
        nc.NeuralCollapse(2, 0)
    with pytest.raises(ValueError, match="weighting"):
        nc.collapse_metrics(X, y, 3, weighting="balanced")
    with pytest.raises(ValueError, match=r"classes without a sample: \[3\]"):
        nc.collapse_metrics(X, y, 4)
    with pytest.raises(ValueError, match=r"y contains 2; labels must lie in 0…1"):
        nc.collapse_metrics(X, y, 2)
    with pytest.raises(ValueError, match="y contains -1"):
        nc.collapse_metrics(X, y - 1, 3)
    with pytest.raises(TypeError, match="integer labels"):
        nc.collapse_metrics(X, y.double(), 3)
    with pytest.raises(ValueError, match="one label a sample"):
        nc.collapse_metrics(X, y[:-1], 3)
    with pytest.raises(ValueError, match="floating point"):
        nc.collapse_metrics(X.long(), y, 3)
    with pytest.raises(ValueError, match="class means coincide"):
        nc.nc1(nc.class_statistics(torch.ones(4, 2), torch.tensor([0, 1, 0, 1]), 2))
    with pytest.raises(ValueError, match="direction is not defined"):
        nc.nc2(nc.class_statistics(torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([0, 1, 2]), 3))
    with pytest.raises(ValueError, match="CDNV is not defined"):
        nc.cdnv(nc.class_statistics(torch.tensor([[0.0], [1.0], [1.0]]), torch.tensor([0, 1, 2]), 3))
    with pytest.raises(ValueError, match="scatter=True"):
        nc.nc1_pinv(nc.class_statistics(X, y, 3))
    with pytest.raises(ValueError, match="do not match"):
        nc.class_statistics(X, y, 3).merge(nc.class_statistics(X, y, 4))
    with pytest.raises(ValueError, match="weight must have shape"):
        nc.nc3(nc.class_statistics(X, y, 3), torch.ones(2, 4))
    metric = nc.NeuralCollapse(3, 4)
    with pytest.raises(ValueError, match="no samples"), pytest.warns(UserWarning, match="compute"):
        metric.compute()
    with pytest.raises(ValueError, match="num_features = 4"):
        metric.update(X[:, :3], y)
    X[4, 1] = torch.nan
    with pytest.raises(ValueError, match="first in row 4"):
        metric.update(X, y)
    assert float(metric.statistics().total) == 0
