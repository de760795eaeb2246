r"""The simplified DUFM as a problem with a Schatten penalty, and that penalty against the rank (lowrank, Section 4).

Problem (2) is the DUFM without all ReLUs but the last. Its fit sees $H_1, W_1, \dots, W_{L-1}$ only by their product M,
so that for each M they are those that cost least, and by `lowrank.eq-2` that is $c\lVert M\rVert_{S_{2/L}}^{2/L}$.

For large L, the paper says, $\lVert M\rVert_{S_{2/L}}^{2/L}$ is well approximated by the rank of M. For a given M it
tends to it, with an error of 2/L times the sum of the logarithms of its singular values that are not zero: with p = 2/L
and x = log s, from $px \le e^{px} - 1 \le px\,e^{px}$,

$$
\tfrac2L \sum_i \log s_i \ \le\ \lVert M\rVert_{S_{2/L}}^{2/L} - \operatorname{rank} M \ \le\ \tfrac2L \sum_i s_i^{2/L}
\log s_i .
$$

No depth will do for all M: the penalty of a small M is small, whatever its rank.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import (
    Claim,
    Instances,
    LowerBound,
    Part,
    Statement,
    UpperBound,
    require,
    require_at_most,
    require_close,
    require_equal,
)
from theory import schatten


class Reduction(NamedTuple):
    """The penalty c(L, Π λ) Σ s^p(L), and bounds of s^p − 1 as functions of s, its logarithm and p."""

    constant: Callable[[Any, Any], Any] = lambda L, product: L * product ** (1 / L) / 2
    exponent: Callable[[Any], Any] = lambda L: 2 / L
    lower: Annotated[Callable[[Any, Any, Any], Any], LowerBound] = lambda s, log, p: p * log
    upper: Annotated[Callable[[Any, Any, Any], Any], UpperBound] = lambda s, log, p: p * s**p * log


claim = Claim(
    id="lowrank.eq-2.reduction",
    title="The simplified DUFM has a Schatten penalty, near the rank",
    source="lowrank, Section 4, the two displays after equation (2) and the sentence after them",
    verdict="holds",
    printed=Statement(
        r"(2) \text{ reduces to }\min_{W_L, M}\tfrac1{2N}\|W_L\sigma(M) - Y\|_F^2 + \tfrac{\lambda_{W_L}}2\|W_L\|_F^2"
        r" + c\|M\|_{S_{2/L}}^{2/L} \text{ with }"
        r" c = \tfrac L2(\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_{L-1}})^{1/L}"
        r"\text{; for large L } \|M\|_{S_{2/L}}^{2/L} \text{ is close to } \operatorname{rank} M \text{ (read: for a}"
        r"\text{ given M; how close is ours): } \tfrac2L\sum_i\log s_i\le \|M\|_{S_{2/L}}^{2/L} - \operatorname{rank} M"
        r" \le \tfrac2L \sum_i s_i^{2/L} \log s_i \text{ over the } s_i > 0",
        Reduction(),
        parts=["reduction", "rank"],
        formulas={
            "2/L": lambda value, L: value.exponent(L),
            r"\tfrac L2": lambda value, L: value.constant(L, 1),
        },
    ),
    near_misses={
        "without the factor L": Reduction(constant=lambda L, product: product ** (1 / L) / 2),
        "a root of order L + 1, with the last layer": Reduction(
            constant=lambda L, product: L * product ** (1 / (L + 1)) / 2
        ),
        "exponent 1/L": Reduction(exponent=lambda L: 1 / L),
        "never below the rank": Reduction(lower=lambda s, log, p: 0),
        "the upper bound from below": Reduction(lower=lambda s, log, p: p * s**p * log),
        "the lower bound from above": Reduction(upper=lambda s, log, p: p * log),
        "half of the upper bound": Reduction(upper=lambda s, log, p: p * s**p * log / 2),
    },
    depends_on=["lowrank.eq-2"],
)


@claim.check("derived", covers=[Part("reduction"), Part("rank")])
def test_least_cost_and_tangents(statement):
    # The cost of one singular value: λ_i a_i² = t for all i, with Π a_i² = s², as in `lowrank.eq-2`.
    L, product, s, p = sp.symbols("L Pi s p", positive=True)
    t = (s**2 * product) ** (1 / L)
    ratio = L * t / 2 / (statement.constant(L, product) * s ** statement.exponent(L))
    require_equal(sp.simplify(sp.expand_log(sp.log(ratio), force=True)), 0, "another least cost", ratio=ratio)
    # In x = log s: both gaps are zero at x = 0, where s = 1. The first is convex with slope 0 there; the slope of the
    # second has the sign of x. As p falls to 0 both bounds are p x at first order.
    x = sp.Symbol("x", real=True)
    power = sp.exp(p * x)
    below = power - 1 - statement.lower(sp.exp(x), x, p)
    above = statement.upper(sp.exp(x), x, p) - (power - 1)
    for gap in (below, above):
        require_equal(sp.simplify(gap.subs(x, 0)), 0, "a gap at s = 1", gap=gap)
    require_equal(sp.simplify(below.diff(x).subs(x, 0)), 0, "the lower bound is no tangent", gap=below)
    require(sp.simplify(below.diff(x, 2)).is_positive, "not convex", gap=below)
    require(sp.simplify(above.diff(x) / x).is_positive, "the upper bound is crossed", gap=above)
    for bound in (statement.lower(sp.exp(x), x, p), statement.upper(sp.exp(x), x, p)):
        require_equal(sp.limit(bound / p, p, 0), x, "another order", bound=bound)


@claim.check("property", covers=Instances("K ≤ 4, ranks ≤ K, L ≤ 6, log-normal λ and singular values, 50 drawn"))
@given(st.integers(2, 4), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_explicit_factors(statement, K, L, seed):
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, K + 1))
    lams = rng.lognormal(size=L).tolist()
    left, right = (np.linalg.qr(rng.standard_normal((K, K)))[0] for _ in range(2))
    values = np.exp(rng.uniform(-3, 3, rank))
    M = left[:, :rank] * values @ right[:rank]
    last = rng.standard_normal((K, K))

    def objective(factors):
        """Problem (2) at W_{L−1}, …, W_1, H_1, without the decay of W_L, which both sides have."""
        fit = np.sum((last @ np.maximum(np.linalg.multi_dot(factors), 0) - np.eye(K)) ** 2) / (2 * K)
        return fit + sum(lam * np.sum(factor**2) for lam, factor in zip(lams, factors, strict=True)) / 2

    p = float(statement.exponent(L))
    powers = float(np.sum(values**p))
    fit = np.sum((last @ np.maximum(M, 0) - np.eye(K)) ** 2) / (2 * K)
    reduced = fit + float(statement.constant(L, np.prod(lams))) * powers
    factors = schatten.minimal_factors(M, lams)
    require_close(objective(factors), reduced, "another value of the reduced problem", rtol=1e-9, K=K, L=L)
    change = rng.standard_normal((K, K)) + 2 * np.eye(K)
    other = [factors[0] @ change, np.linalg.solve(change, factors[1]), *factors[2:]]
    require_at_most(reduced, objective(other) * (1 + 1e-9), "factors that cost less", K=K, L=L)
    for s in values:
        low, high = (bound(s, np.log(s), p) for bound in (statement.lower, statement.upper))
        require_at_most(low, (s**p - 1) + 1e-13, "below the lower bound", s=s, L=L)
        require_at_most(s**p - 1, high + 1e-13, "above the upper bound", s=s, L=L)
