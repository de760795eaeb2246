"""What the commands say while they work: bars and messages, on standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Update", "progress", "say"]


class Update(Protocol):
    """A function that moves a bar."""

    def __call__(self, done: float | None = None, total: float | None = None, text: str | None = None) -> None:
        """Show that so much is done, of so much, and a few words; what is not given stays."""


@contextmanager
def progress(text: str, total: float | None = None, *, done: float = 0, shown: bool = True) -> Iterator[Update]:
    """Show a bar while work goes on, if standard error is a terminal.

    Parameters
    ----------
    text : str
        What is being done.
    total : float, optional
        How much there is to do; a bar without end by default.
    done : float
        How much of it is done.
    shown : bool
        Whether to show it at all.

    Yields
    ------
    Update

    Examples
    --------
    >>> with progress("adding", 10) as update:
    ...     for i in range(10):
    ...         update(i + 1)
    """
    if not shown or sys.stderr is None or not sys.stderr.isatty():
        yield lambda done=None, total=None, text=None: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    words = TextColumn("{task.description}", markup=False)
    with Progress(*columns, words, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=total, completed=done)  # type: ignore[arg-type]

        def update(done: float | None = None, total: float | None = None, text: str | None = None) -> None:
            bar.update(task, completed=done, total=total, description=text)

        yield update


def say(message: str, command: str = "") -> None:
    """Print a line to standard error, where there is one.

    Parameters
    ----------
    message : str
        What there is to say.
    command : str
        The command that says it.
    """
    if sys.stderr is not None:  # print would take standard output instead
        print(f"nct{command and ' '}{command}: {' '.join(message.split())}", file=sys.stderr)
