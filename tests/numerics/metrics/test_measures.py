"""The measures of collapse against their printed definitions, at the edges of their domains, and on wrong input."""

import math

import numpy as np
import pytest
import torch
from collapse_reference import F64, labelled, naive_measures
from hypothesis import given
from hypothesis import strategies as st

from numerics import metrics as nc


def measures(found):
    return {name: value for name, value in vars(found).items() if name != "undefined" and value is not None}


def close(result, expected, rel=1e-10):
    for name, value in expected.items():
        assert float(result[name]) == pytest.approx(float(value), rel=rel), name


@given(
    st.integers(2, 12),
    st.integers(1, 15),
    st.integers(0, 10**6),
    st.booleans(),
    st.sampled_from(["classes", "samples"]),
)
def test_one_shot_measures_are_the_printed_definitions(K, d, seed, balanced, weighting):
    X, y = labelled(60, d, K, seed, balanced)
    expected = naive_measures(X, y, K, weighting)
    # Conditioning: of the means for dnc2 and of Σ_B for the pseudo-inverse.
    condition = max(1.0, expected["nc1_pinv"], expected["dnc2"] if d >= K else 1.0)
    result = nc.collapse_metrics(X, y, K, weighting=weighting, with_effective_rank=True)
    close(vars(result), expected, rel=1e-12 * condition**2 + 1e-10)
    without = nc.collapse_metrics(X, y, K, weighting=weighting)
    assert without.effective_rank is None
    assert without.nc1_pinv == pytest.approx(result.nc1_pinv, rel=1e-10)


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


def test_centred_gram():
    X, _ = labelled(30, 4, 3)
    G = nc.centred_gram(X)
    centred = X - X.mean(dim=0)
    expected = torch.nn.functional.cosine_similarity(centred[:, None], centred[None], dim=2)
    torch.testing.assert_close(G, expected, rtol=1e-12, atol=1e-12)
    assert not nc.centred_gram(torch.ones(3, 2, dtype=F64)).any()


@pytest.mark.parametrize("K", [2, 7, 12])
@pytest.mark.parametrize(
    "dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.uint16, torch.uint32, torch.uint64]
)
def test_labels_of_every_integer_dtype(K, dtype):
    """The smallest number of samples in particular: labels of a byte once chose rows as a mask."""
    for n in (K, 5 * K):
        X, y = labelled(n, 4, K)
        for with_rank in (False, True):
            found = nc.collapse_metrics(X, y.to(dtype), K, with_effective_rank=with_rank)
            assert found == nc.collapse_metrics(X, y, K, with_effective_rank=with_rank)
        means = nc.class_statistics(X, y.to(dtype), K).means
        assert nc.nc4(X, y.to(dtype), means) == nc.nc4(X, y, means)


SIZES = [(torch.float32, 1e-20), (torch.float32, 1e20), (torch.float64, 1e-150), (torch.float64, 1e150)]


@pytest.mark.parametrize(("dtype", "size"), [*SIZES, (torch.float64, 1e-300), (torch.float64, 1e300)])
def test_data_of_any_size(dtype, size):
    """The measures have no unit. The classes are so narrow that their squares vanish first."""
    X, y = labelled(40, 5, 4, spread=1e-6)
    X, rel = X.to(dtype), 1e-4 if dtype == torch.float32 else 1e-9
    expected = nc.collapse_metrics(X, y, 4, with_effective_rank=True)
    found = nc.collapse_metrics(size * X, y, 4, with_effective_rank=True)
    assert found.undefined == {}
    close(vars(found), measures(expected), rel=rel)
    close(vars(nc.collapse_metrics(size * X, y, 4)), measures(nc.collapse_metrics(X, y, 4)), rel=rel)
    statistics = nc.class_statistics(size * X, y, 4)
    torch.testing.assert_close(statistics.means / size, nc.class_statistics(X, y, 4).means, rtol=1e-6, atol=1e-7)
    assert nc.nc4(size * X, y, statistics.means.to(dtype)) == 0
    close({"nc3": nc.nc3(statistics, size * X[:4])}, {"nc3": nc.nc3(nc.class_statistics(X, y, 4), X[:4])}, rel=rel)
    torch.testing.assert_close(
        nc.centred_gram(size * X), nc.centred_gram(X), rtol=0, atol=1e-3 if dtype == torch.float32 else 1e-9
    )
    assert not torch.isnan(nc.centred_gram(X, centre=X[0])).any()


