"""L_dnc and L_srg in float64, over arrays of problems: the closed forms, minimised over their scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from theory.arguments import RealLike, check_choice
from theory.dufm._problem import problems
from theory.ufm import Integers, Minimum, Problems, Regularisation, minimise_scale

if TYPE_CHECKING:
    from jaxtyping import Float, Int

__all__ = ["Construction", "dnc_loss", "loss_ratio", "srg_loss"]

Construction: TypeAlias = Literal["block", "drop", "best"]

_BLOCK = 8192  # problems at a time: the temporaries stay in cache
_FloatVector: TypeAlias = "Float[np.ndarray, ' problems']"


def dnc_loss(
    K: Integers,
    L: Integers,
    lam: Regularisation = None,
    *,
    lams: Sequence[RealLike] | None = None,
    n: Integers = 1,
) -> float | Float[np.ndarray, "..."]:
    r"""The loss of the deep neural collapse solution of the L-DUFM, minimised over its scale.

    $$
    L_{dnc} = \min_{\alpha\ge0} \frac{LK}{2}(P\alpha)^{1/L} + \frac{\lambda_{W_L}}2\frac{K}{\alpha+K\lambda_{W_L}},
    \qquad P = n\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_{L-1}}
    $$

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
        If a value is out of range, shapes do not broadcast, not exactly one of `lam` and `lams` is given, or the loss
        is below the floats of full precision.
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
    return problem.shaped(_in_blocks(lambda p: p.losses(dnc_minimum(p).value), problem))


def srg_loss(
    K: Integers,
    L: Integers,
    lam: Regularisation = None,
    *,
    lams: Sequence[RealLike] | None = None,
    n: Integers = 1,
    construction: Construction = "block",
) -> float | Float[np.ndarray, "..."]:
    r"""The loss of the strongly regular graph solution of the L-DUFM, minimised over its scale.

    For K = r(r−1)/2,

    $$
    L_{srg} = \min_{\beta\ge0} \frac L2\Bigl(P S_r^2 r^{L-3}\tfrac{K^2}2\beta\Bigr)^{1/L}
    + \frac{\lambda_{W_L}}2\Bigl[\frac1{\beta\binom{r-2}2^2+K\lambda_{W_L}}
    + \frac{r-1}{\beta(r-3)^2+K\lambda_{W_L}} + \frac{r(r-3)/2}{\beta+K\lambda_{W_L}}\Bigr]
    $$

    with S_r = √2 + √((r−1)(r−2)) and P as in `dnc_loss`.

    Parameters
    ----------
    K : int or array_like of int
        Number of classes, at least 6.
    L : int or array_like of int
        Number of layers, at least 3.
    lam : float, Fraction, decimal string, or array_like of these, optional
        One regularisation for every matrix. K, L, lam and n broadcast.
    lams : sequence of L+1 numbers, optional
        (λ_H1, λ_W1, …, λ_WL), in place of `lam`; K and L are then scalars.
    n : int or array_like of int
        Samples per class, at least 1.
    construction : {"block", "drop", "best"}
        What Definition 11 does where K is no triangular number. "block": the largest triangular number of classes
        form a strongly regular graph, the rest collapse; each part has its own scales, and the losses add. "drop":
        the solution for the next larger triangular number, its scales kept, without the surplus classes (the edges at
        one vertex of the complete graph). "best": the smaller of the two losses.

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
    return problem.shaped(_in_blocks(lambda p: p.losses(_srg(p, construction)), problem))


def loss_ratio(
    K: Integers,
    L: Integers,
    lam: Regularisation = None,
    *,
    lams: Sequence[RealLike] | None = None,
    n: Integers = 1,
    construction: Construction = "block",
) -> float | Float[np.ndarray, "..."]:
    """L_srg / L_dnc, below 1 where the strongly regular graph beats deep neural collapse.

    Parameters
    ----------
    K : int or array_like of int
        Number of classes, at least 6.
    L : int or array_like of int
        Number of layers, at least 3.
    lam : float, Fraction, decimal string, or array_like of these, optional
        One regularisation for every matrix. K, L, lam and n broadcast.
    lams : sequence of L+1 numbers, optional
        (λ_H1, λ_W1, …, λ_WL), in place of `lam`; K and L are then scalars.
    n : int or array_like of int
        Samples per class, at least 1.
    construction : {"block", "drop", "best"}
        What Definition 11 does where K is no triangular number, as in `srg_loss`.

    Returns
    -------
    float or ndarray
        The ratio, with relative error below 2e-12; exactly 1 where both losses are that of the zero solution. It is
        right also where the losses themselves are below the range of float64, with 1e-15 |log λ| added to the error.

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
    check_choice("construction", construction, get_args(Construction))


# The losses, for flat arrays of problems.


def _in_blocks(function: Callable[[Problems], _FloatVector], problem: Problems) -> _FloatVector:
    blocks = (slice(start, start + _BLOCK) for start in range(0, problem.K.size, _BLOCK))
    parts = [function(problem[b]) for b in blocks]
    return np.concatenate(parts) if parts else np.empty(0)


