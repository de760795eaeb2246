r"""Random ReLU features of two unit vectors: expected product, variance and distance.

Rows of :math:`W \in \mathbb R^{D\times d}` are independent with entries from N(0, 2/D), σ is the ReLU and x, y are unit
vectors with inner product r = cos θ. In the plane that they span a row is a Gaussian vector with polar coordinates
(ρ, φ), x at the angle 0 and y at θ, so that every moment of a feature separates into a radial and an angular integral:

.. math::
    \mathbb E\, \sigma(u)^p \sigma(v)^q
        = \frac{1}{2\pi} \int_0^\infty \rho^{p+q+1} e^{-\rho^2/2} d\rho
          \int_{\theta-\pi/2}^{\pi/2} \cos^p\varphi\, \cos^q(\varphi-\theta)\, d\varphi,

(u, v) standard Gaussian with correlation r. What is called *distance ratio* here is
:math:`\|\sigma(Wx)-\sigma(Wy)\| / \|x-y\|` in a mean over W.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import poch

from theory.arguments import check_integer

if TYPE_CHECKING:
    import flint
    import sympy as sp
    from jaxtyping import Float

__all__ = [
    "derive_moment",
    "distance_ratio",
    "distance_ratio_bounds",
    "distance_ratio_slope",
    "enclose_expected_product",
    "expected_product",
    "opposite_distance_ratio",
    "product_moment_bound",
    "product_variance",
    "squared_distance_variance",
]


def expected_product(r: ArrayLike) -> Float[np.ndarray, "..."]:
    r"""Expected inner product of the random features of two unit vectors, :math:`(\sin\theta+(\pi-\theta)\cos\theta)/\pi`.

    Parameters
    ----------
    r : array_like
        Inner product of the vectors, in [−1, 1].

    Returns
    -------
    ndarray of float, the shape of r
        Between 0 at r = −1 and 1 at r = 1, to a few units in the last place throughout.

    Raises
    ------
    ValueError
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
    return _lune(np.arccos(-_correlation(r))) / np.pi


def product_variance(r: ArrayLike) -> Float[np.ndarray, "..."]:
    r"""D times the variance of the inner product of the random features: the variance of one feature's share, scaled.

    .. math::
        D \operatorname{Var}\bigl(\sigma(Wx)^\top\sigma(Wy)\bigr)
        = \frac{2}{\pi}\bigl(3\sin\theta\cos\theta + (\pi-\theta)(1+2\cos^2\theta)\bigr)
          - \frac{1}{\pi^2}\bigl(\sin\theta+(\pi-\theta)\cos\theta\bigr)^2

    It is independent of D, rises from 0 at r = −1 over 1 − 1/π² at r = 0 to 5 at r = 1.

    Parameters
    ----------
    r : array_like
        Inner product of the vectors, in [−1, 1].

    Returns
    -------
    ndarray of float, the shape of r

    Raises
    ------
    ValueError
        If an entry is outside [−1, 1] or not a number.

    References
    ----------
    agop, Proposition A.1, which states the order 1/D.

    Examples
    --------
    >>> product_variance([-1.0, 1.0])
    array([0., 5.])
    """
    delta = np.arccos(-_correlation(r))
    second_moment = 2 / np.pi * _arc_of_squares(delta)
    return second_moment - (_lune(delta) / np.pi) ** 2


def product_moment_bound(p: int) -> int:
    r"""Bound on the p-th moment of one feature's share, :math:`\mathbb E (2\sigma(u)\sigma(v))^p \le \tfrac12 4^p p!`.

    By Cauchy–Schwarz the moment is at most :math:`2^p (2p-1)!!/2 = (2p)!/(2\,p!)`, its value at r = 1. This is
    Bernstein's condition with variance factor 16 and scale 4: the product is sub-exponential, and

    .. math::
        \Pr\bigl(|\sigma(Wx)^\top\sigma(Wy) - \mathbb E| \ge \sqrt{32 s/D} + 4s/D\bigr) \le 2e^{-s}.

    Parameters
    ----------
    p : int
        Order, at least 1.

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


def derive_moment(p: int, q: int) -> sp.Expr:
    r"""The moment :math:`\mathbb E\,\sigma(u)^p\sigma(v)^q` integrated by SymPy, an expression in ``theta`` on [0, π].

    Parameters
    ----------
    p, q : int
        Powers, at least 1.

    Returns
    -------
    sympy.Expr
        In the symbol ``theta``.

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


