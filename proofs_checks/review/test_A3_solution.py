r"""The solution of the linearised flow in its eigenspaces (review, Appendix A.3, after equation 59).

Each projection of U follows a scalar equation, ψ' = ε(√n/N)ψ in E₁ and ψ' = ε(√n/N)e^{−t}ψ in E₂. The printed solution
in E₁ has U(0) on its right, where Π₁U(0) belongs: at t = 0 it would say that U(0) lies in E₁⁺ and in E₁⁻.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory.ufm import strong_collapse


class Solution(NamedTuple):
    """Π_i^ε U(t) = exp(exponent_i(ε, K, n, t)) times Π_i^ε U(0), or U(0) itself."""

    exponent_1: Callable[[int, Any, Any, Any], Any]
    start_1: Literal["its projection", "U(0)"]
    exponent_2: Callable[[int, Any, Any, Any], Any]
    start_2: Literal["its projection", "U(0)"]


true = Solution(
    lambda e, K, n, t: e * sp.sqrt(n) / (K * n) * t,
    "its projection",
    lambda e, K, n, t: e * sp.sqrt(n) / (K * n) * (1 - sp.exp(-t)),
    "its projection",
)

claim = Claim(
    id="review.A3.solution",
    title="Solution of the linearised flow",
    source="review, Appendix A.3, after equation 59",
    verdict="amended",
    printed=Statement(
        r"\Pi_1^\epsilon U(t) = e^{\frac{\epsilon\sqrt n}N t}\,U(0),\quad \Pi_2^\epsilon U(t) = "
        r"\exp\bigl(\tfrac{\epsilon\sqrt n}N(1 - e^{-t})\bigr)\Pi_2^\epsilon U(0)",
        true._replace(start_1="U(0)"),
        formulas={
            r"e^{\frac{\epsilon\sqrt n}N t}": lambda s, eps, n, N, t: sp.exp(s.exponent_1(eps, N / n, n, t)),
            r"\tfrac{\epsilon\sqrt n}N(1 - e^{-t})": lambda s, eps, n, N, t: s.exponent_2(eps, N / n, n, t),
        },
    ),
    amended=Statement(
        r"\Pi_1^\epsilon U(t) = e^{\frac{\epsilon\sqrt n}N t}\,\Pi_1^\epsilon U(0),\quad \Pi_2^\epsilon U(t) = "
        r"\exp\bigl(\tfrac{\epsilon\sqrt n}N(1 - e^{-t})\bigr)\Pi_2^\epsilon U(0)",
        true,
        formulas={
            r"e^{\frac{\epsilon\sqrt n}N t}": lambda s, eps, n, N, t: sp.exp(s.exponent_1(eps, N / n, n, t)),
            r"\tfrac{\epsilon\sqrt n}N(1 - e^{-t})": lambda s, eps, n, N, t: s.exponent_2(eps, N / n, n, t),
        },
    ),
    near_misses={
        "growth √n": true._replace(exponent_1=lambda e, K, n, t: e * sp.sqrt(n) * t),
        "E₂ grows for ever": true._replace(exponent_2=true.exponent_1),
        "e^{−Nt} in E₂": true._replace(
            exponent_2=lambda e, K, n, t: e * sp.sqrt(n) / (K * n) * (1 - sp.exp(-K * n * t))
        ),
        "one sign": true._replace(exponent_2=lambda e, K, n, t: sp.sqrt(n) / (K * n) * (1 - sp.exp(-t))),
    },
    depends_on=["review.A3.spectral"],
    counterexample_code=r"""
