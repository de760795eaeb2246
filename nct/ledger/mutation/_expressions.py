"""Edits of SymPy expressions, by their place in the tree; SymPy is not imported for it."""

import sys
from collections.abc import Iterator
from typing import Any

from nct.ledger.mutation._edit import Edit


def is_expression(value: object) -> bool:
    """Whether a value is a SymPy expression; none is if SymPy has not been imported."""
    sympy = sys.modules.get("sympy")
    return sympy is not None and isinstance(value, sympy.Basic)


def edits_of_expression(expression: Any, step: float) -> Iterator[Edit]:
    """Edits of an expression: numbers, signs, exponents, factors and terms, comparisons.

    Parameters
    ----------
    expression : sympy.Basic
        The expression.
    step : float
        By which share numbers that are not whole are moved.

    Yields
    ------
    Edit
        One edit at one place of the tree.
    """
    seen = {expression}
    for chain in _chains((expression,)):
        node = chain[-1]
        for new in _replacements(node, step):
            pairs = [(node, new)]
            try:
                for parent in reversed(chain[:-1]):
                    old, inner = pairs[-1]
                    arguments = [inner if argument is old else argument for argument in parent.args]
                    pairs.append((parent, parent.func(*arguments)))
            except (TypeError, ValueError, AttributeError):
                continue  # no expression of this kind has such a part
            value = pairs[-1][1]
            if value in seen:
                continue
            seen.add(value)
            names = tuple(f"{old} → {inner}" for old, inner in pairs[(1 if len(pairs) > 1 and not node.args else 0) :])
            yield Edit(value, names, f"- {expression}\n+ {value}\n")


def _chains(chain: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Every node, with the nodes that hold it."""
    yield chain
    for argument in chain[-1].args:
        if is_expression(argument):
            yield from _chains((*chain, argument))


def _replacements(node: Any, step: float) -> Iterator[Any]:
    sympy = sys.modules["sympy"]
    if node.is_Integer:
        yield node + 1
        yield node - 1
    elif node.is_Number:
        share = sympy.Rational(str(step))
        yield node * (1 + share)
        yield node * (1 - share)
    elif isinstance(node, sympy.core.relational.Relational):
        yield from _relations(node, sympy)
    elif isinstance(node, sympy.Add | sympy.Mul | sympy.And | sympy.Or) and len(node.args) > 1:
        for i, argument in enumerate(node.args):
            yield node.func(*node.args[:i], *node.args[i + 1 :])
            if isinstance(node, sympy.Add):
                yield node.func(*node.args[:i], -argument, *node.args[i + 1 :])
    elif isinstance(node, sympy.Pow):
        yield node.base
    elif isinstance(node, sympy.sin | sympy.cos):
        yield (sympy.cos if isinstance(node, sympy.sin) else sympy.sin)(*node.args)


def _relations(node: Any, sympy: Any) -> Iterator[Any]:
    others = {
        sympy.StrictLessThan: (sympy.LessThan, sympy.StrictGreaterThan),
        sympy.LessThan: (sympy.StrictLessThan, sympy.GreaterThan),
        sympy.StrictGreaterThan: (sympy.GreaterThan, sympy.StrictLessThan),
        sympy.GreaterThan: (sympy.StrictGreaterThan, sympy.LessThan),
        sympy.Equality: (sympy.Unequality,),
        sympy.Unequality: (sympy.Equality,),
    }
    for other in others.get(type(node), ()):
        yield other(node.lhs, node.rhs)
