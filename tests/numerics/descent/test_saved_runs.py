"""Files of runs: what is saved is loaded again, also by what was before; damaged and foreign files."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from numerics import descent
from numerics.descent import Identity, ReLU, ReLUEpsilon

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def runs():
    return descent.train(4, 3, 2e-3, n=2, width=9, seeds=[3, 8, 5], steps=60, record=6)


def test_round_trip(runs, tmp_path):
    path = tmp_path / "runs.npz"
    runs.save(path)
    again = descent.Runs.load(path)
    assert again.problem == runs.problem
    assert (again.seeds, again.steps, again.settings) == (runs.seeds, runs.steps, runs.settings)
    assert all(torch.equal(a, b) for a, b in zip(again.parameters, runs.parameters, strict=True))
    np.testing.assert_array_equal(again.history.singular_values, runs.history.singular_values)
    assert [p.name for p in tmp_path.iterdir()] == ["runs.npz"]


def test_relaxed_activations_survive(tmp_path):
    runs = descent.train(3, 3, 1e-2, width=4, seeds=1, steps=3, activation=[Identity(), ReLUEpsilon(0.25, exponent=5)])
    runs.save(tmp_path / "a")
    assert descent.Runs.load(tmp_path / "a").problem == runs.problem


def test_damaged_and_foreign_files(runs, tmp_path):
    path = tmp_path / "runs.npz"
    runs.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="path must hold saved runs, and does not"):
        descent.Runs.load(path)
    path.write_text("steps,loss\n")
    with pytest.raises(ValueError, match="path must hold saved runs, and does not"):
        descent.Runs.load(path)
    np.savez(path, meta=np.array(json.dumps({"format": "neural-collapse-theory dufm runs, version 99"})))
    with pytest.raises(ValueError, match=r"its format is .*version 99.*this version reads .*version 1"):
        descent.Runs.load(path)
    np.savez(path, meta=np.array({"a": 1}, dtype=object))  # a pickle is not executed
    with pytest.raises(ValueError, match="allow_pickle"):
        descent.Runs.load(path)
    with pytest.raises(FileNotFoundError):
        descent.Runs.load(tmp_path / "missing.npz")


def test_a_failed_save_leaves_the_old_file(runs, tmp_path, monkeypatch):
    path = tmp_path / "runs.npz"
    runs[:1].save(path)

    def full(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        runs.save(path)
    monkeypatch.undo()
    assert len(descent.Runs.load(path)) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["runs.npz"]


def test_exact_regularisations_survive(tmp_path):
    lams = [Fraction(1, 300), "5e-4", 0.1, 1]
    runs = descent.train(3, 3, lams=lams, width=4, seeds=1, steps=3)
    runs.save(tmp_path / "a.npz")
    again = descent.Runs.load(tmp_path / "a.npz")
    assert again.problem == runs.problem
    assert again.problem.exact_lams[0] == Fraction(1, 300)
    assert again.loss_dnc == runs.loss_dnc


@pytest.mark.any_type
def test_everything_that_train_takes_can_be_saved(tmp_path):
    options = {"betas": [Fraction(1, 2), "0.9"], "epsilon": np.float32(0.25)}
    runs = descent.train(
        3, 3, "1e-2", width=np.int64(4), seeds=np.arange(2), steps=np.int16(3), lr=Fraction(1, 8), optimizer="adam",
        optimizer_options=options, init_scale=np.array([1, 2, 1, 1]),
    )  # fmt: skip
    runs.polish(eps=np.float32(1e-2)).save(tmp_path / "a.npz")
    settings = descent.Runs.load(tmp_path / "a.npz").settings
    assert settings["optimizer_options"] == {"betas": [0.5, 0.9], "epsilon": 0.25}
    assert settings["init_scale"] == [1, 2, 1, 1]
    assert settings["polished"]["eps"] == float(np.float32(1e-2))


def test_files_of_before_the_problem_was_that_of_theory():
    """Written by the code that had a problem and activations of its own: three runs, of which two diverged."""
    stored = json.loads((DATA / "format1.json").read_text())
    runs = descent.Runs.load(DATA / "runs_format1.npz")
    lost = np.array([loss is None for loss in stored["losses"]])
    assert runs.status == ("finished", "diverged", "diverged")
    assert runs.diverged_at.tolist() == stored["diverged_at"]
    assert list(runs.seeds) == stored["seeds"]
    assert runs.problem.activations == (ReLU(), Identity(), ReLUEpsilon(0.25))
    assert runs.problem.widths == (6, 4, 5, 4)
    assert runs.settings["init_scale"] == 1.4
    for name in ("losses", "gradient_norms"):
        value = getattr(runs, name)
        value = value() if callable(value) else value
        np.testing.assert_allclose(value[~lost], [x for x in stored[name] if x is not None], rtol=1e-12)
        assert np.isinf(value[lost]).all()
    assert runs.ranks().tolist() == stored["ranks"]
    np.testing.assert_allclose(runs.dnc1()[~lost], np.array(stored["dnc1_final"])[~lost], rtol=1e-10)
    assert runs.history.steps.tolist() == stored["history_steps"]
    np.testing.assert_allclose(runs.history.loss[-1], runs.losses, rtol=1e-12)
    again = descent.train(
        4, 4, 1e-2, n=2, width=[6, 4, 5, 4], seeds=[0], steps=60, lr=2.0, init_scale=1.4,
        activation=["relu", "identity", "relu_eps"], eps=0.25, record=4,
    )  # fmt: skip
    np.testing.assert_allclose(again.losses, runs.losses[:1], rtol=1e-8)
