r"""The least loss over the scale of a solution, for many problems at once.

With every piece but one scale at its conditional optimum (lowrank, Lemmas 13, 14, 17, 18 and equation (6)), the loss
of a solution of the L-DUFM is

$$ f(u) = \frac L2\,\kappa\,u^{1/L} + \sum_i \frac{w_i}{2\,(1 + e_i u)}, \qquad u = \beta/(K\lambda_{W_L}), $$

where e_i are the distinct eigenvalues of M_Lᵀ M_L/β and w_i their shares of the K classes. Its stationary points solve
κ = G(u) = Σ w_i e_i u^{1−1/L}/(1 + e_i u)², a sum of bumps, each of which rises in log u up to e_i u = (L−1)/(L+1) and
falls after it. So G falls right of the last peak, where it meets κ at most once; between the first and the last peak
there may be further minima. All of them, and u = 0, are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_array, check_integer, check_real
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

__all__ = ["Minimum", "ScaleMinimum", "least_over_scale", "minimise_scale"]

_GRID = 96  # nodes between the first and the last peak of G
_NEWTON_STEPS = 100
_FloatVector: TypeAlias = "Float[np.ndarray, ' problems']"


class ScaleMinimum(NamedTuple):
    """The least loss over the scale of a solution, and the scale at which it is taken.

    Attributes
    ----------
    loss : float
    u : float
        The scale of M_LᵀM_L over Kλ_WL.
    """

    loss: float
    u: float


@within_floats
def least_over_scale(L: IntegerLike, log_kappa: RealLike, eigenvalues: Float[np.ndarray, " K"]) -> ScaleMinimum:
    r"""The least over u ≥ 0 of (L/2) κ u^{1/L} + (1/K) Σ_i 1/(2(1 + e_i u)).

    It is the loss of last-layer features of which only the scale is free: ridge regression on singular values
    √(e_i u), and weight decay in the layers before, at its balanced least.

    Parameters
    ----------
    L : int
        At least 2.
    log_kappa : float
        log κ, which may be infinite.
    eigenvalues : ndarray, shape (K,)
        e_i ≥ 0; those above 0 within a factor 1e100 of each other and of 1.

    Returns
    -------
    ScaleMinimum
        The global minimum, with an absolute error of a few units of rounding of ½, and u.

    Raises
    ------
    ValueError
        If L < 2, an eigenvalue is negative or not finite, log κ is no number, or so small that the loss or u is beyond
        the range of float64.
    TypeError
        If an argument is of a wrong type.

    Examples
    --------
    One eigenvalue and L = 2: at κ = √u/(1+u)² the scale u is stationary.

    >>> least_over_scale(2, np.log(2 / 25), np.ones(1))
    ScaleMinimum(loss=0.26, u=4.0)
    """
    L = check_integer("L", L, at_least=2)
    e = check_array("eigenvalues", eigenvalues, ndim=1, empty=False)
    if (e < 0).any():
        raise ValueError(f"eigenvalues = {eigenvalues}; eigenvalues must be ≥ 0")
    if not isinstance(log_kappa, float) or not np.isinf(log_kappa):
        log_kappa = check_real("log_kappa", log_kappa)
    fitted = np.sort(e[e > 0])[::-1, None]
    never = 1 - len(fitted) / e.size
    if not len(fitted) or np.isposinf(log_kappa):
        return ScaleMinimum(0.5, 0.0)
    if np.isneginf(log_kappa):
        return ScaleMinimum(never / 2, np.inf)
    least = minimise_scale(np.array([log_kappa]), np.array([L]), np.full(fitted.shape, 1 / e.size), fitted)
    loss, log_u = float(least.value[0]) + never / 2, float(least.log_u[0])
    if log_u > np.log(np.finfo(float).max) or loss < np.finfo(float).tiny:
        raise ValueError(f"log_kappa = {log_kappa}; log_kappa must be such that loss and u are in the range of float64")
    return ScaleMinimum(loss, exp(log_u)) if loss < 0.5 else ScaleMinimum(0.5, 0.0)


@dataclass(frozen=True)
class Minimum:
    """The least value of f, and the log u at which it is taken (−∞ at u = 0)."""

    value: _FloatVector
    log_u: _FloatVector


def minimise_scale(
    log_kappa: _FloatVector,
    L: Int[np.ndarray, " problems"],
    weights: Float[np.ndarray, "bumps problems"],
    eigenvalues: Float[np.ndarray, "bumps problems"],
    shift: _FloatVector | float = 0.0,
) -> Minimum:
    """The global minimum over u ≥ 0 of f(u) = (L/2) κ u^{1/L} + Σ w_i/(2(1 + e_i u)).

    Parameters
    ----------
    log_kappa : ndarray, shape (problems,)
    L : ndarray of int, shape (problems,)
    weights : ndarray, shape (bumps, problems)
        w_i ≥ 0.
    eigenvalues : ndarray, shape (bumps, problems)
        e_i > 0, the largest first, within a factor 1e100 of each other and of 1.
    shift : ndarray, shape (problems,), or float
        The values are those of exp(shift) f, which may be a normal float where f itself would underflow.

    Returns
    -------
    Minimum
        Value and log u, each of shape (problems,).
    """
    shift = np.broadcast_to(np.asarray(shift, float), np.shape(log_kappa))
    f = _Objective(log_kappa, np.asarray(L, float), weights, 1 / eigenvalues, shift)
    with np.errstate(over="ignore"):
        unit = np.exp(shift)  # infinite where f is so small that no more than its least matters
    best = 0.5 * weights.sum(0) * unit
    where = np.full_like(best, -np.inf)

    # Right of the last peak G falls, and G(u) ≤ Σ (w_i/e_i) u^{−1−1/L} bounds the crossing from above.
    lower = f.log_peak + np.log(f.inverse[-1])
    upper = f.L / (f.L + 1) * (np.log((weights * f.inverse).sum(0)) - log_kappa)
    last = np.flatnonzero(f.excess(lower) > 0)
    _improve(best, where, f, last, lower[last], upper[last])

    # Further left the last eigenspace is hardly fitted: worth a look only if that bound beats what was found, and only
    # if the peaks of G reach κ at all.
    if len(weights) > 1:
        promising = (weights[-1] * (f.L + 1) / (4 * f.L) * unit < best) & (np.log(f.sum_of_peaks) > log_kappa)
        some = np.flatnonzero(promising)
        if some.size:
            first = f.log_peak[some] + np.log(f.inverse[0, some])
            nodes = first + np.linspace(0.0, 1.0, _GRID)[:, None] * (lower[some] - first)
            above = f.at(some).excess(nodes) > 0
            cell, column = np.nonzero(above[:-1] & ~above[1:])
            _improve(best, where, f, some[column], nodes[cell, column], nodes[cell + 1, column])
    return Minimum(best, where)


@dataclass(frozen=True)
class _Objective:
    log_kappa: _FloatVector
    L: _FloatVector
    weights: Float[np.ndarray, "bumps problems"]
    inverse: Float[np.ndarray, "bumps problems"]  # 1/e_i
    shift: _FloatVector

    @property
    def log_peak(self) -> _FloatVector:
        """log(e_i u) at the peak of a bump."""
        position: _FloatVector = np.log((self.L - 1) / (self.L + 1))
        return position

    @property
    def sum_of_peaks(self) -> _FloatVector:
        """An upper bound of G."""
        x = (self.L - 1) / (self.L + 1)
        height: _FloatVector = (
            (self.weights * self.inverse ** (-1 / self.L)).sum(0) * x ** (1 - 1 / self.L) / (1 + x) ** 2
        )
        return height

    def at(self, index: Int[np.ndarray, " some"] | Bool[np.ndarray, " problems"]) -> _Objective:
        return _Objective(
            self.log_kappa[index], self.L[index], self.weights[:, index], self.inverse[:, index], self.shift[index]
        )

    def value(self, log_u: _FloatVector) -> _FloatVector:
        """exp(shift) f at log u."""
        unfitted = np.exp(-log_u) * self.inverse
        scaled = np.exp(self.shift - log_u) * self.inverse if self.shift.any() else unfitted
        fit = (self.weights * scaled / (1 + unfitted)).sum(0)
        value: _FloatVector = 0.5 * (self.L * np.exp(self.log_kappa + log_u / self.L + self.shift) + fit)
        return value

    def excess(self, log_u: Float[np.ndarray, "*nodes problems"]) -> Float[np.ndarray, "*nodes problems"]:
        """log G − log κ: positive where f falls."""
        return self._log_G(log_u)[0] - self.log_kappa

    def newton_step(self, log_u: _FloatVector) -> tuple[_FloatVector, _FloatVector]:
        """`excess`, and its quotient by its own derivative in log u."""
        log_G, slope = self._log_G(log_u)
        excess = log_G - self.log_kappa
        return excess, excess / slope

    def _log_G(self, s: Float[np.ndarray, "..."]) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
        """log G and its derivative at s = log u.

        In q = 1/u, a bump is (w_i/e_i) u^{−1−1/L}/(1 + q/e_i)², and its logarithmic derivative
        1 − 1/L − 2/(1 + q/e_i).
        """
        q = np.exp(-s)
        total = moment = 0.0
        for w, inverse in zip(self.weights, self.inverse, strict=True):
            y = 1 / (1 + q * inverse)
            bump = w * inverse * y * y
            total = total + bump
            moment = moment + bump * y
        return np.log(total) - (1 + 1 / self.L) * s, 1 - 1 / self.L - 2 * moment / total


def _improve(
    best: _FloatVector,
    where: _FloatVector,
    f: _Objective,
    index: Int[np.ndarray, " some"],
    lower: Float[np.ndarray, " some"],
    upper: Float[np.ndarray, " some"],
) -> None:
    """Find where f(index) stops falling in [lower, upper], by Newton's method in the bracket; keep what is better."""
    if not index.size:
        return
    s = upper.copy()
    left = np.arange(index.size)  # the brackets still at work, dropped as they converge
    g, at, lower, upper = f.at(index), s.copy(), lower.copy(), upper.copy()
    for _ in range(_NEWTON_STEPS):
        excess, step = g.newton_step(at)
        falling = excess > 0
        np.copyto(lower, at, where=falling)
        np.copyto(upper, at, where=~falling)
        proposed = at - step
        outside = ~((proposed >= lower) & (proposed <= upper))
        proposed[outside] = 0.5 * (lower + upper)[outside]
        working = np.abs(proposed - at) > 1e-9  # convergence is quadratic: below that the next step is mere rounding
        s[left] = at = proposed
        if not working.any():
            break
        if working.mean() < 0.8:
            left, at, lower, upper, g = left[working], at[working], lower[working], upper[working], g.at(working)
    value = f.at(index).value(s)
    order = np.argsort(-value)  # where an index occurs twice, the smallest value is written last
    index, value, s = index[order], value[order], s[order]
    better = value < best[index]
    best[index[better]], where[index[better]] = value[better], s[better]
