r"""Where the class means tend under local elasticity (review, after equation 47).

Let $c_j = ⟨d_j,\bar f_j^0⟩/\|d_j\|^2$ with mean $\bar c$. With constant α, β, ν > 0 and β < 0, α − β exceeds
α + β/(K−1) > 0, so that $e^{-(α-β)t/K}\bar F^t \to \bar cd$, and the class means tend to $\bar c$ times the simplex
of the d_k. If $\bar c > 0$ class k points to e_k; if $\bar c < 0$ to its opposite; if $\bar c = 0$ what is left is no
multiple of d. With β ≥ 0 the second term grows as fast or faster, and $\bar F/\|\bar F\|$ tends to no
multiple of d for most starts.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st

from nct.ledger import Claim, Condition, Instances, Statement, require_equal
from theory import local_elasticity


class Limit(NamedTuple):
    """When the direction of the class means tends to ±d for a start with c not constant, and the sign there."""

    aligns: Annotated[Callable[[float, float], bool], Condition]  # of β and c̄, for ν > 0
    sign: Callable[[float], float]  # of c̄


true = Limit(lambda beta, mean: beta < 0 and mean != 0, lambda mean: mean / abs(mean))

claim = Claim(
    id="review.eq-47.limit",
    title="Class means align with the residuals if they start with some of it",
    source="review, Section 3.2.3, after equation 47",
    verdict="amended",
    depends_on=["review.eq-47"],
    printed=Statement(
        r"\nu > 0,\ B_t < 0 \implies \bar F^t \text{ aligns with } d \text{ as } t \to \infty \text{, and the class "
        r"means tend to a simplex ETF (read: for every } \bar F^0 \text{; } \alpha, \beta \text{ constant)}",
        Limit(lambda beta, mean: beta < 0, lambda mean: 1),
    ),
    amended=Statement(
        r"\text{for constant } \alpha, \beta \text{ with } \nu > 0 \text{ and } \bar c = \tfrac1K\sum_j \langle d_j, "
        r"\bar f_j^0\rangle/\|d_j\|^2\text{: } \bar F^t/\|\bar F^t\| \to \operatorname{sign}(\bar c)\,d/\|d\| "
        r"\text{ if } \beta < 0 \text{ and } \bar c \ne 0 \text{; neither can be dropped: if } \beta \ge 0 "
        r"\text{ or } \bar c = 0 \text{ it tends to no multiple of } d \text{ for any start with } "
        r"\langle d_j, \bar f_j^0\rangle \text{ not all equal}",
        true,
    ),
    near_misses={
        "also for β > 0": true._replace(aligns=lambda beta, mean: mean != 0),
        "also for β = 0": true._replace(aligns=lambda beta, mean: beta <= 0 and mean != 0),
        "always towards the labels": true._replace(sign=lambda mean: 1),
        "for c̄ > 0": true._replace(aligns=lambda beta, mean: beta < 0 and mean > 0),
    },
    counterexample_code=r"""
