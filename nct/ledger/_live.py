"""Telling by claims, not by files, how far a run has come: a line a claim, with what came of its items.

With one process a claim's id stands there while its items run; with pytest-xdist, where claims run side by side, each
line comes when the last of its items is done. Quiet and verbose runs, and the items of other tests, stay as they are.
"""

from collections import Counter
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from nct.ledger._collection import TRIAL

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

_ID_WIDTH = 28
_OUTCOMES = ("passed", "failed", "error", "skipped")


class Live:
    """What writes a claim's line; registered where lines by file would be written.

    Parameters
    ----------
    reporter : TerminalReporter
        What writes to the terminal.
    """

    def __init__(self, reporter: "TerminalReporter") -> None:
        self.reporter = reporter
        self.ids: dict[str, str] = {}
        self.left: Counter[str] = Counter()
        self.found: dict[str, Counter[str]] = {}
        self.seconds: dict[str, float] = {}
        self.current: str | None = None
        self.parallel = False
        self.letters = False  # whether letters of other tests stand in the line

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note which file states which claim, and how many items of it are to run."""
        for item in session.items:
            self.left[_file(item.nodeid)] += 1
            if TRIAL in item.stash:
                self.ids[_file(item.nodeid)] = item.stash[TRIAL].claim["id"]

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Note how many items of each file are to run; every worker collects the same."""
        self.parallel = True
        if not self.left:
            self.left.update(_file(nodeid) for nodeid in ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Begin a claim's line, in place of that of its file."""
        file = _file(nodeid)
        if self.parallel or file not in self.ids:
            return
        if file != self.current:
            self.reporter.ensure_newline()
            self.reporter.write(f"{self.ids[file]:{_ID_WIDTH}} ", flush=True)
            self.current = file
        self.reporter.currentfspath = self.reporter.config.rootpath / file

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> Generator[None, tuple[str, str, object], tuple[str, str, object]]:
        """Count what comes of a claim's item instead of writing a letter."""
        status = yield
        trial = getattr(report, "ledger", None)
        if not isinstance(report, pytest.TestReport) or (trial is None and _file(report.nodeid) not in self.ids):
            self.letters |= bool(status[1])
            return status
        file = _file(report.nodeid)
        if trial is not None:
            self.ids.setdefault(file, trial["claim"]["id"])
        self.seconds[file] = self.seconds.get(file, 0.0) + report.duration
        if status[0]:
            self.found.setdefault(file, Counter())[status[0]] += 1
        return status[0], "", status[2]

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """End the line of a claim whose items are done."""
        file = _file(nodeid)
        self.left[file] -= 1
        if file in self.ids and not self.left[file]:
            self._end(file)

    def _end(self, file: str) -> None:
        if file != self.current:  # with xdist, or after the line of another claim
            self.reporter.ensure_newline()
            self.reporter.write("\n" * self.letters + f"{self.ids[file]:{_ID_WIDTH}} ")
            self.letters = False
        found = self.found.get(file, Counter())
        names = sorted(found, key=lambda name: _OUTCOMES.index(name) if name in _OUTCOMES else len(_OUTCOMES))
        told = ", ".join([*(f"{found[name]} {name}" for name in names), f"{self.seconds.get(file, 0.0):.1f} s"])
        self.reporter.write(f"{told}\n", red=bool(found["failed"] + found["error"]))
        self.reporter.currentfspath = None
        self.current = None


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def tell_by_claims(config: pytest.Config) -> None:
    """Tell by claims in this run, where pytest would tell by files."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    quiet = config.option.verbose != 0 or config.option.capture == "no" or hasattr(config, "workerinput")
    if reporter is not None and not quiet and not config.option.collectonly:
        config.pluginmanager.register(Live(reporter))
