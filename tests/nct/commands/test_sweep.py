"""`nct dufm` and `nct sweep`: what they print, write and say to wrong input."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from nct import cli
from numerics import descent, sweep

TRAIN = ["dufm", "-K", "4", "-L", "3", "--weight-decay", "0.01", "--width", "6", "--seeds", "3,5", "--steps", "300"]


def train(**change):
    return descent.train(**{"K": 4, "L": 3, "lam": 0.01, "width": 6, "seeds": [3, 5], "steps": 300} | change)


class TestDufm:
    def test_table(self, nct):
        lines = nct(*TRAIN).splitlines()
        runs = train()
        assert lines[0] == "4 classes, 3 layers, widths 6 6 6: 2 runs of 300 steps"
        assert lines[1] == f"losses: DNC {runs.loss_dnc:.8g}"
        order = np.argsort(runs.losses)
        for line, i in zip(lines[4:6], order, strict=True):
            words = line.split()
            assert words[:3] == [str(runs.seeds[i]), f"{runs.losses[i]:.8g}", f"{runs.losses[i] / runs.loss_dnc:.4f}"]
            assert [int(w) for w in words[4:7]] == runs.ranks()[i].tolist()
        assert lines[-1].startswith("below DNC: ")

    def test_json_and_csv(self, nct):
        rows = json.loads(nct(*TRAIN, "--json"))
        assert {row["seed"]: row["loss"] for row in rows} == dict(zip((3, 5), train().losses, strict=True))
        table = list(csv.DictReader(nct(*TRAIN, "--csv").splitlines()))
        assert [float(row["loss"]) for row in table] == [row["loss"] for row in rows]
        assert [row["ranks"].split() for row in table] == [[str(r) for r in row["ranks"]] for row in rows]

    def test_files_and_options(self, nct, tmp_path):
        options = ["--polish", "--save", tmp_path / "runs.npz", "--plot", tmp_path / "runs.png", "-n", 2]
        nct(*TRAIN, *options, "--activation", "identity,relu", "--optimizer", "momentum", "--lr", 0.05)
        runs = descent.Runs.load(tmp_path / "runs.npz")
        expected = train(n=2, activation=["identity", "relu"], optimizer="momentum", lr=0.05).polish()
        np.testing.assert_array_equal(runs.losses, expected.losses)
        assert (tmp_path / "runs.png").read_bytes().startswith(b"\x89PNG")

    def test_runs_that_diverge(self, nct):
        text = nct(*TRAIN, "--lr", 1e4)
        assert text.count("diverged at step") == 2
        assert text.endswith("below DNC: 0 of 2;  diverged: 2\n")
        assert [row["loss"] for row in json.loads(nct(*TRAIN, "--lr", 1e4, "--json"))] == [None, None]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (["--width", 3], "width must be at least K = 4 in every layer, got 3"),
            (["--lr", 0], "lr must be positive and finite, got 0.0"),
            (["--activation", "tanh"], "activation must be"),
            (["--device", "abacus"], "device 'abacus' cannot be used"),
            (["--save", "/missing/runs.npz"], "No such file"),
            (["--steps", "many"], "argument --steps: invalid int value: 'many'"),
            (["--seeds", "a"], "argument --seeds: 'a' is neither an integer nor a range"),
            (["--optimizer", "lion"], "invalid choice: 'lion'"),
        ],
    )
    def test_wrong_input(self, complaint, change, message):
        assert message in complaint(*TRAIN, *change)


class TestSweep:
    def test_runs_continues_and_exports(self, nct, tmp_path):
        file, table = tmp_path / "a.db", tmp_path / "a.csv"
        grid = ["--weight-decay", "1e-3,1e-2", "-L", 3, "--width", 6, "--seeds", 3, "--steps", 100, "--workers", 1]
        text = nct("sweep", file, "-K", "3", *grid)
        assert text.splitlines()[-1] == "runs: 6 done"
        text = nct("sweep", file, "-K", "3:4", *grid, "--csv", table, "--json")
        summary = json.loads(text)
        assert [(s["K"], s["lam"], s["runs"]) for s in summary] == [(K, lam, 3) for K in (3, 4) for lam in (1e-3, 1e-2)]
        rows = sweep.Results(file).rows()
        assert summary[0]["lowest_loss"] == min(row["loss"] for row in rows[:3])
        assert summary[0]["mean_rank"] == np.mean([row["mean_rank"] for row in rows[:3]])
        with open(table, newline="") as lines:
            assert len(list(csv.DictReader(lines))) == 12
        assert json.loads(nct("sweep", file, "--json")) == summary

    def test_dask(self, nct, complaint, tmp_path, monkeypatch):
        distributed = pytest.importorskip("distributed")
        asked = []

        class Client:
            def __init__(self, address, timeout):
                asked.append(address)
                if "nowhere" in address:
                    raise TimeoutError(f"no scheduler at {address}")

            def __enter__(self):
                return self

            def __exit__(self, *exception):
                self.pool.shutdown()

            def get_executor(self):
                self.pool = ThreadPoolExecutor(1)
                return self.pool

        monkeypatch.setattr(distributed, "Client", Client)
        grid = ["-K", 3, "-L", 3, "--weight-decay", 1e-3, "--width", 6, "--seeds", 2, "--steps", 10]
        assert nct("sweep", tmp_path / "a.db", *grid, "--dask", "tcp://here:1").endswith("runs: 2 done\n")
        assert "no scheduler at nowhere" in complaint("sweep", tmp_path / "b.db", *grid, "--dask", "nowhere")
        assert asked == ["tcp://here:1", "nowhere"]

    def test_wrong_input(self, complaint, tmp_path):
        file = tmp_path / "a.db"
        assert "given together" in complaint("sweep", file, "-K", 3)
        assert "does not exist" in complaint("sweep", file)
        assert "width must be at least K = 80" in complaint("sweep", file, "-K", 80, "-L", 3, "--weight-decay", 1e-3)
        assert not file.exists()
        file.write_text("not a database" * 500)
        assert "damaged or not a sweep" in complaint("sweep", file)

    def test_help_is_complete(self, capsys):
        for command in ("dufm", "sweep"):
            with pytest.raises(SystemExit) as stop:
                cli.main([command, "--help"])
            assert stop.value.code == 0
            assert "examples:" in capsys.readouterr().out
