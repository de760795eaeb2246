"""What the commands print: tables for people, JSON and comma-separated values for machines.

A table is plain text that looks the same in a terminal, a pipe and a document; in a terminal that is too narrow for it,
its cells are broken into lines. Nothing is ever cut off.
"""

import csv
import io
import json
import math
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["print_csv", "print_json", "print_table", "table"]


def table(
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    alignment: str = "",
    *,
    width: int | None = None,
    styles: Sequence[str] | None = None,
) -> str:
    """A table as text, of lines that end without spaces.

    Parameters
    ----------
    titles : sequence of str
        The columns' titles.
    rows : iterable of sequences of str
        Their cells.
    alignment : str
        A character for each column, ``<`` or ``>``; all to the left by default.
    width : int, optional
        The width to which the table is fitted; by default a row is one line.
    styles : sequence of str, optional
        A colour for each row, for a terminal.

    Returns
    -------
    str

    Examples
    --------
    >>> print(table(["K", "loss"], [["6", "0.25"], ["10", "0.125"]], "><"), end="")
     K  loss
     6  0.25
    10  0.125
    """
    cells = [list(titles), *map(list, rows)]
    alignment = alignment or "<" * len(titles)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if styles is not None or (width is not None and sum(widths) + 2 * (len(widths) - 1) > width):
        return _fitted(cells, alignment, width, styles)
    lines = []
    for row in cells:
        padded = (f"{cell:{side}{wide}}" for cell, side, wide in zip(row, alignment, widths, strict=True))
        lines.append("  ".join(padded).rstrip() + "\n")
    return "".join(lines)


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]], alignment: str = "") -> None:
    """Print a `table` to standard output, fitted to it if that is a terminal."""
    terminal = sys.stdout.isatty()
    _write(table(titles, rows, alignment, width=shutil.get_terminal_size().columns if terminal else None))


def print_json(values: Any) -> None:
    """Print as JSON, in which a number that is not finite is null.

    Examples
    --------
    >>> print_json({"loss": float("inf")})
    {
      "loss": null
    }
    """
    escaped = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    _write(json.dumps(_finite(values), indent=2, ensure_ascii=escaped, allow_nan=False) + "\n")


def print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print comma-separated values, the keys of the first row as titles; a list is a cell with spaces.

    Examples
    --------
    >>> print_csv([{"seed": 3, "ranks": [4, 2]}])
    seed,ranks
    3,4 2
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        spaced = {k: " ".join(map(str, v)) if isinstance(v, (list, tuple)) else v for k, v in row.items()}
        writer.writerow(spaced)
    _write(text.getvalue())


def _write(text: str) -> None:
    """Line by line: without a buffer, a reader that leaves or a disk that fills up amid a long text goes unnoticed."""
    sys.stdout.writelines(text.splitlines(keepends=True))


def _fitted(cells: list[list[str]], alignment: str, width: int | None, styles: Sequence[str] | None) -> str:
    """By rich, which breaks cells into lines; it takes half a millisecond a row."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    text = io.StringIO()
    coloured = styles is not None
    console = Console(
        file=text,
        width=width or 10**6,
        force_terminal=coloured,
        color_system="standard" if coloured else None,
        legacy_windows=False,
    )
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for title, side in zip(cells[0], alignment, strict=True):
        grid.add_column(Text(title), justify="right" if side == ">" else "left", overflow="fold")
    for row, style in zip(cells[1:], styles or [""] * (len(cells) - 1), strict=True):
        grid.add_row(*map(Text, row), style=style)
    console.print(grid)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
