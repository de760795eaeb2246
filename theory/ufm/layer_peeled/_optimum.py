r"""The global minimum of the layer-peeled model with majority and minority classes, by the symmetry of its outputs.

The features of a class coincide at the minimum, and the outputs Z of the class means minimise the weighted
cross-entropy over the ball $\|Z\|_* \le K\sqrt{\Omega_A\Omega_F}$. The minimiser is unique, so invariant under
permutations of the majority and of the minority classes: with a = K_maj, b = K_min,

$$ Z = s(I_a - J/a) \oplus t(I_b - J/b) + uv^\top, \qquad
\|Z\|_* = (a-1)s + (b-1)t + \sqrt{v_1^2+v_2^2}, $$

u the unit vector orthogonal to 1 and to the two other parts. For each Lagrange multiplier the optimality conditions are
one equation in one probability, and the budget decreases in the multiplier: two nested searches for a root. See
docs/minority_collapse.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import acos, degrees, exp, inf, log, log1p, nan, sqrt
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from scipy.optimize import brentq

from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_integer, check_real
from theory.display import axes_of, html_table
from theory.overflow import within_floats
from theory.ufm.layer_peeled._threshold import (
    check_classes,
    collapse_ratio,
    root_product,
    vanishing_ratio,
)
from theory.wording import wrong_value

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["LayerPeeledOptimum", "layer_peeled_optimum"]

LARGEST = 2000
LARGEST_RATIO = 1e100
LEAST_BUDGET = 1e-10
"""Below it the regimes are within rounding of the ratio 1."""
LEAST_LOG_MULTIPLIER = -600.0
"""Of the multiplier, and of its ratio to n_maj/n_min: with smaller ones a loss is no float."""
LEAST_MARGIN, LARGEST_MARGIN = 1e-280, 700.0
"""Of minority samples over majority classes."""


@dataclass(frozen=True, eq=False, repr=False)
class LayerPeeledOptimum:
    """The global minimum of the cross-entropy under norm bounds, with majority and minority classes.

    Attributes
    ----------
    regime : "distinct", "collapsed" or "vanished"
        Minority classifiers that differ from each other, are one vector, or are 0. A single one is never "collapsed".
    K_maj, K_min : int
    ratio : float
        n_maj/n_min.
    loss : float
        The mean cross-entropy.
    multiplier : float
        Minus the slope of the loss in the bound of the outputs' nuclear norm, in units of the weight of a minority
        class. With two minority classes or more it is below 1 exactly in the regime "distinct".
    majority_scale, minority_scale : float
        By how much a sample's output for its own class exceeds those for the others of its group: the singular values
        of Z on the contrasts of the majority and of the minority classes. 0 where the group has one class.
    between : tuple of two floats
        The entries v₁, −v₂ ≥ 0: outputs between the groups, √v₁² + v₂² the last singular value.
    A : ndarray, shape (K, m)
        Classifier, the majority classes first.
    F : ndarray, shape (m, K)
        The features of each class, all the same.
    """

    regime: Literal["distinct", "collapsed", "vanished"]
    K_maj: int
    K_min: int
    ratio: float
    loss: float
    multiplier: float
    majority_scale: float
    minority_scale: float
    between: tuple[float, float]
    A: Float[np.ndarray, "K m"]
    F: Float[np.ndarray, "m K"]

    @property
    def outputs(self) -> Float[np.ndarray, "K K"]:
        """The outputs Z = AF of the classes."""
        Z: Float[np.ndarray, "K K"] = self.A @ self.F
        return Z

    @property
    def rank(self) -> int:
        """The rank of the outputs: the least width of such a minimum."""
        contrasts = (self.K_maj - 1) * (self.majority_scale > 0) + (self.K_min - 1) * (self.minority_scale > 0)
        return contrasts + (max(self.between) > 0)

    @property
    def minority_cosine(self) -> float:
        """The cosine between classifiers of two minority classes, NaN where they are 0 or there is only one."""
        return _cosine(self.K_min, self.K_maj, self.minority_scale, self.between)

    @property
    def majority_cosine(self) -> float:
        """The cosine between classifiers of two majority classes, NaN where there is only one."""
        return _cosine(self.K_maj, self.K_min, self.majority_scale, self.between)

    @property
    def minority_angle(self) -> float:
        """The angle between two minority classifiers in degrees, NaN where they are 0 or there is only one."""
        cosine = self.minority_cosine
        return cosine if np.isnan(cosine) else degrees(acos(min(1.0, max(-1.0, cosine))))

    @property
    def gap(self) -> float:
        """How far at most, by duality, the loss is above the minimum: 0 up to rounding."""
        weights = np.repeat([self.ratio, 1.0], [self.K_maj, self.K_min])
        Z = self.outputs
        G = np.exp(Z - Z.max(axis=0))
        G = (G / G.sum(axis=0) - np.eye(len(Z))) * (weights / weights.sum())
        size = (self.K_maj - 1) * self.majority_scale + (self.K_min - 1) * self.minority_scale
        size += float(np.hypot(*self.between))
        return float(np.sum(G * Z) + size * np.linalg.norm(G, 2))

    def __repr__(self) -> str:
        return (
            f"<layer-peeled: {self.K_maj} majority and {self.K_min} minority classes, ratio {self.ratio:.6g}, "
            f"{self.regime}, loss {self.loss:.6g}>"
        )

    def _repr_html_(self) -> str:
        rows = {
            "classes": f"{self.K_maj} + {self.K_min}",
            "n_maj/n_min": f"{self.ratio:.6g}",
            "minority classifiers": self.regime,
            "angle between them": f"{self.minority_angle:.4g}°",
            "loss": f"{self.loss:.6g}",
            "multiplier": f"{self.multiplier:.6g}",
        }
        return html_table(rows, "Layer-peeled model, cross-entropy")

    def plot(self, ax: Any = None) -> Any:
        """Plot the outputs of each class, as a matrix.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        ax = axes_of(ax)
        image = ax.imshow(self.outputs, cmap="coolwarm")
        ax.figure.colorbar(image, ax=ax, label="output")
        ax.set(xlabel="class of the sample", ylabel="class", title=f"{self.regime}, ratio {self.ratio:.4g}")
        return ax


