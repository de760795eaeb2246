"""What a run of the checks executes of a statement's code, and with which arguments."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from nct.ledger.mutation._edit import Comparison, Place

_Span = tuple[int, int, int, int]

#: So many calls of a function are kept, to see which of two functions is the stronger bound.
_CALLS = 200


class Trace:
    """The instructions of some functions that were executed, and the calls of some of them.

    Parameters
    ----------
    watched : iterable of code
        The functions; those that are defined in them are watched too.
    called : iterable of code
        The functions whose arguments and results are kept.
    """

    def __init__(self, watched: Iterable[CodeType], called: Iterable[CodeType] = ()) -> None:
        self._spans = {code: [_span(p) for p in code.co_positions()] for outer in watched for code in _nested(outer)}
        self._executed: dict[CodeType, set[int]] = {code: set() for code in self._spans}
        self._called = set(called)
        self._calls: dict[CodeType, list[tuple[dict[str, Any], Any]]] = {code: [] for code in self._called}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what runs in the block."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        code = frame.f_code
        if code not in self._executed:
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        executed, kept = self._executed[code], self._calls.get(code)
        given = dict(frame.f_locals) if kept is not None and len(kept) < _CALLS else None

        def step(frame: FrameType, event: str, argument: Any) -> Any:
            if event == "opcode":
                executed.add(frame.f_lasti // 2)
            elif event == "return" and given is not None and kept is not None:
                kept.append((given, argument))
            return step

        return step

    def reached(self, place: Place) -> bool:
        """Whether the code at a place was executed.

        An expression that the compiler has folded into a larger constant has no instruction of its own; it was reached
        if the innermost one around it was.
        """
        codes = [code for code in _nested(place.code) if code in self._spans]
        inside = [(code, i) for code in codes for i, s in enumerate(self._spans[code]) if s and place.holds(*s)]
        if not inside:
            around = [
                (s, code, i) for code in codes for i, s in enumerate(self._spans[code]) if s and place.lies_in(*s)
            ]
            innermost = max((s[:2] for s, _, _ in around), default=None)
            inside = [(code, i) for s, code, i in around if s[:2] == innermost]
        return any(i in self._executed[code] for code, i in inside)

    def weaker(self, comparison: Comparison) -> bool:
        """Whether an edited bound says no more than the original for all arguments, and less for some."""
        less = False
        for given, result in self._calls.get(comparison.original.__code__, ()):
            try:
                edited = comparison.edited(**given)
                if not _everywhere(comparison.stronger.weaker(result, edited)):
                    return False
                less = less or not _everywhere(edited == result)
            except Exception:
                return False
        return less


def _span(positions: tuple[int | None, int | None, int | None, int | None]) -> _Span | None:
    line, last, column, end = positions
    if line is None or last is None or column is None or end is None or (column == end and line == last):
        return None
    return line, column, last, end


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _nested(part)


def _everywhere(truth: Any) -> bool:
    every = getattr(truth, "all", None)
    return bool(every() if callable(every) else truth)