# K = 2, n = 1, m = 1 at t = 0: F = (1, 1), A = 0 has no part in E1, where columns of A sum to 0 and F = ±A^T
F, A = [1, 1], [0, 0]
centred = [[f - sum(x) / 2 for f in x] for x in (F, A)]
projection = [[(p + q) / 2 for p, q in zip(*centred)]] * 2
print("projection onto E1+ of U(0) =", projection, ", printed: U(0) =", [F, A])
assert projection == [[0, 0], [0, 0]] != [F, A]
""",
)


@claim.check("derived", covers="all")
def test_scalar_equations(statement):
    # U' = L_t U commutes with the projections; ψ' = λ(t)ψ with λ from the blocks of L_t, 1 − Kβ(t) = e^{−t}.
    K, n, t, s = sp.symbols("K n t s", positive=True)
    beta = sp.Function("beta")
    settled = sp.dsolve(sp.Eq(beta(t).diff(t), (1 - K * beta(t)) / K), beta(t), ics={beta(0): 0}).rhs
    L = strong_collapse.symmetric_operator(K, n, across=(1 / (K * n), -settled / (K * n)))
    for e in (1, -1):
        for block, exponent, start in (
            (L.classes, statement.exponent_1, statement.start_1),
            (L.common, statement.exponent_2, statement.start_2),
        ):
            rate = sp.simplify((sp.Matrix([e, 1]).T * block * sp.Matrix([e, 1]))[0] / 2)
            solution = sp.integrate(rate.subs(t, s), (s, 0, t))
            require_equal(sp.simplify(sp.expand(solution - exponent(e, K, n, t))), 0, "another exponent", e=e)
            # what stands on the right for a start whose projection is p and whose other parts are q
            p, q = sp.symbols("p q")
            right = p if start == "its projection" else p + q
            require_equal(sp.expand(right * sp.exp(0) - p), 0, "wrong at t = 0", e=e)


@claim.check(
    "exact",
    covers=Instances("t = 0, F = (1, 1), A = 0, K = 2, n = 1, m = 1"),
    blind_to=dict.fromkeys(("growth √n", "E₂ grows for ever", "e^{−Nt} in E₂", "one sign"), "they agree at t = 0"),
)
def test_at_the_start(statement):
    # E₁^ε: columns of A sum to 0 and F = εAᵀ. E₂^ε: both constant and F = εAᵀ.
    F, A = [Fraction(1), Fraction(1)], [Fraction(0), Fraction(0)]
    for e in (1, -1):
        for space, exponent, start in (
            (1, statement.exponent_1, statement.start_1),
            (2, statement.exponent_2, statement.start_2),
        ):
            parts = [[(x - sum(row) / 2) if space == 1 else sum(row) / 2 for x in row] for row in (F, A)]
            along = [(a + e * f) / 2 for f, a in zip(*parts, strict=True)]
            projection = [e * x for x in along], along
            factor = Fraction(int(sp.exp(exponent(e, sp.Integer(2), sp.Integer(1), sp.Integer(0)))))
            right = projection if start == "its projection" else (F, A)
            stated = tuple([factor * x for x in row] for row in right)
            require_equal(projection, stated, "wrong at t = 0", space=space, e=e, F=F, A=A)


@cache
def fundamental(K, n, t):
    """The solutions at t from all unit vectors (features, then classifier), m = 1, integrated together."""
    Y, N = np.repeat(np.eye(K), n, axis=1), K * n

    def slope(time, x):
        B = (Y - (1 - np.exp(-time)) / K) / N
        U = x.reshape(N + K, N + K)
        return np.vstack([B.T @ U[N:], B @ U[:N]]).ravel()

    return (
        solve_ivp(slope, (0, t), np.eye(N + K).ravel(), method="DOP853", rtol=1e-11, atol=1e-12)
        .y[:, -1]
        .reshape(N + K, N + K)
    )


@claim.check("property", covers=Instances("K = 2, 3, n = 2, t = 2.5, 50 random starts with m = 3, by an integrator"))
@example(K=2, seed=0)
@given(K=st.integers(2, 3), seed=st.integers(0, 2**32 - 1))
def test_integrated(statement, K, seed):
    n, t = 2, 2.5
    rng, N = np.random.default_rng(seed), K * n
    F, A = rng.normal(size=(3, N)), rng.normal(size=(K, 3))
    end = fundamental(K, n, t) @ np.vstack([F.T, A])
    before, after = strong_collapse.eigenspaces(A, F), strong_collapse.eigenspaces(end[N:], end[:N].T)
    exponents = statement.exponent_1, statement.exponent_2
    starts = statement.start_1, statement.start_2
    for i in range(4):
        space, e = divmod(i, 2)
        e = 1 - 2 * e
        factor = np.exp(float(exponents[space](e, sp.Integer(K), sp.Integer(n), sp.Float(t))))
        start = before[i] if starts[space] == "its projection" else (A, F)
        require_close(after[i][0], factor * start[0], "another classifier", atol=1e-9, space=space + 1, e=e, K=K)
        require_close(after[i][1], factor * start[1], "other features", atol=1e-9, space=space + 1, e=e, K=K)
