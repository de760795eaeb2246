"""Distances of two unit vectors through random ReLU features.

As in `theory.deep_rfm.relu_kernel`, W has D rows and σ is the ReLU. The *distance ratio* of two unit vectors x, y at
the angle θ is ‖σ(Wx)−σ(Wy)‖/‖x−y‖, in a mean over W.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import poch

from theory.arguments import LARGEST_SIZE, IntegerLike, check_integer
from theory.deep_rfm._arcs import as_angle, fourth_power_of_sine, lune

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = [
    "distance_ratio",
    "distance_ratio_bounds",
    "distance_ratio_slope",
    "opposite_distance_ratio",
    "squared_distance_variance",
]


def distance_ratio(theta: ArrayLike) -> Float[np.ndarray, "..."] | np.float64:
    r"""Return the root-mean-square distance of the random features over the distance of the vectors.

    $$
    \frac{\sqrt{\mathbb E\|\sigma(Wx)-\sigma(Wy)\|^2}}{\|x-y\|}
    = \sqrt{1 - \frac{\sin\theta-\theta\cos\theta}{\pi(1-\cos\theta)}}
    $$

    It falls strictly, from 1 (the limit at θ = 0) to 1/√2 at θ = π, for every number D of features.

    Parameters
    ----------
    theta : array_like
        Angle between the vectors, in [0, π]; what exceeds that by rounding is cut off.

    Returns
    -------
    ndarray of float, the shape of theta

    Raises
    ------
    TypeError, ValueError
        If an angle is outside [0, π] or not a number.

    References
    ----------
    agop-v1, Figure 4.

    Examples
    --------
    >>> distance_ratio([0.0, np.pi]) ** 2
    array([1. , 0.5])
    """
    ratio: Float[np.ndarray, "..."] | np.float64 = np.sqrt(1 - _drop(as_angle("theta", theta)))
    return ratio


def distance_ratio_slope(theta: ArrayLike) -> Float[np.ndarray, "..."] | np.float64:
    """Return the derivative of `distance_ratio` squared, −sin θ (θ − sin θ)/(π (1 − cos θ)²).

    It is negative inside (0, π), −2/(3π) at θ = 0 and 0 at θ = π.

    Parameters
    ----------
    theta : array_like
        Angle between the vectors, in [0, π]; what exceeds that by rounding is cut off.

    Returns
    -------
    ndarray of float, the shape of theta

    Raises
    ------
    TypeError, ValueError
        If an angle is outside [0, π] or not a number.

    Examples
    --------
    >>> distance_ratio_slope([0.0, np.pi / 2]).round(4)
    array([-0.2122, -0.1817])
    """
    theta = as_angle("theta", theta)
    # θ − sin θ = θ³/6 (1 − θ²/20 (1 − θ²/42 (…))), without the cancellation of the difference
    tail = np.ones_like(theta)
    for k in range(9, 0, -1):
        tail = 1 - theta**2 / ((2 * k + 2) * (2 * k + 3)) * tail
    excess = np.where(theta < 1, theta**3 / 6 * tail, theta - np.sin(theta))
    small = theta < 1e-9
    slope = -np.sin(theta) * excess / (4 * np.pi * np.sin(np.where(small, 1.0, theta) / 2) ** 4)
    return np.where(small, -2 / (3 * np.pi), slope)


def squared_distance_variance(theta: ArrayLike) -> Float[np.ndarray, "..."] | np.float64:
    """Return D times the relative variance of the squared distance S of the random features, D Var S / (E S)².

    It is independent of D: the variance of one feature's share in units of its squared mean, 5 at θ = 0 and 2 at θ = π.

    Parameters
    ----------
    theta : array_like
        Angle between the vectors, in [0, π]; what exceeds that by rounding is cut off.

    Returns
    -------
    ndarray of float, the shape of theta

    Raises
    ------
    TypeError, ValueError
        If an angle is outside [0, π] or not a number.

    Notes
    -----
    On the arc where both features are active, cos φ − cos(φ−θ) = −2 sin(θ/2) sin(φ−θ/2); on the two arcs of length θ
    where one is, the difference is that feature.

    Examples
    --------
    >>> squared_distance_variance([0.0, np.pi]).round(12)
    array([5., 2.])
    """
    theta = as_angle("theta", theta)
    chord = 2 * np.sin(theta / 2)
    small = theta < 1e-6  # there the arcs of one active feature are below rounding
    scale = np.where(small, 1.0, chord)
    alone = np.where(small, 0.0, fourth_power_of_sine(theta) / scale**4)
    both = fourth_power_of_sine((np.pi - theta) / 2)
    fourth = 4 * (8 / (2 * np.pi)) * (2 * alone + 2 * both)
    relative: Float[np.ndarray, "..."] | np.float64 = fourth / (1 - _drop(theta)) ** 2 - 1
    return relative


def distance_ratio_bounds(
    theta: ArrayLike, D: IntegerLike
) -> tuple[Float[np.ndarray, "..."] | np.float64, Float[np.ndarray, "..."] | np.float64]:
    """Return bounds on the expected distance ratio E‖σ(Wx)−σ(Wy)‖/‖x−y‖ with D features.

    Parameters
    ----------
    theta : array_like
        Angle between the vectors, in [0, π].
    D : int
        Number of features, at least 1.

    Returns
    -------
    lower, upper : ndarray of float
        With R the `distance_ratio` and v the `squared_distance_variance`: R (1 − v/(2D)) and R.

    Raises
    ------
    TypeError, ValueError
        If an angle is outside [0, π], or D is no integer ≥ 1.

    Notes
    -----
    The upper bound is Jensen's. The lower one is the mean of √s ≥ (1+s)/2 − (1−s)²/2, which says
    t (t−1)² (t+2) ≥ 0 for t = √s, at the squared distance s in units of its mean.

    Examples
    --------
    >>> lower, upper = distance_ratio_bounds(np.pi, 64)
    >>> bool(lower < opposite_distance_ratio(64) < upper)
    True
    """
    D = check_integer("D", D, at_least=1, at_most=LARGEST_SIZE)
    ratio = distance_ratio(theta)
    return ratio * (1 - squared_distance_variance(theta) / (2 * D)), ratio


def opposite_distance_ratio(D: IntegerLike) -> float:
    """Return the expected distance ratio of two opposite vectors, Γ((D+1)/2)/(√D Γ(D/2)).

    There σ(Wx) − σ(−Wx) = Wx, whose norm is √(2/D) times a χ variable with D degrees of freedom. It is below 1/√2 for
    every D, and 1/√2 in the limit.

    Parameters
    ----------
    D : int
        Number of features, at least 1.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If D is no integer ≥ 1.

    Examples
    --------
    >>> round(opposite_distance_ratio(1) * np.pi**0.5, 12)
    1.0
    """
    D = check_integer("D", D, at_least=1, at_most=LARGEST_SIZE)
    # Γ((D+1)/2)/Γ(D/2) as the Pochhammer symbol (D/2)_{1/2}, which does not overflow
    return float(poch(D / 2, 0.5) / np.sqrt(D))


def _drop(theta: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """1 − `distance_ratio`², which is 2θ/(3π) to first order."""
    small = theta < 1e-9
    chord = 2 * np.sin(np.where(small, 1.0, theta) / 2)
    return np.where(small, 2 * theta / (3 * np.pi), 2 * lune(theta) / (np.pi * chord**2))
