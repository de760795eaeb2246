"""The ledger's rules, each seen to fail a run when a temporary ledger breaks it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest

from nct.ledger import KINDS, Claim, LedgerError, Refuted, Statement, find_ledger, load_claims, read_claims, require

pytest_plugins = ["pytester"]

TRUE = "lambda m: m * (m + 1) // 2"
FALSE = "lambda m: m * m // 2"  # right at 0 only
OFF = "lambda m: m * (m - 1) // 2"

CLAIM = """
import pytest
from hypothesis import given, strategies as st
from nct.ledger import Claim, Statement, require

claim = Claim(
    id="{id}",
    title="Sum of the first integers",
    source="example, Theorem 1",
    verdict="{verdict}",
    printed=Statement(r"\\sum_{{i=1}}^m i", {printed}),
    amended={amended},
    near_misses={near_misses},
    depends_on={depends_on},
)

@claim.check("exact")
def test_by_adding_up(statement):
    for m in range(9):
        require(statement(m) == sum(range(m + 1)), "the sum differs", m=m)
"""

DERIVED = """
@claim.check("derived")
def test_by_induction(statement):
    require(statement(0) == 0, "wrong at 0")
    require(all(statement(m) - statement(m - 1) == m for m in range(1, 9)), "wrong step")
"""


class Ledger:
    """A temporary ledger and the runs of it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.root = pytester.path / "proofs_checks"
        pytester.makeini("[pytest]\naddopts = --import-mode=importlib --strict-markers -p no:cacheprovider\n")

    def add(
        self,
        id="example.sum",
        *,
        verdict="holds",
        printed=TRUE,
        amended="None",
        near_misses=None,
        depends_on=(),
        then=DERIVED,
        file=None,
    ):
        if near_misses is None:
            near_misses = "{'off by one': " + OFF + "}"
        paper, row = id.split(".", 1)
        path = self.root / (file or f"{paper}/test_{row.replace('-', '_').replace('.', '_')}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        fields = dict(id=id, verdict=verdict, printed=printed, amended=amended)
        text = CLAIM.format(**fields, near_misses=near_misses, depends_on=list(depends_on)) + then
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, *arguments):
        """Run pytest on the ledger and read what it wrote."""
        result = self.pytester.runpytest_inprocess("--ledger", "ledger.json", *(arguments or ["proofs_checks"]))
        self.printed = result.stdout.str()
        return result

    @property
    def written(self):
        entries = json.loads((self.pytester.path / "ledger.json").read_text(encoding="utf-8"))
        return {entry["id"]: entry for entry in entries}

    @property
    def tests(self):
        """The names of the evidence that ran, without the folder."""
        return [e["test"].split("::", 1)[1] for entry in self.written.values() for e in entry["evidence"]]


@pytest.fixture
def ledger(pytester):
    return Ledger(pytester)


def fails_with(ledger, *messages, passed, failed=1):
    result = ledger.run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=passed, failed=failed)
    for message in messages:
        assert message in ledger.printed
    assert "broken" in ledger.printed


# A good ledger.


def test_a_good_ledger_passes_and_is_printed(ledger):
    ledger.add("example.sum")
    ledger.add("example.sum-10", verdict="amended", printed=FALSE, amended=f"Statement('m(m+1)/2', {TRUE})")
    ledger.add("example.sum-9", verdict="fails", printed=FALSE, depends_on=["example.sum"])
    ledger.add("other.seen", verdict="observed")
    result = ledger.run()
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=22)  # two checks of 2, 3, 2 and 2 forms, and the rules of each claim
    result.stdout.fnmatch_lines(
        [
            "*= ledger =*",
            "claim *title * verdict * reach * evidence * near misses rejected",
            "example.sum * Sum of the first integers * holds * tested * derived exact * 1 of 1",
            "example.sum-9 * fails * derived exact *",  # 9 before 10
            "example.sum-10 * amended * derived exact *",
            "other.seen * observed * derived exact *",
            "4 claims: 1 holds, 1 amended, 1 fails, 1 observed",
            "false as printed, with the smallest counterexample:",
            "*example.sum-9: the sum differs: m = 1",
            "*example.sum-10: the sum differs: m = 1",
        ],
        consecutive=False,
    )


