"""What the commands print: tables for people, JSON and comma-separated values for machines.

A table is plain text that looks the same in a terminal, a pipe and a document; in a terminal that is too narrow for it,
its cells are broken into lines. Nothing is ever cut off.
"""

import csv
import io
import json
import math
import re
import shutil
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Table", "print_csv", "print_json", "print_latex", "print_table", "table"]


class Table(NamedTuple):
    """What `print_table` and `print_latex` print.

    Attributes
    ----------
    titles : sequence of str
        The columns' titles.
    rows : sequence of sequences of str
        Their cells.
    alignment : str
        A character for each column.
    """

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    alignment: str


def table(
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    alignment: str = "",
    *,
    width: int | None = None,
    styles: Sequence[str] | None = None,
    whole: Collection[str] = (),
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
    whole : collection of str
        The titles of columns whose cells stay in one line while there is room for the others beside them.

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
        return _fitted(cells, alignment, width, styles, whole)
    lines = []
    for row in cells:
        padded = (f"{cell:{side}{wide}}" for cell, side, wide in zip(row, alignment, widths, strict=True))
        lines.append("  ".join(padded).rstrip() + "\n")
    return "".join(lines)


def print_table(
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    alignment: str = "",
    *,
    styles: Sequence[str] | None = None,
    whole: Collection[str] = (),
) -> None:
    """Print a `table` to standard output, fitted to it and in colour if that is a terminal."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        _write(table(titles, rows, alignment, width=width, styles=styles, whole=whole))
    else:
        _write(table(titles, rows, alignment))


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


def print_latex(titles: Sequence[str], rows: Iterable[Sequence[str]], alignment: str = "") -> None:
    r"""Print a table for LaTeX, with the rules of the package booktabs; a cell between dollars is a formula already.

    Parameters
    ----------
    titles : sequence of str
        The columns' titles.
    rows : iterable of sequences of str
        Their cells.
    alignment : str
        A character for each column, ``<`` or ``>``, or ``p`` for text that is broken into lines; all ``<`` by default.

    Examples
    --------
    >>> print_latex(["K", "loss & more"], [["6", "2.5e-05"], ["10", r"$\alpha$"]], "><")
    % needs booktabs, amsmath, amssymb
    \begin{tabular}{rl}
    \toprule
    $K$ & loss \& more \\
    \midrule
    6 & $2.5\times10^{-5}$ \\
    10 & $\alpha$ \\
    \bottomrule
    \end{tabular}
    """
    alignment = alignment or "<" * len(titles)
    rows = [list(map(_in_latex, row)) for row in rows]
    kind = "longtable" if "p" in alignment else "tabular"
    packages = ["booktabs"] + ["longtable"] * (kind == "longtable")
    packages += ["amsmath", "amssymb"] * any("$" in cell for row in rows for cell in row)
    long = rf"p{{{0.6 / max(1, alignment.count('p')):.2f}\linewidth}}"
    columns = "".join({"<": "l", ">": "r", "p": long}[side] for side in alignment)
    head, *body = [" & ".join(row) + r" \\" for row in (list(map(_title_in_latex, titles)), *rows)]
    lines = [f"% needs {', '.join(packages)}", rf"\begin{{{kind}}}{{{columns}}}", r"\toprule", head, r"\midrule"]
    lines += [r"\endhead"] * (kind == "longtable")
    _write("\n".join([*lines, *body, r"\bottomrule", rf"\end{{{kind}}}", ""]))


def _title_in_latex(title: str) -> str:
    """A title, its symbols as formulas: a letter alone, or one with a subscript."""
    return " ".join(
        (f"${m[1]}_{{\\mathrm{{{m[2]}}}}}$" if m[2] else f"${m[1]}$")
        if (m := re.fullmatch(r"([A-Za-z])(?:_(\w+))?", word))
        else _in_latex(word)
        for word in title.split(" ")
    )


def _in_latex(cell: str) -> str:
    """A cell in LaTeX: a number in powers of ten, text with every sign that LaTeX would take for a command escaped."""
    if len(cell) > 2 and cell[0] == cell[-1] == "$":
        return cell
    if re.fullmatch(r"-?[\d.]+e[+-]\d+", cell):
        digits, power = cell.split("e")
        return rf"${digits}\times10^{{{int(power)}}}$"
    from pylatexenc.latexencode import unicode_to_latex

    return str(unicode_to_latex(cell, unknown_char_policy="keep", unknown_char_warning=False))


def _write(text: str) -> None:
    """Line by line: without a buffer, a reader that leaves or a disk that fills up amid a long text goes unnoticed."""
    sys.stdout.writelines(text.splitlines(keepends=True))


def _fitted(
    cells: list[list[str]],
    alignment: str,
    width: int | None,
    styles: Sequence[str] | None,
    whole: Collection[str],
) -> str:
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
    widths = _kept(cells, width, whole)
    for title, side, wide in zip(cells[0], alignment, widths, strict=True):
        grid.add_column(Text(title), justify="right" if side == ">" else "left", overflow="fold", width=wide)
    for row, style in zip(cells[1:], styles or [""] * (len(cells) - 1), strict=True):
        grid.add_row(*map(Text, row), style=style)
    console.print(grid)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _kept(cells: list[list[str]], width: int | None, whole: Collection[str]) -> list[int | None]:
    """The widths of the columns that stay whole, if that leaves ten characters for each of the others."""
    widths = [max(map(len, column)) if column[0] in whole else None for column in zip(*cells, strict=True)]
    needed = sum(10 if wide is None else wide for wide in widths) + 2 * (len(widths) - 1)
    return widths if width is None or needed <= width else [None] * len(widths)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
