"""What a sweep costs beyond the training: 1,000 small runs through the executor and the store.

The work itself is timed once in a plain loop over the tasks in this process. The same grid is then swept through a thread that
runs in this process (what store and bookkeeping cost), through two local processes, and through a Dask scheduler
with two worker processes on the loopback address; these include sending the work and, for the processes, one core doing the
rest while two work. The start of the processes and of the cluster is timed by itself, by a sweep of two runs before.
Overhead is per run, wall time: the sweep's less the plain loop's, the latter divided by the number of workers. Tasks of one run
each are the worst case; a task of 16 runs shares the cost.

    OMP_NUM_THREADS=1 python benchmarks/sweep_overhead.py

Takes about three minutes on two cores and writes results/sweep_overhead.json.
"""

import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import record

from numerics import sweep
from numerics.sweep._worker import do, leave_with_parent

RUNS, WORKERS = 1000, 2
SMALL = {"K": 4, "L": 3, "lam": 1e-3, "width": 8, "steps": 200}


def grid(runs, batch):
    return sweep.Grid(**SMALL, seeds=runs, batch=batch)


def wall(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def plain_loop(tasks):
    for task in tasks:
        do(task.key)


@contextmanager
def thread():
    with ThreadPoolExecutor(1) as pool:
        yield pool


@contextmanager
def processes():
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"), initializer=leave_with_parent) as pool:
        yield pool


@contextmanager
def dask():
    import distributed

    options = {"n_workers": WORKERS, "threads_per_worker": 1, "processes": True, "host": "127.0.0.1"}
    with (
        distributed.LocalCluster(**options, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(WORKERS)
        yield client.get_executor()


def measure(executor, workers, batch, folder, rounds, loops):
    """Seconds of some sweeps of new files, after one of a run per worker that starts everything."""
    sweeps = []
    start = time.perf_counter()
    with executor() as pool:
        sweep.run(os.path.join(folder, "start.db"), grid(workers, 1), executor=pool)
        started = time.perf_counter() - start
        for i in range(rounds):
            path = os.path.join(folder, f"{i}.db")
            sweeps.append(wall(lambda path=path: sweep.run(path, grid(RUNS, batch), executor=pool)))
    overheads = [1e3 * (s - loop / workers) / RUNS for s, loop in zip(sweeps, loops, strict=True)]
    return {
        "workers": workers,
        "runs_per_task": batch,
        "start_seconds": started,
        "sweep_seconds": record.spread(sweeps),
        "overhead_milliseconds_per_run": record.spread(overheads),
    }


def main():
    parser = record.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    rows = {}
    for batch in (1, 16):
        tasks = grid(RUNS, batch).tasks()
        plain_loop(tasks[:20])
        loops = [wall(lambda tasks=tasks: plain_loop(tasks)) for _ in range(rounds)]
        rows[f"plain loop, {batch} a task"] = {"seconds": record.spread(loops)}
        for name, executor, workers in (("thread", thread, 1), ("processes", processes, 2), ("dask", dask, 2)):
            with tempfile.TemporaryDirectory() as folder:
                row = rows[f"{name}, {batch} a task"] = measure(executor, workers, batch, folder, rounds, loops)
            overhead = row["overhead_milliseconds_per_run"]["median"]
            print(
                f"{name}, {batch} runs a task: {overhead:.2f} ms per run over {1e3 * loops[0] / RUNS:.2f} ms",
                flush=True,
            )
    record.write("sweep_overhead", {"runs": RUNS, "setting": SMALL, "rows": rows}, "torch", "distributed")


if __name__ == "__main__":
    main()
