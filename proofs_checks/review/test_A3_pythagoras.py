r"""The chain of the last step of Appendix A.3 (review, after the solution in eigenspaces).

$\|U(t) - e^{\sqrt n t/N}\Pi_1^+U(0)\|^2$ is the sum of the squared norms of the other four parts of U(t). The printed
sums have three: the part in E₃ does not move, and its squared norm is missing, from the left-hand equality on; with
several samples of a class (n ≥ 2) that equality is false. With the term ‖Π₃U(0)‖² in both sums every relation of the
chain holds, and so does its end. In each coefficient the middle line is the least bound for all t ≥ 0, and the last one
the least common factor.
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

Coefficients = tuple[Any, Any, Any, Any]


class Chain(NamedTuple):
    """Coefficients of ‖Π₁⁻U(0)‖², ‖Π₂⁺U(0)‖², ‖Π₂⁻U(0)‖², ‖Π₃U(0)‖² with x = √n/N: equal, ≤, ≤."""

    sum: Callable[[Any, Any], Coefficients]  # of x and t
    bound: Annotated[Callable[[Any], Coefficients], UpperBound]  # of x
    factor: Annotated[Callable[[Any], Any], UpperBound]


def total(still):
    """The sum, with the coefficient of the part in E₃."""
    return lambda x, t: (sp.exp(-2 * x * t), sp.exp(2 * x * (1 - sp.exp(-t))), sp.exp(-2 * x * (1 - sp.exp(-t))), still)


true = Chain(total(1), lambda x: (1, sp.exp(2 * x), 1, 1), lambda x: sp.exp(2 * x))

claim = Claim(
    id="review.A3.pythagoras",
    title="Distance of the linearised flow from its growing part",
    source="review, Appendix A.3, the chain before the final result",
    verdict="amended",
    printed=Statement(
        r"\|U(t) - e^{\frac{\sqrt n}N t}\Pi_1^+U(0)\|_E^2 = e^{-\frac{2\sqrt n}N t}\|\Pi_1^-U(0)\|_E^2 + "
        r"\exp\bigl(\tfrac{2\sqrt n}N(1-e^{-t})\bigr)\|\Pi_2^+U(0)\|_E^2 + \exp\bigl(-\tfrac{2\sqrt n}N(1-e^{-t})\bigr)"
        r"\|\Pi_2^-U(0)\|_E^2 \le \|\Pi_1^-U(0)\|_E^2 + e^{\frac{2\sqrt n}N}\|\Pi_2^+U(0)\|_E^2 + \|\Pi_2^-U(0)\|_E^2 "
        r"\le e^{\frac{2\sqrt n}N}\|(I - \Pi_1^+)U(0)\|_E^2",
        Chain(total(0), lambda x: (1, sp.exp(2 * x), 1, 0), lambda x: sp.exp(2 * x)),
    ),
    amended=Statement(
        r"\text{the same with } \|\Pi_3U(0)\|_E^2 \text{ added to the second and to the third member}",
        true,
    ),
    near_misses={
        "E₃ in the bound only": true._replace(sum=total(0)),
        "factor without the 2": true._replace(factor=lambda x: sp.exp(x)),
        "E₂⁺ bounded by 1": true._replace(bound=lambda x: (1, 1, 1, 1)),
        "E₁⁻ bounded by e^{−2x}": true._replace(bound=lambda x: (sp.exp(-2 * x), sp.exp(2 * x), 1, 1)),
    },
    depends_on=["review.A3.solution"],
    true_edits={"factor: 2 * x → 3 * x": "a larger factor is a bound as well"},
    counterexample_code=r"""
