"""The command line, `nct`."""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

from nct.commands import InputError

__all__ = ["COMMANDS", "Command", "main"]


class Command(NamedTuple):
    """A subcommand: the module that implements it, imported when it is called, and its line in ``nct --help``."""

    module: str
    summary: str


COMMANDS = {
    "ratio": Command("nct.commands.ratio", "the losses L_srg and L_dnc and their ratio"),
    "dufm": Command("nct.commands.dufm", "gradient descent from many seeds: losses, ranks, solutions"),
    "sweep": Command("nct.commands.sweep", "the same over a grid of settings, into one file"),
    "ledger": Command("nct.commands.ledger", "the claims of the ledger, with verdicts and statements"),
    "deep-rfm": Command("nct.commands.deep_rfm", "a deep recursive feature machine: NC1 and NC2 of every layer"),
}


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run `nct` and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the program's name; those of the process by default.

    Returns
    -------
    int
        0, or 1 if standard output was closed before the end, or 130 after an interrupt.

    Raises
    ------
    SystemExit
        With status 2 after wrong input, with status 0 after ``--help`` and ``--version``.

    Examples
    --------
    >>> main(["ratio", "--classes", "10,15", "--layers", "4", "--weight-decay", "5e-4"])
     K  L  weight decay  n      L_dnc      L_srg     ratio  non-trivial  ranks dnc  ranks srg
    10  4        0.0005  1  0.0124875  0.0101983  0.816684  yes          10×4       5×3 10
    15  4        0.0005  1  0.0187217   0.014664  0.783261  yes          15×4       6×3 15
    0
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            _run(list(sys.argv[1:] if argv is None else argv))
        finally:
            sys.stdout.flush()  # here, where a closed pipe is caught
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that closing it does not complain again
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(arguments: list[str]) -> None:
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    parser, commands = _parser(chosen)
    parsed = parser.parse_args(arguments)
    try:
        parsed.run(parsed)
    except InputError as error:
        commands[parsed.command].error(str(error))


def _parser(chosen: str | None) -> tuple[_Parser, dict[str, Any]]:
    """The whole parser, with the arguments of the chosen command only."""
    parser = _Parser(
        prog="nct",
        description="Neural collapse, computed: losses of the deep unconstrained features model and the ledger of claims.",
        epilog="'nct COMMAND --help' describes a command.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")
    for name, command in COMMANDS.items():
        subparser = commands.add_parser(
            name,
            help=command.summary,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == chosen:
            module = importlib.import_module(command.module)
            subparser.description = module.__doc__
            module.add_arguments(subparser)
            subparser.set_defaults(run=module.run)
    return parser, commands.choices


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        print(f"nct {version('neural-collapse-theory')}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
