"""Numbers and polynomials as Coq writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from theory.arguments import RealLike, check_exact

_WIDTH = 104


def number(value: RealLike) -> str:
    """Return a rational number, in brackets unless it is a natural one.

    Parameters
    ----------
    value : int, Fraction or decimal string
        A float is its binary value.

    Returns
    -------
    str

    Examples
    --------
    >>> number(3), number(Fraction(-1, 2))
    ('3', '(-1 / 2)')
    """
    exact = check_exact("value", value)
    text = str(exact.numerator) if exact.denominator == 1 else f"{exact.numerator} / {exact.denominator}"
    return text if text.isdigit() else f"({text})"


def expression(value: Any, names: Mapping[Any, str]) -> str:
    """Return a rational expression in some symbols.

    Parameters
    ----------
    value : SymPy expression or number
        Made of sums, products and integer powers.
    names : mapping of SymPy symbol to str
        What stands for each symbol.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is another operation in it, or a symbol without a name.

    Examples
    --------
    >>> import sympy as sp
    >>> r = sp.Symbol("r")
    >>> expression((r - 3) ** 2 / r, {r: "INR r"})
    '(INR r - 3) ^ 2 / INR r'
    """
    import sympy as sp

    value = sp.sympify(value)
    unknown = [part for part in sp.preorder_traversal(value) if not _is_rational_part(part, names)]
    if unknown:
        raise ValueError(f"value = {value} contains {unknown[0]}; value must be rational in {[*map(str, names)]}")
    placed = {symbol: sp.Symbol(f"Symbol{i}") for i, symbol in enumerate(names)}
    text = str(sp.sstr(value.subs(placed))).replace("**", " ^ ").replace("*", " * ").replace("/", " / ")
    for symbol, name in names.items():
        text = re.sub(rf"\b{placed[symbol]}\b", name, text)
    return text


def _is_rational_part(part: Any, names: Mapping[Any, str]) -> bool:
    if part.is_Pow:
        return bool(part.exp.is_Integer)
    return bool(part.is_Add or part.is_Mul or part.is_Rational or part in names)


def polynomial(coefficients: Mapping[tuple[int, ...], int | Fraction], factors: Sequence[str]) -> str:
    """Return a sum of monomials, lowest powers first, so that a constant is the first term.

    Parameters
    ----------
    coefficients : mapping of tuple of int to int or Fraction
        Exponents and coefficient.
    factors : sequence of str
        What stands for each variable: a name, or an expression in brackets.

    Examples
    --------
    >>> polynomial({(0, 0): 1, (2, 1): Fraction(-1, 3)}, ("x", "(y - 1)"))
    '1 - (1 / 3) * x ^ 2 * (y - 1)'
    """
    terms = sorted((e, Fraction(c)) for e, c in coefficients.items() if c)
    if not terms:
        return "0"
    first, *others = [(c < 0, _monomial(abs(c), e, factors)) for e, c in terms]
    begin = ("- " if first[0] else "") + first[1]
    return begin + "".join((" - " if negative else " + ") + text for negative, text in others)


def _monomial(coefficient: Fraction, exponents: Iterable[int], factors: Sequence[str]) -> str:
    powers = [f if e == 1 else f"{f} ^ {e}" for e, f in zip(exponents, factors, strict=True) if e]
    return " * ".join(([] if coefficient == 1 and powers else [number(coefficient)]) + powers)


def wrapped(text: str, indent: int) -> str:
    """Return a long expression over several lines, every line but the first indented, brackets whole if they can be.

    Examples
    --------
    >>> wrapped("x + y", 4)
    'x + y'
    """
    lines, line = [], ""
    for word in _words(text, _WIDTH - indent):
        if line and len(line) + 1 + len(word) > _WIDTH - indent:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return ("\n" + " " * indent).join([*lines, line])


def _words(text: str, longest: int) -> Iterator[str]:
    """What stands between spaces outside of brackets; longer brackets are taken apart."""
    word, depth = "", 0
    for part in text.split(" "):
        word = f"{word} {part}" if word else part
        depth += part.count("(") - part.count(")")
        if depth <= 0:
            yield from [word] if len(word) <= longest else word.split(" ")
            word, depth = "", 0
    yield from word.split(" ") if word else []


def comment(text: str) -> str:
    """Return a comment; what would end it or open another is taken apart.

    Examples
    --------
    >>> comment("(*) is read as a product")
    '(* ( * ) is read as a product *)'
    """
    safe = " ".join(text.split()).replace("(*", "( *").replace('"', "'")
    return f"(* {wrapped(safe.replace('*)', '* )'), 3)} *)"
