"""What a failing check shows of the statement: its source, in place of a function's address in memory."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from types import FunctionType
from typing import Any

import pytest

from nct.ledger._source import functions_in, source_of


def show_statement(report: pytest.TestReport, form: str, value: Any) -> None:
    """Write the statement's source into the report of a check that failed.

    Parameters
    ----------
    report : pytest.TestReport
        The report, changed in place: every ``<function … at 0x…>`` of the statement becomes the lambda's text or the
        function's name, and a section of its own has the definitions.
    form : str
        Printed, amended or the near miss's name: the section's title.
    value : object
        The statement as the check took it.
    """
    functions = functions_in(value)
    sources = {function: source_of(function) for function in functions}
    names = {repr(function): _inline(function, sources[function]) for function in functions}
    _rename(report.longrepr, names)
    shown = _renamed(repr(value), names)
    definitions = [source for function, source in sources.items() if source and not _is_lambda(function)]
    if functions and (definitions or shown not in str(report.longrepr)):
        report.sections.append((f"statement, {form}", "\n\n".join([shown, *definitions])))


def _inline(function: FunctionType, source: str | None) -> str:
    if not _is_lambda(function):
        return function.__name__
    return f"<lambda of {function.__code__.co_name}>" if source is None else f"({' '.join(source.split())})"


def _is_lambda(function: FunctionType) -> bool:
    return function.__name__ == "<lambda>"


def _renamed(text: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        text = text.replace(old, new)
    return text


def _rename(part: Any, names: Mapping[str, str]) -> None:
    """Rename in every text of pytest's representation of a traceback, which is a tree of objects, lists and tuples."""
    fields = vars(part) if is_dataclass(part) or hasattr(part, "reprtraceback") else {}
    for name, value in fields.items():
        setattr(part, name, _rename_within(value, names))


def _rename_within(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _renamed(value, names)
    if isinstance(value, list | tuple):
        return type(value)([_rename_within(item, names) for item in value])
    _rename(value, names)
    return value
