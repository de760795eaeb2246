r"""Below which rate the features of classes mix under local elasticity (review, before equation 44, second half).

With equal means every way to call n of the 2n samples the first class is as likely, and a hyperplane separates
$2\sum_{i\le m}\binom{N-1}i$ of the $2^N$ labellings of N points in general position. A gap of δ deviations moves the
samples by a vector of norm $δ\sqrt{n/2}$, and the law by its distance in total variation. For δ bounded two clouds
that grow contain a ball of any radius about their mean, and so meet. Proofs: docs/separation.md.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import combinations, pairwise, product
from math import comb
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import ndtr

from nct.ledger import Claim, Instances, Statement, require_at_most, require_close, require_equal
from theory import local_elasticity


class Case(NamedTuple):
    """α − β = c·t^e from time 1 on, α + (K−1)β = t^s, σ² = t^r or none, the blocks of T, the dimension."""

    K: int
    c: float
    e: float
    s: float
    r: float | None
    blocks: Literal["isotropic", "own class"]  # all I; I for k = l, else 0
    m: Literal["fixed", "growing"]  # as 2n − 1 at least


class Below(NamedTuple):
    """When the probability of separation tends to 0 with n → ∞ at any rate, and what bounds it."""

    mixes: Callable[[Case], bool | None]  # None where nothing is said
    dichotomies: Callable[[Any, int], Any]  # of N points in general position in m dimensions
    distance: Callable[[Any, Any], Any]  # in total variation, of δ and n


def cover(N, m):
    return 2 * sum(sp.binomial(N - 1, i) for i in range(m + 1))


true = Below(
    lambda case: (
        (case.e < -1 or (case.e == -1 and case.r is not None and case.c <= case.K * (case.r + 1) / 2))
        and case.r is not None
        and case.blocks == "isotropic"
        and case.m == "fixed"
    ),
    cover,
    lambda delta, n: 2 * ndtr(delta * (n / 8) ** 0.5) - 1,
)

claim = Claim(
    id="review.eq-44.below",
    title="Classes mix at α − β = c/t with c ≤ K/2, whatever ν",
    source="review, Section 3.2.2, before equation 44, second half",
    verdict="amended",
    depends_on=["review.eq-43"],
    printed=Statement(
        r"\text{with } \nu_t = \min\{\alpha_t - \beta_t, \alpha_t + (K-1)\beta_t\} > 0 \text{ and } T \text{ positive "
        r"semidefinite with positive diagonal entries, the features are pairwise separable with probability } p \to 0 "
        r"\text{ as } t \to \infty \text{ when } \nu_t = o(1/t) \text{ and } n \to \infty \text{ at an arbitrarily "
        r"slow rate}",
        true._replace(mixes=lambda case: True if min(case.e, case.s) < -1 else None),
    ),
    amended=Statement(
        r"\text{let all blocks of } T \text{ be } I_m,\ \Sigma = \sigma_t^2 I \text{ with } \sigma_t^2 = t^r,\ r \ge 0 "
        r"\text{, and } \alpha_t - \beta_t = c\,t^e \text{, from time 1 on: for different initial class means, } m "
        r"\text{ fixed and } n \to \infty \text{ at an arbitrarily slow rate } p \to 0 \text{ if and only if } e < -1 "
        r"\text{, or } e = -1 \text{ and } c \le K(r+1)/2 \text{; at each time } p \le "
        r"\frac{2\sum_{i\le m}\binom{2n-1}i}{\binom{2n}n} + 2\Phi(\delta\sqrt{n/8}) - 1 \text{, } \delta \text{ the "
        r"gap of two means over } \sqrt{\int\sigma^2} \text{; without noise, for blocks } \delta_{kl}I \text{, or for "
        r"} m \ge 2n - 1 \text{ it can tend to 1}",
        true,
    ),
    near_misses={
        "ν decides": true._replace(
            mixes=lambda case: true.mixes(case._replace(e=min(case.e, case.s))) if case.s < -1 else true.mixes(case)
        ),
        "c ≤ K": true._replace(mixes=lambda case: true.mixes(case._replace(c=case.c / 2))),
        "a threshold without K": true._replace(mixes=lambda case: true.mixes(case._replace(K=2))),
        "without noise": true._replace(mixes=lambda case: true.mixes(case._replace(r=case.r or 0.0))),
        "every T": true._replace(mixes=lambda case: true.mixes(case._replace(blocks="isotropic"))),
        "every dimension": true._replace(mixes=lambda case: true.mixes(case._replace(m="fixed"))),
        "hyperplanes through 0": true._replace(dichotomies=lambda N, m: cover(N, m - 1)),
        "binomials of N": true._replace(dichotomies=lambda N, m: 2 * sum(sp.binomial(N, i) for i in range(m + 1))),
        "the distance of one sample": true._replace(distance=lambda delta, n: 2 * ndtr(delta / 2) - 1),
    },
    true_edits={"dichotomies: range(m + 1) → range(0 - 1, m + 1)": "the binomial of −1 is 0"},
    counterexample_code=r"""
