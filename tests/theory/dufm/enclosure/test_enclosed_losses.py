"""Enclosures: against other arithmetic and other minimisers, over their whole range, and for wrong input."""

import signal
import subprocess
import sys
import time
from decimal import Decimal
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from theory import dufm
from theory.dufm.enclosure._bounds import Interval


def reference(K, L, lam, digits):
    """Both losses by mpmath: the best of a fine scan of the losses as displayed, polished by the derivative."""
    with mp.workdps(digits + 15):
        lam = mp.mpf(lam.numerator) / lam.denominator if isinstance(lam, Fraction) else mp.mpf(lam)
        r = int((1 + mp.sqrt(1 + 8 * K)) / 2)
        P = lam**L
        S = mp.sqrt(2) + mp.sqrt((r - 1) * (r - 2))
        spectrum = [(mp.binomial(r - 2, 2) ** 2, 1), ((r - 3) ** 2, r - 1), (1, r * (r - 3) // 2)]

        def srg(x):
            b = mp.exp(x)
            norms = mp.mpf(L) / 2 * mp.root(P * S**2 * mp.mpf(r) ** (L - 3) * K**2 / 2 * b, L)
            return norms + lam / 2 * sum(m / (b * e + K * lam) for e, m in spectrum)

        def dnc(x):
            return mp.mpf(L) * K / 2 * mp.root(P * mp.exp(x), L) + lam / 2 * K / (mp.exp(x) + K * lam)

        return [minimum(f) for f in (srg, dnc)]


def minimum(f):
    xs = [mp.mpf(x) / 4 for x in range(-160, 160)]
    best = min(xs, key=f)
    if f(best) >= mp.mpf(1) / 2:
        return mp.mpf(1) / 2
    return f(mp.findroot(lambda x: mp.diff(f, x), best))


@pytest.mark.parametrize(
    ("K", "L", "lam"), [(6, 3, "1e-3"), (10, 4, "5e-4"), (15, 3, Fraction(1, 300)), (28, 5, 1e-3), (45, 8, "0.002")]
)
def test_contains_what_mpmath_finds(K, L, lam):
    srg, dnc = reference(K, L, lam, 30)
    with mp.workdps(45):
        for solution, value in (("srg", srg), ("dnc", dnc)):
            lower, upper = dufm.enclose_loss(solution, K, L, lam, digits=25)
            assert mp.mpf(str(lower)) < value < mp.mpf(str(upper))
        lower, upper = dufm.enclose_ratio(K, L, lam, digits=25)
        assert mp.mpf(str(lower)) < srg / dnc < mp.mpf(str(upper))


def test_rational_loss_of_the_collapsed_solution():
    # With DNC's best scale u rational, so is its loss; the regularisations multiply to u^{L−1}/((1+u)^{2L} K^{L+1}).
    for L in (3, 4, 9):
        for u in (Fraction(L - 1), Fraction(7 * L, 2), Fraction(10**30)):
            product = u ** (L - 1) / (1 + u) ** (2 * L) / 7 ** (L + 1)
            lams = [Fraction(1, 3)] * L
            lams.append(product * 3**L / 2)
            exact = ((L + 1) * u + 1) / (2 * (1 + u) ** 2)
            for digits in (1, 20, 200):
                bounds = dufm.enclose_loss("dnc", 7, L, lams=lams, n=2, digits=digits)
                assert bounds.lower <= exact <= bounds.upper
                assert bounds.upper - bounds.lower <= bounds.lower * Decimal(10) ** -digits


@given(st.floats(0.8, 6), st.integers(3, 60), st.floats(-14, 1), st.sampled_from(["block", "drop", "best"]))
def test_agrees_with_float64(log_K, L, log_scale, construction):
    K = int(10**log_K) + (0 if log_K > 1 else 1)
    log_threshold = ((L - 1) * np.log10(L - 1) - (L + 1) * np.log10(K) - 2 * L * np.log10(L)) / (L + 1)
    lam = float(10 ** (log_threshold + log_scale))
    bounds = dufm.enclose_ratio(K, L, lam, construction=construction, digits=15)
    value = dufm.loss_ratio(K, L, lam, construction=construction)
    assert abs(value / float(bounds.lower) - 1) < 2e-12


def test_thousand_digits_contain_thirty():
    few, many = (dufm.enclose_ratio(10, 4, "5e-4", digits=digits) for digits in (30, 1000))
    assert few.lower <= many.lower < many.upper <= few.upper
    assert many.width <= Decimal("1e-1000")
    assert len(str(many.lower)) > 1000


def test_exact_inputs_stay_exact():
    assert dufm.enclose_loss("srg", 10, 4, "0.0005") == dufm.enclose_loss("srg", 10, 4, Fraction(1, 2000))
    assert dufm.enclose_loss("srg", 10, 4, 5e-4) == dufm.enclose_loss("srg", 10, 4, Fraction(5e-4))
    assert dufm.enclose_loss("srg", 10, 4, "0.0005") != dufm.enclose_loss("srg", 10, 4, 5e-4)


def test_order_of_the_regularisations_does_not_matter_and_n_counts():
    lams = ["1e-9", "3", Fraction(1, 7), "2e-4", 0.5]
    assert dufm.enclose_loss("srg", 12, 4, lams=lams) == dufm.enclose_loss("srg", 12, 4, lams=lams[::-1])
    assert dufm.enclose_loss("srg", 12, 4, lams=lams, n=6) == dufm.enclose_loss(
        "srg", 12, 4, lams=[*lams[:-1], Fraction(3)]
    )


def test_trivial_regime_is_exact():
    assert dufm.enclose_loss("dnc", 10, 4, 1) == (Decimal("0.5"), Decimal("0.5"))
    assert dufm.enclose_loss("srg", 12, 4, 1) == (Decimal("0.5"), Decimal("0.5"))
    assert dufm.enclose_ratio(12, 3, 2) == (1, 1)


def test_extreme_magnitudes():
    for K, L, lam in ((10**12, 60, "1e-300"), (6, 60, "1e-3000"), (10**9, 3, "1e-80")):
        lower, upper = dufm.enclose_ratio(K, L, lam)
        assert 0 < lower < upper < 2
        assert upper - lower < lower * Decimal("1e-30")


@pytest.mark.parametrize("construction", ["block", "drop"])
def test_matrices_through_the_definition_lie_where_the_enclosure_says(construction):
    for K in (7, 8, 9, 12, 14):
        lam = Fraction(1, 5000)
        lower, upper = dufm.enclose_loss("srg", K, 4, lam, construction=construction)
        value = dufm.srg(K, 4, lam, construction=construction).evaluate()
        assert float(lower) * (1 - 1e-12) <= value <= float(upper) * (1 + 1e-12)


# Wrong input.


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "message"),
    [
        (("src", 10, 4, 1e-3), {}, ValueError, "solution = 'src'"),
        (("srg", 5, 4, 1e-3), {}, ValueError, "K = 5"),
        (("dnc", 1, 4, 1e-3), {}, ValueError, "K = 1"),
        (("srg", 10, 2, 1e-3), {}, ValueError, "L = 2"),
        (("srg", 10.5, 4, 1e-3), {}, ValueError, "K = 10.5"),
        (("srg", "10", 4, 1e-3), {}, TypeError, "K = '10'"),
        (("srg", 10, 4, 0), {}, ValueError, "lam = 0"),
        (("srg", 10, 4, float("nan")), {}, ValueError, "lam = nan"),
        (("srg", 10, 4, float("inf")), {}, ValueError, "lam = inf"),
        (("srg", 10, 4, "five"), {}, ValueError, "lam = 'five'"),
        (("srg", 10, 4, None), {}, ValueError, "neither of lam and lams"),
        (("srg", 10, 4, 1e-3), {"lams": [1] * 5}, ValueError, "both of lam and lams"),
        (("srg", 10, 4), {"lams": [1] * 4}, ValueError, "lams has 4 entries"),
        (("srg", 10, 4, 1e-3), {"n": 0}, ValueError, "n = 0"),
        (("srg", 10, 4, 1e-3), {"digits": 0}, ValueError, "digits = 0"),
        (("srg", 10, 4, 1e-3), {"digits": 2.5}, ValueError, "digits = 2.5"),
        (("srg", 10, 4, 1e-3), {"digits": True}, TypeError, "digits = True"),
        (("srg", 12, 4, 1e-3), {"construction": "both"}, ValueError, "construction = 'both'"),
    ],
)
def test_wrong_input(arguments, keywords, error, message):
    with pytest.raises(error, match=message):
        dufm.enclose_loss(*arguments, **keywords)
    if arguments[0] == "srg":
        with pytest.raises(error, match=message):
            dufm.enclose_ratio(*arguments[1:], **keywords)


