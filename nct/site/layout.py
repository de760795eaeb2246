"""Where the nodes of a graph of claims go: in layers, what a claim rests on to the left of it, by dagre.

>>> from nct.site.layout import laid_out
>>> drawing = laid_out({"a": 40.0, "b": 40.0}, [("a", "b")])
>>> drawing.nodes["a"].x < drawing.nodes["b"].x
True
"""

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DAGRE = Path(__file__).parent / "assets" / "dagre" / "dagre.min.js"
#: What dagre takes from a browser; it clones plain data only.
_MISSING = "globalThis.structuredClone = (value) => JSON.parse(JSON.stringify(value));"
_RUN = """
const layOut = (text) => {
    const {nodes, edges, height} = JSON.parse(text);
    const graph = new dagre.graphlib.Graph();
    graph.setGraph({rankdir: "LR", nodesep: 8, ranksep: 48, marginx: 8, marginy: 8});
    graph.setDefaultEdgeLabel(() => ({}));
    for (const [name, width] of nodes) graph.setNode(name, {width, height});
    for (const [from, to] of edges) graph.setEdge(from, to);
    dagre.layout(graph);
    const {width: w, height: h} = graph.graph();
    return JSON.stringify({
        width: w, height: h,
        nodes: graph.nodes().map((name) => { const {x, y, width} = graph.node(name); return [name, x, y, width]; }),
        edges: graph.edges().map((edge) => [edge.v, edge.w, graph.edge(edge).points.map(({x, y}) => [x, y])]),
    });
};"""

#: The height of every node, in pixels.
HEIGHT = 28.0


@dataclass(frozen=True)
class Node:
    """Where a node is: its centre and its width."""

    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Drawing:
    """A graph with its nodes and edges in place.

    Attributes
    ----------
    width, height : float
        The size of the whole.
    nodes : mapping of str to Node
        The nodes by name.
    edges : list of (str, str, list of (float, float))
        For each edge where it comes from, where it goes to, and the points that it goes through.
    """

    width: float
    height: float
    nodes: Mapping[str, Node]
    edges: list[tuple[str, str, list[tuple[float, float]]]]


@functools.cache
def _engine() -> Any:
    from py_mini_racer import MiniRacer

    engine = MiniRacer()
    engine.eval(_MISSING + _DAGRE.read_text(encoding="utf-8"))
    engine.eval(_RUN)
    return engine


def laid_out(widths: Mapping[str, float], edges: Iterable[tuple[str, str]]) -> Drawing:
    """Put a graph in place.

    Parameters
    ----------
    widths : mapping of str to float
        The width of each node, by name.
    edges : iterable of (str, str)
        The edges, each from left to right.

    Returns
    -------
    Drawing
        The graph, in pixels.
    """
    asked = json.dumps({"nodes": list(widths.items()), "edges": list(edges), "height": HEIGHT})
    found = json.loads(_engine().call("layOut", asked))
    return Drawing(
        width=found["width"],
        height=found["height"],
        nodes={name: Node(x, y, width) for name, x, y, width in found["nodes"]},
        edges=[(a, b, [(x, y) for x, y in points]) for a, b, points in found["edges"]],
    )
