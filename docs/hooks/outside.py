"""Pages whose source is not in docs/, since it is read elsewhere too: the README, how to contribute, the changelog.

Links are written for the source tree; in the site they point to where the page is.
"""

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
SOURCES = {page: source for source, page in PAGES.items()}
LINK = re.compile(r"(\]\()(?!#|\w+:)([^)#\s]+)")


def on_config(config):
    """Put pages of docs/ that the navigation does not name under its proofs."""
    named = set(re.findall(r"[\w/]+\.md", str(config.nav)))
    proofs = next(entry["Proofs"] for entry in config.nav if "Proofs" in entry)
    proofs += sorted({path.name for path in Path(config.docs_dir).glob("*.md")} - named)
    return config


def on_files(files, *, config):
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    return files


def moved(page: str, link: str) -> str:
    """Where a link in a page's source points to from the page."""
    source = SOURCES.get(page, f"docs/{page}")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
    return posixpath.relpath(PAGES.get(target, target.removeprefix("docs/")), posixpath.dirname(page) or ".")


def on_page_markdown(markdown, *, page, config, files):
    return LINK.sub(lambda found: found[1] + moved(page.file.src_uri, found[2]), markdown)
