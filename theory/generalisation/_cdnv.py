r"""The class-distance normalised variance (CDNV) of features, and how far that of a sample is from the true one.

$V_{ij} = (σ_i^2 + σ_j^2)/(2\|μ_i - μ_j\|^2)$, with the mean squared distance $σ_i^2$ of class i to its mean. If the
means of a sample are off by at most $e_i$, and its variances too small by at most $g_i$, then

$$ V \le (\hat V + B)(1 + A)^2,\qquad A = \frac{e_i + e_j}{\|μ_i - μ_j\|},\quad B = \frac{g_i + g_j}{2\|\hat μ_i -
\hat μ_j\|^2}. $$

For features in a ball of radius R, a class of n samples and the probability 1 − δ of each, by bounded differences,
$e = \frac R{\sqrt n}(1 + \sqrt{2\log\frac1δ})$ and $g = \frac{\hat σ^2}{n-1} + 4R^2\sqrt{\log\frac1δ/(2n)}$.
"""

from __future__ import annotations

from math import log, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_array, check_integer, check_real, check_sequence
from theory.labels import check_labels
from theory.overflow import within_floats
from theory.wording import wrong_value

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from numpy.typing import ArrayLike

__all__ = ["CdnvBound", "ClassMoments", "cdnv", "cdnv_bound", "class_moments", "mean_gap", "variance_gap"]


class ClassMoments(NamedTuple):
    """Means and variances of the features of each class.

    Attributes
    ----------
    means : ndarray, shape (m, K)
    variances : ndarray, shape (K,)
        Mean squared distances to the class mean.
    sizes : ndarray of int, shape (K,)
        Samples in each class.
    """

    means: Float[np.ndarray, "m K"]
    variances: Float[np.ndarray, " K"]
    sizes: Int[np.ndarray, " K"]


class CdnvBound(NamedTuple):
    """Upper bounds of the true class-distance normalised variances, each a matrix over pairs of classes.

    Attributes
    ----------
    sample : ndarray, shape (K, K)
        Those of the sample.
    A, B : ndarray, shape (K, K)
        What comes on top, in (sample + B)(1 + A)².
    value : ndarray, shape (K, K)
        The bounds; infinite where the sample's means are nearer than they are certain. Zero on the diagonal.
    """

    sample: Float[np.ndarray, "K K"]
    A: Float[np.ndarray, "K K"]
    B: Float[np.ndarray, "K K"]
    value: Float[np.ndarray, "K K"]


@within_floats
def class_moments(features: ArrayLike, labels: ArrayLike) -> ClassMoments:
    """Means, variances and sizes of the classes of a sample.

    Parameters
    ----------
    features : array_like, shape (m, N)
        Features, one column a sample.
    labels : array_like of int, shape (N,)
        Their classes, from 0 on; each class must have a sample.

    Returns
    -------
    ClassMoments

    Raises
    ------
    ValueError
        If the shapes do not fit or a class is empty.
    TypeError
        If an argument is of a wrong type.

    Examples
    --------
    >>> class_moments([[0.0, 2.0, 5.0]], [0, 0, 1])
    ClassMoments(means=array([[1., 5.]]), variances=array([1., 0.]), sizes=array([2, 1]))
    """
    F = check_array("features", features, ndim=2, empty=False)
    y = check_labels("labels", labels, samples=F.shape[1], filled=True)
    classes = [F[:, y == k] for k in range(int(y.max()) + 1)]
    means = np.stack([own[:, 0] + (own - own[:, :1]).mean(axis=1) for own in classes], axis=1)
    squares = [np.square(own - mean[:, None]).sum(axis=0).mean() for own, mean in zip(classes, means.T, strict=True)]
    return ClassMoments(means, np.array(squares), np.bincount(y))


@within_floats
def cdnv(means: ArrayLike, variances: ArrayLike) -> Float[np.ndarray, "K K"]:
    """Class-distance normalised variances of all pairs of classes, from their means and variances.

    Parameters
    ----------
    means : array_like, shape (m, K)
        Class means, one a column, no two equal.
    variances : array_like, shape (K,)
        Mean squared distances of the classes to their means.

    Returns
    -------
    ndarray, shape (K, K)
        Zero on the diagonal.

    Raises
    ------
    ValueError
        If two means are equal, where the number is not defined, a variance is negative, or the shapes do not fit.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 51.

    Examples
    --------
    >>> cdnv([[0.0, 2.0]], [1.0, 3.0])
    array([[0. , 0.5],
           [0.5, 0. ]])
    """
    points, spread = _moments(means, variances)
    return _ratios(spread, _apart(points))


def mean_gap(n: IntegerLike, radius: RealLike, delta: RealLike) -> float:
    """How far the mean of n independent samples in a ball is from the true mean, with probability 1 − delta.

    Parameters
    ----------
    n : int
        Number of samples.
    radius : float
        Radius R of a ball that holds all features, positive.
    delta : float
        Probability of a larger distance, between 0 and 1.

    Returns
    -------
    float
        R(1 + √(2 log(1/δ)))/√n, at most 2R.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    TypeError
        If an argument is of a wrong type.

    Examples
    --------
    >>> round(mean_gap(100, 1, 0.05), 3)
    0.345
    """
    n, R, deviation = _arguments(n, radius, delta)
    return R * min(2.0, (1 + sqrt(2) * deviation) / sqrt(n))


