"""numerics.data: what the loaders promise, without a network; caching and its checks with a stand-in for OpenML."""

from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest

from numerics import data


def test_digits():
    digits = data.digits()
    assert digits.X.shape == (1797, 64)
    assert digits.X.dtype == np.float64
    assert np.bincount(digits.y).min() == 174


def test_mnist1d_is_balanced_repeatable_and_leaves_the_global_generators_alone():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second, other = data.mnist1d(200), data.mnist1d(200), data.mnist1d(200, seed=1)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    assert first.X.shape == (200, 40)
    assert np.bincount(first.y).tolist() == [20] * 10
    np.testing.assert_array_equal(first.X, second.X)
    assert not np.array_equal(first.X, other.X)
    with pytest.raises(ValueError, match="multiple of 10"):
        data.mnist1d(15)


def test_gaussian_clusters_have_the_stated_means_and_variance():
    clusters = data.gaussian_clusters([4000, 2000], 3, separation=5.0, seed=0)
    assert np.bincount(clusters.y).tolist() == [4000, 2000]
    for c in range(2):
        X = clusters.X[clusters.y == c]
        # Five standard errors: of a variance √(2/n), of a covariance 1/√n.
        np.testing.assert_allclose(np.cov(X.T), np.eye(3), atol=5 * (2 / 2000) ** 0.5)
    norms = [np.linalg.norm(data.gaussian_clusters([1, 1], 400, separation=50.0, seed=s).X[0]) for s in range(20)]
    # ‖μ + noise‖² has mean 50² + 400 and standard deviation of about 50² √(2/400).
    assert np.mean(np.square(norms)) == pytest.approx(2900, abs=5 * 2500 * (2 / 400 / 20) ** 0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([3], 2), "two or more"),
        (([3, 0], 2), r"counts\[1\] = 0; counts\[1\] must be an integer ≥ 1"),
        (([3, 2.5], 2), r"counts\[1\] = 2\.5"),
        (([3, 3], 0), "d = 0; d must be"),
        (([1, 1], 2, -1.0), "separation = -1.0; separation must be a finite real number > 0"),
    ],
)
def test_wrong_clusters(arguments, message):
    counts, d, *separation = arguments
    with pytest.raises(ValueError, match=message):
        data.gaussian_clusters(counts, d, seed=0, **({"separation": separation[0]} if separation else {}))


@pytest.mark.any_type
def test_codings():
    clusters = data.gaussian_clusters([1, 1, 1], 2, seed=0)
    assert clusters.targets("onehot").tolist() == np.eye(3).tolist()
    assert clusters.targets("signed").tolist() == (2 * np.eye(3) - 1).tolist()
    with pytest.raises(ValueError, match="coding"):
        clusters.targets("binary")


def test_standardised_features():
    standard = data.digits().standardised()
    spread = standard.X.std(axis=0)
    np.testing.assert_allclose(standard.X.mean(axis=0), 0, atol=1e-13)
    assert ((np.abs(spread - 1) < 1e-12) | (spread == 0)).all()
    assert (spread == 0).sum() == 3  # corner pixels that are always off


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, object])
@pytest.mark.any_type
def test_samples_of_every_dtype_are_float64(dtype):
    X = (np.arange(12).reshape(4, 3) ** 2).astype(dtype)
    made = data.Dataset("x", X, np.array([0, 1, 0, 1], np.uint8), 2.0)
    assert made.X.dtype == np.float64
    assert made.y.dtype == np.int64
    assert type(made.num_classes) is int
    assert made.targets().tolist() == [[1, -1], [-1, 1], [1, -1], [-1, 1]]
    np.testing.assert_allclose(made.standardised().X.std(axis=0), 1, rtol=1e-12)


@pytest.mark.parametrize("size", [1e-320, 1e-150, 1e150, 1.7e308])
def test_standardised_features_of_any_size(size):
    X = np.array([[-1.0, 1.0, 0.5], [1.0, 1.0, 0.25], [0.5, 1.0, 1.0], [1.0, 1.0, 0.0]])
    expected = data.Dataset("x", X, np.array([0, 1, 0, 1]), 2).standardised().X
    found = data.Dataset("x", size * X, np.array([0, 1, 0, 1]), 2).standardised().X
    np.testing.assert_allclose(found, expected, rtol=1e-3 if size < 1e-300 else 1e-12, atol=1e-15)
    mixed = data.Dataset("x", X * [1e-150, 1.0, 1e150], np.array([0, 1, 0, 1]), 2).standardised().X
    np.testing.assert_allclose(mixed, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("noise", "constant"), [(0.5e-12, True), (4e-12, False)])
def test_how_little_a_feature_may_vary(noise, constant):
    X = 3.0 * np.array([[1.0], [1.0 + 2 * noise], [1.0], [1.0 + 2 * noise]])
    found = data.Dataset("x", X, np.array([0, 1, 0, 1]), 2).standardised().X
    assert (found == 0).all() == constant


def test_counts_may_come_from_a_generator():
    clusters = data.gaussian_clusters((n for n in (3, np.int64(2), 4.0)), np.uint8(2), separation="3", seed=0)
    np.testing.assert_array_equal(clusters.X, data.gaussian_clusters([3, 2, 4], 2, seed=0).X)
    assert np.bincount(clusters.with_counts(n for n in (1, 2, 3)).y).tolist() == [1, 2, 3]


