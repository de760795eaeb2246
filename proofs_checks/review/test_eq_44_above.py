r"""Above which rate the features of classes separate under local elasticity (review, before equation 44, first half).

For isotropic impact a gap obeys $g' = \frac{α-β}Kg$; with α − β = c/t it grows like $t^{c/K}$, and the noise of
σ² = t^r like $t^{(r+1)/2}$. Two samples are in the wrong order along the gap with probability Φ(−δ/√2), δ the gap over
the noise's deviation, and there are n² pairs of them. Proofs: docs/separation.md.
"""

from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import ndtr

from nct.ledger import Claim, Instances, LowerBound, Statement, require_at_most, require_close, require_equal
from theory import local_elasticity


class Case(NamedTuple):
    """Classes, α − β = c·t^e from time 1 on, α + (K−1)β = t^s, σ² = t^r, the blocks of T, the initial class means."""

    K: int
    c: float
    e: float
    s: float
    r: float
    blocks: Literal["isotropic", "one direction"]  # all I; all 11ᵀ, the means different along (1, −1)
    start: Literal["different", "equal"]


class Above(NamedTuple):
    """When the probability of separation tends to 1, and what it is at least for a gap and n samples a class."""

    separates: Callable[[Case], bool | None]  # None where nothing is said
    lower: Annotated[Callable[[Any, Any], Any], LowerBound]  # of δ and n, along the gap


true = Above(
    lambda case: (
        (case.e > -1 or (case.e == -1 and case.c > case.K * (case.r + 1) / 2))
        and case.blocks == "isotropic"
        and case.start == "different"
    ),
    lambda delta, n: 1 - n**2 * ndtr(-delta / 2**0.5),
)

claim = Claim(
    id="review.eq-44.above",
    title="Separation sets in at α − β = c/t with c > K/2",
    source="review, Section 3.2.2, before equation 44, first half",
    verdict="amended",
    depends_on=["review.eq-43"],
    printed=Statement(
        r"\text{with } \nu_t = \min\{\alpha_t - \beta_t, \alpha_t + (K-1)\beta_t\} > 0 \text{ and } T \text{ positive "
        r"semidefinite with positive diagonal entries, the features are separable with probability } p \to 1 \text{ "
        r"as } t \to \infty \text{ when } \nu_t = \omega(1/t) \text{ (read: pairwise, by hyperplanes, } n \text{ "
        r"fixed)}",
        true._replace(separates=lambda case: True if min(case.e, case.s) > -1 else None),
    ),
    amended=Statement(
        r"\text{let all blocks of } T \text{ be } I_m,\ \Sigma = \sigma_t^2 I \text{ with } \sigma_t^2 = t^r,\ r > -1 "
        r"\text{, and } \alpha_t - \beta_t = c\,t^e \text{, from time 1 on: } p \to 1 \text{ for every } n "
        r"\text{, in every dimension, if and only if the initial class means are pairwise different and } e > -1 "
        r"\text{, or } e = -1 \text{ and } c > K(r+1)/2 \text{, which is } K/2 \text{ for constant noise; with } "
        r"\delta_t \text{ the gap of two means over } \sqrt{\int\sigma^2} \text{ these classes are separated along "
        r"the gap with probability at least } 1 - n^2\Phi(-\delta_t/\sqrt2)",
        true,
    ),
    near_misses={
        "c > K": true._replace(separates=lambda case: true.separates(case._replace(c=case.c / 2))),
        "a threshold without K": true._replace(separates=lambda case: true.separates(case._replace(K=2))),
        "whatever the noise": true._replace(separates=lambda case: true.separates(case._replace(r=0))),
        "from equal means": true._replace(separates=lambda case: true.separates(case._replace(start="different"))),
        "every T": true._replace(separates=lambda case: true.separates(case._replace(blocks="isotropic"))),
        "1 − nΦ(−δ/√2)": true._replace(lower=lambda delta, n: 1 - n * ndtr(-delta / 2**0.5)),
        "1 − n²Φ(−δ)": true._replace(lower=lambda delta, n: 1 - n**2 * ndtr(-delta)),
    },
    counterexample_code=r"""
# Equal initial means stay equal, whatever ν: the samples of both classes have one law for all time. For n = 2 samples
# of one feature each arrangement of the 4 is as likely, and 2 of 6 are separated.
places = [(i, j) for i in range(4) for j in range(i)]
separated = [place for place in places if set(place) in ({0, 1}, {2, 3})]
print("separated with probability", len(separated) / len(places))
assert len(separated) * 3 == len(places)
""",
)

GRID = [
    Case(K, c * K * (r + 1) / 2, e, s, r, blocks, start)
    for K, c, e, s, r, blocks, start in product(
        (2, 3, 7),
        (0.4, 0.99, 1.0, 1.01, 3.0),
        (-1.01, -1.0, -0.99, 0.0),
        (0.0, -2.0),
        (0.0, 1.5, -0.5),
        ("isotropic", "one direction"),
        ("different", "equal"),
    )
]


