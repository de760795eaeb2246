"""Rows of a sweep in short: how many runs of each setting diverged, how low they came, what they found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby
from statistics import fmean
from typing import Any

from theory.wording import wrong_type

__all__ = ["SETTING", "summarise"]

SETTING = ("K", "L", "lam", "width", "lr", "steps", "init_scale", "optimizer", "dtype", "polished", "n")
"""The columns that tell a setting."""


def summarise(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Summarise the rows of each setting, those from different code, libraries or devices apart.

    Parameters
    ----------
    rows : iterable of dict
        Such as `Results.rows` returns.

    Returns
    -------
    list of dict
        One for each setting and digest, in the order in which the settings come: the setting, the package's version and
        the digest; the number of runs, of those that diverged, and of those below the loss of deep neural collapse; the
        lowest loss, the losses of deep neural collapse and of the strongly regular graph; the mean rank, and how many
        solutions there are of each kind.

    Examples
    --------
    >>> row = dict.fromkeys(SETTING, 1) | {"loss": 0.2, "loss_dnc": 0.3, "loss_srg": None}
    >>> row |= {"mean_rank": 3.0, "kind": "dnc"}
    >>> old, new = row | {"version": None, "digest": "format 1"}, row | {"version": "0.1.0", "digest": "8d1e…"}
    >>> [(part["digest"], part["runs"]) for part in summarise([new, old, new])]
    [('8d1e…', 2), ('format 1', 1)]
    """
    if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, Iterable):
        raise wrong_type("rows", rows, "rows must be those of a sweep")
    settings: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if not isinstance(row, Mapping):
            raise wrong_type("rows", row, "each of rows must be one of a sweep, by the names of its columns")
        settings.setdefault(tuple(row[name] for name in SETTING), []).append(row)
    return [
        _summary(list(part))
        for group in settings.values()
        for _, part in groupby(sorted(group, key=lambda row: str(row["digest"])), key=lambda row: str(row["digest"]))
    ]


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    finished = [row for row in rows if row["loss"] is not None]
    kinds = Counter(row["kind"] for row in finished if row["kind"])
    first = rows[0]
    return {
        **{name: first[name] for name in (*SETTING, "version", "digest")},
        "runs": len(rows),
        "diverged": len(rows) - len(finished),
        "below_dnc": sum(row["loss"] < row["loss_dnc"] for row in finished),
        "lowest_loss": min((row["loss"] for row in finished), default=None),
        "loss_dnc": first["loss_dnc"],
        "loss_srg": first["loss_srg"],
        "mean_rank": fmean(row["mean_rank"] for row in finished) if finished else None,
        "kinds": dict(kinds.most_common()),
    }
