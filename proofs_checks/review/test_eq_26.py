r"""The critical points of the cross-entropy with weight decay in two sets (review, equation 26).

$\mathcal C_1$ has the critical points with $\lVert\nabla_Zg\rVert_2\le\sqrt{\lambda_A\lambda_F}$ and $\mathcal C_2$
those with >: disjoint, and together all. It is said that the points of $\mathcal C_1$ are global minima (eq-25). The
boundary matters: the collapsed global minima have *equality*, with all K − 1 singular values. Neither set is empty for
$nK^2\lambda_A\lambda_F<1$ and $m\ge K-1$: the origin is in $\mathcal C_2$.

Reading: the spectral norm. With the Frobenius norm the sets would be disjoint as well, with the global minima of K ≥
3 in the second, where eq-27 finds negative curvature.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_equal
from theory.ufm import cross_entropy


class Split(NamedTuple):
    """Which norms, over √(λ_Aλ_F), are those of the first set and which those of the second."""

    first: Callable[[Fraction], bool]
    second: Callable[[Fraction], bool]


claim = Claim(
    id="review.eq-26",
    title="Two disjoint sets of critical points",
    source="review, equation 26",
    verdict="holds",
    printed=Statement(
        r"\mathcal C = \{\nabla R_{CEr} = 0\} = \mathcal C_1 \cup \mathcal C_2,\ \mathcal C_1 \cap \mathcal C_2 = "
        r"\emptyset,"
        r"\ \mathcal C_1 = \mathcal C \cap \{\lVert\nabla_{Z} g\rVert_2 \le \sqrt{\lambda_A\lambda_F}\},\ "
        r"\mathcal C_2 = \mathcal C \cap \{\lVert\nabla_{Z} g\rVert_2 > \sqrt{\lambda_A\lambda_F}\}; "
        r"\ \mathcal C_1 \text{ are global minima}",
        Split(lambda x: x <= 1, lambda x: x > 1),
    ),
    near_misses={
        "strict in both": Split(lambda x: x < 1, lambda x: x > 1),
        "equality in both": Split(lambda x: x <= 1, lambda x: x >= 1),
        "equality in the second": Split(lambda x: x < 1, lambda x: x >= 1),
        "twice the threshold": Split(lambda x: x <= 2, lambda x: x > 2),
    },
    depends_on=["review.eq-25"],
)


def require_split(statement, x, is_global, **witness):
    require_equal(statement.first(x) + statement.second(x), 1, "in none or in both", x=x, **witness)
    require_equal(statement.first(x), is_global, "global minima otherwise", x=x, **witness)


def squared_norm(columns):
    """The largest eigenvalue of GGᵀ for columns of fractions with GGᵀ = a(I − J/K), checked to be so."""
    K = len(columns[0])
    gram = [[sum(c[i] * c[j] for c in columns) for j in range(K)] for i in range(K)]
    a = gram[0][0] * K / (K - 1)
    for i in range(K):
        for j in range(K):
            require_equal(gram[i][j], a * (Fraction(int(i == j)) - Fraction(1, K)), "another Gram matrix", i=i, j=j)
    return a


@claim.check("exact", covers=Instances("2 ≤ K ≤ 5, n = 1, 4, e^t = 1, 2, 5: collapsed critical points and the origin"))
def test_collapsed_points_in_fractions(statement):
    for K in range(2, 6):
        for n, root_n in ((1, 1), (4, 2)):
            for grown in (1, 2, 5):
                # outputs t(I − J/K), for √(λ_Aλ_F) = 1/(√n(e^t + K − 1)): critical, and G from softmax
                column = [Fraction(grown if j == 0 else 1, grown + K - 1) for j in range(K)]
                columns = []
                for k in range(K):
                    p = [column[0] if j == k else column[-1] for j in range(K)]
                    columns += [[(p[j] - int(j == k)) / (n * K) for j in range(K)]] * n
                mu = Fraction(1, root_n * (grown + K - 1))
                x = squared_norm(columns) / mu**2
                require_equal(x, 1, "another norm", K=K, n=n, grown=grown)
                require_split(statement, x, True, K=K, n=n, grown=grown)
                # the origin: 1/(K√n) over the same √(λ_Aλ_F), a global minimum only for e^t = 1
                at_zero = Fraction(grown + K - 1, K)
                require_split(statement, at_zero, grown == 1, K=K, n=n, grown=grown)
            for above in (Fraction(51, 50), Fraction(3, 2)):
                require_split(statement, 1 / above, True, K=K, n=n)
                require_split(statement, above, False, K=K, n=n)


@claim.check("derived", covers="all")
def test_complements(statement):
    # ≤ and > are complements of an order that is total; between consecutive thresholds nothing changes.
    thresholds = [Fraction(x) for x in (0, 1, 2)] + [Fraction(1, 2), Fraction(49, 50), Fraction(51, 50)]
    for at in thresholds:
        for x in (at - Fraction(1, 1000), at, at + Fraction(1, 1000)):
            if x >= 0:
                # global exactly if −⟨G, Z⟩ ≤ √(λ_Aλ_F)‖Z‖_* for all Z (eq-25), of which the supremum is ‖G‖₂‖Z‖_*
                require_split(statement, x, max(x, Fraction(1)) == 1)


@claim.check(
    "property",
    covers=Instances("2 ≤ K ≤ 5, n ≤ 3, m = K − 1, …, K + 1, the origin and minima of lower width, 50 drawn"),
    blind_to={"strict in both": "norms are rounded", "equality in both": "norms are rounded"},
)
@given(st.integers(2, 5), st.integers(1, 3), st.integers(0, 2), st.floats(0.1, 3), st.integers(0, 9999))
def test_critical_points(statement, K, n, extra, factor, seed):
    ratio, m = float(np.exp(np.random.default_rng(seed).normal())), K - 1 + extra
    for times in (factor, 0.75, 1.25):
        mu = times / (K * n**0.5)
        lams = [mu * ratio, mu / ratio, 0.1]
        least = cross_entropy.ce_optimum(K, n, *lams[:2], m=m)
        for A, F in ((least.A, least.F), (0 * least.A, 0 * least.F)):
            norm = np.linalg.norm(cross_entropy.output_gradient(A @ F), 2)
            gap = cross_entropy.regularised_risk(A, F, lams=lams) - least.loss
            x = Fraction(float(norm / mu)).limit_denominator(10**6)
            if abs(times - 1) > 0.01:
                require_split(statement, x, bool(gap < 1e-9), K=K, n=n, times=times)
                require_equal(bool(cross_entropy.is_global(A, F, lams=lams)), bool(gap < 1e-9), "the certificate errs")
