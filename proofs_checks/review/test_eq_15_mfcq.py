r"""KKT points of the separation problem need not be global minima (review, after equation 15).

It is said that, to show that the approximate KKT points are the desired global minima, it is sufficient to show that
(15) satisfies the qualification MFCQ. It does, at every feasible point: the constraints $g = (a_k-a_j)^\top f_{k,i}$
are homogeneous of degree 2, so $\langle\nabla g, (A,F)\rangle = 2g > 0$. But that makes minima KKT points, not the
converse.

A KKT point has $A = \Lambda F^\top$, $F = A^\top\Lambda$ with $\Lambda = \sum\lambda_{k,i,j}(e_k-e_j)$ in the column
of (k, i), whose columns sum to 0. So $A = \Lambda\Lambda^\top A$, and the range of A is in $1^\perp$. If
$\lVert\Lambda\rVert_2\le1$ the point is a global minimum, as $\frac12(\lVert A\rVert^2+\lVert F\rVert^2)\ge\lVert
AF\rVert_*\ge\langle\Lambda,AF\rangle$. If A has rank K − 1, $\Lambda\Lambda^\top$ is the identity on $1^\perp$, and
that is so. For K = 2 and 3 it always is: three classes are not separated in rank 1, where the class in the middle has
no feature. For K ≥ 4 there is a KKT point of rank 2, a regular polygon $a_k = f_k\propto(\cos\frac{2\pi
k}K,\sin\frac{2\pi k}K)$, with the objective $K/(1-\cos\frac{2\pi}K)$ where the simplex has K − 1 (both times √n); for
K = 4, a square with integer entries.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import sympy as sp
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Search, Statement, require, require_at_most, require_close, require_equal
from theory.ufm import cross_entropy


class Sufficient(NamedTuple):
    """Constraints grow so along the point, as multiples of themselves; and for which K KKT points are global minima."""

    growth: int
    all_global: Callable[[int], bool]  # of K, for m ≥ K − 1


claim = Claim(
    id="review.eq-15.mfcq",
    title="KKT points of the separation problem as global minima",
    source="review, Section 3.1.1, after equation 15",
    verdict="amended",
    printed=Statement(
        r"\text{to show that the approximate KKT points are the global minima of (15), it is sufficient that (15) "
        r"satisfies MFCQ (it does: } \langle\nabla g, (A, F)\rangle = 2g > 0 \text{ at every feasible point)}",
        Sufficient(2, lambda K: True),
    ),
    amended=Statement(
        r"\text{(15) satisfies MFCQ at every feasible point, so that its minima are KKT points. For } m \ge K - 1"
        r"\text{ all KKT points are global minima if and only if } K \le 3; \text{ for every } K \text{ those are }"
        r"\text{with } \operatorname{rank} A = K - 1",
        Sufficient(2, lambda K: K <= 3),
    ),
    near_misses={
        "for two classes only": Sufficient(2, lambda K: K <= 2),
        "up to four classes": Sufficient(2, lambda K: K <= 4),
        "for all but four classes": Sufficient(2, lambda K: K != 4),
        "constraints of degree 1": Sufficient(1, lambda K: K <= 3),
    },
    depends_on=["review.eq-15.margin"],
    counterexample_code=r"""
from fractions import Fraction as Q

# K = 4, n = 1, and any m >= 3 (further coordinates are 0): a_k = f_k at the corners of a square.
A = [(1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, -1, 0)]
dot = lambda x, y: sum(a * b for a, b in zip(x, y))
minus = lambda x, y: [a - b for a, b in zip(x, y)]
g = {(k, j): dot(minus(A[k], A[j]), A[k]) for k in range(4) for j in range(4) if j != k}
active = [pair for pair in g if g[pair] == 1]
assert min(g.values()) == 1
# Multipliers 1/2 for the active constraints: A = sum of multipliers times gradients, and so F.
for k in range(4):
    in_f = [sum(Q(1, 2) * minus(A[i], A[j])[x] for i, j in active if i == k) for x in range(3)]
    in_a = [sum(Q(1, 2) * ((i == k) - (j == k)) * A[i][x] for i, j in active) for x in range(3)]
    assert tuple(in_f) == A[k] and tuple(in_a) == A[k]