@pytest.mark.parametrize(("dtype", "size"), SIZES[:2])
def test_statistics_in_float32_of_any_size(dtype, size):
    X, y = labelled(40, 5, 4)
    expected = nc.class_statistics(X, y, 4, scatter=True)
    found = nc.class_statistics((size * X).to(dtype), y, 4, scatter=True, dtype=dtype)
    for measure in (nc.nc1, nc.nc1_pinv, nc.nc2, nc.dnc2, nc.covariance_effective_rank):
        assert float(measure(found)) == pytest.approx(float(measure(expected)), rel=1e-4)


def test_statistics_are_in_the_units_of_the_data():
    X, y = labelled(40, 5, 4)
    one, other = nc.class_statistics(X, y, 4, scatter=True), nc.class_statistics(2.0**160 * X, y, 4, scatter=True)
    assert one.scale == 1
    assert other.scale > 1
    assert torch.equal(other.means, 2.0**160 * one.means)
    assert torch.equal(other.deviations, 2.0**320 * one.deviations)
    assert torch.equal(other.scatter, 2.0**320 * one.scatter)
    assert torch.equal(nc.total_covariance(other), 2.0**320 * nc.total_covariance(one))
    covariance = torch.from_numpy(np.cov(X.numpy().T, bias=True))
    torch.testing.assert_close(nc.total_covariance(one), covariance, rtol=1e-12, atol=1e-12)


COINCIDE = {"nc1", "nc1_pinv", "nc2", "nc2_normalised", "cdnv"}
FAULTS = {
    "XOR": ([[1, 1], [-1, -1], [1, -1], [-1, 1]], [0, 0, 1, 1], COINCIDE),
    "XOR up to rounding": (
        [[0.1, 0.3], [-0.1, -0.3 + 1e-17], [0.1, -0.3], [-0.1 + 1e-17, 0.3]],
        [0, 0, 1, 1],
        COINCIDE,
    ),
    "one point": ([[3, 4], [3, 4], [3, 4]], [0, 1, 2], COINCIDE),
    "one point at the origin": ([[0, 0], [0, 0]], [0, 1], COINCIDE),
    "two of three": ([[1, 0], [1, 0], [0, 5]], [0, 1, 2], {"cdnv"}),
    "a class at the global mean": ([[-1, 2], [0, 2], [1, 2]], [0, 1, 2], {"nc2", "nc2_normalised"}),
}


