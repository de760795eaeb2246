"""What is kept of the last run: by which run, and when it is old."""

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ledgers import FALSE, TRUE

from nct.ledger import LAST_RUN, LedgerError, read_last_run


@pytest.fixture
def two(ledger):
    """A ledger of two claims, one of them false as printed."""
    ledger.add("example.sum")
    amended = dict(verdict="amended", printed=FALSE, amended=f"Statement('m(m+1)/2', {TRUE})")
    ledger.file = ledger.add("example.sum-2", **amended)
    return ledger


def test_what_is_found_is_kept(two):
    assert read_last_run(two.root) == {}
    assert two.run("proofs_checks", "--ledger-record").ret == 0
    assert f"recorded in {two.root / LAST_RUN}" in two.printed
    sound, repaired = read_last_run(two.root).values()
    assert (sound.status, sound.counterexample, sound.counterexample_is) == ("holds", None, None)
    assert (repaired.status, repaired.counterexample) == ("amended", "the sum differs: m = 1")
    assert (repaired.reach, repaired.counterexample_is) == ("tested", "exact")
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(repaired.date) < timedelta(minutes=5)
    assert not repaired.is_old(two.file)
    assert len((two.root / LAST_RUN).read_text(encoding="utf-8").splitlines()) == 5 + 2  # one line a claim


def test_a_claim_that_has_changed_since_is_old(two):
    two.run("proofs_checks", "--ledger-record")
    outcome = read_last_run(two.root)["example.sum-2"]
    text = two.file.read_bytes()
    two.file.write_bytes(text.replace(b"\n", b"\r\n"))
    assert not outcome.is_old(two.file)
    two.file.write_bytes(text + b"# one more line\n")
    assert outcome.is_old(two.file)


def test_a_claim_that_changes_while_it_runs_is_old(two):
    two.file.write_text(two.file.read_text() + "open(__file__, 'a').write('# changed')\n")
    two.run("proofs_checks", "--ledger-record")
    assert read_last_run(two.root)["example.sum-2"].is_old(two.file)


def test_what_does_not_run_keeps_its_entry(two):
    two.run("proofs_checks", "--ledger-record")
    before = read_last_run(two.root)
    text = (two.root / LAST_RUN).read_text(encoding="utf-8")
    (two.root / LAST_RUN).write_text(text.replace(before["example.sum"].date, "2020-01-01T00:00:00+00:00"))
    two.run("proofs_checks/example/test_sum_2.py", "--ledger-record")
    after = read_last_run(two.root)
    assert after["example.sum"].day == "1 January 2020"
    assert after["example.sum-2"].date >= before["example.sum-2"].date
    (two.root / "example" / "test_sum.py").unlink()
    two.run("proofs_checks", "--ledger-record")
    assert list(read_last_run(two.root)) == ["example.sum-2"]


def test_a_broken_claim_is_recorded_as_broken(two):
    two.file.write_text(two.file.read_text().replace("amended", "fails"))
    two.add("example.sum", printed=FALSE)
    two.run("proofs_checks/example/test_sum.py", "--ledger-record")
    assert read_last_run(two.root)["example.sum"].status == "broken"


def test_a_run_that_is_collected_only_or_not_to_be_recorded_leaves_nothing(two):
    two.run("proofs_checks", "--ledger-record", "--collect-only")
    two.run("proofs_checks")
    assert not (two.root / LAST_RUN).exists()


def test_every_worker_s_outcomes_are_kept(two):
    pytest.importorskip("xdist")
    result = two.pytester.runpytest_subprocess("--ledger-record", "-n", "2", "proofs_checks")
    assert result.ret == 0
    assert {id: one.status for id, one in read_last_run(two.root).items()} == {
        "example.sum": "holds",
        "example.sum-2": "amended",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-k", "sum"], "records whole claims, and -k leaves out parts"),
        (["-m", "exact"], "and -m leaves out parts"),
        (["proofs_checks/example/test_sum.py::rules"], "'::' names a part of one"),
        (["-o", "ledger_claims=nowhere"], "there is no folder *nowhere"),
    ],
)
def test_a_part_of_a_claim_is_not_recorded(two, arguments, message):
    result = two.pytester.runpytest_inprocess("--ledger-record", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --ledger-record: *{message}"])
    assert not (two.root / LAST_RUN).exists()


ENTRY = {"date": "2026-01-01T00:00:00+00:00", "fingerprint": "0", "status": "holds"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{", "cannot be read"),
        ([], "is no record that 'nct verify --record' wrote"),
        ({"schema": 1}, "is no record"),
        ({"schema": 2, "claims": {}}, "has schema 2; this version reads schema 1"),
        ({"schema": 1, "claims": {"a.b": ENTRY | {"new": 1}}}, "'new'"),
        ({"schema": 1, "claims": {"a.b": ENTRY | {"seconds": "1"}}}, "seconds = '1'"),
        ({"schema": 1, "claims": {"a.b": ENTRY | {"date": "today"}}}, "today"),
        ({"schema": 1, "claims": {"a.b": {"status": "holds"}}}, "missing"),
        ({"schema": 1, "claims": {"a.b": 7}}, "is no record"),
    ],
)
def test_a_file_that_is_no_record(two, data, message):
    path = two.root / LAST_RUN
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    with pytest.raises(LedgerError, match=re.escape(message)):
        read_last_run(two.root)
    result = two.pytester.runpytest_inprocess("--ledger-record", "proofs_checks")  # found before anything runs
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
def test_a_record_that_cannot_be_written_is_found_before_anything_runs(two):
    (two.root / LAST_RUN).symlink_to("nowhere/at/all")
    result = two.pytester.runpytest_inprocess("--ledger-record", "proofs_checks")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ledger-record: *last_run.json cannot be written: No such file*"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
def test_a_disk_that_is_full_at_the_end_is_told(two):
    two.file.write_text(
        two.file.read_text()
        + f"""
import os
os.path.exists({str(two.root / LAST_RUN)!r}) or os.symlink("/dev/full", {str(two.root / LAST_RUN)!r})
"""
    )
    assert two.run("proofs_checks", "--ledger-record").ret == pytest.ExitCode.TESTS_FAILED
    assert "last_run.json cannot be written: " in two.printed
