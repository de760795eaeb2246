r"""How long the linearised flow of the squared error stays near its growing part (review, equation 19).

With b(0) = 0, b(t) = (1 − e^{−Nt})/K, and the operator has the eigenvalues ±√n on E₁^±, ±√n e^{−Nt} on E₂^±, 0 on E₃
(as in Appendix A.3; T = E₁⁺). Outside T the part in E₂⁺ grows most, by $\exp(\sqrt n(1 - e^{-Nt})/N)$, which rises to
$e^{1/(K\sqrt n)}$ as t → ∞ and never reaches it. So the printed bound holds exactly if κ ≤ K, and κ = K gives the least
constant.
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from nct.ledger import Claim, Instances, Statement, UpperBound, require_at_most, require_close, require_equal
from theory.ufm import strong_collapse


class Bound(NamedTuple):
    """‖U(t) − e^{rate t}Π_T U(0)‖ ≤ e^{exponent} ‖Π_{T⊥} U(0)‖, the least such exponent, and b(t) = bias·1."""

    rate: Callable[[Any], Any]  # of n
    exponent: Annotated[Callable[[Any, Any, Any], Any], UpperBound]  # of K, n and κ
    bias: Callable[[Any, Any, Any], Any]  # of K, n and t


true = Bound(sp.sqrt, lambda K, n, kappa: 1 / (K * sp.sqrt(n)), lambda K, n, t: (1 - sp.exp(-K * n * t)) / K)

claim = Claim(
    id="review.eq-19",
    title="Linearised flow of the squared error",
    source="review, equation 19",
    verdict="amended",
    printed=Statement(
        r"\|(F(t),A(t)) - e^{\sqrt n t}\Pi_T(F_0,A_0)\|_E \le e^{\frac1{\kappa\sqrt n}}\|\Pi_{T^\perp}(F_0,A_0)\|_E,"
        r"\quad b(t) = \tfrac{1 - e^{-Nt}}K 1_K \quad \forall t \ge 0\text{ (read: for every } \kappa > 0\text{, which "
        r"is not defined)}",
        true._replace(exponent=lambda K, n, kappa: 1 / (kappa * sp.sqrt(n))),
        formulas={
            r"e^{\sqrt n t}": lambda bound, n, t: sp.exp(bound.rate(n) * t),
            r"e^{\frac1{\kappa\sqrt n}}": lambda bound, n, kappa: sp.exp(bound.exponent(sp.Integer(3), n, kappa)),
            r"\tfrac{1 - e^{-Nt}}K": lambda bound, K, N, t: bound.bias(K, N / K, t),
        },
    ),
    amended=Statement(
        r"\text{the same with } \kappa = K\text{; then } e^{\frac1{K\sqrt n}} \text{ is the least constant for all } "
        r"F_0, A_0, t\text{; it is approached as } t \to \infty \text{ and not attained}",
        true,
        formulas={r"e^{\frac1{K\sqrt n}}": lambda bound, K, n: sp.exp(bound.exponent(K, n, sp.Integer(1)))},
    ),
    near_misses={
        "κ = N": true._replace(exponent=lambda K, n, kappa: 1 / (K * n * sp.sqrt(n))),
        "κ = K + 1": true._replace(exponent=lambda K, n, kappa: 1 / ((K + 1) * sp.sqrt(n))),
        "without √n": true._replace(exponent=lambda K, n, kappa: 1 / (K * n)),
        "growth n": true._replace(rate=lambda n: n),
        "bias of the mean squared error": true._replace(bias=lambda K, n, t: (1 - sp.exp(-t)) / K),
    },
    depends_on=["review.A3.spectral"],
    counterexample_code=r"""
from math import exp
# K = 2, n = 1, m = 1
# F = (1, 1), A = (1, 1)ᵀ is in E2+, so its part in T is 0; A = F by symmetry, with A' = (1 − 2β)A, 1 − 2β = exp(−2t)
x, t, h = 1.0, 0.0, 1e-4
while t < 8:
    x, t = x + h * exp(-2 * (t + h / 2)) * x, t + h
for kappa in (2, 3):
    print("growth", round(x, 4), "bound with κ =", kappa, ":", round(exp(1 / kappa), 4))
