"""Reading the file that a run writes, and comparing two."""

import json
import re
from dataclasses import asdict, replace

import pytest

from nct.ledger import LedgerError, LedgerFile, compare, read_ledger

CLAIM = {
    "id": "example.sum",
    "verdict": "amended",
    "printed": "text",
    "status": "amended",
    "depends_on": ["example.def"],
    "evidence": [
        {"kind": "exact", "test": "a/test_sum.py::test_one[printed]", "outcome": "passed", "seconds": 1.0},
        {"kind": "exact", "test": "a/test_sum.py::test_one[amended]", "outcome": "passed", "seconds": 1.0},
    ],
    "near_misses": [{"name": "off by one", "rejected": True, "by": ["a/test_sum.py::test_one[near-miss-off-by-one]"]}],
    "counterexample": "wrong: m = 1",
    "seconds": 2.0,
    "reading": "The sum.",
    "code": "claim = 1",
    "values": {"printed": "(lambda m: m)", "near_misses": {"off by one": "(lambda m: m + 1)"}},
    "checks": [{"name": "test_one", "kind": "exact", "covers": ["m < 9"], "blind_to": {}, "lines": [1, 3]}],
}
LEDGER = LedgerFile(commit="a1", python="3.11.7", packages={"pytest": "8.2.0", "rich": "13.9"}, claims=[CLAIM])


def test_what_is_written_is_read(tmp_path):
    LEDGER.write(tmp_path / "ledger.json")
    assert read_ledger(tmp_path / "ledger.json") == LEDGER


def test_a_ledger_from_before_the_form_had_a_version(tmp_path):
    (tmp_path / "ledger.json").write_text(json.dumps([CLAIM]))
    read = read_ledger(tmp_path / "ledger.json")
    assert (read.schema, read.claims, read.commit) == (0, [CLAIM], None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("7", "is no ledger"),
        ('{"claims": []}', "is no ledger"),
        ('{"schema": 1}', "is no ledger"),
        ('{"schema": 3, "claims": [], "new": 1}', "has schema 3; this version reads schemas up to 2"),
        ('{"schema": -1, "claims": []}', "has schema -1"),
        ('{"schema": true, "claims": []}', "is no ledger"),
        ('{"schema": 1, "claims": [], "new": 1}', "it has a field 'new'"),
        ('{"schema": 1, "claims": {}}', "claims = {}; claims must be a list"),
        ('{"schema": 1, "claims": [], "packages": null}', "packages = None; packages must be a dict"),
        ('{"schema": 1, "claims": [], "python": 3.11}', "python = 3.11; python must be a str"),
        ("[1]", "claim 1 has no id"),
        ('{"schema": 1, "claims": [{"id": "a.b"}, {"id": 7}]}', "claim 2 has no id"),
        ('[{"id": "a.b", "evidence": 7}]', "evidence of a.b is 7; evidence must be a list of"),
        ('[{"id": "a.b", "near_misses": [7]}]', "near_misses of a.b is [7]; near_misses must be a list of"),
        ('[{"id": "a.b", "evidence": [{}]}]', "evidence"),
    ],
)
def test_a_file_that_is_no_ledger(tmp_path, complaint, text, message):
    path = tmp_path / "ledger.json"
    path.write_text(text)
    with pytest.raises(LedgerError, match=re.escape(message)):
        read_ledger(path)
    assert message in complaint("ledger", "--compare", path, path)
    with pytest.raises(LedgerError, match="cannot be read"):
        read_ledger(tmp_path / "nowhere.json")


def change(**fields):
    return compare(LEDGER, replace(LEDGER, claims=[CLAIM | fields]))


def test_a_ledger_does_not_differ_from_itself(tmp_path, nct):
    assert compare(LEDGER, LEDGER) == []
    slower = [e | {"seconds": 2.0} for e in CLAIM["evidence"]]
    assert change(evidence=slower, seconds=4.0) == []
    LEDGER.write(tmp_path / "ledger.json")
    assert nct("ledger", "--compare", tmp_path / "ledger.json", tmp_path / "ledger.json") == "no change\n"


def test_every_difference_of_a_claim_is_told():
    assert change(verdict="fails", status="broken") == [
        "example.sum",
        "  verdict: amended → fails",
        "  status: amended → broken",
    ]
    assert change(counterexample=None)[1:] == ["  counterexample: wrong: m = 1 → none"]
    assert change(depends_on=[])[1:] == ["  depends_on: example.def → none"]
    first, second = CLAIM["evidence"]
    assert change(evidence=[first | {"outcome": "failed"}, second | {"test": "b::test_two[amended]"}])[1:] == [
        "  check test_one[printed]: exact, passed → exact, failed",
        "  check test_one[amended]: exact, passed → none",
        "  check test_two[amended]: none → exact, passed",
    ]
    assert change(near_misses=[{"name": "off by one", "rejected": False, "by": []}])[1:] == [
        "  near miss off by one: rejected → accepted"
    ]


def test_differences_of_a_claim_s_file():
    assert change(code="claim = 2", reading="A sum.")[1:] == ["  reading: changed", "  code: changed"]
    assert change(values={"printed": "(lambda m: 2)", "near_misses": {}})[1:] == [
        "  value of printed: (lambda m: m) → (lambda m: 2)",
        "  value of near miss off by one: (lambda m: m + 1) → none",
    ]
    (check,) = CLAIM["checks"]
    assert change(checks=[check | {"covers": ["m < 5"], "lines": [2, 4]}])[1:] == [
        "  check test_one covers: m < 9 → m < 5"
    ]
    old = {name: value for name, value in CLAIM.items() if name not in ("values", "checks", "code", "reading")}
    assert compare(replace(LEDGER, claims=[old]), LEDGER) == []


def test_claims_that_come_and_go(tmp_path, nct):
    other = replace(LEDGER, claims=[CLAIM | {"id": "example.sum-10"}, CLAIM | {"id": "example.sum-9"}])
    assert compare(LEDGER, other) == ["example.sum: gone", "example.sum-9: new", "example.sum-10: new"]
    LEDGER.write(tmp_path / "a.json")
    other.write(tmp_path / "b.json")
    assert nct("ledger", "--compare", tmp_path / "a.json", tmp_path / "b.json").splitlines() == compare(LEDGER, other)


def test_what_the_runs_were_made_on():
    other = replace(LEDGER, commit="b2", packages={"pytest": "9.2.0", "hypothesis": "6.1"})
    assert compare(LEDGER, other) == [
        "commit: a1 → b2",
        "hypothesis: none → 6.1",
        "pytest: 8.2.0 → 9.2.0",
        "rich: 13.9 → none",
    ]
    assert compare(LedgerFile(schema=0, claims=[CLAIM]), other)[0] == "commit: none → b2"


def test_every_field_is_in_the_file(tmp_path):
    LEDGER.write(tmp_path / "ledger.json")
    assert list(json.loads((tmp_path / "ledger.json").read_text(encoding="utf-8"))) == list(asdict(LEDGER))
