r"""When deep neural collapse and the strongly regular graph are not trivial (lowrank, proof of Theorem 5).

Write $\Pi = n\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_L}$. Deep neural collapse is worth more than zero for
$\Pi < \Pi_{dnc}$, and the strongly regular graph, by the first construction of Definition 11 with r the greatest order
with $K_1 = r(r-1)/2\le K$ edges, for $\Pi < \Pi_{srg}$:

$$
\Pi_{dnc} = \frac{(L-1)^{L-1}}{K^{L+1}L^{2L}}, \qquad
\Pi_{srg} = \max_{v > 0} \frac{2K_1^{L-2}}{K^{L+1}L^L S_r^2 r^{L-3}\,v}\Bigl(1 - \frac{1/K_1}{1 + \binom{r-2}2^2v}
- \frac{2/r}{1 + (r-3)^2v} - \frac{(r-3)/(r-1)}{1 + v}\Bigr)^L, \qquad S_r = \sqrt2 + \sqrt{(r-1)(r-2)}.
$$

At its maximum v is a root of a polynomial; at r = 4, $\Pi_{srg} = \Pi_{dnc}/\varrho$, with ϱ of Theorem 5.

Where the least of the collapsed solution's loss is at scale 0, the proof passes over the theorem's inequality as
trivial. There $\mathcal L_{dnc} = \tfrac12$, and the inequality holds up to $\Pi_{srg} > \Pi_{dnc}$ only; from there on
both losses are 1/2. This is what refutes Theorem 5 as printed: one counterexample, not two.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import prod
from typing import NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from nct.ledger import Claim, Instances, Part, Statement, require, require_at_most, require_equal, require_proved
from theory import certificate, coq, dufm, verified
from theory.geometry import triangular_graph

HALF = Fraction(1, 2)


class Regime(NamedTuple):
    """The statement's value.

    `collapsed`: Π_dnc as a function of (K, L). `at`: what Π_srg is the maximum of, as a function of (K, r, L, v), times
    S_r² in `nuclear`. The losses are below 1/2 exactly where Π is below these.
    """

    collapsed: Callable
    at: Callable
    nuclear: Callable = lambda r: 2 + (r - 1) * (r - 2) + 2 * (2 * (r - 1) * (r - 2)) ** HALF

    def graph(self, K, L):
        """Π_srg, to 15 digits."""
        r, _ = triangular_graph.triangular_order(K)

        def value(log_v):
            return float(self.at(K, r, L, np.exp(log_v)) / self.nuclear(r))

        start = max(np.arange(-30, 10, 0.25), key=value)
        found = minimize_scalar(lambda x: -value(x), bounds=(start - 1, start + 1), method="bounded")
        return -found.fun


def collapsed(K, L):
    K, L = sp.sympify(K), sp.sympify(L)
    return (L - 1) ** (L - 1) / (K ** (L + 1) * L ** (2 * L))


def at(K, r, L, v, largest=2):
    K1 = r * (r - 1) / 2
    shares = ((2 / r / (r - 1), ((r - 2) * (r - 3) / 2) ** largest), (2 / r, (r - 3) ** 2), ((r - 3) / (r - 1), 1))
    gain = 1 - sum(w / (1 + e * v) for w, e in shares)
    return 2 * K1 ** (L - 2) / (K ** (L + 1) * L**L * r ** (L - 3) * v) * gain**L


true = Regime(collapsed, at)
DNC = r"(L-1)^{L-1} / (K^{L+1} L^{2L})"
SRG = (
    r"\frac{2(r(r-1)/2)^{L-2}}{K^{L+1} L^L (\sqrt2 + \sqrt{(r-1)(r-2)})^2 r^{L-3} v} \Bigl(1 - \frac{2/(r(r-1))}{1 + "
    r"\binom{r-2}2^2 v} - \frac{2/r}{1 + (r-3)^2 v} - \frac{(r-3)/(r-1)}{1 + v}\Bigr)^L"
)

claim = Claim(
    id="lowrank.thm-5.nontrivial",
    title="The non-trivial regimes of DNC and SRG",
    source="lowrank, Appendix A.1, proof of Theorem 5: the remark on a minimum at 0, and the condition L_dnc < ½",
    verdict="amended",
    printed=Statement(
        r"\mathcal L_{dnc} < \tfrac12 \iff \Pi < (L-1)^{L-1} / (K^{L+1} L^{2L}), \quad \text{and where } "
        r"\mathcal L_{dnc} = \tfrac12 \text{, Theorem 5 is trivial (read: its inequality } \mathcal L_{srg} < \mathcal "
        r"L_{dnc} \text{ is true)}",
        Regime(collapsed, lambda K, r, L, v: np.inf),
        formulas={DNC: lambda value, K=(6, 10, 12, 15), L=(3, 4, 5, 9): value.collapsed(K, L)},
    ),
    amended=Statement(
        r"\text{With } \Pi = n \lambda_{H_1} \lambda_{W_1} \cdots \lambda_{W_L} \text{ and } K_1 = r(r-1)/2 \le K, r "
        r"\text{ greatest, for } K \ge 6, L \ge 4 \text{ or } K \ge 10, L = 3:\ \mathcal L_{dnc} < \tfrac12 \iff \Pi < "
        r"\Pi_{dnc} = (L-1)^{L-1} / (K^{L+1} L^{2L}),\ \mathcal L_{srg} < \tfrac12 \iff \Pi < \Pi_{srg} = \max_{v>0} "
        r"\frac{2(r(r-1)/2)^{L-2}}{K^{L+1} L^L (\sqrt2 + \sqrt{(r-1)(r-2)})^2 r^{L-3} v} \Bigl(1 - \frac{2/(r(r-1))}{1 "
        r"+ \binom{r-2}2^2 v} - \frac{2/r}{1 + (r-3)^2 v} - \frac{(r-3)/(r-1)}{1 + v}\Bigr)^L,\ \Pi_{dnc} < \Pi_{srg};"
        r"\ \text{elsewhere they are exactly } \tfrac12",
        true,
        formulas={
            DNC: lambda value, K=(6, 10, 12, 15), L=(3, 4, 5, 9): value.collapsed(K, L),
            SRG: lambda value, K=(6, 12, 15, 16), r=(4, 5, 6, 6), L=(4, 3, 5, 9), v=(2, 7, 3): (
                value.at(K, r, L, v) / value.nuclear(r)
            ),
        },
    ),
    near_misses={
        "Kᴸ in place of Kᴸ⁺¹": Regime(lambda K, L: collapsed(K, L) * K, at),
        "Lᴸ in place of L²ᴸ": Regime(lambda K, L: collapsed(K, L) * L**L, at),
        "L_srg = ½ wherever L_dnc is": Regime(collapsed, lambda K, r, L, v: float(collapsed(K, L)), lambda r: 1),
        "1 in place of √2 in the nuclear norm": Regime(collapsed, at, lambda r: (1 + ((r - 1) * (r - 2)) ** HALF) ** 2),
        "the largest eigenvalue not squared": Regime(collapsed, lambda K, r, L, v: at(K, r, L, v, largest=1)),
    },
    depends_on=["lowrank.thm-5", "lowrank.thm-5.general-K", "lowrank.lemma-17", "lowrank.lemma-18"],
    counterexample_code=r"""
