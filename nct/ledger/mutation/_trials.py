"""Trying the edits of a claim's statement on its checks, and counting what came of them."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from traceback import walk_tb
from types import FrameType
from typing import Any

from nct.ledger.mutation._edit import Edit
from nct.ledger.mutation._tracing import Trace

#: The least share of the edits of a claim that its checks have to reject.
LEAST_OF_A_CLAIM = 0.8

#: An edited statement has this many times as long as the statement itself, and at least so many seconds.
_PATIENCE, _SECONDS = 10, 10.0


@dataclass
class Survivor:
    """An edit that no check rejects: its name, the lines before and after, and the error of a check that broke down."""

    name: str
    difference: str
    error: str | None = None


@dataclass
class Tally:
    """What came of the edits of one claim. Plain data, so that it can travel between processes.

    Attributes
    ----------
    made : int
        How many edits were tried or discarded.
    discarded : dict of str to int
        How many say nothing stronger or different, by reason: code that the passing run does not reach, bounds and
        conditions that became weaker, statements that are no statements (type errors, and parts that do not fit).
    true : dict of str to str
        The edits that the claim's file declares to be true, with the reason.
    killed : int
        How many at least one check rejects.
    survived, crashed : list of Survivor
        Those that all checks accept; those that no check rejects and some check breaks down on, or does not come to an
        end with.
    step : float
        By which share numbers that are not whole were moved.
    seconds : float
        How long it took.
    faults : list of str
        What is wrong with the claim's declarations.
    """

    made: int = 0
    discarded: dict[str, int] = field(default_factory=dict)
    true: dict[str, str] = field(default_factory=dict)
    killed: int = 0
    survived: list[Survivor] = field(default_factory=list)
    crashed: list[Survivor] = field(default_factory=list)
    step: float = 0.02
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def counted(self) -> int:
        """How many edits a check has to reject."""
        return self.made - sum(self.discarded.values()) - len(self.true)

    @property
    def rate(self) -> float | None:
        """The share of these that is rejected; None if there are none."""
        return self.killed / self.counted if self.counted else None

    def to_json(self) -> dict[str, Any]:
        """The tally as plain data."""
        return {"counted": self.counted, "rate": self.rate, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Tally":
        """The tally that `to_json` has written."""
        given = {name: value for name, value in data.items() if name not in ("counted", "rate")}
        for name in ("survived", "crashed"):
            given[name] = [Survivor(**one) for one in given[name]]
        return cls(**given)


class OutOfTime(BaseException):
    """An edited statement takes too long. No AssertionError, and nothing that a check could catch by mistake."""


class Trials:
    """The edits of a claim's statement on their way through its checks.

    First every check runs on the statement itself, watched (`watch`); then what is left of the edits goes from check to
    check until one rejects it (`put_to`).

    Parameters
    ----------
    value : object
        The statement.
    edits : mapping of str to Edit
        Its edits by name.
    true : mapping of str to str
        Those that are declared to be true, with the reason.
    """

    def __init__(self, value: Any, edits: Mapping[str, Edit], true: Mapping[str, str]) -> None:
        self.value = value
        self._edits = dict(edits)
        self._alive = dict(edits)
        self._killed: dict[str, str] = {}
        self._errors: dict[str, BaseException] = {}
        self._discarded: dict[str, str] = {}
        self._true = dict(true)
        codes = {edit.place.code for edit in edits.values() if edit.place is not None}
        called = {edit.comparison.original.__code__ for edit in edits.values() if edit.comparison is not None}
        self._trace = Trace(codes | called, called)

    def watch(self, check: Callable[[Any], object]) -> float:
        """Run a check on the statement itself, watched; how many seconds it took."""
        begin = time.perf_counter()
        with self._trace.watching():
            check(self.value)
        return time.perf_counter() - begin

    @property
    def compares(self) -> bool:
        """Whether some edits are of bounds or conditions, which may have become weaker."""
        return any(edit.comparison is not None for edit in self._edits.values())

    def listen(self, check: Callable[[Any], object], value: Any) -> None:
        """Run a check on a false form, for the arguments that it gives to bounds and conditions.

        On the statement itself a conclusion is always true, and so is a looser one.
        """
        with suppress(Exception, OutOfTime), self._trace.listening(), limited(_SECONDS):
            check(value)

    def discard(self) -> None:
        """Leave out the edits of code that no check reached, and those that make a bound or a condition weaker."""
        for name, edit in self._edits.items():
            if edit.place is not None and not self._trace.reached(edit.place):
                self._discarded[name] = "not reached"
            elif edit.comparison is not None and self._trace.weaker(edit.comparison):
                self._discarded[name] = "weaker"
        for name in self._discarded:
            del self._alive[name]

    def put_to(self, check: Callable[[Any], object], seconds: float, name: str) -> None:
        """Run a check, which takes so many seconds on the statement, on each edit that is left."""
        for edit, edited in list(self._alive.items()):
            try:
                with limited(max(_SECONDS, _PATIENCE * seconds)):
                    check(edited.value)
            except AssertionError:
                self._killed[edit] = name
                del self._alive[edit]
            except (Exception, OutOfTime) as error:
                self._errors.setdefault(edit, error)

    def tally(self) -> Tally:
        """What came of it."""
        tally = Tally(made=len(self._edits), killed=len(self._killed), faults=list(self._faults()))
        for name in self._alive:
            error = self._errors.get(name)
            if name in self._true:
                continue
            if error is not None and _no_statement(error, self._edits[name]):
                self._discarded[name] = "type error"
            elif error is not None:
                tally.crashed.append(Survivor(name, self._edits[name].difference, _told(error)))
            else:
                tally.survived.append(Survivor(name, self._edits[name].difference))
        tally.true = {name: reason for name, reason in self._true.items() if name in self._alive}
        for reason in self._discarded.values():
            tally.discarded[reason] = tally.discarded.get(reason, 0) + 1
        return tally

    def _faults(self) -> Iterator[str]:
        for name in self._true:
            if name not in self._edits:
                yield f"true_edits = {name!r}; true_edits must name edits that are made"
            elif name in self._killed:
                yield f"the edit '{name}' is declared to be true, and {self._killed[name]} rejects it"
            elif name in self._discarded:
                yield f"the edit '{name}' need not be declared to be true: it is discarded ({self._discarded[name]})"


def _no_statement(error: BaseException, edit: Edit) -> bool:
    """Whether an edit is no statement: of the wrong type, or with parts that do not fit together.

    The latter is told by an error in the edited code itself. The same error in the code of a check is the check's.
    """
    if isinstance(error, TypeError | AttributeError | NameError):
        return True
    if edit.place is None or not isinstance(error, ValueError | IndexError | KeyError):
        return False
    code = edit.place.code
    frames = (frame.f_code for frame, _ in walk_tb(error.__traceback__))
    own = (code.co_filename, code.co_name, code.co_firstlineno)
    return any((other.co_filename, other.co_name, other.co_firstlineno) == own for other in frames)


def _told(error: BaseException) -> str:
    return (
        "ran out of time" if isinstance(error, OutOfTime) else f"{type(error).__name__}: {error}".split("\n")[0][:200]
    )


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Stop what runs in the block after so many seconds, where the system can."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
