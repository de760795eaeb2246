"""The proofs of this project's ledger: readable, without gaps, and of what they state only."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nct.ledger import find_coqc, read_claims, run_coqc, write_scripts

LEDGER = Path(__file__).parents[1] / "proofs_checks"

needs_coq = pytest.mark.skipif(find_coqc() is None, reason="there is no coqc (Debian's package is coq)")
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("proofs")
    write_scripts(read_claims(LEDGER), folder)
    return folder


@pytest.fixture(scope="module")
def sources(folder):
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.v"))}


def test_every_claim_with_a_kernel_check_has_a_source_that_names_it(sources):
    heads = {name: " ".join(source[: source.index("*)")].split()) for name, source in sources.items()}
    for listing in read_claims(LEDGER):
        if any(check.kind == "kernel" for check in listing.checks.values()):
            expected = f"(* {listing.claim.id}: {listing.claim.title}. Source: {listing.claim.source}"
            assert expected.replace('"', "'") in {head.rstrip() for head in heads.values()}


def test_sources_are_readable(sources):
    for name, source in sources.items():
        assert max(map(len, source.splitlines())) <= 120, name
        assert "\n\n\n" not in source, name


def test_hypotheses_are_named(sources):
    for name, source in sources.items():
        assert not re.search(r"\b(?:intros|intro)\s*\.", re.sub(r"\(intros;[^)]*\)", "", source)), name
        assert not re.search(r"\bH\d+\b", source), name


def test_nothing_is_assumed_or_left_out(sources):
    for name, source in sources.items():
        words = set(re.findall(r"\w+", re.sub(r"\(\*.*?\*\)", "", source, flags=re.DOTALL)))
        assert not words & {"Axiom", "Parameter", "Conjecture", "Admitted", "admit", "Abort", "give_up"}, name


#: For each claim with proofs of its own, a statement of them and the same with another coefficient or inequality.
CHANGED = {
    "agop_lemma_C2": ("combination class K (/ lam) (/ lam * / (lam + INR n))", "lam + INR n", "lam + 2 * INR n"),
    "agop_thm_5_3": ("Definition main (c : R) := 2 * c / (1 + c)", "2 * c", "3 * c"),
    "agop_thm_5_3_1": (":= / (1 + lam_k / (INR n + lam_map)) ^ 2", "(1 +", "(1 + 2 *"),
    "lowrank_def_3": ("S O => INR r - 4 |", "4", "3"),
    "lowrank_thm_5": ("Definition classes (r : R) := r * (r - 1) / 2", "/ 2", "/ 3"),
    "own_rank_two": ("(2 * INR K - 1) * (2 * INR K ^ 2 - 3 * INR K + 7)", "+ 7", "+ 6"),
    "own_removing_classes": (
        "average K k (fun kept => loss d depth kept n (INR K / INR k * lam_H) lam (INR K / INR k * lam_V) H W V)",
        "INR K / INR k * lam_V",
        "INR K * lam_V",
    ),
    "review_A4": ("sqrt n * Rabs (a * g - 1) <= lam", "<= lam", "<= lam / 2"),
    "review_eq_29_frame": ("(z - 1) / K + c = 0", "+ c", "+ 2 * c"),
}


@needs_coq
@pytest.mark.parametrize("name", CHANGED)
def test_a_changed_statement_is_rejected(sources, name):
    statement, old, new = CHANGED[name]
    assert statement in sources[name]
    checked = run_coqc(sources[name].replace(statement, statement.replace(old, new)))
    assert not checked.accepted
    assert "Syntax error" not in checked.message


@pytest.mark.ledger_long
@needs_coq
@needs_make
def test_make_checks_everything(folder, sources):
    run = subprocess.run(["make", "-C", folder], capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("Axioms:") == len(sources)
    assert {path.stem for path in folder.glob("*.vo")} == set(sources)


@needs_coq
@needs_make
def test_make_fails_where_a_proof_does(tmp_path):
    (listing,) = (one for one in read_claims(LEDGER) if one.claim.id == "review.A4")
    path, _ = write_scripts([listing], tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("<= lam.", "<= lam / 2."), encoding="utf-8")
    assert subprocess.run(["make", "-C", tmp_path], capture_output=True, check=False).returncode != 0
