r"""What the factor 1/N changes between the flows of R_SE and R_MSE (review, Appendix A.3, after the final result).

∇R_MSE = ∇R_SE/N, so the flow of R_MSE at t is that of R_SE at t/N from the same start, exactly and not just linearised.
So T and S are the same, b → 1/K at the rate e^{−t} for e^{−Nt}, and T grows by e^{√n t/N} for e^{√n t}. The ratio of
both rates, K√n, is the same. So for the flow the question that the source leaves open has an answer: no trajectory,
limit, SNC error or role of the initialisation changes. With steps of descent it is a step size N times as large.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_at_most, require_close, require_equal
from theory.ufm import strong_collapse


class Rates(NamedTuple):
    """How fast b → 1/K with each loss, and A/√n in F on the subspace that grows with both."""

    squared: Callable[[Any, Any], Any]  # of K and n
    mean: Callable[[Any, Any], Any]
    features: Callable[[Any], Any]  # F = features(n)(A ⊗ 1)ᵀ on the subspace T of both


true = Rates(lambda K, n: K * n, lambda K, n: n**0, lambda n: 1 / sp.sqrt(n))

claim = Claim(
    id="review.A3.rate",
    title="Mean squared against squared error",
    source="review, Appendix A.3, after the final result",
    verdict="holds",
    printed=Statement(
        r"\text{with } R_{MSE} \text{ for } R_{SE} \text{ the subspace } T = \{F = \tfrac1{\sqrt n}(A \otimes "
        r"1_n)^\top,\ 1_K^\top A = 0\} \text{ is the same, and } b \to \tfrac1K 1_K \text{ at the rate } e^{-t} "
        r"\text{ for } "
        r"e^{-Nt}",
        true,
    ),
    near_misses={
        "e^{−t/K}": true._replace(mean=lambda K, n: 1 / K),
        "e^{−nt} before": true._replace(squared=lambda K, n: n),
        "another subspace": true._replace(features=lambda n: 1 / n),
        "no change": true._replace(mean=lambda K, n: K * n),
    },
    depends_on=["review.A3", "review.eq-19"],
)


@claim.check("derived", covers="all")
def test_rates(statement):
    K, n, beta = sp.symbols("K n beta", positive=True)
    for scale, rate in ((1, statement.squared), (1 / (K * n), statement.mean)):
        # b' = −scale·(b1ᵀ − Y)1 = −scale·N(b − 1/K), with 1 − Kβ(t) falling at that rate
        slope = scale * (n - K * n * beta)
        require_equal(sp.simplify(-sp.diff(slope, beta) - rate(K, n)), 0, "another rate")
        require_equal(sp.simplify(slope.subs(beta, 1 / K)), 0, "another limit")
        L = strong_collapse.symmetric_operator(K, n, across=(scale, -beta * scale))
        vector = sp.Matrix([statement.features(n) * sp.sqrt(n), 1])
        image = sp.simplify(L.classes * vector)
        # T is the space of the largest eigenvalue, scale·√n
        require_equal(sp.simplify(image - scale * sp.sqrt(n) * vector), sp.zeros(2, 1), "another subspace grows")


@claim.check("property", covers=Instances("K ≤ 4, n ≤ 4, m ≤ 3, the full flows of both losses, 50 starts of any size"))
@given(
    st.integers(2, 4),
    st.integers(2, 4),
    st.integers(1, 3),
    st.sampled_from([1e-3, 0.1, 1.0]),
    st.integers(0, 2**32 - 1),
)
def test_full_flows(statement, K, n, m, size, seed):
    rng, N = np.random.default_rng(seed), K * n
    A, F = size * rng.normal(size=(K, m)), size * rng.normal(size=(m, N))
    slower = float(statement.squared(K, n)) / float(statement.mean(K, sp.Integer(n)))
    fast = strong_collapse.gradient_flow(A, F, [0.0, 0.3], rtol=1e-9)
    slow = strong_collapse.gradient_flow(A, F, [0.3 * slower], loss="mse", rtol=1e-9)
    for name in ("A", "F", "b"):
        one, other = getattr(fast, name)[-1], getattr(slow, name)[-1]
        require_close(other, one, "another trajectory", rtol=1e-5, atol=1e-7, part=name, K=K, n=n, m=m)
    # the bias by itself: at A = 0, F = 0 its distance from 1/K falls at the stated rates
    zero = np.zeros((K, m)), np.zeros((m, N))
    for loss, rate in (("se", statement.squared(K, n)), ("mse", statement.mean(K, sp.Integer(n)))):
        path = strong_collapse.gradient_flow(*zero, [0.0, 0.2], loss=loss, rtol=1e-10)
        left = (1 / K - path.b[-1]) / (1 / K)
        require_close(left, np.full(K, np.exp(-0.2 * float(rate))), "another rate", rtol=1e-6, K=K, n=n, loss=loss)
    # on T, and nowhere else, a small start grows by e^{√n t}
    a = A - A.mean(axis=0)
    f = float(statement.features(sp.Integer(n))) * np.repeat(a.T, n, axis=1)
    off = strong_collapse.distance_from_collapse_subspace(a, f)
    require_at_most(off, 1e-12 * np.linalg.norm(a) + 1e-14 * float(rng.random()), "another subspace", K=K, n=n)
