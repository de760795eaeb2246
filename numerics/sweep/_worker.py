"""What one worker does: train the seeds of a task, measure the outcome, return plain rows."""

from __future__ import annotations

import json
import os
import signal
import threading
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from numerics.sweep._digest import package_version, training_digest
from numerics.sweep._grid import Task

if TYPE_CHECKING:
    from jaxtyping import Float

    from numerics.descent import Runs

__all__ = ["COLUMNS", "do", "leave_with_parent"]

# Of one run, in the order of the exported tables, with the types of SQLite. Lists are JSON texts, one number a layer.
COLUMNS: dict[str, str] = {
    "K": "INTEGER", "L": "INTEGER", "lam": "REAL", "width": "INTEGER", "lr": "REAL", "n": "INTEGER",
    "steps": "INTEGER", "init_scale": "REAL", "optimizer": "TEXT", "dtype": "TEXT", "polished": "INTEGER",
    "seed": "INTEGER", "status": "TEXT", "diverged_at": "INTEGER", "loss": "REAL", "loss_dnc": "REAL",
    "loss_srg": "REAL", "gradient_norm": "REAL", "mean_rank": "REAL", "ranks": "TEXT", "effective_ranks": "TEXT",
    "dnc1": "TEXT", "negativity": "TEXT", "kind": "TEXT", "name": "TEXT", "distance": "REAL",
    "version": "TEXT", "digest": "TEXT",
}  # fmt: skip


def do(text: str) -> list[tuple[Any, ...]]:
    """Do a task.

    Parameters
    ----------
    text : str
        `Task.text`.

    Returns
    -------
    list of tuple
        One row for each seed, in the order of `COLUMNS`. `mean_rank` is over the layers 2, …, L − 1 (2 if L = 2);
        `version` is the package's, `digest` that of what determines the numbers. What a run that diverged does not
        have is None.

    Examples
    --------
    >>> task = Task({"K": 3, "L": 3, "lam": 0.01, "width": 4, "lr": 0.5, "n": 1, "steps": 50, "init_scale": 1.0,
    ...     "optimizer": "gd", "dtype": "float64", "polish": False}, (5, 6))
    >>> [dict(zip(COLUMNS, row))["seed"] for row in do(task.text)]
    [5, 6]
    """
    import torch

    from numerics import descent

    task = Task.from_text(text)
    s = task.setting
    origin = {"version": package_version(), "digest": training_digest(s["dtype"])}
    runs = descent.train(
        s["K"], s["L"], s["lam"], n=s["n"], width=s["width"], seeds=task.seeds, steps=s["steps"], lr=s["lr"],
        init_scale=s["init_scale"], optimizer=s["optimizer"], dtype=getattr(torch, s["dtype"]), record=2,
    )  # fmt: skip
    if s["polish"]:
        runs = runs.polish()
    common = {name: value for name, value in s.items() if name in COLUMNS} | {"polished": int(s["polish"])} | origin
    return [_row(common, runs[i], task.recognise) for i in range(len(runs))]


def _row(common: dict[str, Any], run: Runs, recognise: bool) -> tuple[Any, ...]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS) | common
    row |= {"seed": run.seeds[0], "status": run.status[0], "loss_dnc": run.loss_dnc, "loss_srg": run.loss_srg}
    if run.diverged_at[0] >= 0:
        return tuple((row | {"diverged_at": int(run.diverged_at[0])}).values())
    ranks = run.ranks()[0]
    row |= {
        "loss": float(run.losses[0]),
        "gradient_norm": float(run.gradient_norms()[0]),
        "mean_rank": float(np.mean(ranks[1 : max(2, run.problem.L - 1)])),
        "ranks": json.dumps(ranks.tolist()),
        "effective_ranks": _json(run.effective_ranks()[0]),
        "dnc1": _json(run.dnc1()[0]),
        "negativity": _json(run.negativity()[0]),
    }
    if recognise:
        found = run.recognise()[0]
        row |= {"kind": found.kind, "name": found.name, "distance": found.distance}
    return tuple(row.values())


def _json(values: Float[np.ndarray, " layers"]) -> str:
    """Write numbers as JSON, in which one that is not defined is null."""
    return json.dumps([value if isfinite(value) else None for value in values.tolist()])


class _Stopped(KeyboardInterrupt, SystemExit):
    """An interrupt, which ends a worker process without a traceback wherever in its loop it comes."""


def _stop(*_: object) -> None:
    raise _Stopped


def leave_with_parent() -> None:
    """Make this worker process end when the process that started it does, however that ended.

    Workers of a process pool otherwise wait for ever after their parent was killed. An interrupt ends them silently:
    the parent says what there is to say.
    """
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    signal.signal(signal.SIGINT, _stop)
    threading.Thread(target=watch, daemon=True).start()
