"""What the last run found of every claim, kept beside the claims so that it can be read without running them.

The file ``last_run.json`` in the folder of claims is written by ``nct verify --record`` and committed. It has one line
a claim, with the fingerprint of the claim's file as it was then, so that what has changed since is told.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from nct.ledger._book import Entry
from nct.ledger._claim import natural
from nct.ledger._folder import LedgerError

#: The file's name in the folder of claims.
LAST_RUN = "last_run.json"

#: The version of the form.
SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run found of one claim.

    Attributes
    ----------
    date : str
        When the run ended, in UTC, as ISO 8601 has it.
    fingerprint : str
        That of the claim's file when it ran, as `fingerprint` gives it.
    status : str
        The verdict, or ``broken``.
    reach : str or None
        How far the evidence that passed carries.
    counterexample : str or None
        The smallest instance that refutes the printed statement.
    counterexample_is : str or None
        The arithmetic behind it: ``exact``, ``enclosed`` or ``numerical``.
    seconds : float
        How long the checks took.
    """

    date: str
    fingerprint: str
    status: str
    reach: str | None = None
    counterexample: str | None = None
    counterexample_is: str | None = None
    seconds: float = 0.0

    def is_old(self, path: Path) -> bool:
        """Whether the claim's file has changed since."""
        return fingerprint(path) != self.fingerprint

    @property
    def day(self) -> str:
        """The date in words, such as ``25 November 2026``."""
        return f"{datetime.fromisoformat(self.date):%d %B %Y}".lstrip("0")


def fingerprint(path: Path) -> str:
    """The SHA-256 of a text file, whatever the ends of its lines.

    Raises
    ------
    LedgerError
        If the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error}") from error
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def read_last_run(root: Path) -> dict[str, Outcome]:
    """What the last run found, by the ids of the claims.

    Parameters
    ----------
    root : Path
        The ledger's folder.

    Returns
    -------
    dict of str to Outcome
        Empty where no run is recorded.

    Raises
    ------
    LedgerError
        If the file cannot be read or is no such record.
    """
    path = root / LAST_RUN
    if not path.is_file():
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LedgerError(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("claims"), dict):
        raise LedgerError(f"{path} is no record that 'nct verify --record' wrote")
    if data.get("schema") != SCHEMA:
        raise LedgerError(f"{path} has schema {data.get('schema')}; this version reads schema {SCHEMA}")
    try:
        return {id: _outcome(entry) for id, entry in data["claims"].items()}
    except (TypeError, ValueError) as error:
        raise LedgerError(f"{path} is no record that 'nct verify --record' wrote: {error}") from error


def _outcome(entry: Any) -> Outcome:
    outcome = Outcome(**entry)
    for field in fields(Outcome):
        if not isinstance(getattr(outcome, field.name), field.type):  # type: ignore[arg-type]
            raise TypeError(f"{field.name} = {getattr(outcome, field.name)!r:.60}")
    datetime.fromisoformat(outcome.date)
    return outcome


def check_writable(root: Path) -> None:
    """Find out before a run whether its outcomes can be noted.

    Raises
    ------
    LedgerError
        If the record of earlier runs cannot be read or replaced.
    """
    read_last_run(root)
    path = root / LAST_RUN
    try:
        with path.open("ab") if path.exists() or path.is_symlink() else TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise LedgerError(f"{path} cannot be written: {error.strerror}") from error


def record_run(root: Path, entries: Iterable[Entry], fingerprints: Mapping[str, str]) -> Path:
    """Note what a run found; what it did not run keeps the entry that it has.

    Parameters
    ----------
    root : Path
        The ledger's folder.
    entries : iterable of Entry
        The claims that ran.
    fingerprints : mapping of str to str
        Those of the files of all claims of the ledger when the run began, by id. Entries of other claims go.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    LedgerError
        If the file cannot be read or written.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    outcomes = read_last_run(root)
    for entry in entries:
        if entry.status != "not run" and entry.claim["id"] in fingerprints:
            outcomes[entry.claim["id"]] = _of(entry, fingerprints[entry.claim["id"]], now)
    known = fingerprints.keys()
    lines = [
        f"    {json.dumps(id)}: {json.dumps(asdict(outcomes[id]), ensure_ascii=False)}"
        for id in sorted(outcomes.keys() & known, key=natural)
    ]
    text = f'{{\n  "schema": {SCHEMA},\n  "claims": {{\n' + ",\n".join(lines) + "\n  }\n}\n"
    try:
        (root / LAST_RUN).write_text(text, encoding="utf-8")
    except OSError as error:
        raise LedgerError(f"{root / LAST_RUN} cannot be written: {error}") from error
    return root / LAST_RUN


def _of(entry: Entry, fingerprint: str, date: str) -> Outcome:
    return Outcome(
        date=date,
        fingerprint=fingerprint,
        status=entry.status,
        reach=None if entry.reach is None else entry.reach.scope,
        counterexample=entry.counterexample,
        counterexample_is=entry.counterexample_is,
        seconds=round(sum(record.seconds for record in entry.records), 1),
    )
