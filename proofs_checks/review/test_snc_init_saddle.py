r"""Whether large errors from strong neural collapse come from saddles (review, Section 3.1.2, after Figure 3).

The source believes that descent without randomness gets stuck at strict saddles, and that this is a possible reason
for the large SNC errors of Figure 3. In the runs with large errors the risk goes to 0: they are at global minima.
What is conserved is the reason. The flow keeps AᵀA − FFᵀ, which is 0 at points with SNC. With Δ = F − (A ⊗ 1)ᵀ/√n,
‖Δ‖ = δ_SNC2,

$$ FF^\top - A^\top A = \tfrac1{\sqrt n}(A^\top Y\Delta^\top + \Delta Y^\top A) + \Delta\Delta^\top,\qquad
\|A\|_2^2 \le \sqrt n + \delta_{SNC1}, $$

so that ‖A₀ᵀA₀ − F₀F₀ᵀ‖ ≤ 2√(√n + δ_SNC1) δ_SNC2 + δ_SNC2² at all times: no end of the flow has small errors if that
is large, whether a saddle or a minimum. With equality for two classes, where F is a multiple of (A ⊗ 1)ᵀ. Starts that
do stay at a saddle exist (no part in T and the same for all classes; A = F = 0), but Figure 3's random ones have
probability 0 for it.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st

from nct.ledger import (
    Claim,
    Instances,
    Part,
    Statement,
    UpperBound,
    require,
    require_at_most,
    require_close,
    require_equal,
)
from theory.ufm import strong_collapse

BOUND, RUNS = "the bound", "the runs of Figure 3"


class Cause(NamedTuple):
    """Where runs with large SNC errors end, what the flow keeps, and how that bounds the errors."""

    end: Literal["at a strict saddle", "at a global minimum"]
    kept: Callable[[Any, Any, Any, Any], Any]  # of A, Aᵀ, F, Fᵀ
    bound: Annotated[Callable[[Any, Any, Any], Any], UpperBound]  # on the norm of what is kept: of n, δ_SNC1, δ_SNC2


true = Cause(
    "at a global minimum",
    lambda A, At, F, Ft: At @ A - F @ Ft,
    lambda n, d1, d2: 2 * sp.sqrt(sp.sqrt(n) + d1) * d2 + d2**2,
)

claim = Claim(
    id="review.snc-init.saddle",
    title="Saddles and large SNC errors",
    source="review, Section 3.1.2, after Figure 3",
    verdict="amended",
    printed=Statement(
        r"\text{descent may get stuck at a strict saddle, which is the reason for large SNC errors in Figure 3 "
        r"(read: the runs "
        r"with large errors end there)}",
        true._replace(end="at a strict saddle"),
    ),
    amended=Statement(
        r"\text{runs with large errors (} \epsilon = 1 \text{) end at global minima; the flow keeps } A^\top A - "
        r"FF^\top,"
        r"\text{ and at all times } \|A_0^\top A_0 - F_0F_0^\top\|_F \le 2\sqrt{\sqrt n + "
        r"\delta_{SNC1}}\,\delta_{SNC2} + "
        r"\delta_{SNC2}^2",
        true,
        parts=[BOUND, RUNS],
    ),
    near_misses={
        "half the bound": true._replace(bound=lambda n, d1, d2: sp.sqrt(sp.sqrt(n) + d1) * d2 + d2**2),
        "without δ_SNC1": true._replace(bound=lambda n, d1, d2: 2 * sp.sqrt(sp.sqrt(n)) * d2 + d2**2),
        "to first order": true._replace(bound=lambda n, d1, d2: 2 * sp.sqrt(sp.sqrt(n) + d1) * d2),
        "the sum is kept": true._replace(kept=lambda A, At, F, Ft: At @ A + F @ Ft),
    },
    depends_on=["review.snc-init", "review.se-landscape"],
    counterexample_code=r"""
