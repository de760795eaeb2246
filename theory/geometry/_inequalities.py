"""Linear inequalities in fractions: whether they have a solution, by the simplex method with Bland's rule."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["least_excess"]

Vector = list[Fraction]


def least_excess(G: list[Vector], r: Vector) -> tuple[Fraction, Vector]:
    """Return the least s ≥ 0 with G x − s ≤ r for some x, and this x.

    Parameters
    ----------
    G : list of p lists of n Fractions
        The left sides, n ≥ 1.
    r : list of p Fractions
        The right sides, p ≥ 1.

    Returns
    -------
    s : Fraction
        0 where the inequalities have a solution.
    x : list of n Fractions

    Examples
    --------
    >>> s, x = least_excess([[Fraction(1)], [Fraction(-1)]], [Fraction(2), Fraction(-3)])  # x ≤ 2 and x ≥ 3
    >>> s, x
    (Fraction(1, 2), [Fraction(5, 2)])
    """
    n = len(G[0])
    # basic = constant + Σ coefficient · nonbasic; the variables are x⁺, x⁻, s, and the slacks.
    rows = [[rhs, *(-v for v in row), *row, Fraction(1)] for row, rhs in zip(G, r, strict=True)]
    nonbasic, basic, s = list(range(2 * n + 1)), [2 * n + 1 + i for i in range(len(G))], 2 * n
    if min(r) < 0:
        _pivot(rows, basic, nonbasic, r.index(min(r)), s)
    while s in basic:
        slopes = rows[basic.index(s)][1:]
        entering = min((label for label, slope in zip(nonbasic, slopes, strict=True) if slope < 0), default=None)
        if entering is None:
            break
        column = nonbasic.index(entering)
        falling = [i for i, row in enumerate(rows) if row[column + 1] < 0]
        _pivot(rows, basic, nonbasic, min(falling, key=lambda i: (-rows[i][0] / rows[i][column + 1], basic[i])), column)
    value = dict(zip(basic, (row[0] for row in rows), strict=True))
    zero = Fraction(0)
    return value.get(s, zero), [value.get(i, zero) - value.get(n + i, zero) for i in range(n)]


def _pivot(rows: list[Vector], basic: list[int], nonbasic: list[int], leaving: int, column: int) -> None:
    row, factor = rows[leaving], rows[leaving][column + 1]
    solved = [-v / factor for v in row]
    solved[column + 1] = 1 / factor
    for i, other in enumerate(rows):
        slope = other[column + 1]
        if i != leaving and slope:
            rows[i] = [v + slope * w for v, w in zip(other, solved, strict=True)]
            rows[i][column + 1] = slope * solved[column + 1]
    rows[leaving] = solved
    basic[leaving], nonbasic[column] = nonbasic[column], basic[leaving]
