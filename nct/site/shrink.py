r"""Formulas in less space: what KaTeX writes at every symbol becomes short names of classes in one style sheet.

A style becomes a class, the names of KaTeX's classes become shorter, in its style sheet as well, and the copy of the
LaTeX that it keeps beside each formula is left out, and so is what wraps both in MathML: a page need not have it.

>>> from nct.site.shrink import Styles
>>> styles = Styles()
>>> styles.shrink('<span class="katex"><span class="mord" style="margin-right:0.1em;">a</span></span>')
'<span class=katex><span class="A B">a</span></span>'
>>> styles.sheet(".katex .mord>.x{color:red}")
'.katex .A>.x{color:red}\n.katex .B.B.B{margin-right:0.1em;}'
"""

import re
import string
from dataclasses import dataclass, field

#: The classes whose names stay: pages, or what reads them, know them.
_KEPT = {"katex", "katex-display", "katex-mathml", "katex-html", "katex-error", "changed", "formula", "long"}

_COPY = re.compile(r'<annotation [^>]*>[^<]*</annotation>|</?semantics>|(?<=<math) xmlns="[^"]*"')
_PLAIN = re.compile(r'="(\w+)"(?=[^<>]*>)')
_INITIALS, _LETTERS = string.ascii_uppercase, string.ascii_letters + string.digits
_TAG = re.compile(r'<span(?: class="([^"]*)")?((?: aria-hidden="true")?)(?: style="([^"]*)")?>')
_SELECTOR = re.compile(r"\.([A-Za-z][\w-]*)(?=[^{}]*\{)")


@dataclass
class Styles:
    """The styles and the classes that have been met, each with its short name.

    Attributes
    ----------
    names : dict of str to str
        The short names of styles and classes.
    """

    names: dict[str, str] = field(default_factory=dict)

    def shrink(self, html: str) -> str:
        """HTML with typeset formulas, with short names in them."""
        return _PLAIN.sub(r"=\1", _TAG.sub(self._tag, _COPY.sub("", html)))

    def sheet(self, katex: str) -> str:
        """KaTeX's style sheet with the short names, and the styles; these outweigh it, as they did."""
        short = _SELECTOR.sub(lambda found: f".{self._names_so_far(found[1])}", katex)
        styles = (f".katex .{n}.{n}.{n}{{{style}}}" for style, n in self.names.items() if ":" in style)
        return "\n".join([short, *styles])

    def _tag(self, found: re.Match[str]) -> str:
        names = [self._short(name) for name in (found[1] or "").split()] + ([self._short(found[3])] if found[3] else [])
        told = f'"{" ".join(names)}"' if len(names) > 1 else "".join(names)
        return f"<span{f' class={told}' if names else ''}{found[2]}>"

    def _short(self, name: str) -> str:
        return name if name in _KEPT else self.names.setdefault(name, _name(len(self.names)))

    def _names_so_far(self, name: str) -> str:
        return self.names.get(name, name)


def _name(number: int) -> str:
    """A short name, that of no class of the pages: A to Z, then AA, AB and so on."""
    tail = ""
    while number >= len(_INITIALS):
        number, rest = divmod(number - len(_INITIALS), len(_LETTERS))
        tail = _LETTERS[rest] + tail
    return _INITIALS[number] + tail
