r"""In deep networks the optimum has rank two, nearly (docs/optimum.md).

Let A have the columns $(K-k, k-1)$ and B the rows $\frac1{K-1}(2-j, K+1-j)$, so that $\sigma(BA)$ is triangular. With
H_1 a multiple of A, W_1, …, W_{L−2} multiples of the identity of size two, W_{L−1} one of B, and W_L ridge regression,
the least loss over the multiples satisfies

$$ \mathcal L_2\le\frac{L+1}2\bigl(2^{L-2}a_K\Pi\bigr)^{1/(L+1)},\qquad a_K=\tfrac23K^2(2K-1)(2K^2-3K+7), $$

with equality in the limit Π → 0, Π the product of n and all regularisations. And for every point of the L-DUFM

$$ \mathcal L\ge\min_{u\ge0}\frac L2\bigl(2^{L-2}\cdot2K^2\,\Pi\bigr)^{1/L}u^{1/L}+\frac1{2(1+u)}, $$

which in the same limit is the same expression with 2K² in place of a_K. So, first for Π → 0 and then for L → ∞, the
ratio of this loss to the minimum tends to 1, that of deep neural collapse to K/2, that of the strongly regular graph to
r/2: two dimensions are enough for any number of classes.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import (
    Claim,
    Instances,
    LowerBound,
    Part,
    Statement,
    require_at_most,
    require_close,
    require_equal,
    require_proved,
)
from theory import coq, dufm


class TwoDimensions(NamedTuple):
    """a_K, and 2K² of the lower bound; what a layer multiplies both by; the limits of two ratios to the minimum."""

    price: Callable = lambda K: 2 * K**2 * (2 * K - 1) * (2 * K**2 - 3 * K + 7) / Fraction(3)
    floor: Annotated[Callable, LowerBound] = lambda K: 2 * K**2
    layer: Callable = lambda: 2
    collapse: Callable = lambda K: sp.sympify(K) / 2
    graph: Callable = lambda r: sp.sympify(r) / 2


claim = Claim(
    id="own.rank-two",
    title="Two dimensions are nearly optimal in deep networks",
    source="docs/optimum.md, Rank two",
    verdict="holds",
    printed=Statement(
        r"\Pi = n\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_L};\ \mathcal L_2 \text{ the least loss with } H_1 \propto"
        r" (K-k, k-1)_{k \le K},\ W_1, \dots, W_{L-2} \propto I_2,\ W_{L-1} \propto (2-j, K+1-j)_{j \le K};"
        r"\quad K \ge 3,\ L \ge 3:\ \mathcal L_2 \le \tfrac{L+1}2(2^{L-2}a_K\Pi)^{1/(L+1)},"
        r"\ a_K = \tfrac23K^2(2K-1)(2K^2-3K+7) \text{, with ratio} \to 1 \text{ as } \Pi \to 0;"
        r"\quad K \ge 2:\ \mathcal L \ge \min_u \tfrac L2(2^{L-2}2K^2\Pi)^{1/L}u^{1/L} + \tfrac1{2(1+u)};"
        r"\quad \lim_{L\to\infty}\lim_{\Pi\to0}: \tfrac{\mathcal L_2}{\min\mathcal L} = 1,"
        r" \tfrac{\mathcal L_{dnc}}{\min\mathcal L} = \tfrac K2,"
        r" \tfrac{\mathcal L_{srg}}{\min\mathcal L} = \tfrac r2 \text{ for } K = r(r-1)/2",
        TwoDimensions(),
    ),
    near_misses={
        "the trace of the inverse is 6K": TwoDimensions(lambda K: TwoDimensions().price(K) * K / (K - 1)),
        "one dimension": TwoDimensions(layer=lambda: 1),
        "three dimensions": TwoDimensions(layer=lambda: 3),
        "3K² in the lower bound": TwoDimensions(floor=lambda K: 3 * K**2),
        "the strongly regular graph is optimal": TwoDimensions(graph=lambda r: sp.Integer(1)),
        "collapse loses a factor K": TwoDimensions(collapse=lambda K: sp.sympify(K)),
    },
    depends_on=["own.removing-classes", "lowrank.two-classes", "lowrank.lemma-16"],
)


@claim.check("derived", covers="all")
def test_all_sizes_by_computer_algebra(statement):
    K, L, j, k, m = sp.symbols("K L j k m", positive=True, integer=True)
    # B A has the entries k − j + 1. The ReLU's inverse is the squared difference: Σ (m+1) xᵐ = (1−x)⁻².
    entry = ((2 - j) * (K - k) + (K + 1 - j) * (k - 1)) / (K - 1)
    require_equal(sp.simplify(entry - (k - j + 1)), 0, "other pre-activations")
    require_equal(sp.expand((m + 1) - 2 * m + (m - 1)), 0, "not the inverse")
    trace = K + 4 * (K - 1) + (K - 2)  # of its squared entries: 1 on the diagonal, −2 and 1 beside it
    norms = (
        sp.summation((K - k) ** 2 + (k - 1) ** 2, (k, 1, K)),
        sp.summation(((2 - j) ** 2 + (K + 1 - j) ** 2) / (K - 1) ** 2, (j, 1, K)),
    )
    price = sp.factor(norms[0] * norms[1] * trace)
    require_equal(sp.simplify(price - sp.nsimplify(statement.price(K))), 0, "another price")
    # Every multiple of the identity costs its squared norm, L − 2 of them.
    require_equal(sp.Integer(statement.layer()), sum(sp.eye(2).applyfunc(lambda x: x**2)), "a layer costs otherwise")
    # (L/2)κu^{1/L} + ε/(2u) has the minimum ((L+1)/2)(κ^L ε)^{1/(L+1)}; 1/(1 + eu) ≤ 1/(eu), nearly equal for large u.
    kappa, epsilon, u = sp.symbols("kappa epsilon u", positive=True)
    best = (epsilon / kappa) ** (L / (L + 1))
    norms, fit = (sp.powsimp(sp.expand_power_base(x.subs(u, best))) for x in (kappa * u ** (1 / L), epsilon / u))
    require_equal(
        sp.simplify(sp.expand_log(sp.log(norms / fit))), 0, "not stationary"
    )  # where u f′ = (κu^{1/L} − ε/u)/2
    least = (kappa**L * epsilon) ** (1 / (L + 1))  # of L/2 + 1/2 such terms
    require_equal(sp.simplify(sp.expand_log(sp.log(fit / least))), 0, "another minimum")
    # The lower bound: two classes are collapsed, at (K/2)² times the product.
    floor = statement.layer() ** (L - 2) * sp.nsimplify(statement.floor(K))
    require_equal(sp.simplify(floor / (2 ** (L + 1) * (K / 2) ** 2)), 1, "removing classes gives another bound")
    check_limits(statement, K, L)


def check_limits(statement, K, L):
    """The limits of the logarithms of ratios of prices, over L + 1."""
    r = sp.Symbol("r", positive=True)
    floor = (L - 2) * sp.log(statement.layer()) + sp.log(2 * K**2)
    price = (L - 2) * sp.log(2) + sp.log(TwoDimensions().price(K))
    collapse = (L + 1) * sp.log(K)
    classes, nuclear = r * (r - 1) / 2, sp.sqrt(2) + sp.sqrt((r - 1) * (r - 2))
    # of M_LᵀM_L/β: eigenvalues and multiplicities of lemma 16
    inverse = 4 / ((r - 2) ** 2 * (r - 3) ** 2) + (r - 1) / (r - 3) ** 2 + r * (r - 3) / 2
    graph = sp.log(classes**2 / 2 * nuclear**2 * inverse) + (L - 3) * sp.log(r)
    for name, larger, expected in (
        ("rank two", price, sp.Integer(1)),
        ("collapse", collapse, statement.collapse(K)),
        ("the graph", graph, statement.graph(r)),
    ):
        found = sp.limit((larger - floor) / (L + 1), L, sp.oo)
        gap = sp.simplify(sp.expand_log(found - sp.log(expected), force=True))
        require_equal(gap, 0, "another limit", of=name)


@claim.check(
    "kernel",
    covers=Part("that σ(BA) is triangular with the inverse (I − S)², and the product a_K of squared norms, for all K"),
)
def test_price_by_the_kernel(statement):
    here = Path(__file__)
    as_stated = f"""\
