"""What `nct ledger --site` does: a run's JSON, or a run, in; a folder of pages out."""

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nct.ledger import LedgerError, LedgerFile, read_ledger
from nct.site.benchmarks import benchmark_pages
from nct.site.build import Page, write_site
from nct.site.formulas import FormulaError

#: The paper whose solutions and losses have pages.
OF = "arXiv:2405.14468"


def make_site(folder: Path, claims: Path, *, run: Path | None = None, home: str | None = None) -> list[Path]:
    """Write the site of the ledger whose claims are in a folder.

    Parameters
    ----------
    folder : Path
        Where the site goes.
    claims : Path
        The folder of claims; they are run unless a run is given.
    run : Path or None
        What ``pytest --ledger FILE`` wrote.
    home : str or None
        An address, from the site's folder, that the menu begins with, such as that of the documentation around it.

    Returns
    -------
    list of Path
        The pages, the first one first.

    Raises
    ------
    LedgerError
        If the folder cannot be written, the run is none or of a version that has nothing to show, no claim ran, or a
        claim cannot be typeset.
    ImportError
        If what the pages are made with is not installed.
    """
    _prepare(folder)
    with _ledger(claims, run) as ledger:
        try:
            return write_site(ledger, folder, home=home, further=_further(ledger, claims))
        except FormulaError as error:
            raise LedgerError(str(error)) from error


def _further(ledger: LedgerFile, claims: Path) -> tuple[Page, ...]:
    """Pages of numbers, of a ledger that has the paper that they are about, and of benchmarks beside the claims."""
    pages = benchmark_pages(claims.resolve().parent / "benchmarks" / "results")
    if not any(paper.get("identifier") == OF for paper in ledger.papers):
        return pages
    from nct.site.solutions import solution_pages

    return (*solution_pages(), *pages)


def _prepare(folder: Path) -> None:
    """Find out before the work whether the folder can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise LedgerError(f"{folder} cannot be written: {error.strerror or error}") from error


@contextlib.contextmanager
def _ledger(claims: Path, run: Path | None) -> Iterator[LedgerFile]:
    if run is not None:
        yield read_ledger(run)
        return
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "ledger.json"
        _run_claims(claims, file)
        if not file.is_file():
            raise LedgerError(f"the claims of {claims} could not be run")
        yield read_ledger(file)


def _run_claims(claims: Path, file: Path) -> None:
    import pytest

    with contextlib.redirect_stdout(sys.stderr):
        pytest.main(["-q", "--no-header", "--import-mode=importlib", "--ledger", str(file), str(claims)])
