r"""The width that is needed for a direction of negative curvature (review, after equation 27).

m > K is said to be necessary for a w ≠ 0 with Aw = 0. It is not, with the cross-entropy: G has columns that sum to 0
and $\lambda_AA=-GF^\top$, so $1^\top A=0$ at every critical point and $\operatorname{rank}A\le K-1$: m ≥ K is enough.
At the points of $\mathcal C_2$, where it is wanted, $m\ge K-1$ is: $\mu^2A=GG^\top A$ with
$\mu=\sqrt{\lambda_A\lambda_F}$, so that rank K − 1 makes $GG^\top=\mu^2(I-J/K)$ and $\lVert G\rVert_2=\mu$, a point
of $\mathcal C_1$. So from m = K − 1 on every critical point is a global minimum or a strict saddle. And for no
smaller width: for $m\le K-2$ and $nK^2\lambda_A\lambda_F<1$ the global minimum (there is one, by coercivity) does not
reach the convex program's value (eq-23), so it is in $\mathcal C_2$ (eq-25), and has no negative curvature: no such w
(eq-27).
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import sympy as sp

from nct.ledger import Claim, Instances, Search, Statement, require_at_most, require_equal
from theory.ufm import cross_entropy


class Width(NamedTuple):
    """The least width with a w for all points of C₂, and the least for all critical points."""

    second_set: Callable[[int], int]  # of K
    all_points: Callable[[int], int]


true = Width(lambda K: K - 1, lambda K: K)

claim = Claim(
    id="review.eq-27.width",
    title="The width that is needed for negative curvature",
    source="review, after equation 27",
    verdict="amended",
    printed=Statement(
        r"m > K \text{ is necessary to obtain } w \ne 0 \text{ with } Aw = 0 \text{ at the points of } \mathcal C_2",
        Width(lambda K: K + 1, lambda K: K + 1),
    ),
    amended=Statement(
        r"\text{At all points of } \mathcal C_2 \text{, for all } \lambda_A, \lambda_F, \lambda_b > 0, n \text{, there "
        r"is a } w \ne 0 \text{ with } Aw = 0 \text{ if and only if } m \ge K - 1 \text{; at all critical points if "
        r"and only if } m \ge K",
        true,
    ),
    near_misses={
        "from K on": true._replace(second_set=lambda K: K),
        "from K − 2 on": true._replace(second_set=lambda K: max(K - 2, 1)),
        "all points from K − 1 on": true._replace(all_points=lambda K: K - 1),
        "for three classes in one dimension": true._replace(second_set=lambda K: 1 if K == 3 else K - 1),
    },
    depends_on=["review.eq-23", "review.eq-25", "review.eq-27"],
    counterexample_code=r"""
from fractions import Fraction as Q

