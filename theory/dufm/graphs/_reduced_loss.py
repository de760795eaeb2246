r"""The loss of a graph solution as a smooth function of its vertex scales and vertex weightings, with its gradient.

In the units in which Kλ_WL = 1 the loss, minimised over the scale of every layer but the last, is

$$
f = \frac L2\,\rho\Bigl(\lVert D_2B\rVert_*^2\prod_{l=2}^{L-2}\lVert D_{l+1}B\,(D_lB)^+\rVert^2\;
\lVert XB\,(D_{L-1}B)^+\rVert^2\Bigr)^{1/L}
+ \frac1{2K}\operatorname{tr}\bigl(I+\sigma(XB)^\top\sigma(XB)\bigr)^{-1},
\qquad \rho = (nK\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_L})^{1/L},
$$

by Lemmas 12, 17 and 18 of lowrank and the inequality of the means, which is equation (6). The trace is taken from
singular values, each by itself: at small regularisation the two terms are tiny, and 1 − … would lose them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory.dufm.graphs._incidence import Incidence

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["Parameters", "ReducedLoss", "singular_values"]

_ROUNDING = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Parameters:
    """The vertex scales of layers 2, …, L−1 and the vertex weightings that make the last layer's rows.

    Attributes
    ----------
    log_scales : ndarray, shape (L−2, v)
    weightings : ndarray, shape (m, v)
    """

    log_scales: Float[np.ndarray, "layers v"]
    weightings: Float[np.ndarray, "m v"]


@dataclass(frozen=True)
class ReducedLoss:
    """f as a function of `Parameters`."""

    incidence: Incidence
    L: int
    log_rho: float

    def log_structure(self, parameters: Parameters) -> float:
        """log of the product of norms that f takes the L-th root of."""
        return self._structure(parameters)[0]

    def value(self, parameters: Parameters) -> float:
        """f itself."""
        return self.value_and_gradient(parameters, 0.0)[0]

    def last_layer(self, parameters: Parameters) -> Float[np.ndarray, "m K"]:
        """M_L / √(Kλ_WL)."""
        last: Float[np.ndarray, "m K"] = np.maximum(parameters.weightings @ self.incidence.matrix, 0.0)
        return last

    def first_norm(self, parameters: Parameters) -> float:
        """‖D_2 B‖_*."""
        scaled = np.exp(parameters.log_scales[0])[:, None] * self.incidence.matrix
        return float(np.linalg.svd(scaled, compute_uv=False).sum())

    def step_norms(self, parameters: Parameters) -> list[float]:
        """‖W_l‖² of the least norm for l = 2, …, L−1."""
        log_scales = parameters.log_scales
        steps = [self._step(log_scales[l], log_scales[l + 1])[0] for l in range(len(log_scales) - 1)]
        return [*steps, self._last_step(log_scales[-1], parameters.weightings)[0]]

    # The pieces: with p = d⁻² and, for a bipartite component with signs s, u ∝ s/d the unit vector that W annihilates.

    def _first(self, log_d: Float[np.ndarray, " v"]) -> tuple[float, Float[np.ndarray, " v"]]:
        """log ‖D B‖_* and its gradient in log d; the zero singular values of the bipartite components stay zero."""
        d, B = np.exp(log_d), self.incidence.matrix
        left, values, right = np.linalg.svd(d[:, None] * B, full_matrices=False)
        rank = self.incidence.rank
        norm = values[:rank].sum()
        gradient = ((left[:, :rank] @ right[:rank]) * B).sum(1) * d / norm
        return float(np.log(norm)), gradient

    def _step(
        self, log_d: Float[np.ndarray, " v"], log_next: Float[np.ndarray, " v"]
    ) -> tuple[float, Float[np.ndarray, " v"], Float[np.ndarray, " v"]]:
        """Σ_i (d'_i/d_i)² (1 − u_i²), and the gradients of its log in log d and log d'."""
        p, q = np.exp(-2 * log_d), np.exp(2 * log_next)
        squares = self.incidence.signs**2
        sums = squares @ p
        inverse = squares.T @ (1 / sums)
        share = p * inverse  # u_i², zero off the bipartite components
        rest = np.where(
            self.incidence.even, (self.incidence.others @ p) * inverse, 1.0
        )  # 1 − u_i², without cancellation
        ratios = p * q
        cost = float((ratios * rest).sum())
        moved = (squares.T @ ((squares @ (ratios * share)) / sums)) * p
        in_next = 2 * ratios * rest / cost
        in_here = -2 * (ratios * (rest - share) + moved) / cost
        return cost, in_here, in_next

    def _last_step(
        self, log_d: Float[np.ndarray, " v"], X: Float[np.ndarray, "m v"]
    ) -> tuple[float, Float[np.ndarray, " v"], Float[np.ndarray, "m v"]]:
        """‖X D⁻¹ (I − Σ u uᵀ)‖², and the gradients of its log in log d and X."""
        p, signs = np.exp(-2 * log_d), self.incidence.signs
        along = (X * p) @ signs.T / (signs**2 @ p)
        rest = X - along @ signs  # X up to a multiple of the signs, which B annihilates
        cost = float((rest**2 @ p).sum())
        return cost, -2 * (rest**2).sum(0) * p / cost, 2 * rest * p / cost

    def _structure(
        self, parameters: Parameters
    ) -> tuple[float, Float[np.ndarray, "layers v"], Float[np.ndarray, "m v"]]:
        a = parameters.log_scales
        log_norm, gradient = self._first(a[0])
        total, in_scales = 2 * log_norm, np.zeros_like(a)
        in_scales[0] = 2 * gradient
        for l in range(len(a) - 1):
            cost, here, there = self._step(a[l], a[l + 1])
            total += np.log(cost)
            in_scales[l] += here
            in_scales[l + 1] += there
        cost, here, in_weightings = self._last_step(a[-1], parameters.weightings)
        in_scales[-1] += here
        return total + float(np.log(cost)), in_scales, in_weightings

    def value_and_gradient(
        self, parameters: Parameters, smoothing: float
    ) -> tuple[float, Float[np.ndarray, "layers v"], Float[np.ndarray, "m v"]]:
        """f with a ReLU smoothed by a hyperbola of this width, and its gradients in log scales and weightings."""
        log_structure, in_scales, in_weightings = self._structure(parameters)
        regularisation = self.L / 2 * float(np.exp(self.log_rho + log_structure / self.L))
        B = self.incidence.matrix
        before = parameters.weightings @ B
        if smoothing:
            root = np.hypot(before, smoothing)
            last, slope = (before + root) / 2, (1 + before / root) / 2
        else:
            last, slope = np.maximum(before, 0.0), (before > 0).astype(float)
        fit, in_last = _fit(last)
        share = regularisation / self.L
        return regularisation + fit, share * in_scales, share * in_weightings + (in_last * slope) @ B.T


def _fit(last: Float[np.ndarray, "m K"]) -> tuple[float, Float[np.ndarray, "m K"]]:
    """tr (I + MᵀM)⁻¹ / (2K) and its gradient in M."""
    K = last.shape[1]
    left, values, right = np.linalg.svd(last, full_matrices=False)
    values = np.where(values > _negligible(last, values), values, 0.0)
    errors = 1 / (1 + values**2)
    fit = (errors.sum() + (K - len(values))) / (2 * K)  # the brackets keep sums of 1e-30 from being lost in K
    return float(fit), -(left * (values * errors**2 / K)) @ right


def singular_values(matrix: Float[np.ndarray, "m K"]) -> Float[np.ndarray, " rank"]:
    """The singular values that are not zero but for rounding errors, the largest first.

    Each has an absolute error of some units of rounding of the largest.

    Parameters
    ----------
    matrix : ndarray, shape (m, K)

    Returns
    -------
    ndarray, shape (rank,)

    Examples
    --------
    >>> singular_values(np.array([[3.0, 0.0], [0.0, 1e-9], [4.0, 0.0]]))
    array([5.e+00, 1.e-09])
    """
    values = np.linalg.svd(matrix, compute_uv=False)
    nonzero: Float[np.ndarray, " rank"] = values[values > _negligible(matrix, values)]
    return nonzero


def _negligible(matrix: Float[np.ndarray, "m K"], values: Float[np.ndarray, " s"]) -> float:
    return float(_ROUNDING * max(matrix.shape) * values[0])