def test_the_json_has_the_stated_form(ledger):
    ledger.add("example.sum")
    ledger.add(
        "example.sum-2",
        verdict="amended",
        printed=FALSE,
        amended=f"Statement('m(m+1)/2', {TRUE})",
        depends_on=["example.sum"],
    )
    assert ledger.run().ret == 0
    entries = json.loads((ledger.pytester.path / "ledger.json").read_text())
    assert [entry["id"] for entry in entries] == ["example.sum", "example.sum-2"]
    keys = "id title source verdict printed amended seen ran near_misses depends_on reach evidence counterexample"
    for entry in entries:
        assert list(entry) == [*keys.split(), "counterexample_is"]
        for evidence in entry["evidence"]:
            assert list(evidence) == ["kind", "test", "outcome", "seconds", "covers"]
            assert evidence["kind"] in KINDS
            assert evidence["outcome"] == "passed"
            assert 0 <= evidence["seconds"] < 60
    sound, repaired = entries
    file = "proofs_checks/example/test_sum.py"
    assert sorted((e["kind"], e["test"]) for e in sound["evidence"]) == [
        ("derived", f"{file}::test_by_induction[printed]"),
        ("exact", f"{file}::test_by_adding_up[printed]"),
    ]
    tests = [f"{file}::{name}[near-miss-off-by-one]" for name in ("test_by_adding_up", "test_by_induction")]
    assert sound["near_misses"] == [{"name": "off by one", "rejected": True, "by": tests}]
    assert (sound["title"], sound["source"]) == ("Sum of the first integers", "example, Theorem 1")
    assert (sound["verdict"], sound["counterexample"], sound["amended"]) == ("holds", None, None)
    assert sound["depends_on"] == []
    assert (repaired["verdict"], repaired["amended"]) == ("amended", "m(m+1)/2")
    assert repaired["counterexample"] == "the sum differs: m = 1"
    assert repaired["counterexample_is"] == "exact"
    assert repaired["depends_on"] == ["example.sum"]
    assert len(repaired["evidence"]) == 4  # each check on the printed and on the amended statement


def test_a_run_without_claims_prints_no_ledger(pytester):
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_inprocess("--ledger", "ledger.json")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*= ledger =*")
    assert json.loads((pytester.path / "ledger.json").read_text()) == []


# Statements that do not behave as the verdict says.


@pytest.mark.parametrize("verdict", ["holds", "observed"])
def test_a_false_printed_statement_that_is_said_to_stand(ledger, verdict):
    ledger.add(verdict=verdict, printed=FALSE)
    fails_with(ledger, "the sum differs: m = 1", passed=3, failed=2)
    assert {e["outcome"] for e in ledger.written["example.sum"]["evidence"]} == {"failed"}


def test_a_true_printed_statement_that_is_said_to_fail(ledger):
    ledger.add(verdict="fails")
    fails_with(ledger, "the printed statement passes this check", "verdict 'fails'", passed=3, failed=2)


def test_a_true_printed_statement_that_is_said_to_need_amending(ledger):
    ledger.add(verdict="amended", amended=f"Statement('m(m+1)/2', {TRUE})")
    fails_with(ledger, "the printed statement passes this check", "verdict 'amended'", passed=5, failed=2)


def test_an_amended_statement_that_fails(ledger):
    ledger.add(verdict="amended", printed=FALSE, amended=f"Statement('m(m-1)/2', {OFF})")
    fails_with(ledger, "[amended]", "the sum differs: m = 1", passed=5, failed=2)


def test_one_check_of_two_does_not_see_that_the_printed_statement_is_false(ledger):
    blind = '\n@claim.check("derived")\ndef test_at_zero(statement):\n    require(statement(0) in (0, -1), "wrong")\n'
    ledger.add(verdict="fails", printed=FALSE, near_misses="{'1 at 0': lambda m: 1}", then=blind)
    fails_with(ledger, "test_at_zero[printed]", "the printed statement passes this check", passed=4)


