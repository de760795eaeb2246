"""The experiments of a sweep: a grid of settings, cut into tasks that one worker does in one go."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

__all__ = ["Grid", "Task"]


@dataclass(frozen=True)
class Task:
    """Some seeds of one setting.

    Attributes
    ----------
    setting : dict
        The arguments of :func:`numerics.descent.train` but the seeds, and what to do afterwards; JSON values.
    seeds : tuple of ints
    """

    setting: dict[str, Any]
    seeds: tuple[int, ...]

    @property
    def key(self) -> str:
        """A text that two tasks share only if they are the same."""
        return json.dumps({**self.setting, "seeds": self.seeds}, sort_keys=True, allow_nan=False)

    @classmethod
    def from_key(cls, key: str) -> Task:
        """Read a :attr:`key`."""
        setting = json.loads(key)
        return cls(setting, tuple(setting.pop("seeds")))


@dataclass(frozen=True)
class Grid:
    """Every combination of the values of each argument, from every seed.

    Parameters
    ----------
    K, L, lam, width, lr : number or sequence of numbers
        See :func:`numerics.descent.train`. Combinations with width < K cannot be trained and raise ValueError.
    seeds : int or sequence of ints
        That many seeds 0, 1, …, or the seeds themselves.
    n, steps, init_scale, optimizer, dtype
        One value for all runs; ``dtype`` is "float32" or "float64".
    polish : bool
        Finish every run at a stationary point, see :func:`numerics.descent.polish`.
    recognise : bool
        Name every solution, see :func:`numerics.descent.recognise`.
    batch : int
        Seeds in one task: they are trained together, stored together and, after a failure, done again together.

    Examples
    --------
    >>> grid = Grid(K=[4, 6], L=3, lam=1e-3, width=8, seeds=20, steps=100)
    >>> len(grid.tasks()), grid.tasks()[1].seeds
    (4, (16, 17, 18, 19))
    """

    K: int | Sequence[int]
    L: int | Sequence[int]
    lam: float | Sequence[float]
    width: int | Sequence[int] = 64
    lr: float | Sequence[float] = 0.5
    seeds: int | Sequence[int] = 16
    n: int = 1
    steps: int = 20_000
    init_scale: float = 1.0
    optimizer: str = "gd"
    dtype: str = "float32"
    polish: bool = False
    recognise: bool = True
    batch: int = 16

    def tasks(self) -> list[Task]:
        """Cut the grid into tasks, after checking that every one of them can be done.

        Raises
        ------
        ValueError, TypeError
            Naming the argument that is wrong.
        """
        from numerics.descent import Problem
        from numerics.descent._optimizer import OPTIMIZERS
        from numerics.descent._problem import positive_integer, positive_number
        from numerics.descent._training import seed_list

        if self.dtype not in ("float32", "float64"):
            raise ValueError(f"dtype must be 'float32' or 'float64', got {self.dtype!r}")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer must be one of {', '.join(map(repr, OPTIMIZERS))}, got {self.optimizer!r}")
        common = {
            "n": positive_integer("n", self.n),
            "steps": positive_integer("steps", self.steps, 0),
            "init_scale": positive_number("init_scale", self.init_scale),
            "optimizer": self.optimizer,
            "dtype": self.dtype,
            "polish": bool(self.polish),
            "recognise": bool(self.recognise),
        }
        batches = list(_batches(seed_list(self.seeds), positive_integer("batch", self.batch)))
        tasks = []
        for K, L, lam, width, lr in itertools.product(*(self._axis(a) for a in ("K", "L", "lam", "width", "lr"))):
            problem = Problem.of(K, L, lam, width=width)
            axes = {"K": problem.K, "L": problem.L, "lam": problem.lams[0], "width": problem.widths[0]}
            setting = {**axes, "lr": positive_number("lr", lr), **common}
            tasks += [Task(setting, batch) for batch in batches]
        if len({task.key for task in tasks}) < len(tasks):
            raise ValueError("K, L, lam, width and lr must not repeat a value")
        return tasks

    def _axis(self, name: str) -> list[Any]:
        value = getattr(self, name)
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if isinstance(value, Real | Integral):
            return [value]
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise TypeError(f"{name} must be a number or a sequence of numbers, got {value!r}")
        if not value:
            raise ValueError(f"{name} must hold at least one value, got none")
        return list(value)


def _batches(seeds: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    for begin in range(0, len(seeds), size):
        yield tuple(seeds[begin : begin + size])
