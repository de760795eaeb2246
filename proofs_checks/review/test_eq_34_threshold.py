r"""How the threshold of minority collapse depends on the bounds of the norms and on the classes (review, equation 34).

$t_0$ is said to get smaller with smaller $\Omega_A$, $\Omega_F$, $K_{min}$. By eq-34 it depends on $\Omega_A\Omega_F$
only, and increases with it. How it depends on K_min has two readings. With K fixed it gets smaller in every case looked
at. With K_maj fixed that is false for tight bounds: along the curve of eq-34, with a = K_maj, b = K_min and K = a + b,
for q → 0

$$ \frac{t_0-1}{\sqrt{\Omega_A\Omega_F}}\to\frac K{a(K-1)}, $$

which decreases in b at fixed a and increases in b at fixed K, and for q → ∞

$$ \frac{\log t_0}{\sqrt{\Omega_A\Omega_F}}\to\frac K{a-1+\sqrt{b/K}}, $$

which increases in both: at fixed a its slope has the sign of $2(a-1)\sqrt{bK}+2b-a\ge2(a-1)+2-a=a$, at fixed K that of
$\sqrt{Kb}-\frac12$.

The check by an optimiser has the multiplier 1 where collapse sets in: for a ratio r it minimises $raL_{maj}+bL_{min}$
plus the nuclear norm, over outputs with t = 0, and reads off the norm.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Part, Search, Statement, require, require_close, require_equal
from theory.ufm import layer_peeled


class Dependence(NamedTuple):
    """What t₀ depends on, the signs of its changes, and its limits for tight and loose bounds."""

    product: Callable[[Any, Any], Any]  # t₀ is an increasing function of this one of Ω_A and Ω_F
    fixed_K: Literal[1, -1]  # the sign of the change of t₀ from b to b + 1, a − 1 in place of a
    fixed_K_maj: Literal[1, -1]  # the same with a fixed, for tight bounds
    tight: Callable[[Any, Any], Any]  # lim (t₀ − 1)/√(Ω_AΩ_F), of a, b
    loose: Callable[[Any, Any], Any]  # lim log t₀/√(Ω_AΩ_F)


true = Dependence(
    lambda A, F: A * F,
    1,
    -1,
    lambda a, b: (a + b) / (a * (a + b - 1)),
    lambda a, b: (a + b) / (a - 1 + sp.sqrt(b / (a + b))),
)

claim = Claim(
    id="review.eq-34.threshold",
    title="The threshold of minority collapse grows with the bounds of the norms",
    source="review, Section 3.2.1, after equation 34",
    verdict="amended",
    depends_on=("review.eq-34",),
    printed=Statement(
        r"t_0 \text{ gets smaller (larger) with smaller (larger) } \Omega_A, \Omega_F, K_{min} \text{ (read: with } K "
        r"\text{ fixed as well as with } K_{maj} \text{ fixed while } K_{min} \text{ varies)}",
        true._replace(fixed_K_maj=1),
    ),
    amended=Statement(
        r"t_0 \text{ depends on } \Omega_A\Omega_F,\ a = K_{maj} \text{ and } b = K_{min} \ge 2 \text{ only, and "
        r"increases strictly with } \Omega_A\Omega_F. \text{ For } \Omega_A\Omega_F \to 0,\ "
        r"(t_0 - 1)/\sqrt{\Omega_A\Omega_F} \to \frac{a + b}{a(a + b - 1)}; \text{ for } \Omega_A\Omega_F \to \infty,\ "
        r"\log t_0/\sqrt{\Omega_A\Omega_F} \to \frac{a + b}{a - 1 + \sqrt{b/(a + b)}}. \text{ So for all tight "
        r"enough bounds } t_0 \text{ gets smaller with larger } K_{min} \text{ if } K_{maj} \text{ is fixed, and "
        r"larger for all loose enough ones. If } K \text{ is fixed it gets larger with larger } K_{min}",
        true,
        parts=["bounds of the norms", "limits", "K fixed"],
        formulas={
            r"\frac{a + b}{a(a + b - 1)}": lambda s, a, b: s.tight(a, b),
            r"\frac{a + b}{a - 1 + \sqrt{b/(a + b)}}": lambda s, a=(1.0, 2.0, 5.0), b=(1.0, 3.0): s.loose(a, b),
        },
    ),
    near_misses={
        "smaller with larger K_min at fixed K": true._replace(fixed_K=-1),
        "a function of the sum of the bounds": true._replace(product=lambda A, F: A + F),
        "K for K − 1": true._replace(tight=lambda a, b: (a + b) / (a * (a + b))),
        "a for a − 1": true._replace(loose=lambda a, b: (a + b) / (a + sp.sqrt(b / (a + b)))),
    },
    counterexample_code=r"""
