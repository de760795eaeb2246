"""What a sweep has found so far: rows, summaries and exports."""

from __future__ import annotations

import csv
import os
from typing import Any

from numerics.files import check_output, replacing
from numerics.sweep._store import Store
from numerics.sweep._summary import summarise
from numerics.sweep._worker import COLUMNS

__all__ = ["Results"]


class Results:
    """The results in a sweep's file; they may be read while the sweep goes on.

    Parameters
    ----------
    path : path
        The file. One of an older format is read as it is: its rows have no version, and the digest "format 1".

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the path is not that of a file.
    SweepError
        If it is damaged or from a later version.
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
        """Return a dictionary for each finished run, setting by setting as they were entered, and seed by seed."""
        with Store(self.path) as store:
            return store.rows()

    def summary(self) -> list[dict[str, Any]]:
        """Summarise the rows of each setting; rows with different digests apart, see `numerics.sweep.summarise`."""
        return summarise(self.rows())

    def errors(self) -> list[tuple[str, int, str]]:
        """Return the setting (JSON), the seed and the error of each run that failed."""
        with Store(self.path) as store:
            return store.errors()

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the rows to a CSV file; what a run does not have is empty.

        Parameters
        ----------
        path : path
            The file, which may not be the sweep's own.
        """
        check_output(path, inputs=[self.path])
        with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(COLUMNS))
            writer.writeheader()
            writer.writerows(self.rows())

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write the rows to a Parquet file; needs pyarrow.

        Parameters
        ----------
        path : path
            The file, which may not be the sweep's own.

        Raises
        ------
        ImportError
            If pyarrow is missing.
        """
        check_output(path, inputs=[self.path])
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise ImportError(
                "Results.to_parquet needs pyarrow: pip install 'neural-collapse-theory[parquet]'"
            ) from error
        types = {"INTEGER": pa.int64(), "REAL": pa.float64(), "TEXT": pa.string()}
        schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
        with replacing(path) as temporary:
            parquet.write_table(pa.Table.from_pylist(self.rows(), schema=schema), temporary)
