r"""Collapsing the outputs of each class to one point does not raise the cross-entropy (review, equations 10 and 11).

As printed the point is $z_k = \frac1n\int_{C_k} h\,dP$, with P a probability measure (Section 2) and n the size of the
class. Then $z_k$ is P(C_k)/n times the mean output of the class. That is no mean, and for confident outputs the
statement fails. With the counting measure of the sample for P it is the mean; so it is with 1/P(C_k) for 1/n, for
classes of any sizes. Then with p the softmax of $z_k$ and q that of h(x) the excess is exactly a divergence,

$$
\ell(h) - \ell(z_k) = \langle p - e_k, h - z_k\rangle + \mathrm{KL}(p\Vert q), \qquad
\int_{C_k} (h - z_k)\,dP = 0,
$$

and $\mathrm{KL}(p\Vert q) = \sum_j p_j (q_j/p_j - 1 - \log(q_j/p_j)) \ge 0$ term by term.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, LowerBound, Statement, require_at_most, require_close, require_equal
from theory.ufm import cross_entropy


class Collapse(NamedTuple):
    """R(h) − R(h̄) is at least the mean excess, where z_k is the factor times the integral of h over C_k."""

    factor: Callable[[Any, int, Any], Any]  # of P(C_k), K, n
    excess: Annotated[Callable[[Sequence[Any], Sequence[Any], Any], Any], LowerBound]  # of p, q, and a logarithm


def divergence(p, q, log):
    return sum(p[j] * (log(p[j]) - log(q[j])) for j in range(len(p)))


def none(p, q, log):
    return 0 * p[0]


claim = Claim(
    id="review.eq-10",
    title="Collapsed outputs do not raise the cross-entropy",
    source="review, equations 10 and 11, Section 3.1.1",
    verdict="amended",
    printed=Statement(
        r"z_k = \frac1n \int_{C_k} h\,dP \text{ and } \bar h = z_k \text{ on } C_k \text{ imply } R(\bar h) \le R(h)"
        r"\text{ for cross-entropy (read: P a probability measure, as in Section 2)}",
        Collapse(lambda mass, K, n: 1 / n, none),
    ),
    amended=Statement(
        r"z_k = \frac1{P(C_k)} \int_{C_k} h\,dP \text{ and } \bar h = z_k \text{ on } C_k \text{ imply } "
        r"R(h) - R(\bar h) = \mathbb E\,\mathrm{KL}(\mathrm{softmax}(\bar h) \Vert \mathrm{softmax}(h)) \ge 0",
        Collapse(lambda mass, K, n: 1 / mass, divergence),
    ),
    near_misses={
        "K for 1/P(C_k)": Collapse(lambda mass, K, n: K, divergence),
        "the divergence the other way round": Collapse(
            lambda mass, K, n: 1 / mass, lambda p, q, log: divergence(q, p, log)
        ),
        "one per cent more than the divergence": Collapse(
            lambda mass, K, n: 1 / mass, lambda p, q, log: 1.01 * divergence(p, q, log)
        ),
    },
    counterexample_code=r"""
from math import exp, log

# Two classes, one sample each (n = 1) of probability 1/2, outputs (4, 0) and (0, 4).
def loss(h, k):
    return log(sum(map(exp, h))) - h[k]

risk = (loss((4, 0), 0) + loss((0, 4), 1)) / 2
z = [(4 / 2, 0), (0, 4 / 2)]  # (10): 1/n times the integral, which weighs the sample by 1/2
collapsed = (loss(z[0], 0) + loss(z[1], 1)) / 2
print(f"R(h) = {risk:.4f}, R(h-bar) = {collapsed:.4f}")
assert collapsed > 5 * risk
""",
)


@claim.check("derived", covers="all")
def test_the_linear_term_vanishes_and_a_divergence_is_left(statement):
    # Two atoms of weights w in a class, outputs h and their collapse z: the terms of any other number are alike, and
    # those of each output j, so that K = 2, 3 show all.
    mass, n = sp.symbols("P n", positive=True)
    for K in (2, 3):
        require_equal(sp.simplify(statement.factor(mass, K, n) * mass), 1, "not the mean of the class", K=K)
        z, h = (sp.Matrix(sp.symbols(f"{name}1:{K + 1}", real=True)) for name in "zh")
        total_z, total_h = sp.symbols("Z H", positive=True)  # Σ exp z, Σ exp h
        p = [sp.exp(z[j]) / total_z for j in range(K - 1)]
        p.append(1 - sum(p))
        q = [sp.exp(h[j]) / total_h for j in range(K)]
        logs = {x: z[j] - sp.log(total_z) for j, x in enumerate(p)} | {
            x: h[j] - sp.log(total_h) for j, x in enumerate(q)
        }
        loss_z, loss_h = sp.log(total_z) - z[0], sp.log(total_h) - h[0]
        slope = sp.Matrix(p) - sp.eye(K)[:, 0]  # of the loss at z, times h − z: zero in the mean
        left = loss_h - loss_z - slope.dot(h - z) - statement.excess(p, q, logs.__getitem__)
        require_equal(sp.simplify(sp.expand(left)), 0, "the excess is another", K=K)
    x = sp.Symbol("x", positive=True)  # the ratio q/p
    slope = sp.diff(x - 1 - sp.log(x), x)
    require_equal(sp.solve(slope, x), [1], "a term of the divergence has another minimum")


def softmax(h):
    e = np.exp(h - h.max(axis=0))
    return e / e.sum(axis=0)


def loss(h, k):
    return np.logaddexp.reduce(h, axis=0) - h[k]


@claim.check("property", covers=Instances("2 ≤ K ≤ 4, 1–4 atoms a class of any weights, outputs to ±6, 50 drawn"))
@given(st.integers(2, 4), st.integers(1, 4), st.integers(1, 5), st.sampled_from([0.3, 2.0, 6.0]), st.integers(0, 9999))
def test_weighted_atoms(statement, K, n, heaviest, scale, seed):
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, heaviest + 1, (K, n)) * np.arange(1, K + 1)[:, None]
    weights = weights / weights.sum()
    before = after = excess = 0.0
    for k in range(K):
        h = scale * rng.uniform(-1, 1, (K, n))
        h[k] += scale
        mass = weights[k].sum()
        z = statement.factor(mass, K, n) * (h @ weights[k])
        p = np.repeat(softmax(z[:, None]), n, axis=1)
        before += weights[k] @ loss(h, k)
        after += mass * loss(z, k)
        excess += weights[k] @ (statement.excess(p, softmax(h), np.log) + np.zeros(n))
    require_at_most(after + excess, before + 1e-12, "a larger risk", K=K, n=n, scale=scale, seed=seed)


@claim.check(
    "property",
    covers=Instances("balanced classes, K = 3, n = 4, ten drawn"),
    blind_to={"K for 1/P(C_k)": "the classes are balanced, where the two are equal"},
)
def test_the_gap_as_a_function(statement):
    for seed in range(10):
        H = 3 * np.random.default_rng(seed).normal(size=(3, 12))
        mean = H.reshape(3, 3, 4).mean(axis=2)
        z = statement.factor(1 / 3, 3, 4) / 3 * np.repeat(mean, 4, axis=1)
        p = softmax(z)
        excess = float(np.mean(statement.excess(p, softmax(H), np.log)))
        require_close(cross_entropy.collapse_gap(H), excess, "another gap", rtol=1e-12, seed=seed)
        require_close(z, cross_entropy.collapsed_outputs(H), "another point", rtol=1e-12, seed=seed)
