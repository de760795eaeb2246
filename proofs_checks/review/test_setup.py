r"""Which shapes of the setup fit together (review, equations 1 to 3, Section 1 and Table 2).

With F of m × N, A of K × m and b added to each column, H = AF + b is K × N, and Y = I_K ⊗ 1_nᵀ has the one-hot labels
of the classes in order as columns. So $h_{k,i}\in\mathbb R^K$; it is printed in $\mathbb R^m$. NC3's introduction has
the columns of the last-layer matrix form a simplex ETF; these are m vectors, and it is the rows, K vectors, that (8)
pairs with the rows of M.
"""

from typing import Literal, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_equal


class Shapes(NamedTuple):
    """In which dimension an output is, and what of A forms the simplex ETF of the K classes."""

    output: Literal["m", "K"]
    etf: Literal["columns", "rows"]
    labels: Literal["class by class", "sample by sample"] = "class by class"


claim = Claim(
    id="review.setup",
    title="Shapes and index conventions of the setup",
    source="review, equations 1 to 3, Section 1 (NC3) and Table 2",
    verdict="amended",
    printed=Statement(
        r"H = AF + b,\ A \in \mathbb R^{K\times m},\ h_{k,i} \in \mathbb R^m,\ Y = I_K \otimes 1_n^\top; "
        r"\text{ the columns of } A \text{ form a simplex ETF in the collapsed state}",
        Shapes("m", "columns"),
    ),
    amended=Statement(
        r"H = AF + b 1^\top,\ A \in \mathbb R^{K\times m},\ h_{k,i} \in \mathbb R^K,\ Y = I_K \otimes 1_n^\top; "
        r"\text{ the rows of } A \text{ form a simplex ETF in the collapsed state}",
        Shapes("K", "rows"),
    ),
    near_misses={
        "outputs of the features' dimension": Shapes("m", "rows"),
        "the columns of A": Shapes("K", "columns"),
        "samples not sorted by class": Shapes("K", "rows", "sample by sample"),
    },
    counterexample_code=r"""
# K = 3, m = 2: rows of A in a simplex ETF; its two columns are orthogonal, and no simplex ETF of two vectors.
from math import sqrt
A = [(1, 0), (-0.5, sqrt(3) / 2), (-0.5, -sqrt(3) / 2)]
product = sum(x * y for x, y in A)
h = [sum(x * y for x, y in zip(a, (1, 2))) for a in A]
print("product of the columns", product, "outputs in dimension", len(h))
assert abs(product) < 1e-15 and len(h) == 3
""",
)


def check(statement, K, n, m):
    left = np.linalg.svd(np.eye(K) - 1 / K)[0][:, : K - 1]
    A = np.hstack([left, np.zeros((K, m - K + 1))])
    F, b = A.T.repeat(n, axis=1), np.full(K, 1 / K)
    H = A @ F + b[:, None]
    require_equal({"m": m, "K": K}[statement.output], len(H[:, 0]), "another dimension", K=K, m=m)
    vectors = A if statement.etf == "rows" else A.T
    count = len(vectors)
    gram = vectors @ vectors.T
    shape = (np.eye(count) - 1 / count) * np.trace(gram) / (count - 1)
    require_equal(count == K and bool(np.abs(gram - shape).max() < 1e-9), True, "no simplex ETF", K=K, m=m)
    # At this point AF + b is Y: AAᵀ = I − J/K, plus 1/K.
    Y = np.kron(np.eye(K), np.ones((1, n)))
    order = np.arange(K * n) // n if statement.labels == "class by class" else np.arange(K * n) % K
    require_equal(Y, np.eye(K)[:, order], "other labels", K=K, n=n)
    require_equal(H.argmax(axis=0), order, "another order of the samples", K=K, n=n)
    # (3): one sum over samples, and the double sum over classes and their samples.
    losses = np.arange(1, K * n + 1)
    require_equal(losses.sum(), sum(losses[k * n + i] for k in range(K) for i in range(n)), "another sum", K=K, n=n)


@claim.check("exact", covers=Instances("3 ≤ K ≤ 5, n ≤ 3, K − 1 ≤ m ≤ K + 1"))
def test_small_shapes(statement):
    for K in range(3, 6):
        for n in range(1, 4):
            for m in range(K - 1, K + 2):
                check(statement, K, n, m)


@claim.check("property", covers=Instances("3 ≤ K ≤ 9, n ≤ 6, m to K + 4, 50 drawn"))
@given(st.integers(3, 9), st.integers(1, 6), st.integers(-1, 4))
def test_random_shapes(statement, K, n, more):
    check(statement, K, n, K + more)
