"""The rows of a sweep: what training gives, one for each setting and seed, whatever the batch and the executor."""

import json

import numpy as np
import pytest
import torch
from sweeps import RUNS, SMALL, Inline, run

from numerics import descent, sweep
from numerics.sweep import Grid


class TestNumbers:
    def test_are_those_of_training(self, expected):
        assert len(expected) == RUNS
        assert [(r["K"], r["lam"], r["seed"]) for r in expected] == [
            (K, lam, seed) for K in (2, 3) for lam in (1e-3, 1e-2) for seed in range(6)
        ]
        runs = descent.train(3, 3, 1e-2, width=4, seeds=[2, 3], steps=60, dtype=torch.float32)
        rows = [r for r in expected if (r["K"], r["lam"]) == (3, 1e-2) and r["seed"] in (2, 3)]
        for i, row in enumerate(rows):
            assert row["loss"] == runs.losses[i]
            assert json.loads(row["ranks"]) == runs.ranks()[i].tolist()
            assert row["mean_rank"] == runs.ranks()[i, 1]
            assert row["gradient_norm"] == runs.gradient_norms()[i]
            assert json.loads(row["negativity"]) == runs.negativity()[i].tolist()
            assert (row["kind"], row["status"]) == (runs.recognise()[i].kind, "finished")
            assert row["loss_dnc"] == runs.loss_dnc

    def test_a_diverged_run_has_no_loss(self, tmp_path):
        rows = run(tmp_path / "a.db", SMALL | {"K": 4, "lam": 1e-3, "lr": 5000.0, "seeds": 1}).rows()
        assert (rows[0]["status"], rows[0]["loss"], rows[0]["kind"]) == ("diverged", None, None)
        assert rows[0]["diverged_at"] > 0

    def test_what_is_not_defined_is_null(self, tmp_path):
        """Regularisation so strong that everything decays to exactly zero."""
        rows = run(tmp_path / "a.db", SMALL | {"K": 3, "lam": 1.0, "lr": 1.0, "seeds": 1, "steps": 4000}).rows()
        assert rows[0]["loss"] == 0.5
        assert json.loads(rows[0]["dnc1"]) == [None] * 3
        assert (json.loads(rows[0]["ranks"]), rows[0]["kind"]) == ([0, 0, 0], "zero")

    def test_polished(self, tmp_path, expected):
        rows = run(tmp_path / "a.db", SMALL | {"K": 3, "lam": 1e-2, "polish": True, "seeds": 2}).rows()
        rough = [r for r in expected if (r["K"], r["lam"]) == (3, 1e-2)][:2]
        assert all(a["loss"] < b["loss"] and a["polished"] for a, b in zip(rows, rough, strict=True))

    def test_local_processes(self, tmp_path, expected):
        assert sweep.run(tmp_path / "a.db", Grid(**SMALL), workers=2).rows() == expected

    @pytest.mark.parametrize("batch", [1, 5, 100])
    def test_do_not_depend_on_the_batch(self, tmp_path, expected, batch):
        assert run(tmp_path / "a.db", SMALL | {"batch": batch}).rows() == expected

    def test_do_not_depend_on_the_batch_at_other_sizes(self, tmp_path):
        wide = {"K": [3, 10], "L": 4, "lam": 6e-3, "width": 20, "seeds": 7, "steps": 100}
        alone, together = (run(tmp_path / f"{batch}.db", wide | {"batch": batch}).rows() for batch in (1, 16))
        assert alone == together

    def test_of_polished_runs_depend_on_the_batch_by_rounding_only(self, tmp_path):
        """A run that has ended stays while others go on, but for steps that rounding allows."""
        grid = SMALL | {"K": 3, "lam": 1e-2, "seeds": 3, "polish": True}
        alone, together = (run(tmp_path / f"{batch}.db", grid | {"batch": batch}).rows() for batch in (1, 16))
        np.testing.assert_allclose([r["loss"] for r in alone], [r["loss"] for r in together], rtol=1e-6)


