"""What a row says of the code that made it, and summaries that never mix codes."""

import ast
import importlib
import re
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest
from sweeps import SMALL, Inline, run

from numerics import sweep
from numerics.sweep import Grid, _digest

# What training imports and no trained number depends on: checks of arguments, files, pictures, and the closed forms and
# names of the solutions that a run is compared with.
OTHERS = {
    "numerics.descent._closed_forms",
    "numerics.descent._plotting",
    "numerics.descent._recognition",
    "numerics.files",
    "numerics.tensors",
    "theory.arguments",
    "theory.display",
    "theory.foreign",
    "theory.ufm",
    "theory.ufm._scale",
    "theory.wording",
}


def imported(module):
    """The modules of the project that a module takes names from."""
    for node in ast.walk(ast.parse(Path(find_spec(module).origin).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] in ("numerics", "theory", "nct"):
            for alias in node.names:
                if find_spec(node.module).submodule_search_locations and find_spec(f"{node.module}.{alias.name}"):
                    yield f"{node.module}.{alias.name}"
                else:
                    value = getattr(importlib.import_module(node.module), alias.name)
                    yield getattr(value, "__module__", node.module) if node.module in PACKAGES else node.module


PACKAGES = {"numerics.descent", "numerics.metrics", "theory.ufm", "theory.geometry"}


def test_the_digest_is_of_all_that_training_imports():
    reached, ahead = set(), {"numerics.descent._training", "numerics.descent._polishing", "numerics.descent._runs"}
    while ahead:
        module = ahead.pop()
        reached.add(module)
        if module not in OTHERS:
            ahead |= set(imported(module)) - reached
    assert reached - OTHERS == set(_digest.MODULES)
    assert reached >= OTHERS


def test_every_row_says_what_it_is_from(tmp_path):
    rows = run(tmp_path / "a.db", SMALL | {"K": 2, "lam": 1e-3}).rows()
    assert {row["version"] for row in rows} == {_digest.package_version()}
    assert {row["digest"] for row in rows} == {_digest.training_digest("float32")}
    assert re.fullmatch("[0-9a-f]{16}", rows[0]["digest"])


@pytest.mark.parametrize("module", _digest.MODULES)
def test_depends_on_every_module(monkeypatch, module):
    source = _digest._source

    def edited(name):
        return source(name) + ("\n" if name == module else "")

    before = _digest.training_digest("float64")
    monkeypatch.setattr(_digest, "_source", edited)
    assert _digest.training_digest.__wrapped__("float64") != before


def test_depends_on_libraries_precision_and_device(monkeypatch):
    digest = _digest.training_digest.__wrapped__
    found = {digest("float32"), digest("float64"), digest("float32", "cuda")}
    for library in ("torch", "numpy"):
        with monkeypatch.context() as patch:
            patch.setattr(metadata, "version", lambda name, library=library: "0" if name == library else "1")
            found.add(digest("float32"))
    assert len(found) == 5


def test_a_summary_keeps_codes_apart(tmp_path, monkeypatch):
    grid = SMALL | {"K": 3, "lam": [1e-3, 1e-2], "seeds": 2}
    run(tmp_path / "a.db", grid)
    now = _digest.training_digest("float32")

    def later(text):
        return [(*row[:-2], "9.9", "another") for row in sweep.do(text)]

    pool = Inline(later)
    results = sweep.run(tmp_path / "a.db", Grid(**grid | {"seeds": [0, 1, 2]}), executor=pool)
    assert pool.runs() == [(3, 1e-3, 2), (3, 1e-2, 2)]  # rows of other code are kept, and not done again
    summary = results.summary()
    assert [(s["lam"], s["digest"], s["runs"]) for s in summary] == [
        (lam, digest, runs) for lam in (1e-3, 1e-2) for digest, runs in sorted([(now, 2), ("another", 1)])
    ]
    assert sum(sum(s["kinds"].values()) for s in summary) == 6


def test_source_that_cannot_be_read(monkeypatch):
    monkeypatch.setattr(_digest, "MODULES", ("sys",))
    with pytest.raises(ImportError, match="the source of sys cannot be read"):
        _digest.training_digest.__wrapped__("float32")
