r"""Realising the collapsed kernel by a Mahalanobis metric (agop, Proposition B.1).

For data X of full column rank the paper states that problem (6), over the kernels $k_M = \phi(\lVert
x_i-x_j\rVert_M)$ of all positive semi-definite M, has the same solution as its relaxation (7), whose optimum is YᵀY
(agop.thm-5.4). Of φ it is assumed that it is strictly decreasing and strictly positive with φ(0) = 1. The proof maps
each class to a point and the points farther and farther apart: M = NᵀN with NX = R.

*As printed it is false*: nothing makes φ tend to zero. With $\phi(t) = \frac12(1+e^{-t})$, a kernel with all the
properties asked for, entries between classes stay above ½; two samples of two classes suffice. *Amended:* if also
$\phi(t) \to 0$, the infimum of (6) is the minimum of (7); since φ > 0 it is not attained (for K ≥ 2), but approached by
$k_M \to Y^\top Y$, at the distance φ(1/ε) in every entry between classes.

Full column rank can be weakened to: no difference of samples of different classes is a combination of differences
within classes (`theory.deep_rfm.mahalanobis.collapsing_metric`). Without that, the infimum is larger: three samples
0, 1, 2 on a line, the middle one of another class.
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st

from nct.ledger import Claim, Fixed, Instances, Statement, require, require_at_most, require_close, require_equal
from theory import labels
from theory.deep_rfm import kernel_ridge, mahalanobis

T = sp.Symbol("t", positive=True)
VANISHING = {
    "exponential": sp.exp(-T),
    "Gaussian": sp.exp(-(T**2)),
    "rational quadratic": 1 / (1 + T**2),
}
HALF = {"half exponential": (1 + sp.exp(-T)) / 2}


class Realisation(NamedTuple):
    """The kernels φ admitted, whether X has full column rank, and whether some M attains the infimum."""

    kernels: Annotated[dict, Fixed]  # instances of what is admitted
    full_rank: bool = True
    attained: bool = False
    distance: Callable = lambda phi, spread: phi(spread)


claim = Claim(
    id="agop.prop-B1",
    title="The collapsed kernel is realisable to any accuracy",
    source="agop, Proposition B.1 and problems (6) and (7)",
    verdict="amended",
    printed=Statement(
        r"\inf_{A,M}(6) = \min_{A,k}(7) \text{ for } X \text{ of full column rank, } \phi \text{ strictly "
        r"decreasing, } \phi > 0,\; \phi(0) = 1",
        Realisation(HALF | VANISHING),
    ),
    amended=Statement(
        r"\inf_{A,M}(6) = \min_{A,k}(7), \text{ not attained for } K \ge 2, \text{ if also } \phi(t) \to 0 "
        r"\text{ as } t \to \infty",
        Realisation(VANISHING),
    ),
    near_misses={
        "attained": Realisation(VANISHING, attained=True),
        "X of any rank": Realisation(VANISHING, full_rank=False),
        "the error φ(2/ε)": Realisation(VANISHING, distance=lambda phi, spread: phi(2 * spread)),
    },
    depends_on=["agop.thm-5.4"],
    counterexample_code=r"""
from fractions import Fraction

# Two samples of two classes, μ = 1, and φ(t) = (1 + exp(−t))/2: strictly decreasing, positive, φ(0) = 1. Every kernel
# φ(‖x − y‖_M) has an entry a ≥ 1/2 between the classes, and costs μ tr (k + μ)⁻¹ = 4/(4 − a²).
def cost(a):
    return Fraction(4) / (4 - a * a)

