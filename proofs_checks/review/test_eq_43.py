r"""The mean of the stochastic equation of local elasticity (review, equation 43).

With $\bar F = E\tilde F$, the expectation of (42) is $\bar F' = B\bar F$, for the stochastic integral is a martingale
that starts at 0. From (41) itself: the class drawn uniformly, a step of size η moves the expectation by
$ηB\bar F$. (For the means of n samples in place of expectations it holds as n → ∞: their noise has covariance of
order 1/n.)
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from nct.ledger import Claim, Instances, Statement, require_close, require_equal
from theory import local_elasticity


class Mean(NamedTuple):
    """The derivative of the expected features: coefficient of B F̄, and of the covariance rate Σ."""

    slope: Callable[[Any], Any]  # of B F̄
    factor: Callable[[Any], Any]  # 1/K, of K


true = Mean(lambda moved: moved, lambda K: sp.Integer(1) / K)

claim = Claim(
    id="review.eq-43",
    title="The class means follow the mean of the stochastic equation",
    source="review, equation 43",
    verdict="holds",
    depends_on=["review.eq-41"],
    printed=Statement(
        r"\tfrac{d}{dt}\bar F^t = B^t\bar F^t,\ B_{kk'} = E_{kk'}T_{kk'}/K \text{, from (42) by taking "
        r"expectations (read: } \bar F \text{ is the expectation of } \tilde F)",
        true,
    ),
    near_misses={
        "half the drift": true._replace(slope=lambda moved: moved / 2),
        "decay": true._replace(slope=lambda moved: -moved),
        "without 1/K": true._replace(factor=lambda K: sp.Integer(1)),
        "1/(K−1)": true._replace(factor=lambda K: sp.Integer(1) / (K - 1)),
    },
)


@claim.check("derived", covers="all")
def test_expectation(statement):
    # One step of (41) for class k: the class j is drawn with probability 1/K, for each j, and the noise has mean 0 and
    # is independent of the features: v = E_kj T_kj f̄_j enters the expectation with weight η/K. It is linear in η.
    K, eta = sp.symbols("K eta", positive=True)
    v, noise = sp.symbols("v noise")
    change = ((eta * v + sp.sqrt(eta) * noise) / K).subs(noise, 0)
    require_equal(sp.simplify(change.diff(eta, 2)), 0, "not linear in the step")
    require_equal(sp.simplify(statement.slope(v * statement.factor(K)) - change.diff(eta)), 0, "another mean")


@claim.check("exact", covers=Instances("K ≤ 3, n = 2, one feature: all draws of one and two steps, noise ±1"))
def test_all_draws(statement):
    for K in (2, 3):
        E = [[Fraction(3 if i == j else -1 - i) for j in range(K)] for i in range(K)]
        f = [[Fraction(1 + k), Fraction(2 * k - 3)] for k in range(K)]
        mean = [sum(x) / 2 for x in f]
        for eta in (Fraction(1, 4), Fraction(1)):
            root = eta**0.5
            ends = []
            for drawn, i, sign in product(range(K), range(2), (1, -1)):
                ends.append([mean[k] + eta * E[k][drawn] * f[drawn][i] + Fraction(root) * sign for k in range(K)])
            for k in range(K):
                found = (sum(end[k] for end in ends) / len(ends) - mean[k]) / eta
                factor = Fraction(str(statement.factor(sp.Integer(K))))
                stated = statement.slope(sum(E[k][j] * mean[j] * factor for j in range(K)))
                require_equal(stated, found, "another mean", K=K, eta=eta, k=k)


@claim.check("property", covers=Instances("K ≤ 4, m ≤ 3, random E, T and means, 50 drawn"))
@given(st.integers(2, 4), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_flow(statement, K, m, seed):
    # (I + ηB)^s is the mean of s steps; as η halves, Richardson's extrapolation tends to the flow at t = 1.
    rng = np.random.default_rng(seed)
    E, T, mean = rng.normal(size=(K, K)) / 2, rng.normal(size=(K * m, K * m)) / 2, rng.normal(size=K * m)
    blocks = np.repeat(np.repeat(E, m, axis=0), m, axis=1) * T
    generator = np.array([statement.slope(column) for column in (blocks * float(statement.factor(K))).T]).T
    step = local_elasticity.drift_matrix(E, T)
    ends = [np.linalg.matrix_power(np.eye(K * m) + step / 2**p, 2**p) @ mean for p in range(6, 14)]
    for order in range(1, len(ends)):
        ends = [(2**order * b - a) / (2**order - 1) for a, b in pairwise(ends)]
    require_close(expm(generator) @ mean, ends[0], "another flow", rtol=1e-8, atol=1e-8, K=K, m=m)
