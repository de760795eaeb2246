"""Run the claims of the ledger: every check on the printed statement, on the amended one and on every near miss.

It ends with the ledger: which claims hold, which only when amended, and how each was checked. The exit status is 0 if
every claim is as its verdict says. A NAME is the id of a claim, a part of ids, or the key of a paper; without one, all
claims run.

examples:
  nct verify
  nct verify lowrank.lemma-12 lowrank.lemma-13
  nct verify lowrank --long --ledger ledger.json
  nct verify --record --pytest "-n 4"
"""

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nct.claims import choose, claim_names
from nct.commands import InputError
from nct.ledger import LedgerError, find_ledger, read_claims

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    names = parser.add_argument("names", metavar="NAME", nargs="*", help="what to run (default: every claim)")
    names.completer = claim_names  # type: ignore[attr-defined]
    parser.add_argument("--long", action="store_true", help="run the checks that take minutes too")
    parser.add_argument("--ledger", metavar="FILE", type=Path, help="write the ledger to FILE as JSON")
    parser.add_argument(
        "--record",
        action="store_true",
        help="keep what is found beside the claims, in last_run.json, for 'nct ledger' to show; what is not run keeps "
        "its entry",
    )
    parser.add_argument(
        "--folder", metavar="DIR", type=Path, help="the ledger's folder (default: the one that 'nct ledger' finds)"
    )
    parser.add_argument("--pytest", metavar="OPTIONS", default="", help="more options of pytest, in one word")


def run(arguments: argparse.Namespace) -> int:
    """Run the claims by pytest and return the exit status."""
    try:
        import pytest
    except ImportError as error:
        raise InputError("the claims are run by pytest: pip install pytest") from error
    try:
        folder = arguments.folder or find_ledger()
        if not folder.is_dir():
            raise LedgerError(f"no claims below {folder}")
        paths = _paths(arguments.names, folder) if arguments.names else [folder]
    except LedgerError as error:
        raise InputError(str(error)) from error
    options = ["--no-header", "-W", "ignore::pytest.PytestAssertRewriteWarning", "--import-mode=importlib"]
    options += ["--ledger-long"] * arguments.long
    options += ["--ledger-record"] * arguments.record
    options += [] if arguments.ledger is None else ["--ledger", str(arguments.ledger)]
    watch = _Watch()
    status = pytest.main([*options, *shlex.split(arguments.pytest), *map(str, paths)], plugins=[watch])
    return 130 if watch.interrupted else 2 if status == pytest.ExitCode.USAGE_ERROR else int(status != 0)


class _Watch:
    """What tells an interrupt from an error, for which pytest has one exit status."""

    interrupted = False

    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        self.interrupted = excinfo.type is KeyboardInterrupt  # an error in a claim's file is a kind of its own


def _paths(names: Sequence[str], folder: Path) -> list[Path]:
    """The files of the claims that are named, each once, in the order of the ledger."""
    return [listing.path for listing in choose(read_claims(folder), names)]
