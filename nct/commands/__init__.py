"""The subcommands of `nct`, one module each.

A module has two functions, ``add_arguments(parser)`` and ``run(arguments)``, and is listed in `nct.cli.COMMANDS`. It
is imported only when its command is called. `run` prints to standard output and wraps what depends on the user's input
in `wrong_input`, or raises `InputError`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["InputError", "wrong_input"]


class InputError(Exception):
    """Input that cannot be served; `nct` prints it as one line and exits with status 2."""


@contextmanager
def wrong_input() -> Iterator[None]:
    """Turn the errors that the library raises for wrong arguments into an `InputError`.

    Raises
    ------
    InputError
        In place of a ValueError, TypeError or OSError, and where there is not enough memory.

    Examples
    --------
    >>> with wrong_input():
    ...     raise ValueError("K = 5; K must be an integer ≥ 6")
    Traceback (most recent call last):
    ...
    nct.commands.InputError: K = 5; K must be an integer ≥ 6
    """
    try:
        yield
    except (ValueError, TypeError, OSError) as error:
        raise InputError(str(error)) from error
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or "memory" in str(error):  # torch's own have no class of theirs on a CPU
            raise InputError(f"there is not enough memory for this: {error}") from error
        raise
