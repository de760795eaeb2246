"""Runs that are stepped together: what has become of them, and when they diverge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from numerics.descent._history import History
from numerics.descent._model import size
from numerics.descent._network import Network
from numerics.descent._optimizer import Optimizer, make_optimizer
from theory.ufm import Problem

__all__ = ["Tile", "segments", "tiles"]

_TILE_BYTES = 2**21  # parameters and buffers of the runs stepped together on a CPU: about one core's cache
_LIMIT = 1e8  # a loss from which gradient descent does not come back
_SEGMENT = 500  # steps between two looks at whether a run has diverged


class Tile:
    """Runs that are stepped together, and what has become of them so far.

    Parameters
    ----------
    problem : Problem
        The problem.
    parameters : list of L + 1 tensors
        Where they start; they are stepped in place.
    optimizer : {"gd", "momentum", "adam"}
        How to step.
    lr : float
        Learning rate.
    options : mapping of str to object
        What `make_optimizer` takes for that optimiser.
    recorded : sequence of int
        The steps at which the history is kept, 0 among them.
    """

    def __init__(
        self,
        problem: Problem,
        parameters: list[Tensor],
        optimizer: str,
        lr: float,
        options: Mapping[str, Any],
        recorded: Sequence[int],
    ) -> None:
        self.problem, self.runs = problem, parameters[0].shape[0]
        self.stepper = make_optimizer(optimizer, Network(problem, parameters), lr, **options)
        self.diverged_at = np.full(self.runs, -1)
        self.last_finite: dict[int, list[Tensor]] = {}
        self.history = History.empty(problem, self.runs, recorded)
        self.row = self.history.index
        self.saved: tuple[int, list[Tensor]] | None = None
        self._record(0)

    def advance(self, begin: int, end: int) -> None:
        """Take the steps of a segment, at the end of which the runs that are lost are frozen."""
        stepper = self.stepper
        before = stepper.snapshot()
        self.saved = begin, before
        stepper.advance(end - begin)
        lost = _lost(stepper.network)
        if bool(lost.any()):
            for run in lost.nonzero().flatten().tolist():
                self._lose(run, end, [p[run] for p in before[: self.problem.L + 1]])
            for run, (step, kept) in _replay(stepper, before, begin, end).items():
                if bool(lost[run]):  # not one that came back by the end of the segment
                    self._lose(run, step, kept)
            stepper.freeze(lost)
        if end in self.row:
            self._record(end)

    @property
    def parameters(self) -> list[Tensor]:
        """What the runs are now."""
        return self.stepper.network.parameters

    def finish(self) -> None:
        """Give the runs that were lost the parameters of the step before."""
        for run, kept in self.last_finite.items():
            for p, value in zip(self.parameters, kept, strict=True):
                p[run] = value

    def stop_at(self, step: int) -> None:
        """Forget what was done since `step`, a segment's beginning, and record the state there."""
        if self.saved is not None and self.saved[0] == step:  # otherwise its segment had not begun
            self.stepper.network.parameters = self.saved[1][: self.problem.L + 1]
        self.diverged_at[self.diverged_at > step] = -1
        self.last_finite = {run: kept for run, kept in self.last_finite.items() if self.diverged_at[run] >= 0}
        self.history = self.history.until(step)
        self.row = self.history.index
        self._record(step)

    def _lose(self, run: int, step: int, kept: list[Tensor]) -> None:
        self.diverged_at[run], self.last_finite[run] = step, kept

    def _record(self, step: int) -> None:
        self.history.record(self.row[step], self.problem, self.parameters, self.diverged_at >= 0)


def _lost(network: Network) -> Bool[Tensor, " runs"]:
    """Tell for each run whether its loss is beyond the limit, infinite or not a number."""
    network.forward()
    return ~(network.objective() <= _LIMIT)


def _replay(stepper: Optimizer, before: Sequence[Tensor], begin: int, end: int) -> dict[int, tuple[int, list[Tensor]]]:
    """Take a segment again step by step; for each run that is lost in it, find when, and what it was just before."""
    network, found = stepper.network, {}
    stepper.restore(before)
    for step in range(begin, end):
        previous = [p.clone() for p in network.parameters]
        stepper.advance(1)
        for run in _lost(network).nonzero().flatten().tolist():
            if run not in found:
                found[run] = (step + 1, [p[run] for p in previous])
    return found


def segments(recorded: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Cut the steps between those that are recorded into segments, at whose ends divergence is looked for.

    >>> list(segments([0, 10, 700]))
    [(0, 10), (10, 510), (510, 700)]
    """
    begin = 0
    for stop in recorded:
        while begin < stop:
            end = min(begin + _SEGMENT, stop)
            yield begin, end
            begin = end


def tiles(problem: Problem, runs: int, device: torch.device, dtype: torch.dtype) -> Iterator[slice]:
    """Cut the batch into the parts that are stepped together."""
    together = runs
    if device.type == "cpu":
        buffers = size(problem) + 3 * problem.N * sum(problem.widths)
        together = max(1, _TILE_BYTES // (buffers * dtype.itemsize))
    for begin in range(0, runs, together):
        yield slice(begin, begin + together)
