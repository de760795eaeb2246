"""The tables of a sweep's file, and how files of older formats are brought to the present one."""

from __future__ import annotations

import json
import sqlite3

from numerics.sweep._grid import setting_key
from numerics.sweep._worker import COLUMNS

__all__ = ["APPLICATION", "OLDEST", "VERSION", "create", "upgrade"]

APPLICATION = 0x4E435357  # "NCSW"
VERSION = 2
OLDEST = 1  # the oldest format that `upgrade` reads

_OWNERS = "CREATE TABLE owners (id TEXT PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, beat REAL NOT NULL)"
_SCHEMA = (
    "CREATE TABLE settings (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE)",
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        setting INTEGER NOT NULL REFERENCES settings (id),
        seed INTEGER NOT NULL,
        recognise INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
        owner TEXT,
        error TEXT,
        UNIQUE (setting, seed)
    )""",
    "CREATE INDEX runs_by_state ON runs (state)",
    f"""CREATE TABLE results (
        run INTEGER PRIMARY KEY REFERENCES runs (id),
        {", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())}
    )""",
)


def create(db: sqlite3.Connection) -> None:
    """Make the tables in an empty file, within the transaction that the caller has begun.

    Parameters
    ----------
    db : sqlite3.Connection
        The file.
    """
    for statement in (_OWNERS, *_SCHEMA):
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION}")
    db.execute(f"PRAGMA user_version = {VERSION}")


def upgrade(db: sqlite3.Connection) -> None:
    """Bring a file of format 1, in which nobody works, to the present format, within the caller's transaction.

    Format 1 kept batches of seeds as tasks, and a row did not say what code it was from: such rows have no version, and
    their digest is "format 1". Where two batches held the same run, the first one's row is kept.

    Parameters
    ----------
    db : sqlite3.Connection
        The file.
    """
    for table in ("runs", "tasks"):
        db.execute(f"ALTER TABLE {table} RENAME TO {table}_1")
    db.execute("DELETE FROM owners")
    for statement in _SCHEMA:
        db.execute(statement)
    tasks = db.execute("SELECT id, key, state, error FROM tasks_1 ORDER BY id").fetchall()
    read = [(task, json.loads(key), state, error) for task, key, state, error in tasks]
    seeds = {task: setting.pop("seeds") for task, setting, _, _ in read}
    named = {task: setting.pop("recognise") for task, setting, _, _ in read}
    for _, setting, _, _ in read:
        db.execute("INSERT OR IGNORE INTO settings (key) VALUES (?)", (setting_key(setting),))
    for task, setting, state, error in sorted(read, key=lambda t: (t[2] != "done", not named[t[0]], t[0])):
        for seed in seeds[task]:
            _copy(db, task, setting_key(setting), seed, named[task], state, error)
    for table in ("runs", "tasks"):
        db.execute(f"DROP TABLE {table}_1")
    db.execute(f"PRAGMA user_version = {VERSION}")


def _copy(
    db: sqlite3.Connection, task: int, key: str, seed: int, recognise: bool, state: str, error: str | None
) -> None:
    new = db.execute(
        "INSERT OR IGNORE INTO runs (setting, seed, recognise, state, error)"
        " SELECT id, ?, ?, ?, ? FROM settings WHERE key = ?",
        (seed, int(recognise), "waiting" if state == "running" else state, error, key),
    )
    if new.rowcount and state == "done":
        kept = ", ".join(name for name in COLUMNS if name not in ("version", "digest"))
        db.execute(
            f"INSERT INTO results (run, {kept}, digest)"
            f" SELECT ?, {kept}, 'format 1' FROM runs_1 WHERE task = ? AND seed = ?",
            (new.lastrowid, task, seed),
        )
