r"""The displayed lines of the proof of agop-v1, Proposition 5.1, one by one.

With φ and Φ the standard normal density and distribution function and $s = \sqrt{1-r^2}$, |r| < 1, the proof reads

1. $\mathbb E = \int\!\int\sigma(x)\sigma(rx+sy)\varphi(x)\varphi(y)\,dy\,dx =
   s\int\sigma(x)\varphi(x)\int\sigma(\tfrac{r}{s}x+y)\varphi(y)\,dy\,dx$;
2. $\int_{-a}^\infty (y+a)\varphi(y)\,dy = \int_{-a}^\infty y\varphi(y)\,dy + a\int_{-a}^\infty\varphi(y)\,dy =
   \varphi(a) + a\Phi(a)$, for $a = rx/s$;
3. hence $\mathbb E = s\int_0^\infty \frac{x}{2\pi}e^{-x^2/(2s^2)}dx + r\int_0^\infty x^2\varphi(x)\Phi(rx/s)\,dx$;
4. $\int_0^\infty \frac{x}{2\pi}e^{-x^2/(2s^2)}dx = \frac{s}{\sqrt{2\pi}}\int_0^\infty\frac{x}{s\sqrt{2\pi}}
   e^{-x^2/(2s^2)}dx = \frac{s^2}{2\pi}$;
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
from fractions import Fraction
from functools import cache

import sympy as sp
from flint import acb, ctx
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_close, require_equal
from theory.deep_rfm import relu_kernel

X = sp.Symbol("x", positive=True)
Y = sp.Symbol("y", real=True)
A = sp.Symbol("a", real=True)
R = sp.Symbol("r", real=True)
S = sp.sqrt(1 - R**2)
QUARTER = sp.Rational(1, 4)
INSIDE = (Fraction(-3, 5), Fraction(2, 7), Fraction(9, 10))  # of −1 < r < 1


def density(z):
    return sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)


def distribution(z):
    return (1 + sp.erf(z / sp.sqrt(2))) / 2


@dataclass(frozen=True)
class Proof:
    """The right sides of the lines, in r, or in a or x where the line is."""

    shift: sp.Expr = R / S  # line 1: what multiplies x in the inner integral
    split: tuple = (Y * density(Y), A * density(Y))  # line 2: the integrands of the middle member
    inner: sp.Expr = density(A) + A * distribution(A)
    first_integrand: sp.Expr = S * X / (2 * sp.pi) * sp.exp(-(X**2) / (2 * S**2))  # line 3
    second_integrand: sp.Expr = R * X**2 * density(X) * distribution(R * X / S)
    middle: sp.Expr = S / sp.sqrt(2 * sp.pi) * X / (S * sp.sqrt(2 * sp.pi)) * sp.exp(-(X**2) / (2 * S**2))  # line 4
    first: sp.Expr = S**2 / (2 * sp.pi)
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
        formulas={r"r/\sqrt{1-r}": lambda proof, r=INSIDE: proof.abbreviation.subs(R, r)},
    ),
    amended=Statement(
        r"\text{the same lines, with } a = r/\sqrt{1-r^2} \text{ in line 5}",
        RIGHT,
        formulas={r"r/\sqrt{1-r^2}": lambda proof, r=INSIDE: proof.abbreviation.subs(R, r)},
    ),
    near_misses={
        "line 1: r for r/s": replace(RIGHT, shift=R),
        "line 2: a Φ(−a)": replace(RIGHT, inner=density(A) + A * distribution(-A)),
        "line 2: −a in the middle": replace(RIGHT, split=(Y * density(Y), -A * density(Y))),
        "line 4: the middle without s": replace(RIGHT, middle=RIGHT.middle / S),
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


SAMPLE = {R: sp.Rational(1, 2), A: sp.Rational(3, 2), X: 2, Y: sp.Rational(-1, 3)}


@cache
def off(expression):
    """What SymPy makes of an expression for −1 < r < 1: zero, or its value at the sample."""
    value = sp.N(expression.subs(SAMPLE), 30)
    if abs(value) > 1e-25:
        return sp.N(value, 6)
    tau = sp.Symbol("tau", real=True)
    zero = sp.simplify(expression) == 0 or sp.simplify(expression.subs(R, sp.tanh(tau))) == 0
    return sp.Integer(0) if zero else expression


def require_zero(line, expression):
    """Refute the line unless SymPy shows that the expression is zero for −1 < r < 1."""
    used = {str(symbol): value for symbol, value in SAMPLE.items() if symbol in expression.free_symbols}
    require_equal(off(expression), 0, f"line {line} is false: one side less the other", **used)


@claim.check("derived", covers="all")
def test_each_line_by_sympy(statement):
    # 1: σ is positively homogeneous, so s σ(cx + y) = σ(rx + sy) asks for s c = r.
    require_zero(1, S * statement.shift - R)
    # 2: the integrand split, and the two integrals, for a of either sign.
    require_zero(2, (Y + A) * density(Y) - sum(statement.split))
    require_zero(2, integral_of_tail() - statement.inner)
    # 3: the integrands agree.
    b = R * X / S
    inner = S * X * density(X) * (density(b) + b * distribution(b))
    require_zero(3, inner - statement.first_integrand - statement.second_integrand)
    # 4.
    require_zero(4, X / (2 * sp.pi) * sp.exp(-(X**2) / (2 * S**2)) - statement.middle)
    require_zero(4, integral_of_first() - statement.first)
    # 5: Φ(ax) is to be the factor Φ(rx/s) of line 3.
    require_zero(5, statement.abbreviation - R / S)
    # 6: the boundary term vanishes at 0 and ∞; the rest is the product rule.
    boundary = -X * density(X) * distribution(A * X)
    require_zero(6, sp.diff(boundary, X) + statement.by_parts - X**2 * density(X) * distribution(A * X))
    # 7: with the a of line 5.
    product = integral_of_product()
    require_zero(7, (A * product).subs(A, statement.abbreviation) - statement.product)
    # 8: differentiation under the integral sign; f(0) is half of the half-line's mass.
    require_zero(8, product - statement.slope)
    require_zero(8, integral_of_half() - statement.at_zero)
    require_zero(8, sp.diff(statement.antiderivative, A) - statement.slope)
    require_zero(8, statement.antiderivative.subs(A, 0) - statement.at_zero)
    # 9: the sum of the lines, and the moment integrated in polar coordinates.
    f = statement.antiderivative.subs(A, R / S)
    require_zero(9, S * statement.first + R * (f + statement.product) - statement.total)


@cache
def integral_of_tail():
    """∫_{−a}^∞ (y + a) φ(y) dy, from the antiderivative −φ(y) + a Φ(y) of its integrand."""
    antiderivative = -density(Y) + A * distribution(Y)
    require(sp.simplify(sp.diff(antiderivative, Y) - (Y + A) * density(Y)) == 0, "not an antiderivative")
    return sp.limit(antiderivative, Y, sp.oo) - antiderivative.subs(Y, -A)


@cache
def integral_of_first():
    """∫_0^∞ x/(2π) exp(−x²/(2s²)) dx."""
    scale = sp.Symbol("s", positive=True)
    return sp.integrate(X / (2 * sp.pi) * sp.exp(-(X**2) / (2 * scale**2)), (X, 0, sp.oo)).subs(scale, S)


@cache
def integral_of_product():
    """∫_0^∞ x φ(x) φ(ax) dx."""
    return sp.integrate(X * density(X) * density(A * X), (X, 0, sp.oo), conds="none")


@cache
def integral_of_half():
    """∫_0^∞ φ(x) Φ(0) dx."""
    return sp.integrate(density(X) * distribution(sp.Integer(0)), (X, 0, sp.oo))


IN_BALLS = {
    "exp": lambda z: acb(z).exp(), "erf": lambda z: acb(z).erf(), "sqrt": lambda z: acb(z).sqrt(),
    "atan": lambda z: acb(z).atan(), "pi": acb.pi(),
}  # fmt: skip


@cache
def compiled(expression):
    """A right side as a function of balls (r, a, x, y)."""
    return sp.lambdify((R, A, X, Y), expression, [IN_BALLS])


def phi(z):
    return (-z * z / 2).exp() / (2 * acb.pi()).sqrt()


def Phi(z):
    return (1 + (z / acb(2).sqrt()).erf()) / 2


def enclosed(integrand, low=0):
    """The integral to infinity of what falls faster than 100 e^(−y²/4): to 24, in a ball; less than 1e-50 is beyond."""
    return acb.integral(lambda z, _: integrand(z), acb(low), acb(24))


@claim.check(
    "enclosed",
    covers=Instances("r = ±1/20 … ±19/20, a in [−3, 3], x in [1/10, 4], y in [−3, 3], 50 points drawn at random"),
)
@given(
    st.integers(1, 19), st.sampled_from([1, -1]), st.integers(-300, 300), st.integers(10, 400), st.integers(-300, 300)
)  # fmt: skip
def test_each_line_in_balls(statement, r, sign, a, x, y):
    # Integrals enclosed rigorously: a line is false if the balls of its two sides are more than 1e-12 apart.
    shown = {"r": Fraction(sign * r, 20), "a": Fraction(a, 100), "x": Fraction(x, 100), "y": Fraction(y, 100)}
    with ctx.workprec(90):
        r, a, x, y = (acb(value.numerator) / value.denominator for value in shown.values())
        s = (1 - r * r).sqrt()

        def number(expression, a=a, x=x, y=y):
            return acb(compiled(expression)(r, a, x, y))

        def agree(line, left, right):
            sides = [float(side.real.mid()) for side in (left, right)]
            require(left.rad() < 1e-13 and right.rad() < 1e-13, "the balls are too wide", line=line, **shown)
            require_close(*sides, f"line {line} is false", atol=1e-12, **shown)

        def positive(z):
            return z if float(z.real.mid()) > 0 else acb(0)

        agree(1, s * positive(number(statement.shift) * x + y), positive(r * x + s * y))
        agree(2, enclosed(lambda z: (z + a) * phi(z), low=-a), number(statement.inner))
        agree(2, (y + a) * phi(y), sum((number(part) for part in statement.split), acb(0)))
        b = r * x / s
        both = number(statement.first_integrand) + number(statement.second_integrand)
        agree(3, s * x * phi(x) * (phi(b) + b * Phi(b)), both)
        agree(4, x / (2 * acb.pi()) * (-((x / s) ** 2) / 2).exp(), number(statement.middle))
        agree(4, enclosed(lambda z: z / (2 * acb.pi()) * (-((z / s) ** 2) / 2).exp()), number(statement.first))
        agree(5, number(statement.abbreviation) * x, b)
        slope = phi(x) * Phi(a * x) - x * x * phi(x) * Phi(a * x) + a * x * phi(x) * phi(a * x)  # of x φ(x) Φ(ax)
        agree(6, x * x * phi(x) * Phi(a * x), number(statement.by_parts) - slope)
        c = number(statement.abbreviation)
        agree(7, c * enclosed(lambda z: z * phi(z) * phi(c * z)), number(statement.product))
        agree(8, enclosed(lambda z: z * phi(z) * phi(a * z)), number(statement.slope))
        agree(8, enclosed(lambda z: phi(z) / 2), number(statement.at_zero))
        agree(8, enclosed(lambda z: phi(z) * Phi(a * z)), number(statement.antiderivative))
        moment = enclosed(lambda z: z * phi(z) * s * (phi(r * z / s) + r * z / s * Phi(r * z / s)))
        agree(9, moment, number(statement.total))
        library = relu_kernel.expected_product(float(r.real.mid())) / 2
        require_close(library, float(moment.real.mid()), "relu_kernel.expected_product", rtol=1e-12, **shown)
