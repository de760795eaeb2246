r"""What ν > 0 says about the impact matrix and the drift (review, before equation 44).

E = (α−β)I + βJ, so that its eigenvalues are α − β on what is orthogonal to 1 and α + (K−1)β on 1; ν is the smaller.
For T symmetric and positive semidefinite as a whole,
$KB - ν\,\mathrm{diag}(T_{11},…,T_{KK}) = ((E - νI)\otimes J_m)\odot T$
is positive semidefinite by Schur's theorem. If only the blocks of T are, B may have a negative eigenvalue.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, LowerBound, Statement, require_at_most, require_close, require_equal
from theory import local_elasticity


class Impact(NamedTuple):
    """Eigenvalues of E with multiplicities, and c with KB ⪰ c·diag(T₁₁, …, T_KK) for each psd T."""

    values: Callable[[Any, Any, Any], tuple[Any, Any]]  # of K, α and β
    multiplicities: Callable[[Any], tuple[Any, Any]]
    least: Annotated[Callable[[Any, Any, Any], Any], LowerBound]  # of K, α and β


true = Impact(
    lambda K, a, b: (a - b, a + (K - 1) * b),
    lambda K: (K - 1, 1),
    lambda K, a, b: min(a - b, a + (K - 1) * b),
)

claim = Claim(
    id="review.eq-44.spectrum",
    title="The impact matrix is positive definite just if ν is positive",
    source="review, Section 3.2.2, before equation 44",
    verdict="holds",
    printed=Statement(
        r"\alpha - \beta \text{ and } \alpha + (K-1)\beta \text{ are the eigenvalues of } E \text{ (} K - 1 \text{ "
        r"times and once), so that } E \text{ is positive definite if and only if } \nu = \min\{\alpha - \beta, "
        r"\alpha + (K-1)\beta\} > 0 \text{; for } T \text{ positive semidefinite as a whole } KB \succeq "
        r"\nu\operatorname{diag}(T_{11},\dots,T_{KK}) \text{, with no larger constant for all } T",
        true,
        formulas={
            r"\alpha + (K-1)\beta": lambda s, K, alpha, beta: s.values(K, alpha, beta)[1],
            r"\alpha - \beta": lambda s, K, alpha, beta: s.values(K, alpha, beta)[0],
        },
    ),
    near_misses={
        "α + Kβ": true._replace(values=lambda K, a, b: (a - b, a + K * b)),
        "multiplicities exchanged": true._replace(multiplicities=lambda K: (1, K - 1)),
        "the constant α − β": true._replace(least=lambda K, a, b: a - b),
        "the constant α + (K−1)β": true._replace(least=lambda K, a, b: a + (K - 1) * b),
    },
)


@claim.check("derived", covers="all")
def test_eigenvectors(statement):
    K = sp.Symbol("K", positive=True)
    a, b = sp.symbols("alpha beta", real=True)
    # A row of E on v: α v_i + β(Σ_j v_j − v_i); Σ_j v_j is 0 on the K − 1 dimensions orthogonal to 1, and K on 1.
    found = [(sp.expand(a - b + b * total), count) for total, count in ((0, K - 1), (K, sp.Integer(1)))]
    stated = zip(statement.values(K, a, b), statement.multiplicities(K), strict=True)
    require_equal([(sp.expand(value), sp.sympify(count)) for value, count in stated], found, "another spectrum")
    # E − cI is psd, which Schur's theorem needs and T = J attains (m = 1), just for c up to the least eigenvalue.
    for p in (-3, -1, 0, 1, 2):
        for q in (-2, -1, 0, 1, 3):
            for k in (2, 3, 5):
                lowest = min(value.subs({K: k, a: p, b: q}) for value, _ in found)
                require_equal(statement.least(k, p, q), lowest, "not the largest constant", K=k, alpha=p, beta=q)


@claim.check("exact", covers=Instances("K ≤ 5, all α, β: characteristic polynomials; the constant for T = J"))
def test_characteristic_polynomial(statement):
    a, b, x = sp.symbols("alpha beta x")
    for K in range(2, 6):
        E = (a - b) * sp.eye(K) + b * sp.ones(K, K)
        stated = 1
        for value, count in zip(statement.values(K, a, b), statement.multiplicities(K), strict=True):
            stated *= (x - value) ** count
        require_equal(sp.expand(stated - E.charpoly(x).as_expr()), 0, "another spectrum", K=K)
        for p, q in ((1, -1), (2, 1), (3, 0), (-1, 2)):
            values = E.subs({a: p, b: q}).eigenvals()
            require_equal(statement.least(K, p, q), min(values), "not the largest constant", K=K, alpha=p, beta=q)


@claim.check("property", covers=Instances("K ≤ 4, m ≤ 3, random psd T of any rank, 50 drawn"))
@example(K=3, m=1, rank=1, alpha=1.0, beta=0.5, seed=0)
@example(K=3, m=1, rank=1, alpha=1.0, beta=-0.25, seed=0)
@given(
    K=st.integers(2, 4), m=st.integers(1, 3), rank=st.integers(1, 6),
    alpha=st.floats(-2, 2), beta=st.floats(-2, 2), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_random_transformations(statement, K, m, rank, alpha, beta, seed):
    X = np.random.default_rng(seed).normal(size=(K * m, rank))
    E = local_elasticity.impact_matrix(K, alpha, beta)
    where = {"K": K, "m": m, "alpha": alpha, "beta": beta}
    eigenvalues = np.repeat(statement.values(K, alpha, beta), statement.multiplicities(K))
    require_close(np.linalg.eigvalsh(E), np.sort(eigenvalues), "another spectrum", atol=1e-12, **where)
    for T in (X @ X.T, np.ones((K * m, K * m))):
        own = np.kron(np.eye(K), np.ones((m, m))) * T
        gap = K * local_elasticity.drift_matrix(E, T) - statement.least(K, alpha, beta) * own
        require_at_most(-np.linalg.eigvalsh(gap)[0], 1e-11 * (1 + np.abs(T).sum()), "not psd", **where)
