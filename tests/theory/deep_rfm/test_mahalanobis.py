"""theory.deep_rfm.mahalanobis: metrics that realise distances and collapse classes, any size, wrong input."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_kernels import SIZES

from theory import labels
from theory.deep_rfm import kernel_ridge, mahalanobis


@given(SIZES, st.integers(0, 4), st.floats(0.5, 20.0), st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_metrics_realise_their_distances(sizes, more, spread, seed):
    rng, Y = np.random.default_rng(seed), labels.one_hot(sizes)
    N = Y.shape[1]
    X, R = rng.standard_normal((N + more, N)), rng.standard_normal((2, N))
    assume(np.linalg.cond(X) < 100)
    phi = lambda distance: distance  # the distances themselves  # noqa: E731
    wanted = np.linalg.norm(R[:, :, None] - R[:, None, :], axis=0)
    assert np.allclose(mahalanobis.mahalanobis_kernel(X, mahalanobis.metric_realising(X, R), phi), wanted, atol=1e-5)
    distances = mahalanobis.mahalanobis_kernel(X, mahalanobis.collapsing_metric(X, Y, distance=spread), phi)
    same = kernel_ridge.collapsed_kernel(Y) == 1
    assert distances[same].max() < 1e-5 * spread * np.linalg.cond(X)
    if not same.all():
        assert distances[~same].min() == pytest.approx(spread, rel=1e-6)


def test_affine_independence_is_enough_to_collapse():
    X, Y = np.array([[0.0, 1.0]]), labels.one_hot([1, 1])  # linearly dependent: the first sample is zero
    with pytest.raises(ValueError, match="linearly independent"):
        mahalanobis.metric_realising(X, Y)
    assert mahalanobis.collapsing_metric(X, Y, distance=3.0) == pytest.approx(9.0)


def test_classes_that_no_metric_separates():
    X, Y = np.array([[0.0, 1.0, 2.0]]), labels.one_hot([2, 1])[:, [0, 2, 1]]
    with pytest.raises(ValueError, match="samples 0 and 1 of different classes"):
        mahalanobis.collapsing_metric(X, Y, distance=1.0)


@pytest.mark.parametrize("size", [1e-150, 1e150])
def test_points_of_any_size_have_the_distances_of_the_rescaled_ones(size):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((7, 5)), labels.one_hot([2, 3])
    distances = lambda X, M: mahalanobis.mahalanobis_kernel(X, M, lambda distance: distance)  # noqa: E731
    expected = distances(X, np.diag(np.arange(1.0, 8.0)))
    assert np.allclose(distances(size * X, np.diag(np.arange(1.0, 8.0))) / size, expected, rtol=1e-12)
    metric = mahalanobis.collapsing_metric(size * X, Y, distance=2.0)
    assert np.allclose(metric * size * size, mahalanobis.collapsing_metric(X, Y, distance=2.0), rtol=1e-9)
    assert np.allclose(mahalanobis.metric_realising(size * X, size * X), mahalanobis.metric_realising(X, X), atol=1e-9)


def test_metrics_that_do_not_fit():
    with pytest.raises(ValueError, match=r"shapes \(2, 2\) and \(1, 3\)"):
        mahalanobis.metric_realising(np.eye(2), [[1, 2, 3]])
    with pytest.raises(ValueError, match="positive semi-definite"):
        mahalanobis.mahalanobis_kernel(np.eye(2), -np.eye(2), np.exp)
    with pytest.raises(ValueError, match="2 rows"):
        mahalanobis.mahalanobis_kernel(np.eye(3), np.eye(2), np.exp)
    with pytest.raises(ValueError, match="distance = 0"):
        mahalanobis.collapsing_metric(np.eye(2), np.eye(2), distance=0)
    with pytest.raises(ValueError, match="A has shape"):
        kernel_ridge.objective([[1.0]], np.eye(2), [[1, -1]], 1.0)
