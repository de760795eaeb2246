"""The loss of a network's shape: least over the scales of its matrices and over W_L, with its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from theory.ufm import Problem, minimise_scale

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["Shape", "descended", "loss_and_gradient"]

#: H_1, W_1, …, W_{L−1}, of which only the directions matter.
Shape: TypeAlias = "list[Float[np.ndarray, '_ _']]"


@dataclass(frozen=True)
class _Layer:
    """A layer with a smoothed ReLU, (x + t)²/(4t) for |x| < t, with t a multiple of the layer's root mean square.

    So the layer is positively homogeneous as with the ReLU itself, which is the limit of width 0.
    """

    pre_activations: Float[np.ndarray, "units K"]
    width: float

    @property
    def threshold(self) -> float:
        x = self.pre_activations
        return float(self.width * np.linalg.norm(x) / np.sqrt(x.size))

    def value(self) -> Float[np.ndarray, "units K"]:
        x, t = self.pre_activations, self.threshold
        positive: Float[np.ndarray, "units K"] = np.maximum(x, 0.0)
        if t > 0:
            near = np.abs(x) < t
            positive[near] = (x[near] + t) ** 2 / (4 * t)
        return positive

    def back(self, gradient: Float[np.ndarray, "units K"]) -> Float[np.ndarray, "units K"]:
        """The gradient in the pre-activations, from that in the value."""
        x, t = self.pre_activations, self.threshold
        slope = (x > 0).astype(float)
        if t == 0:
            result: Float[np.ndarray, "units K"] = gradient * slope
            return result
        near = np.abs(x) < t
        slope[near] = (x[near] + t) / (2 * t)
        by_threshold = (gradient[near] * (t * t - x[near] ** 2)).sum() / (4 * t * t)
        result = gradient * slope + by_threshold * t / (x**2).sum() * x
        return result


def loss_and_gradient(problem: Problem, shape: Shape, width: float = 0.0) -> tuple[float, Shape]:
    """The least loss over all scales and W_L of a shape, and its gradient in the shape's matrices.

    Parameters
    ----------
    problem : Problem
        Its regularisation enters by the product; widths are not looked at.
    shape : list of L ndarrays
        H_1 of shape (d_1, K), and W_1, …, W_{L−1}.
    width : float
        By how much the ReLU is smoothed, in units of the root mean square of a layer's pre-activations.

    Returns
    -------
    loss : float
    gradient : list of L ndarrays
        Orthogonal to each matrix, as scales do not matter; zeros where the zero solution is best.
    """
    K, L = problem.K, problem.L
    norms = [float(np.linalg.norm(matrix)) for matrix in shape]
    unit = [matrix / norm for matrix, norm in zip(shape, norms, strict=True)]
    means, layers = [unit[0]], []
    for weight in unit[1:]:
        layers.append(_Layer(weight @ means[-1], width))
        means.append(layers[-1].value())
    last = means[-1]
    left, values, right = np.linalg.svd(last, full_matrices=False)
    squares = values**2
    if not squares[0] > 0:
        return 0.5, [np.zeros_like(matrix) for matrix in shape]
    e = squares / squares[0]
    e = e[e > 1e-30]
    log_kappa = (problem.log_lams_n + np.log(K) - np.log(squares[0])) / L
    shares = np.full((e.size, 1), 1 / K)
    best = minimise_scale(np.array([log_kappa]), np.array([L]), shares, e[:, None])
    missing = (1 - e.size / K) / 2
    loss, log_u = float(best.value[0]) + missing, float(best.log_u[0])
    if not np.isfinite(log_u):
        return 0.5, [np.zeros_like(matrix) for matrix in shape]
    u = np.exp(log_u) / squares[0]
    price = float(np.exp(log_kappa + log_u / L))  # of each matrix, twice its share λ‖·‖²/2 of the loss
    factors = -u / K * values / (1 + u * squares) ** 2
    gradient = (left * factors) @ right
    gradients = [np.empty(0)] * L
    for l in range(L - 1, 0, -1):
        gradient = layers[l - 1].back(gradient)
        gradients[l] = gradient @ means[l - 1].T
        gradient = unit[l].T @ gradient
    gradients[0] = gradient
    return loss, [(g + price * m) / norm for g, m, norm in zip(gradients, unit, norms, strict=True)]


def descended(problem: Problem, shape: Shape, width: float = 0.0, steps: int = 300) -> tuple[float, Shape]:
    """Where L-BFGS ends from a shape, with the ReLU smoothed or not.

    Parameters
    ----------
    problem : Problem
    shape : list of L ndarrays
    width : float
        As in `loss_and_gradient`.
    steps : int
        At most so many.

    Returns
    -------
    loss : float
        With the smoothed ReLU.
    shape : list of L ndarrays
        Of unit norms.
    """
    from scipy.optimize import minimize

    sizes = [matrix.shape for matrix in shape]
    cuts = np.cumsum([a * b for a, b in sizes])[:-1]

    def unpack(x: Float[np.ndarray, " parameters"]) -> Shape:
        return [part.reshape(size) for part, size in zip(np.split(x, cuts), sizes, strict=True)]

    def objective(x: Float[np.ndarray, " parameters"]) -> tuple[float, Float[np.ndarray, " parameters"]]:
        loss, gradients = loss_and_gradient(problem, unpack(x), width)
        return loss * scale, np.concatenate([g.ravel() for g in gradients]) * scale

    start = np.concatenate([(matrix / np.linalg.norm(matrix)).ravel() for matrix in shape])
    scale = 1 / loss_and_gradient(problem, shape, width)[0]
    options = {"maxiter": steps, "maxfun": 2 * steps, "ftol": 1e-15, "gtol": 1e-11, "maxcor": 30}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)  # type: ignore[call-overload]
    end = unpack(found.x)
    return float(found.fun / scale), [matrix / np.linalg.norm(matrix) for matrix in end]
