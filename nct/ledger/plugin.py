"""The pytest plugin that runs claims and prints the ledger.

It does nothing in a run that collects no claim. Checks become ordinary test items, one for each form of the statement,
and each kind of evidence is a marker, so that ``-k``, ``-m``, paths, node ids and ``-n`` (pytest-xdist) select as usual.
One more item for each claim, ``rules``, holds the claim to the ledger's rules.

Options: ``--ledger FILE`` writes the ledger as JSON, ``--long`` runs the checks marked ``long`` too.
"""

import json
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

import pytest

from nct.ledger._book import Book, Record
from nct.ledger._claim import KINDS, Check, Claim
from nct.ledger._counterexample import counterexample
from nct.ledger._library import LedgerError, claim_files, claim_of, read_claim

_TRIAL = pytest.StashKey[Record]()
_IDS = pytest.StashKey[dict[Path, dict[Path, str]]]()
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
    config.addinivalue_line("markers", "statement(variant): the form of the statement that a check is run on")
    config.addinivalue_line("markers", "long: takes minutes; runs only with --long")
    config.stash[_BOOK] = Book()
    config.stash[_IDS] = {}
    target = _target(config)
    if target is not None and not target.parent.is_dir():
        raise pytest.UsageError(f"--ledger: the folder {target.parent} does not exist")
    if target is not None and target.is_dir():
        raise pytest.UsageError(f"--ledger: {target} is a folder, not a file")


def _target(config: pytest.Config) -> Path | None:
    """The file that ``--ledger`` names, if this process is to write it."""
    name = config.getoption("--ledger")
    if name is None or hasattr(config, "workerinput"):
        return None
    return Path(config.invocation_params.dir, name)


# Collection: a check is one item for each form of the statement.


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    check = Check.of(metafunc.function)
    if check is None:
        return
    if check.claim is not claim_of(metafunc.module):
        pytest.fail(
            f"{metafunc.function.__name__} checks {check.claim.id}, which its file does not state: "
            "one claim, one file, and the claim's name there is 'claim'",
            pytrace=False,
        )
    forms = [pytest.param(v.value, id=v.id, marks=pytest.mark.statement(v)) for v in check.variants]
    metafunc.parametrize("statement", forms)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if type(collector) is pytest.Module and report.passed and claim_of(collector.obj) is not None:
        report.result.append(Rules.from_parent(collector, name="rules"))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        trial = _trial(item)
        if trial is not None:
            item.stash[_TRIAL] = trial
            item.extra_keyword_matches.add(trial.claim["id"])
            if trial.kind is not None:
                item.add_marker(trial.kind)
    if not config.getoption("--long"):
        long = {item for item in items if item.get_closest_marker("long") is not None}
        if long:
            config.hook.pytest_deselected(items=list(long))
            items[:] = [item for item in items if item not in long]


def _trial(item: pytest.Item) -> Record | None:
    """What the item tries, with its outcome still to come."""
    if isinstance(item, Rules):
        return Record.of(item.claim, test=item.nodeid)
    if isinstance(item, pytest.Function) and (check := Check.of(item.function)) is not None:
        variant = next(item.iter_markers("statement")).args[0]
        return Record.of(check.claim, test=item.nodeid, kind=check.kind, variant=variant)
    return None


# Running: a printed statement with the verdict 'amended' or 'fails', and every near miss, must be refuted.


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    trial = pyfuncitem.stash.get(_TRIAL, None)
    if trial is None:
        return (yield)
    try:
        with _unshrunk(pyfuncitem) if trial.role == "near miss" else nullcontext():
            result = yield
    except AssertionError as refutation:
        trial.counterexample = counterexample(refutation)
        if trial.expected:
            raise
        return True
    if not trial.expected:
        pytest.fail(_accepted(trial), pytrace=False)
    return result


@contextmanager
def _unshrunk(item: pytest.Function) -> Iterator[None]:
    """Spare Hypothesis the search for the smallest example of a near miss, which nobody is shown.

    The settings of a test are an attribute that Hypothesis does not document; without it the run is only slower.
    """
    name = "_hypothesis_internal_use_settings"
    settings = getattr(item.function, name, None)
    if settings is None:
        yield
        return
    kept = [phase for phase in settings.phases if phase.name not in ("shrink", "explain")]
    setattr(item.function, name, type(settings)(settings, phases=kept))
    try:
        yield
    finally:
        setattr(item.function, name, settings)


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
        """What the claim breaks, rule by rule."""
        yield from self._faults_of_the_checks()
        yield from self._faults_of_the_place()
        ids = self._ids()
        for path, name in ids.items():
            if name == self.claim.id and path != self.path:
                yield f"its id is also that of {path}"
        for name in sorted(set(self.claim.depends_on) - set(ids.values())):
            yield f"it depends on {name}, which is the id of no claim"

    def _faults_of_the_checks(self) -> Iterator[str]:
        claim = self.claim
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
            if any(mark.name == "xfail" for mark in getattr(getattr(self.parent.obj, name), "pytestmark", ())):
                yield f"the check {name} is marked xfail: what it should do follows from the statement alone"

    def _faults_of_the_place(self) -> Iterator[str]:
        paper, row = self.claim.id.split(".", 1)
        folder, file = paper.replace("-", "_"), f"test_{re.sub('[^A-Za-z0-9]', '_', row)}.py"
        if self.path.parent.name != folder:
            yield f"its file is in the folder {self.path.parent.name}, not in that of its paper, {folder}"
        if self.path.name.lower() != file.lower():
            yield f"its file is named {self.path.name}, not after its id, {file}"

    def _ids(self) -> dict[Path, str]:
        """The id of every claim of the whole ledger, selected or not, by file."""
        root = self.path.parent.parent
        ledgers = self.config.stash[_IDS]
        if root not in ledgers:
            ledgers[root] = dict(_read_ids(root))
        return ledgers[root]

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, RuleBroken) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"rules: {self.claim.id}"


class RuleBroken(Exception):
    """A claim that does not keep the ledger's rules."""


def _read_ids(root: Path) -> Iterator[tuple[Path, str]]:
    for path in claim_files(root):
        try:
            listing = read_claim(path)
        except LedgerError:  # collecting the file reports it
            continue
        if listing is not None:
            yield path, listing.id


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
    target = _target(session.config)
    if target is not None and not session.config.option.collectonly:
        book = json.dumps(session.config.stash[_BOOK].to_json(), indent=2, ensure_ascii=False)
        target.write_text(book + "\n", encoding="utf-8")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    book = config.stash[_BOOK]
    if book.entries:
        terminalreporter.section("ledger")
        for line, style in book.lines():
            terminalreporter.write_line(line, **{style: True} if style else {})