@pytest.mark.parametrize("digits", range(1, 41))
def test_exact_values_are_contained_at_every_number_of_digits(digits):
    # With a rational scale u the collapsed solution's loss is rational.
    for L, u in ((3, Fraction(17, 3)), (5, Fraction(10**9))):
        product = u ** (L - 1) / (1 + u) ** (2 * L) / 6 ** (L + 1)
        bounds = dufm.enclose_loss("dnc", 6, L, lams=[1] * L + [product], digits=digits)
        assert bounds.lower <= ((L + 1) * u + 1) / (2 * (1 + u) ** 2) <= bounds.upper
        assert bounds.width <= bounds.lower * Decimal(10) ** -digits
    few = [dufm.enclose_ratio(9, 4, "5e-4", construction=c, digits=digits) for c in ("block", "drop", "best")]
    many = [dufm.enclose_ratio(9, 4, "5e-4", construction=c, digits=80) for c in ("block", "drop", "best")]
    for one, fine in zip(few, many, strict=True):
        assert one.lower <= fine.lower <= fine.upper <= one.upper
        assert one.width <= one.lower * Decimal(10) ** -digits


def test_narrowness_is_relative_to_the_lower_end():
    assert Interval(arb(1000), arb(1001)).narrower_than(3)
    assert not Interval(arb(1000), arb(1001) + arb(2) ** -40).narrower_than(3)
    assert not Interval(arb(1000), arb(1001)).narrower_than(4)


