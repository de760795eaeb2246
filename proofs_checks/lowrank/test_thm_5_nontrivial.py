r"""When deep neural collapse is not trivial, and what Theorem 5 says when it is (lowrank, proof of Theorem 5).

$$
\mathcal L_{dnc} < \tfrac12 \iff n\,\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_L} < \frac{(L-1)^{L-1}}{K^{L+1}L^{2L}}.
$$

Where the least of the collapsed solution's loss is at scale 0, the proof passes over the theorem's inequality
$\mathcal L_{srg} < \mathcal L_{dnc}$ as trivial. There $\mathcal L_{dnc} = \tfrac12$, and the inequality holds only
up to a second threshold, that of the strongly regular graph: from there on it is false, as both losses are exactly 1/2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import comb, prod

import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Part, Statement, require, require_proved
from theory import certificate, coq, dufm, verified
from theory.geometry import triangular_graph

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Regime:
    """The statement's value.

    `threshold`: the product n λ_H1 ⋯ λ_WL at which L_dnc reaches ½, as a function of (K, L). `beyond`: given L_srg at
    or beyond that threshold, what L_srg must be like.
    """

    threshold: Callable
    beyond: Callable


def threshold(K, L):
    return sp.Integer(L - 1) ** (L - 1) / sp.Integer(K) ** (L + 1) / sp.Integer(L) ** (2 * L)


def srg_lower(srg):
    return srg < HALF


def srg_lower_or_equal(srg):
    return srg <= HALF


TEXT = (
    r"\mathcal L_{dnc} < \tfrac12 \iff n \lambda_{H_1} \lambda_{W_1} \cdots \lambda_{W_L} < (L-1)^{L-1} / "
    r"(K^{L+1} L^{2L}),"
    r"\quad \text{and where } \mathcal L_{dnc} = \tfrac12,\ "
)

claim = Claim(
    id="lowrank.thm-5.nontrivial",
    title="The non-trivial regime, and Theorem 5 outside it",
    source="lowrank, Appendix A.1, proof of Theorem 5: the remark on a minimum at 0, and the condition L_dnc < ½",
    verdict="amended",
    printed=Statement(TEXT + r"\mathcal L_{srg} < \mathcal L_{dnc} \text{ trivially}", Regime(threshold, srg_lower)),
    amended=Statement(
        TEXT + r"\mathcal L_{srg} \le \mathcal L_{dnc}, \text{ with } \mathcal L_{srg} < \tfrac12 \text{ on an "
        r"interval above the"
        r" threshold and } \mathcal L_{srg} = \mathcal L_{dnc} = \tfrac12 \text{ beyond it (K ≥ 6, L ≥ 4 or K "
        r"≥ 10, L = 3)}",
        Regime(threshold, srg_lower_or_equal),
    ),
    near_misses={
        "Kᴸ in place of Kᴸ⁺¹": Regime(lambda K, L: threshold(K, L) * K, srg_lower_or_equal),
        "Lᴸ in place of L²ᴸ": Regime(lambda K, L: threshold(K, L) * L**L, srg_lower_or_equal),
        "L_srg = ½ wherever L_dnc is": Regime(threshold, lambda srg: srg == HALF),
    },
    depends_on=["lowrank.thm-5", "lowrank.lemma-17", "lowrank.lemma-18"],
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


@claim.check("derived", covers=Instances("K = 2, 6, 10 and 77, L = 3, 4 and 5, all λ"))
def test_threshold_from_the_loss(statement):
    # The loss is below ½ at the scale u iff the product of the λs is below a function of u; the threshold is its
    # greatest value.
    u = sp.Symbol("u", positive=True)
    for L in (3, 4, 5):
        loss = dufm.symbolic_loss("dnc", L)
        K, alpha, last = loss.size, loss.last_scale, loss.lams[-1]
        fit = loss.terms["fit WL"].subs(alpha, u * K * last)
        norms = (loss.loss - loss.terms["fit WL"]).subs(alpha, u * K * last)
        power = (sp.Rational(1, 2) - fit) ** L / (norms**L / (loss.samples * sp.prod(loss.lams)))
        power = sp.simplify(sp.powsimp(sp.expand_power_base(power, force=True), force=True))
        (best,) = [x for x in sp.solve(sp.diff(sp.log(power), u), u) if x.is_positive]
        require(best == L - 1, "the threshold is attained elsewhere", L=L, u=best)
        # It is the only stationary point and the function, u^{L−1}/(1+u)^L up to a factor, is 0 at both ends.
        supremum = power.subs(u, best)
        for classes in (2, 6, 10, 77):
            exact = sp.nsimplify(supremum.subs(K, classes))
            require(sp.simplify(exact - statement.threshold(classes, L)) == 0, "the threshold differs", K=classes, L=L)
    require_beyond(statement, trivial_example(6, 4))
    require_beyond(statement, window_example(6, 4))


def require_beyond(statement, example):
    problem, srg = example
    require(statement.beyond(srg), "L_dnc = ½, and L_srg is otherwise", **problem, srg=srg)


def trivial_example(K, L):
    """λ = 1, where Sturm's theorem certifies that zero is optimal for both solutions."""
    r, _ = triangular_graph.triangular_order(K)
    eigenvalues, multiplicities = triangular_graph.last_layer_gram_spectrum(r)
    weights = [Fraction(m, comb(r, 2)) for m in multiplicities]
    x = (r - 1) * (r - 2)
    nuclear = 2 + x + 2 * int(sp.integer_nthroot(2 * x, 2)[0])  # at most S_r²
    power = Fraction(K**3 * nuclear * r ** (L - 3), 2)  # at most κ^L
    kappa = Fraction(int(sp.integer_nthroot(int(power), L)[0]))
    assert certificate.zero_is_optimal(L, kappa, weights, eigenvalues).verify()
    return {"K": K, "L": L, "lam": 1}, HALF


