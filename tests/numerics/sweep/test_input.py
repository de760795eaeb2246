"""Wrong grids, options and places are refused before any work, and before a file is made."""

import os

import numpy as np
import pytest
from sweeps import RUNS, SMALL, run

from numerics import sweep
from numerics.sweep import Grid, SweepError

pytestmark = pytest.mark.any_type


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"K": []}, ValueError, r"K = \[\]; K must hold at least one value"),
        ({"K": [3, 3]}, ValueError, "must not repeat a value"),
        ({"K": "10"}, TypeError, "K = '10' is a str; K must be an integer ≥ 2"),
        ({"K": [2, 2.5]}, ValueError, r"K = 2\.5; K must be an integer ≥ 2"),
        ({"K": [2, 5]}, ValueError, "width = 4; width must be .*≥ K = 5"),
        ({"lam": [1e-3, 0]}, ValueError, "lam = 0; lam must be .*> 0"),
        ({"lr": -1}, ValueError, "lr = -1; lr must be .*> 0"),
        ({"seeds": 0}, ValueError, "seeds = 0; seeds must be an integer ≥ 1"),
        ({"seeds": [0, 2**63]}, ValueError, "seeds = 9223372036854775808; seeds must be .*≤ 9223372036854775807"),
        ({"steps": 1.5}, ValueError, r"steps = 1\.5; steps must be an integer ≥ 0"),
        ({"optimizer": "lion"}, ValueError, "optimizer = 'lion'; optimizer must be one of 'gd'"),
        ({"dtype": "half"}, ValueError, "dtype = 'half'; dtype must be one of 'float32', 'float64'"),
        ({"batch": 0}, ValueError, "batch = 0; batch must be an integer ≥ 1"),
        ({"init_scale": 0}, ValueError, "init_scale = 0; init_scale must be .*> 0"),
        ({"polish": "no"}, ValueError, "polish = 'no'; polish must be one of False, True"),
        ({"recognise": 0}, ValueError, "recognise = 0; recognise must be one of False, True"),
    ],
)
def test_wrong_grids_make_no_file(tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        run(tmp_path / "a.db", SMALL | change)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"workers": 0}, ValueError, "workers = 0; workers must be an integer ≥ 1"),
        ({"in_flight": 0}, ValueError, "in_flight = 0; in_flight must be an integer ≥ 1"),
        ({"retry_failed": "no"}, ValueError, "retry_failed = 'no'; retry_failed must be one of False, True"),
        ({"leftovers": "no"}, ValueError, "leftovers = 'no'; leftovers must be one of False, True"),
    ],
)
def test_wrong_options_make_no_file(tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        run(tmp_path / "a.db", **options)
    with pytest.raises(TypeError, match=r"grid = \{.* is a dict; grid must be a numerics\.sweep\.Grid"):
        sweep.run(tmp_path / "a.db", SMALL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "path",
    [":memory:", "", " ", "file:a.db", "file::memory:?cache=shared", "file:a.db?mode=memory", "a\0b", b":memory:"],
)
def test_names_that_sqlite_takes_for_no_file(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    for use in (run, sweep.Results):
        with pytest.raises(ValueError, match=r"path = .*; path must be the name of a file on disk"):
            use(path)
    assert list(tmp_path.iterdir()) == []


def test_places_that_keep_nothing(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path, tmp_path / "pipe", "/dev/null"):
        with pytest.raises(ValueError, match="path must be an ordinary file, not a folder or a device"):
            run(place)


def test_missing_places(tmp_path):
    with pytest.raises(FileNotFoundError, match="path must be a file that exists"):
        sweep.Results(tmp_path / "missing.db")
    with pytest.raises(SweepError, match="cannot be opened"):
        run(tmp_path / "missing" / "a.db")


def test_odd_names_are_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a file?mode=memory&x=%20#1.db", ":memory: 2", "-", b"bytes.db"):
        assert run(name).counts()["done"] == RUNS
        assert len(sweep.Results(name).rows()) == RUNS
    assert len(os.listdir(tmp_path)) == 4


def test_numbers_mean_the_same_in_every_type(tmp_path):
    plain = Grid(**SMALL)
    other = Grid(
        K=np.array([2, 3], np.uint8),
        L=3.0,
        lam=["1e-3", np.float64(1e-2)],
        width=np.int16(4),
        seeds=np.int8(6),
        steps=60.0,
    )
    assert other.settings() == plain.settings()
    assert other.seed_list() == plain.seed_list() == (0, 1, 2, 3, 4, 5)
    assert Grid(**SMALL | {"seeds": np.arange(3)}).seed_list() == Grid(**SMALL | {"seeds": range(3)}).seed_list()
    grid = Grid(K=np.array([3, 4]), L=3, lam=np.geomspace(1e-4, 1e-2, 3), width=6, seeds=1)
    assert len(grid) == len(grid.settings()) == 6
