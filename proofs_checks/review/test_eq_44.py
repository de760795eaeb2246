r"""When the features of classes separate under local elasticity (review, Section 3.2.2, equations 44 and 45).

The gap of two class means is what grows. For isotropic impact its factor is $e^{\frac1K\int(α-β)}$, whatever
α + (K−1)β; it has to outgrow $\sqrt v$, $v = \intσ^2$. So ν is not what decides in (ii), and both halves need
conditions on the start, the noise and T. The proofs are in docs/separation.md.
"""

from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Annotated, Literal, NamedTuple

import numpy as np
import sympy as sp

from nct.ledger import Claim, Condition, Instances, Statement, require_equal
from theory import local_elasticity

Rate = tuple[float, float, float]


class Case(NamedTuple):
    """Impacts, transformation, start, noise and counts; a rate (c, e, f) is c·t^e·(1 + log t)^f from time 1 on."""

    contrast: Rate  # α − β
    common: Rate  # α + (K−1)β
    blocks: Literal["isotropic", "own class", "one direction"]  # all T_kl = I; T_kl = δ_kl I; all T_kl = 11ᵀ
    start: Literal["different", "equal"]  # the initial class means; for 11ᵀ they differ along (1, −1)
    noise: float | None  # r of σ² = t^r; none; or infinity for σ² = exp(t²)
    samples: Literal["fixed", "growing"]  # n; at any rate
    features: Literal["fixed", "growing"]  # m; as 2n − 1 at least


def above(rate):
    """Whether a rate is ω(1/t)."""
    return rate[1:] > (-1, 0)


def below(rate):
    """Whether a rate is o(1/t)."""
    return rate[1:] < (-1, 0)


def least(case):
    return min(case.contrast, case.common, key=lambda rate: rate[1:])


class Separation(NamedTuple):
    """In which cases the probability of separation tends to 1, and in which to 0."""

    to_one: Annotated[Callable[[Case], bool], Condition]
    to_zero: Annotated[Callable[[Case], bool], Condition]


true = Separation(
    lambda case: (
        above(case.contrast)
        and case.blocks == "isotropic"
        and case.start == "different"
        and case.noise != np.inf
        and case.samples == "fixed"
    ),
    lambda case: (
        below(case.contrast)
        and case.blocks == "isotropic"
        and case.noise is not None
        and case.noise > -1
        and case.samples == "growing"
        and case.features == "fixed"
    ),
)

