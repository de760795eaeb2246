r"""Simplex, cube and orthoplex as places for K classes (review, Section 5).

A regular polytope of m dimensions has a Schläfli symbol of m − 1 numbers, and the Gram matrix of its mirrors, 1 on the
diagonal and $-\cos(\pi/p_i)$ beside it, is positive definite. Its facets and vertex figures have the symbol without the
last and the first number. In four dimensions these are six; in five, of all symbols whose two parts are among them,
three are positive definite, and from then on each dimension has the same three: a part of either end is one of {3…3},
{4,3…3}, {3…3,4}, and {4,3…3,4}, the honeycomb of cubes, has determinant 0.

Of K classes the simplex of K − 1 dimensions has the angle $\arccos(-\frac1{K-1})$, above π/2 and towards it; the
orthoplex π/2 (K > 2), the cube of m dimensions $\arccos(1-\frac2m)$, at most π/2 for m > 1.
"""

from collections.abc import Callable
from itertools import product
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy as sp

from nct.ledger import Claim, Instances, Statement, require_close, require_equal


class Polytopes(NamedTuple):
    """The fewest dimensions for K classes, the cosine of the smallest angle in m dimensions, the best for K > 2."""

    count: int  # of regular polytopes in each of five and more dimensions
    cube: Callable[[int], int]  # of K
    orthoplex: Callable[[int], int]
    cosine: Callable[[Any], Any]  # of the simplex, of m
    best: Literal["simplex", "orthoplex", "cube"]


def least_power(K):
    return (K - 1).bit_length()


true = Polytopes(3, least_power, lambda K: (K + 1) // 2, lambda m: -1 / m, "simplex")

claim = Claim(
    id="review.polytopes",
    title="The three regular polytopes of every dimension as class means",
    source="review, Section 5, desirable geometries",
    verdict="holds",
    printed=Statement(
        r"\text{simplex, cube and orthoplex are the three regular polytopes in arbitrarily high dimension; for } K "
        r"\text{ classes } m = \lceil\log_2 K\rceil \text{ for the cube and } \lceil K/2\rceil \text{ for the "
        r"orthoplex; "
        r"the angle of the } m\text{-simplex tends to } \pi/2\text{; it has the largest separation}"
        r"\text{ (read: of different classes, of the smallest polytopes with } K > 2 \text{ vertices)}",
        true,
    ),
    near_misses={
        "four of them": true._replace(count=4),
        "a cube of ⌊log₂ K⌋ dimensions": true._replace(cube=lambda K: K.bit_length() - 1),
        "an orthoplex of ⌊K/2⌋ dimensions": true._replace(orthoplex=lambda K: K // 2),
        "the simplex's cosine −1/(m+1)": true._replace(cosine=lambda m: -1 / (m + 1)),
    },
)


def positive_definite(symbol):
    """By the leading minors of the mirrors' Gram matrix, exactly: d_k = d_(k−1) − cos²(π/p) d_(k−2)."""
    minors = [sp.Integer(1), sp.Integer(1)]
    for p in symbol:
        minors.append(sp.simplify(minors[-1] - sp.cos(sp.pi / p) ** 2 * minors[-2]))
    return all(minor.is_positive for minor in minors)


def counts():
    """Regular polytopes of 3 to 6 dimensions, from Schläfli symbols."""
    symbols = {s for s in product(range(3, 7), repeat=2) if positive_definite(s)}
    found = [len(symbols)]
    for _ in range(3):
        longer = {(*s, t[-1]) for s in symbols for t in symbols if s[1:] == t[:-1]}
        symbols = {s for s in longer if positive_definite(s)}
        found.append(len(symbols))
    return found, symbols


@claim.check("exact", covers="all")
def test_symbols_and_angles(statement):
    found, symbols = counts()
    require_equal(found, [5, 6, 3, statement.count], "another number of regular polytopes")
    require_equal(symbols, {(3,) * 5, (4, 3, 3, 3, 3), (3, 3, 3, 3, 4)}, "others")
    # Then by induction: minors of {3…3}, {4,3…3} and the honeycomb {4,3…3,4} with k numbers.
    k = sp.Symbol("k", integer=True, positive=True)
    simplex, cube = (k + 2) / 2 ** (k + 1), sp.Integer(2) / 2 ** (k + 1)
    for minor in (simplex, cube):
        step = minor - minor.subs(k, k - 1) + minor.subs(k, k - 2) / 4
        require_equal(sp.simplify(step), 0, "another recurrence")
    require_equal(sp.simplify(cube.subs(k, k - 1) - cube.subs(k, k - 2) / 2), 0, "the honeycomb is no polytope")
    m = sp.Symbol("m", positive=True)
    # m + 1 unit vectors with one cosine that sum to 0, and its limit.
    require_equal(sp.simplify(1 + m * statement.cosine(m)), 0, "the vertices do not sum to 0")
    require_equal(sp.limit(sp.acos(statement.cosine(m)), m, sp.oo), sp.pi / 2, "another limit")
    for K in range(2, 130):
        require_equal(statement.cube(K), next(d for d in range(9) if 2**d >= K), "another cube", K=K)
        require_equal(statement.orthoplex(K), next(d for d in range(99) if 2 * d >= K), "another orthoplex", K=K)
        cosines = {"simplex": sp.Rational(-1, K - 1), "orthoplex": 0, "cube": 1 - sp.Rational(2, least_power(K))}
        best = min(cosines, key=cosines.get)
        if K > 2:
            require_equal(statement.best, best, "another one is better", K=K)


@claim.check("property", covers=Instances("K ≤ 12"))
def test_vertices(statement):
    for K in range(3, 13):
        simplex = np.eye(K) - 1 / K
        simplex /= np.linalg.norm(simplex, axis=0)
        cosine = (simplex.T @ simplex)[0, 1]
        require_close(statement.cosine(K - 1), cosine, "another angle", rtol=1e-12, K=K)
        corners = np.array(list(product((-1, 1), repeat=statement.cube(K)))).T
        cross = np.hstack([np.eye(statement.orthoplex(K)), -np.eye(statement.orthoplex(K))])
        largest = {}
        for name, vertices in (("cube", corners), ("orthoplex", cross), ("simplex", simplex)):
            unit = vertices / np.linalg.norm(vertices, axis=0)
            count = unit.shape[1]
            largest[name] = (unit.T @ unit)[~np.eye(count, dtype=bool)].max()
            require_equal(count >= K, True, "too few vertices", K=K, kind=name)
        require_equal(statement.best, min(largest, key=largest.get), "another one is better", K=K)
        require_equal(statement.count, len(largest), "another number", K=K)
