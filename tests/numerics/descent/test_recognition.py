"""Names of solutions: the exact ones up to permutation, scale and rotation, graphs, blocks, noise, none."""

import networkx as nx
import numpy as np
import pytest
import torch

import theory.dufm
from numerics import descent
from numerics.descent import Problem, recognise_gram


@pytest.mark.parametrize("K", [6, 10, 15, 21])
def test_srg_up_to_permutation_scale_and_rotation(K):
    run = descent.from_solution(theory.dufm.srg(K, 4, 1e-5))
    rng = np.random.default_rng(K)
    order = torch.from_numpy(rng.permutation(K))
    h, *weights = run.parameters
    turn = torch.from_numpy(np.linalg.qr(rng.standard_normal((weights[0].shape[-1],) * 2))[0])
    moved = [h[:, order] @ turn, weights[0] @ turn * 3, *weights[1:-1], weights[-1][:, order]]
    (found,) = descent.train(K, 4, 1e-5, width=run.problem.widths, seeds=1, steps=0, initial=moved).recognise()
    assert found.kind == "srg"
    assert found.distance < 1e-10
    assert found.distances["srg"] < 1e-10
    assert found.distances["dnc"] > 0.5
    assert found.last["srg"] < 1e-10
    assert nx.is_isomorphic(found.graph, nx.line_graph(nx.complete_graph(round((2 * K + 0.25) ** 0.5 + 0.5))))


def test_dnc():
    (found,) = descent.from_solution(theory.dufm.dnc(7, 5, 1e-6)).recognise()
    assert (found.kind, found.graph.number_of_edges(), len(found.layers)) == ("dnc", 0, 3)
    assert found.distances["srg (block)"] > 0.3


@pytest.mark.parametrize(
    ("graph", "name"),
    [
        (nx.cycle_graph(4), "graph: the cycle C_4, the line graph of C_4"),
        (nx.cycle_graph(5), "graph: the cycle C_5, the line graph of C_5"),
        (nx.line_graph(nx.complete_bipartite_graph(2, 3)), "graph: the line graph of K_{2,3}"),
        (nx.petersen_graph(), "graph: a graph of 10 vertices, degrees 3 3 3 3 3 3 3 3 3 3, that is no line graph"),
        (nx.line_graph(nx.complete_graph(4)), "SRG: the triangular graph T_4, the line graph of K_4"),
    ],
)
def test_graphs(graph, name):
    gram = 0.3 * (2 * np.eye(len(graph)) + nx.to_numpy_array(graph))
    order = np.random.default_rng(1).permutation(len(graph))
    found = recognise_gram(gram[np.ix_(order, order)])
    assert found.name == name
    assert found.distance < 1e-12
    assert nx.is_isomorphic(found.graph, graph)


def test_blocks():
    triangular = nx.to_numpy_array(nx.line_graph(nx.complete_graph(4)))
    gram = np.zeros((11, 11))
    gram[:6, :6] = 2 * np.eye(6) + triangular
    gram[6:9, 6:9] = 1.7 * np.eye(3)
    gram[9, 9] = 1.7
    found = recognise_gram(gram)
    assert found.kind == "blocks"
    assert found.name == "blocks: the triangular graph T_4, the line graph of K_4 + 4 orthogonal + 1 lost"
    assert recognise_gram(np.diag([1.0, 1.0, 0.3])).kind == "none"


def test_solutions_of_general_K():
    block, drop = (theory.dufm.srg(8, 4, 5e-4, construction=c) for c in ("block", "drop"))
    for solution, key, other in ((block, "srg (block)", "srg (drop)"), (drop, "srg (drop)", "srg (block)")):
        (found,) = descent.from_solution(solution).recognise()
        assert found.distances[key] < 1e-7
        assert found.distances[other] > 0.2


def test_a_random_gram_matrix_is_none_of_them():
    means = np.random.default_rng(0).random((10, 5))
    found = recognise_gram(means @ means.T)
    assert found.kind == "none"
    assert found.distance > 0.05


def test_noise_within_the_tolerance():
    rng = np.random.default_rng(2)
    gram = 2 * np.eye(10) + nx.to_numpy_array(nx.line_graph(nx.complete_graph(5)))
    noise = rng.standard_normal((10, 10))
    noise = (noise + noise.T) * np.linalg.norm(gram) / np.linalg.norm(noise + noise.T)
    assert recognise_gram(gram + 0.03 * noise).kind == "srg"
    assert recognise_gram(gram + 0.2 * noise).kind == "none"


