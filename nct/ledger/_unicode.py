r"""LaTeX of a statement as one line of Unicode, for terminals: pylatexenc reads it, and knows the symbols.

What has no sign in Unicode is written with brackets, never dropped: ``\frac{a+b}c x`` is ((a+b)/c)x.
"""

import re
import unicodedata
from functools import cache
from typing import Any

# Marks that the final pass resolves by what stands beside them; private characters, which no statement has.
_FRACTION, _END, _WORD, _PROSE, _TIGHT, _GAP, _ROOT = map(chr, range(0xE000, 0xE007))

_RELATIONS = "=<>≤≥≠≰≱≮≯≈∝≡∼→⇒⇔⟹⟺↦∈≻⪰≺⪯⊂⊆"
_SPACED = "⊗⊙⊕×∧∨∩∪" + _RELATIONS
_SPACES = {"between-macro-and-chars": False, "between-latex-constructs": True}
_COMBINING = "\u0300-\u036f"
_OPERATORS = ("operatorname", "operatorname*", "mathrm")
_FRACTIONS = ("frac", "tfrac", "dfrac", "cfrac")
_BINOMIALS = ("binom", "tbinom", "dbinom")
_TEXTS = ("text", "textit", "textrm", "textbf", "emph", "mbox")
_NOTHING = ("left", "right", "middle", "textstyle", "displaystyle", "limits", "nolimits", "!")
_SIGNS = {
    "|": "‖", "Vert": "‖", "lVert": f"‖{_TIGHT}", "rVert": f"{_TIGHT}‖", "lvert": f"|{_TIGHT}", "rvert": f"{_TIGHT}|",
    "langle": f"⟨{_TIGHT}", "rangle": f"{_TIGHT}⟩", "lceil": f"⌈{_TIGHT}", "rceil": f"{_TIGHT}⌉",
    "lfloor": f"⌊{_TIGHT}", "rfloor": f"{_TIGHT}⌋", "partial": f"∂{_TIGHT}", "nabla": f"∇{_TIGHT}",
    "Delta": f"Δ{_TIGHT}", "{": "{", "}": "}", "%": "%",
    ",": " ", ";": " ", ":": " ", " ": " ", "quad": "  ", "qquad": "  ", "ldots": "…", "dots": "…", "cdots": "⋯",
    "bigoplus": "⨁", "implies": "⟹", "iff": "⟺", "phi": "φ", "varphi": "φ", "epsilon": "ε", "varepsilon": "ε",
    "le": "≤", "ge": "≥", "ne": "≠", "succeq": "⪰", "preceq": "⪯", "ast": "*", "sum": "∑", "prod": "∏", "sim": "∼",
    "backslash": "\\", "lbrace": "{", "rbrace": "}", "colon": ":",
}  # fmt: skip
_FUNCTIONS = (
    "arg", "cos", "sin", "tan", "cosh", "sinh", "tanh", "cot", "arccos", "arcsin", "arctan", "det", "dim", "exp",
    "inf", "ker", "lim", "liminf", "limsup", "ln", "log", "max", "min", "sup", "Pr", "gcd", "deg",
)  # fmt: skip


def in_unicode(text: str) -> str:
    r"""A statement in Unicode, in one line.

    Parameters
    ----------
    text : str
        LaTeX and prose, as `Statement.text` has it. A text without a backslash or a brace is prose, and stays.

    Returns
    -------
    str
        Where a command is unknown, the LaTeX as it is.

    Examples
    --------
    >>> print(in_unicode(r"\sum_{i=1}^m i = \frac{m(m+1)}2 \text{ for all } m"))
    ∑ᵢ₌₁ᵐ i = m(m+1)/2 for all m
    >>> print(in_unicode(r"\|\tilde M_L\|_F^2 \le \tfrac12\lambda_{\mathrm{map}}^{-1}\sqrt{n + 1}"))
    ‖M̃_L‖_F² ≤ ½λ_map⁻¹√(n + 1)
    """
    if not re.search(r"[\\{]", text):
        return " ".join(text.split())
    from pylatexenc.latexwalker import LatexWalkerParseError

    try:
        return _tidy(_settled(_read(_braced(re.sub(r"\\(?:left|right)\s*\.", "", text)))))
    except (LatexWalkerParseError, _Unreadable):
        return " ".join(text.split())


