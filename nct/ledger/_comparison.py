"""Requirements that record what they compare, so that a check which measures nothing is noticed.

A truth value does not tell whether anything was measured: ``0 <= 1e-9`` holds of what is zero by construction.
`require_equal`, `require_close` and `require_at_most` see both sides. While the ledger runs a check they note, for the
place in the code where they stand, whether a side has changed from one comparison to the next, and whether a bounded
side has ever been anything but zero; `faults` decides from these notes of all forms of the statement together.
"""

import math
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from hashlib import blake2s
from pathlib import Path
from typing import Any

from nct.ledger._require import Refuted


def require_equal(left: Any, right: Any, message: str, /, **witness: object) -> None:
    """Raise `Refuted` unless both sides are equal, and record them.

    Parameters
    ----------
    left, right : object
        What the statement entails to be equal: numbers, exact or not, expressions, arrays or tensors of one shape,
        or anything else with ``==``. An array equals a number if all its entries do.
    message : str
        What is wrong if they differ.
    **witness
        The instance, shown in the ledger as the counterexample, with both sides where they are short.

    Raises
    ------
    Refuted
        If the sides differ.

    Examples
    --------
    >>> require_equal(sum(range(5)), 10, "the sum differs", m=4)
    >>> require_equal(sum(range(5)), 8, "the sum differs", m=4)
    Traceback (most recent call last):
    ...
    nct.ledger._require.Refuted: the sum differs: m = 4, left = 10, right = 8
    """
    __tracebackhide__ = True
    _record(left, right)
    if not (_fit(left, right) and _everywhere(left == right)):
        raise Refuted(message, **witness, **_short(witness, left=left, right=right))


def require_close(
    left: Any, right: Any, message: str, /, *, rtol: float = 0.0, atol: float = 0.0, **witness: object
) -> None:
    """Raise `Refuted` unless both sides agree to a tolerance, and record them.

    Parameters
    ----------
    left, right : number, array or tensor
        What the statement entails to be equal; arrays are of one shape, or one side is a number.
    message : str
        What is wrong if they differ.
    rtol, atol : float
        The sides may differ by ``atol + rtol * abs(right)``; at least one of them is given, and comes from the
        conditioning or the statistical error of the quantity.
    **witness
        The instance, shown in the ledger as the counterexample, with both sides where they are short.

    Raises
    ------
    Refuted
        If the sides differ by more, or either is not a number.
    ValueError
        If a tolerance is negative or both are zero.

    Examples
    --------
    >>> require_close(0.1 + 0.2, 0.3, "rounding", rtol=1e-15)
    >>> require_close(0.31, 0.3, "far", atol=1e-3, m=2)
    Traceback (most recent call last):
    ...
    nct.ledger._require.Refuted: far: m = 2, left = 0.31, right = 0.3
    """
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise ValueError(f"{name} = {tolerance}; {name} must be at least 0")
    if rtol == atol == 0:
        raise ValueError("rtol = atol = 0; one of them must be positive (require_equal compares exactly)")
    __tracebackhide__ = True
    _record(left, right)
    if not (_fit(left, right) and _everywhere(_near(left, right, rtol, atol))):
        raise Refuted(message, **witness, **_short(witness, left=left, right=right))


def require_at_most(value: Any, bound: Any, message: str, /, *, strict: bool = False, **witness: object) -> None:
    """Raise `Refuted` unless a value keeps to its bound, and record both.

    Parameters
    ----------
    value : number, array or tensor
        What the statement bounds. If it is zero in every comparison, the check has measured nothing.
    bound : number, array or tensor
        What it is at most, entry by entry.
    message : str
        What is wrong if it is not.
    strict : bool
        Whether the value has to be less than the bound.
    **witness
        The instance, shown in the ledger as the counterexample, with both sides where they are short.

    Raises
    ------
    Refuted
        If the value exceeds the bound, or either is not a number.

    Examples
    --------
    >>> require_at_most(abs(-3), 4, "too large")
    >>> require_at_most(4, 4, "too large", strict=True, m=1)
    Traceback (most recent call last):
    ...
    nct.ledger._require.Refuted: too large: m = 1, value = 4, bound = 4
    """
    __tracebackhide__ = True
    _record(value, bound, bounded=True)
    if not (_fit(value, bound) and _everywhere(value < bound if strict else value <= bound)):
        raise Refuted(message, **witness, **_short(witness, value=value, bound=bound))


def _near(left: Any, right: Any, rtol: float, atol: float) -> Any:
    difference = abs(left - right)
    near = (difference <= atol + rtol * abs(right)) & (difference < math.inf)
    return near | (left == right)  # infinities of one sign


