r"""The linearised flow of the mean squared error (review, Appendix A.3, the final result).

Read of the linearised equation, which the source has just solved, with b(0) = 0. It is that of the squared error at
time t/N: b(t) = (1 − e^{−t})/K, growth √n/N on T, and outside T at most $\exp(\tfrac{\sqrt n}N(1 - e^{-t}))$. The
constant is the same, $e^{\sqrt n/N} = e^{1/(K\sqrt n)}$, and it is the least. Of the full flow the bound is false: that
stays bounded.
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from nct.ledger import Claim, Instances, Statement, UpperBound, require_at_most, require_close, require_equal
from theory.ufm import strong_collapse


class Bound(NamedTuple):
    """‖U(t) − e^{rate t}Π_T U(0)‖ ≤ e^{exponent} ‖Π_{T⊥} U(0)‖ and b(t) = bias·1 along a flow."""

    rate: Callable[[Any, Any], Any]  # of K and n
    exponent: Annotated[Callable[[Any, Any], Any], UpperBound]
    bias: Callable[[Any, Any], Any]  # of K and t
    flow: Literal["linearised", "full"]


true = Bound(
    lambda K, n: sp.sqrt(n) / (K * n),
    lambda K, n: sp.sqrt(n) / (K * n),
    lambda K, t: (1 - sp.exp(-t)) / K,
    "linearised",
)

claim = Claim(
    id="review.A3",
    title="Linearised flow of the mean squared error",
    source="review, Appendix A.3, the final result",
    verdict="holds",
    printed=Statement(
        r"\text{along the flow of } R_{MSE} \text{ from } b(0) = 0 \text{ (read: linearised at small } F, A\text{):}\ "
        r"\|(F(t),A(t)) - e^{\frac{\sqrt n}N t}\Pi_T(F_0,A_0)\|_E \le "
        r"e^{\frac{\sqrt n}N}\|\Pi_{T^\perp}(F_0,A_0)\|_E,\quad b(t) = \tfrac{1 - e^{-t}}K 1_K\quad \forall t \ge 0",
        true,
        formulas={
            r"e^{\frac{\sqrt n}N t}": lambda bound, n, N, t: sp.exp(bound.rate(N / n, n) * t),
            r"e^{\frac{\sqrt n}N}": lambda bound, n, N: sp.exp(bound.exponent(N / n, n)),
            r"\tfrac{1 - e^{-t}}K": lambda bound, K, t: bound.bias(K, t),
        },
    ),
    near_misses={
        "of the full flow": true._replace(flow="full"),
        "growth √n": true._replace(rate=lambda K, n: sp.sqrt(n)),
        "constant e^{1/N}": true._replace(exponent=lambda K, n: 1 / (K * n)),
        "half the exponent": true._replace(exponent=lambda K, n: sp.sqrt(n) / (2 * K * n)),
        "bias of the squared error at n = 2": true._replace(bias=lambda K, t: (1 - sp.exp(-2 * K * t)) / K),
    },
    depends_on=["review.A3.spectral", "review.A3.pythagoras"],
)

FULL = {"of the full flow": "the algebra is that of the linearised flow"}


@claim.check("derived", covers="all", blind_to=FULL)
def test_eigenspaces(statement):
    K, n, t, s = sp.symbols("K n t s", positive=True)
    bias = sp.Function("beta")
    settled = sp.dsolve(sp.Eq(bias(t).diff(t), (n - K * n * bias(t)) / (K * n)), bias(t), ics={bias(0): 0}).rhs
    require_equal(sp.simplify(settled - statement.bias(K, t)), 0, "another bias")
    L = strong_collapse.symmetric_operator(K, n, across=(1 / (K * n), -settled / (K * n)))
    up, down = sp.Matrix([1, 1]) / sp.sqrt(2), sp.Matrix([1, -1]) / sp.sqrt(2)
    rates = [sp.simplify((v.T * block * v)[0]) for block in (L.classes, L.common) for v in (up, down)]
    require_equal([(up.T * block * down)[0] for block in (L.classes, L.common)], [0, 0], "the spaces mix")
    growing, *others = [sp.integrate(rate.subs(t, s), (s, 0, t)) for rate in (*rates, L.within)]
    require_equal(sp.simplify(growing - statement.rate(K, n) * t), 0, "another growth on T")
    # Each other exponent is monotone in t, so that its supremum is at an end.
    for other in others:
        for end in (other.subs(t, 0), sp.limit(other, t, sp.oo)):
            gap = sp.simplify((statement.exponent(K, n) - end) * K * n)
            require_equal(gap.is_extended_nonnegative, True, "larger than the bound", end=end)


TIMES = (0.2, 1.0, 4.0, 25.0)


@cache
def fundamental(K, n):
    """The solutions at four times from all unit vectors (features, then classifier), m = 1, and the bias."""
    Y, N = np.repeat(np.eye(K), n, axis=1), K * n

    def slope(_, u):
        U, b = u[:-K].reshape(N + K, N + K), u[-K:]
        B = (Y - b[:, None]) / N
        return np.concatenate([np.vstack([B.T @ U[N:], B @ U[:N]]).ravel(), B.sum(axis=1)])

    start = np.concatenate([np.eye(N + K).ravel(), np.zeros(K)])
    found = solve_ivp(slope, (0, TIMES[-1]), start, t_eval=TIMES, method="DOP853", rtol=1e-11, atol=1e-12).y
    return [(column[:-K].reshape(N + K, N + K), column[-K:]) for column in found.T]


def projection(K, n):
    """The matrix of Π_T on features and classifier, by least squares on a basis of T."""
    basis = np.array([np.concatenate([np.repeat(a, n) / n**0.5, a]) for a in np.eye(K)[1:] - np.eye(K)[0]]).T
    return basis @ np.linalg.pinv(basis)


@claim.check("property", covers=Instances("K ≤ 4, n ≤ 3, four times, by an integrator"))
@example(K=2, n=1)
@given(K=st.integers(2, 4), n=st.integers(1, 3))
def test_integrated(statement, K, n):
    on = projection(K, n)
    off = np.eye(len(on)) - on
    size = sp.Integer(n)
    bound = float(sp.exp(statement.exponent(sp.Integer(K), size)))
    rate = float(statement.rate(sp.Integer(K), size))
    if statement.flow == "full":
        full_flow(K, n, rate, bound)
    for t, (matrix, b) in zip(TIMES, fundamental(K, n), strict=True):
        where = {"K": K, "n": n, "t": t}
        require_close(b, np.full(K, float(statement.bias(K, t))), "another bias", atol=1e-9, **where)
        require_close(matrix @ on, np.exp(rate * t) * on, "another growth on T", rtol=1e-7, atol=1e-7, **where)
        require_at_most(np.linalg.norm(matrix @ off, 2), bound * (1 + 1e-9), "above the bound", **where)
    # the constant is the least: at the last time it is attained to e^{−25}
    require_close(
        bound, np.linalg.norm(fundamental(K, n)[-1][0] @ off, 2), "not the least constant", rtol=1e-7, K=K, n=n
    )


def full_flow(K, n, rate, bound):
    rng = np.random.default_rng(0)
    A, F = 1e-2 * rng.normal(size=(K, K)), 1e-2 * rng.normal(size=(K, K * n))
    parts = strong_collapse.eigenspaces(A, F)
    path = strong_collapse.gradient_flow(A, F, [20.0 * K * n**0.5], loss="mse", rtol=1e-8)
    growth = np.exp(rate * path.times[-1])
    off = path.A[-1] - growth * parts.rising[0], path.F[-1] - growth * parts.rising[1]
    distance = np.sqrt(sum((x**2).sum() for x in off))
    outside = np.sqrt(np.square(parts.norms[1:]).sum())
    require_at_most(distance, bound * outside, "the full flow leaves the bound", K=K, n=n)
