r"""The bound of the three-factor risk by its value at class means (review, equations 36 and 37).

The proof is that of (29) with A₂A₁ for A: the gap is
$\frac1{2N}\sum\lVert A_2A_1d\rVert^2 + \frac{\lambda_F}2\sum\lVert d\rVert^2$ with deviations d from class means.
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
    """The bound fit Σ‖A₂A₁f̄ − e‖² + λ/2 of layers + means Σ‖f̄‖², its gap output Σ‖A₂A₁d‖² + feature Σ‖d‖²."""

    fit: Callable[[Any, Any], Any]  # of K, n
    layers: Callable[[Any, Any], tuple[Any, Any]]  # of λ_{A2}, λ_{A1}
    means: Callable[[Any, Any], Any]  # of n, λ_F
    output: Callable[[Any, Any], Any]  # of K, n
    feature: Callable[[Any], Any]  # of λ_F


true = Jensen(
    lambda K, n: 1 / (2 * K),
    lambda second, first: (second / 2, first / 2),
    lambda n, f: n * f / 2,
    lambda K, n: 1 / (2 * K * n),
    lambda f: f / 2,
)

claim = Claim(
    id="review.eq-37",
    title="The three-factor risk is bounded by its value at class means",
    source="review, equations 36 and 37",
    verdict="holds",
    printed=Statement(
        r"R_{MSE-ext}(F, A_1, A_2) \ge \tfrac1{2Kn}\sum_k n\|A_2A_1\bar f_k - e_k\|^2 + "
        r"\tfrac{\lambda_{A_2}}2\|A_2\|_F^2 + \tfrac{\lambda_{A_1}}2\|A_1\|_F^2 + \tfrac{\lambda_F}2\sum_k n\|\bar "
        r"f_k\|^2, \text{ with equality when } F = \bar F \otimes 1_n^\top \text{ (and only then: the gap is } "
        r"\tfrac1{2N}\sum_{k,i}\|A_2A_1(f_{k,i} - "
        r"\bar f_k)\|^2 + \tfrac{\lambda_F}2\sum_{k,i}\|f_{k,i} - \bar f_k\|^2)",
        true,
        formulas={
            r"\tfrac1{2Kn}": lambda s, K, n: s.fit(K, n) / n,
            r"\tfrac{\lambda_F}2": lambda s, lam_F: s.feature(lam_F),
        },
    ),
    near_misses={
        "layers exchanged": true._replace(layers=lambda second, first: (first / 2, second / 2)),
        "means without n": true._replace(means=lambda n, f: f / 2),
        "1/(2N) for 1/(2K)": true._replace(fit=lambda K, n: 1 / (2 * K * n)),
        "no gap in the outputs": true._replace(output=lambda K, n: 0 * K),
    },
)


@claim.check("derived", covers="all")
def test_expansion(statement):
    K, n, second, first, f = sp.symbols("K n lam_2 lam_1 lam_F", positive=True)
    x, mean, size2, size1, Ad, d = sp.symbols("x mean size2 size1 Ad d", positive=True)  # squares
    risk = (n * x + Ad) / (2 * K * n) + second / 2 * size2 + first / 2 * size1 + f / 2 * (n * mean + d)
    layers = statement.layers(second, first)
    bound = statement.fit(K, n) * x + layers[0] * size2 + layers[1] * size1 + statement.means(n, f) * mean
    require_equal(sp.expand(risk - bound - statement.output(K, n) * Ad - statement.feature(f) * d), 0, "another gap")


def sides(statement, A2, A1, F, n, lams):
    """The risk and the bound with the gap, from the definition."""
    one, N = lams[0] / lams[0], F.shape[1]
    K = len(A2) * one
    Y = np.repeat(np.eye(len(A2), dtype=int), n, axis=1)
    means = F.reshape(len(F), -1, n).sum(axis=2) / (n * one)
    d = F - np.repeat(means, n, axis=1)
    A, second, first = A2.dot(A1), (A2**2).sum(), (A1**2).sum()
    risk = ((A.dot(F) - Y) ** 2).sum() / (2 * N) + (lams[0] * second + lams[1] * first + lams[2] * (F**2).sum()) / 2
    layers = statement.layers(*lams[:2])
    bound = statement.fit(K, n) * ((A.dot(means) - Y[:, ::n]) ** 2).sum() + layers[0] * second + layers[1] * first
    bound += statement.means(n, lams[2]) * (means**2).sum()
    gap = statement.output(K, n) * (A.dot(d) ** 2).sum() + statement.feature(lams[2]) * (d**2).sum()
    return risk, bound, gap, abs(d).max()


@claim.check("exact", covers=Instances("K ≤ 4, n ≤ 3, m ≤ 3, small integers, 50 drawn"))
@given(st.integers(2, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_rational_points(statement, K, n, m, seed):
    rng, lams = np.random.default_rng(seed), (Fraction(1, 7), Fraction(2, 5), Fraction(3, 11))
    for size in (n + 1, n):
        A2, A1, F = (
            rng.integers(-2, 3, shape).astype(object) + Fraction(1, 3) for shape in ((K, m), (m, m), (m, K * size))
        )
        risk, bound, gap, spread = sides(statement, A2, A1, F, size, lams)
        require_equal(risk, bound + gap, "another gap", K=K, n=size, m=m)
        require_equal(gap > 0, spread > 0, "equality otherwise", K=K, n=size, m=m)


@claim.check("property", covers=Instances("K ≤ 5, n ≤ 4, m ≤ 5, 50 drawn"))
@given(st.integers(2, 5), st.integers(2, 4), st.integers(1, 5), st.floats(0.01, 1), st.integers(0, 2**32 - 1))
def test_random_points(statement, K, n, m, lam, seed):
    rng = np.random.default_rng(seed)
    factors = [rng.normal(size=shape) for shape in ((K, m), (m, m), (m, K * n))]
    risk, bound, gap, _ = sides(statement, *factors, n, (lam, lam / 2, lam / 3))
    require_close(risk, bound + gap, "another gap", rtol=1e-12, K=K, n=n, m=m)
