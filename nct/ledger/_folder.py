"""Where a ledger lies on disk, and how its files are named."""

import re
from pathlib import Path

from nct.ledger._claim import Claim


class LedgerError(Exception):
    """A ledger that cannot be found or read."""


def find_ledger(start: Path | None = None) -> Path:
    """The folder ``proofs_checks`` of `start`, of a folder above it, or of the source tree that is installed here.

    Parameters
    ----------
    start : Path, optional
        Where to begin; the current folder by default.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    LedgerError
        If there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (folder / "proofs_checks").is_dir():
            return folder / "proofs_checks"
    raise LedgerError(f"no ledger: there is no folder 'proofs_checks' in {here} or above it")


def claim_files(root: Path) -> list[Path]:
    """The claim files below `root`, sorted."""
    return sorted(path for path in root.rglob("test_*.py") if path.parent != root)


def place(claim: Claim) -> tuple[str, str]:
    """The folder and the name of a claim's file, which follow from its id."""
    return claim.paper.replace("-", "_"), f"test_{re.sub('[^A-Za-z0-9]', '_', claim.row)}.py"
