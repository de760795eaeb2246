"""One claim in full, to be read from top to bottom in a terminal."""

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from nct.claims import STYLES, Row
from nct.ledger import KINDS, Check, Claim, in_unicode, shown_value

__all__ = ["page", "print_lines", "shown_path"]

MOST_COLUMNS = 100  # lines longer than that are hard to read

Line = tuple[str, str]


def page(row: Row, needed_by: Sequence[str]) -> Iterator[Line]:
    """A claim in lines, each with the colour in which it is to be shown.

    Parameters
    ----------
    row : Row
        The claim.
    needed_by : sequence of str
        The ids of the claims that rest on it.

    Yields
    ------
    line, style : str
        A line as long as it is; `print_lines` breaks it.
    """
    claim, reach = row.listing.claim, row.listing.reach
    yield f"{claim.id}: {claim.title}", "bold"
    yield claim.source, ""
    yield claim.verdict + (f", {reach}" if reach else ""), STYLES[claim.verdict]
    yield from _statements(claim)
    yield from _refutation(row)
    yield from _section("run", [claim.ran] if claim.ran else [])
    checks = sorted(row.listing.checks.items(), key=lambda item: KINDS.index(item[1].kind))
    width = max((len(check.kind) for _, check in checks), default=0)
    yield from _section("checks", [f"{check.kind:{width}}  {_plain(name)}{_covered(check)}" for name, check in checks])
    yield from _section("near misses, each rejected", list(_near_misses(row)))
    yield from _section("rests on", [", ".join(claim.depends_on)] * bool(claim.depends_on))
    yield from _section("needed by", [", ".join(needed_by)] * bool(needed_by))
    yield from _section("the statement as the checks take it", list(_in_code(claim)))
    yield from _section("to run it", [f"nct verify {claim.id}", f"pytest {shown_path(row.listing.path)}"])


def _statements(claim: Claim) -> Iterator[Line]:
    titles = {"printed": "as printed", "amended": "amended: what holds instead", "seen": "seen instead"}
    for name, title in titles.items():
        form = getattr(claim, name)
        if form is not None:
            yield from _section(title, [in_unicode(form.text)])


def _refutation(row: Row) -> Iterator[Line]:
    """What refutes the printed statement, by the last run."""
    claim, outcome = row.listing.claim, row.outcome
    if claim.verdict not in ("amended", "fails") and claim.seen is None:
        if outcome is not None:
            yield from _section("last run", [f"{outcome.status} ({row.when})"])
        return
    if outcome is None or outcome.counterexample is None:
        found = f"not known: {row.when}" if outcome is None else f"none was found ({row.when})"
    else:
        found = f"{outcome.counterexample} ({outcome.counterexample_is}; {row.when})"
    title = "why not as printed" if claim.seen is None else "what of the printed statement was not seen"
    code = [f"nct ledger {claim.id} --counterexample | python"] * (claim.counterexample_code is not None)
    yield from _section(title, [found, *code], "yellow" if row.is_old or outcome is None else "")


def _in_code(claim: Claim) -> Iterator[str]:
    for name in ("printed", "amended", "seen"):
        form = getattr(claim, name)
        if form is not None:
            yield f"{name}: {' '.join(shown_value(form.value).split())}"


def _plain(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


def _covered(check: Check) -> str:
    told = "; ".join(one.text for one in check.covers if one.text != "not said")
    return f" ({told})" if told else ""


def _near_misses(row: Row) -> Iterator[str]:
    """Each with the checks that are exempt, and why."""
    for near_miss in row.listing.claim.near_misses:
        blind = {
            name: check.blind_to[near_miss] for name, check in row.listing.checks.items() if near_miss in check.blind_to
        }
        told = "; ".join(f"not by '{_plain(name)}': {reason}" for name, reason in blind.items())
        yield near_miss + (f" ({told})" if told else "")


def _section(title: str, lines: Sequence[str], style: str = "") -> Iterator[Line]:
    if lines:
        yield "", ""
        yield title, "bold"
        yield from ((f"    {line}", style) for line in lines)


def print_lines(lines: Iterator[Line]) -> None:
    """Print lines, broken at the width of the terminal under their own margins, and in colour if it is one."""
    width = min(shutil.get_terminal_size().columns, MOST_COLUMNS)
    show = _coloured if sys.stdout.isatty() else _plainly
    for text, style in lines:
        margin = " " * (len(text) - len(text.lstrip()))
        broken = textwrap.wrap(
            text, width, subsequent_indent=f"{margin}  ", break_long_words=False, break_on_hyphens=False
        )
        show("\n".join(broken) or "", style)


def _plainly(text: str, style: str) -> None:
    print(text)


def _coloured(text: str, style: str) -> None:
    from rich.console import Console
    from rich.text import Text

    Console(highlight=False, soft_wrap=True).print(Text(text, style))


def shown_path(path: Path) -> str:
    """`path` from here, if it is below here."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
