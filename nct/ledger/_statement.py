"""A statement in words and in code, and the forms in which a claim's checks meet it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from nct.ledger._strength import OneOf, Stronger


@dataclass(frozen=True)
class Statement:
    """One wording of a claim.

    Attributes
    ----------
    text : str
        The statement in LaTeX and prose, for people.
    value : object
        The statement as the checks take it: a formula as a function or SymPy expression, a predicate, a table.
    parts : sequence of str
        Names of the parts that the statement consists of, if it falls into several: it is proved when each of them
        is the `Part` that some check covers, or one check covers all values.
    stronger : Stronger or OneOf, optional
        What makes a stronger statement of the value, if it is a bound, a condition or a switch and not an equality:
        `UpperBound`, `LowerBound`, `Condition`, `Conclusion` or `OneOf`. The fields of a record say it in their
        annotations, ``Annotated[float, UpperBound]``.
    formulas : mapping of str to callable
        Formulas of the text, each with how the value computes it: ``{"m(m+1)/2": lambda value, m: value(m)}``. The
        function's arguments after the first are the formula's symbols, λ_map being ``lam_map``; a symbol that is not
        any positive number says by a default where it is tried, ``n=(1, 2, 5)``. A claim whose text and value differ
        breaks a rule.

    Raises
    ------
    TypeError
        If `parts` is a single string, or `formulas` no mapping.
    """

    text: str
    value: Any
    parts: Sequence[str] = ()
    stronger: Stronger | OneOf | None = None
    formulas: Mapping[str, Callable[..., Any]] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.parts, str):
            raise TypeError(f"parts = {self.parts!r} is a string; parts must be a list of names")
        if not isinstance(self.formulas, Mapping):
            raise TypeError(f"formulas is a {type(self.formulas).__name__}; formulas must be a mapping of LaTeX")
        object.__setattr__(self, "parts", tuple(self.parts))
        object.__setattr__(self, "formulas", MappingProxyType(dict(self.formulas)))


@dataclass(frozen=True)
class Variant:
    """A form in which a statement meets its checks: printed, amended, as seen in an experiment, or a near miss.

    Attributes
    ----------
    role : {"printed", "amended", "seen", "near miss"}
        Which of these it is.
    name : str
        The near miss's name; the role for the others.
    value : object
        What the checks take as ``statement``.
    holds : bool or None
        Whether the checks have to accept it or to refute it; None leaves both open, for what an experiment does not
        show at the scale that was run.
    """

    role: Literal["printed", "amended", "seen", "near miss"]
    name: str
    value: Any
    holds: bool | None

    @property
    def id(self) -> str:
        """The variant in a test's name, such as ``printed`` or ``near-miss-off-by-one``."""
        words = self.role if self.role != "near miss" else f"{self.role} {self.name}"
        return re.sub(r"[^\w.+]+", "-", words).strip("-")