class _Unreadable(Exception):
    """A command that is unknown, or without its arguments."""


def _braced(latex: str) -> str:
    """With braces around a script or argument that is a command with an argument of its own, as TeX reads it."""
    command = r"\\(?:math[a-z]+|text[a-z]*|bar|tilde|hat|operatorname)\s*(?:\{[^{}]*\}|[A-Za-z0-9]|\\[A-Za-z]+)"
    return re.sub(rf"([_^]|\\[td]?frac)\s*({command})", r"\1{\2}", latex)


def _read(latex: str) -> str:
    from pylatexenc.latexwalker import LatexWalker

    nodes, _, _ = LatexWalker(latex, latex_context=_grammar(), tolerant_parsing=False).get_latex_nodes()
    return str(_writer().nodelist_to_text(nodes))


@cache
def _grammar() -> Any:
    """What pylatexenc knows, and the commands of formulas whose arguments it does not."""
    from pylatexenc.latexwalker import get_default_latex_context_db
    from pylatexenc.macrospec import MacroSpec, MacroStandardArgsParser, SpecialsSpec

    arguments = {name: "{{" for name in (*_FRACTIONS, *_BINOMIALS)} | {name: "{" for name in (*_TEXTS, "not")}
    arguments |= {"operatorname": "*{", "sqrt": "[{", "mathrm": "{"}
    sizes = {f"{size}{side}": "" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m")}
    context = get_default_latex_context_db()
    context.add_context_category(
        "formulas",
        prepend=True,
        macros=[MacroSpec(name, MacroStandardArgsParser(spec)) for name, spec in (arguments | sizes).items()],
        specials=[SpecialsSpec(sign, args_parser=MacroStandardArgsParser("{")) for sign in "^_"],
    )
    return context


@cache
def _writer() -> Any:
    """What writes a tree as text: pylatexenc's symbols, alphabets and accents, and the rules of this module."""
    from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, SpecialsTextSpec, get_default_latex_context_db

    class Writer(LatexNodes2Text):  # type: ignore[misc]
        def chars_node_to_text(self, node: Any, textcol: int = 0) -> str:
            return re.sub(r"-(?![A-Za-z]{3}|(?<=[A-Za-z]{2}-)[A-Za-z]{2})", "−", node.chars)  # a hyphen stays

        def group_node_to_text(self, node: Any) -> str:
            return str(self.nodelist_to_text(node.nodelist))

    rules: dict[str, Any] = {name: "" for name in _NOTHING}
    rules |= {f"{size}{side}": "" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m")}
    rules |= {name: f"{_WORD}{name}{_WORD}" for name in _FUNCTIONS} | {name: _function for name in _OPERATORS}
    rules |= {name: _fraction for name in _FRACTIONS} | {name: _binomial for name in _BINOMIALS}
    rules |= {name: _prose for name in _TEXTS} | {"sqrt": _root, "not": _negated}
    rules |= {name: (lambda node, sign=sign: sign) for name, sign in _SIGNS.items()}
    context = get_default_latex_context_db()
    context.set_unknown_macro_spec(MacroTextSpec("", simplify_repl=_unknown))
    context.add_context_category(
        "formulas",
        prepend=True,
        macros=[MacroTextSpec(name, simplify_repl=rule) for name, rule in rules.items()],
        specials=[SpecialsTextSpec(sign, simplify_repl=_script) for sign in "^_"],
    )
    return Writer(latex_context=context, math_mode="text", strict_latex_spaces=_SPACES)


def _unknown(node: Any) -> str:
    raise _Unreadable


def _arguments(node: Any) -> list[str]:
    """The arguments of a command as text, without the one that may be left out where it is."""
    if node.nodeargd is None or not node.nodeargd.argnlist:
        raise _Unreadable
    given = [one for one in node.nodeargd.argnlist if one is not None]
    return [_settled(_writer().nodelist_to_text([one])).strip() for one in given]


def _fraction(node: Any) -> str:
    above, below = _arguments(node)
    vulgar = _vulgar().get(f"{above}⁄{below}")
    if vulgar:
        return f"{_FRACTION}{vulgar}{_END}"
    above = above if re.fullmatch(rf"{_symbol()}|[^\s()+−±,=/]+(?:\([^()]*\))?", above) else f"({above})"
    return f"{_FRACTION}{above}/{_atom(below)}{_END}"


def _binomial(node: Any) -> str:
    above, below = _arguments(node)
    return f"C({above}, {below})"


def _root(node: Any) -> str:
    *degree, radicand = _arguments(node)
    signs = {"": "√", "3": "∛", "4": "∜"}
    sign = signs.get("".join(degree))
    if sign is None:
        return _atom(radicand) + _raised("1/" + degree[0])
    subscripts = re.escape("".join(_alphabet("sub").values()))
    single = rf"\d+|(?![{_scripts()}])[^\W\d_][{_COMBINING}]*(?:[{subscripts}]+|_\w+)?"
    return f"{_ROOT}{sign}{radicand if re.fullmatch(single, radicand) else f'({radicand})'}{_END}"


def _atom(text: str) -> str:
    """In brackets, unless it is a number or one symbol with its scripts."""
    return text if re.fullmatch(_symbol(), text) else f"({text})"


@cache
def _symbol() -> str:
    """A pattern: a number, or a letter, a bracket, a norm or a root with its scripts."""
    scripts = rf"(?:[{_scripts()}′']|_\w+)*"
    letter = rf"[√∂∇]?(?![{_scripts()}])[^\W\d_][{_COMBINING}]*"
    return rf"√?\d+|(?:{letter}|√?\([^()]*\)|‖[^‖\s+−]*‖){scripts}"


def _negated(node: Any) -> str:
    (relation,) = _arguments(node)
    return unicodedata.normalize("NFC", f"{relation}\u0338")


def _function(node: Any) -> str:
    return f"{_WORD}{_arguments(node)[-1]}{_WORD}"


def _prose(node: Any) -> str:
    """Words as they are: a hyphen is no minus."""
    if node.nodeargd is None:
        raise _Unreadable
    words = _writer().nodelist_to_text(node.nodeargd.argnlist)
    return f"{_PROSE}{words.replace('−', '-')}{_PROSE}"


def _script(node: Any, specials_chars: str) -> str:
    (text,) = _arguments(node)
    text = re.sub(f"[{_PROSE}{_WORD}]", "", text)
    gap = _GAP if getattr(node.nodeargd.argnlist[0], "macro_post_space", "") else ""  # which TeX drops
    return (_raised(text) if specials_chars == "^" else _lowered(text)) + gap


def _raised(text: str) -> str:
    plain = {"⊤": "ᵀ", "*": "*", "∗": "*", "†": "†", "⊥": "⊥", "′": "′"}
    return plain.get(text) or _shifted(text, _alphabet("super")) or f"^{_word(text)}"


def _lowered(text: str) -> str:
    return _shifted(text, _alphabet("sub")) or f"_{_word(text)}"


def _word(text: str) -> str:
    single = rf"(?:(?![{_scripts()}])[^\W_][{_COMBINING}]*)+|[*+−⊥]"
    return f"{text}{_WORD}" if re.fullmatch(single, text) else f"({text})"


def _shifted(text: str, alphabet: dict[str, str]) -> str:
    """The text in small signs, if there are such; words of three letters are easier to read without."""
    letters = text.replace(" ", "")
    if letters.isalpha() and len(letters) > 2:
        return ""
    return "".join(alphabet[one] for one in letters) if all(one in alphabet for one in letters) else ""


@cache
def _alphabet(kind: str) -> dict[str, str]:
    """The small signs that Unicode has, by the signs that they stand for."""
    blocks = (
        *range(0x2070, 0x20A0),
        *range(0x2B0, 0x2B9),
        *range(0x2E1, 0x2E4),
        *range(0x1D2C, 0x1D6B),
        *range(0x2C7C, 0x2C7E),
        0xB2,
        0xB3,
        0xB9,
    )
    found: dict[str, str] = {}
    for code in blocks:
        tag, _, plain = unicodedata.decomposition(chr(code)).partition(" ")
        if tag == f"<{kind}>" and " " not in plain:
            found.setdefault(chr(int(plain, 16)), chr(code))
    return found


@cache
def _scripts() -> str:
    return re.escape("".join({**_alphabet("super")}.values()) + "".join(_alphabet("sub").values())) + "*†ᵀ⁺⁻"


@cache
def _vulgar() -> dict[str, str]:
    """The fractions that are one sign."""
    signs = map(chr, (0xBC, 0xBD, 0xBE, *range(0x2150, 0x215F)))
    return {unicodedata.normalize("NFKD", sign): sign for sign in signs}


def _settled(text: str) -> str:
    """Brackets around a fraction that stands beside a factor, and a space between a name and what stands beside it."""
    while match := re.search(f"([{_FRACTION}{_ROOT}])([^{_FRACTION}{_ROOT}{_END}]*){_END}", text):
        place = _placed if match[1] == _FRACTION else _placed_root
        text = place(match[2], text[: match.start()], text[match.end() :])
    letter = rf"(?:(?![{_scripts()}])[^\W_])"
    text = re.sub(rf"{_GAP}(?=[A-Za-z]{{2}}|[+−])", " ", text).replace(_GAP, "")
    text = re.sub(rf"{_TIGHT}\s*|\s*{_TIGHT}(?=[‖|⟩⌉⌋])", "", text)
    text = re.sub(rf"(?<=[\w)\]}}‖|…]){_WORD}+(?={letter}|[√∑∏∫])", " ", text)
    return text.replace(_WORD, "")


def _placed(part: str, before: str, after: str) -> str:
    """A fraction between what stands before and after it."""
    power = _has_power(after)
    if len(part) == 1:  # a fraction in one sign, beside which only a digit is ambiguous
        before = re.sub(r"(?<=\d)\s*$", "·", before)
        after = re.sub(r"^\s*(?=\d)", "·", after)
        return before + (f"({part})" if power else part) + after
    left = re.search(rf"(?:[^\W_]|[)\]}}‖|⟩/{_END}])\s?$", before)
    right = re.match(rf"\s?(?:[^\W_]|[(\[{{‖|√∑∏∫⟨{_FRACTION}{_ROOT}{_WORD}])", after)
    return before + (f"({part})" if left or right or power else part) + after


def _placed_root(part: str, before: str, after: str) -> str:
    """A root, which ends where its radicand does."""
    return before + (f"({part})" if _has_power(after) else part + _WORD) + after


def _has_power(after: str) -> bool:
    return re.match(rf"\s*[{_scripts()}^!]", after) is not None


def _tidy(text: str) -> str:
    """One line, with one space around a relation."""
    text = text.replace(_PROSE, "")
    text = re.sub(rf"(?<=[^\s(_^{_SPACED}])\s*([{_SPACED}])\s*(?=[^{_SPACED}])", r" \1 ", text)
    text = re.sub(r"(?<=[(\[{])\s+|\s+(?=[)\]}])|\s+(?=[,.;:](?:\s|$))", "", text)
    return " ".join(text.split())
