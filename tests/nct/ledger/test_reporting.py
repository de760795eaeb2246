"""The ledger that is written."""

import pytest
from ledgers import FALSE, TRUE

from nct.ledger import KINDS, read_ledger


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
    entries = list(ledger.written.values())
    assert [entry["id"] for entry in entries] == ["example.sum", "example.sum-2"]
    keys = (
        "id title source verdict printed amended seen ran near_misses depends_on status reach evidence counterexample"
    )
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
    assert read_ledger(pytester.path / "ledger.json").claims == []


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