@within_floats
def variance_gap(n: IntegerLike, radius: RealLike, delta: RealLike, variance: RealLike) -> float:
    """How far the variance of n independent samples in a ball is below the true one, with probability 1 − delta.

    Parameters
    ----------
    n : int
        Number of samples.
    radius : float
        Radius R of a ball that holds all features, positive.
    delta : float
        Probability of a larger gap, between 0 and 1.
    variance : float
        Mean squared distance of the samples to their mean, at most R²; 0 for n = 1.

    Returns
    -------
    float
        variance/(n − 1) + 4R²√(log(1/δ)/(2n)), at most R² − variance.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    TypeError
        If an argument is of a wrong type.

    Examples
    --------
    >>> round(variance_gap(1000, 1, 0.05, 0.1), 3)
    0.155
    >>> variance_gap(1, 1, 0.05, 0)
    1.0
    """
    n, R, deviation = _arguments(n, radius, delta)
    s = _within_ball("variance", check_real("variance", variance, at_least=0), n, R)
    most = max(0.0, R * R - s)
    return most if n == 1 else min(most, s / (n - 1) + 4 * R * R * deviation / sqrt(2 * n))


@within_floats
def cdnv_bound(
    means: ArrayLike, variances: ArrayLike, sizes: ArrayLike, radius: RealLike, delta: RealLike
) -> CdnvBound:
    """Upper bounds of the true CDNV of all pairs of classes, from a sample with features in a ball.

    All of them hold at once with probability 1 − delta at least, if the feature map does not depend on the sample.

    Parameters
    ----------
    means : array_like, shape (m, K)
        Class means of the sample, one a column, no two equal.
    variances : array_like, shape (K,)
        Mean squared distances of the samples of each class to their mean.
    sizes : array_like of int, shape (K,)
        Independent samples in each class.
    radius : float
        Radius of a ball that holds all features, positive.
    delta : float
        Probability that some bound does not hold, between 0 and 1.

    Returns
    -------
    CdnvBound

    Raises
    ------
    ValueError
        If two means are equal, an argument is out of its range, or the shapes do not fit.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 52, whose constants are not printed.

    Examples
    --------
    >>> bound = cdnv_bound([[0.0, 1.0]], [0.01, 0.01], [10000, 10000], 0.75, 0.05)
    >>> bound.sample[0, 1].round(3), bound.value[0, 1].round(3)
    (np.float64(0.01), np.float64(0.049))
    """
    points, spread = _moments(means, variances)
    K = len(spread)
    counts = check_sequence(
        "sizes", sizes, lambda name, n: check_integer(name, n, at_least=1), length=K, entries="integers"
    )
    each = _probability(delta) / (2 * K)
    R = check_real("radius", radius, above=0)
    for k, (n, s) in enumerate(zip(counts, spread.tolist(), strict=True)):
        _within_ball(f"variances[{k}]", s, n, R)
    e = np.array([mean_gap(n, radius, each) for n in counts])
    g = np.array([variance_gap(n, radius, each, s) for n, s in zip(counts, spread, strict=True)])
    distances, gaps = _apart(points), (e[:, None] + e) * (1 - np.eye(K))
    nearest = distances - gaps
    A = np.where(nearest > 0, gaps / np.where(nearest > 0, nearest, 1.0), np.inf)
    sample, B = _ratios(spread, distances), _ratios(g, distances)
    return CdnvBound(sample, A, B, (sample + B) * (1 + A) ** 2)


def _arguments(n: IntegerLike, radius: RealLike, delta: RealLike) -> tuple[int, float, float]:
    """n, R and √(log(1/δ))."""
    probability = _probability(delta)
    count = check_integer("n", n, at_least=1, at_most=LARGEST_SIZE)
    return count, check_real("radius", radius, above=0), sqrt(-log(probability))


def _within_ball(name: str, variance: float, n: int, R: float) -> float:
    """The variance of n points of a ball, which R² bounds."""
    most = 0.0 if n == 1 else R * R
    if variance > most * (1 + 1e-12):
        raise wrong_value(name, variance, f"{name} must be at most {most} for n = {n} and radius = {R}")
    return variance


def _probability(delta: RealLike) -> float:
    probability = check_real("delta", delta, above=0)
    if probability >= 1:
        raise wrong_value("delta", delta, "delta must be a real number > 0 and < 1")
    return probability


def _moments(means: ArrayLike, variances: ArrayLike) -> tuple[Float[np.ndarray, "m K"], Float[np.ndarray, " K"]]:
    points = check_array("means", means, ndim=2, empty=False)
    spread = check_array("variances", variances, ndim=1)
    if points.shape[1] < 2 or len(spread) != points.shape[1]:
        raise ValueError(
            f"means has shape {points.shape}, variances has shape {spread.shape}; means must have at least 2 columns "
            f"and variances an entry for each"
        )
    if (spread < 0).any():
        k = int(np.argmax(spread < 0))
        raise wrong_value(f"variances[{k}]", float(spread[k]), "variances must be ≥ 0")
    return points, spread


def _apart(points: Float[np.ndarray, "m K"]) -> Float[np.ndarray, "K K"]:
    """Distances of the means, after making sure that no two are equal; 1 on the diagonal."""
    distances = np.stack([np.linalg.norm(points - point[:, None], axis=0) for point in points.T])
    equal = np.argwhere((distances == 0) & ~np.eye(len(distances), dtype=bool))
    if len(equal):
        i, j = equal[0].tolist()
        raise ValueError(f"means has equal columns {i} and {j}; the means of two classes must differ")
    return distances + np.eye(len(distances))


def _ratios(values: Float[np.ndarray, " K"], distances: Float[np.ndarray, "K K"]) -> Float[np.ndarray, "K K"]:
    """(v_i + v_j)/(2 d_ij²), 0 on the diagonal."""
    ratios: Float[np.ndarray, "K K"] = (values[:, None] + values) / (2 * distances**2)
    return ratios * (1 - np.eye(len(values)))