# K = 2, one feature, α = 1, β = −1 + exp(−t): ν = exp(−t) = o(1/t), but α − β > 1. The gap of the means grows by more
# than exp(t/2), the noise has the variance t. A pair of samples is out of order with probability Φ(−gap/√(2t)).
from math import erfc, exp
t, gap, n = 40.0, exp(20.0), 1000
mixed = n * n * erfc(gap / (2 * t**0.5)) / 2
print("separated with probability at least", 1 - mixed)
assert mixed < 1e-9
""",
)

GRID = [
    Case(K, c * K * ((r or 0) + 1) / 2, e, s, r, blocks, m)
    for K, c, e, s, r, blocks, m in product(
        (2, 3, 7),
        (0.4, 0.99, 1.0, 1.01, 3.0),
        (-2.0, -1.01, -1.0, -0.99, 0.0),
        (0.0, -2.0),
        (0.0, 1.5, None),
        ("isotropic", "own class"),
        ("fixed", "growing"),
    )
]


@cache
def power():
    """The power of t by which δ grows for α − β = c/t, from the gap's equation, less what the noise adds."""
    t, K, c, p = sp.symbols("t K c p", positive=True)
    u, v, s, alpha, beta = sp.symbols("u v s alpha beta")
    rate = sp.cancel(((alpha * u + beta * (v + s)) - (alpha * v + beta * (u + s))) / (u - v)) / K
    log_gap = sp.integrate(rate.subs(alpha, beta + c / t), (t, 1, t))
    x = sp.Symbol("x", positive=True)  # t^p; the variance is (t^p − 1)/p, for t^{p−1} is its slope and 0 its start
    noise = sp.limit(sp.cancel(t * (t**p / p).diff(t).subs(t**p, x) / ((x - 1) / p)), x, sp.oo) / 2
    return sp.lambdify((K, c, p), sp.simplify(t * log_gap.diff(t)) - noise)


@cache
def truth(case):
    """Whether the gap stays within a multiple of the noise, and the clouds fill the space."""
    if case.m == "growing" or case.r is None:
        return False  # so few points are always separated; without noise the classes stay apart
    if case.blocks == "own class":  # α − β does not matter, α = (α + (K−1)β)/K + (K−1)(α − β)/K
        return None if case.s < -1 and case.e <= -1 else not (case.s > -1 or case.e > -1)
    return case.e < -1 or (case.e == -1 and bool(power()(case.K, case.c, case.r + 1) <= 0))


def compare(statement, case, found):
    claimed = statement.mixes(case)
    if claimed is not None and found is not None:
        require_equal(claimed, found, "another regime", case=case)


@cache
def apart():
    """The distance in total variation of two Gaussians at distance a: what the first has on its side of the middle."""
    x, a = sp.symbols("x a", positive=True)
    return sp.lambdify(a, sp.integrate(sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi), (x, -a / 2, a / 2)))


BOUND = ("hyperplanes through 0", "binomials of N", "the distance of one sample")


@claim.check("derived", covers="all")
def test_growth_and_bounds(statement):
    for case in GRID:
        if case.blocks == "isotropic" or case.s > -1:
            compare(statement, case, truth(case) if case.blocks == "isotropic" else False)
    # A further point in general position: the labellings that can have it either way are those by hyperplanes
    # through it, as many as of the N points seen from it in one dimension less. In 0 dimensions there are two.
    N = sp.Symbol("N", integer=True, positive=True)
    for m in range(5):
        if m:
            step = statement.dichotomies(N, m) + statement.dichotomies(N, m - 1) - statement.dichotomies(N + 1, m)
            require_equal(sp.expand(sp.expand_func(step)), 0, "another recursion", m=m)
        require_equal(statement.dichotomies(sp.Integer(1), m), 2, "one point has two labellings", m=m)
    # Two Gaussians at distance a: their densities cross in the middle. 2n moves of δ/2 make a² = nδ²/2.
    for n, delta in product((1, 2, 5), (0.1, 0.5, 1.5)):
        found = apart()((n * delta**2 / 2) ** 0.5)
        require_close(statement.distance(delta, n), found, "another distance", rtol=1e-12, n=n, delta=delta)


def lines(points):
    """The labellings of points in general position in the plane by lines: through two points, which go either way."""
    found = set()
    for i, j in combinations(range(len(points)), 2):
        (a, b), (c, d) = points[i], points[j]
        sides = [(c - a) * (y - b) - (d - b) * (x - a) > 0 for x, y in points]
        for first, second, flip in product((True, False), repeat=3):
            sides[i], sides[j] = first, second
            found.add(tuple(side != flip for side in sides))
    return found


