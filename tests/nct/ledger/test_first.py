"""Beginning a ledger."""

import os

import pytest

from nct.ledger import FIRST_CLAIM, LedgerError, begin_ledger, find_ledger, read_claims, read_papers


@pytest.mark.parametrize("name", ["proofs_checks", "claims"])
def test_the_first_claim_passes(pytester, nct, name):
    printed = nct("ledger", "init", *([] if name == "proofs_checks" else ["--folder", name]))
    files = [f"{name}/gauss/test_thm_1.py", f"{name}/papers.toml", "pytest.ini"]
    assert printed.splitlines() == [
        *(f"wrote {file}".replace("/", os.sep) for file in files),
        "",
        f"now run: pytest {name}",
    ]
    result = pytester.runpytest_inprocess(name, "-p", "no:cacheprovider", "-W", "error", "--strict-markers")
    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines(["gauss.thm-1 *holds *tested *2 of 2", "1 claim: 1 holds"])
    assert find_ledger() == pytester.path / name  # wherever the folder is


def test_an_existing_configuration_is_kept(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '-q'\n")
    assert [path.name for path in begin_ledger(tmp_path / "proofs_checks")] == ["test_thm_1.py", "papers.toml"]
    assert list(read_papers(tmp_path / "proofs_checks")) == ["gauss"]
    assert not (tmp_path / "pytest.ini").exists()


def test_a_folder_that_an_existing_configuration_does_not_name(tmp_path, nct):
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -q\n")
    assert "add 'ledger_claims = mine' to the pytest configuration in" in nct(
        "ledger", "init", "--folder", tmp_path / "mine"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nledger_claims = other\n")
    assert "add 'ledger_claims" not in nct("ledger", "init", "--folder", tmp_path / "other")


def test_a_configuration_of_other_tools_is_none(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 90\n")
    assert (tmp_path / "pytest.ini") in begin_ledger(tmp_path / "proofs_checks")


def test_nothing_is_overwritten(tmp_path, complaint):
    root = tmp_path / "proofs_checks"
    begin_ledger(root)
    (root / "gauss" / "test_thm_1.py").write_text(FIRST_CLAIM + "# mine\n")
    with pytest.raises(LedgerError, match=r"test_thm_1\.py exists"):
        begin_ledger(root)
    (root / "gauss" / "test_thm_1.py").unlink()
    with pytest.raises(LedgerError, match=r"papers\.toml exists"):
        begin_ledger(root)
    assert not (root / "gauss" / "test_thm_1.py").exists()
    assert "papers.toml exists" in complaint("ledger", "init", "--folder", root)


def test_a_folder_that_cannot_be_written(tmp_path, complaint):
    (tmp_path / "file").touch()
    assert "cannot be written" in complaint("ledger", "init", "--folder", tmp_path / "file" / "claims")


def test_the_first_claim_is_read_without_being_run(tmp_path):
    begin_ledger(tmp_path / "proofs_checks")
    (listing,) = read_claims(tmp_path / "proofs_checks")
    assert (listing.claim.id, sorted(listing.checks)) == ("gauss.thm-1", ["test_adding_up", "test_one_more_term"])
