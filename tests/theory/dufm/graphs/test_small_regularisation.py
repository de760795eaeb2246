"""Losses of graph solutions down to λ = 1e-30, against their own matrices in 60 digits."""

import mpmath as mp
import networkx as nx
import numpy as np
import pytest

from theory import dufm

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


def test_the_search_does_as_well_at_any_regularisation():
    # Relative to deep neural collapse the loss has a limit as λ falls.
    ratios = [
        dufm.graph_solution(GRAPHS["K2,3"], 4, lam, restarts=1, kicks=2).loss / dufm.dnc_loss(6, 4, lam)
        for lam in (1e-9, 1e-15, 1e-30)
    ]
    assert max(ratios) < 1.01 * min(ratios)
    assert max(ratios) < 0.94  # of the edges' weightings it is 0.949


def test_exploring_finds_the_same_graph_at_any_regularisation():
    best = [
        dufm.explore(5, 4, lam, screened=5, refined=1, restarts=0, kicks=0).run().ranking[0]
        for lam in (1e-9, 1e-17, 1e-30)
    ]
    assert len({found.graph6 for found in best}) == 1
    assert [found.ratio for found in best] == pytest.approx([best[0].ratio] * 3, rel=0.01)
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