@pytest.mark.parametrize("with_rank", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
def test_undefined_measures_are_nan_with_a_reason_and_the_others_are_not_lost(fault, with_rank):
    points, y, expected = FAULTS[fault]
    found = nc.collapse_metrics(
        torch.tensor(points, dtype=F64), torch.tensor(y), len(set(y)), with_effective_rank=with_rank
    )
    assert set(found.undefined) == expected
    for name, value in measures(found).items():
        assert math.isnan(value) == (name in expected), name
    for reason in found.undefined.values():
        assert "not defined" in reason
    if "XOR" in fault:
        assert found.dnc2 == math.inf
    if fault == "XOR":
        assert found.effective_rank == (2 if with_rank else None)
    if "one point" in fault and with_rank:
        assert found.effective_rank == 0


def test_means_that_differ_by_more_than_rounding_do_not_coincide():
    """XOR moved by 1e-12: everything is defined, and NC1 is 1/(2·(1e-12/2)²) times the variance 2."""
    X = torch.tensor([[1.0, 1], [-1, -1], [1, -1], [-1, 1]], dtype=F64)
    X[:2] += torch.tensor([2.0**-40, 0.0], dtype=F64)
    found = nc.collapse_metrics(X, torch.tensor([0, 0, 1, 1]), 2)
    assert found.undefined == {}
    assert found.nc1 == pytest.approx(2 / (2.0**-41) ** 2, rel=1e-3)


@given(st.integers(2, 9), st.integers(1, 4), st.integers(1, 12), st.integers(0, 10**6))
def test_batches_are_measured_as_one_by_one(K, n, d, seed):
    features = torch.randn(3, K * n, d, dtype=F64, generator=torch.Generator().manual_seed(seed))
    y = torch.arange(K).repeat_interleave(n)
    batch, weight = nc.balanced_statistics(features, K), features[0, :K]
    single = [nc.class_statistics(X, y, K) for X in features]
    torch.testing.assert_close(nc.class_means(features, K), batch.means, rtol=0, atol=0)
    for measure in (nc.nc1, nc.nc2, nc.nc2_normalised, nc.dnc2, lambda s, **kw: nc.nc3(s, weight, **kw), nc.cdnv):
        options = {} if measure is nc.dnc2 else {"undefined": "nan"}
        found = measure(batch, **options)
        expected = torch.stack([measure(statistics, **options) for statistics in single])
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-13, equal_nan=True)


def test_one_undefined_of_a_batch_leaves_the_others():
    features = torch.tensor([[[1.0], [1.0], [2.0], [2.0]], [[0.0], [2.0], [1.0], [1.0]]], dtype=F64)
    statistics = nc.balanced_statistics(features, 2)
    for measure in (nc.nc1, nc.nc2, nc.nc2_normalised):
        values = measure(statistics, undefined="nan")
        assert values.isnan().tolist() == [False, True]
        with pytest.raises(nc.UndefinedMeasure):
            measure(statistics)
    assert nc.nc1(statistics, undefined="nan")[0] == 0


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_set_that_is_not_finite_leaves_the_others_of_its_batch(wrong):
    features = torch.randn(3, 6, 4, dtype=F64, generator=torch.Generator().manual_seed(0))
    expected = nc.nc1(nc.balanced_statistics(features, 3))
    features[1, 2, 0] = wrong
    found = nc.nc1(nc.balanced_statistics(features, 3), undefined="nan")
    assert found.isnan().tolist() == [False, True, False]
    assert torch.equal(found[::2], expected[::2])


def test_a_sample_at_the_centre_up_to_rounding_has_no_direction():
    X = torch.tensor([[0.1, 0.2], [0.3, 0.5], [0.7, -0.4]], dtype=F64)
    gram = nc.centred_gram(X, centre=X[0] * (1 + 2.0**-52))
    assert not gram[0].any()
    assert gram[1, 1] == pytest.approx(1)
    assert nc.centred_gram(X, centre=X[0] * (1 + 2.0**-48))[0, 0] == pytest.approx(1)


def test_deviations_in_float32_are_about_the_mean_of_what_was_given():
    """The rounding of the sum of 20,000 numbers near 1000 would shift the mean, and so raise the deviations."""
    X = 1000.0 + torch.randn(20_000, 1, generator=torch.Generator().manual_seed(0))
    y = torch.zeros(20_000, dtype=torch.int64)
    found = nc.class_statistics(X, y, 2, dtype=torch.float32).deviations[0]
    assert float(found) == pytest.approx(float(nc.class_statistics(X, y, 2).deviations[0]), rel=1e-5)


