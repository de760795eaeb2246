"""Files of format 1, which kept batches of seeds; those stored here were made by the code that wrote that format."""

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from sweeps import Inline

from numerics import sweep
from numerics.sweep import Grid

DATA = Path(__file__).parents[2] / "data"
STORED = json.loads((DATA / "format1.json").read_text())
GRID = STORED["grid"]


def marked(rows):
    return [row | {"version": None, "digest": "format 1"} for row in rows]


@pytest.fixture(params=["finished", "interrupted"])
def file(request, tmp_path):
    """A copy of a stored file, its rows, and how many runs are done."""
    path = tmp_path / "old.db"
    shutil.copy(DATA / f"sweep_format1_{request.param}.db", path)
    return path, marked(STORED[request.param])


def test_is_read_and_marked_without_being_changed(file):
    path, rows = file
    before = path.read_bytes()
    results = sweep.Results(path)
    assert results.rows() == rows
    assert results.counts() == {"waiting": 10 - len(rows), "running": 0, "done": len(rows), "failed": 0}
    assert {part["digest"] for part in results.summary()} == {"format 1"}
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["old.db"]


def test_is_continued_and_its_rows_are_kept(file):
    path, rows = file
    pool = Inline()
    results = sweep.run(path, Grid(**GRID), executor=pool)
    assert len(pool.runs()) == 10 - len(rows)
    old = [row for row in results.rows() if row["digest"] == "format 1"]
    assert old == rows
    assert results.counts()["done"] == len(results.rows()) == 10
    # What was trained now agrees with what the other file kept of the same run; another CPU may round otherwise.
    kept = {(row["K"], row["seed"]): row["loss"] for row in STORED["finished"]}
    for row in results.rows():
        assert row["loss"] == pytest.approx(kept[row["K"], row["seed"]], rel=1e-4)


def test_a_run_in_two_batches_is_kept_once(tmp_path):
    path = tmp_path / "old.db"
    shutil.copy(DATA / "sweep_format1_finished.db", path)
    with sqlite3.connect(path) as db:
        ((key,),) = db.execute("SELECT key FROM tasks WHERE id = 1").fetchall()
        overlapping = json.dumps(json.loads(key) | {"seeds": [1, 2, 3, 7]}, sort_keys=True)
        db.execute("INSERT INTO tasks (id, key, runs) VALUES (99, ?, 4)", (overlapping,))
    db.close()
    assert sweep.Results(path).counts() == {"waiting": 1, "running": 0, "done": 10, "failed": 0}
    assert sweep.Results(path).rows() == marked(STORED["finished"])


def test_an_older_process_that_works_on_it(tmp_path):
    path = tmp_path / "old.db"
    shutil.copy(DATA / "sweep_format1_interrupted.db", path)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE owners SET beat = 1e12")  # on another machine, and it has just been heard
    db.close()
    before = path.read_bytes()
    with pytest.raises(sweep.SweepError, match="an older version of this package works on it; wait"):
        sweep.run(path, Grid(**GRID), executor=Inline())
    assert path.read_bytes() == before
    assert len(sweep.Results(path).rows()) == 4


def test_later_formats_and_other_databases(tmp_path):
    path = tmp_path / "a.db"
    sweep.run(path, Grid(**GRID | {"K": 3, "seeds": 1}), executor=Inline())
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 7")
    db.close()
    before = path.read_bytes()
    for use in (lambda: sweep.run(path, Grid(**GRID)), lambda: sweep.Results(path)):
        with pytest.raises(sweep.SweepError, match="is a sweep of format 7; this version reads formats 1 to 2"):
            use()
    assert path.read_bytes() == before
    db = sqlite3.connect(tmp_path / "b.db")
    db.execute("CREATE TABLE t (x)")
    db.close()
    with pytest.raises(sweep.SweepError, match="is a SQLite file, but not of a sweep"):
        sweep.run(tmp_path / "b.db", Grid(**GRID))
