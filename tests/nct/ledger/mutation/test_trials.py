"""Which edits count: what the checks reach, what is weaker, what crashes, and what is declared to be true."""

import json
import sys
import time

import numpy as np
import pytest

from nct.ledger import Conclusion, Condition, LowerBound, UpperBound, require
from nct.ledger.mutation import Manner, OutOfTime, Tally, Trace, Trials, edits_of, fingerprint, limited, name_edits


def trials(value, *checks, declared=None, true=None):
    """Put the edits of a value to checks and count."""
    tried = Trials(value, name_edits(edits_of(value, Manner(0.02, declared))), true or {})
    seconds = [tried.watch(check) for check in checks]
    tried.discard()
    for check, taken in zip(checks, seconds, strict=True):
        tried.put_to(check, taken, check.__name__)
    return Tally.from_json(json.loads(json.dumps(tried.tally().to_json())))


def at(*arguments):
    """A check of the value at some arguments."""

    def check(statement):
        for m in arguments:
            require(statement(m) == m + 1, "differs", m=m)

    return check


def test_every_edit_is_rejected():
    tally = trials(lambda m: m + 1, at(1, 2))
    assert (tally.made, tally.killed, tally.counted, tally.rate) == (4, 4, 4, 1.0)


def test_a_weak_check_lets_edits_survive():
    tally = trials(lambda m: m + 1, at(0))
    assert [one.name for one in tally.survived] == ["m + 1 → 1"]
    assert tally.rate == 3 / 4
    assert "- " in tally.survived[0].difference


def test_one_check_of_several_suffices():
    tally = trials(lambda m: m + 1, at(0), at(5))
    assert tally.rate == 1


def test_code_that_no_check_reaches_is_discarded():
    value = lambda m: m + 1 if m < 3 else 2 * m  # noqa: E731
    tally = trials(value, at(1, 2))
    assert tally.discarded == {"not reached": 5}  # in 2 * m, and that branch left out
    assert not [one for one in tally.survived if "2 * m" in one.name.split("→")[0]]


@pytest.mark.parametrize(
    ("value", "given", "reached"),
    [
        (lambda m: m > 1 and 10 / m > 4, 0, {"m > 1"}),
        (lambda m: m > 1 and 10 / m > 4, 2, {"m > 1", "10 / m"}),
        (lambda m: sum(k + 7 for k in range(m)), 0, {"range(m)"}),
        (lambda m: sum(k + 7 for k in range(m)), 2, {"range(m)", "k + 7"}),
        (lambda m: m + 1 / 2, 2, {"1 / 2", "m + 1 / 2"}),  # folded by the compiler
    ],
)
def test_what_is_reached(value, given, reached):
    edits = [edit for edit in edits_of(value, Manner(0.02)) if edit.place is not None]
    trace = Trace({value.__code__})
    with trace.watching():
        value(given)
    found = {edit.names[0].split(" → ")[0] for edit in edits if trace.reached(edit.place)}
    for part in ("m > 1", "10 / m", "range(m)", "k + 7", "1 / 2", "m + 1 / 2"):
        assert (part in found) == (part in reached), part


def test_watching_leaves_the_debugger_alone():
    before = sys.gettrace()
    with Trace({at.__code__}).watching():
        pass
    assert sys.gettrace() is before


def at_most(statement):
    for m in (1, 2, 4):
        require(m * m <= statement(m), "not a bound", m=m)


def at_least(statement):
    for m in (1, 2, 4):
        require(m * m >= statement(m), "not a bound", m=m)


def test_bounds_that_become_weaker_are_discarded():
    tally = trials(lambda m: m**2, at_most, declared=UpperBound)
    assert tally.discarded == {"weaker": 1}
    assert [tally.killed, tally.survived] == [1, []]  # m, of m³ and m
    tally = trials(lambda m: m**2, at_least, declared=LowerBound)
    assert tally.discarded == {"weaker": 1}
    assert tally.rate == 1
    tally = trials(lambda m: m**2, at_most)  # without the declaration
    assert tally.rate == 1 / 2


def test_conclusions_are_compared_on_false_forms_too():
    def check(statement):
        require(statement(3), "differs")

    value = lambda m: m <= 3  # noqa: E731
    tried = Trials(value, name_edits(edits_of(value, Manner(0.02, Conclusion))), {})
    tried.watch(check)
    assert tried.compares
    tried.discard()
    assert tried.tally().discarded == {}  # m <= 4 is true where the check asks, and so is m <= 3
    tried = Trials(value, name_edits(edits_of(value, Manner(0.02, Conclusion))), {})
    seconds = tried.watch(check)
    tried.listen(lambda statement: require(value(statement), "differs"), 4)
    tried.discard()
    tried.put_to(check, seconds, "check")
    assert tried.tally().discarded == {"weaker": 2}  # m <= 4 and m >= 3
    assert tried.tally().rate == 1


@pytest.mark.parametrize(("instances", "survivors"), [((-2, 1, 3), 0), ((1, 3), 1)])
def test_a_condition_that_can_be_dropped_unnoticed(instances, survivors):
    def check(statement):
        for m in instances:
            if statement(m):
                require(abs(m) == m, "differs")

    tally = trials(lambda m: m > 0, check, declared=Condition)
    assert [one.name for one in tally.survived].count("the condition is dropped") == survivors
    assert tally.discarded.get("weaker", 0) >= 1


