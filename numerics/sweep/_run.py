"""Running a sweep on an executor, and the progress it reports."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from numerics.sweep._grid import Grid
from numerics.sweep._results import Results
from numerics.sweep._store import Store, SweepError
from numerics.sweep._worker import do, leave_with_parent

__all__ = ["Progress", "run"]

_POLL = 2.0  # seconds between two looks at what other processes have left to do
_BEAT = 20.0


@dataclass(frozen=True)
class Progress:
    """How far a sweep is; all numbers are of runs, one seed of one setting each.

    Attributes
    ----------
    done, failed, total : int
        In the file, whoever did them.
    rate : float
        Runs that this process has finished per second.
    seconds_left : float or None
        At that rate; None while nothing is known.
    """

    done: int
    failed: int
    total: int
    rate: float
    seconds_left: float | None

    def __str__(self) -> str:
        failed = f", {self.failed} failed" if self.failed else ""
        left = "" if self.seconds_left is None else f", {_duration(self.seconds_left)} left"
        return f"{self.done} of {self.total} runs{failed}, {self.rate:.3g} runs/s{left}"


def run(
    path: str | os.PathLike[str],
    grid: Grid,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    in_flight: int | None = None,
    retry_failed: bool = False,
    progress: bool | Callable[[Progress], None] = False,
) -> Results:
    """Do what is missing of a grid in a file, and return the results.

    Parameters
    ----------
    path : path
        A SQLite file, made if there is none. Finished runs in it are kept and not done again; a grid that
        is larger than, or other than, the one before adds to the file.
    grid : Grid
    executor : concurrent.futures.Executor, optional
        Where the tasks run: a thread pool, ``dask.distributed.Client(…).get_executor()``,
        ``mpi4py.futures.MPIPoolExecutor()``. By default local processes, with one thread each.
    workers : int, optional
        Number of local processes; by default one for each CPU that this process may use.
    in_flight : int, optional
        Tasks given to the executor at a time; by default twice the number of local processes, or 64.
    retry_failed : bool
        Do tasks again that ended with an error in an earlier sweep.
    progress : bool or callable
        Whether to keep a line on standard error up to date, or what to call with a :class:`Progress`.

    Returns
    -------
    Results

    Raises
    ------
    SweepError
        If the file is damaged, from another version or on a full disk, if workers died, or if tasks ended with
        an error (their text is in the results). What was finished before is in the file, and
        the same call continues.
    ValueError, TypeError
        If the grid is wrong.

    Notes
    -----
    Each task is a fixed batch of seeds trained together, so that a sweep that was killed and started again
    gives the rows of one that was not. Several processes may work on one file at once: each task is given to
    one of them, and each returns when the whole grid is done. The file must be on a file system with working locks.

    Examples
    --------
    >>> import tempfile
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> grid = Grid(K=[2, 3], L=2, lam=1e-3, width=4, seeds=3, steps=100)
    >>> with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
    ...     results = run(folder + "/sweep.db", grid, executor=pool)
    ...     [row["K"] for row in results.rows()]
    [2, 2, 2, 3, 3, 3]
    """
    tasks = [(task.key, len(task.seeds)) for task in grid.tasks()]
    count = workers if workers is not None else len(_cpus())
    if count < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if in_flight is not None and in_flight < 1:
        raise ValueError(f"in_flight must be at least 1, got {in_flight}")
    report = _line if progress is True else progress or None
    with Store(path, create=True) as store:
        store.add(tasks)
        if retry_failed:
            store.retry_failed()
        with _released(store):
            if any(store.counts()[state] for state in ("waiting", "running")):
                limit = in_flight or (2 * count if executor is None else 64)
                with _executor(executor, count) as pool:
                    _drain(store, pool, limit, report)
        failed = store.query("SELECT key, error FROM tasks WHERE state = 'failed' ORDER BY id")
    if failed:
        raise SweepError(
            f"{len(failed)} tasks of {os.fspath(path)!r} ended with an error, the rest is done; the first is {failed[0][0]}: "
            f"{failed[0][1]}. retry_failed=True does them again"
        )
    return Results(path)


def _drain(store: Store, pool: Executor, limit: int, report: Callable[[Progress], None] | None) -> None:
    """Keep the executor busy until no task of the file is left, here or elsewhere."""
    begin = last_beat = time.monotonic()
    futures: dict[Future[Any], int] = {}
    mine = 0
    try:
        while True:
            if len(futures) <= limit // 2:
                for task, key in store.claim(limit - len(futures)):
                    futures[pool.submit(do, key)] = task
            if not futures:
                if not any(store.counts()[state] for state in ("waiting", "running")):
                    break
                time.sleep(_POLL)  # another process has the rest; if it dies, claim() will return its tasks
                continue
            finished = wait(futures, timeout=_POLL, return_when=FIRST_COMPLETED).done
            mine += _collect(store, {future: futures.pop(future) for future in finished})
            if time.monotonic() - last_beat > _BEAT:
                store.beat()
                last_beat = time.monotonic()
            if report and finished:
                report(_progress(store, mine, time.monotonic() - begin))
    finally:
        for future in futures:
            future.cancel()
        if report is _line:
            print(file=sys.stderr)


def _collect(store: Store, finished: dict[Future[Any], int]) -> int:
    """Write what has been finished in one transaction, then the errors; return the number of runs."""
    results, broken = [], None
    for future, task in finished.items():
        error = future.exception()
        if error is None:
            results.append((task, *future.result()))
        elif isinstance(error, BrokenExecutor | KeyboardInterrupt) or not isinstance(error, Exception):
            broken = error
        else:
            store.fail(task, f"{type(error).__name__}: {error}")
    if results:
        store.finish(results)
    if broken is not None:
        raise SweepError(
            f"sweep file {store.path!r}: a worker process died ({broken}). Results stored before are kept; "
            "the same command continues"
        ) from broken
    return sum(len(rows) for _, _, rows in results)


def _progress(store: Store, mine: int, seconds: float) -> Progress:
    counts = store.counts()
    rate = mine / seconds if seconds > 0 else 0.0
    rest = counts["waiting"] + counts["running"]
    return Progress(counts["done"], counts["failed"], sum(counts.values()), rate, rest / rate if rate else None)


def _line(progress: Progress) -> None:
    print(f"\r\x1b[K{progress}", end="", file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


@contextmanager
def _executor(executor: Executor | None, workers: int) -> Iterator[Executor]:
    if executor is not None:
        yield executor
        return
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=leave_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _released(store: Store) -> Iterator[None]:
    """Give back what was claimed, whatever happens; if even that fails, the heartbeat will tell."""
    try:
        yield
    except BaseException:
        with suppress(SweepError):
            store.release()
        raise
    store.release()


def _cpus() -> set[int] | range:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
