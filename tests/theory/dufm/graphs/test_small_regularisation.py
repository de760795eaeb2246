"""Losses of graph solutions down to λ = 1e-30, against their own matrices in 60 digits."""

import mpmath as mp
import networkx as nx
import numpy as np
import pytest

from theory import dufm
from theory.dufm.graphs._candidates import GraphProblem
from theory.dufm.graphs._reduced_loss import Parameters

GRAPHS = {
    "K5": nx.complete_graph(5),
    "K2,3": nx.complete_bipartite_graph(2, 3),
    "path": nx.path_graph(5),
    "star": nx.star_graph(4),
    "triangle and two edges": nx.disjoint_union_all([nx.complete_graph(3), nx.path_graph(2), nx.path_graph(2)]),
}


def pseudo_inverse(A):
    left, values, right = mp.svd_r(A)
    inverse = mp.zeros(A.cols, A.rows)
    for k in range(len(values)):
        if values[k] > values[0] * mp.mpf(10) ** -30:
            inverse += right[k, :].T * left[:, k].T / values[k]
    return inverse, mp.fsum(values)


def loss_in_60_digits(solution):
    """The definition of the family: balanced first layer, least-norm steps, ridge regression; no scale is optimised."""
    with mp.workdps(60):
        edges = sorted(solution.graph.edges(data="label"), key=lambda edge: edge[2])
        where = solution.vertices.index
        incidence = np.zeros((len(solution.vertices), solution.K))
        for i, j, k in edges:
            incidence[[where(i), where(j)], k] = 1
        rows = np.flatnonzero(solution.vertex_scales.any(axis=0))
        B, lams = mp.matrix(incidence[rows].tolist()), [mp.mpf(lam) for lam in solution.lams]
        layers = [mp.diag([mp.mpf(x) for x in scales[rows]]) * B for scales in solution.vertex_scales]
        last = mp.matrix(solution.weightings[:, rows].tolist()) * B
        total = mp.sqrt(solution.n * lams[0] * lams[1]) * pseudo_inverse(layers[0])[1]
        for l, (here, there) in enumerate(zip(layers, [*layers[1:], last], strict=True), start=2):
            total += lams[l] / 2 * mp.fsum(x * x for x in there * pseudo_inverse(here)[0])
        M = last.apply(lambda x: max(x, mp.mpf(0)))
        errors = mp.eigsy(mp.eye(solution.K) + M.T * M / (solution.K * lams[-1]), eigvals_only=True)
        return total + mp.fsum(1 / e for e in errors) / (2 * solution.K)


@pytest.mark.parametrize("last_layer", ["edges", "optimised"])
@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("lam", [1e-3, 1e-12, 1e-15, 1e-18, 1e-30])
def test_loss_is_that_of_the_solution(name, lam, last_layer):
    solution = dufm.graph_solution(GRAPHS[name], 4, lam, n=2, last_layer=last_layer, restarts=0, kicks=0)
    assert 0 < solution.loss < 0.5
    assert float(loss_in_60_digits(solution) / solution.loss - 1) == pytest.approx(0, abs=1e-10)
    assert solution.evaluate() == pytest.approx(solution.loss, rel=1e-9)


@pytest.mark.parametrize("lam", ["1e-12", "1e-18", "1e-30", "1e-200"])
def test_known_solutions(lam):
    srg = dufm.enclose_loss("srg", 12, 4, lam)
    mixture = nx.disjoint_union_all([nx.complete_graph(5), nx.path_graph(2), nx.path_graph(2)])
    assert dufm.graph_solution(mixture, 4, lam, last_layer="edges").loss == pytest.approx(float(srg.lower), rel=1e-12)
    edges = nx.disjoint_union_all([nx.path_graph(2)] * 3)
    dnc = dufm.enclose_loss("dnc", 3, 5, lam)
    assert dufm.graph_solution(edges, 5, lam, last_layer="edges").loss == pytest.approx(float(dnc.lower), rel=1e-12)


