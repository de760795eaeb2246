"""A pytest plugin that runs the tests a mutant may fail, quickest first, and says how it is noticed.

The ledger refutes a mutant when a check finds a true statement false, or accepts a false one; it crashes on a mutant
that raises anything else. An `assert` of the mutated package itself is a crash.
"""

from pathlib import Path

import pytest

PATIENCE = 20  # after a crash so many tests more may still refute
RANK = {"passed": 0, "crashed": 1, "refuted": 2}


class Judge:
    """Select tests, and stop at the first failure that settles the matter.

    Parameters
    ----------
    seconds : dict of {str: float}
        The tests to run and what each takes without a mutant.
    packages : tuple of str
        The folders that are mutated.
    settled : str
        The outcome at which the run stops: ``"refuted"``, or ``"crashed"`` where any failure will do.
    """

    def __init__(self, seconds: dict[str, float], packages: tuple[str, ...], settled: str) -> None:
        self.seconds, self.packages, self.settled = seconds, packages, settled
        self.outcome, self.by, self.left = "passed", "", PATIENCE

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, config: pytest.Config, items: list) -> None:
        chosen = [item for item in items if item.nodeid in self.seconds]
        if len(chosen) < len(self.seconds):
            self._note("crashed", "collection")
        items[:] = sorted(chosen, key=lambda item: self.seconds[item.nodeid])
        for item in items:
            _no_shrinking(item)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._note("crashed", report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo):
        report = yield
        if report.failed:
            self._note("refuted" if self._refutes(call.excinfo) else "crashed", item.nodeid)
        if self.outcome == "crashed" and report.when == "teardown":
            self.left -= 1
        if RANK[self.outcome] >= RANK[self.settled] or self.left < 0:
            item.session.shouldstop = "settled"
        return report

    def _refutes(self, failure: pytest.ExceptionInfo) -> bool:
        if not failure.errisinstance((AssertionError, pytest.fail.Exception)):
            return False
        raised = Path(str(failure.traceback[-1].path))
        return not any(raised.is_relative_to(package) for package in self.packages)

    def _note(self, outcome: str, by: str) -> None:
        if RANK[outcome] > RANK[self.outcome]:
            self.outcome, self.by = outcome, by


def _no_shrinking(item: pytest.Item) -> None:
    """Spare Hypothesis the search for the smallest example, which nobody is shown.

    The settings of a test are an attribute that Hypothesis does not document; without it the run is only slower.
    """
    name = "_hypothesis_internal_use_settings"
    settings = getattr(getattr(item, "function", None), name, None)
    if settings is not None:
        kept = [phase for phase in settings.phases if phase.name not in ("shrink", "explain")]
        setattr(item.function, name, type(settings)(settings, phases=kept))
