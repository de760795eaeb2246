r"""The direction to which the gradient flow of the cross-entropy tends (review, equations 14 and 15).

Of the flow (14) of the unregularised risk it is said: if the terminal phase is reached, that is $q_{k,i}\ge0$ for all
k and i, every limit point of $(F,A)/\sqrt{\lVert A\rVert_F^2+\lVert F\rVert_F^2}$ is along the direction of an (ε,
δ)-approximate KKT point, ε, δ → 0, of $\min\frac12\lVert A\rVert^2+\frac12\lVert F\rVert^2$ subject to
$(a_k-a_j)^\top f_{k,i}\ge1$.

With $q_{k,i} = 0$ it is false: at $A = 1a^\top$, F = 0 all margins are 0, the gradient vanishes and the flow rests,
and no multiple of the point is feasible. What the theorem of Lyu and Li asks for, which stands behind the claim, is a
sum of losses below log 2 at some time; then the margins are positive from then on. It is sufficient; whether
$q_{k,i}>0$ at one time is, is left open here. The residual is seen to fall like one over the norm, that is like
$1/\sqrt{\log t}$.

Along the flow $A^\top A - FF^\top$ does not change, as $\frac{d}{dt}A^\top A = -(FG^\top A+A^\top GF^\top) =
\frac{d}{dt}FF^\top$ with the gradient G in AF.
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from scipy.optimize import nnls

from nct.ledger import (
    Claim,
    Condition,
    Instances,
    Part,
    Statement,
    require,
    require_at_most,
    require_close,
    require_equal,
)
from theory.ufm import cross_entropy

KEPT, LIMIT = "what the flow conserves", "limit points"


class Direction(NamedTuple):
    """If a condition holds at some time the direction tends to KKT points; and what the flow conserves."""

    applies: Annotated[Callable[[float, float, int], bool], Condition]  # of the least margin, the risk and N
    weight: int  # of ½‖F‖² beside ½‖A‖² in the objective
    conserved: Callable[[Any, Any], Any]  # of A and F


def separated(q, risk, N):
    return risk < np.log(2) / N


def difference(A, F):
    return A.T @ A - F @ F.T


claim = Claim(
    id="review.eq-14",
    title="The gradient flow tends in direction to KKT points",
    source="review, equations 14 and 15, Section 3.1.1",
    verdict="amended",
    printed=Statement(
        r"q_{k,i} \ge 0 \text{ for all } k, i \implies \text{every limit point of } "
        r"(F, A)/\sqrt{\lVert A\rVert_F^2 + \lVert F\rVert_F^2} \text{ along (14) is along the direction of an }"
        r"(\epsilon, \delta)\text{-approximate KKT point of (15) with } \epsilon, \delta \to 0"
        r"\quad(\text{and } A^\top A - FF^\top \text{ is conserved})",
        Direction(lambda q, risk, N: q >= 0, 1, difference),
    ),
    amended=Statement(
        r"\text{If } R_{CE} < \tfrac{\log 2}N \text{ at some time, all } q_{k,i} > 0 \text{ from then on, and the same "
        r"holds; sufficient, and not claimed to be necessary}",
        Direction(separated, 1, difference),
        parts=[KEPT, LIMIT],
    ),
    near_misses={
        "a risk of at most log 2": Direction(lambda q, risk, N: risk <= np.log(2) * (1 + 1e-9), 1, difference),
        "features weigh twice": Direction(separated, 2, difference),
        "AᵀA + FFᵀ is conserved": Direction(separated, 1, lambda A, F: A.T @ A + F @ F.T),
        "AᵀA is conserved": Direction(separated, 1, lambda A, F: A.T @ A),
    },
    true_edits={
        "applies: risk < np.log(2) / N → risk <= np.log(2) / N": "with a margin of 0 or less the risk is above "
        "log 2/N, as the other losses are positive"
    },
    depends_on=["review.eq-14.tpt", "review.eq-15.mfcq"],
    counterexample_code=r"""