@pytest.mark.parametrize("lam", [1e-9, 1e-15, 1e-30])
def test_reduced_loss_and_its_gradient(lam):
    problem = GraphProblem.of(GRAPHS["path"], 4, lam, n=3)
    everyone, rng = np.ones(5, bool), np.random.default_rng(1)
    loss = problem.loss(everyone)
    start = Parameters(0.1 * rng.standard_normal((2, 5)), rng.standard_normal((6, 5)))
    at = problem.rescaled(loss, start)  # the scale of the last layer is the best: the loss is the candidate's
    assert loss.value(at) == pytest.approx(problem.scaled(everyone, start).loss, rel=1e-12)
    size = np.abs(at.weightings).max()
    value, in_scales, in_weightings = loss.value_and_gradient(at, 0.1 * size)
    for place in np.ndindex(6, 5):
        step = np.zeros((6, 5))
        step[place] = 1e-5 * size
        ends = [
            loss.value_and_gradient(Parameters(at.log_scales, at.weightings + s * step), 0.1 * size)[0] for s in (1, -1)
        ]
        assert (ends[0] - ends[1]) / 2e-5 / value == pytest.approx(in_weightings[place] * size / value, abs=1e-6)
    for place in np.ndindex(2, 5):
        step = np.zeros((2, 5))
        step[place] = 1e-5
        ends = [
            loss.value_and_gradient(Parameters(at.log_scales + s * step, at.weightings), 0.1 * size)[0] for s in (1, -1)
        ]
        assert (ends[0] - ends[1]) / 2e-5 / value == pytest.approx(in_scales[place] / value, abs=1e-6)


def test_the_search_does_as_well_at_any_regularisation():
    # Relative to deep neural collapse the loss has a limit as λ falls.
    ratios = [
        dufm.graph_solution(GRAPHS["K2,3"], 4, lam, restarts=1, kicks=2).loss / dufm.dnc_loss(6, 4, lam)
        for lam in (1e-9, 1e-15, 1e-30)
    ]
    assert ratios == pytest.approx([0.926193] * 3, abs=2e-6)  # of the edges' weightings it is 0.949


def test_exploring_finds_the_same_graph_at_any_regularisation():
    best = [
        dufm.explore(5, 4, lam, screened=5, refined=1, restarts=0, kicks=0).run().ranking[0]
        for lam in (1e-9, 1e-17, 1e-30)
    ]
    assert len({found.graph6 for found in best}) == 1
    assert [found.ratio for found in best] == pytest.approx([best[0].ratio] * 3, rel=1e-3)
    assert best[0].ratio < 0.99


@pytest.mark.parametrize("gap", [1e-1, 1e-3, 1e-5])
def test_nearly_dependent_weightings(gap):
    # Two weightings that almost agree: one singular value is `gap` times the others, and has so many digits less.
    weightings = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 1 + gap, 1, 0, 0], [0, 0, 0, 0, 1, 1.0]])
    graph = nx.disjoint_union_all([nx.path_graph(2)] * 3)
    solution = dufm.graph_solution(graph, 3, 1e-26, last_layer=weightings)
    assert float(loss_in_60_digits(solution) / solution.loss - 1) == pytest.approx(0, abs=1e-14 / gap)


@pytest.mark.parametrize("lam", ["1e-400", "1e400"])
def test_matrices_have_to_be_floats(lam):
    with pytest.raises(ValueError, match="lam"):
        dufm.graph_solution(nx.complete_graph(4), 4, lam)


@pytest.mark.parametrize(("L", "n"), [(2**63, 1), (2**70, 1), (4, 2**63), (4, 10**30)])
def test_sizes_that_no_float_holds_are_refused(L, n):
    for make in (
        lambda: dufm.graph_solution(nx.complete_graph(4), L, 1e-3, n=n),
        lambda: dufm.explore(4, L, 1e-3, n=n),
    ):
        with pytest.raises(ValueError, match=r"^(L|n) = "):
            make()
