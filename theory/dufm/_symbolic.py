r"""The losses of both solutions derived with SymPy from their pieces.

Nothing here is typed in from the formulas of `theory.dufm._losses`: the Gram matrices are built from what the
incidence matrix of the complete graph is, every matrix is taken at its conditional optimum, and the scales are
eliminated by solving the stationarity conditions.

All Gram matrices that occur commute with the symmetric group on the r vertices. On the vertices such a matrix is
a I + b J, with eigenvalues a + r b (the ones) and a; on the edges it is a polynomial in the adjacency matrix of the
triangular graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from theory.arguments import IntegerLike, check_choice, check_integer
from theory.dufm._problem import SMALLEST_L

if TYPE_CHECKING:
    import sympy as sp

__all__ = ["SymbolicLoss", "symbolic_loss", "symbolic_power"]


@dataclass(frozen=True)
class SymbolicLoss:
    """A solution's loss as SymPy expressions.

    Attributes
    ----------
    terms : mapping of str to Expr
        The pieces of the objective before the scales are eliminated: the cost of H_1 and W_1 together, of each of
        W_2, …, W_{L−1}, and fit with W_L together, in the scales α_2, …, α_L.
    scales : mapping of Symbol to Expr
        The stationary α_2, …, α_{L−1} as functions of α_L.
    loss : Expr
        The objective in the last scale α_L alone, still to be minimised over α_L ≥ 0.
    last_scale : Symbol
        α_L; the β of Lemma 16 for the strongly regular graph.
    size : Symbol
        K for deep neural collapse, the order r of the triangular graph for the strongly regular graph (K = r(r−1)/2).
    samples : Symbol
        n.
    lams : tuple of Symbol
        (λ_H1, λ_W1, …, λ_WL).
    """

    terms: Mapping[str, sp.Expr]
    scales: Mapping[sp.Symbol, sp.Expr]
    loss: sp.Expr
    last_scale: sp.Symbol
    size: sp.Symbol
    samples: sp.Symbol
    lams: tuple[sp.Symbol, ...]


@dataclass(frozen=True)
class _Geometry:
    """What a solution's matrices contribute, per unit scale."""

    size: sp.Symbol
    classes: sp.Expr
    nuclear_norm: sp.Expr  # of M_2 / √α_2
    step: sp.Expr  # least ‖W_l‖² between two intermediate layers of unit scale
    last_step: sp.Expr  # least ‖W_{L−1}‖² into the last pre-activations
    last_spectrum: list[tuple[sp.Expr, sp.Expr]]  # (eigenvalue, multiplicity) of M_LᵀM_L


LARGEST_SYMBOLIC = 1000
"""The most layers of which a loss is derived: every layer has symbols of its own."""


def symbolic_loss(solution: Literal["srg", "dnc"], L: IntegerLike) -> SymbolicLoss:
    """Derive the loss of a solution of the L-DUFM for symbolic K (or r), n and regularisation.

    Parameters
    ----------
    solution : {"srg", "dnc"}
        Which; "srg" for a triangular number of classes, r ≥ 4.
    L : int
        Number of layers, at least 3.

    Returns
    -------
    SymbolicLoss

    Raises
    ------
    ValueError
        If the solution is unknown or L < 3.

    References
    ----------
    lowrank, proof of Theorem 5 (Appendix A.1), Lemmas 12–18, equation (6).

    Examples
    --------
    >>> symbolic_loss("dnc", 3).loss.free_symbols == {
    ...     *(d := symbolic_loss("dnc", 3)).lams, d.size, d.samples, d.last_scale}
    True
    """
    check_choice("solution", solution, ("srg", "dnc"))
    return _derive(solution, check_integer("L", L, at_least=SMALLEST_L, at_most=LARGEST_SYMBOLIC))


