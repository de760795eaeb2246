"""Sweeps: rows, resuming after SIGKILL, two processes on one file, executors, damaged files, a full disk."""

import builtins
import csv
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest
import torch

from numerics import descent, sweep
from numerics.sweep import Grid, SweepError
from numerics.sweep._store import Store

SMALL = {"K": [2, 3], "L": 3, "lam": [1e-3, 1e-2], "width": 4, "seeds": 6, "steps": 60, "batch": 2}
TASKS = 12

# A process of its own that works on a sweep and logs each task it does.
SCRIPT = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from numerics import sweep
from numerics.sweep import _run

def logged(key, do=_run.do):
    result = do(key)
    with open(sys.argv[2], "a") as log:
        log.write(key + "\\n")
    time.sleep(0.02)
    return result

if __name__ == "__main__":
    _run.do = logged
    with ThreadPoolExecutor(1) as pool:
        sweep.run(sys.argv[1], sweep.Grid(**json.loads(sys.argv[3])), executor=pool, in_flight=2)
"""


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    return run(tmp_path_factory.mktemp("expected") / "sweep.db").rows()


@pytest.fixture
def script(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)

    def start(path, log, grid=SMALL):
        return subprocess.Popen([sys.executable, tmp_path / "script.py", path, log, json.dumps(grid)])

    return start


def run(path, grid=SMALL, **options):
    with ThreadPoolExecutor(1) as pool:
        return sweep.run(path, Grid(**grid), executor=pool, **options)


class Inline(Executor):
    """Does the work at once, by a function of the test's."""

    def __init__(self, do):
        self.do, self.keys = do, []

    def submit(self, function, key):
        self.keys.append(key)
        future = Future()
        try:
            future.set_result(self.do(key))
        except BaseException as error:
            future.set_exception(error)
        return future


class TestRows:
    def test_are_those_of_training(self, expected):
        assert len(expected) == 2 * 2 * 6
        assert [(r["K"], r["lam"], r["seed"]) for r in expected] == [
            (K, lam, seed) for K in (2, 3) for lam in (1e-3, 1e-2) for seed in range(6)
        ]
        runs = descent.train(3, 3, 1e-2, width=4, seeds=[2, 3], steps=60, dtype=torch.float32)
        rows = [r for r in expected if (r["K"], r["lam"]) == (3, 1e-2) and r["seed"] in (2, 3)]
        for i, row in enumerate(rows):
            assert row["loss"] == runs.losses[i]
            assert json.loads(row["ranks"]) == runs.ranks()[i].tolist()
            assert row["mean_rank"] == runs.ranks()[i, 1]
            assert row["gradient_norm"] == runs.gradient_norms()[i]
            assert json.loads(row["negativity"]) == runs.negativity()[i].tolist()
            assert (row["kind"], row["status"]) == (runs.recognise()[i].kind, "finished")
            assert row["loss_dnc"] == runs.loss_dnc

    def test_a_diverged_run_has_no_loss(self, tmp_path):
        rows = run(tmp_path / "a.db", SMALL | {"K": 4, "lam": 1e-3, "lr": 5000.0, "seeds": 1}).rows()
        assert (rows[0]["status"], rows[0]["loss"], rows[0]["kind"]) == ("diverged", None, None)
        assert rows[0]["diverged_at"] > 0

    def test_polished(self, tmp_path, expected):
        rows = run(tmp_path / "a.db", SMALL | {"K": 3, "lam": 1e-2, "polish": True, "seeds": 2}).rows()
        rough = [r for r in expected if (r["K"], r["lam"]) == (3, 1e-2)][:2]
        assert all(a["loss"] < b["loss"] and a["polished"] for a, b in zip(rows, rough, strict=True))

    def test_local_processes(self, tmp_path, expected):
        assert sweep.run(tmp_path / "a.db", Grid(**SMALL), workers=2).rows() == expected


