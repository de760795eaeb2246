"""The problems that a command is asked about: lists of sizes and regularisations in, headings and cells out."""

import argparse
import math
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby, product
from typing import Any, NamedTuple

from nct.arguments import MOST_VALUES, integers, numbers
from nct.commands import InputError

__all__ = [
    "Problem",
    "add_problem_arguments",
    "at_least",
    "at_most",
    "described",
    "formatted",
    "problems",
    "runs",
    "spaced",
]


class Problem(NamedTuple):
    """Sizes and regularisations of a deep unconstrained features model; of weight_decay and lams one is None."""

    classes: int
    layers: int
    weight_decay: float | None
    lams: list[float] | None
    samples_per_class: int

    @property
    def heading(self) -> str:
        """The problem in words."""
        strength = f"weight decay {self.weight_decay:g}" if self.lams is None else f"lams {spaced(self.lams, 'g')}"
        samples = "1 sample" if self.samples_per_class == 1 else f"{self.samples_per_class} samples"
        return f"{self.classes} classes, {self.layers} layers, {strength}, {samples} per class"

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles of the columns of `cells`."""
        return "K", "L", "weight decay" if self.lams is None else "lams", "n"

    @property
    def cells(self) -> tuple[str, ...]:
        """Its cells in a table."""
        strength = formatted(self.weight_decay, "g") if self.lams is None else spaced(self.lams, "g")
        return str(self.classes), str(self.layers), strength, str(self.samples_per_class)

    def to_json(self) -> dict[str, Any]:
        """The fields in the order in which they are printed; of weight_decay and lams the one that was given."""
        strength = {"weight_decay": self.weight_decay} if self.lams is None else {"lams": self.lams}
        return {
            "classes": self.classes,
            "layers": self.layers,
            **strength,
            "samples_per_class": self.samples_per_class,
        }


def add_problem_arguments(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the arguments that say which problems are meant; not required where a file may say it."""
    parser.add_argument(
        "-K", "--classes", metavar="K", type=integers, required=required, help="number of classes, at least 2"
    )
    parser.add_argument(
        "-L", "--layers", metavar="L", type=integers, required=required, help="number of layers, at least 3"
    )
    strength = parser.add_mutually_exclusive_group(required=required)
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


def problems(arguments: argparse.Namespace, instead: str) -> list[Problem]:
    """Every combination of what was asked for.

    Parameters
    ----------
    arguments : argparse.Namespace
        With what `add_problem_arguments` adds.
    instead : str
        What is to be used for more of them.

    Returns
    -------
    list of Problem

    Raises
    ------
    InputError
        If they are too many, or separate regularisations are given for several numbers of layers.
    """
    lams = arguments.lams
    if lams is not None and len(arguments.layers) > 1:
        raise InputError(f"--lams goes with one number of layers, not with {len(arguments.layers)}")
    decays = [None] if lams is not None else arguments.weight_decay
    axes = (arguments.classes, arguments.layers, decays, [lams], arguments.samples_per_class)
    count = math.prod(map(len, axes))
    if count > MOST_VALUES:
        raise InputError(f"{count} combinations; at most {MOST_VALUES} are printed: for more use {instead}")
    return [Problem(*values) for values in product(*axes)]


def at_least(value: Decimal) -> float:
    """The least float that is not below a number: an upper bound is still one when it is a float.

    Examples
    --------
    >>> at_least(Decimal("0.5")), at_least(Decimal("0.1")) > Decimal("0.1"), at_least(Decimal("0.3")) > Decimal("0.3")
    (0.5, True, True)
    """
    nearest = float(value)
    return nearest if nearest >= value else math.nextafter(nearest, math.inf)


def at_most(value: Decimal) -> float:
    """The largest float that is not above a number: a lower bound is still one when it is a float."""
    return -at_least(-value)


def described(name: str) -> str:
    """A solution's name in words.

    Examples
    --------
    >>> described("SRG"), described("matrices")
    ('SRG', 'matrices without a known structure')
    """
    return {"matrices": "matrices without a known structure", "zero": "the zero solution"}.get(name, name)


def formatted(value: float | None, form: str) -> str:
    """A number as a cell, which is empty where there is none.

    Examples
    --------
    >>> formatted(0.25, ".1e"), formatted(None, ".1e")
    ('2.5e-01', '')
    """
    return "" if value is None else format(value, form)


def spaced(values: Sequence[float], form: str = "") -> str:
    """Numbers as a cell.

    Examples
    --------
    >>> spaced([5, 5, 10])
    '5 5 10'
    """
    return " ".join(format(value, form) for value in values)


def runs(ranks: Sequence[int]) -> str:
    """Numbers as a cell, equal neighbours together.

    Examples
    --------
    >>> runs([5, 5, 5, 10])
    '5×3 10'
    """
    lengths = [(rank, len(list(group))) for rank, group in groupby(ranks)]
    return " ".join(f"{rank}×{length}" if length > 1 else f"{rank}" for rank, length in lengths)