@given(st.integers(1, 2**80), st.integers(-600, 600), st.integers(1, 40))
def test_decimals_are_the_next_ones_outside(mantissa, exponent, digits):
    exact = Fraction(mantissa) * Fraction(2) ** exponent
    with ctx.workprec(100):
        lower, upper = Interval.exactly(arb(mantissa) * arb(2) ** exponent).decimals(digits)
    assert Fraction(lower) <= exact <= Fraction(upper)
    step = Fraction(10) ** (lower.adjusted() - digits + 1)
    assert exact - Fraction(lower) < step
    assert Fraction(upper) - exact < step
    assert max(len(lower.as_tuple().digits), len(upper.as_tuple().digits)) <= digits


# Time, Ctrl-C, and the ends of the range.


@pytest.mark.parametrize("digits", [10**6, 10**9])
def test_too_many_digits_are_refused_in_time(digits):
    start = time.perf_counter()
    with pytest.raises(TimeoutError, match=r"time_limit = 2 s; at least .* s are needed"):
        dufm.enclose_ratio(10, 60, "5e-4", digits=digits, time_limit=2)
    assert time.perf_counter() - start < 4
    with pytest.raises(TimeoutError, match="time_limit = 1e-09 s"):
        dufm.enclose_loss("dnc", 10, 4, "5e-4", time_limit=1e-9)


def test_the_time_limit_is_ten_seconds_and_can_be_raised():
    start = time.perf_counter()
    with pytest.raises(TimeoutError, match="time_limit = 10 s"):
        dufm.enclose_loss("srg", 10, 60, "5e-4", digits=3_000_000)
    assert time.perf_counter() - start < 12
    assert dufm.enclose_loss("dnc", 10, 3, "5e-4", digits=50_000, time_limit=None).width < Decimal("1e-50000")