class TestResume:
    def test_finished_work_is_not_repeated_and_a_larger_grid_adds(self, tmp_path, expected):
        path = tmp_path / "a.db"
        pool = Inline(sweep._worker.do)
        sweep.run(path, Grid(**SMALL | {"K": 2}), executor=pool)
        first = list(pool.keys)
        assert sweep.run(path, Grid(**SMALL | {"K": 2}), executor=pool).counts()["done"] == 12
        assert pool.keys == first
        assert sweep.run(path, Grid(**SMALL), executor=pool).rows() == expected
        assert len(pool.keys) == len(set(pool.keys)) == TASKS

    def test_sigkill_at_any_moment(self, tmp_path, script, expected):
        path, log = tmp_path / "a.db", tmp_path / "log"
        rng, killed = random.Random(0), 0
        for _ in range(60):
            process = script(path, log)
            deadline, enough = time.monotonic() + 60, _lines(log) + rng.choice([2, 3, 4])
            while process.poll() is None and _lines(log) < enough and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(rng.random() * 0.03)
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
            if _done(path) == TASKS:
                break
        assert killed >= 3
        assert script(path, log).wait() == 0
        assert sweep.Results(path).rows() == expected
        # Only what was in flight when the process was killed may have been done twice.
        assert _lines(log) <= TASKS + killed

    def test_killed_parent_takes_its_workers_along(self, tmp_path):
        (tmp_path / "local.py").write_text(
            "import sys; from numerics import sweep\n"
            "if __name__ == '__main__': sweep.run(sys.argv[1], sweep.Grid(K=3, L=3, lam=1e-3, width=8, seeds=64,"
            " steps=200_000, batch=1), workers=2)"
        )
        process = subprocess.Popen([sys.executable, tmp_path / "local.py", tmp_path / "a.db"])
        try:
            children = _wait_for(lambda: len(_children(process.pid)) >= 2 and _children(process.pid))
        finally:
            process.kill()
            process.wait()
        _wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children))

    def test_two_processes_share_the_work(self, tmp_path, script, expected):
        path, logs = tmp_path / "a.db", [tmp_path / "log1", tmp_path / "log2"]
        both = [script(path, log) for log in logs]
        assert [process.wait() for process in both] == [0, 0]
        assert sweep.Results(path).rows() == expected
        done = [line for log in logs if log.exists() for line in log.read_text().splitlines()]
        assert sorted(done) == sorted(task.key for task in Grid(**SMALL).tasks())

    def test_a_second_process_waits_for_the_first_or_takes_over(self, tmp_path):
        path = tmp_path / "a.db"
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        with Store(path, create=True) as other:
            other.add([(task.key, 2) for task in Grid(**SMALL).tasks()])
            assert len(other.claim(5)) == 5
            with Store(path) as mine:
                assert len(mine.claim(99)) == TASKS - 5  # the other one is alive: it keeps its five
                other._db.execute("UPDATE owners SET pid = ? WHERE id = ?", (dead.pid, other.owner))
                assert len(mine.claim(99)) == 5  # it is not
                mine._db.execute("UPDATE owners SET host = 'elsewhere' WHERE id = ?", (mine.owner,))
                with Store(path) as third:
                    assert third.claim(99) == []  # on another machine only the heartbeat can tell
                    mine._db.execute("UPDATE owners SET beat = beat - 1000 WHERE id = ?", (mine.owner,))
                    assert len(third.claim(99)) == TASKS

    def test_a_result_that_comes_twice_is_stored_once(self, tmp_path):
        with Store(tmp_path / "a.db", create=True) as store:
            task = Grid(**SMALL).tasks()[0]
            store.add([(task.key, 2)])
            seconds, rows = sweep._worker.do(task.key)
            store.finish([(1, seconds, rows)])
            store.finish([(1, seconds, rows)])
            store.fail(1, "late")
            assert store.counts() == {"waiting": 0, "running": 0, "done": 2, "failed": 0}
            assert store.query("SELECT COUNT(*) FROM runs") == [(2,)]

    def test_an_interrupt_gives_the_tasks_back(self, tmp_path):
        def interrupted(progress):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "a.db", in_flight=4, progress=interrupted)
        counts = sweep.Results(tmp_path / "a.db").counts()
        assert counts["running"] == 0
        assert counts["done"] > 0


