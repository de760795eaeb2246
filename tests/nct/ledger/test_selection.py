"""What is selected runs, and is what the ledger shows."""

import pytest
from ledgers import DERIVED, FALSE, TRUE


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


BROKEN = "import nct.ledger\nraise RuntimeError('imported')\n"


def test_a_claim_that_is_named_is_imported_alone(two_claims):
    (two_claims.root / "example" / "test_broken.py").write_text(BROKEN)
    (two_claims.pytester.path / "test_other.py").write_text(BROKEN)
    result = two_claims.run(".", "-k", "OTHER.seen")
    assert result.ret == 0
    result.assert_outcomes(passed=5)
    assert list(two_claims.written) == ["other.seen"]


@pytest.mark.parametrize("expression", ["not other.seen", "example.sum or not (other.se)"])
def test_a_claim_that_is_excluded_is_not_imported(two_claims, expression):
    (two_claims.pytester.path / "test_theirs.py").write_text("def test_theirs(): pass\n")
    path = two_claims.root / "other" / "test_seen.py"
    path.write_text(path.read_text() + BROKEN)
    two_claims.run(".", "-k", expression).assert_outcomes(passed=6)
    assert list(two_claims.written) == ["example.sum"]


def test_what_a_word_of_another_sort_may_name_is_imported(two_claims):
    (two_claims.pytester.path / "test_theirs.py").write_text("def test_theirs(): pass\n")
    result = two_claims.run(".", "-k", "example.sum or theirs or by_induction")
    result.assert_outcomes(passed=8, deselected=3)
    assert list(two_claims.written) == ["example.sum", "other.seen"]


def test_a_file_that_is_named_is_read_whatever_the_expression(two_claims):
    result = two_claims.run("proofs_checks/example/test_sum.py", "-k", "other.seen")
    result.assert_outcomes(deselected=5)


def test_an_expression_that_is_none(two_claims):
    result = two_claims.run("-k", "example.sum and and")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    "arguments", [["proofs_checks/example/test_sum.py::rules"], ["-k", "example.sum and near-miss"]]
)
def test_a_verdict_is_not_printed_without_evidence(two_claims, arguments):
    result = two_claims.run(*arguments)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["example.sum *not run*", "1 claim: 1 not run"])
    assert two_claims.written["example.sum"]["status"] == "not run"
    assert two_claims.written["example.sum"]["reach"] is None


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


LONG = DERIVED + DERIVED.replace("test_by_induction", "test_at_length").replace(
    "@claim", "@pytest.mark.ledger_long\n@claim"
)


def test_long_checks_run_only_on_demand(ledger):
    ledger.add(then=LONG)
    ledger.run().assert_outcomes(passed=5, deselected=2)
    assert "test_at_length[printed]" not in ledger.tests
    ledger.run("--ledger-long").assert_outcomes(passed=7)
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
