"""`nct ledger`: the list of claims and one claim, of this ledger and of another."""

import json
import os

import pytest

from nct.ledger import find_ledger, load_claims


def test_the_ledger_lists_every_claim(nct):
    printed = nct("ledger")
    claims = load_claims(find_ledger())
    for claim in claims.values():
        assert any(line.split()[:2] == [claim.id, claim.verdict] for line in printed.splitlines())
        assert " ".join(claim.printed.text.split()) in " ".join(printed.split())
    assert f"\n{len(claims)} claims: " in printed


def test_one_claim(nct):
    printed = nct("ledger", "lowrank.lemma-12")
    assert printed.startswith("lowrank.lemma-12: Least norm of a map")
    assert "verdict  holds" in printed
    assert "    derived: " in printed
    assert "    r in place of r − 1" in printed
    assert "\nrests on\n    lowrank.def-3\n" in printed
    assert printed.rstrip().endswith(f"{os.sep}test_lemma_12.py")
    assert "    lowrank.lemma-12\n" in nct("ledger", "lowrank.def-3").split("\nneeded by\n")[1]


def test_claims_as_json(nct):
    (claim,) = json.loads(nct("ledger", "lowrank.lemma-12", "--json"))
    assert claim["verdict"] == "holds"
    assert claim["depends_on"] == ["lowrank.def-3"]
    assert claim["needed_by"] == [
        c["id"] for c in json.loads(nct("ledger", "--json")) if claim["id"] in c["depends_on"]
    ]
    assert {"derived", "exact", "property"} <= set(claim["checks"].values())
    assert "r in place of r − 1" in claim["near_misses"]


CLAIM = """
from nct.ledger import Claim, Statement
claim = Claim(id="example.{name}", title="A title", source="A source", verdict="{verdict}",
              printed=Statement("printed {name}", 1), {amended})
"""


@pytest.fixture
def folder(tmp_path):
    ledger = tmp_path / "proofs_checks" / "example"
    ledger.mkdir(parents=True)
    for name, verdict in [("a-10", "holds"), ("a-9", "amended"), ("b", "fails")]:
        amended = 'amended=Statement("repaired", 2)' if verdict == "amended" else ""
        text = CLAIM.format(name=name, verdict=verdict, amended=amended)
        (ledger / f"test_{name.replace('-', '_')}.py").write_text(text)
    return ledger.parent


def test_another_ledger(nct, folder, monkeypatch):
    lines = nct("ledger", "--folder", folder).splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("example")] == [
        ["example.a-9", "amended"],
        ["example.a-10", "holds"],
        ["example.b", "fails"],
    ]
    assert "    amended: repaired" in lines
    assert lines[-1] == "3 claims: 1 holds, 1 amended, 1 fails"
    monkeypatch.chdir(folder / "example")
    assert nct("ledger").splitlines() == lines
    monkeypatch.chdir(folder.parent)
    assert nct("ledger", "example.a-9").endswith("\npytest proofs_checks/example/test_a_9.py\n")
    assert "amended statement\n    repaired" in nct("ledger", "example.a-9")


def test_claims_by_verdict(nct, folder):
    lines = nct("ledger", "--folder", folder, "--verdict", "fails").splitlines()
    assert lines[0].split()[0] == "example.b"
    assert lines[-1] == "1 claim: 1 fails"
    assert nct("ledger", "--folder", folder, "--verdict", "observed") == "\n0 claims\n"


def test_a_claim_that_is_not_there(complaint, folder):
    assert "no claim has the id 'example.a-8'; is it example.a-9" in complaint(
        "ledger", "example.a-8", "--folder", folder
    )
    assert "no claim has the id 'nothing'; 'nct ledger' lists them" in complaint(
        "ledger", "nothing", "--folder", folder
    )


def test_a_ledger_that_is_not_there(complaint, folder):
    assert "no claims below" in complaint("ledger", "--folder", folder / "nowhere")
    (folder / "example" / "test_b.py").write_text("claim = (\n\n")
    assert "test_b.py cannot be read" in complaint("ledger", "--folder", folder)
    assert "invalid choice: 'true'" in complaint("ledger", "--verdict", "true")
