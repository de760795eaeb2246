r"""The asymptotic ratio of the losses as the number of classes grows (lowrank, Theorem 5, equation (3)).

For K → ∞ with $\mathcal L_{dnc}<\tfrac12$ for every problem,

$$
\mathcal L_{srg}/\mathcal L_{dnc} = O\bigl(K^{(3-L)/(2(L+1))}\bigr).
$$

The exponent is sharp, and the bound is uniform: with $x_K = (2/K)^{(L-3)/(2(L+1))}$ and *every* such regularisation,

$$
\frac{\mathcal L_{srg}}{\mathcal L_{dnc}} \le \tfrac43 x_K \quad (K = r(r-1)/2 \ge 6), \qquad
\limsup_K \frac{\mathcal L_{srg}}{x_K\mathcal L_{dnc}} \le c_L =
\frac{L+1}{L}\Bigl(\frac{(L-1)^{L-1}}{L^{L-1}}\Bigr)^{1/(L+1)},
$$

with 4/3 for all L at once, and $c_L = 1.09, 1.05, 1.03, \dots$ for L = 3, 4, 5, …. For fixed $L\ge4$ and a fixed DNC
scale u the limit exists; it is $(L+1)u^{(L-1)/(L+1)}(1+u)^{2/(L+1)}/((L+1)u+1)$, from $c_L$ at the threshold (u =
L−1) down to 1 for vanishing regularisation. For L = 3 the exponent is 0 and the ratio tends to 1: there the gap does
not grow with K.
"""

from fractions import Fraction
from functools import cache
from math import comb, log10

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import (
    Claim,
    Instances,
    Part,
    Statement,
    require,
    require_at_most,
    require_close,
    require_equal,
    require_proved,
)
from theory import certificate, coq, dufm, verified
from theory.geometry import triangular_graph

R = sp.Symbol("r", positive=True)

claim = Claim(
    id="lowrank.thm-5.rate",
    title="Rate of L_srg / L_dnc in K",
    source="lowrank, Theorem 5, equation (3), and the end of its proof (Appendix A.1)",
    verdict="holds",
    printed=Statement(
        r"\mathcal L_{srg} / \mathcal L_{dnc} = O\bigl(K^{(3-L)/(2(L+1))}\bigr) \text{ for } K \to \infty \text{ with }"
        r" \mathcal L_{dnc} < \tfrac12 \text{ for each problem}",
        lambda L: Fraction(3 - L, 2 * (L + 1)),
        formulas={"(3-L)/(2(L+1))": lambda value, L=(3, 4, 7, 12): value(int(L))},
    ),
    near_misses={
        "(2−L)/(2(L+1))": lambda L: Fraction(2 - L, 2 * (L + 1)),
        "(3−L)/(2L)": lambda L: Fraction(3 - L, 2 * L),
        "(3−L)/(L+1)": lambda L: Fraction(3 - L, L + 1),
    },
    depends_on=["lowrank.thm-5", "lowrank.thm-5.nontrivial", "lowrank.thm-5.general-K"],
)


@cache
def relative_cost(L):
    """ϱ(r, L), from the derived pieces: the ratio of SRG's norms to DNC's at equal scale, to the L-th power."""
    srg, dnc = (dufm.symbolic_loss(solution, L) for solution in ("srg", "dnc"))
    products = []
    for loss, size in ((srg, R), (dnc, R * (R - 1) / 2)):
        first, *others, _ = loss.terms.values()
        product = sp.prod([(first / 2) ** 2, *others]) / sp.prod(loss.lams) / loss.samples
        products.append(product.subs({loss.last_scale: 1, loss.size: size}))
    return sp.simplify(products[0] * srg.lams[L] / (products[1] * dnc.lams[L]))


