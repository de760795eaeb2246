r"""What escaping from strict saddles leads to (review, after equation 27).

"Thus, stochastic optimizers can escape these strict saddle points along Δ and reach global minima that satisfy NC."
With $s=\sqrt{n\lambda_A\lambda_F}$ and $m\ge K-1$ the global minima are, by eq-23 and eq-24, exactly the balanced
factors of $Z_*=t(I-J/K)\otimes1^\top$ with b = 0, and

$$ t=\log\Bigl(\frac1s-K+1\Bigr),\qquad R_{CEr}=-\log s-(1-(K-1)s)\,t\qquad\text{for } Ks<1; $$

all of them satisfy NC, with $\mu_G=0$. For $Ks\ge1$, that is $nK^2\lambda_A\lambda_F\ge1$, t = 0: the only global
minimum is A = 0, F = 0, b = 0, with the risk log K, of which the NC properties are not even defined. For m < K − 1
and Ks < 1 no minimum satisfies NC: a simplex of K points spans K − 1 dimensions. The saddles can be left for m ≥ K − 1
(eq-27.width).
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from nct.ledger import Claim, Instances, Search, Statement, require, require_at_most, require_close, require_equal
from theory.ufm import cross_entropy


class Minima(NamedTuple):
    """Whether all global minima satisfy NC, and their margin and risk there, of s."""

    collapsed: Callable[[int, int, int, Fraction], bool]  # of K, n, m, λ_A λ_F
    margin: Callable[[Any, Any], Any]  # of K, s
    risk: Callable[[Any, Any, Any], Any]  # of K, s, t


def log(x):
    return np.log(x) if isinstance(x, float) else sp.log(x)


def margin(K, s):
    return log(1 / s - K + 1)


def risk(K, s, t):
    return -log(s) - (1 - (K - 1) * s) * t


claim = Claim(
    id="review.eq-27.reach",
    title="Global minima of the cross-entropy with weight decay, and neural collapse",
    source="review, after equation 27",
    verdict="amended",
    printed=Statement(
        r"\text{for } m > K \text{ stochastic optimisers can escape the strict saddles along } \Delta \text{ and reach "
        r"global minima, which satisfy NC, for all } \lambda_A, \lambda_F, \lambda_b > 0",
        Minima(lambda K, n, m, product: m > K, margin, risk),
    ),
    amended=Statement(
        r"\text{All global minima satisfy NC (with } b = 0, \mu_G = 0 \text{) if and only if } m \ge K - 1 \text{ and "
        r"} nK^2\lambda_A\lambda_F < 1 \text{; then their margin is } t = \log(1/s - K + 1) \text{ and their risk } "
        r"-\log s - (1 - (K-1)s)t,\ s = \sqrt{n\lambda_A\lambda_F} \text{. For } nK^2\lambda_A\lambda_F \ge 1 \text{ "
        r"the only one is } A = 0, F = 0, b = 0",
        Minima(lambda K, n, m, product: m >= K - 1 and n * K**2 * product < 1, margin, risk),
    ),
    near_misses={
        "from K on": Minima(lambda K, n, m, product: m >= K and n * K**2 * product < 1, margin, risk),
        "K for K² in the threshold": Minima(lambda K, n, m, product: m >= K - 1 and n * K * product < 1, margin, risk),
        "n² for n": Minima(lambda K, n, m, product: m >= K - 1 and n**2 * K**2 * product < 1, margin, risk),
        "at the threshold as well": Minima(
            lambda K, n, m, product: m >= K - 1 and n * K**2 * product <= 1, margin, risk
        ),
        "K for K − 1 in the margin": Minima(
            lambda K, n, m, product: m >= K - 1 and n * K**2 * product < 1, lambda K, s: log(1 / s - K), risk
        ),
    },
    depends_on=["review.eq-23", "review.eq-25", "review.eq-27.width"],
    true_edits={
        f"{name}.log: np.log(x) if isinstance(x, float) else sp.log(x) → sp.log(x)": "the same number, slower"
        for name in ("margin", "risk")
    },
    counterexample_code=r"""
from math import exp, log
from random import Random

