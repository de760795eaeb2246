"""What a failing check shows of the statement: its source, in place of a function's address in memory."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

import pytest

from nct.ledger._source import function_names, functions_in, renamed, shown_value, source_of


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
    names = function_names(value)
    _rename(report.longrepr, names)
    shown = shown_value(value)
    named = [function for function in functions_in(value) if function.__name__ != "<lambda>"]
    definitions = [source for function in named if (source := source_of(function))]
    if names and (definitions or shown not in str(report.longrepr)):
        report.sections.append((f"statement, {form}", "\n\n".join([shown, *definitions])))


def _rename(part: Any, names: Mapping[str, str]) -> None:
    """Rename in every text of pytest's representation of a traceback, which is a tree of objects, lists and tuples."""
    fields = vars(part) if is_dataclass(part) or hasattr(part, "reprtraceback") else {}
    for name, value in fields.items():
        setattr(part, name, _rename_within(value, names))


def _rename_within(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return renamed(value, names)
    if isinstance(value, list | tuple):
        return type(value)([_rename_within(item, names) for item in value])
    _rename(value, names)
    return value
