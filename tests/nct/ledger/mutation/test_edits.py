"""What is edited in a statement, and that the edited statement is what its name says."""

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Annotated, Literal, NamedTuple

import networkx as nx
import numpy as np
import pytest
import sympy as sp

from nct.ledger import Condition, Fixed, LowerBound, OneOf, UpperBound
from nct.ledger.mutation import Manner, edits_of, name_edits

HALF = Fraction(1, 2)


def edits(value, step=0.02, declared=None):
    """The edited values by name."""
    named = name_edits(edits_of(value, Manner(step, declared)))
    return {name: edit.value for name, edit in named.items()}


def results(function, *arguments):
    """What each edited function returns."""
    found = {}
    for name, edited in edits(function).items():
        try:
            found[name] = edited(*arguments)
        except ArithmeticError as error:
            found[name] = type(error)
    return found


# Numbers, and what is made of them.


@pytest.mark.parametrize(
    ("value", "others"),
    [
        (3, [4, 2]),
        (0.5, [0.51, 0.49]),
        (0.8, [0.816, 0.784]),  # 0.8 * 1.02 is 0.8160000000000001
        (0.0, [0.02, -0.02]),
        (True, [False]),
        (Fraction(1, 3), [Fraction(51, 150), Fraction(49, 150)]),
        ("N", []),
        (None, []),
        (range(2, 5), [range(2, 6), range(1, 5)]),
        (frozenset("ab"), [frozenset("b"), frozenset("a")]),
        ((1, 2.0), [(2, 2.0), (0, 2.0), (1, 2.04), (1, 1.96)]),
        ({"a": 1}, [{"a": 2}, {"a": 0}]),
    ],
)
def test_values(value, others):
    assert list(edits(value).values()) == others


def test_the_step_of_numbers_that_are_not_whole():
    assert list(edits(0.5, step=0.2).values()) == [0.6, 0.4]


def test_arrays_and_graphs():
    array = np.arange(5.0)
    for edited in edits(array).values():
        assert (edited != array).sum() == 1
    assert array.tolist() == [0, 1, 2, 3, 4]
    path = nx.path_graph(3)
    changed = [sorted(graph.edges) for graph in edits(path).values()]
    assert changed == [[(1, 2)], [(0, 1), (0, 2), (1, 2)]]
    assert sorted(path.edges) == [(0, 1), (1, 2)]


class Bound(NamedTuple):
    share: Annotated[float, UpperBound] = 0.5
    least: Annotated[int, LowerBound] = 2
    over: Literal["N", "n", "1"] = "n"
    relu: Annotated[bool, OneOf(True)] = False
    label: Annotated[int, Fixed] = 7
    plain: float = 1.0


@dataclass(frozen=True)
class Nested:
    bound: Bound
    power: int = 2


def test_a_record_declares_what_is_stronger():
    assert edits(Bound()) == {
        "share: 0.5 → 0.49": Bound(share=0.49),
        "least: 2 → 3": Bound(least=3),
        "over: n → N": Bound(over="N"),
        "over: n → 1": Bound(over="1"),
        "relu: False → True": Bound(relu=True),
        "plain: 1.0 → 1.02": Bound(plain=1.02),
        "plain: 1.0 → 0.98": Bound(plain=0.98),
    }
    assert "relu: True → False" not in edits(Bound(relu=True))


def test_records_in_records():
    found = edits(Nested(Bound()))
    assert found["bound.share: 0.5 → 0.49"] == Nested(Bound(share=0.49))
    assert found["power: 2 → 3"] == Nested(Bound(), 3)


# Functions.


def test_a_lambda():
    found = results(lambda m, k: m * (m + 1) / 2 - k, 3, 1)  # an `assert` of an older pytest has no places for it
    assert found == {
        "m * (m + 1) / 2 - k → m * (m + 1) / 2 + k": 7.0,
        "m * (m + 1) / 2 - k → m * (m + 1) / 2": 6.0,
        "m * (m + 1) / 2 → m * (m + 1) * 2": 23.0,
        "m * (m + 1) / 2 → m * (m + 1) / 3": 3.0,
        "m * (m + 1) / 2 → m * (m + 1) / 1": 11.0,
        "m * (m + 1) → m / (m + 1)": -0.625,
        "m * (m + 1) → m": 0.5,
        "m * (m + 1) → m + 1": 1.0,
        "m + 1 → m - 1": 2.0,
        "m + 1 → 1": 0.5,
        "m + 1 → m + 2": 6.5,
        "m + 1 → m + 0": 3.5,
    }


def test_two_lambdas_on_a_line():
    first, second = (lambda m: m + 1), (lambda m: m * 3)
    assert set(edits(first)) == {"m + 1 → m - 1", "m + 1 → 1", "m + 1 → m + 2", "m + 1 → m + 0"}
    assert set(edits(second)) == {"m * 3 → m / 3", "m * 3 → m", "m * 3 → 3", "m * 3 → m * 4", "m * 3 → m * 2"}


def test_a_lambda_in_a_lambda():
    outer = lambda a: lambda b: a + b  # noqa: E731
    assert {edited(1)(3) for edited in edits(outer).values()} == {-2, 1, 3}
    assert {edited(3) for edited in edits(outer(1)).values()} == {
        -2,
        1,
        3,
        5,
    }  # a is a constant of the closure: 1, 2, 0


def statement(r, *, least=2):
    """Nothing of the 1 in this text, nor of the default, is edited."""
    if r < least:
        return 0
    total = sum(k for k in range(1, r) if k != 3)
    return total if r > 5 and r % 2 == 0 else max(total, 4)


