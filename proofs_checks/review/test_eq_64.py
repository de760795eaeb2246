r"""The centred features after batch normalisation (review, equation 64).

$(I_K\otimes1_n^\top)(I_N-\frac1N1_N1_N^\top)=I_K\otimes1_n^\top-\frac1K1_K1_N^\top$, a K×N matrix: the printed right
side is its transpose, N×K, which is another matrix unless n = 1. The columns are those that the text names:
$\sqrt{K/N}(e_k-1/K)$.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy as sp

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory.ufm import squared_error


class Centred(NamedTuple):
    """Entries of √(N/K) times the centred features in their class and outside it, and the shape of the matrix."""

    inside: Callable[[Any], Any]  # of K
    outside: Callable[[Any], Any]
    shape: Literal["K × N", "N × K"]


true = Centred(lambda K: 1 - 1 / K, lambda K: -1 / K, "K × N")

claim = Claim(
    id="review.eq-64",
    title="Centred features after batch normalisation are a simplex",
    source="review, equation 64",
    verdict="amended",
    depends_on=("review.A4",),
    printed=Statement(
        r"m = K: \sqrt{K/N}(I_K \otimes 1_n^\top)(I_N - \tfrac1N1_N1_N^\top) = \sqrt{K/N}(I_K \otimes 1_n - \tfrac1K1_N"
        r"1_K^\top); \text{ the features of class } k \text{ are } \sqrt{K/N}(e_k - \tfrac1K1), \text{ a scaled "
        r"simplex ETF}",
        true._replace(shape="N × K"),
    ),
    amended=Statement(
        r"m = K: \sqrt{K/N}(I_K \otimes 1_n^\top)(I_N - \tfrac1N1_N1_N^\top) = \sqrt{K/N}(I_K \otimes 1_n^\top - "
        r"\tfrac1K"
        r"1_K1_N^\top); \text{ the features of class } k \text{ are } \sqrt{K/N}(e_k - \tfrac1K1), \text{ a scaled "
        r"simplex ETF}",
        true,
        formulas={
            r"\tfrac1K": lambda s, K: -s.outside(K),
        },
    ),
    near_misses={
        "1/K off the class without its sign": true._replace(outside=lambda K: 1 / K),
        "not centred": true._replace(inside=lambda K: K / K, outside=lambda K: 0 * K),
        "1/(K − 1)": true._replace(outside=lambda K: -1 / (K - 1)),
    },
    counterexample_code=r"""
# K = 2, n = 2: the left side is a product of a 2×4 and a 4×4 matrix; I_2 ⊗ 1_2 has four rows.
K, n = 2, 2
print((K, K * n), "on the left,", (K * n, K), "on the right")
assert (K, K * n) != (K * n, K)
""",
)


@claim.check("derived", covers="all")
def test_entries(statement):
    # Row k of the labels has N/K ones; the projection takes off its mean, 1/K.
    K, N = sp.symbols("K N", positive=True)
    mean = (N / K) / N
    require_equal(sp.simplify(1 - mean - statement.inside(K)), 0, "another entry in the class")
    require_equal(sp.simplify(0 - mean - statement.outside(K)), 0, "another entry outside")
    # The Gram matrix of e_k − 1/K is that of a simplex ETF: norms 1 − 1/K, cosines −1/(K − 1).
    x, y = statement.inside(K), statement.outside(K)
    norm, inner = x**2 + (K - 1) * y**2, 2 * x * y + (K - 2) * y**2
    require_equal(sp.simplify(inner / norm + 1 / (K - 1)), 0, "no simplex")
    rows = (K * N).subs({K: 3, N: 6}) / 6 if statement.shape == "K × N" else 6
    require_equal(rows, 3, "the sides have different shapes")


@claim.check("exact", covers=Instances("K ≤ 5, n ≤ 4, in rationals"))
def test_matrices(statement):
    for K in range(2, 6):
        for n in range(1, 5):
            N = K * n
            Y = np.repeat(np.eye(K, dtype=int), n, axis=1).astype(object)
            left = Y.dot(np.eye(N, dtype=int) - Fraction(1, N) * np.ones((N, N), dtype=int))
            x, y = statement.inside(Fraction(K)), statement.outside(Fraction(K))
            right = y + (x - y) * Y
            shown = right if statement.shape == "K × N" else right.T
            require_equal(left.shape, shown.shape, "the sides have different shapes", K=K, n=n)
            require_equal(left.tolist(), shown.tolist(), "the sides differ", K=K, n=n)


@claim.check("property", covers=Instances("K ≤ 5, n ≤ 4: the minimiser for λ = √n − 1, n ≥ 2"))
def test_minimiser(statement):
    for K in range(2, 6):
        for n in range(2, 5):
            features = squared_error.batchnorm_optimum(K, n, K, n**0.5 - 1).F_BN
            centred = (features - features.mean(axis=1, keepdims=True)) * n**0.5
            shown = centred if statement.shape == "K × N" else centred.T
            x, y = statement.inside(K), statement.outside(K)
            require_equal(shown.shape, (K, K * n), "the sides have different shapes", K=K, n=n)
            require_close(shown, y + (x - y) * np.repeat(np.eye(K), n, axis=1), "other features", atol=1e-12, K=K, n=n)
