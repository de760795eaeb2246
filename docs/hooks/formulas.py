"""Formulas of the pages, docstrings included, are typeset when the site is built; one that cannot be is a warning.

`mkdocs build --strict` fails on it. The style sheet and the fonts are those of `nct.site`.
"""

import html
import logging
import re

from mkdocs.structure.files import File

from nct.site.formulas import ASSETS, FormulaError, typeset

log = logging.getLogger("mkdocs.hooks.formulas")
MARKED = re.compile(r'<(span|div) class="arithmatex">(?:\\\((.*?)\\\)|\\\[(.*?)\\\])</\1>', re.DOTALL)


def on_files(files, *, config):
    for path in [ASSETS / "katex.min.css", *sorted((ASSETS / "fonts").glob("*.woff2"))]:
        target = f"assets/katex/{path.relative_to(ASSETS).as_posix()}"
        files.append(File.generated(config, target, abs_src_path=str(path)))
    return files


def on_page_content(content, *, page, config, files):
    def shown(found):
        latex = found[2] if found[2] is not None else found[3]
        try:
            return typeset(html.unescape(latex).strip(), display=found[3] is not None)
        except FormulaError as error:
            log.warning("%s: %s", page.file.src_uri, error)
            return found[0]

    return MARKED.sub(shown, content)
