"""The ledger as it is printed at the end of a run."""

import io
from collections import Counter

from rich.console import Console
from rich.table import Table

from nct.ledger._book import Book, Entry
from nct.ledger._claim import VERDICTS

_STYLE = {"holds": "green", "observed": "green", "amended": "yellow", "fails": "yellow", "broken": "red"}


def printed(book: Book, *, width: int | None = None, colour: bool = False) -> str:
    """The ledger for people: a table of the claims, their count, and the counterexamples.

    Parameters
    ----------
    book : Book
        The claims of a run.
    width : int, optional
        The terminal's columns, to which the table is fitted; by default every row is one line.
    colour : bool
        Whether to colour the rows by verdict.

    Returns
    -------
    str
        The text, of lines that end without spaces.
    """
    console = Console(
        file=io.StringIO(),
        width=width or 10_000,
        force_terminal=colour,
        color_system="standard" if colour else None,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
    console.print(_table(book.entries))
    console.print(f"\n{_count(book.entries)}")
    refuted = [entry for entry in book.entries if entry.claim["verdict"] in ("amended", "fails")]
    if refuted:
        console.print("\nfalse as printed, with the smallest counterexample:")
    for entry in refuted:
        numerical = " (numerical)" * (entry.counterexample_is == "numerical")
        line = f"  {entry.claim['id']}: {entry.counterexample or 'not run'}{numerical}"
        console.print(line, style="yellow", soft_wrap=True)
    _print_survivors(book.entries, console)
    for title, rows in _details(book.entries).items():
        if rows:
            console.print(f"\n{title}")
        for name, text in rows:
            console.print(f"  {name}: {text}", soft_wrap=True)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _table(entries: list[Entry]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for name in ("claim", "title", "verdict", "reach", "evidence", "near misses rejected"):
        table.add_column(name)
    mutated = any(entry.mutants is not None for entry in entries)
    if mutated:
        table.add_column("mutants killed")
    for entry in entries:
        rejected = entry.near_misses
        misses = f"{sum(rejected.values())} of {len(rejected)}"
        scope = "" if entry.reach is None else entry.reach.scope
        cells = [entry.claim["id"], entry.claim["title"], entry.status, scope, " ".join(entry.kinds), misses]
        if mutated:
            cells.append("" if entry.mutants is None else f"{entry.mutants['killed']} of {entry.mutants['counted']}")
        table.add_row(*cells, style=_STYLE[entry.status])
    return table


def _print_survivors(entries: list[Entry], console: Console) -> None:
    """The machine-made edits that no check rejects, as differences."""
    tried = [(entry.claim["id"], entry.mutants) for entry in entries if entry.mutants is not None]
    if not tried:
        return
    killed, counted = (sum(mutants[name] for _, mutants in tried) for name in ("killed", "counted"))
    console.print(f"\nmutants: {killed} of {counted} killed" + (f", {killed / counted:.1%}" if counted else ""))
    for name, mutants in tried:
        if not mutants["made"]:
            console.print(f"  {name}: nothing in its statement can be edited; a switch has to declare its values")
        if mutants["step"] > 0.02:
            console.print(f"  {name}: numbers were moved by {mutants['step']:.0%}, twice the resolution of its checks")
        for one in (*mutants["survived"], *mutants["crashed"]):
            error = f" ({one['error']})" if one["error"] else ""
            console.print(f"\n  {name}: no check rejects {one['name']}{error}", soft_wrap=True)
            for line in one["difference"].splitlines():
                console.print(f"    {line}", style="red" if line.startswith("-") else "green", soft_wrap=True)


def _details(entries: list[Entry]) -> dict[str, list[tuple[str, str]]]:
    """What the table has no room for: the parts that are proved, and what was seen instead of what is printed."""
    in_part = [(entry.claim["id"], "; ".join(entry.reach.parts)) for entry in entries if entry.reach]
    seen = [
        (entry.claim["id"], f"{entry.claim['seen']} ({entry.counterexample or 'not run'})")
        for entry in entries
        if entry.claim["seen"] is not None
    ]
    return {
        "proved in part:": [(name, parts) for name, parts in in_part if parts],
        "not seen as printed at the scale that was run, but:": seen,
    }


def _count(entries: list[Entry]) -> str:
    count: Counter[str] = Counter(entry.status for entry in entries)
    told = ", ".join(f"{count[status]} {status}" for status in (*VERDICTS, "broken") if count[status])
    return f"{len(entries)} claim{'s' * (len(entries) != 1)}: {told}"