def test_a_function():
    found = results(statement, 6)
    assert statement(6) == 12
    assert found["r < least → r <= least"] == 12
    assert found["r < least → r > least"] == 0
    assert found["k != 3 → k == 3"] == 3
    assert found["range(1, r) → range(2, r)"] == 11
    assert found["max(total, 4) → min(total, 4)"] == 12
    assert found["r > 5 and r % 2 == 0 → r > 5"] == 12
    assert found["r > 5 → r > 6"] == 12
    assert not any("Nothing" in name for name in found)


@pytest.mark.parametrize(
    ("function", "argument", "name", "result"),
    [
        (lambda r: list(range(r)), 3, "range(r) → range(0, r + 1)", [0, 1, 2, 3]),
        (lambda r: list(range(r)), 3, "range(r) → range(0 - 1, r)", [-1, 0, 1, 2]),
        (lambda x: abs(x), -2, "abs(x) → x", -2),
        (lambda x: not x, 0, "not x → x", 0),
        (lambda x: -x, 3, "-x → x", 3),
        (lambda x: 1 < x <= 3, 3, "1 < x <= 3 → 1 < x < 3", False),
        (lambda x: x in (1, 2), 1, "x in (1, 2) → x not in (1, 2)", False),
        (lambda x: x if x > 1 else 5, 0, "x if x > 1 else 5 → x", 0),
        (lambda x: all(y > 1 for y in x), (1, 2), "all((y > 1 for y in x)) → any((y > 1 for y in x))", True),
    ],
)
def test_edits_of_all_sorts(function, argument, name, result):
    assert edits(function)[name](argument) == result


def closure(sign=1, power=2, dropped=False, weight=Fraction(1, 3), inner=lambda m: m + 4):
    return lambda m: weight * sign * m**power if not dropped else inner(m)


def test_constants_of_a_closure_are_folded():
    found = results(closure(), 3)
    assert found["m ** 2 → m ** 3"] == 9
    assert found["m ** 2 → m ** 1"] == 1
    assert found["weight: 1/3 → 17/50"] == Fraction(153, 50)
    assert not any("inner" in name for name in found if "m + 4" not in name)  # the closed branch is not edited
    assert results(closure(dropped=True), 3)["inner: m + 4 → m + 5"] == 8


def test_the_statement_itself_is_left_alone():
    function = closure()
    edits(function)
    assert function(3) == 3


def helper(m):
    return m - HALF


def test_what_a_function_uses_of_its_own_file():
    found = results(lambda m: 2 * helper(m) + sp.Integer(0), 1)
    assert found["helper: m - HALF → m + HALF"] == 3
    assert found["helper.HALF: 1/2 → 51/100"] == Fraction(98, 100)
    assert helper(1) == HALF  # only the edited statement sees the edited helper


def test_a_variable_of_a_comprehension_is_no_global_of_its_name():
    assert not any(name.startswith("helper.") for name in edits(lambda m: sum(helper for helper in range(m))))
    assert any(name.startswith("helper.") for name in edits(lambda m: sum(helper(k) for k in range(m))))


def test_partial_functions():
    found = edits(partial(pow, 2, mod=7))
    assert found["[0]: 2 → 3"](2) == 2
    assert found["mod: 7 → 8"](2) == 4


def test_functions_without_a_source_are_left_alone():
    assert edits(eval("lambda m: m + 1")) == {}
    assert edits(np.linalg.norm) == edits(len) == edits(object()) == {}


def test_functions_of_other_files_are_left_alone():
    value = (nx.is_connected, helper)
    named = name_edits(edits_of(value, Manner(0.02, file=__file__)))
    assert set(named) == {
        "[1]: m - HALF → m + HALF",
        "[1]: m - HALF → m",
        *(n for n in named if n.startswith("[1].HALF")),
    }


def test_recursive_functions_come_to_an_end():
    assert edits(factorial)["m - 1 → m - 2"](4) == 8


def factorial(m):
    return 1 if m <= 1 else m * factorial(m - 1)


def test_the_difference_shows_the_line():
    (edit,) = [e for e in edits_of(lambda m: (m + 1) * 2, Manner(0.02)) if e.names[0] == "m + 1 → m - 1"]
    before, after = edit.difference.splitlines()
    assert before.startswith("- (edit,) = ")
    assert after == before.replace("- (edit", "+ (edit").replace("(m + 1)", "(m - 1)", 1)


# Expressions.


def test_expressions():
    x, y = sp.symbols("x y", positive=True)
    found = edits(2 * x**2 + y)
    assert found["2*x**2 → 3*x**2"] == 3 * x**2 + y
    assert found["x**2 → x"] == 2 * x + y
    assert found["2*x**2 + y → 2*x**2 - y"] == 2 * x**2 - y
    assert found["2*x**2 + y → y"] == y
    assert len(set(found.values())) == len(found)
    assert 2 * x**2 + y not in found.values()
    assert edits(sp.Lt(x, 1))["x < 1 → x <= 1"] == sp.Le(x, 1)
    assert sp.Rational(51, 150) in edits(sp.Rational(1, 3)).values()


# Names.


def test_names_tell_edits_apart():
    found = edits(lambda m: (m + 1) * (m + 1) + (m + 1))
    assert "(m + 1) * (m + 1) → (m - 1) * (m + 1)" in found
    assert "(m + 1) * (m + 1) → (m + 1) * (m - 1)" in found
    assert "(m + 1) * (m + 1) + (m + 1) → (m + 1) * (m + 1) + (m - 1)" in found


def test_declarations_of_a_whole_statement():
    dropped, *rest = edits_of(lambda m: m > 1, Manner(0.02, Condition))
    assert dropped.value(0) is dropped.value(2) is True
    assert {edit.comparison.stronger for edit in rest} == {Condition}
    assert edits(3, declared=UpperBound) == {"3 → 2": 2}
    assert edits("n", declared=OneOf("n", "N")) == {"n → N": "N"}
