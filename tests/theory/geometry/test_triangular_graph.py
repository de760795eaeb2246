"""Triangular graphs and the matrices of the strongly regular graph solution."""

from fractions import Fraction
from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from theory.geometry import triangular_graph as tg

ORDERS = range(4, 9)


def spectrum_of(matrix):
    """Eigenvalues and multiplicities of an integer matrix with integral eigenvalues, largest first."""
    values, counts = np.unique(np.round(np.linalg.eigvalsh(matrix), 6), return_counts=True)
    return list(zip(values[::-1].tolist(), counts[::-1].tolist(), strict=True))


@pytest.mark.parametrize("r", range(2, 9))
def test_graph_is_the_line_graph(r):
    graph = tg.triangular_graph(r)
    edges = [graph.nodes[i]["edge"] for i in graph]
    assert edges == tg.complete_graph_edges(r) == list(combinations(range(r), 2))
    for i, j in combinations(graph, 2):
        assert graph.has_edge(i, j) == bool(set(edges[i]) & set(edges[j]))


@pytest.mark.parametrize("r", ORDERS)
def test_parameters_and_spectrum(r):
    graph = tg.triangular_graph(r)
    v, k, adjacent, other = tg.parameters(r)
    assert graph.number_of_nodes() == v
    assert set(dict(graph.degree).values()) == {k}
    common = {(graph.has_edge(i, j), len(set(graph[i]) & set(graph[j]))) for i, j in combinations(graph, 2)}
    assert common == {(True, adjacent), (False, other)}
    assert list(zip(*tg.spectrum(r), strict=True)) == spectrum_of(nx.to_numpy_array(graph))


@pytest.mark.parametrize("r", ORDERS)
def test_incidence_matrices(r):
    B, T = tg.incidence_matrix(r), tg.normalised_incidence_matrix(r)
    assert np.array_equal(B, nx.incidence_matrix(nx.complete_graph(r), edgelist=tg.complete_graph_edges(r)).toarray())
    assert np.allclose(np.linalg.norm(T, axis=1), 1)
    assert np.allclose(T * np.sqrt(r - 1), B)


@pytest.mark.parametrize("r", ORDERS)
def test_last_layer(r):
    rows = tg.last_layer_pre_activations(r)
    edges = tg.complete_graph_edges(r)
    for row, pair in zip(rows, edges, strict=True):
        weights = np.where(np.isin(np.arange(r), pair), -0.5, 0.5)
        assert row.tolist() == [weights[i] + weights[j] for i, j in edges]
    assert set((rows**2).sum(axis=1)) == {tg.last_layer_row_norm_squared(r)}
    positive = np.maximum(rows, 0)
    found = spectrum_of(positive.T @ positive)
    stated: dict[int, int] = {}
    for value, multiplicity in zip(*tg.last_layer_gram_spectrum(r), strict=True):  # at r = 4 all three coincide
        stated[value] = stated.get(value, 0) + multiplicity
    assert found == list(stated.items())


@pytest.mark.parametrize(
    ("K", "expected"), [(1, (2, 2)), (2, (2, 3)), (3, (3, 3)), (6, (4, 4)), (9, (4, 5)), (10**12, (1414214, 1414215))]
)
def test_triangular_order(K, expected):
    below, above = tg.triangular_order(K)
    assert (below, above) == expected
    assert below * (below - 1) // 2 <= K <= above * (above - 1) // 2
    assert K < (below + 1) * below // 2


def test_row_multiples_are_exact_integers():
    # (2·3·5·10⁸)² + … : sums of squares beyond 2⁶³, equal and one off
    big = 10**15
    A = tg.row_multiples([[5 * big], [3 * big, 4 * big]])
    assert A.dtype == np.int64
    assert A.tolist() == [[5 * big, 0], [0, 3 * big], [0, 4 * big]]
    with pytest.raises(ValueError, match="sums of squares"):
        tg.row_multiples([[5 * big], [3 * big, 4 * big + 1]])
    small = tg.row_multiples([np.array([200], np.uint8), np.array([120, 160], np.uint8)])
    assert small.tolist() == [[200, 0], [0, 120], [0, 160]]
    with pytest.raises(ValueError, match="sums of squares from 1 to 65537"):
        tg.row_multiples([np.array([1], np.uint8), np.array([1, 256], np.uint16)])  # the same modulo 2⁸
    with pytest.raises(ValueError, match="below 2⁶³"):
        tg.row_multiples([[2**63]])


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_row_multiples_of_any_size(size):
    multiples = [[5 * size], [3 * size, 4 * size], [Fraction(5) * Fraction(size)]]
    assert np.allclose(tg.row_multiples(multiples) / size, tg.row_multiples([[5.0], [3, 4], [5]]))
    assert np.allclose(tg.row_multiples(multiples, 25.0), tg.row_multiples([[5.0], [3, 4], [5]]))
    with pytest.raises(ValueError, match="sums of squares"):
        tg.row_multiples([[5 * size], [3 * size, 4.00000001 * size]])


