"""Whether the formulas in a statement's text are what its value computes."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from nct.ledger._latex import Unreadable, evaluate
from nct.ledger._statement import Statement

#: Where a formula is tried, for a symbol that names no values of its own.
POINTS = (Fraction(2, 7), Fraction(3, 5), Fraction(5, 4), Fraction(11, 3))


def faults_of_formulas(statement: Statement) -> Iterator[str]:
    """What the text says otherwise than the value computes.

    Parameters
    ----------
    statement : Statement
        With its `formulas`.

    Yields
    ------
    str
        A piece that is not in the text, or no formula, or has another value somewhere.
    """
    for latex, of in statement.formulas.items():
        if latex not in statement.text:
            yield f"its text has no {latex!r}"
            continue
        for point in points(of):
            try:
                said, computed = (_number(value) for value in (evaluate(latex, point), of(statement.value, **point)))
            except (Unreadable, ModuleNotFoundError) as error:
                yield str(error)
                break
            if abs(said - computed) > 1e-12 * max(abs(said), abs(computed)):
                at = ", ".join(f"{name} = {value}" for name, value in point.items())
                yield f"its text says {latex!r}, which is {said:.12g} where the value is {computed:.12g}, at {at}"
                break


def points(of: Callable[..., Any]) -> list[Mapping[str, Any]]:
    """Where a formula is tried: every symbol at four values, each symbol starting at another of them.

    Examples
    --------
    >>> points(lambda value, r, n=(2, 3): value(r, n))[0]
    {'r': 2/7, 'n': 3}
    """
    from sympy import sympify

    symbols = list(inspect.signature(of).parameters.values())[1:]
    choices = {s.name: POINTS if s.default is s.empty else tuple(s.default) for s in symbols}
    return [
        {name: sympify(values[(turn + shift) % len(values)]) for shift, (name, values) in enumerate(choices.items())}
        for turn in range(max((len(values) for values in choices.values()), default=1))
    ]


def _number(value: Any) -> complex | float:
    number = complex(value)
    return number if number.imag else number.real
