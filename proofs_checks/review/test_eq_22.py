r"""The lower bound of the cross-entropy with weight decay in the norm of the classifier (review, equation 22).

It is printed for every (F, A, b). Let $x = \lambda_A\lVert A\rVert^2$ and $y = \lambda_F\lVert F\rVert^2$. For one
sample, $\log(1+\sum_je^{-d_j})\ge c_2-\bar d/(1+c_1)$ by two uses of Jensen's inequality; the mean of all d is free of
b and at most $\lVert A\rVert\lVert F\rVert/((K-1)\sqrt n)$ by Cauchy's. So with $\sigma =
1/((1+c_1)(K-1)\sqrt{n\lambda_A\lambda_F})$

$$ R_{CEr} \ge c_2 - \sigma\sqrt{xy} + \tfrac12(x+y), $$

and the printed bound, $c_2-\sigma x+x$, follows for x = y: so at all critical points, where $\lambda_AA^\top A =
\lambda_FFF^\top$. For y = rx the two differ by $x(\sqrt r-1)(\tfrac{\sqrt r+1}2-\sigma)$, and as σ may be anything the
printed bound fails for each r ≠ 1. The simplest point is F = 0, b = 0 at $\lambda_A = \lambda_F$ not small.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from nct.ledger import Claim, Condition, Instances, LowerBound, Statement, require, require_at_most, require_equal
from theory.ufm import cross_entropy


class Bound(NamedTuple):
    """A lower bound of the risk, where λ_F‖F‖² is so many times λ_A‖A‖²."""

    bound: Annotated[Callable[..., Any], LowerBound]  # of K, n, λ_A, λ_F, c₁, ‖A‖²
    applies: Annotated[Callable[[Fraction], bool], Condition]


def sqrt(x):
    return x**0.5 if isinstance(x, float) else sp.sqrt(x)


def log(x):
    return np.log(x) if isinstance(x, float) else sp.log(x)


def c2(K, c1):
    return log((1 + c1) * (K - 1)) / (1 + c1) + c1 / (1 + c1) * log((1 + c1) / c1)


def bound(K, n, lam_A, lam_F, c1, norm2):
    return -norm2 / ((1 + c1) * (K - 1)) * sqrt(lam_A / (n * lam_F)) + c2(K, c1) + lam_A * norm2


def balanced(r):
    return r == 1


claim = Claim(
    id="review.eq-22",
    title="A lower bound of the cross-entropy with weight decay",
    source="review, equation 22",
    verdict="amended",
    printed=Statement(
        r"R_{CEr}(F, A, b) \ge -\frac{\lVert A\rVert_F^2}{(1+c_1)(K-1)}\sqrt{\frac{\lambda_A}{n\lambda_F}} + c_2 "
        r"+ \lambda_A\lVert A\rVert_F^2,\quad c_1 > 0,\ c_2 = \frac{1}{1+c_1}\log((1+c_1)(K-1)) "
        r"+ \frac{c_1}{1+c_1}\log\frac{1+c_1}{c_1},\quad \lambda_A, \lambda_F, \lambda_b > 0",
        Bound(bound, lambda r: True),
    ),
    amended=Statement(
        r"\text{The same for all } (F, A, b) \text{ with } \lambda_A\lVert A\rVert_F^2 = \lambda_F\lVert F\rVert_F^2"
        r"\text{, so for all critical points, and every } m \text{; for no other ratio of the two in general}",
        Bound(bound, balanced),
    ),
    near_misses={
        "K for K − 1": Bound(
            lambda K, n, lam_A, lam_F, c1, norm2: (
                c2(K, c1) + lam_A * norm2 - norm2 / ((1 + c1) * K) * sqrt(lam_A / (n * lam_F))
            ),
            balanced,
        ),
        "n for √n": Bound(
            lambda K, n, lam_A, lam_F, c1, norm2: (
                c2(K, c1) + lam_A * norm2 - norm2 / ((1 + c1) * (K - 1)) * sqrt(lam_A / lam_F) / n
            ),
            balanced,
        ),
        "c₂ with K for K − 1": Bound(
            lambda K, n, lam_A, lam_F, c1, norm2: bound(K, n, lam_A, lam_F, c1, norm2) - c2(K, c1) + c2(K + 1, c1),
            balanced,
        ),
        "for larger features as well": Bound(bound, lambda r: r >= 1),
        "for smaller features as well": Bound(bound, lambda r: r <= 1),
    },
    true_edits={
        "bound.c2.log: np.log(x) if isinstance(x, float) else sp.log(x) → sp.log(x)": "the same number, slower",
        "bound.sqrt: x ** 0.5 if isinstance(x, float) else sp.sqrt(x) → sp.sqrt(x)": "the same number, slower",
    },
    counterexample_code=r"""
from fractions import Fraction as Q

