r"""When the lower bound of the supervised contrastive loss is attained (review, Section 3.1.6, after equation 33).

The bound is the tangent of the convex $φ(d)=\log n+\log(1+(K-1)e^d)$ at $d_0=\log\frac{c_2}{(K-1)c_1}$, taken at
$d^*=-\frac{KΩ_F}{(K-1)\tau}$ (review.eq-33). It is attained just if all of these hold: the products of an anchor with
its class are equal, and those with the others (the exponential is strictly convex); their difference is $d_0$ for all
anchors (φ is); $\sum_kμ_k=0$ and the within-class variance is 0 with $\frac1K\sum\|μ_k\|^2=Ω_F$ (the constraint). So
$⟨μ_k,μ_l⟩=\|μ_k\|^2+\tau d_0$ for all l ≠ k: equal norms, equal products, a simplex ETF, and $d_0=d^*$. The printed
constants have $d_0=-2\sqrt{Ω_AΩ_F}$, which is $d^*$ for one Ω_A only. Best constants: $d_0=d^*$, always attained.
"""

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from flint import arb
from scipy.optimize import minimize

from nct.ledger import Claim, Instances, Search, Statement, require_equal


class Equality(NamedTuple):
    """Equality just if what is needed of F holds and the residual of K, tau, Omega_A, Omega_F is 0."""

    residual: Callable[[Any, Any, Any, Any], Any]
    features: Callable[[bool, bool, bool], bool]  # collapsed; means at a simplex ETF; the constraint is tight


true = Equality(
    lambda K, tau, A, F: F * (4 * A * (K - 1) ** 2 * tau**2 - K**2 * F),
    lambda collapsed, simplex, tight: collapsed and simplex and tight,
)

claim = Claim(
    id="review.eq-33.equality",
    title="When the bound of the supervised contrastive loss is attained",
    source="review, Section 3.1.6, after equation 33",
    verdict="amended",
    depends_on=["review.eq-33"],
    printed=Statement(
        r"\text{equality is attained in (33), } c_1 = e^{\sqrt{\Omega_A\Omega_F}},\, c_2 = (K-1)e^{-\sqrt{\Omega_A"
        r"\Omega_F}}\text{, when variance collapse occurs and the class means in the optimal } F \text{ resemble a "
        r"simplex ETF (read: centred, of equal norms) with the norms } \sqrt{\Omega_F}",
        true._replace(residual=lambda K, tau, A, F: 0),
    ),
    amended=Statement(
        r"\text{equality in (33) if and only if } f_{k,i} = \mu_k\text{, the } \mu_k \text{ form a simplex ETF with } "
        r"\|\mu_k\|^2 = \Omega_F\text{, and } c_1/c_2 = e^{K\Omega_F/((K-1)\tau)}/(K-1)\text{; for the printed "
        r"constants the last is } \Omega_F = 0 \text{ or } 4\Omega_A(K-1)^2\tau^2 = K^2\Omega_F",
        true,
        formulas={
            r"4\Omega_A(K-1)^2\tau^2": lambda value, Omega_A, K, tau: (
                value.residual(K, tau, Omega_A, 1) - value.residual(K, tau, 0, 1)
            ),
            r"K^2\Omega_F": lambda value, K, Omega_F: -value.residual(K, 1, 0, Omega_F) / Omega_F,
        },
    ),
    near_misses={
        "Ω_A = Ω_F/τ²": true._replace(residual=lambda K, tau, A, F: F * (A * tau**2 - F)),
        "without τ": true._replace(residual=lambda K, tau, A, F: F * (4 * A * (K - 1) ** 2 - K**2 * F)),
        "for Ω_F > 0 alike": true._replace(residual=lambda K, tau, A, F: 4 * A * (K - 1) ** 2 * tau**2 - K**2 * F),
        "collapse not needed": true._replace(features=lambda collapsed, simplex, tight: simplex and tight),
        "any means": true._replace(features=lambda collapsed, simplex, tight: collapsed and tight),
        "a smaller ETF": true._replace(features=lambda collapsed, simplex, tight: collapsed and simplex),
    },
    counterexample_code=r"""
from math import exp, log

# K = 3, n = 1, tau = 1, Omega_A = Omega_F = 1, F a simplex ETF of unit vectors: products 1 and -1/2.
loss = log(exp(1) + 2 * exp(-1 / 2)) - 1
c1, c2 = exp(1), 2 * exp(-1)
c3 = c1 / (c1 + c2) * log((c1 + c2) / c1) + c2 / (c1 + c2) * log((c1 + c2) * 2 / c2)
bound = -c2 * 3 / ((c1 + c2) * 2) + c3 + log(1)
print(f"loss {loss:.6f}, bound {bound:.6f}")
assert loss > bound + 0.01
""",
)


