"""Formulas in a statement's text against its value."""

import pytest

from nct.ledger import Statement
from nct.ledger._formulas import faults_of_formulas, points


def faults(text, value, formulas):
    return list(faults_of_formulas(Statement(text, value, formulas=formulas)))


def triangular(m):
    return m * (m + 1) / 2


def test_a_text_that_says_what_the_value_computes():
    assert faults("sum = m(m+1)/2", triangular, {"m(m+1)/2": lambda value, m: value(m)}) == []
    assert faults("1 + 1 = 2", 2, {"1 + 1": lambda value: value}) == []


def test_a_text_that_says_something_else():
    (fault,) = faults("sum = m(m-1)/2", triangular, {"m(m-1)/2": lambda value, m=(3,): value(m)})
    assert fault == "its text says 'm(m-1)/2', which is 3 where the value is 6, at m = 3"


def test_a_small_difference_is_one():
    assert len(faults("1.0000001 m", lambda m: m, {"1.0000001 m": lambda value, m: value(m)})) == 1


def test_a_piece_that_is_not_in_the_text():
    assert faults("sum", triangular, {"2m": lambda value, m: value(m)}) == ["its text has no '2m'"]


def test_a_symbol_that_is_not_given():
    (fault,) = faults("m + k", triangular, {"m + k": lambda value, m: value(m)})
    assert "symbol 'k', whose value 'k' is not given" in fault


def test_symbols_take_different_values():
    assert all(len(set(point.values())) == 3 for point in points(lambda value, a, b, c: None))


def test_formulas_that_are_no_mapping():
    with pytest.raises(TypeError, match="formulas is a list; formulas must be a mapping"):
        Statement("m", triangular, formulas=["m"])