# K = 2, n = 1, any m, all lambdas 4, F = 0, b = 0, any A with squared norm 1; c_1 = 1, so that c_2 = log 2.
lam, norm2 = Q(4), Q(1)
risk = lam / 2 * norm2                # above log 2
bound = -norm2 / 2 + lam * norm2      # above log 2
print(f"risk log 2 + {risk}, bound log 2 + {bound}")
assert risk < bound
""",
)

RATIOS = [Fraction(r) for r in (0, 1, 4)] + [Fraction(1, 4), Fraction(49, 50), Fraction(51, 50)]


@claim.check("derived", covers="all")
def test_a_tangent_and_cauchy(statement):
    K, n, lam_A, lam_F, c1, S, q = sp.symbols("K n lam_A lam_F c1 S q", positive=True)
    # log(1 + (K−1)e^{−q}) is convex in q; its tangent where c₁ = e^q/(K−1):
    f = sp.log(1 + K * sp.exp(-q))  # with K + 1 classes
    at = sp.log(c1 * K)
    require_equal(sp.simplify(sp.diff(f, q, 2) - K * sp.exp(q) / (sp.exp(q) + K) ** 2), 0, "not this curvature")
    slope = sp.simplify(sp.diff(f, q).subs(q, at))
    largest = S * sp.sqrt(lam_A / (n * lam_F)) / K  # ‖A‖‖F‖/((K−1)√n) where λ_F‖F‖² = λ_A‖A‖²
    tangent = f.subs(q, at) + slope * (largest - at) + lam_A * S
    gap = sp.simplify(sp.expand_log(tangent - statement.bound(K + 1, n, lam_A, lam_F, c1, S), force=True))
    require_equal(gap, 0, "not the tangent")
    for r in RATIOS:
        # the risk that can be reached less the bound, over λ_A‖A‖²; any σ occurs
        root = sp.sqrt(r)
        differences = [(1 + r) / sp.Integer(2) - root * sigma - 1 + sigma for sigma in (sp.Rational(1, 100), 100)]
        worst = min(differences, key=float)
        require_equal(bool(worst >= 0), r == 1, "another sign", r=r)
        require(not statement.applies(r) or worst >= 0, "the bound is above the risk", r=r)


@claim.check(
    "exact",
    covers=Instances("collapsed points with margin log c, c = 2, 6, K ≤ 4, n = 1, 4; and F = 0, K ≤ 4"),
    blind_to={"for larger features as well": "features of 0 or balanced ones only"},
)
def test_points_with_logarithms(statement):
    for K in (2, 3, 4):
        for n in (1, 4):
            for lam_A, lam_F in ((sp.Rational(1, 3), sp.Rational(1, 12)), (sp.Integer(4), sp.Integer(4))):
                for c in (2, 6):
                    S = sp.log(c) * (K - 1) * sp.sqrt(n * lam_F / lam_A)
                    risk = sp.log(1 + sp.Rational(K - 1, c)) + lam_A * S
                    for c1 in (sp.Rational(c, K - 1), sp.Integer(1)):
                        gap = risk - statement.bound(K, n, lam_A, lam_F, c1, S)
                        if c1 * (K - 1) == c:
                            reached = sp.simplify(sp.expand_log(gap, force=True))
                            require_equal(reached, 0, "the risk is not the bound", K=K, n=n, c=c)
                        low = float(risk) - float(gap)
                        require_at_most(low, float(risk) + 1e-13, "a smaller risk", K=K, n=n, c=c, c1=c1)
                if statement.applies(Fraction(0)):
                    at_zero = statement.bound(K, n, lam_A, lam_F, sp.Rational(1, K - 1), sp.Integer(1))
                    require_at_most(float(at_zero), float(sp.log(K) + lam_A / 2), "a smaller risk", K=K, n=n, F=0)


@claim.check("property", covers=Instances("2 ≤ K ≤ 5, n ≤ 4, m ≤ K + 1, near equality and at random, 50 drawn"))
@given(st.integers(2, 5), st.integers(1, 4), st.sampled_from(RATIOS), st.integers(0, 2**32 - 1))
def test_points(statement, K, n, r, seed):
    if statement.applies(r) and r != 1:
        # σ = 1/(2·100) and 100 / 2 times: K = 2, n = 1, c₁ = 1 where the margin is 0, to first order in the norm
        for lam in (1e-2, 1e2):
            norm2 = 1e-6
            q = norm2 * float(r) ** 0.5
            value = np.log1p(np.exp(-q)) + lam * norm2 * float(1 + r) / 2
            require_at_most(float(statement.bound(2, 1, lam, lam, 1.0, norm2)), value, "a smaller risk", r=r, lam=lam)
    rng = np.random.default_rng(seed)
    lams = [float(x) for x in np.exp(rng.uniform(-3, 2, 2))]
    E = np.eye(K) - 1 / K
    labels = np.repeat(np.arange(K), n)
    m = int(rng.integers(1, K + 2))
    starts = [(E, np.repeat(E, n, axis=1), 0 * labels[:K]), (rng.normal(size=(K, m)), rng.normal(size=(m, K * n)), 1)]
    for A, F, noise in starts:
        for ratio in dict.fromkeys([Fraction(1), r, Fraction(51, 50), Fraction(49, 50)]):
            for size in (0.05, 1.0, 8.0):
                a = A * size / np.linalg.norm(A)
                norm2 = size**2
                f = F * np.sqrt(float(ratio) * lams[0] / lams[1] * norm2) / np.linalg.norm(F)
                b = noise * 0.3 * rng.normal(size=K)
                H = a @ f + b[:, None]
                value = np.mean(logsumexp(H, axis=0) - H[labels, np.arange(K * n)])
                value += lams[0] / 2 * norm2 + lams[1] / 2 * np.sum(f**2) + np.sum(b**2) / 20
                q = size * np.linalg.norm(f) / ((K - 1) * np.sqrt(n))
                for c1 in (np.exp(min(q, 50)) / (K - 1), float(np.exp(rng.normal()))):
                    if statement.applies(ratio):
                        low = float(statement.bound(K, n, *lams, float(c1), norm2))
                        require_at_most(low, value + 1e-12 * (1 + abs(low)), "a smaller risk", K=K, n=n, ratio=ratio)
                    ours = cross_entropy.ce_lower_bound(a, f, c1, lams=[*lams, 0.1])
                    require_at_most(ours, value + 1e-12 * (1 + abs(value)), "the bound for all points fails", K=K)
