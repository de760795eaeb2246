"""Pages whose source is not in docs/, since it is read elsewhere too: the README, how to contribute, the changelog."""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "CITATION.cff": "CITATION.cff",
    "benchmarks/results/best_known.md": "best_known.md",
}
LINK = re.compile(r"(\]\()(?!#|\w+:)([^)#\s]+)")


def moved(source: str, link: str) -> str:
    """Where a relative link of a source points to in the site."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
    return PAGES.get(target, target.removeprefix("docs/"))


def on_files(files, *, config):
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        text = LINK.sub(lambda found, source=source: found[1] + moved(source, found[2]), text)
        files.append(File.generated(config, page, content=text))
    return files
