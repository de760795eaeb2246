"""The one file of a sweep: a SQLite database in which runs are claimed and results are kept.

A run is one seed of one setting. Its result and the mark that it is done are written in one transaction, so that a
process can be killed at any moment. Who works on a run is written down too: an owner that has died is noticed by its
process number on the same machine, or by a heartbeat that stopped, and its runs are given out again.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from numerics.sweep._format import APPLICATION, OLDEST, VERSION, create, upgrade
from numerics.sweep._grid import Grid, Task, setting_key
from numerics.sweep._worker import COLUMNS

__all__ = ["Claim", "Store", "SweepError", "check_path"]

_STALE = 120.0  # seconds without a heartbeat after which an owner on another machine is taken for dead
_STATES = ("waiting", "running", "done", "failed")

Claim = tuple[tuple[int, ...], Task]
"""The numbers of some runs in the file, and the task that does them."""


class SweepError(OSError):
    """Something is wrong with the file of a sweep, or with its workers; what was finished is kept."""


def check_path(path: str | os.PathLike[str]) -> str:
    """Return the name of a sweep's file, or refuse one that SQLite takes for something else than a file that lasts.

    Parameters
    ----------
    path : path
        What the caller was given.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        For an empty name, ":memory:", a URI, and for what is there and is no ordinary file.

    Examples
    --------
    >>> check_path(":memory:")
    Traceback (most recent call last):
    ...
    ValueError: path = ':memory:'; path must be the name of a file on disk
    """
    name = os.fsdecode(path)
    if not name.strip() or name == ":memory:" or name.startswith("file:") or "\0" in name:
        raise ValueError(f"path = {name!r}; path must be the name of a file on disk")
    if os.path.exists(name) and not os.path.isfile(name):
        raise ValueError(f"path = {name!r}; path must be an ordinary file, not a folder or a device")
    return name


class Store:
    """A sweep's file, open in this process.

    Parameters
    ----------
    path : path
        The file.
    write : bool
        Make the file if it does not exist, and bring an older one to the present format. Otherwise a missing file is a
        FileNotFoundError, and an older one is read as it is.

    Raises
    ------
    ValueError
        If the path is not that of a file that lasts.
    SweepError
        If the file is damaged, is no sweep, or was made by a later version.
    """

    def __init__(self, path: str | os.PathLike[str], *, write: bool = False) -> None:
        self.path = check_path(path)
        if not write and not os.path.exists(self.path):
            raise FileNotFoundError(f"path = {self.path!r}; path must be a file that exists")
        self.owner = uuid.uuid4().hex
        self._connection: sqlite3.Connection | None = None
        try:
            with self._errors():
                # By an absolute path, which is a file whatever SQLite was built to make of other names.
                self._connection = sqlite3.connect(os.path.abspath(self.path), timeout=60, isolation_level=None)
                self._connection.execute("PRAGMA synchronous = FULL")
                self._open(write)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # Work

    def add(self, grid: Grid) -> None:
        """Enter the runs of a grid, which become those that this process wants; those that are in the file are left.

        Only a run whose solution was not named and is to be named now waits again; its row is kept until it is done.
        """
        settings, seeds = [setting_key(setting) for setting in grid.settings()], grid.seed_list()
        name = int(grid.recognise)
        with self._transaction() as db:
            for key in settings:
                db.execute("INSERT OR IGNORE INTO settings (key) VALUES (?)", (key,))
                ((setting,),) = db.execute("SELECT id FROM settings WHERE key = ?", (key,)).fetchall()
                runs = [(setting, seed, name) for seed in seeds]
                db.executemany("INSERT OR IGNORE INTO runs (setting, seed, recognise) VALUES (?, ?, ?)", runs)
                db.executemany(
                    "INSERT OR IGNORE INTO wanted SELECT id FROM runs WHERE setting = ? AND seed = ?",
                    [(setting, seed) for seed in seeds],
                )
            if name:
                db.execute(
                    "UPDATE runs SET recognise = 1, state = iif(state = 'done' AND"
                    " (SELECT status FROM results WHERE run = runs.id) = 'finished', 'waiting', state)"
                    " WHERE recognise = 0 AND id IN wanted AND state != 'running'"
                )

    def want_all(self) -> None:
        """Want every run in the file, whichever grid it is from."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO wanted SELECT id FROM runs")

    def claim(self, most: int, batch: int) -> list[Claim]:
        """Take up to `most` tasks of at most `batch` wanted runs that wait, also those of processes that died."""
        with self._transaction() as db:
            self._beat(db)
            _release_dead(db, self.owner)
            found = db.execute(
                "SELECT id, setting, seed, recognise FROM runs WHERE state = 'waiting' AND id IN wanted"
                " ORDER BY id LIMIT ?",
                (most * batch,),
            ).fetchall()
            chosen = list(_cut(found, batch))[:most]
            db.executemany(
                "UPDATE runs SET state = 'running', owner = ? WHERE id = ?",
                [(self.owner, run[0]) for part in chosen for run in part],
            )
            return [self._task(db, part) for part in chosen]

    def beat(self) -> None:
        """Say that this process is alive."""
        with self._transaction() as db:
            self._beat(db)

    def finish(self, results: Sequence[tuple[int, tuple[Any, ...]]]) -> None:
        """Write results, as (run, row); a run that another process has finished meanwhile is skipped."""
        places = ", ".join("?" * (len(COLUMNS) + 1))
        with self._transaction() as db:
            for run, row in results:
                done = db.execute(
                    "UPDATE runs SET state = 'done', owner = NULL, error = NULL WHERE id = ? AND state != 'done'",
                    (run,),
                )
                if done.rowcount:
                    db.execute(f"INSERT OR REPLACE INTO results VALUES ({places})", (run, *row))

    def fail(self, runs: Sequence[int], error: str) -> None:
        """Write down that runs raised an error."""
        with self._transaction() as db:
            db.executemany(
                "UPDATE runs SET state = 'failed', owner = NULL, error = ? WHERE id = ? AND state != 'done'",
                [(error, run) for run in runs],
            )

    def retry_failed(self) -> None:
        """Let the wanted runs that failed wait again."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET state = 'waiting', error = NULL WHERE state = 'failed' AND id IN wanted")

    def release(self) -> None:
        """Give back the runs that this process has claimed and not finished, and leave."""
        with self._transaction() as db:
            db.execute(
                "UPDATE runs SET state = 'waiting', owner = NULL WHERE state = 'running' AND owner = ?", (self.owner,)
            )
            db.execute("DELETE FROM owners WHERE id = ?", (self.owner,))

    # Reading

    def counts(self, *, wanted: bool = False) -> dict[str, int]:
        """Count the runs by their state, all of them or those that this process wants."""
        condition = " WHERE id IN wanted" if wanted else ""
        found = dict(self.query(f"SELECT state, COUNT(*) FROM runs{condition} GROUP BY state"))
        return {state: int(found.get(state, 0)) for state in _STATES}

    def rows(self) -> list[dict[str, Any]]:
        """Return the results, setting by setting in the order in which they were entered, and seed by seed."""
        sql = f"SELECT {', '.join(f'results.{name}' for name in COLUMNS)} FROM results JOIN runs ON runs.id = run"
        return [dict(zip(COLUMNS, row, strict=True)) for row in self.query(f"{sql} ORDER BY setting, runs.seed")]

    def errors(self, *, wanted: bool = False) -> list[tuple[str, int, str]]:
        """Return setting (JSON), seed and error of the runs that failed."""
        condition = " AND runs.id IN wanted" if wanted else ""
        return self.query(
            "SELECT key, seed, error FROM runs JOIN settings ON settings.id = setting"
            f" WHERE state = 'failed'{condition} ORDER BY setting, seed"
        )

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query and return all its rows."""
        with self._errors():
            return self._db.execute(sql, parameters).fetchall()

    # Inside

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise SweepError(f"the sweep file {self.path!r} has been closed")
        return self._connection

    def _open(self, write: bool) -> None:
        db = self._db
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute("CREATE TEMP TABLE wanted (run INTEGER PRIMARY KEY)")
        db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            older = self._identify(write)
            if older and write:
                self._upgrade(db)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        if older and not write:
            self._read_copy()

    def _identify(self, write: bool) -> bool:
        """Make the tables of a new file; tell whether an old one is of an older format."""
        db = self._db
        application, version = (db.execute(f"PRAGMA {p}").fetchone()[0] for p in ("application_id", "user_version"))
        empty = db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0] == 0
        if write and empty and application == version == 0:
            create(db)
            return False
        if application != APPLICATION:
            raise SweepError(f"path {self.path!r} is a SQLite file, but not of a sweep")
        if not OLDEST <= version <= VERSION:
            raise SweepError(
                f"path {self.path!r} is a sweep of format {version}; this version reads formats {OLDEST} to {VERSION}"
            )
        return bool(version < VERSION)

    def _upgrade(self, db: sqlite3.Connection) -> None:
        if _living(db, self.owner):
            raise SweepError(
                f"sweep file {self.path!r}: an older version of this package works on it; wait for its end, or stop it"
            )
        upgrade(db)

    def _read_copy(self) -> None:
        """Go on with a copy in memory that has the present format: reading changes no file."""
        copy = sqlite3.connect(":memory:", isolation_level=None)
        self._db.backup(copy)
        self._db.close()
        self._connection = copy
        copy.execute("CREATE TEMP TABLE wanted (run INTEGER PRIMARY KEY)")
        with self._transaction() as db:
            upgrade(db)

    def _task(self, db: sqlite3.Connection, part: Sequence[tuple[int, int, int, int]]) -> Claim:
        _, setting, _, recognise = part[0]
        ((key,),) = db.execute("SELECT key FROM settings WHERE id = ?", (setting,)).fetchall()
        runs, seeds = (tuple(run[i] for run in part) for i in (0, 2))
        return runs, Task.of_key(key, seeds, bool(recognise))

    def _beat(self, db: sqlite3.Connection) -> None:
        here = (self.owner, socket.gethostname(), os.getpid(), time.time())
        db.execute("INSERT OR REPLACE INTO owners VALUES (?, ?, ?, ?)", here)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._errors():
            db = self._db
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Say in words what SQLite says in codes."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            raise SweepError(
                f"sweep file {self.path!r}: {_REASONS.get(code, 'SQLite failed')} ({error}). "
                "Results stored before are kept; the same command continues"
            ) from error


