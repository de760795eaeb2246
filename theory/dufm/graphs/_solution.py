r"""Solutions of the deep unconstrained features model that are built on a graph whose edges are the classes.

**The family.** Let B be the incidence matrix of a graph (rows: vertices, columns: edges, which are the classes).

* Intermediate layers, 2 ≤ l ≤ L−1: :math:`M_l = D_lB` with a diagonal matrix :math:`D_l\ge0` of vertex scales, one for
  each vertex and layer. Rows that are multiples of the same row of B can be merged without a change of the loss, so this
  covers every solution whose rows are multiples of the rows of B. A vertex may have scale 0 (no row) in all layers; its
  edges then have a one in one row only.
* Last layer: :math:`M_L = \sigma(XB)`, where each row of X is a weighting of the vertices; its value at an edge is the sum
  of the weights at the ends. Any real weightings, any number of them.
* Everything else is conditionally optimal: the first layer by Lemma 18, the least-norm weights between the layers, the last
  weights by ridge regression (Lemma 17).

The complete graph with the weightings −½ at two vertices and +½ elsewhere is the strongly regular graph solution, K disjoint
edges are deep neural collapse, and a disconnected graph mixes blocks.

**What is optimised, and how well.** `graph_solution` searches vertex scales and weightings by descents from several starts:
the loss it finds is attained, not proved least. For given directions of :math:`D_2, \dots, D_{L-1}, X` the scales of all
layers are globally optimal: all but one by the inequality of the means, the last by `minimise_scale`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from theory.arguments import check_integer
from theory.dufm._matrices import Matrices, conditionally_optimal
from theory.dufm._problem import scalar_problem
from theory.dufm._solution import Solution
from theory.dufm.graphs._reduced_loss import Incidence, Parameters, ReducedLoss, descend
from theory.geometry.graph_names import graph_name
from theory.ufm import Scalar, log_exact, minimise_scale

if TYPE_CHECKING:
    import networkx as nx
    from jaxtyping import Bool, Float
    from numpy.typing import ArrayLike

__all__ = ["GraphProblem", "GraphSolution", "graph_solution"]

_ZERO = 1e-13  # eigenvalues below this share of the largest are rounding errors
_SILENT = 0.1  # a vertex whose scales are all below this share of the layer's mean may do better without a row


@dataclass(frozen=True, eq=False, repr=False)
class GraphSolution(Solution):
    """A solution on a graph, with the scales and weightings that make it.

    `scales` has a row for each connected component: for l < L the mean squared norm of its vertices' rows in M_l, for L the
    mean squared norm of its classes' columns in M_L.

    Attributes
    ----------
    vertices : tuple
        The graph's vertices in the order of the rows.
    vertex_scales : ndarray, shape (L−2, v)
        M_l = diag(vertex_scales[l−2]) B; 0 where a vertex has no row.
    weightings : ndarray, shape (m, v)
        M_L = σ(weightings B).
    """

    vertices: tuple[Hashable, ...]
    vertex_scales: Float[np.ndarray, "layers v"]
    weightings: Float[np.ndarray, "m v"]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.vertex_scales.flags.writeable = False
        self.weightings.flags.writeable = False


def graph_solution(
    graph: nx.Graph,
    L: int,
    lam: Scalar | None = None,
    *,
    lams: Sequence[Scalar] | None = None,
    n: int = 1,
    K: int | None = None,
    last_layer: Literal["optimised", "edges"] | ArrayLike = "optimised",
    vertex_scales: ArrayLike | None = None,
    restarts: int = 2,
    kicks: int = 8,
    seed: int = 0,
) -> GraphSolution:
    r"""A solution of the L-DUFM on a graph whose edges are the classes.

    Parameters
    ----------
    graph : networkx.Graph
        A simple undirected graph with an edge for each class and no isolated vertices; it may be disconnected. If every edge
        has an attribute ``label`` and the labels are 0, …, K−1, they number the classes; otherwise the order of
        ``graph.edges`` does.
    L : int
        Layers, at least 3.
    lam, lams, n
        As in `dnc_loss`, scalars.
    K : int, optional
        The number of classes that is wanted; the graph must have that many edges.
    last_layer : "optimised", "edges" or array_like of shape (m, v)
        "optimised": vertex weightings and vertex scales are searched for. "edges": one weighting for each edge, −½ at its ends
        and +½ at the other vertices of its component, or the negative of that, whichever is better for the component; equal
        vertex scales in a component, all scales of the components globally optimal. An array: these weightings, rows in the
        order of ``graph.nodes``.
    vertex_scales : array_like of shape (L−2, v), optional
        With given weightings: the vertex scales in layers 2, …, L−1, up to a factor for each layer; all equal if not given.
        A vertex without a row has 0 in every layer.
    restarts : int
        Random starts of the search, in addition to one at the weightings of "edges".
    kicks : int
        Descents from the best solution so far, disturbed and with random weightings added.
    seed : int
        Seed of the starts.

    Returns
    -------
    GraphSolution
        The zero solution, of loss 0.5, if nothing better is found.

    Raises
    ------
    ValueError
        If the graph is directed, has loops, multiple edges, isolated vertices or the wrong number of edges, a shape does not
        fit, or a value is out of range.
    TypeError
        If `graph` is no NetworkX graph or a value is of a wrong type.

    References
    ----------
    lowrank, Section 4, Definitions 4, 9 and 11, Appendix B.1.

    Examples
    --------
    >>> import networkx as nx
    >>> from theory import dufm
    >>> square = graph_solution(nx.cycle_graph(4), 5, 5e-4)
    >>> square.name, square.ranks
    ('C4 graph', (3, 3, 3, 3, 4))
    >>> bool(square.loss < 0.95 * dufm.dnc_loss(4, 5, 5e-4))
    True

    The strongly regular graph solution is the complete graph with its edges' weightings:

    >>> again = graph_solution(nx.complete_graph(5), 4, 5e-4, last_layer="edges")
    >>> bool(abs(again.loss / dufm.srg_loss(10, 4, 5e-4) - 1) < 1e-12)
    True
    """
    problem = GraphProblem.of(graph, L, lam, lams=lams, n=n, K=K)
    restarts = check_integer("restarts", restarts, at_least=0)
    kicks = check_integer("kicks", kicks, at_least=0)
    seed = check_integer("seed", seed, at_least=0)
    if isinstance(last_layer, str):
        if vertex_scales is not None:
            raise ValueError(f"vertex_scales goes with an array of weightings, not with last_layer = {last_layer!r}")
        if last_layer == "edges":
            return problem.solution(problem.by_edges())
        if last_layer == "optimised":
            return problem.solution(problem.search(restarts, kicks, np.random.default_rng(seed)))
        raise ValueError(f"last_layer = {last_layer!r}; allowed are 'optimised', 'edges' or an array of weightings")
    weightings = _matrix("last_layer", last_layer, None, len(graph))
    scales = np.ones((problem.L - 2, len(graph))) if vertex_scales is None else None
    if scales is None:
        scales = _matrix("vertex_scales", vertex_scales, problem.L - 2, len(graph))
    return problem.solution(problem.given(scales, weightings))


@dataclass(frozen=True)
class Candidate:
    """Absolute vertex scales (0: no row) and weightings, with the loss that they attain."""

    loss: float
    vertex_scales: Float[np.ndarray, "layers v"]
    weightings: Float[np.ndarray, "m v"]


@dataclass(frozen=True)
class GraphProblem:
    """An L-DUFM problem together with the graph that its solutions are sought on."""

    graph: nx.Graph
    B: Float[np.ndarray, "v K"]
    edges: tuple[tuple[Hashable, Hashable], ...]
    K: int
    L: int
    exact: tuple[Fraction, ...]
    n: int

    @classmethod
    def of(
        cls,
        graph: nx.Graph,
        L: int,
        lam: Scalar | None = None,
        *,
        lams: Sequence[Scalar] | None = None,
        n: int = 1,
        K: int | None = None,
    ) -> GraphProblem:
        """Check the arguments.

        Raises
        ------
        ValueError, TypeError
            As `graph_solution`.
        """
        edges = _checked_edges(graph, K)
        problem = scalar_problem(len(edges), L, lam, lams, n, solution="dnc")
        K = problem.K
        row = {vertex: i for i, vertex in enumerate(graph)}
        B = np.zeros((len(row), K))
        for column, (i, j) in enumerate(edges):
            B[[row[i], row[j]], column] = 1.0
        return cls(graph, B, edges, K, problem.L, problem.exact_lams, problem.n)

    @property
    def log_rho(self) -> float:
        """log (nK λ_H1 λ_W1 ⋯ λ_WL)^{1/L}."""
        return float(sum(map(log_exact, self.exact)) + np.log(self.n) + np.log(self.K)) / self.L

    def loss(self, present: Bool[np.ndarray, " v"]) -> ReducedLoss:
        """The reduced loss of the solutions in which these vertices have rows."""
        return ReducedLoss(Incidence.of(self.B[present]), self.L, self.log_rho)

    @property
    def blocks(self) -> list[Bool[np.ndarray, " v"]]:
        """The vertices of each connected component, the order being that of their first vertices."""
        components = Incidence.of(self.B).components
        return [components == c for c in range(components.max() + 1)]

    # Candidates.

    def zero(self) -> Candidate:
        v = len(self.B)
        return Candidate(0.5, np.zeros((self.L - 2, v)), np.zeros((1, v)))

    def given(self, scales: Float[np.ndarray, "layers v"], weightings: Float[np.ndarray, "m v"]) -> Candidate:
        """Vertex scales and weightings with the scale of every layer globally optimal."""
        present = _rows(scales)
        if (scales < 0).any() or not (scales[:, present] > 0).all():
            raise ValueError("vertex_scales must be positive, or 0 in every layer for a vertex without a row")
        if weightings[:, ~present].any():
            raise ValueError("last_layer weighs a vertex that has scale 0; its weights must be 0")
        if not (weightings @ self.B > 0).any():
            return self.zero()
        return self._scaled(present, Parameters(np.log(scales[:, present]), weightings[:, present]))

    def by_edges(self) -> Candidate:
        """The weightings of "edges": every component on its own, so that the losses add."""
        best = [min(self._edges_block(block), key=lambda c: c.loss) for block in self.blocks]
        total = self.zero()
        scales = total.vertex_scales.copy()
        for block, candidate in zip(self.blocks, best, strict=True):
            scales[:, block] = candidate.vertex_scales[:, block]
        weightings = np.concatenate([candidate.weightings for candidate in best])
        loss = sum(candidate.loss - 0.5 for candidate in best) + 0.5
        return Candidate(loss, scales, weightings) if scales.any() else total

    def at_once(self) -> Candidate:
        """The better of `by_edges` and, without a row for one pendant vertex at each vertex, the edges' weightings again."""
        best = self.by_edges()
        present = self._without_pendants()
        if present is not None:
            loss = self.loss(present)
            weightings = _edge_weightings(loss.incidence)
            equal = np.zeros((self.L - 2, len(loss.incidence.matrix)))
            for sign in (1.0, -1.0):
                if (sign * weightings @ loss.incidence.matrix > 0).any():
                    found = self._scaled(present, Parameters(equal, sign * weightings))
                    best = min(best, found, key=lambda c: c.loss)
        return best

    def screened(self, rng: np.random.Generator) -> Candidate:
        """Short descents from the weightings of "edges"."""
        best = self.at_once()
        for present in (np.ones(len(self.B), bool), self._without_pendants()):
            if present is not None:
                loss = self.loss(present)
                start = self._rescaled(loss, next(self._starts(loss, 0, rng)))
                found = descend(loss, start, 60, (0.1, 0.01, 0.0))
                best = min(best, self._scaled(present, found), key=lambda c: c.loss)
        return best

    def search(self, restarts: int, kicks: int, rng: np.random.Generator, steps: int = 300) -> Candidate:
        """The best of several descents, over vertex scales and weightings."""
        best = min(self.zero(), self.by_edges(), key=lambda c: c.loss)
        everyone = np.ones(len(self.B), bool)
        for present in (everyone, self._without_pendants()):
            if present is None:
                continue
            loss = self.loss(present)
            for start in self._starts(loss, restarts, rng):
                found = descend(loss, self._rescaled(loss, start), steps)
                best = min(best, self._scaled(present, found), key=lambda c: c.loss)
        return self.improved(best, kicks, rng, steps)

    def improved(self, best: Candidate, kicks: int, rng: np.random.Generator, steps: int = 300) -> Candidate:
        """A candidate simplified, kicked and polished; never worse."""
        best = self._simplified(best, steps)
        for _ in range(kicks):
            best = min(best, self._kicked(best, rng, steps), key=lambda c: c.loss)
        return self.polished(best, 3 * steps)

    def _kicked(self, best: Candidate, rng: np.random.Generator, steps: int) -> Candidate:
        present = _rows(best.vertex_scales)
        if not present.any():
            return best
        loss = self.loss(present)
        weightings = self._relative(self._compact(best).weightings[:, present])
        scales = np.log(best.vertex_scales[:, present])
        size = float(np.sqrt(np.mean(weightings**2)))
        rows = [
            weightings * (1 + 0.1 * rng.standard_normal()),
            0.5 * size * rng.standard_normal((self.K, present.sum())),
        ]
        start = Parameters(scales + 0.05 * rng.standard_normal(scales.shape), np.concatenate(rows))
        return self._scaled(present, descend(loss, start, steps, (0.1, 0.01, 1e-3, 1e-5, 0.0)))

    def polished(self, best: Candidate, steps: int) -> Candidate:
        """One more, longer descent from a candidate."""
        present = _rows(best.vertex_scales)
        if not present.any():
            return best
        start = Parameters(np.log(best.vertex_scales[:, present]), self._relative(best.weightings[:, present]))
        found = self._scaled(present, descend(self.loss(present), start, steps, (0.03, 1e-3, 1e-5, 0.0)))
        return self._compact(found) if found.loss < best.loss else best

    def solution(self, candidate: Candidate) -> GraphSolution:
        """The solution object of a candidate."""
        lams = tuple(map(float, self.exact))
        scales, weightings = candidate.vertex_scales, candidate.weightings
        present = _rows(scales)
        last = np.maximum(weightings @ self.B, 0.0)
        hidden = Incidence.of(self.B[present]).rank if present.any() else 0

        def matrices() -> Matrices:
            return conditionally_optimal([row[:, None] * self.B for row in scales], weightings @ self.B, lams, self.n)

        return GraphSolution(
            name=f"{graph_name(self.graph)} graph",
            K=self.K,
            L=self.L,
            n=self.n,
            lams=lams,
            loss=candidate.loss,
            scales=self._block_scales(scales, last),
            ranks=(*(hidden,) * (self.L - 1), int(np.linalg.matrix_rank(last))),
            make_graph=self._labelled,
            make_matrices=matrices,
            vertices=tuple(self.graph),
            vertex_scales=scales.copy(),
            weightings=weightings.copy(),
        )

    # Starts and moves of the search.

    def _starts(self, loss: ReducedLoss, restarts: int, rng: np.random.Generator) -> Iterator[Parameters]:
        v = len(loss.incidence.matrix)
        own = _edge_weightings(loss.incidence)
        rows = np.concatenate([own, -own / 2, _star_weightings(loss.incidence)])
        noise = 0.05 * rng.standard_normal(rows.shape)
        yield Parameters(0.05 * rng.standard_normal((self.L - 2, v)), rows + noise)
        for _ in range(restarts):
            yield Parameters(0.3 * rng.standard_normal((self.L - 2, v)), rng.standard_normal((max(16, 2 * self.K), v)))

    def _without_pendants(self) -> Bool[np.ndarray, " v"] | None:
        """Everyone but one pendant vertex at each vertex that has some, in components of several edges."""
        degree = self.B.sum(1)
        present = np.ones(len(self.B), bool)
        for i in np.flatnonzero(degree > 1):
            pendants = [
                j for e in np.flatnonzero(self.B[i]) for j in np.flatnonzero(self.B[:, e]) if j != i and degree[j] == 1
            ]
            present[pendants[:1]] = False
        return None if present.all() else present

    def _simplified(self, best: Candidate, steps: int) -> Candidate:
        """Try without the vertices that hardly have a row, then without each component, then without idle weightings."""
        scales = best.vertex_scales
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = scales / scales.max(axis=1, keepdims=True)
        silent = (relative < _SILENT).all(axis=0)
        if silent.any() and not silent.all() and scales.any():
            present = ~silent
            loss = self.loss(present)
            start = Parameters(np.log(scales[:, present]), self._relative(best.weightings[:, present]))
            if (start.weightings @ loss.incidence.matrix > 0).any():
                found = descend(loss, self._rescaled(loss, start), steps)
                best = min(best, self._scaled(present, found), key=lambda c: c.loss)
        blocks = self.blocks
        for block in blocks if len(blocks) > 1 else []:
            scales = np.where(block, 0.0, best.vertex_scales)
            weightings = np.where(block, 0.0, best.weightings)
            if scales.any() and best.vertex_scales[:, block].any():
                best = min(best, self.given(scales, weightings), key=lambda c: c.loss)
        return self._compact(best)

    def _compact(self, best: Candidate) -> Candidate:
        """Without the weightings that are nowhere positive, and with those proportional to each other merged."""
        present = _rows(best.vertex_scales)
        if not present.any():
            return best
        weightings = best.weightings.copy()
        for signs in self.loss(present).incidence.signs:  # their multiples have the value 0 at every edge
            weightings[:, present] -= np.outer(weightings[:, present] @ signs, signs) / (signs @ signs)
        values = weightings @ self.B
        used = weightings[(values > 1e-5 * values.max()).any(axis=1)]
        merged: list[Float[np.ndarray, " v"]] = []
        for x in sorted(used, key=lambda x: -float(x @ x)):
            for k, y in enumerate(merged):
                cosine = x @ y / np.sqrt((x @ x) * (y @ y))
                if cosine > 1 - 1e-8:
                    merged[k] = y * np.sqrt(1 + (x @ x) / (y @ y))
                    break
            else:
                merged.append(x)
        compact = self.given(best.vertex_scales, np.array(merged))
        return compact if compact.loss <= best.loss * (1 + 1e-9) else best

    def _edges_block(self, block: Bool[np.ndarray, " v"]) -> list[Candidate]:
        """One component with either sign of its edges' weightings; the other classes are not fitted."""
        incidence = Incidence.of(self.B[block])
        mine = self.B[block].any(axis=0)
        candidates = [self.zero()]
        for sign in (1.0, -1.0):
            weightings = sign * _edge_weightings(incidence)[mine]
            if (weightings @ incidence.matrix > 0).any():
                start = Parameters(np.zeros((self.L - 2, int(block.sum()))), weightings)
                candidates.append(self._scaled(block, start))
        return candidates

    # Scales.

    def _relative(self, weightings: Float[np.ndarray, "m v"]) -> Float[np.ndarray, "m v"]:
        """Weightings in the units of `ReducedLoss`."""
        relative: Float[np.ndarray, "m v"] = weightings / np.exp(0.5 * self._log_unit)
        return relative

    @property
    def _log_unit(self) -> float:
        """log Kλ_WL."""
        return log_exact(self.exact[-1]) + float(np.log(self.K))

    def _minimum(self, loss: ReducedLoss, parameters: Parameters) -> tuple[float, float]:
        """The least loss over the scale of the last layer, and log u, where u multiplies its squared norms."""
        spectrum = loss.last_spectrum(parameters)
        largest = spectrum[0]
        positive = spectrum[spectrum > _ZERO * largest] / largest
        weights = np.full((len(positive), 1), 1 / self.K)
        log_kappa = self.log_rho + (loss.log_structure(parameters) - np.log(largest)) / self.L
        found = minimise_scale(np.array([log_kappa]), np.array([self.L]), weights, positive[:, None])
        unfitted = (self.K - len(positive)) / (2 * self.K)
        return float(found.value[0]) + unfitted, float(found.log_u[0] - np.log(largest))

    def _rescaled(self, loss: ReducedLoss, start: Parameters) -> Parameters:
        """The start with the best scale of its last layer (its own if that is 0)."""
        _, log_u = self._minimum(loss, start)
        factor = np.exp(log_u / 2) if np.isfinite(log_u) else 1.0
        return Parameters(start.log_scales, factor * start.weightings)

    def _scaled(self, present: Bool[np.ndarray, " v"], parameters: Parameters) -> Candidate:
        """The candidate with the best scale of every layer: W_2, …, W_{L−1} cost the same, H_1 and W_1 each as much."""
        loss = self.loss(present)
        value, log_u = self._minimum(loss, parameters)
        if not np.isfinite(log_u) or value >= 0.5:
            return self.zero()
        logs = [log_exact(lam) for lam in self.exact]
        log_term = np.log(0.5) + self.log_rho + (loss.log_structure(parameters) + log_u) / self.L
        log_first = np.log(loss.first_norm(parameters))
        shift = np.log(2.0) + log_term - 0.5 * (np.log(self.n) + logs[0] + logs[1]) - log_first
        shifts = [shift]
        for l, norm in enumerate(loss.step_norms(parameters)[:-1], start=2):
            shifts.append(shifts[-1] + 0.5 * (np.log(2.0) + log_term - logs[l] - np.log(norm)))
        scales = np.zeros((self.L - 2, len(self.B)))
        scales[:, present] = np.exp(parameters.log_scales + np.array(shifts)[:, None])
        weightings = np.zeros((len(parameters.weightings), len(self.B)))
        weightings[:, present] = np.exp(0.5 * (log_u + self._log_unit)) * parameters.weightings
        return Candidate(value, scales, weightings)

    def _block_scales(
        self, scales: Float[np.ndarray, "layers v"], last: Float[np.ndarray, "m K"]
    ) -> Float[np.ndarray, "blocks L-1"]:
        rows = []
        for block in self.blocks:
            degrees = self.B[block].sum(1)
            columns = self.B[block].any(axis=0)
            hidden = (scales[:, block] ** 2 * degrees).mean(axis=1)
            rows.append([*hidden, (last[:, columns] ** 2).sum() / columns.sum()])
        return np.array(rows)

    def _labelled(self) -> nx.Graph:
        import networkx as nx

        graph = nx.Graph()
        graph.add_nodes_from(self.graph)
        graph.add_edges_from((i, j, {"label": label}) for label, (i, j) in enumerate(self.edges))
        return graph


