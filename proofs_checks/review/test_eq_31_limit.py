r"""The limit of renormalised class means (review, after equation 31).

Along the flow of `review.eq-31` the singular vectors of M̃ stay and the r non-zero singular values become equal, so
that $\tilde M^\top$ tends, up to scale, to $VU^\top$ with r columns, and its rows have the Gram matrix VVᵀ, the
projection on the row space of M̃(0), which is orthogonal to 1. It is the simplex's, $I-J/K$, if and only if r = K − 1.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
import sympy as sp

from nct.ledger import Claim, Condition, Instances, Statement, require_close, require_equal
from theory.ufm import squared_error


class Limit(NamedTuple):
    """The limit is a simplex ETF for centred class means of this rank, and for no other."""

    simplex: Annotated[Callable[[int, int], bool], Condition]  # of K and the rank


claim = Claim(
    id="review.eq-31.limit",
    title="The limit of renormalised class means is a simplex if they span it",
    source="review, Section 3.1.5, after equation 31",
    verdict="amended",
    depends_on=("review.eq-31",),
    printed=Statement(
        r"\text{the limit of } (\Sigma_W^{-1/2}\tilde M)^\top \in \mathbb R^{K \times m} \text{ is a simplex ETF (up "
        r"to scale; read: for all initial features with } \tilde M \ne 0 \text{, along the flow downwards)}",
        Limit(lambda K, rank: True),
    ),
    amended=Statement(
        r"\text{the limit of } (\Sigma_W^{-1/2}\tilde M)^\top \text{, up to scale, is a simplex ETF if and only if "
        r"} \operatorname{rank}\tilde M(0) = K - 1 \text{ (so } m \ge K - 1)",
        Limit(lambda K, rank: rank == K - 1),
    ),
    near_misses={
        "rank K − 2 will do": Limit(lambda K, rank: rank >= K - 2),
        "rank at least 2": Limit(lambda K, rank: rank >= 2),
        "full rank K": Limit(lambda K, rank: rank == K),
    },
    counterexample_code=r"""
# K = 3, m = 1: three numbers with sum 0 are no simplex, whose squares would all be equal: a + b + c = 0 with
# |a| = |b| = |c| has the solution 0 only. With one feature the means only grow by a common factor.
assert all(a + b + c != 0 for a in (1, -1) for b in (1, -1) for c in (1, -1))
print("three numbers of equal modulus do not sum to 0")
""",
)


@claim.check("derived", covers="all")
def test_trace(statement):
    # VVᵀ is the projection on the row space: of trace r, below I − J/K, so equal to it just if the traces are.
    for K in range(2, 9):
        for rank in range(1, K):
            require_equal(statement.simplex(K, rank), rank - sp.trace(sp.eye(K) - sp.ones(K) / K) == 0, "another rank")


def means(K, rank):
    """Centred integer class means of this rank, one a row of features."""
    return [[sp.Integer(int(k == j) - int(k == j + 1)) * (j + 1) for k in range(K)] for j in range(rank)]


@claim.check("exact", covers=Instances("K ≤ 5, every rank: the projection on the row space, in rationals"))
def test_projections(statement):
    for K in range(2, 6):
        for rank in range(1, K):
            M = sp.Matrix(means(K, rank))
            limit = M.T * (M * M.T).inv() * M
            require_equal(limit * sp.ones(K, 1), sp.zeros(K, 1), "not centred", K=K)
            simplex = limit == sp.eye(K) - sp.ones(K) / K
            require_equal(statement.simplex(K, rank), simplex, "a simplex otherwise", K=K, rank=rank)


@claim.check("property", covers=Instances("K ≤ 5, every rank, both schemes, t = 10¹⁶, random features"))
def test_long_flow(statement):
    rng = np.random.default_rng(0)
    for K in range(2, 6):
        for rank in range(1, K):
            for scheme in ("projected", "retracted"):
                m, n = K, 3
                W = rng.normal(size=(m, K, n))
                W -= W.mean(axis=2, keepdims=True)
                M = rng.normal(size=(m, rank)) @ np.array(means(K, rank), float)
                F = (W + M[:, :, None]).reshape(m, K * n)
                moved = squared_error.central_path(F, 1e16, K=K, scheme=scheme).reshape(m, K, n).mean(axis=2)
                gram = moved.T @ moved
                gram *= rank / np.trace(gram)
                simplex = bool(np.abs(gram - (np.eye(K) - 1 / K)).max() < 1e-3)
                require_equal(statement.simplex(K, rank), simplex, "a simplex otherwise", K=K, rank=rank)
                require_close(gram @ gram, gram, "no projection", atol=1e-3, K=K, rank=rank)
