"""The notebooks as pages, with the outputs that they hold; the notebook itself lies beside its page."""

import posixpath
from pathlib import Path

from mkdocs.structure.files import File
from nbconvert import MarkdownExporter

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def on_files(files, *, config):
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        text, resources = MarkdownExporter().from_filename(str(path), {"unique_key": path.stem})
        title, _, rest = text.lstrip().partition("\n")
        note = f"\n[This page as a notebook]({path.name}), to run and to change.\n"
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=f"{title}\n{note}{rest}"))
        for name, content in resources["outputs"].items():
            files.append(File.generated(config, posixpath.join("notebooks", name), content=content))
    return files