_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a copy, or export what can be read with the sqlite3"
    " tool and .recover",
    sqlite3.SQLITE_NOTADB: "the file is damaged or not a sweep",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_READONLY: "the file cannot be written",
    sqlite3.SQLITE_BUSY: "another process has held the file for over a minute",
}


def _cut(runs: Sequence[tuple[int, int, int, int]], batch: int) -> Iterator[list[tuple[int, int, int, int]]]:
    """Cut (id, setting, seed, recognise) into parts of one setting each."""
    for _, group in groupby(runs, key=lambda run: (run[1], run[3])):
        together = list(group)
        for begin in range(0, len(together), batch):
            yield together[begin : begin + batch]


def _living(db: sqlite3.Connection, owner: str) -> list[str]:
    """The other processes that work on the file, as far as can be told."""
    now, host = time.time(), socket.gethostname()
    owners = db.execute("SELECT id, host, pid, beat FROM owners WHERE id != ?", (owner,)).fetchall()
    return [o for o, h, pid, beat in owners if now - beat <= _STALE and (h != host or _alive(pid))]


def _release_dead(db: sqlite3.Connection, owner: str) -> None:
    living = [owner, *_living(db, owner)]
    places = ", ".join("?" * len(living))
    db.execute(f"DELETE FROM owners WHERE id NOT IN ({places})", living)
    db.execute(
        "UPDATE runs SET state = 'waiting', owner = NULL"
        " WHERE state = 'running' AND owner NOT IN (SELECT id FROM owners)"
    )


def _alive(pid: int) -> bool:
    if os.name != "posix":  # there is no harmless signal; the heartbeat decides
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
