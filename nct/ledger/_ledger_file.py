"""The file that a run writes with ``--ledger``: one form for everything that reads a ledger."""

import json
import platform
import subprocess
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from nct.ledger._folder import LedgerError

#: The version of the form; 0 is the bare list of claims that came before it, 1 has nothing of the claims' files.
SCHEMA = 2


@dataclass(frozen=True, kw_only=True)
class LedgerFile:
    """A ledger as it was written, with what it was written on.

    Attributes
    ----------
    schema : int
        The version of the form.
    date : str or None
        When the run ended, in UTC.
    commit : str or None
        The commit that was checked out; None outside a git repository.
    modified : bool or None
        Whether tracked files differed from it.
    arguments : tuple of str
        What pytest was called with.
    python, platform : str or None
        The versions of Python and of the system.
    packages : dict of str to str
        The version of every distribution that was installed.
    profile, seed : str or None
        Hypothesis's profile, and its seed where one was given; the profile ``ledger`` needs none.
    papers : list of dict
        The table of papers, where the ledger has one.
    claims : list of dict
        The claims by id: the fields of `Claim` in words; what was found: ``status``, ``reach``, ``evidence``,
        ``near_misses``, ``failed``, ``mutants``, ``counterexample`` and ``seconds``; and from the claim's file
        ``reading``, ``code``, ``values`` and ``checks``, with its place from the project's folder, ``file``.
    """

    schema: int = SCHEMA
    date: str | None = None
    commit: str | None = None
    modified: bool | None = None
    arguments: tuple[str, ...] = ()
    python: str | None = None
    platform: str | None = None
    packages: dict[str, str] = field(default_factory=dict)
    profile: str | None = None
    seed: str | None = None
    papers: list[dict[str, Any]] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write the ledger to `path` as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_ledger(path: Path) -> LedgerFile:
    """Read a ledger that ``pytest --ledger FILE`` wrote, by this version or an earlier one.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    LedgerFile
        The ledger.

    Raises
    ------
    LedgerError
        If the file cannot be read, is no ledger, or is one of a later version.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LedgerError(f"{path} cannot be read: {error}") from error
    if isinstance(data, list):
        data = {"schema": 0, "claims": data}
    if not isinstance(data, dict) or type(data.get("schema")) is not int:
        raise LedgerError(f"{path} is no ledger that 'pytest --ledger FILE' wrote")
    if not 0 <= data["schema"] <= SCHEMA:
        raise LedgerError(f"{path} has schema {data['schema']}; this version reads schemas up to {SCHEMA}")
    fault = _fault(data)
    if fault:
        raise LedgerError(f"{path} is no ledger that 'pytest --ledger FILE' wrote: {fault}")
    return LedgerFile(**data | {"arguments": tuple(data.get("arguments", ()))})


#: The type of every field that is not text; None stands for what is not known.
_TYPES: dict[str, type] = {
    "schema": int, "modified": bool, "arguments": list, "packages": dict, "papers": list, "claims": list
}  # fmt: skip

#: What every entry of a claim's outcomes has.
_OUTCOMES = {"evidence": {"kind", "test", "outcome"}, "near_misses": {"name", "rejected"}}


def _fault(data: dict[str, Any]) -> str:
    """What keeps a JSON object from being a ledger; empty if nothing does."""
    names = [one.name for one in fields(LedgerFile)]
    for name, value in data.items():
        if name not in names:
            return f"it has a field {name!r}"
        kind = _TYPES.get(name, str)
        if not isinstance(value, kind) and not (value is None and _TYPES.get(name, bool) is bool):
            return f"{name} = {value!r:.60}; {name} must be a {kind.__name__}"
    if "claims" not in data:
        return "it has no claims"
    for number, claim in enumerate(data["claims"], 1):
        if not isinstance(claim, dict) or not isinstance(claim.get("id"), str):
            return f"claim {number} has no id"
        for name, keys in _OUTCOMES.items():
            rows = claim.get(name, [])
            if not isinstance(rows, list) or not all(isinstance(row, dict) and keys <= row.keys() for row in rows):
                told = ", ".join(sorted(keys))
                return f"{name} of {claim['id']} is {rows!r:.60}; {name} must be a list of objects with {told}"
    return ""


def circumstances(root: Path) -> dict[str, Any]:
    """What a run is made on: the fields of `LedgerFile` that do not depend on the claims.

    Parameters
    ----------
    root : Path
        The folder of the project.

    Returns
    -------
    dict
        Date, commit, Python, platform and packages.
    """
    changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git(root, "rev-parse", "HEAD"),
        "modified": None if changes is None else bool(changes),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": _packages(),
    }


def _packages() -> dict[str, str]:
    found = {distribution.name: distribution.version for distribution in metadata.distributions() if distribution.name}
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
