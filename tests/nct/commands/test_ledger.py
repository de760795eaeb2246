"""`nct ledger`: the list of claims and one claim, of this ledger and of another."""

import csv
import io
import json
import os
import re

import pytest
from rich.cells import cell_len

from nct.ledger import LAST_RUN, find_ledger, in_unicode, load_claims, read_claims, read_last_run


def test_the_ledger_lists_every_claim(nct):
    printed = nct("ledger")
    claims = load_claims(find_ledger())
    for claim in claims.values():
        (line,) = [line for line in printed.splitlines() if line.split()[:1] == [claim.id]]
        assert line.split()[1] == claim.verdict
        assert line.endswith(claim.title)
    assert f"\n{len(claims)} claims: " in printed


def test_the_statements_of_every_claim(nct):
    printed = " ".join(nct("ledger", "--statements").split())
    for claim in load_claims(find_ledger()).values():
        assert f"{claim.id}: {claim.title}" in printed
        for form in (claim.printed, claim.amended, claim.seen):
            assert form is None or in_unicode(form.text) in printed


def test_one_claim(nct):
    printed = nct("ledger", "lowrank.lemma-12")
    assert printed.startswith("lowrank.lemma-12: Least norm of a map")
    assert printed.splitlines()[2] == "holds, proved"
    assert "min{‖w‖²: w Tᵣ = x}" in printed.split("\nas printed\n")[1]
    assert "\n    derived    " in printed
    assert "    r in place of r − 1" in printed
    assert "\nrests on\n    lowrank.def-3\n" in printed
    assert printed.rstrip().endswith(f"{os.sep}test_lemma_12.py")
    assert "lowrank.lemma-12" in nct("ledger", "lowrank.def-3").split("\nneeded by\n")[1].split("\n\n")[0]


def test_the_order_of_a_page(nct):
    """First what is stated and whether it is true, then why it is not, then how that was checked."""
    printed = nct("ledger", "lowrank.thm-5")
    titles = [
        "as printed", "amended: what holds instead", "why not as printed", "checks", "near misses, each rejected",
        "rests on", "needed by", "the statement as the checks take it", "to run it",
    ]  # fmt: skip
    assert [line for line in printed.splitlines() if line in titles] == titles


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


def listed(printed):
    """The ids and verdicts of a table."""
    return [line.split()[:2] for line in printed.splitlines() if line.startswith(("example.", "other."))]


def test_another_ledger(nct, folder, monkeypatch):
    printed = nct("ledger", "--folder", folder)
    assert listed(printed) == [["example.a-9", "amended"], ["example.a-10", "holds"], ["example.b", "fails"]]
    assert printed.splitlines()[-1] == "3 claims: 1 holds, 1 amended, 1 fails"
    monkeypatch.chdir(folder / "example")
    assert nct("ledger") == printed
    monkeypatch.chdir(folder.parent)
    page = nct("ledger", "example.a-9")
    assert page.endswith("\n    nct verify example.a-9\n    pytest proofs_checks/example/test_a_9.py\n")
    assert "amended: what holds instead\n    repaired" in page
    assert "why not as printed\n    not known: no run is recorded" in page


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["example"], ["example.a-9", "example.a-10", "example.b"]),
        (["a-"], ["example.a-9", "example.a-10"]),
        (["A-1", "b"], ["example.a-10", "example.b"]),
        (["example", "example.b"], ["example.a-9", "example.a-10", "example.b"]),
        (["other"], ["other.a-9"]),  # a paper, though it has one claim
    ],
)
def test_claims_by_name(nct, folder, names, expected):
    (folder / "other").mkdir()
    text = CLAIM.format(name="a-9", verdict="holds", amended="").replace("example.", "other.")
    (folder / "other" / "test_a_9.py").write_text(text)
    if "a-" in names:
        expected = [*expected, "other.a-9"]
    assert [id for id, _ in listed(nct("ledger", *names, "--folder", folder))] == expected


