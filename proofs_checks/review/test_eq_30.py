r"""Renormalised features have the same least-squares outputs (review, equation 30).

For invertible D, $(D\tilde M)^\top[D\tilde F\tilde F^\top D^\top]^{-1}D\tilde F=\tilde M^\top(\tilde F\tilde
F^\top)^{-1} \tilde F$, and $\tilde F\tilde F^\top=N\Sigma_{\tilde F}$: the printed right side is N times the left. D
need not be symmetric, but invertible, and so must the covariance be. $D=\Sigma_W^{-1/2}$ exists only if Σ_W, of rank at
most N − K, is invertible, so m ≤ K(n − 1): never for n = 1.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Condition, Instances, Statement, require_close, require_equal
from theory.ufm import strong_collapse


class Invariance(NamedTuple):
    """(1/K)(DM̃)ᵀ[(DF̃)(DF̃)ᵀ]⁻¹DF̃ = right(K, N) M̃ᵀΣ⁻¹F̃; Σ_W^{-1/2} exists for some features of these sizes."""

    right: Callable[[Any, Any], Any]
    whitens: Annotated[Callable[[int, int, int], bool], Condition]  # K, n, m


claim = Claim(
    id="review.eq-30",
    title="Renormalised features have the same least-squares outputs",
    source="review, equation 30",
    verdict="amended",
    depends_on=("review.eq-30.ls",),
    printed=Statement(
        r"\tfrac1K(D\tilde M)^\top[(D\tilde F)(D\tilde F)^\top]^{-1}D\tilde F = \tfrac1K\tilde M^\top"
        r"\Sigma_{\tilde F}^{-1}\tilde F \text{ for any symmetric full rank } D, \text{ such as } D = \Sigma_W^{-1/2} "
        r"\text{ (read: for all } m, n)",
        Invariance(lambda K, N: 1 / K, lambda K, n, m: True),
    ),
    amended=Statement(
        r"\tfrac1K(D\tilde M)^\top[(D\tilde F)(D\tilde F)^\top]^{-1}D\tilde F = \tfrac1{KN}\tilde M^\top"
        r"\Sigma_{\tilde F}^{-1}\tilde F \text{ for any invertible } D \text{ if } \Sigma_{\tilde F} \text{ is "
        r"invertible; } D = \Sigma_W^{-1/2} \text{ is permitted if } \Sigma_W \text{ is invertible, which for some "
        r"features it is if "
        r"and only if } m \le K(n - 1)",
        Invariance(lambda K, N: 1 / (K * N), lambda K, n, m: m <= K * (n - 1)),
        formulas={
            r"\tfrac1{KN}": lambda s, K, N: s.right(K, N),
        },
    ),
    near_misses={
        "n for N": Invariance(lambda K, N: 1 / N, lambda K, n, m: m <= K * (n - 1)),
        "m ≤ N − 1": Invariance(lambda K, N: 1 / (K * N), lambda K, n, m: m <= K * n - 1),
        "m < N − K": Invariance(lambda K, N: 1 / (K * N), lambda K, n, m: m < K * (n - 1)),
    },
    counterexample_code=r"""
from fractions import Fraction as Q

