r"""Random ReLU features of two unit vectors: the mean and the variance of their inner product.

Rows of W ∈ ℝ^{D×d} are independent with entries from N(0, 2/D), σ is the ReLU and x, y are unit vectors with inner
product r = cos θ. In the plane that x and y span, a row of W is a Gaussian vector with polar coordinates (ρ, φ), x at
the angle 0 and y at θ, so that every moment of a feature separates into a radial and an angular integral:

$$
\mathbb E\, \sigma(u)^p \sigma(v)^q
    = \frac{1}{2\pi} \int_0^\infty \rho^{p+q+1} e^{-\rho^2/2} d\rho
      \int_{\theta-\pi/2}^{\pi/2} \cos^p\varphi\, \cos^q(\varphi-\theta)\, d\varphi,
$$

for (u, v) standard Gaussian with correlation r. Distances of random features are in `theory.deep_rfm.relu_distance`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_exact, check_integer
from theory.deadline import Deadline
from theory.deep_rfm._arcs import arc_of_squares, as_cosine, lune

if TYPE_CHECKING:
    import flint
    import sympy as sp
    from jaxtyping import Float

__all__ = [
    "derive_moment",
    "enclose_expected_product",
    "expected_product",
    "product_moment_bound",
    "product_variance",
    "tail_bound",
]


def expected_product(r: ArrayLike) -> Float[np.ndarray, "..."] | np.float64:
    """Return the expected inner product of the random features of two unit vectors, (sin θ + (π−θ) cos θ)/π.

    Parameters
    ----------
    r : array_like
        Inner product of the vectors, cos θ, in [−1, 1]; what exceeds that by rounding is cut off.

    Returns
    -------
    ndarray of float, the shape of r
        Between 0 at r = −1 and 1 at r = 1, to a few units in the last place throughout.

    Raises
    ------
    TypeError, ValueError
        If an entry is outside [−1, 1] or not a number.

    Notes
    -----
    With δ = π − θ the value is (sin δ − δ cos δ)/π, which is evaluated without cancellation near r = −1.

    References
    ----------
    agop, Proposition A.1, equation (8); agop-v1, Proposition 5.1, equation (1); the arc-cosine kernel of order one of
    Cho and Saul (2009).

    Examples
    --------
    >>> expected_product([-1.0, 0.0, 1.0])
    array([0.        , 0.31830989, 1.        ])
    """
    return lune(np.arccos(-as_cosine("r", r))) / np.pi


def product_variance(r: ArrayLike) -> Float[np.ndarray, "..."] | np.float64:
    r"""Return D times the variance of the inner product of the random features of two unit vectors.

    $$
    D \operatorname{Var}\bigl(\sigma(Wx)^\top\sigma(Wy)\bigr)
    = \frac{2}{\pi}\bigl(3\sin\theta\cos\theta + (\pi-\theta)(1+2\cos^2\theta)\bigr)
      - \frac{1}{\pi^2}\bigl(\sin\theta+(\pi-\theta)\cos\theta\bigr)^2
    $$

    It is independent of D, rises from 0 at r = −1 over 1 − 1/π² at r = 0 to 5 at r = 1.

    Parameters
    ----------
    r : array_like
        Inner product of the vectors, cos θ, in [−1, 1]; what exceeds that by rounding is cut off.

    Returns
    -------
    ndarray of float, the shape of r

    Raises
    ------
    TypeError, ValueError
        If an entry is outside [−1, 1] or not a number.

    References
    ----------
    agop, Proposition A.1, which states the order 1/D.

    Examples
    --------
    >>> product_variance([-1.0, 1.0])
    array([0., 5.])
    """
    delta = np.arccos(-as_cosine("r", r))
    second_moment = 2 / np.pi * arc_of_squares(delta)
    return second_moment - (lune(delta) / np.pi) ** 2


def product_moment_bound(p: IntegerLike) -> int:
    r"""Return the bound 4ᵖ p!/2 on the p-th moment of one feature's share 2σ(u)σ(v) of the product.

    By Cauchy–Schwarz the moment is at most 2ᵖ (2p−1)!!/2 = (2p)!/(2 p!), its value at r = 1. This is Bernstein's
    condition with variance factor 16 and scale 4: the product is sub-exponential, and

    $$
    \Pr\bigl(|\sigma(Wx)^\top\sigma(Wy) - \mathbb E| \ge \sqrt{32 s/D} + 4s/D\bigr) \le 2e^{-s} .
    $$

    Parameters
    ----------
    p : int
        Order, at least 1.

    Returns
    -------
    int

    Raises
    ------
    TypeError, ValueError
        If p is no integer ≥ 1.

    References
    ----------
    agop, Proposition A.1, last sentence; Boucheron, Lugosi and Massart, *Concentration Inequalities*, Theorem 2.10.

    Examples
    --------
    >>> product_moment_bound(2)  # the moment itself is 6 at r = 1
    16
    """
    p = check_integer("p", p, at_least=1)
    return int(4**p * factorial(p)) // 2


def derive_moment(p: IntegerLike, q: IntegerLike) -> sp.Expr:
    """Return the moment E σ(u)ᵖσ(v)ᵠ as SymPy integrates it, an expression in ``theta`` on [0, π].

    Parameters
    ----------
    p, q : int
        Powers, at least 1.

    Returns
    -------
    sympy.Expr
        In the symbol ``theta``.

    Raises
    ------
    TypeError, ValueError
        If a power is no integer ≥ 1.

    Examples
    --------
    >>> derive_moment(1, 1).subs("theta", 0)  # half of a Gaussian's variance
    1/2
    """
    import sympy as sp
    from sympy.simplify.fu import TR8

    p, q = check_integer("p", p, at_least=1), check_integer("q", q, at_least=1)
    rho, phi = sp.Symbol("rho", positive=True), sp.Symbol("phi", real=True)
    theta = sp.Symbol("theta")
    radial = sp.integrate(rho ** (p + q + 1) * sp.exp(-(rho**2) / 2), (rho, 0, sp.oo))
    waves = sp.expand(TR8(sp.cos(phi) ** p * sp.cos(phi - theta) ** q))  # a sum of cosines, so that it integrates
    angular = sp.integrate(waves, (phi, theta - sp.pi / 2, sp.pi / 2))
    return sp.expand(radial * sp.expand_trig(angular) / (2 * sp.pi))


def enclose_expected_product(r: RealLike, *, digits: IntegerLike = 50, time_limit: RealLike | None = 10.0) -> flint.arb:
    r"""Return the expected inner product as a ball that is proved to contain it, by integrating the definition.

    The rows' two coordinates in the plane of x = e₁ and y = r e₁ + s e₂ are integrated numerically with error bounds,

    $$ 2 \int_0^\infty \int_{-rx/s}^\infty x\,(rx + sy)\, \frac{e^{-(x^2+y^2)/2}}{2\pi}\, dy\, dx, $$

    over the square of half-width T; what lies outside is enclosed by its bound 8φ(T)(T + 2/T), φ the Gaussian density.
    No closed form is used.

    Parameters
    ----------
    r : Fraction, int, float or str
        Inner product of the vectors, in [−1, 1]: exact, a float its binary value, a string a fraction or decimal.
    digits : int
        Significant digits wanted of values that are not small.
    time_limit : float or None
        Seconds that it may take; None for any time.

    Returns
    -------
    flint.arb

    Raises
    ------
    TypeError, ValueError
        If r is outside [−1, 1], or `digits` is no integer ≥ 1.
    TimeoutError
        If it takes longer than the time limit.

    Examples
    --------
    >>> enclose_expected_product("1/2", digits=20).contains(enclose_expected_product("1/2", digits=40))
    True
    """
    digits = check_integer("digits", digits, at_least=1, at_most=LARGEST_SIZE)
    exact, deadline = check_exact("r", r), Deadline(time_limit)
    if not -1 <= exact <= 1:
        raise ValueError(f"r = {r!r}; r must be in [-1, 1]")
    # Arb's nodes of integration cannot be interrupted. Many digits are therefore tried in steps of twice as many, each
    # of which takes about four times as long as the one before: one that would take too long is not begun.
    steps = [digits]
    while steps[0] > 100:
        steps.insert(0, -(-steps[0] // 2))
    still = 0.0
    for step in steps:
        deadline.check(still)
        before = deadline.spent
        ball = _enclosed(exact, step, deadline)
        still = 4 * (deadline.spent - before)
    return ball


def _enclosed(r: Fraction, digits: int, deadline: Deadline) -> flint.arb:
    import flint

    with flint.ctx.workdps(digits + 15):
        half_width = flint.arb(int(2.2 * (digits + 12) ** 0.5) + 1)
        try:
            inside = _integrate_square(flint.arb(flint.fmpq(r.numerator, r.denominator)), half_width, deadline)
        except SystemError as error:  # what python-flint makes of an exception inside of two nested integrals
            raise _origin(error) from None
        return inside + flint.arb(0.5, 0.5) * tail_bound(half_width)


def _origin(error: BaseException) -> BaseException:
    while earlier := error.__cause__ or error.__context__:
        error = earlier
    return error


def tail_bound(half_width: flint.arb) -> flint.arb:
    """Return a bound on the part of the expected product that comes from outside of a square, 8φ(T)(T + 2/T).

    The square has the two coordinates in [−T, T], φ is the Gaussian density. Outside of it one coordinate exceeds T in
    absolute value, and the product is at most the squared radius.

    Parameters
    ----------
    half_width : flint.arb
        T, positive.

    Returns
    -------
    flint.arb

    Examples
    --------
    >>> import flint
    >>> print(tail_bound(flint.arb(6)).str(3))
    [3.08e-7 +/- 1.56e-10]
    """
    from flint import arb

    density = (-(half_width**2) / 2).exp() / (2 * arb.pi()).sqrt()
    return 8 * density * (half_width + 2 / half_width)


def _integrate_square(r: flint.arb, half_width: flint.arb, deadline: Deadline) -> flint.arb:
    """The definition's integral over the part of the square where both features are active."""
    from flint import acb, arb

    def inner(x: acb, below: acb) -> acb:
        deadline.check()
        return acb.integral(lambda y, _: (r * x + s * y) * (-y * y / 2).exp(), below, acb(half_width))

    def over(low: arb, high: arb, below: Callable[[acb], acb]) -> arb:
        strip = acb.integral(lambda x, _: x * (-x * x / 2).exp() * inner(x, below(x)), acb(low), acb(high))
        return strip.real / arb.pi()

    if abs(r) == 1:  # one Gaussian coordinate only, active where both vectors see it positive
        if r < 0:
            return arb(0)
        square = acb.integral(lambda x, _: x * x * (-x * x / 2).exp(), acb(0), acb(half_width))
        return 2 * square.real / (2 * arb.pi()).sqrt()
    s = (1 - r * r).sqrt()
    corner = half_width * s / abs(r) if r != 0 else half_width  # where the edge of the active region leaves the square
    if not corner < half_width:
        return over(arb(0), half_width, lambda x: -r / s * x)
    wedge = over(arb(0), corner, lambda x: -r / s * x)
    return wedge if r < 0 else wedge + over(corner, half_width, lambda _: acb(-half_width))