def test_layers_that_disagree():
    dnc = theory.dufm.dnc(10, 4, 5e-4)
    run = descent.from_solution(dnc, width=10)
    weights = [p.clone() for p in run.parameters]
    square = torch.from_numpy(theory.dufm.srg(10, 4, 5e-4).gram(2))
    weights[2] = torch.linalg.cholesky(square + 1e-9 * torch.eye(10)).mT[None].abs()
    (found,) = descent.train(10, 4, 5e-4, width=10, seeds=1, steps=0, initial=weights).recognise()
    assert found.kind == "none"
    assert "layer 2: DNC" in found.name
    assert "layer 3:" in found.name


def test_gram_matrices_are_all_that_is_needed():
    solution = theory.dufm.srg(10, 5, 5e-4)
    grams = [solution.gram(l) for l in (2, 3, 4, 5)]
    found = descent.recognise(Problem.of(10, 5, 5e-4), grams)
    (of_run,) = descent.from_solution(solution).recognise()
    assert (found.kind, found.name) == (of_run.kind, of_run.name)
    assert found.distances == pytest.approx(of_run.distances, abs=1e-9)
    assert len(found.layers) == 3


def test_the_distance_is_that_of_the_worst_layer():
    rng = np.random.default_rng(3)
    noise = rng.standard_normal((10, 10))
    noise = (noise + noise.T) / np.linalg.norm(noise + noise.T) * np.sqrt(10)
    grams = [np.eye(10) + size * noise for size in (0.01, 0.03, 0.02, 0)]
    found = descent.recognise(Problem.of(10, 5, 5e-4), grams)
    assert found.kind == "dnc"
    assert found.distance == max(layer.distance for layer in found.layers) == found.layers[1].distance
    assert found.layers[1].distance > 2 * found.layers[0].distance


@pytest.mark.parametrize(("cosine", "joined"), [(0.51, True), (0.49, False), (0.26, False)])
def test_classes_are_joined_above_half_the_largest_cosine(cosine, joined):
    """Classes 0 and 1 have cosine 1/2; 2 and 3 that fraction of it."""
    gram = np.eye(4)
    gram[0, 1] = gram[1, 0] = 0.5
    gram[2, 3] = gram[3, 2] = 0.5 * cosine
    assert recognise_gram(gram).graph.has_edge(2, 3) == joined


@pytest.mark.parametrize(("cosine", "joined"), [(0.151, True), (0.149, False)])
def test_classes_are_orthogonal_below_a_cosine(cosine, joined):
    gram = np.eye(3)
    gram[0, 1] = gram[1, 0] = cosine
    assert recognise_gram(gram).graph.has_edge(0, 1) == joined


@pytest.mark.parametrize(
    ("grams", "message"),
    [
        ([np.eye(4)], "grams has 1 entries; grams must be the Gram matrices of layers 2 to L = 3"),
        ([np.eye(4), np.ones((4, 3))], r"gram has shape \(4, 3\); gram must be a square matrix"),
        ([np.eye(4), np.full((4, 4), np.nan)], "gram .*must be a square matrix of finite numbers"),
    ],
)
def test_wrong_gram_matrices(grams, message):
    with pytest.raises(ValueError, match=message):
        descent.recognise(Problem.of(4, 3, 1e-3), grams)


def test_wrong_tolerances():
    run = descent.from_solution(theory.dufm.dnc(4, 3, 1e-3))
    for tol in (0, -1, float("nan")):
        with pytest.raises(ValueError, match=r"tol = .*; tol must be .*> 0"):
            run.recognise(tol)


@pytest.mark.parametrize("K", [6, 10, 15, 21, 28])
@pytest.mark.parametrize("L", [3, 4, 5])
def test_the_exact_srg_is_recognised_in_every_order(K, L):
    """Without rounding, the heuristic for the best permutation may stop at a bad one."""
    solution, rng = theory.dufm.srg(K, L, 1e-6), np.random.default_rng(K)
    for _ in range(5):
        order = rng.permutation(K)
        grams = [solution.gram(l)[np.ix_(order, order)] for l in range(2, L + 1)]
        found = descent.recognise(Problem.of(K, L, 1e-6), grams)
        assert found.kind == "srg"
        assert found.distances["srg"] < 1e-12
        assert found.last["srg"] < 1e-12


def test_the_distance_to_no_form_is_that_of_the_closest():
    problem = Problem.of(4, 4, 1e-3)
    square = 2 * np.eye(4) + nx.to_numpy_array(nx.cycle_graph(4))
    found = descent.recognise(problem, [np.eye(4), square, np.eye(4)])
    assert found.kind == "none"
    assert found.distance == min(found.distances.values()) < 1e-12
    assert found.distances["dnc"] > 0.1
