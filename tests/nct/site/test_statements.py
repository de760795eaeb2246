"""Statements as HTML: prose that wraps, formulas, and the differences of two."""

import ast
import re

import pytest

pytest.importorskip("py_mini_racer")

from nct.ledger import find_ledger, read_claims
from nct.site.atoms import atoms
from nct.site.formulas import FormulaError
from nct.site.prose import prose_html
from nct.site.statements import changed, pieces, statement_html


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"x_{i}^{\top}'", [r"x_{i}^{\top}'"]),
        (r"\frac12 x", [r"\frac12", "x"]),
        (r"\sqrt[3]{x} y", [r"\sqrt[3]{x}", "y"]),
        (r"\left( a \left[ b \right] \right)^2 c", [r"\left( a \left[ b \right] \right)^2", "c"]),
        (r"\begin{cases} a & b \\ c \end{cases} d", [r"\begin{cases} a & b \\ c \end{cases}", "d"]),
        (r"\sum\limits_{i=1}^m i", [r"\sum\limits_{i=1}^m", "i"]),
        (r"\text{a \{ b} [0, 1]", [r"\text{a \{ b}", "[", "0", ",", "1", "]"]),
        (r"\mathbb E \|w\|_F^2", [r"\mathbb E", r"\|", "w", r"\|_F^2"]),
        (r"\{", [r"\{"]),
        ("{a", ["{a"]),
    ],
)
def test_atoms(latex, expected):
    assert atoms(latex) == expected


@pytest.mark.parametrize("listing", read_claims(find_ledger()), ids=lambda listing: listing.claim.id)
def test_every_statement_of_this_ledger_typesets_and_loses_nothing(listing):
    claim = listing.claim
    for form, other in ((claim.printed, claim.standing), (claim.amended or claim.seen, claim.printed)):
        if form is not None:
            assert "".join("".join(atoms(form.text)).split()) == "".join(form.text.split())
            html = statement_html(form.text, other.text)
            plain = re.sub(r"<math.*?</math>|<span[^>]*>|</span>", "", html, flags=re.DOTALL)
            assert "\\" not in plain
            assert "$" not in plain


@pytest.mark.parametrize("listing", read_claims(find_ledger()), ids=lambda listing: listing.claim.id)
def test_every_reading_of_this_ledger_typesets(listing):
    reading = ast.get_docstring(ast.parse(listing.path.read_text(encoding="utf-8")))
    plain = re.sub(r"<math.*?</math>|<code>.*?</code>", "", prose_html(reading), flags=re.DOTALL)
    assert not re.search(r"\\[a-zA-Z]{2,}|\$", plain)


def test_prose_is_text_and_formulas_are_formulas():
    html = statement_html(r"\text{for 5 \% of $n > 1$ \& more: } x = 1,\quad y \text{ is large.}")
    assert html.startswith("for 5 % of <span")
    assert "</span> &amp; more: <span" in html
    assert html.endswith("is large.")
    assert html.count('class="formula"') == 3


def test_what_prose_cannot_say_is_typeset():
    assert "textit" not in statement_html(r"\text{an \textit{optimal} one}").replace("<annotation", "")[:60]
    with pytest.raises(FormulaError, match="nosuch"):
        statement_html(r"\text{a \nosuch b}")


def test_html_in_a_statement_is_shown():
    assert "<script" not in statement_html(r"\text{<script>alert(1)</script>} x < 1")


def test_differences_are_marked():
    printed, amended = r"\text{for every width } d, \; x \ge 1 + a_1", r"\text{for some width } d, \; x \ge 1 + a_2"
    html = statement_html(printed, amended)
    assert html.startswith("for <mark>every</mark> width")
    marked = re.findall(r'<span class="(?:enclosing )?changed">', html)
    assert len(marked) == 1
    marks = changed(pieces(printed), pieces(amended))
    assert [piece.text for piece, is_marked in zip(pieces(printed), marks, strict=True) if is_marked] == [
        "every",
        "a_1",
    ]
    assert "changed" not in statement_html(printed, printed)


def test_statements_with_nothing_in_common_have_no_marks():
    html = statement_html(r"\text{one sentence} x", r"\text{quite another thing} y^2 + 1 = z")
    assert "mark" not in html
    assert "changed" not in html
