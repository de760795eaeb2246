r"""The largest margin of the unconstrained features model (review, after equation 15).

$$ q_{\min} = \min_{k,i}q_{k,i} \le \frac{\lVert A\rVert_F^2+\lVert F\rVert_F^2}{2(K-1)\sqrt n}, $$

for all (F, A), and it is said that the maximum is attained when $\lVert A\rVert_F = \lVert F\rVert_F$ and (F, A)
satisfy the NC properties. The bound holds for every width m: the mean of $(a_k-a_j)^\top f_{k,i}$ is

$$ \tfrac1{N(K-1)}\sum_{k,i}(Ka_k-\textstyle\sum_ja_j)^\top f_{k,i} = \tfrac{1}{K-1}\langle A-1\bar a^\top, M\rangle
\le \tfrac1{K-1}\lVert A\rVert_F\lVert M\rVert_F \le \tfrac1{(K-1)\sqrt n}\lVert A\rVert_F\lVert F\rVert_F $$

with the class means in the rows of M. Equality needs all of: equal margins, $\bar a = 0$, A proportional to M, features
that are their class means, and equal norms. So the class means sum to 0. The NC properties (4)–(8) see only the class
means *minus their mean* $\mu_G$, which may be any vector; with $\mu_G\ne0$ the maximum is not attained. And there are
such points only for $m\ge K-1$.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Search, Statement, UpperBound, require_at_most, require_close, require_equal
from theory.ufm import cross_entropy


class LargestMargin(NamedTuple):
    """q_min ≤ share times ‖A‖² + ‖F‖², with equality for collapsed balanced points with such a global mean."""

    share: Annotated[Callable[[Any, Any], Any], UpperBound]  # of K, n
    attained: Callable[[list[Any]], bool]  # of μ_G


def share(K, n):
    return 1 / (2 * (K - 1) * sp.sqrt(n))


claim = Claim(
    id="review.eq-15.margin",
    title="The largest margin, and where it is attained",
    source="review, Section 3.1.1, after equation 15",
    verdict="amended",
    printed=Statement(
        r"q_{\min}(F, A) \le \frac{\lVert A\rVert_F^2 + \lVert F\rVert_F^2}{2(K-1)\sqrt n} \text{; the maximum is "
        r"attained when } \lVert A\rVert_F = \lVert F\rVert_F \text{ and } (F, A) \text{ satisfy the NC properties}",
        LargestMargin(share, lambda mean: True),
    ),
    amended=Statement(
        r"q_{\min}(F, A) \le \frac{\lVert A\rVert_F^2 + \lVert F\rVert_F^2}{2(K-1)\sqrt n} \text{ for every } m, "
        r"\text{with equality if and only if } \lVert A\rVert_F = \lVert F\rVert_F, (F, A) \text{ satisfy the NC "
        r"properties and the mean } \mu_G \text{ of the class means is } 0 \text{; such points exist for } m \ge K - 1",
        LargestMargin(share, lambda mean: not any(mean)),
    ),
    near_misses={
        "K for K − 1": LargestMargin(lambda K, n: 1 / (2 * K * sp.sqrt(n)), lambda mean: not any(mean)),
        "n for √n": LargestMargin(lambda K, n: 1 / (2 * (K - 1) * n), lambda mean: not any(mean)),
        "a mean along the classifier only": LargestMargin(share, lambda mean: mean[1] == 0),
        "a mean across the classifier only": LargestMargin(share, lambda mean: mean[0] == 0),
    },
    counterexample_code=r"""
from fractions import Fraction as Q