def test_a_near_miss_that_is_accepted(ledger):
    ledger.add(near_misses=f"{{'the same again': {TRUE}, 'off by one': {OFF}}}")
    fails_with(ledger, "near miss accepted", "'the same again'", passed=5, failed=2)
    assert "1 of 2" in ledger.printed
    by_name = {miss["name"]: miss for miss in ledger.written["example.sum"]["near_misses"]}
    assert not by_name["the same again"]["rejected"]
    assert by_name["the same again"]["by"] == []
    assert by_name["off by one"]["rejected"]


def test_a_check_with_parameters_of_its_own(ledger):
    at = """
@claim.check("derived")
@pytest.mark.parametrize("m", [1, 2, 3])
def test_one_more_term(statement, m):
    require(statement(m) - statement(m - 1) == m, "wrong step", m=m)
"""
    ledger.add(verdict="amended", printed=FALSE, amended=f"Statement('m(m+1)/2', {TRUE})", then=at)
    result = ledger.run()
    # 3 forms and the rules, and 3 forms at 3 steps, of which the printed one, m²/2 rounded down, has the second right
    result.assert_outcomes(passed=12, failed=1)
    assert "test_one_more_term[2-printed]" in ledger.printed or "test_one_more_term[printed-2]" in ledger.printed


def test_a_crash_on_a_near_miss_is_no_rejection(ledger):
    ledger.add(near_misses="{'division by zero': lambda m: 1 / 0}")
    fails_with(ledger, "ZeroDivisionError", passed=3, failed=2)
    assert ledger.written["example.sum"]["near_misses"][0]["rejected"] is False


def test_a_crash_on_a_false_printed_statement_is_no_refutation(ledger):
    ledger.add(verdict="fails", printed="lambda m: 1 / 0")
    fails_with(ledger, "ZeroDivisionError", passed=3, failed=2)
    assert ledger.written["example.sum"]["counterexample"] is None


def test_pytest_fail_is_no_rejection(ledger):
    stop = '\n@claim.check("derived")\ndef test_stop(statement):\n    pytest.fail("given up")\n'
    ledger.add(verdict="fails", printed=FALSE, then=stop)
    fails_with(ledger, "given up", passed=3, failed=2)


# Rules.


def test_fewer_than_two_kinds_of_evidence(ledger):
    ledger.add(then=DERIVED.replace("derived", "exact"))
    fails_with(ledger, "fewer than two kinds of evidence (it has: exact)", passed=4)


def test_no_check_at_all(ledger):
    path = ledger.add()
    path.write_text(path.read_text().split("@claim")[0])
    fails_with(ledger, "fewer than two kinds of evidence (it has: none)", passed=0)


def test_no_near_miss(ledger):
    ledger.add(near_misses="{}")
    fails_with(ledger, "no near miss", passed=2)


def test_every_check_is_blind_to_a_near_miss(ledger):
    path = ledger.add(near_misses=f"{{'unseen': {OFF}, 'off by one': {OFF}}}")
    text = path.read_text()
    for kind in ("exact", "derived"):
        text = text.replace(f'check("{kind}")', f'check("{kind}", blind_to={{"unseen": "a reason"}})')
    path.write_text(text)
    fails_with(ledger, "every check is blind to the near miss 'unseen'", passed=4)


def test_one_check_may_be_blind_to_a_near_miss(ledger):
    path = ledger.add(near_misses=f"{{'unseen': {OFF}}}")
    path.write_text(path.read_text().replace('check("exact")', 'check("exact", blind_to={"unseen": "a reason"})'))
    ledger.run().assert_outcomes(passed=4)
    assert ledger.written["example.sum"]["near_misses"][0]["by"] == [
        "proofs_checks/example/test_sum.py::test_by_induction[near-miss-unseen]"
    ]


def test_two_claims_with_one_id(ledger):
    first, second = ledger.add("example.sum-1"), ledger.add("example.sum-1", file="example/test_SUM_1.py")
    fails_with(ledger, f"its id is also that of {first}", f"its id is also that of {second}", passed=8, failed=2)


def test_a_duplicate_that_is_not_selected_is_found(ledger):
    first, second = ledger.add("example.sum-1"), ledger.add("example.sum-1", file="example/test_SUM_1.py")
    ledger.run(first).assert_outcomes(passed=4, failed=1)
    assert f"its id is also that of {second}" in ledger.printed


def test_a_dependency_that_is_no_claim(ledger):
    ledger.add(depends_on=["example.product"])
    fails_with(ledger, "it depends on example.product, which is the id of no claim", passed=4)


