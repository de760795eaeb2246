"""What a training run looked like on the way, kept at stated steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from numerics.descent._model import layers, objective
from numerics.metrics import balanced_statistics, class_means, nc1
from theory.arguments import LARGEST_SIZE, IntegerLike, check_integer
from theory.foreign import entries
from theory.ufm import Problem

__all__ = ["History", "dnc1", "record_steps"]


@dataclass(frozen=True)
class History:
    """Loss, DNC1 and singular values of S runs at R steps.

    After a run has diverged its entries are infinite.

    Attributes
    ----------
    steps : array (R,)
        Number of updates made, beginning with 0. The last comes twice in runs that were polished: before and after.
    loss : array (R, S)
    dnc1 : array (R, S, L)
        tr Σ_W / tr Σ_B of H_1, …, H_L; nan where all class means coincide.
    singular_values : array (R, S, L, K)
        Of the class means of H_1, …, H_L, in decreasing order.
    """

    steps: Int[np.ndarray, " R"]
    loss: Float[np.ndarray, "R S"]
    dnc1: Float[np.ndarray, "R S L"]
    singular_values: Float[np.ndarray, "R S L K"]

    @property
    def index(self) -> dict[int, int]:
        """Where each step is in the arrays."""
        return {int(step): i for i, step in enumerate(self.steps)}

    @classmethod
    def empty(cls, problem: Problem, runs: int, steps: Sequence[int]) -> History:
        """Make room for the given steps."""
        shape = (len(steps), runs)
        return cls(
            np.array(steps),
            np.full(shape, np.inf),
            np.full((*shape, problem.L), np.inf),
            np.full((*shape, problem.L, problem.K), np.inf),
        )

    @staticmethod
    def concatenate(parts: Sequence[History]) -> History:
        """Join histories of different runs at the same steps."""
        arrays = zip(*(part._arrays() for part in parts), strict=True)
        return History(parts[0].steps, *(np.concatenate(each, 1) for each in arrays))

    def _arrays(self) -> list[np.ndarray]:
        return [getattr(self, f.name) for f in fields(self) if f.name != "steps"]

    def select(self, index: np.ndarray) -> History:
        """Keep only the runs in `index`."""
        return History(self.steps, self.loss[:, index], self.dnc1[:, index], self.singular_values[:, index])

    def with_room(self, step: int) -> History:
        """Make room for another row, at `step`."""
        rest = [np.append(array, np.full((1, *array.shape[1:]), np.inf), 0) for array in self._arrays()]
        return History(np.append(self.steps, step), *rest)

    def until(self, step: int) -> History:
        """Keep what was recorded up to `step`, and make room for `step` itself where it was not to be."""
        rows = np.flatnonzero(self.steps < step)
        return History(self.steps[rows], *(array[rows] for array in self._arrays())).with_room(step)

    def record(self, at: int, problem: Problem, parameters: Sequence[Tensor], diverged: np.ndarray) -> None:
        """Fill in row `at` from the parameters, except for runs that have diverged."""
        here = [p.double() for p in parameters]
        features, _, output = layers(problem, here)
        loss = objective(problem, here, output).cpu().numpy()
        alive = ~diverged
        self.loss[at, alive] = loss[alive]
        for l, h in enumerate(features):
            self.dnc1[at, alive, l] = dnc1(h, problem.K).cpu().numpy()[alive]
            values = torch.linalg.svdvals(class_means(h, problem.K).cpu())  # small ones are slow on a GPU
            self.singular_values[at, alive, l] = values.numpy()[alive]


def dnc1(features: Float[Tensor, "*runs N d"], K: IntegerLike) -> Float[Tensor, "*runs"]:
    """Return tr Σ_W / tr Σ_B of each run, nan where all class means coincide.

    Parameters
    ----------
    features : tensor, shape (..., N, d)
        Samples in rows, class by class.
    K : int
        Classes.

    Returns
    -------
    tensor, shape (...)

    References
    ----------
    lowrank, section 6.

    Examples
    --------
    >>> dnc1(torch.tensor([[1.0], [3.0], [5.0], [7.0]]), 2)
    tensor(0.2500)
    """
    return nc1(balanced_statistics(features, K), undefined="nan")


def record_steps(record: IntegerLike | Sequence[IntegerLike] | np.ndarray, steps: int) -> list[int]:
    """Return the steps at which to record, the first and the last among them.

    Parameters
    ----------
    record : int or sequence of int
        About how many steps, evenly spaced in the logarithm, or which ones.
    steps : int
        Length of the training.

    Returns
    -------
    list of int
        In increasing order.

    Raises
    ------
    ValueError, TypeError
        If a step is beyond the last one, or what was given is no number.

    Examples
    --------
    >>> record_steps(4, 1000), record_steps([500], 1000)
    ([0, 1, 32, 1000], [0, 500, 1000])
    """
    several = entries(record)
    if several is not None:
        wanted = [check_integer("record", step, at_least=0) for step in several]
        if wanted and max(wanted) > steps:
            raise ValueError(f"record = {max(wanted)}; record must not go beyond steps = {steps}")
    else:
        number = check_integer("record", record, at_least=2, at_most=LARGEST_SIZE)
        wanted = np.geomspace(1, max(steps, 1), number - 1).round().astype(int).tolist()
    return sorted({0, steps, *(step for step in wanted if step <= steps)})
