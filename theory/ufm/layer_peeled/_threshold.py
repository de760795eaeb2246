r"""From which imbalance on the classifiers of all minority classes are one vector, and from which they vanish.

With a = K_maj, b = K_min, K = a + b the pairs of the ratio $t_0$ and the budget $\sqrt{\Omega_A\Omega_F}$ at which the
minority classifiers just become one are a curve, in the margin q > 0 of a minority sample over the majority classes:

$$ E = \frac{a+be^q}K, \quad \omega = \sqrt{\frac{K-aE^{-2}}b}, \quad g = \frac{K-b\omega}a, \quad
\sigma = bqE\omega + a\log\frac\omega g, $$

$$ K\sqrt{\Omega_A\Omega_F} = (a-1)\sigma + bqE, \qquad t_0 = 1 + \frac gK(e^\sigma - 1). $$

Both increase strictly in q, so that each budget has one threshold. The proof is in docs/minority_collapse.md.
"""

from __future__ import annotations

from math import exp, expm1, log, log1p, sqrt
from typing import NamedTuple

from scipy.optimize import brentq

from theory.arguments import IntegerLike, RealLike, check_integer, check_real
from theory.overflow import within_floats

__all__ = [
    "ThresholdPoint",
    "check_classes",
    "collapse_ratio",
    "minority_collapse_threshold",
    "minority_vanishing_threshold",
    "root_product",
    "threshold_point",
    "vanishing_ratio",
]


class ThresholdPoint(NamedTuple):
    """A budget and the ratio at which the minority classifiers just become one vector, with the outputs there.

    Attributes
    ----------
    ratio : float
        The threshold t₀ = n_maj/n_min.
    budget : float
        √(Ω_AΩ_F).
    majority_scale : float
        By how much the output for the own class exceeds that for another majority class, on a majority sample; 0 for
        K_maj = 1.
    majority_margin : float
        The mean output for majority classes minus that for minority classes, on a majority sample.
    minority_margin : float
        The output for minority classes minus that for majority classes, on a minority sample.
    """

    ratio: float
    budget: float
    majority_scale: float
    majority_margin: float
    minority_margin: float


def check_classes(K_maj: IntegerLike, K_min: IntegerLike, *, least_min: int = 1, most: int = 10**6) -> tuple[int, int]:
    """Return the numbers of majority and minority classes as integers.

    Parameters
    ----------
    K_maj, K_min : int
        Number of majority and of minority classes.
    least_min, most : int
        The least number of minority classes, and the largest of either.

    Returns
    -------
    tuple of two ints

    Raises
    ------
    ValueError
        If one is out of its range.
    TypeError
        If one is no integer.
    """
    return (
        check_integer("K_maj", K_maj, at_least=1, at_most=most),
        check_integer("K_min", K_min, at_least=least_min, at_most=most),
    )


def root_product(Omega_A: RealLike, Omega_F: RealLike) -> float:
    """The budget √(Ω_AΩ_F), on which alone the outputs at the minimum depend.

    Parameters
    ----------
    Omega_A, Omega_F : float
        Bounds of the mean squared norms of classifiers and of features, positive.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If one is not positive and finite.
    TypeError
        If one is no real number.
    """
    roots = sqrt(check_real("Omega_A", Omega_A, above=0)), sqrt(check_real("Omega_F", Omega_F, above=0))
    return roots[0] * roots[1]


def _outputs(a: int, b: int, q: float) -> tuple[float, float, float]:
    """E − 1, ω − 1 and σ, every difference of nearly equal numbers written so that its digits are kept."""
    more = b / (a + b) * expm1(q)
    delta = expm1(log1p(a / b * -expm1(-2 * log1p(more))) / 2)
    sigma = b * q * (1 + delta) * (1 + more) + a * (log1p(delta) - log1p(-b * delta / a))
    return more, delta, sigma


def _budget(a: int, b: int, q: float) -> float:
    more, _, sigma = _outputs(a, b, q)
    return ((a - 1) * sigma + b * q * (1 + more)) / (a + b)


def _point(a: int, b: int, q: float) -> ThresholdPoint:
    more, delta, sigma = _outputs(a, b, q)
    ratio = 1 + (1 - b * delta / a) * expm1(sigma) / (a + b)
    scale = sigma if a > 1 else 0.0
    return ThresholdPoint(ratio, _budget(a, b, q), scale, b / a * q * (1 + delta) * (1 + more), q)


