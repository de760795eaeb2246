r"""In which sense a simplex ETF has the largest distances (review, Section 1, NC2, and after equation 52).

For K points of the unit ball, $\sum_{j\ne k}\lVert x_j-x_k\rVert^2 = 2K\sum\lVert x_k\rVert^2-2\lVert\sum
x_k\rVert^2\le2K^2$, and equal for all points of the sphere with the mean 0. The smallest squared distance is at most
the mean, $\frac{2K}{K-1}$, and equal to it only if all are: for unit vectors with the products $-\frac1{K-1}$, an
ETF, which needs K − 1 dimensions. A single distance may be 2, that of opposite points, which an ETF does not have for
K > 2. Read as printed: $\lVert\mu_i-\mu_j\rVert^2$, for each pair, is largest at the ETF.
"""

from collections.abc import Callable
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


@claim.check("exact", covers="all")
def test_the_sum_over_pairs(statement):
    K = sp.Symbol("K", positive=True)
    mean = 2 * K**2 / (K * (K - 1))
    require_equal(sp.simplify(mean - (2 + 2 / (K - 1))), 0, "the mean is not that of the ETF")
    for k in range(2, 8):
        require_equal(statement.each(k), mean.subs(K, k) == 4, "opposite points are further apart", K=k)
        gram = sp.eye(k) * sp.Rational(k, k - 1) - sp.ones(k) / (k - 1)
        for m in range(1, k + 2):
            require_equal(statement.least(k, m), gram.rank() <= m, "decided otherwise", K=k, m=m)
        # Unit vectors with the sum 0: for K = 2, 3 their products follow. For K ≥ 4 a pair ±x and K − 2 others of the
        # plane orthogonal to it with the sum 0, or two pairs, are not an ETF.
        require_equal(statement.total_unique(k), k <= 3, "others have the same sum", K=k)
    x, y, z = sp.symbols("x y z")  # the three products for K = 3, from Σ x = 0 with each of the vectors
    require_equal(
        sp.solve([1 + x + y, 1 + x + z, 1 + y + z], [x, y, z]), dict.fromkeys([x, y, z], -sp.S.Half), "others"
    )


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