def _cosine(own: int, other: int, scale: float, between: tuple[float, float]) -> float:
    shared = float(np.hypot(*between)) * other / (own * (own + other))
    length = shared + scale * (1 - 1 / own)
    return nan if own == 1 or length == 0 else (shared - scale / own) / length


class _Shares(NamedTuple):
    """Outputs that meet all conditions of optimality for one multiplier but, maybe, the one between the groups."""

    s: float
    t: float
    p: float
    q: float
    slope: float  # r K_min π_y/(K_maj z), which p/q equals at the minimum


def _shares(a: int, b: int, r: float, mu: float, z: float, q: float | None = None) -> _Shares:
    """Outputs from the multiplier and the probability z of each majority class on a minority sample, or from q too."""
    K = a + b
    own = sqrt(K * a) * z  # a product of roots: squares would be 0 for small multipliers
    eta = sqrt(max(0.0, mu - own)) * sqrt(mu + own) / sqrt(K * b)
    nu, rho = min(mu, 1.0) if b > 1 else 1.0, min(mu, r) if a > 1 else r
    same, alike = (nu - a * z) / b, (rho - b * eta) / a  # other classes of the group: π'_s, and r π_s
    t, s = log1p((1 - nu) / same), log1p((r - rho) / alike)
    if q is None:
        q = log((same + 1 - nu) / z) - (1 - 1 / b) * t
    p = log((alike + r - rho) / eta) - (1 - 1 / a) * s if eta > 0 else inf
    return _Shares(s, t, p, q, b * eta / (a * z))


def _unequal(found: _Shares) -> float:
    """What is 0 at the minimum: it increases in z, so it decreases in q."""
    return found.p - found.q * found.slope if found.p < inf else 1.0


def _solve(a: int, b: int, r: float, mu: float) -> _Shares | None:
    """The minimum with a multiplier for the constraint, or None where it has no output between the groups."""
    K = a + b
    if mu >= 1 or b == 1:  # t = 0, and z is a function of q, which may be tiny

        def from_q(log_q: float) -> _Shares:
            q = exp(log_q)
            return _shares(a, b, r, mu, 1 / (a + b * exp(q)), q)

        low, high = log(LEAST_MARGIN), log(LARGEST_MARGIN)
        if _unequal(from_q(low)) <= 0:
            return None
        return from_q(brentq(lambda log_q: _unequal(from_q(log_q)), low, high, xtol=1e-16, rtol=1e-15))

    def from_z(log_z: float) -> _Shares:
        return _shares(a, b, r, mu, exp(log_z))

    top = log(mu / sqrt(K * a))
    top -= 1e-15 * abs(top)
    step = 1.0
    while _unequal(from_z(top - step)) > 0:
        step *= 2
    return from_z(brentq(lambda log_z: _unequal(from_z(log_z)), top - step, top, xtol=1e-16, rtol=1e-15))


