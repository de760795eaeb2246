r"""Python as HTML, coloured sparingly so that pages stay small.

>>> from nct.site.code import code_html
>>> code_html("return x")
'<pre class="code" tabindex="0"><code><span class=k>return</span> x\n</code></pre>'
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pygments import highlight
from pygments.filter import Filter
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Name, Operator, String, Text

_SHOWN = (
    (Keyword, Keyword),
    (Operator.Word, Keyword),
    (Comment, Comment),
    (String, String),
    (Name.Decorator, Name.Decorator),
    (Name.Function, Name.Function),
    (Name.Class, Name.Function),
)

_QUOTED = re.compile(r'<span class="(\w+)">')


class _Sparing(Filter):  # type: ignore[misc]
    """Few kinds of tokens, so that most of the text needs no markup."""

    def filter(self, lexer: Any, stream: Iterable[tuple[Any, str]]) -> Iterator[tuple[Any, str]]:
        for kind, value in stream:
            yield next((shown for coarse, shown in _SHOWN if kind in coarse), Text), value


def code_html(code: str) -> str:
    """Python as HTML.

    Parameters
    ----------
    code : str
        The code.

    Returns
    -------
    str
        A ``<pre>`` that the keyboard can scroll.
    """
    lexer = PythonLexer()
    lexer.add_filter(_Sparing())
    text = _QUOTED.sub(r"<span class=\1>", highlight(code, lexer, HtmlFormatter(nowrap=True)))
    return f'<pre class="code" tabindex="0"><code>{text}</code></pre>'
