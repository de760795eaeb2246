"""Progress, and the tables that results are exported to."""

import builtins
import csv
import json

import pytest
from sweeps import SMALL, run


def test_progress(tmp_path, capsys):
    seen = []
    run(tmp_path / "a.db", in_flight=2, progress=seen.append)
    assert seen[-1].done == seen[-1].total == 24
    assert seen[-1].seconds_left == 0
    assert all(p.rate > 0 for p in seen)
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    run(tmp_path / "b.db", progress=True)
    assert "24 of 24 runs" in capsys.readouterr().err


def test_progress_is_of_the_grid(tmp_path):
    seen = []
    run(tmp_path / "a.db", SMALL | {"K": 2})
    run(tmp_path / "a.db", SMALL | {"K": 3, "seeds": 2}, progress=seen.append)
    assert (seen[-1].done, seen[-1].total) == (4, 4)


def test_csv(tmp_path, expected):
    run(tmp_path / "a.db").to_csv(tmp_path / "a.csv")
    with open(tmp_path / "a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(r["loss"]) for r in rows] == [r["loss"] for r in expected]
    assert [json.loads(r["ranks"]) for r in rows] == [json.loads(r["ranks"]) for r in expected]
    assert rows[0]["loss_srg"] == ""


def test_parquet(tmp_path, expected):
    parquet = pytest.importorskip("pyarrow.parquet")
    run(tmp_path / "a.db").to_parquet(tmp_path / "a.parquet")
    assert parquet.read_table(tmp_path / "a.parquet").to_pylist() == expected


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    results, real = run(tmp_path / "a.db", SMALL | {"K": 2, "lam": 1e-3}), builtins.__import__

    def missing(name, *arguments, **keywords):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match="needs pyarrow: pip install"):
        results.to_parquet(tmp_path / "a.parquet")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_export_never_replaces_the_sweep(tmp_path, monkeypatch, form, expected):
    results = run(tmp_path / "a.db")
    (tmp_path / "link").symlink_to("a.db")
    (tmp_path / "hard").hardlink_to(tmp_path / "a.db")
    monkeypatch.chdir(tmp_path)
    for name in (tmp_path / "a.db", "a.db", "./x/../a.db", "link", "hard"):
        with pytest.raises(ValueError, match="must be another file than"):
            getattr(results, f"to_{form}")(name)
    assert results.rows() == expected
