r"""In which sense a simplex ETF has the largest distances (review, Section 1, NC2, and after equation 52).

For K points of the unit ball, $\sum_{j\ne k}\lVert x_j-x_k\rVert^2 = 2K\sum\lVert x_k\rVert^2-2\lVert\sum
x_k\rVert^2\le2K^2$, and equal for all points of the sphere with the mean 0. The smallest squared distance is at most
the mean, $\frac{2K}{K-1}$, and equal to it only if all are: for unit vectors with the products $-\frac1{K-1}$, an
ETF, which needs K − 1 dimensions. A single distance may be 2, that of opposite points, which an ETF does not have for
K > 2. Read as printed: $\lVert\mu_i-\mu_j\rVert^2$, for each pair, is largest at the ETF.
"""

from collections.abc import Callable
from itertools import combinations
from typing import Annotated, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Condition, Instances, Statement, require_at_most, require_close, require_equal
from theory.geometry.separation import largest_separation
from theory.geometry.simplex_etf import etf


class Largest(NamedTuple):
    """For K points of the unit ball in m dimensions: of what no configuration has more than a simplex ETF."""

    each: Annotated[Callable[[int], bool], Condition]  # distance of one pair
    least: Annotated[Callable[[int, int], bool], Condition]  # smallest distance, attained by an ETF and it alone
    total_unique: Annotated[Callable[[int], bool], Condition]  # the sum of squares, by the ETF alone


claim = Claim(
    id="review.etf-optimal",
    title="The distances of the vertices of a simplex ETF",
    source="review, Section 1 (NC2) and after equation 52",
    verdict="amended",
    printed=Statement(
        r"\|\mu_i - \mu_j\|^2 \text{ is maximised when the class means attain the simplex ETF: the vertices "
        r"are at the maximum possible distance from each other (read: in a ball, each pair)}",
        Largest(lambda K: True, lambda K, m: m >= K - 1, lambda K: K <= 3),
    ),
    amended=Statement(
        r"\text{of } K \text{ points of a ball in } m \ge K - 1 \text{ dimensions an ETF of its radius, and no other "
        r"set, has the largest smallest distance; it has the largest sum of squared distances, alone if and only "
        r"if } K \le 3; \text{ each distance is the largest possible iff } K = 2",
        Largest(lambda K: K == 2, lambda K, m: m >= K - 1, lambda K: K <= 3),
    ),
    near_misses={
        "each distance up to K = 3": Largest(lambda K: K <= 3, lambda K, m: m >= K - 1, lambda K: K <= 3),
        "the smallest in K − 2 dimensions": Largest(lambda K: K == 2, lambda K, m: m >= K - 2, lambda K: K <= 3),
        "the sum by the ETF alone up to K = 4": Largest(lambda K: K == 2, lambda K, m: m >= K - 1, lambda K: K <= 4),
    },
    counterexample_code=r"""
# K = 3 in the unit disc: at the simplex ETF all squared distances are 3; of (1, 0), (-1, 0), (0, 1) one is 4.
etf = 2 * 3 / (3 - 1)
(x, y), (u, v) = (1, 0), (-1, 0)
print("simplex", etf, "opposite points", (x - u) ** 2 + (y - v) ** 2)
assert (x - u) ** 2 + (y - v) ** 2 > etf
""",
)


def others(K):
    """The dimension of the Gram matrices with the diagonal 1 and row sums 0, near that of an ETF."""
    pairs = list(combinations(range(K), 2))
    sums = sp.Matrix(K, len(pairs), lambda k, pair: int(k in pairs[pair]))  # of the products in a row
    return len(pairs) - sums.rank()


def opposite_and_polygon(K):
    """A pair of opposite unit vectors and a regular polygon across it: the sum of squares, a product of two."""
    angles = [2 * sp.pi * i / (K - 2) for i in range(K - 2)]
    points = sp.Matrix([(1, 0, 0), (-1, 0, 0), *((0, sp.cos(angle), sp.sin(angle)) for angle in angles)]).T
    total = sum(2 - 2 * points[:, i].dot(points[:, j]) for i, j in combinations(range(K), 2))
    return sp.nsimplify(sp.simplify(total)), points[:, 0].dot(points[:, 2])


@claim.check("exact", covers="all")
def test_the_sum_over_pairs(statement):
    K = sp.Symbol("K", positive=True)
    mean = 2 * K**2 / (K * (K - 1))
    require_equal(sp.simplify(mean - (2 + 2 / (K - 1))), 0, "the mean is not that of the ETF")
    # Each row of the K × K(K−1)/2 incidence matrix Q has K − 1 ones, two rows share one: QQᵀ = (K − 2)I + J, regular
    # for K ≥ 3. So K(K−3)/2 dimensions of symmetric matrices with rows of sum 0 and the diagonal 0 are left: a little
    # of any added to the Gram matrix of an ETF, which is positive on the sums 0, leaves it positive.
    free = K * (K - 1) / 2 - K
    for k in range(2, 8):
        require_equal(statement.each(k), mean.subs(K, k) == 4, "opposite points are further apart", K=k)
        gram = sp.eye(k) * sp.Rational(k, k - 1) - sp.ones(k) / (k - 1)
        for m in range(1, k + 2):
            require_equal(statement.least(k, m), gram.rank() <= m, "decided otherwise", K=k, m=m)
        if k > 2:
            require_equal(free.subs(K, k), others(k), "another number of Gram matrices", K=k)
        require_equal(statement.total_unique(k), others(k) == 0, "decided otherwise", K=k)
    for k in (4, 5, 6):  # one of them
        total, product = opposite_and_polygon(k)
        require_equal(total, k**2, "not the largest sum", K=k)
        require_equal(statement.total_unique(k), product == -1 / sp.S(k - 1), "the sum of another set", K=k)
    require_equal(sp.solveset(free > 0, K, sp.Interval(2, sp.oo)), sp.Interval.open(3, sp.oo), "others for other K")


@claim.check("property", covers=Instances("2 ≤ K ≤ 7, unit vectors at random or in opposite pairs, 50 drawn"))
@given(st.integers(2, 7), st.integers(1, 8), st.booleans(), st.integers(0, 2**32 - 1))
def test_random_points(statement, K, m, paired, seed):
    points = np.random.default_rng(seed).normal(size=(m, K))
    points /= np.linalg.norm(points, axis=0)
    if paired:
        points[:, 1::2] = -points[:, : K - 1 : 2]
    square = ((points[:, :, None] - points[:, None]) ** 2).sum(axis=0)[np.triu_indices(K, 1)]
    bound = 2 * K / (K - 1)
    require_at_most(square.min(), bound + 1e-12, "a larger smallest distance", K=K, m=m)
    require_at_most(2 * square.sum(), 2 * K**2 + 1e-9, "a larger sum", K=K, m=m)
    if statement.each(K):
        require_at_most(square.max(), bound + 1e-12, "a larger distance", K=K, m=m)
    if paired and K == 4 and m > 1 and statement.total_unique(K):
        require_close(square, np.full(6, bound), "another configuration has the largest sum", rtol=1e-9, K=K)
    if statement.least(K, m):
        require_close(largest_separation(K, m).distance ** 2, bound, "another distance", rtol=1e-12, K=K, m=m)
        vertices = etf(K, m) if m >= K - 1 else np.zeros((m, K))
        distance = ((vertices[:, 0] - vertices[:, 1]) ** 2).sum()
        require_close(distance, bound, "not attained", rtol=1e-12, K=K, m=m)
