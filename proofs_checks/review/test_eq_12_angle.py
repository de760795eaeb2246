r"""Unit outputs that minimise the cross-entropy are at the angles of a simplex (review, Section 3.1.1).

Lu and Steinerberger's collapsed outputs satisfy equation 6, $\cos(u_j,u_k) = -\frac1{K-1}$. Read: the K unit vectors
$u_k\in\mathbb R^m$ minimise the mean cross-entropy of the inner products $\langle u_j,u_k\rangle$; the source's
outputs are in $\mathbb R^K$, and what is needed is $m\ge K-1$, the dimension in which there are such vectors. (With
the loss against $e_k$ in $\mathbb R^K$ it is `review.eq-12` with R = 1.)

The loss of k is $\log(1+\sum_{j\ne k}e^{\langle u_j,u_k\rangle-1})$. By convexity of exp and of
$t\mapsto\log(1+(K-1)e^t)$ the mean is at least $\log(1+(K-1)e^{s-1})$ with s the mean of the inner products of
different vectors, $s = (\lVert\sum_ku_k\rVert^2-K)/(K(K-1)) \ge -\frac1{K-1}$, and equal only if all are
$-\frac1{K-1}$.
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import Claim, Condition, Instances, Search, Statement, require_at_most, require_close, require_equal
from theory.ufm import cross_entropy


class Angle(NamedTuple):
    """The cosine of two of the minimisers, in the dimensions to which it applies."""

    applies: Annotated[Callable[[int, int], bool], Condition]  # K, m
    cosine: Callable[[Any], Any]


def of_simplex(K):
    return -1 / (K - 1)


claim = Claim(
    id="review.eq-12.angle",
    title="Unit outputs that minimise the cross-entropy form a simplex",
    source="review, Section 3.1.1, after equation 12 (Lu and Steinerberger)",
    verdict="holds",
    printed=Statement(
        r"\text{collapsed unit outputs } u_1, \dots, u_K \text{ that minimise the cross-entropy satisfy }"
        r"\cos(u_j, u_k) = -\tfrac1{K-1} \text{ (6)}"
        r"\text{ (read: of the inner products, in } m \ge K - 1 \text{ dimensions)}",
        Angle(lambda K, m: m >= K - 1, of_simplex),
    ),
    near_misses={
        "in K − 2 dimensions": Angle(lambda K, m: m >= K - 2, of_simplex),
        "in two dimensions": Angle(lambda K, m: m >= K - 1 or m == 2, of_simplex),
        "cosine −1/K": Angle(lambda K, m: m >= K - 1, lambda K: -1 / sp.sympify(K)),
        "orthogonal": Angle(lambda K, m: m >= K - 1, lambda K: 0 * K),
    },
)


@claim.check("derived", covers="all")
def test_two_convexities_and_a_square(statement):
    K, t = sp.symbols("K t", positive=True)
    # Convex and rising in the mean t; the mean is least where the square ‖Σ u‖² = K + K(K−1) s vanishes.
    loss = sp.log(1 + K * sp.exp(t))
    require_equal(sp.simplify(sp.diff(loss, t, 2)).is_positive, True, "not convex")
    require_equal(sp.diff(loss, t).is_positive, True, "does not rise")
    require_equal(sp.simplify(1 + K * statement.cosine(K + 1)), 0, "Σ u is not 0")
    # The Gram matrix (1 − c) I + c J of K unit vectors is positive semi-definite of the rank that m has to be.
    for k in range(2, 6):
        c = sp.nsimplify(statement.cosine(sp.Integer(k)))
        rank = (sp.eye(k) * (1 - c) + c * sp.ones(k)).rank()
        for m in range(1, k + 1):
            if statement.applies(k, m):
                require_at_most(rank, m, "no such vectors", K=k, m=m)


@cache
def searched(K, m):
    """The Gram matrix and value of the best of a few descents on unit vectors."""

    def mean_loss(x):
        raw = x.reshape(m, K)
        norms = np.linalg.norm(raw, axis=0)
        u = raw / norms
        gram = u.T @ u
        losses = np.logaddexp.reduce(gram, axis=0) - 1
        P = np.exp(gram - np.logaddexp.reduce(gram, axis=0)) - np.eye(K)
        slope = u @ (P + P.T) / K  # the diagonal is constant
        slope = (slope - u * (u * slope).sum(axis=0)) / norms
        return losses.mean(), slope.ravel()

    rng = np.random.default_rng(K * 10 + m)
    runs = [
        minimize(mean_loss, rng.normal(size=m * K), jac=True, method="BFGS", options={"gtol": 1e-9}) for _ in range(4)
    ]
    best = min(runs, key=lambda run: run.fun)
    u = best.x.reshape(m, K) / np.linalg.norm(best.x.reshape(m, K), axis=0)
    return u.T @ u, best.fun


@claim.check("optimised", covers=Search("BFGS from four starts, K ≤ 5 and m ≤ K"))
def test_descents_on_unit_vectors(statement):
    for K in range(2, 6):
        for m in range(1, K + 1):
            if statement.applies(K, m) and (K > 2 or m > 0):
                gram, value = searched(K, m)
                others = gram[~np.eye(K, dtype=bool)]
                cosines = np.full(others.shape, float(statement.cosine(K)))
                require_close(others, cosines, "another angle", atol=1e-6, K=K, m=m)
                require_close(value, cross_entropy.unit_outputs_minimum(K), "another minimum", rtol=1e-10, K=K, m=m)


@claim.check(
    "property",
    covers=Instances("2 ≤ K ≤ 8, 50 configurations near the simplex and far from it"),
    blind_to={"in K − 2 dimensions": "points of the largest dimension are drawn", "in two dimensions": "the same"},
)
@given(st.integers(2, 8), st.floats(0, 2), st.integers(0, 2**32 - 1))
def test_random_unit_vectors(statement, K, spread, seed):
    c = float(statement.cosine(K))
    least = np.log1p((K - 1) * np.exp(c - 1))
    simplex = np.eye(K) - 1 / K
    u = simplex / np.linalg.norm(simplex, axis=0) + spread * np.random.default_rng(seed).normal(size=(K, K))
    u /= np.linalg.norm(u, axis=0)
    loss = cross_entropy.output_risk(u.T @ u)
    require_at_most(least, loss + 1e-12, "a smaller loss", K=K, spread=spread, seed=seed)