def window_example(K, L):
    """A regularisation above the threshold at which matrices of SRG form have a loss below ½, exactly."""
    product = Fraction(int(threshold(K, L).p), int(threshold(K, L).q)) * Fraction(21, 20)
    lams = [Fraction(1, 30)] * L
    lams.append(product / prod(lams))
    r, _ = triangular_graph.triangular_order(K)
    return {"K": K, "L": L, "lams": [*map(str, lams)]}, dufm.exact_loss(dufm.rational_srg(r, lams), lams)


@claim.check("exact", covers=Instances("K = 6, 10, 15, L ≤ 5, within 1e-6 of the threshold on both sides"))
def test_sturm_certificates_on_both_sides(statement):
    for K in (6, 10, 15):
        for L in (3, 4, 5) if K > 6 else (4, 5):
            stated = statement.threshold(K, L)
            power = Fraction(int(stated.p), int(stated.q)) * K ** (L + 1)  # κ^L
            for factor, optimal in ((Fraction(10**6 + 1, 10**6), True), (Fraction(10**6 - 1, 10**6), False)):
                scale = 10**12
                kappa = Fraction(int(sp.integer_nthroot(int(power * factor * scale**L), L)[0]), scale)
                proved = certificate.zero_is_optimal(L, kappa, [Fraction(1)], [1]).verify()
                require(proved == optimal, "zero is optimal on the wrong side", K=K, L=L, kappa=float(kappa))
            require_beyond(statement, trivial_example(K, L))
            require_beyond(statement, window_example(K, L))


@claim.check("kernel", covers=Part("that no scale beats zero, in the instances of the exact check"))
def test_certificates_by_the_kernel(statement):
    with verified.verified_certificates() as found:
        test_sturm_certificates_on_both_sides(statement)
    require_proved(claim, coq.script(coq.translate_all(found)))


@claim.check(
    "enclosed", covers=Instances("five (K, L) up to K = 45, factors 0.999, 1.001, 20 and 10⁶ of the threshold")
)
def test_enclosures_on_both_sides(statement):
    for K, L in ((6, 4), (10, 3), (12, 4), (28, 3), (45, 6)):
        stated = statement.threshold(K, L)
        product = Fraction(int(stated.p), int(stated.q))
        lams = [Fraction(1, 100)] * L
        for factor in (Fraction(999, 1000), Fraction(1001, 1000), Fraction(20), Fraction(10**6)):
            problem = [*lams, product * factor / prod(lams)]
            srg, dnc = (dufm.enclose_loss(solution, K, L, lams=problem) for solution in ("srg", "dnc"))
            if factor < 1:
                require(dnc.upper < HALF, "DNC is trivial below the threshold", K=K, L=L, dnc=dnc.lower)
            else:
                require(dnc.lower == HALF, "DNC is not trivial above the threshold", K=K, L=L, dnc=dnc.upper)
                require(statement.beyond(srg.upper), "L_dnc = ½, and L_srg is otherwise", K=K, L=L, srg=srg.upper)


@claim.check(
    "property",
    covers=Instances("6 ≤ K ≤ 60, L ≤ 8, n ≤ 9, from 12 % off the threshold to a factor 1000, drawn at random"),
)
@given(st.integers(6, 60), st.integers(3, 8), st.integers(-30, 30), st.integers(1, 9))
def test_random_problems(statement, K, L, tenths, n):
    if L == 3 and K < 10:
        return
    product = float(statement.threshold(K, L)) * 10 ** ((tenths + 0.5) / 10)
    lams = [0.03] * L
    lams.append(product / n / prod(lams))
    srg, dnc = (loss(K, L, lams=lams, n=n) for loss in (dufm.srg_loss, dufm.dnc_loss))
    require((dnc < 0.5) == (tenths < 0), "DNC is trivial on the wrong side", K=K, L=L, n=n, lams=lams, dnc=dnc)
    if dnc == 0.5:
        require(statement.beyond(srg), "L_dnc = ½, and L_srg is otherwise", K=K, L=L, n=n, lams=lams, srg=srg)
