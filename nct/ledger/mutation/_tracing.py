"""What a run of the checks executes of a statement's code, and with which arguments."""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from types import CodeType, FrameType
from typing import Any

from nct.ledger.mutation._edit import Comparison, Place

_Span = tuple[int, int, int, int]
_Call = tuple[tuple[Any, ...], dict[str, Any]]

#: So many calls of a function are kept from one run, to see which of two functions is the stronger bound.
_CALLS = 200


class Trace:
    """The instructions of some functions that were executed, and the calls of some of them.

    Parameters
    ----------
    watched : iterable of code
        The functions; those that are defined in them are watched too.
    called : iterable of code
        The functions whose arguments are kept.
    """

    def __init__(self, watched: Iterable[CodeType], called: Iterable[CodeType] = ()) -> None:
        self._spans = {code: [_span(p) for p in code.co_positions()] for outer in watched for code in nested(outer)}
        self._executed: dict[CodeType, set[int]] = {code: set() for code in self._spans}
        self._calls: dict[CodeType, list[_Call]] = {code: [] for code in called}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what runs in the block."""
        with _tracing(partial(self._enter, self._room(), True)):
            yield

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Keep the calls of what runs in the block, and nothing else."""
        with _tracing(partial(self._enter, self._room(), False)):
            yield

    def _room(self) -> dict[CodeType, int]:
        return {code: len(calls) + _CALLS for code, calls in self._calls.items()}

    def _enter(
        self, room: dict[CodeType, int], watch: bool, frame: FrameType, event: str, argument: Any
    ) -> Callable[..., Any] | None:
        code = frame.f_code
        if code in room and len(self._calls[code]) < room[code]:
            self._calls[code].append(_arguments(frame))
        if not watch or code not in self._executed:
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        executed = self._executed[code]

        def step(frame: FrameType, event: str, argument: Any) -> Any:
            if event == "opcode":
                executed.add(frame.f_lasti // 2)
            return step

        return step

    def reached(self, place: Place) -> bool:
        """Whether the code at a place was executed.

        An expression that the compiler has folded into a larger constant has no instruction of its own; it was reached
        if the innermost one around it was.
        """
        codes = [code for code in nested(place.code) if code in self._spans]
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
        original, edited, less = comparison.original, comparison.edited, False
        for given, named in self._calls.get(original.__code__, ()):
            try:
                before, after = original(*given, **named), edited(*given, **named)
                if not _everywhere(comparison.stronger.weaker(before, after)):
                    return False
                less = less or not _everywhere(after == before)
            except Exception:
                return False
        return less


@contextmanager
def _tracing(enter: Callable[..., Any]) -> Iterator[None]:
    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(before)


def _arguments(frame: FrameType) -> _Call:
    """What the function that has just been entered was given."""
    code, values = frame.f_code, frame.f_locals
    names = list(code.co_varnames)
    plain, named = names[: code.co_argcount], names[code.co_argcount :][: code.co_kwonlyargcount]
    rest = names[code.co_argcount + code.co_kwonlyargcount :]
    given = tuple(values[name] for name in plain)
    if code.co_flags & inspect.CO_VARARGS:
        given += values[rest.pop(0)]
    more = values[rest.pop(0)] if code.co_flags & inspect.CO_VARKEYWORDS else {}
    return given, {**{name: values[name] for name in named}, **more}


def _span(positions: tuple[int | None, int | None, int | None, int | None]) -> _Span | None:
    line, last, column, end = positions
    if line is None or last is None or column is None or end is None or (column == end and line == last):
        return None
    return line, column, last, end


def nested(code: CodeType) -> Iterator[CodeType]:
    """The code of a function and of those defined within it, its comprehensions included."""
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from nested(part)


def _everywhere(truth: Any) -> bool:
    every = getattr(truth, "all", None)
    return bool(every() if callable(every) else truth)
