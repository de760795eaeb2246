r"""How far apart points in a ball can be: Rankin's bounds on the smallest distance, and when they are attained.

For K points of the unit ball in d dimensions, let s be the smallest distance. Summing over all pairs,
$K(K-1)s^2 \le \sum_{j\ne k}\lVert x_j-x_k\rVert^2 = 2K\sum_k\lVert x_k\rVert^2-2\lVert\sum_kx_k\rVert^2\le 2K^2$, with
equality only at a simplex equiangular tight frame, which needs $d\ge K-1$. With fewer dimensions two of the
points are at an angle of at most π/2, and $s\le\sqrt2$; up to K = 2d points are that far apart, those of an orthoplex.
"""

from __future__ import annotations

from math import pi, sin, sqrt
from typing import NamedTuple

from theory.arguments import IntegerLike, check_integer

__all__ = ["Separation", "largest_separation"]


class Separation(NamedTuple):
    """The largest smallest distance of points in the unit ball, or a bound on it.

    Attributes
    ----------
    distance : float
        No K points have a larger smallest distance.
    attained : bool
        Whether some have this one.
    unique : bool
        Whether those that have it are the same up to rotations and reflections.
    configuration : str
        Points that attain the bound, or why none do.
    """

    distance: float
    attained: bool
    unique: bool
    configuration: str

    def _repr_html_(self) -> str:
        relation = "=" if self.attained else "&lt;"
        return f"largest smallest distance {relation} {self.distance:.6g}: {self.configuration}"


def largest_separation(K: IntegerLike, d: IntegerLike) -> Separation:
    """The largest smallest distance that K points in the unit ball of d dimensions can have.

    Parameters
    ----------
    K : int
        Number of points, at least 2.
    d : int
        Dimension, at least 1.

    Returns
    -------
    Separation
        The distance itself where it is known in closed form (K ≤ 2d, any K on a line, and K ≤ 7 in the plane), else √2,
        which is not attained.

    Raises
    ------
    ValueError
        If K is below 2 or d below 1.
    TypeError
        If an argument is no integer.

    References
    ----------
    review, Section 1 (NC2); Rankin, The closest packing of spherical caps in n dimensions (1955).

    Examples
    --------
    >>> largest_separation(4, 3)
    Separation(distance=1.632993161855452, attained=True, unique=True, configuration='simplex')
    >>> largest_separation(6, 3).configuration, largest_separation(5, 3).unique, largest_separation(7, 3).attained
    ('orthoplex', False, False)
    """
    K, d = check_integer("K", K, at_least=2), check_integer("d", d, at_least=1)
    if d >= K - 1:
        return Separation(sqrt(2 * K / (K - 1)), True, True, "simplex")
    if d == 1:
        return Separation(2 / (K - 1), True, True, "equal steps on a line")
    if d == 2 and K > 4 and K <= 7:
        return _in_a_disc(K)
    if K <= 2 * d:
        # The vectors fall into sets in orthogonal spaces, one more than the dimension in each that is dependent.
        name = "orthoplex" if K == 2 * d else "vertices of an orthoplex"
        return Separation(sqrt(2), True, K == 2 * d, name)
    return Separation(sqrt(2), False, False, "more than 2d points: some are at an acute angle")


def _in_a_disc(K: int) -> Separation:
    """Five to seven points: a regular polygon, or six of them at distance 1, the seventh in the centre."""
    if K == 5:
        return Separation(2 * sin(pi / 5), True, True, "regular pentagon")
    name = "regular hexagon, or a regular pentagon and its centre" if K == 6 else "regular hexagon and its centre"
    return Separation(1.0, True, K == 7, name)
