"""Formulas of a statement's text, read as numbers: the LaTeX of elementary expressions."""

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

_LAYOUT = re.compile(r"\\(?:left|right|[bB]igg?[lr]?|[,;:! ]|q?quad\b|limits\b|displaystyle\b)|~|&")
_TOKEN = re.compile(r"\s*(\\[A-Za-z]+|[0-9]+(?:\.[0-9]+)?|.)", re.DOTALL)
_ALIASES = {"lambda": "lam", "varepsilon": "eps", "epsilon": "eps", "vartheta": "theta", "varphi": "phi"}
_FUNCTIONS = {
    "arccos": "acos", "arcsin": "asin", "arctan": "atan", "cos": "cos", "exp": "exp", "ln": "log", "log": "log",
    "max": "Max", "min": "Min", "sin": "sin", "sinh": "sinh", "cosh": "cosh", "tan": "tan", "tanh": "tanh",
    "Gamma": "gamma",
}  # fmt: skip
_INVERSES = {"cos": "acos", "sin": "asin", "tan": "atan"}
_CLOSING = {"(": ")", "[": "]", "{": "}", "|": "|", "\\lvert": "\\rvert", "\\lfloor": "\\rfloor", "\\lceil": "\\rceil"}


class Unreadable(ValueError):
    """A text that is no formula, or one with a symbol whose value is not given."""


def evaluate(latex: str, values: Mapping[str, Any]) -> Any:
    r"""The number that a formula stands for.

    Parameters
    ----------
    latex : str
        An expression of numbers, symbols, the four operations, powers, roots, fractions, binomials, factorials,
        absolute values, roundings and elementary functions. Products need no sign; a symbol's name is one letter, with
        its subscript.
    values : mapping of str to number
        The value of each symbol, named as `symbol_name` names it.

    Returns
    -------
    sympy.Expr
        Exact if the values are.

    Raises
    ------
    Unreadable
        If the text is no such formula, or has a symbol that `values` lacks.

    Examples
    --------
    >>> evaluate(r"\frac{m(m+1)}2", {"m": 4})
    10
    >>> evaluate(r"\lambda_{\mathrm{map}}^{-1}\sqrt n", {"lam_map": 3, "n": 4})
    2/3
    """
    reader = _Reader(latex, values)
    value = reader.sum()
    if reader.token:
        raise reader.stuck()
    return value


def symbol_name(base: str, subscript: str = "") -> str:
    r"""The name of a symbol in code: ``lam_map`` for λ_map.

    Examples
    --------
    >>> symbol_name(r"\lambda", r"\mathrm{map}"), symbol_name("R", "0"), symbol_name(r"\varepsilon")
    ('lam_map', 'R_0', 'eps')
    """
    words = [re.sub(r"\\(?:mathrm|text|mathbf)\b|[^A-Za-z0-9]", "", part) for part in (base, subscript)]
    words[0] = _ALIASES.get(words[0], words[0])
    return "_".join(word for word in words if word)


