"""Blocks: the parts of a solution, each on classes of its own, and the solutions that they make up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import comb, sqrt
from typing import TYPE_CHECKING

import numpy as np

from theory.dufm._losses import dnc_minimum, log_kappa_srg, srg_minimum
from theory.dufm._matrices import Matrices, conditionally_optimal
from theory.dufm._solution import Solution
from theory.geometry import triangular_graph
from theory.ufm import Minimum, Problem, Problems, log_exact

if TYPE_CHECKING:
    from collections.abc import Iterable

    import networkx as nx
    from jaxtyping import Float, Int

__all__ = ["Block", "labelled_graph", "layer_scales", "of_blocks", "without_classes"]


@dataclass(frozen=True)
class Block:
    """Class means of some of the K classes, up to scale: the same matrix in every intermediate layer.

    Attributes
    ----------
    classes : int
        How many.
    order : int or None
        r of a strongly regular graph on r(r−1)/2 classes; None where the classes collapse.
    scales : ndarray, shape (L−1,)
        α_2, …, α_L.
    """

    classes: int
    order: int | None
    scales: Float[np.ndarray, " scaled"]

    @classmethod
    def srg(cls, r: int, problem: Problem) -> Block:
        """A strongly regular graph on r(r−1)/2 of a problem's classes, at its best scales."""
        batch, order = Problems.one(problem), np.array([r])
        spread = 2 * np.log(sqrt(2) + sqrt((r - 1) * (r - 2)))
        best, log_kappa = srg_minimum(batch, order), log_kappa_srg(batch, order)
        return cls(comb(r, 2), r, layer_scales(problem, best, log_kappa, spread, np.log(r)))

    @classmethod
    def dnc(cls, classes: int, problem: Problem) -> Block:
        """Some of a problem's classes collapsed, at their best scales."""
        batch = Problems.one(problem)
        log_K = np.log(problem.K)
        return cls(classes, None, layer_scales(problem, dnc_minimum(batch), batch.log_kappa, 2 * log_K, log_K))

    @property
    def rank(self) -> int:
        """The rank of the intermediate layers."""
        return self.classes if self.order is None else self.order

    def layer(self) -> Float[np.ndarray, "rows classes"]:
        """M_l / √α_l for 2 ≤ l ≤ L−1."""
        if self.order is None:
            return np.eye(self.classes)
        return triangular_graph.normalised_incidence_matrix(self.order)

    def last(self) -> Float[np.ndarray, "rows classes"]:
        """The last pre-activations / √α_L."""
        if self.order is None:
            return np.eye(self.classes)
        return triangular_graph.last_layer_pre_activations(self.order).astype(float)

    def edges(self) -> list[tuple[int, int]]:
        """The classes as edges of a graph whose vertices are the rows of an intermediate layer."""
        if self.order is None:
            return [(2 * i, 2 * i + 1) for i in range(self.classes)]
        return triangular_graph.complete_graph_edges(self.order)


def of_blocks(name: str, blocks: list[Block], loss: float, problem: Problem) -> Solution:
    """The block-diagonal solution."""
    rank = sum(block.rank for block in blocks if block.scales[-1] > 0)
    full = sum(block.classes for block in blocks if block.scales[-1] > 0)
    return Solution(
        name=name,
        K=problem.K,
        L=problem.L,
        n=problem.n,
        lams=problem.lams,
        loss=loss,
        scales=np.stack([block.scales for block in blocks]),
        ranks=(*(rank,) * (problem.L - 1), full),
        make_graph=partial(_graph_of_blocks, blocks),
        make_matrices=partial(_matrices_of_blocks, blocks, problem),
    )


def without_classes(r: int, loss: float, problem: Problem) -> Solution:
    """Definition 11's second construction: the solution for r(r−1)/2 classes without the last edges of vertex 0."""
    full = replace(problem, K=comb(r, 2))
    whole = of_blocks("SRG", [Block.srg(r, full)], 0.0, full)
    surplus = full.K - problem.K
    kept = np.r_[0 : r - 1 - surplus, r - 1 : full.K]  # vertex 0 has the first r−1 edges
    edges = triangular_graph.complete_graph_edges(r)
    hidden, last = (r, min(problem.K, full.K)) if whole.scales[0, -1] > 0 else (0, 0)
    return Solution(
        name="SRG drop",
        K=problem.K,
        L=problem.L,
        n=problem.n,
        lams=problem.lams,
        loss=loss,
        scales=whole.scales.copy(),
        ranks=(*(hidden,) * (problem.L - 1), last),
        make_graph=partial(labelled_graph, [edges[i] for i in kept]),
        make_matrices=partial(_some_classes, whole, kept),
    )


def labelled_graph(edges: Iterable[tuple[int, int]]) -> nx.Graph:
    """The graph of these edges, each with its number as its attribute ``label``."""
    import networkx as nx

    graph = nx.Graph()
    graph.add_edges_from((i, j, {"label": label}) for label, (i, j) in enumerate(edges))
    return graph


def _matrices_of_blocks(blocks: list[Block], problem: Problem) -> Matrices:
    from scipy.linalg import block_diag

    layers = [block_diag(*(sqrt(b.scales[l]) * b.layer() for b in blocks)) for l in range(problem.L - 2)]
    last = block_diag(*(sqrt(b.scales[-1]) * b.last() for b in blocks))
    return conditionally_optimal(layers, last, problem.lams, problem.n)


def _graph_of_blocks(blocks: list[Block]) -> nx.Graph:
    edges: list[tuple[int, int]] = []
    for block in blocks:
        first = 1 + max((max(edge) for edge in edges), default=-1)
        edges += [(i + first, j + first) for i, j in block.edges()]
    return labelled_graph(edges)


def _some_classes(whole: Solution, kept: Int[np.ndarray, " kept"]) -> Matrices:
    matrices = whole.matrices
    means = tuple(layer[:, kept] for layer in matrices.class_means)
    weights = (*matrices.weights[:-1], matrices.weights[-1][kept])
    residual = None if matrices.residual is None else matrices.residual[np.ix_(kept, kept)]
    return Matrices(means, weights, residual)


def layer_scales(
    problem: Problem, best: Minimum, log_kappa: Float[np.ndarray, "1"], log_spread: float, log_step: float
) -> Float[np.ndarray, " scaled"]:
    """α_2, …, α_L by equation (6).

    At the optimum each of W_2, …, W_{L−1} costs the same, and H_1 and W_1 together cost twice that. The first layer
    costs √(nλ_H1 λ_W1 · spread · α_2), and W_l costs (λ_Wl/2) step α_{l+1}/α_l.
    """
    logs, log_u = [log_exact(lam) for lam in problem.exact_lams], float(best.log_u[0])
    log_cost = float(np.log(0.5) + log_kappa[0] + log_u / problem.L)
    log_scales = [2 * (np.log(2.0) + log_cost) - np.log(problem.n) - logs[0] - logs[1] - log_spread]
    for l in range(2, problem.L - 1):
        log_scales.append(log_scales[-1] + np.log(2.0) + log_cost - log_step - logs[l])
    log_scales.append(log_u + np.log(problem.K) + logs[-1])
    if np.isfinite(log_scales).all() and np.abs(log_scales).max() > 600.0:
        raise ValueError(
            f"lams = {problem.lams}; lams must be such that the scales of the layers, up to "
            f"exp({max(log_scales, key=abs):.0f}), are within the range of float64"
        )
    return np.exp(log_scales)