@pytest.mark.parametrize("lam", ["1e-99999999", "1e99999999", Fraction(1, 10**200_000)])
def test_exponents_beyond_every_use_are_refused_at_once(lam):
    start = time.perf_counter()
    with pytest.raises(ValueError, match="lam = "):
        dufm.enclose_ratio(10, 4, lam)
    assert time.perf_counter() - start < 2


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_gets_through():
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from theory import dufm\n"
        "print('ready', flush=True)\n"
        "dufm.enclose_ratio(10, 60, '5e-4', digits=400_000, time_limit=None)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        start = time.perf_counter()
        try:
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
        assert time.perf_counter() - start < 8
        assert b"KeyboardInterrupt" in errors


@pytest.mark.parametrize("L", [10**4, 2**63 - 1, 2**63, 2**64 + 1, 10**30])
def test_any_number_of_layers(L):
    # L_dnc = min over u of (L/2) κ u^{1/L} + 1/(2 (1 + u)); for huge L the minimiser is where u/(1 + u)² = κ
    with mp.workdps(60):
        lam, n, K = mp.mpf(10) ** -45, mp.mpf(2) ** 80, mp.mpf(10)
        kappa = K * lam * (K * n * lam) ** (1 / mp.mpf(L))
        u = mp.findroot(lambda u: mp.log(kappa * (1 + u) ** 2 / u ** (1 - 1 / mp.mpf(L))), 1 / kappa)
        value = L * kappa * u ** (1 / mp.mpf(L)) / 2 + 1 / (1 + u) / 2
        lower, upper = dufm.enclose_loss("dnc", 10, L, "1e-45", n=2**80, digits=20)
        assert lower < upper
        assert mp.mpf(str(lower)) <= value <= mp.mpf(str(upper))


@pytest.mark.parametrize("lam", [5e-324, 1e-320, "1e-340", "1e-9999"])
def test_tiny_regularisation_has_its_limit(lam):
    # As λ falls the ratio converges; float64 has 0.816808 where it is still accurate.
    limit = dufm.enclose_ratio(10, 4, "1e-100", digits=12)
    assert abs(dufm.enclose_ratio(10, 4, lam, digits=12).lower - limit.lower) < Decimal("1e-11")


@pytest.mark.parametrize("n", [2**63 - 1, 2**63, 10**40])
def test_any_number_of_samples(n):
    # Only n times the product of the regularisations counts.
    many = dufm.enclose_loss("srg", 12, 4, lams=["1e-20"] * 5, n=n, construction="drop")
    assert many == dufm.enclose_loss("srg", 12, 4, lams=["1e-20"] * 4 + [Fraction(n, 10**20)], construction="drop")


@pytest.mark.parametrize("kind", [np.int64, np.uint8, float, Fraction, np.float32, lambda x: np.array(x)])
def test_every_scalar_type(kind):
    usual = dufm.enclose_ratio(10, 4, 0.5**11, n=3, digits=20)
    assert dufm.enclose_ratio(kind(10), kind(4), 0.5**11, n=kind(3), digits=kind(20)) == usual
    lam = 0.5**11 if kind in (np.int64, np.uint8) else kind(0.5**11)
    assert dufm.enclose_ratio(10, 4, lam, n=3, digits=20) == usual
    assert dufm.enclose_loss("srg", kind(10), kind(4), lams=[lam] * 5) == dufm.enclose_loss("srg", 10, 4, 0.5**11)
    box = dufm.enclose_ratio_over(10, 4, (0.5**11, 0.5**10))
    assert dufm.enclose_ratio_over(kind(10), [kind(4)], (lam, 2 * lam), max_points=kind(200)) == box


def test_precision_of_the_caller_is_left_alone():
    with ctx.workprec(77):
        dufm.enclose_ratio(10, 4, "5e-4", digits=100)
        dufm.enclose_ratio_over(10, 4, ("1e-4", "1e-3"))
        assert ctx.prec == 77


def test_flint_is_loaded_only_when_asked_for():
    code = (
        "import sys; from theory import dufm; dufm.loss_ratio(10, 4, 1e-3); assert 'flint' not in sys.modules; "
        "dufm.enclose_ratio; assert 'flint' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
