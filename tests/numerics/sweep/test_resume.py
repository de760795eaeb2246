"""Sweeps that are killed, interrupted, or done by two processes at once."""

import os
import random
import signal
import subprocess
import sys
import time

from sweeps import LIMIT, RUNS, SMALL, Inline, done, logged_runs, run, wait_for

from numerics import sweep
from numerics.sweep import Grid
from numerics.sweep._store import Store


def test_sigkill_at_any_moment(tmp_path, processes, expected):
    path, log = tmp_path / "a.db", tmp_path / "log"
    rng, killed = random.Random(0), 0
    for _ in range(60):
        process = processes.sweep(path, log)
        deadline, enough = time.monotonic() + LIMIT, len(logged_runs(log)) + rng.choice([4, 6, 8])
        while process.poll() is None and len(logged_runs(log)) < enough and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(rng.random() * 0.03)
        process.send_signal(signal.SIGKILL)
        killed += process.wait(LIMIT) == -signal.SIGKILL
        if done(path) == RUNS:
            break
    assert killed >= 3
    assert processes.sweep(path, log).wait(LIMIT) == 0
    assert sweep.Results(path).rows() == expected
    # Only what was in flight when the process was killed, two batches of two, may have been done twice.
    assert len(logged_runs(log)) <= RUNS + 4 * killed


def test_killed_parent_takes_its_workers_along(tmp_path, processes):
    process = processes.python(
        "import sys; from numerics import sweep\n"
        "if __name__ == '__main__': sweep.run(sys.argv[1], sweep.Grid(K=3, L=3, lam=1e-3, width=8, seeds=64,"
        " steps=200_000, batch=1), workers=2)",
        tmp_path / "a.db",
    )
    children = wait_for(lambda: len(_workers(process.pid)) >= 2 and _workers(process.pid))
    process.kill()
    process.wait(LIMIT)
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children))


def test_two_processes_share_the_work(tmp_path, processes, expected):
    path, logs = tmp_path / "a.db", [tmp_path / "log1", tmp_path / "log2"]
    both = [processes.sweep(path, log) for log in logs]
    assert [process.wait(LIMIT) for process in both] == [0, 0]
    assert sweep.Results(path).rows() == expected
    runs = logged_runs(*logs)
    assert len(runs) == len(set(runs)) == RUNS


def test_a_second_process_waits_for_the_first_or_takes_over(tmp_path):
    path = tmp_path / "a.db"
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait(LIMIT)
    with Store(path, write=True) as other, Store(path, write=True) as mine, Store(path, write=True) as third:
        for store in (other, mine, third):
            store.add(Grid(**SMALL))
        assert _claimed(other, 5) == 10
        assert _claimed(mine, 99) == RUNS - 10  # the other one is alive: it keeps its ten
        mine.query("UPDATE owners SET pid = ? WHERE id = ?", (dead.pid, other.owner))
        assert _claimed(mine, 99) == 10  # it is not
        third.query("UPDATE owners SET host = 'elsewhere' WHERE id = ?", (mine.owner,))
        assert _claimed(third, 99) == 0  # on another machine only the heartbeat can tell
        third.query("UPDATE owners SET beat = beat - 1000 WHERE id = ?", (mine.owner,))
        assert _claimed(third, 99) == RUNS


def test_a_process_that_is_alive_but_silent_is_dead(tmp_path):
    """Its number may have been given to another process since."""
    with Store(tmp_path / "a.db", write=True) as silent, Store(tmp_path / "a.db", write=True) as mine:
        for store in (silent, mine):
            store.add(Grid(**SMALL))
        assert _claimed(silent, 99) == RUNS
        mine.query("UPDATE owners SET beat = beat - 100")
        assert _claimed(mine, 99) == 0
        mine.query("UPDATE owners SET beat = beat - 100 WHERE id = ?", (silent.owner,))
        assert _claimed(mine, 99) == RUNS


def test_a_result_that_comes_twice_is_stored_once(tmp_path):
    with Store(tmp_path / "a.db", write=True) as store:
        store.add(Grid(**SMALL | {"K": 2, "lam": 1e-3, "seeds": 2}))
        [(runs, task)] = store.claim(1, 2)
        results = list(zip(runs, sweep.do(task.text), strict=True))
        store.finish(results)
        rows = store.rows()
        store.finish([(run, (*row[:14], -1.0, *row[15:])) for run, row in results])
        store.fail(runs, "late")
        assert store.counts() == {"waiting": 0, "running": 0, "done": 2, "failed": 0}
        assert store.rows() == rows


def test_an_interrupt_gives_the_runs_back(tmp_path, processes, expected):
    path, log = tmp_path / "a.db", tmp_path / "log"
    process = processes.sweep(path, log)
    wait_for(lambda: done(path), LIMIT)
    process.send_signal(signal.SIGINT)
    assert process.wait(LIMIT) not in (0, -signal.SIGKILL)
    counts = sweep.Results(path).counts()
    assert counts["running"] == 0
    assert 0 < counts["done"] < RUNS
    pool = Inline()
    assert sweep.run(path, Grid(**SMALL), executor=pool).rows() == expected
    assert len(pool.runs()) == RUNS - counts["done"]


def test_reading_while_the_sweep_goes_on(tmp_path):
    seen = []
    run(tmp_path / "a.db", in_flight=1, progress=lambda p: seen.append(len(sweep.Results(tmp_path / "a.db").rows())))
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] == RUNS


def _claimed(store, most):
    return sum(len(runs) for runs, _ in store.claim(most, 2))


def _workers(pid):
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