class _Reader:
    """Recursive descent, one token ahead."""

    def __init__(self, latex: str, values: Mapping[str, Any]) -> None:
        self.latex = latex
        self.values = values
        self.sympy = import_module("sympy")
        self.tokens: list[str] = [token for token in _TOKEN.findall(_LAYOUT.sub(" ", latex)) if token.strip()]

    @property
    def token(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, expected: str | None = None) -> str:
        if not self.token or expected not in (None, self.token):
            raise self.stuck()
        return self.tokens.pop(0)

    def stuck(self) -> Unreadable:
        return Unreadable(f"{self.latex!r} is no formula that can be read, at {self.token or 'its end'!r}")

    def sum(self) -> Any:
        value = self.product() if self.token not in ("+", "-") else self.sympy.Integer(0)
        while self.token in ("+", "-"):
            value = value + self.product() if self.take() == "+" else value - self.product()
        return value

    def product(self) -> Any:
        value = self.signed()
        while (self.token and self.token not in ("+", "-", ",", *_CLOSING.values())) or self.opens():
            match self.token:
                case "*" | "\\cdot" | "\\times":
                    self.take()
                    value = value * self.signed()
                case "/":
                    self.take()
                    value = value / self.signed()
                case _:
                    value = value * self.power()
        return value

    def opens(self) -> bool:
        """Whether a bar begins an absolute value: it does unless one is open."""
        return self.token == "|" and not self.in_bars

    in_bars = False

    def signed(self) -> Any:
        if self.token == "-":
            self.take()
            return -self.power()
        return self.power()

    def power(self) -> Any:
        value = self.atom()
        while self.token in ("^", "!"):
            value = self.sympy.factorial(value) if self.take() == "!" else value ** self.argument()
        return value

    def atom(self) -> Any:
        if self.token in _CLOSING:
            return self.bracket()
        token = self.take()
        name = token.removeprefix("\\")
        if re.fullmatch(r"[0-9.]+", token):
            return self.sympy.Rational(token)
        if token in ("\\frac", "\\tfrac", "\\dfrac"):
            return self.argument() / self.argument()
        if token in ("\\binom", "\\tbinom"):
            return self.sympy.binomial(self.argument(), self.argument())
        if token == "\\sqrt":
            return self.root()
        if token.startswith("\\") and name in _FUNCTIONS:
            return self.function(name)
        return self.symbol(token)

    def bracket(self) -> Any:
        opening = self.take()
        outside, self.in_bars = self.in_bars, opening == "|"
        value = self.sum()
        self.take(_CLOSING[opening])
        self.in_bars = outside
        rounding: dict[str, Callable[[Any], Any]] = {
            "|": abs, "\\lvert": abs, "\\lfloor": self.sympy.floor, "\\lceil": self.sympy.ceiling
        }  # fmt: skip
        return rounding.get(opening, lambda same: same)(value)

    def argument(self) -> Any:
        """What follows a fraction's command or a power's sign: a group, a command and its own, or a character."""
        if self.token in ("{", "\\frac", "\\tfrac", "\\sqrt") or self.token.startswith("\\"):
            return self.atom()
        token = self.take()
        if token.isdigit() and len(token) > 1:
            self.tokens.insert(0, token[1:])
        return self.sympy.Rational(token[0]) if token.isdigit() else self.symbol(token, subscripted=False)

    def root(self) -> Any:
        degree = 2
        if self.token == "[":
            degree = self.bracket()
        return self.sympy.root(self.argument(), degree)

    def function(self, name: str) -> Any:
        power = None
        if self.token == "^":
            self.take()
            power = self.argument()
            if power == -1 and name in _INVERSES:
                name, power = _INVERSES[name].replace("a", "arc", 1), None
        arguments = self.arguments()
        value = getattr(self.sympy, _FUNCTIONS[name])(*arguments)
        return value if power is None else value**power

    def arguments(self) -> list[Any]:
        if self.token not in ("(", "{") and self.token != "[":
            value = self.power()
            return [value * self.power() if value.is_number and self.is_symbol() else value]
        closing = _CLOSING[self.take()]
        values = [self.sum()]
        while self.token == ",":
            self.take()
            values.append(self.sum())
        self.take(closing)
        return values

    def is_symbol(self) -> bool:
        """Whether the next token continues the argument of a function without brackets, as in sin 2θ."""
        return bool(re.fullmatch(r"[A-Za-z]|\\[a-z]+", self.token)) and self.token[1:] not in (*_FUNCTIONS, "cdot")

    def symbol(self, token: str, subscripted: bool = True) -> Any:
        subscript = ""
        if subscripted and self.token == "_":
            self.take()
            subscript = self.group()
        name = symbol_name(token, subscript)
        if name in self.values:
            return self.sympy.sympify(self.values[name])
        if name in ("pi", "e"):
            return self.sympy.pi if name == "pi" else self.sympy.E
        raise Unreadable(f"{self.latex!r} has the symbol {token!r}, whose value {name!r} is not given")

    def group(self) -> str:
        """The text of what follows: one token, or all between braces."""
        parts, depth = [], 0
        while True:
            token = self.take()
            depth += (token == "{") - (token == "}")
            parts.append(token)
            if not depth and token not in ("\\mathrm", "\\text"):
                return "".join(parts)
