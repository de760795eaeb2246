r"""Statements as pages show them: the prose as text that wraps, the formulas typeset, the differences of two marked.

A statement is LaTeX in which the prose stands in ``\text{…}``.

>>> from nct.site.statements import pieces
>>> pieces(r"\text{for all } r_1")
[Piece(text='for', is_prose=True), Piece(text='all', is_prose=True), Piece(text='r_1', is_prose=False)]
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from html import escape
from itertools import groupby

from nct.site.atoms import atoms
from nct.site.formulas import FormulaError, mark, typeset

#: Below this share of common pieces two statements are different sentences, in which marks would tell nothing.
_ALIKE = 0.3

#: A formula of more characters stands on a line of its own, which scrolls if the window is narrow.
_LONG = 90

_SPACES = {r"\quad", r"\qquad", r"\ ", r"\;", r"\,", r"\:", "~"}
#: What parts of a formula are joined by; a line may end after one, unless it is marked.
_JOINTS = _SPACES | set("=<>+-,;:") | {
    r"\le", r"\ge", r"\ne", r"\to", r"\in", r"\cdot", r"\times", r"\implies", r"\iff", r"\Rightarrow", r"\propto",
    r"\sim", r"\approx", r"\succeq", r"\mapsto",
}  # fmt: skip
_CHARACTERS = {rf"\{sign}": sign for sign in "%&#_${}"} | {
    r"\ ": " ", "~": "\N{NO-BREAK SPACE}", "---": "—", "--": "–", "``": "“", "''": "”", r"\ldots": "…", r"\dots": "…"
}  # fmt: skip
_CHARACTER = re.compile("|".join(map(re.escape, sorted(_CHARACTERS, key=len, reverse=True))))


@dataclass(frozen=True)
class Piece:
    r"""A word of a statement, or a symbol of one of its formulas.

    Attributes
    ----------
    text : str
        The word, or LaTeX.
    is_prose : bool
        Whether it is a word.
    """

    text: str
    is_prose: bool

    @property
    def ends_formula(self) -> bool:
        """Whether a line may end here."""
        return self.text in (r"\quad", r"\qquad")


def pieces(statement: str) -> list[Piece]:
    """The words and symbols of a statement, in order."""
    return [piece for atom in atoms(statement) for piece in _pieces(atom)]


def _pieces(atom: str) -> Iterator[Piece]:
    if not atom.startswith(r"\text{") or not atom.endswith("}") or atom.count("{") != atom.count("}"):
        yield Piece(atom, is_prose=False)
        return
    for number, part in enumerate(re.split(r"(?<!\\)\$", atom.removeprefix(r"\text{")[:-1])):
        if number % 2:
            yield from (Piece(inner, is_prose=False) for inner in atoms(part))
        else:
            yield from (Piece(word, is_prose=True) for word in part.split())


def statement_html(statement: str, other: str | None = None) -> str:
    r"""A statement as HTML, with what differs from another one marked.

    Parameters
    ----------
    statement : str
        The statement.
    other : str, optional
        What it is compared with.

    Returns
    -------
    str
        Text and ``<span>`` elements.

    Raises
    ------
    FormulaError
        If a formula of it cannot be typeset.

    Examples
    --------
    >>> statement_html(r"\text{for every width}", r"\text{for every depth}")
    'for every <mark>width</mark>'
    """
    found = pieces(statement)
    marked = changed(found, pieces(other)) if other is not None else [False] * len(found)
    runs = groupby(zip(found, marked, strict=True), key=lambda pair: (pair[0].is_prose, pair[0].ends_formula))
    html = [_run(list(run), is_prose) for (is_prose, ends), run in runs if not ends]
    return _tight(" ".join(html))


def changed(found: list[Piece], other: list[Piece]) -> list[bool]:
    """For each piece whether it differs from another statement; none does if the two have next to nothing in common.

    Parameters
    ----------
    found : list of Piece
        The pieces of one statement.
    other : list of Piece
        Those of the other.

    Returns
    -------
    list of bool
    """
    matcher = SequenceMatcher(None, other, found, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return [False] * len(found)
    marked = [True] * len(found)
    for block in matcher.get_matching_blocks():
        marked[block.b : block.b + block.size] = [False] * block.size
    return marked


def _run(run: list[tuple[Piece, bool]], is_prose: bool) -> str:
    parts = [
        (is_marked, [piece.text for piece, _ in part]) for is_marked, part in groupby(run, key=lambda pair: pair[1])
    ]
    if is_prose:
        words = [(is_marked, " ".join(map(_word, part))) for is_marked, part in parts]
        return " ".join(f"<mark>{text}</mark>" if is_marked else text for is_marked, text in words)
    return _formula([(is_marked, part) for is_marked, part in parts])


def _word(word: str) -> str:
    """A word as HTML; what is not plain text in LaTeX is typeset."""
    plain = _CHARACTER.sub("", word)
    if re.search(r"[\\{}$^_&#%]", plain):
        return typeset(rf"\text{{{word}}}")
    return escape(_CHARACTER.sub(lambda found: _CHARACTERS[found[0]], word), quote=False)


def _formula(parts: list[tuple[bool, list[str]]]) -> str:
    """A formula as HTML, spaces at its ends left out; one without symbols, such as a comma, is text."""
    symbols = [(is_marked, symbol) for is_marked, part in parts for symbol in part]
    while symbols and symbols[0][1] in _SPACES:
        symbols = symbols[1:]
    while symbols and symbols[-1][1] in _SPACES:
        symbols = symbols[:-1]
    if all(symbol in (",", ";", ".", ":") for _, symbol in symbols):
        return escape("".join(symbol for _, symbol in symbols), quote=False)
    whole = " ".join(symbol for _, symbol in symbols)
    latex = " ".join(
        _marked([symbol for _, symbol in run]) if is_marked else " ".join(symbol for _, symbol in run)
        for is_marked, run in groupby(symbols, key=lambda pair: pair[0])
    )
    return f'<span class="{"formula long" if len(whole) > _LONG else "formula"}">{_typeset(latex, whole)}</span>'


def _marked(symbols: list[str]) -> str:
    """Symbols marked between their joints; a joint alone is marked itself."""
    if len(symbols) == 1:
        return mark(symbols[0])
    runs = groupby(symbols, key=lambda symbol: symbol in _JOINTS)
    return " ".join(" ".join(run) if is_joint else mark(" ".join(run)) for is_joint, run in runs)


def _typeset(latex: str, unmarked: str) -> str:
    """The formula, without marks where these cut through what belongs together, such as a pair of brackets."""
    try:
        return typeset(rf"\displaystyle {latex}")
    except FormulaError:
        typeset(unmarked)  # which says so if the formula itself is at fault
        return typeset(rf"\displaystyle {unmarked}")


def _tight(html: str) -> str:
    """No space before what closes a word."""
    return re.sub(r" (?=[,;.:)](?:\s|<|$))", "", html)