from math import sqrt

# K = 10 classes, one sample of each, L = 3, every λ = 1: four matrices, whose squared norms add up to s. As ReLU only
# shrinks, the prediction P has |P| ≤ |H₁||W₁||W₂||W₃| ≤ (s/4)², and |Y| = √10. So the loss is at least
#     1/2 − |P||Y|/10 + s/2,   and below 1/2 only if s < 1, where (s/4)² ≤ s/16.
gain, price = sqrt(10) / 10 / 4**2, 1 / 2  # for every unit of s
print(f"a loss below 1/2 would need {gain:.4f} > {price}: L_dnc = 1/2, and L_srg = 1/2 is not less")
assert gain < price
""",
)


@cache
def bounds():
    """What bounds Π where the loss is below ½ at the scale u, of DNC and of SRG: functions of u, K or r, and L.

    At the scale α_L = uKλ_WL the costs are Lt, with t^L proportional to Π, and the fit is a function of u alone: the
    loss is below ½ there exactly if t < (½ − fit)/L. SRG's is multiplied by S_r², which is the last in the tuple.
    """
    found, u = [], sp.Symbol("u", positive=True)
    for solution in ("dnc", "srg"):
        power, size, scale, L = dufm.symbolic_power(solution)
        loss = dufm.symbolic_loss(solution, 3)
        K = size if solution == "dnc" else size * (size - 1) / 2
        fit = loss.terms["fit WL"].subs(loss.last_scale, u * K * loss.lams[-1])
        found.append((sp.factor(sp.Rational(1, 2) - fit) / L) ** L / power.subs(scale, u * K))
    first = next(iter(loss.terms.values())).subs(dict.fromkeys((*loss.lams, loss.samples, *loss.scales), 1))
    return u, L, found[0], found[1] * first**2, first**2


@claim.check("derived", covers="all")
def test_thresholds_from_the_losses(statement):
    require_trivial(statement, 6, 4)
    # The thresholds are the greatest of the bounds, which vanish for u → 0 and u → ∞, as u^{L−1} and 1/u.
    u, L, dnc, srg, nuclear = bounds()
    K, r, s = dufm.symbolic_power("dnc")[1], dufm.symbolic_power("srg")[1], sp.Symbol("s", positive=True)
    (best,) = sp.solve(sp.together(sp.diff(logarithm(dnc), u)), u)
    require_equal(best, L - 1, "the threshold is attained elsewhere")
    require_equal(sp.simplify(logarithm(dnc.subs(u, best)) - logarithm(statement.collapsed(K, L))), 0, "another Π_dnc")
    # For the graph, L^L times either side is a factor times an L-th power: what agrees at L = 3 and 4 always does.
    require_equal(sp.simplify((nuclear - statement.nuclear(r)).subs(r, 2 + s)), 0, "another nuclear norm")
    K1 = r * (r - 1) / 2
    for layers in (3, 4):
        quotient = srg.subs(L, layers) / sp.factor(statement.at(K1, r, layers, u))
        require_equal(sp.cancel(sp.together(quotient)), 1, "another Π_srg", L=layers)
    # With K classes, a block is its share of them at the κ of the whole problem (`lowrank.thm-5.general-K`).
    share = statement.at(K, r, L, u) / statement.at(K1, r, L, u) * (K / K1) ** (L + 1)
    require_equal(sp.simplify(logarithm(share)), 0, "not the share")
    # At v = u/ϱ the bounds are in the ratio of the gains to the L-th power, of which Theorem 5's certificate says that
    # SRG's is larger: so is the maximum.
    assert certificate.strongly_regular_beats_collapse().verify()
    for K, L in ((6, 4), (10, 3), (12, 3), (45, 6)):
        require_at_most(1.001 * statement.collapsed(K, L), statement.graph(K, L), "Π_srg is not larger", K=K, L=L)


def logarithm(expression):
    return sp.expand(sp.expand_log(sp.log(expression), force=True))


def require_trivial(statement, K, L):
    """λ = 1: Sturm's theorem certifies that zero is optimal for both solutions."""
    for weights, eigenvalues, power in reduced(K, L, Fraction(1)):
        assert certificate.zero_is_optimal(L, root_below(power, L, 3), weights, eigenvalues).verify()
    stated = statement.graph(K, L) > 1
    require(not stated, "L_dnc = ½, and L_srg is not less", K=K, L=L, lam=1, srg=HALF)


