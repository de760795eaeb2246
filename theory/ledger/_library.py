"""Finding and reading a ledger on disk without running it."""

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from theory.ledger._claim import Claim


class LedgerError(Exception):
    """A ledger that cannot be found or read."""


def find_ledger(start: Path | None = None) -> Path:
    """The folder ``proofs_checks`` of `start`, of a folder above it, or of the source tree that is installed here.

    Parameters
    ----------
    start : Path, optional
        Where to begin; the current folder by default.

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


def claim_of(module: ModuleType) -> Claim | None:
    """The claim that a module states, if it states one."""
    claim = getattr(module, "claim", None)
    return claim if isinstance(claim, Claim) else None


def load_claims(root: Path) -> dict[Path, Claim]:
    """Import every claim file below `root` and return the claims by file.

    Parameters
    ----------
    root : Path
        The ledger's folder; one folder a paper below it.

    Raises
    ------
    LedgerError
        If the folder holds no claim or one of its files cannot be imported.
    """
    claims = {}
    for path in claim_files(root):
        claim = claim_of(_import(path))
        if claim is not None:
            claims[path] = claim
    if not claims:
        raise LedgerError(f"no claims below {root}")
    return claims


def _import(path: Path) -> ModuleType:
    name = f"_ledger_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LedgerError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise LedgerError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    return module