def enclose_expected_product(r: Fraction | int | float | str, *, digits: int = 50) -> flint.arb:
    r"""The expected inner product as a ball that is proved to contain it, by integrating the definition.

    The rows' two coordinates in the plane of x = e₁ and y = r e₁ + s e₂ are integrated numerically with error bounds,

    .. math:: 2 \int_0^\infty \int_{-rx/s}^\infty x\,(rx + sy)\, \frac{e^{-(x^2+y^2)/2}}{2\pi}\, dy\, dx,

    over the square of half-width T; what lies outside is enclosed by its bound :math:`8\varphi(T)(T + 2/T)`. No closed
    form is used.

    Parameters
    ----------
    r : Fraction, int, float or str
        Inner product of the vectors, in [−1, 1]: exact, a float its binary value, a string a fraction or decimal.
    digits : int, optional
        Significant digits wanted of values that are not small.

    Returns
    -------
    flint.arb

    Raises
    ------
    ValueError
        If r is outside [−1, 1].

    Examples
    --------
    >>> enclose_expected_product("1/2", digits=20).contains(enclose_expected_product("1/2", digits=40))
    True
    """
    import flint

    digits = check_integer("digits", digits, at_least=1)
    exact = Fraction(r)
    if not -1 <= exact <= 1:
        raise ValueError(f"r = {r!r}; r must be in [-1, 1]")
    with flint.ctx.workdps(digits + 15):
        half_width = flint.arb(int(2.2 * (digits + 12) ** 0.5) + 1)
        density = (-(half_width**2) / 2).exp() / (2 * flint.arb.pi()).sqrt()
        missed = 8 * density * (half_width + 2 / half_width)
        inside = _integrate_square(flint.arb(flint.fmpq(exact.numerator, exact.denominator)), half_width)
        return inside + flint.arb(0.5, 0.5) * missed


def _integrate_square(r: flint.arb, half_width: flint.arb) -> flint.arb:
    """The definition's integral over the part of the square where both features are active."""
    from flint import acb, arb

    def inner(x: acb, below: acb) -> acb:
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


# Distances.


def distance_ratio(theta: ArrayLike) -> Float[np.ndarray, "..."]:
    r"""Root-mean-square distance of the random features over the distance of the vectors, for two vectors at angle θ.

    .. math::
        \frac{\sqrt{\mathbb E\|\sigma(Wx)-\sigma(Wy)\|^2}}{\|x-y\|}
        = \sqrt{1 - \frac{\sin\theta-\theta\cos\theta}{\pi(1-\cos\theta)}}

    It falls strictly, from 1 (the limit at θ = 0) to 1/√2 at θ = π, for every number D of features.

    Parameters
    ----------
    theta : array_like
        Angle between the vectors, in [0, π].

    Returns
    -------
    ndarray of float, the shape of theta

    Raises
    ------
    ValueError
        If an angle is outside [0, π] or not a number.

    References
    ----------
    agop-v1, Figure 4.

    Examples
    --------
    >>> distance_ratio([0.0, np.pi]) ** 2
    array([1. , 0.5])
    """
    ratio: Float[np.ndarray, "..."] = np.sqrt(1 - _drop(_angle(theta)))
    return ratio


def distance_ratio_slope(theta: ArrayLike) -> Float[np.ndarray, "..."]:
    r"""The derivative of `distance_ratio` squared, :math:`-\sin\theta(\theta-\sin\theta)/(\pi(1-\cos\theta)^2)`.

    Negative inside (0, π), −2/(3π) at θ = 0 and 0 at θ = π.

    Examples
    --------
    >>> distance_ratio_slope([0.0, np.pi / 2]).round(4)
    array([-0.2122, -0.1817])
    """
    theta = _angle(theta)
    # θ − sin θ = θ³/6 (1 − θ²/20 (1 − θ²/42 (…))), without the cancellation of the difference
    tail = np.ones_like(theta)
    for k in range(9, 0, -1):
        tail = 1 - theta**2 / ((2 * k + 2) * (2 * k + 3)) * tail
    excess = np.where(theta < 1, theta**3 / 6 * tail, theta - np.sin(theta))
    small = theta < 1e-9
    slope = -np.sin(theta) * excess / (4 * np.pi * np.sin(np.where(small, 1.0, theta) / 2) ** 4)
    return np.where(small, -2 / (3 * np.pi), slope)


def squared_distance_variance(theta: ArrayLike) -> Float[np.ndarray, "..."]:
    r"""D times the relative variance of the squared distance S of the random features, D Var S / (E S)².

    It is independent of D: the variance of one feature's share in units of its squared mean. 5 at θ = 0, 2 at θ = π.

    Notes
    -----
    On the arc where both features are active, :math:`\cos\varphi-\cos(\varphi-\theta)
    = -2\sin(\theta/2)\sin(\varphi-\theta/2)`; on the two arcs of length θ where one is, the difference is that feature.

    Examples
    --------
    >>> squared_distance_variance([0.0, np.pi]).round(12)
    array([5., 2.])
    """
    theta = _angle(theta)
    chord = 2 * np.sin(theta / 2)
    small = theta < 1e-6  # there the arcs of one active feature are below rounding
    scale = np.where(small, 1.0, chord)
    alone = np.where(small, 0.0, _fourth_power_of_sine(theta) / scale**4)
    both = _fourth_power_of_sine((np.pi - theta) / 2)
    fourth = 4 * (8 / (2 * np.pi)) * (2 * alone + 2 * both)
    relative: Float[np.ndarray, "..."] = fourth / (1 - _drop(theta)) ** 2 - 1
    return relative