def reduced(K, L, product):
    """What decides with K = r(r−1)/2: twice the loss is Lκx + Σ w_i/(1 + e_i x^L); w, e and κ^L, of DNC and of SRG."""
    r, _ = triangular_graph.triangular_order(K)
    eigenvalues, multiplicities = triangular_graph.last_layer_gram_spectrum(r)
    x = (r - 1) * (r - 2)
    nuclear = 2 + x + 2 * root_below(Fraction(2 * x), 2)  # S_r² from below, to 20 digits
    yield [Fraction(1)], [1], product * K ** (L + 1)
    yield [Fraction(m, K) for m in multiplicities], eigenvalues, product * K**3 * nuclear * r ** (L - 3) / 2


def root_below(power, L, digits=20):
    """A rational number just below the L-th root."""
    return Fraction(int(sp.integer_nthroot(int(power * 10 ** (digits * L)), L)[0]), 10**digits)


def below_half(L, kappa, weights, eigenvalues):
    """Whether some scale has a loss below ½, exactly: at rational points around the best one."""
    scales = np.exp(np.arange(-30, 10, 0.02))
    losses = L * float(kappa) * scales ** (1 / L) - sum(
        float(w) * e * scales / (1 + e * scales) for w, e in zip(weights, eigenvalues, strict=True)
    )
    start = float(scales[losses.argmin()]) ** (1 / L)
    for shift in range(-20, 21):
        x = Fraction(start * (1 + shift / 1000 / L)).limit_denominator(10**6)
        parts = (w * e * x**L / (1 + e * x**L) for w, e in zip(weights, eigenvalues, strict=True))
        if L * kappa * x < sum(parts):
            return True
    return False


@claim.check("exact", covers=Instances("K = 6, 10, 15, 21, L ≤ 5, within 1e-5 of both thresholds on both sides"))
def test_sturm_certificates_and_rational_scales_on_both_sides(statement):
    for K, L in [(K, L) for K in (6, 10, 15, 21) for L in (3, 4, 5) if K > 6 or L > 3]:
        require_trivial(statement, K, L)
        for which, stated in enumerate((statement.collapsed(K, L), statement.graph(K, L))):
            for side in (-1, 1):
                product = Fraction(float(stated)) * Fraction(10**5 + side, 10**5)
                weights, eigenvalues, power = list(reduced(K, L, product))[which]
                kappa = root_below(power, L, 8) + Fraction(side < 0, 10**8)  # κ from the side that proves it
                if side > 0:
                    found = certificate.zero_is_optimal(L, kappa, weights, eigenvalues).verify()
                else:
                    found = below_half(L, kappa, weights, eigenvalues)
                require_equal(found, True, "the wrong side", K=K, L=L, solution=("DNC", "SRG")[which], side=side)