def test_a_dependency_that_is_not_selected_is_found(ledger):
    path = ledger.add(depends_on=["other.product"])
    ledger.add("other.product")
    ledger.run(path).assert_outcomes(passed=5)
    assert list(ledger.written) == ["example.sum"]


def test_a_check_whose_name_does_not_start_with_test(ledger):
    ledger.add(then=DERIVED + DERIVED.replace("test_by_induction", "by_induction"))
    fails_with(ledger, "the check by_induction never runs: its name must begin with 'test_'", passed=4)


def test_a_check_that_is_marked_xfail(ledger):
    ledger.add(
        then=DERIVED.replace("@claim", "@pytest.mark.xfail(reason='hard')\n@claim"), near_misses="{'0': lambda m: 0}"
    )
    assert ledger.run().ret == pytest.ExitCode.TESTS_FAILED
    assert "the check test_by_induction is marked xfail" in ledger.printed


def test_a_file_in_the_wrong_folder(ledger):
    ledger.add("agop-v1.sum", file="agop/test_sum.py")
    fails_with(ledger, "its file is in the folder agop, not in that of its paper, agop_v1", passed=4)


def test_a_file_that_is_not_named_after_its_id(ledger):
    ledger.add("agop-v1.prop-5.1.steps", file="agop_v1/test_steps.py")
    fails_with(ledger, "its file is named test_steps.py, not after its id, test_prop_5_1_steps.py", passed=4)


@pytest.mark.parametrize("name", ["the_claim", "Claim"])
def test_checks_of_a_claim_that_the_file_does_not_state(ledger, name):
    path = ledger.add()
    path.write_text(path.read_text().replace("claim = Claim(", "its = Claim(").replace("@claim.", "@its."))
    result = ledger.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "test_by_adding_up checks example.sum, which its file does not state" in ledger.printed


# Counterexamples.


PROPERTY = """
@claim.check("property")
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_difference(statement, m, k):
    assert statement(m + k) - statement(m) == m * k + k * (k + 1) // 2
"""


def test_what_hypothesis_shrinks_is_the_counterexample(ledger):
    path = ledger.add(
        verdict="fails", printed="lambda m: m * (m + 1) // 2 + (m > 100)", near_misses="{'2': lambda m: 2*m}"
    )
    path.write_text(path.read_text().split("@claim")[0] + PROPERTY + DERIVED.replace("range(1, 9)", "range(1, 200)"))
    ledger.run(path, "-m", "property")
    assert ledger.written["example.sum"]["counterexample"].endswith("m=0, k=101")


def test_a_statement_that_is_printed_on_many_lines_stays_out_of_the_counterexample(ledger):
    statement = "Table([list(range(100, 150)) for _ in range(3)])"
    path = ledger.add(verdict="fails", printed=statement, near_misses=f"{{'other': {statement}}}")
    text = (
        path.read_text()
        .split("@claim")[0]
        .replace(
            "claim = ",
            "from dataclasses import dataclass\n@dataclass\nclass Table:\n    rows: list\n\nclaim = ",
        )
    )
    path.write_text(
        text
        + '@claim.check("property")\n@given(st.lists(st.integers(0, 9), min_size=2, max_size=2), st.integers(5, 9))\n'
        "def test_never(statement, numbers, r):\n    assert sum(numbers) < 1, 'too big'\n"
    )
    ledger.run(path, "-m", "property")
    shown = ledger.written["example.sum"]["counterexample"]
    assert shown.startswith("too big")
    assert shown.endswith("numbers=[0, 1], r=5")
    assert "100" not in shown


def test_an_exact_counterexample_comes_before_one_found_at_random(ledger):
    simulated = DERIVED.replace("derived", "simulated").replace("wrong at 0", "wrong by chance")
    ledger.add(verdict="fails", printed="lambda m: 1", then=simulated)
    assert ledger.run().ret == 0
    assert ledger.written["example.sum"]["counterexample"] == "the sum differs: m = 0"


def test_a_plain_assertion_is_a_counterexample_too(ledger):
    then = '\n@claim.check("derived")\ndef test_at_two(statement):\n    assert statement(2) == 3, "not 3"\n'
    ledger.add(verdict="fails", printed=FALSE, then=then)
    ledger.run("proofs_checks", "-k", "test_at_two")
    assert ledger.written["example.sum"]["counterexample"].startswith("not 3")


