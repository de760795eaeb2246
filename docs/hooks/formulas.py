"""Formulas of the pages, docstrings included, are typeset when the site is built; one that cannot be is a warning.

`mkdocs build --strict` fails on it. The style sheet and the fonts are those of `nct.site`.
"""

import html
import logging
import re

from mkdocs.structure.files import File

from nct.site.formulas import ASSETS, FormulaError, typeset

log = logging.getLogger("mkdocs.hooks.formulas")
FENCED = re.compile(r"^([ \t]*```.*?^[ \t]*```)$", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^[ \t]*\$\$.*?\$\$[ \t]*$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"<(pre|code|script)\b.*?</\1>", re.DOTALL)
MARKED = re.compile(r'<(span|div) class="arithmatex">(?:\\\((.*?)\\\)|\\\[(.*?)\\\])</\1>', re.DOTALL)


def on_files(files, *, config):
    for path in [ASSETS / "katex.min.css", *sorted((ASSETS / "fonts").glob("*.woff2"))]:
        target = f"assets/katex/{path.relative_to(ASSETS).as_posix()}"
        files.append(File.generated(config, target, abs_src_path=str(path)))
    return files


def set_apart(text):
    """The text with every display formula outside code in a paragraph of its own, as the Markdown parser wants it."""

    def block(found):
        lines = found[0].splitlines()
        indented = all(line.startswith("    ") for line in lines)  # a paragraph of a list's item
        return "\n".join(["", *(lines if indented else map(str.strip, lines)), ""])

    parts = FENCED.split(text)
    parts[::2] = [BLOCK.sub(block, part) for part in parts[::2]]
    return "".join(parts)


def on_page_markdown(markdown, *, page, config, files):
    return set_apart(markdown)


def on_page_content(content, *, page, config, files):
    def shown(found):
        latex = found[2] if found[2] is not None else found[3]
        try:
            return typeset(html.unescape(latex).strip(), display=found[3] is not None)
        except FormulaError as error:
            log.warning("%s: %s", page.file.src_uri, error)
            return found[0]

    left = re.search(r".{0,40}\$.{0,40}", CODE.sub("", MARKED.sub("", content)))
    if left:
        log.warning("%s: a dollar outside formulas and code: %s", page.file.src_uri, left[0])
    return MARKED.sub(shown, content)
