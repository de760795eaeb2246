r"""L_dnc and L_srg in float64, over arrays of problems.

With every piece but one scale at its conditional optimum (Lemmas 13, 14, 17, 18 and equation (6)), each solution's loss is

.. math::
    f(u) = \frac L2\,\kappa\,u^{1/L} + \sum_i \frac{w_i}{2\,(1 + e_i u)}, \qquad u = \beta/(K\lambda_{W_L}),

where :math:`e_i` are the distinct eigenvalues of :math:`M_L^\top M_L/\beta` and :math:`w_i` their shares of the K
classes. Its stationary points solve :math:`\kappa = G(u) = \sum_i w_i e_i u^{1-1/L}/(1+e_i u)^2`, a sum of bumps, each of
which rises in log u up to :math:`e_i u = (L-1)/(L+1)` and falls after it. So G falls right of the last peak, where it meets κ at
most once; between the first and the last peak there may be further minima. All of them, and u = 0, are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from theory.dufm._problem import Integers, Problems, Regularisation, Scalar, problems

if TYPE_CHECKING:
    from jaxtyping import Float, Int

__all__ = ["Construction", "dnc_loss", "loss_ratio", "srg_loss"]

Construction: TypeAlias = Literal["block", "drop", "best"]

_BLOCK = 8192  # problems at a time: the temporaries stay in cache
_GRID = 96  # nodes between the first and the last peak of G
_NEWTON_STEPS = 100
_FloatVector: TypeAlias = "Float[np.ndarray, ' problems']"


def dnc_loss(
    K: Integers,
    L: Integers,
    lam: Regularisation = None,
    *,
    lams: Sequence[Scalar] | None = None,
    n: Integers = 1,
) -> float | Float[np.ndarray, "..."]:
    r"""The loss of the deep neural collapse solution of the L-DUFM, minimised over its scale.

    .. math:: L_{dnc} = \min_{\alpha\ge0} \frac{LK}{2}(P\alpha)^{1/L} + \frac{\lambda_{W_L}}2\frac{K}{\alpha+K\lambda_{W_L}},
        \qquad P = n\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_{L-1}}

    Parameters
    ----------
    K : int or array_like of int
        Number of classes, at least 2.
    L : int or array_like of int
        Number of layers, at least 3.
    lam : float, Fraction, decimal string, or array_like of these, optional
        One regularisation for every matrix. K, L, lam and n broadcast.
    lams : sequence of L+1 numbers, optional
        (λ_H1, λ_W1, …, λ_WL), in place of `lam`; K and L are then scalars.
    n : int or array_like of int
        Samples per class, at least 1.

    Returns
    -------
    float or ndarray
        The loss, in [0, 0.5]; exactly 0.5 where no scale beats the zero solution. The relative error is below 1e-12.

    Raises
    ------
    ValueError
        If a value is out of range, shapes do not broadcast, or not exactly one of `lam` and `lams` is given.
    TypeError
        If a value is of a wrong type.

    References
    ----------
    lowrank, Definition 10 and the proof of Theorem 5.

    Examples
    --------
    >>> round(dnc_loss(10, 4, 5e-4), 6)
    0.012487
    >>> dnc_loss(10, 4, [1e-3, 1.0]).round(6)
    array([0.02495, 0.5    ])
    """
    problem = problems(K, L, lam, lams, n, solution="dnc")
    return problem.shaped(_in_blocks(lambda p: _dnc(p).value, problem))


def srg_loss(
    K: Integers,
    L: Integers,
    lam: Regularisation = None,
    *,
    lams: Sequence[Scalar] | None = None,
    n: Integers = 1,
    construction: Construction = "block",
) -> float | Float[np.ndarray, "..."]:
    r"""The loss of the strongly regular graph solution of the L-DUFM, minimised over its scale.

    For K = r(r−1)/2,

    .. math:: L_{srg} = \min_{\beta\ge0} \frac L2\Bigl(P S_r^2 r^{L-3}\tfrac{K^2}2\beta\Bigr)^{1/L} + \frac{\lambda_{W_L}}2\Bigl[
        \frac1{\beta\binom{r-2}2^2+K\lambda_{W_L}} + \frac{r-1}{\beta(r-3)^2+K\lambda_{W_L}} + \frac{r(r-3)/2}{\beta+K\lambda_{W_L}}\Bigr]

    with :math:`S_r = \sqrt2 + \sqrt{(r-1)(r-2)}` and P as in `dnc_loss`.

    Parameters
    ----------
    K : int or array_like of int
        Number of classes, at least 6.
    L, lam, lams, n
        As in `dnc_loss`.
    construction : {"block", "drop", "best"}
        What Definition 11 does where K is no triangular number. "block": the largest triangular number of classes form a
        strongly regular graph, the rest collapse; each part has its own scales, and the losses add. "drop": the solution
        for the next larger triangular number, its scales kept, without the surplus classes (the edges at one vertex of the
        complete graph). "best": the smaller of the two losses.

    Returns
    -------
    float or ndarray
        The loss, in [0, 0.5]; exactly 0.5 where no scale beats the zero solution. The relative error is below 1e-12.

    Raises
    ------
    ValueError
        As `dnc_loss`, and for an unknown construction.
    TypeError
        If a value is of a wrong type.

    References
    ----------
    lowrank, Definitions 9 and 11 and the proof of Theorem 5.

    Examples
    --------
    >>> round(srg_loss(10, 4, 5e-4), 6)
    0.010198
    >>> [round(srg_loss(12, 4, 5e-4, construction=c), 6) for c in ("block", "drop", "best")]
    [0.012693, 0.013491, 0.012693]
    """
    check_construction(construction)
    problem = problems(K, L, lam, lams, n, solution="srg")
    return problem.shaped(_in_blocks(lambda p: _srg(p, construction), problem))


def loss_ratio(
    K: Integers,
    L: Integers,
    lam: Regularisation = None,
    *,
    lams: Sequence[Scalar] | None = None,
    n: Integers = 1,
    construction: Construction = "block",
) -> float | Float[np.ndarray, "..."]:
    """L_srg / L_dnc: below 1 where the strongly regular graph beats deep neural collapse, exactly 1 where both are trivial.

    Parameters
    ----------
    K, L, lam, lams, n, construction
        As in `srg_loss`.

    Returns
    -------
    float or ndarray
        The ratio, with relative error below 2e-12.

    Raises
    ------
    ValueError, TypeError
        As `srg_loss`.

    References
    ----------
    lowrank, Theorem 5.

    Examples
    --------
    >>> loss_ratio([6, 10, 15], [[3], [4]], 1e-4).round(4)
    array([[1.0561, 0.9234, 0.9267],
           [0.9633, 0.8168, 0.7834]])
    """
    check_construction(construction)
    problem = problems(K, L, lam, lams, n, solution="srg")
    return problem.shaped(_in_blocks(lambda p: _ratio(p, construction), problem))


def check_construction(construction: object) -> None:
    """Raise ValueError unless `construction` is one of Definition 11's, or "best"."""
    if construction not in get_args(Construction):
        raise ValueError(f"construction = {construction!r}; allowed are {', '.join(map(repr, get_args(Construction)))}")


