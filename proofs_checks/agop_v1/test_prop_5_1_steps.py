r"""The displayed lines of the proof of agop-v1, Proposition 5.1, one by one.

With φ and Φ the standard normal density and distribution function and $s = \sqrt{1-r^2}$, |r| < 1, the proof reads

1. $\mathbb E = s\int\sigma(x)\varphi(x)\int\sigma(\tfrac{r}{s}x+y)\varphi(y)\,dy\,dx$;
2. $\int_{-a}^\infty (y+a)\varphi(y)\,dy = \varphi(a) + a\Phi(a)$, for $a = rx/s$;
3. hence $\mathbb E = s\int_0^\infty \frac{x}{2\pi}e^{-x^2/(2s^2)}dx + r\int_0^\infty x^2\varphi(x)\Phi(rx/s)\,dx$;
4. $\int_0^\infty \frac{x}{2\pi}e^{-x^2/(2s^2)}dx = \frac{s^2}{2\pi}$;
5. the abbreviation $a = r/\sqrt{1-r}$, with which the second integral is $\int_0^\infty x^2\varphi(x)\Phi(ax)\,dx$;
6. $\int_0^\infty x^2\varphi\Phi(ax) = [-x\varphi\Phi(ax)]_0^\infty + \int_0^\infty\varphi\Phi(ax) + a\int_0^\infty
   x\varphi(x)\varphi(ax)\,dx$;
7. $a\int_0^\infty x\varphi(x)\varphi(ax)\,dx = \frac{rs}{2\pi}$;
8. $f(a) = \int_0^\infty\varphi(x)\Phi(ax)\,dx$ has $f(0) = \frac14$ and $f'(a) = \frac{1}{2\pi(1+a^2)}$, so
   $f(a) = \frac14 + \frac1{2\pi}\arctan a$;
9. $\mathbb E = \frac{s^3}{2\pi} + \frac{r^2 s}{2\pi} + \frac r4 + \frac{r}{2\pi}\arctan\frac rs$.

All are right except line 5, where the square under the root is missing: it must read $a = r/\sqrt{1-r^2}$. With the
printed a, line 7 is false as well; lines 7 and 9 are what the right a gives, so the result stands.
"""

from dataclasses import dataclass, replace
from functools import cache

import mpmath
import sympy as sp
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require
from theory.deep_rfm import relu_kernel

X = sp.Symbol("x", positive=True)
A = sp.Symbol("a", real=True)
R = sp.Symbol("r", real=True)
S = sp.sqrt(1 - R**2)
QUARTER = sp.Rational(1, 4)


def density(z):
    return sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)


def distribution(z):
    return (1 + sp.erf(z / sp.sqrt(2))) / 2


@dataclass(frozen=True)
class Proof:
    """The right sides of the lines, in r, or in a or x where the line is."""

    shift: sp.Expr = R / S  # line 1: what multiplies x in the inner integral
    inner: sp.Expr = density(A) + A * distribution(A)  # line 2
    first_integrand: sp.Expr = S * X / (2 * sp.pi) * sp.exp(-(X**2) / (2 * S**2))  # line 3
    second_integrand: sp.Expr = R * X**2 * density(X) * distribution(R * X / S)
    first: sp.Expr = S**2 / (2 * sp.pi)  # line 4
    abbreviation: sp.Expr = R / S  # line 5
    by_parts: sp.Expr = density(X) * distribution(A * X) + A * X * density(X) * density(A * X)  # line 6
    product: sp.Expr = R * S / (2 * sp.pi)  # line 7
    at_zero: sp.Expr = QUARTER  # line 8
    slope: sp.Expr = 1 / (2 * sp.pi * (1 + A**2))
    antiderivative: sp.Expr = QUARTER + sp.atan(A) / (2 * sp.pi)
    total: sp.Expr = S**3 / (2 * sp.pi) + R**2 * S / (2 * sp.pi) + R / 4 + R / (2 * sp.pi) * sp.atan(R / S)  # line 9


