r"""The bound of the regularised mean squared error by its value at class means (review, equation 29).

With the deviations $d_i$ of the features of a class from their mean, which sum to 0, $\sum_i\lVert Af_i-e\rVert^2 =
n\lVert A\bar f-e\rVert^2 + \sum_i\lVert Ad_i\rVert^2$ and the same without A. The gap is
$\frac1{2N}\sum\lVert Ad\rVert^2+\frac{\lambda_F}2\sum\lVert d\rVert^2$; as λ_F > 0, equality holds for collapsed
features only.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal


class Jensen(NamedTuple):
    """The bound fit Σ‖Af̄ − e‖² + classifier ‖A‖² + means Σ‖f̄‖², and its gap output Σ‖Ad‖² + feature Σ‖d‖²."""

    fit: Callable[[Any, Any], Any]  # of K, n
    classifier: Callable[[Any], Any]  # of λ_A
    means: Callable[[Any, Any], Any]  # of n, λ_F
    output: Callable[[Any, Any], Any]  # of K, n
    feature: Callable[[Any], Any]  # of λ_F


true = Jensen(
    lambda K, n: 1 / (2 * K), lambda a: a / 2, lambda n, f: n * f / 2, lambda K, n: 1 / (2 * K * n), lambda f: f / 2
)

claim = Claim(
    id="review.eq-29",
    title="The regularised squared error is bounded by its value at class means",
    source="review, equation 29",
    verdict="holds",
    printed=Statement(
        r"R_{MSEr}(F, A) \ge \tfrac1{2Kn}\sum_k n\|A\bar f_k - e_k\|^2 + \tfrac{\lambda_A}2\|A\|_F^2 + "
        r"\tfrac{\lambda_F}2\sum_k n\|\bar f_k\|^2 \text{ for } b = 0, \text{ with equality when } F = \bar F \otimes "
        r"1_n^\top \text{ (and, with } \lambda_F > 0, \text{ only then: the gap is } \tfrac1{2N}\sum_{k,i}\|A(f_{k,i} "
        r"- "
        r"\bar f_k)\|^2 + \tfrac{\lambda_F}2\sum_{k,i}\|f_{k,i} - \bar f_k\|^2)",
        true,
        formulas={
            r"\tfrac{\lambda_A}2": lambda s, lam_A: s.classifier(lam_A),
            r"\tfrac1{2Kn}": lambda s, K, n: s.fit(K, n) / n,
            r"\tfrac{\lambda_F}2": lambda s, lam_F: s.feature(lam_F),
        },
    ),
    near_misses={
        "means without n": true._replace(means=lambda n, f: f / 2),
        "1/(2N) for 1/(2K)": true._replace(fit=lambda K, n: 1 / (2 * K * n)),
        "no gap in the features": true._replace(feature=lambda f: 0 * f),
        "the gap over K": true._replace(output=lambda K, n: 1 / (2 * K)),
    },
)


@claim.check("derived", covers="all")
def test_expansion(statement):
    # Along each coordinate Σ_i (x + d_i)² = n x² + 2x Σd_i + Σd_i², Σd_i = 0.
    K, n, a, f = sp.symbols("K n lam_A lam_F", positive=True)
    x, mean, size, Ad, d = sp.symbols("x mean size Ad d", positive=True)  # squares
    risk = (n * x + Ad) / (2 * K * n) + a / 2 * size + f / 2 * (n * mean + d)
    bound = statement.fit(K, n) * x + statement.classifier(a) * size + statement.means(n, f) * mean
    require_equal(sp.expand(risk - bound - statement.output(K, n) * Ad - statement.feature(f) * d), 0, "another gap")


def sides(statement, A, F, n, lam_A, lam_F):
    """The risk and the bound with the gap, from the definition."""
    K, N = len(A), F.shape[1]
    Y = np.repeat(np.eye(K, dtype=int), n, axis=1)
    means = F.reshape(len(F), K, n).sum(axis=2) / (n * np.ones((), F.dtype))
    d = F - np.repeat(means, n, axis=1)
    risk = ((A.dot(F) - Y) ** 2).sum() / (2 * N) + lam_A * (A**2).sum() / 2 + lam_F * (F**2).sum() / 2
    bound = statement.fit(K * lam_A / lam_A, n) * ((A.dot(means) - Y[:, ::n]) ** 2).sum()
    bound += statement.classifier(lam_A) * (A**2).sum() + statement.means(n, lam_F) * (means**2).sum()
    gap = statement.output(K * lam_A / lam_A, n) * (A.dot(d) ** 2).sum() + statement.feature(lam_F) * (d**2).sum()
    return risk, bound, gap, abs(d).max()


@claim.check("exact", covers=Instances("K ≤ 4, n ≤ 3, m ≤ 3, small integers, 50 drawn"))
@given(st.integers(2, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_rational_points(statement, K, n, m, seed):
    rng = np.random.default_rng(seed)
    for size in (n + 1, n):
        A = rng.integers(-3, 4, (K, m)).astype(object) + Fraction(1, 2)
        F = rng.integers(-3, 4, (m, K * size)).astype(object) + Fraction(1, 3)
        risk, bound, gap, spread = sides(statement, A, F, size, Fraction(1, 7), Fraction(2, 5))
        require_equal(risk, bound + gap, "another gap", K=K, n=size, m=m)
        require_equal(gap > 0, spread > 0, "equality otherwise", K=K, n=size, m=m)


@claim.check("property", covers=Instances("K ≤ 5, n ≤ 4, m ≤ 5, 50 drawn"))
@given(st.integers(2, 5), st.integers(2, 4), st.integers(1, 5), st.floats(0.01, 1), st.integers(0, 2**32 - 1))
def test_random_points(statement, K, n, m, lam, seed):
    rng = np.random.default_rng(seed)
    risk, bound, gap, _ = sides(statement, rng.normal(size=(K, m)), rng.normal(size=(m, K * n)), n, lam, lam / 2)
    require_close(risk, bound + gap, "another gap", rtol=1e-12, K=K, n=n, m=m)