@within_floats
def threshold_point(K_maj: IntegerLike, K_min: IntegerLike, minority_margin: RealLike) -> ThresholdPoint:
    """A point of the curve of thresholds, in closed form from the margin of minority samples.

    Parameters
    ----------
    K_maj : int
        Number of majority classes, at least 1.
    K_min : int
        Number of minority classes, at least 2.
    minority_margin : float
        The margin of a minority sample over the majority classes, positive.

    Returns
    -------
    ThresholdPoint

    Raises
    ------
    ValueError
        If an argument is out of its range, or the ratio is beyond the floats.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 34. The proof is in docs/minority_collapse.md.

    Examples
    --------
    >>> point = threshold_point(2, 2, 0.5)
    >>> round(point.ratio, 4), round(point.budget, 4)
    (2.9647, 0.9253)
    >>> round(minority_collapse_threshold(2, 2, point.budget, point.budget), 4)
    2.9647
    """
    a, b = check_classes(K_maj, K_min, least_min=2)
    return _point(a, b, check_real("minority_margin", minority_margin, above=0))


@within_floats
def minority_collapse_threshold(K_maj: IntegerLike, K_min: IntegerLike, Omega_A: RealLike, Omega_F: RealLike) -> float:
    """The ratio n_maj/n_min from which on the classifiers of all minority classes are the same vector.

    Below it no two of them are, at every global minimum. Its excess over 1 is exact to about 1e-13 of itself.

    Parameters
    ----------
    K_maj : int
        Number of majority classes, at least 1.
    K_min : int
        Number of minority classes, at least 2: a single one has nothing to collapse with.
    Omega_A, Omega_F : float
        Bounds of the mean squared norms of classifiers and of features, positive.

    Returns
    -------
    float
        Above 1, and the same for all widths from K − 1 on.

    Raises
    ------
    ValueError
        If an argument is out of its range, or the threshold is beyond the floats.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 34. The proof is in docs/minority_collapse.md.

    Examples
    --------
    >>> round(minority_collapse_threshold(2, 2, 1, 1), 6)
    3.380488
    >>> minority_collapse_threshold(2, 2, 4, 0.25) == minority_collapse_threshold(2, 2, 1, 1)
    True
    """
    return collapse_ratio(*check_classes(K_maj, K_min, least_min=2), root_product(Omega_A, Omega_F))


def collapse_ratio(a: int, b: int, budget: float) -> float:
    """The threshold t₀ for a budget √(Ω_AΩ_F).

    Parameters
    ----------
    a, b : int
        Number of majority classes, and of minority classes, at least 2.
    budget : float

    Returns
    -------
    float
        OverflowError says that no float holds it.
    """
    total = (a + b) * budget
    # bq ≤ total, and b²qe^q/K ≤ total
    high = min(total / b, max(1.0, log(total) + log(a + b) - 2 * log(b)))
    q = brentq(lambda q: _budget(a, b, q) / budget - 1, 0.0, high, xtol=5e-324, rtol=1e-15)
    return _point(a, b, q).ratio


@within_floats
def minority_vanishing_threshold(
    K_maj: IntegerLike, K_min: IntegerLike, Omega_A: RealLike, Omega_F: RealLike
) -> float | None:
    """The ratio n_maj/n_min from which on classifiers and features of the minority classes are 0.

    Parameters
    ----------
    K_maj, K_min : int
        Number of majority and of minority classes, each at least 1.
    Omega_A, Omega_F : float
        Bounds of the mean squared norms of classifiers and of features, positive.

    Returns
    -------
    float or None
        None where they never vanish: for K_maj = 1, and for budgets √(Ω_AΩ_F) of
        K_maj(K_maj − 1) log(1 + √(K/K_min))/K and more. Otherwise it is above `minority_collapse_threshold`.

    Raises
    ------
    ValueError
        If an argument is out of its range, or the threshold is finite and beyond the floats.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 34. The proof is in docs/minority_collapse.md.

    Examples
    --------
    >>> round(minority_vanishing_threshold(3, 2, 0.2, 0.25), 6)
    1.24219
    >>> minority_vanishing_threshold(3, 2, 9, 9) is None
    True
    """
    return vanishing_ratio(*check_classes(K_maj, K_min), root_product(Omega_A, Omega_F))


def vanishing_ratio(a: int, b: int, budget: float) -> float | None:
    """The threshold of vanishing for a budget √(Ω_AΩ_F), None where they never do.

    Parameters
    ----------
    a, b : int
        Number of majority and of minority classes.
    budget : float

    Returns
    -------
    float or None
        OverflowError says that no float holds it.
    """
    if a == 1:
        return None
    K = a + b
    log_x = -K * budget / (a * (a - 1))
    room = (a * exp(log_x) + b) ** 2 - K * b
    if room <= 0:
        return None
    return sqrt(a / K / room) * (exp((1 - a) * log_x) + (a - 1) * exp(log_x) + b)
