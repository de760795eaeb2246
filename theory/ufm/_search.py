"""A multi-start search for the global minimum of the objective, by L-BFGS.

A search finds no proof, but a point below a stated least loss refutes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_instance, check_integer, check_real
from theory.ufm._objective import objective_and_gradient
from theory.ufm._point import Point
from theory.ufm._problem import Problem
from theory.wording import wrong_type

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["descend", "search"]


def search(
    problem: Problem,
    *,
    starts: IntegerLike,
    seed: IntegerLike,
    first: Sequence[Point] = (),
    tolerance: RealLike = 1e-9,
    iterations: IntegerLike = 5000,
) -> list[Point]:
    """Local minima by L-BFGS from random starts, the lowest first.

    Parameters
    ----------
    problem : Problem
    starts : int
        Random starts, normal matrices with scales drawn between 0.5 and 2 times that at which the layers keep norms.
    seed : int
    first : sequence of Point
        Further points to start from.
    tolerance : float
        A run ends where no entry of the gradient is larger.
    iterations : int
        At most so many steps in a run. A ReLU network may come to rest at a kink, where the gradient does not vanish;
        such points are returned too, with what they reached.

    Returns
    -------
    list of Point

    Raises
    ------
    ValueError
        If there is nothing to start from, or a value is out of range.
    TypeError
        If a value is of a wrong type.

    Examples
    --------
    >>> problem = Problem.of(2, 2, 0.02, width=3)
    >>> best = search(problem, starts=5, seed=0)[0]
    >>> round(best.loss, 9) == round(problem.collapsed_loss(), 9)
    True
    """
    check_instance("problem", problem, Problem)
    generator = np.random.default_rng(check_integer("seed", seed, at_least=0))
    starts = check_integer("starts", starts, at_least=0)
    if not isinstance(first, (list, tuple)):
        raise wrong_type("first", first, "first must be a sequence of points")
    if starts + len(first) == 0:
        raise ValueError("starts = 0 and first is empty; there must be a point to start from")
    shapes = problem.shapes
    beginnings = [[point.features, *point.weights] for point in first]
    for _ in range(starts):
        scale = exp(generator.uniform(log(0.5), log(2.0)))
        beginnings.append([generator.standard_normal(shape) * scale / np.sqrt(shape[-1]) for shape in shapes])
        beginnings[-1][0] *= np.sqrt(shapes[0][1] / shapes[0][0])

    points = [Point(problem, features, weights) for features, *weights in beginnings]
    ends = (descend(point, tolerance=tolerance, iterations=iterations) for point in points)
    return sorted(ends, key=lambda point: point.loss)


def descend(
    point: Point,
    *,
    tolerance: RealLike = 1e-9,
    iterations: IntegerLike = 5000,
    flat: RealLike = 1e-16,
    memory: IntegerLike = 20,
) -> Point:
    """Where L-BFGS ends from a point.

    Parameters
    ----------
    point : Point
    tolerance : float
        It ends where no entry of the gradient is larger.
    iterations : int
        At most so many steps, and twice as many evaluations.
    flat : float
        It also ends where a step lowers the loss by no more than this share.
    memory : int
        Steps that the Hessian is estimated from, at most 1000.

    Returns
    -------
    Point

    Examples
    --------
    >>> problem = Problem.of(2, 1, 0.1)
    >>> round(descend(Point(problem, np.eye(2), [np.eye(2)])).loss, 6)
    0.18
    """
    from scipy.optimize import minimize

    iterations, memory = (
        check_integer("iterations", iterations, at_least=1),
        check_integer("memory", memory, at_least=1, at_most=1000),
    )
    tolerance, flat = check_real("tolerance", tolerance, at_least=0), check_real("flat", flat, at_least=0)
    check_instance("point", point, Point)
    problem, matrices = point.problem, [point.features, *point.weights]
    sizes = [m.shape for m in matrices]
    cuts = np.cumsum([a * b for a, b in sizes])[:-1]

    def unpack(x: Float[np.ndarray, " parameters"]) -> list[Float[np.ndarray, "_ _"]]:
        return [part.reshape(size) for part, size in zip(np.split(x, cuts), sizes, strict=True)]

    def objective(x: Float[np.ndarray, " parameters"]) -> tuple[float, Float[np.ndarray, " parameters"]]:
        features, *weights = unpack(x)
        loss, gradients = objective_and_gradient(problem, features, weights)
        return loss, np.concatenate([g.ravel() for g in gradients])

    options = {
        "maxiter": iterations,
        "maxfun": 2 * iterations,
        "ftol": min(flat, 1.0),
        "gtol": tolerance,
        "maxcor": memory,
    }
    start = np.concatenate([m.ravel() for m in matrices])
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)  # type: ignore[call-overload]
    features, *weights = unpack(found.x)
    return Point(problem, features, weights)