@cache
def _derive(solution: str, L: int) -> SymbolicLoss:
    import sympy as sp

    shape = _strongly_regular() if solution == "srg" else _collapsed()
    n = sp.Symbol("n", positive=True)
    lams = (sp.Symbol("lambda_H1", positive=True), *sp.symbols(f"lambda_W1:{L + 1}", positive=True))
    alphas = sp.symbols(f"alpha_2:{L + 1}", positive=True)

    terms = {"H1 W1": _balanced_cost(n * lams[0], lams[1]) * shape.nuclear_norm * sp.sqrt(alphas[0])}
    for l in range(2, L):
        cost = shape.step if l < L - 1 else shape.last_step
        terms[f"W{l}"] = lams[l] / 2 * cost * alphas[l - 1] / alphas[l - 2]
    terms["fit WL"] = sp.Add(
        *(multiplicity * _ridge_cost(alphas[-1] * e, lams[L], shape.classes) for e, multiplicity in shape.last_spectrum)
    )
    scales = _stationary_scales(list(terms.values())[:-1], alphas)
    loss = sum((sp.powsimp(term.subs(scales)) for term in terms.values()), sp.Integer(0))
    return SymbolicLoss(MappingProxyType(terms), MappingProxyType(scales), loss, alphas[-1], shape.size, n, lams)


def _balanced_cost(lam_features: sp.Expr, lam_weight: sp.Expr) -> sp.Expr:
    """The cost per unit singular value of M_2 = W_1 M_1 (Lemma 18).

    Singular values factor as s = w m; the cost (lam_features m² + lam_weight w²)/2 is least at w = s/m, stationary
    in m.
    """
    import sympy as sp

    m = sp.Symbol("m", positive=True)
    cost = lam_features * m**2 / 2 + lam_weight / (2 * m**2)
    (best,) = sp.solve(sp.diff(cost, m), m)
    return sp.simplify(cost.subs(m, best))


def _ridge_cost(square: sp.Expr, lam: sp.Expr, classes: sp.Expr) -> sp.Expr:
    """Fit and weight norm of one singular value of M_L, with its square given (Lemma 17).

    In the singular basis W_L acts by a number w on the singular value s and should give 1: min (ws − 1)²/(2K) + λw²/2.
    """
    import sympy as sp

    w, s = sp.symbols("w s", positive=True)
    cost = (w * s - 1) ** 2 / (2 * classes) + lam * w**2 / 2
    (best,) = sp.solve(sp.diff(cost, w), w)
    return sp.simplify(cost.subs(w, best)).subs(s, sp.sqrt(square))


def _stationary_scales(weight_terms: list[sp.Expr], alphas: tuple[sp.Symbol, ...]) -> dict[sp.Symbol, sp.Expr]:
    """Solve ∂/∂α_l = 0 for l = 2, …, L−1, where only two terms contain each α_l.

    They are monomials in the scales, so that in logarithms the conditions are linear.
    """
    import sympy as sp

    logs = sp.symbols(f"x0:{len(alphas)}", real=True)
    exponential = dict(zip(alphas, map(sp.exp, logs), strict=True))
    equations = []
    for alpha in alphas[:-1]:
        rising, falling = (sp.diff(term, alpha) for term in weight_terms if term.has(alpha))
        ratio = sp.simplify(-falling / rising)  # stationary where it is 1
        equations.append(sp.expand_log(sp.log(ratio.subs(exponential)), force=True))
    (solution,) = sp.linsolve(equations, logs[:-1])
    last = {logs[-1]: sp.log(alphas[-1])}
    return {alpha: sp.simplify(sp.exp(x.subs(last))) for alpha, x in zip(alphas[:-1], solution, strict=True)}


def _collapsed() -> _Geometry:
    import sympy as sp

    K = sp.Symbol("K", positive=True)
    return _Geometry(K, K, nuclear_norm=K, step=K, last_step=K, last_spectrum=[(sp.Integer(1), K)])


