"""What the pages of a ledger have in common: its claims, their statements typeset once, what rests on what."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from nct.ledger import VERDICTS, LedgerError, LedgerFile
from nct.site.code import code_html
from nct.site.entries import Entry
from nct.site.formulas import FormulaError
from nct.site.prose import prose_html
from nct.site.shrink import Styles
from nct.site.statements import statement_html

#: The first version of the ledger's JSON that has what pages show.
FIRST_SCHEMA = 2

_FORMS = {"printed": "As printed", "amended": "As amended", "seen": "As seen"}


@dataclass(frozen=True)
class Form:
    """A form of a statement on a page: its name, its heading, its text typeset and its code."""

    name: str
    title: str
    html: str
    code: str = ""


@dataclass(frozen=True)
class Row:
    """A claim in a list: with its forms, or with its printed statement alone, as text."""

    entry: Entry
    forms: list[Form] = field(default_factory=list)
    text: str = ""


class Contents:
    """A ledger as its pages need it.

    Parameters
    ----------
    ledger : LedgerFile
        What a run wrote.

    Raises
    ------
    LedgerError
        If the ledger is of a version that has nothing to show.
    """

    def __init__(self, ledger: LedgerFile) -> None:
        if ledger.schema < FIRST_SCHEMA:
            raise LedgerError(
                f"a ledger of schema {ledger.schema} has no statements in code and no checks; pages need schema "
                f"{FIRST_SCHEMA} or later: run 'pytest --ledger FILE' again"
            )
        self.ledger = ledger
        self.entries = {claim["id"]: Entry(claim) for claim in ledger.claims}
        self.papers = {paper["key"]: paper for paper in ledger.papers}
        self.styles = Styles()
        self._statements: dict[tuple[str, str | None], str] = {}

    def edges(self) -> list[tuple[str, str]]:
        """From each claim to those that rest on it."""
        pairs = [(other, id) for id, entry in self.entries.items() for other in entry.depends_on or ()]
        return [pair for pair in pairs if pair[0] in self.entries]

    @cached_property
    def counts(self) -> list[tuple[str, int]]:
        """How many claims have which status."""
        return counted(self.entries.values())

    def statement(self, entry: Entry, name: str, other: str | None = None) -> str:
        """A form of a claim's statement, typeset and with what differs from another form marked."""
        text = getattr(entry, name)
        try:
            if (text, other) not in self._statements:
                self._statements[text, other] = self.styles.shrink(statement_html(text, other))
            return self._statements[text, other]
        except FormulaError as error:
            raise FormulaError(f"the {name} statement of {entry.id} cannot be typeset: {error}") from None

    def forms(self, entry: Entry, *, with_code: bool = False) -> list[Form]:
        """The printed statement and what stands beside it."""
        names = [name for name in _FORMS if getattr(entry, name)]
        others = {"printed": entry.amended or entry.seen, "amended": entry.printed, "seen": entry.printed}
        codes = (entry.values or {}) if with_code else {}
        return [
            Form(
                name,
                _FORMS[name],
                self.statement(entry, name, others[name]),
                code_html(codes[name]) if name in codes else "",
            )
            for name in names
        ]

    def reading(self, entry: Entry) -> str:
        """How a claim is read, typeset."""
        try:
            return self.styles.shrink(prose_html(entry.reading)) if entry.reading else ""
        except FormulaError as error:
            raise FormulaError(f"the reading of {entry.id} cannot be typeset: {error}") from None


def counted(entries: Any) -> list[tuple[str, int]]:
    """How many claims have which status, in the order of the verdicts and then of what else there is."""
    found = Counter(str(entry.status) for entry in entries)
    return [(status, found[status]) for status in in_order(found, VERDICTS)]


def in_order(found: Any, known: tuple[str, ...]) -> list[str]:
    """Names in a known order, and those that are not known after them."""
    return [name for name in known if name in found] + sorted(set(found) - set(known) - {"–"})
