"""The loss of the strongly regular graph solution (SRG) and of deep neural collapse (DNC) in the deep unconstrained
features model, each minimised over its scale, and their ratio: below 1 the strongly regular graph wins.

Wherever a number is wanted a comma-separated list may be given, and for integers also a range with both ends,
START:STOP or START:STOP:STEP; every combination becomes a row of a table. A number may be written as a fraction.
Below 6 classes there is no strongly regular graph solution, and its columns are empty.

examples:
  nct ratio --classes 10 --layers 4 --weight-decay 5e-4
  nct ratio --classes 6,10,15 --layers 3:6 --weight-decay 1e-4,1e-3 --csv
  nct ratio --classes 10 --layers 3 --lams 1e-3,1e-4,1e-4,5e-4 --json
"""

import argparse
from dataclasses import dataclass
from itertools import groupby, product
from math import prod
from typing import Any, get_args

from nct.arguments import MOST_VALUES, add_forms, integers, numbers
from nct.commands import InputError, wrong_input
from nct.progress import progress
from nct.tables import print_csv, print_json, print_table
from theory import dufm

__all__ = ["add_arguments", "run"]

FEWEST_CLASSES = 6  # the edges of the complete graph on 4 nodes, below which there is no SRG solution


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "-K", "--classes", metavar="K", type=integers, required=True, help="number of classes, at least 2"
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
    add_forms(parser)


def run(arguments: argparse.Namespace) -> None:
    """Compute and print the rows."""
    with wrong_input():
        rows = _rows(arguments)
    if arguments.json:
        print_json([row.to_json() for row in rows])
    elif arguments.csv:
        print_csv([row.to_json() for row in rows])
    elif len(rows) == 1:
        _print_one(rows[0])
    else:
        _print_table(rows)


@dataclass(frozen=True)
class Row:
    """One problem and its two losses; those of SRG are None where there is no such solution."""

    classes: int
    layers: int
    weight_decay: float | None
    lams: list[float] | None
    samples_per_class: int
    construction: str
    dnc_loss: float
    srg_loss: float | None
    ratio: float | None
    dnc_ranks: tuple[int, ...]
    srg_ranks: tuple[int, ...] | None

    @property
    def nontrivial(self) -> bool:
        """Whether a solution beats the zero solution, whose loss is one half."""
        return min(self.dnc_loss, 0.5 if self.srg_loss is None else self.srg_loss) < 0.5

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
            "srg_ranks": self.srg_ranks and list(self.srg_ranks),
        }


def _rows(arguments: argparse.Namespace) -> list[Row]:
    lams = arguments.lams
    if lams is not None and len(arguments.layers) > 1:
        raise InputError(f"--lams goes with one number of layers, not with {len(arguments.layers)}")
    decays = [None] if lams is not None else arguments.weight_decay
    axes = (arguments.classes, arguments.layers, decays, arguments.samples_per_class)
    count = prod(map(len, axes))
    if count > MOST_VALUES:
        raise InputError(
            f"{count} combinations; at most {MOST_VALUES} are printed: for more use theory.dufm.loss_ratio"
        )
    rows = []
    with progress("losses", count) as update:
        for values in product(*axes):
            rows.append(_row(*values, lams, arguments.construction))
            update(len(rows))
    return rows


def _row(K: int, L: int, lam: float | None, n: int, lams: list[float] | None, construction: dufm.Construction) -> Row:
    dnc = dufm.dnc(K, L, lam, lams=lams, n=n)
    srg = None if K < FEWEST_CLASSES else dufm.srg(K, L, lam, lams=lams, n=n, construction=construction)
    return Row(
        classes=K,
        layers=L,
        weight_decay=lam,
        lams=lams,
        samples_per_class=n,
        construction=construction,
        dnc_loss=dnc.loss,
        srg_loss=None if srg is None else srg.loss,
        ratio=None if srg is None else srg.loss / dnc.loss,
        dnc_ranks=dnc.ranks,
        srg_ranks=None if srg is None else srg.ranks,
    )


def _print_one(row: Row) -> None:
    strength = f"weight decay {row.weight_decay:g}" if row.lams is None else f"lams {_spaced(row.lams, 'g')}"
    samples = "1 sample" if row.samples_per_class == 1 else f"{row.samples_per_class} samples"
    print(f"{row.classes} classes, {row.layers} layers, {strength}, {samples} per class")
    print()
    cells = [
        ("loss", _number(row.dnc_loss, ".10g"), _number(row.srg_loss, ".10g")),
        ("ranks", _spaced(row.dnc_ranks), _spaced(row.srg_ranks or ())),
    ]
    print_table(("", "DNC", "SRG"), cells, "<>>")
    print()
    print(f"ratio        {_number(row.ratio, '.10g')}{' ' * (row.ratio is not None)}({_verdict(row.ratio)})")
    print(f"non-trivial  {'yes' if row.nontrivial else 'no: the zero solution is as good, with loss 0.5'}")


def _verdict(ratio: float | None) -> str:
    if ratio is None:
        return f"there is no SRG solution below {FEWEST_CLASSES} classes"
    return "SRG wins" if ratio < 1 else "DNC wins" if ratio > 1 else "neither wins"


def _print_table(rows: list[Row]) -> None:
    strength = "weight decay" if rows[0].lams is None else "lams"
    titles = ("K", "L", strength, "n", "L_dnc", "L_srg", "ratio", "non-trivial", "ranks dnc", "ranks srg")
    print_table(titles, map(_cells, rows), ">>>>>>><<<")


def _cells(row: Row) -> tuple[str, ...]:
    return (
        str(row.classes),
        str(row.layers),
        _number(row.weight_decay, "g") if row.lams is None else _spaced(row.lams, "g"),
        str(row.samples_per_class),
        _number(row.dnc_loss, ".6g"),
        _number(row.srg_loss, ".6g"),
        _number(row.ratio, ".6f"),
        "yes" if row.nontrivial else "no",
        _runs(row.dnc_ranks),
        _runs(row.srg_ranks or ()),
    )


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _spaced(values: list[float] | tuple[int, ...], form: str = "") -> str:
    return " ".join(format(value, form) for value in values)


def _runs(ranks: tuple[int, ...]) -> str:
    """Equal neighbours together: ``5×3 10`` for (5, 5, 5, 10)."""
    lengths = [(rank, len(list(group))) for rank, group in groupby(ranks)]
    return " ".join(f"{rank}×{length}" if length > 1 else f"{rank}" for rank, length in lengths)