class TestDask:
    def test_scheduler_and_two_worker_processes(self, tmp_path, expected):
        distributed = pytest.importorskip("distributed")
        options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "host": "127.0.0.1"}
        with (
            distributed.LocalCluster(**options, dashboard_address=None, silence_logs=50) as cluster,
            distributed.Client(cluster) as client,
        ):
            client.wait_for_workers(2)
            results = sweep.run(tmp_path / "a.db", Grid(**SMALL), executor=client.get_executor())
            workers = client.run(os.getpid)
        assert results.rows() == expected
        assert len(set(workers.values()) - {os.getpid()}) == 2


class TestFailures:
    def test_a_task_that_raises(self, tmp_path, expected):
        path = tmp_path / "a.db"

        def broken(key):
            if json.loads(key)["seeds"] == [2, 3]:
                raise ArithmeticError("planted")
            return sweep._worker.do(key)

        with pytest.raises(SweepError, match=r"4 tasks of .* ended with an error.*ArithmeticError: planted"):
            sweep.run(path, Grid(**SMALL), executor=Inline(broken))
        results = sweep.Results(path)
        assert results.counts() == {"waiting": 0, "running": 0, "done": 16, "failed": 8}
        assert {error for _, error in results.errors()} == {"ArithmeticError: planted"}
        assert "16 of 24 runs done" in repr(results)
        assert run(path, retry_failed=True).rows() == expected

    def test_workers_that_die(self, tmp_path, expected):
        calls = []

        def dies(key):
            calls.append(key)
            if len(calls) > 3:
                raise BrokenExecutor("a process was killed")
            return sweep._worker.do(key)

        with pytest.raises(SweepError, match=r"a worker process died .*the same command continues"):
            sweep.run(tmp_path / "a.db", Grid(**SMALL), executor=Inline(dies), in_flight=2)
        counts = sweep.Results(tmp_path / "a.db").counts()
        assert counts["done"] == 6
        assert counts["running"] == counts["failed"] == 0
        assert run(tmp_path / "a.db").rows() == expected

    def test_a_full_disk(self, tmp_path, monkeypatch, expected):
        path = tmp_path / "a.db"
        with Store(path, create=True) as store:
            store.add([(task.key, 2) for task in Grid(**SMALL).tasks()])
            (pages,) = store.query("PRAGMA page_count")[0]
        whole = Store._identify

        def small_disk(self, create):
            whole(self, create)
            self._db.execute(f"PRAGMA max_page_count = {pages + 1}")  # SQLite's own error for a full disk

        monkeypatch.setattr(Store, "_identify", small_disk)
        with pytest.raises(SweepError, match=r"the disk is full; free some space .*the same command continues"):
            run(path, in_flight=1)
        monkeypatch.undo()
        kept = sweep.Results(path).counts()["done"]
        assert 0 < kept < 24
        assert run(path).rows() == expected

    def test_damaged_files(self, tmp_path):
        path = tmp_path / "a.db"
        path.write_bytes(b"no database, but long enough to be taken for one" * 100)
        with pytest.raises(SweepError, match=r"a\.db.*damaged or not a sweep"):
            run(path)
        path.unlink()
        run(path)
        data = bytearray(path.read_bytes())
        data[4096 * 2 : 4096 * 5] = b"\xff" * (4096 * 3)
        path.write_bytes(data)
        with pytest.raises(SweepError, match="damaged"):
            run(path, SMALL | {"K": [2, 3, 4]}).rows()

    def test_other_versions_and_other_databases(self, tmp_path):
        path = tmp_path / "a.db"
        run(path, SMALL | {"K": 2})
        db = sqlite3.connect(path)
        db.execute("PRAGMA user_version = 7")
        db.close()
        before = path.read_bytes()
        with pytest.raises(SweepError, match="is a sweep of format 7; this version reads and writes format 1"):
            run(path)
        assert path.read_bytes() == before
        db = sqlite3.connect(tmp_path / "b.db")
        db.execute("CREATE TABLE t (x)")
        db.close()
        with pytest.raises(SweepError, match="is a SQLite file, but not of a sweep"):
            run(tmp_path / "b.db")

    def test_missing_places(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="does not exist"):
            sweep.Results(tmp_path / "missing.db")
        with pytest.raises(SweepError, match="cannot be opened"):
            run(tmp_path / "missing" / "a.db")

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"K": []}, ValueError, "K must hold at least one value, got none"),
            ({"K": [3, 3]}, ValueError, "must not repeat a value"),
            ({"K": "10"}, TypeError, "K must be a number or a sequence of numbers, got '10'"),
            ({"K": [2, 2.5]}, TypeError, "K must be an integer, got 2.5"),
            ({"K": [2, 5]}, ValueError, "width must be at least K = 5 in every layer, got 4"),
            ({"lam": [1e-3, 0]}, ValueError, "lam must be positive and finite, got 0"),
            ({"lr": -1}, ValueError, "lr must be positive and finite, got -1"),
            ({"seeds": 0}, ValueError, "seeds must be at least 1, got 0"),
            ({"steps": 1.5}, TypeError, "steps must be an integer, got 1.5"),
            ({"optimizer": "lion"}, ValueError, "optimizer must be one of .*, got 'lion'"),
            ({"dtype": "half"}, ValueError, "dtype must be 'float32' or 'float64', got 'half'"),
            ({"batch": 0}, ValueError, "batch must be at least 1, got 0"),
            ({"init_scale": 0}, ValueError, "init_scale must be positive and finite, got 0"),
        ],
    )
    def test_wrong_grids_make_no_file(self, tmp_path, change, error, message):
        with pytest.raises(error, match=message):
            run(tmp_path / "a.db", SMALL | change)
        assert list(tmp_path.iterdir()) == []

    def test_wrong_options(self, tmp_path):
        with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
            sweep.run(tmp_path / "a.db", Grid(**SMALL), workers=0)
        with pytest.raises(ValueError, match="in_flight must be at least 1, got 0"):
            run(tmp_path / "a.db", in_flight=0)