COUNTED = """
@claim.check("property")
@given(st.integers(0, 10**6))
def test_counted(statement, m):
    wrong = statement(m) != m * (m + 1) // 2
    if wrong:
        with open("refutations", "a") as file:
            file.write("x")
    require(not wrong, "wrong", m=m)
"""


def test_only_what_is_shown_is_shrunk(ledger):
    """Near misses are rejected at the first instance, replayed once; the printed statement's is made small."""
    path = ledger.add(
        verdict="fails", printed="lambda m: m * (m + 1) // 2 + (m > 1000)", near_misses="{'0': lambda m: -1}"
    )
    path.write_text(path.read_text().split("@claim")[0] + COUNTED)
    refutations = ledger.pytester.path / "refutations"
    ledger.run(path, "-k", "near-miss").assert_outcomes(passed=1, deselected=2)
    assert len(refutations.read_text()) <= 2
    refutations.unlink()
    ledger.run(path, "-k", "printed").assert_outcomes(passed=1, deselected=2)
    assert ledger.written["example.sum"]["counterexample"] == "wrong: m = 1001"
    assert len(refutations.read_text()) > 2


# Selection.


@pytest.fixture
def two_claims(ledger):
    ledger.add("example.sum")
    ledger.add("other.seen", verdict="observed", then=DERIVED.replace("derived", "simulated"))
    return ledger


SUM = ["test_by_adding_up[printed]", "test_by_induction[printed]"]


@pytest.mark.parametrize(
    ("arguments", "claims", "tests"),
    [
        (["proofs_checks"], ["example.sum", "other.seen"], SUM + SUM),
        (["proofs_checks/other"], ["other.seen"], SUM),
        (["proofs_checks/example/test_sum.py"], ["example.sum"], SUM),
        (["proofs_checks/example/test_sum.py::test_by_induction"], ["example.sum"], SUM[1:]),
        (["proofs_checks/example/test_sum.py::test_by_induction[printed]"], ["example.sum"], SUM[1:]),
        (["proofs_checks/example/test_sum.py::rules"], ["example.sum"], []),
        (["-m", "simulated"], ["other.seen"], SUM[1:]),
        (["-m", "exact or derived"], ["example.sum", "other.seen"], [*SUM, SUM[0]]),
        (["-k", "by_adding_up and printed"], ["example.sum", "other.seen"], [SUM[0], SUM[0]]),
        (["-k", "other.seen"], ["other.seen"], SUM),
        (["-k", "rules"], ["example.sum", "other.seen"], []),
        (["-n", "2"], ["example.sum", "other.seen"], SUM + SUM),
        (["-n", "2", "-m", "simulated"], ["other.seen"], SUM[1:]),
    ],
    ids=" ".join,
)
def test_the_ledger_shows_what_was_selected(two_claims, arguments, claims, tests):
    result = two_claims.run(*arguments)
    assert result.ret == 0
    assert list(two_claims.written) == claims
    assert sorted(two_claims.tests) == sorted(tests)
    for id in ("example.sum", "other.seen"):
        assert any(line.startswith(id) for line in result.outlines) == (id in claims)


def test_selecting_nothing_writes_an_empty_ledger(two_claims):
    assert two_claims.run("-k", "nothing").ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert two_claims.written == {}


def test_faults_travel_from_the_workers(ledger):
    ledger.add(verdict="fails", printed=FALSE, near_misses=f"{{'the same again': {TRUE}}}")
    result = ledger.run("-n", "2")
    result.assert_outcomes(passed=3, failed=2)
    assert ledger.written["example.sum"]["counterexample"] == "the sum differs: m = 1"
    assert ledger.written["example.sum"]["near_misses"][0]["rejected"] is False
    result.stdout.fnmatch_lines(
        ["example.sum *broken * 0 of 1", "1 claim: 1 broken", "*example.sum: the sum differs: m = 1"]
    )


LONG = DERIVED + DERIVED.replace("test_by_induction", "test_at_length").replace("@claim", "@pytest.mark.long\n@claim")