# K_maj = 1 fixed, √(Ω_AΩ_F) = 1/10: the threshold falls from K_min = 2 to 3. At it the minimum of
# r L_maj + b L_min + |v| over the outputs (p, q) between the groups has the norm K/10: v = (p√(b/K), qb/√K).
from math import exp, log, hypot, sqrt
def norm(r, b):
    K, p, q = 1 + b, 0.1, 0.1
    per_p, per_q = sqrt(b / K), b / sqrt(K)
    for _ in range(4000):  # a fixed point of the two slopes: shares of classes in proportion to v
        size = hypot(p * per_p, q * per_q)
        share = p * per_p * per_p / size / (r * b)           # of a minority class on the majority sample
        other = q * per_q * per_q / size / b                 # of the majority class on a minority sample
        p, q = 0.9 * p + 0.1 * log((1 - b * share) / share), 0.9 * q + 0.1 * log((1 - other) / (b * other))
    return hypot(p * per_p, q * per_q)
def threshold(b, low=1.01, high=1.5):
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if norm(middle, b) < (1 + b) / 10 else (low, middle)
    return low
print(threshold(2), threshold(3))
assert threshold(2) > threshold(3) + 0.01
""",
)


@claim.check("derived", covers=[Part("bounds of the norms"), Part("limits")],
             blind_to={"smaller with larger K_min at fixed K": "a limit says nothing between the limits"})  # fmt: skip
def test_limits_along_the_curve(statement):
    # Only the bound of ‖Z‖_* matters: max ‖A‖‖F‖ = K√(Ω_AΩ_F) (eq-24), the same for Ω_A/c and cΩ_F, and increasing.
    A, F, c = sp.symbols("Omega_A Omega_F c", positive=True)
    at = statement.product(A, F)
    require_equal(sp.simplify(statement.product(A / c, c * F) - at), 0, "not a function of the product")
    require(all(sp.diff(at, x).is_positive for x in (A, F)), "no increase")
    a, b, q = sp.symbols("a b q", positive=True)
    K = a + b
    # q → 0: to first order in q, by which the curve of eq-34 is divided.
    E = 1 + b * q / K
    omega = 1 + sp.diff(sp.sqrt((K - a / (1 + b * q / K) ** 2) / b), q).subs(q, 0) * q
    g = (K - b * omega) / a
    sigma = sp.diff(b * q * E * omega + a * sp.log(omega / g), q).subs(q, 0)
    total = (a - 1) * sigma + b
    tight = sp.simplify(K * (sigma / K) / total)  # t₀ − 1 = g(e^σ − 1)/K and √(Ω_AΩ_F) = c/K
    require_equal(sp.simplify(statement.tight(a, b) - tight), 0, "another limit for tight bounds")
    # q → ∞: E → ∞, ω → √(K/b), g → (K − √(Kb))/a > 0, so log t₀ ~ σ ~ bqEω and c ~ (a − 1)σ + σ/ω.
    last = sp.sqrt(K / b)
    loose = K / (a - 1 + 1 / last)
    require_equal(sp.simplify(statement.loose(a, b) - loose), 0, "another limit for loose bounds")
    # Signs of the slopes in b at fixed a, of the limits: a, b ≥ 1.
    slope = sp.factor(sp.diff(tight, b).subs(b, 2 + sp.Symbol("w", nonnegative=True)))
    require_equal(bool(sp.sign(slope) == statement.fixed_K_maj), True, "another sign for tight bounds", slope=slope)
    u, v = sp.symbols("u v", nonnegative=True)
    rest = 2 * (a - 1) * sp.sqrt(b * K) + 2 * b - a
    numerator = sp.simplify(sp.diff(loose, b) * 2 * sp.sqrt(b) * K ** sp.Rational(3, 2) * (a - 1 + sp.sqrt(b / K)) ** 2)
    require_equal(sp.simplify(numerator / (K * rest)), 1, "another slope")
    least = (2 * (a - 1) * 1 + 2 * b - a).subs({a: 1 + u, b: 1 + v})
    require(sp.expand(least).is_positive, "no increase for loose bounds")


@cache
def collapse_norm(a, b, r):
    """The norm c at which collapse sets in at the ratio r, by an optimiser."""
    K = a + b

    def value(x):
        s, p, q = np.exp(x) if a > 1 else (0.0, *np.exp(x[1:]))
        major = np.log1p((a - 1) * np.exp(-s) + b * np.exp(-s * (1 - 1 / a) - p))
        minor = np.log(b + a * np.exp(-q))
        between = np.hypot(p * a * np.sqrt(b / K), q * b * np.sqrt(a / K))
        return r * a * major + b * minor + (a - 1) * s + between

    start = np.log([0.1 + np.log(r), 0.1 + np.log(r) / 2, 0.1 + np.log(r) / 4])
    found = minimize(value, start, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-15, "maxiter": 3000})
    found = minimize(value, found.x, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-15, "maxiter": 3000})
    s, p, q = np.exp(found.x) if a > 1 else (0.0, *np.exp(found.x[1:]))
    return (a - 1) * s + np.hypot(p * a * np.sqrt(b / K), q * b * np.sqrt(a / K))


@claim.check("optimised", covers=Search("Nelder–Mead on three outputs, K ≤ 6, ratios from 1.002 to 3"),
             blind_to={"a function of the sum of the bounds": "the norm of the outputs is all there is",
                       "a for a − 1": "no large ratios"})  # fmt: skip
def test_where_collapse_sets_in(statement):
    # The larger the bound at which a ratio is the threshold, the smaller the threshold at a fixed bound.
    for r in (1.02, 1.5, 3.0):
        for K in (4, 5, 6):
            bounds = [collapse_norm(K - b, b, r) / K for b in range(2, K)]
            require_equal(set(np.sign(np.diff(bounds))), {-statement.fixed_K}, "another sign at fixed K", K=K, r=r)
    for a in (1, 2, 3):
        bounds = [collapse_norm(a, b, 1.01) / (a + b) for b in range(2, 5)]
        require_equal(set(np.sign(np.diff(bounds))), {-statement.fixed_K_maj}, "another sign at fixed K_maj", a=a)
        bounds = [collapse_norm(a, 3, r) for r in (1.1, 2.0, 3.0)]
        require(bounds[0] < bounds[1] < bounds[2], "not increasing with the bounds", a=a)
        for b in (2, 3):
            found = 0.002 / (collapse_norm(a, b, 1.002) / (a + b))
            require_close(found, statement.tight(a, b), "another limit", rtol=0.01, a=a, b=b)


@claim.check("property", covers=Instances("a, b ≤ 12, √(Ω_AΩ_F) from 0.001 to 20, 50 drawn; and the limits"))
@example(a=1, b=2, log_bound=-3.0, share=0.7)
@example(a=2, b=2, log_bound=1.0, share=-1.2)
@given(st.integers(1, 12), st.integers(2, 12), st.floats(-7, 3), st.floats(-2, 2))
def test_thresholds(statement, a, b, log_bound, share):
    bound = min(float(np.exp(log_bound)), 300 / (a + b) * a)
    where = {"a": a, "b": b, "bound": bound}

    def threshold(a, b, A, F):
        return layer_peeled.minority_collapse_threshold(a, b, A, F)

    t0 = threshold(a, b, bound, bound)
    require(threshold(a, b, bound * 1.01, bound) > t0 < threshold(a, b, bound, bound * 1.01), "no increase", **where)
    # other bounds with the same value of what it is said to depend on
    A = bound * float(np.exp(share))
    step = statement.product(A, bound) - statement.product(bound, bound)
    F = bound - step / (statement.product(A, 1.0) - statement.product(A, 0.0))
    if F > 0:
        require_close(
            threshold(a, b, A, F), t0, "depends on something else", rtol=1e-9 * (1 + np.log(t0)), F=F, **where
        )
    if a > 1:
        sign = np.sign(threshold(a - 1, b + 1, min(bound, 20), 1e-3) - threshold(a, b, min(bound, 20), 1e-3))
        require_equal(sign, statement.fixed_K, "another sign at fixed K", **where)
    small = 1e-6
    sign = np.sign(threshold(a, b + 1, small, small) - threshold(a, b, small, small))
    require_equal(sign, statement.fixed_K_maj, "another sign at fixed K_maj", **where)
    tight = (threshold(a, b, small, small) - 1) / small
    require_close(tight, statement.tight(a, b), "another limit", rtol=1e-3, **where)
    large = 600 / (a + b) * (a - 1 + (b / (a + b)) ** 0.5)  # the threshold is about e⁶⁰⁰
    low, high = (np.log(threshold(a, b, x * large, x * large)) for x in (0.9, 1.0))
    require_close((high - low) / (0.1 * large), float(statement.loose(a, b)), "another limit", rtol=2e-3, **where)