class TestProgressAndExport:
    def test_progress(self, tmp_path, capsys):
        seen = []
        run(tmp_path / "a.db", in_flight=2, progress=seen.append)
        assert seen[-1].done == seen[-1].total == 24
        assert seen[-1].seconds_left == 0
        assert all(p.rate > 0 for p in seen)
        assert [p.done for p in seen] == sorted(p.done for p in seen)
        run(tmp_path / "b.db", progress=True)
        assert "24 of 24 runs" in capsys.readouterr().err

    def test_axes_may_be_arrays(self):
        grid = Grid(K=np.array([3, 4]), L=3, lam=np.geomspace(1e-4, 1e-2, 3), width=6, seeds=1)
        assert len({task.key for task in grid.tasks()}) == 6

    def test_csv(self, tmp_path, expected):
        run(tmp_path / "a.db").to_csv(tmp_path / "a.csv")
        with open(tmp_path / "a.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [float(r["loss"]) for r in rows] == [r["loss"] for r in expected]
        assert [json.loads(r["ranks"]) for r in rows] == [json.loads(r["ranks"]) for r in expected]
        assert rows[0]["loss_srg"] == ""

    def test_parquet(self, tmp_path, expected):
        parquet = pytest.importorskip("pyarrow.parquet")
        run(tmp_path / "a.db").to_parquet(tmp_path / "a.parquet")
        assert parquet.read_table(tmp_path / "a.parquet").to_pylist() == expected

    def test_parquet_without_pyarrow(self, tmp_path, monkeypatch):
        results, real = run(tmp_path / "a.db", SMALL | {"K": 2, "lam": 1e-3}), builtins.__import__

        def missing(name, *arguments, **keywords):
            if name.startswith("pyarrow"):
                raise ImportError(name)
            return real(name, *arguments, **keywords)

        monkeypatch.setattr(builtins, "__import__", missing)
        with pytest.raises(ImportError, match="needs pyarrow: pip install"):
            results.to_parquet(tmp_path / "a.parquet")


def _lines(path):
    return path.read_text().count("\n") if path.exists() else 0


def _done(path):
    if not path.exists():
        return 0
    try:
        return sum(sweep.Results(path).counts()[state] for state in ("done",)) // 2
    except SweepError:  # killed before the file was made
        return 0


def _children(pid):
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
            with open(f"/proc/{entry}/cmdline") as file:
                worker = "spawn_main" in file.read()
        except OSError:
            continue
        if parent == pid and worker:
            found.append(int(entry))
    return found


def _wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"nothing happened in {seconds} s")