objective = Q(sum(dot(a, a) for a in A) * 2, 2)
# The simplex a_k = f_k = (e_k - 1/4) is feasible, and has the rank 3.
S = [[Q(4 * (i == j) - 1, 4) for j in range(4)] for i in range(4)]
assert all(dot(minus(S[k], S[j]), S[k]) == 1 for k in range(4) for j in range(4) if j != k)
simplex = Q(sum(dot(s, s) for s in S) * 2, 2)
print(f"a KKT point with the objective {objective}, a feasible point with {simplex}")
assert simplex < objective
""",
)


@claim.check("derived", covers="all")
def test_homogeneity_rank_and_polygons(statement):
    a, f = sp.Matrix(sp.symbols("a1:4")), sp.Matrix(sp.symbols("f1:4"))  # a_k − a_j, and f: any m is alike
    g = a.dot(f)
    along = sum(sp.diff(g, x) * x for x in (*a, *f))
    require_equal(sp.expand(along - statement.growth * g), 0, "the constraints grow otherwise")
    for K in range(2, 41):
        # Two dimensions separate any number of classes, one dimension two: the least rank of A at a KKT point.
        full = min(2, K - 1) == K - 1
        if K > 2:
            c = sp.cos(2 * sp.pi / K)
            polygon, simplex = K / (1 - c), sp.Integer(K - 1)
            multiplier = 1 / (2 - 2 * c)  # a_1 = λ (2 a_1 − a_2 − a_K)
            require_equal(sp.simplify(multiplier * (2 - 2 * c)), 1, "not stationary", K=K)
            require_equal(full, not sp.N(polygon - simplex, 30) > 1e-20, "rank and objective disagree", K=K)
        require_equal(statement.all_global(K), full, "decided otherwise", K=K)
    # K ≥ 5: the cosine is positive and the polygon's objective above K. Past any number the statement says the same.
    require_equal(sp.cos(2 * sp.pi / 5).is_positive, True, "the cosine is not positive")
    require_equal(statement.all_global(10**6), False, "decided otherwise", K=10**6)


@claim.check(
    "exact",
    covers=Instances("triangle, square and hexagon, n = 1 and 4, in surds; K = 2"),
)
def test_exact_polygons(statement):
    for K in (2, 3, 4, 6):
        for n in (1, 4):
            # K = 2 is the "polygon" of two opposite points, with one neighbour.
            c = sp.cos(2 * sp.pi / K)
            corners = [sp.Matrix([sp.cos(2 * sp.pi * k / K), sp.sin(2 * sp.pi * k / K)]) for k in range(K)]
            scale = 1 / sp.sqrt(1 - c)
            root = sp.sqrt(sp.sqrt(n))
            A, F = [scale * root * p for p in corners], [scale / root * p for p in corners]
            values = {(k, j): sp.simplify((A[k] - A[j]).dot(F[k])) for k in range(K) for j in range(K) if j != k}
            require_equal(min(values.values()), 1, "not feasible", K=K)
            active = [pair for pair, value in values.items() if value == 1]
            weight = 1 / (sp.Integer(2) * sp.sqrt(n) * (1 - c)) * (2 if K == 2 else 1)
            for k in range(K):
                stationary = F[k] - weight * sum((A[i] - A[j] for i, j in active if i == k), sp.zeros(2, 1))
                require_equal(sp.simplify(stationary), sp.zeros(2, 1), "F is not stationary", K=K, n=n)
                pull = sum(((int(i == k) - int(j == k)) * F[i] for i, j in active), sp.zeros(2, 1))
                require_equal(sp.simplify(A[k] - n * weight * pull), sp.zeros(2, 1), "A is not stationary", K=K, n=n)
            objective = sp.simplify(sum(x.dot(x) for x in A) + n * sum(x.dot(x) for x in F)) / 2
            simplex = (K - 1) * sp.sqrt(n)
            grown = sp.Integer(statement.growth) * min(values.values())
            require_equal(grown, 2, "the active constraints grow otherwise", K=K, n=n)
            require_equal(statement.all_global(K), sp.simplify(objective - simplex) == 0, "not global", K=K, n=n)


@cache
def local_minima(K, n, m, plane):
    """Objectives and residuals of descents on (15) with SLSQP; `plane` leaves all coordinates but two at 0."""
    rng, N = np.random.default_rng(K + 10 * m), K * n
    found = []
    for _ in range(4):
        A, F = rng.normal(size=(K, m)), rng.normal(size=(m, N))
        if plane:
            A[:, 2:], F[2:] = 0, 0

        def split(x):
            return x[: K * m].reshape(K, m), x[K * m :].reshape(m, N)

        def values(x):
            g, _ = cross_entropy.constraint_gradients(*split(x))
            return (g + 2.0 * np.repeat(np.eye(K), n, axis=0) - 1).ravel()

        run = minimize(
            lambda x: x @ x / 2,
            np.concatenate([A.ravel(), F.ravel()]),
            jac=lambda x: x,
            constraints={
                "type": "ineq",
                "fun": values,
                "jac": lambda x: cross_entropy.constraint_gradients(*split(x))[1].reshape(-1, x.size),
            },
            method="SLSQP",
            options={"ftol": 1e-13, "maxiter": 300},
        )
        if run.success:
            A, F = split(run.x)
            residual = cross_entropy.kkt_residual(A, F)
            found.append((run.fun, residual.stationarity + residual.complementarity, (A, F)))
    return found


@claim.check("optimised", covers=Search("SLSQP from four starts, K ≤ 5, n ≤ 2, m = K − 1 and in a plane of it"))
def test_kkt_points_found(statement):
    for K, n, m in ((2, 1, 1), (2, 2, 2), (3, 1, 2), (3, 2, 2), (3, 1, 3), (4, 1, 3), (5, 1, 4)):
        objectives = []
        for objective, residual, (A, F) in local_minima(K, n, m, K > 3):
            require_at_most(residual, 1e-5, "not a KKT point", K=K, n=n, m=m)
            objectives.append(objective)
            g, J = cross_entropy.constraint_gradients(A, F)
            along = J @ np.concatenate([A.ravel(), F.ravel()])
            require_close(along, statement.growth * g, "constraints grow otherwise", rtol=1e-9, atol=1e-9, K=K)
        require(objectives, "no KKT point was found", K=K)
        least = (K - 1) * n**0.5
        found = max(objectives) < least * (1 + 1e-6)
        require_equal(statement.all_global(K), found, "decided otherwise", K=K, n=n, m=m, objectives=objectives)