# K = 2, n = 1, m = 3, all lambdas 1/2: n K^2 lambda_A lambda_F = 1. At A = 0, F = 0, b = 0 the risk is log 2.
# As log(1 + exp(-q)) >= log 2 - q/2 and the mean margin q is at most (|A|^2 + |F|^2)/2, the risk is at least
# log 2 - (|A|^2 + |F|^2)/4 + (|A|^2 + |F|^2)/4. Not one of 1000 random points is lower:
random = Random(0)
for _ in range(1000):
    a, f = ([[random.gauss(0, 0.7) for _ in range(3)] for _ in range(2)] for _ in range(2))
    h = [[sum(x * y for x, y in zip(row, column)) for row in a] for column in f]
    risk = sum(log(sum(exp(h[k][j] - h[k][k]) for j in range(2))) for k in range(2)) / 2
    risk += sum(x * x for row in a + f for x in row) / 4
    assert risk > log(2)
print("the minimum is at A = 0, F = 0, which is no simplex")
""",
)


@claim.check("derived", covers="all")
def test_closed_form(statement):
    K, s, t = sp.symbols("K s t", positive=True)
    # along Z = t(I − J/K) ⊗ 1ᵀ, where the program has its only solution (eq-23)
    value = sp.log(1 + (K - 1) * sp.exp(-t)) + s * (K - 1) * t
    slope = sp.simplify(sp.diff(value, t) - (K - 1) * (s - 1 / (sp.exp(t) + K - 1)))
    require_equal(slope, 0, "another slope")
    at = statement.margin(K, s)
    require_equal(sp.simplify(1 / (sp.exp(at) + K - 1) - s), 0, "not stationary")
    reached = sp.log(1 / s) - t  # log(1 + (K−1)e^{−t}) where e^t + K − 1 = 1/s
    gap = sp.expand(sp.expand_log(reached + s * (K - 1) * t - statement.risk(K, s, t), force=True))
    require_equal(gap, 0, "another risk")
    # the slope at t = 0 is (K−1)(s − 1/K), and it grows: the minimum is at 0 exactly for s ≥ 1/K
    at_zero = sp.simplify(sp.diff(value, t).subs(t, 0))
    require_equal(sp.simplify(at_zero - (K - 1) * (s - 1 / K)), 0, "at 0")
    shares = [Fraction(x, 10**6) for x in (10**4, 5 * 10**5, 999_999, 10**6, 1_000_001, 4 * 10**6, 9 * 10**6)]
    for classes in range(2, 8):
        rank = (classes * sp.eye(classes) - sp.ones(classes)).rank()  # of Z, which a product of width m has to reach
        falls = {
            share: bool(at_zero.subs({K: classes, s: sp.sqrt(sp.Rational(share)) / classes}) < 0) for share in shares
        }
        for n, share in product((1, 2, 5), shares):
            for m in range(1, classes + 3):
                found = statement.collapsed(classes, n, m, share / (n * classes**2))
                require_equal(found, m >= rank and falls[share], "otherwise", K=classes, n=n, m=m, times=share)


@cache
def descended(K, n, m, times, seed):
    """Where L-BFGS comes to rest from near the origin, with noise, and the decay; nothing of ours."""
    rng = np.random.default_rng(seed)
    ratio = float(np.exp(0.5 * rng.normal()))
    mu = (times / n) ** 0.5 / K
    lams = (mu * ratio, mu / ratio, 0.2)
    labels, N = np.repeat(np.arange(K), n), K * n

    def value(x):
        A, F, b = x[: K * m].reshape(K, m), x[K * m : -K].reshape(m, N), x[-K:]
        H = A @ F + b[:, None]
        P = softmax(H, axis=0)
        loss = np.mean(logsumexp(H, axis=0) - H[labels, np.arange(N)])
        P[labels, np.arange(N)] -= 1
        P /= N
        parts = (P @ F.T + lams[0] * A, A.T @ P + lams[1] * F, P.sum(axis=1) + lams[2] * b)
        decay = lams[0] * np.sum(A**2) + lams[1] * np.sum(F**2) + lams[2] * b @ b
        return loss + decay / 2, np.concatenate([part.ravel() for part in parts])

    options = {"ftol": 1e-16, "gtol": 1e-9, "maxiter": 3000}
    start = 0.1 * rng.normal(size=K * m + m * N + K)
    found = minimize(value, start, jac=True, method="L-BFGS-B", options=options)
    return found.fun, found.x[: K * m].reshape(K, m), found.x[K * m : -K].reshape(m, N), lams


def satisfies_nc(A, F):
    """NC1–NC3 to a millionth in the relative size: collapsed means, a simplex about their mean, A proportional."""
    K = len(A)
    means = F.reshape(len(F), K, -1).mean(axis=2)
    size = np.linalg.norm(F)
    centred = means - means.mean(axis=1, keepdims=True)
    if size < 1e-3 or np.linalg.norm(F - np.repeat(means, F.shape[1] // K, axis=1)) > 1e-3 * size:
        return False
    gram = centred.T @ centred
    simplex = (np.eye(K) - 1 / K) * np.trace(gram) / (K - 1)
    aligned = A / np.linalg.norm(A) - centred.T / np.linalg.norm(centred)
    return bool(np.linalg.norm(gram - simplex) < 1e-3 * np.trace(gram) and np.linalg.norm(aligned) < 1e-3)


@claim.check(
    "optimised",
    covers=Search("L-BFGS from noise near the origin, K ≤ 4, n ≤ 3, m ≤ 5, ten problems"),
    blind_to={"at the threshold as well": "an optimiser does not see the threshold itself"},
)
def test_descent_from_the_saddle(statement):
    for K, n, m, times in (
        (2, 1, 3, 1.5), (2, 1, 1, 0.1), (2, 3, 3, 0.5), (3, 1, 2, 0.2), (3, 2, 4, 0.6), (4, 1, 3, 0.1), (4, 2, 5, 0.3),
        (3, 2, 4, 2.0), (3, 1, 1, 0.1), (4, 1, 2, 0.05),
    ):  # fmt: skip
        value, A, F, lams = descended(K, n, m, times, 0)
        product = Fraction(times) / (n * K**2)
        found = satisfies_nc(A, F)
        require_equal(statement.collapsed(K, n, m, product), found, "collapsed otherwise", K=K, n=n, m=m, times=times)
        if found:
            s = float(np.sqrt(n * lams[0] * lams[1]))
            t = float(statement.margin(K, s))
            require_close(value, float(statement.risk(K, s, t)), "another minimum", rtol=1e-7, K=K, n=n, m=m)
            require_close(cross_entropy.margins(A, F), np.full(K * n, t), "another margin", rtol=1e-3, K=K, n=n)
        elif times >= 1:
            require_at_most(np.linalg.norm(A) + np.linalg.norm(F), 1e-3 * value, "not zero", K=K, n=n)


@claim.check(
    "property",
    covers=Instances("2 ≤ K ≤ 6, n ≤ 4, m ≤ K + 2, decay 0.05 to 2 of the threshold, 50 drawn"),
)
@given(st.integers(2, 6), st.integers(1, 4), st.integers(0, 3), st.sampled_from(["1/20", "1/2", "9/10", "1", "2"]),
       st.integers(0, 9999))  # fmt: skip
def test_optimum(statement, K, n, extra, factor, seed):
    require_equal(statement.collapsed(2, 1, 3, Fraction(1, 4)), False, "collapsed at the threshold", K=2, n=1, m=3)
    rng = np.random.default_rng(seed)
    ratio, m, times = float(np.exp(rng.normal())), K - 1 + extra, Fraction(factor)
    for part in (times, Fraction(1, 2), Fraction(9, 10)):
        mu = float(part / n) ** 0.5 / K
        lams = [mu * ratio, mu / ratio, 0.1]
        best = cross_entropy.ce_optimum(K, n, *lams[:2], m=m)
        if part != 1:
            found = statement.collapsed(K, n, m, part / (n * K**2))
            require_equal(found, satisfies_nc(best.A, best.F), "collapsed otherwise", K=K, n=n, m=m, part=part)
        value = cross_entropy.regularised_risk(best.A, best.F, best.b, lams=lams)
        require_close(best.loss, value, "another risk of its matrices", rtol=1e-12, K=K, n=n, m=m)
        if best.regime == "collapsed" and part != 1:
            s = mu * n**0.5
            t = float(statement.margin(K, s))
            require_close(best.scale, t, "another margin", rtol=1e-9, K=K, n=n, part=part)
            require_close(value, float(statement.risk(K, s, t)), "another risk", rtol=1e-9, K=K, n=n, part=part)
        for size in (0.03, 0.5):
            A, F, b = (x + size * rng.normal(size=x.shape) for x in (best.A, best.F, best.b))
            other = cross_entropy.regularised_risk(A, F, b, lams=lams)
            require(other > value, "a smaller risk", K=K, n=n, m=m, part=part, seed=seed)
