r"""The metric of self-duality does not see what the classifier does outside the span of the means (review, equation 8).

M has the unit rows of the centred class means, Π is the projection onto their span. The metric is 0 if and only if
$AM^\top = c(I-\frac1KJ)$ with c > 0. If M is a simplex ETF, $M^\top M = \frac K{K-1}\Pi$, and multiplying from the
right by M gives $A\Pi = cM$ up to a factor; conversely this has the metric 0. So $A\propto M$ follows only if Π = I,
that is m = K − 1, or if A vanishes outside the span. If M is no ETF (and then K > 2), A ∝ M does not even give the
metric 0, as $MM^\top$ is no multiple of I − J/K.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal


class Duality(NamedTuple):
    """When the metric NC3 is 0 exactly where A/‖A‖ = M/‖M‖: for K classes in m dimensions, means in an ETF or not."""

    equivalent: Callable[[int, int, bool], bool]


claim = Claim(
    id="review.eq-8",
    title="The metric NC3 and the proportionality of classifier and means",
    source="review, equation 8",
    verdict="amended",
    printed=Statement(
        r"\mathcal{NC}3 = 0 \iff \frac{A}{\|A\|_F} = \frac{M}{\|M\|_F}",
        Duality(lambda K, m, etf: True),
    ),
    amended=Statement(
        r"\text{for every } A \ne 0:\ \mathcal{NC}3 = 0 \iff \frac{A}{\|A\|_F} = \frac{M}{\|M\|_F},"
        r"\text{ if and only if }"
        r"M \text{ is a simplex ETF and } m = K - 1",
        Duality(lambda K, m, etf: etf and m == K - 1),
    ),
    near_misses={
        "a simplex ETF in any dimension": Duality(lambda K, m, etf: etf),
        "m = K − 1 without a simplex ETF": Duality(lambda K, m, etf: m == K - 1),
        "up to m = K": Duality(lambda K, m, etf: etf and m <= K),
    },
    depends_on=["review.eq-7.equinorm"],
    counterexample_code=r"""
from math import sqrt

# K = 2, means (1, 0) and (-1, 0) in the plane; A = M plus a part that the means do not see.
M, A = [(1, 0), (-1, 0)], [(1, 1), (-1, 1)]
product = [[sum(x * y for x, y in zip(a, u)) for u in M] for a in A]
norm = sqrt(sum(x * x for row in product for x in row))
metric = [[product[i][j] / norm - ((i == j) - 0.5) for j in range(2)] for i in range(2)]
print("A M^T / norm - (I - J/2) =", metric)
assert all(abs(x) < 1e-15 for row in metric for x in row)
assert A[0][0] * M[0][1] != A[0][1] * M[0][0]  # the first rows of A and M are not even parallel
""",
)


def simplex(K, m):
    """Unit rows with the products −1/(K−1), in K − 1 of m dimensions."""
    left = np.linalg.svd(np.eye(K) - 1 / K)[0][:, : K - 1]
    return np.hstack([left / np.sqrt(1 - 1 / K), np.zeros((K, m - K + 1))])


def metric(A, M):
    K = len(A)
    product = A @ M.T
    return np.linalg.norm(product / np.linalg.norm(product) - (np.eye(K) - 1 / K) / np.sqrt(K - 1))


def aligned(A, M):
    return bool(np.abs(A / np.linalg.norm(A) - M / np.linalg.norm(M)).max() < 1e-9)


@claim.check("exact", covers="all")
def test_by_projection(statement):
    # For an ETF (MMᵀ)² = a MMᵀ and 1ᵀM = 0: so MᵀM = aΠ, and AMᵀ = c(I − J/K) times M from the right is a AΠ = cM.
    K = sp.Symbol("K", positive=True)
    a, b = K / (K - 1), -1 / (K - 1)  # M Mᵀ = a I + b J
    require_equal(sp.simplify(2 * a * b + K * b**2 - a * b), 0, "no multiple of a projection")  # of J, in the square
    require_equal(sp.simplify(K * a + K**2 * b), 0, "the rows do not sum to 0")  # 1ᵀMMᵀ1
    require_equal(sp.simplify(K * (a + b) / a - (K - 1)), 0, "the rank is not K − 1")  # trace MMᵀ/a, a projection
    for k in range(2, 6):
        for m in range(k - 1, k + 3):
            # The directions of an ETF up to a linear map of their span, in integers: what A adds may not be seen by M.
            M = sp.Matrix(k, m, lambda i, j, k=k: (i == j) - (i == k - 1) if j < k - 1 else 0)
            unseen = len(M.nullspace())
            require_equal(statement.equivalent(k, m, True), unseen == 0, "decided otherwise", K=k, m=m)
            if k > 2:
                # A = M is proportional; its metric is 0 only if M Mᵀ is a multiple of I − J/K. Here, with squares of
                # rational norms, it is not: the first and the last class are opposite, or nearly.
                lengths = sp.diag(*(sp.sqrt(sum(x**2 for x in M.row(i))) for i in range(k)))
                unit = lengths.inv() * M
                products = {sp.nsimplify(x) for i, x in enumerate(unit * unit.T) if i % (k + 1)}
                require_equal(statement.equivalent(k, m, False), len(products) == 1, "decided otherwise", K=k, m=m)


@claim.check("property", covers=Instances("3 ≤ K ≤ 6, m from K − 1 to K + 2, 50 drawn"))
@given(st.integers(3, 6), st.integers(0, 3), st.booleans(), st.integers(0, 2**32 - 1))
def test_classifiers_of_both_sorts(statement, K, more, etf, seed):
    m, generator = K - 1 + more, np.random.default_rng(seed)
    if etf:
        M = simplex(K, m) @ np.linalg.qr(generator.normal(size=(m, m)))[0]
    else:
        means = generator.normal(size=(K, m))
        means -= means.mean(axis=0)
        M = means / np.linalg.norm(means, axis=1, keepdims=True)
    classifiers = [M, -M, generator.normal(size=(K, m))]
    outside = np.eye(m) - np.linalg.pinv(M) @ M
    classifiers.append(M + generator.normal(size=(K, m)) @ outside)
    same = all((metric(A, M) < 1e-9) == aligned(A, M) for A in classifiers)
    require_equal(statement.equivalent(K, m, etf), same, "found otherwise", K=K, m=m, etf=etf)
    if etf:
        require_close(metric(M, M) + 1, 1.0, "an ETF is not its own dual", rtol=1e-12, K=K, m=m)