def test_a_write_that_fails_leaves_no_file(openml, tmp_path, monkeypatch):
    def fail(*arguments, **keywords):
        raise OSError("no space left")

    monkeypatch.setattr(data.np, "savez_compressed", fail)
    with pytest.raises(OSError, match="no space left"):
        data.svhn(cache=tmp_path)
    assert list((tmp_path / "neural-collapse-theory").iterdir()) == []


def test_selections():
    digits = data.digits()
    ordered = digits.sorted_by_class()
    assert (np.diff(ordered.y) >= 0).all()
    np.testing.assert_array_equal(ordered.X[0], digits.X[digits.y == 0][0])
    counts = [100, 50, 20, 10, 5, 5, 5, 5, 5, 1]
    assert np.bincount(digits.with_counts(counts).y).tolist() == counts
    assert len(digits.first(500).y) == 500
    with pytest.raises(ValueError, match=r"samples = 2000; samples must be an integer ≥ 1 and ≤ 1797"):
        digits.first(2000)
    with pytest.raises(ValueError, match="every label"):
        digits.first(3)
    with pytest.raises(ValueError, match="one number a class"):
        digits.with_counts([1000] * 10)
    with pytest.raises(ValueError, match="one number a class"):
        digits.with_counts([1, 2])


def test_wrong_datasets():
    X, y = np.zeros((4, 2)), np.array([0, 1, 0, 1])
    with pytest.raises(ValueError, match="X and y must be"):
        data.Dataset("x", X, y[:3], 2)
    with pytest.raises(ValueError, match=r"X\[0, 0\] = nan; X must be finite"):
        data.Dataset("x", X + np.nan, y, 2)
    with pytest.raises(TypeError, match="X is a masked array"):
        data.Dataset("x", np.ma.masked_array(X, mask=X == 0), y, 2)
    with pytest.raises(TypeError, match="y is a masked array"):
        data.Dataset("x", X, np.ma.masked_array(y, mask=y == 0), 2)
    for wrong in (y == 1, y.astype(float), y.astype(str)):
        with pytest.raises(TypeError, match="y must hold integers"):
            data.Dataset("x", X, wrong, 2)
    with pytest.raises(ValueError, match="y contains 18446744073709551615"):
        data.Dataset("x", X, y.astype(np.uint64) * np.uint64(2**64 - 1), 2)
    with pytest.raises(ValueError, match="num_classes = 1; num_classes must be an integer ≥ 2"):
        data.Dataset("x", X, 0 * y, 1)
    with pytest.raises(TypeError, match="counts = 3 is a int; counts must be one number for each class"):
        data.gaussian_clusters(3, 2, seed=0)
    with pytest.raises(ValueError, match=r"every label 0…2"):
        data.Dataset("x", X, y, 3)
    with pytest.raises(ValueError, match="name = 'imagenet'; name must be one of 'digits'"):
        data.load("imagenet")


@pytest.fixture
def openml(monkeypatch):
    """A small stand-in for SVHN, whose labels count from 1; records how often it is asked."""
    calls = []
    pixels = np.random.default_rng(0).integers(0, 256, size=(40, 6)).astype(float)
    labels = np.array([str(1 + k % 10) for k in range(40)])

    def fetch(**arguments):
        calls.append(arguments)
        return SimpleNamespace(data=pixels, target=labels)

    monkeypatch.setattr(data, "fetch_openml", fetch)
    monkeypatch.setattr(data, "_SVHN", data._Source("svhn", 41081, (40, 6)))
    return SimpleNamespace(calls=calls, pixels=pixels)


def test_fetched_data_are_cached(openml, tmp_path):
    first = data.svhn(cache=tmp_path)
    second = data.load("svhn", cache=tmp_path)
    assert len(openml.calls) == 1
    assert openml.calls[0]["data_id"] == 41081
    assert first.name == "svhn"
    np.testing.assert_allclose(first.X, openml.pixels / 255)
    np.testing.assert_array_equal(second.X, first.X)
    assert first.y.tolist() == [k % 10 for k in range(40)]


def test_a_cache_that_was_changed_is_an_error(openml, tmp_path):
    data.svhn(cache=tmp_path)
    path = tmp_path / "neural-collapse-theory" / "svhn.npz"
    with np.load(path) as stored:
        contents = dict(stored)
    contents["pixels"][0, 0] += 1
    np.savez(path, **contents)
    with pytest.raises(ValueError, match=r"svhn.npz has SHA-256 [0-9a-f]+ and should have"):
        data.svhn(cache=tmp_path)
    path.write_bytes(b"half a file")
    with pytest.raises(ValueError, match="delete the file to fetch it again"):
        data.svhn(cache=tmp_path)


def test_data_of_another_shape_are_refused(openml, monkeypatch, tmp_path):
    monkeypatch.setattr(data, "_SVHN", data._Source("svhn", 41081, (41, 6)))
    with pytest.raises(ValueError, match=r"must have shape \(41, 6\)"):
        data.svhn(cache=tmp_path)


def test_offline(monkeypatch, tmp_path):
    def fetch(**arguments):
        raise URLError("no route to host")

    monkeypatch.setattr(data, "fetch_openml", fetch)
    with pytest.raises(ConnectionError, match=r"mnist is not cached in .* use digits or mnist1d"):
        data.mnist(cache=tmp_path)
