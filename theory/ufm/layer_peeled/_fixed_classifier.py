r"""The features that are best for a classifier which is not trained.

With outputs Ah the cross-entropy against class k is log(1 + exp φ), $\varphi(h)=\log\sum_{j\ne k}\exp\langle
a_j-a_k,h\rangle$, so that in a ball the convex φ is to be minimised: a Newton method for each multiplier λ of the
squared norm, and a search for the λ whose minimiser is on the sphere. For a simplex equiangular tight frame the
minimiser is the multiple of $a_k$ on the sphere, however many samples the class has.
"""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from theory.arguments import RealLike, check_array, check_real
from theory.overflow import within_floats
from theory.wording import wrong_value

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["fixed_classifier_features"]

LARGEST_RADIUS = 1e6
"""Times the spectral norm of the classifier: beyond it rounding of the outputs hides the shares of classes."""
LEAST_MULTIPLIER = 1e-13
"""Relative to the slope at 0: with a smaller one the loss is within a like part of its minimum inside the ball."""


@within_floats
def fixed_classifier_features(A: Float[np.ndarray, "K m"], radius: RealLike) -> Float[np.ndarray, "m K"]:
    """The feature of each class, in a ball, that has the least cross-entropy for a fixed classifier.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    radius : float
        The largest norm of a feature, positive.

    Returns
    -------
    ndarray, shape (m, K)
        One feature a class; its samples all share it. The minimiser is unique up to what is orthogonal to all
        differences of rows, which is 0 here. Its norm is below the radius only where no feature has the largest output
        for that class.

    Raises
    ------
    ValueError
        If there are fewer than two rows, an entry is not finite, or the radius is not positive or
        above 1e6 over the spectral norm of the classifier.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, Section 3.2.1, after equation 35.

    Examples
    --------
    >>> A = np.array([[2.0, 0.0], [-1.0, 3**0.5], [-1.0, -(3**0.5)]])
    >>> fixed_classifier_features(A, 4).round(4)
    array([[ 4.    , -2.    , -2.    ],
           [ 0.    ,  3.4641, -3.4641]])
    """
    A, radius = check_array("A", A, ndim=2, empty=False), check_real("radius", radius, above=0)
    if len(A) < 2:
        raise ValueError(f"A has shape {A.shape}; A must have at least 2 rows, one a class")
    left, singular, right = np.linalg.svd(A - A.mean(axis=0), full_matrices=False)
    kept = singular > 1e-14 * max(A.shape) * np.abs(A).max()
    # Rows of unit size, in coordinates of their span; the radius takes the scale.
    size = float(singular[0]) if kept.any() else 1.0
    rows, scaled = (left * singular)[:, kept] / size, radius * size
    if scaled > LARGEST_RADIUS:
        raise wrong_value("radius", radius, f"radius must be at most {LARGEST_RADIUS / size:g} for this A")
    found = np.column_stack([_feature(np.delete(rows, k, axis=0) - rows[k], rows[k], scaled) for k in range(len(A))])
    features: Float[np.ndarray, "m K"] = right[kept].T @ (found / size)
    return features


def _feature(
    differences: Float[np.ndarray, "others r"], row: Float[np.ndarray, " r"], radius: float
) -> Float[np.ndarray, " r"]:
    """Minimise the logarithm of the sum of exponentials of differences in a ball."""
    start = -differences.mean(axis=0)
    if (steepest := float(np.linalg.norm(start))) == 0:
        return np.zeros_like(row)
    if (length := float(np.linalg.norm(row))) > 0:
        guess = row * (radius / length)  # right for a simplex frame
        slope = _shares(differences, guess) @ differences
        if np.linalg.norm(slope + row * (np.linalg.norm(slope) / length)) < 1e-12 * np.linalg.norm(slope):
            return guess
    best = [np.zeros_like(row)]

    def excess(log_lam: float) -> float:
        best[0] = _newton(differences, exp(log_lam), best[0])
        return float(np.linalg.norm(best[0])) / radius - 1

    # ‖h‖ ≤ ‖φ'(0)‖/λ, so that λ = ‖φ'(0)‖/radius is enough.
    high = log(steepest / radius) + 1e-9
    low = high + log(LEAST_MULTIPLIER)
    if excess(low) > 0:
        excess(brentq(excess, low, high, xtol=1e-14, rtol=1e-14))
    feature: Float[np.ndarray, " r"] = best[0] * min(1.0, radius / float(np.linalg.norm(best[0]) or 1.0))
    return feature


def _shares(differences: Float[np.ndarray, "others r"], h: Float[np.ndarray, " r"]) -> Float[np.ndarray, " others"]:
    outputs = differences @ h
    shares: Float[np.ndarray, " others"] = np.exp(outputs - outputs.max())
    shares /= shares.sum()
    return shares


def _newton(
    differences: Float[np.ndarray, "others r"], lam: float, h: Float[np.ndarray, " r"]
) -> Float[np.ndarray, " r"]:
    """Minimise φ(h) + λ‖h‖²/2 by Newton steps, halved until the slope is less steep."""
    steepness, step = _newton_step(differences, lam, h)
    for _ in range(200):
        if np.linalg.norm(step) <= 1e-9 * np.linalg.norm(h):
            h = h + step  # the error is squared
            break
        for halvings in range(60):
            after = h + step / 2**halvings
            found = _newton_step(differences, lam, after)
            if found[0] < steepness:
                break
        else:
            break  # rounding hides what is left
        h, (steepness, step) = after, found
    return h


def _newton_step(
    differences: Float[np.ndarray, "others r"], lam: float, h: Float[np.ndarray, " r"]
) -> tuple[float, Float[np.ndarray, " r"]]:
    """How steep the function is, and the step."""
    shares = _shares(differences, h)
    mean = shares @ differences
    centred, slope = differences - mean, mean + lam * h
    hessian = (centred * shares[:, None]).T @ centred + lam * np.eye(len(h))
    return float(np.linalg.norm(slope)), -np.linalg.solve(hessian, slope)
