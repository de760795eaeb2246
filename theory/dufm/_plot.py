"""Figures of solutions. Matplotlib is optional."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from theory.display import NEEDS_MATPLOTLIB

if TYPE_CHECKING:
    from jaxtyping import Float
    from matplotlib.figure import Figure

__all__ = ["plot_layers"]


def plot_layers(class_means: Mapping[int, Float[np.ndarray, "_d K"]], title: str) -> Figure:
    """Class means (top) and Gram matrices (bottom) of layers; each panel on a scale of its own, white at zero.

    Parameters
    ----------
    class_means : mapping of int to ndarray of shape (d_l, K)
        M_l by its layer l.
    title : str

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(NEEDS_MATPLOTLIB) from error
    figure = Figure(figsize=(2.6 * len(class_means), 5.4), layout="constrained")
    axes = figure.subplots(2, len(class_means), squeeze=False)
    for column, (l, means) in enumerate(class_means.items()):
        panels = {f"$M_{{{l}}}$": means, f"$M_{{{l}}}^\\top M_{{{l}}}$": means.T @ means}
        for axis, (name, matrix) in zip(axes[:, column], panels.items(), strict=True):
            top = float(np.abs(matrix).max()) or 1.0
            image = axis.imshow(matrix, cmap="RdBu_r", vmin=-top, vmax=top, interpolation="nearest")
            axis.set(title=name, xticks=[], yticks=[])
            figure.colorbar(image, ax=axis, shrink=0.7)
    figure.suptitle(title)
    return figure
