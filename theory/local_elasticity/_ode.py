r"""The class means under the differential equation of local elasticity, in closed form.

For the transformation by residuals and m = K, with $g$ the integral of the coefficients $c_j$ over time and 1/K,

$$ \bar f_i(t) = \bar f_i(0) + (α-β)g_id_i + β\sum_j g_jd_j,\qquad
g = \bar c\,\frac{e^{(α-β)t/K}-1}{α-β} + (c - \bar c1)\frac{e^{λt/K}-1}{λ},\quad λ = α + \tfrac{β}{K-1}, $$

with c at t = 0 and $\bar c$ its mean. A quotient with denominator 0 is t/K.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import RealLike, check_array, check_real
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["le_ode"]


@within_floats
def le_ode(F0: Float[np.ndarray, "K K"], alpha: RealLike, beta: RealLike, t: RealLike) -> Float[np.ndarray, "K K"]:
    """The class means at a time under the transformation by residuals, for constant impacts and m = K.

    Parameters
    ----------
    F0 : ndarray, shape (K, K)
        Class means at time 0, one column a class.
    alpha, beta : float
        Impact within a class, and across classes.
    t : float
        Time, at least 0.

    Returns
    -------
    ndarray, shape (K, K)
        Class means at time t.

    Raises
    ------
    ValueError
        If F0 is not square with at least two rows, t is negative, or the means are beyond the floats.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equations 43 and 47; it also holds where α + β/(K−1) = 0, where equation 47 may not.

    Examples
    --------
    >>> le_ode([[1.0, 0.0], [0.0, 1.0]], 1.0, -1.0, 1.0).round(3)
    array([[ 1.859, -0.859],
           [-0.859,  1.859]])
    """
    F0 = check_array("F0", F0, ndim=2)
    K = len(F0)
    if K < 2 or F0.shape != (K, K):
        raise ValueError(f"F0 has shape {F0.shape}; F0 must be square, with a column for each of at least 2 classes")
    alpha, beta = check_real("alpha", alpha), check_real("beta", beta)
    time = check_real("t", t, at_least=0) / K
    residuals = np.eye(K) - 1 / K
    c = (residuals * F0).sum(axis=0) / (1 - 1 / K)
    g = c.mean() * _growth(alpha - beta, time) + (c - c.mean()) * _growth(alpha + beta / (K - 1), time)
    means: Float[np.ndarray, "K K"] = F0 + (alpha - beta) * residuals * g + beta * (residuals @ g)[:, None]
    return means


def _growth(rate: float, time: float) -> float:
    """(e^{rate·time} − 1)/rate, the integral of the exponential."""
    return float(np.expm1(np.float64(rate * time)) / rate) if rate else time