@claim.check("derived", covers="all")
def test_exponent_for_every_depth(statement):
    # As in the check below, for a symbolic L: the ratio is at most c·(ϱA)^{1/(L+1)}, with A ≤ 1 as all e_i ≥ 1, and c
    # falls with DNC's scale u from L − 1 on. Each further layer multiplies ϱ by the same 2/(r−1): it is enough that
    # ϱ(r, 3) tends to 1, and √K·2/(r−1) to √2.
    (srg, r, _, L), (dnc, size, _, _) = (dufm.symbolic_power(solution) for solution in ("srg", "dnc"))
    u, v = sp.symbols("u v", positive=True)
    kappa = u ** (1 - 1 / L) / (1 + u) ** 2  # κ of the problem in which u is stationary for DNC
    slope = sp.diff(L * kappa * v ** (1 / L) + 1 / (1 + v), v).subs(v, u)
    require_equal(sp.simplify(slope), 0, "DNC's scale differs")
    least = (L + 1) * kappa ** (L / (L + 1))  # of Lκv^{1/L} + 1/v, at v = κ^{−L/(L+1)}
    log_c = sp.expand_log(sp.log(least / (L * kappa * u ** (1 / L) + 1 / (1 + u))), force=True)
    fall = sp.simplify(sp.diff(log_c, u) * (L + 1) * u * (1 + u) * ((L + 1) * u + 1))
    require_equal(sp.expand(sp.simplify(fall - (L - 1) + (L + 1) * u)), 0, "c does not fall from (L−1)/(L+1) on")
    assert all(step.verify() for step in certificate.strongly_regular_beats_collapse().eigenvalues)
    K = r * (r - 1) / 2
    first = (srg / dnc.subs(size, K)).subs(L, 3)
    layer = sp.simplify((srg / dnc.subs(size, K)).subs(L, 4) / first)
    require_equal(sp.limit(nicer(first.subs(r, R)), R, sp.oo), 1, "the first limit differs")
    require_equal(sp.limit(layer * sp.sqrt(r * (r - 1) / 2), r, sp.oo), sp.sqrt(2), "the limit of a layer differs")
    # So ϱA is of the order K^{−(L−3)/2}, whatever L is. Both sides are linear in L: two depths decide, three are tried.
    for layers in (3, 4, 40):
        stated = (layers + 1) * statement(layers)
        require_at_most(Fraction(3 - layers, 2), stated, "the ratio falls more slowly", L=layers)
        require_equal(stated, Fraction(3 - layers, 2), "another exponent", L=layers)
    # For other K, at most r − 1 more classes collapse with ratio 1 (`lowrank.thm-5.general-K`), a share of them of the
    # order K^{−1/2}, which no exponent (3−L)/(2(L+1)) is below, as L − 3 < L + 1.
    require_equal(sp.limit((r - 1) / K * sp.sqrt(K), r, sp.oo), sp.sqrt(2), "another share of the classes")


@claim.check("derived", covers=Part("L = 3, 4 and 6, K = r(r−1)/2"))
def test_exponent_from_the_losses(statement):
    # With A = Σ w_i/e_i, SRG's loss is at most min_u (L/2)κϱ^{1/L}u^{1/L} + A/(2u), as 1/(1 + eu) < 1/(eu); DNC's, at
    # its scale u ≥ L−1, is that minimum with ϱ = A = 1 divided by c(u).
    u, kappa, rho, A = sp.symbols("u kappa rho A", positive=True)
    K = R * (R - 1) / 2
    inverse = 1 / K / (((R - 2) * (R - 3) / 2) ** 2) + 2 / R / (R - 3) ** 2 + (R - 3) / (R - 1)
    for L in (3, 4, 6):
        best = (A / (kappa * rho ** sp.Rational(1, L))) ** sp.Rational(L, L + 1)
        bound = sp.Rational(L, 2) * kappa * (rho * u) ** sp.Rational(1, L) + A / (2 * u)
        slope = sp.diff(bound, u).subs(u, best)
        least = sp.Rational(L + 1, 2) * (kappa**L * rho * A) ** sp.Rational(1, L + 1)
        require_equal(sp.simplify(slope), 0, "not stationary", L=L)
        require_equal(sp.simplify(bound.subs(u, best) / least), 1, "not the minimum", L=L)

        at_scale = u ** (1 - sp.Rational(1, L)) / (1 + u) ** 2  # κ of the problem in which u is stationary for DNC
        dnc = sp.Rational(L, 2) * at_scale * u ** sp.Rational(1, L) + 1 / (2 * (1 + u))
        c = least.subs({kappa: at_scale, rho: 1, A: 1}) / dnc
        slope = sp.simplify(sp.diff(sp.log(c), u) * (L + 1) * u * (1 + u) * ((L + 1) * u + 1))
        require_equal(sp.expand(slope), sp.expand(L - 1 - (L + 1) * u), "c does not fall from u = (L−1)/(L+1) on", L=L)
        largest = sp.Rational(L + 1, L) * (sp.Rational(L - 1, L) ** (L - 1)) ** sp.Rational(1, L + 1)
        require_close(sp.N(c.subs(u, L - 1), 30), sp.N(largest, 30), "the constant differs", rtol=1e-25, L=L)
        require_equal(sp.limit(c, u, sp.oo), 1, "the constant for vanishing regularisation differs", L=L)

        # So the ratio is at most c·(ϱA)^{1/(L+1)}. That has K's power of the statement, or a lower one, if this is
        # finite.
        exponent = sp.Rational(*statement(L).as_integer_ratio()) * (L + 1)
        limit = sp.limit(nicer(relative_cost(L)) * inverse / K**exponent, R, sp.oo)
        require(limit.is_finite, "the ratio falls more slowly", L=L, limit=limit)
        require_equal(limit, 2 ** sp.Rational(L - 3, 2), "the limit differs", L=L)


def nicer(cost):
    """The nuclear norm in `cost` with one root instead of three, which SymPy's limits need."""
    root = sp.sqrt((R - 2) / (R - 1))
    return cost.subs(root, sp.sqrt(1 - 1 / (R - 1)))


