"""The paper's Figure 2 for a set of runs: losses, DNC1 and singular values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from numerics.descent._runs import Runs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot"]


def plot(runs: Runs) -> Figure:
    """Plot the training of some runs.

    Parameters
    ----------
    runs : Runs
        Those that diverged are left out.

    Returns
    -------
    matplotlib.figure.Figure
        Left, the loss of every run against those of DNC and SRG. Middle, DNC1 by layer (nothing to see for one
        sample a class). Right, the singular values of the class means of the best run by layer.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError
        If every run diverged.

    References
    ----------
    `lowrank`, Figure 2 (top).
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("Runs.plot needs matplotlib: pip install 'neural-collapse-theory[plot]'") from error
    kept = runs[runs.diverged_at < 0]
    if len(kept) == 0:
        raise ValueError(f"runs must hold a run that did not diverge; all {len(runs)} did")
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    _losses(left, kept)
    _collapse(middle, kept)
    _spectrum(right, kept.best)
    return figure


def _losses(axes: Axes, runs: Runs) -> None:
    steps = runs.history.steps
    axes.plot(steps, runs.history.loss, color="C0", linewidth=0.6, alpha=0.6)
    axes.axhline(runs.loss_dnc, color="C3", linestyle="--", label="DNC")
    if runs.loss_srg is not None:
        axes.axhline(runs.loss_srg, color="C2", linestyle=":", label="SRG")
    axes.set(xscale="symlog", yscale="log", xlabel="step", ylabel="loss", title="Training loss")
    axes.legend()


def _collapse(axes: Axes, runs: Runs) -> None:
    dnc1 = np.median(runs.history.dnc1, axis=1)
    for l in range(1, runs.problem.L + 1):
        axes.plot(runs.history.steps, dnc1[:, l - 1], label=f"layer {l}")
    positive = bool((dnc1 > 0).any())
    axes.set(xscale="symlog", yscale="log" if positive else "linear", xlabel="step", title="DNC1, median of the runs")
    axes.legend()


def _spectrum(axes: Axes, best: Runs) -> None:
    for l in range(1, best.problem.L + 1):
        values = best.singular_values[0, l - 1]
        axes.plot(np.arange(1, len(values) + 1), values, marker="o", markersize=3, label=f"layer {l}")
    axes.set(xlabel="index", title=f"Singular values of the class means, seed {best.seeds[0]}")
    axes.legend()
