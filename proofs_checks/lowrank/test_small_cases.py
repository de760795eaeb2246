r"""From how many classes on the strongly regular graph beats deep neural collapse (lowrank, Theorem 5 and Section 6.1).

SRG beats DNC from K = 6 for $L\ge4$ and from K = 10 for L = 3, and not before: so it is printed, of Theorem 5's range
and, for L = 3, of smaller K. It is meant where DNC is not trivial ($\mathcal L_{dnc}<\tfrac12$).

Definition 11 has two constructions for K that is no triangular number. With the first (*block*) the statement holds,
for every regularisation. At r = 4 all eigenvalues of the last layer are 1, so that SRG's loss is DNC's loss for
another regularisation:

$$
\mathcal L_{srg}(K{=}6, L; \Pi) = \mathcal L_{dnc}(K{=}6, L; \varrho\,\Pi), \qquad
\varrho = \tfrac{2+\sqrt3}{3}\bigl(\tfrac23\bigr)^{L-3}, \quad \Pi = n\lambda_{H_1}\cdots\lambda_{W_L},
$$

and ϱ > 1 exactly for L = 3. With the second (*drop*) SRG wins earlier: for L = 3 at K = 9 for every regularisation
tried, from the threshold to 10⁻²⁴ of it, and at K = 8 on an interval below the threshold; and for deep networks at K
= 5. The statement for the first construction is certified for every regularisation, that for the second is checked at
several.
"""

from fractions import Fraction
from math import comb, prod

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Statement, require
from theory import certificate, dufm
from theory.geometry import triangular_graph

EVERYWHERE, SOMEWHERE, NOWHERE = "everywhere", "somewhere", "nowhere"


def from_on(three_layers, more_layers):
    """Lower for every non-trivial regularisation from a number of classes on, and for none before."""
    return lambda construction, K, L: EVERYWHERE if K >= (three_layers if L == 3 else more_layers) else NOWHERE


def by_construction(construction, K, L):
    if construction == "best" and L == 3 and K in (8, 9):
        return SOMEWHERE if K == 8 else EVERYWHERE
    if construction == "best" and K == 5 and L >= 6:
        return SOMEWHERE if L == 6 else EVERYWHERE
    return from_on(10, 6)(construction, K, L)


claim = Claim(
    id="lowrank.small-cases",
    title="The least K from which SRG beats DNC",
    source="lowrank, Theorem 5, and Section 6.1 on the impact of the number of classes and depth",
    verdict="amended",
    printed=Statement(
        r"\mathcal L_{srg} < \mathcal L_{dnc} \text{ from } K = 6 \ (L \ge 4) \text{ and from } K = 10 \ (L = "
        r"3) \text{ on, and}"
        r" \text{ for no smaller } K, \text{ wherever } \mathcal L_{dnc} < \tfrac12",
        from_on(10, 6),
    ),
    amended=Statement(
        r"\text{So with the block construction of Definition 11. With its second construction also, at the "
        r"regularisations tried: for } L = 3,\ K = 9"
        r" \text{ everywhere and } K = 8 \text{ on an interval; for } K = 5,\ L = 6 \text{ but close to the "
        r"threshold, and"
        r" for } K = 5,\ 7 \le L \le 8 \text{ everywhere}",
        by_construction,
    ),
    near_misses={
        "K = 6 for L = 3 too": lambda c, K, L: by_construction(c, max(K, 10) if K >= 6 else K, L),
        "K = 10 for L = 4 too": lambda c, K, L: NOWHERE if L == 4 and K < 10 else by_construction(c, K, L),
        "K = 15 for L = 3": lambda c, K, L: NOWHERE if L == 3 and K < 15 else by_construction(c, K, L),
    },
    depends_on=["lowrank.thm-5", "lowrank.thm-5.nontrivial", "lowrank.thm-5.general-K"],
)


def require_verdict(statement, construction, K, L, lower, **problems):
    """`lower`: whether SRG was lower at each of some regularisations."""
    stated = statement(construction, K, L)
    where = {"construction": construction, "K": K, "L": L}
    if stated == EVERYWHERE:
        require(all(lower), "SRG is not lower everywhere", **where, **problems)
    elif stated == NOWHERE:
        require(not any(lower), "SRG is lower somewhere", **where, **problems)
    else:
        require(any(lower) and not all(lower), "SRG is lower everywhere or nowhere", **where, **problems)