def test_a_part_of_one_id_shows_that_claim(nct, folder):
    assert nct("ledger", "a-10", "--folder", folder) == nct("ledger", "example.a-10", "--folder", folder)
    assert nct("ledger", "A-10", "--folder", folder).startswith("example.a-10: A title\nA source\nholds\n")


@pytest.fixture
def reached(folder):
    """Claims whose checks reach differently far."""
    for row, kind, covers in [("p", "exact", "'all'"), ("t", "property", "Instances('some')")]:
        path = folder / "example" / f"test_{row}.py"
        path.write_text(
            CLAIM.format(name=row, verdict="holds", amended="")
            + f"from nct.ledger import Instances\n@claim.check({kind!r}, covers={covers})\ndef test(statement): pass\n"
        )
    return folder


def test_claims_by_reach_and_by_kind(nct, reached):
    assert listed(nct("ledger", "--folder", reached, "--reach", "proved")) == [["example.p", "holds"]]
    assert listed(nct("ledger", "--folder", reached, "--reach", "tested")) == [["example.t", "holds"]]
    assert listed(nct("ledger", "--folder", reached, "--reach", "searched")) == []
    assert listed(nct("ledger", "--folder", reached, "--kind", "exact", "--verdict", "holds")) == [
        ["example.p", "holds"]
    ]
    assert [claim["reach"] for claim in json.loads(nct("ledger", "--folder", reached, "--json"))] == [
        None, None, None, "proved", "tested"
    ]  # fmt: skip


def test_the_reach_that_is_listed_is_that_of_a_run():
    """What the files state and what a run finds do not differ, for claims that have not changed since."""
    outcomes = read_last_run(find_ledger())
    listings = [one for one in read_claims(find_ledger()) if one.claim.id in outcomes]
    same = [one for one in listings if not outcomes[one.claim.id].is_old(one.path)]
    assert [(one.claim.id, one.reach) for one in same] == [
        (one.claim.id, outcomes[one.claim.id].reach) for one in same if outcomes[one.claim.id].status != "broken"
    ]


def record(folder, **found):
    """Note what a run found of some claims."""
    from nct.ledger._last_run import fingerprint

    entry = {"date": "2026-03-04T05:06:07+00:00", "status": "amended", "counterexample_is": "exact"}
    claims = {
        f"example.{name}": entry
        | {"fingerprint": fingerprint(folder / "example" / f"test_{name.replace('-', '_')}.py")}
        | fields
        for name, fields in found.items()
    }
    (folder / LAST_RUN).write_text(json.dumps({"schema": 1, "claims": claims}))


def test_the_last_run_s_counterexample(nct, folder):
    record(folder, **{"a-9": {"counterexample": "it differs: m = 3"}, "a-10": {"status": "holds"}})
    page = nct("ledger", "a-9", "--folder", folder)
    assert "why not as printed\n    it differs: m = 3 (exact; run of 4 March 2026)\n" in page
    assert "last run\n    holds (run of 4 March 2026)\n" in nct("ledger", "a-10", "--folder", folder)
    listing = nct("ledger", "--folder", folder)
    assert listing.endswith("\nlast run: 4 March 2026; 1 not run; 'nct verify --record' runs them\n")
    assert "    counterexample: it differs: m = 3 (run of 4 March" in nct("ledger", "--statements", "--folder", folder)
    data = {claim["id"]: claim for claim in json.loads(nct("ledger", "--json", "--folder", folder))}
    assert data["example.a-9"]["last_run"]["counterexample"] == "it differs: m = 3"
    assert data["example.b"]["last_run"] is None