@claim.check(
    "exact",
    covers=Instances("m = 1 and 2, N ≤ 7: all labellings of integer points; n ≤ 3, δ = 0 on a line, all orders"),
    blind_to={"the distance of one sample": "equal means"} | {
        name: "a count of labellings" for name in (
            "c ≤ K", "a threshold without K", "without noise", "every T", "every dimension"
        )
    },
)  # fmt: skip
def test_labellings(statement):
    points = [(0, 0), (1, 7), (3, 2), (7, 11), (13, 5), (17, 29), (23, 3)]
    for N in range(2, 8):
        count = len({tuple((i < cut) != flip for i in range(N)) for cut in range(N + 1) for flip in (True, False)})
        require_equal(statement.dichotomies(N, 1), count, "not as many on a line", N=N)
        require_equal(statement.dichotomies(N, 2), len(lines(points[:N])), "not as many in the plane", N=N)
    # α − β = 1 and ν = t⁻²/2 for K = 2: δ² = exp(x)/x with x = t − 1, and exp(x) ≥ x⁴/24: beyond every bound
    ratios = [Fraction(x**4, 24) / x for x in (10, 100, 1000)]
    apart = all(late > 900 * early for early, late in pairwise(ratios))
    compare(statement, Case(2, 1.0, 0.0, -2.0, 0.0, "isotropic", "fixed"), not apart)


@claim.check(
    "property",
    covers=Instances("n ≤ 30, 0 ≤ δ ≤ 3, m = 1: by quadrature, 50 drawn; the regimes of K ≤ 40 beside the threshold"),
    blind_to={"hyperplanes through 0": "the bound is far from attained on a line",
              "binomials of N": "a larger bound", "every T": "isotropic T"},
)  # fmt: skip
@example(delta=0.5, n=2, K=3, r=1.0, beyond=0.001)
@example(delta=0.01, n=8, K=2, r=0.0, beyond=-0.001)
@given(
    delta=st.floats(0, 3), n=st.integers(1, 30), K=st.integers(2, 40), r=st.floats(0, 3),
    beyond=st.floats(0.001, 0.5).flatmap(lambda x: st.sampled_from([x, -x])),
)  # fmt: skip
def test_quadrature(statement, delta, n, K, r, beyond):
    line = sum(local_elasticity.separation_probability(x, n) for x in (delta, -delta))
    bound = Fraction(int(statement.dichotomies(2 * n, 1)), comb(2 * n, n)) + statement.distance(delta, n)
    require_at_most(line, float(bound) + 1e-10, "not a bound", delta=delta, n=n)
    # the move of all samples together, by quadrature along it
    x = np.linspace(-12, 12, 4001)
    a = np.sqrt(n / 2) * delta
    density = [np.exp(-((x + y) ** 2) / 2) / np.sqrt(2 * np.pi) for y in (a / 2, -a / 2)]
    apart = np.abs(density[0] - density[1]).sum() * (x[1] - x[0]) / 2
    require_close(statement.distance(delta, n), apart, "another distance", atol=1e-5, delta=delta, n=n)
    c = local_elasticity.separation_threshold(K, r) * (1 + beyond)
    early, late = (c * y / K - (r + 1) * y / 2 for y in (10.0, 1e5))
    for s in (0.0, -2.0):
        case = Case(K, c, -1.0, s, r, "isotropic", "fixed")
        compare(statement, case, late <= early)
        compare(statement, case._replace(r=None), False)
        compare(statement, case._replace(m="growing"), False)
        compare(statement, case._replace(e=0.0), False)


@cache
def share(case, rate):
    """The share of 400 paths on which classes 1 and 2 are separated at time 10⁶, n = 6 and m = 1, α − β = rate/t."""
    n, K = 6, case.K
    F = local_elasticity.simulate_le_sde(
        [np.repeat(np.linspace(1, -1, K), n)], K, lambda t: ((K - 1) * rate / t + t**case.s) / K,
        lambda t: (t**case.s - rate / t) / K, 0.0 if case.r is None else 1.0, np.geomspace(1, 1e6, 160), paths=400,
        seed=K, means="expected", T=np.eye(K) if case.blocks == "own class" else None,
    )  # fmt: skip
    first, second = F[:, 0, :n], F[:, 0, n : 2 * n]
    return np.mean((first.min(axis=1) > second.max(axis=1)) | (second.min(axis=1) > first.max(axis=1)))


@claim.check(
    "simulated",
    covers=Instances("K = 2 and 3, n = 6, m = 1, 400 paths to t = 10⁶, at 0.8 and 1.9 times the threshold, ν = t⁻²"),
    blind_to={"every dimension": "m = 1"} | {name: "the limit only" for name in BOUND},
)
def test_paths(statement):
    for K, factor in product((2, 3), (0.8, 1.9)):
        case = Case(K, factor * K / 2, -1.0, -2.0, 0.0, "isotropic", "fixed")
        compare(statement, case, bool(share(case, case.c) < 0.1))
        compare(statement, case._replace(r=None), bool(share(case._replace(r=None), 0.0) < 0.1))
        apart = case._replace(s=-0.5, blocks="own class")
        compare(statement, apart, bool(share(apart, case.c) < 0.1))