claim = Claim(
    id="review.eq-44",
    title="Separation under local elasticity: above and below the rate 1/t",
    source="review, Section 3.2.2, Theorem 3.1 of Zhang et al. (2021b), equations 44 and 45",
    verdict="amended",
    depends_on=["review.eq-43", "review.eq-44.spectrum", "review.eq-44.above", "review.eq-44.below"],
    printed=Statement(
        r"\text{if } \nu_t = \min\{\alpha_t - \beta_t, \alpha_t + (K-1)\beta_t\} > 0 \text{ and } T \text{ is positive "
        r"semidefinite with positive diagonal entries, then as } t \to \infty \text{ the features are separable with "
        r"probability } p \to 1 \text{ when } \nu_t = \omega(1/t) \text{, and pairwise separable with probability } "
        r"p \to 0 \text{ when } \nu_t = o(1/t) \text{ and } n \to \infty \text{ at an arbitrarily slow rate (read: "
        r"each pair of classes by a hyperplane; the noise of each sample its own, } n \text{ fixed in the first half)}",
        Separation(
            lambda case: above(least(case)) and case.samples == "fixed",
            lambda case: below(least(case)) and case.samples == "growing",
        ),
    ),
    amended=Statement(
        r"\text{let all blocks of } T \text{ be } I_m \text{ and } \Sigma = \sigma_t^2 I,\ v_t = \int_0^t \sigma_s^2 "
        r"ds \text{: } p \to 1 \text{ when } \alpha_t - \beta_t = \omega(1/t) \text{, the initial class means are "
        r"pairwise different, } n \text{ is fixed and } v_t = O(t^q) \text{ for some } q;\ p \to 0 \text{ when } "
        r"\alpha_t - \beta_t = o(1/t) \text{, } v_t \ge t^q \text{ for some } q > 0 \text{ and all large } t \text{, } "
        r"m \text{ is fixed and } n \to \infty \text{ at an arbitrarily slow rate; } \alpha + (K-1)\beta \text{ plays "
        r"no part}",
        true,
    ),
    near_misses={
        "equal initial means": true._replace(to_one=lambda case: true.to_one(case._replace(start="different"))),
        "any positive semidefinite T": true._replace(
            to_one=lambda case: true.to_one(case._replace(blocks="isotropic"))
        ),
        "noise of any size": true._replace(to_one=lambda case: true.to_one(case._replace(noise=0))),
        "of the order 1/t separates": true._replace(
            to_one=lambda case: true.to_one(case._replace(contrast=(1, *np.add(case.contrast[1:], (0, 0.1)))))
        ),
        "ν in place of α − β": true._replace(to_zero=lambda case: true.to_zero(case._replace(contrast=least(case)))),
        "without noise": true._replace(to_zero=lambda case: true.to_zero(case._replace(noise=0))),
        "any T": true._replace(to_zero=lambda case: true.to_zero(case._replace(blocks="isotropic"))),
        "more features than samples": true._replace(to_zero=lambda case: true.to_zero(case._replace(features="fixed"))),
        "of the order 1/t mixes": true._replace(
            to_zero=lambda case: true.to_zero(case._replace(contrast=(1, *np.subtract(case.contrast[1:], (0, 0.1)))))
        ),
    },
    counterexample_code=r"""
# K = 2, one feature, α = 1, β = −1 + exp(−t): ν = exp(−t) = o(1/t), but α − β > 1. The gap of the means grows by more
# than exp(t/2), the noise has the variance t. A pair of samples is out of order with probability Φ(−gap/√(2t)).
from math import erfc, exp
t, gap, n = 40.0, exp(20.0), 1000
print("at least", 1 - n * n * erfc(gap / (2 * t**0.5)) / 2)
assert n * n * erfc(gap / (2 * t**0.5)) / 2 < 1e-9
# (i): with equal initial means the samples of both classes have one law for all t: for n = 2 samples of one feature
# each order of the 4 is as likely, and only 2 of the 6 arrangements of the classes are separated.
places = [(i, j) for i in range(4) for j in range(4)]
orders = ["".join("a" if i in place else "b" for i in range(4)) for place in places if place[0] < place[1]]
separated = [order for order in orders if order in ("aabb", "bbaa")]
print(len(separated), "of", len(orders))
assert 3 * len(separated) == len(orders)
""",
)

SLOW, FAST = (1.0, -2.0, 0.0), (1.0, 0.0, 0.0)
CONTRASTS = [FAST, (0.02, -0.99, 0.0), (0.1, -1.0, 1.0), (5.0, -1.0, 0.0), (0.5, -1.0, 0.0), (4.0, -1.0, -1.0),
             (9.0, -1.01, 0.0), SLOW]  # fmt: skip
CASES = [
    Case(contrast, common, blocks, start, noise, samples, features)
    for contrast, common, noise, blocks, start, (samples, features) in product(
        CONTRASTS,
        [FAST, SLOW],
        [0.0, 2.0, -0.5, -1.0, -1.01, None, np.inf],
        ["isotropic", "own class", "one direction"],
        ["different", "equal"],
        [("fixed", "fixed"), ("growing", "fixed"), ("growing", "growing")],
    )
]


def integral(rate, x):
    """The integral of a rate from 1 to exp(x), beyond the floats as infinity."""
    c, e, f = rate
    if e == -1:
        return c * (np.log1p(x) if f == -1 else ((1 + x) ** (f + 1) - 1) / (f + 1))
    with np.errstate(over="ignore"):
        return c * np.expm1((e + 1) * x) / (e + 1)


