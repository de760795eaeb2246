r"""The class means under local elasticity with the transformation by residuals (review, equation 47).

$M = (E \otimes J) \odot T$, m = K, has the eigenvectors $d = (d_1; …; d_K)$ and $u$ with blocks $(α-β)c_id_i + βc$ for
$c \perp 1$. It acts on $c_j = ⟨d_j,f_j⟩/\|d_j\|^2$ by a matrix with the eigenvalues α − β and λ = α + β/(K−1). If
λ = 0, α ≠ 0 and K ≥ 3, x of coefficients c has Mx = u(c) ≠ 0 and M²x = 0: the means grow linearly, which (47) lacks.
For K = 2, u(c) = 0 then. With ν > 0 never, for λ is between α − β and α + (K−1)β.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.linalg import expm

from nct.ledger import Claim, Condition, Instances, Statement, require_close, require_equal
from theory import local_elasticity


class Means(NamedTuple):
    """When (47) holds for all starts, and K times the two rates of growth."""

    applies: Annotated[Callable[[Any, Any, Any], bool], Condition]  # of K, α and β
    rates: Callable[[Any, Any, Any], tuple[Any, Any]]


true = Means(
    lambda K, a, b: K == 2 or a == 0 or (K - 1) * a + b != 0,
    lambda K, a, b: (a - b, a + b / (K - 1)),
)

claim = Claim(
    id="review.eq-47",
    title="The class means under the transformation by residuals",
    source="review, equation 47",
    verdict="amended",
    depends_on=["review.eq-46"],
    printed=Statement(
        r"\bar F^t = c_0 + \tau_1 d\,e^{\frac1K(A_t - B_t)} + \Bigl(\sum_{l=1}^{K-1}\tau_{2l}u_l\Bigr)e^{\frac1K(A_t + "
        r"\frac1{K-1}B_t)} \text{ for constant } \alpha, \beta \text{ (read: for all of them and all } \bar F^0)",
        true._replace(applies=lambda K, a, b: True),
    ),
    amended=Statement(
        r"\text{(47) holds for all } \bar F^0 \text{ if and only if } \alpha + \tfrac\beta{K-1} \ne 0 \text{ or } "
        r"\alpha = \beta = 0 \text{ or } K = 2\text{; otherwise a term } t\,w \text{ is added}",
        true,
    ),
    near_misses={
        "not at α = β": true._replace(applies=lambda K, a, b: a != b and ((K - 1) * a + b != 0 or K == 2)),
        "not at α = β = 0": true._replace(applies=lambda K, a, b: (K - 1) * a + b != 0 or K == 2),
        "not for K = 2": true._replace(applies=lambda K, a, b: (K - 1) * a + b != 0 or a == 0),
        "unless ν = 0": true._replace(applies=lambda K, a, b: a + (K - 1) * b != 0),
        "exchanged signs": true._replace(rates=lambda K, a, b: (a + b, a - b / (K - 1))),
        "the eigenvalues of E": true._replace(rates=lambda K, a, b: (a + (K - 1) * b, a - b)),
    },
    counterexample_code=r"""
# K = 3, α = 1, β = −2, so that α + β/(K−1) = 0. From f₁ = d₁, f₂ = −d₂, f₃ = 0 (here times 3) Mx ≠ 0 and M²x = 0,
# so that F(t) = x + tMx/3 grows linearly.
d = [(2, -1, -1), (-1, 2, -1), (-1, -1, 2)]
def M(x):
    c = [sum(a * b for a, b in zip(x[j], d[j])) / 6 for j in range(3)]
    return [[sum((1 if i == j else -2) * c[j] * d[j][a] for j in range(3)) for a in range(3)] for i in range(3)]