@claim.check("exact", covers=Part("K = r(r−1)/2 and 3 ≤ L ≤ 8"))
def test_certificate_of_a_uniform_bound(statement):
    # A ≤ 1 and ϱ(r, L) ≤ (r+1)/r·(2/(r−1))^{L−3} by the certificate of Theorem 5. With q the denominator of (L+1)
    # times the stated exponent, (2/K)^{−exponent} bounds the (L+1)-th root of that, up to the constant C that makes it
    # so at r = 4, if C·(2/K)^{−exponent·q(L+1)} − ((r+1)/r)^q (2/(r−1))^{q(L−3)} ≥ 0 for all r ≥ 4.
    proof = certificate.strongly_regular_beats_collapse()
    assert all(step.verify() for step in (proof.nuclear_norm, *proof.eigenvalues))
    r = sp.Symbol("r")
    for L in range(3, 9):
        q = ((L + 1) * statement(L)).denominator
        power = int(-statement(L) * q * (L + 1))
        ours = (4 / (r * (r - 1))) ** power
        theirs = ((r + 1) / r) ** q * (2 / (r - 1)) ** (q * (L - 3))
        C = theirs.subs(r, 4) / ours.subs(r, 4)
        numerator, denominator = sp.fraction(sp.together(C * ours - theirs))
        polynomials = [sp.Poly(sp.expand(p), r) for p in (numerator, denominator)]
        sign = 1 if polynomials[1].eval(4) > 0 else -1
        for p, strict in zip(polynomials, (False, True), strict=True):
            name = "denominator" if strict else "numerator"
            step = certificate.ShiftCertificate.of(
                f"the bound less the ratio, L = {L}: {name}", sign * p, {r: 4}, strict=strict
            )
            require(step.verify(), "the bound is not certified", L=L, exponent=statement(L))
        root = float(C) ** (1 / (q * (L + 1))) * largest_constant(L)
        require_at_most(root, 4 / 3, "the constant is above 4/3", strict=True, L=L)


@claim.check("kernel", covers=Part("the polynomial inequalities of the uniform bound, 3 ≤ L ≤ 8"))
def test_certificates_by_the_kernel(statement):
    with verified.verified_certificates() as found:
        test_certificate_of_a_uniform_bound(statement)
    require_proved(claim, coq.script(coq.translate_all(found)))


def largest_constant(L):
    return (L + 1) / L * ((L - 1) / L) ** ((L - 1) / (L + 1))


def stated_bound(statement, K, L):
    """4/3·(2/K)^{−exponent}, and for other K the classes that collapse on top."""
    below, _ = triangular_graph.triangular_order(K)
    K1 = comb(below, 2)
    return 4 / 3 * (2 / K1) ** -float(statement(L)) + (K - K1) / K


def collapsed_at(u, K, L):
    """The regularisation λ, a decimal string, for which DNC's best scale is close to u."""
    exponent = ((L - 1) * log10(u) - 2 * L * log10(1 + u) - (L + 1) * log10(K)) / (L + 1)
    return f"{10 ** (exponent % 1):.15f}e{int(exponent // 1)}"


@claim.check(
    "enclosed",
    covers=Instances("L = 4, 5, 8, 20, r = 4 to 1.4 million, three scales of DNC; the limits at L = 3 and 4 for three"),
)
def test_enclosures_up_to_a_trillion_classes(statement):
    for L in (4, 5, 8, 20):
        for r in (4, 5, 30, 1000, 1_400_000):
            K = comb(r, 2)
            for u in (1.0001 * (L - 1), 3.0 * L, 1e9):
                for classes in (K, K + r // 2):
                    ratio = dufm.enclose_ratio(classes, L, collapsed_at(u, classes, L), digits=10)
                    bound = stated_bound(statement, classes, L)
                    require_at_most(float(ratio.upper), bound, "above the bound", K=classes, L=L, u=u)
    # The limits at a fixed scale of DNC, L = 4 and L = 3.
    for u in (3.0001, 10.0, 1e6):
        limit = 5 * u**0.6 * (1 + u) ** 0.4 / (5 * u + 1)
        for L, wanted in ((4, limit), (3, 1.0)):
            gaps = []
            for r in (1000, 30_000, 1_000_000):
                K = comb(r, 2)
                ratio = dufm.enclose_ratio(K, L, collapsed_at(max(u, 2.0001), K, L), digits=10).lower
                gaps.append(abs(float(ratio) * (2 / K) ** float(statement(L)) / wanted - 1))
            require_at_most(
                np.array(gaps[1:]), np.array(gaps[:-1]), "no convergence to the limit", strict=True, L=L, u=u
            )
            require_at_most(gaps[2], 0.01, "another limit", strict=True, L=L, u=u, gaps=gaps)


@claim.check(
    "property",
    covers=Instances("K from 7 to 10¹², 3 ≤ L ≤ 12, 50 drawn: DNC's scale log-uniform, (L−1) times 1.002 to 10⁹"),
)
@given(st.integers(0, 1100), st.integers(3, 12), st.floats(1e-3, 9))
def test_random_problems(statement, hundredths, L, log_scale):
    K = int(10 ** (0.9 + hundredths / 100))
    lam = collapsed_at((L - 1) * 10**log_scale, K, L)
    ratio = dufm.loss_ratio(K, L, lam)
    if K >= (10 if L == 3 else 6):
        require_at_most(ratio, stated_bound(statement, K, L), "above the bound", K=K, L=L, lam=lam)
