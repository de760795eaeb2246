"""The triangular graphs and the matrices that the strongly regular graph solution is made of.

The triangular graph of order r is the line graph of the complete graph on r vertices: its r(r−1)/2 vertices are the
edges of the complete graph, two of them adjacent where they share an end. Everywhere here the edges are ordered
lexicographically, (0, 1), (0, 2), …, (r−2, r−1), and vertex i of the triangular graph is the i-th of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import comb, hypot, isclose, isfinite, isqrt, sqrt
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsFloat

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_integer, check_real
from theory.foreign import entries
from theory.wording import shown, wrong_type

if TYPE_CHECKING:
    import networkx as nx
    from jaxtyping import Float, Int, Real

__all__ = [
    "Spectrum",
    "StronglyRegularParameters",
    "complete_graph_edges",
    "incidence_matrix",
    "last_layer_gram_spectrum",
    "last_layer_pre_activations",
    "last_layer_row_norm_squared",
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


LARGEST_DRAWN = 2048
"""The largest r of which graphs and matrices are made, with two million edges; numbers are had for any r."""


def complete_graph_edges(r: IntegerLike) -> list[tuple[int, int]]:
    """The edges of the complete graph on r vertices in lexicographic order.

    >>> complete_graph_edges(3)
    [(0, 1), (0, 2), (1, 2)]
    """
    r = check_integer("r", r, at_least=2, at_most=LARGEST_DRAWN)
    return [(i, j) for i in range(r) for j in range(i + 1, r)]


def triangular_graph(r: IntegerLike) -> nx.Graph:
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

    r = check_integer("r", r, at_least=2, at_most=LARGEST_DRAWN)
    number = {edge: i for i, edge in enumerate(complete_graph_edges(r))}
    line = nx.line_graph(nx.complete_graph(r))
    graph = nx.Graph()
    graph.add_nodes_from((i, {"edge": edge}) for edge, i in number.items())
    graph.add_edges_from((number[tuple(sorted(e))], number[tuple(sorted(f))]) for e, f in line.edges)
    return graph


def parameters(r: IntegerLike) -> StronglyRegularParameters:
    """The parameters of the triangular graph as a strongly regular graph, r ≥ 4 (lowrank, Definition 3).

    >>> parameters(5)  # the complement of the Petersen graph
    StronglyRegularParameters(vertices=10, degree=6, adjacent=3, non_adjacent=4)
    """
    r = check_integer("r", r, at_least=4)
    return StronglyRegularParameters(comb(r, 2), 2 * (r - 2), r - 2, 4)


def spectrum(r: IntegerLike) -> Spectrum:
    """The adjacency spectrum of the triangular graph, r ≥ 4 (lowrank, Definition 3).

    >>> spectrum(5)
    Spectrum(eigenvalues=(6, 1, -2), multiplicities=(1, 4, 5))
    """
    r = check_integer("r", r, at_least=4)
    return Spectrum((2 * (r - 2), r - 4, -2), (1, r - 1, r * (r - 3) // 2))


def triangular_order(K: IntegerLike) -> tuple[int, int]:
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


def incidence_matrix(r: IntegerLike) -> Int[np.ndarray, "r K"]:
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
    r = check_integer("r", r, at_least=2, at_most=LARGEST_DRAWN)
    edges = complete_graph_edges(r)
    matrix = np.zeros((r, len(edges)), dtype=np.int64)
    for column, ends in enumerate(edges):
        matrix[list(ends), column] = 1
    return matrix


def normalised_incidence_matrix(r: IntegerLike) -> Float[np.ndarray, "r K"]:
    """The matrix T_r of lowrank, Definition 3: `incidence_matrix` scaled by 1/√(r−1), so that its rows have unit norm.

    >>> bool(np.allclose(normalised_incidence_matrix(5) @ np.ones(10), 2.0))  # (r−1)/√(r−1) = 2
    True
    """
    r = check_integer("r", r, at_least=2, at_most=LARGEST_DRAWN)
    scaled: Float[np.ndarray, "r K"] = incidence_matrix(r) / sqrt(r - 1)
    return scaled


def last_layer_pre_activations(r: IntegerLike) -> Int[np.ndarray, "K K"]:
    """The row types of the last layer before its ReLU: for every edge the weighting −½ at its ends, +½ elsewhere.

    The value at another edge is the sum of the weights at that edge's ends: −1 at the edge itself, 0 at edges that
    share an end with it, 1 at disjoint edges.

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
    r = check_integer("r", r, at_least=4, at_most=LARGEST_DRAWN)
    incidence = incidence_matrix(r)
    doubled_weights = 1 - 2 * incidence.T  # +1 off the pair, −1 on it, twice the weighting
    values: Int[np.ndarray, "K K"] = (doubled_weights @ incidence) // 2
    return values


