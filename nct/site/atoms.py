r"""LaTeX in pieces that can be marked or compared one by one: a symbol with its indices, a fraction, a bracket.

>>> from nct.site.atoms import atoms
>>> atoms(r"x_1^2 + \frac{1}{2}\bigl(a")
['x_1^2', '+', '\\frac{1}{2}', '\\bigl(', 'a']
"""

import re

#: How many arguments a command takes that need no braces; one that is not here takes the groups that follow it.
_ARGUMENTS = {
    name: number
    for number, names in (
        (1, "sqrt mathbb mathcal mathrm mathbf mathsf mathfrak bar hat tilde vec dot ddot widetilde widehat overline "
            "underline operatorname text textit boldsymbol not"),
        (2, "frac tfrac dfrac binom tbinom dbinom overset underset stackrel"),
    )
    for name in names.split()
}  # fmt: skip

_TOKEN = re.compile(r"\\(?:[A-Za-z]+\*?|.)|.", re.DOTALL)
_SCRIPT = re.compile(r"\s*([_^])\s*|\s*('+)|\s*(\\(?:no)?limits)(?![A-Za-z])")
_SIZE = re.compile(r"\\(?:big|Big|bigg|Bigg)[lrm]?$")


class _Reader:
    """A place in a text of LaTeX."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def spaces(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def atom(self) -> str:
        """The next piece, with its indices."""
        begin = self.at
        self._base()
        while script := _SCRIPT.match(self.text, self.at):
            self.at = script.end()
            if script[1]:
                self._base()
        return self.text[begin : self.at]

    def _base(self) -> None:
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            return
        token = found[0]
        self.at = found.end()
        if token == "{":
            self._to_closing("{", "}")
        elif token == r"\left":
            self._to_closing(r"\left", r"\right")
            self._base()
        elif token == r"\begin":
            self._to_closing(r"\begin", r"\end")
            self._groups()
        elif _SIZE.match(token):
            self.spaces()
            self._base()
        elif token.startswith("\\") and token[1:2].isalpha():
            self._arguments(_ARGUMENTS.get(token[1:].rstrip("*"), 0))

    def _arguments(self, number: int) -> None:
        found = len(self._groups())
        for _ in range(number - found):
            self.spaces()
            self._base()

    def _groups(self) -> list[str]:
        """The groups in braces or brackets that stand here."""
        groups = []
        while self.text[self.at : self.at + 1] == "{" or (
            self.text[self.at : self.at + 1] == "[" and self.text.endswith(r"\sqrt", 0, self.at)
        ):
            begin, opening = self.at, self.text[self.at]
            self.at += 1
            self._to_closing(opening, "}" if opening == "{" else "]")
            groups += [self.text[begin : self.at]] * (opening == "{")
        return groups

    def _to_closing(self, opening: str, closing: str) -> None:
        depth = 1
        while depth and (found := _TOKEN.match(self.text, self.at)):
            self.at = found.end()
            depth += (found[0] == opening) - (found[0] == closing)


def atoms(latex: str) -> list[str]:
    r"""The pieces of a formula, in order and without the spaces between them.

    Parameters
    ----------
    latex : str
        The formula.

    Returns
    -------
    list of str
        A symbol or a group with its indices, a command with its arguments, ``\left`` to ``\right``, or an environment.

    Examples
    --------
    >>> atoms(r"\tfrac12 \left(a + b\right)^2 \mathbb E")
    ['\\tfrac12', '\\left(a + b\\right)^2', '\\mathbb E']
    """
    reader, found = _Reader(latex), []
    reader.spaces()
    while reader.at < len(latex):
        found.append(reader.atom())
        reader.spaces()
    return found
