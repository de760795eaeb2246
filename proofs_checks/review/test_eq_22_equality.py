r"""Equality in the lower bound of the cross-entropy with weight decay (review, after equation 22).

It is said to hold when (F, A) satisfy the NC properties and $\lVert A\rVert_F$ is finite. Where
$\lambda_A\lVert A\rVert^2=\lambda_F\lVert F\rVert^2$, the bound is the chain of

1. a tangent of $q\mapsto\log(1+(K-1)e^{-q})$, which is strictly convex: only $c_1 = e^q/(K-1)$ touches it, with
   $q = \lVert A\rVert\lVert F\rVert/((K-1)\sqrt n)$;
2. Jensen's inequality, strict unless all $h_{k}-h_{j}$ are equal;
3. Cauchy's inequality, strict unless A is proportional to the class means, which are the features, and 1ᵀA = 0;
4. $\frac{\lambda_b}2\lVert b\rVert^2\ge0$, strict unless b = 0.

2 and 3 are the NC properties with $\mu_G=0$; (4)–(8) see the class means minus $\mu_G$ only. A bias b ≠ 0 and any other
c₁ make it strict, although the NC properties say nothing of them.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from nct.ledger import Claim, Instances, Statement, require_at_most, require_close, require_equal
from theory.ufm import cross_entropy


class Equality(NamedTuple):
    """Whether risk and bound are equal at an NC point with the margin log c: of K, c, c₁, b, μ_G and the ratio r."""

    holds: Callable[[int, Fraction, Fraction, list[Any], list[Any], Fraction], bool]


def holds(K, c, c1, b, mean, r):
    return c1 * (K - 1) == c and not any(b) and not any(mean) and r == 1


claim = Claim(
    id="review.eq-22.equality",
    title="Equality in the lower bound of the cross-entropy with weight decay",
    source="review, after equation 22",
    verdict="amended",
    printed=Statement(
        r"\text{equality in (22) holds when } F, A \text{ satisfy the NC properties and } \lVert A\rVert_F < \infty",
        Equality(lambda K, c, c1, b, mean, r: True),
    ),
    amended=Statement(
        r"\text{For } \lambda_A\lVert A\rVert_F^2 = \lambda_F\lVert F\rVert_F^2 > 0 \text{ equality in (22) holds if "
        r"and only if } F, A \text{ satisfy the NC properties with } \mu_G = 0,\ b = 0 \text{ and } "
        r"c_1 = \frac{e^q}{K-1},\ q = \frac{\lVert A\rVert_F\lVert F\rVert_F}{(K-1)\sqrt n}",
        Equality(holds),
    ),
    near_misses={
        "for every c₁": Equality(lambda K, c, c1, b, mean, r: not any(b) and not any(mean) and r == 1),
        "for every bias": Equality(lambda K, c, c1, b, mean, r: c1 * (K - 1) == c and not any(mean) and r == 1),
        "for every global mean": Equality(lambda K, c, c1, b, mean, r: c1 * (K - 1) == c and not any(b) and r == 1),
        "without balance": Equality(lambda K, c, c1, b, mean, r: c1 * (K - 1) == c and not any(b) and not any(mean)),
        "c₁ = e^q/K": Equality(lambda K, c, c1, b, mean, r: c1 * K == c and holds(K, c, c / (K - 1), b, mean, r)),
    },
    depends_on=["review.eq-22"],
    counterexample_code=r"""
from math import exp, log

# K = 2, n = 1, m = 1, all lambdas 1, b = 0: A = (1, -1), F = (1, -1) is collapsed and balanced.
margin, norm2 = 2.0, 2.0
risk = log(1 + exp(-margin)) + norm2
for c1 in (1, 2, exp(margin)):
    c2 = log(1 + c1) / (1 + c1) + c1 / (1 + c1) * log((1 + c1) / c1)
    gap = risk - (c2 - norm2 / (1 + c1) + norm2)
    print(f"c1 = {c1:.3f}: risk - bound = {gap:.6f}")
    if c1 < 3:
        assert gap > 0.1
