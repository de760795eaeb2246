"""theory.deep_rfm.relu_kernel: accuracy against 40 digits, enclosures, cosines above 1 by rounding, wrong input."""

import time
from fractions import Fraction
from math import comb

import flint
import mpmath as mp
import numpy as np
import pytest
import sympy as sp
import torch

from theory.deep_rfm import relu_kernel

ANGLES = np.concatenate([np.logspace(-6, -1, 12), np.linspace(0.1, 3.1, 31), np.pi - np.logspace(-4, -1, 8)])


@pytest.mark.parametrize("theta", ANGLES)
def test_product_and_variance_against_forty_digits(moments, theta):
    with mp.workdps(40):
        r = float(np.cos(theta))
        exact = mp.acos(mp.mpf(r))
        mean = 2 * moments[1, 1](exact)
        variance = 4 * moments[2, 2](exact) - mean**2
        assert abs(relu_kernel.expected_product(r) - mean) <= 1e-15 * mean + mp.mpf(10) ** -35
        assert abs(relu_kernel.product_variance(r) - variance) <= 4e-14 * variance + mp.mpf(10) ** -30


def test_enclosures_contain_the_function_and_shrink():
    for r in (Fraction(-99, 100), Fraction(-1, 3), Fraction(1, 2), "0.999"):
        narrow, wide = (relu_kernel.enclose_expected_product(r, digits=digits) for digits in (40, 12))
        assert wide.contains(narrow)
        assert narrow.rad() < flint.arb("1e-40") < wide.rad()
        assert abs(float(narrow.mid()) - relu_kernel.expected_product(float(Fraction(r)))) < 1e-15


def test_enclosure_notices_another_formula():
    ball = relu_kernel.enclose_expected_product(Fraction(1, 2), digits=30)
    without_pi = (3**0.5 / 2 - np.pi / 3 / 2) / np.pi
    assert not ball.overlaps(flint.arb(without_pi, 1e-10))


@pytest.mark.parametrize("digits", range(1, 41, 3))
def test_enclosures_contain_the_value_at_every_number_of_digits(digits):
    """The closed form to 80 digits; where one coordinate suffices, too."""
    for r in (Fraction(-1), Fraction(-7, 8), Fraction(0), Fraction(3, 10), Fraction(999, 1000), Fraction(1)):
        ball = relu_kernel.enclose_expected_product(r, digits=digits)
        with flint.ctx.workdps(80):
            cosine = flint.arb(flint.fmpq(r.numerator, r.denominator))
            exact = ((1 - cosine**2).sqrt() + (flint.arb.pi() - cosine.acos()) * cosine) / flint.arb.pi()
            assert ball.overlaps(exact)
        assert float(ball.rad()) < 10.0**-digits


