"""The pytest plugin that runs claims and prints the ledger.

It does nothing in a run that collects no claim. Checks become ordinary test items, one for each form of the statement,
and each kind of evidence is a marker, so that ``-k``, ``-m``, paths, node ids and ``-n`` (pytest-xdist) select as usual.
One more item for each claim, ``rules``, holds the claim to the ledger's rules.

Options: ``--ledger FILE`` writes the ledger as JSON, ``--long`` runs the checks marked ``long`` too.
"""

import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from theory.ledger._book import Book, Record
from theory.ledger._claim import KINDS, Check, Claim
from theory.ledger._counterexample import counterexample
from theory.ledger._library import LedgerError, claim_of, load_claims

_TRIAL = pytest.StashKey[Record]()
_CLAIMS = pytest.StashKey[dict[Path, Claim]]()
_BOOK = pytest.StashKey[Book]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ledger", "claims and their ledger")
    group.addoption(
        "--ledger", metavar="FILE", type=Path, help="write the ledger of the claims that ran to FILE as JSON"
    )
    group.addoption("--long", action="store_true", help="run the checks marked 'long' too")


def pytest_configure(config: pytest.Config) -> None:
    for kind in KINDS:
        config.addinivalue_line("markers", f"{kind}: evidence of this kind for a claim")
    config.addinivalue_line("markers", "long: takes minutes; runs only with --long")
    config.stash[_BOOK] = Book()
    target = config.getoption("--ledger")
    if target is not None and not target.absolute().parent.is_dir():
        raise pytest.UsageError(f"--ledger {target}: the folder {target.absolute().parent} does not exist")


# Collection: a check is one item for each form of the statement.


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    check = Check.of(metafunc.function)
    if check is not None:
        variants = check.variants
        metafunc.parametrize("statement", [v.value for v in variants], ids=[v.id for v in variants])


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if isinstance(collector, pytest.Module) and report.passed and claim_of(collector.obj) is not None:
        report.result.append(Rules.from_parent(collector, name="rules"))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    modules = {module.path: module.obj for item in items if (module := item.getparent(pytest.Module)) is not None}
    session.stash[_CLAIMS] = {path: claim for path, m in modules.items() if (claim := claim_of(m)) is not None}
    for item in items:
        trial = _trial(item)
        if trial is not None:
            item.stash[_TRIAL] = trial
            if trial.kind is not None:
                item.add_marker(trial.kind)
    if not config.getoption("--long"):
        long = [item for item in items if item.get_closest_marker("long") is not None]
        if long:
            config.hook.pytest_deselected(items=long)
            items[:] = [item for item in items if item not in set(long)]


def _trial(item: pytest.Item) -> Record | None:
    """What the item tries, with its outcome still to come."""
    if isinstance(item, Rules):
        return Record.of(item.claim, test=item.nodeid)
    if isinstance(item, pytest.Function) and (check := Check.of(item.function)) is not None:
        variant = check.variants[item.callspec.indices["statement"]]
        return Record.of(check.claim, test=item.nodeid, kind=check.kind, variant=variant)
    return None


# Running: a printed statement with the verdict 'amended' or 'fails', and every near miss, must be refuted.


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    trial = pyfuncitem.stash.get(_TRIAL, None)
    if trial is None:
        return (yield)
    try:
        result = yield
    except AssertionError as refutation:
        trial.counterexample = counterexample(refutation)
        if trial.expected:
            raise
        return True
    if not trial.expected:
        pytest.fail(_accepted(trial), pytrace=False)
    return result


def _accepted(trial: Record) -> str:
    if trial.role == "near miss":
        return (
            f"near miss accepted: this check of {trial.claim['id']} does not tell '{trial.variant}' from the statement"
        )
    return f"the printed statement passes this check, though {trial.claim['id']} has the verdict '{trial.claim['verdict']}'"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    trial = item.stash.get(_TRIAL, None)
    if trial is not None and (report.when == "call" or not report.passed):
        trial.outcome, trial.seconds = report.outcome, round(report.duration, 6)
        cast(Any, report).ledger = trial.to_json()  # travels with the report from a worker of pytest-xdist
    return report


class Rules(pytest.Item):
    """The rules that a claim has to keep, as a test item."""

    parent: pytest.Module

    @property
    def claim(self) -> Claim:
        """The claim of the item's file."""
        return cast(Claim, claim_of(self.parent.obj))

    def runtest(self) -> None:
        faults = list(self.faults())
        if faults:
            raise RuleBroken("\n".join(f"{self.claim.id}: {fault}" for fault in faults))

    def faults(self) -> Iterator[str]:
        claim, path = self.claim, self.path
        checks = claim.checks_in(self.parent.obj)
        kinds = {check.kind for check in checks.values()}
        if len(kinds) < 2:
            yield f"fewer than two kinds of evidence (it has: {', '.join(sorted(kinds)) or 'none'})"
        if not claim.near_misses:
            yield "no near miss"
        for near_miss in claim.near_misses:
            if checks and all(near_miss in check.blind_to for check in checks.values()):
                yield f"every check is blind to the near miss '{near_miss}'"
        for name in checks:
            if not name.startswith("test_"):
                yield f"the check {name} never runs: its name must begin with 'test_'"
        claims = self.session.stash[_CLAIMS]
        for other, its in claims.items():
            if its.id == claim.id and other != path:
                yield f"its id is also that of {other}"
        unknown = set(claim.depends_on) - {its.id for its in claims.values()}
        if unknown:  # perhaps they are only not selected
            unknown -= {its.id for its in self._whole_ledger().values()}
        for missing in sorted(unknown):
            yield f"it depends on {missing}, which is the id of no claim"
        if path.parent.name.replace("_", "-") != claim.id.split(".")[0]:
            yield f"its file is in the folder {path.parent.name}, not in that of its paper"

    def _whole_ledger(self) -> dict[Path, Claim]:
        try:
            return load_claims(self.path.parent.parent)
        except LedgerError as error:
            raise RuleBroken(str(error)) from error

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, RuleBroken) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"rules: {self.claim.id}"


class RuleBroken(Exception):
    """A claim that does not keep the ledger's rules."""


# Reporting, in the process that the user started.


class _Recorder:
    def __init__(self, book: Book) -> None:
        self.book = book

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        trial = getattr(report, "ledger", None)
        if trial is not None:
            self.book.add(Record.from_json(trial))


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(_Recorder(session.config.stash[_BOOK]))


def pytest_sessionfinish(session: pytest.Session) -> None:
    target = session.config.getoption("--ledger")
    if target is not None and not hasattr(session.config, "workerinput"):
        target.write_text(
            json.dumps(session.config.stash[_BOOK].to_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    book = config.stash[_BOOK]
    if book.entries:
        terminalreporter.section("ledger")
        for line, style in book.lines():
            terminalreporter.write_line(line, **{style: True} if style else {})