def test_what_has_changed_since_the_last_run_is_marked(nct, folder):
    record(folder, **{"a-9": {"counterexample": "it differs: m = 3"}, "a-10": {"status": "broken"}, "b": {}})
    path = folder / "example" / "test_a_9.py"
    path.write_text(path.read_text() + "# another line\n")
    page = " ".join(nct("ledger", "a-9", "--folder", folder).split())
    assert "(exact; run of 4 March 2026; the claim's file has changed since)" in page
    told = " ".join(nct("ledger", "--folder", folder).split())
    assert "last run: 4 March 2026; broken: example.a-10; 1 changed since; 'nct verify --record'" in told


def test_a_table_for_other_programs(nct, folder):
    record(folder, **{"a-9": {"counterexample": "it differs, m = 3"}})
    rows = list(csv.DictReader(io.StringIO(nct("ledger", "--folder", folder, "--csv"))))
    assert [row["id"] for row in rows] == ["example.a-9", "example.a-10", "example.b"]
    assert (rows[0]["amended"], rows[0]["counterexample"], rows[0]["old"]) == ("repaired", "it differs, m = 3", "False")
    assert (rows[1]["amended"], rows[1]["run"]) == ("", "")


def test_a_table_for_latex(nct):
    printed = nct("ledger", "thm-5.3", "agop-v1", "--latex")
    assert printed.startswith("% needs booktabs, longtable, amsmath, amssymb\n\\begin{longtable}{lllp{")
    lines = [line for line in printed.splitlines() if line.endswith(r" \\")]
    assert all(len(re.findall(r"(?<!\\)&", line)) == 4 for line in lines)
    assert r"$Y^\top Y (A^*)^{-1} = (1 + \lambda_{\mathrm{map}}^{-1}) Y^\top Y$" in printed


def test_a_terminal(nct, monkeypatch):
    """Nothing is wider than it, ids stay whole, and verdicts have their colour."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    for arguments in ([], ["--statements"], ["lowrank.thm-5.nontrivial"]):
        printed = nct("ledger", *arguments)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", printed)
        assert printed != plain
        long = [line for line in plain.splitlines() if cell_len(line) > 80]
        assert [line for line in long if " " in line.strip()] == []
    plain = re.sub(r"\x1b\[[0-9;]*m", "", nct("ledger"))
    for listing in read_claims(find_ledger()):
        assert any(line.split()[:1] == [listing.claim.id] for line in plain.splitlines())


def test_claims_by_verdict(nct, folder):
    printed = nct("ledger", "--folder", folder, "--verdict", "fails")
    assert listed(printed) == [["example.b", "fails"]]
    assert printed.endswith("1 claim: 1 fails\n")
    assert nct("ledger", "--folder", folder, "--verdict", "observed") == "0 claims\n"


def test_a_claim_that_is_not_there(complaint, folder):
    assert "no claim has 'example.a-8' in its id; is it example.a-9" in complaint(
        "ledger", "example.a-8", "--folder", folder
    )
    assert "no claim has 'nothing' in its id; 'nct ledger' lists them" in complaint(
        "ledger", "nothing", "--folder", folder
    )


def test_a_ledger_that_is_not_there(complaint, folder):
    assert "no claims below" in complaint("ledger", "--folder", folder / "nowhere")
    (folder / "example" / "test_b.py").write_text("claim = (\n\n")
    assert "test_b.py cannot be read" in complaint("ledger", "--folder", folder)
    (folder / LAST_RUN).write_text("[]")
    (folder / "example" / "test_b.py").unlink()
    assert "last_run.json is no record that 'nct verify --record' wrote" in complaint("ledger", "--folder", folder)
    assert "invalid choice: 'true'" in complaint("ledger", "--verdict", "true")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="a folder in which nobody can write, root included")
def test_a_folder_that_cannot_be_written(complaint, tmp_path):
    assert "cannot be written" in complaint("ledger", "init", "--folder", "/proc/self/claims")
    (tmp_path / "file").write_text("")
    for folder in ("/proc/self/proofs", tmp_path / "file"):
        assert "cannot be written" in complaint("ledger", "lowrank.two-layers", "--coq", folder)
