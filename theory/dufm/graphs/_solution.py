r"""Solutions of the deep unconstrained features model that are built on a graph whose edges are the classes.

**The family.** Let B be the incidence matrix of a graph (rows: vertices, columns: edges, which are the classes).

* Intermediate layers, 2 ≤ l ≤ L−1: M_l = D_l B with a diagonal matrix D_l ≥ 0 of vertex scales, one for each vertex
  and layer. Rows that are multiples of the same row of B can be merged without a change of the loss, so this covers
  every solution whose rows are multiples of the rows of B. A vertex may have scale 0 (no row) in all layers; its
  edges then have a one in one row only.
* Last layer: M_L = σ(X B), where each row of X is a weighting of the vertices; its value at an edge is the sum of the
  weights at the ends. Any real weightings, any number of them.
* Everything else is conditionally optimal: the first layer by Lemma 18, the least-norm weights between the layers,
  the last weights by ridge regression (Lemma 17).

The complete graph with the weightings −½ at two vertices and +½ elsewhere is the strongly regular graph solution, K
disjoint edges are deep neural collapse, and a disconnected graph mixes blocks.

**What is optimised, and how well.** `graph_solution` searches vertex scales and weightings by descents from several
starts: the loss it finds is attained, not proved least. For given directions of D_2, …, D_{L−1}, X the scales of all
layers are globally optimal: all but one by the inequality of the means, the last by `theory.ufm.minimise_scale`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_array, check_integer
from theory.dufm._matrices import Matrices, conditionally_optimal
from theory.dufm._solution import Solution
from theory.dufm.graphs._candidates import Candidate, GraphProblem, with_rows
from theory.dufm.graphs._incidence import Incidence
from theory.dufm.graphs._search import search
from theory.geometry.graph_names import graph_name
from theory.wording import shown

if TYPE_CHECKING:
    import networkx as nx
    from jaxtyping import Float
    from numpy.typing import ArrayLike

__all__ = ["GraphSolution", "graph_solution", "solution_of"]


@dataclass(frozen=True, eq=False, repr=False)
class GraphSolution(Solution):
    """A solution on a graph, with the scales and weightings that make it.

    `scales` has a row for each connected component: for l < L the mean squared norm of its vertices' rows in M_l,
    for L the mean squared norm of its classes' columns in M_L.

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
    L: IntegerLike,
    lam: RealLike | None = None,
    *,
    lams: Sequence[RealLike] | None = None,
    n: IntegerLike = 1,
    K: IntegerLike | None = None,
    last_layer: Literal["optimised", "edges"] | ArrayLike = "optimised",
    vertex_scales: ArrayLike | None = None,
    restarts: IntegerLike = 2,
    kicks: IntegerLike = 8,
    seed: IntegerLike = 0,
) -> GraphSolution:
    """Find a solution of the L-DUFM on a graph whose edges are the classes.

    Parameters
    ----------
    graph : networkx.Graph
        A simple undirected graph with an edge for each class and no isolated vertices; it may be disconnected. If every
        edge has an attribute ``label`` and the labels are 0, …, K−1, they number the classes; otherwise the order of
        ``graph.edges`` does.
    L : int
        Layers, at least 3.
    lam : float, Fraction or decimal string, optional
        One regularisation for every matrix.
    lams : sequence of L+1 numbers, optional
        (λ_H1, λ_W1, …, λ_WL), in place of `lam`.
    n : int
        Samples per class, at least 1.
    K : int, optional
        The number of classes that is wanted; the graph must have that many edges.
    last_layer : "optimised", "edges" or array_like of shape (m, v)
        "optimised": vertex weightings and vertex scales are searched for. "edges": one weighting for each edge, −½
        at its ends and +½ at the other vertices of its component, or the negative of that, whichever is better for
        the component; equal vertex scales in a component, all scales of the components globally optimal. An array:
        these weightings, columns in the order of ``graph.nodes``.
    vertex_scales : array_like of shape (L−2, v), optional
        With given weightings: the vertex scales in layers 2, …, L−1, up to a factor for each layer; all equal if not
        given. A vertex without a row has 0 in every layer.
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
        If the graph is directed, has loops, multiple edges, isolated vertices or the wrong number of edges, a shape
        does not fit, or a value is out of range.
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
            return solution_of(problem, problem.by_edges())
        if last_layer == "optimised":
            try:
                return solution_of(problem, search(problem, restarts, kicks, np.random.default_rng(seed)))
            except np.linalg.LinAlgError:  # of infinite numbers
                raise ValueError(f"lams = {shown(problem.problem.lams)} are so large that the loss is none") from None
        raise ValueError(
            f"last_layer = {last_layer!r}; last_layer must be 'optimised', 'edges' or an array of weightings"
        )
    weightings = _matrix("last_layer", last_layer, None, len(graph))
    scales = np.ones((problem.problem.L - 2, len(graph))) if vertex_scales is None else None
    if scales is None:
        scales = _matrix("vertex_scales", vertex_scales, problem.problem.L - 2, len(graph))
    return solution_of(problem, problem.given(scales, weightings))


def solution_of(problem: GraphProblem, candidate: Candidate) -> GraphSolution:
    """The solution object of a candidate."""
    lams, n = problem.problem.lams, problem.problem.n
    scales, weightings = candidate.vertex_scales.copy(), candidate.weightings.copy()
    present = with_rows(scales)
    last = np.maximum(weightings @ problem.B, 0.0)
    hidden = Incidence.of(problem.B[present]).rank if present.any() else 0
    return GraphSolution(
        name=f"{graph_name(problem.graph)} graph",
        K=problem.problem.K,
        L=problem.problem.L,
        n=n,
        lams=lams,
        loss=candidate.loss,
        scales=_block_scales(problem, scales, last),
        ranks=(*(hidden,) * (problem.problem.L - 1), int(np.linalg.matrix_rank(last))),
        make_graph=partial(_labelled, tuple(problem.graph), problem.edges),
        make_matrices=partial(_matrices, problem.B, scales, weightings, lams, n),
        vertices=tuple(problem.graph),
        vertex_scales=scales,
        weightings=weightings,
    )


def _matrices(
    B: Float[np.ndarray, "v K"],
    scales: Float[np.ndarray, "layers v"],
    weightings: Float[np.ndarray, "m v"],
    lams: tuple[float, ...],
    n: IntegerLike,
) -> Matrices:
    return conditionally_optimal([row[:, None] * B for row in scales], weightings @ B, lams, n)


def _labelled(vertices: tuple[Hashable, ...], edges: tuple[tuple[Hashable, Hashable], ...]) -> nx.Graph:
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(vertices)
    graph.add_edges_from((i, j, {"label": label}) for label, (i, j) in enumerate(edges))
    return graph


def _block_scales(
    problem: GraphProblem, scales: Float[np.ndarray, "layers v"], last: Float[np.ndarray, "m K"]
) -> Float[np.ndarray, "blocks scaled"]:
    rows = []
    for block in problem.incidence.blocks:
        degrees = problem.B[block].sum(1)
        columns = problem.B[block].any(axis=0)
        hidden = (scales[:, block] ** 2 * degrees).mean(axis=1)
        rows.append([*hidden, (last[:, columns] ** 2).sum() / columns.sum()])
    return np.array(rows)


def _matrix(name: str, values: object, rows: int | None, columns: int) -> Float[np.ndarray, "rows columns"]:
    matrix = check_array(name, values, ndim=2, empty=False)
    if matrix.shape[1] != columns or (rows is not None and len(matrix) != rows):
        wanted = f"({'m' if rows is None else rows}, {columns})"
        raise ValueError(f"{name} has shape {matrix.shape}; {name} must have shape {wanted}")
    return matrix
