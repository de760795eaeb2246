r"""The loss of a graph solution as a smooth function of its vertex scales and vertex weightings, with its gradient.

In the units in which :math:`K\lambda_{W_L} = 1` the loss, minimised over the scale of every layer but the last, is

.. math::
    f = \frac L2\,\rho\Bigl(\lVert D_2B\rVert_*^2\prod_{l=2}^{L-2}\lVert D_{l+1}B\,(D_lB)^+\rVert^2\;
    \lVert XB\,(D_{L-1}B)^+\rVert^2\Bigr)^{1/L}
    + \frac1{2K}\operatorname{tr}\bigl(I+\sigma(XB)^\top\sigma(XB)\bigr)^{-1},
    \qquad \rho = (nK\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_L})^{1/L},

by Lemmas 12, 17 and 18 of lowrank and the inequality of the means, which is equation (6).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, minimize

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

__all__ = ["Incidence", "Parameters", "ReducedLoss", "descend"]

_SMOOTHING = (0.3, 0.1, 0.03, 0.01, 1e-3, 1e-5, 0.0)  # of the ReLU, relative to the size of its argument
_WIDEST = 4.0  # bound on |log| of a vertex scale


@dataclass(frozen=True)
class Incidence:
    """The incidence matrix of the vertices that have a row, and a basis of its left null space.

    Attributes
    ----------
    matrix : ndarray, shape (v, K)
        Entry 1 where the vertex is an end of the edge. A column has two ones, or one if the other end has no row, or none.
    signs : ndarray, shape (c, v)
        One row for each bipartite component all of whose edges have both ends: +1 on one side, −1 on the other.
    components : ndarray of int, shape (v,)
        The component of each vertex.
    """

    matrix: Float[np.ndarray, "v K"]
    signs: Float[np.ndarray, "c v"]
    components: Int[np.ndarray, " v"]

    @classmethod
    def of(cls, matrix: Float[np.ndarray, "v K"]) -> Incidence:
        v = len(matrix)
        side = np.zeros(v)
        component = np.full(v, -1)
        odd: list[bool] = []
        edges = [np.flatnonzero(column) for column in matrix.T]
        neighbours: list[list[int]] = [[] for _ in range(v)]
        half = np.zeros(v, bool)
        for ends in edges:
            if len(ends) == 2:
                neighbours[ends[0]].append(ends[1])
                neighbours[ends[1]].append(ends[0])
            elif len(ends) == 1:
                half[ends[0]] = True
        for start in range(v):
            if component[start] >= 0:
                continue
            number = len(odd)
            odd.append(False)
            component[start], side[start] = number, 1.0
            stack = [start]
            while stack:
                i = stack.pop()
                odd[number] |= bool(half[i])
                for j in neighbours[i]:
                    if component[j] < 0:
                        component[j], side[j] = number, -side[i]
                        stack.append(j)
                    elif side[j] == side[i]:
                        odd[number] = True
        even = [c for c in range(len(odd)) if not odd[c]]
        signs = np.array([np.where(component == c, side, 0.0) for c in even]).reshape(len(even), v)
        return cls(matrix, signs, component)

    @property
    def rank(self) -> int:
        """The rank of the matrix: vertices less bipartite components."""
        return len(self.matrix) - len(self.signs)

    @cached_property
    def even(self) -> Bool[np.ndarray, " v"]:
        """Whether a vertex is in one of the components that `signs` lists."""
        marked: Bool[np.ndarray, " v"] = (self.signs != 0).any(axis=0)
        return marked

    @cached_property
    def others(self) -> Float[np.ndarray, "v v"]:
        """Entry 1 where two different vertices are in the same bipartite component."""
        same: Float[np.ndarray, "v v"] = self.signs.T**2 @ self.signs**2
        np.fill_diagonal(same, 0.0)
        return same


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
        return self._value_and_gradient(parameters, 0.0)[0]

    def last_spectrum(self, parameters: Parameters) -> Float[np.ndarray, " K"]:
        """The eigenvalues of M_Lᵀ M_L / (Kλ_WL), largest first."""
        last = np.maximum(parameters.weightings @ self.incidence.matrix, 0.0)
        values = np.linalg.svd(last, compute_uv=False) ** 2
        spectrum: Float[np.ndarray, " K"] = np.zeros(last.shape[1])
        spectrum[: len(values)] = values[: len(spectrum)]
        return spectrum

    def first_norm(self, parameters: Parameters) -> float:
        """‖D_2 B‖_*."""
        scaled = np.exp(parameters.log_scales[0])[:, None] * self.incidence.matrix
        return float(np.linalg.svd(scaled, compute_uv=False).sum())

    def step_norms(self, parameters: Parameters) -> list[float]:
        """‖W_l‖² of the least norm for l = 2, …, L−1."""
        log_scales = parameters.log_scales
        steps = [self._step(log_scales[l], log_scales[l + 1])[0] for l in range(len(log_scales) - 1)]
        return [*steps, self._last_step(log_scales[-1], parameters.weightings)[0]]

    # The pieces. With p = d^{-2} and, for a bipartite component with signs s, u ∝ s/d the unit vector that W annihilates.

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

    def _value_and_gradient(
        self, parameters: Parameters, smoothing: float
    ) -> tuple[float, Float[np.ndarray, "layers v"], Float[np.ndarray, "m v"]]:
        log_structure, in_scales, in_weightings = self._structure(parameters)
        regularisation = self.L / 2 * float(np.exp(self.log_rho + log_structure / self.L))
        B = self.incidence.matrix
        K = B.shape[1]
        before = parameters.weightings @ B
        if smoothing:
            root = np.hypot(before, smoothing)
            last, slope = (before + root) / 2, (1 + before / root) / 2
        else:
            last, slope = np.maximum(before, 0.0), (before > 0).astype(float)
        inverse = np.linalg.inv(np.eye(K) + last.T @ last)
        fit = float(np.trace(inverse)) / (2 * K)
        fit_in_weightings = -((last @ (inverse @ inverse)) * slope) @ B.T / K
        share = regularisation / self.L
        return regularisation + fit, share * in_scales, share * in_weightings + fit_in_weightings


def descend(loss: ReducedLoss, start: Parameters, steps: int, smoothing: tuple[float, ...] = _SMOOTHING) -> Parameters:
    """A local minimum of f by L-BFGS from `start`, with ever less smoothing of the ReLU.

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
    Parameters
        The best point met at the ends of the descents, by the true loss; never worse than `start`.
    """
    shape, cut = start.log_scales.shape, start.log_scales.size
    unit = float(np.sqrt(np.mean((start.weightings @ loss.incidence.matrix) ** 2)))

    def unpack(point: Float[np.ndarray, " parameters"]) -> Parameters:
        return Parameters(point[:cut].reshape(shape), point[cut:].reshape(-1, shape[1]))

    def objective(
        point: Float[np.ndarray, " parameters"], width: float
    ) -> tuple[float, Float[np.ndarray, " parameters"]]:
        value, in_scales, in_weightings = loss._value_and_gradient(unpack(point), width)
        return value, np.concatenate([in_scales.ravel(), in_weightings.ravel()])

    point = np.concatenate([start.log_scales.ravel(), start.weightings.ravel()])
    centre = np.repeat(start.log_scales.mean(1), shape[1])
    inside: Bool[np.ndarray, " scales"] = np.abs(point[:cut] - centre) <= _WIDEST
    lower = np.where(inside, centre - _WIDEST, point[:cut])
    upper = np.where(inside, centre + _WIDEST, point[:cut])
    free = np.full(point.size - cut, np.inf)
    bounds = Bounds(np.concatenate([lower, -free]), np.concatenate([upper, free]))
    best, least = start, loss.value(start)
    for width in smoothing:
        found = minimize(
            objective,
            point,
            args=(width * unit,),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": steps, "maxfun": 2 * steps, "maxcor": 20, "ftol": 1e-14, "gtol": 1e-10},
        )
        if not np.isfinite(found.fun):
            break
        point = found.x
        value = loss.value(unpack(point))
        if value < least:
            best, least = unpack(point), value
    return best
