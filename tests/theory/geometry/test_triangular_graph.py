"""Triangular graphs and the matrices of the strongly regular graph solution."""

from fractions import Fraction
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
import sympy as sp

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


@pytest.mark.parametrize("scale", [None, 2.5])
def test_row_multiples(scale):
    multiples = [[5], [3, 4], [0, 5], [1, 4, 2, 2]]
    A = tg.row_multiples(multiples, scale)
    assert A.shape == (9, 4)
    assert np.all((A != 0).sum(axis=1) <= 1)
    assert np.allclose(A.T @ A, (25 if scale is None else scale) * np.eye(4))
    assert np.issubdtype(A.dtype, np.integer if scale is None else np.floating)
    assert np.allclose(A / A.max(), tg.row_multiples(multiples) / 5)


@pytest.mark.parametrize("marked", [set(), {0}, {0, 1}, {0, 2, 3}, {0, 1, 2, 3}])
def test_edge_sum_by_enumeration(marked):
    def term(ends):
        return 1 + 3 * len(ends) + 7 * (0 in ends) - 2 * (ends == {0, 1}) * len(ends)

    r = sp.Symbol("r")
    formula = tg.edge_sum(r, marked, term)
    for order in range(4, 8):
        enumerated = sum(term(frozenset(edge) & marked) for edge in combinations(range(order), 2))
        assert tg.edge_sum(order, marked, term) == enumerated
        assert formula.subs(r, order) == enumerated


@pytest.mark.parametrize("r", ORDERS)
@pytest.mark.parametrize("entries", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (5, -2, 3)])
def test_intersection_matrix_eigenvalues(r, entries):
    B = tg.incidence_matrix(r)
    matrix = np.array(entries)[2 - B.T @ B]
    stated: dict[int, int] = {}
    for value, count in zip(
        tg.intersection_matrix_eigenvalues(r, *entries), tg.spectrum(r).multiplicities, strict=True
    ):
        stated[value] = stated.get(value, 0) + count
    assert dict(spectrum_of(matrix)) == stated
    symbol = sp.Symbol("r")
    symbolic = tg.intersection_matrix_eigenvalues(symbol, *entries)
    assert [sp.sympify(value).subs(symbol, r) for value in symbolic] == list(
        tg.intersection_matrix_eigenvalues(r, *entries)
    )


def test_least_norm_is_exact_for_fractions():
    r, w = 5, [Fraction(1, 3), Fraction(-2), Fraction(0), Fraction(5, 7), Fraction(1)]
    B = tg.incidence_matrix(r)
    moments = [sum(Fraction(int(a), r - 1) * b for a, b in zip(row, w, strict=True)) for row in B @ B.T]
    total, squares = sum(moments), sum(m * m for m in moments)
    assert tg.least_norm_squared(Fraction(r), total, squares) == sum(x * x for x in w)


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
        ([[[1]]], None, r"multiples\[0\]"),
        ([[1], [2]], None, "sums of squares from 1 to 4"),
        ([[1]], 0.0, "scale = 0.0; it must be positive"),
        ([[1]], float("inf"), "scale = inf"),
        ([[1]], float("nan"), "scale = nan"),
        ([], None, "multiples is empty"),
    ],
)
def test_row_multiples_refuses(multiples, scale, message):
    with pytest.raises(ValueError, match=message):
        tg.row_multiples(multiples, scale)