# K = 2, n = 2, m = 1, F = (1, -1, 0, 0), A = 0: all of U lies in E3, and the linearised flow leaves it where it is.
F, A, K, n = [1, -1, 0, 0], [0, 0], 2, 2
YF = [sum(F[k * n : (k + 1) * n]) for k in range(K)]
dA = [(YF[k] - 0.3 * sum(F)) / 4 for k in range(K)]  # with any bias, here 0.3
dF = [(A[i // n] - 0.3 * sum(A)) / 4 for i in range(K * n)]
print("the flow is", dF, dA, "and ‖U‖² =", sum(f * f for f in F), ", printed: 0, as the other four parts vanish")
assert not any(dA + dF) and sum(f * f for f in F) == 2
""",
)


@claim.check("derived", covers="all")
def test_relations(statement):
    # The parts of U(t) are orthogonal, and each is a factor exp(∫ eigenvalue) times that of U(0).
    K, n, t, s = sp.symbols("K n t s", positive=True)
    rate = sp.sqrt(n) / (K * n)
    x = sp.Symbol("x", positive=True)
    factors = [sp.exp(2 * sp.integrate(v, (s, 0, t))) for v in (-rate, rate * sp.exp(-s), -rate * sp.exp(-s), 0 * s)]
    stated = statement.sum(rate, t)
    for i, (own, other) in enumerate(zip(factors, stated, strict=True)):
        require_equal(sp.simplify(own - other), 0, "the first line is no equality", part=i)
    # The bounds: each factor is monotone in t ≥ 0, so that its supremum is at t = 0 or in the limit.
    for i, (value, bound) in enumerate(zip(statement.sum(x, t), statement.bound(x), strict=True)):
        slope = sp.simplify(sp.diff(sp.log(value), t)) if value != 0 else sp.Integer(0)
        ends = sp.sympify(value).subs(t, 0), sp.limit(value, t, sp.oo)
        require_equal(slope.is_positive or slope.is_negative or slope == 0, True, "not monotone", part=i)
        # With x = log r: whether both ends are at most the bound is decided by its largest ratio over r > 0.
        for end in ends:
            gap = sp.simplify(sp.log(end) - sp.log(bound)) if end != 0 else -sp.oo
            require_equal(bool(gap.is_extended_nonpositive), True, "the second line is no bound", part=i, end=end)
        gap = sp.simplify(sp.log(bound) - sp.log(statement.factor(x))) if bound != 0 else sp.Integer(-1)
        require_equal(bool(gap.is_extended_nonpositive), True, "the third line is no bound", part=i)


@claim.check(
    "exact",
    covers=Instances("starts in E₃, where nothing moves: F = (1, −1, 0, …), A = 0, K, n ≤ 4"),
    blind_to=dict.fromkeys(
        ("factor without the 2", "E₂⁺ bounded by 1", "E₁⁻ bounded by e^{−2x}"), "they are about the other parts"
    ),
)
def test_still_starts(statement):
    x, t = sp.symbols("x t", positive=True)
    for K in range(2, 5):
        for n in range(2, 5):
            Y = np.repeat(np.eye(K, dtype=int), n, axis=1)
            F = np.array([1, -1] + [0] * (K * n - 2))
            slopes = [Y @ F, np.ones((K, K * n), dtype=int) @ F]  # BFᵀ for any β; AᵀB = 0
            require_equal(sum(abs(slope).sum() for slope in slopes), 0, "it moves", K=K, n=n)
            for name, coefficient in (("sum", statement.sum(x, t)[3]), ("bound", statement.bound(x)[3])):
                require_equal(coefficient * (F @ F), F @ F, "E₃ is missing", line=name, K=K, n=n, F=F.tolist())


@cache
def fundamental(K, n):
    """The solutions at t = 0.3, 1, 4 and 25 from all unit vectors (features, then classifier), m = 1."""
    Y, N = np.repeat(np.eye(K), n, axis=1), K * n

    def slope(time, u):
        B = (Y - (1 - np.exp(-time)) / K) / N
        U = u.reshape(N + K, N + K)
        return np.vstack([B.T @ U[N:], B @ U[:N]]).ravel()

    found = solve_ivp(slope, (0, 25), np.eye(N + K).ravel(), t_eval=TIMES, method="DOP853", rtol=1e-11, atol=1e-12).y
    return [column.reshape(N + K, N + K) for column in found.T]


TIMES = (0.3, 1.0, 4.0, 25.0)


@claim.check(
    "property", covers=Instances("K = 2, 3, n = 1–3, four times, 50 random starts with m = 2, by an integrator")
)
@example(K=2, n=2, part=4, seed=0)
@example(K=2, n=1, part=2, seed=0)
@example(K=2, n=1, part=1, seed=0)
@given(K=st.integers(2, 3), n=st.integers(1, 3), part=st.integers(0, 5), seed=st.integers(0, 2**32 - 1))
def test_integrated(statement, K, n, part, seed):
    # Starts in one of the five spaces, or with parts in all of them (5).
    rng, N = np.random.default_rng(seed), K * n
    start = rng.normal(size=(K, 2)), rng.normal(size=(2, N))
    if part < 5:
        start = strong_collapse.eigenspaces(*start)[part]
    parts = strong_collapse.eigenspaces(*start)
    squares = np.square(parts.norms[1:])
    x = 1 / (K * n**0.5)
    bound = np.dot(np.array(statement.bound(sp.Float(x)), float), squares)
    last = float(statement.factor(sp.Float(x))) * squares.sum()
    for t, matrix in zip(TIMES, fundamental(K, n), strict=True):
        end = matrix @ np.vstack([start[1].T, start[0]])
        growing = np.exp(x * t) * np.vstack([parts[0][1].T, parts[0][0]])
        first = ((end - growing) ** 2).sum()
        where = {"K": K, "n": n, "part": part, "t": t}
        stated = np.dot(np.array(statement.sum(sp.Float(x), sp.Float(t)), float), squares)
        require_close(first, stated, "the first line is no equality", rtol=1e-7, atol=1e-9, **where)
        require_at_most(first, bound * (1 + 1e-7) + 1e-9, "the second line is no bound", **where)
        require_at_most(bound, last * (1 + 1e-12) + 1e-12, "the third line is no bound", **where)
