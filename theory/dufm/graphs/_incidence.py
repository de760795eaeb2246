"""Incidence matrices of graphs of which some vertices have a row: components, colourings, weightings."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import IntegerLike, check_integer

if TYPE_CHECKING:
    import networkx as nx
    from jaxtyping import Bool, Float, Int

__all__ = ["Incidence", "checked_edges", "incidence_matrix"]


@dataclass(frozen=True)
class Incidence:
    """The incidence matrix of the vertices that have a row, and a basis of its left null space.

    Attributes
    ----------
    matrix : ndarray, shape (v, K)
        Entry 1 where the vertex is an end of the edge. A column has two ones, or one if the other end has no row, or
        none.
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
        """Find the components of an incidence matrix."""
        ends = [np.flatnonzero(column) for column in matrix.T]
        neighbours: list[list[int]] = [[] for _ in matrix]
        for i, j in (map(int, pair) for pair in ends if len(pair) == 2):
            neighbours[i].append(j)
            neighbours[j].append(i)
        odd = {int(end[0]) for end in ends if len(end) == 1}
        components, sides, bipartite = _two_coloured(neighbours, odd)
        signs = np.array([np.where(components == c, sides, 0.0) for c in bipartite])
        return cls(matrix, signs.reshape(len(bipartite), len(matrix)), components)

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

    @property
    def together(self) -> Bool[np.ndarray, "v v"]:
        """Whether two vertices are in the same component."""
        same: Bool[np.ndarray, "v v"] = self.components[:, None] == self.components
        return same

    @property
    def blocks(self) -> list[Bool[np.ndarray, " v"]]:
        """The vertices of each component, the order being that of their first vertices."""
        return [self.components == c for c in range(self.components.max(initial=-1) + 1)]

    def edge_weightings(self) -> Float[np.ndarray, "K v"]:
        """For each edge the weighting with value 1 there, 0 at edges that meet it, −1 at others of its component.

        An edge with one end only has weight 1 there and −1 elsewhere in its component; one with none has weight 0.
        """
        weightings = np.zeros(self.matrix.T.shape)
        for edge, column in enumerate(self.matrix.T):
            ends = np.flatnonzero(column)
            if len(ends):
                weight = 1 / len(ends)
                weightings[edge] = np.where(column > 0, weight, -weight * self.together[ends[0]])
        return weightings

    def star_weightings(self) -> Float[np.ndarray, "v v"]:
        """For each vertex the weighting with value ½ at its edges and −1 at the other edges of its component."""
        weightings: Float[np.ndarray, "v v"] = 1.5 * np.eye(len(self.matrix)) - 0.5 * self.together
        return weightings

    def without_pendants(self) -> Bool[np.ndarray, " v"] | None:
        """All but one pendant vertex at each vertex of degree above 1 that has some; None if none has."""
        degrees = self.matrix.sum(1)
        present = np.ones(len(self.matrix), bool)
        for i in np.flatnonzero(degrees > 1):
            edges = np.flatnonzero(self.matrix[i])
            others = (j for e in edges for j in np.flatnonzero(self.matrix[:, e]) if j != i)
            present[[j for j in others if degrees[j] == 1][:1]] = False
        return None if present.all() else present


def _two_coloured(
    neighbours: list[list[int]], odd: set[int]
) -> tuple[Int[np.ndarray, " v"], Float[np.ndarray, " v"], list[int]]:
    """The component of each vertex, its side ±1, and the components that are bipartite and without `odd`."""
    v = len(neighbours)
    components, sides, bipartite = np.full(v, -1), np.zeros(v), []
    number = 0
    for start in range(v):
        if components[start] >= 0:
            continue
        components[start], sides[start] = number, 1.0
        stack, even = [start], True
        while stack:
            i = stack.pop()
            even &= i not in odd
            for j in neighbours[i]:
                if components[j] < 0:
                    components[j], sides[j] = number, -sides[i]
                    stack.append(j)
                even &= bool(sides[j] != sides[i])
        bipartite += [number] * even
        number += 1
    return components, sides, bipartite


def incidence_matrix(
    vertices: list[Hashable], edges: tuple[tuple[Hashable, Hashable], ...]
) -> Float[np.ndarray, "v K"]:
    """The vertex–edge incidence matrix with rows and columns in the orders given."""
    row = {vertex: i for i, vertex in enumerate(vertices)}
    matrix = np.zeros((len(row), len(edges)))
    for column, (i, j) in enumerate(edges):
        matrix[[row[i], row[j]], column] = 1.0
    return matrix


def checked_edges(graph: nx.Graph, K: IntegerLike | None = None) -> tuple[tuple[Hashable, Hashable], ...]:
    """The edges of a simple undirected graph without isolated vertices, in the order of the classes.

    Parameters
    ----------
    graph : networkx.Graph
        With at least two edges. If every edge has an attribute ``label`` and the labels are 0, …, K−1, they number the
        classes; otherwise the order of ``graph.edges`` does.
    K : int, optional
        How many edges there have to be.

    Returns
    -------
    tuple of pairs of vertices

    Raises
    ------
    ValueError
        If it is another kind of graph, or has another number of edges.
    TypeError
        If it is no NetworkX graph.
    """
    _check_graph(graph)
    count = graph.number_of_edges()
    if K is not None and count != check_integer("K", K, at_least=2):
        raise ValueError(f"graph has {count} edges; with K = {K} it must have {K}")
    if count < 2:
        raise ValueError(f"graph has {count} edges; it must have at least 2, one for each class")
    edges = list(graph.edges(data="label"))
    if {label for *_, label in edges if isinstance(label, int)} == set(range(count)):
        edges.sort(key=lambda edge: edge[2])
    return tuple((i, j) for i, j, _ in edges)


def _check_graph(graph: nx.Graph) -> None:
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
