"""The ledger as it is printed at the end of a run."""

from collections import Counter
from collections.abc import Iterator

from nct.ledger._book import Book, Entry
from nct.ledger._claim import VERDICTS
from nct.ledger._reach import short_scope
from nct.ledger._unicode import in_unicode
from nct.tables import table

_STYLE = {
    "holds": "green",
    "observed": "green",
    "amended": "yellow",
    "fails": "yellow",
    "broken": "red",
    "not run": "yellow",
}


def lines(book: Book, *, width: int | None = None, colour: bool = False) -> Iterator[tuple[str, str]]:
    """The ledger for people: a table of the claims, their count, and the counterexamples.

    Parameters
    ----------
    book : Book
        The claims of a run.
    width : int, optional
        The terminal's columns, to which the table is fitted; by default every row is one line.
    colour : bool
        Whether to colour the table's rows by verdict.

    Yields
    ------
    line, style : str
        A line, and the colour in which it is to be printed: empty for most.
    """
    yield from ((line, "") for line in _table(book.entries, width, colour).splitlines())
    yield f"\n{_count(book.entries)}", ""
    refuted = [entry for entry in book.entries if entry.claim["verdict"] in ("amended", "fails")]
    if refuted:
        yield "\nfalse as printed, with the smallest counterexample:", ""
    for entry in refuted:
        numerical = " (numerical)" * (entry.counterexample_is == "numerical")
        yield f"  {entry.claim['id']}: {entry.counterexample or 'not run'}{numerical}", "yellow"
    yield from _survivors(book.entries)
    for title, rows in _details(book.entries).items():
        if rows:
            yield f"\n{title}", ""
        yield from ((f"  {name}: {text}", "") for name, text in rows)


def _table(entries: list[Entry], width: int | None, colour: bool) -> str:
    titles = ["claim", "title", "verdict", "reach", "evidence", "near misses rejected"]
    mutated = any(entry.mutants is not None for entry in entries)
    rows = [_row(entry, mutated) for entry in entries]
    titles += ["mutants killed"] * mutated
    if width is not None and _natural_width(titles, rows) > width:  # `nct ledger` has the titles
        titles, *rows = [[name, *others] for name, _, *others in (titles, *rows)]
    styles = [_STYLE[entry.status] for entry in entries] if colour else None
    return table(titles, rows, width=width, styles=styles, whole=("claim", "verdict", "reach"))


def _natural_width(titles: list[str], rows: list[list[str]]) -> int:
    return sum(max(map(len, column)) + 2 for column in zip(titles, *rows, strict=True)) - 2


def _row(entry: Entry, mutated: bool) -> list[str]:
    rejected = entry.near_misses
    misses = f"{sum(rejected.values())} of {len(rejected)}"
    scope = "" if entry.reach is None else short_scope(entry.reach.scope)
    cells = [entry.claim["id"], entry.claim["title"], entry.status, scope, " ".join(entry.kinds), misses]
    if mutated:
        cells.append("" if entry.mutants is None else f"{entry.mutants['killed']} of {entry.mutants['counted']}")
    return cells


def _survivors(entries: list[Entry]) -> Iterator[tuple[str, str]]:
    """The machine-made edits that no check rejects, as differences."""
    tried = [(entry.claim["id"], entry.mutants) for entry in entries if entry.mutants is not None]
    if not tried:
        return
    killed, counted = (sum(mutants[name] for _, mutants in tried) for name in ("killed", "counted"))
    yield f"\nmutants: {killed} of {counted} killed" + (f", {killed / counted:.1%}" if counted else ""), ""
    for name, mutants in tried:
        if not mutants["made"]:
            yield f"  {name}: nothing in its statement can be edited; a switch has to declare its values", ""
        if mutants["step"] > 0.02:
            yield f"  {name}: numbers were moved by {mutants['step']:.0%}, twice the resolution of its checks", ""
        for one in (*mutants["survived"], *mutants["crashed"]):
            error = f" ({one['error']})" if one["error"] else ""
            yield f"\n  {name}: no check rejects {one['name']}{error}", ""
            for line in one["difference"].splitlines():
                yield f"    {line}", "red" if line.startswith("-") else "green"


def _details(entries: list[Entry]) -> dict[str, list[tuple[str, str]]]:
    """What the table has no room for: the parts that are proved, and what was seen instead of what is printed."""
    in_part = [(entry.claim["id"], "; ".join(entry.reach.parts)) for entry in entries if entry.reach]
    seen = [
        (entry.claim["id"], f"{in_unicode(entry.claim['seen'])} ({entry.counterexample or 'not run'})")
        for entry in entries
        if entry.claim["seen"] is not None
    ]
    kernel = [(entry.claim["id"], text) for entry in entries if entry.reach is not None for text in entry.reach.kernel]
    not_run = [
        (record.claim["id"], record.test.split("::")[-1])
        for entry in entries
        for record in entry.evidence
        if record.kind == "kernel" and record.outcome == "skipped"
    ]
    return {
        "checked by the kernel of a proof assistant:": kernel,
        "not run, as the proof assistant is not there:": not_run,
        "proved in part:": [(name, parts) for name, parts in in_part if parts],
        "not seen as printed at the scale that was run, but:": seen,
    }


def _count(entries: list[Entry]) -> str:
    count: Counter[str] = Counter(entry.status for entry in entries)
    told = ", ".join(f"{count[status]} {status}" for status in (*VERDICTS, "broken", "not run") if count[status])
    return f"{len(entries)} claim{'s' * (len(entries) != 1)}: {told}"