best = min(cost(Fraction(i, 1000)) for i in range(500, 1001))
print(f"the infimum over all metrics is {best}, the minimum over all kernels, at a = 0, is {cost(0)}")
assert best == cost(Fraction(1, 2)) == Fraction(16, 15) > cost(0)
""",
)


@cache
def compiled(expression):
    """φ for arrays of distances."""
    return sp.lambdify(T, expression, "numpy")


BLIND_EXACTLY = {
    "X of any rank": "two samples of two classes have full rank or coincide",
    "the error φ(2/ε)": "the check is of the infimum",
}


@claim.check("exact", covers=Instances("two samples of two classes, three kernels, all M"), blind_to=BLIND_EXACTLY)
def test_two_samples_of_two_classes(statement):
    # k_M = [[1, v], [v, 1]] with v = φ(distance) anywhere between φ(∞), excluded, and 1, and the cost is even in v and
    # strictly increasing from v = 0 on.
    v, mu = sp.symbols("v mu", positive=True)
    k = sp.Matrix([[1, v], [v, 1]])
    cost = sp.simplify(mu * (k + mu * sp.eye(2)).inv().trace())
    slope = sp.factor(sp.diff(cost, v) * ((1 + mu) ** 2 - v**2) ** 2)
    require_equal(slope, sp.factor(4 * mu * (1 + mu) * v), "the cost does not increase")
    for name, phi in statement.kernels.items():
        require(sp.limit(phi, T, 0) == 1 and sp.simplify(sp.diff(phi, T)).is_negative, "φ is not admissible", phi=name)
        infimum = sp.limit(phi, T, sp.oo)
        excess = sp.simplify((cost.subs(v, infimum) - cost.subs(v, 0)).subs(mu, 1))
        require_equal(excess, 0, "the infimum of (6) is above the minimum of (7)", X="I₂", phi=phi, mu=1)
        if statement.attained:
            require(not phi.is_positive, "no M attains it: φ is positive", X="I₂", phi=phi)


@claim.check(
    "property",
    covers=Instances("2 or 3 classes of up to 3 samples, three kernels and spreads, drawn"),
    blind_to={"attained": "φ(1/ε) is zero in float64 for small ε"},
)
@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=3),
    st.integers(0, 3),
    st.floats(0.05, 5.0),
    st.integers(0, 2**32 - 1),
)
def test_construction(statement, sizes, more, mu, seed):
    Y = labels.one_hot(sizes)
    N = Y.shape[1]
    X = np.random.default_rng(seed).standard_normal((N + more, N))
    if not statement.full_rank:
        Y, X = labels.one_hot([2, 1])[:, [0, 2, 1]], np.array([[0.0, 1.0, 2.0]])
    target = Y.T @ Y
    condition = np.linalg.cond(X) if statement.full_rank else 1.0
    assume(condition < 1e3)
    best = kernel_ridge.reduced_objective(target, Y, mu)
    for name, expression in statement.kernels.items():
        phi = compiled(expression)
        for spread in (0.5, 4.0, 1e3):
            if statement.full_rank:
                # classes at the corners of a simplex, 1/ε apart; the proof's M for them
                metric = mahalanobis.metric_realising(X, spread / np.sqrt(2) * Y)
            else:
                metric = np.array([[spread**2]])  # in one dimension every M is a number
            k = mahalanobis.mahalanobis_kernel(X, metric, phi)
            # √ of rounding, times the condition number: distances zero come out as the root of what is left of them
            rounding = 1e-7 * condition * max(spread, 1.0)
            shown = {"sizes": sizes, "phi": name, "spread": spread}
            expected = target + (1 - target) * statement.distance(phi, spread)
            require_close(k, expected, "not the kernel matrix announced", atol=rounding, **shown)
        gap = kernel_ridge.reduced_objective(target + (1 - target) * phi(1e5), Y, mu) - best
        require_at_most(abs(gap), 1e-8 * N / mu, "the cost does not approach the minimum", sizes=sizes, phi=name)


@claim.check(
    "property",
    covers=Instances("2 or 3 classes of up to 3 samples, three kernels, drawn at random"),
    blind_to={"attained": "a statement on the limit", "the error φ(2/ε)": "the check is of existence"},
)
@given(st.lists(st.integers(1, 3), min_size=2, max_size=3), st.integers(0, 2**32 - 1))
def test_metrics_that_collapse(statement, sizes, seed):
    # The least distance of k_M from YᵀY over ever larger multiples of the metric of `collapsing_metric`, where it
    # exists; on a line, over a grid of all metrics.
    Y, X = labels.one_hot(sizes), np.random.default_rng(seed).standard_normal((sum(sizes), sum(sizes)))
    if not statement.full_rank:
        Y, X = labels.one_hot([2, 1])[:, [0, 2, 1]], np.array([[0.0, 1.0, 2.0]])
    assume(np.linalg.cond(X) < 1e3)
    for name, expression in statement.kernels.items():
        phi = compiled(expression)
        try:
            metrics = [mahalanobis.collapsing_metric(X, Y, distance=spread) for spread in (1.0, 30.0, 1e3)]
        except ValueError:
            metrics = [np.array([[spread**2]]) for spread in np.logspace(-3, 3, 61)]
        errors = [np.abs(mahalanobis.mahalanobis_kernel(X, metric, phi) - Y.T @ Y).max() for metric in metrics]
        require_at_most(min(errors), 1e-3, "no M comes close to YᵀY", sizes=sizes, X=X.shape, phi=name)
