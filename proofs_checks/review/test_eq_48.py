r"""How a step on one sample moves the logits of others (review, equations 48 and 49).

The gradient of the cross-entropy of class k' in the logits is σ − e_{k'}, so that a step of size η on sample (k', i')
moves θ by $ηJ'^\top(e_{k'}-σ)$, and by Taylor's formula $f_{k,i}$ by $ηJJ'^\top(e_{k'}-σ)+O(η^2)$. With k'
uniform, as in (41), the mean drift of the representatives is 1/K times the G[…] that (49) stacks.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require_close, require_equal


class Drift(NamedTuple):
    """Direction in the logits of a step on class k', and the factor of the drift of all classes."""

    error: Callable[[Any, Any], Any]  # of e_{k'} and σ
    factor: Callable[[Any], Any]  # of K


true = Drift(lambda label, softmax: label - softmax, lambda K: sp.Integer(1) / K)

claim = Claim(
    id="review.eq-48",
    title="The drift of logits under a step on one sample",
    source="review, equations 48 and 49",
    verdict="amended",
    printed=Statement(
        r"f_{k,i}^s - f_{k,i}^{s-1} \approx \eta G(e_{k'} - \sigma(f_{k',i'})),\ D(\tilde F) = G[(e_1 - "
        r"\sigma(\tilde f_1))^\top,\dots]^\top \text{ (read: to first order in } \eta \text{; } D \text{ the mean "
        r"drift for } k' \text{ uniform as in (41))}",
        true._replace(factor=lambda K: sp.Integer(1)),
    ),
    amended=Statement(
        r"f_{k,i}^s - f_{k,i}^{s-1} = \eta G(e_{k'} - \sigma(f_{k',i'})) + O(\eta^2),\ D(\tilde F) = \tfrac1K G[(e_1 - "
        r"\sigma(\tilde f_1))^\top,\dots]^\top",
        true,
    ),
    near_misses={
        "uphill": true._replace(error=lambda label, softmax: softmax - label),
        "the label alone": true._replace(error=lambda label, softmax: label),
        "1/(K−1)": true._replace(factor=lambda K: sp.Integer(1) / (K - 1)),
    },
    counterexample_code=r"""
# K = 2, logits Wx with x = e_k for class k, W = 0: G = I. A step on class 1 moves f_1 by η(½, −½) and f_2 by 0, one on
# class 2 moves f_1 by 0, so that the mean drift of f_1 is (¼, −¼), and (49) has (½, −½).
drawn = [(0.5, -0.5), (0.0, 0.0)]
mean = [sum(column) / 2 for column in zip(*drawn)]
print("mean drift", mean, "printed", drawn[0])
assert mean == [0.25, -0.25]
""",
)


@claim.check("derived", covers="all")
def test_gradient(statement):
    # The logits but one enter the sum of exponentials as a rest: the derivative in an entry x, of the label or not.
    x, K = sp.Symbol("x", real=True), sp.Symbol("K", positive=True)
    rest = sp.Symbol("rest", positive=True)
    for label in (0, 1):
        loss = sp.log(sp.exp(x) + rest) - label * x
        stated = statement.error(sp.Integer(label), sp.exp(x) / (sp.exp(x) + rest))
        require_equal(sp.simplify(stated + loss.diff(x)), 0, "no step downhill", label=label)
    # A class that is drawn with probability 1/K moves the mean by that share of its own step.
    step = sp.Symbol("step")
    require_equal(sp.simplify(statement.factor(K) * step - step / K), 0, "another mean")


def net(W, X):
    Z = W @ X
    return Z + Z**3 / 3, 1 + Z**2


@claim.check("property", covers=Instances("K ≤ 4, logits g(Wx) with g(z) = z + z³/3, η → 0 extrapolated, 50 drawn"))
@given(st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_steps(statement, K, seed):
    rng = np.random.default_rng(seed)
    W, X = rng.normal(size=(K, 3)) / 2, rng.normal(size=(3, K)) / 2
    F, slope = net(W, X)
    softmax = np.exp(F) / np.exp(F).sum(axis=0)
    downhill = (np.eye(K) - softmax) * slope
    total, found = np.zeros((K, K)), np.zeros((K, K))
    for drawn in range(K):
        step = np.outer(downhill[:, drawn], X[:, drawn])
        change = [(net(W + eta * step, X)[0] - net(W - eta * step, X)[0]) / (2 * eta) for eta in (2e-3, 1e-3)]
        change = (4 * change[1] - change[0]) / 3
        # G_k = ∂f_k/∂W (∂f_k'/∂W)ᵀ is diagonal here
        gram = slope * slope[:, [drawn]] * (X.T @ X[:, drawn])
        stated = gram * statement.error(np.eye(K)[:, [drawn]], softmax[:, [drawn]])
        require_close(stated, change, "another step", rtol=1e-7, atol=1e-8, K=K)
        total, found = total + stated, found + change / K
    require_close(float(statement.factor(K)) * total, found, "another mean drift", rtol=1e-7, atol=1e-8, K=K)
