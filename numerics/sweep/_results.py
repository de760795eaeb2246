"""What a sweep has found so far: rows, summaries and exports."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numerics.sweep._store import Store
from numerics.sweep._worker import COLUMNS

__all__ = ["Results"]


class Results:
    """The results in a sweep's file; they may be read while the sweep goes on.

    Parameters
    ----------
    path : path

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    SweepError
        If it is damaged or from another version.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        with Store(self.path):
            pass

    def __repr__(self) -> str:
        c = self.counts()
        return f"<sweep {self.path!r}: {c['done']} of {sum(c.values())} runs done>"

    def counts(self) -> dict[str, int]:
        """Count the runs that are waiting, running, done and failed."""
        with Store(self.path) as store:
            return store.counts()

    def rows(self) -> list[dict[str, Any]]:
        """Return a dictionary for each finished run, in the order of the grid and the seeds."""
        sql = f"SELECT {', '.join(COLUMNS)} FROM runs ORDER BY task, rowid"
        with Store(self.path) as store:
            return [dict(zip(COLUMNS, row, strict=True)) for row in store.query(sql)]

    def errors(self) -> list[tuple[str, str]]:
        """Return the setting (JSON) and the error of each task that failed."""
        with Store(self.path) as store:
            return [(key, error) for key, error in store.query("SELECT key, error FROM tasks WHERE state = 'failed'")]

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the rows to a CSV file; what a run does not have is empty."""
        with _replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(COLUMNS))
            writer.writeheader()
            writer.writerows(self.rows())

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write the rows to a Parquet file; needs pyarrow.

        Raises
        ------
        ImportError
            If pyarrow is missing.
        """
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise ImportError(
                "Results.to_parquet needs pyarrow: pip install 'neural-collapse-theory[parquet]'"
            ) from error
        types = {"INTEGER": pa.int64(), "REAL": pa.float64(), "TEXT": pa.string()}
        schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
        with _replacing(path) as temporary:
            parquet.write_table(pa.Table.from_pylist(self.rows(), schema=schema), temporary)


@contextmanager
def _replacing(path: str | os.PathLike[str]) -> Iterator[str]:
    """Give a name to write to, and move that file to ``path`` once it is whole."""
    temporary = f"{os.fspath(path)}.partial"
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
