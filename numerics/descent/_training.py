"""Gradient descent on the deep unconstrained features model, all seeds in one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from numerics.descent._history import History, record_steps
from numerics.descent._initial import initial_parameters, initial_scales, seed_list
from numerics.descent._model import check_parameters, check_trainable, loss, matrix_name
from numerics.descent._optimizer import check_options
from numerics.descent._runs import Runs
from numerics.descent._tile import Tile, segments, tiles
from numerics.tensors import check_device
from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_integer, check_real
from theory.ufm import ActivationLike, Problem
from theory.wording import wrong_type

__all__ = ["Interrupted", "flushed_denormals", "train"]


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
    K: IntegerLike,
    L: IntegerLike,
    lam: RealLike | None = None,
    *,
    lams: Sequence[RealLike] | None = None,
    n: IntegerLike = 1,
    width: IntegerLike | Sequence[IntegerLike] | np.ndarray = 64,
    seeds: IntegerLike | Sequence[IntegerLike] | np.ndarray = 16,
    steps: IntegerLike = 20_000,
    lr: RealLike = 0.5,
    init_scale: RealLike | Sequence[RealLike] | np.ndarray = 1.0,
    optimizer: str = "gd",
    optimizer_options: Mapping[str, Any] | None = None,
    activation: ActivationLike | Sequence[ActivationLike] = "relu",
    eps: RealLike = 1e-3,
    initial: Sequence[Tensor] | None = None,
    record: IntegerLike | Sequence[IntegerLike] | np.ndarray = 30,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
    threads: IntegerLike = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Runs:
    """Train the L-DUFM from many seeds at once by a full-batch method.

    Parameters
    ----------
    K, L : int
        Classes and layers.
    lam, lams : float, Fraction or decimal string, or sequence of L + 1 of these
        One regularisation for every matrix, or (λ_H1, λ_W1, …, λ_WL).
    n : int
        Samples per class.
    width : int or sequence of L ints
        d_1, …, d_L, each at least K.
    seeds : int or sequence of int
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
    activation : str, activation, or sequence of L − 1 of these
        "relu", "relu_eps", "identity", or an activation of `theory.ufm`.
    eps : float
        The ε of "relu_eps".
    initial : sequence of L + 1 tensors, optional
        (H_1, W_1, …, W_L), each of shape (number of seeds, …), to start from instead.
    record : int or sequence of int
        The history is kept at about that many steps, evenly spaced in the logarithm, or at the steps given.
        The first and the last state are always kept.
    device : str or torch.device
        Where to step.
    dtype : torch.dtype
        In what precision to step. The returned quantities are computed in float64.
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
        For wrong arguments, naming them; also for an initialisation so large that the loss is not finite at the start,
        or so small that it is 0 in this precision.
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

    On a CPU the batch is stepped in tiles that fit in a core's cache, 500 steps each in turn; on a GPU the whole batch
    is stepped at once by CUDA graphs of 20 steps.

    References
    ----------
    lowrank, Section 6.1 and Appendix B.1.

    Examples
    --------
    >>> runs = train(3, 3, 1e-3, width=8, seeds=2, steps=500, record=3)
    >>> runs.steps, runs.losses.shape, runs.status
    (500, (2,), ('finished', 'finished'))
    """
    problem = check_trainable(Problem.of(K, L, lam, lams=lams, n=n, width=width, activation=activation, eps=eps))
    seeds = seed_list(seeds)
    steps = check_integer("steps", steps, at_least=0)
    threads = check_integer("threads", threads, at_least=1, at_most=LARGEST_SIZE)
    step_size = check_real("lr", lr, above=0)
    options = check_options(optimizer, optimizer_options or {})
    where = check_device(device)
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype = {dtype!r}; dtype must be torch.float32 or torch.float64")
    recorded = record_steps(record, steps)
    scales = initial_scales(problem, init_scale)
    start = initial_parameters(problem, seeds, scales) if initial is None else _check_initial(problem, initial, seeds)
    with torch.inference_mode(), _threads(threads), flushed_denormals():
        parts = list(tiles(problem, len(seeds), where, dtype))
        cast = [[p[part].to(where, dtype, copy=True) for p in start] for part in parts]
        _check_start(problem, cast, "init_scale" if initial is None else "initial", scales)
        running = [Tile(problem, part, optimizer, step_size, options, recorded) for part in cast]
        done = _descend(running, recorded, progress)
    runs = Runs(
        problem=problem,
        seeds=seeds,
        parameters=tuple(torch.cat([t.parameters[i].cpu() for t in running]) for i in range(problem.L + 1)),
        diverged_at=np.concatenate([t.diverged_at for t in running]),
        steps=done,
        history=History.concatenate([t.history for t in running]),
        settings={
            "lr": step_size,
            "init_scale": scales[0] if len(set(scales)) == 1 else list(scales),
            "optimizer": optimizer,
            "optimizer_options": options,
            "dtype": str(dtype).removeprefix("torch."),
            "device": where.type,
        },
    )
    if done < steps:
        raise Interrupted(runs)
    return runs


def _check_initial(problem: Problem, initial: Sequence[Tensor], seeds: Sequence[int]) -> list[Tensor]:
    if not isinstance(initial, (list, tuple)) or not all(isinstance(matrix, Tensor) for matrix in initial):
        raise wrong_type("initial", initial, "initial must be a list of tensors")
    start = list(initial)
    check_parameters(problem, start)
    if start[0].ndim != 3 or start[0].shape[0] != len(seeds):
        shape = tuple(start[0].shape)
        raise ValueError(
            f"initial has matrices of shape {shape}; initial must hold one run for each of the {len(seeds)} seeds"
        )
    for i, p in enumerate(start):
        if not bool(p.isfinite().all()):
            raise ValueError(f"initial has NaN or infinity in {matrix_name(i)}; initial must be finite")
    return start


def _check_start(problem: Problem, parts: Sequence[Sequence[Tensor]], name: str, scales: Sequence[float]) -> None:
    """Refuse starts from which no training can begin: without a finite loss, or with random matrices that are 0."""
    given = f"{name} = {scales[0] if len(set(scales)) == 1 else list(scales)}" if name == "init_scale" else name
    for part in parts:
        if not bool(loss(problem, [p.double() for p in part]).isfinite().all()):
            raise ValueError(f"{given}: the loss at the start is not finite; {name} must be smaller")
        if name == "init_scale" and any(bool((p == 0).flatten(1).all(1).any()) for p in part):
            raise ValueError(f"{given}: the start is 0 in {part[0].dtype}; {name} must be larger")


def _descend(parts: Sequence[Tile], recorded: Sequence[int], progress: Callable[[int, int], None] | None) -> int:
    """Take all steps and return their number; after an interrupt, go back to the last that all runs have reached."""
    begin, done, total = 0, 0, recorded[-1] * sum(part.runs for part in parts)
    try:
        for begin, end in segments(recorded):
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


@contextmanager
def _threads(threads: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Flush denormal numbers to zero: dead directions decay through them, at many times the cost of a step."""
    tiny = torch.tensor(torch.finfo(torch.float64).tiny, dtype=torch.float64)
    flushed = float(tiny / 2) == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)
