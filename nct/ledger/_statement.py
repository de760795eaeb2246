"""A statement in words and in code, and the forms in which a claim's checks meet it."""

import re
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Statement:
    """One wording of a claim.

    Attributes
    ----------
    text : str
        The statement in LaTeX and prose, for people.
    value : object
        The statement as the checks take it: a formula as a function or SymPy expression, a predicate, a table.
    """

    text: str
    value: Any


@dataclass(frozen=True)
class Variant:
    """A form in which a statement meets its checks: printed, amended or a near miss.

    Attributes
    ----------
    role : {"printed", "amended", "near miss"}
        Which of the three it is.
    name : str
        The near miss's name; the role for the others.
    value : object
        What the checks take as ``statement``.
    holds : bool
        Whether the checks have to accept it.
    """

    role: Literal["printed", "amended", "near miss"]
    name: str
    value: Any
    holds: bool

    @property
    def id(self) -> str:
        """The variant in a test's name, such as ``printed`` or ``near-miss-off-by-one``."""
        words = self.role if self.role != "near miss" else f"{self.role} {self.name}"
        return re.sub(r"[^\w.+]+", "-", words).strip("-")
