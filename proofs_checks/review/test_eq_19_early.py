r"""The beginning of the flow: how much lies in T, and how near b is to span(1) (review, after equation 19).

As printed: during the initial stages a large component of (F₀, A₀) resides in T while b tends towards span(1). Read of
all small starts, with large for more than half of the squared norm, it is false: the share of a start in T does not
depend on its size; for a Gaussian start it is (K−1)/(N+K) on average, below one half; and a start in E₂⁺ has no part in
T at any time.

What holds, of the full flow from (εF₀, εA₀), b = 0, at any fixed t as ε → 0. With p = ‖Π_T(F₀,A₀)‖² and q the squared
norm of the rest, the share of ‖(F,A)(t)‖² in T tends to that of the linearised flow, as the flow depends smoothly on ε.
That is at least

$$ \frac{p\,e^{2\sqrt nt}}{p\,e^{2\sqrt nt} + q\,e^{2/(K\sqrt n)}}, $$

and so to 1 as t → ∞ if p > 0. And b is in span(1) up to O(ε²), from the start on: b' = −N(b − 1/K) − AF1.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st

from nct.ledger import (
    Claim,
    Instances,
    LowerBound,
    Statement,
    require_at_most,
    require_close,
    require_equal,
)
from theory.ufm import strong_collapse


class Beginning(NamedTuple):
    """The share of ‖(F, A)(t)‖² in T as ε → 0 is at least this, and b leaves span(1) by O(ε^order)."""

    share: Annotated[Callable[[Any, Any, Any, Any, Any], Any], LowerBound]  # of K, n, t, p, q
    order: int


def grown(K, n, t, p, q):
    return share(n, t, p, q, 2 / (K * sp.sqrt(n)))


def share(n, t, p, q, exponent):
    large = p * sp.exp(2 * sp.sqrt(n) * t)
    return large / (large + q * sp.exp(exponent))


claim = Claim(
    id="review.eq-19.early",
    title="The beginning of the flow lies along the growing subspace",
    source="review, Section 3.1.2, after equation 19",
    verdict="amended",
    printed=Statement(
        r"\text{during the initial stages of the flow a large component of } (F, A) \text{ is in } T \text{ while } b "
        r"\text{ tends to } \operatorname{span}(1_K) \text{ (read: from every small start, at small } t\text{, "
        r"more than "
        r"half of the squared norm)}",
        Beginning(lambda K, n, t, p, q: sp.Rational(1, 2), 2),
    ),
    amended=Statement(
        r"\text{from } (\epsilon F_0, \epsilon A_0), b = 0 \text{, at fixed } t, \text{ as } \epsilon \to 0\text{: the "
        r"share of } \|(F,A)\|_E^2 \text{ in } T \text{ tends to at least } "
        r"\frac{p\,e^{2\sqrt n t}}{p\,e^{2\sqrt n t} + q\,e^{2/(K\sqrt n)}},\ p = \|\Pi_T(F_0, A_0)\|_E^2,\ "
        r"q = \|\Pi_{T^\perp}(F_0,A_0)\|_E^2\text{, and } b \text{ leaves } \operatorname{span}(1_K) \text{ by } "
        r"O(\epsilon^2)",
        Beginning(grown, 2),
        formulas={
            r"\frac{p\,e^{2\sqrt n t}}{p\,e^{2\sqrt n t} + q\,e^{2/(K\sqrt n)}}": lambda beginning, K, n, t, p, q: (
                beginning.share(K, n, t, p, q)
            )
        },
    ),
    near_misses={
        "without the constant": Beginning(lambda K, n, t, p, q: share(n, t, p, q, 0), 2),
        "growth 4√n": Beginning(lambda K, n, t, p, q: grown(K, n, 2 * t, p, q), 2),
        "b to O(ε³)": Beginning(grown, 3),
        "e^{1/(K√n)} in the squares": Beginning(lambda K, n, t, p, q: share(n, t, p, q, 1 / (K * sp.sqrt(n))), 2),
    },
    depends_on=["review.eq-19"],
    counterexample_code=r"""
# K = 2, n = 1, m = 1, F = (e, e), A = (e, e): T has F = A and A[0] + A[1] = 0. The full flow keeps F = (x, x),
# A = (y, y), b = (c, c), so that nothing is ever in T.
x = y = 1e-3
c, h = 0.0, 1e-3
for _ in range(1000):
    E = [[y * x + c - (i == k) for i in range(2)] for k in range(2)]
    dF = [-y * (E[0][i] + E[1][i]) for i in range(2)]
    dA = [-x * (E[k][0] + E[k][1]) for k in range(2)]
    db = [-(E[k][0] + E[k][1]) for k in range(2)]
    assert dF[0] == dF[1] and dA[0] == dA[1] and db[0] == db[1]
    x, y, c = x + h * dF[0], y + h * dA[0], c + h * db[0]