def _rows(scales: Float[np.ndarray, "layers v"]) -> Bool[np.ndarray, " v"]:
    """The vertices that have a row."""
    present: Bool[np.ndarray, " v"] = (scales != 0).any(axis=0)
    return present


def _edge_weightings(incidence: Incidence) -> Float[np.ndarray, "K v"]:
    """For each edge the weighting with value 1 there, 0 at the edges that share an end with it, −1 at others of its component.

    An edge with one end only has weight 1 there and −1 elsewhere in its component; one with none has weight 0.
    """
    B = incidence.matrix
    together = incidence.components[:, None] == incidence.components
    weightings = np.zeros(B.T.shape)
    for edge, column in enumerate(B.T):
        ends = np.flatnonzero(column)
        if len(ends):
            weight = 1 / len(ends)
            weightings[edge] = np.where(column > 0, weight, -weight * together[ends[0]])
    return weightings


def _star_weightings(incidence: Incidence) -> Float[np.ndarray, "v v"]:
    """For each vertex the weighting with value ½ at its edges and −1 at the other edges of its component."""
    together = incidence.components[:, None] == incidence.components
    weightings: Float[np.ndarray, "v v"] = 1.5 * np.eye(len(together)) - 0.5 * together
    return weightings


# Arguments.


def _checked_edges(graph: nx.Graph, K: int | None) -> tuple[tuple[Hashable, Hashable], ...]:
    """The graph's edges in the order of the classes."""
    import networkx as nx

    if not isinstance(graph, nx.Graph):
        raise TypeError(f"graph = {graph!r} is a {type(graph).__name__}; graph must be a networkx.Graph")
    allowed = "graph must be a simple undirected networkx.Graph"
    if graph.is_directed():
        raise ValueError(f"graph is directed; {allowed}")
    if graph.is_multigraph():
        raise ValueError(f"graph is a multigraph; {allowed}")
    loops = [vertex for vertex, _ in nx.selfloop_edges(graph)]
    if loops:
        raise ValueError(f"graph has a loop at vertex {loops[0]!r}; {allowed}")
    isolated = list(nx.isolates(graph))
    if isolated:
        raise ValueError(f"vertex {isolated[0]!r} of graph is isolated; every vertex must be the end of an edge")
    count = graph.number_of_edges()
    if K is not None:
        K = check_integer("K", K, at_least=2)
        if count != K:
            raise ValueError(f"graph has {count} edges; with K = {K} it must have {K}")
    if count < 2:
        raise ValueError(f"graph has {count} edges; it must have at least 2, one for each class")
    edges = list(graph.edges(data="label"))
    if {label for *_, label in edges if isinstance(label, int)} == set(range(count)):
        edges.sort(key=lambda edge: edge[2])
    return tuple((i, j) for i, j, _ in edges)


def _matrix(name: str, values: Any, rows: int | None, columns: int) -> Float[np.ndarray, "rows columns"]:
    allowed = f"{name} must be a finite array of shape ({'m' if rows is None else rows}, {columns})"
    try:
        matrix = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"{name} = {values!r}; {allowed}") from None
    if matrix.ndim != 2 or matrix.shape[1] != columns or (rows is not None and len(matrix) != rows) or not len(matrix):
        raise ValueError(f"{name} has shape {matrix.shape}; {allowed}")
    if not np.isfinite(matrix).all():
        raise ValueError(f"{name} has an entry that is not finite; {allowed}")
    return matrix
