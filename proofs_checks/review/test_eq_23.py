r"""The convex program behind the cross-entropy with weight decay (review, equation 23).

$$ \min_{Z,b}\ \tfrac1N\sum_{k,i}\mathrm{CE}(Z_{k,i}+b,e_k)+\sqrt{\lambda_A\lambda_F}\lVert Z\rVert_*
+\tfrac{\lambda_b}2\lVert b\rVert^2 $$

Its minimum is at most $R_{CEr}(F,A,b)$, for every (F, A, b) and every width (eq-24). It is said that the optimum can be
transferred to the factorised problem. With $s=\sqrt{n\lambda_A\lambda_F}$ the only solution is b = 0 and
$Z_*=t(I-J/K)\otimes1^\top$, $t=\log(1/s-K+1)$ for Ks < 1, and $Z_*=0$ otherwise. *A solution*: there
$-\nabla_Zg=\frac1{n(e^t+K-1)}(I-J/K)\otimes1^\top$ has K − 1 singular values $\frac1{\sqrt n(e^t+K-1)}$, equal to
$\sqrt{\lambda_A\lambda_F}$, or at most that at t = 0. *The only one*: CE is strictly convex but along 1, so all
solutions have the same gradient G and the same b, as λ_b > 0, and differ by $1c^\top$; $1^\top G=0$ gives
$\langle-G,Z\rangle=\langle-G,(I-J/K)Z\rangle$, so $1^\top Z=0$.

So it is transferred exactly if the width is at least the rank of $Z_*$: $m\ge K-1$, or $nK^2\lambda_A\lambda_F\ge1$.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Annotated, NamedTuple

import cvxpy as cp
import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from nct.ledger import (
    Claim,
    Instances,
    LowerBound,
    Search,
    Statement,
    require_at_most,
    require_close,
    require_equal,
)
from theory.ufm import cross_entropy


class Convex(NamedTuple):
    """How often the nuclear norm is paid, in units of √(λ_Aλ_F), and when the optimum has factors of width m."""

    price: Annotated[float, LowerBound]
    transferred: Callable[[int, int, int, Fraction], bool]  # of K, n, m, λ_A λ_F


def wide(K, n, m, product):
    return m >= K - 1 or n * K**2 * product >= 1


claim = Claim(
    id="review.eq-23",
    title="The convex program, and its transfer to factors",
    source="review, equation 23",
    verdict="amended",
    printed=Statement(
        r"\min_{Z, b} \frac1N \sum_{k,i} \ell_{CE}(Z_{k,i} + b, e_k) + \sqrt{\lambda_A\lambda_F}\lVert Z\rVert_* "
        r"+ \frac{\lambda_b}2\lVert b\rVert_2^2 \le R_{CEr}(F, A, b) \text{ for all } (F, A, b) \text{, and the "
        r"optimal state can be transferred to } R_{CEr}",
        Convex(1.0, lambda K, n, m, product: True),
    ),
    amended=Statement(
        r"\text{The same; the optimal state can be transferred to } R_{CEr} \text{ if and only if } m \ge K - 1"
        r"\text{ or } nK^2\lambda_A\lambda_F \ge 1",
        Convex(1.0, wide),
    ),
    near_misses={
        "width K": Convex(1.0, lambda K, n, m, product: m >= K or n * K**2 * product >= 1),
        "width K − 2": Convex(1.0, lambda K, n, m, product: m >= K - 2 or n * K**2 * product >= 1),
        "never at small width": Convex(1.0, lambda K, n, m, product: m >= K - 1),
        "another threshold": Convex(1.0, lambda K, n, m, product: m >= K - 1 or n * K * product >= 1),
        "a price a twentieth higher": Convex(1.05, wide),
    },
    depends_on=["review.eq-24"],
    counterexample_code=r"""
import numpy as np
from scipy.optimize import minimize

# K = 3, n = 1, m = 1, lambda_A = lambda_F = 1/10, without bias (one would only be penalised at the convex optimum).
def risk(x):
    A, F, b = x[:3], x[3:6], x[6:]
    H = np.outer(A, F) + b[:, None]
    return np.mean(np.log(np.exp(H).sum(axis=0)) - np.diag(H)) + (x @ x) / 20