def test_no_gradient_is_needed():
    X, y = labelled(30, 4, 3)
    leaf = X.clone().requires_grad_()
    assert nc.collapse_metrics(leaf, y, 3) == nc.collapse_metrics(X, y, 3)
    statistics = nc.class_statistics(leaf, y, 3, scatter=True)
    assert not statistics.means.requires_grad
    assert nc.nc3(statistics, leaf[:3]) == nc.nc3(statistics, X[:3])
    assert nc.nc4(leaf, y, leaf[:3]) == nc.nc4(X, y, X[:3])
    assert torch.equal(nc.centred_gram(leaf, centre=leaf[0]), nc.centred_gram(X, centre=X[0]))
    assert not nc.nc1(nc.balanced_statistics(leaf, 3)).requires_grad


def test_wrong_input():
    X, y = labelled(30, 4, 3)
    with pytest.raises(ValueError, match="num_classes = 1; num_classes must be an integer ≥ 2"):
        nc.class_statistics(X, y * 0, 1)
    with pytest.raises(ValueError, match="weighting = 'balanced'; weighting must be one of 'classes', 'samples'"):
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
    with pytest.raises(ValueError, match=r"the means of classes \[1, 2\] coincide: their CDNV is not defined"):
        nc.cdnv(nc.class_statistics(torch.tensor([[0.0], [1.0], [1.0]]), torch.tensor([0, 1, 2]), 3))
    with pytest.raises(ValueError, match="scatter=True"):
        nc.nc1_pinv(nc.class_statistics(X, y, 3))
    with pytest.raises(ValueError, match="scatter=True"):
        nc.covariance_effective_rank(nc.class_statistics(X, y, 3))
    with pytest.raises(ValueError, match="do not match"):
        nc.class_statistics(X, y, 3).merge(nc.class_statistics(X, y, 4))
    with pytest.raises(ValueError, match="weight must have shape"):
        nc.nc3(nc.class_statistics(X, y, 3), torch.ones(2, 4))
    with pytest.raises(ValueError, match=r"product of classifier \(weight\) and class means is zero"):
        nc.nc3(nc.class_statistics(X, y, 3), torch.zeros(3, 4))
    with pytest.raises(ValueError, match="undefined = 'zero'; undefined must be one of 'raise', 'nan'"):
        nc.nc1(nc.class_statistics(X, y, 3), undefined="zero")
    with pytest.raises(ValueError, match="features must have a multiple of num_classes = 4"):
        nc.balanced_statistics(X, 4)


ODD = {
    "a list": (lambda t: t.tolist(), TypeError, "is a list"),
    "a generator": (lambda t: (row for row in t), TypeError, "is a generator"),
    "an array": (lambda t: t.numpy(), TypeError, "is a ndarray"),
    "a masked array": (lambda t: np.ma.masked_array(t.numpy(), mask=t.numpy() > 0), TypeError, "is a MaskedArray"),
    "sparse": (lambda t: t.to_sparse(), ValueError, r"to_dense\(\)"),
    "on meta": (lambda t: t.to("meta"), ValueError, "on the device meta"),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.any_type
def test_tensors_that_hold_no_numbers_are_refused_in_words(odd):
    change, error, message = ODD[odd]
    X, y = labelled(30, 4, 3)
    statistics = nc.class_statistics(X, y, 3)
    for call in (
        lambda: nc.collapse_metrics(change(X), y, 3),
        lambda: nc.collapse_metrics(X, change(y), 3),
        lambda: nc.NeuralCollapse(3, 4).update(change(X), y),
        lambda: nc.NearestClassCenter(change(X[:3])),
        lambda: nc.nc3(statistics, change(X[:3])),
        lambda: nc.nc4(X, y, change(X[:3])),
        lambda: nc.nc4(X, change(y), X[:3]),
        lambda: nc.balanced_statistics(change(X), 3),
        lambda: nc.effective_rank(change(X[0].abs())),
        lambda: nc.condition_number(change(X[0].abs())),
        lambda: nc.rank(change(X[0].abs())),
        lambda: nc.psd_spectrum(change(X.T @ X)),
        lambda: nc.centred_gram(change(X)),
        lambda: nc.centred_gram(X, centre=change(X[0])),
    ):
        with pytest.raises(error, match=message):
            call()