def dnc_minimum(problem: Problems) -> Minimum:
    """The least loss of deep neural collapse over its scale, times exp(problem.shift)."""
    one = np.ones((1, problem.K.size))
    return minimise_scale(problem.log_kappa, problem.L, one, one, problem.shift)


def _ratio(problem: Problems, construction: Construction) -> _FloatVector:
    dnc = dnc_minimum(problem)
    return _srg(problem, construction, dnc) / dnc.value


def _srg(problem: Problems, construction: Construction, dnc: Minimum | None = None) -> _FloatVector:
    below, above = triangular_orders(problem.K)
    if construction == "block":
        return block_loss(problem, below, dnc)
    if construction == "drop":
        return drop_loss(problem, above)
    block = block_loss(problem, below, dnc)
    between = below != above
    if between.any():
        block[between] = np.minimum(block[between], drop_loss(problem[between], above[between]))
    return block


def block_loss(problem: Problems, r: Int[np.ndarray, " problems"], dnc: Minimum | None = None) -> _FloatVector:
    """The loss of Definition 11's first construction, times exp(problem.shift).

    `dnc` is the least loss of collapse for the same problems, if it is known.
    """
    srg = srg_minimum(problem, r)
    value, trivial = srg.value, np.isneginf(srg.log_u)
    rest = 1.0 - (r * (r - 1) // 2) / problem.K  # the share of the classes that collapse
    if rest.any():
        dnc = dnc or dnc_minimum(problem)
        value, trivial = value + rest * dnc.value, trivial & np.isneginf(dnc.log_u)
    return np.where(trivial, 0.5, value)  # exactly, whatever the shares round to


def srg_minimum(problem: Problems, r: Int[np.ndarray, " problems"]) -> Minimum:
    """The least loss of a strongly regular graph on r(r−1)/2 classes over its scale, times exp(problem.shift)."""
    log_kappa = log_kappa_srg(problem, r)
    weights, eigenvalues = srg_spectrum(r)
    return minimise_scale(log_kappa, problem.L, weights / problem.K, eigenvalues, problem.shift)


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


def drop_loss(problem: Problems, r: Int[np.ndarray, " problems"]) -> _FloatVector:
    """The loss of Definition 11's second construction, times exp(problem.shift).

    It is the optimum for K' = r(r−1)/2 without K' − K of its classes.

    Norms of columns and rows are the same for every class, as the triangular graph is edge-transitive. The surplus
    classes are edges at one vertex, so that any two of them are adjacent.
    """
    K = problem.K
    whole = r * (r - 1) // 2
    full = Problems(whole, problem.L, problem.log_lams_n, ())
    best = srg_minimum(full, r)
    weights, eigenvalues = srg_spectrum(r)
    share, surplus = K / whole, (whole - K).astype(float)
    log_u = np.maximum(best.log_u, -700.0)
    q = np.exp(-log_u) / eigenvalues
    rho = q / (1 + q)  # of I − W_L M_L = Kλ (M_LᵀM_L + Kλ)⁻¹, by eigenspace
    scaled = np.exp(problem.shift - log_u) / eigenvalues / (1 + q)
    kept = (1 - 2 * surplus / whole) * (weights * (rho * scaled)).sum(0)
    kept += surplus * (_diagonal(r, weights, rho) * _diagonal(r, weights, scaled))
    kept += surplus * (surplus - 1) * (_adjacent(r, weights, rho) * _adjacent(r, weights, scaled))
    last = share * (weights * scaled * (1 - rho)).sum(0) / (2 * whole)
    one_layer = 0.5 * np.exp(log_kappa_srg(full, r) + best.log_u / problem.L + problem.shift)
    value = one_layer * (problem.L - 1 + share) + last + kept / (2 * K)
    value = np.where(surplus == 0, best.value, value)
    return np.where(np.isneginf(best.log_u), 0.5, value)


def _diagonal(
    r: Int[np.ndarray, " problems"], weights: Float[np.ndarray, "3 problems"], values: Float[np.ndarray, "3 problems"]
) -> _FloatVector:
    """The diagonal entries of the matrix with these eigenvalues on the triangular graph's eigenspaces."""
    entry: _FloatVector = (weights * values).sum(0) / (r * (r - 1) // 2)
    return entry


def _adjacent(
    r: Int[np.ndarray, " problems"], weights: Float[np.ndarray, "3 problems"], values: Float[np.ndarray, "3 problems"]
) -> _FloatVector:
    """The entries of that matrix at adjacent vertices of the triangular graph."""
    rest = weights[1] * values[1] * (r - 4) / (2 * (r - 2)) - weights[2] * values[2] / (r - 2)
    entry: _FloatVector = (values[0] + rest) / (r * (r - 1) // 2)
    return entry


def triangular_orders(
    K: Int[np.ndarray, " problems"],
) -> tuple[Int[np.ndarray, " problems"], Int[np.ndarray, " problems"]]:
    """`triangular_order` of theory.geometry.triangular_graph for arrays.

    K is at most 10¹², where the square root is exact enough.
    """
    below = ((1 + np.sqrt(1.0 + 8.0 * K)) / 2).astype(np.int64)
    below -= below * (below - 1) // 2 > K
    below += (below + 1) * below // 2 <= K
    return below, below + (below * (below - 1) // 2 < K)
