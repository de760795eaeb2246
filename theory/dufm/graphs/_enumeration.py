"""All graphs with a given number of edges, up to isomorphism, and the moves between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import combinations_with_replacement, groupby, product
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import networkx as nx
    from jaxtyping import Int

__all__ = [
    "NUMBER_OF_GRAPHS",
    "Bag",
    "block_mixtures",
    "connected_graphs",
    "graph6_of",
    "graph_of",
    "graphs",
    "neighbours",
]

#: Graphs with 0, 1, … edges and no isolated vertices, up to isomorphism: A000664 of the OEIS.
NUMBER_OF_GRAPHS = (1, 1, 2, 5, 11, 26, 68, 177, 497, 1476, 4613, 15216, 52944, 193367)

_WALKS = 5  # the invariant counts closed and all walks up to this length
Invariant: TypeAlias = tuple[tuple[int, ...], ...]


class Bag:
    """A set of graphs up to isomorphism."""

    def __init__(self) -> None:
        self._classes: defaultdict[Invariant, list[nx.Graph]] = defaultdict(list)

    def add(self, graph: nx.Graph) -> bool:
        """Put a graph in; whether it was new."""
        import networkx as nx

        same = self._classes[_invariant(nx.to_numpy_array(graph, dtype=np.int64))]
        if any(nx.vf2pp_is_isomorphic(graph, other) for other in same):
            return False
        same.append(graph)
        return True


@cache
def connected_graphs(edges: int) -> tuple[nx.Graph, ...]:
    """The connected graphs with this many edges, up to isomorphism, on vertices 0, 1, ….

    Every one with more than one edge has an edge whose removal leaves a connected graph (and perhaps an isolated
    vertex): a pendant edge or one on a cycle. So adding an edge in every way to those with one edge less finds all.

    Examples
    --------
    >>> [len(connected_graphs(edges)) for edges in range(1, 7)]  # A002905 of the OEIS
    [1, 1, 3, 5, 12, 30]
    """
    import networkx as nx

    if edges == 1:
        return (nx.path_graph(2),)
    bag, found = Bag(), []
    for smaller in connected_graphs(edges - 1):
        v = len(smaller)
        for i, j in [*nx.non_edges(smaller), *((i, v) for i in range(v))]:
            larger = smaller.copy()
            larger.add_edge(i, j)
            if bag.add(larger):
                found.append(larger)
    return tuple(found)


def graphs(edges: int) -> Iterator[nx.Graph]:
    """The graphs with this many edges and no isolated vertices, up to isomorphism; connected ones first.

    Examples
    --------
    >>> sum(1 for _ in graphs(5)) == NUMBER_OF_GRAPHS[5]
    True
    """
    import networkx as nx

    for parts in _partitions(edges, edges):
        sizes = [(size, len(list(group))) for size, group in groupby(parts)]
        choices = [combinations_with_replacement(connected_graphs(size), count) for size, count in sizes]
        for chosen in product(*choices):
            yield nx.disjoint_union_all([graph for group in chosen for graph in group])


def block_mixtures(edges: int, blocks: int) -> Iterator[nx.Graph]:
    """Disjoint unions of at most `blocks` blocks, and of single edges, with this many edges in all.

    A block is a complete graph, a complete bipartite graph or a cycle of at least 3 edges, or one of the first two
    without some edges at one of its vertices; a complete graph may carry a pendant edge at each vertex.
    """
    import networkx as nx

    catalogue = [(size, block) for size in range(3, edges + 1) for block in _blocks(size)]
    for count in range(blocks + 1):
        for chosen in combinations_with_replacement(catalogue, count):
            singles = edges - sum(size for size, _ in chosen)
            if singles >= 0:
                yield nx.disjoint_union_all([block for _, block in chosen] + [nx.path_graph(2)] * singles)


def neighbours(graph: nx.Graph) -> Iterator[nx.Graph]:
    """The graphs that come of moving one edge, up to isomorphism, without isolated vertices."""
    import networkx as nx

    bag = Bag()
    bag.add(graph)
    for edge in list(graph.edges):
        rest = graph.copy()
        rest.remove_edge(*edge)
        rest.remove_nodes_from(list(nx.isolates(rest)))
        rest = nx.convert_node_labels_to_integers(rest)
        v = len(rest)
        for i, j in [*nx.non_edges(rest), *((i, v) for i in range(v)), (v, v + 1)]:
            moved = rest.copy()
            moved.add_edge(i, j)
            if bag.add(moved):
                yield moved


@cache
def _blocks(edges: int) -> tuple[nx.Graph, ...]:
    """The connected blocks of `block_mixtures` with this many edges."""
    import networkx as nx

    found, bag = [], Bag()

    def take(graph: nx.Graph) -> None:
        surplus = graph.number_of_edges() - edges
        if surplus < 0:
            return
        vertex = min(graph, key=graph.degree)
        if surplus >= graph.degree(vertex):
            return
        smaller = graph.copy()
        smaller.remove_edges_from(list(graph.edges(vertex))[:surplus])
        if bag.add(smaller):
            found.append(smaller)

    for r in range(3, edges + 2):
        take(nx.complete_graph(r))
        for a in range(2, r // 2 + 1):
            take(nx.complete_bipartite_graph(a, r - a))
        if r * (r + 1) // 2 == edges:
            spiked = nx.complete_graph(r)
            spiked.add_edges_from((i, r + i) for i in range(r))
            take(spiked)
        if r == edges:
            take(nx.cycle_graph(r))
    return tuple(found)


def _partitions(total: int, largest: int) -> Iterator[list[int]]:
    """The partitions of `total` into parts of at most `largest`, largest part first."""
    if total == 0:
        yield []
    for part in range(min(total, largest), 0, -1):
        for rest in _partitions(total - part, part):
            yield [part, *rest]


def _invariant(adjacency: Int[np.ndarray, "v v"]) -> Invariant:
    """Numbers of closed walks and of walks from each vertex, sorted: equal for isomorphic graphs."""
    power, rows = adjacency, [adjacency.sum(0)]
    for _ in range(_WALKS - 1):
        power = power @ adjacency
        rows += [np.diag(power), power.sum(0)]
    table = np.array(rows)
    return tuple(map(tuple, table[:, np.lexsort(table)].tolist()))


def graph6_of(graph: nx.Graph) -> str:
    """A graph in NetworkX's and nauty's graph6 format, its vertices numbered in their order.

    Examples
    --------
    >>> import networkx as nx
    >>> graph6_of(nx.cycle_graph(4)), graph_of("Cl").number_of_edges()
    ('Cl', 4)
    """
    import networkx as nx

    text: bytes = nx.to_graph6_bytes(nx.convert_node_labels_to_integers(graph), header=False)
    return text.decode().strip()


def graph_of(graph6: str) -> nx.Graph:
    """The graph that a string in the graph6 format stands for, on vertices 0, 1, ….

    Examples
    --------
    >>> list(graph_of("Bw").edges)
    [(0, 1), (0, 2), (1, 2)]
    """
    import networkx as nx

    return nx.from_graph6_bytes(graph6.encode())
