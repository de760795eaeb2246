"""The one file of a sweep: a SQLite database in which tasks are claimed and results are kept.

A result and the mark that its task is done are written in one transaction, so that a process can be killed at any
moment. Who works on a task is written down too: an owner that has died is noticed by its process number on the same
machine, or by a heartbeat that stopped, and its tasks are given out again.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from numerics.sweep._worker import COLUMNS

__all__ = ["Store", "SweepError"]

_APPLICATION = 0x4E435357  # "NCSW"
_VERSION = 1
_STALE = 120.0  # seconds without a heartbeat after which an owner on another machine is taken for dead

_SCHEMA = f"""
CREATE TABLE owners (id TEXT PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, beat REAL NOT NULL);
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    runs INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    owner TEXT,
    seconds REAL,
    error TEXT
);
CREATE INDEX tasks_by_state ON tasks (state);
CREATE TABLE runs (
    task INTEGER NOT NULL REFERENCES tasks (id),
    {", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())},
    PRIMARY KEY (task, seed)
);
"""


class SweepError(OSError):
    """Something is wrong with the file of a sweep, or with its workers; what was finished is kept."""


class Store:
    """A sweep's file, open in this process.

    Parameters
    ----------
    path : path
    create : bool
        Make the file if it does not exist; otherwise that is a FileNotFoundError.

    Raises
    ------
    SweepError
        If the file is damaged, is no sweep, or was made by another version.
    """

    def __init__(self, path: str | os.PathLike[str], *, create: bool = False) -> None:
        self.path = os.fspath(path)
        if not create and not os.path.exists(self.path):
            raise FileNotFoundError(f"path {self.path!r} does not exist")
        self.owner = uuid.uuid4().hex
        self._connection: sqlite3.Connection | None = None
        try:
            with self._errors():
                self._connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
                self._connection.execute("PRAGMA synchronous = FULL")
                self._identify(create)
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

    def add(self, tasks: Sequence[tuple[str, int]]) -> None:
        """Enter tasks, as (key, number of runs); those that are in the file already are left as they are."""
        with self._transaction() as db:
            db.executemany("INSERT OR IGNORE INTO tasks (key, runs) VALUES (?, ?)", tasks)

    def claim(self, most: int) -> list[tuple[int, str]]:
        """Take up to ``most`` waiting tasks for this process, as (id, key), and those of processes that died."""
        with self._transaction() as db:
            self._beat(db)
            self._release_dead(db)
            found = db.execute(
                "SELECT id, key FROM tasks WHERE state = 'waiting' ORDER BY id LIMIT ?", (most,)
            ).fetchall()
            db.executemany(
                "UPDATE tasks SET state = 'running', owner = ? WHERE id = ?", [(self.owner, task) for task, _ in found]
            )
        return found

    def beat(self) -> None:
        """Say that this process is alive."""
        with self._transaction() as db:
            self._beat(db)

    def finish(self, results: Sequence[tuple[int, float, Sequence[tuple[Any, ...]]]]) -> None:
        """Write results, as (task, seconds, rows); a task that another process has finished meanwhile is skipped."""
        places = ", ".join("?" * (len(COLUMNS) + 1))
        with self._transaction() as db:
            for task, seconds, rows in results:
                done = db.execute(
                    "UPDATE tasks SET state = 'done', owner = NULL, seconds = ?, error = NULL"
                    " WHERE id = ? AND state != 'done'",
                    (seconds, task),
                )
                if done.rowcount:
                    db.executemany(f"INSERT INTO runs VALUES ({places})", [(task, *row) for row in rows])

    def fail(self, task: int, error: str) -> None:
        """Write down that a task raised an error."""
        with self._transaction() as db:
            db.execute(
                "UPDATE tasks SET state = 'failed', owner = NULL, error = ? WHERE id = ? AND state != 'done'",
                (error, task),
            )

    def retry_failed(self) -> None:
        """Let the tasks that failed wait again."""
        with self._transaction() as db:
            db.execute("UPDATE tasks SET state = 'waiting', error = NULL WHERE state = 'failed'")

    def release(self) -> None:
        """Give back the tasks that this process has claimed and not finished, and leave."""
        with self._transaction() as db:
            db.execute(
                "UPDATE tasks SET state = 'waiting', owner = NULL WHERE state = 'running' AND owner = ?", (self.owner,)
            )
            db.execute("DELETE FROM owners WHERE id = ?", (self.owner,))

    # Reading

    def counts(self) -> dict[str, int]:
        """Count the runs by the state of their tasks."""
        found = dict(self.query("SELECT state, SUM(runs) FROM tasks GROUP BY state"))
        return {state: int(found.get(state, 0)) for state in ("waiting", "running", "done", "failed")}

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

    def _identify(self, create: bool) -> None:
        db = self._db
        db.execute("BEGIN IMMEDIATE" if create else "BEGIN")
        try:
            (application,), (version,) = (
                db.execute(f"PRAGMA {p}").fetchone() for p in ("application_id", "user_version")
            )
            empty = db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0] == 0
            if create and empty and application == version == 0:
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA application_id = {_APPLICATION}")
                db.execute(f"PRAGMA user_version = {_VERSION}")
            elif application != _APPLICATION:
                raise SweepError(f"path {self.path!r} is a SQLite file, but not of a sweep")
            elif version != _VERSION:
                raise SweepError(
                    f"path {self.path!r} is a sweep of format {version}; this version reads and writes format {_VERSION}"
                )
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _beat(self, db: sqlite3.Connection) -> None:
        here = (self.owner, socket.gethostname(), os.getpid(), time.time())
        db.execute("INSERT OR REPLACE INTO owners VALUES (?, ?, ?, ?)", here)

    def _release_dead(self, db: sqlite3.Connection) -> None:
        now, host = time.time(), socket.gethostname()
        owners = db.execute("SELECT id, host, pid, beat FROM owners WHERE id != ?", (self.owner,)).fetchall()
        dead = [(o,) for o, h, pid, beat in owners if now - beat > _STALE or (h == host and not _alive(pid))]
        db.executemany("DELETE FROM owners WHERE id = ?", dead)
        db.execute(
            "UPDATE tasks SET state = 'waiting', owner = NULL"
            " WHERE state = 'running' AND owner NOT IN (SELECT id FROM owners)"
        )

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
            reason = {
                sqlite3.SQLITE_FULL: "the disk is full; free some space",
                sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
                sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a copy, or export what can be read with the sqlite3 tool and .recover",
                sqlite3.SQLITE_NOTADB: "the file is damaged or not a sweep",
                sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
                sqlite3.SQLITE_READONLY: "the file cannot be written",
                sqlite3.SQLITE_BUSY: "another process has held the file for over a minute",
            }.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "SQLite failed")
            raise SweepError(
                f"sweep file {self.path!r}: {reason} ({error}). Results stored before are kept; the same command continues"
            ) from error


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
