r"""The two sub-problems of the three-factor risk (review, equation 38).

For given outer factor the minimum over the two others, whose product is Z, is by (24) a multiple of the nuclear norm of
Z: with A₁F̄ = Z, $\frac{\lambda_{A_1}}2\lVert A_1\rVert^2+\frac{n\lambda_F}2\lVert\bar
F\rVert^2\ge\sqrt{n\lambda_{A_1}\lambda_F} \lVert Z\rVert_*$, attained as A₁ is m×m and so no inner dimension is below
the rank; likewise for A₂A₁. So both sub-problems have the minimum of (36). (24) itself rests on $\lVert
BC\rVert_*\le\lVert B\rVert\lVert C\rVert$ and the means of two squares.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_at_most, require_close, require_equal
from theory import schatten
from theory.ufm import squared_error


class Subproblems(NamedTuple):
    """The prices of the nuclear norms and the weight decay of the outer factors, of n and λ_{A2}, λ_{A1}, λ_F."""

    first: Callable[[Any, Any, Any, Any], Any]
    outer_A2: Callable[[Any, Any, Any, Any], Any]
    second: Callable[[Any, Any, Any, Any], Any]
    outer_F: Callable[[Any, Any, Any, Any], Any]


true = Subproblems(
    lambda n, a2, a1, f: sp.sqrt(n * a1 * f),
    lambda n, a2, a1, f: a2 / 2,
    lambda n, a2, a1, f: sp.sqrt(a2 * a1),
    lambda n, a2, a1, f: n * f / 2,
)

claim = Claim(
    id="review.eq-38",
    title="Two sub-problems of the three-factor risk",
    source="review, equation 38",
    verdict="holds",
    printed=Statement(
        r"\min_{A_2, Z}\tfrac1{2K}\|A_2Z - I\|_F^2 + \tfrac{\lambda_{A_2}}2\|A_2\|_F^2 + \sqrt{n\lambda_{A_1}\lambda_F}"
        r"\|Z\|_* \text{ and } \min_{Z, \bar F}\tfrac1{2K}\|Z\bar F - I\|_F^2 + \tfrac{n\lambda_F}2\|\bar F\|_F^2 + "
        r"\sqrt{\lambda_{A_2}\lambda_{A_1}}\|Z\|_* \text{ both have the minimum of (36) (so is "
        r"} \textit{split} \text{ read), for every } m",
        true,
        formulas={
            r"\tfrac{n\lambda_F}2": lambda s, n, lam_F: s.outer_F(n, 1, 1, lam_F),
        },
    ),
    near_misses={
        "without n": true._replace(first=lambda n, a2, a1, f: sp.sqrt(a1 * f)),
        "the other layer": true._replace(first=lambda n, a2, a1, f: sp.sqrt(n * a2 * f)),
        "half the price": true._replace(second=lambda n, a2, a1, f: sp.sqrt(a2 * a1) / 2),
        "features without n": true._replace(outer_F=lambda n, a2, a1, f: f / 2),
    },
)


@claim.check("derived", covers="all")
def test_means_of_squares(statement):
    # p x²/2 + q y²/2 − √(pq) xy is a square: the price of a singular value z = xy. The other factor keeps its decay.
    n, a2, a1, f, x, y = sp.symbols("n lam_2 lam_1 lam_F x y", positive=True)
    values = (n, a2, a1, f)
    for price, (p, q) in ((statement.first, (a1, n * f)), (statement.second, (a2, a1))):
        rest = p * x**2 / 2 + q * y**2 / 2 - price(*values) * x * y - (sp.sqrt(p) * x - sp.sqrt(q) * y) ** 2 / 2
        require_equal(sp.simplify(rest), 0, "another price")
    require_equal(sp.simplify(statement.outer_A2(*values) - a2 / 2), 0, "another decay of A₂")
    require_equal(sp.simplify(statement.outer_F(*values) - n * f / 2), 0, "another decay of the features")


def risks(statement, A2, A1, M, n, lams):
    """(36) at collapsed features, and both sub-problems there."""
    K = len(A2)
    fit = np.sum((A2 @ A1 @ M - np.eye(K)) ** 2) / (2 * K)
    whole = fit + (lams[0] * np.sum(A2**2) + lams[1] * np.sum(A1**2) + n * lams[2] * np.sum(M**2)) / 2
    first, outer, second, outer_F = (float(f(n, *lams)) for f in statement)
    nuclear = [np.linalg.svd(Z, compute_uv=False).sum() for Z in (A1 @ M, A2 @ A1)]
    return whole, fit + outer * np.sum(A2**2) + first * nuclear[0], fit + outer_F * np.sum(M**2) + second * nuclear[1]


@claim.check("property", covers=Instances("K ≤ 4, n ≤ 4, m ≤ 5: any point from above, balanced points, 50 drawn"))
@given(st.integers(2, 4), st.integers(2, 4), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_points(statement, K, n, m, seed):
    rng = np.random.default_rng(seed)
    lams = (10 ** rng.uniform(-2, 0, 3)).tolist()
    A2, A1, M = (rng.normal(size=shape) for shape in ((K, m), (m, m), (m, K)))
    whole, first, second = risks(statement, A2, A1, M, n, lams)
    require_at_most(first, whole * (1 + 1e-12), "the first is larger", K=K, n=n, m=m)
    require_at_most(second, whole * (1 + 1e-12), "the second is larger", K=K, n=n, m=m)
    B, C = schatten.minimal_factors(A1 @ M, [lams[1], n * lams[2]], m)
    whole, first, _ = risks(statement, A2, B, C, n, lams)
    require_close(first, whole, "the first is not attained", rtol=1e-9, K=K, n=n, m=m)
    B, C = schatten.minimal_factors(A2 @ A1, lams[:2], m)
    whole, _, second = risks(statement, B, C, M, n, lams)
    require_close(second, whole, "the second is not attained", rtol=1e-9, K=K, n=n, m=m)


@claim.check("exact", covers=Instances("K ≤ 3, n = 1, 4, diagonal factors in rationals; the minimum of the theory"))
def test_diagonal_points(statement):
    for K, n in ((2, 1), (2, 4), (3, 4)):
        for a2, a1, f in (("1/4", "1/9", "1/25"), ("1", "1/4", "1/16"), ("1/9", "4", "1/36")):
            a2, a1, f = map(sp.Rational, (a2, a1, f))
            x, w = sp.Rational(2, 3), sp.Rational(3, 5)
            y = x * sp.sqrt(a1 / (n * f))  # balanced: a1 x² = n f y²
            whole = a2 * w**2 / 2 + a1 * x**2 / 2 + n * f * y**2 / 2
            stated = statement.outer_A2(n, a2, a1, f) * w**2 + statement.first(n, a2, a1, f) * x * y
            require_equal(stated, whole, "the first differs", K=K, n=n, lams=(a2, a1, f))
            y = x * sp.sqrt(a1 / a2)
            whole = a1 * x**2 / 2 + a2 * y**2 / 2 + n * f * w**2 / 2
            stated = statement.outer_F(n, a2, a1, f) * w**2 + statement.second(n, a2, a1, f) * x * y
            require_equal(stated, whole, "the second differs", K=K, n=n, lams=(a2, a1, f))
    lams = (0.03, 0.02, 0.01)
    found = squared_error.three_factor_optimum(3, 2, 4, lams)
    values = risks(statement, *found.classifiers, found.class_means, 2, lams)
    require_close(np.array(values), np.full(3, found.loss), "another minimum", rtol=1e-9)
