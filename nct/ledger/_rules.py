"""The rules that a claim has to keep, as a test item."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from nct.ledger._folder import LedgerError, place
from nct.ledger._formulas import faults_of_formulas
from nct.ledger._item import ClaimItem
from nct.ledger._papers import near, read_papers
from nct.ledger._reach import NOT_SAID
from nct.ledger._reading import read_ids

_IDS = pytest.StashKey[dict[Path, dict[Path, str]]]()


class LedgerWarning(pytest.PytestWarning):
    """What a claim should say and does not."""


class Rules(ClaimItem):
    """The rules that the claim of a file has to keep."""

    def runtest(self) -> None:
        """Fail with every fault, and warn of what the claim should say."""
        super().runtest()
        for fault in self._faults_of_coverage():
            self.warn(LedgerWarning(f"{self.claim.id}: {fault}"))

    def faults(self) -> Iterator[str]:
        """What the claim breaks, rule by rule."""
        yield from self._faults_of_the_checks()
        yield from self._faults_of_the_text()
        yield from self._faults_of_the_place()
        yield from self._faults_of_the_paper()
        if self.config.getini("ledger_require_covers"):
            yield from self._faults_of_coverage()
        ids = self._ids()
        for path, name in ids.items():
            if name == self.claim.id and path != self.path:
                yield f"its id is also that of {path}"
        for name in sorted(set(self.claim.depends_on) - set(ids.values())):
            yield f"it depends on {name}, which is the id of no claim{near(name, list(ids.values()))}"

    def _faults_of_the_checks(self) -> Iterator[str]:
        claim = self.claim
        checks = claim.checks_in(self.parent.obj)
        own = {name: check for name, check in checks.items() if check.kind != "kernel"}
        kinds = {check.kind for check in own.values()}
        if len(kinds) < 2:
            yield f"fewer than two kinds of evidence (it has: {', '.join(sorted(kinds)) or 'none'})"
        if not claim.near_misses:
            yield "no near miss"
        for near_miss in claim.near_misses:
            if own and all(near_miss in check.blind_to for check in own.values()):
                yield f"every check is blind to the near miss '{near_miss}'"
        for name in checks:
            if not name.startswith("test_"):
                yield f"the check {name} never runs: its name must begin with 'test_'"
            if any(mark.name == "xfail" for mark in getattr(getattr(self.parent.obj, name), "pytestmark", ())):
                yield f"the check {name} is marked xfail: what it should do follows from the statement alone"

    def _faults_of_the_text(self) -> Iterator[str]:
        claim = self.claim
        for form, statement in (("printed", claim.printed), ("amended", claim.amended), ("seen", claim.seen)):
            if statement is not None:
                yield from (f"the {form} statement: {fault}" for fault in faults_of_formulas(statement))

    def _faults_of_coverage(self) -> Iterator[str]:
        claim = self.claim
        silent = [name for name, check in claim.checks_in(self.parent.obj).items() if check.covers == (NOT_SAID,)]
        if silent and claim.verdict in ("holds", "amended"):
            yield f"not said what is covered by {', '.join(silent)}; say covers='all', Part(…), Instances(…), Search(…)"
        if claim.verdict == "observed" and claim.ran is None:
            yield "not said what was run; say ran='data, sizes, seeds, thresholds and whose they are'"

    def _faults_of_the_place(self) -> Iterator[str]:
        folder, file = place(self.claim)
        if self.path.parent.name != folder:
            yield f"its file is in the folder {self.path.parent.name}, not in that of its paper, {folder}"
        if self.path.name.lower() != file.lower():
            yield f"its file is named {self.path.name}, not after its id, {file}"

    def _faults_of_the_paper(self) -> Iterator[str]:
        try:
            papers = read_papers(self.path.parent.parent)
        except LedgerError as error:
            yield str(error)
            return
        if papers is not None and self.claim.paper not in papers:
            yield f"its paper {self.claim.paper!r} is not in papers.toml{near(self.claim.paper, list(papers))}"

    def _ids(self) -> dict[Path, str]:
        """The id of every claim of the whole ledger, selected or not, by file."""
        root = self.path.parent.parent
        ledgers = self.config.stash.setdefault(_IDS, {})
        if root not in ledgers:
            ledgers[root] = read_ids(root)
        return ledgers[root]
