"""Incidences with and without rows for some vertices: components, null space, weightings, pendant vertices."""

import networkx as nx
import numpy as np
import pytest

from theory.dufm.graphs._incidence import Incidence

GRAPHS = [graph for graph in nx.graph_atlas_g()[2:200:3] if graph.number_of_edges() and not list(nx.isolates(graph))]


def incidences():
    for k, graph in enumerate(GRAPHS):
        B = nx.incidence_matrix(graph).toarray()
        rng = np.random.default_rng(k)
        yield graph, np.ones(len(B), bool), B
        present = rng.random(len(B)) < 0.7
        if present.any():
            yield graph, present, B[present]


def test_signs_are_a_basis_of_the_left_null_space():
    for _, _, B in incidences():
        incidence = Incidence.of(B)
        assert incidence.rank == np.linalg.matrix_rank(B)
        assert len(incidence.signs) == len(B) - incidence.rank
        np.testing.assert_array_equal(incidence.signs @ B, 0)
        assert not len(incidence.signs) or np.linalg.matrix_rank(incidence.signs) == len(incidence.signs)
        assert set(np.unique(incidence.signs)) <= {-1.0, 0.0, 1.0}


def test_components_are_those_of_the_graph_on_the_vertices_with_rows():
    for graph, present, B in incidences():
        left = graph.subgraph(np.flatnonzero(present).tolist())
        number = {vertex: i for i, vertex in enumerate(np.flatnonzero(present).tolist())}
        expected = sorted(sorted(number[v] for v in c) for c in nx.connected_components(left))
        blocks = [np.flatnonzero(block).tolist() for block in Incidence.of(B).blocks]
        assert sorted(blocks) == expected
        assert [block[0] for block in blocks] == sorted(block[0] for block in blocks)


def test_edge_weightings_by_their_values():
    for _, present, B in incidences():
        incidence = Incidence.of(B)
        weightings = incidence.edge_weightings()
        assert weightings.shape == (B.shape[1], len(B))
        values = weightings @ B
        for e in range(B.shape[1]):
            ends = set(np.flatnonzero(B[:, e]))
            if not ends:
                np.testing.assert_array_equal(weightings[e], 0)
                continue
            assert values[e, e] == 1
            if not present.all():
                continue
            component = incidence.components[next(iter(ends))]
            for f in range(B.shape[1]):
                others = set(np.flatnonzero(B[:, f]))
                same = incidence.components[next(iter(others))] == component
                shared = len(ends & others)
                assert values[e, f] == (0 if not same else {2: 1, 1: 0, 0: -1}[shared])


def test_edge_with_one_end():
    incidence = Incidence.of(np.array([[1.0, 1, 0], [0, 1, 1]]))  # a path of three edges whose ends have no rows
    assert incidence.edge_weightings().tolist() == [[1, -1], [0.5, 0.5], [-1, 1]]
    assert len(incidence.signs) == 0


def test_star_weightings_by_their_values():
    values = (
        Incidence.of(nx.incidence_matrix(nx.path_graph(4)).toarray()).star_weightings()
        @ nx.incidence_matrix(nx.path_graph(4)).toarray()
    )
    assert values.tolist() == [[0.5, -1, -1], [0.5, 0.5, -1], [-1, 0.5, 0.5], [-1, -1, 0.5]]
    two = Incidence.of(nx.incidence_matrix(nx.disjoint_union(nx.path_graph(2), nx.path_graph(3))).toarray())
    np.testing.assert_array_equal(two.star_weightings()[:2, 2:], 0)


@pytest.mark.parametrize(
    ("graph", "without"),
    [
        (nx.star_graph(3), [1]),
        (nx.path_graph(4), [0, 3]),
        (nx.path_graph(3), [0]),
        (nx.complete_graph(4), None),
        (nx.disjoint_union(nx.path_graph(2), nx.path_graph(2)), None),
        (nx.Graph([(0, 1), (0, 2), (1, 3), (1, 4), (0, 5)]), [2, 3]),  # one at each of the two centres
    ],
)
def test_one_pendant_vertex_at_each_vertex_is_left_out(graph, without):
    graph = nx.relabel_nodes(graph, {v: v for v in sorted(graph)})
    B = nx.incidence_matrix(graph, nodelist=sorted(graph)).toarray()
    present = Incidence.of(B).without_pendants()
    assert (None if present is None else np.flatnonzero(~present).tolist()) == without
