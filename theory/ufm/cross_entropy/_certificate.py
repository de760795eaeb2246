r"""Which critical points of the cross-entropy with weight decay are global minima, and the way down from the others.

Let G be the gradient of the risk in the outputs at a critical point (A, F, b), and μ = √(λ_Aλ_F). If ‖G‖₂ ≤ μ the point
is a global minimum (review, equation 25). Otherwise let u, v be the top singular vectors of G, and Aw = 0 with
‖w‖ = 1; then wᵀF = 0, as λ_F F = −AᵀG, and along

$$ \Delta A = (\lambda_F/\lambda_A)^{1/4}\,uw^\top, \qquad \Delta F = -(\lambda_A/\lambda_F)^{1/4}\,wv^\top $$

the second derivative is 2(μ − ‖G‖₂) < 0. The source prints the same factor for both, which fails for λ_A ≠ λ_F. Such a
w exists as soon as m ≥ K − 1: as A = GGᵀA/μ² and 1ᵀG = 0, the rank of A is at most K − 1, and if it is K − 1 then
‖G‖₂ = μ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from theory.arguments import RealLike, check_real
from theory.display import html_table
from theory.overflow import within_floats
from theory.ufm.cross_entropy._optimum import ce_optimum
from theory.ufm.cross_entropy._regularised import (
    check_lams,
    regularised_curvature,
    regularised_gradient,
    regularised_risk,
)
from theory.ufm.cross_entropy._risk import output_gradient
from theory.ufm.factors import check_factors

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["Escape", "GlobalCertificate", "criticality", "escape_direction", "is_global"]


class Escape(NamedTuple):
    """A direction (dA, dF, db) of negative curvature, and the second derivative along it."""

    dA: Float[np.ndarray, "K m"]
    dF: Float[np.ndarray, "m N"]
    db: Float[np.ndarray, " K"]
    curvature: float


@dataclass(frozen=True)
class GlobalCertificate:
    """Whether a critical point is a global minimum, and what tells; true exactly if it is known to be one.

    Attributes
    ----------
    verdict : "global", "not global" or "unknown"
        Unknown only for widths below K − 1, where the condition is not necessary.
    spectral_norm : float
        ‖G‖₂ of the gradient in the outputs.
    threshold : float
        √(λ_Aλ_F): at or below it the point is global.
    gap : float
        The risk less the minimum of the convex program, an upper bound of the distance to the least risk.
    residual : float
        How far the point is from critical, relative to the terms that have to cancel.
    """

    verdict: Literal["global", "not global", "unknown"]
    spectral_norm: float
    threshold: float
    gap: float
    residual: float

    def __bool__(self) -> bool:
        return self.verdict == "global"

    def _repr_html_(self) -> str:
        rows = {
            "verdict": self.verdict,
            "spectral norm": f"{self.spectral_norm:.6g}",
            "threshold": f"{self.threshold:.6g}",
            "gap": f"{self.gap:.4g}",
            "residual": f"{self.residual:.2g}",
        }
        return html_table(rows, "Critical point of the cross-entropy with weight decay")


@within_floats
def criticality(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    b: Float[np.ndarray, " K"] | None = None,
    *,
    lams: Sequence[RealLike],
) -> float:
    """How far a point is from critical: the gradient's norm relative to those of the terms that have to cancel.

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
        The largest of three ratios between 0 and 1, one for each of A, F and b.

    Raises
    ------
    ValueError
        If the shapes do not fit, N is no multiple of K, an entry is not finite, or a weight decay out of its range.
    TypeError
        If an argument is of a wrong type.

    Examples
    --------
    >>> criticality(np.zeros((2, 1)), np.zeros((1, 2)), lams=[1, 1, 1])
    0.0
    >>> criticality(np.ones((2, 1)), np.zeros((1, 2)), lams=[1, 1, 1])
    1.0
    """
    A, F, b = check_factors(A, F, b)
    lam_A, lam_F, lam_b = check_lams(lams)
    G = np.linalg.norm(output_gradient(A @ F + b[:, None]))
    terms = (
        G * np.linalg.norm(F) + lam_A * np.linalg.norm(A),
        G * np.linalg.norm(A) + lam_F * np.linalg.norm(F),
        G * sqrt(F.shape[1]) + lam_b * np.linalg.norm(b),
    )
    slopes = regularised_gradient(A, F, b, lams=lams)
    return max(float(np.linalg.norm(g) / term) if term > 0 else 0.0 for g, term in zip(slopes, terms, strict=True))


@within_floats
def is_global(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    b: Float[np.ndarray, " K"] | None = None,
    *,
    lams: Sequence[RealLike],
    tolerance: RealLike = 1e-6,
) -> GlobalCertificate:
    """Say whether a critical point of the cross-entropy with weight decay is a global minimum.

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
    tolerance : float
        Of the criticality, and of the spectral norm relative to the threshold.

    Returns
    -------
    GlobalCertificate

    Raises
    ------
    ValueError
        If the point is not critical, the shapes do not fit, N is no multiple of K, an entry is not finite, or a weight
        decay out of its range.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 25.

    Examples
    --------
    >>> origin = np.zeros((3, 2)), np.zeros((2, 3))
    >>> is_global(*origin, lams=[0.3, 0.3, 0.1]).verdict, is_global(*origin, lams=[0.4, 0.4, 0.1]).verdict
    ('not global', 'global')
    """
    A, F, b = check_factors(A, F, b)
    lam_A, lam_F, lam_b = check_lams(lams)
    allowed = check_real("tolerance", tolerance, above=0)
    residual = criticality(A, F, b, lams=lams)
    if residual > allowed:
        raise ValueError(f"the criticality is {residual:.3g}; A, F and b must be a critical point")
    K, m = A.shape
    norm = float(np.linalg.norm(output_gradient(A @ F + b[:, None]), 2))
    threshold = sqrt(lam_A) * sqrt(lam_F)
    least = ce_optimum(K, F.shape[1] // K, lam_A, lam_F)
    gap = regularised_risk(A, F, b, lams=lams) - least.loss
    verdict: Literal["global", "not global", "unknown"] = "global"
    if norm > threshold * (1 + allowed):
        verdict = "unknown" if m < K - 1 and _direction(A, F, b, (lam_A, lam_F, lam_b)) is None else "not global"
    return GlobalCertificate(verdict, norm, threshold, gap, residual)


@within_floats
def escape_direction(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    b: Float[np.ndarray, " K"] | None = None,
    *,
    lams: Sequence[RealLike],
    tolerance: RealLike = 1e-6,
) -> Escape | None:
    """A direction of negative curvature at a critical point that is not a global minimum.

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
    tolerance : float
        As in `is_global`.

    Returns
    -------
    Escape or None
        None at a global minimum, and where A has full column rank, which happens only for widths below K − 1.

    Raises
    ------
    ValueError
        If the point is not critical, the shapes do not fit, N is no multiple of K, an entry is not finite, or a weight
        decay out of its range.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 27, with the factor (λ_F/λ_A)^{1/4} for A.

    Examples
    --------
    >>> found = escape_direction(np.zeros((2, 1)), np.zeros((1, 2)), lams=[1, 1 / 16, 1])
    >>> round(found.curvature, 12)
    -0.5
    """
    certificate = is_global(A, F, b, lams=lams, tolerance=tolerance)
    A, F, b = check_factors(A, F, b)
    return None if certificate.verdict == "global" else _direction(A, F, b, check_lams(lams))


def _direction(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    b: Float[np.ndarray, " K"],
    lams: tuple[float, float, float],
) -> Escape | None:
    """The direction of equation 27 with the w for which ‖Aw‖ is least, if the curvature along it is negative."""
    left, _, right = np.linalg.svd(output_gradient(A @ F + b[:, None]), full_matrices=False)
    w = np.linalg.svd(A)[2][-1]
    ratio = sqrt(sqrt(lams[1]) / sqrt(lams[0]))
    direction = ratio * np.outer(left[:, 0], w), -np.outer(w, right[0]) / ratio, np.zeros(len(A))
    curvature = regularised_curvature(A, F, b, direction, lams=lams)
    return Escape(*direction, curvature) if curvature < 0 else None
