r"""The triangular graphs :math:`\mathcal T_r` and the matrices that the strongly regular graph solution is made of.

:math:`\mathcal T_r` is the line graph of the complete graph on r vertices: its r(r−1)/2 vertices are the edges of the
complete graph, two of them adjacent where they share an end. Everywhere here the edges are ordered lexicographically,
(0, 1), (0, 2), …, (r−2, r−1), and vertex i of :math:`\mathcal T_r` is the i-th of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import combinations
from math import comb, isqrt, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from theory.arguments import check_integer

if TYPE_CHECKING:
    import networkx as nx
    from jaxtyping import Float, Int

__all__ = [
    "Spectrum",
    "StronglyRegularParameters",
    "complete_graph_edges",
    "edge_sum",
    "incidence_matrix",
    "intersection_matrix_eigenvalues",
    "last_layer_gram_spectrum",
    "last_layer_pre_activations",
    "last_layer_row_norm_squared",
    "least_norm_squared",
    "normalised_incidence_matrix",
    "parameters",
    "row_multiples",
    "spectrum",
    "triangular_graph",
    "triangular_order",
]


class StronglyRegularParameters(NamedTuple):
    """(v, k, λ, μ) of a strongly regular graph: vertices, degree, common neighbours of adjacent and other pairs."""

    vertices: int
    degree: int
    adjacent: int
    non_adjacent: int


class Spectrum(NamedTuple):
    """Distinct eigenvalues of a symmetric matrix with their multiplicities, largest eigenvalue first."""

    eigenvalues: tuple[int, ...]
    multiplicities: tuple[int, ...]


def complete_graph_edges(r: int) -> list[tuple[int, int]]:
    """The edges of the complete graph on r vertices in lexicographic order.

    >>> complete_graph_edges(3)
    [(0, 1), (0, 2), (1, 2)]
    """
    r = check_integer("r", r, at_least=2)
    return [(i, j) for i in range(r) for j in range(i + 1, r)]


def triangular_graph(r: int) -> nx.Graph:
    """The triangular graph of order r, with nodes 0 … r(r−1)/2 − 1 in the order of `complete_graph_edges`.

    Parameters
    ----------
    r : int
        Order, at least 2.

    Returns
    -------
    networkx.Graph
        Each node carries the attribute ``edge``, the edge (i, j) of the complete graph that it stands for.

    Raises
    ------
    ValueError
        If r < 2.

    References
    ----------
    lowrank, Definition 3.

    Examples
    --------
    >>> graph = triangular_graph(4)  # the octahedron
    >>> graph.number_of_nodes(), graph.number_of_edges(), graph.nodes[0]["edge"]
    (6, 12, (0, 1))
    """
    import networkx as nx

    number = {edge: i for i, edge in enumerate(complete_graph_edges(r))}
    line = nx.line_graph(nx.complete_graph(r))
    graph = nx.Graph()
    graph.add_nodes_from((i, {"edge": edge}) for edge, i in number.items())
    graph.add_edges_from((number[tuple(sorted(e))], number[tuple(sorted(f))]) for e, f in line.edges)
    return graph


def parameters(r: int) -> StronglyRegularParameters:
    """The parameters of the triangular graph as a strongly regular graph, r ≥ 4 (lowrank, Definition 3).

    >>> parameters(5)  # the complement of the Petersen graph
    StronglyRegularParameters(vertices=10, degree=6, adjacent=3, non_adjacent=4)
    """
    r = check_integer("r", r, at_least=4)
    return StronglyRegularParameters(comb(r, 2), 2 * (r - 2), r - 2, 4)


def spectrum(r: int) -> Spectrum:
    """The adjacency spectrum of the triangular graph, r ≥ 4 (lowrank, Definition 3).

    >>> spectrum(5)
    Spectrum(eigenvalues=(6, 1, -2), multiplicities=(1, 4, 5))
    """
    r = check_integer("r", r, at_least=4)
    return Spectrum((2 * (r - 2), r - 4, -2), (1, r - 1, r * (r - 3) // 2))


def triangular_order(K: int) -> tuple[int, int]:
    """The orders r whose triangular numbers r(r−1)/2 enclose K: the largest with r(r−1)/2 ≤ K, the smallest with ≥ K.

    Parameters
    ----------
    K : int
        Number of classes, at least 1.

    Returns
    -------
    below, above : int
        Equal exactly when K is a triangular number.

    Examples
    --------
    >>> triangular_order(10), triangular_order(12)
    ((5, 5), (5, 6))
    """
    K = check_integer("K", K, at_least=1)
    below = (1 + isqrt(1 + 8 * K)) // 2
    return below, below if comb(below, 2) == K else below + 1


def incidence_matrix(r: int) -> Int[np.ndarray, "r K"]:
    """The vertex–edge incidence matrix of the complete graph: entry 1 where the vertex is an end of the edge.

    Parameters
    ----------
    r : int
        Number of vertices, at least 2.

    Returns
    -------
    ndarray of int, shape (r, r(r−1)/2)

    Examples
    --------
    >>> incidence_matrix(3)
    array([[1, 1, 0],
           [1, 0, 1],
           [0, 1, 1]])
    """
    edges = complete_graph_edges(r)
    matrix = np.zeros((r, len(edges)), dtype=np.int64)
    for column, ends in enumerate(edges):
        matrix[list(ends), column] = 1
    return matrix


def normalised_incidence_matrix(r: int) -> Float[np.ndarray, "r K"]:
    """The matrix T_r of lowrank, Definition 3: `incidence_matrix` scaled by 1/√(r−1), so that its rows have unit norm.

    >>> bool(np.allclose(normalised_incidence_matrix(5) @ np.ones(10), 2.0))  # (r−1)/√(r−1) = 2
    True
    """
    scaled: Float[np.ndarray, "r K"] = incidence_matrix(r) / sqrt(r - 1)
    return scaled


def last_layer_pre_activations(r: int) -> Int[np.ndarray, "K K"]:
    """The row types of the last layer before its ReLU: for every edge the vertex weighting −½ at its ends, +½ elsewhere.

    The value at another edge is the sum of the weights at that edge's ends: −1 at the edge itself, 0 at edges that share
    an end with it, 1 at disjoint edges.

    Parameters
    ----------
    r : int
        Order, at least 4.

    Returns
    -------
    ndarray of int, shape (r(r−1)/2, r(r−1)/2)
        One row for each pair of vertices, one column for each class.

    References
    ----------
    lowrank, Definitions 4 and 9.

    Examples
    --------
    >>> last_layer_pre_activations(4)[0]
    array([-1,  0,  0,  0,  0,  1])
    """
    r = check_integer("r", r, at_least=4)
    incidence = incidence_matrix(r)
    doubled_weights = 1 - 2 * incidence.T  # +1 off the pair, −1 on it, twice the weighting
    values: Int[np.ndarray, "K K"] = (doubled_weights @ incidence) // 2
    return values


def last_layer_row_norm_squared(r: int) -> int:
    r"""The squared norm :math:`1 + \binom{r-2}{2}` of each row of `last_layer_pre_activations`.

    The paper scales these rows to unit norm before it gives them multiples, whose squares sum to :math:`\alpha_L` for
    each row type. With multiples of the integer rows themselves, whose squares sum to :math:`\beta`, the same layer has
    :math:`\alpha_L = (1 + \binom{r-2}{2})\,\beta`.

    References
    ----------
    lowrank, Definition 9 and the proof of Lemma 14.

    Examples
    --------
    >>> last_layer_row_norm_squared(5)  # one entry −1 and three entries 1
    4
    """
    r = check_integer("r", r, at_least=4)
    return 1 + comb(r - 2, 2)


def last_layer_gram_spectrum(r: int) -> Spectrum:
    """Eigenvalues of M_Lᵀ M_L / β in the strongly regular graph solution, where M_L is the last layer after its ReLU.

    The eigenspaces are those of the triangular graph, in the order of `spectrum`.

    References
    ----------
    lowrank, Lemma 16.

    Examples
    --------
    >>> last_layer_gram_spectrum(5)
    Spectrum(eigenvalues=(9, 4, 1), multiplicities=(1, 4, 5))
    """
    multiplicities = spectrum(r).multiplicities
    return Spectrum((comb(r - 2, 2) ** 2, (r - 3) ** 2, 1), multiplicities)


def row_multiples(multiples: Sequence[Sequence[float]], scale: float | None = None) -> Float[np.ndarray, "d r"]:
    """The matrix A that gives a layer of the strongly regular graph solution its rows: A T_r, or A times the last rows.

    Row i of `multiples` holds the multiples of row type i, which become consecutive rows of A, each with its one entry
    in column i. All row types get the same sum of squares α, so that AᵀA = α I.

    Parameters
    ----------
    multiples : sequence of sequences of float
        For each row type its multiples: finite, non-negative, not all zero.
    scale : float, optional
        The sum of squares α; each row type's multiples are scaled to it. Without it they must already agree.

    Returns
    -------
    ndarray, shape (d, r)
        d is the number of multiples altogether; of integers if all multiples are and no scale is given.

    Raises
    ------
    ValueError
        If there is no row type, a multiple is negative or not finite, a row type has none but zeros, the scale is not positive, or the sums
        of squares differ and no scale is given.

    References
    ----------
    lowrank, Definition 9.

    Examples
    --------
    >>> row_multiples([[5], [3, 4]])
    array([[5, 0],
           [0, 3],
           [0, 4]])
    >>> row_multiples([[1], [1, 1]], scale=2.0).round(3)
    array([[1.414, 0.   ],
           [0.   , 1.   ],
           [0.   , 1.   ]])
    """
    groups = [np.asarray(group) for group in multiples]
    if not groups:
        raise ValueError("multiples is empty; there must be multiples for at least one row type")
    for i, group in enumerate(groups):
        if group.ndim != 1 or not np.all(np.isfinite(group)) or np.any(group < 0) or not np.any(group > 0):
            allowed = "a row type's multiples are finite, non-negative and not all zero"
            raise ValueError(f"multiples[{i}] = {multiples[i]!r}; {allowed}")
    if scale is not None:
        if not 0 < scale < np.inf:
            raise ValueError(f"scale = {scale!r}; it must be positive and finite")
        groups = [group * (sqrt(scale) / np.linalg.norm(group)) for group in groups]
    sums = [group @ group for group in groups]
    if not np.allclose(sums, sums[0], rtol=1e-12, atol=0.0):
        raise ValueError(
            f"multiples have sums of squares from {min(sums)} to {max(sums)}; they must agree, or give scale"
        )
    columns = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    values = np.concatenate(groups)
    matrix = np.zeros((len(columns), len(groups)), dtype=values.dtype)
    matrix[np.arange(len(columns)), columns] = values
    return matrix


# Sums and eigenvalues for every order at once: r may be a number or a SymPy expression.


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
    r"""The eigenvalues of a matrix over the edges of the complete graph whose entry at (e, f) depends on \|e ∩ f\| only.

    Such a matrix is a combination of I, the adjacency matrix of the triangular graph, and J; it has the eigenspaces of
    the triangular graph, in the order and with the multiplicities of `spectrum`.

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
    >>> intersection_matrix_eigenvalues(5, 0, 1, 0) == spectrum(5).eigenvalues
    True
    """
    # Row {0, 1} of the matrix times an eigenvector: 1; e ↦ |e ∩ {0}| − 2/r; ±1 in turn around the quadrilateral 0 1 2 3.
    on_ones = equal + 2 * (r - 2) * sharing + _pairs(r - 2) * disjoint
    on_weights = equal + (r - 4) * sharing - (r - 3) * disjoint
    on_circuits = equal - 2 * sharing + disjoint
    return on_ones, on_weights, on_circuits


def least_norm_squared(r: Any, total: Any, squares: Any) -> Any:
    r"""The least :math:`\lVert w \rVert^2` of a row w with :math:`w T_r = x`, for x in the row space of :math:`T_r`.

    It depends on x through its moments :math:`m = T_r x^\top` alone.

    Parameters
    ----------
    r : int or sympy.Expr
        Order, at least 3.
    total, squares : number or sympy.Expr
        The sum of the r moments, and the sum of their squares.

    References
    ----------
    lowrank, Lemma 12.

    Examples
    --------
    >>> T = normalised_incidence_matrix(6)
    >>> w = np.array([1.0, -2.0, 0.0, 3.0, 0.0, 1.0])
    >>> moments = T @ (w @ T)
    >>> bool(np.isclose(least_norm_squared(6, moments.sum(), moments @ moments), w @ w))
    True
    """
    # w = mᵀ(T Tᵀ)⁻¹, and T Tᵀ is 2 on the ones and (r−2)/(r−1) on their complement.
    return total**2 / (4 * r) + (squares - total**2 / r) * ((r - 1) ** 2 / (r - 2) ** 2)
