"""The paper's Figure 2 for a set of runs: losses, DNC1 and singular values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from numerics.descent._closed_forms import loss_dnc, loss_srg
from numerics.descent._history import History
from theory.foreign import entries
from theory.ufm import Problem
from theory.wording import wrong_type

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot"]


def plot(problem: Problem, history: History, seeds: Sequence[int]) -> Figure:
    """Plot a training from its history; `Runs.plot` does it for runs.

    Parameters
    ----------
    problem : Problem
        The problem.
    history : History
        Of some runs; those that diverged are left out.
    seeds : sequence of int
        Their seeds.

    Returns
    -------
    matplotlib.figure.Figure
        Left, the loss of every run against those of DNC and SRG. Middle, with several samples a class, DNC1 by layer;
        with one it is zero, and the panel is left out. Right, the singular values of the class means of the best run
        by layer.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError
        If every run diverged.

    References
    ----------
    lowrank, Figure 2 (top).
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("Runs.plot needs matplotlib: pip install 'neural-collapse-theory[plot]'") from error
    several = entries(seeds)
    if several is None or len(several) != history.loss.shape[-1]:
        raise wrong_type("seeds", seeds, "seeds must be those of the runs of the history")
    kept = np.flatnonzero(np.isfinite(history.loss[-1]))
    if len(kept) == 0:
        raise ValueError(f"all {len(several)} runs diverged; there must be one that did not")
    panels = 3 if problem.n > 1 else 2
    figure = Figure(figsize=(4 * panels, 3.4), layout="constrained")
    left, *middle, right = figure.subplots(1, panels)
    _losses(left, problem, history.select(kept))
    for axes in middle:
        _collapse(axes, history.select(kept))
    best = int(history.loss[-1].argmin())
    _spectrum(right, history.singular_values[-1, best], several[best])
    return figure


def _losses(axes: Axes, problem: Problem, history: History) -> None:
    axes.plot(history.steps, history.loss, color="C0", linewidth=0.6, alpha=0.6)
    axes.axhline(loss_dnc(problem), color="C3", linestyle="--", label="DNC")
    srg = loss_srg(problem)
    if srg is not None:
        axes.axhline(srg, color="C2", linestyle=":", label="SRG")
    if len(history.steps) > 1 and history.steps[-1] == history.steps[-2]:
        ends = np.full(len(history.loss[-1]), history.steps[-1])
        axes.plot(ends, history.loss[-1], "C0o", markersize=3, clip_on=False, label="polished")
    axes.set(yscale="log", ylabel="loss", title="Training loss")
    _by_step(axes, history)


def _collapse(axes: Axes, history: History) -> None:
    dnc1 = np.median(history.dnc1, axis=1)
    for l, values in enumerate(dnc1.T, 1):
        axes.plot(history.steps, values, label=f"layer {l}")
    positive = bool((dnc1 > 0).any())
    axes.set(yscale="log" if positive else "linear", title="DNC1, median of the runs")
    _by_step(axes, history)


def _by_step(axes: Axes, history: History) -> None:
    axes.set(xscale="symlog", xlabel="step", xlim=(0, max(1, history.steps[-1])))
    axes.legend()


def _spectrum(axes: Axes, values: np.ndarray, seed: int) -> None:
    for l, layer in enumerate(values, 1):
        axes.plot(np.arange(1, len(layer) + 1), layer, marker="o", markersize=3, label=f"layer {l}")
    axes.set(xlabel="index", title=f"Singular values, seed {seed}")
    axes.locator_params(axis="x", integer=True)
    axes.legend()