# K = 2, n = 1, m = 1: descent from A = (1, 0), F = (0, 1) with b = 0
A, F, b = [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]
for _ in range(20000):
    E = [[A[k] * F[i] + b[k] - (i == k) for i in range(2)] for k in range(2)]
    A, F, b = (
        [A[k] - 0.02 * (E[k][0] * F[0] + E[k][1] * F[1]) for k in range(2)],
        [F[i] - 0.02 * (A[0] * E[0][i] + A[1] * E[1][i]) for i in range(2)],
        [b[k] - 0.02 * (E[k][0] + E[k][1]) for k in range(2)],
    )
risk = sum(e * e for row in E for e in row) / 2
error = sum((F[i] - A[i]) ** 2 for i in range(2)) ** 0.5
print("risk", risk, ", SNC2 error", error)
assert risk < 1e-20 and error > 0.5
""",
)

WORDS = {"half the bound", "without δ_SNC1", "to first order", "the sum is kept"}


@claim.check("derived", covers=Part(BOUND))
def test_words(statement):
    # Along the flow A' = −EFᵀ, F' = −AᵀE, for any E.
    A, At, F, Ft, E, Et, Y, Yt, D, Dt = sp.symbols("A At F Ft E Et Y Yt D Dt", commutative=False)
    n, s = sp.symbols("n s", positive=True)

    def kept(a, at, f, ft):
        return statement.kept(*(Word(x) for x in (a, at, f, ft))).word

    moved = kept(A - s * E * Ft, At - s * F * Et, F - s * At * E, Ft - s * Et * A)
    slope = sp.expand(moved).coeff(s, 1)
    require_equal(sp.expand(slope), 0, "the flow does not keep it")
    # With F = AᵀY/√n + Δ and YYᵀ = nI: two words with one Δ and one with two.
    root = sp.sqrt(n)
    value = strong_collapse.reduced(kept(A, At, At * Y / root + D, Yt * A / root + Dt), {Y * Yt: n})
    require_equal(sp.expand(value + (At * Y * Dt + D * Yt * A) / root + D * Dt), 0, "another difference")
    # Norms: ‖Y‖₂ = √n, ‖Δ‖_F = δ₂, ‖A‖₂² ≤ ‖√nP‖₂ + δ₁, from AAᵀ = √nP + a matrix of norm δ₁.
    d1, d2 = sp.symbols("d1 d2", positive=True)
    norm = 2 * sp.sqrt(root + d1) * root / root * d2 + d2**2
    gap = sp.simplify(statement.bound(n, d1, d2) - norm)
    require_equal(gap == 0 or gap.is_nonnegative is True, True, "the norms are larger")
    # A run from 2A, F/2 of a point with SNC stays there: AF is the same, and δ_SNC2 = (2 − 1/2)‖A‖.
    A_, F_, b_ = strong_collapse.snc_point(3, 4, 2)
    end = 2 * A_, F_ / 2, b_
    check_end(statement, strong_collapse.risk(*end), strong_collapse.snc_errors(*end).snc2)


def check_end(statement, risk, error):
    """A run that ends with large errors ends where the statement says."""
    if error > 0.1:
        found = "at a global minimum" if risk < 1e-3 else "at a strict saddle"
        require_equal(found, statement.end, "large errors elsewhere", risk=risk, error=error)


class Word:
    """A word in matrices, with @ for the product."""

    def __init__(self, word):
        self.word = word

    def __matmul__(self, other):
        return Word(self.word * other.word)

    def __add__(self, other):
        return Word(self.word + other.word)

    def __sub__(self, other):
        return Word(self.word - other.word)


@claim.check(
    "exact",
    covers=Instances("the run from 2A, F/2 of a point with SNC, K = 2, n = 4, in rationals"),
    blind_to=dict.fromkeys(sorted(WORDS), "it is about where a run ends"),
)
def test_a_run_at_rest(statement):
    A, F, b = [2, -2], [Fraction(1, 4)] * 4 + [Fraction(-1, 4)] * 4, Fraction(1, 2)
    E = [[A[k] * F[i] + b - (i // 4 == k) for i in range(8)] for k in range(2)]
    risk = sum(e * e for row in E for e in row) / 2
    squared = sum((F[i] - Fraction(A[i // 4], 2)) ** 2 for i in range(8))  # δ_SNC2²
    check_end(statement, risk, squared)


@claim.check("property", covers=Instances("K ≤ 4, n ≤ 3, m ≤ 4, random points, and the flow to t = 1, 50 drawn"))
@example(K=2, n=1, m=1, kind="multiple", seed=0)
@example(K=2, n=2, m=1, kind="grown", seed=0)
@given(
    K=st.integers(2, 4), n=st.integers(1, 3), m=st.integers(1, 4),
    kind=st.sampled_from(["random", "multiple", "grown"]), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_points(statement, K, n, m, kind, seed):
    rng = np.random.default_rng(seed)
    if kind == "random":
        A, F = rng.normal(size=(K, m)), rng.normal(size=(m, K * n))
    else:  # A has one direction, with SNC1 for K = 2; F a multiple of (A ⊗ 1)ᵀ/√n, for which the bound is attained
        A = np.zeros((K, m))
        A[:2, 0] = np.array([1, -1]) * (n**0.5 / 2) ** 0.5 * (1 if kind == "multiple" else 1.5)
        F = np.repeat(A.T, n, axis=1) / n**0.5 * (1 + rng.random())
    check_bound(statement, A, F, kept=statement.kept(A, A.T, F, F.T), K=K, n=n, m=m, kind=kind)
    P, Q, b = strong_collapse.snc_point(K, n, K)
    scale = 1.5 + rng.random()
    end = strong_collapse.gradient_flow(scale * P, Q / scale, [0.1], b=b, rtol=1e-7)
    check_end(statement, end.risks[-1], end.errors[-1, 1])
    path = strong_collapse.gradient_flow(A, F, [0.1, 1.0], rtol=1e-7)
    for a, f in zip(path.A, path.F, strict=True):
        value = statement.kept(a, a.T, f, f.T)
        require_close(value, statement.kept(A, A.T, F, F.T), "not kept", atol=1e-5, rtol=1e-5, K=K, n=n, m=m)
        check_bound(statement, a, f, kept=value, K=K, n=n, m=m, kind=kind)


def check_bound(statement, A, F, kept, **where):
    K, n = len(A), F.shape[1] // len(A)
    d1 = np.linalg.norm(A @ A.T - n**0.5 * (np.eye(K) - 1 / K))
    d2 = np.linalg.norm(F - np.repeat(A.T, n, axis=1) / n**0.5)
    bound = float(statement.bound(sp.Integer(n), sp.Float(d1), sp.Float(d2)))
    require_at_most(np.linalg.norm(kept), bound * (1 + 1e-9) + 1e-12, "above the bound", **where)


@cache
def runs():
    """Figure 3's setting at ε = 1 and 0.01, four seeds."""
    rng = np.random.default_rng(7)
    A, F = rng.normal(size=(4, 3, 15)), rng.normal(size=(4, 15, 9))
    A /= np.linalg.norm(A, axis=(1, 2), keepdims=True)
    F /= np.linalg.norm(F, axis=(1, 2), keepdims=True)
    return strong_collapse.gradient_descent(
        np.concatenate([A, A / 100]), np.concatenate([F, F / 100]), step=0.05, steps=3000
    )


@claim.check(
    "simulated",
    covers=Instances("K = 3, N = 9, m = 15, ε = 1 and 0.01, four seeds, 3,000 steps of 0.05"),
    blind_to=dict.fromkeys(WORDS, "it is about where descent ends"),
)
def test_runs(statement):
    large = 0
    for run in runs():
        if run.errors[-1, 1] < 0.1:
            continue
        large += 1
        # At a critical point the risk is n/2 = 1.5 times a whole number; 0 at a global minimum.
        off = abs(run.risks[-1] - 1.5 * np.round(run.risks[-1] / 1.5))
        require_at_most(off + 1e-300, 1e-3, "not near a critical point", risk=run.risks[-1])
        check_end(statement, run.risks[-1], run.errors[-1, 1])
    require(large == 4, "large errors are those of ε = 1", large=large)