def distance_ratio_bounds(theta: ArrayLike, D: int) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    r"""Bounds on the expected distance ratio :math:`\mathbb E\|\sigma(Wx)-\sigma(Wy)\|/\|x-y\|` with D features.

    Parameters
    ----------
    theta : array_like
        Angle between the vectors, in [0, π].
    D : int
        Number of features, at least 1.

    Returns
    -------
    lower, upper : ndarray of float
        With R the `distance_ratio` and v the `squared_distance_variance`: R (1 − v/(2D)) and R.

    Notes
    -----
    The upper bound is Jensen's. The lower one is the mean of :math:`\sqrt s \ge \frac{1+s}{2} - \frac{(1-s)^2}{2}`, which
    is :math:`(t-1)^2(t+2) \ge 0` for t = √s, at the squared distance in units of its mean.

    Examples
    --------
    >>> lower, upper = distance_ratio_bounds(np.pi, 64)
    >>> bool(lower < opposite_distance_ratio(64) < upper)
    True
    """
    D = check_integer("D", D, at_least=1)
    ratio = distance_ratio(theta)
    return ratio * (1 - squared_distance_variance(theta) / (2 * D)), ratio


def opposite_distance_ratio(D: int) -> float:
    r"""The expected distance ratio of two opposite vectors, :math:`\Gamma(\tfrac{D+1}2)/(\sqrt D\,\Gamma(\tfrac D2))`.

    There :math:`\sigma(Wx)-\sigma(-Wx) = Wx`, whose norm is √(2/D) times a χ variable with D degrees of freedom. Below
    1/√2 for every D, and 1/√2 in the limit.

    Examples
    --------
    >>> round(opposite_distance_ratio(1) * np.pi**0.5, 12)
    1.0
    """
    D = check_integer("D", D, at_least=1)
    # Γ((D+1)/2)/Γ(D/2) as the Pochhammer symbol (D/2)_{1/2}, which does not overflow
    return float(poch(D / 2, 0.5) / np.sqrt(D))


# Pieces, each evaluated without cancellation.


def _correlation(r: ArrayLike) -> Float[np.ndarray, "..."]:
    r = np.asarray(r, dtype=np.float64)
    if not np.all(np.abs(r) <= 1):  # also catches NaN
        raise ValueError(f"r = {r!r}; every entry must be in [-1, 1]")
    return r


def _angle(theta: ArrayLike) -> Float[np.ndarray, "..."]:
    theta = np.asarray(theta, dtype=np.float64)
    if not np.all((theta >= 0) & (theta <= np.pi)):
        raise ValueError(f"theta = {theta!r}; every angle must be in [0, pi]")
    return theta


def _lune(x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """sin x − x cos x on [0, π]; below 1.5 by its series x³/3 (1 − x²/10 (1 − x²/28 (1 − x²/54 (…))))."""
    tail = np.ones_like(x)
    for k in range(12, 0, -1):  # the ratio of consecutive terms is −x²/(2k(2k+3))
        tail = 1 - x**2 / (2 * k * (2 * k + 3)) * tail
    value: Float[np.ndarray, "..."] = np.where(x < 1.5, x**3 / 3 * tail, np.sin(x) - x * np.cos(x))
    return value


def _arc_of_squares(x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """x (1 + 2 cos² x) − 3 sin x cos x on [0, π]; below 0.5 by its series."""
    t = 2 * x
    series = sum((-1) ** k * t ** (2 * k + 1) * (k - 1) / factorial(2 * k + 1) for k in range(2, 14))
    value: Float[np.ndarray, "..."] = np.where(x < 0.5, series, t + t / 2 * np.cos(t) - 1.5 * np.sin(t))
    return value


def _fourth_power_of_sine(x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """∫₀ˣ sin⁴ on [0, π]; below 0.5 by its series."""
    series = sum(
        (-1) ** k * (4 ** (2 * k + 1) - 4 ** (k + 2)) * x ** (2 * k + 1) / factorial(2 * k + 1) for k in range(2, 14)
    )
    closed = (12 * x - 8 * np.sin(2 * x) + np.sin(4 * x)) / 32
    value: Float[np.ndarray, "..."] = np.where(x < 0.5, series / 32, closed)
    return value


def _drop(theta: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """1 − `distance_ratio`², which is 2θ/(3π) to first order."""
    small = theta < 1e-9
    chord = 2 * np.sin(np.where(small, 1.0, theta) / 2)
    return np.where(small, 2 * theta / (3 * np.pi), 2 * _lune(theta) / (np.pi * chord**2))
