"""What the commands have in common in their arguments: numbers, lists of numbers, forms of output, files to write.

argparse puts the option's name before the message of an ArgumentTypeError.
"""

import argparse
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from difflib import get_close_matches
from fractions import Fraction
from os import PathLike
from typing import Any, NamedTuple

from nct.commands import InputError

__all__ = [
    "MOST_VALUES",
    "Output",
    "add_forms",
    "add_training_arguments",
    "check_outputs",
    "image_endings",
    "integer",
    "integers",
    "nearest",
    "number",
    "numbers",
    "save_figure",
    "seeds",
]

MOST_VALUES = 10_000
MOST_SEEDS = 10_000_000


def integer(text: str) -> int:
    """Read an integer, which may also be written as 1e5, 10.0 or 20/2.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none, or beyond 64 bits.

    Examples
    --------
    >>> integer("10"), integer("1e5"), integer("20/2")
    (10, 100000, 10)
    """
    exact = _exact(text)
    if exact is None or exact.denominator != 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer")
    if abs(exact) >= 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is too large")
    return exact.numerator


def number(text: str) -> float:
    """Read a number, which may also be written as a fraction.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is none, or beyond the range of floating-point numbers.

    Examples
    --------
    >>> number("5e-4"), number("1/2000")
    (0.0005, 0.0005)
    """
    try:
        value, zero = float(text), not re.search("[1-9]", re.split("[eE]", text)[0])
    except ValueError:
        exact = _exact(text)
        if exact is None:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        value, zero = _nearest_float(exact), exact == 0
    if value == 0 and not zero:
        raise argparse.ArgumentTypeError(f"{text!r} is too small for a floating-point number")
    if abs(value) == float("inf") and re.search("[0-9]", text):
        raise argparse.ArgumentTypeError(f"{text!r} is too large for a floating-point number")
    return value


def integers(text: str) -> list[int]:
    """Read a list of integers and inclusive ranges.

    Raises
    ------
    argparse.ArgumentTypeError
        If a part is neither.

    Examples
    --------
    >>> integers("6,10:20:5")
    [6, 10, 15, 20]
    """
    return [value for part in text.split(",") for value in _range(part)]


def numbers(text: str) -> list[float]:
    """Read a list of numbers.

    Raises
    ------
    argparse.ArgumentTypeError
        If a part is not a number.

    Examples
    --------
    >>> numbers("1e-4,1/2")
    [0.0001, 0.5]
    """
    return [number(part) for part in text.split(",")]


def seeds(text: str) -> int | list[int]:
    """Read a number of seeds, or a list of seeds.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is neither, or their number is out of reach.

    Examples
    --------
    >>> seeds("16"), seeds("3,8"), seeds("0:2")
    (16, [3, 8], [0, 1, 2])
    """
    values = integers(text)
    if "," in text or ":" in text:
        return values
    if values[0] > MOST_SEEDS:
        raise argparse.ArgumentTypeError(f"{text!r} are too many seeds; at most {MOST_SEEDS} are trained at once")
    return values[0]


def nearest(word: str, choices: Iterable[str]) -> list[str]:
    """At most three of the choices that a mistyped word may stand for, the likeliest first.

    An abbreviation counts as near: initials, or a beginning.

    Examples
    --------
    >>> nearest("--wd", ["--width", "--weight-decay"]), nearest("--step", ["--seeds", "--steps"])
    (['--weight-decay'], ['--steps'])
    """
    choices = list(choices) if word.strip("-") else []
    for alike in (
        lambda choice: _initials(choice) == word.strip("-"),
        lambda choice: _initials(word) == choice.strip("-"),
        lambda choice: choice.startswith(word),
    ):
        if found := [choice for choice in choices if alike(choice)]:
            return found[:3]
    return get_close_matches(word, choices)


