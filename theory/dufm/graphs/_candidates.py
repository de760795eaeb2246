"""A problem on a graph, and candidates for its solution: vertex scales and weightings at their best scale."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import IntegerLike, RealLike
from theory.dufm._problem import scalar_problem
from theory.dufm.graphs._incidence import Incidence, checked_edges, incidence_matrix
from theory.dufm.graphs._reduced_loss import Parameters, ReducedLoss, singular_values
from theory.ufm import Problem, log_exact, minimise_scale

if TYPE_CHECKING:
    import networkx as nx
    from jaxtyping import Bool, Float

__all__ = ["Candidate", "GraphProblem", "with_rows"]


@dataclass(frozen=True)
class Candidate:
    """Vertex scales and weightings, with the loss that they attain.

    Attributes
    ----------
    loss : float
    vertex_scales : ndarray, shape (L−2, v)
        0 for a vertex without a row.
    weightings : ndarray, shape (m, v)
    """

    loss: float
    vertex_scales: Float[np.ndarray, "layers v"]
    weightings: Float[np.ndarray, "m v"]


@dataclass(frozen=True)
class GraphProblem:
    """An L-DUFM problem together with the graph that its solutions are sought on.

    Attributes
    ----------
    problem : theory.ufm.Problem
        Classes, layers, regularisation, samples per class.
    graph : networkx.Graph
        The graph.
    edges : tuple of pairs of vertices
        Its edges in the order of the classes.
    B : ndarray, shape (v, K)
        Its incidence matrix.
    """

    problem: Problem
    graph: nx.Graph
    edges: tuple[tuple[Hashable, Hashable], ...]
    B: Float[np.ndarray, "v K"]

    @classmethod
    def of(
        cls,
        graph: nx.Graph,
        L: IntegerLike,
        lam: RealLike | None = None,
        *,
        lams: Sequence[RealLike] | None = None,
        n: IntegerLike = 1,
        K: IntegerLike | None = None,
    ) -> GraphProblem:
        """Check the arguments of `graph_solution`.

        Raises
        ------
        ValueError, TypeError
            As `graph_solution`.
        """
        edges = checked_edges(graph, K)
        problem = scalar_problem(len(edges), L, lam, lams, n, solution="dnc")
        _ = problem.lams  # the matrices' regularisation, which has to be within the floats
        return cls(problem, graph, edges, incidence_matrix(list(graph), edges))

    @property
    def log_rho(self) -> float:
        """log (nK λ_H1 λ_W1 ⋯ λ_WL)^{1/L}."""
        return float(self.problem.log_lams_n + np.log(self.problem.K)) / self.problem.L

    @cached_property
    def incidence(self) -> Incidence:
        """The incidence of all vertices."""
        return Incidence.of(self.B)

    def loss(self, present: Bool[np.ndarray, " v"]) -> ReducedLoss:
        """The reduced loss of the solutions in which these vertices have rows."""
        incidence = self.incidence if present.all() else Incidence.of(self.B[present])
        return ReducedLoss(incidence, self.problem.L, self.log_rho)

    def zero(self) -> Candidate:
        """The zero solution."""
        v = len(self.B)
        return Candidate(0.5, np.zeros((self.problem.L - 2, v)), np.zeros((1, v)))

    def given(self, scales: Float[np.ndarray, "layers v"], weightings: Float[np.ndarray, "m v"]) -> Candidate:
        """Vertex scales and weightings with the scale of every layer globally optimal.

        Raises
        ------
        ValueError
            If a scale is negative, or 0 in some of the layers only, or a vertex without a row has a weight.
        """
        present = with_rows(scales)
        if (scales < 0).any() or not (scales[:, present] > 0).all():
            raise ValueError("vertex_scales must be positive, or 0 in every layer for a vertex without a row")
        if weightings[:, ~present].any():
            raise ValueError("last_layer weighs a vertex that has scale 0; its weights must be 0")
        if not (weightings @ self.B > 0).any():
            return self.zero()
        return self.scaled(present, Parameters(np.log(scales[:, present]), weightings[:, present]))

    def by_edges(self) -> Candidate:
        """The weightings of "edges": every component on its own, so that the losses add."""
        blocks = self.incidence.blocks
        best = [min(self._edges_block(block), key=lambda c: c.loss) for block in blocks]
        total = self.zero()
        scales = total.vertex_scales.copy()
        for block, candidate in zip(blocks, best, strict=True):
            scales[:, block] = candidate.vertex_scales[:, block]
        if not scales.any():
            return total
        weightings = np.concatenate([candidate.weightings for candidate in best])
        return Candidate(sum(candidate.loss for candidate in best), scales, weightings)

    def _edges_block(self, block: Bool[np.ndarray, " v"]) -> list[Candidate]:
        """One component by itself, with either sign of its edges' weightings; the loss is the share of its classes."""
        mine = self.B[block].any(axis=0)
        classes = int(mine.sum())
        zero = self.zero()
        candidates = [Candidate(classes / (2 * self.problem.K), zero.vertex_scales, zero.weightings)]
        incidence = Incidence.of(self.B[block])
        for sign in (1.0, -1.0):
            weightings = sign * incidence.edge_weightings()[mine]
            if (weightings @ incidence.matrix > 0).any():
                start = Parameters(np.zeros((self.problem.L - 2, int(block.sum()))), weightings)
                candidates.append(self._scaled(block, start, classes) or candidates[0])
        return candidates

    # Scales.

    def relative(self, weightings: Float[np.ndarray, "m v"]) -> Float[np.ndarray, "m v"]:
        """Weightings in the units of `ReducedLoss`."""
        relative: Float[np.ndarray, "m v"] = weightings / np.exp(0.5 * self._log_unit)
        return relative

    @property
    def _log_unit(self) -> float:
        """log Kλ_WL."""
        return log_exact(self.problem.exact_lams[-1]) + float(np.log(self.problem.K))

    def _minimum(self, loss: ReducedLoss, parameters: Parameters, classes: int) -> tuple[float, float]:
        """The least share of the loss of so many classes over the scale of the last layer, and log u.

        u multiplies the layer's squared norms; the other classes are not fitted, and not counted.
        """
        values = singular_values(loss.last_layer(parameters))
        K, L = self.problem.K, self.problem.L
        log_largest = 2 * float(np.log(values[0]))
        spectrum = (values[:, None] / values[0]) ** 2
        log_kappa = self.log_rho + (loss.log_structure(parameters) - log_largest) / L
        found = minimise_scale(np.array([log_kappa]), np.array([L]), np.full(spectrum.shape, 1 / K), spectrum)
        unfitted = (classes - len(values)) / (2 * K)
        return float(found.value[0]) + unfitted, float(found.log_u[0]) - log_largest

    def rescaled(self, loss: ReducedLoss, start: Parameters) -> Parameters:
        """The start with the best scale of its last layer (its own if that is 0)."""
        _, log_u = self._minimum(loss, start, self.problem.K)
        factor = np.exp(log_u / 2) if np.isfinite(log_u) else 1.0
        return Parameters(start.log_scales, factor * start.weightings)

    def scaled(self, present: Bool[np.ndarray, " v"], parameters: Parameters) -> Candidate:
        """The candidate with the best scale of every layer; the zero solution if no scale beats it."""
        return self._scaled(present, parameters, self.problem.K) or self.zero()

    def _scaled(self, present: Bool[np.ndarray, " v"], parameters: Parameters, classes: int) -> Candidate | None:
        """The same, of so many classes: W_2, …, W_{L−1} cost the same, H_1 and W_1 each as much."""
        loss, problem = self.loss(present), self.problem
        value, log_u = self._minimum(loss, parameters, classes)
        if not np.isfinite(log_u) or value >= classes / (2 * problem.K):
            return None
        logs = [log_exact(lam) for lam in problem.exact_lams]
        log_term = np.log(0.5) + self.log_rho + (loss.log_structure(parameters) + log_u) / problem.L
        log_first = np.log(loss.first_norm(parameters))
        shifts = [np.log(2.0) + log_term - 0.5 * (np.log(problem.n) + logs[0] + logs[1]) - log_first]
        for l, norm in enumerate(loss.step_norms(parameters)[:-1], start=2):
            shifts.append(shifts[-1] + 0.5 * (np.log(2.0) + log_term - logs[l] - np.log(norm)))
        scales = np.zeros((problem.L - 2, len(self.B)))
        scales[:, present] = np.exp(parameters.log_scales + np.array(shifts)[:, None])
        weightings = np.zeros((len(parameters.weightings), len(self.B)))
        weightings[:, present] = np.exp(0.5 * (log_u + self._log_unit)) * parameters.weightings
        return Candidate(value, scales, weightings)


def with_rows(scales: Float[np.ndarray, "layers v"]) -> Bool[np.ndarray, " v"]:
    """The vertices that have a row."""
    present: Bool[np.ndarray, " v"] = (scales != 0).any(axis=0)
    return present
