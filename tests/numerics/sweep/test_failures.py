"""Tasks that raise, workers, pools and schedulers that are lost, full disks, damaged files."""

import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest
from sweeps import LIMIT, RUNS, SMALL, Inline, run

from numerics import sweep
from numerics.sweep import Grid, SweepError
from numerics.sweep._store import Store


def test_a_task_that_raises(tmp_path, expected):
    path = tmp_path / "a.db"

    def broken(text):
        if sweep.Task.from_text(text).seeds == (2, 3):
            raise ArithmeticError("planted")
        return sweep.do(text)

    with pytest.raises(
        SweepError, match=r"8 runs of .* ended with an error.*first is seed 2 of .*ArithmeticError: planted"
    ):
        sweep.run(path, Grid(**SMALL), executor=Inline(broken))
    results = sweep.Results(path)
    assert results.counts() == {"waiting": 0, "running": 0, "done": 16, "failed": 8}
    assert {(seed, error) for _, seed, error in results.errors()} == {
        (seed, "ArithmeticError: planted") for seed in (2, 3)
    }
    assert {json.loads(setting)["K"] for setting, _, _ in results.errors()} == {2, 3}
    assert "16 of 24 runs done" in repr(results)
    assert run(path, retry_failed=True).rows() == expected


def test_workers_that_die(tmp_path, expected):
    calls = []

    def dies(text):
        calls.append(text)
        if len(calls) > 3:
            raise BrokenExecutor("a process was killed")
        return sweep.do(text)

    with pytest.raises(
        SweepError, match=r"died .*a process was killed.*the same command with a new executor continues"
    ):
        sweep.run(tmp_path / "a.db", Grid(**SMALL), executor=Inline(dies), in_flight=2)
    counts = sweep.Results(tmp_path / "a.db").counts()
    assert counts["done"] == 6
    assert counts["running"] == counts["failed"] == 0
    assert run(tmp_path / "a.db").rows() == expected


def test_a_pool_that_is_shut_down(tmp_path, expected):
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(SweepError, match=r"the executor takes no work \(RuntimeError: .*shutdown.*with a new executor"):
        sweep.run(tmp_path / "a.db", Grid(**SMALL), executor=pool)
    assert sweep.Results(tmp_path / "a.db").counts() == {"waiting": RUNS, "running": 0, "done": 0, "failed": 0}
    assert run(tmp_path / "a.db").rows() == expected


def test_a_pool_whose_process_was_killed(tmp_path):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pid = pool.submit(os.getpid).result(LIMIT)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(SweepError, match="with a new executor continues"):
            sweep.run(tmp_path / "a.db", Grid(**SMALL), executor=pool)
    assert sweep.Results(tmp_path / "a.db").counts()["failed"] == 0


def test_a_pool_that_cancels_its_work(tmp_path):
    def cancelled(text):
        from concurrent.futures import CancelledError

        raise CancelledError

    with pytest.raises(SweepError, match=r"CancelledError.*with a new executor continues"):
        sweep.run(tmp_path / "a.db", Grid(**SMALL), executor=Inline(cancelled))
    assert sweep.Results(tmp_path / "a.db").counts() == {"waiting": RUNS, "running": 0, "done": 0, "failed": 0}


@pytest.mark.parametrize("executor", ["dask", 4, ThreadPoolExecutor])
@pytest.mark.any_type
def test_what_is_no_executor(tmp_path, executor):
    with pytest.raises(TypeError, match=r"executor = .*; executor must be a concurrent\.futures\.Executor, such as"):
        sweep.run(tmp_path / "a.db", Grid(**SMALL), executor=executor)
    assert list(tmp_path.iterdir()) == []


class TestDask:
    def test_scheduler_and_two_worker_processes(self, tmp_path, expected):
        distributed = pytest.importorskip("distributed")
        options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "host": "127.0.0.1"}
        with (
            distributed.LocalCluster(**options, dashboard_address=None, silence_logs=50) as cluster,
            distributed.Client(cluster) as client,
        ):
            client.wait_for_workers(2, timeout=LIMIT)
            results = sweep.run(tmp_path / "a.db", Grid(**SMALL), executor=client.get_executor())
            workers = client.run(os.getpid)
        assert results.rows() == expected
        assert len(set(workers.values()) - {os.getpid()}) == 2

    def test_a_scheduler_that_is_lost(self, tmp_path, expected):
        distributed = pytest.importorskip("distributed")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = "127.0.0.1", str(free.getsockname()[1])
        command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard"]
        scheduler = subprocess.Popen(
            [*command, "--host", address[0], "--port", address[1]], stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            with distributed.Client("tcp://" + ":".join(address), timeout=LIMIT, set_as_default=False) as client:
                executor = client.get_executor()
                client.timeout = client._timeout = 1  # for reconnecting
                scheduler.kill()
                scheduler.wait(LIMIT)
                with pytest.raises(SweepError, match="with a new executor continues"):
                    sweep.run(tmp_path / "a.db", Grid(**SMALL), executor=executor)
        finally:
            scheduler.kill()
            scheduler.wait(LIMIT)
        assert sweep.Results(tmp_path / "a.db").counts() == {"waiting": RUNS, "running": 0, "done": 0, "failed": 0}
        assert run(tmp_path / "a.db").rows() == expected


def test_a_full_disk(tmp_path, monkeypatch, expected):
    path = tmp_path / "a.db"
    with Store(path, write=True) as store:
        store.add(Grid(**SMALL))
        (pages,) = store.query("PRAGMA page_count")[0]
    whole = Store.add

    def small_disk(self, grid):
        whole(self, grid)
        self.query(f"PRAGMA max_page_count = {pages + 1}")  # SQLite's own error for a full disk

    monkeypatch.setattr(Store, "add", small_disk)
    with pytest.raises(SweepError, match=r"the disk is full; free some space .*the same command continues"):
        run(path, in_flight=1)
    monkeypatch.undo()
    kept = sweep.Results(path).counts()["done"]
    assert 0 < kept < RUNS
    assert run(path).rows() == expected


def test_damaged_files(tmp_path):
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
