"""Numbers and polynomials as Coq writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

_WIDTH = 104


def number(value: int | Fraction) -> str:
    """Return a rational number, in brackets unless it is a natural one.

    Examples
    --------
    >>> number(3), number(Fraction(-1, 2))
    ('3', '(-1 / 2)')
    """
    value = Fraction(value)
    text = str(value.numerator) if value.denominator == 1 else f"{value.numerator} / {value.denominator}"
    return text if text.isdigit() else f"({text})"


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
    """Return a long expression over several lines, broken at its spaces; every line but the first is indented.

    Examples
    --------
    >>> wrapped("x + y", 4)
    'x + y'
    """
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > _WIDTH - indent:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return ("\n" + " " * indent).join([*lines, line])


def comment(text: str) -> str:
    """Return a comment; what would end it or open another is taken apart.

    Examples
    --------
    >>> comment("(*) is read as a product")
    '(* ( * ) is read as a product *)'
    """
    safe = " ".join(text.split()).replace("(*", "( *").replace('"', "'")
    return f"(* {wrapped(safe.replace('*)', '* )'), 3)} *)"
