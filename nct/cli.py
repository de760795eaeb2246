"""The command line, `nct`."""  # PYTHON_ARGCOMPLETE_OK

import argparse
import importlib
import io
import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, NoReturn

from nct.arguments import nearest
from nct.commands import InputError
from nct.progress import say

__all__ = ["COMMANDS", "Command", "main"]


class Command(NamedTuple):
    """A subcommand: the module that implements it, imported when it is called, and its line in ``nct --help``."""

    module: str
    summary: str


COMMANDS = {
    "ratio": Command("nct.commands.ratio", "the losses L_srg and L_dnc and their ratio"),
    "best": Command("nct.commands.best", "the best loss that is known, and a proved lower bound"),
    "dufm": Command("nct.commands.dufm", "gradient descent from many seeds: losses, ranks, solutions"),
    "sweep": Command("nct.commands.sweep", "the same over a grid of settings, into one file"),
    "ledger": Command("nct.commands.ledger", "the claims of the ledger, with verdicts and statements"),
    "verify": Command("nct.commands.verify", "run the claims of the ledger, or some of them"),
    "deep-rfm": Command("nct.commands.deep_rfm", "a deep recursive feature machine: NC1 and NC2 of every layer"),
}


# The extra that brings a module, where the base installation lacks it.
EXTRAS = {"torch": "numerics", "torchmetrics": "numerics", "sklearn": "numerics", "threadpoolctl": "numerics"} | {
    name: "theory" for name in ("flint", "jaxtyping", "lazy_loader", "mpmath", "networkx", "numpy", "scipy", "sympy")
}


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and name the option that was meant."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")

    def print_help(self, file: Any = None) -> None:
        """Print the help, without argparse's silence where that is not possible."""
        print(self.format_help(), end="", file=file)

    def refuse_unknown(self, words: list[str]) -> None:
        """End with an error if one of the words is an option that there is none of.

        argparse looks for what is missing first, and so would not tell a mistyped option from a missing one.
        """
        for word in itertools.takewhile(lambda word: word != "--", words):
            option = word.split("=")[0]
            if option.startswith("--") and option not in self._option_string_actions:
                near = nearest(option, self._option_string_actions)
                self.error(f"no option {option}" + (f"; is it {' or '.join(near)}?" if near else ""))


def main(argv: Sequence[str] | None = None) -> int:
    """Run `nct` and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments after the program's name; those of the process by default.

    Returns
    -------
    int
        0, or 1 if standard output cannot be written to the end, or 130 after an interrupt; `nct verify` has 1 for a
        claim that is not as its verdict says.

    Raises
    ------
    SystemExit
        With status 2 after wrong input, with status 0 after ``--help`` and ``--version``.

    Examples
    --------
    >>> main(["ratio", "--classes", "10,15", "--layers", "4", "--weight-decay", "5e-4"])
     K  L  weight decay  n      L_dnc      L_srg     ratio       best  non-trivial  ranks dnc  ranks srg
    10  4        0.0005  1  0.0124875  0.0101983  0.816684  0.0101983  yes          10×4       5×3 10
    15  4        0.0005  1  0.0187217   0.014664  0.783261  0.0138628  yes          15×4       6×3 15
    0
    """
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what may come next
        _complete(os.environ.get("COMP_LINE", ""))
    if sys.stdout is None:
        say("error: standard output is closed")
        return 1
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            return _run(list(sys.argv[1:] if argv is None else argv))
        finally:
            sys.stdout.flush()  # here, where a closed pipe or a full disk is noticed
    except KeyboardInterrupt:
        return 130
    except OSError as error:  # of the input's making are InputErrors; what is left is standard output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that closing it does not complain again
        if not isinstance(error, BrokenPipeError):  # of which a reader like head is the cause, who has what it wants
            say(f"error: standard output cannot be written: {error.strerror or error}")
        return 1


def _run(arguments: list[str]) -> int:
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    parser, commands = _parser(chosen)
    if not arguments:
        parser.print_help()
        return 0
    if chosen is not None and chosen not in COMMANDS:
        near = nearest(chosen, COMMANDS) or list(COMMANDS)
        parser.error(f"no command {chosen!r}; is it {' or '.join(near)}?")
    split = len(arguments) if chosen is None else arguments.index(chosen)
    parser.refuse_unknown(arguments[:split])
    if chosen is not None:
        commands[chosen].refuse_unknown(arguments[split + 1 :])
    parsed = parser.parse_args(arguments)
    subparser = commands[parsed.command]
    try:
        with _installed(subparser):
            status: int | None = parsed.run(parsed)
        return status or 0
    except InputError as error:
        subparser.error(str(error))


def _complete(line: str) -> None:
    """Tell a shell what may come next in a line, and exit."""
    try:
        import argcomplete
    except ImportError:
        return
    chosen = next((word for word in line.split()[1:] if not word.startswith("-")), None)
    argcomplete.autocomplete(_parser(chosen)[0])


@contextmanager
def _installed(parser: _Parser) -> Iterator[None]:
    """Say what to install where a module is missing."""
    try:
        yield
    except ImportError as error:
        name = (error.name or "").split(".")[0]
        if name not in EXTRAS:
            raise
        parser.error(f"{name} is not installed: pip install 'neural-collapse-theory[{EXTRAS[name]}]'")


def _parser(chosen: str | None) -> tuple[_Parser, dict[str, _Parser]]:
    """The whole parser, with the arguments of the chosen command only."""
    parser = _Parser(
        prog="nct",
        description=(
            "Neural collapse, computed: losses of the deep unconstrained features model and the ledger of claims."
        ),
        epilog="'nct COMMAND --help' describes a command. Completion in bash and zsh, with the extra 'completion': "
        'eval "$(register-python-argcomplete nct)"',
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
            with _installed(subparser):
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
