r"""Outputs in a ball about the origin that minimise the cross-entropy (review, equation 12 and the formula after it).

$$ h^* = \sqrt{\tfrac{K-1}K}\,R\,e_k - \tfrac{R}{\sqrt{K(K-1)}}\sum_{j\ne k}e_j, $$

and these K points form a simplex equiangular tight frame. Equation 12 writes the ball as B_R(b); read: with b = 0, the
ball about the origin of the sentence before it. Other centres are `review.eq-12.bias`.

By the inequality of the means the loss is at least $\log(1+(K-1)e^{-\langle h,v\rangle})$ with
$v = e_k - \frac1{K-1}\sum_{j\ne k}e_j$, with equality if the other outputs are equal; and
$\langle h,v\rangle\le R\lVert v\rVert$, with equality for $h = Rv/\lVert v\rVert$ alone.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Search, Statement, require_at_most, require_close, require_equal
from theory.ufm import cross_entropy


class Minimiser(NamedTuple):
    """The entries of h*/R at the class and at the others, and the cosine of two of these points."""

    own: Callable[[Any], Any]  # of K
    other: Callable[[Any], Any]
    cosine: Callable[[Any], Any]

    def point(self, K, R, k):
        h = np.full(K, R * float(self.other(K)))
        h[k] = R * float(self.own(K))
        return h


def own(K):
    return sp.sqrt((K - 1) / sp.sympify(K))


def other(K):
    return -1 / sp.sqrt(K * (K - 1))


claim = Claim(
    id="review.eq-12",
    title="Outputs in a ball that minimise the cross-entropy",
    source="review, equation 12 and the formula after it, Section 3.1.1",
    verdict="holds",
    printed=Statement(
        r"\arg\min_{h \in B_R(0)} -\log\frac{\exp\langle h, e_k\rangle}{\sum_j \exp\langle h, e_j\rangle}"
        r" = \sqrt{\tfrac{K-1}K} R e_k - \tfrac{R}{\sqrt{K(K-1)}} \sum_{j \ne k} e_j,"
        r"\text{ which form a simplex ETF (read: } b = 0 \text{)}",
        Minimiser(own, other, lambda K: -1 / (K - 1)),
    ),
    near_misses={
        "all on its own output": Minimiser(lambda K: sp.Integer(1), lambda K: sp.Integer(0), lambda K: 0 * K),
        "√(K(K+1)) for √(K(K−1))": Minimiser(own, lambda K: -1 / sp.sqrt(K * (K + 1)), lambda K: -1 / (K - 1)),
        "cosines −1/K": Minimiser(own, other, lambda K: -1 / sp.sympify(K)),
    },
)


@claim.check("derived", covers="all")
def test_two_inequalities_with_equality(statement):
    K = sp.Symbol("K", positive=True)
    a, c = statement.own(K + 1), statement.other(K + 1)  # K others
    require_equal(sp.simplify(a**2 + K * c**2), 1, "not on the sphere")
    # ⟨h, v⟩ = a − c, as v = e_k − the mean of the others', and ‖v‖² = 1 + 1/K. Cauchy's inequality is an equality.
    require_equal(sp.simplify((a - c) ** 2), sp.simplify(1 + 1 / K), "⟨h, v⟩ is not ‖h‖‖v‖")
    require_equal(bool((a - c).subs(K, 3) > 0), True, "the wrong sign")
    # The means: Σ exp(h_j − h_k) over K others of a given mean is least where all are equal; the tangent of exp at it.
    x, y = sp.symbols("x y", real=True)
    slope = sp.diff(sp.exp(x) - sp.exp(y) - sp.exp(y) * (x - y), x)
    require_equal(sp.solve(slope, x), [y], "another minimum")
    cosine = sp.simplify(2 * a * c + (K - 1) * c**2)
    require_equal(sp.simplify(cosine - statement.cosine(K + 1)), 0, "another cosine")


@claim.check(
    "optimised",
    covers=Search("SLSQP from two random starts, K ≤ 5, R = 0.3, 1, 4"),
    blind_to={"cosines −1/K": "the minimisers are compared, not their angles"},
)
def test_a_constrained_optimiser(statement):
    rng = np.random.default_rng(0)
    for K in range(2, 6):
        for R in (0.3, 1.0, 4.0):
            ball = {"type": "ineq", "fun": lambda h, R=R: R**2 - h @ h, "jac": lambda h: -2 * h}
            for _ in range(2):
                start = rng.normal(size=K) * R / K
                found = minimize(
                    lambda h: np.logaddexp.reduce(h) - h[1],
                    start,
                    jac=lambda h: np.exp(h - np.logaddexp.reduce(h)) - np.eye(len(h))[1],
                    constraints=ball,
                    method="SLSQP",
                    options={"ftol": 1e-15, "maxiter": 300},
                )
                # The loss is flat to second order: SLSQP finds it to 1e-15, the point to about 1e-6.
                require_close(statement.point(K, R, 1), found.x, "another minimiser", atol=1e-4 * R, K=K, R=R)


@claim.check(
    "property",
    covers=Instances("2 ≤ K ≤ 8, R to 20, 50 points of the ball drawn"),
    blind_to={"√(K(K+1)) for √(K(K−1))": "nearly no drawn point is as close to the minimiser"},
)
@given(st.integers(2, 8), st.sampled_from([0.1, 1.0, 5.0, 20.0]), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_points_of_the_ball(statement, K, R, distance, seed):
    rng = np.random.default_rng(seed)
    points = np.array([statement.point(K, R, k) for k in range(K)])
    least = np.logaddexp.reduce(points[0]) - points[0][0]
    h = points[0] / R + distance * rng.normal(size=K)
    h *= R / max(1, np.linalg.norm(h))
    require_at_most(least, (np.logaddexp.reduce(h) - h[0]) + 1e-13, "a smaller loss", K=K, R=R, h=h.tolist())
    require_close(points[0], cross_entropy.ball_minimiser(K, R, 0), "another minimiser", atol=1e-12 * R, K=K, R=R)
    require_close(least, cross_entropy.ball_minimum(K, R), "another minimum", rtol=1e-9, atol=1e-12, K=K, R=R)
    cosine = points @ points.T / R**2
    require_close(cosine[0, 1:], np.full(K - 1, float(statement.cosine(K))), "another cosine", atol=1e-12, K=K, R=R)
