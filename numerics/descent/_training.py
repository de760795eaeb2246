"""Gradient descent on the deep unconstrained features model, all seeds in one batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from numerics.descent._activation import Activation
from numerics.descent._history import History, record_steps
from numerics.descent._network import Network
from numerics.descent._optimizer import OPTIMIZERS, Optimizer, make_optimizer
from numerics.descent._problem import Problem, positive_integer, positive_number
from numerics.descent._runs import Runs
from numerics.tensors import check_device

__all__ = ["Interrupted", "initial_parameters", "seed_list", "tiles", "train"]

_TILE_BYTES = 2**21  # parameters and buffers of the runs stepped together on a CPU: about one core's cache
_LIMIT = 1e8  # a loss from which gradient descent does not come back
_SEGMENT = 500  # steps between two looks at whether a run has diverged


class Interrupted(KeyboardInterrupt):
    """Training was interrupted, and its runs are kept up to the latest step that all of them had reached.

    Parameters
    ----------
    runs : Runs
        Their `steps` are those that were done, perhaps none.
    """

    def __init__(self, runs: Runs) -> None:
        super().__init__(runs)
        self.runs = runs

    def __str__(self) -> str:
        return f"interrupted after {self.runs.steps} steps; the attribute runs has what was reached"


def train(
    K: int,
    L: int,
    lam: float | None = None,
    *,
    lams: Sequence[float] | None = None,
    n: int = 1,
    width: int | Sequence[int] = 64,
    seeds: int | Sequence[int] | np.ndarray = 16,
    steps: int = 20_000,
    lr: float = 0.5,
    init_scale: float | Sequence[float] = 1.0,
    optimizer: str = "gd",
    optimizer_options: dict[str, Any] | None = None,
    activation: str | Activation | Sequence[str | Activation] = "relu",
    eps: float = 1e-3,
    initial: Sequence[Tensor] | None = None,
    record: int | Sequence[int] = 30,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Runs:
    r"""Train L-DUFM from many seeds at once by a full-batch method.

    Parameters
    ----------
    K, L : int
        Classes and layers.
    lam, lams : float, or sequence of L + 1 floats
        One regularisation for every matrix, or (λ_H1, λ_W1, …, λ_WL).
    n : int
        Samples per class.
    width : int or sequence of L ints
        d_1, …, d_L, each at least K.
    seeds : int or sequence of ints
        That many seeds 0, 1, …, or the seeds themselves.
    steps : int
        Number of updates.
    lr : float
        Learning rate.
    init_scale : float or sequence of L + 1 floats
        H_1 and the weights start as independent normal numbers of standard deviation
        init_scale / √(number of columns), columns being the width of the layer they act on.
    optimizer : {"gd", "momentum", "adam"}
        Full-batch gradient descent, heavy ball, or Adam.
    optimizer_options : dict, optional
        ``momentum`` for "momentum"; ``betas``, ``epsilon`` for "adam".
    activation, eps
        See :meth:`~numerics.descent.Problem.of`.
    initial : sequence of L + 1 tensors, optional
        (H_1, W_1, …, W_L), each of shape (number of seeds, …), to start from instead.
    record : int or sequence of ints
        The history is kept at about that many steps, evenly spaced in the logarithm, or at the steps given.
        The first and the last state are always kept.
    device, dtype
        Where and in what precision to step. The returned quantities are computed in float64.
    threads : int
        Threads of torch on a CPU. One is the fastest per core for small networks.
    progress : callable, optional
        Called now and then with the number of updates done and of all, counted over all runs.

    Returns
    -------
    Runs

    Raises
    ------
    ValueError, TypeError
        For wrong arguments, naming them.
    Interrupted
        After Ctrl-C, with the runs as they were at the latest step that all of them had reached.

    Notes
    -----
    The draws come from ``numpy.random.default_rng(seed)``, one generator per run, so that a run is the same
    whatever its batch, device or precision. Two calls with the same arguments on one machine agree bit for bit.
    The same seed in batches of other sizes takes the same steps up to rounding, of which 300 steps in float64 make no
    more than a relative 1e-10; on the CPUs tried so far there was no difference at all.

    Every 500 steps, and where the history is recorded, the losses are looked at. A run whose loss is above 10⁸ or
    not a number then has diverged: its status says so with the first step at which that was the case, it keeps the
    parameters of the step before, and the other runs are not disturbed.

    On a CPU the batch is stepped in tiles that fit in a core's cache, 500 steps each in turn; on a GPU the whole batch is stepped at
    once by CUDA graphs of 20 steps.

    References
    ----------
    `lowrank`, Section 6.1 and Appendix B.1.

    Examples
    --------
    >>> runs = train(3, 3, 1e-3, width=8, seeds=2, steps=500, record=3)
    >>> runs.steps, runs.losses.shape, runs.status
    (500, (2,), ('finished', 'finished'))
    """
    problem = Problem.of(K, L, lam, lams=lams, n=n, width=width, activation=activation, eps=eps)
    seeds = seed_list(seeds)
    steps = positive_integer("steps", steps, 0)
    lr = positive_number("lr", lr)
    threads = positive_integer("threads", threads)
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer must be one of {', '.join(map(repr, OPTIMIZERS))}, got {optimizer!r}")
    options = dict(optimizer_options or {})
    device = check_device(device)
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float32 or torch.float64, got {dtype}")
    recorded = record_steps(record, steps)
    if initial is None:
        start = initial_parameters(problem, seeds, init_scale)
    else:
        start = [torch.as_tensor(p) for p in initial]
        problem.check(start)
        if start[0].shape[0] != len(seeds):
            raise ValueError(f"initial must hold one run for each of the {len(seeds)} seeds, got {start[0].shape[0]}")
        for i, p in enumerate(start):
            if not bool(p.isfinite().all()):
                raise ValueError(f"initial must be finite, got NaN or infinity in {f'W_{i}' if i else 'H_1'}")
    with torch.inference_mode(), _threads(threads), _flushed_denormals():
        parts = [
            _Tile(problem, [p[part].to(device, dtype, copy=True) for p in start], optimizer, lr, options, recorded)
            for part in tiles(problem, len(seeds), device, dtype)
        ]
        done = _descend(parts, recorded, progress)
    runs = Runs(
        problem=problem,
        seeds=seeds,
        parameters=tuple(torch.cat([t.parameters[i].cpu() for t in parts]) for i in range(L + 1)),
        diverged_at=np.concatenate([t.diverged_at for t in parts]),
        steps=done,
        history=History.concatenate([t.history for t in parts]),
        settings={
            "lr": lr,
            "init_scale": list(init_scale) if isinstance(init_scale, Sequence) else init_scale,
            "optimizer": optimizer,
            "optimizer_options": options,
            "dtype": str(dtype).removeprefix("torch."),
            "device": device.type,
        },
    )
    if done < steps:
        raise Interrupted(runs)
    return runs


def initial_parameters(
    problem: Problem, seeds: Sequence[int], init_scale: float | Sequence[float] = 1.0
) -> list[Tensor]:
    """Draw the starting point of each seed.

    Parameters
    ----------
    problem : Problem
    seeds : sequence of ints
    init_scale : float or sequence of L + 1 floats
        Entries have standard deviation init_scale / √columns.

    Returns
    -------
    list of L + 1 tensors
        (H_1, W_1, …, W_L) in float64, each of shape (len(seeds), …).

    Examples
    --------
    >>> problem = Problem.of(3, 2, 0.1, width=4)
    >>> alone, both = initial_parameters(problem, [7]), initial_parameters(problem, [3, 7])
    >>> all(bool((a[0] == b[1]).all()) for a, b in zip(alone, both))
    True
    """
    scales = tuple(init_scale) if isinstance(init_scale, Sequence) else (init_scale,) * (problem.L + 1)
    if len(scales) != problem.L + 1:
        raise ValueError(f"init_scale must be one number or L + 1 = {problem.L + 1} of them, got {len(scales)}")
    scales = tuple(positive_number("init_scale", s) for s in scales)
    draws: list[list[np.ndarray]] = [[] for _ in problem.shapes]
    for seed in seeds:
        rng = np.random.default_rng(seed)
        for draw, scale, shape in zip(draws, scales, problem.shapes, strict=True):
            draw.append(rng.standard_normal(shape) * (scale / math.sqrt(shape[1])))
    return [torch.from_numpy(np.stack(draw)) for draw in draws]


class _Tile:
    """Runs that are stepped together, and what has become of them so far."""

    def __init__(
        self,
        problem: Problem,
        parameters: list[Tensor],
        optimizer: str,
        lr: float,
        options: dict[str, Any],
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


def _descend(parts: Sequence[_Tile], recorded: Sequence[int], progress: Callable[[int, int], None] | None) -> int:
    """Take all steps and return their number; after an interrupt, go back to the last one that all runs have reached."""
    begin, done, total = 0, 0, recorded[-1] * sum(part.runs for part in parts)
    try:
        for begin, end in _segments(recorded):
            for part in parts:
                part.advance(begin, end)
                done += (end - begin) * part.runs
                if progress is not None:
                    progress(done, total)
    except KeyboardInterrupt:
        for part in parts:
            part.stop_at(begin)
        return begin
    finally:
        for part in parts:
            part.finish()
    return recorded[-1]


def _lost(network: Network) -> Tensor:
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


def _segments(recorded: Sequence[int]) -> Iterator[tuple[int, int]]:
    begin = 0
    for stop in recorded:
        while begin < stop:
            end = min(begin + _SEGMENT, stop)
            yield begin, end
            begin = end


def tiles(problem: Problem, runs: int, device: torch.device, dtype: torch.dtype) -> Iterator[slice]:
    """Cut the batch into the parts that are stepped together."""
    size = runs
    if device.type == "cpu":
        buffers = problem.size + 3 * problem.N * sum(problem.widths)
        size = max(1, _TILE_BYTES // (buffers * dtype.itemsize))
    for begin in range(0, runs, size):
        yield slice(begin, begin + size)


def seed_list(seeds: int | Sequence[int] | np.ndarray) -> tuple[int, ...]:
    """Return the seeds that were asked for, by their number or one by one."""
    seeds = seeds.tolist() if isinstance(seeds, np.ndarray) else seeds
    if not isinstance(seeds, Sequence):
        return tuple(range(positive_integer("seeds", seeds)))
    values = tuple(positive_integer("seeds", seed, 0) for seed in seeds)
    if not values:
        raise ValueError("seeds must hold at least one seed, got none")
    if len(set(values)) != len(values):
        raise ValueError(f"seeds must be distinct, got {list(values)}")
    return values


@contextmanager
def _threads(threads: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _flushed_denormals() -> Iterator[None]:
    """Flush denormal numbers to zero: dead directions decay through them, at many times the cost of a step."""
    tiny = torch.tensor(torch.finfo(torch.float64).tiny, dtype=torch.float64)
    flushed = float(tiny / 2) == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)
