"""Ctrl-C in the middle of a training: what all runs have reached is handed out."""

import pickle
from typing import ClassVar

import numpy as np
import pytest
import torch

from numerics import descent
from numerics.descent import Network


class TestInterrupt:
    ARGUMENTS: ClassVar = {"K": 6, "L": 3, "lam": 2e-3, "width": 17, "seeds": 9, "record": [0, 100, 700, 2000]}

    def interrupted(self, after, optimizer="gd", lr=0.5):
        """Train with a Ctrl-C after that many calls of progress."""
        calls = []

        def progress(done, total):
            calls.append((done, total))
            if len(calls) == after:
                raise KeyboardInterrupt

        with pytest.raises(descent.Interrupted) as stop:
            descent.train(**self.ARGUMENTS | {"steps": 2000, "optimizer": optimizer, "lr": lr, "progress": progress})
        return stop.value.runs, calls

    @pytest.mark.parametrize("optimizer", ["gd", "adam"])
    def test_the_runs_are_those_of_a_shorter_training(self, monkeypatch, optimizer):
        monkeypatch.setattr("numerics.descent._tile._TILE_BYTES", 60_000)  # several tiles
        calls = []
        descent.train(**self.ARGUMENTS | {"steps": 1, "record": [0]}, progress=lambda *call: calls.append(call))
        tiles = len(calls)
        assert tiles > 2
        # Segments end at 100, 600, 700, 1200 …; the third is interrupted after its second tile.
        runs, _ = self.interrupted(2 * tiles + 2, optimizer, 0.01)
        assert runs.steps == 600
        change = {"record": [0, 100], "steps": 600, "optimizer": optimizer, "lr": 0.01}
        shorter = descent.train(**self.ARGUMENTS | change)
        for a, b in zip(runs.parameters, shorter.parameters, strict=True):
            assert torch.equal(a, b)
        assert runs.history.steps.tolist() == [0, 100, 600]
        np.testing.assert_array_equal(runs.history.loss, shorter.history.loss)
        np.testing.assert_array_equal(runs.losses, shorter.losses)

    def test_in_the_middle_of_a_step(self, monkeypatch):
        count = 0
        descend = Network.descend

        def once(network, *arguments):
            nonlocal count
            count += 1
            if count == 150:
                network.parameters[0] += 1
                raise KeyboardInterrupt
            return descend(network, *arguments)

        monkeypatch.setattr(Network, "descend", once)
        with pytest.raises(KeyboardInterrupt) as stop:
            descent.train(**self.ARGUMENTS | {"steps": 2000})
        monkeypatch.undo()
        shorter = descent.train(**self.ARGUMENTS | {"steps": 100, "record": [0]})
        assert stop.value.runs.steps == 100
        np.testing.assert_array_equal(stop.value.runs.losses, shorter.losses)

    def test_a_divergence_after_that_step_is_forgotten_and_one_before_is_kept(self):
        arguments = {"K": 10, "L": 4, "lam": 6e-3, "seeds": 12, "width": 20, "init_scale": 1.75, "steps": 1200}
        whole = descent.train(**arguments, record=[0])
        middle = int(whole.diverged_at[whole.diverged_at >= 0].min()) + 1

        def progress(done, total):
            if done > 12 * middle:
                raise KeyboardInterrupt

        with pytest.raises(descent.Interrupted) as stop:
            descent.train(**arguments, record=[0, middle], progress=progress)
        runs = stop.value.runs
        assert runs.steps == middle
        expected = np.where(whole.diverged_at <= middle, whole.diverged_at, -1)
        assert 0 < (expected >= 0).sum() < (whole.diverged_at >= 0).sum()
        np.testing.assert_array_equal(runs.diverged_at, expected)
        assert all(bool(p.isfinite().all()) for p in runs.parameters)
        np.testing.assert_array_equal(np.isinf(runs.history.loss[-1]), expected >= 0)

    def test_progress_counts_every_update_and_the_exception_pickles(self):
        calls = []
        descent.train(**self.ARGUMENTS | {"steps": 700, "record": [100]}, progress=lambda *call: calls.append(call))
        assert calls == [(9 * step, 9 * 700) for step in (100, 600, 700)]
        runs, _ = self.interrupted(1)
        assert runs.steps == 0
        assert pickle.loads(pickle.dumps(descent.Interrupted(runs))).runs.steps == 0
