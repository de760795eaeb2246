r"""Why collapsed outputs have the lower cross-entropy: the proof sketch (review, Appendix A.2).

The sketch expands the component $\Phi_k$ of the softmax about the mean $z_k$ of a class and says that its Hessian is
positive semi-definite, so that $\int_{C_k}\Phi_k(h)\,dP \ge \int_{C_k}\Phi_k(z_k)\,dP$. The linear term does vanish.
But $\Phi_k$ is not convex: it is a sigmoid of its own output, concave where it exceeds one half. Were it so, outputs
that vary would give the class more probability on average, which speaks against collapse. What is convex is $\ell =
-\log\Phi_k$: its Hessian is $\operatorname{diag}p - pp^\top$ with

$$ x^\top(\operatorname{diag}p - pp^\top)x = \tfrac12\sum_{i,j}p_ip_j(x_i-x_j)^2, $$

zero exactly for multiples of 1. So equality holds if *and only if* $h - z_k$ is a multiple of 1 almost everywhere.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_at_most, require_equal


class Jensen(NamedTuple):
    """∫ g(Φ_k(h)) ≥ ∫ g(Φ_k(z_k)) by a positive semi-definite Hessian, and for which h − z_k they are equal."""

    integrand: Callable[[Any, Callable[[Any], Any]], Any]  # of Φ_k and a logarithm
    equal: Callable[[list[Any]], bool]  # of h − z_k: nothing of second order is left


def span_of_one(x):
    return len(set(x)) == 1


claim = Claim(
    id="review.A2",
    title="The convexity that makes collapsed outputs optimal",
    source="review, Appendix A.2, equation 55",
    verdict="amended",
    printed=Statement(
        r"\int_{C_k} \Phi_k(h)\,dP \ge \int_{C_k} \Phi_k(z_k)\,dP \text{ for the softmax } \Phi, \text{ since }"
        r"\int_{C_k} \nabla\Phi_k(z_k)\cdot(h - z_k) = 0 \text{ and the Hessian of } \Phi_k \text{ is positive "
        r"semi-definite; equality for } h - \bar h \in \operatorname{span}(1)"
        r"\text{ (read: } z_k \text{ the mean of the class)}",
        Jensen(lambda q, log: q, span_of_one),
    ),
    amended=Statement(
        r"\int_{C_k} -\log\Phi_k(h)\,dP \ge \int_{C_k} -\log\Phi_k(z_k)\,dP, \text{ since the linear term vanishes "
        r"and the Hessian of } -\log\Phi_k \text{ is positive semi-definite; equality if and only if } "
        r"h - \bar h \in \operatorname{span}(1) \text{ almost everywhere}",
        Jensen(lambda q, log: -log(q), span_of_one),
    ),
    near_misses={
        "log Φ_k": Jensen(lambda q, log: log(q), span_of_one),
        "equality for no other h": Jensen(lambda q, log: -log(q), lambda x: not any(x)),
        "equality wherever the output k is the mean one": Jensen(
            lambda q, log: -log(q), lambda x: x[0] == sum(x) / len(x)
        ),
    },
    counterexample_code=r"""
from fractions import Fraction

# Two classes; class 1 has the outputs (0, 0) and (2 log 3, 0), equally likely, with the mean (log 3, 0).
def softmax_1(exp_h1):  # exp(h_1), where h_2 = 0
    return Fraction(exp_h1, exp_h1 + 1)

mean = (softmax_1(1) + softmax_1(9)) / 2
at_mean = softmax_1(3)
print(f"mean of the softmax {mean}, softmax of the mean {at_mean}")
assert mean < at_mean
""",
)

VARIATIONS = [[0, 0, 0], [2, 2, 2], [1, 0, 0], [1, 1, 0], [0, 1, -1], [0, 3, -3], [3, 2, 4], [-1, -1, -1]]


@claim.check("derived", covers="all")
def test_the_hessian_is_a_sum_of_squares(statement):
    # Three outputs, the first that of the class, beside any number of others with the sum S of exponentials: all
    # second derivatives, for all K.
    h = sp.symbols("h1:4", real=True)
    S = sp.Symbol("S", positive=True)
    total = sum(map(sp.exp, h)) + S
    g = statement.integrand(sp.exp(h[0]) / total, sp.log)
    p = [sp.exp(x) / total for x in h]
    for i in range(3):
        for j in range(3):
            stated = p[i] * int(i == j) - p[i] * p[j]
            require_equal(sp.simplify(sp.diff(g, h[i], h[j]) - stated), 0, "the Hessian is another", i=i, j=j)
    # The quadratic form is ½ Σ p_i p_j (x_i − x_j)², by Lagrange's identity: zero for multiples of 1 only.
    x, q = sp.symbols("x1:4"), [*sp.symbols("p1:3", positive=True)]
    q.append(1 - sum(q))
    form = sum(a * b**2 for a, b in zip(q, x, strict=True)) - sum(a * b for a, b in zip(q, x, strict=True)) ** 2
    squares = sum(q[i] * q[j] * (x[i] - x[j]) ** 2 for i in range(3) for j in range(i))
    require_equal(sp.expand(form - squares), 0, "not a sum of squares")
    for values in VARIATIONS:
        vanishes = squares.subs(dict(zip(x, values, strict=True))) == 0
        require_equal(statement.equal(values), vanishes, "equality elsewhere", x=values)


@claim.check("enclosed", covers=Instances("K = 3 and two outputs z ± x, eight x at three z"))
def test_two_outputs_in_balls(statement):
    for z in ([0, 0, 0], [2, 0, -1], [-3, 1, 0]):
        for x in VARIATIONS:

            def value(sign, z=z, x=x):
                e = [arb(a + sign * b).exp() for a, b in zip(z, x, strict=True)]
                return statement.integrand(e[0] / sum(e), lambda q: q.log())

            excess = value(1) + value(-1) - 2 * value(0)
            if statement.equal(x):
                require(excess.contains(0), "no equality", z=z, x=x)
            else:
                require(excess > 0, "the mean is not larger", z=z, x=x, excess=float(excess.mid()))


@claim.check("property", covers=Instances("2 ≤ K ≤ 5, 2–5 outputs to ±5, 50 drawn"))
@given(st.integers(2, 5), st.integers(2, 5), st.floats(0.1, 5), st.booleans(), st.integers(0, 9999))
def test_random_outputs(statement, K, n, scale, shifted, seed):
    rng = np.random.default_rng(seed)
    h = scale * rng.normal(size=(K, 1)) + scale * rng.normal(size=(1 if shifted else K, n))
    z = h.mean(axis=1, keepdims=True)

    def value(h):
        p = np.exp(h[0] - h.max(axis=0)) / np.exp(h - h.max(axis=0)).sum(axis=0)
        return statement.integrand(p, np.log)

    mean, at_mean = float(np.mean(value(h))), float(value(z)[0])
    equal = all(statement.equal(list(np.round(x, 9))) for x in (h - z).T)
    if equal:
        require_at_most(abs(mean - at_mean), 1e-12 * (1 + abs(mean)), "no equality", K=K, n=n, scale=scale, seed=seed)
    else:
        require_at_most(at_mean, mean, "the mean is not larger", strict=True, K=K, n=n, scale=scale, seed=seed)