# The losses, for flat arrays of problems.


@dataclass(frozen=True)
class Minimum:
    """The least value of f, and the log u at which it is taken (−∞ at u = 0)."""

    value: _FloatVector
    log_u: _FloatVector


def _in_blocks(function: Callable[[Problems], _FloatVector], problem: Problems) -> _FloatVector:
    blocks = (slice(start, start + _BLOCK) for start in range(0, problem.K.size, _BLOCK))
    parts = [function(Problems(problem.K[b], problem.L[b], problem.log_lams_n[b], ())) for b in blocks]
    return np.concatenate(parts) if parts else np.empty(0)


def _dnc(problem: Problems) -> Minimum:
    one = np.ones((1, problem.K.size))
    return minimise_scale(log_kappa_dnc(problem), problem.L, one, one)


def log_kappa_dnc(problem: Problems) -> _FloatVector:
    """log κ of deep neural collapse: κ^L = n λ_H1 ⋯ λ_WL K · K^L."""
    log_K = np.log(problem.K)
    kappa: _FloatVector = log_K + (problem.log_lams_n + log_K) / problem.L
    return kappa


def _ratio(problem: Problems, construction: Construction) -> _FloatVector:
    dnc = _dnc(problem)
    return _srg(problem, construction, dnc) / dnc.value


