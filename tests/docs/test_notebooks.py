"""The notebooks run, and what they hold is what they print, but for cells that say that it varies."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def shown(cell):
    """The text of a cell's outputs, and their kinds."""
    texts = [output.get("text") or output.get("data", {}).get("text/plain") for output in cell.outputs]
    kinds = [sorted(output.get("data", {output.get("name"): None})) for output in cell.outputs]
    return (kinds, None if "varies" in cell.metadata.get("tags", []) else texts)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_prints_what_it_holds(path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    held = nbformat.read(path, 4)
    run = nbformat.read(path, 4)
    nbclient.NotebookClient(run, timeout=300, kernel_name="python3", record_timing=False).execute()
    code = [(a, b) for a, b in zip(held.cells, run.cells, strict=True) if a.cell_type == "code"]
    assert any(cell.outputs for cell, _ in code)
    for one, other in code:
        assert shown(other) == shown(one), one.source


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 2