# K = 2, n = 1, m = 2: class means (1, 3/4) and (-1, 3/4), classifier (5/4, 0) and (-5/4, 0). Minus their mean (0, 3/4)
# the class means are a simplex, the classifier is proportional to it, and the norms are equal.
A, F = [(Q(5, 4), Q(0)), (-Q(5, 4), Q(0))], [(Q(1), Q(3, 4)), (-Q(1), Q(3, 4))]
dot = lambda x, y: sum(a * b for a, b in zip(x, y))
norm_A, norm_F = (sum(dot(x, x) for x in M) for M in (A, F))
margin = min(dot(A[0], F[0]) - dot(A[1], F[0]), dot(A[1], F[1]) - dot(A[0], F[1]))
bound = (norm_A + norm_F) / 2
print(f"margin {margin}, bound {bound}")
assert norm_A == norm_F and margin < bound
""",
)


def margin(A, F):
    """The least margin from its definition, numbers or exact."""
    K, N = len(A), len(F)
    products = [[sum(a * f for a, f in zip(row, column, strict=True)) for row in A] for column in F]
    return min(products[s][s * K // N] - products[s][j] for s in range(N) for j in range(K) if j != s * K // N)


@claim.check("derived", covers="all")
def test_cauchy_and_its_equality(statement):
    # ⟨A − 1āᵀ, M⟩ = ⟨A, M⟩ − K ā·μ_G, ‖M‖² = ‖M − 1μ_Gᵀ‖² + K‖μ_G‖², ‖F‖² = n‖M‖² + scatter, and by Cauchy the margin
    # is at most ‖A‖‖F‖/((K−1)√n), at equal norms a²/((K−1)√n) for ‖A‖ = ‖F‖ = a.
    K, n, a = sp.symbols("K n a", positive=True)
    reached = a * (a / sp.sqrt(n)) / K  # with K + 1 classes: ⟨A, M⟩/K where A is proportional to M
    require_equal(sp.simplify(reached - statement.share(K + 1, n) * 2 * a**2), 0, "the bound is not reached")
    x, y = sp.symbols("x y", positive=True)
    require_equal(sp.factor(x**2 + y**2 - 2 * x * y), sp.factor((x - y) ** 2), "not a square")
    # At a collapsed balanced point with the mean μ_G, where c = ‖M − 1μ_Gᵀ‖: A is c-proportional to M − 1μ_Gᵀ, and the
    # mean margin ‖A‖ c/K is smaller by the factor c/√(c² + (K+1)‖μ_G‖²).
    c, mu = sp.symbols("c mu", positive=True)
    lost = 1 - c**2 / (c**2 + (K + 1) * mu**2)
    for mean in ([0, 0], [1, 0], [0, 1], [2, -3]):
        size = sp.sqrt(sum(sp.Integer(x) ** 2 for x in mean))
        require_equal(statement.attained(mean), lost.subs(mu, size) == 0, "attained otherwise", mean=mean)


@claim.check(
    "exact",
    covers=Instances("K = 2 with rational points of six means; the simplex with K ≤ 5, n ≤ 4, m = K, in surds"),
)
def test_rational_points(statement):
    for triple, mean in (
        ((5, 4, 3), 1),
        ((13, 12, 5), 0),
        ((1, 1, 0), 0),
        ((5, 3, 4), 1),
        ((5, 4, -3), 0),
        ((2, 2, 0), 1),
    ):
        c, x, y = map(Fraction, triple)  # c² = x² + y²: half ‖A‖² and ‖F‖²
        mu = [0, y] if mean == 1 else [y, 0]
        A = [(c, 0), (-c, 0)]
        F = [(x + mu[0], mu[1]), (-x + mu[0], mu[1])]
        sides = margin(A, F), Fraction(str(sp.nsimplify(statement.share(2, 1)))) * 4 * c**2
        require_at_most(*sides, "a larger margin", A=A, F=F)
        require_equal(statement.attained(mu), sides[0] == sides[1], "attained otherwise", mean=mu)
    for K in range(2, 6):
        for n in (1, 2, 4):
            A = [[K * int(i == j) - 1 for j in range(K)] for i in range(K)]  # norm² K²(K−1)
            F = [[sp.Integer(x) / sp.sqrt(n) for x in row] for row in A for _ in range(n)]
            q = K**2 / sp.sqrt(n)
            require_equal(sp.nsimplify(margin(A, F) - q), 0, "another margin", K=K, n=n)
            bound = statement.share(sp.Integer(K), sp.Integer(n)) * 2 * K**2 * (K - 1)
            require_equal(sp.simplify(q - bound), 0, "not attained by the simplex", K=K, n=n)


def check_means(statement, A, F, K, n):
    """A point of the largest margin with a last coordinate of zeros, its features moved along and across, balanced."""
    for mean in ([0, 0], [1, 0], [0, 1], [0.5, -0.5]):
        shift = mean[0] * A[0] / np.linalg.norm(A[0]) + mean[1] * np.eye(A.shape[1])[-1]
        moved = F + shift[:, None]
        scaled = A * np.linalg.norm(moved) / np.linalg.norm(A)
        q = float(cross_entropy.margins(scaled, moved).min())
        bound = float(statement.share(K, n)) * 2 * np.sum(moved**2)
        require_equal(statement.attained(mean), bool(q > bound * (1 - 1e-4)), "attained otherwise", K=K, mean=mean)


@claim.check("optimised", covers=Search("SLSQP from three starts, K ≤ 4, n ≤ 3, m ≤ K"))
def test_largest_margins_found(statement):
    rng = np.random.default_rng(0)
    for K, n, m in ((2, 1, 1), (2, 3, 1), (3, 1, 2), (3, 2, 3), (4, 1, 2), (4, 1, 3)):
        N, best = K * n, 0.0
        for _ in range(3):
            # Maximise the least margin over the squared norm, by the norm at a margin of 1.
            def constraint(x, K=K, m=m, N=N):
                values, _ = cross_entropy.constraint_gradients(x[: K * m].reshape(K, m), x[K * m :].reshape(m, N))
                return (values + 2 * (values == 0) - 1).ravel()

            def slopes(x, K=K, m=m, N=N):
                _, J = cross_entropy.constraint_gradients(x[: K * m].reshape(K, m), x[K * m :].reshape(m, N))
                return J.reshape(-1, x.size)

            run = minimize(
                lambda x: x @ x,
                rng.normal(size=(K + N) * m),
                jac=lambda x: 2 * x,
                constraints={"type": "ineq", "fun": constraint, "jac": slopes},
                method="SLSQP",
                options={"ftol": 1e-10, "maxiter": 200},
            )
            A, F = run.x[: K * m].reshape(K, m), run.x[K * m :].reshape(m, N)
            best = max(best, float(cross_entropy.margins(A, F).min()) / (run.x @ run.x))
        bound = float(statement.share(K, n))
        require_at_most(best, bound * (1 + 1e-7), "a larger margin", K=K, n=n, m=m)
        if m >= K - 1:
            require_close(best, bound, "not the largest margin", rtol=1e-5, K=K, n=n, m=m)
            check_means(statement, np.pad(A, ((0, 0), (0, 1))), np.pad(F, ((0, 1), (0, 0))), K, n)


@claim.check(
    "property",
    covers=Instances("K ≤ 6, n ≤ 4, m ≤ 8, near a simplex and far from it, 50 drawn"),
)
@given(st.integers(2, 6), st.integers(1, 4), st.integers(0, 3), st.floats(0, 1), st.integers(0, 9999))
def test_random_points(statement, K, n, more, spread, seed):
    rng = np.random.default_rng(seed)
    A, F = cross_entropy.largest_margin_factors(K, n, 10, K - 1 + more)
    if more:
        check_means(statement, A, F, K, n)
    A, F = A + spread**2 * rng.normal(size=A.shape), F + spread**2 * rng.normal(size=F.shape)
    H, own = A @ F, np.repeat(np.eye(K, dtype=bool), n, axis=1)
    q = float((H.T[own.T] - np.where(own, -np.inf, H).max(axis=0)).min())
    norm2 = float(np.sum(A**2) + np.sum(F**2))
    require_at_most(q, float(statement.share(K, n)) * norm2 * (1 + 1e-12), "a larger margin", K=K, n=n, seed=seed)
    require_close(q, float(cross_entropy.margins(A, F).min()), "another margin", rtol=1e-9, atol=1e-12, K=K, n=n)
    require_close(
        cross_entropy.largest_margin(K, n, norm2), float(statement.share(K, n)) * norm2, "another bound", rtol=1e-12
    )
