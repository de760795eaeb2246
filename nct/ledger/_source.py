"""The source of a function, lambdas included, as its file has it."""

import ast
import inspect
import linecache
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, partial
from types import CodeType, FunctionType
from typing import Any


def functions_in(value: Any) -> list[FunctionType]:
    """The Python functions that a statement's value is made of.

    Parameters
    ----------
    value : object
        A function, or a tuple, list, mapping, dataclass or partial application that holds some, at any depth.

    Returns
    -------
    list of function
        Each once, in the order in which they are met.

    Examples
    --------
    >>> len(functions_in({"scale": lambda r: r + 1, "both": (max, lambda r: r)}))
    2
    """
    return list(dict.fromkeys(_functions(value, depth=6)))


def _functions(value: Any, depth: int) -> Iterator[FunctionType]:
    if isinstance(value, FunctionType):
        yield value
    elif depth:
        for part in _parts(value):
            yield from _functions(part, depth - 1)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, tuple | list | set | frozenset):
        return list(value)
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    return []


def source_of(function: FunctionType) -> str | None:
    """The text of a function: a lambda's expression alone, a definition with its decorators.

    Parameters
    ----------
    function : function
        One that was read from a file.

    Returns
    -------
    str or None
        The text; None where there is no file, or it has changed since.

    Examples
    --------
    >>> import textwrap
    >>> print(source_of(textwrap.dedent).splitlines()[0])
    def dedent(text):
    """
    if function.__name__ != "<lambda>":
        try:
            return inspect.cleandoc("\n" + inspect.getsource(function)).rstrip()
        except (OSError, TypeError):
            return None
    text = "".join(linecache.getlines(function.__code__.co_filename))
    node = lambda_node(function.__code__)
    return None if node is None else ast.get_source_segment(text, node)


def lambda_node(code: CodeType) -> ast.Lambda | None:
    """The expression in its file's syntax tree that a lambda's code was compiled from.

    Parameters
    ----------
    code : code
        The code of the lambda.

    Returns
    -------
    ast.Lambda or None
        The innermost lambda whose body spans all places that the code names; None where there is none.
    """
    places = [place for place in code.co_positions() if None not in place and place[2] != place[3]]
    inside = [node for node in _lambdas(code.co_filename) if node.lineno == code.co_firstlineno]
    holding = [node for node in inside if all(_spans(node.body, place) for place in places)]
    return min(holding, key=lambda node: len(ast.dump(node)), default=None) if places else None


def _spans(node: ast.expr, place: tuple[Any, Any, Any, Any]) -> bool:
    line, end_line, column, end_column = place
    start, end = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
    return start <= (line, column) and (end_line, end_column) <= end


def _lambdas(file: str) -> list[ast.Lambda]:
    return _lambdas_of("".join(linecache.getlines(file)))


@cache
def _lambdas_of(text: str) -> list[ast.Lambda]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