def add_forms(parser: argparse.ArgumentParser, *, each: str = "", csv: bool = True, latex: bool = False) -> None:
    """Describe the switches for output that machines read.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    each : str
        What an object of the list is, for the help.
    csv : bool
        Whether there is a table of comma-separated values too.
    latex : bool
        Whether there is a table for LaTeX too.
    """
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help=f"print a list of JSON objects{each and ', '}{each}")
    if csv:
        form.add_argument("--csv", action="store_true", help="print comma-separated values")
    if latex:
        form.add_argument("--latex", action="store_true", help="print a table for LaTeX")


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments that training and sweeps share."""
    parser.add_argument("-n", "--samples-per-class", metavar="N", type=integer, default=1, help="default: 1")
    parser.add_argument(
        "--seeds", type=seeds, default=16, help="how many, or which: 3,8 or a range 0:9 (default: 16 seeds, 0 to 15)"
    )
    parser.add_argument("--steps", type=integer, default=20_000, help="number of steps (default: 20000)")
    parser.add_argument("--init-scale", type=number, default=1.0, help="size of the initial matrices (default: 1)")
    parser.add_argument(
        "--optimizer", metavar="NAME", default="gd", help="gd, momentum or adam (default: gd, gradient descent)"
    )
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float64", help="default: float64")
    parser.add_argument("--polish", action="store_true", help="finish each run at a stationary point by L-BFGS")


class Output(NamedTuple):
    """A file that a command is to write.

    Attributes
    ----------
    name : str
        The option that names it.
    path : path or None
        None if it is not wanted.
    endings : collection of str, or a function that returns it
        The endings that are allowed; all if there are none. A function is only called if the file is wanted.
    overwrite : bool
        Whether a file may be replaced.
    """

    name: str
    path: str | PathLike[str] | None
    endings: Collection[str] | Callable[[], Collection[str]] = ()
    overwrite: bool = True


def check_outputs(*outputs: Output, inputs: Sequence[str | PathLike[str]] = ()) -> None:
    """Refuse, before any work, a file that could not be written at its end, or that would replace another one in use.

    Parameters
    ----------
    *outputs : Output
    inputs : sequence of paths
        Files that no output may be.

    Raises
    ------
    InputError
        If an output cannot be written, is an input or another output, or is there and is not to be replaced.
    """
    from numerics.files import check_output

    used = list(inputs)
    for output in outputs:
        if output.path is None:
            continue
        endings = output.endings() if callable(output.endings) else output.endings
        try:
            check_output(output.path, name=output.name, inputs=used, suffixes=endings, overwrite=output.overwrite)
        except FileExistsError as error:
            raise InputError(f"{error}; --force replaces it") from error
        except (ValueError, OSError) as error:
            raise InputError(str(error)) from error
        used.append(output.path)


def image_endings() -> list[str]:
    """The endings of the images that matplotlib writes.

    Raises
    ------
    InputError
        If matplotlib is missing.
    """
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError as error:
        raise InputError("--plot needs matplotlib: pip install 'neural-collapse-theory[plot]'") from error
    return [f".{ending}" for ending in FigureCanvasBase.get_supported_filetypes()]


def save_figure(draw: Callable[[], Any], path: str | PathLike[str]) -> str | None:
    """Draw a figure and write it, whole or not at all, once all else that was asked for is done.

    Parameters
    ----------
    draw : callable
        What returns a matplotlib figure.
    path : path

    Returns
    -------
    str or None
        Why that could not be, if it could not.
    """
    from numerics.files import replacing

    try:
        with replacing(path) as new:
            draw().savefig(new)
    except (ValueError, OSError) as error:
        return f"--plot: {error}"
    return None


def _exact(text: str) -> Fraction | None:
    """The number as a Fraction, if it is one; exponents of more than four digits would fill the memory."""
    if re.search(r"[eE][+-]?\d{5}", text):
        return None
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None


def _nearest_float(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return float("inf") if exact > 0 else float("-inf")


def _range(part: str) -> range:
    try:
        start, stop, step = _bounds([integer(bound) for bound in part.split(":")])
    except (argparse.ArgumentTypeError, ValueError) as error:
        if str(error).endswith("is too large"):
            raise
        raise argparse.ArgumentTypeError(
            f"{part!r} is neither an integer nor a range START:STOP or START:STOP:STEP"
        ) from None
    if step < 1 or stop < start:
        raise argparse.ArgumentTypeError(f"the range {part!r} is empty")
    if (stop - start) // step >= MOST_VALUES:
        raise argparse.ArgumentTypeError(f"the range {part!r} has more than {MOST_VALUES} values")
    return range(start, stop + 1, step)


def _bounds(bounds: list[int]) -> tuple[int, int, int]:
    match bounds:
        case [value]:
            return value, value, 1
        case [start, stop]:
            return start, stop, 1
        case [start, stop, step]:
            return start, stop, step
    raise ValueError(f"{len(bounds)} bounds")


def _initials(option: str) -> str:
    return "".join(word[0] for word in re.split("[-_]+", option.strip("-_")) if word)
