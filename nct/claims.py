"""The claims that a command is asked about: names and filters in, rows of a table out."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from nct.arguments import nearest
from nct.commands import InputError
from nct.ledger import (
    VERDICTS,
    LedgerError,
    Listing,
    Outcome,
    claim_files,
    find_ledger,
    in_unicode,
    read_claims,
    read_last_run,
    short_scope,
)
from nct.tables import Table

__all__ = ["STYLES", "Row", "choose", "claim_names", "counted", "overview", "read_rows", "statements_in_latex"]

#: The colours of the verdicts in a terminal.
STYLES = {"holds": "green", "observed": "green", "amended": "yellow", "fails": "red"}


class Row(NamedTuple):
    """A claim as its file states it, with what the last recorded run found of it.

    Attributes
    ----------
    listing : Listing
        The claim.
    outcome : Outcome or None
        What was found; None if no run is recorded.
    """

    listing: Listing
    outcome: Outcome | None

    @property
    def is_old(self) -> bool:
        """Whether the claim's file has changed since it was run."""
        return self.outcome is not None and self.outcome.is_old(self.listing.path)

    @property
    def when(self) -> str:
        """When the outcome was found, and whether it is that of the file as it is now."""
        if self.outcome is None:
            return "no run is recorded"
        return f"run of {self.outcome.day}" + "; the claim's file has changed since" * self.is_old

    @property
    def kinds(self) -> list[str]:
        """The kinds of evidence, each once."""
        return list(dict.fromkeys(check.kind for check in self.listing.checks.values()))

    def to_json(self) -> dict[str, Any]:
        """The claim in words, and what was found of it."""
        found = self.outcome
        run = None if found is None else {**asdict(found), "old": self.is_old}
        return self.listing.claim.to_json() | {
            "reach": self.listing.reach,
            "checks": {name: check.kind for name, check in self.listing.checks.items()},
            "file": str(self.listing.path),
            "last_run": run,
        }

    def to_csv(self) -> dict[str, Any]:
        """The claim as a row of plain cells."""
        claim, found = self.listing.claim, self.outcome
        texts = {name: getattr(claim, name) for name in ("printed", "amended", "seen")}
        return {
            **{name: getattr(claim, name) for name in ("id", "title", "source", "verdict")},
            "reach": self.listing.reach,
            "kinds": self.kinds,
            **{name: None if form is None else " ".join(form.text.split()) for name, form in texts.items()},
            "depends_on": list(claim.depends_on),
            "counterexample": None if found is None else found.counterexample,
            "counterexample_is": None if found is None else found.counterexample_is,
            "run": None if found is None else found.date,
            "old": None if found is None else self.is_old,
        }


def read_rows(root: Path) -> list[Row]:
    """The claims of a ledger in its order.

    Parameters
    ----------
    root : Path
        The ledger's folder.

    Returns
    -------
    list of Row

    Raises
    ------
    LedgerError
        If the claims or the record of the last run cannot be read.
    """
    outcomes = read_last_run(root)
    listings = sorted(read_claims(root), key=lambda listing: listing.sort_key)
    return [Row(listing, outcomes.get(listing.claim.id)) for listing in listings]


def choose(listings: Sequence[Listing], names: Sequence[str]) -> list[Listing]:
    """The claims that are named, each once, in the order in which they are given.

    Parameters
    ----------
    listings : sequence of Listing
        All claims.
    names : sequence of str
        A name is an id, the key of a paper, or a part of ids; all claims if there are none.

    Returns
    -------
    list of Listing

    Raises
    ------
    InputError
        If a name is part of no id; it says which are near.
    """
    found = {id for name in names for id in _named(name, listings)}
    return [listing for listing in listings if not names or listing.claim.id in found]


def claim_names(**_: Any) -> list[str]:
    """What a shell may complete a NAME to: papers and ids, found without reading a claim.

    Returns
    -------
    list of str
        Empty where there is no ledger.
    """
    try:
        texts = [path.read_text(encoding="utf-8") for path in claim_files(find_ledger())]
    except (LedgerError, OSError):
        return []
    ids = {match[1] for text in texts if (match := re.search(r"\bid=[\"']([\w.-]+)[\"']", text))}
    return sorted(ids | {id.partition(".")[0] for id in ids})


def _named(name: str, listings: Sequence[Listing]) -> list[str]:
    ids = [listing.claim.id for listing in listings]
    papers = {listing.claim.paper for listing in listings}
    if name in ids:
        return [name]
    if name in papers:
        return [listing.claim.id for listing in listings if listing.claim.paper == name]
    if parts := [id for id in ids if name.casefold() in id.casefold()]:
        return parts
    near = nearest(name, [*ids, *sorted(papers)]) or nearest(name, [id.partition(".")[2] for id in ids])
    hint = f"; is it {' or '.join(near)}?" if near else "; 'nct ledger' lists them"
    raise InputError(f"no claim has {name!r} in its id{hint}")


def overview(rows: Sequence[Row]) -> tuple[Table, list[str]]:
    """A table of claims, one in a row, with the colour of each row."""
    titles = ("claim", "verdict", "reach", "title")
    cells = [(one.claim.id, one.claim.verdict, short_scope(one.reach), one.claim.title) for one, _ in rows]
    return Table(titles, cells, "<<<<"), [STYLES[one.claim.verdict] for one, _ in rows]


def statements_in_latex(rows: Sequence[Row]) -> Table:
    """A table of claims with their statements, for LaTeX."""
    titles = ("claim", "verdict", "reach", "printed", "amended")
    cells = []
    for listing, _ in rows:
        forms = [None if form is None else form.text for form in (listing.claim.printed, listing.claim.amended)]
        cells.append((listing.claim.id, listing.claim.verdict, short_scope(listing.reach), *map(_formula, forms)))
    return Table(titles, cells, "<<<pp")


def _formula(text: str | None) -> str:
    """A statement as a cell: between dollars if it is LaTeX, and words otherwise."""
    if text is None:
        return ""
    words = " ".join(text.split())
    return f"${words}$" if in_unicode(text) != words or "\\" in text else words


def counted(rows: Sequence[Row]) -> list[str]:
    """How many claims there are of each verdict, and what the last run has to say of them."""
    verdicts = [listing.claim.verdict for listing, _ in rows]
    told = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in VERDICTS if verdict in verdicts)
    lines = [f"{len(rows)} claim{'s' * (len(rows) != 1)}{': ' if told else ''}{told}"]
    recorded = [row for row in rows if row.outcome is not None]
    if not recorded:
        return lines
    days = sorted({row.outcome.date: row.outcome.day for row in recorded if row.outcome}.items())
    since = days[-1][1] if days[0][1] == days[-1][1] else f"{days[0][1]} to {days[-1][1]}"
    lines.append(f"last run: {since}" + "".join(f"; {part}" for part in _reservations(rows)))
    return lines


def _reservations(rows: Sequence[Row]) -> list[str]:
    """What the last run does not vouch for."""
    broken = [row.listing.claim.id for row in rows if row.outcome is not None and row.outcome.status == "broken"]
    old, missing = sum(row.is_old for row in rows), sum(row.outcome is None for row in rows)
    parts = [f"broken: {', '.join(broken)}"] * bool(broken)
    parts += [f"{old} changed since"] * bool(old) + [f"{missing} not run"] * bool(missing)
    return [*parts, *["'nct verify --record' runs them"] * bool(old or missing)]