@claim.check("derived", covers="all")
def test_tangent_point(statement):
    k, tau, A, F = sp.symbols("k tau A F", positive=True)
    d, d0 = sp.symbols("d d0", real=True)
    K = k + 1
    phi = sp.log(1 + k * sp.exp(d))
    gap = phi - phi.subs(d, d0) - sp.diff(phi, d).subs(d, d0) * (d - d0)  # of φ and its tangent at d₀
    # ∂gap/∂d₀ = φ''(d₀)(d₀ − d) with φ'' > 0: the gap is 0 at d₀ = d and nowhere else.
    bend = k * sp.exp(d0) / (1 + k * sp.exp(d0)) ** 2
    require_equal(sp.simplify(sp.diff(gap, d0) - bend * (d0 - d)), 0, "another derivative")
    require_equal(sp.simplify(gap.subs(d, d0)), 0, "a gap at the tangent point")
    # d₀ of the printed constants, and d*: both ≤ 0, so they are equal just if their squares are.
    s = sp.sqrt(A * F)
    point = sp.log(k * sp.exp(-s) / (k * sp.exp(s)))
    require_equal(sp.simplify(sp.expand_log(point) + 2 * s), 0, "another tangent point")
    squares = (2 * s) ** 2 - (K * F / (k * tau)) ** 2
    residual = sp.sympify(statement.residual(K, tau, A, F))
    require_equal(sp.simplify(residual - squares * (k * tau) ** 2), 0, "another condition on the constants")
    for a in (0, 1):  # Ω_F = 0: all features are 0, and d₀ = d* = 0
        require_equal(statement.residual(3, 1, a, 0), 0, "Ω_F = 0 is left out", A=a)
    # All three are needed of F, and enough: the argument above.
    for facts in itertools.product((False, True), repeat=3):
        require_equal(statement.features(*facts), all(facts), "another condition on F", facts=facts)


SHIFT = Fraction(1, 8)


