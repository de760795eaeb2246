r"""When collapse of the sample indicates collapse of the classes (review, Section 4.1, after equation 52).

With the gaps e of the means and g of the variances of a sample, $\hat V\ge\frac{W-g}{2(Δ+e)^2}$, so
$V-\hat V\le\frac{g+2We/Δ}{2Δ^2}$; for values in a ball of radius R = ρΔ, $W\le2R^2$, and n samples of each class the
gaps of review.eq-52 leave $ρ^2(\frac1{n-1}+4\sqrt{\frac L{2n}})+\frac{4ρ^3}{\sqrt n}(1+\sqrt{2L})$, $L=\log\frac4δ$.
It vanishes as n grows, if ρ is bounded and f does not depend on the sample. Each of the three is needed. One sample of
each class has $\hat V=0$ always. An atom at $\sqrt nΔ$ with the mass 1/n is not in the sample with a probability near
1/e, and leaves V at ½: A and B are bounded, and do not vanish. A map fitted to the sample can be right on it alone.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import comb, log, sqrt
from typing import Annotated, Any, NamedTuple

import numpy as np
import sympy as sp

from nct.ledger import Claim, Instances, Statement, UpperBound, require_at_most, require_equal


class Indicates(NamedTuple):
    """When V̂ → 0 indicates V → 0, and by how much V exceeds V̂ with probability δ at most, L = log(4/δ)."""

    indicates: Callable[[bool, bool, bool], bool]  # n → ∞, R/Δ bounded, f independent of the sample; A, B are bounded
    excess: Annotated[Callable[[Any, Any, Any], Any], UpperBound]  # n, R/Δ, L


def excess(n, rho, L):
    return rho**2 * (1 / (n - 1) + 4 * sp.sqrt(L / (2 * n))) + 4 * rho**3 * (1 + sp.sqrt(2 * L)) / sp.sqrt(n)


true = Indicates(lambda many, bounded, independent: many and bounded and independent, excess)

claim = Claim(
    id="review.eq-52.limit",
    title="When collapse of the sample indicates collapse of the classes",
    source="review, Section 4.1, after equation 52",
    verdict="amended",
    depends_on=["review.eq-52"],
    printed=Statement(
        r"\text{by bounding } A, B \text{ and considering sufficiently large values of } n_i, n_j\text{, } "
        r"V_f(D_i,D_j) \to 0 \text{ would indicate } V_f(P_i,P_j) \to 0 \text{ with high probability (read: } A, B "
        r"\text{ are what the gaps of the sample's means and variances make of them)}",
        true._replace(indicates=lambda many, bounded, independent: many),
    ),
    amended=Statement(
        r"\text{if } n_i = n_j = n, f \text{ does not depend on the samples and has values in a ball of radius } \rho"
        r"\|\mu_f(P_i) - \mu_f(P_j)\|\text{, then with probability } \ge 1 - \delta\text{: } V_f(P_i,P_j) \le "
        r"V_f(D_i,D_j) + \rho^2(\tfrac1{n-1} + 4\sqrt{\tfrac L{2n}}) + \tfrac{4\rho^3}{\sqrt n}(1 + \sqrt{2L}), L = "
        r"\log\tfrac4\delta\text{; with bounded } A, B \text{ alone, not for } n = 1\text{, nor for unbounded } \rho"
        r"\text{, nor for } f \text{ fitted to the samples}",
        true,
        formulas={
            r"\rho^2(\tfrac1{n-1} + 4\sqrt{\tfrac L{2n}}) + \tfrac{4\rho^3}{\sqrt n}(1 + \sqrt{2L})": (
                lambda value, rho, L, n=(2, 3, 7, 20): value.excess(n, rho, L)
            )
        },
    ),
    near_misses={
        "any n": true._replace(indicates=lambda many, bounded, independent: bounded and independent),
        "unbounded R/Δ": true._replace(indicates=lambda many, bounded, independent: many and independent),
        "f fitted to the sample": true._replace(indicates=lambda many, bounded, independent: many and bounded),
        "never": true._replace(indicates=lambda many, bounded, independent: False),
        "the excess falls as 1/n": true._replace(excess=lambda n, rho, L: excess(n**2, rho, L)),
    },
    counterexample_code=r"""