@claim.check(
    "exact",
    covers=Instances("(K, L) = (6, 4), (10, 3), (15, 5), n = 2: matrices between the thresholds and 1e-5 below SRG's"),
    blind_to=dict.fromkeys(("Kᴸ in place of Kᴸ⁺¹", "Lᴸ in place of L²ᴸ"), "about SRG above DNC's true threshold"),
)
def test_rational_matrices_through_the_definition_of_the_loss(statement):
    for K, L in ((6, 4), (10, 3), (15, 5)):
        top = statement.graph(K, L)
        if top == np.inf:
            require_trivial(statement, K, L)
        for product in (Fraction(float(collapsed(K, L))), Fraction(top) * Fraction(99999, 100000)):
            lams = spread(product / 2, L)
            r, _ = triangular_graph.triangular_order(K)
            loss = HALF
            if dufm.srg(K, L, lams=lams, n=2).nontrivial:
                loss = dufm.exact_loss(dufm.rational_srg(r, lams, 2), lams, 2)
            require_equal(
                loss < HALF, product < top, "the wrong side", K=K, L=L, loss=float(loss), product=float(product)
            )
        # As little above, no matrices of this form: their gain over ½ would have to be the float loss's.
        lams = spread(Fraction(top) * Fraction(100001, 100000) / 2, L)
        require_equal(dufm.srg_loss(K, L, lams=lams, n=2), 0.5, "SRG is below ½ above its threshold", K=K, L=L)


def spread(product, L):
    """L+1 unequal regularisations with the given product."""
    first = [Fraction(1 + i % 3, 50 * (1 + i % 2)) for i in range(L)]
    return [*first, product / prod(first)]


@claim.check(
    "kernel",
    covers=Part(
        "Theorem 5’s polynomials, and that no scale beats zero 1e-5 above the thresholds and at λ = 1, for K = 6, 10, "
        "15, 21 and L ≤ 5"
    ),
)
def test_certificates_by_the_kernel(statement):
    with verified.verified_certificates() as found:
        test_thresholds_from_the_losses(statement)
        test_sturm_certificates_and_rational_scales_on_both_sides(statement)
    require_proved(claim, coq.script(coq.translate_all(found)))


@claim.check(
    "enclosed",
    covers=Instances("seven (K, L) up to K = 45, triangular or not: 0.999 and 1.001 of both thresholds, and 10⁶ times"),
)
def test_enclosures_on_both_sides(statement):
    for K, L in ((6, 4), (7, 5), (10, 3), (12, 4), (14, 3), (28, 3), (45, 6)):
        thresholds = [float(t) for t in (statement.collapsed(K, L), statement.graph(K, L))]
        for threshold in thresholds:
            start = threshold if threshold < np.inf else thresholds[0]
            for factor in ("0.999", "1.001", "1000000"):
                product = Fraction(start) * Fraction(factor)
                for solution, stated in zip(("dnc", "srg"), thresholds, strict=True):
                    loss = dufm.enclose_loss(solution, K, L, lams=spread(product, L))
                    found = (loss.upper < HALF) if product < stated else (loss.lower == HALF)
                    require_equal(found, True, "the wrong side", K=K, L=L, solution=solution, loss=float(loss.lower))


@claim.check(
    "property",
    covers=Instances("6 ≤ K ≤ 60, L ≤ 8, n ≤ 9, 50 drawn: off a threshold by a factor 1 ± 10⁻⁵ to 1 ± 1, or 1000"),
)
@given(
    st.integers(6, 60),
    st.integers(3, 8),
    st.booleans(),
    st.sampled_from([-1, 1]),
    st.integers(0, 50),
    st.integers(1, 9),
)
def test_random_problems(statement, K, L, at_graph, side, tenths, n):
    if L == 3 and K < 10:
        return
    thresholds = [float(t) for t in (statement.collapsed(K, L), statement.graph(K, L))]
    start = thresholds[at_graph and thresholds[1] < np.inf]
    product = start * max(1 + side * 10 ** (-tenths / 10), 1e-3)
    if thresholds[1] == np.inf:
        product *= 1000
    lams = [0.03] * L
    lams.append(product / n / prod(lams))
    for loss, stated in zip((dufm.dnc_loss, dufm.srg_loss), thresholds, strict=True):
        found = loss(K, L, lams=lams, n=n)
        require_equal(found < 0.5, product < stated, "the wrong side", K=K, L=L, n=n, lams=lams, loss=found)
