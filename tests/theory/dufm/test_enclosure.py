"""Enclosures: against other arithmetic and other minimisers, over their whole range, and for wrong input."""

import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from theory import dufm
from theory.dufm.enclosure import _enclosure


def reference(K, L, lam, digits):
    """Both losses by mpmath: the best of a fine scan of the losses as displayed, polished by a root of the derivative."""
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
    # With DNC's best scale u rational, so is its loss; the product of the regularisations is u^{L−1}/((1+u)^{2L} K^{L+1}).
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


@given(
    st.integers(3, 9),
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 30)), min_size=1, max_size=4, unique_by=lambda p: p[0]),
    st.floats(-9, 0.5),
)
def test_no_local_minimum_is_taken_for_the_global_one(L, bumps, log_cost):
    # Objectives of the same form with eigenvalues far apart have several local minima.
    total = sum(w for _, w in bumps)
    eigenvalues = tuple(10**e for e, _ in sorted(bumps, reverse=True))
    weights = tuple(fmpq(w, total) for _, w in sorted(bumps, reverse=True))
    cost = 10**log_cost
    part = _enclosure._Part(fmpq(1), L, eigenvalues, weights, lambda: arb(cost))
    found = part.minimum(128).value
    x = np.linspace(-45, 90, 20_001)
    shares = [w / total for _, w in sorted(bumps, reverse=True)]
    fits = sum(w / (1 + e * np.exp(x)) for w, e in zip(shares, eigenvalues, strict=True))
    f = L / 2 * cost * np.exp(x / L) + fits / 2
    scanned = min(0.5, f.min())
    assert float(found.lower) <= scanned * (1 + 1e-12)
    assert float(found.upper) >= scanned * (1 - 1e-4)  # the scan's step is 0.007 in log u


def test_two_local_minima_that_change_places():
    def depth(cost, bracket):
        def f(x):
            return 4 * cost * np.exp(x / 8) + (1 / (1 + np.exp(x + 40 * np.log(10))) + 1 / (1 + np.exp(x))) / 4

        return minimize_scalar(f, bounds=bracket, method="bounded", options={"xatol": 1e-10}).fun

    first, second = (-95, -30), (-3, 30)  # brackets of log u
    tie = brentq(lambda cost: depth(cost, first) - depth(cost, second), 0.01, 0.055, xtol=1e-13)
    for factor, deeper in ((1 - 1e-6, "second"), (1, "either"), (1 + 1e-6, "first")):
        cost = tie * factor
        part = _enclosure._Part(fmpq(1), 8, (10**40, 1), (fmpq(1, 2), fmpq(1, 2)), lambda cost=cost: arb(cost))
        value, scale, bracket = part.minimum(200)
        assert float(value.lower) == pytest.approx(min(depth(cost, first), depth(cost, second)), rel=1e-9)
        if deeper != "either":
            assert (scale > 1e-6) == (deeper == "second")
            assert bracket.contains(scale)


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


# Boxes.


@given(st.integers(6, 40), st.integers(3, 8), st.floats(-6, -0.5), st.floats(0, 2), st.floats(0, 1))
def test_box_contains_the_ratio_at_its_points(K, L, log_low, decades, where):
    low, high = 10**log_low, 10 ** (log_low + decades)
    lower, upper = dufm.enclose_ratio_over(K, L, (low, high), width="0.01")
    lam = min(max(10 ** (log_low + where * decades), low), high)
    ratio = dufm.loss_ratio(K, L, lam)
    assert float(lower) - 1e-12 <= ratio <= float(upper) + 1e-12


def test_box_is_as_tight_as_asked():
    Ks, Ls, lams = range(6, 16), (3, 4, 6), np.geomspace(1e-6, 1e-1, 400)
    values = dufm.loss_ratio(np.array(Ks)[:, None, None], np.array(Ls)[:, None], lams)
    for width in ("0.1", "0.01", "0.0005"):
        lower, upper = map(float, dufm.enclose_ratio_over(Ks, Ls, ("1e-6", "0.1"), width=width))
        assert lower <= values.min()
        assert upper >= values.max()
        assert lower >= values.min() - float(width) - 2e-4  # the grid's own distance from the extremes
        assert upper <= values.max() + float(width) + 2e-4


def test_box_of_one_point_and_trivial_box():
    lower, upper = dufm.enclose_ratio_over(10, 4, ("5e-4", "5e-4"))
    assert lower <= dufm.enclose_ratio(10, 4, "5e-4").lower <= upper
    assert dufm.enclose_ratio_over([6, 10], [3, 4], (1, 100)) == (1, 1)


