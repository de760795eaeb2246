"""Running a sweep on an executor, and the progress it reports."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from numerics.sweep._grid import Grid
from numerics.sweep._results import Results
from numerics.sweep._store import Claim, Store, SweepError
from numerics.sweep._worker import do, leave_with_parent
from theory.arguments import IntegerLike, check_choice, check_integer

__all__ = ["Progress", "run"]

_POLL = 2.0  # seconds between two looks at what other processes have left to do
_BEAT = 20.0


@dataclass(frozen=True)
class Progress:
    """How far a sweep is; all numbers are of runs, one seed of one setting each.

    Attributes
    ----------
    done, failed, total : int
        Of the grid, whoever did them.
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
    workers: IntegerLike | None = None,
    in_flight: IntegerLike | None = None,
    retry_failed: bool = False,
    leftovers: bool = False,
    progress: bool | Callable[[Progress], None] = False,
) -> Results:
    """Do what is missing of a grid in a file, and return the results.

    Parameters
    ----------
    path : path
        A SQLite file, made if there is none. Finished runs in it are kept and not done again, whatever grid and batch
        they are from; a grid that is larger than, or other than, the one before adds to the file.
    grid : Grid
        The settings and seeds.
    executor : concurrent.futures.Executor, optional
        Where the tasks run: a thread pool, ``dask.distributed.Client(…).get_executor()``,
        ``mpi4py.futures.MPIPoolExecutor()``. By default local processes, with one thread each.
    workers : int, optional
        Number of local processes; by default one for each CPU that this process may use.
    in_flight : int, optional
        Tasks given to the executor at a time; by default twice the number of local processes, or 64.
    retry_failed : bool
        Do runs of the grid again that ended with an error in an earlier sweep.
    leftovers : bool
        Do also what earlier, interrupted sweeps over other grids have left in the file.
    progress : bool or callable
        Whether to keep a line on standard error up to date, or what to call with a `Progress`.

    Returns
    -------
    Results
        Of everything in the file.

    Raises
    ------
    SweepError
        If the file is damaged, from a later version or on a full disk, if the executor or its workers are lost, or if
        runs ended with an error (their text is in the results). What was finished before is in the file, and
        the same call continues.
    ValueError, TypeError
        If an argument is wrong; no file is made then.

    Notes
    -----
    Each row is of one seed of one setting and depends on nothing else: a sweep that was killed and started again, in
    other batches or on another executor, gives the rows of one that was not (but for the rounding of polished ones).
    Several processes may work on one file at once: each run is given to one of them, and each returns when its whole
    grid is done. The file must be on a file system with working locks. A file of an older format is brought to the
    present one; its rows are kept and have the digest "format 1".

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
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(
            f"executor = {executor!r} is a {type(executor).__name__}; executor must be a concurrent.futures.Executor, "
            "such as ThreadPoolExecutor() or dask.distributed.Client(address).get_executor()"
        )
    count = len(_cpus()) if workers is None else check_integer("workers", workers, at_least=1)
    limit = 2 * count if executor is None else 64
    if in_flight is not None:
        limit = check_integer("in_flight", in_flight, at_least=1)
    check_choice("retry_failed", retry_failed, (False, True))
    check_choice("leftovers", leftovers, (False, True))
    if not isinstance(grid, Grid):
        raise TypeError(f"grid = {grid!r} is a {type(grid).__name__}; grid must be a numerics.sweep.Grid")
    grid.settings(), grid.seed_list()
    batch = check_integer("batch", grid.batch, at_least=1)
    with Store(path, write=True) as store:
        store.add(grid)
        if leftovers:
            store.want_all()
        if retry_failed:
            store.retry_failed()
        with _released(store):
            if _unfinished(store):
                with _executor(executor, count) as pool:
                    _drain(store, pool, limit, batch, _line if progress is True else progress or None)
        _complain(store)
    return Results(path)


def _drain(store: Store, pool: Executor, limit: int, batch: int, report: Callable[[Progress], None] | None) -> None:
    """Keep the executor busy until no run that is wanted is left, here or elsewhere."""
    begin = last_beat = time.monotonic()
    futures: dict[Future[Any], Claim] = {}
    mine = 0
    try:
        while True:
            if len(futures) <= limit // 2:
                for claim in store.claim(limit - len(futures), batch):
                    futures[_submit(store, pool, claim)] = claim
            if not futures:
                if not _unfinished(store):
                    break
                time.sleep(_POLL)  # another process has the rest; if it dies, claim() will return its runs
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


def _submit(store: Store, pool: Executor, claim: Claim) -> Future[Any]:
    try:
        return pool.submit(do, claim[1].text)
    except Exception as error:  # shut down, broken, or out of reach: each executor says so in its own way
        raise _lost(store, f"the executor takes no work ({type(error).__name__}: {error})") from error


def _collect(store: Store, finished: dict[Future[Any], Claim]) -> int:
    """Write what has been finished in one transaction, then the errors; return the number of runs."""
    results: list[tuple[int, tuple[Any, ...]]] = []
    broken: BaseException | None = None
    for future, (runs, _) in finished.items():
        try:
            results += zip(runs, future.result(), strict=True)
        except (BrokenExecutor, CancelledError, KeyboardInterrupt) as error:
            broken = error
        except Exception as error:
            store.fail(runs, f"{type(error).__name__}: {error}")
        except BaseException as error:
            broken = error
    if results:
        store.finish(results)
    if broken is not None:
        raise _lost(store, f"a worker process or its scheduler died ({type(broken).__name__}: {broken})") from broken
    return len(results)


def _lost(store: Store, what: str) -> SweepError:
    return SweepError(
        f"sweep file {store.path!r}: {what}. Results stored before are kept;"
        " the same command with a new executor continues"
    )


def _complain(store: Store) -> None:
    failed = store.errors(wanted=True)
    if failed:
        key, seed, error = failed[0]
        raise SweepError(
            f"{len(failed)} runs of {store.path!r} ended with an error, the rest is done;"
            f" the first is seed {seed} of {key}: {error}. retry_failed=True does them again"
        )


def _unfinished(store: Store) -> bool:
    counts = store.counts(wanted=True)
    return counts["waiting"] + counts["running"] > 0


def _progress(store: Store, mine: int, seconds: float) -> Progress:
    counts = store.counts(wanted=True)
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
