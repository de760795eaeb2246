r"""The expected inner product of random ReLU features (agop, Proposition A.1; agop-v1, Proposition 5.1).

For unit vectors x, y with $x^\top y = r = \cos\theta$ and $W \in \mathbb R^{D\times d}$ with independent
entries from N(0, 2/D),

$$
\mathbb E\,\sigma(Wx)^\top\sigma(Wy) = \frac1\pi\bigl(\sin\theta + (\pi-\theta)\cos\theta\bigr).
$$

agop-v1 prints the same function of r as
$\frac{(1-r^2)^{3/2}}{\pi} + \frac{r^2\sqrt{1-r^2}}{\pi} + \frac r2 + \frac r\pi\arctan\frac{r}{\sqrt{1-r^2}}$,
which at r = ±1 is a limit. The variance and the tail are in agop.prop-A1.variance.
"""

from fractions import Fraction
from functools import cache

import flint
import numpy as np
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from nct.ledger import Claim, Instances, Statement, require, require_close, require_equal
from theory.deep_rfm import relu_kernel

R = sp.Symbol("r", real=True)
THETA = sp.Symbol("theta")


def in_angle(expression):
    """A formula in θ as a SymPy expression in r."""
    return sp.sympify(expression).subs(THETA, sp.acos(R))


AS_PRINTED = in_angle((sp.sin(THETA) + (sp.pi - THETA) * sp.cos(THETA)) / sp.pi)

claim = Claim(
    id="agop.prop-A1",
    title="Expected inner product of random ReLU features",
    source="agop, Proposition A.1, equation (8); agop-v1, Proposition 5.1, equation (1)",
    verdict="holds",
    printed=Statement(
        r"\mathbb E\,\sigma(Wx)^\top\sigma(Wy) = \tfrac1\pi(\sin\theta + (\pi-\theta)\cos\theta), \quad "
        r"W_{ij} \sim N(0, 2/D), \; \theta = \cos^{-1} r",
        AS_PRINTED,
        formulas={
            r"\tfrac1\pi(\sin\theta + (\pi-\theta)\cos\theta)": lambda product, theta=(0, 1, 3): product.subs(
                R, sp.cos(theta)
            )
        },
    ),
    near_misses={
        "without π": in_angle((sp.sin(THETA) - THETA * sp.cos(THETA)) / sp.pi),
        "entries from N(0, 1/D)": AS_PRINTED / 2,
        "the kernel of order zero": in_angle((sp.pi - THETA) / sp.pi),
        "π − θ from π/2 on the cosine": in_angle((sp.sin(THETA) + (sp.pi / 2 - THETA) * sp.cos(THETA)) / sp.pi),
        "1.001 times as much": AS_PRINTED * sp.Rational(1001, 1000),
        "arctan(r) in version 1": sp.sqrt(1 - R**2) / sp.pi + R / 2 + R / sp.pi * sp.atan(R),
    },
)


PRODUCTS = [Fraction(-1), Fraction(-2, 3), Fraction(0), Fraction(1, 7), Fraction(5, 6), Fraction(1)]


@cache
def compiled(statement):
    """The statement in float64."""
    return sp.lambdify(R, statement, "math")


@claim.check("derived", covers="all")
def test_gaussian_integral(statement):
    # D features of variance 2/D each: D · (2/D) times the moment of a standard Gaussian pair.
    expected = 2 * relu_kernel.derive_moment(1, 1)
    stated = statement.subs(sp.acos(R), THETA).subs(sp.sqrt(1 - R**2), sp.sin(THETA)).subs(R, sp.cos(THETA))
    require_equal(sp.simplify(stated / expected), 1, "differs from the integral, over it")


@claim.check("derived", covers="all")
def test_same_function_as_in_the_first_version(statement):
    # Analytic on (−1, 1), with one second derivative, and with one value and slope at 0: one function.
    root = sp.sqrt(1 - R**2)
    first = root**3 / sp.pi + R**2 * root / sp.pi + R / 2 + R / sp.pi * sp.atan(R / root)
    for order in (0, 1):
        at_0 = sp.simplify(sp.diff(statement - first, R, order).subs(R, 0))
        require(at_0 == 0, "differs from the form of version 1", derivative=order, at="r = 0", difference=at_0)
    curvature = sp.simplify(sp.diff(statement - first, R, 2))
    require(curvature == 0, "its second derivative differs from that of version 1", difference=curvature)


@claim.check("enclosed", covers=Instances("r = −1, −2/3, 0, 1/7, 5/6, 1, to fifty digits"))
def test_definition_enclosed_to_fifty_digits(statement):
    for r in PRODUCTS:
        ball = relu_kernel.enclose_expected_product(r, digits=50)
        with flint.ctx.workdps(65):
            stated = flint.arb(str(sp.N(statement.subs(R, sp.Rational(r)), 60)))
            # 10⁻⁵⁰ is far above the ball's radius and the sixtieth digit of the formula.
            require(abs(stated - ball) < flint.arb("1e-50"), "differs from the integral of the definition", r=r)


@claim.check("property", covers=Instances("pairs of uniform directions in 2–12 dimensions, drawn at random"))
@given(st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_angular_quadrature_for_random_vectors(statement, d, seed):
    # A Gaussian row in the plane of x and y is a radius times a direction; σ scales, and the mean square radius is 2.
    x, y = np.random.default_rng(seed).standard_normal((2, d))
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
    r = float(np.clip(x @ y, -1, 1))
    breaks = np.sort(
        np.mod([np.pi / 2, 3 * np.pi / 2, np.arccos(r) + np.pi / 2, np.arccos(r) + 3 * np.pi / 2], 2 * np.pi)
    )
    edges = np.concatenate([[0], breaks, [2 * np.pi]])
    nodes, weights = np.polynomial.legendre.leggauss(24)  # exact to rounding: the integrand is smooth between breaks
    angle = edges[:-1, None] + np.diff(edges)[:, None] * (nodes + 1) / 2
    product = np.maximum(np.cos(angle), 0) * np.maximum(np.cos(angle - np.arccos(r)), 0)
    mean = 2 * 2 * float((product @ weights) @ np.diff(edges)) / 2 / (2 * np.pi)
    stated = compiled(statement)(r)
    require_close(stated, mean, "differs from the mean over directions", atol=1e-13, r=r)
    require_close(relu_kernel.expected_product(r), mean, "relu_kernel.expected_product differs", atol=1e-13, r=r)


@claim.check(
    "simulated",
    covers=Instances("r = −0.8, −0.3, 0, 0.5, 0.95, 10⁶ features"),
    blind_to={"1.001 times as much": "within the statistical error"},
)
def test_monte_carlo(statement):
    # One feature's share has the variance that relu_kernel.product_variance derives. At 4.9 standard errors, five
    # points and a Gaussian mean (10⁶ terms), the statement is rejected by chance with probability below 5·10⁻⁶.
    generator = torch.Generator().manual_seed(20240507)
    D, d = 1_000_000, 3
    W = torch.randn(D, d, generator=generator, dtype=torch.float64) * (2 / D) ** 0.5
    for r in (-0.8, -0.3, 0.0, 0.5, 0.95):
        x = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
        y = torch.tensor([r, 0.6 * (1 - r**2) ** 0.5, 0.8 * (1 - r**2) ** 0.5], dtype=torch.float64)
        mean = float(torch.relu(W @ x) @ torch.relu(W @ y))
        error = float(relu_kernel.product_variance(r) / D) ** 0.5
        stated = compiled(statement)(r)
        require_close(stated, mean, "off the simulation", atol=4.9 * error, r=r)
