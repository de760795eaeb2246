"""The arguments that the commands have in common: what is a number, and which option was meant."""

import argparse
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nct.arguments import Output, check_outputs, integer, integers, nearest, number, numbers, seeds
from nct.commands import InputError


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_an_integer_in_any_spelling(value):
    for text in (str(value), f" {value} ", f"{value}.0", f"{2 * value}/2", f"{value}0e-1"):
        assert integer(text) == value


@given(st.fractions(min_value=-1000, max_value=1000))
def test_a_fraction_is_the_nearest_number(value):
    assert number(f"{value.numerator}/{value.denominator}") == value.numerator / value.denominator
    if value.denominator > 1:
        with pytest.raises(argparse.ArgumentTypeError, match="is not an integer"):
            integer(str(value))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_what_it_says(value):
    assert number(repr(value)) == value
    assert number(str(Fraction(value))) == value
    assert numbers(f"{value!r},1/2") == [value, 0.5]


@pytest.mark.parametrize("text", ["", "1/0", "10**3", "0x10", "½", "1e", "one", "1/2/3", "1e99999999999", "--1"])
def test_what_is_no_number(text):
    for read in (integer, number):
        with pytest.raises(argparse.ArgumentTypeError, match=r"is not a(n integer| number)|too large"):
            read(text)


@pytest.mark.parametrize("text", ["1e400", "-1e400", f"1{'0' * 400}", f"{10**400}/7"])
def test_too_large(text):
    for read in (number, integer):
        with pytest.raises(argparse.ArgumentTypeError, match=r"too large|not an integer"):
            read(text)


@pytest.mark.parametrize("text", ["1e-400", "-1e-400", f"1/{10**400}", "0." + "0" * 400 + "1"])
def test_too_small(text):
    with pytest.raises(argparse.ArgumentTypeError, match="too small"):
        number(text)


def test_zero_nan_and_infinity_are_left_to_the_library():
    assert number("0.00e-9") == 0
    assert number("inf") == float("inf")
    assert number("nan") != number("nan")


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 30))
def test_a_range_has_both_ends(start, length, step):
    assert integers(f"{start}:{start + length * step}:{step}") == [start + i * step for i in range(length + 1)]
    assert integers(f"{start}:{start + length},7") == [*range(start, start + length + 1), 7]


def test_seeds():
    assert seeds("10000000") == 10_000_000
    assert seeds("9223372036854775807,1") == [2**63 - 1, 1]
    with pytest.raises(argparse.ArgumentTypeError, match="too many seeds"):
        seeds("10000001")


OPTIONS = ["--weight-decay", "--width", "--lr", "--samples-per-class", "--init-scale", "--json"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("--wd", "--weight-decay"),
        ("--weight_decay", "--weight-decay"),
        ("--weigth-decay", "--weight-decay"),
        ("--spc", "--samples-per-class"),
        ("--samples", "--samples-per-class"),
        ("--learning-rate", "--lr"),
        ("--jsno", "--json"),
        ("--initscale", "--init-scale"),
    ],
)
def test_the_nearest_option(word, meant):
    assert nearest(word, OPTIONS)[0] == meant


def test_nothing_is_near():
    for word in ("--qqq", "--", ""):
        assert nearest(word, OPTIONS) == []
    assert len(nearest("one", [f"one.{i}" for i in range(9)])) == 3


def test_outputs_that_are_not_wanted_are_not_looked_at(tmp_path):
    def endings():
        raise AssertionError

    check_outputs(Output("--plot", None, endings), Output("--csv", tmp_path / "a.csv", [".csv"]))


def test_two_outputs_are_two_files(tmp_path):
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    with pytest.raises(InputError, match="--more must be another file than"):
        check_outputs(Output("--csv", tmp_path / "a.csv"), Output("--more", tmp_path / "b.csv"))
