r"""Critical points of the squared error: every one is a global minimum or has a direction of negative curvature.

Let E = AF + b1ᵀ − Y at a critical point, so AᵀE = 0, EFᵀ = 0, E1 = 0, and F_c = F(I − J/N), Y_c = Y(I − J/N)
(without a bias F_c = F, Y_c = Y). Then AF_c and E have orthogonal rows and orthogonal columns, and their difference
Y_c has singular values √n only: so has E, and the risk is $\tfrac n2\operatorname{rank} E$. If some w ≠ 0 has Aw = 0 or
wᵀF_c = 0, and E ≠ 0, with its singular vectors u and v, then dA = τuwᵀ, dF = −swvᵀ, db = −τ(w·μ_G)u has negative
curvature for suitable τ, s. Else AF_c has rank m, and rank E is the least that is possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from theory.arguments import RealLike, check_real
from theory.display import html_table
from theory.overflow import within_floats
from theory.ufm.factors import check_factors
from theory.ufm.strong_collapse._point import least_risk
from theory.ufm.strong_collapse._risk import gradient, residual, risk

if TYPE_CHECKING:
    from jaxtyping import Float

    Direction = tuple[Float[np.ndarray, "K m"], Float[np.ndarray, "m N"], Float[np.ndarray, " K"]]

__all__ = ["CriticalPoint", "critical_point"]


@dataclass(frozen=True, eq=False)
class CriticalPoint:
    """What kind of critical point of the squared error a point is, and the way out of it.

    Attributes
    ----------
    kind : "global minimum" or "strict saddle"
    risk : float
        The squared error, n/2 times `missed`.
    missed : int
        The rank of AF + b1ᵀ − Y: how many directions of the labels are not fitted.
    direction : tuple of ndarray, or None
        (dA, dF, db) of norm 1 along which the risk has negative curvature; None at a global minimum.
    curvature : float
        The second derivative along it, 0 at a global minimum.
    """

    kind: Literal["global minimum", "strict saddle"]
    risk: float
    missed: int
    direction: Direction | None
    curvature: float

    def _repr_html_(self) -> str:
        rows = {
            "kind": self.kind,
            "risk": f"{self.risk:.6g}",
            "missed": self.missed,
            "curvature": f"{self.curvature:.4g}",
        }
        return html_table(rows, "Critical point of the squared error")


@within_floats
def critical_point(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    b: Float[np.ndarray, " K"] | None = None,
    *,
    bias: bool = True,
    tolerance: RealLike = 1e-8,
) -> CriticalPoint:
    """Say whether a critical point of the squared error is a global minimum, and which way down leads from it.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    b : ndarray, shape (K,), optional
        Bias, 0 by default.
    bias : bool
        Whether the bias is trained; if not, it must be 0.
    tolerance : float
        How large the gradient may be, relative to 1 + ‖A‖ + ‖F‖.

    Returns
    -------
    CriticalPoint

    Raises
    ------
    ValueError
        If the gradient is larger, the shapes do not fit, or an entry is not finite.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, Section 3.1.2, loss landscape.

    Examples
    --------
    >>> found = critical_point(np.zeros((3, 2)), np.zeros((2, 3)), np.full(3, 1 / 3))
    >>> found.kind, found.missed, round(found.curvature, 12)
    ('strict saddle', 2, -1.0)
    """
    A, F, b = check_factors(A, F, b)
    if not bias and b.any():
        raise ValueError(f"b = {b.tolist()}; b must be 0 where the bias is not trained")
    (K, m), n = A.shape, F.shape[1] // len(A)
    allowed = check_real("tolerance", tolerance, above=0) * (1 + np.linalg.norm(A) + np.linalg.norm(F))
    slopes = [float(np.linalg.norm(part)) for part in gradient(A, F, b)[: 3 if bias else 2]]
    if max(slopes) > allowed:
        raise ValueError(f"the gradient has norm {max(slopes):.3g}; A, F and b must be a critical point")
    value = risk(A, F, b)
    missed = round(2 * value / n)
    if missed == round(2 * least_risk(K, n, m, bias=bias) / n):
        return CriticalPoint("global minimum", value, missed, None, 0.0)
    direction, curvature = _way_down(A, F, b, bias)
    return CriticalPoint("strict saddle", value, missed, direction, curvature)


def _way_down(
    A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"], b: Float[np.ndarray, " K"], bias: bool
) -> tuple[Direction, float]:
    """A direction of norm 1 and its curvature, at a critical point that is no global minimum."""
    left, sigma, right = np.linalg.svd(residual(A, F, b), full_matrices=False)
    u, v = left[:, 0], right[0]
    centre = F.mean(axis=1) if bias else np.zeros(len(F))
    Fc = F - centre[:, None]
    idle = [np.linalg.svd(A)[2][-1], np.linalg.svd(Fc)[0][:, -1]]
    w = min(idle, key=lambda x: min(np.linalg.norm(A @ x), np.linalg.norm(x @ Fc)))
    c = float(w @ centre)
    g = np.sqrt(1 + c**2)
    # along dA = τ u wᵀ/g, dF = −s w vᵀ, db = −τ c u/g, a unit vector where τ² + s² = 1
    rates, ways = np.linalg.eigh([[np.sum((w @ Fc) ** 2) / g**2, -sigma[0] / g], [-sigma[0] / g, np.sum((A @ w) ** 2)]])
    tau, s = ways[:, 0]
    return (tau / g * np.outer(u, w), -s * np.outer(w, v), -tau * c / g * u), float(rates[0])
