r"""When the features of two classes can be separated by a hyperplane, under isotropic local elasticity.

The gap between two class means grows by the factor $e^{\frac1K\int(α-β)}$, the noise of a sample has the variance
$v = σ_0^2 + \int σ^2$. With δ the gap over √v, n samples a class and m features, separation has a probability of at
least $1 - n^2Φ(-δ/\sqrt2)$ and at most $2\sum_{i\le m}\binom{2n-1}i/\binom{2n}n + 2Φ(δ\sqrt{n/8}) - 1$. For α − β = c/t
and σ² growing like t^r the ratio δ grows like t^{c/K − (r+1)/2}; docs/separation.md has the proofs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.integrate import quad
from scipy.optimize import linprog
from scipy.special import bdtr, log_ndtr, ndtr, poch

from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_array, check_integer, check_real
from theory.overflow import within_floats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["pairwise_separable", "separation_bounds", "separation_probability", "separation_threshold"]


@within_floats
def separation_threshold(K: IntegerLike, noise_exponent: RealLike = 0) -> float:
    """The coefficient c beyond which α − β = c/t separates the classes, for isotropic impact.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    noise_exponent : float
        The r of a covariance rate that grows like t^r; 0 for constant noise, above −1.

    Returns
    -------
    float
        K(r+1)/2. Above it the probability of separation tends to 1; below it, to that of classes with equal means.

    Raises
    ------
    ValueError
        If K is below 2 or the exponent at most −1: then the noise stays bounded and every c > 0 separates.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, Section 3.2.2, before equation 44, where the rate is stated up to constants.

    Examples
    --------
    >>> separation_threshold(10)
    5.0
    """
    K = check_integer("K", K, at_least=2, at_most=LARGEST_SIZE)
    return K * (check_real("noise_exponent", noise_exponent, above=-1) + 1) / 2


@within_floats
def separation_probability(gap: RealLike, n: IntegerLike) -> float:
    """The probability that n Gaussian samples of one class are all beyond n of another, along the line of their means.

    Parameters
    ----------
    gap : float
        Distance of the two means over the standard deviation of the noise, in the direction from the second class to
        the first.
    n : int
        Samples a class, at least 1.

    Returns
    -------
    float
        By quadrature, to about 1e-10. For equal means it is n!²/(2n)!.

    Raises
    ------
    ValueError
        If n is below 1 or the gap is not finite.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 44, with v the difference of the means.

    Examples
    --------
    >>> round(separation_probability(0, 2), 10), round(separation_probability(6, 10), 4)
    (0.1666666667, 0.999)
    """
    gap = check_real("gap", gap)
    n = check_integer("n", n, at_least=1, at_most=LARGEST_SIZE)

    if gap < -100:
        return 0.0

    def density(x: float) -> float:
        exponent = n * log_ndtr(gap - x) + (n - 1) * log_ndtr(x) - x * x / 2
        return float(n * np.exp(exponent) / np.sqrt(2 * np.pi))

    # The largest of the second class is Gaussian in its tails: nothing is left 10 standard deviations out.
    reach = 10 + np.sqrt(2 * np.log(n))
    breaks = sorted({float(x) for x in (0, np.sqrt(2 * np.log(n)), gap / 2, gap) if -10 < x < reach})
    value = quad(density, -10, reach, points=breaks, epsabs=1e-13, epsrel=1e-11, limit=400)[0]
    return float(min(max(value, 0.0), 1.0))


@within_floats
def separation_bounds(gap: RealLike, n: IntegerLike, m: IntegerLike) -> tuple[float, float]:
    """Bounds on the probability that a hyperplane separates n Gaussian samples of one class from n of another.

    Parameters
    ----------
    gap : float
        Distance of the two means over the standard deviation of the noise, at least 0.
    n : int
        Samples a class, at least 1.
    m : int
        Number of features, at least 1.

    Returns
    -------
    lower, upper : float
        At least 1 − 2nΦ(−δ/2), by the hyperplane in the middle, and 1 − n²Φ(−δ/√2), by pairs of samples; at most
        Cover's share for equal means and the distance in total variation from these. Both are 1 for 2n ≤ m + 1, where
        a hyperplane always separates.

    Raises
    ------
    ValueError
        If the gap is negative, or n or m is below 1.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equations 44 and 45; T. M. Cover, Geometrical and statistical properties of systems of linear inequalities
    (1965).

    Examples
    --------
    >>> [round(bound, 4) for bound in separation_bounds(0.1, 20, 2)], separation_bounds(0, 2, 3)
    ([0.0, 0.1256], (1.0, 1.0))
    """
    gap = check_real("gap", gap, at_least=0)
    n = check_integer("n", n, at_least=1, at_most=LARGEST_SIZE)
    m = check_integer("m", m, at_least=1, at_most=LARGEST_SIZE)
    if 2 * n <= m + 1:
        return 1.0, 1.0
    lower = max(0.0, 1 - 2 * n * float(ndtr(-gap / 2)), 1 - float(n) ** 2 * float(ndtr(-gap / np.sqrt(2))))
    upper = _cover(n, m) + float(2 * ndtr(gap * np.sqrt(n / 8)) - 1)
    return lower, min(1.0, upper)


def pairwise_separable(F: ArrayLike, K: IntegerLike) -> bool:
    """Whether for each two classes a hyperplane has the samples of one strictly on one side and those of the other not.

    Parameters
    ----------
    F : array_like, shape (m, N)
        Features, samples sorted by class, N/K of each.
    K : int
        Number of classes, at least 2.

    Returns
    -------
    bool
        By a linear program for each pair, in floating point; for m = 1 by comparison.

    Raises
    ------
    ValueError
        If K is below 2 or does not divide the number of samples, or an entry is not finite.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 44.

    Examples
    --------
    >>> pairwise_separable([[0, 1, 2, 3]], 2), pairwise_separable([[0, 2, 1, 3]], 2)
    (True, False)
    """
    features, K = check_array("F", F, ndim=2, empty=False), check_integer("K", K, at_least=2, at_most=LARGEST_SIZE)
    if features.shape[1] % K:
        raise ValueError(f"F has shape {features.shape}; F must have a multiple of K = {K} columns")
    classes = np.split(features, K, axis=1)
    return all(_separable(classes[i], classes[j]) for j in range(K) for i in range(j))


def _separable(X: ArrayLike, Y: ArrayLike) -> bool:
    """Whether some v and c have ⟨v, x⟩ − c ≥ 1 on X and ≤ −1 on Y."""
    points = np.hstack([X, Y])
    points = points / (np.abs(points).max() or 1.0)
    centred = points - points.mean(axis=1, keepdims=True)
    X, Y = np.split(centred / (np.abs(centred).max() or 1.0), 2, axis=1)
    if len(X) == 1:
        return bool(X.max() < Y.min() or Y.max() < X.min())
    signed = np.hstack([-X, Y])
    rows = np.column_stack([signed.T, np.repeat([1.0, -1.0], X.shape[1])])
    answer = linprog(np.zeros(len(X) + 1), A_ub=rows, b_ub=-np.ones(len(rows)), bounds=(None, None), method="highs")
    return bool(answer.status == 0)


def _cover(n: int, m: int) -> float:
    """The share of the labellings n against n that a hyperplane separates, at most: 2Σ_{i ≤ m} C(2n−1, i)/C(2n, n)."""
    share = np.sqrt(np.pi) * poch(n + 0.5, 0.5) * bdtr(min(m, 2 * n - 1), 2 * n - 1, 0.5)  # 4ⁿ/C(2n, n) times P(≤ m)
    return min(1.0, float(share))
