"""The ledger that is written."""

import platform
import subprocess
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ledgers import FALSE, GOOD, TRUE

from nct.ledger import KINDS, Claim, find_ledger, read_claims, read_ledger
from nct.ledger._book import Book, Record
from nct.ledger._table import lines


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
    found = ["status", "reach", "evidence", "failed", "mutants", "counterexample", "counterexample_is", "seconds"]
    found += ["file", "reading", "code", "values", "checks"]
    for entry in entries:
        assert list(entry) == [field.name for field in fields(Claim)] + found
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


def test_the_file_says_what_the_run_was_made_on(ledger):
    ledger.add()
    ledger.run("proofs_checks", "--hypothesis-seed=7")
    written = read_ledger(ledger.pytester.path / "ledger.json")
    assert written.schema == 2
    assert datetime.now(UTC) - timedelta(minutes=5) < datetime.fromisoformat(written.date) <= datetime.now(UTC)
    assert (written.commit, written.modified) == (None, None)  # the folder is in no repository
    assert written.arguments == ("--ledger", "ledger.json", "proofs_checks", "--hypothesis-seed=7")
    assert (written.python, written.platform) == (platform.python_version(), platform.platform())
    assert written.packages["pytest"] == pytest.__version__
    assert (written.profile, written.seed, written.papers) == ("ledger", "7", [])
    assert written.claims[0]["printed"] == r"\sum_{i=1}^m i"
    assert written.claims[0]["status"] == "holds"


def test_the_commit_is_that_of_the_project(ledger):
    ledger.add()
    git = ["git", "-C", ledger.pytester.path, "-c", "user.name=n", "-c", "user.email=e"]
    for command in (["init", "-q"], ["add", "proofs_checks"], ["commit", "-qm", "claims"]):
        subprocess.run([*git, *command], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    ledger.run()
    written = read_ledger(ledger.pytester.path / "ledger.json")
    assert (written.commit, written.modified) == (head, False)
    ledger.add(near_misses="{'0': lambda m: -1}")
    ledger.run()
    assert read_ledger(ledger.pytester.path / "ledger.json").modified


def test_the_table_of_a_narrow_terminal_is_broken_into_lines():
    book = Book()
    claim = replace(GOOD, title="A title that is much too long for a terminal of forty columns")
    book.add(Record.of(claim, test="a test"))
    assert max(len(line) for line, _ in lines(book, width=60)) <= 60
    assert any(claim.title in line for line, _ in lines(book))
    assert any("\x1b[" in line for line, _ in lines(book, colour=True))
    assert not any("\x1b[" in line for line, _ in lines(book))


@pytest.mark.parametrize("width", [80, 100])
def test_the_table_of_the_whole_ledger_fits(width):
    """Ids, verdicts and reaches stay in one piece; titles, which 'nct ledger' has, give way to the evidence."""
    book = Book()
    for listing in read_claims(find_ledger()):
        for name, check in listing.checks.items():
            record = Record.of(listing.claim, test=f"{listing.path}::{name}", check=check, variant=check.variants[0])
            book.add(replace(record, outcome="passed"))
    printed = [line for line, _ in lines(book, width=width)]
    rows = printed[: next(i for i, line in enumerate(printed) if line.startswith("\n"))]
    assert max(map(len, rows)) <= width
    for entry in book.entries:
        (row,) = [row.split() for row in rows if row.split()[:1] == [entry.claim["id"]]]
        assert row[1] == entry.status
    assert "Triangular graph" not in "\n".join(rows)


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


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder in which nobody can write, root included")
@pytest.mark.parametrize("name", ["/proc/ledger.json", "/proc/version"])
def test_ledger_where_nothing_can_be_written(ledger, name):
    ledger.add()
    result = ledger.pytester.runpytest_subprocess("--ledger", name)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --ledger: {name} cannot be written: *"])


def test_collecting_writes_no_ledger(ledger):
    ledger.add()
    assert ledger.run("--collect-only").ret == 0
    assert not (ledger.pytester.path / "ledger.json").exists()
