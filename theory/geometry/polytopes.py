"""The regular polytopes of every dimension, simplex, cube and orthoplex: their vertices as class means, and angles.

In each of three or more dimensions there are these three, and from five on no others.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import acos
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_array, check_choice, check_integer, check_real
from theory.geometry.simplex_etf import etf, etf_gram

if TYPE_CHECKING:
    from jaxtyping import Float
    from numpy.typing import ArrayLike

__all__ = ["KINDS", "Polytope", "Recognised", "polytope", "recognise", "smallest_polytope"]

Kind = Literal["simplex", "cube", "orthoplex"]
KINDS: tuple[Kind, ...] = ("simplex", "cube", "orthoplex")
LARGEST_CUBE = 20
LARGEST_DIMENSION = 10_000


@dataclass(frozen=True, eq=False)
class Polytope:
    """A regular polytope with its centre at 0 and its vertices on the unit sphere.

    Attributes
    ----------
    kind : {"simplex", "cube", "orthoplex"}
    dimension : int
    vertices : ndarray, shape (dimension, count)
        One a column.
    cosines : tuple of Fraction
        The cosines of the angles that occur between two vertices, the smallest angle first.
    """

    kind: Kind
    dimension: int
    vertices: Float[np.ndarray, "m count"]
    cosines: tuple[Fraction, ...]

    @property
    def count(self) -> int:
        """The number of vertices."""
        return int(self.vertices.shape[1])

    @property
    def smallest_angle(self) -> float:
        """The smallest angle between two vertices, in radians."""
        return acos(self.cosines[0])

    def _repr_html_(self) -> str:
        cosines = ", ".join(map(str, self.cosines[:5])) + (", …" if len(self.cosines) > 5 else "")
        return f"{self.dimension}-{self.kind}, {self.count} vertices, cosines {cosines}"


def polytope(kind: Kind, m: IntegerLike) -> Polytope:
    """The regular polytope of a kind in m dimensions, with its angles.

    The simplex has m + 1 vertices at the cosine −1/m, the cube 2^m at the cosines 1 − 2j/m for j = 1 … m, the orthoplex
    2m at the cosines 0 and −1 (for m = 1 all three are the segment).

    Parameters
    ----------
    kind : {"simplex", "cube", "orthoplex"}
    m : int
        Dimension, from 1 to 10,000; at most 20 for the cube, which has 2^m vertices.

    Returns
    -------
    Polytope

    Raises
    ------
    ValueError
        If the kind is none of these, or m out of its range.
    TypeError
        If m is no integer.

    References
    ----------
    review, Section 5; Coxeter, Regular Polytopes.

    Examples
    --------
    >>> polytope("cube", 3).count, polytope("cube", 3).cosines
    (8, (Fraction(1, 3), Fraction(-1, 3), Fraction(-1, 1)))
    >>> polytope("orthoplex", 2).vertices
    array([[ 1.,  0., -1., -0.],
           [ 0.,  1., -0., -1.]])
    """
    kind = check_choice("kind", kind, KINDS)
    m = check_integer("m", m, at_least=1, at_most=LARGEST_CUBE if kind == "cube" else LARGEST_DIMENSION)
    if kind == "simplex":
        return Polytope(kind, m, etf(m + 1), (Fraction(-1, m),))
    if kind == "orthoplex":
        return Polytope(kind, m, np.hstack([np.eye(m), -np.eye(m)]), (Fraction(0), Fraction(-1))[m == 1 :])
    corners = np.array(list(product((1.0, -1.0), repeat=m))).T / np.sqrt(m)
    return Polytope(kind, m, corners, tuple(1 - Fraction(2 * j, m) for j in range(1, m + 1)))


def smallest_polytope(kind: Kind, K: IntegerLike) -> Polytope:
    """The polytope of a kind in the fewest dimensions that has at least K vertices.

    The simplex has K − 1 dimensions, the cube ⌈log₂ K⌉, the orthoplex ⌈K/2⌉.

    Parameters
    ----------
    kind : {"simplex", "cube", "orthoplex"}
    K : int
        Number of classes, at least 2; at most 2²⁰ for the cube.

    Returns
    -------
    Polytope

    Raises
    ------
    ValueError
        If the kind is none of these, or K out of its range.
    TypeError
        If K is no integer.

    References
    ----------
    review, Section 5.

    Examples
    --------
    >>> [smallest_polytope(kind, 10).dimension for kind in KINDS]
    [9, 4, 5]
    """
    kind = check_choice("kind", kind, KINDS)
    largest = {"simplex": LARGEST_DIMENSION + 1, "cube": 2**LARGEST_CUBE, "orthoplex": 2 * LARGEST_DIMENSION}[kind]
    K = check_integer("K", K, at_least=2, at_most=largest)
    return polytope(kind, {"simplex": K - 1, "cube": (K - 1).bit_length(), "orthoplex": (K + 1) // 2}[kind])


class Recognised(NamedTuple):
    """Which polytope a set of means is nearest to.

    Attributes
    ----------
    kind : {"simplex", "cube", "orthoplex"} or None
        None if no polytope is within the tolerance.
    deviations : dict
        For each kind that has that number of vertices, how far the means are from it.
    scale : float
        The root mean square distance of the means from their mean.
    """

    kind: Kind | None
    deviations: dict[Kind, float]
    scale: float

    def _repr_html_(self) -> str:
        return ", ".join(f"{kind}: {deviation:.3g}" for kind, deviation in self.deviations.items())


def recognise(means: ArrayLike, tol: RealLike = 1e-6) -> Recognised:
    """Which regular polytope the class means are the vertices of, in any order, size, place and orientation.

    The deviation from a polytope is the largest difference of the inner products of the centred means, in units of
    their mean square, from those of the polytope with its vertices in the order that fits: 0 at the polytope only.

    Parameters
    ----------
    means : ndarray, shape (m, K)
        Class means, one a column, K ≥ 2, not all equal.
    tol : float
        The largest deviation at which a polytope is recognised.

    Returns
    -------
    Recognised

    Raises
    ------
    ValueError
        If there are fewer than two means, all are equal, an entry is not finite, or tol is not positive.
    TypeError
        If an argument is of a wrong type.

    Notes
    -----
    A set of vertices that is no whole polytope (five of an octahedron's) is none. A square counts as
    an orthoplex, and a segment as a simplex.

    Examples
    --------
    >>> recognise(3 + 2 * polytope("orthoplex", 3).vertices).kind
    'orthoplex'
    >>> recognise([[1.0, 2.0, 4.0]]).kind is None
    True
    """
    points = check_array("means", means, ndim=2, empty=False)
    tol = check_real("tol", tol, above=0)
    K = points.shape[1]
    if K < 2:
        raise ValueError(f"means has shape {points.shape}; means must have at least two columns")
    size = np.abs(points).max() or 1.0
    centred = points / size - (points / size).mean(axis=1, keepdims=True)
    if not np.abs(centred).max() > 8 * np.finfo(float).eps:
        raise ValueError("the columns of means are equal; means must have columns that differ")
    square = float((centred**2).sum() / K)
    gram = centred.T @ centred / square
    kinds: list[Kind] = [kind for kind in ("simplex", "orthoplex", "cube") if _has(kind, K)]
    deviations = {kind: float(np.abs(gram - _nearest_gram(kind, gram)).max()) for kind in kinds}
    best = min(deviations, key=lambda kind: deviations[kind])
    return Recognised(best if deviations[best] <= tol else None, deviations, size * square**0.5)


def _has(kind: Kind, K: int) -> bool:
    return {"simplex": True, "orthoplex": K % 2 == 0 and K > 2, "cube": K & (K - 1) == 0 and K > 4}[kind]


def _nearest_gram(kind: Kind, gram: Float[np.ndarray, "K K"]) -> Float[np.ndarray, "K K"]:
    """The polytope's Gram matrix in the order that fits, from opposite vertices or the neighbours of a corner."""
    K = len(gram)
    if kind == "simplex":
        return etf_gram(K)
    if kind == "orthoplex":
        opposite: Float[np.ndarray, "K K"] = np.eye(K) - np.eye(K)[gram.argmin(axis=1)]
        return opposite
    m = K.bit_length() - 1
    neighbours = np.argsort(-gram[0, 1:])[:m] + 1
    signs = np.where(gram[0] >= gram[neighbours], 1.0, -1.0)  # along the m edges from the first vertex
    distinct = len(np.unique(signs, axis=1).T) == K
    nearest: Float[np.ndarray, "K K"] = signs.T @ signs / m if distinct else np.full((K, K), np.inf)
    return nearest
