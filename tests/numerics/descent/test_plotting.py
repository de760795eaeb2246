"""The plot of a training, of runs and of a bare history."""

import builtins

import numpy as np
import pytest
import torch
from figures import faults
from matplotlib.backends.backend_agg import FigureCanvasAgg

from numerics import descent


@pytest.fixture(scope="module")
def runs():
    return descent.train(4, 3, 2e-3, n=2, width=9, seeds=[3, 8, 5], steps=300, record=6)


def test_shows_losses_collapse_and_spectrum(runs):
    figure = runs.plot()
    left, middle, right = figure.axes
    assert len(left.lines) == len(runs) + 1  # the runs and DNC; K = 4 has no SRG
    assert len(middle.lines) == len(right.lines) == 3
    np.testing.assert_array_equal(right.lines[0].get_ydata(), runs.best.singular_values[0, 0])


def test_of_a_history_by_itself(runs):
    whole, bare = runs.plot(), descent.plot(runs.problem, runs.history, runs.seeds)
    for a, b in zip(whole.axes, bare.axes, strict=True):
        for left, right in zip(a.lines, b.lines, strict=True):
            np.testing.assert_array_equal(left.get_ydata(), right.get_ydata())


def test_one_sample_a_class_has_no_dnc1_to_draw():
    runs = descent.train(4, 3, 2e-3, n=1, width=9, seeds=2, steps=300, record=6)
    left, right = runs.plot().axes
    assert len(left.lines) == 3
    assert "DNC1" not in left.get_title() + right.get_title()


@pytest.mark.parametrize("n", [1, 2])
def test_polished_runs_keep_the_history_of_their_training(n):
    runs = descent.train(4, 3, 2e-3, n=n, width=9, seeds=2, steps=300, record=6)
    polished = runs.polish(max_steps=50)
    assert polished.history.steps.tolist() == [*runs.history.steps, 300]
    for name in ("loss", "dnc1", "singular_values"):
        np.testing.assert_array_equal(getattr(polished.history, name)[:-1], getattr(runs.history, name))
    np.testing.assert_array_equal(polished.history.loss[-1], polished.losses)
    np.testing.assert_array_equal(polished.history.singular_values[-1], polished.singular_values)
    for axes in polished.plot().axes[:-1]:
        drawn = [line for line in axes.lines if len(line.get_xdata()) == len(polished.history.steps)]
        assert len(drawn) == (2 if axes.get_title() == "Training loss" else 3)
        assert all(np.ptp(line.get_ydata()) > 0 for line in drawn)
    (ends,) = [line for line in polished.plot().axes[0].lines if line.get_label() == "polished"]
    np.testing.assert_array_equal(ends.get_ydata(), polished.losses)


def test_nothing_of_a_figure_is_cut_off(runs):
    figure = runs.polish(max_steps=5).plot()
    FigureCanvasAgg(figure).draw()
    for axes in figure.axes:
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
            box = text.get_window_extent()
            assert 0 <= box.x0
            assert box.x1 <= figure.bbox.x1
        assert axes.get_xlim()[0] >= 0


def test_leaves_out_what_diverged():
    runs = descent.train(10, 4, 6e-3, seeds=12, width=20, steps=60, lr=0.5, init_scale=1.75, record=3)
    alive = runs.diverged_at < 0
    assert 0 < alive.sum() < 12
    assert len(runs.plot().axes[0].lines) == alive.sum() + 2  # DNC and SRG
    with pytest.raises(ValueError, match=f"all {12 - alive.sum()} runs diverged; there must be one that did not"):
        runs[~alive].plot()


def test_without_matplotlib(runs, monkeypatch):
    real = builtins.__import__

    def no_matplotlib(name, *arguments, **keywords):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", no_matplotlib)
    with pytest.raises(ImportError, match="needs matplotlib: pip install"):
        runs.plot()


def test_is_legible(runs):
    assert faults(runs.plot()) == []
    seldom = descent.train(
        10, 4, 6e-3, n=2, seeds=[10**6], width=20, steps=3000, lr=0.5, record=20, dtype=torch.float32
    )
    assert faults(seldom.plot()) == []