def log_deviation(noise, x):
    """Half the logarithm of v at exp(x), for large x."""
    if noise is None or noise == np.inf:
        return -np.inf if noise is None else np.inf
    return (np.log(x) if noise == -1 else max(noise + 1, 0) * x - np.log(abs(noise + 1))) / 2


def limit(case, log_gap):
    """What the probability tends to, by the logarithm of δ at two times: 1, 0 or neither.

    For δ → ∞ it is 1 for n fixed, by 1 − n²Φ(−δ/√2). For bounded δ two clouds overlap, and it is 0 if n grows and m
    does not. The noise exp(t²) is more than any gap that is met here.
    """
    if case.features == "growing":
        return 1
    if case.noise == np.inf:
        grows = False
    elif case.noise is None:
        grows = log_gap(1e6) > -np.inf
    else:
        early, late = (log_gap(x) - log_deviation(case.noise, x) for x in (1e4, 1e6))
        grows = late == np.inf or late > early + 0.1
    return (1 if case.samples == "fixed" or case.noise is None else None) if grows else (
        0 if case.samples == "growing" else None
    )  # fmt: skip


def compare(statement, case, found):
    claimed = 1 if statement.to_one(case) else 0 if statement.to_zero(case) else None
    if claimed is not None:
        require_equal(found(case), claimed, "another limit", case=case)
    return claimed


@cache
def slopes():
    """For each T the growth of the gap: what α − β and α + (K−1)β contribute, from rows k and l of KB."""
    K, contrast, common, u, v, s = sp.symbols("K contrast common u v s")
    alpha, beta = (common + (K - 1) * contrast) / K, (common - contrast) / K
    rows = {  # on means u and v of classes k and l, s the sum of the others'; 11ᵀ on means that are orthogonal to 1
        "isotropic": (alpha * u + beta * (v + s)) - (alpha * v + beta * (u + s)),
        "own class": alpha * u - alpha * v,
        "one direction": sp.Integer(0),
    }
    factors = {blocks: sp.expand(sp.cancel(row / (u - v)) / K) for blocks, row in rows.items()}
    return K, {blocks: (f.coeff(contrast), f.coeff(common)) for blocks, f in factors.items()}


@cache
def by_slopes(case, K):
    symbol, parts = slopes()
    first, second = (float(part.subs(symbol, K)) for part in parts[case.blocks])
    return limit(case, lambda x: growth([(first, case.contrast), (second, case.common)], x, case.start))


def growth(parts, x, start):
    """The logarithm of the gap, from 0."""
    return -np.inf if start == "equal" else sum(s * integral(rate, x) for s, rate in parts if abs(s) > 1e-12)


@claim.check("derived", covers="all")
def test_growth_of_the_gap(statement):
    K, parts = slopes()
    require_equal(parts["isotropic"], (1 / K, 0), "the gap feels more than α − β")
    # α − β ≥ c/t gives a gap of at least t^{c/K}, for ω(1/t) with every c, for o(1/t) with none: against t^{q/2}
    c, q = sp.symbols("c q", positive=True)
    exponent = c * parts["isotropic"][0] - q / 2
    require_equal(exponent.subs(K, 2).subs(c, 4 * q) > 0, sp.true, "no power of t is outgrown")
    require_equal(exponent.subs(K, 2).subs(c, 0) < 0, sp.true, "the noise does not drown the gap")
    claimed = {compare(statement, case, lambda case: by_slopes(case, 2)) for case in CASES}
    require_equal(claimed >= {0, 1}, True, "nothing is claimed")


TRANSFORMATIONS = {
    "isotropic": lambda K, m: np.tile(np.eye(m), (K, K)),
    "own class": lambda K, m: np.eye(m * K),
    "one direction": lambda K, m: np.ones((m * K, m * K)),
}


