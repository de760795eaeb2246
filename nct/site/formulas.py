r"""Formulas for web pages, typeset when the pages are built: LaTeX in, HTML out, by KaTeX in a JavaScript engine.

KaTeX is strict here: what it cannot typeset is an error that names the formula, not red text on a page. A page with
formulas needs the style sheet and the fonts of `ASSETS`, and no script.

>>> from nct.site.formulas import typeset
>>> print(typeset(r"\lambda^2"))
<span class="katex">...</span>
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).parent / "assets" / "katex"
"""The folder of KaTeX: `katex.min.css`, which refers to `fonts/`, and the script that the pages do without."""


MARKED = "changed"
"""The class that `mark` gives, the only one that a formula may have."""

#: KaTeX as pages use it: an error for whatever is not LaTeX, except that a part may be marked.
_STRICTLY = """
const strictly = (latex, displayMode) => katex.renderToString(latex, {
    displayMode,
    throwOnError: true,
    strict: (code) => code === "htmlExtension" ? "ignore" : "error",
    trust: (context) => context.command === "\\\\htmlClass" && context.class === "MARKED",
})""".replace("MARKED", MARKED)


class FormulaError(ValueError):
    """A formula cannot be typeset; the message names it."""


@functools.cache
def _engine() -> tuple[Callable[..., Any], type[Exception]]:
    """KaTeX's function that renders a formula, and what it raises."""
    try:
        from py_mini_racer import JSEvalException, MiniRacer
    except ImportError as error:
        raise ImportError("typesetting needs mini-racer: pip install 'neural-collapse-theory[site]'") from error
    engine = MiniRacer()
    engine.eval((ASSETS / "katex.min.js").read_text(encoding="utf-8"))
    engine.eval(_STRICTLY)
    return functools.partial(engine.call, "strictly"), JSEvalException


@functools.cache
def typeset(latex: str, *, display: bool = False) -> str:
    r"""Typeset a formula as HTML with MathML for screen readers.

    Parameters
    ----------
    latex : str
        The formula, without dollars.
    display : bool
        Whether it stands on a line of its own.

    Returns
    -------
    str
        A ``<span>``.

    Raises
    ------
    FormulaError
        If KaTeX cannot typeset it.

    Examples
    --------
    >>> typeset(r"\frac{1}{2", display=True)
    Traceback (most recent call last):
    nct.site.formulas.FormulaError: \frac{1}{2: Unexpected end of input in a macro argument, expected '}' ...
    """
    render, failure = _engine()
    try:
        return str(render(latex, display))
    except failure as error:
        reason = str(error).partition("ParseError: ")[2].splitlines() or str(error).splitlines()
        raise FormulaError(f"{latex}: {reason[0].removeprefix('KaTeX parse error: ')}") from None


def mark(latex: str) -> str:
    r"""Mark a part of a formula; the pages' style sheet says how it looks.

    Parameters
    ----------
    latex : str
        The part, which is a formula on its own.

    Returns
    -------
    str
        What to put in its place.

    Examples
    --------
    >>> mark(r"\lambda^2")
    '\\htmlClass{changed}{\\lambda^2}'
    """
    return rf"\htmlClass{{{MARKED}}}{{{latex}}}"
