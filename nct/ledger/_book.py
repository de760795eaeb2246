"""The ledger of one run: what was tried, and what came of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from nct.ledger._claim import KINDS, VERDICTS, Claim, Variant, natural

_STYLE = {"holds": "green", "observed": "green", "amended": "yellow", "fails": "yellow", "broken": "red"}
_SMALLEST_FIRST = ("exact", "property", "enclosed", "derived", "optimised", "simulated")


@dataclass
class Record:
    """One test item of a claim. Plain data, so that it can travel between processes."""

    claim: dict[str, Any]
    test: str
    kind: str | None = None
    role: str = "rules"
    variant: str = "rules"
    expected: bool = True
    outcome: str = "skipped"
    seconds: float = 0.0
    counterexample: str | None = None

    @classmethod
    def of(cls, claim: Claim, *, test: str, kind: str | None = None, variant: Variant | None = None) -> "Record":
        data = {
            "id": claim.id,
            "title": claim.title,
            "source": claim.source,
            "verdict": claim.verdict,
            "amended": None if claim.amended is None else claim.amended.text,
            "depends_on": list(claim.depends_on),
        }
        if variant is None:
            return cls(data, test)
        return cls(data, test, kind, variant.role, variant.name, variant.holds)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Record":
        return cls(**data)


@dataclass
class Entry:
    """A claim with the items that ran."""

    claim: dict[str, Any]
    trials: dict[str, Record] = field(default_factory=dict)

    @property
    def records(self) -> list[Record]:
        return list(self.trials.values())

    @property
    def evidence(self) -> list[Record]:
        return [record for record in self.records if record.role in ("printed", "amended")]

    @property
    def status(self) -> Literal["holds", "amended", "fails", "observed", "broken"]:
        """The verdict, or ``broken`` if an item failed."""
        return "broken" if any(record.outcome == "failed" for record in self.records) else self.claim["verdict"]

    @property
    def kinds(self) -> list[str]:
        """The kinds of evidence that ran and passed."""
        passed = {record.kind for record in self.evidence if record.outcome == "passed"}
        return [kind for kind in KINDS if kind in passed]

    @property
    def near_misses(self) -> dict[str, bool]:
        """For every near miss that was tried, whether every check that met it rejected it."""
        tried: dict[str, bool] = {}
        for record in self.records:
            if record.role == "near miss" and record.outcome != "skipped":
                tried[record.variant] = tried.get(record.variant, True) and record.outcome == "passed"
        return tried

    @property
    def counterexample(self) -> str | None:
        """The smallest counterexample to the printed statement.

        Exact checks run through instances in order of size and Hypothesis shrinks, so theirs come before those that
        arithmetic with rounding or a random simulation finds.
        """
        found = [r for r in self.records if r.role == "printed" and not r.expected and r.counterexample]
        found.sort(key=lambda record: _SMALLEST_FIRST.index(str(record.kind)))
        return found[0].counterexample if found else None

    def to_json(self) -> dict[str, Any]:
        return {
            **{name: self.claim[name] for name in ("id", "title", "source", "verdict")},
            "evidence": [
                {"kind": r.kind, "test": r.test, "outcome": r.outcome, "seconds": r.seconds} for r in self.evidence
            ],
            "near_misses": [
                {
                    "name": name,
                    "rejected": rejected,
                    "by": [
                        r.test for r in self.records if (r.role, r.variant, r.outcome) == ("near miss", name, "passed")
                    ],
                }
                for name, rejected in self.near_misses.items()
            ],
            "counterexample": self.counterexample,
            "amended": self.claim["amended"],
            "depends_on": self.claim["depends_on"],
        }


class Book:
    """The claims of a run, in the order of their ids."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    @property
    def entries(self) -> list[Entry]:
        return [self._entries[name] for name in sorted(self._entries, key=natural)]

    def add(self, record: Record) -> None:
        """Note what came of a test item; a later report on the same item, as of its teardown, replaces the earlier."""
        self._entries.setdefault(record.claim["id"], Entry(record.claim)).trials[record.test] = record

    def to_json(self) -> list[dict[str, Any]]:
        return [entry.to_json() for entry in self.entries]

    def lines(self) -> Iterator[tuple[str, str | None]]:
        """The printed ledger, line by line, each with the name of its colour."""
        rows = [("claim", "title", "verdict", "evidence", "near misses rejected")]
        for entry in self.entries:
            rejected = entry.near_misses
            misses = f"{sum(rejected.values())} of {len(rejected)}"
            rows.append((entry.claim["id"], entry.claim["title"], entry.status, " ".join(entry.kinds), misses))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            yield line, _STYLE.get(row[2])
        yield "", None
        count: Counter[str] = Counter(entry.status for entry in self.entries)
        told = [f"{count[status]} {status}" for status in (*VERDICTS, "broken") if count[status]]
        yield f"{len(self.entries)} claim{'s' * (len(self.entries) != 1)}: {', '.join(told)}", None
        refuted = [entry for entry in self.entries if entry.claim["verdict"] in ("amended", "fails")]
        if refuted:
            yield "", None
            yield "false as printed, with the smallest counterexample:", None
        for entry in refuted:
            yield f"  {entry.claim['id']}: {entry.counterexample or 'not run'}", "yellow"