# K = 2, n = 1, m = 1, A = (1, 1), F = (0, 0): all margins are 0 and the flow rests.
a, f = (1, 1), (0, 0)
margins = [(a[0] - a[1]) * f[0], (a[1] - a[0]) * f[1]]
P = [[0.5, 0.5], [0.5, 0.5]]  # softmax of equal outputs, exactly
G = [[(P[j][s] - (j == s)) / 2 for s in range(2)] for j in range(2)]
in_A = [sum(G[j][s] * f[s] for s in range(2)) for j in range(2)]
in_F = [sum(G[j][s] * a[j] for j in range(2)) for s in range(2)]
print("margins", margins, "gradients", in_A, in_F)
assert min(margins) >= 0 and not any(in_A + in_F)
assert not any(t * t * q >= 1 for t in (1, 10, 100) for q in margins)  # and no multiple is feasible
""",
)


def check_rest_points(statement):
    """At A = 1aᵀ, F = 0 the flow rests, with softmax 1/K; no multiple is feasible, so there is no KKT point there."""
    for K in (2, 3):
        for a in ([0], [1], [2, -1]):
            A, F = sp.ones(K, 1) * sp.Matrix([a]), sp.zeros(len(a), K)
            G = (sp.ones(K) / K - sp.eye(K)) / K
            require_equal([*(G * F.T), *(A.T * G)], [0] * (2 * K * len(a)), "the flow moves")
            q, risk = 0.0, float(np.log(K))
            require_equal(bool(statement.applies(q, risk, K)), False, "the flow rests at margins of 0", A=A.tolist())


def check_ties(statement):
    """The risk with a margin of 0 at one sample is as close to log 2/N as one likes: no larger one separates."""
    for K, n in ((2, 1), (3, 1), (3, 4)):
        N = K * n
        H = 60.0 * np.repeat(np.eye(K), n, axis=1)
        H[1, 0] = 60.0
        risk = float(np.mean([np.logaddexp.reduce(h) - h[s // n] for s, h in enumerate(H.T)]))
        found = bool(statement.applies(0.0, risk + 1e-15, N))
        require_equal(found, False, "a sample is not separated", K=K, n=n, risk=risk)


@claim.check(
    "derived", covers=Part(KEPT), blind_to={"features weigh twice": "the check is of the flow, not of the problem"}
)
def test_what_the_flow_conserves(statement):
    check_rest_points(statement)
    check_ties(statement)
    # A' = −GFᵀ, F' = −AᵀG, for any G: an identity of matrices, here with m = 2.
    A, F, G = (sp.Matrix(*shape, sp.symbols(f"{x}:6")) for x, shape in (("a", (3, 2)), ("f", (2, 3)), ("g", (3, 2))))
    G = G.row_join(-G * sp.ones(2, 1))
    kept, t = [], sp.Symbol("t")
    moved = statement.conserved(A - t * G * F.T, F - t * A.T * G)
    kept = moved.diff(t).subs(t, 0).expand()
    require_equal(kept, sp.zeros(2, 2), "not conserved")


@cache
def flow(K, n, m):
    """From a start that is separated; no sample is within rounding of a tie."""
    rng = np.random.default_rng(3)
    A = 2 * rng.normal(size=(K, m))
    F = np.repeat(A.T, n, axis=1) + 0.5 * rng.normal(size=(m, K * n))
    return cross_entropy.gradient_flow(A, F, norm2=1e5, times=40, rtol=1e-6)


@cache
def residual(K, n, m, step, weight):
    """Of the KKT conditions at the point scaled to a least margin of 1, from their definition."""
    A, F = flow(K, n, m).A[step], flow(K, n, m).F[step]
    rows, slack = [], []
    q = min(A[s // n] @ F[:, s] - max(A[j] @ F[:, s] for j in range(K) if j != s // n) for s in range(K * n))
    A, F = A / np.sqrt(q), F / np.sqrt(q)
    for s in range(K * n):
        for j in set(range(K)) - {s // n}:
            in_A, in_F = np.zeros_like(A), np.zeros_like(F)
            in_A[s // n], in_A[j], in_F[:, s] = F[:, s], -F[:, s], A[s // n] - A[j]
            rows.append(np.concatenate([in_A.ravel(), in_F.ravel()]))
            slack.append((A[s // n] - A[j]) @ F[:, s] - 1)
    wanted = np.concatenate([A.ravel(), weight * F.ravel()])
    system = np.vstack([np.array(rows).T, np.diag(slack)])
    return nnls(system, np.concatenate([wanted, np.zeros(len(rows))]))[1] / np.linalg.norm(wanted)


@claim.check("property", covers=Instances("K = 2, 3, 4, n = 1, 2, m = 2, 3, integrated until ‖A‖² + ‖F‖² = 10⁵"))
def test_along_integrated_flows(statement):
    check_rest_points(statement)
    check_ties(statement)
    for K, n, m in ((2, 2, 2), (3, 1, 3), (4, 1, 2)):
        found = flow(K, n, m)
        risks, margins, norms = np.exp(found.log_risk), found.least_margin, found.norm2
        first = statement.conserved(found.A[0], found.F[0])
        for A, F in zip(found.A, found.F, strict=True):
            # The integrator's errors are 1e-6 of entries that grow to norm 300.
            require_close(statement.conserved(A, F), first, "not conserved", atol=2.0, K=K, n=n, m=m)
        holds = [bool(statement.applies(q, risk, K * n)) for q, risk in zip(margins, risks, strict=True)]
        require(any(holds), "the flow does not get there", K=K, n=n, m=m)
        early = int(np.argmax(norms > 1e3))
        start, end = (residual(K, n, m, step, statement.weight) for step in (early, len(norms) - 1))
        require_at_most(end, 0.03, "not a KKT direction", K=K, n=n, m=m)
        require_at_most(end, start / 3, "the residual does not fall", K=K, n=n, m=m)
        theirs = cross_entropy.kkt_residual(found.A[-1], found.F[-1])
        both = np.hypot(theirs.stationarity, theirs.complementarity)
        if statement.weight == 1:
            require_close(both, end, "another residual", rtol=1e-3, atol=1e-6, K=K, n=n, m=m)