@pytest.mark.parametrize("kind", [float, np.uint8, np.int64, np.float32, Fraction, np.array])
def test_every_scalar_type(kind):
    r = kind(20)
    assert tg.triangular_graph(r).number_of_edges() == tg.triangular_graph(20).number_of_edges()
    for function in (tg.incidence_matrix, tg.normalised_incidence_matrix, tg.last_layer_pre_activations):
        np.testing.assert_array_equal(function(r), function(20))
    for function in (tg.parameters, tg.spectrum, tg.last_layer_gram_spectrum, tg.last_layer_row_norm_squared):
        assert function(r) == function(20)
    assert tg.complete_graph_edges(r) == tg.complete_graph_edges(20)
    assert tg.triangular_order(kind(200)) == (20, 21)


@pytest.mark.parametrize("scale", [None, 2.5])
def test_row_multiples(scale):
    multiples = [[5], [3, 4], [0, 5], [1, 4, 2, 2]]
    A = tg.row_multiples(multiples, scale)
    assert A.shape == (9, 4)
    assert np.all((A != 0).sum(axis=1) <= 1)
    assert np.allclose(A.T @ A, (25 if scale is None else scale) * np.eye(4))
    assert np.issubdtype(A.dtype, np.integer if scale is None else np.floating)
    assert np.allclose(A / A.max(), tg.row_multiples(multiples) / 5)


@pytest.mark.parametrize(
    ("function", "least"),
    [
        (tg.complete_graph_edges, 2),
        (tg.triangular_graph, 2),
        (tg.incidence_matrix, 2),
        (tg.normalised_incidence_matrix, 2),
        (tg.parameters, 4),
        (tg.spectrum, 4),
        (tg.last_layer_pre_activations, 4),
        (tg.last_layer_gram_spectrum, 4),
        (tg.last_layer_row_norm_squared, 4),
    ],
)
@pytest.mark.any_type
def test_orders_out_of_range(function, least):
    function(least)
    for r in (least - 1, 4.5, -3, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=rf"r = .*; r must be an integer ≥ {least}"):
            function(r)
    for r in ("4", None, True, 4j):
        with pytest.raises(TypeError, match=r"r = .*; r must be an integer"):
            function(r)


def test_classes_out_of_range():
    with pytest.raises(ValueError, match="K = 0; K must be an integer ≥ 1"):
        tg.triangular_order(0)


@pytest.mark.parametrize(
    ("multiples", "scale", "message"),
    [
        ([[1], [-1]], None, r"multiples\[1\] = \[-1\]; a row type's multiples are finite, non-negative"),
        ([[1], [0, 0]], None, r"multiples\[1\] = .*not all zero"),
        ([[1], []], None, r"multiples\[1\]"),
        ([[1], [float("nan")]], None, r"multiples\[1\]"),
        ([[float("inf")]], 1.0, r"multiples\[0\]"),
        pytest.param([[[1]]], None, r"multiples\[0\]", marks=pytest.mark.any_type),
        ([[1], [2]], None, "sums of squares from 1 to 4"),
        ([[1]], 0.0, "scale = 0.0; scale must be a finite real number > 0"),
        ([[1]], float("inf"), "scale = inf"),
        ([[1]], float("nan"), "scale = nan"),
        ([], None, "multiples is empty"),
    ],
)
def test_row_multiples_refuses(multiples, scale, message):
    with pytest.raises(ValueError, match=message):
        tg.row_multiples(multiples, scale)
