"""Descent of the reduced loss of a graph solution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import Bounds, minimize

from theory.dufm.graphs._reduced_loss import Parameters, ReducedLoss

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

__all__ = ["descend"]

_SMOOTHING = (0.3, 0.1, 0.03, 0.01, 1e-3, 1e-5, 0.0)  # of the ReLU, relative to the size of its argument
_WIDEST = 4.0  # bound on |log| of a vertex scale
_STEP = 0.1  # a change of a weighting by this share of the layer's size weighs as much as one of a log scale by 1
_OPTIONS = {"maxcor": 20, "ftol": 1e-12, "gtol": 1e-8}  # of a loss that starts at 1


def descend(loss: ReducedLoss, start: Parameters, steps: int, smoothing: tuple[float, ...] = _SMOOTHING) -> Parameters:
    """A local minimum of the reduced loss by L-BFGS from `start`, with ever less smoothing of the ReLU.

    Parameters
    ----------
    loss : ReducedLoss
    start : Parameters
    steps : int
        Iterations for each degree of smoothing.
    smoothing : tuple of float
        Degrees of smoothing, relative to the size of the last layer at the start.

    Returns
    -------
    The parameters, as a `Parameters`
        The best point met at the ends of the descents, by the true loss; never worse than `start`.
    """
    shape, cut = start.log_scales.shape, start.log_scales.size
    size = float(np.sqrt(np.mean((start.weightings @ loss.incidence.matrix) ** 2)))
    unit = _STEP * size  # of the weightings, whatever the regularisation makes them
    best, least = start, loss.value(start)

    def unpack(point: Float[np.ndarray, " parameters"]) -> Parameters:
        return Parameters(point[:cut].reshape(shape), unit * point[cut:].reshape(-1, shape[1]))

    def objective(
        point: Float[np.ndarray, " parameters"], width: float, scale: float
    ) -> tuple[float, Float[np.ndarray, " parameters"]]:
        value, in_scales, in_weightings = loss.value_and_gradient(unpack(point), width)
        return value / scale, np.concatenate([in_scales.ravel(), unit * in_weightings.ravel()]) / scale

    point = np.concatenate([start.log_scales.ravel(), start.weightings.ravel() / unit])
    bounds = _bounds(start, point)
    options: Any = {**_OPTIONS, "maxiter": steps, "maxfun": 2 * steps}
    for width in smoothing:
        scale, _ = objective(point, size * width, 1.0)
        found = minimize(
            objective, point, args=(size * width, scale), jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
        if not np.isfinite(found.fun):
            break
        point = found.x
        value = loss.value(unpack(point))
        if value < least:
            best, least = unpack(point), value
    return best


def _bounds(start: Parameters, point: Float[np.ndarray, " parameters"]) -> Bounds:
    """Vertex scales stay near their layer's mean; where they start further off they stay where they are."""
    cut = start.log_scales.size
    centre = np.repeat(start.log_scales.mean(1), start.log_scales.shape[1])
    inside: Bool[np.ndarray, " scales"] = np.abs(point[:cut] - centre) <= _WIDEST
    lower = np.where(inside, centre - _WIDEST, point[:cut])
    upper = np.where(inside, centre + _WIDEST, point[:cut])
    free = np.full(point.size - cut, np.inf)
    return Bounds(np.concatenate([lower, -free]), np.concatenate([upper, free]))
