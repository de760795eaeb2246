"""Figures of solutions. Matplotlib is optional."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from theory.dufm._solution import Solution

__all__ = ["plot_solution"]


def plot_solution(solution: Solution) -> Figure:
    """Class means (top) and Gram matrices (bottom) of layers 2, …, L; each panel on a scale of its own, white at zero."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        message = "plotting needs matplotlib: pip install 'neural-collapse-theory[plot]'"
        raise ImportError(message) from error
    layers = range(2, solution.L + 1)
    figure = Figure(figsize=(2.6 * len(layers), 5.4), layout="constrained")
    axes = figure.subplots(2, len(layers), squeeze=False)
    for column, l in enumerate(layers):
        for row, (title, matrix) in enumerate(
            [(f"$M_{{{l}}}$", solution.class_means(l)), (f"$M_{{{l}}}^\\top M_{{{l}}}$", solution.gram(l))]
        ):
            top = float(np.abs(matrix).max()) or 1.0
            image = axes[row, column].imshow(matrix, cmap="RdBu_r", vmin=-top, vmax=top, interpolation="nearest")
            axes[row, column].set(title=title, xticks=[], yticks=[])
            figure.colorbar(image, ax=axes[row, column], shrink=0.7)
    figure.suptitle(f"{solution.name}, K = {solution.K}, L = {solution.L}: loss {solution.loss:.6g}")
    return figure
