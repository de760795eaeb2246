"""Sums over the edges of complete graphs, and eigenvalues of matrices over them, for every order at once.

The order r may be a number or a SymPy expression.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import combinations
from typing import Any

__all__ = ["edge_sum", "intersection_matrix_eigenvalues", "least_norm_squared"]


def edge_sum(r: Any, marked: Collection[int], term: Callable[[frozenset[int]], int]) -> Any:
    """The sum over the edges e of the complete graph on r vertices of a term that depends on e ∩ marked only.

    The marked vertices are few and known, the other r − |marked| are interchangeable: the sum has one term for each set
    of at most two marked vertices, times the number of ways to complete it to an edge.

    Parameters
    ----------
    r : int or sympy.Expr
        Number of vertices; the sum is a polynomial in r that holds for every r ≥ |marked|.
    marked : collection of int
        The marked vertices.
    term : callable
        The integer that an edge contributes, as a function of the set of its marked ends. A predicate counts edges.

    Returns
    -------
    int or sympy.Expr
        The sum, of the type of r.

    Examples
    --------
    The common neighbours of two adjacent vertices of the triangular graph, {0, 1} and {0, 2}:

    >>> import sympy
    >>> r = sympy.Symbol("r")
    >>> edge_sum(r, {0, 1, 2}, lambda ends: len(ends & {0, 1}) == len(ends & {0, 2}) == 1)
    r - 2
    >>> edge_sum(7, {0, 1, 2}, lambda ends: len(ends & {0, 1}) == len(ends & {0, 2}) == 1)
    5
    """
    others = r - len(marked)
    completions = (_pairs(others), others, 1)
    subsets = (frozenset(ends) for size in range(3) for ends in combinations(sorted(marked), size))
    return sum(int(value) * completions[len(ends)] for ends in subsets if (value := term(ends)))


def _pairs(n: Any) -> Any:
    """n(n−1)/2, exactly, for an integer or a SymPy expression."""
    return n * (n - 1) // 2 if isinstance(n, int) else n * (n - 1) / 2


def intersection_matrix_eigenvalues(r: Any, equal: Any, sharing: Any, disjoint: Any) -> tuple[Any, Any, Any]:
    """The eigenvalues of a matrix over the edges of the complete graph whose entry at (e, f) depends on |e ∩ f| only.

    Such a matrix is a combination of I, the adjacency matrix of the triangular graph, and J; it has the eigenspaces of
    the triangular graph, in the order and with the multiplicities of `triangular_graph.spectrum`.

    Parameters
    ----------
    r : int or sympy.Expr
        Order, at least 4.
    equal, sharing, disjoint : number or sympy.Expr
        The entry where the edges are equal, share one end, and share none.

    Returns
    -------
    tuple of three numbers or sympy.Expr
        Eigenvalue on the ones (once), on the sums of weights of the ends, the weights summing to zero (r−1 times), and
        on the vectors whose values around each vertex sum to zero (r(r−3)/2 times).

    Examples
    --------
    >>> from theory.geometry import triangular_graph
    >>> intersection_matrix_eigenvalues(5, 0, 1, 0) == triangular_graph.spectrum(5).eigenvalues
    True
    """
    # Row {0, 1} of the matrix times an eigenvector: 1; e ↦ |e ∩ {0}| − 2/r; ±1 in turn around the square 0 1 2 3.
    on_ones = equal + 2 * (r - 2) * sharing + _pairs(r - 2) * disjoint
    on_weights = equal + (r - 4) * sharing - (r - 3) * disjoint
    on_circuits = equal - 2 * sharing + disjoint
    return on_ones, on_weights, on_circuits


def least_norm_squared(r: Any, total: Any, squares: Any) -> Any:
    """The least ‖w‖² of a row w with w T_r = x, for x in the row space of T_r.

    It depends on x through its moments m = T_r xᵀ alone.

    Parameters
    ----------
    r : int or sympy.Expr
        Order, at least 3.
    total, squares : number or sympy.Expr
        The sum of the r moments, and the sum of their squares.

    Returns
    -------
    number or sympy.Expr

    References
    ----------
    lowrank, Lemma 12.

    Examples
    --------
    >>> import numpy as np
    >>> from theory.geometry import triangular_graph
    >>> T = triangular_graph.normalised_incidence_matrix(6)
    >>> w = np.array([1.0, -2.0, 0.0, 3.0, 0.0, 1.0])
    >>> moments = T @ (w @ T)
    >>> bool(np.isclose(least_norm_squared(6, moments.sum(), moments @ moments), w @ w))
    True
    """
    # w = mᵀ(T Tᵀ)⁻¹, and T Tᵀ is 2 on the ones and (r−2)/(r−1) on their complement.
    return total**2 / (4 * r) + (squares - total**2 / r) * ((r - 1) ** 2 / (r - 2) ** 2)
