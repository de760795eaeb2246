"""Statements in Unicode: nothing is dropped, and what is written means what the LaTeX means."""

import re
import unicodedata

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from sympy.parsing.sympy_parser import implicit_multiplication, parse_expr, standard_transformations

from nct.ledger import find_ledger, in_unicode, read_claims

STATEMENTS = [
    pytest.param(statement.text, id=f"{listing.claim.id}-{name}")
    for listing in read_claims(find_ledger())
    for name in ("printed", "amended", "seen")
    if (statement := getattr(listing.claim, name)) is not None
]


@pytest.mark.parametrize("text", STATEMENTS)
def test_every_statement_of_the_ledger_is_shown_without_latex(text):
    shown = in_unicode(text)
    assert not re.search(r"[\\$~]|\s\s", shown)
    assert all(unicodedata.category(sign) != "Co" for sign in shown)  # no mark of its own is left
    letters = re.findall(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+\s?", " ", text))
    plain = unicodedata.normalize("NFKC", shown).replace("ℓ", "l")
    assert len(re.findall(r"[A-Za-z]", plain)) >= len(letters)  # no letter is dropped
    for opening, closing in ("()", "{}", "⟨⟩"):
        if text.count(opening) == text.count(closing) and "[0" not in text:
            assert shown.count(opening) == shown.count(closing)


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        ("m + 0 = m", "m + 0 = m"),
        ("L_dnc of plain  prose", "L_dnc of plain prose"),
        (r"\frac{a+b}c x", "((a+b)/c) x"),
        (r"x = \frac ab", "x = a/b"),
        (r"1/\frac ab", "1/(a/b)"),
        (r"\frac{\frac ab}c", "(a/b)/c"),
        (r"\tfrac12\tfrac12 x^2", "½½ x²"),
        (r"3\tfrac12", "3·½"),
        (r"\tfrac12^2", "(½)²"),
        (r"\frac ab^2", "(a/b)²"),
        (r"\sqrt2\pi", "√2 π"),
        (r"\sqrt n^2 + \sqrt{n^2}", "(√n)² + √(n²)"),
        (r"\sqrt[3]{x} + \sqrt[5]{x}", "∛x + x^(1/5)"),
        (r"x_1^2 + x_{ij} + x_{ijk} + x_F^{n-1}", "x₁² + xᵢⱼ + x_ijk + x_Fⁿ⁻¹"),
        (r"\lambda_{\mathrm{map}}n, \mathcal L_\mathrm{dnc}", "λ_map n, ℒ_dnc"),
        (r"2^{L^2} e^{-x}", "2^(L²) e⁻ˣ"),
        (r"\operatorname{tr}AB = 2\log n, \log(n)", "tr AB = 2 log n, log(n)"),
        (r"\left\lVert A \right\rVert_F \not\ge \Big|x\Big|", "‖A‖_F ≱ |x|"),
        (r"\text{a sub-exponential }X-Y", "a sub-exponential X−Y"),
        (r"\binom{n}{k+1}\text{ of } n\to\infty", "C(n, k+1) of n → ∞"),
        (r"\bar f_k, \tilde{X}^\top Y, X^*, A^\dagger", "f̅ₖ, X̃ᵀY, X*, A†"),
        (r"\unheardof{x}  + \alpha", r"\unheardof{x} + \alpha"),
        (r"\frac{\sqrt a}{b}c", "(√a/b)c"),
        (r"\frac{1}{", r"\frac{1}{"),
        (r"\frac", r"\frac"),
        (r"\sqrt", r"\sqrt"),
        (r"x_", "x_"),
        (r"{a}", "a"),
    ],
)
def test_what_is_written(latex, shown):
    assert in_unicode(latex) == shown


SYMBOLS = {"a": 2, "K": 3, "x_1": 5, "n": 7, "L_map": 11}
LATEX = {"x_1": "x_1", "L_map": r"L_{\mathrm{map}}"}


def binary(form, value):
    return lambda pair: (form.format(*(one[0] for one in pair)), value(*(one[1] for one in pair)))


def bracketed(one):
    return f"({one[0]})", one[1]


def extended(parts):
    """Larger expressions: LaTeX, with the number that it stands for."""
    pairs = st.tuples(parts, parts)
    factors = st.tuples(parts.map(bracketed) | ATOMS, ATOMS)
    return st.one_of(
        pairs.map(binary("{} + {}", lambda a, b: a + b)),
        st.tuples(parts, ATOMS).map(binary("{} - {}", lambda a, b: a - b)),
        factors.map(binary("{} {}", lambda a, b: a * b)),
        factors.map(binary(r"{}\,{}", lambda a, b: a * b)),
        pairs.map(binary(r"\frac{{{}}}{{{}}}", lambda a, b: a / b)),
        st.tuples(pairs.map(binary(r"\frac{{{}}}{{{}}}", lambda a, b: a / b)), ATOMS).map(
            binary(r"{}{}", lambda a, b: a * b)
        ),
        st.tuples(ATOMS, pairs.map(binary(r"\tfrac{{{}}}{{{}}}", lambda a, b: a / b))).map(
            binary(r"{}{}", lambda a, b: a * b)
        ),
        st.tuples(ATOMS, pairs.map(binary(r"\tfrac{{{}}}{{{}}}", lambda a, b: a / b))).map(
            binary(r"{}/{}", lambda a, b: a / b)
        ),
        parts.map(lambda one: (rf"\sqrt{{{one[0]}}}", sp.sqrt(one[1]))),
        st.tuples(parts, st.integers(2, 3)).map(lambda one: (f"({one[0][0]})^{{{one[1]}}}", one[0][1] ** one[1])),
        st.tuples(ATOMS, st.sampled_from([("n-1", 6), ("K", 3), (r"\frac12", sp.S.Half)])).map(
            lambda one: (f"{one[0][0]}^{{{one[1][0]}}}", one[0][1] ** one[1][1])
        ),
    )


ATOMS = st.sampled_from(
    [(str(number), sp.Integer(number)) for number in (1, 2, 3, 12)]
    + [(LATEX.get(name, name), sp.Integer(value)) for name, value in SYMBOLS.items()]
)


def read_back(shown):
    """The value of what is shown, read with the usual precedence: a fraction beside a factor would be misread."""
    text = re.sub(r"[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞⅐⅑⅒]", lambda m: f"({unicodedata.normalize('NFKD', m[0])})", shown)
    text = text.replace("⁄", "/").replace("·", "*").replace("−", "-")
    raised = "[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿᴷ]+"
    text = re.sub(raised, lambda m: f"**({unicodedata.normalize('NFKC', m[0]).replace('−', '-')})", text)
    text = text.replace("^", "**").replace("₁", "_1")
    text = re.sub(r"√(\w+)", r"√(\1)", text).replace("√", "sqrt")
    text = re.sub(r"(?<![a-z_])([aKn])(?=[aKnLx\d(])", r"\1 ", text)
    text = re.sub(r"(?<=[\w)]) ?(?=sqrt)", "*", text)
    names = {name: sp.Integer(value) for name, value in SYMBOLS.items()} | {"sqrt": sp.sqrt}
    return parse_expr(text, names, (*standard_transformations, implicit_multiplication))


@given(st.recursive(ATOMS, extended, max_leaves=6))
def test_what_is_written_means_the_same(expression):
    latex, value = expression
    if value.is_finite is not True:
        return
    difference = complex(sp.N(read_back(in_unicode(rf"\,{latex}")) - value))
    assert abs(difference) <= 1e-9 * max(1, abs(complex(sp.N(value))))