x = [d[0], [-a for a in d[1]], (0, 0, 0)]
print("Mx =", M(x), "M²x =", M(M(x)))
assert any(a for row in M(x) for a in row) and not any(a for row in M(M(x)) for a in row)
""",
)

PAIRS = [(1, 0), (1, 1), (0, 1), (0, 0), (1, -1), (1, -2), (-1, 3), (2, -1), (3, -1), (-2, 6)]


@claim.check("derived", covers="all")
def test_eigenvectors(statement):
    # Products of d_i with d_j, 1 and c ⊥ 1, from d_i = e_i − 1/K: ⟨d_i,c⟩ = c_i and ‖d_i‖² = 1 − 1/K, and Σ_j d_j = 0.
    K = sp.Symbol("K", positive=True)
    a, b, c = sp.symbols("alpha beta c")
    norm = 1 - 1 / K
    # Coefficients of the blocks (α−β)d_i and (α−β)c_i d_i + βc, over those of the start: the eigenvalues.
    found = [a - b, sp.factor(((a - b) * c * norm + b * c) / norm / c)]
    stated = statement.rates(K, a, b)
    for i in range(2):
        require_equal(sp.simplify(stated[i] - found[i]), 0, "another rate", i=i)
    # A second eigenvalue of 0 adds t u(c)/K to (47), so that (47) needs u(c) = 0 for all c ⊥ 1. With c = e₁ − e₂ the
    # third block of K ≥ 3 is βc, which is 0 just if β = 0; for K = 2, the first is ((α−β)/2 + β)c = (α+β)c/2 = 0.
    for k in (2, 3, 4, 7):
        for p, q in PAIRS:
            second = found[1].subs({K: k, a: p, b: q})
            require_equal(statement.applies(k, p, q), second != 0 or q == 0 or k == 2, "(47)", K=k, alpha=p, beta=q)


def matrix(K, alpha, beta):
    d = K * np.eye(K, dtype=int) - 1
    rows = [np.hstack([(alpha if i == j else beta) * np.outer(d[j], d[j]) for j in range(K)]) for i in range(K)]
    return np.vstack(rows)  # K(K − 1) times M, in integers


@claim.check("exact", covers=Instances("K ≤ 4, ten pairs α, β: annihilating polynomials and ranks, in integers"))
def test_annihilated(statement):
    for K in (2, 3, 4):
        for p, q in PAIRS:
            M, scale, eye = matrix(K, p, q), K * (K - 1), np.eye(K * K, dtype=int)
            first, second = (int(scale * rate) for rate in statement.rates(K, sp.Integer(p), sp.Integer(q)))
            roots = {first, second, 0}
            left = eye
            for root in roots:
                left = left @ (M - root * eye)
            where = {"K": K, "alpha": p, "beta": q}
            require_equal(statement.applies(K, p, q), not left.any(), "(47) for all starts", **where)
            values = np.append(np.linalg.eigvals(M.astype(float)).real, 0.0)
            for root in roots:
                require_close(np.abs(values - root).min(), 0, "no eigenvalue", atol=1e-4, **where)


@claim.check("property", covers=Instances("K ≤ 5, random starts, four times, 50 drawn: recurrences of the solution"))
@example(K=3, alpha=1.0, beta=-2.0, seed=0)
@example(K=2, alpha=1.0, beta=-1.0, seed=0)
@example(K=3, alpha=0.0, beta=0.0, seed=0)
@example(K=3, alpha=1.0, beta=1.0, seed=0)
@example(K=3, alpha=1.0, beta=-0.5, seed=0)
@given(K=st.integers(2, 5), alpha=st.floats(-2, 2), beta=st.floats(-2, 2), seed=st.integers(0, 2**32 - 1))
def test_recurrence(statement, K, alpha, beta, seed):
    # At t = 0, 1, 2, 3 a sum of 1, e^{r₁t/K}, e^{r₂t/K} satisfies the recurrence with these roots.
    alpha, beta = round(alpha * 8) / 8, round(beta * 8) / 8  # near the exception, no float can tell
    F = np.random.default_rng(seed).normal(size=(K, K))
    E, T = local_elasticity.impact_matrix(K, alpha, beta), local_elasticity.transformation(K)
    flow, ends = expm(local_elasticity.drift_matrix(E, T)), [F.T.ravel()]
    rates = [float(rate) for rate in statement.rates(K, alpha, beta)]
    for t in (1, 2, 3):
        ends.append(flow @ ends[-1])
        means = local_elasticity.le_ode(F, alpha, beta, t)
        require_close(means.T.ravel(), ends[-1], "another solution", rtol=1e-9, atol=1e-10, K=K)
    # repeated roots count once
    roots = {0.0, *(rate for rate in rates if abs(rate) > 1e-12)}
    recurrence = np.poly([np.exp(rate / K) for rate in roots])[::-1]
    rest = sum(c * end for c, end in zip(recurrence, ends, strict=False))
    where = {"K": K, "alpha": alpha, "beta": beta}
    require_equal(statement.applies(K, alpha, beta), bool(np.abs(rest).max() < 1e-8), "(47)", **where)