def _strongly_regular() -> _Geometry:
    import sympy as sp

    r = sp.Symbol("r", positive=True)
    K = r * (r - 1) / 2
    # T Tᵀ: a vertex is on r−1 edges, and two vertices are on one together; T carries the factor 1/√(r−1).
    on_ones, on_rest = ((r - 1) + (r - 1) * 1) / (r - 1), ((r - 1) - 1) / (r - 1)
    nuclear_norm = sp.sqrt(on_ones) + (r - 1) * sp.sqrt(on_rest)

    # One row x of the last pre-activations: −1 at its own edge, 0 at edges sharing an end, +1 at disjoint edges. Its
    # moments T xᵀ are, times √(r−1): at each of its two ends −1, at another vertex the r−3 edges that avoid both ends.
    at_end, elsewhere = sp.Integer(-1), r - 3
    squares = (2 * at_end**2 + (r - 2) * elsewhere**2) / (r - 1)
    ones = (2 * at_end + (r - 2) * elsewhere) ** 2 / (r * (r - 1))  # the part along the vector of ones
    row_cost = ones / on_ones**2 + (squares - ones) / on_rest**2  # least norm: x Tᵀ (T Tᵀ)⁻² T xᵀ

    # After the ReLU the rows are the adjacency matrix of the graph of disjoint edges, the complement of the
    # triangular graph: its eigenvalue on the ones is its degree, and −1−θ where the triangular graph has θ.
    # θ + 2 = (r−1)·eigenvalue of TᵀT.
    theta = sp.expand((r - 1) * on_rest - 2)
    disjoint = K - 1 - 2 * (r - 2)
    last_spectrum = [(disjoint**2, sp.Integer(1)), ((-1 - theta) ** 2, r - 1), ((-1 + 2) ** 2 * sp.Integer(1), K - r)]
    last_spectrum = [(sp.factor(e), sp.factor(m)) for e, m in last_spectrum]
    # Between intermediate layers the rows to reach are those of T itself: trace of T Tᵀ (T Tᵀ)⁻² T Tᵀ = trace of I.
    return _Geometry(
        r, K, sp.simplify(nuclear_norm), step=r, last_step=sp.simplify(K * row_cost), last_spectrum=last_spectrum
    )


def symbolic_power(solution: Literal["srg", "dnc"]) -> tuple[sp.Expr, sp.Symbol, sp.Symbol, sp.Symbol]:
    """The weights' and features' cost of a solution, for a symbolic number of layers.

    With x_1 half the cost of H_1 and W_1, and x_l that of W_l, the product x_1² x_2 ⋯ x_{L−1} does not contain the
    scales between, as W_l costs λ_l/2 · step · α_{l+1}/α_l: it telescopes, and each further layer brings the same
    factor. So 2x_1 + x_2 + ⋯ + x_{L−1} is least where all are equal to the same t, it is then Lt, and t^L is the
    product.

    Parameters
    ----------
    solution : {"srg", "dnc"}
        Which; "srg" for a triangular number of classes, r ≥ 4.

    Returns
    -------
    power : Expr
        t^L over n λ_H1 λ_W1 ⋯ λ_W(L−1).
    size, last_scale, layers : Symbol
        Its variables: r or K, α_L (β for the strongly regular graph) and L ≥ 3.

    Raises
    ------
    ValueError
        If the solution is unknown.

    References
    ----------
    lowrank, proof of Theorem 5 (Appendix A.1), Definition 9, equation (6).

    Examples
    --------
    >>> power, K, scale, layers = symbolic_power("dnc")
    >>> [power.subs(layers, L) / scale for L in (3, 4, 7)]
    [K**3/8, K**4/16, K**7/128]
    """
    check_choice("solution", solution, ("srg", "dnc"))
    return _derive_power(solution)


@cache
def _derive_power(solution: Literal["srg", "dnc"]) -> tuple[sp.Expr, sp.Symbol, sp.Symbol, sp.Symbol]:
    import sympy as sp

    layers, last = sp.Symbol("L", integer=True, positive=True), sp.Symbol("alpha_L", positive=True)
    shallow, deeper, deepest = (_power(_derive(solution, L), last) for L in (3, 4, 5))
    factor = sp.simplify(deeper / shallow)
    if sp.simplify(deepest / deeper / factor) != 1:  # pragma: no cover
        raise ArithmeticError("the layers between do not bring the same factor each")
    return sp.powsimp(shallow * factor ** (layers - 3)), _derive(solution, 3).size, last, layers


def _power(loss: SymbolicLoss, last: sp.Symbol) -> sp.Expr:
    """x_1² x_2 ⋯ x_{L−1} with every λ and n equal to 1."""
    import sympy as sp

    first, *others, _ = loss.terms.values()
    product = sp.Mul((first / 2) ** 2, *others).subs(dict.fromkeys((*loss.lams, loss.samples), 1))
    return sp.simplify(product.subs(loss.last_scale, last))