class TestOneRowForEachRun:
    def test_more_seeds_train_only_what_is_new(self, tmp_path):
        pool, grid = Inline(), SMALL | {"K": 3, "lam": 1e-3, "batch": 16}
        sweep.run(tmp_path / "a.db", Grid(**grid | {"seeds": 20}), executor=pool)
        first = sweep.Results(tmp_path / "a.db").rows()
        pool.tasks.clear()
        results = sweep.run(tmp_path / "a.db", Grid(**grid | {"seeds": 24}), executor=pool)
        assert pool.runs() == [(3, 1e-3, seed) for seed in (20, 21, 22, 23)]
        assert results.rows()[:20] == first
        assert [row["seed"] for row in results.rows()] == list(range(24))
        assert results.rows() == run(tmp_path / "b.db", grid | {"seeds": 24}).rows()

    def test_another_batch_or_order_repeats_nothing(self, tmp_path, expected):
        pool = Inline()
        for change in ({}, {"batch": 5}, {"batch": 1}, {"seeds": [4, 2, 0]}, {"lam": [1e-2, 1e-3]}, {"K": 3}):
            results = sweep.run(tmp_path / "a.db", Grid(**SMALL | change), executor=pool)
            assert len(pool.runs()) == len(set(pool.runs())) == RUNS
            assert results.rows() == expected

    def test_a_larger_grid_adds(self, tmp_path, expected):
        pool = Inline()
        sweep.run(tmp_path / "a.db", Grid(**SMALL | {"K": 2, "seeds": [1, 5]}), executor=pool)
        assert sweep.run(tmp_path / "a.db", Grid(**SMALL), executor=pool).rows() == expected
        assert len(pool.runs()) == len(set(pool.runs())) == RUNS

    def test_names_that_are_wanted_later(self, tmp_path):
        pool, grid = Inline(), SMALL | {"K": 3, "lam": 1e-3, "seeds": 3}
        plain = sweep.run(tmp_path / "a.db", Grid(**grid | {"recognise": False}), executor=pool)
        assert {row["kind"] for row in plain.rows()} == {None}
        named = sweep.run(tmp_path / "a.db", Grid(**grid), executor=pool)
        assert named.rows() == run(tmp_path / "b.db", grid).rows()
        sweep.run(tmp_path / "a.db", Grid(**grid | {"recognise": False}), executor=pool)
        assert len(pool.runs()) == 6

    def test_a_diverged_run_is_not_done_again_for_its_name(self, tmp_path):
        pool, grid = Inline(), SMALL | {"K": 4, "lam": 1e-3, "lr": 5000.0, "seeds": 2}
        for recognise in (False, True, True):
            sweep.run(tmp_path / "a.db", Grid(**grid | {"recognise": recognise}), executor=pool)
        assert len(pool.runs()) == 2


class TestLeftovers:
    @pytest.fixture
    def path(self, tmp_path):
        """A sweep that was stopped after 4 of its 24 runs."""

        def stop(progress):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "a.db", in_flight=1, progress=stop)
        return tmp_path / "a.db"

    def test_are_left_by_another_grid(self, path):
        before = sweep.Results(path).counts()
        assert 0 < before["done"] < RUNS
        pool = Inline()
        results = sweep.run(path, Grid(**SMALL | {"K": 4, "seeds": 1}), executor=pool)
        assert pool.runs() == [(4, 1e-3, 0), (4, 1e-2, 0)]
        assert results.counts() == {"waiting": before["waiting"], "running": 0, "done": before["done"] + 2, "failed": 0}

    def test_are_done_when_asked_for(self, path, expected):
        rows = run(path, SMALL | {"K": 4, "seeds": 1}, leftovers=True).rows()
        assert rows[:RUNS] == expected
        assert [row["K"] for row in rows[RUNS:]] == [4, 4]

    def test_failures_of_another_grid_are_not_complained_of(self, tmp_path):
        def broken(text):
            raise ArithmeticError("planted")

        with pytest.raises(sweep.SweepError, match="planted"):
            sweep.run(tmp_path / "a.db", Grid(**SMALL | {"K": 2}), executor=Inline(broken))
        assert run(tmp_path / "a.db", SMALL | {"K": 3}).counts() == {
            "waiting": 0,
            "running": 0,
            "done": 12,
            "failed": 12,
        }