def grams(K, omega):
    """Gram matrices for n = 2 with a mean square of at most omega: collapsed or not, ETF or not, tight or not."""
    etf = [[omega * Fraction(K * (k == l) - 1, K - 1) for l in range(K)] for k in range(K)]
    shifted = [[x * (1 - SHIFT) + omega * SHIFT for x in row] for row in etf]  # a part that all classes share
    smaller = [[x * (1 - SHIFT) for x in row] for row in etf]
    for means, simplex, tight in ((etf, True, True), (shifted, False, True), (smaller, True, False)):
        doubled = [[means[a // 2][b // 2] for b in range(2 * K)] for a in range(2 * K)]
        yield doubled, (True, simplex, tight)
    apart = [[smaller[a // 2][b // 2] for b in range(2 * K)] for a in range(2 * K)]
    for a in range(2 * K):  # each class ± a vector of its own
        for b in (a, a ^ 1):
            apart[a][b] += omega * SHIFT * (1 if a == b else -1)
    yield apart, (False, True, True)


def gap(G, K, tau, A, omega):
    """The loss of a Gram matrix, n = 2, less the printed bound, enclosed."""
    z = [[arb(x.numerator) / x.denominator / tau for x in row] for row in G]
    loss = sum((sum(x.exp() for x in row).log() - (row[a] + row[a ^ 1]) / 2 for a, row in enumerate(z)), arb(0))
    s = (arb(A.numerator) / A.denominator * omega.numerator / omega.denominator).sqrt()
    c1, c2 = s.exp(), (K - 1) * (-s).exp()
    c3 = c1 / (c1 + c2) * ((c1 + c2) / c1).log() + c2 / (c1 + c2) * ((c1 + c2) * (K - 1) / c2).log()
    bound = -c2 * K * omega.numerator / omega.denominator / ((c1 + c2) * (K - 1) * tau) + c3 + arb(2).log()
    return loss / (2 * K) - bound


@claim.check("enclosed", covers=Instances("K ≤ 4, n = 2, four Gram matrices, Ω_A right, printed and zero; in balls"))
def test_gaps(statement):
    for K, tau, omega in itertools.product((2, 3, 4), (1, 2), (Fraction(1), Fraction(1, 4))):
        right = Fraction(K * K) * omega / (4 * (K - 1) ** 2 * tau**2)
        for A in (right, omega / tau**2, omega, Fraction(0)):
            for G, facts in grams(K, omega):
                found = gap(G, K, tau, A, omega)
                attained = statement.residual(K, tau, A, omega) == 0 and statement.features(*facts)
                where = {"K": K, "tau": tau, "Omega_A": str(A), "Omega_F": str(omega), "facts": facts}
                require_equal(attained, not found > 0, "attained otherwise", **where)
    for K, A in ((2, Fraction(0)), (3, Fraction(1))):  # all features 0
        zero = [[Fraction(0)] * (2 * K)] * (2 * K)
        attained = statement.residual(K, 1, A, Fraction(0)) == 0 and statement.features(True, True, True)
        require_equal(attained, not gap(zero, K, 1, A, Fraction(0)) > 0, "attained otherwise", K=K, Omega_F=0)


def loss_and_slope(x, K, tau, omega):
    """The loss of two features a class, scaled to the mean square omega, and its slope."""
    F = x.reshape(-1, 2 * K)
    own = np.kron(np.eye(K), np.ones((2, 2))) / 2
    scale = 2 * K * omega / (F**2).sum() / tau
    e = np.exp(F.T @ F * scale)
    value = (np.log(e.sum(axis=1)) - (F.T @ F * own).sum(axis=1) * scale).mean()
    slope = (e / e.sum(axis=1, keepdims=True) - own) / (2 * K)
    slope = F @ (slope + slope.T) * scale
    return value, (slope - F * ((slope * F).sum() / (F**2).sum())).ravel()


def unbound(K, s):
    """Equation 33 without log n and at the mean square 0, and the share c₂/(c₁ + c₂)."""
    q = (K - 1) / (K - 1 + np.exp(2 * s))
    return -(1 - q) * np.log(1 - q) - q * np.log(q / (K - 1)), q


@claim.check(
    "optimised",
    covers=Search("BFGS over 6 features in 4 dimensions, K = 3, n = 2, 2 starts; then moved away"),
    blind_to={"for Ω_F > 0 alike": "features 0 leave nothing to search"},
)
def test_three_classes(statement):
    K, rng = 3, np.random.default_rng(3)
    for tau, omega in ((1.0, 1.0), (0.5, 1.0)):
        runs = [minimize(loss_and_slope, x, (K, tau, omega), jac=True) for x in rng.normal(size=(2, 24))]
        F = min(runs, key=lambda run: run.fun).x.reshape(4, 6)
        F *= np.sqrt(omega / (F**2).sum(axis=0).mean())
        collapsed = bool(np.abs(F[:, ::2] - F[:, 1::2]).max() < 1e-3)
        simplex = bool(np.abs(F.sum(axis=1)).max() < 1e-3)
        normal = np.linalg.svd(F)[0][:, 2:3]
        features = {
            "found": (F, omega, (collapsed, simplex, True)),
            "apart": (F + 0.2 * normal * [1, -1, 1, -1, 1, -1], omega, (False, True, True)),
            "not centred": (F + 0.2 * normal, omega, (True, False, True)),
            "smaller": (F, 0.8 * omega, (True, True, False)),
        }
        for A, (name, (G, square, needed)) in itertools.product(
            (9 * omega / (16 * tau**2), omega / tau**2, omega, 0.0), features.items()
        ):
            entropy, q = unbound(K, np.sqrt(A * omega))
            gap = loss_and_slope(G, K, tau, square)[0] - entropy - np.log(2) + q * 1.5 * omega / tau
            attained = statement.residual(K, tau, A, omega) == 0 and statement.features(*needed)
            # BFGS is within 1e-8 of the minimum; the other gaps are above 1e-4.
            require_equal(attained, bool(gap < 1e-6), "attained otherwise", tau=tau, Omega_A=A, F=name)