RIGHT = Proof()
claim = Claim(
    id="agop-v1.prop-5.1.steps",
    title="The lines of the proof of the expected product of ReLU features",
    source="agop-v1, Appendix A, proof of Proposition 5.1",
    verdict="amended",
    printed=Statement(
        r"\text{lines 1–9 of the proof, with } a = r/\sqrt{1-r} \text{ in line 5}",
        replace(RIGHT, abbreviation=R / sp.sqrt(1 - R)),
    ),
    amended=Statement(r"\text{the same lines, with } a = r/\sqrt{1-r^2} \text{ in line 5}", RIGHT),
    near_misses={
        "line 1: r for r/s": replace(RIGHT, shift=R),
        "line 2: a Φ(−a)": replace(RIGHT, inner=density(A) + A * distribution(-A)),
        "line 3: e^(-x²/2) in the first integral": replace(
            RIGHT, first_integrand=S * X / (2 * sp.pi) * sp.exp(-(X**2) / 2)
        ),
        "line 3: x for x²": replace(RIGHT, second_integrand=RIGHT.second_integrand / X),
        "line 4: s for s²": replace(RIGHT, first=S / (2 * sp.pi)),
        "line 6: without the factor a": replace(
            RIGHT, by_parts=density(X) * distribution(A * X) + X * density(X) * density(A * X)
        ),
        "line 7: without the factor r": replace(RIGHT, product=S / (2 * sp.pi)),
        "line 8: f(0) = 1/2": replace(RIGHT, at_zero=sp.Rational(1, 2)),
        "line 8: the whole Cauchy density": replace(RIGHT, slope=1 / (sp.pi * (1 + A**2))),
        "line 8: arctan without 1/2": replace(RIGHT, antiderivative=QUARTER + sp.atan(A) / sp.pi),
        "line 9: arctan(r)": replace(RIGHT, total=RIGHT.total.subs(sp.atan(R / S), sp.atan(R))),
    },
    depends_on=["agop.prop-A1"],
    counterexample_code=r"""
from math import erf, exp, pi, sqrt

# The second integral of line 3, ∫ x² φ(x) Φ(rx/s) dx over x > 0 with s = √(1 − r²), and line 5's Φ(ax), a = r/√(1 − r).
def integral(a, step=1e-3):
    x = ((i + 0.5) * step for i in range(10_000))
    return sum(t * t * exp(-t * t / 2) / sqrt(2 * pi) * (1 + erf(a * t / sqrt(2))) / 2 * step for t in x)

r = 0.5
left, right = integral(r / sqrt(1 - r * r)), integral(r / sqrt(1 - r))
print(f"r = {r}: with rx/√(1 − r²) {left:.6f}, with rx/√(1 − r) {right:.6f}")
assert right - left > 0.01
""",
)


SAMPLE = {R: sp.Rational(1, 2), A: sp.Rational(3, 2), X: 2}


def require_zero(line, expression):
    """Refute the line unless SymPy shows that the expression is zero for −1 < r < 1."""
    difference = sp.N(expression.subs(SAMPLE), 30)
    used = {str(symbol): value for symbol, value in SAMPLE.items() if symbol in expression.free_symbols}
    require(abs(difference) < 1e-25, f"line {line} is false", off_by=sp.N(difference, 6), **used)
    tau = sp.Symbol("tau", real=True)
    zero = sp.simplify(expression) == 0 or sp.simplify(expression.subs(R, sp.tanh(tau))) == 0
    require(zero, f"SymPy does not confirm line {line}", difference=expression)


@claim.check("derived", covers="all")
def test_each_line_by_sympy(statement):
    # 1: σ is positively homogeneous, so s σ(cx + y) = σ(rx + sy) asks for s c = r.
    require_zero(1, S * statement.shift - R)
    # 2: the inner integral, for a of either sign.
    require_zero(2, tail_integral() - statement.inner)
    # 3: the integrands agree.
    b = R * X / S
    require_zero(
        3,
        S * X * density(X) * (density(b) + b * distribution(b))
        - statement.first_integrand
        - statement.second_integrand,
    )
    # 4.
    scale = sp.Symbol("s", positive=True)
    first = sp.integrate(X / (2 * sp.pi) * sp.exp(-(X**2) / (2 * scale**2)), (X, 0, sp.oo)).subs(scale, S)
    require_zero(4, first - statement.first)
    # 5: Φ(ax) is to be the factor Φ(rx/s) of line 3.
    require_zero(5, statement.abbreviation - R / S)
    # 6: the boundary term vanishes at 0 and ∞; the rest is the product rule.
    boundary = -X * density(X) * distribution(A * X)
    require_zero(6, sp.diff(boundary, X) + statement.by_parts - X**2 * density(X) * distribution(A * X))
    # 7: with the a of line 5.
    product = sp.integrate(X * density(X) * density(A * X), (X, 0, sp.oo), conds="none")
    require_zero(7, (A * product).subs(A, statement.abbreviation) - statement.product)
    # 8: differentiation under the integral sign; f(0) is half of the half-line's mass.
    require_zero(8, product - statement.slope)
    require_zero(8, sp.integrate(density(X) * distribution(sp.Integer(0)), (X, 0, sp.oo)) - statement.at_zero)
    require_zero(8, sp.diff(statement.antiderivative, A) - statement.slope)
    require_zero(8, statement.antiderivative.subs(A, 0) - statement.at_zero)
    # 9: the sum of the lines, and the moment integrated in polar coordinates.
    f = statement.antiderivative.subs(A, R / S)
    require_zero(9, S * statement.first + R * (f + statement.product) - statement.total)


