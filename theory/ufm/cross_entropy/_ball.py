r"""Outputs in a ball that minimise the cross-entropy, about any centre.

In the ball of radius R about c the least loss against e_k is at c + u, where the multiplier rule says
u_j = −a_j for j ≠ k, u_k = Σ a_j, with a_j + log a_j = c_j + t: Wright's omega function, and t from the radius. About a
multiple of the ones vector all a_j are equal, and the K minimisers form a simplex equiangular tight frame (review,
equation 12). About other centres they do not, unless K = 2.
"""

from __future__ import annotations

from math import exp, log1p, sqrt
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import wrightomega

from theory.arguments import IntegerLike, RealLike, check_array, check_integer, check_real
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["ball_minimiser", "ball_minimum", "unit_outputs_minimum"]


@within_floats
def ball_minimiser(
    K: IntegerLike, R: RealLike, k: IntegerLike, centre: Float[np.ndarray, " K"] | None = None
) -> Float[np.ndarray, " K"]:
    """The output in a ball that has the least cross-entropy against class k.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    R : float
        Radius, positive.
    k : int
        The class, from 0 on.
    centre : ndarray, shape (K,), optional
        The centre of the ball, 0 by default.

    Returns
    -------
    ndarray, shape (K,)

    Raises
    ------
    ValueError
        If an argument is out of its range, or the centre has another shape.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 12 and the formula after it.

    Examples
    --------
    >>> ball_minimiser(3, 1, 0)
    array([ 0.81649658, -0.40824829, -0.40824829])
    >>> ball_minimiser(3, 1, 0, centre=np.array([0.0, 0.0, 5.0])).round(4)
    array([ 0.7118, -0.0095,  4.2977])
    """
    K = check_integer("K", K, at_least=2, at_most=10**6)
    R, k = check_real("R", R, above=0), check_integer("k", k, at_least=0, at_most=K - 1)
    c = np.zeros(K) if centre is None else check_array("centre", centre, ndim=1)
    if c.shape != (K,):
        raise ValueError(f"centre has shape {c.shape}; for K = {K} centre must have {(K,)}")
    others = np.delete(c, k)
    h: Float[np.ndarray, " K"] = c + _step(others - others.max(), R, k)
    return h


def _step(others: Float[np.ndarray, " others"], R: float, k: int) -> Float[np.ndarray, " K"]:
    """From the centre to the minimiser, given the centre's entries but the k-th, the largest of which is 0."""

    def shares(t: float) -> Float[np.ndarray, " others"]:
        return np.asarray(wrightomega(others + t)).real

    def excess(t: float) -> float:
        a = shares(t)
        return float(np.sqrt(a.sum() ** 2 + a @ a) - R)

    # Each a_j is at most R; the largest alone gives a norm of R or more at the upper end, and all together less than R
    # at the lower one, as a ≤ exp(c + t).
    high, low = R + np.log(R), np.log(R / (2 * len(others)))
    a = shares(brentq(excess, low, high, xtol=1e-14 * (1 + abs(low) + abs(high)), rtol=1e-15))
    u = np.insert(-a, k, a.sum())
    step: Float[np.ndarray, " K"] = u * (R / np.linalg.norm(u))
    return step


@within_floats
def ball_minimum(K: IntegerLike, R: RealLike) -> float:
    """The least cross-entropy of an output of norm at most R, log(1 + (K−1) exp(−R √(K/(K−1)))).

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    R : float
        Radius, positive.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If K is below 2, or R not positive.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 12.

    Examples
    --------
    >>> round(ball_minimum(10, 3), 6)
    0.322781
    """
    K, R = check_integer("K", K, at_least=2), check_real("R", R, above=0)
    return log1p((K - 1) * exp(-R * sqrt(K / (K - 1))))


@within_floats
def unit_outputs_minimum(K: IntegerLike) -> float:
    """The least mean cross-entropy of the inner products of K unit vectors, log(1 + (K−1) exp(−K/(K−1))).

    Parameters
    ----------
    K : int
        Number of vectors, at least 2; they need K − 1 dimensions. In fewer the minimum is larger.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If K is below 2.
    TypeError
        If K is no integer.

    References
    ----------
    review, Section 3.1.1, after Lu and Steinerberger.

    Examples
    --------
    >>> round(unit_outputs_minimum(4), 6)
    0.582658
    """
    K = check_integer("K", K, at_least=2)
    return log1p((K - 1) * exp(-K / (K - 1)))