# K = 2, n = 1, m = 1, lambda_A = lambda_F = 1/4: the origin is critical, and ||G|| = 1/2 > 1/4. A w is at hand, w =
# 1, and
# the second derivative along A = t(1, -1), F = -t(-1, 1) is negative: the risk is log(1 + exp(-2 t^2)) + t^2/2.
lam, sigma, w = Q(1, 4), Q(1, 2), 1
A = (0, 0)
assert all(a * w == 0 for a in A) and w != 0 and sigma > lam
second = 2 * (lam - sigma)
print(f"m = 1 < K = 2, and the second derivative along a unit direction is {second}")
assert second < 0
""",
)


@claim.check("derived", covers="all")
def test_ranks(statement):
    # μ²A = GGᵀA from the two equations, and 1ᵀG = 0, in a small size with symbols.
    lam_A, lam_F = sp.symbols("lam_A lam_F", positive=True)
    g = sp.Matrix(2, 3, sp.symbols("g:6"))
    G = g.col_join(-g[0, :] - g[1, :])  # three classes, columns that sum to 0
    A = sp.Matrix(3, 2, sp.symbols("a:6"))
    F = -A.T * G / lam_F
    again = -G * F.T / lam_A
    require_equal(sp.expand(again - G * G.T * A / (lam_A * lam_F)), sp.zeros(3, 2), "another identity")
    require_equal(sp.expand(sp.ones(1, 3) * again), sp.zeros(1, 2), "columns of A with another sum")
    for K in range(2, 30):
        # ranks that occur: up to K − 1 at all critical points (collapsed), up to K − 2 in C₂ (minima for m = K − 2)
        require_equal(statement.second_set(K), max(K - 2, 0) + 1, "another width in C₂", K=K)
        require_equal(statement.all_points(K), (K - 1) + 1, "another width", K=K)


@claim.check(
    "exact",
    covers=Instances("collapsed points and the origin, K ≤ 6, ranks of integer matrices"),
    blind_to={"from K − 2 on": "points of rank 0 and K − 1", "for three classes in one dimension": "the same"},
)
def test_ranks_of_known_points(statement):
    for K in range(2, 7):
        simplex = K * sp.eye(K) - sp.ones(K, K)
        require_equal(simplex.rank() + 1, statement.all_points(K), "another width for all points", K=K)
        # GGᵀ = μ²(I − J/K) has no larger eigenvalue: rank K − 1 is not in C₂
        largest = max((simplex / K).eigenvals())
        require_equal(largest, 1, "another eigenvalue", K=K)
        require_at_most(statement.second_set(K), simplex.rank(), "a w without a reason", K=K)


@cache
def narrow_minimum(K, n, m, product, bias):
    lams = [product**0.5, product**0.5, bias]
    best = cross_entropy.ce_optimum(K, n, *lams[:2], m=m, lam_b=bias, starts=5)
    return best, lams


@claim.check("optimised", covers=Search("L-BFGS from five starts, K = 3, 4, 5, m ≤ K − 1"))
def test_minima_of_every_width(statement):
    for K, n, m, product, bias in (
        (3, 1, 1, 0.003, 0.1),
        (3, 2, 1, 0.001, 1.0),
        (4, 1, 2, 0.001, 0.1),
        (4, 1, 1, 0.001, 0.1),
    ):
        best, lams = narrow_minimum(K, n, m, product, bias)
        A, F, b = best.A, best.F, best.b
        norm = np.linalg.norm(cross_entropy.output_gradient(A @ F + b[:, None]), 2)
        require_at_most(np.sqrt(lams[0] * lams[1]) * (1 + 1e-4), norm, "not in C₂", K=K, m=m)
        kernel = int(m - np.linalg.matrix_rank(A, tol=1e-4))
        # the minimum of this width is in C₂ and has no w
        require_equal(kernel, 0, "a w at a minimum", K=K, m=m)
        require_at_most(m + 1, statement.second_set(K), "there is no w", K=K, n=n, m=m)
        require_equal(cross_entropy.escape_direction(A, F, b, lams=lams, tolerance=1e-4), None, "a way down", K=K, m=m)
    for K in (2, 3, 4):
        best, _ = narrow_minimum(K, 1, K - 1, 0.001, 0.1)
        rank = int(np.linalg.matrix_rank(best.A))
        require_equal(rank + 1, statement.all_points(K), "another rank at the minimum", K=K)
        # wider: the minimum of width K − 2 is a saddle of C₂ with a way down, at m = K − 1 already
        if K > 2:
            low, lams = narrow_minimum(K, 1, K - 2, 0.001, 0.1)
            A, F = np.pad(low.A, ((0, 0), (0, 1))), np.pad(low.F, ((0, 1), (0, 0)))
            found = cross_entropy.escape_direction(A, F, low.b, lams=lams, tolerance=1e-4)
            require_equal(found is not None, True, "no way down", K=K)
            require_at_most(statement.second_set(K), K - 1, "a w exists at this width", K=K)
        else:
            found = cross_entropy.escape_direction(np.zeros((2, 1)), np.zeros((1, 2)), lams=[0.1, 0.1, 0.1])
            require_equal(found is not None, True, "no way down", K=K)
            require_at_most(statement.second_set(K), K - 1, "a w exists at this width", K=K)
