r"""When the relaxation of the layer-peeled model to a semidefinite program is tight (review, equation 34).

"Without loss of generality" the problem is relaxed: in place of A and of the class means H stands a positive
semidefinite matrix X of order 2K, with the blocks AAᵀ, AH and HᵀH. What is lost is the width: X comes from A, H of
width m just if rank X ≤ m. Minimising over the diagonal blocks leaves the outputs Z with
$\lVert Z\rVert_*\le c=K\sqrt{\Omega_A\Omega_F}$, and a Z of rank ρ has a minimal X of rank ρ (eq-24). So the relaxation
is tight just if some minimiser Z has rank ≤ m: for every convex loss if m ≥ K, and the squared error needs that, with
$Z=\frac cKI$ as only minimiser for c < K.

For the cross-entropy the minimiser is unique: outputs in $1^\perp$ have strictly the least nuclear norm among all that
differ by $1d^\top$, as $Z^\top Z$ grows by $Kdd^\top$, and there the loss is strictly convex. Its rank is the number of
its singular values that are not 0, a − 1 on contrasts of the a majority classes, b − 1 on those of the b minority
classes, and one between the groups: by eq-34 all of them for r < t₀, without the second for t₀ ≤ r < t₁, and the first
only for r ≥ t₁. (One class has no contrasts, and t₀ is there for b ≥ 2 only.)
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Search, Statement, require, require_at_most, require_equal
from theory.ufm import layer_peeled


class Tight(NamedTuple):
    """The least widths for which the relaxation is tight, for the cross-entropy by regime and for any convex loss."""

    below: Callable[[Any, Any], Any]  # r < t₀ and r < t₁, of a, b
    between: Callable[[Any, Any], Any]  # t₀ ≤ r < t₁
    beyond: Callable[[Any, Any], Any]  # t₁ ≤ r
    any_loss: Callable[[Any], Any]  # of K


true = Tight(lambda a, b: a + b - 1, lambda a, b: a, lambda a, b: a - 1, lambda K: K)

claim = Claim(
    id="review.eq-34.relaxation",
    title="The semidefinite relaxation is tight from the rank of the outputs on",
    source="review, Section 3.2.1, after equation 34",
    verdict="amended",
    depends_on=("review.eq-24", "review.eq-34"),
    printed=Statement(
        r"\text{Without loss of generality, one can consider the cross-entropy loss and analyse (34) by a convex "
        r"relaxation into a semidefinite program (read: it has the same minimum, for every width)}",
        Tight(lambda a, b: 1, lambda a, b: 1, lambda a, b: 1, lambda K: 1),
    ),
    amended=Statement(
        r"\text{The relaxation of (34) has the same minimum if and only if, for the cross-entropy with } a \text{ "
        r"majority and } b \text{ minority classes, } m \ge a + b - 1 \text{ for } r < t_0;\ m \ge a \text{ for } t_0 "
        r"\le r < t_1;\ m \ge a - 1 \text{ for } r \ge t_1 \text{ (}t_0, t_1 \text{ of eq-34, } r < t_1 \text{ in the "
        r"first case for } b = 1 \text{). For every convex loss } m \ge K \text{ suffices, and no smaller width does "
        r"for all}",
        true,
        formulas={r"a + b - 1": lambda s, a, b: s.below(a, b), r"a - 1": lambda s, a: s.beyond(a, 1)},
    ),
    near_misses={
        "K − 1 for every loss": true._replace(any_loss=lambda K: K - 1),
        "K in the first case": true._replace(below=lambda a, b: a + b),
        "one more between the thresholds": true._replace(between=lambda a, b: a + 1),
        "K_maj beyond": true._replace(beyond=lambda a, b: a),
    },
    counterexample_code=r"""
