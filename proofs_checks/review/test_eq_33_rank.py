r"""The rank that features need to form a simplex of the classes (review, Section 3.1.6, before equation 32).

The vertices of a simplex are affinely independent: the v − 1 differences from one of them are linearly independent,
so features that contain them (as class means, say) have at least the rank v − 1. The simplex ETF, with the Gram matrix
$\frac v{v-1}(I-\frac1vJ)$, has no more. With a class at each vertex v = K, and the rank K − 1 < K is enough.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_at_most, require_equal
from theory.geometry.simplex_etf import etf, etf_gram


class LeastRank(NamedTuple):
    """The least rank of features whose K class means form a simplex with a class at each vertex."""

    value: Callable[[Any], Any]


claim = Claim(
    id="review.eq-33.rank",
    title="The rank that features need to form a simplex of K classes",
    source="review, Section 3.1.6, before equation 32",
    verdict="amended",
    printed=Statement(
        r"\text{when } F \text{ has a rank } m < K \text{, it is impossible for } F \text{ to form a } K\text{-simplex "
        r"(read: with K vertices, a class mean each)}",
        LeastRank(lambda K: K),
    ),
    amended=Statement(
        r"\text{when } F \text{ has a rank } m < K - 1 \text{, its class means cannot form a simplex with } K "
        r"\text{ vertices; a simplex ETF has the rank } K - 1 \text{ (the printed sentence is true of a simplex of "
        r"dimension K, with K + 1 vertices)}",
        LeastRank(lambda K: K - 1),
        formulas={"K - 1": lambda rank, K: rank.value(K)},
    ),
    near_misses={
        "K − 2": LeastRank(lambda K: K - 2),
        "K + 1": LeastRank(lambda K: K + 1),
        "⌈K/2⌉, as an orthoplex": LeastRank(lambda K: -(-K // 2)),
    },
    counterexample_code=r"""
# K = 2: the features 1 and -1 have rank 1 < 2 and are the vertices of a simplex ETF, a segment.
# K = 3: the columns of F are the vertices of an equilateral triangle in the plane x + y + z = 0, of rank 2 < 3.
F = [(2, -1, -1), (-1, 2, -1), (-1, -1, 2)]
squares = {sum((a - b) ** 2 for a, b in zip(F[i], F[j])) for i, j in ((0, 1), (0, 2), (1, 2))}
print("rank 2, as the columns sum to", [sum(row) for row in zip(*F)], "and the squared distances are", squares)
assert len(squares) == 1 and [sum(row) for row in zip(*F)] == [0, 0, 0]
""",
)


@claim.check("derived", covers="all")
def test_spectrum_of_the_gram_matrix(statement):
    # K/(K−1)(I − J/K): K/(K−1) on the vectors of sum 0, K − 1 dimensions, and 0 on that of ones. At least K − 1: the
    # differences of affinely independent points are independent, by definition. The rank is the trace of I − J/K.
    K = sp.Symbol("K", positive=True)
    diagonal, other = 1 - 1 / K, -1 / K
    require_equal(sp.simplify(diagonal + (K - 1) * other), 0, "ones are not in the kernel")
    require_equal(sp.simplify(diagonal - other), 1, "another eigenvalue on the sums 0")
    rank = sp.expand(K * diagonal)
    if isinstance(stated := statement.value(K), sp.Expr):
        require_equal(sp.simplify(stated - rank), 0, "another rank", K=K)


@claim.check("exact", covers=Instances("K ≤ 9, ranks in rationals"))
def test_ranks(statement):
    for K in range(2, 10):
        gram = sp.Matrix(K, K, lambda k, l, K=K: sp.Rational(K * (k == l) - 1, K - 1))
        require_equal(statement.value(K), gram.rank(), "a simplex ETF has another rank", K=K)
        require_equal(bool(np.allclose(np.array(gram, float), etf_gram(K))), True, "theory has another Gram matrix")


@claim.check("property", covers=Instances("K ≤ 7, n ≤ 3, points of a random subspace, 50 drawn"))
@given(st.integers(2, 7), st.integers(1, 3), st.integers(0, 2), st.integers(0, 2**32 - 1))
def test_subspaces(statement, K, n, short, seed):
    # Class means of features of rank r span an affine space of r dimensions at most; of rank K − 1 a simplex is drawn.
    rng = np.random.default_rng(seed)
    rank = max(1, K - 1 - short)
    F = rng.integers(-9, 10, (K + 1, rank)) @ rng.integers(-9, 10, (rank, K * n))
    means = F.reshape(K + 1, K, n).mean(axis=2)
    affine = np.linalg.matrix_rank(means[:, 1:] - means[:, :1])
    simplex = bool(affine == K - 1)
    if simplex:
        require_at_most(statement.value(K), int(np.linalg.matrix_rank(F)), "a simplex of lower rank", K=K, n=n)
    vertices = etf(K)
    require_at_most(int(np.linalg.matrix_rank(vertices)), statement.value(K), "an ETF of higher rank", K=K)
