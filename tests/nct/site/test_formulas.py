"""Formulas are typeset strictly, with what they need at hand."""

import re

import pytest

pytest.importorskip("py_mini_racer")

from nct.site.formulas import ASSETS, FormulaError, typeset


def test_a_formula_has_html_and_mathml():
    html = typeset(r"\frac{\lambda}{2}")
    assert "<math" in html
    assert "mfrac" in html
    assert "katex-display" not in html
    assert "katex-display" in typeset(r"\frac{\lambda}{2}", display=True)


def test_what_it_shows_is_escaped():
    assert "<script" not in typeset(r"\text{<script>alert(1)</script>} < 1")


@pytest.mark.parametrize("latex", [r"\frac{1}{2", r"\nosuchcommand", "a_b_c", "é"])
def test_a_formula_that_does_not_typeset_is_named(latex):
    with pytest.raises(FormulaError) as caught:
        typeset(latex)
    assert str(caught.value).startswith(f"{latex}: ")
    assert len(str(caught.value)) < 250


def test_the_fonts_of_the_style_sheet_are_there():
    fonts = re.findall(r"fonts/[\w-]+\.\w+", (ASSETS / "katex.min.css").read_text(encoding="utf-8"))
    assert len(fonts) >= 20
    assert [font for font in fonts if not (ASSETS / font).is_file()] == []
