"""A search for better solutions: moves that change a known one's shape, and descents that sharpen a smooth ReLU."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from theory.dufm._matrices import without_idle_units
from theory.dufm.optimum._shape import Shape, descended

if TYPE_CHECKING:
    from theory.ufm import Problem

__all__ = ["MOVES", "annealed", "moved", "pruned"]

_IDLE = 1e-7  # a unit whose class means are below this share of the layer's largest is left out
_WIDTHS = (0.05, 0.02, 0.007, 2e-3, 5e-4, 1e-4, 1e-5, 1e-6)


def annealed(problem: Problem, shape: Shape, width: float = 0.1, steps: int = 200) -> tuple[float, Shape]:
    """Descend with the ReLU smoothed, then sharpened in steps, then exact; L-BFGS alone stops at the ReLU's kinks.

    Parameters
    ----------
    problem : Problem
    shape : list of L ndarrays
        Where to start.
    width : float
        The first width of the smoothing, in units of the root mean square of a layer's pre-activations.
    steps : int
        At most so many for each width, and four times as many at the end.

    Returns
    -------
    loss : float
    shape : list of L ndarrays
        Without idle units.
    """
    for narrower in (width, *(w for w in _WIDTHS if w < width)):
        _, shape = descended(problem, shape, narrower, steps)
    return descended(problem, pruned(shape), 0.0, 4 * steps)


def pruned(shape: Shape) -> Shape:
    """The shape without units that do nothing, and with features of no more dimensions than they have."""
    outputs = np.empty((0, len(shape[-1])))  # in place of W_L
    return without_idle_units([*shape, outputs], _IDLE)[:-1]


Move = Callable[[Shape, np.random.Generator, Callable[[int, int], "Shape | None"]], "Shape | None"]


def _disturbed(shape: Shape, generator: np.random.Generator, _: object) -> Shape:
    """Noise on all matrices, of 1 to 100 % of their root mean square, with two further units a layer."""
    size = 10 ** generator.uniform(-2, 0)
    grown = _padded(shape, int(generator.integers(0, 3)))
    return [m + size * np.linalg.norm(m) / np.sqrt(m.size) * generator.standard_normal(m.shape) for m in grown]


def _new_units(shape: Shape, generator: np.random.Generator, _: object) -> Shape:
    """Some units of each layer drawn anew."""
    changed = [matrix.copy() for matrix in shape]
    for l in range(1, len(shape)):
        rows = generator.random(len(changed[l])) < 0.3
        typical = np.linalg.norm(changed[l]) / np.sqrt(changed[l].size)
        changed[l][rows] = typical * generator.standard_normal((int(rows.sum()), changed[l].shape[1]))
    return changed


def _truncated(shape: Shape, generator: np.random.Generator, _: object) -> Shape | None:
    """One dimension fewer in all layers but the last: of each matrix the largest singular values only."""
    ranks = [np.linalg.matrix_rank(m, tol=1e-3 * np.linalg.norm(m, 2)) for m in shape]
    rank = max(ranks[:-1]) - 1
    if rank < 2:
        return None
    changed = []
    for matrix in shape:
        left, values, right = np.linalg.svd(matrix, full_matrices=False)
        values[rank:] = 0
        changed.append((left * values) @ right)
    return _disturbed(changed, generator, None) if generator.random() < 0.5 else changed


def _from_more_layers(
    shape: Shape, generator: np.random.Generator, at: Callable[[int, int], Shape | None]
) -> Shape | None:
    """The solution with a layer more, two of whose matrices are multiplied."""
    other = at(0, 1)
    if other is None:
        return None
    l = int(generator.integers(0, len(other) - 1))
    return [*other[:l], other[l + 1] @ other[l], *other[l + 2 :]]


def _from_fewer_layers(
    shape: Shape, generator: np.random.Generator, at: Callable[[int, int], Shape | None]
) -> Shape | None:
    """The solution with a layer less, with an identity put in."""
    other = at(0, -1)
    if other is None:
        return None
    l = int(generator.integers(1, len(other)))
    return [*other[:l], np.eye(other[l].shape[1]), *other[l:]]


def _from_fewer_classes(
    shape: Shape, generator: np.random.Generator, at: Callable[[int, int], Shape | None]
) -> Shape | None:
    """The solution for a class less, with features for the new class next to those of another, or a mixture of two."""
    other = at(-1, 0)
    if other is None:
        return None
    first = other[0]
    mixture = first @ generator.dirichlet(np.full(first.shape[1], 0.3))
    typical = np.linalg.norm(first) / np.sqrt(first.size)
    new = mixture + 0.2 * typical * generator.standard_normal(len(first))
    return _disturbed([np.column_stack([first, new]), *other[1:]], generator, None)


def _from_more_classes(
    shape: Shape, generator: np.random.Generator, at: Callable[[int, int], Shape | None]
) -> Shape | None:
    """The solution for a class more, without one of its classes."""
    other = at(1, 0)
    if other is None:
        return None
    return [np.delete(other[0], generator.integers(0, other[0].shape[1]), axis=1), *other[1:]]


MOVES: Mapping[str, Move] = {
    "noise": _disturbed,
    "new units": _new_units,
    "rank truncated": _truncated,
    "two layers merged": _from_more_layers,
    "a layer put in": _from_fewer_layers,
    "a class added": _from_fewer_classes,
    "a class removed": _from_more_classes,
}


def moved(
    problem: Problem,
    shape: Shape,
    generator: np.random.Generator,
    at: Callable[[int, int], Shape | None],
) -> Iterator[tuple[str, float, Shape]]:
    """Try moves in random order for ever, each from the shape given, or from neighbours.

    Parameters
    ----------
    problem : Problem
    shape : list of L ndarrays
    generator : numpy.random.Generator
    at : callable
        A shape for so many more classes and layers, or None.

    Yields
    ------
    move : str
        Its name.
    loss : float
    shape : list of L ndarrays
        Where the descent ended.
    """
    names = list(MOVES)
    while True:
        name = names[int(generator.integers(len(names)))]
        start = MOVES[name](shape, generator, at)
        if start is None or not all(np.linalg.norm(matrix) > 0 for matrix in start):
            continue
        yield name, *annealed(problem, start, float(10 ** generator.uniform(-1.7, -0.8)))


def _padded(shape: Shape, further: int) -> Shape:
    """Further units in every layer, with weights 0."""
    grown = []
    for l, matrix in enumerate(shape):
        grown.append(np.pad(matrix, ((0, further), (0, further if l else 0))))
    return grown