def test_long_checks_run_only_on_demand(ledger):
    ledger.add(then=LONG)
    ledger.run().assert_outcomes(passed=5, deselected=2)
    assert "test_at_length[printed]" not in ledger.tests
    ledger.run("--long").assert_outcomes(passed=7)
    assert "test_at_length[printed]" in ledger.tests


def test_a_skipped_check_is_no_evidence(ledger):
    ledger.add(then=DERIVED.replace("@claim", "@pytest.mark.skip\n@claim"))
    result = ledger.run()
    result.assert_outcomes(passed=3, skipped=2)
    result.stdout.fnmatch_lines(["example.sum * holds *exact * 1 of 1"])
    assert "derived" not in ledger.printed
    assert sorted(e["outcome"] for e in ledger.written["example.sum"]["evidence"]) == ["passed", "skipped"]


def test_a_failing_teardown_breaks_the_claim_and_is_counted_once(ledger):
    fixture = "\n@pytest.fixture\ndef broken():\n    yield\n    raise OSError('disk full')\n"
    ledger.add(then=fixture + DERIVED.replace("(statement)", "(statement, broken)"))
    result = ledger.run()
    result.assert_outcomes(passed=5, errors=2)
    assert "1 claim: 1 broken" in ledger.printed
    evidence = ledger.written["example.sum"]["evidence"]
    assert sorted((e["kind"], e["outcome"]) for e in evidence) == [("derived", "failed"), ("exact", "passed")]


# The file that --ledger writes.


def test_ledger_into_a_missing_folder(ledger):
    ledger.add()
    result = ledger.pytester.runpytest_subprocess("--ledger", "no/such/ledger.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ledger: the folder */no/such does not exist"])


def test_ledger_into_a_folder(ledger):
    ledger.add()
    result = ledger.pytester.runpytest_subprocess("--ledger", "proofs_checks")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ledger: */proofs_checks is a folder, not a file"])


def test_collecting_writes_no_ledger(ledger):
    ledger.add()
    assert ledger.run("--collect-only").ret == 0
    assert not (ledger.pytester.path / "ledger.json").exists()


# The vocabulary.


GOOD = Claim(
    id="example.sum",
    title="Sum",
    source="example",
    verdict="holds",
    printed=Statement("text", lambda m: m),
    near_misses={"off by one": lambda m: m + 1},
)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"id": "sum"}, ValueError, "'sum'"),
        ({"id": "Example.sum"}, ValueError, "'Example.sum'"),
        ({"id": "example.a b"}, ValueError, "'example.a b'"),
        ({"title": " "}, ValueError, "title = ' ' of example.sum; title must not be empty"),
        ({"source": ""}, ValueError, "source = '' of example.sum; source must not be empty"),
        (
            {"verdict": "true"},
            ValueError,
            "verdict = 'true' of example.sum; verdict must be one of holds, amended, fails, observed",
        ),
        ({"verdict": "amended"}, ValueError, "amended of example.sum is missing; amended must be given exactly when"),
        (
            {"amended": Statement("text", None)},
            ValueError,
            "amended of example.sum is given; amended must be given exactly",
        ),
        ({"printed": "text"}, TypeError, "printed of example.sum is a str; printed must be a Statement"),
        ({"printed": None}, TypeError, "printed of example.sum is a NoneType; printed must be a Statement"),
        ({"near_misses": [1]}, TypeError, "near_misses of example.sum is a list; near_misses must be a mapping"),
        ({"depends_on": "example.sum"}, TypeError, "depends_on = 'example.sum' of example.sum is a string"),
    ],
)
def test_a_claim_that_is_wrongly_stated(change, error, message):
    with pytest.raises(error, match=message):
        replace(GOOD, **change)


def test_a_claim_cannot_be_changed():
    with pytest.raises(AttributeError):
        GOOD.verdict = "fails"
    with pytest.raises(TypeError):
        GOOD.near_misses["another"] = 1


def test_an_unknown_kind_of_evidence():
    with pytest.raises(
        ValueError, match=r"kind = 'proved' of a check of example.sum; kind must be one of derived, exact"
    ):
        GOOD.check("proved")


