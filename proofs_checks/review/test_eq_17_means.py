r"""How far the class means of strong neural collapse are from their mean (review, Section 3.1.2, after equation 17).

With $AA^\top = \sqrt n(I - J/K)$ and $F = (A \otimes 1_n)^\top/\sqrt n$ the class means are $a_k/\sqrt n$, and their
mean is 0. The squared distance is the k-th diagonal element of $AA^\top/n$, as printed; but that is
$(1-1/K)/\sqrt n$, and not $(1-1/K)/n$: the factor $\sqrt n$ of SNC1 was lost. Both agree for n = 1 only.
"""

from collections.abc import Callable
from fractions import Fraction
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory.ufm import strong_collapse


class Distance(NamedTuple):
    """The squared distance of a class mean from the mean of all, for K classes of n samples, and for n = c⁴."""

    value: Callable[[Any, Any], Any]

    def at_fourth_power(self, K: int, c: int) -> Any:
        """The value at n = c⁴, exactly."""
        return sp.nsimplify(self.value(sp.Integer(K), sp.Integer(c) ** 4))


claim = Claim(
    id="review.eq-17.means",
    title="Class means of strong neural collapse",
    source="review, Section 3.1.2, after equation 17",
    verdict="amended",
    printed=Statement(
        r"\text{SNC1 and SNC2 imply } \|\mu_k - \mu_G\|^2 = \|a_k/\sqrt n\|^2 = (AA^\top/n)_{kk} "
        r"= \tfrac1n\bigl(1 - \tfrac1K\bigr)",
        Distance(lambda K, n: (1 - 1 / K) / n),
        formulas={r"\tfrac1n\bigl(1 - \tfrac1K\bigr)": lambda distance, K, n: distance.value(K, n)},
    ),
    amended=Statement(
        r"\text{SNC1 and SNC2 imply } \|\mu_k - \mu_G\|^2 = \|a_k/\sqrt n\|^2 = (AA^\top/n)_{kk} "
        r"= \tfrac1{\sqrt n}\bigl(1 - \tfrac1K\bigr)",
        Distance(lambda K, n: (1 - 1 / K) / n ** sp.Rational(1, 2)),
        formulas={r"\tfrac1{\sqrt n}\bigl(1 - \tfrac1K\bigr)": lambda distance, K, n: distance.value(K, n)},
    ),
    near_misses={
        "1 for 1 − 1/K": Distance(lambda K, n: 1 / n ** sp.Rational(1, 2)),
        "of the rows of A": Distance(lambda K, n: (1 - 1 / K) * n ** sp.Rational(1, 2)),
        "with K − 1 in place of K": Distance(lambda K, n: (1 - 1 / (K - 1)) / n ** sp.Rational(1, 2)),
    },
    depends_on=["review.eq-17"],
    counterexample_code=r"""
K, n = 2, 4
A = [1, -1]  # AAᵀ = 2 (I − J/2), so SNC1 with √n = 2
F = [A[i // n] / 2 for i in range(K * n)]  # SNC2
means = [sum(F[k * n : (k + 1) * n]) / n for k in range(K)]
distance = (means[0] - sum(means) / K) ** 2
print("squared distance", distance, "printed", (1 - 1 / K) / n)
assert distance == 0.25 != (1 - 1 / K) / n
""",
)


@claim.check("derived", covers="all")
def test_diagonal_of_the_gram_matrix(statement):
    # AAᵀ = √n(I − J/K) on R^K: of class means A/√n, centred, the Gram matrix is C (AAᵀ/n) C with C = I − J/K.
    K, n = sp.symbols("K n", positive=True)
    centring = strong_collapse.symmetric_operator(K, n, classes=(1, -1 / K))
    gram = strong_collapse.symmetric_operator(K, n, classes=(sp.sqrt(n) / n, -sp.sqrt(n) / n / K))
    means = (centring @ gram @ centring).simplified()
    # The diagonal of a matrix that treats all classes alike is its trace over K: one common vector, K − 1 others.
    diagonal = (means.common[1, 1] + (K - 1) * means.classes[1, 1]) / K
    require_equal(sp.simplify(diagonal - statement.value(K, n)), 0, "not the diagonal")


@claim.check("exact", covers=Instances("n = c⁴, c ≤ 3, K ≤ 6"))
def test_rational_points(statement):
    # A = c(I − J/K) has AAᵀ = c²(I − J/K), SNC1 for n = c⁴; all numbers are rational.
    for K in range(2, 7):
        for c in (1, 2, 3):
            A = [[c * (Fraction(j == k) - Fraction(1, K)) for j in range(K)] for k in range(K)]
            means = [[entry / c**2 for entry in row] for row in A]
            centre = [sum(column) / K for column in zip(*means, strict=True)]
            for mean in means:
                squared = sum((x - y) ** 2 for x, y in zip(mean, centre, strict=True))
                expected = statement.at_fourth_power(K, c)
                require_equal(sp.Rational(squared.numerator, squared.denominator), expected, "differs", K=K, n=c**4)


@claim.check("property", covers=Instances("K ≤ 7, n ≤ 40, m ≤ K + 3, random rotations, 50 drawn"))
@example(K=2, n=4, extra=0, seed=0)
@given(K=st.integers(2, 7), n=st.integers(1, 40), extra=st.integers(-1, 3), seed=st.integers(0, 2**32 - 1))
def test_rotated_points(statement, K, n, extra, seed):
    m = K + extra
    basis = np.linalg.qr(np.random.default_rng(seed).normal(size=(K, K)))[0]
    # n^{1/4} C Q has the Gram matrix √n C for every orthogonal Q; a further isometry into R^m, m ≥ K − 1
    A = sqrt(sqrt(n)) * (np.eye(K) - 1 / K) @ basis
    U, s, _ = np.linalg.svd(A)
    A = U[:, : K - 1] @ np.diag(s[: K - 1]) @ np.eye(K - 1, m)
    F = np.repeat(A.T, n, axis=1) / sqrt(n)
    means = F.reshape(m, K, n).mean(axis=2)
    squared = ((means - means.mean(axis=1, keepdims=True)) ** 2).sum(axis=0)
    expected = float(statement.value(sp.Integer(K), sp.Integer(n)))
    require_close(squared, np.full(K, expected), "another distance", rtol=1e-12, K=K, n=n, m=m)
