r"""The squared error and its flow on the subspace of collapse (review, equation 20 and the display after it).

S is the set of F = (A ⊗ 1)ᵀ/√n, 1ᵀA = 0, b ∈ span(1). There F = AᵀY/√n, and with G = AAᵀ/√n + b1ᵀ − I the residual is
GY. Now G = X + d1ᵀ with X = AAᵀ/√n − P, d = b − 1/K and X1 = 0, so GGᵀ = XXᵀ + Kddᵀ, and the risk is n/2 times its
trace: the printed identity, for which b need not be in span(1).

The text speaks of the trajectory along S. The full flow stays in S: F' = −AᵀGY and A' = −√n GA, and if b = β1, G is
symmetric, so that F' = (A' ⊗ 1)ᵀ/√n; 1ᵀA' = 0 and b' = −n(Kβ − 1)1. Here b ∈ span(1) is needed. The flow is
$A' = \sqrt n(I - AA^\top/\sqrt n)A$; `flow_on_collapse_subspace` has it in closed form.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory.ufm import strong_collapse

SPAN = Literal["span(1)", "any b"]


class OnSubspace(NamedTuple):
    """R = fit(n)‖AAᵀ − √n(I − centre(K)J)‖² + bias(K, n)‖b − 1/K‖² on S, and for which b the flow stays in it."""

    fit: Callable[[Any], Any]
    centre: Callable[[Any], Any]
    bias: Callable[[Any, Any], Any]
    invariant: SPAN


true = OnSubspace(lambda n: sp.Rational(1, 2), lambda K: 1 / K, lambda K, n: K * n / 2, "span(1)")

claim = Claim(
    id="review.eq-20",
    title="The squared error on the subspace of collapse",
    source="review, equation 20 and the display after it",
    verdict="holds",
    printed=Statement(
        r"\text{on } S = \{F = \tfrac1{\sqrt n}(A \otimes 1_n)^\top,\ 1_K^\top A = 0,\ b \in \operatorname{span}(1_K)\}"
        r"\text{, along which the trajectory stays (read: invariant under the flow of } R_{SE}\text{),}\quad "
        r"R_{SE} = \tfrac12\|AA^\top - \sqrt n(I_K - \tfrac1K J)\|_F^2 + \tfrac N2\|b - \tfrac1K 1_K\|^2",
        true,
    ),
    near_misses={
        "n/2 for N/2": true._replace(bias=lambda K, n: n / 2),
        "n/2 before the first norm": true._replace(fit=lambda n: n / 2),
        "not centred": true._replace(centre=lambda K: 0 * K),
        "invariant for any b": true._replace(invariant="any b"),
    },
)


@claim.check("derived", covers="all")
def test_words(statement):
    A, At, Y, Yt, u, ut, b, bt = sp.symbols("A At Y Yt u ut b bt", commutative=False)
    K, n = sp.symbols("K n", positive=True)
    beta = sp.Symbol("beta")
    rules = {Y * Yt: n, ut * u: K, ut * A: 0, At * u: 0}

    def reduce(word):
        return strong_collapse.reduced(word, rules)

    # The risk: (GY)(GY)ᵀ has twice its trace, for any b.
    G, Gt = A * At / sp.sqrt(n) + b * ut - 1, A * At / sp.sqrt(n) + u * bt - 1
    fit = A * At - sp.sqrt(n) * (1 - statement.centre(K) * u * ut)
    off, offt = b - u / K, bt - ut / K
    stated = 2 * statement.fit(n) * fit * fit + 2 * statement.bias(K, n) * off * offt
    require_equal(sp.simplify(reduce(G * Y * Yt * Gt - stated)), 0, "another risk")
    # The flow: F' = −Aᵀ(GY) against (A')ᵀY/√n, A' = −(GY)Fᵀ = −GYYᵀA/√n.
    for bias, biast in ((beta * u, beta * ut), (b, bt)) if statement.invariant == "any b" else ((beta * u, beta * ut),):
        swap = {b: bias, bt: biast}
        G_, Gt_ = G.subs(swap), Gt.subs(swap)
        moved = reduce(-At * G_ * Y)
        follows = reduce(-At * Y * Yt * Gt_ * Y / n)
        require_equal(moved, follows, "the features leave S", b=bias)
        require_equal(reduce(ut * G_ * Y * Yt * A), 0, "the rows of A no longer sum to 0", b=bias)
        if bias == beta * u:
            require_equal(reduce(G_ * Y * Yt * u - n * (K * beta - 1) * u), 0, "b leaves span(1)")


@claim.check("exact", covers=Instances("n = 1, 4, 9, K ≤ 4, m ≤ 3, integer A and b, 50 drawn"))
@given(st.integers(2, 4), st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_integer_points(statement, K, c, m, seed):
    rng, n = np.random.default_rng(seed), c**2
    A = rng.integers(-3, 4, (K, m)).astype(object)
    A[0] -= A.sum(axis=0)
    b = rng.integers(-3, 4, K).astype(object) + 0 * Fraction(1)
    if seed % 2:
        b[:] = b[0]
    F = np.repeat(A.T, n, axis=1) * Fraction(1, c)
    E = A.dot(F) + b[:, None] - np.repeat(np.eye(K, dtype=int), n, axis=1)
    centre = statement.centre(Fraction(K))
    gram = A.dot(A.T) - c * (np.eye(K, dtype=int) - centre * np.ones((K, K), dtype=int))
    fit, bias = (Fraction(str(x)) for x in (statement.fit(Fraction(n)), statement.bias(Fraction(K), Fraction(n))))
    stated = fit * (gram**2).sum() + bias * ((b - Fraction(1, K)) ** 2).sum()
    require_equal(stated, (E**2).sum() / 2, "another risk", K=K, n=n, m=m)
    if seed % 2 or statement.invariant == "any b":
        dA, dF, db = -E.dot(F.T), -A.T.dot(E), -E.sum(axis=1)
        off = dF - np.repeat(dA.T, n, axis=1) * Fraction(1, c)
        require_equal(abs(off).max(), 0, "the features leave S", K=K, n=n)
        require_equal(abs(dA.sum(axis=0)).max() + abs(db - db[0]).max(), 0, "A or b leaves S", K=K, n=n, b=list(b))


@claim.check(
    "property",
    covers=Instances("K ≤ 4, n ≤ 4, m ≤ 4, the full flow integrated to t = 2, six starts"),
)
def test_flow_along_the_subspace(statement):
    for K, n, m, seed in [(2, 1, 1, 0), (2, 3, 2, 1), (3, 2, 2, 2), (3, 4, 1, 3), (4, 2, 4, 4), (4, 1, 3, 5)]:
        rng = np.random.default_rng(seed)
        A = rng.normal(size=(K, m))
        A -= A.mean(axis=0)
        b = np.full(K, 0.7) if statement.invariant == "span(1)" else rng.normal(size=K)
        F = np.repeat(A.T, n, axis=1) / n**0.5
        path = strong_collapse.gradient_flow(A, F, [0.0, 0.5, 2.0], b=b, rtol=1e-11)
        require_close(path.distances, np.zeros(3), "the flow leaves S", atol=1e-8, K=K, n=n)
        gram = path.A @ path.A.swapaxes(1, 2) - n**0.5 * (np.eye(K) - float(statement.centre(sp.Integer(K))))
        fit, bias = (float(x) for x in (statement.fit(sp.Integer(n)), statement.bias(sp.Integer(K), sp.Integer(n))))
        stated = fit * (gram**2).sum(axis=(1, 2)) + bias * ((path.b - 1 / K) ** 2).sum(axis=1)
        require_close(stated, path.risks, "another risk", rtol=1e-8, atol=1e-12, K=K, n=n)
        closed = strong_collapse.flow_on_collapse_subspace(A, n, 2.0, beta=0.7)
        require_close(path.A[-1], closed.A, "another point", atol=1e-8, K=K, n=n)