def test_blindness_to_what_is_no_near_miss():
    with pytest.raises(ValueError, match=r"blind_to = 'off by two' of a check of example.sum"):
        GOOD.check("exact", blind_to={"off by two": "a reason"})


def test_a_near_miss_named_printed_does_not_hide_the_printed_statement():
    claim = replace(GOOD, near_misses={"printed": None, "other": None})

    @claim.check("exact", blind_to={"printed": "a reason"})
    def test_something(statement): ...

    assert [v.id for v in test_something.__ledger_check__.variants] == ["printed", "near-miss-other"]


def test_require():
    require(True, "fine", m=1)
    with pytest.raises(Refuted, match=r"^wrong: m = 1, x = 2\.5$") as refuted:
        require(0, "wrong", m=1, x=2.5)
    assert refuted.value.witness == {"m": 1, "x": 2.5}
    assert isinstance(refuted.value, AssertionError)


# Reading a ledger without running it.

KINDS_OF_CHECKS = {"test_by_adding_up": "exact", "test_by_induction": "derived"}


def in_words(root):
    return [
        (
            listing.path,
            listing.claim.to_json(),
            {name: (check.kind, check.blind_to) for name, check in listing.checks.items()},
        )
        for listing in read_claims(root)
    ]


def test_claims_are_listed_as_importing_them_lists_them(ledger):
    ledger.add("example.sum")
    ledger.add("other.sum", verdict="amended", printed=FALSE, amended=f"Statement('m' '(m+1)/2', {TRUE})")
    listed, loaded = read_claims(ledger.root), load_claims(ledger.root)
    assert [listing.path for listing in listed] == list(loaded)
    for listing, claim in zip(listed, loaded.values(), strict=True):
        assert listing.claim.to_json() == claim.to_json()
        assert {name: check.kind for name, check in listing.checks.items()} == KINDS_OF_CHECKS


def test_listing_does_not_import(ledger):
    path = ledger.add()
    path.write_text(path.read_text() + "\nraise RuntimeError('imported')\n")
    assert read_claims(ledger.root)[0].claim.id == "example.sum"
    with pytest.raises(LedgerError, match=r"test_sum\.py cannot be read: RuntimeError: imported"):
        load_claims(ledger.root)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('title="Sum of the first integers"', 'title=" ".join(["Sum", "of", "the", "first", "integers"])'),
        ("printed=Statement(", "printed=(lambda *a: Statement(*a))("),
        ("claim = Claim(", "claim = (lambda **k: Claim(**k))("),
        ("near_misses={", "near_misses={**{}, "),
        ("depends_on=[]", "depends_on=(x for x in [])"),
    ],
)
def test_fields_that_are_computed_are_listed_by_importing(ledger, old, new):
    path = ledger.add()
    text = path.read_text()
    literal = in_words(ledger.root)
    assert old in text
    path.write_text(text.replace(old, new))
    assert in_words(ledger.root) == literal


def test_fields_that_are_named_above(ledger):
    path = ledger.add()
    text = path.read_text().replace('title="Sum of the first integers"', "title=TITLE")
    path.write_text(text.replace("claim =", "TITLE = 'Sum ' + 'of ' 'all'\nclaim =") + "\nraise RuntimeError\n")
    assert read_claims(ledger.root)[0].claim.title == "Sum of all"


def test_a_ledger_that_cannot_be_read(ledger, tmp_path):
    with pytest.raises(LedgerError, match="no claims below"):
        read_claims(ledger.root)
    with pytest.raises(LedgerError, match="no claims below"):
        load_claims(ledger.root)
    path = ledger.add()
    path.write_text("claim = (")
    with pytest.raises(LedgerError, match=r"test_sum\.py cannot be read"):
        read_claims(ledger.root)


def test_finding_the_ledger(tmp_path):
    (tmp_path / "proofs_checks").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_ledger(tmp_path / "a" / "b") == tmp_path / "proofs_checks"
    assert find_ledger(Path(__file__).parent) == Path(__file__).parents[3] / "proofs_checks"


def test_the_ledger_imports_neither_torch_nor_numpy():
    code = "import sys, nct.ledger.plugin; print({'torch', 'numpy', 'sympy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_hypothesis_is_repeatable_by_default():
    assert hypothesis.settings.default.derandomize or hypothesis.settings.default.max_examples >= 5000
