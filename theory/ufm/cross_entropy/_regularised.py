r"""The cross-entropy of the unconstrained features model with weight decay: risk, gradient, curvature, lower bounds.

$$ R_{CEr}(F, A, b) = R_{CE}(F, A, b) + \frac{\lambda_A}2\lVert A\rVert_F^2 + \frac{\lambda_F}2\lVert F\rVert_F^2
+ \frac{\lambda_b}2\lVert b\rVert^2 $$

(review, equation 21). Two bounds hold at every point: that of the convex program, whose variable is Z = AF, and one in
the norms of A and F alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, log1p, sqrt
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import RealLike, check_array, check_real, check_sequence
from theory.overflow import within_floats
from theory.ufm.cross_entropy._risk import gradient, output_gradient, output_risk, risk
from theory.ufm.factors import balanced_labels, check_factors
from theory.wording import wrong_type

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["ce_lower_bound", "check_lams", "nuclear_risk"]
__all__ += ["regularised_curvature", "regularised_gradient", "regularised_risk"]


def check_lams(lams: Sequence[RealLike]) -> tuple[float, float, float]:
    """Return the weight decay of classifier, features and bias as floats.

    Parameters
    ----------
    lams : sequence of 3 floats
        λ_A and λ_F, positive, and λ_b, at least 0.

    Returns
    -------
    tuple of 3 floats

    Raises
    ------
    ValueError
        If there are not three, or one is out of its range.
    TypeError
        If `lams` is no sequence of numbers.

    Examples
    --------
    >>> check_lams([1, "0.5", 0])
    (1.0, 0.5, 0.0)
    """
    values = check_sequence("lams", lams, lambda name, lam: check_real(name, lam, at_least=0), length=3)
    lam_A, lam_F = (check_real(f"lams[{i}]", values[i], above=0) for i in range(2))
    return lam_A, lam_F, values[2]


@within_floats
def regularised_risk(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    b: Float[np.ndarray, " K"] | None = None,
    *,
    lams: Sequence[RealLike],
) -> float:
    """The mean cross-entropy of the unconstrained features model with weight decay (review, equation 21).

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    b : ndarray, shape (K,), optional
        Bias, 0 by default.
    lams : sequence of 3 floats
        λ_A and λ_F, positive, and λ_b, at least 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit, N is no multiple of K, an entry is not finite, or a weight decay out of its range.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 21.

    Examples
    --------
    >>> regularised_risk(np.eye(2), np.zeros((2, 4)), lams=[0.1, 0.1, 0])
    0.7931471805599453
    """
    A, F, b = check_factors(A, F, b)
    lam_A, lam_F, lam_b = check_lams(lams)
    return risk(A, F, b) + float(lam_A * np.sum(A**2) + lam_F * np.sum(F**2) + lam_b * np.sum(b**2)) / 2


@within_floats
def regularised_gradient(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    b: Float[np.ndarray, " K"] | None = None,
    *,
    lams: Sequence[RealLike],
) -> tuple[Float[np.ndarray, "K m"], Float[np.ndarray, "m N"], Float[np.ndarray, " K"]]:
    """The gradient of `regularised_risk` in the classifier, the features and the bias.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    b : ndarray, shape (K,), optional
        Bias, 0 by default.
    lams : sequence of 3 floats
        λ_A and λ_F, positive, and λ_b, at least 0.

    Returns
    -------
    dA : ndarray, shape (K, m)
    dF : ndarray, shape (m, N)
    db : ndarray, shape (K,)

    Raises
    ------
    ValueError
        If the shapes do not fit, N is no multiple of K, an entry is not finite, or a weight decay out of its range.
    TypeError
        If an argument is of a wrong type.

    Examples
    --------
    The origin is a critical point:

    >>> dA, dF, db = regularised_gradient(np.zeros((2, 1)), np.zeros((1, 2)), lams=[1, 1, 1])
    >>> dA.tolist(), dF.tolist(), db.tolist()
    ([[0.0], [0.0]], [[0.0, 0.0]], [0.0, 0.0])
    """
    A, F, b = check_factors(A, F, b)
    lam_A, lam_F, lam_b = check_lams(lams)
    dA, dF, db = gradient(A, F, b)
    return dA + lam_A * A, dF + lam_F * F, db + lam_b * b


@within_floats
def regularised_curvature(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    b: Float[np.ndarray, " K"],
    direction: tuple[Float[np.ndarray, "K m"], Float[np.ndarray, "m N"], Float[np.ndarray, " K"]],
    *,
    lams: Sequence[RealLike],
) -> float:
    """The second derivative of `regularised_risk` along a direction.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    b : ndarray, shape (K,)
        Bias.
    direction : tuple of ndarray, shapes (K, m), (m, N) and (K,)
        The direction's parts in A, F and b.
    lams : sequence of 3 floats
        λ_A and λ_F, positive, and λ_b, at least 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit, N is no multiple of K, an entry is not finite, or a weight decay out of its range.
    TypeError
        If an argument is of a wrong type.

    Examples
    --------
    >>> A, F, b = np.zeros((2, 1)), np.zeros((1, 2)), np.zeros(2)
    >>> regularised_curvature(A, F, b, (np.ones((2, 1)), np.zeros((1, 2)), b), lams=[0.1, 1, 1])
    0.2
    """
    A, F, b = check_factors(A, F, b)
    lam_A, lam_F, lam_b = check_lams(lams)
    if not isinstance(direction, (tuple, list)) or len(direction) != 3:
        raise wrong_type("direction", direction, "direction must be a tuple of three arrays")
    dA, dF, db = check_factors(*direction)
    if dA.shape != A.shape or dF.shape != F.shape:
        raise ValueError(f"direction has shapes {dA.shape} and {dF.shape}; direction must have {A.shape} and {F.shape}")
    G = output_gradient(A @ F + b[:, None])
    N = G.shape[1]
    P = N * G
    P[balanced_labels(*P.shape), np.arange(N)] += 1
    dH = dA @ F + A @ dF + db[:, None]
    second = float(np.sum(P * (dH - np.sum(P * dH, axis=0)) ** 2)) / N
    product = 2 * float(np.sum(G * (dA @ dF)))
    decay = float(lam_A * np.sum(dA**2) + lam_F * np.sum(dF**2) + lam_b * np.sum(db**2))
    return float(second + product + decay)


@within_floats
def nuclear_risk(
    Z: Float[np.ndarray, "K N"], b: Float[np.ndarray, " K"] | None = None, *, lams: Sequence[RealLike]
) -> float:
    """The objective of the convex program, with √(λ_Aλ_F) times the nuclear norm of Z = AF (review, equation 23).

    Parameters
    ----------
    Z : ndarray, shape (K, N)
        Outputs without bias, one column a sample, sorted by class, the same number of each.
    b : ndarray, shape (K,), optional
        Bias, 0 by default.
    lams : sequence of 3 floats
        λ_A and λ_F, positive, and λ_b, at least 0.

    Returns
    -------
    float
        At most `regularised_risk` at all factors A, F of Z, and equal at `balanced_factors`.

    Raises
    ------
    ValueError
        If the shapes do not fit, N is no multiple of K, an entry is not finite, or a weight decay out of its range.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 23.

    Examples
    --------
    >>> round(nuclear_risk(np.eye(2), lams=[1, 1, 1]) - 2, 6)
    0.313262
    """
    Z = check_array("Z", Z, ndim=2, empty=False)
    lam_A, lam_F, lam_b = check_lams(lams)
    b = np.zeros(len(Z)) if b is None else check_array("b", b, ndim=1)
    if b.shape != Z.shape[:1]:
        raise ValueError(f"b has shape {b.shape}; for Z of shape {Z.shape} b must have {Z.shape[:1]}")
    price = sqrt(lam_A) * sqrt(lam_F) * float(np.linalg.norm(Z, "nuc"))
    value = output_risk(Z + b[:, None]) + price + lam_b / 2 * np.sum(b**2)
    return float(value)


@within_floats
def ce_lower_bound(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    c1: RealLike | None = None,
    *,
    lams: Sequence[RealLike] | None = None,
) -> float:
    """A lower bound of the cross-entropy in the norms of the classifier and the features alone, for every bias.

    It is c₂ − ‖A‖‖F‖/((1+c₁)(K−1)√n), with c₂ as in the source, plus the weight decay. Where λ_A‖A‖² = λ_F‖F‖², as at
    every critical point, this is the right side of equation 22; elsewhere equation 22 may fail.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    c1 : float, optional
        Positive. By default the best one, e^q/(K−1) with q = ‖A‖‖F‖/((K−1)√n).
    lams : sequence of 3 floats, optional
        λ_A and λ_F, positive, and λ_b, at least 0; without them the bound of the risk without regularisation.

    Returns
    -------
    float
        With the best c₁ it is log(1 + (K−1)e^{−q}) and the weight decay, and taken exactly where b is a multiple of 1
        (0 with λ_b > 0) and all class margins are q: where the features collapse on a simplex equiangular tight frame
        about 0 and the rows of A are proportional to their means.

    Raises
    ------
    ValueError
        If the shapes do not fit, N is no multiple of K, an entry is not finite, or c₁ or a weight decay out of its
        range.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 22.

    Examples
    --------
    >>> A, F = np.array([[1.0], [-1.0]]), np.array([[1.0, -1.0]])
    >>> round(ce_lower_bound(A, F), 6), round(ce_lower_bound(A, F, 1), 6), round(risk(A, F), 6)
    (0.126928, -0.306853, 0.126928)
    """
    A, F, _ = check_factors(A, F)
    K, n = len(A), F.shape[1] // len(A)
    q = float(np.linalg.norm(A) * np.linalg.norm(F)) / ((K - 1) * sqrt(n))
    decay = 0.0
    if lams is not None:
        lam_A, lam_F, _ = check_lams(lams)
        decay = float(lam_A * np.sum(A**2) + lam_F * np.sum(F**2)) / 2
    if c1 is None:
        return log1p((K - 1) * float(np.exp(-q))) + decay
    c1 = check_real("c1", c1, above=0)
    c2 = (log((1 + c1) * (K - 1)) + c1 * log1p(1 / c1)) / (1 + c1)
    return c2 - q / (1 + c1) + decay
