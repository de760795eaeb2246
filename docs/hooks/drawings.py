"""Mermaid drawings are shown as the pictures that docs/figures/mermaid.py has made of them; an old one is a warning."""

import hashlib
import itertools
import logging
import posixpath
import re
from pathlib import Path, PurePosixPath

log = logging.getLogger("mkdocs.hooks.drawings")
FENCE = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def picture(stem: str, number: int) -> str:
    """The picture of a page's drawing, below docs/."""
    return f"figures/{stem}-{number}.svg"


def digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()


def on_page_markdown(markdown, *, page, config, files):
    numbers = itertools.count()

    def shown(found):
        name = picture(PurePosixPath(page.file.src_uri).stem, next(numbers))
        path = Path(config.docs_dir, name)
        if not path.is_file() or digest(found[1]) not in path.read_text(encoding="utf-8"):
            log.warning("%s: %s is not of its drawing; python docs/figures/mermaid.py", page.file.src_uri, name)
        link = posixpath.relpath(name, posixpath.dirname(page.file.src_uri) or ".")
        return f"![A drawing; its source is in {page.file.src_uri}]({link})"

    return FENCE.sub(shown, markdown)
