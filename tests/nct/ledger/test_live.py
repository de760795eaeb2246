"""How far a run has come, told by claims."""

import re

import pytest
from ledgers import FALSE


@pytest.fixture
def two(ledger):
    ledger.add("example.sum")
    ledger.add("example.sum-2")
    ledger.pytester.makepyfile(test_other="def test_one(): pass\n\ndef test_two(): pass")
    return ledger


def claim_lines(printed):
    return re.findall(r"^(example\.\S+) +(\d.*), \d+\.\d s$", printed, re.M)


def test_a_line_a_claim(two):
    two.run("proofs_checks", "test_other.py")
    assert claim_lines(two.printed) == [("example.sum", "5 passed"), ("example.sum-2", "5 passed")]
    assert "test_sum.py ." not in two.printed
    assert re.search(r"^test_other\.py \.\. +\[100%\]$", two.printed, re.M)


def test_failures_and_errors_are_counted(two):
    two.add("example.sum", printed=FALSE)
    path = two.add("example.sum-2")
    path.write_text(path.read_text() + "\ndef test_fixture(nothing): pass\n")
    two.run("proofs_checks")
    assert claim_lines(two.printed) == [("example.sum", "3 passed, 2 failed"), ("example.sum-2", "5 passed, 1 error")]
    assert "2 failed, 8 passed" in two.printed.splitlines()[-1]


def test_claims_side_by_side(two):
    pytest.importorskip("xdist")
    result = two.pytester.runpytest_subprocess("-n", "2", "proofs_checks", "test_other.py")
    printed = result.stdout.str()
    assert sorted(claim_lines(printed)) == [("example.sum", "5 passed"), ("example.sum-2", "5 passed")]
    assert "12 passed" in printed


@pytest.mark.parametrize("option", ["-q", "-v", "-s"])
def test_other_ways_of_telling_stay_as_they_are(two, option):
    two.run("proofs_checks", option)
    assert claim_lines(two.printed) == []
    assert "10 passed" in two.printed


def test_a_selection_ends_its_line(two):
    two.run("proofs_checks", "-k", "sum-2 and induction")
    assert claim_lines(two.printed) == [("example.sum-2", "2 passed")]