(* The statement's price, for five classes *)

Theorem as_stated : squares 2 5 (A 5) * squares 5 2 (B 5) * squares 5 5 difference = {coq.number(statement.price(5))}.
Proof. rewrite price by lia; simpl INR; lra. Qed."""
    require_proved(claim, coq.script([here.parents[1] / "sums.v", here.with_name("rank_two.v"), as_stated]))


@claim.check(
    "exact",
    covers=Instances("K = 3 to 7, L = 3 to 8, one λ for all matrices, rational multiples next to the best ones"),
    blind_to={
        "3K² in the lower bound": "the check is of the solution",
        "the strongly regular graph is optimal": "the check is of the solution",
        "collapse loses a factor K": "the check is of the solution",
    },
)
def test_the_matrices_in_rational_numbers(statement):
    lam = Fraction(1, 10**9)
    for K in range(3, 8):
        A = np.array([[K - k, k - 1] for k in range(1, K + 1)]).T
        B = np.array([[Fraction(2 - j, K - 1), Fraction(K + 1 - j, K - 1)] for j in range(1, K + 1)])
        last = np.maximum(B @ A, 0)
        squares = [Fraction(int((A**2).sum())), Fraction(2), (B**2).sum()]
        for L in (3, 5, 8):
            # All of H_1, W_1, …, W_{L−1} have the same norm at the best multiples.
            stated = statement.price(K) * statement.layer() ** (L - 2)
            norm = float(stated) ** (1 / (L + 1))
            roots = [(norm / float(square)) ** 0.5 for square in squares]
            first, middle, end = (Fraction(root).limit_denominator(10**7) for root in roots)
            decay = first**2 * squares[0] + (L - 2) * middle**2 * squares[1] + end**2 * squares[2]
            scale = first * middle ** (L - 2) * end
            means = fmpq_mat(K, K, [fraction(scale * x) for x in last.ravel()])
            identity = fmpq_mat(K, K, [fmpq(int(i == j)) for i in range(K) for j in range(K)])
            inverse = (means * means.transpose() + identity * (K * fraction(lam))).inv()
            fit = sum((inverse[i, i] for i in range(K)), fmpq(0))
            loss = (decay + Fraction(int(fit.p), int(fit.q))) / 2  # in units of λ
            power = (2 * loss / (L + 1)) ** (L + 1)
            require_at_most(power, stated, "a larger loss", K=K, L=L)
            require_at_most(stated * Fraction(999, 1000), power, "a smaller loss", K=K, L=L)


def fraction(x):
    x = Fraction(x)
    return fmpq(x.numerator, x.denominator)


@claim.check(
    "property",
    covers=Instances("K = 2 to 12, L = 3 to 12, regularisations drawn apart, 50 of them, against every solution known"),
    blind_to={
        "the trace of the inverse is 6K": "a larger price is a bound as well",
        "three dimensions": "both bounds hold for larger prices of a layer, or the solutions known do not tell",
    },
)
@given(st.integers(2, 12), st.integers(3, 12), st.floats(-12, -3), st.integers(0, 2**32 - 1))
def test_random_regularisations(statement, K, L, log_lam, seed):
    lams = list(10.0 ** (log_lam + np.random.default_rng(seed).uniform(-1, 1, L + 1)))
    floor = least(L, statement.layer() ** (L - 2) * statement.floor(K), lams)
    known = [dufm.dnc_loss(K, L, lams=lams)]
    if K > 2:
        known.append(dufm.rank_two(K, L, lams=lams).evaluate())
        product = float(statement.layer() ** (L - 2) * statement.price(K)) * np.prod(lams)
        stated = min(0.5, (L + 1) / 2 * product ** (1 / (L + 1)))
        require_at_most(known[1], stated, "a larger loss", K=K, L=L, lams=lams)
    if K > 5:
        known.append(dufm.srg_loss(K, L, lams=lams, construction="best"))
    require_at_most(floor, min(known) * (1 + 1e-6), "a solution is below", K=K, L=L, lams=lams)
    two = least(L, statement.layer() ** (L - 2) * statement.floor(2), lams)
    require_close(two, dufm.dnc_loss(2, L, lams=lams), "not the minimum for two classes", rtol=1e-6, L=L, lams=lams)
    # The limits, where they can be seen: at a depth of 2,000 and λ = 1e−30.
    deep = [np.log(dufm.dnc_loss(20, 2000, 1e-30)), np.log(dufm.srg_loss(28, 2000, 1e-30))]
    limits = [float(statement.collapse(20)), float(statement.graph(8))]
    for loss, classes, limit in zip(deep, (20, 28), limits, strict=True):
        bottom = np.log(2001 / 2) + (1998 * np.log(2) + np.log(2 * classes**2)) / 2001 + np.log(1e-30)
        require_close(loss - bottom, np.log(limit), "another limit", atol=0.02, classes=classes)


def least(L, constant, lams):
    """The least of the lower bound over u, on a grid in log u so fine that it is right to 1e-6."""
    log_cost = (np.log(float(constant)) + np.sum(np.log(lams))) / L
    s = np.linspace(-5, 400, 400_001)
    values = L / 2 * np.exp(log_cost + s / L) + 1 / (2 * (1 + np.exp(s)))
    return min(0.5, values.min())