@pytest.mark.parametrize(
    "function",
    [
        lambda a, *rest, b=2, **more: a + sum(rest) + b + sum(more.values()) + 1,
        lambda a, d, e=4, *, b=2, c=3: a + b + c + d + e + 1,
    ],
)
def test_arguments_of_all_sorts(function):
    trace = Trace({function.__code__}, {function.__code__})
    with trace.listening():
        function(1, 2, 3, b=5, c=7)
    for edit in edits_of(function, Manner(0.02, UpperBound)):
        if edit.names[0].endswith("+ 1 → " + edit.names[0].split(" → ")[0][:-1] + "2"):
            assert trace.weaker(edit.comparison)
        if edit.names[0].endswith(" + 0"):
            assert not trace.weaker(edit.comparison)


def test_bounds_of_arrays():
    def check(statement):
        require((np.arange(3) <= statement(np.arange(3))).all(), "not a bound")

    tally = trials(lambda m: m + 1, check, declared=UpperBound)
    assert tally.discarded == {"weaker": 1}  # m + 2
    assert {one.name for one in tally.survived} == {"m + 1 → m + 0"}


def test_a_crash_is_no_rejection():
    def check(statement):
        require([10, 20, 30][statement(1)] == 30, "differs")

    tally = trials(lambda m: m + 1, check)
    assert tally.killed == 3
    assert [(one.name, one.error) for one in tally.crashed] == [
        ("m + 1 → m + 2", "IndexError: list index out of range")
    ]
    assert tally.rate == 3 / 4 == tally.killed / tally.counted


def test_type_errors_are_discarded():
    tally = trials(lambda m: m + list("a"), lambda statement: require(statement([2]) == [2, "a"], "differs"))
    assert tally.discarded == {"type error": 1}
    assert not tally.crashed


def test_parts_that_do_not_fit_are_no_statement():
    rows = [[1, 2], [3, 4]]
    tally = trials(lambda m: rows[m + 0][1], lambda statement: require(statement(1) == 4, "differs"))
    assert tally.discarded["type error"] == 2  # the IndexError is in the edited code
    assert not tally.crashed


def test_a_crash_in_one_check_does_not_hide_the_rejection_of_another():
    def crash(statement):
        if statement(1) != 2:
            raise RuntimeError

    tally = trials(lambda m: m + 1, crash, at(3))
    assert tally.rate == 1


def test_declarations():
    tally = trials(lambda m: m + 1, at(0), true={"m + 1 → 1": "it is only of m = 0"})
    assert tally.true == {"m + 1 → 1": "it is only of m = 0"}
    assert (tally.rate, tally.faults, tally.survived) == (1.0, [], [])
    tally = trials(lambda m: m + 1, at(0, 1), true={"m + 1 → 1": "it is only of m = 0"})
    assert tally.faults == ["the edit 'm + 1 → 1' is declared to be true, and check rejects it"]
    assert tally.true == {}
    tally = trials(lambda m: m + 1, at(0), true={"m + 1 → 7": "nobody makes it"})
    assert tally.faults == ["true_edits = 'm + 1 → 7'; true_edits must name edits that are made"]
    tally = trials(lambda m: m + 1 if m < 3 else m * 3, at(1), true={"m * 3 → m * 4": "not tried"})
    assert "need not be declared to be true: it is discarded (not reached)" in tally.faults[0]


def test_an_edit_that_does_not_come_to_an_end(monkeypatch):
    monkeypatch.setattr("nct.ledger.mutation._trials._SECONDS", 0.2)

    def check(statement):
        while statement(1) == 3:
            time.sleep(0.01)
        require(statement(1) == 2, "differs")

    tally = trials(lambda m: m + 1, check)
    assert [(one.name, one.error) for one in tally.crashed] == [("m + 1 → m + 2", "ran out of time")]


def test_time_is_limited():
    with pytest.raises(OutOfTime), limited(0.05):
        time.sleep(5)
    with limited(0.05):
        pass
    time.sleep(0.1)  # nothing rings any more


def test_what_the_memory_depends_on(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    claim = write("test_sum.py", "import math\nfrom sums import gauss\nimport other.deep\n")
    write("sums.py", "from further import gauss\n")
    write("further.py", "gauss = 1\n")
    write("other/__init__.py", "")
    write("other/deep.py", "depth = 1\n")
    write("unused.py", "")
    found = [fingerprint(claim, tmp_path)]

    def changed():
        found.append(fingerprint(claim, tmp_path))
        return found[-1] != found[-2]

    assert not changed()
    write("unused.py", "more = 1\n")
    assert not changed()
    write("further.py", "from unused import more as gauss\n")
    assert changed()
    write("unused.py", "more = 2\n")
    assert changed()
    for name in ("further.py", "other/deep.py", "test_sum.py"):
        path = tmp_path / name
        path.write_text(path.read_text(encoding="utf-8") + "more = 1\n", encoding="utf-8")
        assert changed(), name
    assert fingerprint(claim, tmp_path) != fingerprint(claim, tmp_path, "sample")