def _size(a: int, b: int, found: _Shares) -> float:
    K = a + b
    between = np.hypot(found.p * a * sqrt(b / K), found.q * b * sqrt(a / K))
    return (a - 1) * found.s + (b - 1) * found.t + float(between)


def _ignored(a: int, b: int, r: float, total: float) -> tuple[_Shares, float]:
    """The minimum where minority classes are ignored, and its multiplier."""
    s = total / (a - 1)
    alike, other = exp(-s), exp(-(1 - 1 / a) * s)
    return _Shares(s, 0.0, 0.0, 0.0, 0.0), r * (a * alike + b * other) / (1 + (a - 1) * alike + b * other)


def _separated(a: int, b: int, r: float, total: float, *, collapsed: bool) -> tuple[_Shares, float]:
    """The minimum with outputs between the groups, and its multiplier."""

    def excess(log_mu: float) -> float:
        found = _solve(a, b, r, exp(log_mu))
        return -1.0 if found is None else _size(a, b, found) / total - 1

    low = 0.0 if collapsed else LEAST_LOG_MULTIPLIER + log(r)
    high = 0.0 if b > 1 and not collapsed else log(r) + 1e-12
    if not collapsed and (low >= high or excess(low) <= 0):
        raise ValueError(
            f"sqrt(Omega_A*Omega_F) = {total / (a + b)}; Omega_A*Omega_F must be smaller, the loss is 0 in floats"
        )
    if excess(low) <= 0:  # at the threshold, to rounding
        mu = exp(low)
    elif excess(high) >= 0:
        mu = exp(high)
    else:
        mu = exp(brentq(excess, low, high, xtol=1e-16, rtol=1e-15))
    found = _solve(a, b, r, mu)
    if found is None:  # at the threshold of vanishing, to rounding
        return _ignored(a, b, r, total)
    scale = total / _size(a, b, found)
    return _Shares(found.s * scale, found.t * scale, found.p * scale, found.q * scale, found.slope), mu


def _contrasts(k: int) -> Float[np.ndarray, "k contrasts"]:
    """An orthonormal basis of what is orthogonal to 1."""
    from scipy.linalg import helmert

    basis: Float[np.ndarray, "k contrasts"] = helmert(k).T if k > 1 else np.zeros((1, 0))
    return basis


def _factors(
    a: int, b: int, scales: tuple[float, float], between: tuple[float, float], ratio: float, m: int
) -> tuple[Float[np.ndarray, "K m"], Float[np.ndarray, "m K"]]:
    """Factors A, F of the outputs with balanced singular values, A longer by the square root of a ratio."""
    K, size = a + b, float(np.hypot(*between))
    left, right, singular = np.zeros((K, 0)), np.zeros((K, 0)), np.zeros(0)
    for rows, k, scale in ((slice(0, a), a, scales[0]), (slice(a, K), b, scales[1])):
        if scale > 0:
            block = np.zeros((K, k - 1))
            block[rows] = _contrasts(k)
            left, right = np.hstack([left, block]), np.hstack([right, block])
            singular = np.concatenate([singular, np.full(k - 1, scale)])
    if size > 0:
        u = np.repeat([sqrt(b / (K * a)), -sqrt(a / (K * b))], [a, b])
        v = np.repeat([between[0] / size / sqrt(a), -between[1] / size / sqrt(b)], [a, b])
        left, right = np.column_stack([left, u]), np.column_stack([right, v])
        singular = np.append(singular, size)
    if m < len(singular):
        raise wrong_value("m", m, f"m must be at least {len(singular)}, the rank of the outputs at the minimum")
    wide = m - len(singular)
    A = np.pad(left * np.sqrt(singular) * sqrt(ratio), ((0, 0), (0, wide)))
    return A, np.pad((right * np.sqrt(singular) / sqrt(ratio)).T, ((0, wide), (0, 0)))