# K = 2, n = 1, m = 1, D = 1: centred features and means (1, -1), covariance 1, sum of squares 2.
left, right = Q(1, 2) * 1 * Q(1, 2) * 1, Q(1, 2) * 1 * 1 * 1
print(f"entry (1, 1): {left} on the left, {right} on the right; and the covariance within classes is 0")
assert left != right
""",
)


@claim.check("derived", covers="all")
def test_words(statement):
    # [(DF̃)(DF̃)ᵀ]⁻¹ = D⁻ᵀ Σ⁻¹ D⁻¹/N: its product with DF̃F̃ᵀDᵀ = N DΣDᵀ is 1.
    D, Dt, Di, Dit, S, Si, Mt, F = sp.symbols("D Dt Di Dit S Si Mt F", commutative=False)
    K, N = sp.symbols("K N", positive=True)
    rules = {Di * D: 1, Dt * Dit: 1, D * Di: 1, S * Si: 1}
    inverse = Dit * Si * Di / N
    require_equal(strong_collapse.reduced(N * D * S * Dt * inverse, rules), 1, "not the inverse")
    left = strong_collapse.reduced(Mt * Dt * inverse * D * F / K, rules)
    require_equal(sp.simplify(left - statement.right(K, N) * Mt * Si * F), 0, "another factor")
    # Σ_W = WWᵀ/N for the deviations W from class means: any m×N matrix with rows in a space of K(n − 1) dimensions.
    for K_ in (2, 3, 5):
        for n in (3, 2, 1):
            for m in range(1, K_ * n + 1):
                within = sp.diag(*[sp.eye(n) - sp.ones(n) / n] * K_).rank()
                require_equal(statement.whitens(K_, n, m), m <= within, "Σ_W^{-1/2} exists otherwise", K=K_, n=n, m=m)


def both_sides(statement, F, K, n, D, invert):
    m, N = F.shape
    one = F.flat[0] ** 0
    centred = F - F.sum(axis=1)[:, None] / (N * one)
    means = centred.reshape(m, K, n).sum(axis=2) / (n * one)
    inner = D.dot(centred)
    left = D.dot(means).T.dot(invert(inner.dot(inner.T))).dot(inner) / K
    right = means.T.dot(invert(centred.dot(centred.T) / N)).dot(centred) * statement.right(one * K, N)
    return left, right


@claim.check("exact", covers=Instances("K ≤ 3, n ≤ 3, m ≤ 2, small integers and D, in rationals, 10 points"))
def test_rational_points(statement):
    rng = np.random.default_rng(0)

    def invert(matrix):
        return np.array(sp.Matrix(matrix).inv().tolist(), dtype=object)

    for K, n, m in ((2, 1, 1), (2, 2, 1), (3, 2, 2), (2, 3, 2), (3, 1, 2)):
        for trial in range(2):
            F = rng.integers(-3, 4, (m, K * n)).astype(object) * sp.Integer(1)
            F[0, 0], F[-1, -1] = F[0, 0] + 7, F[-1, -1] + 11
            D = np.array([[2, 1 + trial], [1, 3]][:m], dtype=object)[:, :m]
            left, right = both_sides(statement, F, K, n, D, invert)
            require_equal(sp.Matrix(left), sp.Matrix(right), "the sides differ", K=K, n=n, F=F.tolist())
            within = F - np.repeat(F.reshape(m, K, n).sum(axis=2) * sp.Rational(1, n), n, axis=1)
            exists = sp.Matrix(within).rank() == m
            if m in (K * (n - 1), K * n - 1, K * (n - 1) + 1):
                require_equal(statement.whitens(K, n, m), exists, "Σ_W^{-1/2} exists otherwise", K=K, n=n, m=m)
    # as many features as there are deviations
    W = sp.Matrix([[1, -1, 0, 0], [0, 0, 1, -1]])
    require_equal(statement.whitens(2, 2, 2), W.rank() == 2, "Σ_W^{-1/2} exists otherwise", K=2, n=2, W=W)


@claim.check("property", covers=Instances("K ≤ 4, n ≤ 4, m ≤ K(n − 1), D = Σ_W^{-1/2}, and not symmetric, 50 drawn"))
@given(st.integers(2, 4), st.integers(1, 4), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_whitened(statement, K, n, less, seed):
    m = max(1, K * (n - 1) - less)
    rng = np.random.default_rng(seed)
    F = rng.normal(size=(m, K * n))
    within = F - np.repeat(F.reshape(m, K, n).mean(axis=2), n, axis=1)
    values, vectors = np.linalg.eigh(within @ within.T / (K * n))
    exists = bool(values[0] > 1e-9)
    require_equal(statement.whitens(K, n, m), exists, "Σ_W^{-1/2} exists otherwise", K=K, n=n, m=m)
    if not less:
        require_equal(statement.whitens(K, n, m + K), False, "Σ_W has rank at most K(n − 1)", K=K, n=n, m=m + K)
    D = (vectors / np.sqrt(values)) @ vectors.T if exists else np.triu(np.ones((m, m)))
    left, right = both_sides(statement, F, K, n, D, np.linalg.inv)
    require_close(left, right, "the sides differ", rtol=1e-6, atol=1e-8, K=K, n=n, m=m)