rng = np.random.default_rng(0)
factors = min(minimize(risk, rng.normal(size=9)).fun for _ in range(9))
t = np.log(8)
convex = np.log(1 + 2 * np.exp(-t)) + 0.1 * 2 * t
print(f"the convex program is at most {convex:.4f}; the best of 9 descents in factors {factors:.4f}")
assert factors > convex + 0.05
""",
)


@claim.check("derived", covers="all")
def test_gradient_and_rank_of_the_solution(statement):
    t, s, n, K = sp.symbols("t s n K", positive=True)
    # The column of a sample: e_k − softmax(t(e_k − 1/K)), of which the common factor of all exponentials cancels. It is
    # a multiple of the column of I − J/K, in its own class and in the others.
    total = sp.exp(t) + K - 1
    own, other = (1 - sp.exp(t) / total) / (n * K), -1 / total / (n * K)
    multiple = 1 / (n * total)
    require_equal(sp.simplify(own - multiple * (1 - 1 / K)), 0, "another gradient in its class")
    require_equal(sp.simplify(other + multiple / K), 0, "another gradient in the others")
    square = (1 - 1 / K) ** 2 + (K - 1) / K**2, -2 * (1 - 1 / K) / K + (K - 2) / K**2  # of I − J/K, on and off diagonal
    require_equal([sp.simplify(square[0] - (1 - 1 / K)), sp.simplify(square[1] + 1 / K)], [0, 0], "no projection")
    # with ⊗ 1ᵀ: K − 1 singular values √n, and so √n times the multiple, which has to be the price times √(λ_Aλ_F)
    at = sp.log(1 / s - K + 1)
    length = sp.simplify((sp.sqrt(n) * multiple).subs(t, at) / (s / sp.sqrt(n)))
    require_equal(sp.nsimplify(statement.price), length, "another price")
    for K in range(2, 8):
        for n in (1, 2, 9):
            for m in range(1, K + 2):
                for factor in (
                    Fraction(1),
                    Fraction(999_999, 10**6),
                    Fraction(1, 2),
                    Fraction(1_000_001, 10**6),
                    Fraction(2),
                ):
                    product = factor / (n * K**2)
                    rank = K - 1 if product * n * K**2 < 1 else 0
                    found = statement.transferred(K, n, m, product)
                    require_equal(found, rank <= m, "transferred otherwise", K=K, n=n, m=m, product=product)


PROBLEMS = [
    (2, 1, 1, Fraction(1, 25)),
    (3, 1, 1, Fraction(1, 100)),
    (3, 2, 1, Fraction(1, 40)),
    (3, 1, 1, Fraction(1, 5)),
    (4, 1, 2, Fraction(1, 400)),
    (3, 1, 2, Fraction(1, 100)),
    (4, 1, 1, Fraction(1, 15)),
]


@cache
def convex_minimum(K, n, product):
    """By Clarabel, for one sample of each class: the columns of a class may be averaged, for √n times the price."""
    Z, b = cp.Variable((K, K)), cp.Variable(K)
    loss = sum(cp.log_sum_exp(Z[:, k] + b) - Z[k, k] - b[k] for k in range(K)) / K
    price = float(np.sqrt(float(product * n)))
    problem = cp.Problem(cp.Minimize(loss + price * cp.normNuc(Z) + 0.05 * cp.sum_squares(b)))
    problem.solve(solver="CLARABEL")
    return float(problem.value)


@cache
def factorised_minimum(K, n, m, product):
    """By L-BFGS from a few starts, in all N features, with λ_A = 2√product."""
    rng = np.random.default_rng(1)
    lam_A, lam_F = 2 * float(product) ** 0.5, float(product) ** 0.5 / 2
    labels = np.repeat(np.arange(K), n)

    def value(x):
        A, F, b = x[: K * m].reshape(K, m), x[K * m : -K].reshape(m, K * n), x[-K:]
        H = A @ F + b[:, None]
        P = softmax(H, axis=0)
        risk = np.mean(logsumexp(H, axis=0) - H[labels, np.arange(K * n)])
        P[labels, np.arange(K * n)] -= 1
        P /= K * n
        slope = np.concatenate([(P @ F.T + lam_A * A).ravel(), (A.T @ P + lam_F * F).ravel(), P.sum(axis=1) + 0.1 * b])
        return risk + lam_A / 2 * np.sum(A**2) + lam_F / 2 * np.sum(F**2) + 0.05 * b @ b, slope

    options = {"ftol": 1e-14, "gtol": 1e-8, "maxiter": 2000}
    starts = (rng.normal(size=K * m + m * K * n + K) for _ in range(4))
    return min(minimize(value, start, jac=True, method="L-BFGS-B", options=options).fun for start in starts)


@claim.check("optimised", covers=Search("Clarabel and L-BFGS from four starts, K ≤ 4, n ≤ 2, m ≤ 2"))
def test_two_optimisers(statement):
    for K, n, m, product in PROBLEMS:
        best, low = factorised_minimum(K, n, m, product), convex_minimum(K, n, product)
        require_at_most(low, best + 1e-7, "the convex minimum is larger", K=K, n=n, m=m)
        attained = best < low + 1e-6
        require_equal(statement.transferred(K, n, m, product), attained, "transferred otherwise", K=K, n=n, m=m)
        s = float(n * product) ** 0.5
        paid = cross_entropy.ce_optimum(K, n, product, 1)
        scaled = paid.loss + (statement.price - 1) * s * (K - 1) * paid.scale
        require_close(low, scaled, "another convex minimum", rtol=1e-6, atol=1e-7, K=K, n=n)


@claim.check(
    "property",
    covers=Instances("2 ≤ K ≤ 5, n ≤ 3, m ≤ 6, decay around the threshold, 50 drawn"),
)
@given(st.integers(2, 5), st.integers(1, 3), st.integers(1, 6), st.sampled_from(["1/9", "99/100", "1", "2"]),
       st.integers(0, 2**32 - 1))  # fmt: skip
def test_bound_and_factors(statement, K, n, m, factor, seed):
    require_equal(statement.transferred(3, 1, 1, Fraction(1, 81)), False, "factors of a lower rank", K=3, n=1, m=1)
    rng = np.random.default_rng(seed)
    for width, times in (
        (m, Fraction(factor)),
        (K - 1, Fraction(1, 9)),
        (max(K - 2, 1), Fraction(1, 9)),
        (1, Fraction(2)),
    ):
        product = times / (n * K**2)
        lams = [float(product) * 1.7, 1 / 1.7, 0.3]
        optimum = cross_entropy.ce_optimum(K, n, *lams[:2], m=K)
        Z = optimum.A @ optimum.F
        for size in (0.0, 0.2, 2.0):
            A, F, b = (size * rng.normal(size=shape) for shape in ((K, width), (width, K * n), K))
            risk = cross_entropy.regularised_risk(A, F, b, lams=lams)
            require_at_most(optimum.loss, risk + 1e-12, "a smaller risk", K=K, n=n, m=width)
            nuclear = np.linalg.svd(A @ F, compute_uv=False).sum() * float(product) ** 0.5
            plain = cross_entropy.risk(A, F, b) + 0.15 * b @ b
            require_at_most(plain + statement.price * nuclear, risk * (1 + 1e-12), "a smaller risk", K=K, n=n, m=width)
        A, F = cross_entropy.balanced_factors(Z, *lams[:2])
        risk = cross_entropy.regularised_risk(A, F, lams=lams)
        nuclear = np.linalg.svd(Z, compute_uv=False).sum() * float(product) ** 0.5
        paid = cross_entropy.risk(A, F) + statement.price * nuclear
        require_close(paid, risk, "another value at the balanced factors", rtol=1e-12, K=K, n=n)
        try:
            cross_entropy.balanced_factors(Z, *lams[:2], m=width)
            found = True
        except ValueError:
            found = False
        if times != 1:  # at the threshold itself the optimum is 0 to rounding errors
            require_equal(statement.transferred(K, n, width, product), found, "factors otherwise", K=K, n=n, m=width)
