"""The loss of the strongly regular graph solution (SRG) and of deep neural collapse (DNC) in the deep unconstrained
features model, each minimised over its scale, and their ratio: below 1 the strongly regular graph wins.

Wherever a number is wanted a comma-separated list may be given, and for integers also a range with both ends,
START:STOP or START:STOP:STEP; every combination becomes a row of a table.

examples:
  nct ratio --classes 10 --layers 4 --weight-decay 5e-4
  nct ratio --classes 6,10,15 --layers 3:6 --weight-decay 1e-4,1e-3 --csv
  nct ratio --classes 10 --layers 3 --lams 1e-3,1e-4,1e-4,5e-4 --json
"""

import argparse
import csv
import json
import sys
from dataclasses import dataclass
from itertools import groupby, product
from typing import Any, get_args

import numpy as np

from nct.commands import InputError, wrong_input
from theory import dufm

__all__ = ["add_arguments", "run"]

MOST_ROWS = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "-K", "--classes", metavar="K", type=integers, required=True, help="number of classes, at least 6"
    )
    parser.add_argument(
        "-L", "--layers", metavar="L", type=integers, required=True, help="number of layers, at least 3"
    )
    strength = parser.add_mutually_exclusive_group(required=True)
    strength.add_argument(
        "--weight-decay",
        metavar="LAM",
        type=numbers,
        help="one regularisation for the features and every weight matrix",
    )
    strength.add_argument(
        "--lams",
        metavar="H1,W1,...,WL",
        type=numbers,
        help="the L+1 separate regularisations, for one number of layers",
    )
    parser.add_argument(
        "-n", "--samples-per-class", metavar="N", type=integers, default=[1], help="samples per class (default: 1)"
    )
    parser.add_argument(
        "--construction",
        choices=get_args(dufm.Construction),
        default="block",
        help="what is done where the number of classes is not triangular: a graph on as many classes as possible and "
        "collapse on the others; the next larger graph with classes left out; the better of the two (default: block)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a list of JSON objects")
    form.add_argument("--csv", action="store_true", help="print comma-separated values")


def run(arguments: argparse.Namespace) -> None:
    """Compute and print the rows."""
    with wrong_input():
        rows = _rows(arguments)
    if arguments.json:
        print(json.dumps([row.to_json() for row in rows], indent=2))
    elif arguments.csv:
        _print_csv(rows)
    elif len(rows) == 1:
        _print_one(rows[0])
    else:
        _print_table(rows)


@dataclass(frozen=True)
class Row:
    """One problem and its two losses."""

    classes: int
    layers: int
    weight_decay: float | None
    lams: list[float] | None
    samples_per_class: int
    construction: str
    dnc_loss: float
    srg_loss: float
    ratio: float
    dnc_ranks: tuple[int, ...]
    srg_ranks: tuple[int, ...]

    @property
    def nontrivial(self) -> bool:
        """Whether a solution beats the zero solution, whose loss is one half."""
        return min(self.dnc_loss, self.srg_loss) < 0.5

    def to_json(self) -> dict[str, Any]:
        """The fields in the order in which they are printed; of weight_decay and lams the one that was given."""
        strength = {"weight_decay": self.weight_decay} if self.lams is None else {"lams": self.lams}
        return {
            "classes": self.classes,
            "layers": self.layers,
            **strength,
            "samples_per_class": self.samples_per_class,
            "construction": self.construction,
            "dnc_loss": self.dnc_loss,
            "srg_loss": self.srg_loss,
            "ratio": self.ratio,
            "nontrivial": self.nontrivial,
            "dnc_ranks": list(self.dnc_ranks),
            "srg_ranks": list(self.srg_ranks),
        }


def _rows(arguments: argparse.Namespace) -> list[Row]:
    lams = arguments.lams
    if lams is not None and len(arguments.layers) > 1:
        raise InputError(f"--lams goes with one number of layers, not with {len(arguments.layers)}")
    decays = [None] if lams is not None else arguments.weight_decay
    axes = (arguments.classes, arguments.layers, decays, arguments.samples_per_class)
    count = int(np.prod([len(axis) for axis in axes], dtype=object))
    if count > MOST_ROWS:
        raise InputError(f"{count} combinations; at most {MOST_ROWS} are printed: for more use theory.dufm.loss_ratio")
    return [_row(*values, lams, arguments.construction) for values in product(*axes)]


def _row(K: int, L: int, lam: float | None, n: int, lams: list[float] | None, construction: dufm.Construction) -> Row:
    srg = dufm.srg(K, L, lam, lams=lams, n=n, construction=construction)
    dnc = dufm.dnc(K, L, lam, lams=lams, n=n)
    return Row(
        classes=K,
        layers=L,
        weight_decay=lam,
        lams=lams,
        samples_per_class=n,
        construction=construction,
        dnc_loss=dnc.loss,
        srg_loss=srg.loss,
        ratio=srg.loss / dnc.loss,
        dnc_ranks=dnc.ranks,
        srg_ranks=srg.ranks,
    )


