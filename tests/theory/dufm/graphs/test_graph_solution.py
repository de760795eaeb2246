"""Solutions on graphs: the family, its scales, its gradient, the search, wrong input."""

from fractions import Fraction

import networkx as nx
import numpy as np
import pytest

from theory import dufm
from theory.dufm.graphs._incidence import Incidence
from theory.dufm.graphs._reduced_loss import Parameters, ReducedLoss

BLOCKS = {
    "triangle and square": nx.disjoint_union(nx.complete_graph(3), nx.cycle_graph(4)),
    "star": nx.star_graph(3),
    "path": nx.path_graph(5),
    "K5 and two edges": nx.disjoint_union_all([nx.complete_graph(5), nx.path_graph(2), nx.path_graph(2)]),
    "K4 twice": nx.disjoint_union(nx.complete_graph(4), nx.complete_graph(4)),
    "K2,3": nx.complete_bipartite_graph(2, 3),
}


def regularisation(L, seed):
    return (10 ** np.random.default_rng(seed).uniform(-6, -3, L + 1)).tolist()


# The closed form.


@pytest.mark.parametrize("r", [4, 5, 6, 8])
@pytest.mark.parametrize("L", [3, 4, 7])
@pytest.mark.parametrize("n", [1, 5])
def test_complete_graph_is_the_strongly_regular_graph_solution(r, L, n):
    lams = regularisation(L, r)
    solution = dufm.graph_solution(nx.complete_graph(r), L, lams=lams, n=n, last_layer="edges")
    srg = dufm.srg(r * (r - 1) // 2, L, lams=lams, n=n)
    assert solution.loss == pytest.approx(srg.loss, rel=1e-12)
    assert solution.ranks == srg.ranks
    for l in range(1, L + 1):
        np.testing.assert_allclose(solution.gram(l), srg.gram(l), rtol=1e-9, atol=1e-9 * srg.gram(l).max())
    np.testing.assert_allclose(solution.scales[0, :-1], srg.scales[0, :-1], rtol=1e-9)


@pytest.mark.parametrize("K", [2, 3, 7])
def test_disjoint_edges_are_deep_neural_collapse(K):
    solution = dufm.graph_solution(nx.disjoint_union_all([nx.path_graph(2)] * K), 4, 1e-3, last_layer="edges")
    assert solution.loss == pytest.approx(dufm.dnc_loss(K, 4, 1e-3), rel=1e-12)
    np.testing.assert_allclose(solution.gram(3), dufm.dnc(K, 4, 1e-3).gram(3), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("lam", [1e-4, 2e-3])
def test_block_mixture_is_the_paper_s(lam):
    solution = dufm.graph_solution(BLOCKS["K5 and two edges"], 4, lam, last_layer="edges")
    assert solution.loss == pytest.approx(dufm.srg_loss(12, 4, lam, construction="block"), rel=1e-12)


def test_each_block_has_its_own_scale():
    # Close to collapse's threshold a block of collapse is switched off while the strongly regular graph stays.
    lam = 0.99 * (27 / (12**5 * 4.0**8)) ** 0.2 * 1.02
    solution = dufm.graph_solution(BLOCKS["K5 and two edges"], 4, lam, last_layer="edges")
    assert dufm.dnc_loss(12, 4, lam) == 0.5
    assert solution.loss == pytest.approx(dufm.srg_loss(12, 4, lam, construction="block"), rel=1e-12)
    assert solution.loss < 0.5
    assert (solution.scales[0] > 0).all()
    assert (solution.scales[1:] == 0).all()
    assert solution.ranks == (5, 5, 5, 10)
    assert solution.evaluate() == pytest.approx(solution.loss, rel=1e-12)


@pytest.mark.parametrize("name", ["K5 and two edges", "triangle and square"])
@pytest.mark.parametrize("L", [3, 5])
def test_scales_are_mean_squared_norms_in_each_component(name, L):
    graph = BLOCKS[name]
    rng = np.random.default_rng(2)
    scales = np.exp(rng.standard_normal((L - 2, len(graph))))
    weightings = rng.standard_normal((9, len(graph)))
    solution = dufm.graph_solution(graph, L, 1e-4, last_layer=weightings, vertex_scales=scales)
    edges = sorted(solution.graph.edges(data="label"), key=lambda edge: edge[2])
    for row, component in zip(solution.scales, nx.connected_components(graph), strict=True):
        vertices = [solution.vertices.index(v) for v in component]
        classes = [label for i, _, label in edges if i in component]
        for l in range(2, L):
            norms = (solution.class_means(l)[vertices] ** 2).sum(axis=1)
            assert row[l - 2] == pytest.approx(norms.mean(), rel=1e-12)
        columns = (solution.class_means(L)[:, classes] ** 2).sum(axis=0)
        assert row[-1] == pytest.approx(columns.mean(), rel=1e-12)


# The loss, by its definition, for any scales and weightings.


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("L", [3, 5])
@pytest.mark.parametrize("n", [1, 3])
def test_given_weightings_and_scales(name, L, n):
    graph, rng = BLOCKS[name], np.random.default_rng(len(name))
    scales = np.exp(rng.standard_normal((L - 2, len(graph))))
    weightings = rng.standard_normal((9, len(graph)))
    lams = regularisation(L, 1)
    solution = dufm.graph_solution(graph, L, lams=lams, n=n, last_layer=weightings, vertex_scales=scales)
    assert solution.loss < 0.5
    assert solution.evaluate() == pytest.approx(solution.loss, rel=1e-11)
    ratios = solution.vertex_scales / scales
    np.testing.assert_allclose(ratios, ratios[:, :1] * np.ones_like(ratios), rtol=1e-12)
    B = nx.incidence_matrix(graph).toarray()
    np.testing.assert_allclose(solution.class_means(2), solution.vertex_scales[0][:, None] * B)
    np.testing.assert_allclose(solution.class_means(L), np.maximum(solution.weightings @ B, 0))
    bipartite = sum(nx.is_bipartite(graph.subgraph(c)) for c in nx.connected_components(graph))
    assert solution.ranks[:-1] == (len(graph) - bipartite,) * (L - 1)


@pytest.mark.parametrize("name", BLOCKS)
def test_scales_of_all_layers_are_optimal(name):
    # Any other scale of any layer costs more, with everything else conditionally optimal again.
    graph, L, lam = BLOCKS[name], 4, 1e-3
    rng = np.random.default_rng(3)
    solution = dufm.graph_solution(graph, L, lam, last_layer=rng.standard_normal((12, len(graph))))
    B = nx.incidence_matrix(graph).toarray()
    for layer in range(L - 1):
        for factor in (0.1, 0.99, 1.01, 10.0):
            layers = [row[:, None] * B for row in solution.vertex_scales]
            last = solution.weightings @ B
            if layer < L - 2:
                layers[layer] = factor * layers[layer]
            else:
                last = factor * last
            moved = dufm.conditionally_optimal(layers, last, solution.lams)
            assert dufm.evaluate_loss(moved.class_means[0], moved.weights, solution.lams) > solution.loss


def test_vertex_without_a_row():
    # A path of three edges whose ends have no rows: three classes in two dimensions.
    scales = np.tile([0.0, 1.0, 1.0, 0.0], (2, 1))
    weightings = [[0, 16, -16, 0], [0, -16, 16, 0], [0, 3, 13, 0], [0, 13, 3, 0]]
    solution = dufm.graph_solution(nx.path_graph(4), 4, 1e-3, last_layer=weightings, vertex_scales=scales)
    assert solution.ranks == (2, 2, 2, 3)
    assert solution.evaluate() == pytest.approx(solution.loss, rel=1e-12)
    assert solution.loss < dufm.dnc_loss(3, 4, 1e-3)
    assert not solution.class_means(2)[[0, 3]].any()


@pytest.mark.parametrize("seed", range(4))
def test_gradient_by_differences(seed):
    rng = np.random.default_rng(seed)
    graph = BLOCKS["triangle and square"] if seed % 2 else BLOCKS["path"]
    B = nx.incidence_matrix(graph).toarray()[seed // 2 :]  # also with a vertex that has no row
    loss = ReducedLoss(Incidence.of(B), 5, -2.0)
    scales, weightings = rng.standard_normal((3, len(B))), rng.standard_normal((4, len(B)))
    for smoothing in (0.0, 0.3):
        _, in_scales, in_weightings = loss.value_and_gradient(Parameters(scales, weightings), smoothing)
        for array, gradient in ((scales, in_scales), (weightings, in_weightings)):
            for place in np.ndindex(array.shape):
                step = np.zeros(array.shape)
                step[place] = 1e-6
                ends = [
                    loss.value_and_gradient(
                        Parameters(scales + s * step, weightings)
                        if array is scales
                        else Parameters(scales, weightings + s * step),
                        smoothing,
                    )[0]
                    for s in (1, -1)
                ]
                # rounding 1e-16/1e-6 and curvature 1e-12, of values of order 1
                assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(gradient[place], abs=1e-7)


def test_least_norms_by_the_pseudo_inverse():
    rng = np.random.default_rng(0)
    for graph in BLOCKS.values():
        B = nx.incidence_matrix(graph).toarray()
        a, X = rng.standard_normal((2, len(B))), rng.standard_normal((5, len(B)))
        loss = ReducedLoss(Incidence.of(B), 4, 0.0)
        inverse = np.linalg.pinv(np.exp(a[1])[:, None] * B)
        middle = np.exp(a[1])[:, None] * B @ np.linalg.pinv(np.exp(a[0])[:, None] * B)
        steps = loss.step_norms(Parameters(a, X))
        assert steps == pytest.approx([(middle**2).sum(), ((X @ B @ inverse) ** 2).sum()], rel=1e-10)
        assert loss.incidence.rank == np.linalg.matrix_rank(B)


# The search.


@pytest.mark.parametrize(("graph", "L", "classes"), [(nx.complete_graph(4), 4, 6), (nx.complete_graph(6), 3, 15)])
def test_optimised_last_layer_beats_the_strongly_regular_graph(graph, L, classes):
    solution = dufm.graph_solution(graph, L, 5e-4, restarts=1, kicks=1)
    assert solution.loss < 0.99 * dufm.srg_loss(classes, L, 5e-4)
    assert solution.evaluate() == pytest.approx(solution.loss, rel=1e-12)


def test_complete_graph_on_five_vertices_gives_back_the_strongly_regular_graph():
    solution, srg = dufm.graph_solution(nx.complete_graph(5), 4, 5e-4, kicks=2), dufm.srg(10, 4, 5e-4)
    assert solution.loss == pytest.approx(srg.loss, rel=1e-9)
    for l in range(2, 5):
        np.testing.assert_allclose(solution.gram(l), srg.gram(l), atol=1e-4 * srg.gram(l).max())


def test_search_is_repeatable_and_never_worse_than_its_start():
    for name in ("path", "K2,3", "triangle and square"):
        one, two = (dufm.graph_solution(BLOCKS[name], 4, 1e-3, restarts=1, kicks=1, seed=7) for _ in range(2))
        assert one.loss == two.loss
        assert one.loss <= dufm.graph_solution(BLOCKS[name], 4, 1e-3, last_layer="edges").loss


def test_zero_solution_where_the_regularisation_is_strong():
    solution = dufm.graph_solution(nx.complete_graph(4), 4, 0.1)
    assert (solution.loss, solution.ranks, solution.nontrivial) == (0.5, (0, 0, 0, 0), False)
    assert solution.evaluate() == pytest.approx(0.5, rel=1e-15)


# The object.


def test_labels_number_the_classes():
    graph = nx.Graph()
    graph.add_edge("a", "b", label=2)
    graph.add_edge("b", "c", label=0)
    graph.add_edge("c", "a", label=1)
    solution = dufm.graph_solution(graph, 3, 1e-4, last_layer="edges")
    assert solution.vertices == ("a", "b", "c")
    assert solution.class_means(2)[0].tolist() == pytest.approx([0, *[solution.vertex_scales[0, 0]] * 2])
    assert {frozenset(edge[:2]): edge[2] for edge in solution.graph.edges(data="label")} == {
        frozenset("ab"): 2,
        frozenset("bc"): 0,
        frozenset("ca"): 1,
    }


def test_solution_is_immutable_and_plots():
    solution = dufm.graph_solution(nx.cycle_graph(4), 4, 1e-3, last_layer="edges")
    for array in (solution.vertex_scales, solution.weightings, solution.scales, solution.class_means(2)):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(AttributeError):
        solution.loss = 0.0
    assert repr(solution).startswith("<C4 graph solution of the 4-DUFM")
    pytest.importorskip("matplotlib")
    assert len(solution.plot().axes) == 12


@pytest.mark.parametrize("kind", [np.int64, np.uint8, float, Fraction, np.float32, np.array])
def test_every_scalar_type(kind):
    lam = 0.5**11 if kind in (np.int64, np.uint8) else kind(0.5**11)
    graph = nx.complete_bipartite_graph(2, 3)
    found = dufm.graph_solution(
        graph, kind(4), lam, n=kind(200), K=kind(6), restarts=kind(0), kicks=kind(1), seed=kind(5)
    )
    usual = dufm.graph_solution(graph, 4, 0.5**11, n=200, restarts=0, kicks=1, seed=5)
    assert (found.loss, found.lams) == (usual.loss, usual.lams)
    assert found.evaluate() == usual.evaluate()
    one, two = (
        dufm.explore(k(3), k(4), x, n=k(3), max_graphs=k(20), screened=k(1), refined=k(0), time_limit=k(100)).run()
        for k, x in ((kind, lam), (int, 0.5**11))
    )
    assert one.ranking == two.ranking
    start = dufm.dnc(3, 3, 1e-3)
    assert dufm.free_descent(start, noise=kind(1), restarts=kind(1), steps=kind(20), seed=kind(3)).loss == (
        dufm.free_descent(start, noise=1, restarts=1, steps=20, seed=3).loss
    )
    assert dufm.best_known(kind(4), kind(5)).loss == dufm.best_known(4, 5).loss


# Wrong input.

TRIANGLE = nx.complete_graph(3)


@pytest.mark.parametrize(
    ("graph", "options", "message"),
    [
        (nx.DiGraph([(0, 1), (1, 2)]), {}, "directed"),
        (nx.MultiGraph([(0, 1), (1, 2)]), {}, "multigraph"),
        (nx.Graph([(0, 1), (1, 1)]), {}, "loop at vertex 1"),
        (nx.disjoint_union(TRIANGLE, nx.empty_graph(1)), {}, "vertex 3 of graph is isolated"),
        (nx.path_graph(2), {}, "1 edges"),
        (nx.Graph(), {}, "0 edges"),
        (TRIANGLE, {"K": 4}, "3 edges; with K = 4"),
        (TRIANGLE, {"K": 1}, "K = 1"),
        (TRIANGLE, {"L": 2}, "L = 2"),
        (TRIANGLE, {"lam": -1}, "lam = -1"),
        (TRIANGLE, {"lam": None}, "neither of lam and lams"),
        (TRIANGLE, {"lams": [1e-3] * 5}, "both of lam and lams"),
        (TRIANGLE, {"lam": None, "lams": [1e-3] * 4}, "lams has 4 entries"),
        (TRIANGLE, {"n": 0}, "n = 0"),
        (TRIANGLE, {"restarts": -1}, "restarts = -1"),
        (TRIANGLE, {"kicks": -1}, "kicks = -1"),
        (TRIANGLE, {"seed": -1}, "seed = -1"),
        (TRIANGLE, {"last_layer": "best"}, "last_layer = 'best'"),
        (TRIANGLE, {"last_layer": [[1, 2]]}, r"last_layer has shape \(1, 2\)"),
        (TRIANGLE, {"last_layer": np.zeros((0, 3))}, r"last_layer has shape \(0, 3\)"),
        (TRIANGLE, {"last_layer": [[1, 2, np.nan]]}, r"last_layer\[0, 2\] = nan; last_layer must be finite"),
        (TRIANGLE, {"vertex_scales": np.ones((2, 3))}, "vertex_scales goes with an array"),
        (TRIANGLE, {"last_layer": np.eye(3), "vertex_scales": np.ones((1, 3))}, r"vertex_scales has shape \(1, 3\)"),
        (TRIANGLE, {"last_layer": np.eye(3), "vertex_scales": -np.ones((2, 3))}, "vertex_scales must be positive"),
        (TRIANGLE, {"last_layer": np.eye(3), "vertex_scales": [[0, 1, 1]] * 2}, "weighs a vertex that has scale 0"),
        (
            TRIANGLE,
            {"last_layer": np.eye(3), "vertex_scales": [[0, 1, 1], [1, 1, 1]]},
            "vertex_scales must be positive",
        ),
        (
            TRIANGLE,
            {"last_layer": np.eye(3), "vertex_scales": [[1, 1, 1], [1, 0, 1]]},
            "vertex_scales must be positive",
        ),
    ],
)
def test_wrong_values(graph, options, message):
    with pytest.raises(ValueError, match=message):
        dufm.graph_solution(graph, **{"L": 4, "lam": 1e-3, **options})


@pytest.mark.parametrize(
    ("graph", "options", "message"),
    [
        ([(0, 1), (1, 2)], {}, "graph = .* is a list"),
        (TRIANGLE, {"L": "4"}, "L = '4' is a str"),
        (TRIANGLE, {"last_layer": object()}, "last_layer"),
        (TRIANGLE, {"K": True}, "K = True is a bool"),
    ],
)
def test_wrong_types(graph, options, message):
    with pytest.raises(TypeError, match=message):
        dufm.graph_solution(graph, **{"L": 4, "lam": 1e-3, **options})