def _everywhere(truth: Any) -> bool:
    every = getattr(truth, "all", None)
    return bool(every() if callable(every) else truth)


def _fit(left: Any, right: Any) -> bool:
    """Whether the shapes agree, or one side is a number: broadcasting would compare other pairs than are meant."""
    shapes = [tuple(getattr(side, "shape", ())) for side in (left, right)]
    return shapes[0] == shapes[1] or () in shapes


def _short(witness: Mapping[str, object], **sides: object) -> dict[str, object]:
    """The two sides, where neither is long to print or named in the witness already."""
    told = all(len(str(side)) <= 60 and name not in witness for name, side in sides.items())
    return sides if told else {}


# Recording.


@dataclass
class Place:
    """What the comparisons at one place in the code have seen."""

    left: str
    right: str
    bounded: bool = False
    calls: int = 0
    changes: bool = False
    zero: bool = True

    def add(self, other: "Place") -> None:
        """Take in what was seen at the same place in another run."""
        self.changes = self.changes or other.changes or (self.left, self.right) != (other.left, other.right)
        self.zero = self.zero and other.zero
        self.calls += other.calls


@dataclass
class Measured:
    """What a check has compared, by place. Plain data, so that it can travel between processes."""

    places: dict[str, Place] = field(default_factory=dict)

    def note(self, where: str, left: Any, right: Any, bounded: bool) -> None:
        """Note one comparison; what cannot change the verdict any more is not looked at."""
        place = self.places.get(where)
        if place is None:
            place = self.places[where] = Place(_fingerprint(left), _fingerprint(right), bounded)
        elif not place.changes:
            place.changes = (place.left, place.right) != (_fingerprint(left), _fingerprint(right))
        place.calls += 1
        if bounded and place.zero:
            place.zero = _everywhere(left == 0)

    def add(self, other: "Measured") -> None:
        """Take in what the check has compared in another run."""
        for where, place in other.places.items():
            if where in self.places:
                self.places[where].add(place)
            else:
                self.places[where] = place

    def to_json(self) -> dict[str, dict[str, Any]]:
        """The notes as plain data."""
        return {where: asdict(place) for where, place in self.places.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Mapping[str, Any]]) -> "Measured":
        """The notes that `to_json` has written."""
        return cls({where: Place(**place) for where, place in data.items()})


def faults(measured: Measured) -> Iterator[str]:
    """In what a check is vacuous, from what it compared over all its instances and all forms of the statement.

    A check is vacuous if neither side of any of its comparisons ever changes: it would have found the same without
    the statement and without the instances. A single place may compare two constants, as a lemma of the argument
    does, while another one changes. A bound is vacuous if the bounded side is zero at every comparison of its place.
    A check that only uses `require` records nothing and is not judged.
    """
    if not measured.places:
        return
    calls = sum(place.calls for place in measured.places.values())
    if not any(place.changes for place in measured.places.values()):
        where = ", ".join(measured.places)
        yield f"nothing that it compares changes over its instances and the statement's forms ({calls} at {where})"
    for where, place in measured.places.items():
        if place.bounded and place.zero:
            yield f"what is bounded at {where} is zero throughout ({place.calls} comparisons)"


_current: ContextVar[Measured | None] = ContextVar("measured", default=None)


@contextmanager
def recording() -> Iterator[Measured]:
    """Record the comparisons that are made inside the block.

    Examples
    --------
    >>> with recording() as measured:
    ...     for m in range(3):
    ...         require_at_most(0 * m, 1, "too large")
    >>> next(faults(measured))
    "nothing that it compares changes over its instances and the statement's forms (3 at ...)"
    """
    measured = Measured()
    token = _current.set(measured)
    try:
        yield measured
    finally:
        _current.reset(token)


def _record(left: Any, right: Any, *, bounded: bool = False) -> None:
    measured = _current.get()
    if measured is not None:
        frame = sys._getframe(2)
        measured.note(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}", left, right, bounded)


def _fingerprint(value: Any) -> str:
    """A digest that tells values apart; the same in every process."""
    return blake2s(_content(value), digest_size=8).hexdigest()


def _content(value: Any) -> bytes:
    if hasattr(value, "detach"):  # a tensor; NumPy does not have all of its types
        value = value.detach().cpu()
        return repr(value.tolist()).encode()
    if hasattr(value, "dtype") and hasattr(value, "tobytes"):
        return value.tobytes() if value.dtype.kind != "O" else repr(value.tolist()).encode()
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value)).encode()  # an object's address is not its value