@pytest.mark.parametrize("T", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("r", [-0.9, 0.0, 0.5, 0.99, 1.0])
def test_tail_bound_bounds_what_lies_outside_of_the_square(T, r):
    """By integration in polar coordinates outside of the square; it is at most 24 times what it is for r = 1."""
    theta = mp.acos(r)

    def outside(phi):
        start = T / max(abs(mp.cos(phi)), abs(mp.sin(phi)))
        radial = (start**2 / 2 + 1) * 2 * mp.exp(-(start**2) / 2)  # ∫ ρ³ e^{−ρ²/2} from there on
        return mp.cos(phi) * mp.cos(phi - theta) * radial / (2 * mp.pi)

    corners = [-mp.pi / 4, mp.pi / 4]
    ends = [theta - mp.pi / 2, *(c for c in corners if theta - mp.pi / 2 < c < mp.pi / 2), mp.pi / 2]
    missed = 2 * mp.quad(outside, ends)
    bound = float(relu_kernel.tail_bound(flint.arb(T)))
    assert 0 <= missed <= bound
    if r == 1.0:
        assert bound <= 24 * missed


@pytest.mark.parametrize("p", [1, 2, 3])
def test_moment_bound_is_the_one_stated_and_holds(p):
    """4ᵖ p!/2, against the moment at r = 1: it is larger by 4ᵖ/C(2p, p)."""
    largest = 2**p * relu_kernel.derive_moment(p, p).subs(sp.Symbol("theta"), 0)
    bound = relu_kernel.product_moment_bound(p)
    assert bound * 2 == 4**p * sp.factorial(p)
    assert sp.Rational(bound) / largest == sp.Rational(4**p, comb(2 * p, p))


def test_enclosures_end_in_time():
    started = time.perf_counter()
    for r in (1, "1/3", "-1/3", "0.999"):
        with pytest.raises(TimeoutError, match=r"time_limit = 0\.2 s"):
            relu_kernel.enclose_expected_product(r, digits=3000, time_limit=0.2)
    assert time.perf_counter() - started < 10
    with pytest.raises(ValueError, match="time_limit = 0"):
        relu_kernel.enclose_expected_product("1/3", time_limit=0)


@pytest.mark.parametrize("function", [relu_kernel.expected_product, relu_kernel.product_variance])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_cosines_that_exceed_one_by_rounding(function, dtype):
    X = np.random.default_rng(0).standard_normal((300, 7)).astype(dtype)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    gram = X @ np.concatenate([X, -X]).T
    assert gram.max() > 1
    assert gram.min() < -1
    found = function(gram)
    assert np.array_equal(found, function(np.clip(gram, -1, 1)))
    assert np.array_equal(found, function(torch.from_numpy(gram).requires_grad_()))
    assert found.max() == function(1.0)
    assert found.min() >= 0


@pytest.mark.parametrize(("dtype", "allowed", "refused"), [(np.float64, 2e-13, 3e-13), (np.float32, 1e-4, 2e-4)])
def test_how_much_counts_as_rounding(dtype, allowed, refused):
    assert relu_kernel.expected_product(dtype(1 + allowed)) == 1
    assert relu_kernel.expected_product(dtype(-1 - allowed)) == 0
    for sign in (1, -1):
        with pytest.raises(ValueError, match=r"r = -?1\.0.*; r must be in \[-1, 1\]"):
            relu_kernel.expected_product(dtype(sign * (1 + refused)))
    with pytest.raises(ValueError, match=r"r\[1, 0\] = 2.0; r must be in \[-1, 1\]"):
        relu_kernel.expected_product([[0.5, 1.0], [2.0, -3.0]])


@pytest.mark.parametrize("r", [1.0000001, -2])
@pytest.mark.parametrize("function", [relu_kernel.expected_product, relu_kernel.product_variance])
def test_inner_product_out_of_range(function, r):
    with pytest.raises(ValueError, match=r"r = .*\[-1, 1\]"):
        function(r)


@pytest.mark.parametrize("r", [np.nan, [0.5, np.inf]])
@pytest.mark.parametrize("function", [relu_kernel.expected_product, relu_kernel.product_variance])
def test_inner_product_that_is_no_number(function, r):
    with pytest.raises(ValueError, match=r"r.* = (nan|inf); r must be finite"):
        function(r)
    with pytest.raises(TypeError, match="r is a masked array"):
        function(np.ma.masked_array([0.5, 0.5], mask=[0, 1]))


def test_enclosure_out_of_range():
    with pytest.raises(ValueError, match=r"r = '1.1'"):
        relu_kernel.enclose_expected_product("1.1")
    with pytest.raises(ValueError, match="digits = 0"):
        relu_kernel.enclose_expected_product(0, digits=0)


@pytest.mark.parametrize("half_width", [1, 2, 6, 12])
def test_tail_is_above_the_squared_radius_and_the_bound_stated(half_width):
    """2 E ρ² where a coordinate exceeds T is at most 8Tφ(T) + 16Q(T), and that at most 8φ(T)(T + 2/T)."""
    with mp.workdps(30):
        T = mp.mpf(half_width)
        least = 8 * T * mp.npdf(T) + 16 * mp.ncdf(-T)
        stated = 8 * mp.npdf(T) * (T + 2 / T)
        found = mp.mpf(relu_kernel.tail_bound(flint.arb(half_width)).upper().str(20, radius=False))
        assert least <= found <= stated * (1 + mp.mpf("1e-12"))
        assert found >= stated * (1 - mp.mpf("1e-12"))
