"""Sums over edges against enumeration, eigenvalues against matrices."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
import sympy as sp

from theory.geometry import triangular_graph as tg
from theory.geometry.edge_sums import edge_sum, intersection_matrix_eigenvalues, least_norm_squared

ORDERS = range(4, 9)


def spectrum_of(matrix):
    """Eigenvalues and multiplicities of an integer matrix with integral eigenvalues, largest first."""
    values, counts = np.unique(np.round(np.linalg.eigvalsh(matrix), 6), return_counts=True)
    return list(zip(values[::-1].tolist(), counts[::-1].tolist(), strict=True))


@pytest.mark.parametrize("marked", [set(), {0}, {0, 1}, {0, 2, 3}, {0, 1, 2, 3}])
def test_edge_sum_by_enumeration(marked):
    def term(ends):
        return 1 + 3 * len(ends) + 7 * (0 in ends) - 2 * (ends == {0, 1}) * len(ends)

    r = sp.Symbol("r")
    formula = edge_sum(r, marked, term)
    for order in range(4, 8):
        enumerated = sum(term(frozenset(edge) & marked) for edge in combinations(range(order), 2))
        assert edge_sum(order, marked, term) == enumerated
        assert formula.subs(r, order) == enumerated


@pytest.mark.parametrize("r", ORDERS)
@pytest.mark.parametrize("entries", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (5, -2, 3)])
def test_intersection_matrix_eigenvalues(r, entries):
    B = tg.incidence_matrix(r)
    matrix = np.array(entries)[2 - B.T @ B]
    stated: dict[int, int] = {}
    for value, count in zip(intersection_matrix_eigenvalues(r, *entries), tg.spectrum(r).multiplicities, strict=True):
        stated[value] = stated.get(value, 0) + count
    assert dict(spectrum_of(matrix)) == stated
    symbol = sp.Symbol("r")
    symbolic = intersection_matrix_eigenvalues(symbol, *entries)
    assert [sp.sympify(value).subs(symbol, r) for value in symbolic] == list(
        intersection_matrix_eigenvalues(r, *entries)
    )


def test_least_norm_is_exact_for_fractions():
    r, w = 5, [Fraction(1, 3), Fraction(-2), Fraction(0), Fraction(5, 7), Fraction(1)]
    B = tg.incidence_matrix(r)
    moments = [sum(Fraction(int(a), r - 1) * b for a, b in zip(row, w, strict=True)) for row in B @ B.T]
    total, squares = sum(moments), sum(m * m for m in moments)
    assert least_norm_squared(Fraction(r), total, squares) == sum(x * x for x in w)
