"""Names of graphs, against constructions by NetworkX and tests of isomorphism."""

import itertools

import networkx as nx
import numpy as np
import pytest

from theory.geometry.graph_names import family, graph_name, line_graph_name

MEMBERS = {
    **{("complete", (m,)): nx.complete_graph(m) for m in range(1, 8)},
    **{("cycle", (m,)): nx.cycle_graph(m) for m in range(4, 8)},
    **{("path", (m,)): nx.path_graph(m) for m in range(3, 8)},
    **{
        ("complete bipartite", (a, b)): nx.complete_bipartite_graph(a, b)
        for a in range(1, 4)
        for b in range(max(a, 3), 7)
    },
}


def shuffled(graph):
    order = np.random.default_rng(len(graph)).permutation(list(graph)).tolist()
    return nx.relabel_nodes(graph, dict(zip(graph, order, strict=True)))


@pytest.mark.parametrize(("known", "graph"), MEMBERS.items(), ids=str)
def test_families_up_to_isomorphism(known, graph):
    assert family(shuffled(graph)) == known


def test_every_small_graph_against_isomorphism():
    for graph in nx.graph_atlas_g()[1:]:
        known = [member for member, other in MEMBERS.items() if nx.is_isomorphic(graph, other)]
        assert [family(graph)] == (known or [None])


def test_unions_count_their_components():
    parts = [nx.path_graph(2), nx.complete_graph(4), nx.path_graph(2), nx.cycle_graph(5), nx.petersen_graph()]
    names = {graph_name(nx.disjoint_union_all(order)) for order in itertools.permutations(parts)}
    assert names == {"(10 vertices, 15 edges) + C5 + 2 K2 + K4"}
    assert graph_name(nx.complete_bipartite_graph(4, 2)) == "K2,4"


@pytest.mark.parametrize(
    ("root", "name"),
    [
        (nx.complete_graph(4), "the triangular graph T_4, the line graph of K_4"),
        (nx.complete_graph(6), "the triangular graph T_6, the line graph of K_6"),
        (nx.cycle_graph(6), "the cycle C_6, the line graph of C_6"),
        (nx.path_graph(5), "the path P_4, the line graph of P_5"),
        (nx.path_graph(3), "the complete graph K_2, the line graph of P_3"),
        (nx.star_graph(5), "the complete graph K_5, the line graph of K_{1,5}"),
        (nx.complete_bipartite_graph(2, 3), "the line graph of K_{2,3}"),
        (nx.lollipop_graph(4, 1), "the line graph of a graph of 5 vertices, degrees 4 3 3 3 1"),
    ],
)
def test_line_graphs(root, name):
    assert line_graph_name(shuffled(nx.convert_node_labels_to_integers(nx.line_graph(root)))) == name