# n = 1000 samples. Class i is at 0, but for an atom at 1000**0.5 with the mass 1/1000; class j is at -1.
n = 1000
mean, variance = n**0.5 / n, 1 - 1 / n
V = variance / (2 * (1 + mean) ** 2)
missed = (1 - 1 / n) ** n  # then the sample has the CDNV 0
A, B = mean / (1 + mean), variance / 2  # bounded, for each n
print(f"V = {V:.3f}, and 0 in the sample with probability {missed:.3f}; A = {A:.3f}, B = {B:.3f}")
assert missed > 0.36 and V > 0.46 and A < 1 and B < 1
""",
)


def not_indicated(many, bounded, independent):
    """A family against it: n, the probability that V̂ = 0, and V, as SymPy expressions of n; or None."""
    n = sp.Symbol("n", positive=True)
    if not many:  # ±1 against a point at 2, one sample
        return 1, sp.Integer(1), sp.Rational(1, 8)
    if not bounded:
        return n, (1 - 1 / n) ** n, (1 - 1 / n) / (2 * (1 + 1 / sp.sqrt(n)) ** 2)
    if not independent:  # n of 100n inputs at ±½, the others at (±½, ±1)
        return n, sp.Integer(1), sp.Rational(99, 100)
    return None


@claim.check("derived", covers="all")
def test_limits(statement):
    n, rho, L, x, W, g, e, k = sp.symbols("n rho L x W g e k", positive=True)
    # 1 − (1 + x)⁻² ≤ 2x, and g/(1 + x)² ≤ g: V − V̂ ≤ (g + 2Wx)/(2Δ²) with x = e/Δ.
    slack = sp.Poly(sp.expand(2 * x * (1 + x) ** 2 - ((1 + x) ** 2 - 1)), x)
    require_equal(all(c > 0 for c in slack.coeffs()), True, "not a bound")
    # The unit of length is Δ. The variances of a sample are at most R² = ρ² each.
    gaps = {e: 2 * rho * (1 + sp.sqrt(2 * L)) / sp.sqrt(n), W: 2 * rho**2}
    gaps[g] = 2 * (rho**2 / (n - 1) + 4 * rho**2 * sp.sqrt(L / (2 * n)))
    derived = ((g + 2 * W * e) / 2).subs(gaps)
    difference = (statement.excess(n, rho, L) - derived).subs(n, k + 1)
    require_equal(sp.simplify(difference), 0, "another excess")
    require_equal(sp.limit(statement.excess(n, 1, 1), n, sp.oo), 0, "it does not vanish")
    for facts in product((False, True), repeat=3):
        against = not_indicated(*facts)
        if against is None:
            require_equal(statement.indicates(*facts), True, "it is indicated", facts=facts)
            continue
        _, missed, V = (sp.sympify(value).subs(sp.Symbol("n", positive=True), n) for value in against)
        both = sp.Min(sp.limit(missed, n, sp.oo), sp.limit(V, n, sp.oo))
        require_equal(statement.indicates(*facts), both == 0, "indicated otherwise", facts=facts)


def beyond(statement, n, p, far, delta):
    """The probability that V > V̂ + excess, for ±1 with the probabilities p, 1 − p against a point."""
    mean, var, R = float(2 * p - 1), float(4 * p * (1 - p)), max(1.0, far)
    distance, failed = far - mean, 0
    stated = float(statement.excess(n, R / distance, log(4 / delta)))
    for k in range(n + 1):
        m, s = 2 * k / n - 1, 4 * k * (n - k) / n**2
        if m != far and var / (2 * distance**2) - s / (2 * (far - m) ** 2) > stated:
            failed += comb(n, k) * p.numerator**k * (p.denominator - p.numerator) ** (n - k)
    return float(Fraction(failed, p.denominator**n))


def drawn(facts, n, rng):
    """V and V̂ of a draw, by the numbers of samples at each atom."""
    many, bounded, independent = facts
    if not many:
        return 1 / 8, 0.0
    if not bounded:
        m = rng.binomial(n, 1 / n) / n
        return (1 - 1 / n) / (2 * (1 + n**-0.5) ** 2), n * m * (1 - m) / (2 * (1 + m * sqrt(n)) ** 2)
    if not independent:
        return 0.99, 0.0
    m = 2 * rng.binomial(n, 0.5) / n - 1
    return 1 / 2, (1 - m**2) / (2 * (1 - m) ** 2)


@claim.check("exact", covers=Instances("n = 2, 50, 4000, two atoms and a point, δ = 0.05, by binomials; the families"))
def test_coverage(statement):
    delta = 0.05
    for n, (p, far) in product((2, 50, 4000), ((5, 1.0), (1, 0.5), (9, 2.0))):
        failed = beyond(statement, n, Fraction(p, 10), far, delta)
        require_at_most(failed, delta, "beyond the excess too often", n=n, p=p, far=far)
    for facts in product((False, True), repeat=3):
        against = not_indicated(*facts)
        if against:
            missed, V = (float(sp.sympify(value).subs(sp.Symbol("n", positive=True), 1000)) for value in against[1:])
            far_off = min(missed, V) > 0.1  # probability and V are both
            require_equal(statement.indicates(*facts), not far_off, "indicated otherwise", facts=facts)
        else:  # at most V̂ + 0.07 with the probability 0.95
            found = bool(statement.excess(10**5, 1, log(4 / delta)) < 0.1)
            require_equal(statement.indicates(*facts), found, "indicated otherwise", facts=facts)


@claim.check("simulated", covers=Instances("the four families at n = 2000, 400 draws each, confidence 1 − 10⁻⁶"))
def test_draws(statement):
    rng, n, delta, draws = np.random.default_rng(0), 2000, 0.05, 400
    for facts in product((False, True), repeat=3):
        V, sampled = np.array([drawn(facts, n, rng) for _ in range(draws)]).T
        # a share of 400 draws is within 0.13 of the probability, but for 10⁻⁶ (Hoeffding)
        share = (sampled < V / 2).mean()
        require_equal(statement.indicates(*facts), bool(share < 0.13), "indicated otherwise", facts=facts)
        if all(facts):
            failed = (V - sampled > float(statement.excess(n, 1.0, log(4 / delta)))).mean()
            require_at_most(failed, delta + 0.13, "beyond the excess too often", n=n)