def tail_integral():
    """∫_{−a}^∞ (y + a) φ(y) dy, from the antiderivative −φ(y) + a Φ(y) of its integrand."""
    y = sp.Symbol("y", real=True)
    antiderivative = -density(y) + A * distribution(y)
    require(sp.simplify(sp.diff(antiderivative, y) - (y + A) * density(y)) == 0, "not an antiderivative")
    return sp.limit(antiderivative, y, sp.oo) - antiderivative.subs(y, -A)


@cache
def compiled(expression):
    """A right side as a function of (r, a, x) in mpmath."""
    return sp.lambdify((R, A, X), expression, "mpmath")


@claim.check("property", covers=Instances("six rational r in (−1, 1), with a = ±0.7 and x = 1.3 where a line has them"))
@settings(max_examples=6, deadline=None, phases=(Phase.generate,))  # each example is a dozen quadratures
@given(st.fractions(min_value=-1, max_value=1, max_denominator=20).filter(lambda r: 0 < abs(r) < 1))
def test_each_line_by_quadrature(statement, r):
    r = mpmath.mpf(r.numerator) / r.denominator
    s = mpmath.sqrt(1 - r**2)
    phi, Phi = mpmath.npdf, mpmath.ncdf
    inf = mpmath.inf

    def number(expression, a=0, x=0):
        return mpmath.mpf(compiled(expression)(r, a, x))

    def agree(line, left, right):
        # mpmath's quadrature of these smooth, rapidly decaying integrands is good to 12 digits by far
        require(
            abs(left - right) < 1e-10,
            f"line {line} is false",
            r=mpmath.nstr(r, 5),
            left=mpmath.nstr(left, 8),
            right=mpmath.nstr(right, 8),
        )

    a = mpmath.mpf("0.7") * r / abs(r)
    agree(1, s * max(number(statement.shift) * 2 + 1, 0), max(2 * r + s, 0))
    agree(2, mpmath.quad(lambda y: (y + a) * phi(y), [-a, 2, 6, inf]), number(statement.inner, a=a))
    x = mpmath.mpf("1.3")
    b = r * x / s
    both = number(statement.first_integrand, x=x) + number(statement.second_integrand, x=x)
    agree(3, s * x * phi(x) * mpmath.quad(lambda y: (y + b) * phi(y), [-b, 2 + abs(b), inf]), both)
    agree(
        4,
        mpmath.quad(lambda x: x / (2 * mpmath.pi) * mpmath.exp(-((x / s) ** 2) / 2), [0, s, 4 * s, inf]),
        number(statement.first),
    )
    agree(5, Phi(number(statement.abbreviation) * x), Phi(r * x / s))
    parts = mpmath.diff(lambda x: x * phi(x) * Phi(a * x), x)
    agree(6, x**2 * phi(x) * Phi(a * x), number(statement.by_parts, a=a, x=x) - parts)
    a = number(statement.abbreviation)
    agree(7, a * mpmath.quad(lambda x: x * phi(x) * phi(a * x), [0, 1, 4, inf]), number(statement.product))
    agree(
        8,
        mpmath.diff(lambda t: mpmath.quad(lambda x: phi(x) * Phi(t * x), [0, 1, 4, 12]), a),
        number(statement.slope, a=a),
    )
    agree(8, mpmath.mpf(1) / 4, number(statement.at_zero))
    agree(8, mpmath.quad(lambda x: phi(x) * Phi(a * x), [0, 1, 4, 12]), number(statement.antiderivative, a=a))
    agree(9, mpmath.mpf(float(relu_kernel.expected_product(float(r)))) / 2, number(statement.total))