@cache
def spectra(blocks, K):
    """The growth of each part of the gap of classes 1 and 2: eigenvalues of the two parts of B on what is seen."""
    T = TRANSFORMATIONS[blocks](K, 2)
    contrast = np.eye(K) - np.ones((K, K)) / K
    parts = [local_elasticity.drift_matrix(E, T) for E in (contrast, np.ones((K, K)) / K)]
    assert np.allclose(parts[0] @ parts[1], parts[1] @ parts[0])  # common eigenvectors
    vectors = np.linalg.eigh(parts[0] + np.sqrt(2) * parts[1])[1]
    means = np.outer(np.arange(K) ** 2 + 1.0, [1, -1]).ravel()
    seen = np.abs((vectors[:2] - vectors[2:4]) * (vectors.T @ means)).max(axis=0) > 1e-12
    return [np.einsum("ij,ij->j", vectors, part @ vectors)[seen] for part in parts]


@cache
def by_eigenvectors(case, K):
    pairs = list(zip(*spectra(case.blocks, K), strict=True))
    return limit(case, lambda x: max(growth([(a, case.contrast), (b, case.common)], x, case.start) for a, b in pairs))


@claim.check("exact", covers=Instances("K = 3 and 5, m = 2: eight rates, three T, seven noises, by eigenvectors of B"))
def test_eigenvectors(statement):
    for K in (3, 5):
        for case in CASES:
            compare(statement, case, lambda case, K=K: by_eigenvectors(case, K))


@cache
def share(case):
    """The share of separated paths at time 10⁴, K = 2, n = 8, m = 1, or what the case needs."""
    n, m = (2, 3) if case.features == "growing" else (8, 1)
    m = max(m, 2 if case.blocks == "one direction" else 1)
    contrast, common = (lambda t, rate=rate: rate[0] * t ** rate[1] for rate in (case.contrast, case.common))
    gap = np.array([1.0, -1.0, 0.0])[:m] * (case.start == "different")
    F = local_elasticity.simulate_le_sde(
        np.repeat(np.outer(gap, [1, -1]), n, axis=1), 2, lambda t: (common(t) + contrast(t)) / 2,
        lambda t: (common(t) - contrast(t)) / 2, 0.0 if case.noise is None else 1.0, np.geomspace(1, 1e4, 200),
        paths=40, seed=0, T=TRANSFORMATIONS[case.blocks](2, m), means="expected",
    )  # fmt: skip
    return np.mean([local_elasticity.pairwise_separable(features, 2) for features in F])


TEN = (2.0, -0.9, 0.0)
PATHS = [
    Case(TEN, SLOW, "isotropic", "different", 0.0, "fixed", "fixed"),
    Case(TEN, SLOW, "isotropic", "equal", 0.0, "fixed", "fixed"),
    Case(TEN, SLOW, "one direction", "different", 0.0, "fixed", "fixed"),
    Case((0.5, -1.0, 0.0), SLOW, "isotropic", "different", 0.0, "fixed", "fixed"),
    Case(SLOW, SLOW, "isotropic", "different", 0.0, "growing", "fixed"),
    Case(SLOW, TEN, "own class", "different", 0.0, "growing", "fixed"),
    Case(TEN, SLOW, "isotropic", "different", 0.0, "growing", "fixed"),
    Case(SLOW, SLOW, "isotropic", "different", None, "growing", "fixed"),
    Case(SLOW, SLOW, "isotropic", "different", 0.0, "growing", "growing"),
    Case((5.0, -1.0, 0.0), SLOW, "isotropic", "different", 0.0, "growing", "fixed"),
]


@claim.check(
    "simulated",
    covers=Instances(
        "K = 2, m ≤ 3, ten cases, 40 paths to t = 10⁴; the probabilities there are within 0.1 of the limits"
    ),
    blind_to={"noise of any size": "no path is drawn with noise that explodes"},
)
def test_paths(statement):
    # A share of 40 is within 0.35 of a probability within 0.1 of its limit with a confidence of 1 − 10⁻⁶ and more.
    for case in PATHS:
        compare(statement, case, lambda case: next((x for x in (0, 1) if abs(share(case) - x) < 0.35), None))
