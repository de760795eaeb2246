"""The readings of claims as HTML: Markdown with formulas, typeset.

>>> from nct.site.prose import prose_html
>>> prose_html("The *sum* of `m` terms.")
'<p>The <em>sum</em> of <code>m</code> terms.</p>'
"""

import functools
from typing import TYPE_CHECKING, Any

from nct.site.formulas import typeset

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


@functools.cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    return reader.use(dollarmath_plugin, allow_space=False, double_inline=True, renderer=_rendered)


def _rendered(latex: str, options: dict[str, Any]) -> str:
    return typeset(latex.strip(), display=options["display_mode"])


def prose_html(text: str) -> str:
    r"""A text in Markdown as HTML, with its formulas typeset.

    Parameters
    ----------
    text : str
        The text; formulas stand in single dollars, displayed ones in double dollars. HTML in it is shown, not used.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    FormulaError
        If a formula cannot be typeset.

    Examples
    --------
    >>> "katex-display" in prose_html("It is\n\n$$\nm^2\n$$")
    True
    """
    return str(_markdown().render(text)).strip()
