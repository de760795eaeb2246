"""How results show themselves: tables in a notebook, axes to draw on. Matplotlib is optional."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["NEEDS_MATPLOTLIB", "axes_of", "html_table"]

NEEDS_MATPLOTLIB = "plotting needs matplotlib: pip install 'neural-collapse-theory[plot]'"


def html_table(rows: Mapping[str, object], caption: str | None = None) -> str:
    """A table of names and values, for a notebook.

    Parameters
    ----------
    rows : mapping of str to object
        A value for each name.
    caption : str, optional
        What stands above it.

    Returns
    -------
    str

    Examples
    --------
    >>> html_table({"loss": 0.5}, "Minimum")
    '<table><caption>Minimum</caption><tr><th>loss</th><td>0.5</td></tr></table>'
    """
    head = "" if caption is None else f"<caption>{caption}</caption>"
    body = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows.items())
    return f"<table>{head}{body}</table>"


def axes_of(ax: Any = None) -> Any:
    """The axes given, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(NEEDS_MATPLOTLIB) from error
    return plt.subplots()[1]