def last_layer_row_norm_squared(r: IntegerLike) -> int:
    """The squared norm of each row of `last_layer_pre_activations`, 1 + (r−2)(r−3)/2.

    The paper scales these rows to unit norm before it gives them multiples, whose squares sum to α_L for each row
    type. With multiples of the integer rows themselves, whose squares sum to β, the same layer has α_L = (1 +
    (r−2)(r−3)/2) β.

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


def last_layer_gram_spectrum(r: IntegerLike) -> Spectrum:
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
    r = check_integer("r", r, at_least=4)
    multiplicities = spectrum(r).multiplicities
    return Spectrum((comb(r - 2, 2) ** 2, (r - 3) ** 2, 1), multiplicities)


def row_multiples(
    multiples: Sequence[Sequence[SupportsFloat] | np.ndarray], scale: RealLike | None = None
) -> Real[np.ndarray, "d r"]:
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
        d is the number of multiples altogether; of integers if all multiples are and no scale is given, whose sums of
        squares are then compared exactly.

    Raises
    ------
    ValueError
        If there is no row type, a multiple is negative or not finite, a row type has none but zeros, the scale is not
        positive, or the sums of squares differ and no scale is given.

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
    several = entries(multiples)
    if several is None:
        raise wrong_type("multiples", multiples, "multiples must be a sequence of row types, each of them of numbers")
    groups = [_row_type(f"multiples[{i}]", group) for i, group in enumerate(several)]
    if not groups:
        raise ValueError("multiples is empty; there must be multiples for at least one row type")
    exact = scale is None and all(isinstance(x, int) for group in groups for x in group)
    if scale is not None:
        target = sqrt(check_real("scale", scale, above=0))
        groups = [[x / hypot(*group) * target for x in group] for group in groups]
    sums = [sum(x * x for x in group) for group in groups]
    equal = len(set(sums)) == 1 if exact else all(isclose(hypot(*g), hypot(*groups[0]), rel_tol=5e-13) for g in groups)
    if not equal:
        raise ValueError(
            f"multiples have sums of squares from {min(sums)} to {max(sums)}; they must agree, or give scale"
        )
    columns = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    matrix = np.zeros((len(columns), len(groups)), dtype=np.int64 if exact else float)
    matrix[np.arange(len(columns)), columns] = [x for group in groups for x in group]
    return matrix


def _row_type(name: str, multiples: Any) -> list[int] | list[float]:
    """The multiples of one row type: integers as they are, others as floats."""
    allowed = "a row type's multiples are finite, non-negative and not all zero; integers are below 2⁶³"
    numbers: list[Any] = []
    with suppress(TypeError, ValueError, OverflowError):
        numbers = [int(x) if isinstance(x, Integral) else float(x) for x in multiples]
    fine = all(x < 1 << 63 if isinstance(x, int) else isfinite(x) for x in numbers)
    if isinstance(multiples, str) or not fine or not any(numbers) or min(numbers) < 0:
        raise ValueError(f"{name} = {shown(multiples)}; {allowed}")
    return numbers
