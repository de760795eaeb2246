"""The plot of a training, of runs and of a bare history."""

import builtins

import numpy as np
import pytest

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
