"""Mahalanobis kernels, which depend on the samples' distances in a metric M, and metrics that collapse classes.

Samples are in columns, and the metric is ‖v‖_M² = vᵀ M v for a symmetric positive semi-definite M.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from theory.arguments import RealLike, check_array, check_real
from theory.deep_rfm._matrices import as_labels, as_symmetric, check_psd
from theory.deep_rfm.kernel_ridge import collapsed_kernel
from theory.overflow import within_floats
from theory.wording import wrong_type

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["collapsing_metric", "mahalanobis_kernel", "metric_realising"]


def mahalanobis_kernel(
    X: ArrayLike, M: ArrayLike, phi: Callable[[Float[np.ndarray, "N N"]], Float[np.ndarray, "N N"]]
) -> Float[np.ndarray, "N N"]:
    """Return the kernel matrix φ(‖x_i − x_j‖_M) of samples in columns.

    Parameters
    ----------
    X : array_like, shape (d, N)
        Samples.
    M : array_like, shape (d, d)
        Symmetric positive semi-definite.
    phi : callable
        Takes an array of distances; φ(0) = 1.

    Returns
    -------
    ndarray, shape (N, N)

    Raises
    ------
    TypeError, ValueError
        If M is not symmetric positive semi-definite, or the shapes do not fit.

    Examples
    --------
    >>> mahalanobis_kernel([[0.0, 1.0]], [[4.0]], lambda distance: np.exp(-distance)).round(3)
    array([[1.   , 0.135],
           [0.135, 1.   ]])
    """
    X, M = check_array("X", X, empty=False), as_symmetric("M", M)
    if X.ndim != 2 or len(X) != len(M):
        raise ValueError(f"X has shape {X.shape}; X must be a matrix with {len(M)} rows, as many as M")
    if not callable(phi):
        raise wrong_type("phi", phi, "phi must be a function of distances")
    check_psd("M", M)
    values, vectors = np.linalg.eigh(M)
    mapped = np.sqrt(np.maximum(values, 0))[:, None] * (vectors.T @ X)
    with np.errstate(over="ignore"):
        distances = _distances(mapped)
    if not np.isfinite(distances).all():
        raise ValueError("X and M are of a size at which distances are beyond the floats; X must be scaled")
    return phi(distances)


@within_floats
def metric_realising(X: ArrayLike, R: ArrayLike) -> Float[np.ndarray, "d d"]:
    """Return the M for which the samples X have among each other the Euclidean distances of the points R.

    M = NᵀN for N = RX⁺, which solves NX = R when X has full column rank.

    Parameters
    ----------
    X : array_like, shape (d, N)
        Samples, linearly independent.
    R : array_like, shape (p, N)
        Points.

    Returns
    -------
    ndarray, shape (d, d)

    Raises
    ------
    TypeError, ValueError
        If the samples are linearly dependent to working precision; the singular values are then in the message.

    References
    ----------
    agop, Appendix B, proof of Proposition B.1.

    Examples
    --------
    >>> metric_realising([[2.0, 0.0], [0.0, 1.0]], [[0.0, 3.0]])
    array([[0., 0.],
           [0., 9.]])
    """
    X, R = check_array("X", X, empty=False), check_array("R", R)
    if X.ndim != 2 or R.ndim != 2 or X.shape[1] != R.shape[1]:
        raise ValueError(f"X and R have shapes {X.shape} and {R.shape}; they must be matrices with one column a sample")
    singular = np.linalg.svd(X, compute_uv=False)
    if X.shape[1] > X.shape[0] or singular[-1] <= 1e-13 * singular[0]:
        raise ValueError(
            f"X has singular values from {singular[0]:.3g} to {singular[-1]:.3g} for {X.shape[1]} samples; "
            "they must be linearly independent"
        )
    N = R @ np.linalg.pinv(X)
    metric: Float[np.ndarray, "d d"] = N.T @ N
    return metric


@within_floats
def collapsing_metric(X: ArrayLike, Y: ArrayLike, *, distance: RealLike) -> Float[np.ndarray, "d d"]:
    """Return an M that maps equally labelled samples to one point and keeps others at the given distance or more.

    It is a multiple of the projection off the span of the differences of equally labelled samples. Such an M exists
    exactly if no difference of differently labelled samples lies in that span: if one does, every M that collapses the
    classes merges the two. Linear independence of the samples suffices, affine independence too.

    Parameters
    ----------
    X : array_like, shape (d, N)
        Samples.
    Y : array_like, shape (K, N)
        Labels; samples with equal columns share their class.
    distance : float
        Smallest distance wanted between classes, positive.

    Returns
    -------
    ndarray, shape (d, d)

    Raises
    ------
    ValueError
        If there is no such M, naming two samples that cannot be separated.

    Examples
    --------
    >>> collapsing_metric([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [[1, 1, 0], [0, 0, 1]], distance=2.0)
    array([[0., 0.],
           [0., 4.]])
    """
    X, Y = check_array("X", X, empty=False), as_labels(Y)
    distance = check_real("distance", distance, above=0)
    if X.ndim != 2 or X.shape[1] != Y.shape[1]:
        raise ValueError(f"X has shape {X.shape}; X must be a matrix with a column for each of the {Y.shape[1]} of Y")
    same = collapsed_kernel(Y) == 1
    first = np.argmax(same, axis=0)  # the first sample of each sample's class
    within = X - X[:, first]
    left, singular, _ = np.linalg.svd(within, full_matrices=False)
    span = left[:, singular > 1e-12 * max(np.linalg.norm(X, 2), np.finfo(np.float64).tiny)]
    projected = X - span @ (span.T @ X)
    between = _distances(projected)
    between[same] = np.inf
    i, j = np.unravel_index(np.argmin(between), between.shape)
    if between[i, j] <= 1e-10 * np.linalg.norm(X, 2):
        raise ValueError(
            f"samples {i} and {j} of different classes in X differ by a combination of differences within classes"
        )
    scale = distance / between[i, j] if np.isfinite(between[i, j]) else 1.0
    metric: Float[np.ndarray, "d d"] = scale**2 * (np.eye(len(X)) - span @ span.T)
    return metric


def _distances(points: Float[np.ndarray, "d N"]) -> Float[np.ndarray, "N N"]:
    """Euclidean distances of all pairs; in units of the largest entry, so that no square overflows or vanishes."""
    unit = float(np.abs(points).max()) or 1.0
    scaled = points / unit
    distances: Float[np.ndarray, "N N"] = unit * np.linalg.norm(scaled[:, :, None] - scaled[:, None, :], axis=0)
    return distances
