r"""The mean squared error splits into the best classifier's and the deviation from it (review, Section 3.1.5).

With $G = FF^\top/N + \lambda_AI$ and $A^* = YF^\top G^{-1}/N$ the risk is
$\frac12\operatorname{tr}(AGA^\top - AGA^{*\top} - A^*GA^\top) + \frac12$, a square completed:
$R(A) = R(A^*) + \frac12\operatorname{tr}(A-A^*)G(A-A^*)^\top$. The first term depends on F only.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory.ufm import squared_error, strong_collapse


class Split(NamedTuple):
    """R(A) − R(A*) = coefficient tr (A − A*)(per_sample(N) FFᵀ + ridge(λ) I)(A − A*)ᵀ."""

    coefficient: Callable[[], Any]
    per_sample: Callable[[Any], Any]
    ridge: Callable[[Any], Any]


true = Split(lambda: Fraction(1, 2), lambda N: 1 / N, lambda lam: lam)

claim = Claim(
    id="review.eq-29.decomposition",
    title="The mean squared error splits into the best classifier's part and the deviation",
    source="review, Section 3.1.5 (Han et al.)",
    verdict="holds",
    printed=Statement(
        r"b = 0, \lambda_F = 0: \quad \tfrac1{2N}\|AF - Y\|_F^2 + \tfrac{\lambda_A}2\|A\|_F^2 = R_{LS}(F) + \tfrac12"
        r"\operatorname{tr}\left[(A - A_{LS})(\tfrac1NFF^\top + \lambda_AI)(A - A_{LS})^\top\right] \text{ (read so: "
        r"the source says in words that the error splits into a term of the least-squares optimal } A_{LS}\text{, a "
        r"function "
        r"of } F\text{, and one for the deviation from it)}",
        true,
    ),
    near_misses={
        "without the ridge": true._replace(ridge=lambda lam: 0 * lam),
        "FFᵀ for FFᵀ/N": true._replace(per_sample=lambda N: N / N),
        "1 for 1/2": true._replace(coefficient=lambda: Fraction(1)),
    },
)


@claim.check("derived", covers="all")
def test_square(statement):
    # Twice the risk less tr YYᵀ/N, for A = B + D: YFᵀ/N = BG, and cyclic traces are compared as words of D and B.
    B, Bt, D, Dt, S = sp.symbols("B Bt D Dt S", commutative=False)  # S = FFᵀ
    N, lam = sp.symbols("N lam", positive=True)
    G = S / N + lam

    def risk(A, At):
        return A * S * At / N + lam * A * At - A * (G * Bt) - (B * G) * At

    gap = strong_collapse.reduced(risk(B + D, Bt + Dt) - risk(B, Bt), {})
    stated = 2 * sp.nsimplify(statement.coefficient()) * (D * (statement.per_sample(N) * S + statement.ridge(lam)) * Dt)
    require_equal(sp.simplify(sp.expand(gap - stated)), 0, "another deviation")


@claim.check("exact", covers=Instances("K ≤ 3, n ≤ 2, m ≤ 2, small integers, in rationals, 24 points"))
def test_rational_points(statement):
    rng, lam = np.random.default_rng(0), sp.Rational(2, 7)
    for K, n, m in ((2, 1, 1), (2, 2, 1), (3, 1, 2), (3, 2, 2)):
        for _ in range(6):
            N, F, A = (
                sp.Integer(K * n),
                sp.Matrix(rng.integers(-3, 4, (m, K * n))),
                sp.Matrix(rng.integers(-2, 3, (K, m))),
            )
            Y = sp.Matrix(np.repeat(np.eye(K, dtype=int), n, axis=1))
            best = Y * F.T / N * (F * F.T / N + lam * sp.eye(m)).inv()
            A[0, 0] = best[0, 0] + 1
            risk, least = (
                ((X * F - Y) * (X * F - Y).T).trace() / (2 * N) + lam / 2 * (X * X.T).trace() for X in (A, best)
            )
            inner = statement.per_sample(N) * F * F.T + statement.ridge(lam) * sp.eye(m)
            stated = sp.nsimplify(statement.coefficient()) * ((A - best) * inner * (A - best).T).trace()
            require_equal(risk - least, stated, "another deviation", K=K, n=n, A=A, F=F)


@claim.check("property", covers=Instances("K ≤ 5, n ≤ 4, m ≤ 6, 50 drawn"))
@given(st.integers(2, 5), st.integers(1, 4), st.integers(1, 6), st.floats(0.01, 1), st.integers(0, 2**32 - 1))
def test_random_points(statement, K, n, m, lam, seed):
    rng, N = np.random.default_rng(seed), K * n
    A, F = rng.normal(size=(K, m)), rng.normal(size=(m, N))
    best = squared_error.ridge_classifier(F, K, lam)[0]
    inner = statement.per_sample(N) * F @ F.T + statement.ridge(lam) * np.eye(m)
    stated = float(statement.coefficient()) * np.trace((A - best) @ inner @ (A - best).T)
    risk = np.sum((A @ F - np.repeat(np.eye(K), n, axis=1)) ** 2) / (2 * N) + lam / 2 * np.sum(A**2)
    least, deviation = squared_error.split_mse(A, F, lam_A=lam)
    require_close(risk - least, stated, "another deviation", rtol=1e-10, atol=1e-12, K=K, n=n, m=m)
    require_close(deviation, stated, "another split", rtol=1e-10, K=K, n=n, m=m)
