"""A site from a run's JSON, and the command that makes it."""

import re
from dataclasses import replace

import pytest
from ledgers import FALSE, TRUE

pytest.importorskip("py_mini_racer")

from nct.ledger import LedgerError, read_ledger
from nct.site.build import address, write_site
from nct.site.command import make_site
from nct.site.entries import Entry, refutation

WITH_KERNEL = """
@claim.check("derived", covers="all", blind_to={"off by one": "it looks at 0 only"})
def test_at_zero(statement):
    require(statement(0) == 0, "wrong at 0")
"""


@pytest.fixture
def made(ledger):
    """A ledger with two claims that has run."""
    ledger.add("example.sum", then=WITH_KERNEL)
    ledger.add(
        "example.sum-2",
        verdict="amended",
        printed=FALSE,
        amended=f"Statement('m(m+1)/2', {TRUE})",
        depends_on=["example.sum"],
    )
    assert ledger.run().ret == 0
    return read_ledger(ledger.pytester.path / "ledger.json")


def text_of(path):
    return path.read_text(encoding="utf-8")


def test_the_pages_of_a_ledger(made, tmp_path):
    pages = {str(path.relative_to(tmp_path)) for path in write_site(made, tmp_path, home="../index.html")}
    claims = {f"claims/{claim['id']}.html" for claim in made.claims}
    assert pages == {"index.html", "false.html", "graph.html", "papers/example.html"} | claims
    for page in pages:
        assert 'href="../index.html"' in text_of(tmp_path / page) or 'href="../../index.html"' in text_of(
            tmp_path / page
        )


def test_the_page_of_a_claim_says_everything(made, tmp_path):
    write_site(made, tmp_path)
    page = text_of(tmp_path / "claims" / "example.sum-2.html")
    for words in (
        "As printed",
        "As amended",
        "The sum differs",
        "<code>m</code>",
        "<code>1</code>",
        "refuted",
        "accepted",
    ):
        assert words in page
    for words in (
        "off by one",
        "by adding up",
        "nct verify example.sum-2",
        "pytest proofs_checks/example/test_sum_2.py",
    ):
        assert words in page
    assert "require" in page
    assert 'href="../claims/example.sum.html"' in page
    first = text_of(tmp_path / "claims" / "example.sum.html")
    assert 'href="../claims/example.sum-2.html"' in first
    assert "it looks at 0 only" in first


def test_what_is_false_is_on_its_page(made, tmp_path):
    write_site(made, tmp_path)
    page = text_of(tmp_path / "false.html")
    assert 'id="example.sum-2"' in page
    assert 'id="example.sum"' not in page
    assert "1 of 2 statements" in page


def test_what_comes_later_shows_without_a_change(made, tmp_path):
    claim = made.claims[0]
    (evidence, *_) = claim["evidence"]
    later = claim | {
        "status": "suspended", "reach": {"scope": "formalised"}, "evidence": [evidence | {"kind": "oracle"}],
        "reviewed_by": ["a", "b"],
    }  # fmt: skip
    write_site(replace(made, claims=[later]), tmp_path)
    index, page = text_of(tmp_path / "index.html"), text_of(tmp_path / "claims" / f"{claim['id']}.html")
    for word in ("suspended", "formalised", "oracle"):
        assert f"<option>{word}</option>" in index
    assert "Reviewed by" in page
    assert "a, b" in page


def test_a_paper_s_order_and_what_it_lacks(made, tmp_path):
    paper = {"key": "example", "title": "On sums", "authors": ["A"], "year": 1900, "identifier": "arXiv:1900.00001"}
    paper |= {"rows": ["sum-2", "lost", "sum"], "without": {"lost": "its data are private"}}
    write_site(replace(made, papers=[paper]), tmp_path)
    page = text_of(tmp_path / "papers" / "example.html")
    assert page.index('id="sum-2"') < page.index('id="sum"')
    assert "its data are private" in page
    assert "https://arxiv.org/abs/1900.00001" in page


def test_every_link_leads_somewhere(made, tmp_path):
    for path in write_site(made, tmp_path):
        for link in re.findall(r'(?:href|src)="([^"#:]+)["#]', text_of(path)):
            assert (path.parent / link).exists(), (path, link)


def test_a_ledger_of_an_old_form(made, tmp_path):
    with pytest.raises(LedgerError, match="schema 1 has no statements in code"):
        write_site(replace(made, schema=1), tmp_path)


def test_a_statement_that_does_not_typeset_is_named(made, tmp_path, ledger, complaint):
    wrong = [made.claims[0] | {"printed": r"\frac{1}{2"}]
    file = ledger.pytester.path / "wrong.json"
    replace(made, claims=wrong).write(file)
    said = complaint("ledger", "--site", tmp_path / "site", "--from", file, "--folder", ledger.root)
    assert r"the printed statement of example.sum cannot be typeset: \frac{1}{2: Unexpected end" in said
    reading = [made.claims[0] | {"reading": "It is $x_$."}]
    replace(made, claims=reading).write(file)
    said = complaint("ledger", "--site", tmp_path / "site", "--from", file, "--folder", ledger.root)
    assert "the reading of example.sum cannot be typeset: x_" in said


def test_a_folder_that_cannot_be_written(made, tmp_path, ledger, complaint):
    (tmp_path / "taken").write_text("")
    file = ledger.pytester.path / "ledger.json"
    said = complaint("ledger", "--site", tmp_path / "taken", "--from", file, "--folder", ledger.root)
    assert f"{tmp_path / 'taken'} cannot be written: " in said
    said = complaint("ledger", "--site", tmp_path / "x", "--from", tmp_path / "taken", "--folder", ledger.root)
    assert "cannot be read" in said


def test_the_claims_are_run_where_no_run_is_given(ledger, tmp_path):
    ledger.add()
    first, *_ = make_site(tmp_path / "site", ledger.root)
    assert first == tmp_path / "site" / "index.html"
    assert "example.sum" in text_of(first)


@pytest.mark.parametrize(
    ("line", "words", "numbers"),
    [
        ("the sum differs: m = 1", "the sum differs", [("m", "1")]),
        ("wrong: x = (1, y=2), z = [a, b]", "wrong", [("x", "(1, y=2)"), ("z", "[a, b]")]),
        ("wrong at 0", "wrong at 0", []),
        ("m=3", "", [("m", "3")]),
        ("ratio: a == b", "ratio: a == b", []),
    ],
)
def test_counterexamples_in_words_and_numbers(line, words, numbers):
    found = refutation(line)
    assert (found.words, found.numbers) == (words, numbers)


def test_an_entry_knows_no_magic():
    with pytest.raises(AttributeError):
        Entry({}).__wrapped__  # noqa: B018
    assert Entry({"id": "a.b"}).anything is None


def test_addresses():
    assert address("doi:10.1/1") == "https://doi.org/10.1/1"
    assert address("https://example.org/x") == "https://example.org/x"
    assert address("docs/optimum.md") is None
