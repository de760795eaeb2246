"""Names of graphs: complete graphs, cycles, paths, complete bipartite graphs, disjoint unions and line graphs of these.

>>> import networkx as nx
>>> graph_name(nx.complete_graph(5)), graph_name(nx.disjoint_union(nx.cycle_graph(4), nx.path_graph(4)))
('K5', 'C4 + P4')
>>> line_graph_name(nx.line_graph(nx.complete_graph(5)))
'the triangular graph T_5, the line graph of K_5'
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from theory.arguments import check_instance

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Family", "Kind", "family", "graph_name", "line_graph_name"]

Kind: TypeAlias = Literal["complete", "cycle", "path", "complete bipartite"]

_LETTERS = {"complete": "K", "cycle": "C", "path": "P", "complete bipartite": "K"}


class Family(NamedTuple):
    """A family of graphs, and which member of it a graph is.

    Attributes
    ----------
    kind : {"complete", "cycle", "path", "complete bipartite"}
        The family.
    sizes : tuple of int
        The number of vertices; of a complete bipartite graph those of its two sides, the smaller first.
    """

    kind: Kind
    sizes: tuple[int, ...]


def family(graph: nx.Graph) -> Family | None:
    """Say which family a graph belongs to, the first of complete graphs, cycles, paths and complete bipartite graphs.

    Parameters
    ----------
    graph : networkx.Graph
        A simple undirected graph.

    Returns
    -------
    Family or None
        None if it belongs to none of them.

    Examples
    --------
    >>> import networkx as nx
    >>> family(nx.star_graph(3))
    Family(kind='complete bipartite', sizes=(1, 3))
    >>> family(nx.path_graph(3)).kind, family(nx.cycle_graph(4)).kind  # not K_{1,2} and not K_{2,2}
    ('path', 'cycle')
    >>> family(nx.petersen_graph()) is None
    True
    """
    import networkx as nx

    check_instance("graph", graph, nx.Graph)

    v, e = graph.number_of_nodes(), graph.number_of_edges()
    if e == v * (v - 1) // 2:
        return Family("complete", (v,))
    if not nx.is_connected(graph):
        return None
    degrees = [d for _, d in graph.degree]
    if max(degrees) <= 2:
        return Family("cycle" if min(degrees) == 2 else "path", (v,))
    if nx.is_bipartite(graph):
        side = sum(nx.bipartite.color(graph).values())
        if e == side * (v - side):
            return Family("complete bipartite", (min(side, v - side), max(side, v - side)))
    return None


def graph_name(graph: nx.Graph) -> str:
    """Name a graph by its connected components, as a term short enough for a table.

    Parameters
    ----------
    graph : networkx.Graph
        A simple undirected graph.

    Returns
    -------
    str
        The names of its components with their multiplicities; a component of no family is given by its numbers of
        vertices and edges, so that two graphs may have the same name.

    Examples
    --------
    >>> import networkx as nx
    >>> graph_name(nx.disjoint_union_all([nx.complete_graph(5), nx.path_graph(2), nx.path_graph(2)]))
    '2 K2 + K5'
    >>> graph_name(nx.petersen_graph())
    '(10 vertices, 15 edges)'
    """
    import networkx as nx

    check_instance("graph", graph, nx.Graph)

    names = Counter(_component_name(graph.subgraph(vertices)) for vertices in nx.connected_components(graph))
    return " + ".join(name if count == 1 else f"{count} {name}" for name, count in sorted(names.items()))


def line_graph_name(graph: nx.Graph) -> str:
    """Name a graph, up to isomorphism, as a member of a family and by the graph whose line graph it is.

    Parameters
    ----------
    graph : networkx.Graph
        A simple undirected graph, connected unless it is the line graph of none.

    Returns
    -------
    str

    Examples
    --------
    >>> import networkx as nx
    >>> line_graph_name(nx.cycle_graph(4))
    'the cycle C_4, the line graph of C_4'
    >>> line_graph_name(nx.star_graph(3))
    'K_{1,3}'
    >>> line_graph_name(nx.wheel_graph(6))
    'a graph of 6 vertices, degrees 5 3 3 3 3 3, that is no line graph'
    """
    import networkx as nx

    check_instance("graph", graph, nx.Graph)

    name = _long_name(family(graph))
    try:
        root = nx.inverse_line_graph(graph)
    except nx.NetworkXError:
        return name or f"a graph of {len(graph)} vertices, degrees {_degrees(graph)}, that is no line graph"
    of = family(root)
    if of is not None and of.kind == "complete" and len(root) >= 4:
        return f"the triangular graph T_{len(root)}, the line graph of K_{len(root)}"
    known = _symbol(of) or f"a graph of {len(root)} vertices, degrees {_degrees(root)}"
    return f"{name}, the line graph of {known}" if name else f"the line graph of {known}"


def _component_name(part: nx.Graph) -> str:
    known = family(part)
    if known is None:
        return f"({part.number_of_nodes()} vertices, {part.number_of_edges()} edges)"
    return f"{_LETTERS[known.kind]}{','.join(map(str, known.sizes))}"


def _long_name(known: Family | None) -> str:
    if known is None or known.kind == "complete bipartite":
        return _symbol(known)
    return f"the {known.kind} {'graph ' if known.kind == 'complete' else ''}{_symbol(known)}"


def _symbol(known: Family | None) -> str:
    """The name as LaTeX writes it, such as ``K_{2,3}``; nothing for no family."""
    if known is None:
        return ""
    sizes = ",".join(map(str, known.sizes))
    return f"{_LETTERS[known.kind]}_{sizes if len(known.sizes) == 1 else '{' + sizes + '}'}"


def _degrees(graph: nx.Graph) -> str:
    return " ".join(map(str, sorted((d for _, d in graph.degree), reverse=True)))
