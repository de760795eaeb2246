r"""Collapse of test samples to the class means of the training set, in numbers.

In units of the spread $s = \frac1K\sum_k\|μ_k - μ_G\|^2$ of the means, over N test samples with classes y,

$$ \mathrm{weak} = \frac1{Ns}\sum_i\min_k\|f_i - μ_k\|^2,\qquad
\mathrm{strong} = \frac1{Ns}\sum_i\|f_i - μ_{y_i}\|^2. $$

Between them is the error e of the nearest class mean: with δ and D the least and largest distance of two means,
weak ≤ strong, $e \le 4s\,\mathrm{strong}/δ^2$, and $\sqrt{\mathrm{strong}} \le \sqrt{\mathrm{weak}} + D\sqrt{e/s}$.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.arguments import check_array
from theory.labels import check_labels
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from numpy.typing import ArrayLike

__all__ = ["TestCollapse", "ncc_error", "squared_distances", "test_collapse"]


class TestCollapse(NamedTuple):
    """How far test samples are from the class means, in units of the means' own spread.

    Attributes
    ----------
    weak : float
        Mean squared distance to the nearest class mean; 0 if every sample is at one of them.
    strong : float
        Mean squared distance to the mean of the sample's own class; at least `weak`.
    error : float
        Share of the samples whose nearest class mean is not their class's.
    """

    weak: float
    strong: float
    error: float


@within_floats
def test_collapse(features: ArrayLike, train_means: ArrayLike, labels: ArrayLike) -> TestCollapse:
    """Weak and strong test collapse: distances of test samples to the nearest training mean and to their own.

    Parameters
    ----------
    features : array_like, shape (m, N)
        Features of the test samples.
    train_means : array_like, shape (m, K)
        Class means of the training samples, K at least 2.
    labels : array_like of int, shape (N,)
        Classes of the test samples, from 0 on; a class may have none.

    Returns
    -------
    TestCollapse

    Raises
    ------
    ValueError
        If the shapes do not fit, or all class means are equal.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, Section 4.1; the unit is ours.

    Examples
    --------
    All samples at a mean, half of them at a wrong one: weak collapse without strong.

    >>> test_collapse([[1.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], [0, 1])
    TestCollapse(weak=0.0, strong=2.0, error=0.5)
    """
    squares, y, means = _arguments("features", features, "train_means", train_means, labels)
    spread = float(np.square(means - means.mean(axis=1, keepdims=True)).sum(axis=0).mean())
    if spread == 0:
        raise ValueError("train_means has equal columns; some class means must differ")
    own = squares[y, np.arange(len(y))]
    error = float((squares.argmin(axis=0) != y).mean())
    return TestCollapse(float(squares.min(axis=0).mean()) / spread, float(own.mean()) / spread, error)


@within_floats
def ncc_error(features: ArrayLike, means: ArrayLike, labels: ArrayLike) -> float:
    """The error of the nearest class center: the share of samples whose nearest class mean is not their class's.

    Parameters
    ----------
    features : array_like, shape (m, N)
        Features of the samples.
    means : array_like, shape (m, K)
        Class means, K at least 2.
    labels : array_like of int, shape (N,)
        Classes of the samples, from 0 on.

    Returns
    -------
    float
        Of equally near means the first counts as the nearest.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, Section 4.2, before equation 53.

    Examples
    --------
    >>> ncc_error([[0.0, 0.4, 0.6, 1.0]], [[0.0, 1.0]], [0, 1, 1, 1])
    0.25
    """
    squares, y, _ = _arguments("features", features, "means", means, labels)
    return float((squares.argmin(axis=0) != y).mean())


def squared_distances(F: Float[np.ndarray, "m N"], means: Float[np.ndarray, "m K"]) -> Float[np.ndarray, "K N"]:
    """Squared distances of samples from points, each from the difference, so that equal ones come out equal."""
    return np.stack([np.square(F - mean[:, None]).sum(axis=0) for mean in means.T])


def _arguments(
    features_name: str, features: ArrayLike, means_name: str, means: ArrayLike, labels: ArrayLike
) -> tuple[Float[np.ndarray, "K N"], Int[np.ndarray, " N"], Float[np.ndarray, "m K"]]:
    F = check_array(features_name, features, ndim=2, empty=False)
    points = check_array(means_name, means, ndim=2, empty=False)
    if len(points) != len(F) or points.shape[1] < 2:
        raise ValueError(
            f"{means_name} has shape {points.shape}; for {features_name} of shape {F.shape} {means_name} must have "
            f"{len(F)} rows and at least 2 columns"
        )
    y = check_labels("labels", labels, samples=F.shape[1], classes=points.shape[1])
    return squared_distances(F, points), y, points
