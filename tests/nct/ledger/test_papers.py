"""The table of papers."""

import pytest
from ledgers import fails_with

from nct.ledger import LedgerError, Paper, find_ledger, read_ledger, read_papers

ROW = """
[[paper]]
key = "{key}"
title = "On sums"
authors = ["A. Author", "B. Author"]
year = 1900
identifier = "doi:10.1/1"
"""


def write(ledger, text):
    ledger.root.mkdir(exist_ok=True)
    (ledger.root / "papers.toml").write_text(text, encoding="utf-8")


def test_the_papers_are_read_in_the_table_s_order(ledger):
    assert read_papers(ledger.root) is None
    write(ledger, ROW.format(key="z") + ROW.format(key="a"))
    papers = read_papers(ledger.root)
    assert list(papers) == ["z", "a"]
    assert papers["a"] == Paper(
        key="a", title="On sums", authors=("A. Author", "B. Author"), year=1900, identifier="doi:10.1/1"
    )


def test_a_paper_may_say_its_order_and_what_it_lacks(ledger):
    write(ledger, ROW.format(key="a") + 'rows = ["thm-2", "thm-1"]\nwithout = {thm-1 = "its data are private"}\n')
    paper = read_papers(ledger.root)["a"]
    assert (paper.rows, paper.without) == (("thm-2", "thm-1"), {"thm-1": "its data are private"})
    assert paper.to_json()["rows"] == ["thm-2", "thm-1"]


def test_the_papers_of_this_ledger():
    assert {"lowrank", "agop", "agop-v1", "review"} <= set(read_papers(find_ledger()))


def test_a_paper_that_is_in_the_table(ledger):
    write(ledger, ROW.format(key="example"))
    ledger.add()
    assert ledger.run().ret == 0
    (paper,) = read_ledger(ledger.pytester.path / "ledger.json").papers
    assert (paper["key"], paper["authors"]) == ("example", ["A. Author", "B. Author"])


@pytest.mark.parametrize(("key", "hint"), [("exampel", "; is it exampel?"), ("lowrank", "")])
def test_a_paper_that_is_not_in_the_table(ledger, key, hint):
    write(ledger, ROW.format(key=key))
    ledger.add()
    fails_with(ledger, f"its paper 'example' is not in papers.toml{hint}\n", passed=4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[paper", "cannot be read"),
        (ROW.format(key="a") * 2, "paper 2: key = 'a'; key must not be that of another paper"),
        ('[[paper]]\nkey = "a"\n', "has the fields key; a paper has key, title, authors, year, identifier"),
        (ROW.format(key="a").replace("1900", '"1900"'), "year = '1900'; year must be a int and not empty"),
        (ROW.format(key="a") + "rows = 3", "rows = 3; rows must be a list and not empty"),
        (ROW.format(key=""), "key = ''; key must be a str and not empty"),
    ],
)
def test_a_table_that_is_wrong(ledger, text, message):
    write(ledger, text)
    with pytest.raises(LedgerError, match=message.replace("[", r"\[")):
        read_papers(ledger.root)
    ledger.add()
    fails_with(ledger, message, passed=4)