@within_floats
def layer_peeled_optimum(
    K_maj: IntegerLike,
    K_min: IntegerLike,
    ratio: RealLike,
    Omega_A: RealLike,
    Omega_F: RealLike,
    *,
    m: IntegerLike | None = None,
) -> LayerPeeledOptimum:
    """The global minimum of the cross-entropy under bounds of the norms, with majority and minority classes.

    Parameters
    ----------
    K_maj, K_min : int
        Number of majority and of minority classes, each at least 1, together at most 2000.
    ratio : float
        n_maj/n_min, from 1 to 1e100.
    Omega_A, Omega_F : float
        Bounds of (1/K) Σ‖a_k‖² and of (1/K) Σ_k (1/n_k) Σ_i ‖f_{k,i}‖², positive, their product at least 1e-20.
    m : int, optional
        Width, K − 1 by default. It may be as low as the rank of the outputs: K − 1 below
        `minority_collapse_threshold`, K_maj from there on, K_maj − 1 from `minority_vanishing_threshold` on.

    Returns
    -------
    LayerPeeledOptimum
        Its regime says whether the minority classifiers differ, are one vector, or are 0. The outputs are unique, so
        that A and F are, up to orthogonal transformations of the space of features.

    Raises
    ------
    ValueError
        If an argument is out of its range, the width is below the rank, or the loss is beyond the floats.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 34.

    Examples
    --------
    >>> layer_peeled_optimum(2, 2, 3, 1, 1)
    <layer-peeled: 2 majority and 2 minority classes, ratio 3, distinct, loss 0.490693>
    >>> [round(layer_peeled_optimum(2, 2, r, 1, 1).minority_angle, 2) for r in (1, 2, 3, 4)]
    [109.47, 85.99, 47.66, 0.0]
    >>> layer_peeled_optimum(3, 2, 1.3, 0.2, 0.25).regime
    'vanished'
    """
    a, b = check_classes(K_maj, K_min, most=LARGEST)
    if a + b > LARGEST:
        raise wrong_value("K_min", K_min, f"K_min must be at most {LARGEST - a} for K_maj = {a}")
    r, budget = check_real("ratio", ratio, at_least=1), root_product(Omega_A, Omega_F)
    if r > LARGEST_RATIO:
        raise wrong_value("ratio", ratio, f"ratio must be at most {LARGEST_RATIO:g}")
    if budget < LEAST_BUDGET:
        raise ValueError(f"sqrt(Omega_A*Omega_F) = {budget}; Omega_A*Omega_F must be at least {LEAST_BUDGET**2:g}")
    m = a + b - 1 if m is None else check_integer("m", m, at_least=1, at_most=LARGEST_SIZE)
    total = (a + b) * budget
    regime = _regime(a, b, r, budget)
    if regime == "vanished":
        found, mu = _ignored(a, b, r, total)
    else:
        found, mu = _separated(a, b, r, total, collapsed=regime == "collapsed")
    K, s, t = a + b, found.s, 0.0 if regime != "distinct" else found.t
    between = found.p * a * sqrt(b / K), found.q * b * sqrt(a / K)
    if max(between) == 0:
        regime = "vanished"
    square_root = sqrt(check_real("Omega_A", Omega_A)) / sqrt(check_real("Omega_F", Omega_F))
    A, F = _factors(a, b, (s, t), between, square_root, m)
    majority = log1p((a - 1) * exp(-s) + b * exp(-(1 - 1 / a) * s - found.p))
    minority = log1p((b - 1) * exp(-t) + a * exp(-(1 - 1 / b) * t - found.q))
    loss = (r * a * majority + b * minority) / (r * a + b)
    return LayerPeeledOptimum(regime, a, b, r, loss, mu, s, t, between, A, F)


def _regime(a: int, b: int, r: float, budget: float) -> Literal["distinct", "collapsed", "vanished"]:
    def reached(threshold: Callable[[int, int, float], float | None]) -> bool:
        try:
            ratio = threshold(a, b, budget)
        except OverflowError:  # beyond the floats
            return False
        return ratio is not None and r >= ratio

    if reached(vanishing_ratio):
        return "vanished"
    return "collapsed" if b > 1 and reached(collapse_ratio) else "distinct"
