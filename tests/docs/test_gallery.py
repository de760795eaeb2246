"""Every example that draws is in the gallery, with the command that draws it and its picture."""

import importlib.util
import itertools
import json
import re
import struct
from pathlib import Path

from figures import faults

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
PICTURES = re.findall(r"!\[(.*?)\]\((figures/[\w./]+)\)", PAGE)
COMMANDS = re.findall(r"^python (examples/\w+\.py) .*(docs/figures/[\w./]+)", PAGE, re.MULTILINE)


def test_every_example_that_draws_is_in_the_gallery():
    drawing = {
        path.name for path in (ROOT / "examples").glob("*.py") if ".savefig(" in path.read_text(encoding="utf-8")
    }
    assert {Path(example).name for example, _ in COMMANDS} == drawing


def size(picture):
    """Width and height of a PNG, in pixels, or of an SVG, in points."""
    if picture.suffix == ".svg":
        text = picture.read_text(encoding="utf-8")
        return tuple(float(re.search(rf'<svg[^>]* {side}="([\d.]+)pt"', text)[1]) for side in ("width", "height"))
    head = picture.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return struct.unpack(">II", head[16:24])


def test_every_picture_has_its_command_and_is_there():
    assert [f"docs/{path}" for _, path in PICTURES] == [path for _, path in COMMANDS]
    for text, path in PICTURES:
        assert len(text) > 20
        width, height = size(ROOT / "docs" / path)
        assert 500 <= width <= 2200
        assert 250 <= height <= 2200


def test_the_picture_of_the_ranks_is_legible(tmp_path):
    spec = importlib.util.spec_from_file_location("dufm_ranks", ROOT / "examples" / "dufm_ranks.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    grids = [{"K": example.CLASSES, "L": example.LAYERS}, *({axis: values} for axis, values in example.AXES.items())]
    rows = []
    for grid, seed in itertools.product(grids, range(2)):
        for values in itertools.product(*grid.values()):
            row = example.CENTRE | dict(zip(grid, values, strict=True))
            ranks = [row["K"] - 1, row["K"] / (1 + row["lam"]) + seed, row["K"], row["K"]]
            rows.append(row | {"steps": round(1000 * 0.5 / row["lr"]), "effective_ranks": json.dumps(ranks)})
    assert faults(example.draw(rows, 1000, tmp_path / "ranks.png")) == []
