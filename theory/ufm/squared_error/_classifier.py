"""The classifier that is best for given features under the mean squared error, and what another one costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory import ridge
from theory.arguments import IntegerLike, RealLike, check_array, check_integer, check_real
from theory.labels import one_hot
from theory.overflow import within_floats
from theory.ufm.factors import check_factors

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["ridge_classifier", "split_mse"]


@within_floats
def ridge_classifier(
    F: Float[np.ndarray, "m N"], K: IntegerLike, lam_A: RealLike, *, bias: bool = False
) -> tuple[Float[np.ndarray, "K m"], Float[np.ndarray, " K"]]:
    """The classifier and bias with the least mean squared error plus weight decay for given features.

    Parameters
    ----------
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each. Class means will do (N = K).
    K : int
        Classes, at least 2.
    lam_A : float
        Weight decay of the classifier, at least 0; with 0 the least-squares solution of the least norm.
    bias : bool
        Whether there is a bias, which no weight decay applies to.

    Returns
    -------
    A : ndarray, shape (K, m)
        For class means M without bias Mᵀ(MMᵀ + Kλ_A I)⁻¹.
    b : ndarray, shape (K,)
        0 without bias, else 1/K − A μ_G.

    Raises
    ------
    ValueError
        If N is no multiple of K, an entry is not finite, or lam_A is negative.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, after equation 29, and before equation 30.

    Examples
    --------
    >>> ridge_classifier(np.diag([1.0, 2.0]), 2, 0.5)[0]
    array([[0.5, 0. ],
           [0. , 0.4]])
    """
    features, K = check_array("F", F, ndim=2, empty=False), check_integer("K", K, at_least=2)
    lam = check_real("lam_A", lam_A, at_least=0)
    N = features.shape[1]
    if N % K:
        raise ValueError(f"F has shape {features.shape}; F must have a multiple of K = {K} columns")
    return ridge.least_squares_classifier(features, one_hot([N // K] * K), bias=bias, ridge=lam)


@within_floats
def split_mse(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    b: Float[np.ndarray, " K"] | None = None,
    *,
    lam_A: RealLike = 0.0,
) -> tuple[float, float]:
    """Split the mean squared error into the part of the best classifier and that of the deviation from it.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    b : ndarray, shape (K,), optional
        Bias. If it is given, the best classifier has a bias too.
    lam_A : float
        Weight decay of the classifier, at least 0.

    Returns
    -------
    least : float
        The risk of `ridge_classifier`, which depends on the features only.
    deviation : float
        ½ tr((A − A*) (FFᵀ/N + λ_A I) (A − A*)ᵀ); with a bias, F centred and ½‖b + A μ_G − 1/K‖² more.

    Raises
    ------
    ValueError
        If the shapes do not fit, an entry is not finite, or lam_A is negative.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, Section 3.1.5.

    Examples
    --------
    >>> split_mse(np.zeros((2, 2)), np.eye(2))
    (0.0, 0.5)
    """
    free = b is not None
    A, F, shift = check_factors(A, F, b)
    lam = check_real("lam_A", lam_A, at_least=0)
    (K, _), N = A.shape, F.shape[1]
    best, best_b = ridge_classifier(F, K, lam, bias=free)
    Y = one_hot([N // K] * K)
    least = np.sum((best @ F + best_b[:, None] - Y) ** 2) / (2 * N) + lam / 2 * np.sum(best**2)
    mean = F.mean(axis=1) if free else np.zeros(len(F))
    off = A - best
    deviation = np.sum((off @ (F - mean[:, None])) ** 2) / (2 * N) + lam / 2 * np.sum(off**2)
    if free:
        deviation += np.sum((shift + A @ mean - 1 / K) ** 2) / 2
    return float(least), float(deviation)
