r"""A differentiable stand-in for the ReLU (lowrank, Definition 7).

ReLU_ε denotes a function σ with (i) σ(x) = x for x ≥ ε, (ii) σ(x) = 0 for x ≤ 0, and (iii) σ continuously
differentiable, its derivative bounded by a universal constant and positive on (0, ε). The definition does not say that
there is one. There is, and a cubic will do: the only polynomial of degree 3 on [0, ε] with the values and slopes 0, 0
and ε, 1 at the ends,

$$
\sigma_\varepsilon(x) = \frac{x^2 (2\varepsilon - x)}{\varepsilon^2},\qquad
\sigma_\varepsilon' = u(4 - 3u) > 0 \ \text{ at } x = \varepsilon u,\qquad \max\sigma_\varepsilon' = \tfrac43 \text{ at
} u = \tfrac23 .
$$

The text at hand has lost the formulas of (i) and (ii), which are read so, from what Theorem 8 needs of them.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_at_most, require_close, require_equal
from theory.ufm import ReLUEpsilon


class StandIn(NamedTuple):
    """The statement: σ_ε(x) between 0 and ε, and its largest derivative, which is the same for every ε."""

    inside: Callable[[Any, Any], Any]  # of x and ε
    bound: sp.Rational

    def __call__(self, x, epsilon):
        return 0 if x <= 0 else x if x >= epsilon else self.inside(x, epsilon)


def cubic(x, epsilon):
    return x**2 * (2 * epsilon - x) / epsilon**2


BOUND = sp.Rational(4, 3)
claim = Claim(
    id="lowrank.def-7",
    title="A ReLU_ε exists",
    source="lowrank, Section 5, Definition 7",
    verdict="holds",
    printed=Statement(
        r"\text{for every } \varepsilon > 0 \text{ there is a continuously differentiable } \sigma_\varepsilon"
        r"\text{ with } \sigma_\varepsilon(x) = x \ (x \ge \varepsilon),\ \sigma_\varepsilon(x) = 0 \ (x \le 0)"
        r"\text{ and } 0 < \sigma_\varepsilon' \le B \text{ on } (0, \varepsilon) \text{, } B \text{ the same for all }"
        r"\varepsilon \text{ (checked is one of them, } x^2(2\varepsilon - x)/\varepsilon^2 \text{ inside, with }"
        r" B = \max\sigma_\varepsilon' = \tfrac43\text{)}",
        StandIn(cubic, BOUND),
        formulas={
            r"x^2(2\varepsilon - x)/\varepsilon^2": lambda value, x, eps: value.inside(x, eps),
            r"\tfrac43": lambda value: float(value.bound),
        },
    ),
    near_misses={
        "the ReLU": StandIn(lambda x, epsilon: x, BOUND),
        "a parabola, with a kink at ε": StandIn(lambda x, epsilon: x**2 / epsilon, BOUND),
        "a cubic that is level at ε": StandIn(lambda x, epsilon: x**2 * (3 * epsilon - 2 * x) / epsilon**2, BOUND),
        "the quartic of the family, with the bound of the cubic": StandIn(
            lambda x, epsilon: x**3 * (3 * epsilon - 2 * x) / epsilon**3, BOUND
        ),
        "a cubic of another scale": StandIn(lambda x, epsilon: x**2 * (2 - x), BOUND),
        "slopes of at most 1": StandIn(cubic, sp.Integer(1)),
    },
)


@claim.check("derived", covers="all")
def test_conditions_for_every_epsilon(statement):
    x = sp.Symbol("x", real=True)
    epsilon, u = sp.symbols("epsilon u", positive=True)
    inside = sp.sympify(statement.inside(x, epsilon))
    slope = inside.diff(x)
    ends = {(0, 0): 0, (0, 1): 0, (epsilon, 0): epsilon, (epsilon, 1): 1}
    for (end, order), outside in ends.items():
        value = sp.simplify((slope if order else inside).subs(x, end))
        require_equal(value, outside, "not continuously differentiable", at=end, order=order)
    scaled = sp.expand(sp.cancel(slope.subs(x, epsilon * u)))
    require(not scaled.has(epsilon), "the slopes depend on ε", slope=scaled)
    # On (0, 1) the slope is a polynomial without a root, and positive at one point; it is largest at a critical point
    # or at an end.
    critical = [root for root in sp.real_roots(scaled.diff(u), u) if 0 < root < 1]
    require(not [root for root in sp.real_roots(scaled, u) if 0 < root < 1], "a slope is zero", slope=scaled)
    require(scaled.subs(u, sp.Rational(1, 2)) > 0, "a slope is negative", slope=scaled)
    largest = max(scaled.subs(u, point) for point in (0, 1, *critical))
    require_equal(largest, statement.bound, "another largest slope", slope=scaled)


points = st.fractions(-1, 2, max_denominator=60)


@claim.check("property", covers=Instances("50 rational ε and pairs of points, denominators ≤ 60; steps of ε/600"))
@given(st.fractions(Fraction(1, 60), 9, max_denominator=60), points, points)
def test_difference_quotients(statement, epsilon, first, second):
    # Exact, of the function itself, which is put together from its three pieces.
    h = epsilon / 600
    for point in (first, second, Fraction(2, 3), Fraction(0), Fraction(1)):
        x = point * epsilon
        left, middle, right = (statement(x + step, epsilon) for step in (-h, 0, h))
        # A slope that is continuous changes by about h/ε over a step, at most 4h/ε for the cubic; a kink by its size.
        require_at_most(abs(left - 2 * middle + right), h / 50, "a kink", x=x, epsilon=epsilon)
        # At most h·4/(2ε) from the slope in the middle, of second order where that is largest.
        require_at_most((right - left) / (2 * h), Fraction(str(statement.bound)), "too steep", x=x)
        require(x <= 0 or middle > left, "not increasing", x=x, epsilon=epsilon)
        # What theory calls a ReLU_ε is this function.
        theirs = float(ReLUEpsilon(float(epsilon))(np.array(float(x))))
        require_close(theirs, float(middle), "another function", rtol=1e-12, atol=1e-14, x=x, epsilon=epsilon)
