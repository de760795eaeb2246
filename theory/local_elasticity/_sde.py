r"""The stochastic equation of local elasticity, simulated: many samples a class, many paths at once.

A sample of class k obeys $df = \frac1K\sum_jE_{kj}T_{kj}μ_j\,dt + σ\,dW$ with a Wiener process of its own and μ the
class means. The scheme is Heun's: the slope at both ends of a step, the noise σ of its middle. Noise does not depend
on the features here, and the scheme is of weak order 2: means and covariances at a time have errors of order h².
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np

from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_array, check_choice, check_integer, check_real
from theory.local_elasticity._drift import drift_matrix, impact_matrix, transformation
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Float
    from numpy.typing import ArrayLike

__all__ = ["simulate_le_sde"]

Rate = Callable[[float], float]
Drift = Callable[[float, "Float[np.ndarray, 'paths Km']"], "Float[np.ndarray, 'paths Km']"]


@within_floats
def simulate_le_sde(
    F0: ArrayLike,
    K: IntegerLike,
    alpha: RealLike | Rate,
    beta: RealLike | Rate,
    sigma: RealLike | Rate,
    times: ArrayLike,
    *,
    paths: IntegerLike,
    seed: IntegerLike | np.random.Generator,
    T: Float[np.ndarray, "Km Km"] | None = None,
    means: Literal["samples", "expected"] = "samples",
) -> Float[np.ndarray, "paths m N"]:
    """Features at the last of some times under the stochastic equation of local elasticity, on independent paths.

    Parameters
    ----------
    F0 : array_like, shape (m, N)
        Features at the first time, on all paths the same, samples sorted by class, N/K of each.
    K : int
        Number of classes, at least 2.
    alpha, beta : float or callable
        Impact within a class, and across classes; or functions of the time.
    sigma : float or callable
        Standard deviation of the noise of each entry in a unit of time, at least 0; or a function of the time.
    times : array_like, shape (steps + 1,)
        Increasing times, a step from each to the next. For rates like c/t geometric ones serve best.
    paths : int
        Number of paths, at least 1.
    seed : int or Generator
        Of the noise.
    T : ndarray, shape (Km, Km), optional
        The transformation; isotropic by default.
    means : "samples" or "expected"
        Whether the means that move the features are those of the path's own samples, or the expected ones.

    Returns
    -------
    ndarray, shape (paths, m, N)

    Raises
    ------
    ValueError
        If the shapes do not fit, K does not divide the number of samples, times do not increase, σ is negative, or
        features are beyond the floats.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equations 41 and 42; the noise isotropic and independent between samples.

    Examples
    --------
    >>> still = simulate_le_sde([[1.0, -1.0]], 2, 1.0, -1.0, 0.0, np.linspace(0, 1, 65), paths=2, seed=0)
    >>> still[:, 0].round(3)
    array([[ 2.718, -2.718],
           [ 2.718, -2.718]])
    """
    start, K = check_array("F0", F0, ndim=2, empty=False), check_integer("K", K, at_least=2, at_most=LARGEST_SIZE)
    m, N = start.shape
    if N % K:
        raise ValueError(f"F0 has shape {start.shape}; F0 must have a multiple of K = {K} columns")
    drift = _drift(K, m, T, _rate("alpha", alpha), _rate("beta", beta))
    noise = _rate("sigma", sigma, at_least=0)
    grid = check_array("times", times, ndim=1, empty=False)
    if not (np.diff(grid) > 0).all():
        raise ValueError("times does not increase; times must be increasing")
    count = check_integer("paths", paths, at_least=1, at_most=LARGEST_SIZE)
    own = check_choice("means", means, ("samples", "expected")) == "samples"
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(_seed(seed))
    samples = np.tile(start.T.reshape(1, K, N // K, m), (count, 1, 1, 1))
    centres = samples[: None if own else 1].mean(axis=2).reshape(-1, K * m)
    kicks = np.empty(samples.shape)
    for t, h in zip(grid[:-1].tolist(), np.diff(grid).tolist(), strict=True):
        rng.standard_normal(out=kicks)
        kicks *= noise(t + h / 2) * np.sqrt(h)
        shift = kicks.mean(axis=2).reshape(-1, K * m) if own else 0.0
        slope = drift(t, centres)
        move = h / 2 * (slope + drift(t + h, centres + h * slope + shift))
        samples += kicks
        samples += move.reshape(-1, K, 1, m)
        centres = centres + move + shift
    features: Float[np.ndarray, "paths m N"] = samples.reshape(count, N, m).transpose(0, 2, 1)
    return features


def _drift(K: int, m: int, T: Float[np.ndarray, "Km Km"] | None, alpha: Rate, beta: Rate) -> Drift:
    """The drift of the stacked class means, split into what α and what β multiply."""
    blocks = transformation(K, m, kind="isotropic") if T is None else check_array("T", T, ndim=2, empty=False)
    if blocks.shape != (K * m, K * m):
        raise ValueError(f"T has shape {blocks.shape}; for K = {K} and m = {m} T must have {K * m} rows and columns")
    within, across = drift_matrix(impact_matrix(K, 1, 0), blocks).T, drift_matrix(impact_matrix(K, 0, 1), blocks).T
    return lambda t, centres: centres @ (alpha(t) * within + beta(t) * across)


def _rate(name: str, value: RealLike | Rate, at_least: float | None = None) -> Rate:
    if callable(value):
        return lambda t: check_real(f"{name}({t})", value(t), at_least=at_least)
    constant = check_real(name, value, at_least=at_least)
    return lambda t: constant


def _seed(seed: object) -> int:
    return check_integer("seed", seed, at_least=0)
