"""Finding and reading a ledger without running it."""

import subprocess
import sys
from pathlib import Path

import pytest
from ledgers import FALSE, TRUE

from nct.ledger import LedgerError, _folder, find_ledger, load_claims, read_claims, shown_value

KINDS_OF_CHECKS = {"test_by_adding_up": "exact", "test_by_induction": "derived"}


def in_words(root):
    return [
        (
            listing.path,
            listing.claim.to_json(),
            {name: (check.kind, check.blind_to) for name, check in listing.checks.items()},
        )
        for listing in read_claims(root)
    ]


def test_claims_are_listed_as_importing_them_lists_them(ledger):
    ledger.add("example.sum")
    ledger.add("other.sum", verdict="amended", printed=FALSE, amended=f"Statement('m' '(m+1)/2', {TRUE})")
    listed, loaded = read_claims(ledger.root), load_claims(ledger.root)
    assert [listing.path for listing in listed] == list(loaded)
    for listing, claim in zip(listed, loaded.values(), strict=True):
        assert listing.claim.to_json() == claim.to_json()
        assert {name: check.kind for name, check in listing.checks.items()} == KINDS_OF_CHECKS


def test_listing_does_not_import(ledger):
    path = ledger.add()
    path.write_text(path.read_text() + "\nraise RuntimeError('imported')\n")
    assert read_claims(ledger.root)[0].claim.id == "example.sum"
    with pytest.raises(LedgerError, match=r"test_sum\.py cannot be read: RuntimeError: imported"):
        load_claims(ledger.root)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('title="Sum of the first integers"', 'title=" ".join(["Sum", "of", "the", "first", "integers"])'),
        ("printed=Statement(", "printed=(lambda *a: Statement(*a))("),
        ("claim = Claim(", "claim = (lambda **k: Claim(**k))("),
        ("near_misses={", "near_misses={**{}, "),
        ("depends_on=[]", "depends_on=(x for x in [])"),
    ],
)
def test_fields_that_are_computed_are_listed_by_importing(ledger, old, new):
    path = ledger.add()
    text = path.read_text()
    literal = in_words(ledger.root)
    assert old in text
    path.write_text(text.replace(old, new))
    assert in_words(ledger.root) == literal


def test_fields_that_are_named_above(ledger):
    path = ledger.add()
    text = path.read_text().replace('title="Sum of the first integers"', "title=TITLE")
    path.write_text(text.replace("claim =", "TITLE = 'Sum ' + 'of ' 'all'\nclaim =") + "\nraise RuntimeError\n")
    assert read_claims(ledger.root)[0].claim.title == "Sum of all"


def test_a_ledger_that_cannot_be_read(ledger, tmp_path):
    with pytest.raises(LedgerError, match="no claims below"):
        read_claims(ledger.root)
    with pytest.raises(LedgerError, match="no claims below"):
        load_claims(ledger.root)
    path = ledger.add()
    path.write_text("claim = (")
    with pytest.raises(LedgerError, match=r"test_sum\.py cannot be read"):
        read_claims(ledger.root)


def test_finding_the_ledger(tmp_path):
    (tmp_path / "proofs_checks").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_ledger(tmp_path / "a" / "b") == tmp_path / "proofs_checks"
    assert find_ledger(Path(__file__).parent) == Path(__file__).parents[3] / "proofs_checks"


def test_the_ledger_imports_neither_torch_nor_numpy():
    code = "import sys, nct.ledger.plugin; print({'torch', 'numpy', 'sympy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", "[pytest]\nledger_claims = mine\n"),
        ("pytest.toml", "[pytest]\nledger_claims = 'mine'\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\nledger_claims = 'mine'\n"),
        ("pyproject.toml", "[tool.pytest]\nledger_claims = 'mine'\n"),
        ("tox.ini", "[tox]\nenvlist = py\n[pytest]\nledger_claims = mine\n"),
        ("setup.cfg", "[tool:pytest]\naddopts = %(x)s\nledger_claims = mine\n"),
    ],
)
def test_the_folder_of_claims_is_a_setting(tmp_path, file, text):
    (tmp_path / "mine" / "deep").mkdir(parents=True)
    (tmp_path / file).write_text(text)
    assert find_ledger(tmp_path) == tmp_path / "mine"
    assert find_ledger(tmp_path / "mine" / "deep") == tmp_path / "mine"


def test_a_configuration_that_cannot_be_read(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool")
    with pytest.raises(LedgerError, match=r"pyproject\.toml cannot be read"):
        find_ledger(tmp_path)


def test_no_ledger_says_where_to_look(tmp_path, monkeypatch):
    monkeypatch.setattr(_folder, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    with pytest.raises(LedgerError, match=r"no folder 'proofs_checks'.*ledger_claims.*in its source tree.*init"):
        find_ledger(tmp_path)


def test_a_lambda_is_shown_as_the_file_has_it(ledger):
    ledger.add(printed="lambda m: 2 * m")
    (listing,) = read_claims(ledger.root)
    assert shown_value(listing.claim.printed.value) == "lambda m: 2 * m"
