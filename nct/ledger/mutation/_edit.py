"""One edit of a statement, and how edits are told apart."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

from nct.ledger._strength import Stronger


@dataclass(frozen=True)
class Place:
    """A place in the source: first and last line, and the columns in UTF-8 bytes where they begin and end."""

    code: CodeType
    line: int
    column: int
    last_line: int
    last_column: int

    def holds(self, line: int, column: int, last_line: int, last_column: int) -> bool:
        """Whether another place lies within this one."""
        begins = (self.line, self.column) <= (line, column)
        return begins and (last_line, last_column) <= (self.last_line, self.last_column)

    def lies_in(self, line: int, column: int, last_line: int, last_column: int) -> bool:
        """Whether this place lies within another one."""
        begins = (line, column) <= (self.line, self.column)
        return begins and (self.last_line, self.last_column) <= (last_line, last_column)


@dataclass(frozen=True)
class Comparison:
    """An edited function beside the original, and what makes the statement stronger."""

    original: Callable[..., Any]
    edited: Callable[..., Any]
    stronger: Stronger


@dataclass(frozen=True)
class Edit:
    """A false neighbour of a statement.

    Attributes
    ----------
    value : object
        The edited statement, in the form of the original.
    names : tuple of str
        What the edit does, ``old → new``, from the narrowest context to the widest.
    path : str
        The part of the statement that is edited, such as ``bound.share`` or ``[0]``; empty for the whole.
    difference : str
        The lines of the source before and after, or the values.
    place : Place or None
        The code that is edited; None for a value that stands in no code.
    comparison : Comparison or None
        For a function that is declared to be a bound or a condition.
    """

    value: Any
    names: tuple[str, ...]
    difference: str
    place: Place | None = None
    comparison: Comparison | None = None
    path: str = ""

    def inside(self, build: Callable[[Any], Any], part: str) -> "Edit":
        """The edit of a part, of that name, as an edit of the whole that `build` makes of it."""
        dot = "." if part and self.path and not self.path.startswith("[") else ""
        return replace(self, value=build(self.value), path=f"{part}{dot}{self.path}")

    def name(self, level: int) -> str:
        """Where the edit is and what it does, in the context of that level."""
        return f"{self.path}: {self.names[level]}" if self.path else self.names[level]


def name_edits(edits: Iterable[Edit]) -> dict[str, Edit]:
    """The edits by name: each by the narrowest context that tells it from the others.

    Parameters
    ----------
    edits : iterable of Edit
        Edits of one statement.

    Returns
    -------
    dict of str to Edit
        In the order given.
    """
    edits = list(edits)
    levels = [0] * len(edits)
    while True:
        names = [edit.name(level) for edit, level in zip(edits, levels, strict=True)]
        count = Counter(names)
        wider = [i for i, name in enumerate(names) if count[name] > 1 and levels[i] + 1 < len(edits[i].names)]
        if not wider:
            break
        for i in wider:
            levels[i] += 1
    seen: Counter[str] = Counter()
    named = {}
    for name, edit in zip(names, edits, strict=True):
        seen[name] += 1
        named[name if count[name] == 1 else f"{name} (no. {seen[name]})"] = edit
    return named