assert exp(1 / 3) < x < exp(1 / 2) + 1e-3
""",
)


@claim.check("derived", covers="all")
def test_eigenspaces(statement):
    K, n, t, s, kappa = sp.symbols("K n t s kappa", positive=True)
    bias = sp.Function("beta")
    settled = sp.dsolve(sp.Eq(bias(t).diff(t), n - K * n * bias(t)), bias(t), ics={bias(0): 0}).rhs
    require_equal(sp.simplify(settled - statement.bias(K, n, t)), 0, "another bias")
    L = strong_collapse.symmetric_operator(K, n, across=(1, -settled))
    up, down = sp.Matrix([1, 1]) / sp.sqrt(2), sp.Matrix([1, -1]) / sp.sqrt(2)
    rates = [sp.simplify((v.T * block * v)[0]) for block in (L.classes, L.common) for v in (up, down)]
    require_equal([(up.T * block * down)[0] for block in (L.classes, L.common)], [0, 0], "the spaces mix")
    growing, *others = [sp.integrate(rate.subs(t, s), (s, 0, t)) for rate in (*rates, L.within)]
    require_equal(sp.simplify(growing - statement.rate(n) * t), 0, "another growth on T")
    # Each other exponent is monotone in t: the supremum over t and over the four spaces is at an end.
    ends = [end for other in others for end in (other.subs(t, 0), sp.limit(other, t, sp.oo))]
    gaps = [sp.simplify((statement.exponent(K, n, kappa) - end) * K * sp.sqrt(n)) for end in ends]
    for end, gap in zip(ends, gaps, strict=True):
        require_equal(gap.is_extended_nonnegative, True, "larger than the bound", end=end, gap=gap)
    require_equal(min(gaps), 0, "not the least constant")
    # Not attained: the largest exponent rises for all t.
    require_equal(sp.simplify(sp.diff(others[1], t)).is_positive, True, "the largest exponent is attained")


@claim.check(
    "exact",
    covers=Instances("K ≤ 6, n = c², c ≤ 4, κ ≤ 12, in rationals"),
    blind_to={"growth n": "it looks at T⊥", "bias of the mean squared error": "it looks at the factors"},
)
def test_rational_exponents(statement):
    # For n = c² the exponent of E₂⁺ for all time is the integral of c e^{−Nt}, a rational number.
    t = sp.Symbol("t", positive=True)
    for K in range(2, 7):
        for c in range(1, 5):
            least = sp.integrate(c * sp.exp(-K * c**2 * t), (t, 0, sp.oo))
            for kappa in (*range(1, 13), K):
                exponent = statement.exponent(sp.Integer(K), sp.Integer(c) ** 2, sp.Integer(kappa))
                require_at_most(least, exponent, "above the bound", K=K, n=c**2, kappa=kappa)


TIMES = (0.02, 0.1, 0.5, 4.0)


@cache
def fundamental(K, n):
    """The solutions at four times from all unit vectors (features, then classifier), m = 1, and the bias."""
    Y, N = np.repeat(np.eye(K), n, axis=1), K * n

    def slope(_, u):
        U, b = u[:-K].reshape(N + K, N + K), u[-K:]
        B = Y - b[:, None]
        return np.concatenate([np.vstack([B.T @ U[N:], B @ U[:N]]).ravel(), B.sum(axis=1)])

    start = np.concatenate([np.eye(N + K).ravel(), np.zeros(K)])
    found = solve_ivp(slope, (0, TIMES[-1]), start, t_eval=TIMES, method="DOP853", rtol=1e-11, atol=1e-12).y
    return [(column[:-K].reshape(N + K, N + K), column[-K:]) for column in found.T]


def projection(K, n):
    """The matrix of Π_T on features and classifier, by least squares on a basis of T."""
    basis = np.array([np.concatenate([np.repeat(a, n) / n**0.5, a]) for a in np.eye(K)[1:] - np.eye(K)[0]]).T
    return basis @ np.linalg.pinv(basis)


@claim.check("property", covers=Instances("K ≤ 4, n ≤ 3, κ in (0, 20), four times, by an integrator, 50 drawn"))
@example(K=2, n=1, kappa=3.0)
@given(K=st.integers(2, 4), n=st.integers(1, 3), kappa=st.floats(0.3, 20))
def test_integrated(statement, K, n, kappa):
    # The least constant at a time is a spectral norm.
    on = projection(K, n)
    off = np.eye(len(on)) - on
    size = sp.Integer(n)
    bound = float(sp.exp(statement.exponent(sp.Integer(K), size, sp.Float(kappa))))
    for t, (matrix, b) in zip(TIMES, fundamental(K, n), strict=True):
        where = {"K": K, "n": n, "kappa": kappa, "t": t}
        require_close(b, np.full(K, float(statement.bias(K, n, t))), "another bias", atol=1e-9, **where)
        growth = np.exp(float(statement.rate(size)) * t)
        require_close(matrix @ on, growth * on, "another growth on T", rtol=1e-7, atol=1e-7, **where)
        require_at_most(np.linalg.norm(matrix @ off, 2), bound * (1 + 1e-9), "above the bound", **where)


@claim.check(
    "optimised",
    covers=Instances("K ≤ 5, n ≤ 4: the largest growth outside T at t = 40/N, by singular values"),
    blind_to={"growth n": "it looks at T⊥", "bias of the mean squared error": "it looks at the factors"},
)
def test_least_constant(statement):
    # The product of short steps exp(h L_t) at midpoints, for the worst start.
    for K in range(2, 6):
        for n in range(1, 5):
            N, h = K * n, 0.05 / (K * n)
            Y, on = np.repeat(np.eye(K), n, axis=1), projection(K, n)
            w, V = np.linalg.eigh(symmetric(Y - 0.1 / K))  # all L_t commute: one basis for all times
            log = np.zeros(len(w))
            for i in range(800):
                beta = (1 - np.exp(-N * (i + 0.5) * h)) / K
                log += h * np.einsum("ij,ij->j", V, symmetric(Y - beta) @ V)
            grown = V * np.exp(log) @ V.T @ (np.eye(N + K) - on)
            least = np.log(np.linalg.norm(grown, 2))
            for kappa in (1, K, 2 * K):
                exponent = float(statement.exponent(sp.Integer(K), sp.Integer(n), sp.Integer(kappa)))
                require_close(exponent, least, "not the least exponent", rtol=2e-4, K=K, n=n, kappa=kappa)


def symmetric(B):
    K, N = B.shape
    return np.block([[np.zeros((N, N)), B.T], [B, np.zeros((K, K))]])