# K = m = 2, ν = min(α − β, α + β) > 0, from f₁ = (−1, 1)/2 = −d₁, f₂ = −d₂: F' = (α − β)F/2, so that F stays −e^{…}d
# and each mean points away from its label, for all t.
d = [(0.5, -0.5), (-0.5, 0.5)]
alpha, beta = 1.0, -0.5
f = [tuple(-a for a in row) for row in d]
c = [sum(a * b for a, b in zip(f[j], d[j])) / 0.5 for j in range(2)]
move = [[sum((alpha if i == j else beta) * c[j] * d[j][a] for j in range(2)) / 2 for a in range(2)] for i in range(2)]
print("F' / F =", move[0][0] / f[0][0], move[1][0] / f[1][0])
assert move == [[0.75 * a for a in row] for row in f]
""",
)


@claim.check("derived", covers="all")
def test_rates(statement):
    # Coefficients c: mean e^{(α−β)t/K}c̄, rest e^{λt/K}(c − c̄). λ − (α−β) = βK/(K−1), of the sign of β.
    K, a, b = sp.symbols("K alpha beta")
    gap = sp.simplify(a + b / (K - 1) - (a - b))
    require_equal(sp.simplify(gap - b * K / (K - 1)), 0, "another gap")
    # α + β/(K−1) is a mean of α − β and α + (K−1)β with weights > 0 for K > 2, so it is positive if ν is.
    weight = (1 / (K - 1) + 1) / K
    mean = weight * (a + (K - 1) * b) + (1 - weight) * (a - b)
    require_equal(sp.simplify(mean - a - b / (K - 1)), 0, "not between")
    for k in (2, 3, 6):
        for beta in (-2, -1, 0, 1, 2):
            leads = gap.subs({K: k, b: beta}) < 0
            for c in (-1, -0.5, 0, 0.5, 2):
                aligns = bool(leads and c != 0)
                require_equal(statement.aligns(beta, c), aligns, "another leading term", K=k, beta=beta, mean=c)
                if aligns:
                    require_equal(float(statement.sign(c)), float(sp.sign(c)), "another orientation", mean=c)


@claim.check("property", covers=Instances("2 ≤ K ≤ 5, β of all signs, random starts with c̄ = −1, 0, 1, 50 drawn"))
@example(K=3, beta=-0.25, mean=0.0, seed=0)
@example(K=3, beta=0.25, mean=1.0, seed=0)
@example(K=3, beta=0.0, mean=1.0, seed=0)
@example(K=3, beta=-0.25, mean=-1.0, seed=0)
@given(
    K=st.integers(2, 5), beta=st.sampled_from([-0.25, -0.125, 0.0, 0.125, 0.5]),
    mean=st.sampled_from([-1.0, 0.0, 1.0]), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_late_times(statement, K, beta, mean, seed):
    # α > −(K−1)β, so that ν > 0, and t where one exponential is e¹⁵ of the other: rounding of c̄ = 0 is far below both
    d = np.eye(K) - 1 / K
    F = np.random.default_rng(seed).normal(size=(K, K))
    c = (d * F).sum(axis=0) / (1 - 1 / K)
    spread = c - c.mean()
    F += d * (mean + spread / np.linalg.norm(spread) - c)  # of coefficients with this mean, clearly not all equal
    late = 15 * (K - 1) / (abs(beta) or 0.25)
    end = local_elasticity.le_ode(F, K * max(-beta, beta, 0.25), beta, late)
    end, simplex = end / np.linalg.norm(end), d / np.linalg.norm(d)
    where = {"K": K, "beta": beta, "mean": mean}
    cosine = float((end * simplex).sum())
    aligned = abs(abs(cosine) - 1) < 1e-6
    require_equal(statement.aligns(beta, mean), aligned, "another limit", cosine=cosine, **where)
    if aligned:
        require_equal(statement.sign(mean), np.sign(cosine), "another orientation", **where)


@claim.check("exact", covers=Instances("K = 2 and 3: expansions of the solution at t → ∞, in rationals"))
def test_expansions(statement):
    # F(t) = F(0) + (α−β)g_i d_i + βΣ g_j d_j: which of the exponentials has the largest rate, and its vector
    for K in (2, 3):
        d = sp.eye(K) - sp.ones(K, K) / K
        for beta in (-1, 0, 1):
            alpha = sp.Integer(K + 1)
            for mean in (-1, 0, 1):
                c = [mean + (K - 1) * (j == 0) - (j != 0) for j in range(K)]
                rates = {alpha - beta: [], alpha + sp.Rational(beta, K - 1): []}
                for rate in rates:
                    part = [0] * K
                    if rate == alpha - beta:
                        part = [mean] * K
                    if rate == alpha + sp.Rational(beta, K - 1):
                        part = [p + x - mean for p, x in zip(part, c, strict=True)]
                    shift = sum((part[j] * d[:, j] for j in range(K)), sp.zeros(K, 1))
                    rates[rate] = [(alpha - beta) * part[i] * d[:, i] + beta * shift for i in range(K)]
                live = {rate: v for rate, v in rates.items() if any(any(column) for column in v)}
                lead = live[max(live)]
                scale = sum(lead[i].dot(d[:, i]) for i in range(K)) / (K - 1)
                aligned = scale != 0 and all(lead[i] == scale * d[:, i] for i in range(K))
                require_equal(statement.aligns(beta, mean), aligned, "another limit", K=K, beta=beta, mean=mean)
                if aligned:
                    require_equal(
                        float(statement.sign(mean)), float(sp.sign(scale)), "another orientation", K=K, mean=mean
                    )