print("A = F =", x, ", the part in T is 0 at all times")
""",
)


@claim.check("derived", covers="all")
def test_orders_and_share(statement):
    # With (εF, εA): the parts of F', A' of order ε are those of the linearised flow, and b' = −(b1ᵀ − Y)1 − ε²AF1.
    A, At, F, Ft, Y, b, u, v, vt = sp.symbols("A At F Ft Y b u v vt", commutative=False)
    eps, K, n = sp.symbols("epsilon K n", positive=True)
    E = eps**2 * A * F + b * vt - Y
    linear = b * vt - Y
    for full, part in ((eps * At * E, At * linear), (E * eps * Ft, linear * Ft)):
        require_equal(sp.expand(sp.expand(full).coeff(eps, 1) - part), 0, "another linearised flow")
    bias = strong_collapse.reduced(E * v, {Y * v: n * u, vt * v: K * n})
    # what leaves span(u) first is the lowest power of ε whose coefficient has words other than u, with b in span(u)
    orders = [j for j in range(5) if sp.expand(bias).coeff(eps, j).has(A)]
    require_equal(orders, [statement.order], "b leaves span(1) at another order")
    # The share: Π_T grows by e^{√n t}, the rest by at most e^{1/(K√n)} (equation 19), both squared.
    t, p, q = sp.symbols("t p q", positive=True)
    stated = statement.share(K, n, t, p, q)
    least = 1 / (1 + q / p * sp.exp(2 / (K * sp.sqrt(n)) - 2 * sp.sqrt(n) * t))
    require_equal(sp.simplify(1 / stated - 1 / least), 0, "another share")


@claim.check(
    "exact",
    covers=Instances("t = 0, F = (1, 0), A = 0 and F = (1, 1), A = 0, K = 2, n = 1, m = 1"),
    blind_to=dict.fromkeys(
        ("without the constant", "growth 4√n", "b to O(ε³)", "e^{1/(K√n)} in the squares"), "they agree at t = 0"
    ),
)
def test_at_the_start(statement):
    for F in ([1, 0], [1, 1]):
        mean = Fraction(sum(F), 2)
        p = sum(2 * ((f - mean) / 2) ** 2 for f in F)  # T: A = F, columns of sum 0
        q = sum(f * f for f in F) - p
        share = p / (p + q)
        stated = statement.share(
            sp.Integer(2), sp.Integer(1), sp.Integer(0), *(sp.Rational(x.numerator, x.denominator) for x in (p, q))
        )
        require_at_most(stated, sp.Rational(share.numerator, share.denominator), "less of it in T", F=F)


@claim.check(
    "property", covers=Instances("K = 2, 3, n ≤ 3, m ≤ 3, ε = 1e-4 and 1e-3, t ≤ 3, 50 random starts, by an integrator")
)
@example(K=2, n=1, m=1, t=0.0, part="all", seed=0)
@example(K=2, n=1, m=1, t=2.0, part="E2", seed=1)
@example(K=2, n=1, m=1, t=2.0, part="E2", seed=2)
@given(
    K=st.integers(2, 3), n=st.integers(1, 3), m=st.integers(1, 3), t=st.floats(0, 3),
    part=st.sampled_from(["all", "E2"]), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_integrated(statement, K, n, m, t, part, seed):
    rng = np.random.default_rng(seed)
    A, F = rng.normal(size=(K, m)), rng.normal(size=(m, K * n))
    parts = strong_collapse.eigenspaces(A, F)
    if part == "E2":  # T and the space that grows most outside
        A, F = (x + y for x, y in zip(parts.rising, parts.common_rising, strict=True))
        parts = strong_collapse.eigenspaces(A, F)
    p, q = parts.norms[0] ** 2, sum(x**2 for x in parts.norms[1:])
    size = np.sqrt(p + q)
    stated = float(statement.share(K, sp.Integer(n), sp.Float(t), sp.Float(p), sp.Float(q)))
    off = []
    for eps in (1e-3, 1e-4):
        # t ≤ 3 makes ‖(F, A)‖ at most 180 ε, and what is left out is of the order of its square
        path = strong_collapse.gradient_flow(eps * A / size, eps * F / size, [t], rtol=1e-10)
        found = np.square(strong_collapse.eigenspaces(path.A[-1], path.F[-1]).norms)
        off.append(np.linalg.norm(path.b[-1] - path.b[-1].mean()))
    where = {"K": K, "n": n, "m": m, "t": t, "part": part}
    require_at_most(stated * (1 - 1e-3), found[0] / found.sum(), "less of it in T", **where)
    if t > 0.5 and off[1] > 1e-14:  # of the precision of b
        require_close(
            np.log10(off[0] / off[1]), statement.order, "b leaves span(1) at another order", atol=0.2, **where
        )