def test_box_gives_up_with_what_it_has():
    with pytest.raises(dufm.WidthNotReached, match=r"max_points = 10 .* width = 1e-05") as caught:
        dufm.enclose_ratio_over(10, 4, ("1e-6", "1e-2"), width="1e-5", max_points=10)
    lower, upper = caught.value.bounds
    assert caught.value.excess > 1e-5
    for lam in ("1e-6", "1e-4", "1e-2"):
        assert lower <= dufm.enclose_ratio(10, 4, lam).lower <= upper


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


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "message"),
    [
        (([], 4, (1e-3, 1e-2)), {}, ValueError, "K is empty"),
        ((10, range(5, 5), (1e-3, 1e-2)), {}, ValueError, "L is empty"),
        ((10, 4, (1e-2, 1e-3)), {}, ValueError, "empty interval"),
        ((10, 4, 1e-2), {}, TypeError, "must be a pair"),
        ((10, 4, (1e-3, 1e-2, 1e-1)), {}, TypeError, "must be a pair"),
        ((10, 4, (0, 1e-2)), {}, ValueError, r"lam\[0\] = 0"),
        (([10, 3], 4, (1e-3, 1e-2)), {}, ValueError, "K = 3"),
        (("10", 4, (1e-3, 1e-2)), {}, TypeError, "K = '10'"),
        ((10, 4, (1e-3, 1e-2)), {"width": 0}, ValueError, "width = 0"),
        ((10, 4, (1e-3, 1e-2)), {"n": 0.5}, ValueError, "n = 0.5"),
        ((10, 4, (1e-3, 1e-2)), {"max_points": 1}, ValueError, "max_points = 1"),
        ((range(6, 10**15), 4, (1e-3, 1e-2)), {}, ValueError, "more than max_points = 20000"),
    ],
)
def test_wrong_boxes(arguments, keywords, error, message):
    with pytest.raises(error, match=message):
        dufm.enclose_ratio_over(*arguments, **keywords)


def test_precision_of_the_caller_is_left_alone():
    with ctx.workprec(77):
        dufm.enclose_ratio(10, 4, "5e-4", digits=100)
        dufm.enclose_ratio_over(10, 4, ("1e-4", "1e-3"))
        assert ctx.prec == 77


def test_flint_is_loaded_only_when_asked_for():
    code = "import sys; from theory import dufm; dufm.loss_ratio(10, 4, 1e-3); assert 'flint' not in sys.modules; dufm.enclose_ratio; assert 'flint' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# Rational matrices.


def test_rational_matrices_have_the_structure_and_nearly_the_least_loss():
    lams = [Fraction(1, 700), Fraction(1, 90), Fraction(2, 1000), Fraction(1, 500)]
    matrices = dufm.rational_srg(5, lams, n=2)
    first, to_last, output = matrices.weights
    assert (first * matrices.class_means).rank() == 5
    assert output.rank() == 10
    loss = dufm.exact_loss(matrices, lams, n=2)
    lower, upper = dufm.enclose_loss("srg", 10, 3, lams=lams, n=2)
    assert lower < loss < Fraction(upper) * (1 + Fraction(1, 10**10))
    pre_activations = np.array([[float(x) for x in row] for row in (to_last * first * matrices.class_means).table()])
    np.testing.assert_allclose(
        pre_activations, dufm.srg(10, 3, lams=lams, n=2).pre_activations(3), rtol=1e-5, atol=1e-12
    )


def test_exact_loss_is_the_float_loss():
    lams = ["0.002"] * 5
    matrices = dufm.rational_srg(4, lams, n=3)
    floats = [
        np.array([[float(x) for x in row] for row in m.table()]) for m in (matrices.class_means, *matrices.weights)
    ]
    value = dufm.evaluate_loss(np.repeat(floats[0], 3, axis=1), floats[1:], [0.002] * 5, n=3)
    assert float(dufm.exact_loss(matrices, lams, n=3)) == pytest.approx(value, rel=1e-13)


def test_rational_matrices_wrong_input():
    with pytest.raises(ValueError, match="zero solution is optimal"):
        dufm.rational_srg(4, [1] * 5)
    with pytest.raises(ValueError, match="r = 3"):
        dufm.rational_srg(3, ["1e-3"] * 5)
    with pytest.raises(ValueError, match="lams has 4 entries"):
        dufm.exact_loss(dufm.rational_srg(4, ["1e-3"] * 5), ["1e-3"] * 4)
    with pytest.raises(ValueError, match="n = 0"):
        dufm.exact_loss(dufm.rational_srg(4, ["1e-3"] * 5), ["1e-3"] * 5, n=0)