# Three classes of the same size, m = 1: one of the three numbers a_k lies between the other two, so that on its samples
# another output is as large as its own, and their loss is at least log 2: the mean is at least log(2)/3. The relaxation
# takes Z = s(I − J/3), of nuclear norm 2s = 3√(Ω_AΩ_F), for Ω_A = Ω_F = 10.
from math import exp, log
relaxed = log(1 + 2 * exp(-15))
print(relaxed, "<", log(2) / 3)
assert relaxed < log(2) / 3
""",
)


@claim.check("derived", covers="all")
def test_ranks(statement):
    # Strict convexity on 1^⊥: the Hessian diag(p) − ppᵀ is a variance, 0 on multiples of 1 only.
    p, d = sp.symbols("p0:3", positive=True), sp.symbols("d0:3", real=True)
    variance = sum(p[i] * d[i] ** 2 for i in range(3)) - sum(p[i] * d[i] for i in range(3)) ** 2
    squares = sum(p[i] * p[j] * (d[i] - d[j]) ** 2 for i in range(3) for j in range(i))
    require_equal(sp.expand((variance - squares).subs(p[0], 1 - p[1] - p[2])), 0, "no variance")
    # The singular values that are not 0, counted with multiplicities: eq-34 says which are.
    a, b, K = sp.symbols("a b K", positive=True, integer=True)
    majority, minority, between = a - 1, b - 1, 1
    require_equal(sp.expand(statement.below(a, b) - (majority + minority + between)), 0, "another rank below t₀")
    require_equal(sp.expand(statement.between(a, b) - (majority + between)), 0, "another rank between")
    require_equal(sp.expand(statement.beyond(a, b) - majority), 0, "another rank beyond t₁")
    # Any loss: a K × K matrix has rank ≤ K. Squared error, c < K: at (c/K) I the slope is −(1 − c/K) I, with all
    # singular values equal, so that it is the minimiser in the nuclear ball, and the only one by strict convexity.
    c, one = sp.Symbol("c", positive=True), sp.eye(4)
    slope = (c / 4 - 1) * one
    gap = (slope * (c / 4 * one)).trace() + c * (1 - c / 4)  # ⟨G, Z⟩ + c‖G‖
    require_equal(sp.expand(gap), 0, "not the minimiser")
    require_equal(sp.expand(statement.any_loss(K)) - K, 0, "another width for every loss")


@cache
def relaxed(a, b, r, budget):
    """The minimum of the semidefinite program, by an interior-point method."""
    import cvxpy as cp

    K = a + b
    gram = cp.Variable((2 * K, 2 * K), PSD=True)
    weights = np.repeat([r, 1.0], [a, b]) / (r * a + b)
    Z = gram[:K, K:]
    loss = sum(weights[k] * (cp.log_sum_exp(Z[:, k]) - Z[k, k]) for k in range(K))
    bounds = [cp.trace(gram[:K, :K]) <= K * budget, cp.trace(gram[K:, K:]) <= K * budget]
    return cp.Problem(cp.Minimize(loss), bounds).solve(solver=cp.CLARABEL)


@cache
def descended(a, b, r, budget, m):
    """The least loss that L-BFGS finds in A, H of width m and of fixed norms, from six starts."""
    K = a + b
    weights = np.repeat([r, 1.0], [a, b]) / (r * a + b)

    def value(x):
        A, H = x[: K * m].reshape(K, m), x[K * m :].reshape(m, K)
        lengths = np.linalg.norm(A), np.linalg.norm(H)
        scale = K * budget / lengths[0] / lengths[1]
        Z = scale * A @ H
        P = np.exp(Z - Z.max(axis=0))
        P /= P.sum(axis=0)
        G = (P - np.eye(K)) * weights
        along = np.sum(G * Z)
        slopes = scale * G @ H.T - A * (along / lengths[0] ** 2), scale * A.T @ G - H * (along / lengths[1] ** 2)
        return -np.log(np.diag(P)) @ weights, np.concatenate([slope.ravel() for slope in slopes])

    rng = np.random.default_rng(0)
    starts = [rng.normal(size=2 * K * m) for _ in range(6)]
    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2000}
    return min(minimize(value, x, jac=True, method="L-BFGS-B", options=options).fun for x in starts)


@claim.check("optimised", covers=Search("six problems with K ≤ 5, all widths: a conic solver and L-BFGS, six starts"),
             blind_to={"K − 1 for every loss": "the cross-entropy only"})  # fmt: skip
def test_conic_solver_and_descent(statement):
    for a, b, r, budget, regime in (
        (1, 2, 2.0, 1.0, "below"), (1, 2, 30.0, 1.0, "between"), (2, 2, 2.0, 1.0, "below"),
        (2, 2, 10.0, 1.0, "between"), (3, 1, 5.0, 1.0, "beyond"), (3, 2, 3.0, 0.25, "beyond"),
    ):  # fmt: skip
        low = relaxed(a, b, r, budget)
        for m in range(1, a + b + 1):
            gap = descended(a, b, r, budget, m) - low
            require_at_most(-gap, 1e-6, "the relaxation is larger", a=a, b=b, r=r, m=m)
            stated = m >= getattr(statement, regime)(a, b)
            require_equal(bool(gap < 2e-6), bool(stated), "tight otherwise", a=a, b=b, r=r, m=m, gap=gap)


@claim.check("property", covers=Instances("a, b ≤ 4, r ≤ 20, √(Ω_AΩ_F) from 0.02 to 3, 50 drawn; squared error, K ≤ 8"))
@example(a=2, b=2, log_r=0.2, log_budget=-3.0)
@example(a=2, b=2, log_r=0.4, log_budget=-1.0)
@example(a=2, b=2, log_r=0.4, log_budget=1.0)
@given(st.integers(1, 4), st.integers(2, 4), st.floats(0.01, 3), st.floats(-4, 1))
def test_rank_of_the_certified_minimiser(statement, a, b, log_r, log_budget):
    r, budget, K = float(np.exp(log_r)), float(np.exp(log_budget)), a + b
    found = layer_peeled.layer_peeled_optimum(a, b, r, budget, budget, m=K)
    Z, total = found.outputs, K * budget
    shares = np.exp(Z - Z.max(axis=0))
    G = (shares / shares.sum(axis=0) - np.eye(K)) * np.repeat([r, 1.0], [a, b])
    gap = np.sum(G * Z) + total * np.linalg.norm(G, 2)
    require_at_most(gap, 1e-11 * (1 + total) * r, "no minimum", a=a, b=b, r=r, budget=budget)
    rank = int(np.sum(np.linalg.svd(Z, compute_uv=False) > 1e-8 * total))
    t0 = layer_peeled.minority_collapse_threshold(a, b, budget, budget)
    t1 = layer_peeled.minority_vanishing_threshold(a, b, budget, budget)
    width = statement.below if r < t0 else statement.between if t1 is None or r < t1 else statement.beyond
    if min(abs(r / t - 1) for t in (t0, t1) if t) > 1e-5:
        require_equal(rank, int(width(a, b)), "another rank", a=a, b=b, r=r, budget=budget)
    # squared error of outputs of rank m, ‖Z‖_* ≤ K/2: at least (K − m)/2 from von Neumann, and K/8 is the minimum
    for width in range(1, 9):
        best = [(m * (1 - min(1, width / (2 * m))) ** 2 + width - m) / 2 for m in range(1, width + 1)]
        first = 1 + int(np.argmin(best))
        require_equal(first, int(statement.any_loss(width)), "another width for every loss", K=width)
    require(rank < K, "columns have the sum 0")
