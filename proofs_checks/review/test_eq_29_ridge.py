r"""The classifier at critical points of the regularised squared error (review, after equation 29).

Where the slope in F vanishes, $f_{k,i} = (A^\top A/N + \lambda_F)^{-1}A^\top e_k/N$ depends on the class only (λ_F >
0), so that F = F̄ ⊗ 1ᵀ, FFᵀ = nF̄F̄ᵀ and YFᵀ = nF̄ᵀ. The slope in A is then $\frac1K(A\bar F-I)\bar F^\top+\lambda_AA$.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory import ridge
from theory.ufm import strong_collapse


class Classifier(NamedTuple):
    """A = F̄ᵀ(F̄F̄ᵀ + shift I)⁻¹ where the slopes vanish."""

    shift: Callable[[Any, Any, Any], Any]  # of K, n, λ_A
    slopes: Literal["both", "of A only"]


true = Classifier(lambda K, n, lam: K * lam, "both")

claim = Claim(
    id="review.eq-29.ridge",
    title="The classifier at critical points is ridge regression on class means",
    source="review, Section 3.1.4, after equation 29",
    verdict="holds",
    printed=Statement(
        r"\nabla_{\bar F}R_{MSEr}(F, A) = \nabla_AR_{MSEr}(F, A) = 0, \text{ classes balanced} \implies A = "
        r"\bar F^\top(\bar F\bar F^\top + K\lambda_AI_m)^{-1} \text{ (the slope in } F \text{ vanishes for collapsed } "
        r"F "
        r"= \bar F \otimes 1_n^\top \text{ only)}",
        true,
    ),
    near_misses={
        "N for K": true._replace(shift=lambda K, n, lam: K * n * lam),
        "without K": true._replace(shift=lambda K, n, lam: lam),
        "for any features": true._replace(slopes="of A only"),
    },
)


@claim.check("derived", covers="all")
def test_words(statement):
    # R = (F̄F̄ᵀ + shift)⁻¹, A = F̄ᵀR; W = FFᵀ/n − F̄F̄ᵀ ≠ 0 unless the slope in F vanishes.
    M, Mt, R, W = sp.symbols("M Mt R W", commutative=False)
    K, n, lam = sp.symbols("K n lam", positive=True)
    shift = statement.shift(K, n, lam)
    A = Mt * R
    spread = W if statement.slopes == "of A only" else 0
    slope = A * (M * Mt + spread) / K - Mt / K + lam * A
    found = strong_collapse.reduced(slope, {R * M * Mt: 1 - shift * R})
    require_equal(sp.simplify(found), 0, "the slope in A does not vanish")


@claim.check("exact", covers=Instances("K ≤ 3, n ≤ 3, m ≤ 2, small integers, in rationals, 24 points"))
def test_slopes_of_the_definition(statement):
    rng, lam = np.random.default_rng(0), Fraction(2, 7)
    for K, n, m in ((2, 1, 1), (2, 3, 1), (2, 2, 2), (3, 2, 2)):
        for _ in range(6):
            F = np.repeat(rng.integers(-3, 4, (m, K)).astype(object), n, axis=1)
            F[:, 0] += int(statement.slopes == "of A only" and n > 1)
            means = F.reshape(m, K, n).sum(axis=2) * Fraction(1, n)
            inner = sp.Matrix(means) * sp.Matrix(means).T + statement.shift(K, n, lam) * sp.eye(m)
            A = np.array((sp.Matrix(means).T * inner.inv()).tolist(), dtype=object)
            Y = np.repeat(np.eye(K, dtype=int), n, axis=1)
            slope = (A.dot(F) - Y).dot(F.T) * Fraction(1, K * n) + lam * A
            require_equal(sp.Matrix(slope), sp.zeros(K, m), "a slope is left", K=K, n=n, F=F)


@claim.check(
    "property",
    covers=Instances("K ≤ 5, n ≤ 4, m ≤ 5: the critical points that alternating minimisation finds, 50 drawn"),
)
@given(st.integers(2, 5), st.integers(2, 4), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_alternating_minimisation(statement, K, n, m, seed):
    rng, N, lam_A, lam_F = np.random.default_rng(seed), K * n, 0.1, 0.02
    A, Y = rng.normal(size=(K, m)), np.repeat(np.eye(K), n, axis=1)
    both = statement.slopes == "both"
    for _ in range(200 if both else 1):
        F = np.linalg.solve(A.T @ A / N + lam_F * np.eye(m), A.T @ Y / N) if both else rng.normal(size=(m, N))
        A = np.linalg.solve(F @ F.T / N + lam_A * np.eye(m), F @ Y.T / N).T
    means = F.reshape(m, K, n).mean(axis=2)
    stated = means.T @ np.linalg.inv(means @ means.T + statement.shift(K, n, lam_A) * np.eye(m))
    require_close(stated, A, "another classifier", atol=1e-9, K=K, n=n, m=m)
    if both:
        require_close(ridge.minimiser(means, lam_A), A, "another minimiser", atol=1e-9, K=K, n=n, m=m)