@claim.check("exact")
def test_block_construction_for_every_regularisation(statement):
    # K = 6, …, 9: the block has r = 4, and ϱ decides, whatever the regularisation. The rest is collapsed in both
    # solutions.
    eigenvalues, _ = triangular_graph.last_layer_gram_spectrum(4)
    require(set(eigenvalues) == {1}, "not the spectrum of an orthogonal frame")
    nuclear = (sp.sqrt(2) + sp.sqrt(3 * 2)) ** 2  # ‖T_4‖_*²: eigenvalues 2 once and 2/3 thrice, times r−1 = 3
    for L in range(3, 9):
        cost = sp.expand(nuclear * 4 ** (L - 3) / (2 * sp.Integer(6) ** (L - 2)))
        require(sp.simplify(cost - (2 + sp.sqrt(3)) / 3 * sp.Rational(2, 3) ** (L - 3)) == 0, "ϱ differs", L=L)
        for K in range(6, 10):
            require_verdict(statement, "block", K, L, [bool(cost < 1)], rho=float(cost))
    # K ≥ 10: r ≥ 5, and the certificate of Theorem 5 holds for every scale.
    assert certificate.strongly_regular_beats_collapse().verify()
    for L in range(3, 9):
        for K in range(10, 22):
            require_verdict(statement, "block", K, L, [True])
    # The second construction, by matrices.
    for L in range(3, 9):
        for K in (4, 5, 7, 8, 9):
            if K < 6 or L == 3:
                compared = dropped(K, L)
                lower = [srg < dnc for _, srg, dnc in compared]
                shown = [f"u = {u}: {float(srg):.6f} and {float(dnc):.6f}" for u, srg, dnc in compared]
                require_verdict(statement, "best", K, L, lower, compared=shown)


def dropped(K, L):
    """The loss of rational matrices of the second construction, and L_dnc, both exact, at some regularisations.

    u is DNC's scale, with which its loss is rational: u = L−1 is the threshold, u → ∞ as the regularisation goes to 0.
    """
    _, r = triangular_graph.triangular_order(K)
    surplus = comb(r, 2) - K
    kept = [*range(r - 1 - surplus), *range(r - 1, comb(r, 2))]  # without edges at one vertex
    results = []
    for u in (Fraction(101 * (L - 1), 100), Fraction(27 * (L - 1), 20), Fraction(50), Fraction(10**6)):
        product = u ** (L - 1) / (1 + u) ** (2 * L) / K ** (L + 1)
        lams = [Fraction(1, 40)] * L
        lams.append(product / prod(lams))
        srg = Fraction(1, 2)  # where zero is optimal for all r(r−1)/2 classes
        if dufm.srg(comb(r, 2), L, lams=lams).nontrivial:
            srg = dufm.exact_loss(dufm.rational_srg(r, lams, classes=kept), lams)
        results.append((u, srg, ((L + 1) * u + 1) / (2 * (1 + u) ** 2)))
    return results


@claim.check("enclosed")
def test_enclosures_below_the_threshold(statement):
    for L in (3, 4, 6):
        for K in (6, 7, 8, 9, 10, 14, 15):
            top = np.exp(float(sp.log((L - 1) ** (L - 1)) - (L + 1) * np.log(K) - 2 * L * np.log(L)) / (L + 1))
            low, high = dufm.enclose_ratio_over(K, L, (top * 1e-8, top * 0.97), width="0.004")
            require(low > 1 or high < 1, "neither solution is lower throughout", K=K, L=L, low=low, high=high)
            require_verdict(statement, "block", K, L, [high < 1], low=low, high=high)
            several = [dufm.enclose_ratio(K, L, top * x, digits=8, construction="best") for x in (1e-6, 0.84, 0.995)]
            assert all(b.lower > 1 or b.upper < 1 for b in several)
            require_verdict(
                statement, "best", K, L, [b.upper < 1 for b in several], ratios=[float(b.lower) for b in several]
            )


@claim.check("property")
@given(
    st.integers(7, 11),
    st.integers(3, 4),
    st.sampled_from(["block", "best"]),
    st.integers(1, 2),
    st.integers(0, 99),
)
def test_float_matrices_through_the_definition_of_the_loss(statement, K, L, construction, n, seed):
    threshold = (L - 1.0) ** (L - 1) / float(K) ** (L + 1) / float(L) ** (2 * L) / n
    rng = np.random.default_rng(seed)
    lower, witness = [], []
    for factor in (1e-20, 0.5):
        lams = 10.0 ** rng.uniform(-2, 2, L + 1)
        lams[-1] = threshold * factor / np.prod(lams[:-1])
        srg = dufm.srg(K, L, lams=lams, n=n, construction=construction).evaluate()
        dnc = dufm.dnc(K, L, lams=lams, n=n).evaluate()
        lower.append(srg < dnc)
        witness.append((factor, srg / dnc))
    require_verdict(statement, construction, K, L, lower, n=n, ratios=witness)
