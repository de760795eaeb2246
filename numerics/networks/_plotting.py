"""Collapse by epoch and by layer, as a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_history"]


def plot_history(
    epochs: Sequence[float], layers: Sequence[Mapping[str, Mapping[str, float]]], measures: Sequence[str]
) -> Figure:
    """Plot measures by epoch (above, a line a layer) and by layer (below, a line for up to five of the epochs).

    Parameters
    ----------
    epochs : sequence of float
        When.
    layers : sequence of mappings
        For each epoch, measures by layer; layers in the network's order.
    measures : sequence of str
        One column of panels each; a layer that lacks one is left out of it.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError
        If there is nothing to plot, or no layer has a measure.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plot needs matplotlib: pip install 'neural-collapse-theory[plot]'") from error
    if not epochs:
        raise ValueError("the history has no epoch that was measured; there must be one to plot")
    known = {measure: None for record in layers for values in record.values() for measure in values}
    for measure in measures:
        if measure not in known:
            raise ValueError(f"measures contains {measure!r}; each must be one of {list(known)}")
    figure = Figure(figsize=(3.6 * len(measures) + 0.8, 6.0), layout="constrained")
    panels = figure.subplots(2, len(measures), squeeze=False)
    for measure, by_epoch, by_layer in zip(measures, *panels, strict=True):
        table = {
            name: np.array([record[name].get(measure, np.nan) if name in record else np.nan for record in layers])
            for name in layers[-1]
            if measure in layers[-1][name]
        }
        colours = {name: f"C{index}" for index, name in enumerate(layers[-1])}
        _by_epoch(by_epoch, measure, epochs, table, colours)
        _by_layer(by_layer, epochs, table)
    for row, title in zip(panels, ("layer", "epoch"), strict=True):
        _legend(row, title)
    return figure


def _by_epoch(
    axes: Axes,
    measure: str,
    epochs: Sequence[float],
    table: Mapping[str, np.ndarray],
    colours: Mapping[str, str],
) -> None:
    for name, values in table.items():
        axes.plot(epochs, values, label=name, color=colours[name], marker="." if len(epochs) < 20 else None)
    axes.set(title=measure, xlabel="epoch")
    _scale(axes, table)


def _by_layer(axes: Axes, epochs: Sequence[float], table: Mapping[str, np.ndarray]) -> None:
    for index in np.unique(np.linspace(0, len(epochs) - 1, 5).round().astype(int)):
        axes.plot(list(table), [values[index] for values in table.values()], marker=".", label=f"{epochs[index]:g}")
    axes.tick_params(axis="x", rotation=60, labelsize="x-small")
    axes.set(xlabel="layer")
    _scale(axes, table)


def _scale(axes: Axes, table: Mapping[str, np.ndarray]) -> None:
    """Measures are plotted in logarithms, unless one is zero."""
    values = np.concatenate([values[np.isfinite(values)] for values in table.values()] or [np.zeros(1)])
    if values.size and values.min() > 0:
        axes.set_yscale("log")


def _legend(row: Sequence[Axes], title: str) -> None:
    """One legend for a row of panels, to the right of it."""
    lines = {str(line.get_label()): line for axes in row for line in axes.get_lines()}
    row[-1].legend(
        list(lines.values()), list(lines), title=title, fontsize="x-small", loc="upper left", bbox_to_anchor=(1.02, 1.0)
    )
