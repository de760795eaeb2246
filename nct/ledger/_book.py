"""The ledger of one run: what was tried, and what came of it."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from nct.ledger._claim import KINDS, Claim, natural
from nct.ledger._statement import Variant

_SMALLEST_FIRST = ("exact", "property", "enclosed", "derived", "optimised", "simulated")


@dataclass
class Record:
    """One test item of a claim. Plain data, so that it can travel between processes.

    Attributes
    ----------
    claim : dict
        The claim in words, as `Claim.to_json` gives it.
    test : str
        The item's node id.
    kind : str or None
        The kind of evidence; None for the rules.
    role, variant : str
        The form of the statement.
    expected : bool
        Whether the form has to be accepted.
    outcome : {"passed", "failed", "skipped"}
        What came of it.
    seconds : float
        How long the last phase of the item took.
    counterexample : str or None
        The instance that refutes the form, if one was found.
    """

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
        """A record whose outcome is still to come."""
        if variant is None:
            return cls(claim.to_json(), test)
        return cls(claim.to_json(), test, kind, variant.role, variant.name, variant.holds)

    def to_json(self) -> dict[str, Any]:
        """The record as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Record":
        """The record that `to_json` wrote."""
        return cls(**data)


@dataclass
class Entry:
    """A claim with the items that ran.

    Attributes
    ----------
    claim : dict
        The claim in words.
    trials : dict of str to Record
        The items by node id.
    """

    claim: dict[str, Any]
    trials: dict[str, Record] = field(default_factory=dict)

    @property
    def records(self) -> list[Record]:
        """The items, in the order in which they were first reported."""
        return list(self.trials.values())

    @property
    def evidence(self) -> list[Record]:
        """The checks on the printed and on the amended statement."""
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
        """The claim in words, with its evidence, the near misses that were tried and the counterexample."""
        evidence = [{"kind": r.kind, "test": r.test, "outcome": r.outcome, "seconds": r.seconds} for r in self.evidence]
        near_misses = [
            {"name": name, "rejected": rejected, "by": self._rejecting(name)}
            for name, rejected in self.near_misses.items()
        ]
        return self.claim | {
            "evidence": evidence,
            "near_misses": near_misses,
            "counterexample": self.counterexample,
        }

    def _rejecting(self, near_miss: str) -> list[str]:
        return [r.test for r in self.records if (r.role, r.variant, r.outcome) == ("near miss", near_miss, "passed")]


class Book:
    """The claims of a run, in the order of their ids."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    @property
    def entries(self) -> list[Entry]:
        """The claims."""
        return [self._entries[name] for name in sorted(self._entries, key=natural)]

    def add(self, record: Record) -> None:
        """Note what came of a test item; a later report on the same item, as of its teardown, replaces the earlier."""
        self._entries.setdefault(record.claim["id"], Entry(record.claim)).trials[record.test] = record

    def to_json(self) -> list[dict[str, Any]]:
        """The claims as plain data."""
        return [entry.to_json() for entry in self.entries]