def _srg(problem: Problems, construction: Construction, dnc: Minimum | None = None) -> _FloatVector:
    below, above = triangular_orders(problem.K)
    if construction == "block":
        return _block(problem, below, dnc)
    if construction == "drop":
        return _drop(problem, above)
    block = _block(problem, below, dnc)
    between = below != above
    if between.any():
        some = Problems(problem.K[between], problem.L[between], problem.log_lams_n[between], ())
        block[between] = np.minimum(block[between], _drop(some, above[between]))
    return block


def _block(problem: Problems, r: Int[np.ndarray, " problems"], dnc: Minimum | None = None) -> _FloatVector:
    """The loss of Definition 11's first construction; `dnc` is the problems' collapsed solution, if it is known."""
    srg = srg_minimum(problem, r)
    value, trivial = srg.value, np.isneginf(srg.log_u)
    rest = 1.0 - (r * (r - 1) // 2) / problem.K  # the share of the classes that collapse
    if rest.any():
        dnc = dnc or _dnc(problem)
        value, trivial = value + rest * dnc.value, trivial & np.isneginf(dnc.log_u)
    return np.where(trivial, 0.5, value)  # exactly, whatever the shares round to


def srg_minimum(problem: Problems, r: Int[np.ndarray, " problems"]) -> Minimum:
    """The least loss of a strongly regular graph on r(r−1)/2 of the K classes, over its scale."""
    log_kappa = log_kappa_srg(problem, r)
    weights, eigenvalues = srg_spectrum(r)
    return minimise_scale(log_kappa, problem.L, weights / problem.K, eigenvalues)


def log_kappa_srg(problem: Problems, r: Int[np.ndarray, " problems"]) -> _FloatVector:
    """log κ of the strongly regular graph: κ^L = n λ_H1 ⋯ λ_WL K · S_r² r^{L−3} K₁²/2."""
    K, L = problem.K, problem.L
    log_S = np.log(np.sqrt(2.0) + np.sqrt((r - 1.0) * (r - 2.0)))
    log_structure = 2 * log_S + (L - 3) * np.log(r) + 2 * np.log(r * (r - 1) // 2) - np.log(2.0)
    kappa: _FloatVector = (problem.log_lams_n + np.log(K) + log_structure) / L
    return kappa


def srg_spectrum(
    r: Int[np.ndarray, " problems"],
) -> tuple[Float[np.ndarray, "3 problems"], Float[np.ndarray, "3 problems"]]:
    """Multiplicities and eigenvalues of M_Lᵀ M_L / β (Lemma 16), as floats."""
    x = np.asarray(r, float)
    multiplicities = np.stack([np.ones_like(x), x - 1, x * (x - 3) / 2])
    eigenvalues = np.stack([((x - 2) * (x - 3) / 2) ** 2, (x - 3) ** 2, np.ones_like(x)])
    return multiplicities, eigenvalues


def _drop(problem: Problems, r: Int[np.ndarray, " problems"]) -> _FloatVector:
    """The loss of Definition 11's second construction: the optimum for K' = r(r−1)/2 without K' − K of its classes.

    Norms of columns and rows are the same for every class, as the triangular graph is edge-transitive. The surplus
    classes are edges at one vertex, so that any two of them are adjacent.
    """
    K = problem.K
    whole = r * (r - 1) // 2
    full = Problems(whole, problem.L, problem.log_lams_n, ())
    best = srg_minimum(full, r)
    weights, eigenvalues = srg_spectrum(r)
    share, surplus = K / whole, (whole - K).astype(float)
    q = np.exp(-np.maximum(best.log_u, -700.0)) / eigenvalues
    rho = q / (1 + q)  # of I − W_L M_L = Kλ (M_LᵀM_L + Kλ)⁻¹, by eigenspace
    fit = (weights * rho**2).sum(0)
    diagonal = (weights * rho).sum(0) / whole
    adjacent = (rho[0] + weights[1] * rho[1] * (r - 4) / (2 * (r - 2)) - weights[2] * rho[2] / (r - 2)) / whole
    kept = (1 - 2 * surplus / whole) * fit + surplus * diagonal**2 + surplus * (surplus - 1) * adjacent**2
    last = share * (weights * rho * (1 - rho)).sum(0) / (2 * whole)
    one_layer = 0.5 * np.exp(log_kappa_srg(full, r) + best.log_u / problem.L)
    value = one_layer * (problem.L - 1 + share) + last + kept / (2 * K)
    value = np.where(surplus == 0, best.value, value)
    return np.where(np.isneginf(best.log_u), 0.5, value)


def triangular_orders(
    K: Int[np.ndarray, " problems"],
) -> tuple[Int[np.ndarray, " problems"], Int[np.ndarray, " problems"]]:
    """`theory.geometry.triangular_graph.triangular_order` for arrays (K ≤ 10¹², where the square root is exact enough)."""
    below = ((1 + np.sqrt(1.0 + 8.0 * K)) / 2).astype(np.int64)
    below -= below * (below - 1) // 2 > K
    below += (below + 1) * below // 2 <= K
    return below, below + (below * (below - 1) // 2 < K)


# The minimum over the scale.


def minimise_scale(
    log_kappa: _FloatVector,
    L: Int[np.ndarray, " problems"],
    weights: Float[np.ndarray, "bumps problems"],
    eigenvalues: Float[np.ndarray, "bumps problems"],
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

    Returns
    -------
    Minimum
        Value and log u, each of shape (problems,).
    """
    f = _Objective(log_kappa, np.asarray(L, float), weights, 1 / eigenvalues)
    best = 0.5 * weights.sum(0)
    where = np.full_like(best, -np.inf)

    # Right of the last peak G falls, and G(u) ≤ Σ (w_i/e_i) u^{−1−1/L} bounds the crossing from above.
    lower = f.log_peak + np.log(f.inverse[-1])
    upper = f.L / (f.L + 1) * (np.log((weights * f.inverse).sum(0)) - log_kappa)
    last = np.flatnonzero(f.excess(lower) > 0)
    _improve(best, where, f, last, lower[last], upper[last])

    # Further left the last eigenspace is hardly fitted: worth a look only if that bound beats what was found, and only
    # if the peaks of G reach κ at all.
    if len(weights) > 1:
        promising = (weights[-1] * (f.L + 1) / (4 * f.L) < best) & (np.log(f.sum_of_peaks) > log_kappa)
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

    def at(self, index: Int[np.ndarray, " some"]) -> _Objective:
        return _Objective(self.log_kappa[index], self.L[index], self.weights[:, index], self.inverse[:, index])

    def value(self, log_u: _FloatVector) -> _FloatVector:
        unfitted = np.exp(-log_u) * self.inverse
        fit = (self.weights * unfitted / (1 + unfitted)).sum(0)
        value: _FloatVector = 0.5 * (self.L * np.exp(self.log_kappa + log_u / self.L) + fit)
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

        In q = 1/u, a bump is (w_i/e_i) u^{−1−1/L}/(1 + q/e_i)², and its logarithmic derivative 1 − 1/L − 2/(1 + q/e_i).
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
    lower: _FloatVector,
    upper: _FloatVector,
) -> None:
    """Find where f(index) stops falling in [lower, upper], by Newton's method inside the bracket; keep what is better."""
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
