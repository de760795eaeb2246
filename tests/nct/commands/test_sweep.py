"""`nct sweep`: what it prints, exports and says to wrong input."""

import csv
import json
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest

from nct import cli
from numerics import sweep


def test_runs_continues_and_exports(nct, tmp_path):
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


def test_dask(nct, complaint, tmp_path, monkeypatch):
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


def test_wrong_input(complaint, tmp_path):
    file = tmp_path / "a.db"
    assert "given together" in complaint("sweep", file, "-K", 3)
    assert "path must be a file that exists" in complaint("sweep", file)
    assert "width must be an integer ≥ K = 80" in complaint("sweep", file, "-K", 80, "-L", 3, "--weight-decay", 1e-3)
    assert not file.exists()
    file.write_text("not a database" * 500)
    assert "damaged or not a sweep" in complaint("sweep", file)


GRID = [
    "-K",
    "3",
    "-L",
    "3",
    "--weight-decay",
    "1/1000",
    "--width",
    "6",
    "--seeds",
    "2",
    "--steps",
    "10",
    "--workers",
    "1",
]


def test_an_export_never_replaces_the_sweep(nct, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "a.csv"  # also where the ending does not give it away
    nct("sweep", file, *GRID)
    (tmp_path / "symbolic.csv").symlink_to(file)
    (tmp_path / "hard.csv").hardlink_to(file)
    before = file.read_bytes()
    for spelling in ("a.csv", "./a.csv", file, "symbolic.csv", "hard.csv"):
        for name in ("./a.csv", "symbolic.csv"):
            assert "--csv must be another file than" in complaint("sweep", name, "--csv", spelling)
    assert "--csv must be another file than" in complaint("sweep", "new.csv", *GRID, "--csv", "./new.csv")
    assert not (tmp_path / "new.csv").exists()
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--csv", "missing/a.csv"], "--csv must be in a folder that exists"),
        (["--csv", "a.db"], "--csv must end with '.csv'"),
        (["--parquet", "a.csv"], "--parquet must end with '.parquet'"),
        (["--csv", "."], "--csv must end with '.csv'"),
        (["--batch", "many"], "argument --batch: 'many' is not an integer"),
        (["--optimizer", "lion"], "optimizer"),
    ],
)
def test_nothing_is_done_before_the_exports_are_known_to_work(complaint, tmp_path, monkeypatch, change, message):
    monkeypatch.chdir(tmp_path)
    assert message in complaint("sweep", "b.db", *GRID, *change)
    assert list(tmp_path.iterdir()) == []


def test_parquet_without_pyarrow(complaint, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.chdir(tmp_path)
    assert "pip install 'neural-collapse-theory[parquet]'" in complaint(
        "sweep", "b.db", *GRID, "--parquet", "b.parquet"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", ["", ":memory:", "file:a?mode=memory", "file:///tmp/a.db"])
def test_a_sweep_is_a_file_on_disk(complaint, tmp_path, monkeypatch, file):
    monkeypatch.chdir(tmp_path)
    assert "must be the name of a file on disk" in complaint("sweep", file, *GRID)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt(nct, start_nct, tmp_path):
    file = tmp_path / "a.db"
    grid = ["-K", 3, "-L", 3, "--weight-decay", 1e-2, "--width", 6, "--workers", 1, "--batch", 1]
    process = start_nct("sweep", file, *grid, "--seeds", 2000, "--steps", 200, start_new_session=True)
    for _ in range(600):
        with suppress(OSError):  # not made yet, or not whole
            if process.poll() is not None or sweep.Results(file).counts()["done"]:
                break
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == f"nct sweep: stopped; what is finished is in {file}, and the same command goes on\n"
    done = sweep.Results(file).counts()["done"]
    assert 0 < done < 2000
    rows = sweep.Results(file).rows()
    nct("sweep", file, *grid, "--seeds", 2, "--steps", 200)
    assert sweep.Results(file).rows()[:done] == rows


def test_fractions_and_integral_floats_are_numbers(nct, tmp_path):
    nct("sweep", tmp_path / "a.db", *GRID, "--lr", "1/4", "--steps", "1e1")
    (row, *_) = sweep.Results(tmp_path / "a.db").rows()
    assert (row["lam"], row["lr"], row["steps"]) == (1e-3, 0.25, 10)


def test_an_interrupt_says_how_to_go_on(capsys, monkeypatch, tmp_path):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep, "run", interrupt)
    assert cli.main(["sweep", str(tmp_path / "a.db"), *GRID]) == 130
    printed = capsys.readouterr()
    kept = f"what is finished is in {tmp_path / 'a.db'}, and the same command goes on"
    assert (printed.out, printed.err) == ("", f"nct sweep: stopped; {kept}\n")
