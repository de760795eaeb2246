"""What one worker does: train the seeds of a task, measure the outcome, return plain rows."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import Any

import numpy as np

from numerics.sweep._grid import Task

__all__ = ["COLUMNS", "do", "leave_with_parent"]

# Of one run, in the order of the exported tables, with the types of SQLite. Lists are JSON texts, one number a layer.
COLUMNS: dict[str, str] = {
    "K": "INTEGER", "L": "INTEGER", "lam": "REAL", "width": "INTEGER", "lr": "REAL", "n": "INTEGER",
    "steps": "INTEGER", "init_scale": "REAL", "optimizer": "TEXT", "dtype": "TEXT", "polished": "INTEGER",
    "seed": "INTEGER", "status": "TEXT", "diverged_at": "INTEGER", "loss": "REAL", "loss_dnc": "REAL",
    "loss_srg": "REAL", "gradient_norm": "REAL", "mean_rank": "REAL", "ranks": "TEXT", "effective_ranks": "TEXT",
    "dnc1": "TEXT", "negativity": "TEXT", "kind": "TEXT", "name": "TEXT", "distance": "REAL",
}  # fmt: skip


def do(key: str) -> tuple[float, list[tuple[Any, ...]]]:
    """Do a task.

    Parameters
    ----------
    key : str
        Of the task; a text, so that any executor can send it anywhere.

    Returns
    -------
    seconds : float
        Time it took.
    rows : list of tuples
        One for each seed, in the order of ``COLUMNS``. ``mean_rank`` is over the layers 2, …, L − 1 (2 if L = 2).
        What a run that diverged does not have is None.

    Examples
    --------
    >>> task = Task({"K": 3, "L": 3, "lam": 0.01, "width": 4, "lr": 0.5, "n": 1, "steps": 50, "init_scale": 1.0,
    ...     "optimizer": "gd", "dtype": "float64", "polish": False, "recognise": True}, (5, 6))
    >>> seconds, rows = do(task.key)
    >>> [dict(zip(COLUMNS, row))["seed"] for row in rows]
    [5, 6]
    """
    import torch

    from numerics import descent

    begin = time.perf_counter()
    task = Task.from_key(key)
    s = task.setting
    runs = descent.train(
        s["K"], s["L"], s["lam"], n=s["n"], width=s["width"], seeds=task.seeds, steps=s["steps"], lr=s["lr"],
        init_scale=s["init_scale"], optimizer=s["optimizer"], dtype=getattr(torch, s["dtype"]), record=2,
    )  # fmt: skip
    if s["polish"]:
        runs = runs.polish()
    rows = [_row(s, runs[i]) for i in range(len(runs))]
    return time.perf_counter() - begin, rows


def _row(setting: dict[str, Any], run: Any) -> tuple[Any, ...]:
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {name: value for name, value in setting.items() if name in COLUMNS}
    row |= {"polished": int(setting["polish"]), "seed": run.seeds[0], "status": run.status[0]}
    row |= {"loss_dnc": run.loss_dnc, "loss_srg": run.loss_srg}
    if run.diverged_at[0] >= 0:
        row["diverged_at"] = int(run.diverged_at[0])
        return tuple(row.values())
    ranks = run.ranks()[0]
    row |= {
        "loss": float(run.losses[0]),
        "gradient_norm": float(run.gradient_norms()[0]),
        "mean_rank": float(np.mean(ranks[1 : max(2, run.problem.L - 1)])),
        "ranks": json.dumps(ranks.tolist()),
        "effective_ranks": json.dumps(run.effective_ranks()[0].tolist()),
        "dnc1": json.dumps(run.dnc1()[0].tolist()),
        "negativity": json.dumps(run.negativity()[0].tolist()),
    }
    if setting["recognise"]:
        found = run.recognise()[0]
        row |= {"kind": found.kind, "name": found.name, "distance": found.distance}
    return tuple(row.values())


def leave_with_parent() -> None:
    """Make this worker process end when the process that started it does, however that ended.

    Workers of a process pool otherwise wait for ever after their parent was killed.
    """
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
