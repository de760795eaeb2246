"""The source of a function, lambdas included, as its file has it."""

import ast
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

Definition = ast.Lambda | ast.FunctionDef
Parsed = tuple[ast.Module, tuple[bytes, ...]]


def shown_value(value: Any) -> str:
    """A statement's value for people: its own representation, with the text of every lambda and the name of functions.

    Parameters
    ----------
    value : object
        The value.

    Returns
    -------
    str
        On one line, unless the value's own representation has several.

    Examples
    --------
    >>> from textwrap import dedent
    >>> shown_value({"scale": dedent, "order": 2})
    "{'scale': dedent, 'order': 2}"
    """
    return renamed(repr(value), function_names(value))


def function_names(value: Any) -> dict[str, str]:
    """For each function that a value is made of, its representation, which has an address, and what to show instead."""
    return {repr(function): _name(function) for function in functions_in(value)}


def renamed(text: str, names: Mapping[str, str]) -> str:
    """A text in which every key of `names` is replaced."""
    for old, new in names.items():
        text = text.replace(old, new)
    return text


def _name(function: FunctionType) -> str:
    if function.__name__ != "<lambda>":
        return function.__name__
    source = source_of(function)
    return "<lambda>" if source is None else f"({' '.join(source.split())})"


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
        The text; None where it cannot be read.

    Examples
    --------
    >>> import textwrap
    >>> print(source_of(textwrap.dedent).splitlines()[0])
    def dedent(text):
    """
    parsed, node = parsed_file(function.__code__.co_filename), definition_of(function.__code__)
    if parsed is None or node is None:
        return None
    lines = [line.decode() for line in parsed[1]]
    if isinstance(node, ast.Lambda):
        return ast.get_source_segment("".join(lines), node)
    return textwrap.dedent("".join(lines[_first_line(node) - 1 : node.end_lineno])).rstrip()


def parsed_file(filename: str) -> Parsed | None:
    """The syntax tree and the lines of a file; None if it cannot be read."""
    try:
        return _parsed(filename, Path(filename).stat().st_mtime_ns)
    except (OSError, SyntaxError, ValueError):
        return None


@cache
def _parsed(filename: str, written: int) -> Parsed:
    text = Path(filename).read_bytes()
    return ast.parse(text, filename), tuple(text.splitlines(keepends=True))


def definition_of(code: CodeType) -> Definition | None:
    """The definition or lambda that was compiled to `code`.

    Parameters
    ----------
    code : code
        The code of a function.

    Returns
    -------
    ast.FunctionDef or ast.Lambda or None
        Of the definitions on the code's first line that have its name, the innermost that holds its instructions; None
        if its file cannot be read or it is not found there.
    """
    parsed = parsed_file(code.co_filename)
    spans = [p for p in code.co_positions() if None not in p]
    body = [(line, column, last, end) for line, last, column, end in spans if line != code.co_firstlineno or column]
    found: list[Definition] = []
    for node in ast.walk(parsed[0]) if parsed is not None else ():
        match node:
            case ast.FunctionDef(name=name) if name == code.co_name and _first_line(node) == code.co_firstlineno:
                return node
            case ast.Lambda(body=inner) if code.co_name == "<lambda>" and node.lineno == code.co_firstlineno:
                if body and all(_within(span, inner) for span in body):
                    found.append(node)
    return max(found, key=lambda node: (node.lineno, node.col_offset), default=None)


def _first_line(node: Definition) -> int:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _within(span: tuple[Any, ...], node: ast.expr) -> bool:
    begin, end = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
    return begin <= span[:2] and span[2:] <= end
