"""What a sweep costs beyond the training: 1,000 small runs through the executor and the store.

First the sweep is done with work that takes no time (the rows are there already), so that all that is left is
claiming, sending, waiting and storing: wall time per run, and the processor time of the process that keeps the file.
Then with the work itself, whose processor time per run is measured in a plain loop too. Executors: a thread in this
process, two local processes, and a Dask scheduler with two worker processes on the loopback address. Their start is
timed by itself, by a sweep of one run for each worker. Tasks of one run each are the worst case; a task of 16 runs
shares the cost.

    OMP_NUM_THREADS=1 python benchmarks/sweep_overhead.py

Takes about two minutes on two cores and writes results/sweep_overhead.json.
"""

import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import record

from numerics import sweep
from numerics.sweep import _run
from numerics.sweep._worker import COLUMNS, do, leave_with_parent

RUNS, WORKERS = 1000, 2
SMALL = {"K": 4, "L": 3, "lam": 1e-3, "width": 8, "steps": 200}


def grid(runs, batch):
    return sweep.Grid(**SMALL, seeds=runs, batch=batch)


def ready(text):
    """Rows for a task, without the work."""
    task = sweep.Task.from_text(text)
    row = dict.fromkeys(COLUMNS) | {
        "K": 4,
        "loss": 0.5,
        "ranks": "[4, 4, 4]",
        "name": "DNC: orthogonal class means of equal norm",
    }
    return [tuple((row | {"seed": seed}).values()) for seed in task.seeds]


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


def measure(executor, workers, batch, folder, rounds):
    """Start everything by a sweep of one run for each worker, then sweep without and with the work."""
    started = time.perf_counter()
    with executor() as pool:
        sweep.run(os.path.join(folder, "start.db"), grid(workers, 1), executor=pool)
        started = time.perf_counter() - started
        empty, processor = [], []
        _run.do = ready
        for i in range(rounds):
            busy, start = time.process_time(), time.perf_counter()
            sweep.run(os.path.join(folder, f"empty{i}.db"), grid(RUNS, batch), executor=pool)
            empty.append(1e3 * (time.perf_counter() - start) / RUNS)
            processor.append(1e3 * (time.process_time() - busy) / RUNS)
        _run.do = do
        start = time.perf_counter()
        sweep.run(os.path.join(folder, "whole.db"), grid(RUNS, batch), executor=pool)
        whole = time.perf_counter() - start
    return {
        "workers": workers,
        "runs_per_task": batch,
        "start_seconds": started,
        "overhead_milliseconds_per_run": record.spread(empty),
        "of_it_processor_time_of_the_sweeping_process": record.spread(processor),
        "whole_sweep_seconds": whole,
    }


def work(batch):
    """Milliseconds of processor time of a run in a plain loop over some tasks."""
    (setting,), seeds = grid(128, batch).settings(), range(128)
    tasks = [sweep.Task(setting, tuple(seeds[i : i + batch])) for i in range(0, 128, batch)]
    do(tasks[0].text)
    start = time.process_time()
    for task in tasks:
        do(task.text)
    return 1e3 * (time.process_time() - start) / 128


def main():
    parser = record.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    rows = {}
    for batch in (1, 16):
        rows[f"work, {batch} runs a task"] = {"milliseconds_per_run": work(batch)}
        print(f"work, {batch} runs a task: {work(batch):.2f} ms per run")
        for name, executor, workers in (("thread", thread, 1), ("processes", processes, 2), ("dask", dask, 2)):
            with tempfile.TemporaryDirectory() as folder:
                row = rows[f"{name}, {batch} runs a task"] = measure(executor, workers, batch, folder, rounds)
            overhead = row["overhead_milliseconds_per_run"]["median"]
            print(
                f"{name}, {batch} runs a task: overhead {overhead:.3f} ms per run, sweep "
                f"{row['whole_sweep_seconds']:.1f} s"
            )
    record.write("sweep_overhead", {"runs": RUNS, "setting": SMALL, "rows": rows}, "torch", "distributed")


if __name__ == "__main__":
    main()
