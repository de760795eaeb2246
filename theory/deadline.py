"""A limit on the time that a computation may take."""

from __future__ import annotations

import time

from theory.arguments import RealLike, check_real

__all__ = ["Deadline"]


class Deadline:
    """The end of the time that a computation was given, counted from here on; None gives it all the time it wants.

    Arb's functions cannot be interrupted. The computation is therefore divided: it asks between two of them whether it
    has time left, which is also where Ctrl-C gets through.
    """

    def __init__(self, time_limit: RealLike | None) -> None:
        self.seconds = None if time_limit is None else check_real("time_limit", time_limit, above=0)
        self._start = time.perf_counter()

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._start

    def check(self, still: float = 0.0) -> None:
        """Raise TimeoutError if the time is over, or will be after the seconds that are `still` needed."""
        if self.seconds is not None and self.spent + still > self.seconds:
            needed = f"at least {self.spent + still:.2g} s are needed" if still else "that was not enough"
            raise TimeoutError(
                f"time_limit = {self.seconds:g} s; {needed}: raise time_limit (None: no limit), or ask for less"
            )
