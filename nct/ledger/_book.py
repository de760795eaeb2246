"""The ledger of one run: what was tried, and what came of it."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from nct.ledger._claim import KINDS, Check, Claim, natural
from nct.ledger._reach import Coverage, Reach, reach
from nct.ledger._statement import Variant

_ARITHMETIC: dict[str, Literal["exact", "enclosed"]] = {
    "exact": "exact",
    "derived": "exact",
    "kernel": "exact",
    "enclosed": "enclosed",
}
_SMALLEST_FIRST = ("exact", "kernel", "property", "enclosed", "derived", "optimised", "simulated")


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
    expected : bool or None
        Whether the form has to be accepted, or refuted; None if either may come.
    covers : list of dict
        What the check covers of the statement, as `Coverage.to_json` gives it.
    forms : list of str
        The names of all forms that the check is for.
    parts : list of str
        The parts that the form that stands consists of.
    measured : dict
        What the check has compared, as `Measured.to_json` gives it.
    outcome : {"passed", "failed", "skipped"}
        What came of it.
    seconds : float
        How long the last phase of the item took.
    counterexample : str or None
        The instance that refutes the form, if one was found.
    mutants : dict or None
        What came of machine-made edits, as `Tally.to_json` gives it; only of the item ``mutants``.
    """

    claim: dict[str, Any]
    test: str
    kind: str | None = None
    role: str = "rules"
    variant: str = "rules"
    expected: bool | None = True
    covers: list[dict[str, str]] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    measured: dict[str, dict[str, Any]] = field(default_factory=dict)
    outcome: str = "skipped"
    seconds: float = 0.0
    counterexample: str | None = None
    mutants: dict[str, Any] | None = None

    @classmethod
    def of(cls, claim: Claim, *, test: str, check: Check | None = None, variant: Variant | None = None) -> "Record":
        """A record whose outcome is still to come."""
        if check is None or variant is None:
            return cls(claim.to_json(), test)
        covers, forms = [one.to_json() for one in check.covers], [form.name for form in check.variants]
        parts = list(claim.standing.parts)
        return cls(claim.to_json(), test, check.kind, variant.role, variant.name, variant.holds, covers, forms, parts)

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
        """The checks on the printed and on the amended statement, or on what was seen of an experiment."""
        return [record for record in self.records if record.role in ("printed", "amended", "seen")]

    @property
    def status(self) -> Literal["holds", "amended", "fails", "observed", "broken", "not run"]:
        """The verdict, or ``broken`` if an item failed, or ``not run`` if none of the evidence ran."""
        if any(record.outcome == "failed" for record in self.records):
            return "broken"
        return self.claim["verdict"] if any(r.outcome == "passed" for r in self.evidence) else "not run"

    @property
    def kinds(self) -> list[str]:
        """The kinds of evidence that ran and passed."""
        passed = {record.kind for record in self.evidence if record.outcome == "passed"}
        return [kind for kind in KINDS if kind in passed]

    @property
    def reach(self) -> Reach | None:
        """How far the checks carry that ran and passed on the form that stands.

        None of an experiment, of a claim that fails, and where an item failed.
        """
        form = {"holds": "printed", "amended": "amended"}.get(self.status)
        passed = [record for record in self.records if record.role == form and record.outcome == "passed"]
        parts = passed[0].parts if passed else []
        kernel, own = (
            [
                Coverage.from_json(one)
                for record in passed
                if (record.kind == "kernel") == by_kernel
                for one in record.covers
            ]
            for by_kernel in (True, False)
        )
        found = reach(own, parts)
        return None if found is None else replace(found, kernel=tuple(one.text for one in kernel))

    @property
    def near_misses(self) -> dict[str, bool]:
        """For every near miss that was tried, whether every check that met it rejected it."""
        tried: dict[str, bool] = {}
        for record in self.records:
            if record.role == "near miss" and record.outcome != "skipped":
                tried[record.variant] = tried.get(record.variant, True) and record.outcome == "passed"
        return tried

    @property
    def mutants(self) -> dict[str, Any] | None:
        """What came of machine-made edits of the statement, if they were made."""
        return next((record.mutants for record in self.records if record.mutants is not None), None)

    @property
    def counterexample(self) -> str | None:
        """The smallest counterexample to the printed statement.

        Exact checks run through instances in order of size and Hypothesis shrinks, so theirs come before those that
        arithmetic with rounding or a random simulation finds.
        """
        found = self._refutation
        return None if found is None else found.counterexample

    @property
    def counterexample_is(self) -> Literal["exact", "enclosed", "numerical"] | None:
        """What arithmetic stands behind the counterexample."""
        found = self._refutation
        return None if found is None else _ARITHMETIC.get(str(found.kind), "numerical")

    @property
    def _refutation(self) -> Record | None:
        found = [r for r in self.records if r.role == "printed" and not r.expected and r.counterexample]
        return min(found, key=lambda record: _SMALLEST_FIRST.index(str(record.kind)), default=None)

    def to_json(self) -> dict[str, Any]:
        """The claim in words, with its evidence, the near misses that were tried and the counterexample."""
        told = ("kind", "test", "outcome", "seconds", "covers")
        evidence = [{name: getattr(record, name) for name in told} for record in self.evidence]
        near_misses = [
            {"name": name, "rejected": rejected, "by": self._rejecting(name)}
            for name, rejected in self.near_misses.items()
        ]
        return self.claim | {
            "status": self.status,
            "reach": None if self.reach is None else self.reach.to_json(),
            "evidence": evidence,
            "near_misses": near_misses,
            "failed": [record.test for record in self.records if record.outcome == "failed"],
            "mutants": self.mutants,
            "counterexample": self.counterexample,
            "counterexample_is": self.counterexample_is,
            "seconds": round(sum(record.seconds for record in self.records), 3),
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