@cache
def order_of_ratio():
    """The power of t by which δ grows for α − β = c/t, solved from the equation of the gap; K, c, r symbols."""
    t, K, c = sp.symbols("t K c", positive=True)
    r = sp.Symbol("r", real=True)
    p = sp.Symbol("p", positive=True)  # r + 1
    g = sp.Function("g")
    u, v, s, alpha, beta = sp.symbols("u v s alpha beta")
    rate = sp.cancel(((alpha * u + beta * (v + s)) - (alpha * v + beta * (u + s))) / (u - v)) / K
    equation = sp.Eq(g(t).diff(t), rate.subs(beta, alpha - c / t) * g(t))
    gap = sp.dsolve(equation, g(t), ics={g(1): 1}).rhs
    x = sp.Symbol("x", positive=True)  # t^p; the variance is (t^p − 1)/p, for t^{p−1} is its slope and 0 its start
    noise = sp.limit(sp.cancel(t * (t**p / p).diff(t).subs(t**p, x) / ((x - 1) / p)), x, sp.oo)
    power = sp.limit(sp.simplify(t * sp.log(gap).diff(t)), t, sp.oo) - noise / 2
    return sp.lambdify((K, c, r), power.subs(p, r + 1)), power.subs(p, r + 1), (K, c, r)


def truth(case):
    if case.blocks == "one direction" or case.start == "equal":
        return False  # the gap is constant, or 0
    if case.e != -1:
        return case.e > -1  # exp of a power of t, or bounded
    return bool(order_of_ratio()[0](case.K, case.c, case.r) > 0)


def compare(statement, case, found):
    claimed = statement.separates(case)
    if claimed is not None:
        require_equal(claimed, found, "another regime", case=case)


@cache
def truths():
    return [truth(case) for case in GRID]


@cache
def wrong():
    """The probability that two samples at distance δ are in the wrong order: N(δ, 2) is the law of their difference."""
    x, delta = sp.symbols("x delta", positive=True)
    return sp.lambdify(delta, sp.integrate(sp.exp(-((x + delta) ** 2) / 4) / sp.sqrt(4 * sp.pi), (x, 0, sp.oo)))


@claim.check("derived", covers="all")
def test_growth(statement):
    _, power, (K, c, r) = order_of_ratio()
    require_equal(sp.simplify(power - (c / K - (r + 1) / 2)), 0, "another power of t")
    for case, found in zip(GRID, truths(), strict=True):
        compare(statement, case, found)
    # n² pairs: Boole's inequality, with equality for n = 1.
    for value in (0.5, 2.0, 6.0):
        for n in (1, 2, 5):
            proved = 1 - n**2 * wrong()(value)
            require_at_most(statement.lower(value, n), proved + 1e-14, "more than is proved", n=n, delta=value)


separation = cache(local_elasticity.separation_probability)


@claim.check(
    "property",
    covers=Instances("0 ≤ δ ≤ 9, n ≤ 50, by quadrature, 50 drawn, δ = 7; regimes of K ≤ 40 beside the threshold"),
    blind_to={"every T": "the regimes here are of isotropic T"},
)
@example(delta=0.5, n=1, K=3, r=1.0, beyond=0.001)
@example(delta=6.6, n=3, K=2, r=-0.5, beyond=-0.001)
@given(
    delta=st.floats(0, 9), n=st.integers(1, 50), K=st.integers(2, 40), r=st.floats(-0.9, 3),
    beyond=st.floats(0.001, 0.5).flatmap(lambda x: st.sampled_from([x, -x])),
)  # fmt: skip
def test_quadrature(statement, delta, n, K, r, beyond):
    found = separation(delta, n)
    require_at_most(statement.lower(delta, n), found + 1e-10, "not a lower bound", delta=delta, n=n)
    for count in (1, 2, 3):  # attained for n = 1, and in the limit of large δ
        missing = 1 - separation(7.0, count)
        require_close(1 - statement.lower(7.0, count), missing, "not tight", rtol=0.04, atol=1e-12, n=count)
    # the logarithm of δ at two times, as the integrals have it
    c = local_elasticity.separation_threshold(K, r) * (1 + beyond)
    early, late = (c * x / K - (r + 1) * x / 2 for x in (10.0, 1e5))
    case = Case(K, c, -1.0, -2.0, r, "isotropic", "different")
    compare(statement, case, late > early)
    compare(statement, case._replace(e=0.0, s=0.0, start="equal"), False)


@cache
def share(K, c, start):
    """The share of 400 paths on which the classes 1 and 2 are separated at time 10⁶ along their gap, n = 5, m = 1."""
    n, means = 5, np.linspace(1, -1, K) * (start == "different")
    F = local_elasticity.simulate_le_sde(
        [np.repeat(means, n)], K, lambda t: (K - 1) * c / K / t, lambda t: -c / K / t, 1.0, np.geomspace(1, 1e6, 160),
        paths=400, seed=K, means="expected",
    )  # fmt: skip
    first, second = F[:, 0, :n], F[:, 0, n : 2 * n]
    return np.mean(first.min(axis=1) > second.max(axis=1))


@claim.check(
    "simulated",
    covers=Instances("K = 2 and 3, n = 5, 400 paths to t = 10⁶, at 0.8 and 1.9 times the threshold"),
    blind_to={
        "whatever the noise": "constant noise", "every T": "isotropic T",
        "1 − nΦ(−δ/√2)": "the limit only", "1 − n²Φ(−δ)": "the limit only",
    },
)  # fmt: skip
def test_paths(statement):
    for K, factor, start in product((2, 3), (0.8, 1.9), ("different", "equal")):
        case = Case(K, factor * K / 2, -1.0, -2.0, 0.0, "isotropic", start)
        compare(statement, case, bool(share(K, case.c, start) > 0.9))
        if start == "equal":  # then there is no drift, at any rate
            compare(statement, case._replace(e=0.0, s=0.0), bool(share(K, case.c, start) > 0.9))
