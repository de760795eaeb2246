"""The search for a graph's solution does what it is asked to, with descents that stay where they start."""

import networkx as nx
import numpy as np
import pytest

from theory.dufm.graphs import _search
from theory.dufm.graphs._candidates import GraphProblem


@pytest.fixture
def descents(monkeypatch):
    """What every descent was called with: vertices that have rows, weightings, iterations.

    Each smooths the ReLU less and less, and in the end not at all.
    """
    calls = []

    def stay(loss, start, steps, *smoothing):
        for degrees in smoothing:
            assert list(degrees) == sorted(degrees, reverse=True)
            assert degrees[0] <= 0.1
            assert degrees[-1] == 0.0
        calls.append((loss.incidence.matrix.shape[0], len(start.weightings), steps))
        return start

    monkeypatch.setattr(_search, "descend", stay)
    return calls


def with_pendant():
    graph = nx.complete_graph(4)
    graph.add_edge(0, 4)
    return graph


@pytest.mark.parametrize("restarts", [0, 1, 3])
def test_every_start_is_descended_from_with_and_without_pendant_vertices(descents, restarts):
    for graph, sizes in ((nx.complete_graph(4), [4]), (with_pendant(), [5, 4])):
        descents.clear()
        problem = GraphProblem.of(graph, 4, 1e-3)
        _search.search(problem, restarts, 0, np.random.default_rng(0), steps=7)
        assert {steps for _, _, steps in descents} == {7, 21}
        begun = [size for size, _, steps in descents if steps == 7][: len(sizes) * (restarts + 1)]
        assert begun == [size for size in sizes for _ in range(restarts + 1)]


@pytest.mark.parametrize("kicks", [0, 1, 4])
def test_kicks_and_a_longer_descent_at_the_end(descents, kicks):
    problem = GraphProblem.of(nx.complete_graph(4), 4, 1e-3)
    start = _search.at_once(problem)
    _search.improved(problem, start, kicks, np.random.default_rng(0), steps=7)
    assert [steps for _, _, steps in descents] == [7] * kicks + [21]
    assert all(rows > problem.problem.K for _, rows, steps in descents if steps == 7)  # random weightings are added


def test_a_vertex_that_hardly_has_a_row_is_left_out(descents):
    problem = GraphProblem.of(with_pendant(), 4, 1e-3)
    scales = np.ones((2, 5))
    scales[:, 4] = 0.02
    start = problem.given(scales, problem.incidence.edge_weightings())
    found = _search.improved(problem, start, 0, np.random.default_rng(0))
    assert (found.vertex_scales > 0).all(axis=0).tolist() == [True] * 4 + [False]
    assert found.loss < 0.5 * start.loss


def test_a_component_that_costs_more_than_it_gains_is_left_out(descents):
    problem = GraphProblem.of(nx.disjoint_union(nx.complete_graph(5), nx.path_graph(2)), 4, 5e-3)
    scales = np.ones((2, 7))
    scales[:, 5:] = 30
    start = problem.given(scales, problem.incidence.edge_weightings())
    alone = problem.given(np.where(np.arange(7) < 5, scales, 0.0), np.where(np.arange(7) < 5, start.weightings, 0.0))
    found = _search.improved(problem, start, 0, np.random.default_rng(0))
    assert (found.vertex_scales > 0).all(axis=0).tolist() == [True] * 5 + [False] * 2
    assert found.loss <= alone.loss * (1 + 1e-9) < start.loss


def test_a_short_descent_with_and_without_pendant_vertices(descents):
    _search.screened(GraphProblem.of(with_pendant(), 4, 1e-3), np.random.default_rng(0))
    assert [(size, steps) for size, _, steps in descents] == [(5, 60), (4, 60)]
