"""Printing and writing the ledger at the end of a run, in the process that the user started."""

import shutil
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, cast

import pytest

from nct.ledger._book import Book, Entry, Record
from nct.ledger._details import details
from nct.ledger._folder import LedgerError
from nct.ledger._judgement import judge
from nct.ledger._last_run import check_writable, fingerprint, record_run
from nct.ledger._ledger_file import LedgerFile, circumstances
from nct.ledger._live import tell_by_claims
from nct.ledger._papers import Paper, read_papers
from nct.ledger._profiles import chosen_profile
from nct.ledger._reading import read_ids

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter  # pytest exports the name since version 8.4

_BOOK = pytest.StashKey[Book]()
_FINGERPRINTS = pytest.StashKey[dict[str, str]]()
_RECORDED = pytest.StashKey[str]()


class _Recorder:
    def __init__(self, book: Book) -> None:
        self.book = book

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        trial = getattr(report, "ledger", None)
        if trial is not None:
            self.book.add(Record.from_json(trial))


def check_target(config: pytest.Config) -> None:
    """Refuse, before anything runs, a file that ``--ledger`` could not write.

    Raises
    ------
    pytest.UsageError
        If its folder does not exist or takes no file, or it is a folder itself.
    """
    target = _target(config)
    if target is None:
        return
    if not target.parent.is_dir():
        raise pytest.UsageError(f"--ledger: the folder {target.parent} does not exist")
    if target.is_dir():
        raise pytest.UsageError(f"--ledger: {target} is a folder, not a file")
    try:
        with target.open("ab") if target.exists() else TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise pytest.UsageError(f"--ledger: {target} cannot be written: {error.strerror}") from error


def check_record(config: pytest.Config) -> None:
    """Refuse, before anything runs, to record a run that may leave out a part of a claim.

    Raises
    ------
    pytest.UsageError
        If a selection by expression or of single items is asked for, or there is no folder of claims.
    """
    if not config.getoption("--ledger-record") or hasattr(config, "workerinput"):
        return
    for name in ("-k", "-m", "--deselect", "--last-failed"):
        if config.getoption(name, default=None):
            raise pytest.UsageError(f"--ledger-record: records whole claims, and {name} leaves out parts")
    if any("::" in str(argument) for argument in config.args):
        raise pytest.UsageError("--ledger-record: records whole claims, and '::' names a part of one")
    root = _root(config)
    if not root.is_dir():
        raise pytest.UsageError(f"--ledger-record: there is no folder {root}")
    try:
        config.stash[_FINGERPRINTS] = {id: fingerprint(path) for path, id in read_ids(root).items()}
        check_writable(root)
    except LedgerError as error:
        raise pytest.UsageError(f"--ledger-record: {error}") from error


def _root(config: pytest.Config) -> Path:
    return Path(config.rootpath / config.getini("ledger_claims"))


def _target(config: pytest.Config) -> Path | None:
    """The file that ``--ledger`` names, if this process is to write it."""
    name = config.getoption("--ledger")
    if name is None or hasattr(config, "workerinput"):
        return None
    return Path(config.invocation_params.dir, name)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin to note what is reported."""
    book = session.config.stash[_BOOK] = Book()
    if not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(_Recorder(book))
        tell_by_claims(session.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Decide what only all items together show, once they have run."""
    result = yield
    if not hasattr(session.config, "workerinput") and not session.config.option.collectonly:
        for record, message in list(judge(session.config.stash[_BOOK])):
            _report(session.config, record, message)
    return result


def _report(config: pytest.Config, record: Record, message: str) -> None:
    """Report a failure that belongs to no single item as that of a test of its own."""
    file, _, name = record.test.partition("::")
    for when in ("setup", "call", "teardown"):
        failed = when == "call"
        report = pytest.TestReport(
            nodeid=record.test,
            location=(file, 0, name),
            keywords={},
            outcome="failed" if failed else "passed",
            longrepr=f"{record.claim['id']}: {message}" if failed else None,
            when=cast(Any, when),
        )
        if failed:
            cast(Any, report).ledger = record.to_json()
        config.hook.pytest_runtest_logreport(report=report)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the ledger where ``--ledger`` says, and note what was found where ``--ledger-record`` wants it."""
    _write_ledger(session)
    config = session.config
    ended = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    fingerprints = config.stash.get(_FINGERPRINTS, None)
    if fingerprints is not None and ended and not config.option.collectonly:
        try:
            path = record_run(_root(config), config.stash[_BOOK].entries, fingerprints)
            config.stash[_RECORDED] = f"recorded in {path}"
        except LedgerError as error:
            config.stash[_RECORDED] = f"--ledger-record: {error}"
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _write_ledger(session: pytest.Session) -> None:
    target = _target(session.config)
    if target is None or session.config.option.collectonly:
        return
    config = session.config
    papers = _papers(config)
    seed = config.getoption("--hypothesis-seed", default=None)
    LedgerFile(
        **circumstances(config.rootpath),
        arguments=tuple(map(str, config.invocation_params.args)),
        profile=chosen_profile(config) or "ledger",
        seed=None if seed is None else str(seed),
        papers=[paper.to_json() for paper in papers],
        claims=[entry.to_json() | _details(config, entry) for entry in config.stash[_BOOK].entries],
    ).write(target)


def _details(config: pytest.Config, entry: Entry) -> dict[str, Any]:
    file = entry.records[0].test.partition("::")[0]
    try:
        return {"file": file} | details(config.rootpath / file)
    except LedgerError:  # it was imported, and changed since
        return {"file": file}


def _papers(config: pytest.Config) -> list[Paper]:
    try:
        return list((read_papers(_root(config)) or {}).values())
    except LedgerError:  # each claim's rules report it
        return []


def pytest_terminal_summary(terminalreporter: "TerminalReporter", config: pytest.Config) -> None:
    """Print the ledger, if a claim ran."""
    book = config.stash.get(_BOOK, None)
    if book is None or not book.entries:
        return
    from nct.ledger._table import lines

    width = shutil.get_terminal_size().columns
    terminalreporter.section("ledger")
    for text, style in lines(book, width=width, colour=terminalreporter.hasmarkup):
        for line in text.split("\n"):  # line by line: pytest escapes what a terminal cannot print, newlines too
            terminalreporter.write_line(line, **{style: True} if style else {})
    if _RECORDED in config.stash:
        terminalreporter.write_line(config.stash[_RECORDED])
