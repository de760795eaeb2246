r"""Whether Σ is the covariance matrix of the representative features (review, after equation 42).

In (42) the drift $B\bar F$ is no function of $\tilde F$, only of the class means, so $\tilde F^t$ is
$\tilde F^0 + \int B\bar F + \int Σ^{1/2}dW$. By Itô's isometry its covariance given the class means is
$\mathrm{Cov}(\tilde F^0) + \int_0^tΣ^s\,ds$: Σ is the rate at which the covariance grows.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal


class Covariance(NamedTuple):
    """The covariance at time t from that at time 0, the rate Σ as a function of time, and t."""

    at: Callable[[Any, Callable[[Any], Any], Any], Any]


def integral(rate, t):
    s = sp.Symbol("s")
    return sp.integrate(rate(s), (s, 0, t))


true = Covariance(lambda start, rate, t: start + integral(rate, t))

claim = Claim(
    id="review.eq-42.covariance",
    title="Σ is the rate of the covariance of the representative features",
    source="review, Section 3.2.2, after equation 42",
    verdict="amended",
    depends_on=["review.eq-41"],
    printed=Statement(
        r"\text{in (42) } \Sigma^t \text{ is the covariance matrix of the representative features } \tilde F^t",
        Covariance(lambda start, rate, t: rate(t)),
    ),
    amended=Statement(
        r"\operatorname{Cov}(\tilde F^t) = \operatorname{Cov}(\tilde F^0) + \int_0^t \Sigma^s\,ds \text{ (given the "
        r"class means } \bar F)",
        true,
    ),
    near_misses={
        "Σ at time 0 for all time": Covariance(lambda start, rate, t: start + t * rate(0)),
        "without the start": Covariance(lambda start, rate, t: integral(rate, t)),
        "tΣ at time t": Covariance(lambda start, rate, t: start + t * rate(t)),
        "half": Covariance(lambda start, rate, t: start + integral(rate, t) / 2),
    },
    counterexample_code=r"""
# B = 0, Σ = 1 and a start at 0: after s of 4 steps of 1/4 by ±(1/4)^½ the variance is s/4, not 1.
ends = [0.0]
for s in (1, 2, 3, 4):
    ends = [x + step for x in ends for step in (0.5, -0.5)]
    variance = sum(x * x for x in ends) / len(ends)
    print("t =", s / 4, "covariance", variance, "Σ = 1")
    assert variance == s / 4
""",
)


@claim.check("derived", covers="all")
def test_moments(statement):
    # The equations of first and second moments for the generator L f = a(t) f' + ½Σ(t) f'', with a = B F̄ given. Any
    # direction of F̃ is such a process, so that its variance for all directions is the covariance matrix.
    t = sp.Symbol("t", nonnegative=True)
    x, first, second = sp.symbols("x first second")
    drift, rate, start = sp.Function("a")(t), sp.Function("Sigma"), sp.Symbol("start")

    def generator(f):
        return drift * sp.diff(f, x) + rate(t) * sp.diff(f, x, 2) / 2

    def mean(f):
        return sp.expand(f).subs({x**2: second}).subs({x: first})

    growth = sp.expand(mean(generator(x**2)) - 2 * first * mean(generator(x)))
    stated = statement.at(start, rate, t)
    require_equal(sp.simplify(sp.diff(stated, t).doit() - growth), 0, "another rate")
    require_equal(stated.subs(t, 0).doit() - start, 0, "another start")


@claim.check("exact", covers=Instances("a start of variance ≤ 2, Σ = 1 + qs, 64 independent steps of ±1, in rationals"))
def test_walks(statement):
    # F̃ of one feature, moved by fair steps of ±√(h(1 + q s)) at midpoints: the variances add, and no drift matters.
    for start in (0, 1, 2):
        for q in (0, 1, 3):
            h, variance = sp.Rational(1, 32), sp.Integer(start)
            for step in range(64):
                variance += h * (1 + q * h * (step + sp.Rational(1, 2)))
                if step in (15, 63):
                    stated = statement.at(sp.Integer(start), lambda s, q=q: 1 + q * s, h * (step + 1))
                    require_equal(sp.simplify(stated - variance), 0, "another variance", start=start, q=q, step=step)


@claim.check("property", covers=Instances("Σ = Σ₀ + sΣ₁, two features, B F̄ by a random B, 50 drawn"))
@given(st.integers(0, 2**32 - 1))
def test_transition_matrices(statement, seed):
    # The covariance of (F̃, F̄), F̄' = BF̄ from a sure start, by P' = GP + PGᵀ + Q in small steps (midpoint rule is exact).
    rng = np.random.default_rng(seed)
    start, first, second = (X @ X.T for X in rng.normal(size=(3, 2, 2)))
    G = np.zeros((4, 4))
    G[:2, 2:] = G[2:, 2:] = rng.normal(size=(2, 2))
    P, h, steps = np.zeros((4, 4)), 0.02, 50
    P[:2, :2] = start
    for i in range(steps):
        rate = G @ P + P @ G.T
        rate[:2, :2] += first + h * (i + 0.5) * second
        P += h * rate
    x, y, z, t = sp.symbols("x y z t")
    stated = sp.lambdify((x, y, z, t), statement.at(x, lambda s: y + s * z, t))
    require_close(stated(start, first, second, h * steps), P[:2, :2], "another covariance", rtol=1e-9, atol=1e-11)
