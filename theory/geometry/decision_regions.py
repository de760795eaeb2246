r"""Decision regions of a linear classifier and of the nearest class mean, compared in all of space and exactly.

The nearest mean to f has the largest $h_c(f) = 2\langle\mu_c,f\rangle-\lVert\mu_c\rVert^2$, so both rules compare
affine functions. They agree everywhere, ties included, if and only if for any two means whose regions share a facet the
classifier's difference $g_c-g_j$ is a positive multiple of $h_c-h_j$. It has to be, near that facet. And it suffices:
the region of the mean c is the intersection of the half-spaces $h_c\ge h_j$ over its neighbours j, so it contains that
of the classifier's class c; both sets of regions cover space, the interiors of those of the means are disjoint, hence
each contains the other.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from theory.arguments import check_exact, check_sequence
from theory.geometry._inequalities import least_excess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from theory.arguments import RealLike

__all__ = ["Agreement", "classified", "nearest_mean_agrees", "nearest_means"]

Vector = list[Fraction]


class Agreement(NamedTuple):
    """Whether a classifier decides everywhere as the nearest class mean does; a point where it does not.

    Attributes
    ----------
    agrees : bool
        For all points of the space, ties included.
    witness : tuple of Fraction, or None
        A point with one nearest mean, for which the classifier decides otherwise or is undecided.
    classes : tuple of two ints, or None
        The class of the nearest mean at the witness, and one that the classifier has there instead or as well.
    """

    agrees: bool
    witness: tuple[Fraction, ...] | None
    classes: tuple[int, int] | None

    def __bool__(self) -> bool:
        return self.agrees


def nearest_mean_agrees(
    A: Sequence[Sequence[RealLike]] | ArrayLike,
    b: Sequence[RealLike] | ArrayLike,
    means: Sequence[Sequence[RealLike]] | ArrayLike,
) -> Agreement:
    """Whether argmax(A f + b) is the nearest class mean for all points f of the space, decided exactly.

    Parameters
    ----------
    A : array_like, shape (K, m)
        Rows of the classifier. Fractions and decimal strings are exact; a float is its binary value.
    b : array_like, shape (K,)
        Its bias.
    means : array_like, shape (m, K)
        Class means, one a column, no two equal.

    Returns
    -------
    Agreement
        True as a truth value if they agree.

    Raises
    ------
    ValueError
        If the shapes do not fit, K is below 2, two means are equal or an entry is not finite.
    TypeError
        If an entry is no number.

    References
    ----------
    review, NC4 and equation 9, for all points in place of the training points.

    Examples
    --------
    >>> means = [[1, -1, 0], [0, 0, 2]]
    >>> bool(nearest_mean_agrees([[1, 0], [-1, 0], [0, 2]], ["-0.5", "-0.5", -2], means))
    True
    >>> nearest_mean_agrees([[1, 0], [-1, 0], [0, 2]], [0, 0, 0], means)
    Agreement(agrees=False, witness=(Fraction(1, 2), Fraction(3, 8)), classes=(0, 2))
    """
    points = _means(means)
    K, m = len(points), len(points[0])
    classifier = _classifier(A, b, K, m)
    rule = [([2 * x for x in point], -_dot(point, point)) for point in points]
    for c in range(K):
        for j in range(c):
            ours, other = _difference(rule[c], rule[j]), _difference(classifier[c], classifier[j])
            if not _positive_multiple(other, ours) and (start := _on_facet(rule, c, j)) is not None:
                return _disagreement(rule, classifier, (c, j), start)
    return Agreement(True, None, None)


def classified(
    A: Sequence[Sequence[RealLike]] | ArrayLike,
    b: Sequence[RealLike] | ArrayLike,
    point: Sequence[RealLike] | ArrayLike,
) -> set[int]:
    """The classes of the largest outputs A f + b at a point, exactly: more than one at a tie.

    Parameters
    ----------
    A : array_like, shape (K, m)
    b : array_like, shape (K,)
    point : array_like, shape (m,)

    Returns
    -------
    set of int

    Raises
    ------
    ValueError
        If the shapes do not fit or an entry is not finite.
    TypeError
        If an entry is no number.

    Examples
    --------
    >>> classified([["0.1"], ["0.2"], [0]], [0, 0, "0.03"], ["0.15"])
    {1, 2}
    """
    f = _vector("point", point)
    rows = check_sequence("A", A, lambda name, row: _vector(name, row, len(f)), entries="rows")
    return _largest(_classifier(rows, b, len(rows), len(f)), f)


def nearest_means(means: Sequence[Sequence[RealLike]] | ArrayLike, point: Sequence[RealLike] | ArrayLike) -> set[int]:
    """The classes of the means that are nearest to a point, exactly: more than one at a tie.

    Parameters
    ----------
    means : array_like, shape (m, K)
    point : array_like, shape (m,)

    Returns
    -------
    set of int

    Raises
    ------
    ValueError
        If the shapes do not fit, two means are equal or an entry is not finite.
    TypeError
        If an entry is no number.

    Examples
    --------
    >>> nearest_means([[0, 1, 3]], [2])
    {1, 2}
    """
    points = _means(means)
    f = _vector("point", point, len(points[0]))
    return _largest([([2 * x for x in mean], -_dot(mean, mean)) for mean in points], f)


Affine = tuple[Vector, Fraction]


def _vector(name: str, value: Any, length: int | None = None) -> Vector:
    return check_sequence(name, value, check_exact, length=length)


def _means(means: Any) -> list[Vector]:
    rows = check_sequence("means", means, _vector, entries="rows")
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise ValueError(f"means[{i}] has {len(row)} entries; every row of means must have {len(rows[0])}")
    points = [list(column) for column in zip(*rows, strict=True)]
    if len(points) < 2:
        raise ValueError(f"means has {len(points)} column; means must have at least two")
    for c, point in enumerate(points):
        if point in points[:c]:
            raise ValueError(f"the columns {points.index(point)} and {c} of means are equal; means must be different")
    return points


def _classifier(A: Any, b: Any, K: int, m: int) -> list[Affine]:
    rows = check_sequence("A", A, lambda name, row: _vector(name, row, m), length=K, entries="rows")
    return list(zip(rows, _vector("b", b, K), strict=True))


def _dot(x: Vector, y: Vector) -> Fraction:
    return sum((u * v for u, v in zip(x, y, strict=True)), Fraction(0))


def _difference(one: Affine, other: Affine) -> Affine:
    return [u - v for u, v in zip(one[0], other[0], strict=True)], one[1] - other[1]


def _at(affine: Affine, f: Vector) -> Fraction:
    return _dot(affine[0], f) + affine[1]


def _largest(rule: list[Affine], f: Vector) -> set[int]:
    values = [_at(affine, f) for affine in rule]
    return {c for c, value in enumerate(values) if value == max(values)}


def _positive_multiple(one: Affine, other: Affine) -> bool:
    """Whether one affine function is a positive multiple of another, whose linear part is not 0."""
    factor = _dot(one[0], other[0]) / _dot(other[0], other[0])
    return factor > 0 and [*one[0], one[1]] == [factor * x for x in (*other[0], other[1])]


def _on_facet(rule: list[Affine], c: int, j: int) -> Vector | None:
    """A point at which h_c = h_j is larger than all the others, if there is one."""
    u, offset = _difference(rule[c], rule[j])
    origin = [-offset * x / _dot(u, u) for x in u]
    pivot = next(i for i, x in enumerate(u) if x)
    unit = [[Fraction(i == k) for k in range(len(u))] for i in range(len(u))]
    basis = [[e - (u[i] / u[pivot]) * d for e, d in zip(unit[i], unit[pivot], strict=True)] for i in range(len(u))]
    basis.pop(pivot)
    others = [_difference(rule[c], rule[k]) for k in range(len(rule)) if k not in (c, j)]
    if not others:
        return origin
    # −(slope along the facet) x ≤ value at the origin − 1, up to an excess: below 1 it is strict without the 1.
    excess, x = least_excess([[-_dot(v, d) for d in basis] for v, _ in others], [_at(g, origin) - 1 for g in others])
    if excess >= 1:
        return None
    return [sum((t * d[i] for t, d in zip(x, basis, strict=True)), start) for i, start in enumerate(origin)]


def _disagreement(rule: list[Affine], classifier: list[Affine], pair: tuple[int, int], start: Vector) -> Agreement:
    """A point near the facet of two means at which only one is nearest, and the classifier does not say it alone."""
    c, j = pair
    ours, other = _difference(rule[c], rule[j]), _difference(classifier[c], classifier[j])
    direction, winner = _direction(ours[0], other, _at(other, start)), c
    if _dot(ours[0], direction) < 0:
        winner = j
    step = Fraction(1)
    while True:
        f = [x + step * d for x, d in zip(start, direction, strict=True)]
        said = _largest(classifier, f)
        if _largest(rule, f) == {winner} and said != {winner}:
            return Agreement(False, tuple(f), (winner, min(said - {winner})))
        step /= 2


def _direction(u: Vector, other: Affine, value: Fraction) -> Vector:
    """Where to go from a point of the facet: to the side of the mean that the classifier's value there speaks against.

    On the classifier's own boundary it is a direction in which h_c − h_j, of slope u, rises while its difference, of
    slope w, falls, or stays 0.
    """
    w = other[0]
    if value:
        return [-x if value > 0 else x for x in u]
    if not any(w):
        return u
    uu, uw, ww = _dot(u, u), _dot(u, w), _dot(w, w)
    gap = uu * ww - uw * uw
    if gap == 0:
        return u  # w is a negative multiple of u: positive ones agree
    tilt = gap / (2 * (abs(uw) + 1))
    return [ww * x - (uw + tilt) * y for x, y in zip(u, w, strict=True)]