def _print_one(row: Row) -> None:
    strength = f"weight decay {row.weight_decay:g}" if row.lams is None else f"lams {_spaced(row.lams, 'g')}"
    samples = "1 sample" if row.samples_per_class == 1 else f"{row.samples_per_class} samples"
    print(f"{row.classes} classes, {row.layers} layers, {strength}, {samples} per class")
    print()
    cells: list[tuple[str, ...]] = [
        ("", "DNC", "SRG"),
        ("loss", f"{row.dnc_loss:.10g}", f"{row.srg_loss:.10g}"),
        ("ranks", _spaced(row.dnc_ranks), _spaced(row.srg_ranks)),
    ]
    _print_columns(cells, "<>>")
    verdict = "SRG wins" if row.ratio < 1 else "DNC wins" if row.ratio > 1 else "neither wins"
    print()
    print(f"ratio        {row.ratio:.10g} ({verdict})")
    print(f"non-trivial  {'yes' if row.nontrivial else 'no: the zero solution is as good, with loss 0.5'}")


def _print_table(rows: list[Row]) -> None:
    names = ("K", "L", "weight decay" if rows[0].lams is None else "lams", "n", "L_dnc", "L_srg", "ratio")
    cells: list[tuple[str, ...]] = [(*names, "non-trivial", "ranks dnc", "ranks srg")]
    for row in rows:
        cells.append(
            (
                str(row.classes),
                str(row.layers),
                f"{row.weight_decay:g}" if row.lams is None else _spaced(row.lams, "g"),
                str(row.samples_per_class),
                f"{row.dnc_loss:.6g}",
                f"{row.srg_loss:.6g}",
                f"{row.ratio:.6f}",
                "yes" if row.nontrivial else "no",
                _runs(row.dnc_ranks),
                _runs(row.srg_ranks),
            )
        )
    _print_columns(cells, ">>>>>>><<<")


def _print_csv(rows: list[Row]) -> None:
    first = rows[0].to_json()
    writer = csv.DictWriter(sys.stdout, fieldnames=list(first), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        values = row.to_json()
        writer.writerow({name: _spaced(v) if isinstance(v, list) else v for name, v in values.items()})


def _print_columns(cells: list[tuple[str, ...]], alignment: str) -> None:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (f"{cell:{side}{width}}" for cell, side, width in zip(row, alignment, widths, strict=True))
        print("  ".join(padded).rstrip())


def _spaced(values: list[float] | tuple[int, ...], form: str = "") -> str:
    return " ".join(format(value, form) for value in values)


def _runs(ranks: tuple[int, ...]) -> str:
    """Equal neighbours together: ``5×3 10`` for (5, 5, 5, 10)."""
    lengths = [(rank, len(list(group))) for rank, group in groupby(ranks)]
    return " ".join(f"{rank}×{length}" if length > 1 else f"{rank}" for rank, length in lengths)


# What the user may write for numbers. argparse reports an ArgumentTypeError with the name of the option.


def integers(text: str) -> list[int]:
    """Integers from a list of numbers and inclusive ranges.

    Raises
    ------
    argparse.ArgumentTypeError
        If a part is neither.

    Examples
    --------
    >>> integers("6,10:20:5")
    [6, 10, 15, 20]
    """
    values: list[int] = []
    for part in text.split(","):
        try:
            start, stop, step = _range([int(bound) for bound in part.split(":")])
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"{part!r} is neither an integer nor a range START:STOP or START:STOP:STEP"
            ) from None
        if step < 1 or stop < start:
            raise argparse.ArgumentTypeError(f"the range {part!r} is empty")
        if (stop - start) // step >= MOST_ROWS:
            raise argparse.ArgumentTypeError(f"the range {part!r} has more than {MOST_ROWS} values")
        values.extend(range(start, stop + 1, step))
    return values


def _range(bounds: list[int]) -> tuple[int, int, int]:
    match bounds:
        case [value]:
            return value, value, 1
        case [start, stop]:
            return start, stop, 1
        case [start, stop, step]:
            return start, stop, step
    raise ValueError(f"{len(bounds)} bounds")


def numbers(text: str) -> list[float]:
    """Floats from a comma-separated list.

    Raises
    ------
    argparse.ArgumentTypeError
        If a part is not a number.

    Examples
    --------
    >>> numbers("1e-4,0.5")
    [0.0001, 0.5]
    """
    values = []
    for part in text.split(","):
        try:
            values.append(float(part))
        except ValueError:
            raise argparse.ArgumentTypeError(f"{part!r} is not a number") from None
    return values
