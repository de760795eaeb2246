"""Where a ledger lies on disk, and how its files are named."""

import configparser
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nct.ledger._claim import Claim

#: The folder of claims where the project's pytest configuration does not name another with ``ledger_claims``.
CLAIMS_FOLDER = "proofs_checks"

#: The configuration files of pytest, in its order, with the tables that it reads in each.
_CONFIGURATIONS = {
    "pytest.toml": ["pytest"],
    ".pytest.toml": ["pytest"],
    "pytest.ini": ["pytest"],
    ".pytest.ini": ["pytest"],
    "pyproject.toml": ["tool.pytest", "tool.pytest.ini_options"],
    "tox.ini": ["pytest"],
    "setup.cfg": ["tool:pytest"],
}


class LedgerError(Exception):
    """A ledger that cannot be found or read."""


def find_ledger(start: Path | None = None) -> Path:
    """The folder of claims that belongs to `start`.

    In `start` and in each folder above it, this is what pytest's configuration there calls ``ledger_claims``, else
    ``proofs_checks``; and at last the claims of the source tree that is installed here.

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
        claims = folder / configured_folder(folder)
        if claims.is_dir():
            return claims
    raise LedgerError(
        f"no ledger: there is no folder {CLAIMS_FOLDER!r} in {here} or above it, and no pytest configuration there has "
        "'ledger_claims = FOLDER'; the claims of this project are in its source tree, not in its wheel; "
        "'nct ledger init' begins a ledger of your own"
    )


def configured_folder(folder: Path) -> str:
    """The name of the claims' folder by pytest's configuration in `folder`; ``proofs_checks`` where that says nothing.

    Raises
    ------
    LedgerError
        If a configuration file there cannot be read.
    """
    return str(configuration(folder).get("ledger_claims", CLAIMS_FOLDER))


def configuration(folder: Path) -> Mapping[str, Any]:
    """The settings of pytest in a folder, those of the first of its files that has some; empty where none has.

    Raises
    ------
    LedgerError
        If a configuration file there cannot be read.
    """
    for name, tables in _CONFIGURATIONS.items():
        if (folder / name).is_file():
            try:
                settings = _read_tables(folder / name, tables)
            except (OSError, ValueError, configparser.Error) as error:
                raise LedgerError(f"{folder / name} cannot be read: {error}") from error
            if settings:
                return settings
    return {}


def _read_tables(path: Path, tables: list[str]) -> Mapping[str, Any]:
    if path.suffix == ".toml":
        content: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        found: dict[str, Any] = {}
        for table in tables:
            part = content
            for key in table.split("."):
                part = part.get(key, {})
            found |= part
        return found
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    parser.read_string(path.read_text(encoding="utf-8"))
    return dict(parser[tables[0]]) if parser.has_section(tables[0]) else {}


def claim_files(root: Path) -> list[Path]:
    """The claim files below `root`, sorted."""
    return sorted(path for path in root.rglob("test_*.py") if path.parent != root)


def place(claim: Claim) -> tuple[str, str]:
    """The folder and the name of a claim's file, which follow from its id."""
    return claim.paper.replace("-", "_"), f"test_{re.sub('[^A-Za-z0-9]', '_', claim.row)}.py"
