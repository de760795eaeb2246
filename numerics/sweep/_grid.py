"""The experiments of a sweep: every combination of some settings, from every seed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_choice, check_integer, check_real
from theory.foreign import entries

__all__ = ["Grid", "Task", "setting_key"]

LARGEST_SEED = 2**63 - 1  # of an SQLite integer


def setting_key(setting: dict[str, Any]) -> str:
    """Write a setting as a text that two settings share only if they are the same.

    Parameters
    ----------
    setting : dict
        JSON values.

    Returns
    -------
    str

    Examples
    --------
    >>> setting_key({"lam": 0.001, "K": 3})
    '{"K": 3, "lam": 0.001}'
    """
    return json.dumps(setting, sort_keys=True, allow_nan=False)


@dataclass(frozen=True)
class Task:
    """Some seeds of one setting, which a worker trains together.

    Attributes
    ----------
    setting : dict
        The arguments of `numerics.descent.train` but the seeds, and whether to polish; JSON values.
    seeds : tuple of int
        The seeds.
    recognise : bool
        Whether to name the solutions.
    """

    setting: dict[str, Any]
    seeds: tuple[int, ...]
    recognise: bool = True

    @property
    def text(self) -> str:
        """The task as JSON, so that any executor can send it anywhere."""
        return json.dumps({"setting": self.setting, "seeds": self.seeds, "recognise": self.recognise})

    @classmethod
    def of_key(cls, key: str, seeds: tuple[int, ...], recognise: bool) -> Task:
        """Make a task of a setting as `setting_key` wrote it."""
        return cls(json.loads(key), seeds, recognise)

    @classmethod
    def from_text(cls, text: str) -> Task:
        """Read what `text` says.

        Examples
        --------
        >>> Task.from_text(Task({"K": 3}, (5, 6)).text)
        Task(setting={'K': 3}, seeds=(5, 6), recognise=True)
        """
        read = json.loads(text)
        return cls(read["setting"], tuple(read["seeds"]), read["recognise"])


@dataclass(frozen=True)
class Grid:
    """Every combination of the values of each argument, from every seed.

    Parameters
    ----------
    K, L, lam, width, lr : number or sequence of numbers
        See `numerics.descent.train`. Combinations with width < K cannot be trained and raise ValueError.
    seeds : int or sequence of int
        That many seeds 0, 1, …, or the seeds themselves.
    n : int
        Samples per class, in all runs.
    steps : int
        Steps of every run.
    init_scale : float
        Scale of the initial parameters, in all runs.
    optimizer : {"gd", "momentum", "adam"}
        How every run steps.
    dtype : {"float32", "float64"}
        In what precision every run steps.
    polish : bool
        Finish every run at a stationary point, see `numerics.descent.polish`.
    recognise : bool
        Name every solution, see `numerics.descent.recognise`.
    batch : int
        The most seeds that are trained together and, after a failure, done again together. It changes no result.

    Examples
    --------
    >>> grid = Grid(K=[4, 6], L=3, lam=1e-3, width=8, seeds=20, steps=100)
    >>> len(grid.settings()), len(grid)
    (2, 40)
    """

    K: IntegerLike | Sequence[IntegerLike] | np.ndarray
    L: IntegerLike | Sequence[IntegerLike] | np.ndarray
    lam: RealLike | Sequence[RealLike] | np.ndarray
    width: IntegerLike | Sequence[IntegerLike] | np.ndarray = 64
    lr: RealLike | Sequence[RealLike] | np.ndarray = 0.5
    seeds: IntegerLike | Sequence[IntegerLike] | np.ndarray = 16
    n: IntegerLike = 1
    steps: IntegerLike = 20_000
    init_scale: RealLike = 1.0
    optimizer: str = "gd"
    dtype: str = "float32"
    polish: bool = False
    recognise: bool = True
    batch: IntegerLike = 16

    def __len__(self) -> int:
        return len(self.settings()) * len(self.seed_list())

    def settings(self) -> list[dict[str, Any]]:
        """List the settings, after checking that each can be trained.

        Returns
        -------
        list of dict
            JSON values that `Task` takes.

        Raises
        ------
        ValueError, TypeError
            Naming the argument that is wrong.
        """
        from numerics.descent import OPTIMIZERS, Problem, check_trainable

        common = {
            "n": check_integer("n", self.n, at_least=1),
            "steps": check_integer("steps", self.steps, at_least=0),
            "init_scale": check_real("init_scale", self.init_scale, above=0),
            "optimizer": check_choice("optimizer", self.optimizer, OPTIMIZERS),
            "dtype": check_choice("dtype", self.dtype, ("float32", "float64")),
            "polish": check_choice("polish", self.polish, (False, True)),
        }
        check_choice("recognise", self.recognise, (False, True))
        check_integer("batch", self.batch, at_least=1)
        found = []
        for K, L, lam, width, lr in itertools.product(*map(self._axis, ("K", "L", "lam", "width", "lr"))):
            problem = check_trainable(Problem.of(K, L, lam, width=width))
            axes = {"K": problem.K, "L": problem.L, "lam": problem.lams[0], "width": problem.widths[0]}
            found.append({**axes, "lr": check_real("lr", lr, above=0), **common})
        if len(set(map(setting_key, found))) < len(found):
            raise ValueError("K, L, lam, width and lr must not repeat a value")
        return found

    def seed_list(self) -> tuple[int, ...]:
        """List the seeds of each setting.

        Returns
        -------
        tuple of int

        Raises
        ------
        ValueError, TypeError
            If `seeds` is wrong, or a seed is beyond 2⁶³ − 1, the largest that the file can hold.
        """
        from numerics.descent import seed_list

        return tuple(check_integer("seeds", s, at_least=0, at_most=LARGEST_SEED) for s in seed_list(self.seeds))

    def _axis(self, name: str) -> list[Any]:
        several = entries(getattr(self, name))
        if several is None:
            return [getattr(self, name)]
        if not several:
            raise ValueError(f"{name} = {several!r}; {name} must hold at least one value")
        return several