""",
)


@claim.check("derived", covers="all")
def test_strict_steps(statement):
    q, k, x, y = sp.symbols("q k x y", positive=True)
    curvature = sp.diff(sp.log(1 + k * sp.exp(-q)), q, 2)
    require_equal(sp.simplify(curvature - k * sp.exp(q) / (sp.exp(q) + k) ** 2), 0, "not strictly convex")
    require_equal(sp.factor(x**2 + y**2 - 2 * x * y - (x - y) ** 2), 0, "not strict off balance")
    # ‖F‖² = ‖F − μ_G1ᵀ‖² + N‖μ_G‖²: a mean lengthens F and, as 1ᵀA = 0 there, changes no sum of margins.
    # Each step is an equality in exactly one case; each is left alone.
    one, zero = Fraction(1), Fraction(0)
    for K in range(2, 8):
        for c in (Fraction(K - 1), Fraction(2), Fraction(7, 2)):
            for factor in (one, Fraction(51, 50), Fraction(49, 50), Fraction(K - 1, K), Fraction(2)):
                for b in ([zero] * K, [one] + [zero] * (K - 1)):
                    for mean in ([zero] * K, [one] + [zero] * (K - 1), [zero] * (K - 1) + [one]):
                        for r in (one, Fraction(51, 50), Fraction(49, 50)):
                            equal = factor == 1 and b[0] == 0 and mean == [zero] * K and r == 1
                            c1 = factor * c / (K - 1)
                            found = statement.holds(K, c, c1, b, mean, r)
                            require_equal(found, equal, "equality otherwise", K=K, c=c, c1=c1, b=b, mean=mean, r=r)


@claim.check(
    "exact",
    covers=Instances("K ≤ 4, c and c₁ small fractions, b = 0, μ_G = 0, balanced"),
    blind_to={
        "for every bias": "without bias",
        "for every global mean": "the class means are about 0",
        "without balance": "balanced",
    },
)
def test_powers_of_fractions(statement):
    # (1+c₁)(risk − bound) is a logarithm of powers of fractions, compared as integers.
    for K in (2, 3, 4):
        for c in (Fraction(2), Fraction(3, 2), Fraction(5)):
            for c1 in (c / (K - 1), c / K, Fraction(1), Fraction(2), Fraction(1, 3)):
                p, s = c1.numerator, c1.denominator
                risk = ((c + K - 1) / c) ** (p + s)
                low = ((1 + c1) * (K - 1) / c) ** s * ((1 + c1) / c1) ** p
                require_at_most(low, risk, "below the bound", K=K, c=c, c1=c1)
                found = statement.holds(K, c, c1, [0] * K, [0] * K, Fraction(1))
                require_equal(found, risk == low, "equality otherwise", K=K, c=c, c1=c1)


MARGINS = [Fraction(x) for x in (2, 5, 9)] + [Fraction(3, 2), Fraction(11, 7)]


def difference(K, n, size, c1, b, mean, r, noise, rng):
    """Risk less bound, by definition, at an NC point in K dimensions with λ_A = 0.3, λ_F = 0.2, λ_b = 0.1."""
    E = np.eye(K) - 1 / K
    A = E * size / np.linalg.norm(E)
    F = np.repeat(E, n, axis=1) + np.asarray(mean, dtype=float)[:, None] + noise * rng.normal(size=(K, K * n))
    F *= np.sqrt(float(r) * 0.3 / 0.2) * size / np.linalg.norm(F)
    H = A @ F + np.asarray(b, dtype=float)[:, None]
    labels = np.repeat(np.arange(K), n)
    risk = np.mean(logsumexp(H, axis=0) - H[labels, np.arange(K * n)])
    risk += 0.15 * size**2 + 0.1 * np.sum(F**2) + 0.05 * np.sum(np.square(np.asarray(b, dtype=float)))
    c2 = np.log((1 + c1) * (K - 1)) / (1 + c1) + c1 / (1 + c1) * np.log((1 + c1) / c1)
    return risk - (-(size**2) / ((1 + c1) * (K - 1)) * np.sqrt(0.3 / (n * 0.2)) + c2 + 0.3 * size**2)


@claim.check("property", covers=Instances("2 ≤ K ≤ 5, n ≤ 3, one condition broken or none, 50 drawn"))
@given(st.integers(2, 5), st.integers(1, 3), st.sampled_from(MARGINS), st.integers(0, 2**32 - 1))
def test_one_condition_broken(statement, K, n, c, seed):
    found = statement.holds(2, Fraction(2), Fraction(1), [0, 0], [0, 0], Fraction(1))
    require_equal(found, Fraction(3, 2) ** 2 == 2, "equality otherwise", K=2, c=2, c1=1)  # both sides as exponentials
    rng = np.random.default_rng(seed)
    size = float(np.sqrt(np.log(float(c)) * (K - 1) * np.sqrt(n * 0.2 / 0.3)))
    zero, one, touching = [0] * K, Fraction(1), c / (K - 1)
    unit, ones = [1] + [0] * (K - 1), [1] * K
    for c1, b, mean, r in (
        (touching, zero, zero, one),
        (touching * 2, zero, zero, one),
        (c / K, zero, zero, one),
        (touching, unit, zero, one),
        (touching, ones, zero, one),
        (touching, zero, unit, one),
        (touching, zero, ones, one),
        (touching, zero, zero, Fraction(4)),
    ):
        gap = difference(K, n, size, float(c1), b, mean, r, 0, rng)
        require_equal(
            statement.holds(K, c, c1, b, mean, r), abs(gap) < 1e-10, "equality otherwise", K=K, c=c, c1=c1, b=b
        )
    scattered = difference(K, n, size, float(touching), zero, zero, one, 0.3, rng)
    require_at_most(1e-9, scattered, "equality at a point that is not collapsed", K=K, n=n)
    A, F = cross_entropy.largest_margin_factors(K, n, 2 * size**2)
    require_close(cross_entropy.ce_lower_bound(A, F), cross_entropy.risk(A, F), "not the best c₁", rtol=1e-12)
