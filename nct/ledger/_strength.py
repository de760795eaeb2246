"""What makes a statement stronger: declared by the records that carry a statement's bounds, conditions and switches."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Stronger:
    """Which change of a number, or of what a function returns, makes the statement stronger.

    The other change makes it weaker: such an edit is true of itself, and no check can be blamed for accepting it.

    Attributes
    ----------
    when : {"smaller", "larger"}
        Of truth values, false is smaller.
    of : {"value", "condition", "conclusion"}
        Whether it is the truth value of a condition or a conclusion; a condition is also dropped as a whole.
    """

    when: Literal["smaller", "larger"]
    of: Literal["value", "condition", "conclusion"] = "value"

    def weaker(self, original: Any, edited: Any) -> Any:
        """Whether a value, or each entry of an array, says no more than the original one does."""
        return edited >= original if self.when == "smaller" else edited <= original


#: The statement says that something is at most this: smaller is stronger.
UpperBound = Stronger("smaller")

#: The statement says that something is at least this: larger is stronger.
LowerBound = Stronger("larger")

#: The statement is of the cases in which this is true: true more often is stronger.
Condition = Stronger("larger", "condition")

#: The statement says that this is true: true less often is stronger.
Conclusion = Stronger("smaller", "conclusion")


@dataclass(frozen=True)
class OneOf:
    """The values of a switch with which the statement says something else that is not weaker."""

    values: tuple[Any, ...]

    def __init__(self, *values: Any) -> None:
        object.__setattr__(self, "values", values)


#: No part of what is stated: labels, and settings of how it is tried.
Fixed = OneOf()
