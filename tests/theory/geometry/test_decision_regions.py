"""Decision regions compared exactly, against a grid of rational points."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from theory.geometry.decision_regions import classified, nearest_mean_agrees, nearest_means


def nearest_rule(means, factor=1, common=0):
    """The classifier that decides as the nearest mean does."""
    points = list(zip(*means, strict=True))
    A = [[factor * x + common for x in point] for point in points]
    return A, [-Fraction(factor) * sum(Fraction(x) ** 2 for x in point) / 2 for point in points]


CASES = [
    [[0, 1]], [[0, 1, 3]], [[0, 0, 1, 1], [0, 1, 0, 1]], [[2, -1, 0, 1], [0, 1, -2, 1]],
    [[1, -1, 0], [0, 0, 1], [0, 0, 0]],
]  # fmt: skip


@pytest.mark.parametrize("means", CASES)
def test_agreement_and_what_breaks_it(means):
    A, b = nearest_rule(means, 3, 2)
    assert nearest_mean_agrees(A, b, means)
    grid = [[Fraction(x, 2) for x in f] for f in product(range(-5, 6, 2), repeat=len(means))]
    assert all(classified(A, b, f) == nearest_means(means, f) for f in grid)
    for c in range(len(b)):
        shifted = [x + Fraction(k == c, 10**9) for k, x in enumerate(b)]
        found = nearest_mean_agrees(A, shifted, means)
        assert not found
        ours, other = found.classes
        assert nearest_means(means, found.witness) == {ours}
        assert other in classified(A, shifted, found.witness)
        assert ours != other
    assert not nearest_mean_agrees(np.zeros_like(A, dtype=int), [0] * len(b), means)
    assert not nearest_mean_agrees(*nearest_rule(means, -1), means)


def test_tilted_boundary_through_the_start():
    # Boundaries that meet at the origin, at every angle, against the vertical one.
    for angle in [(0, 1), (1, 5), (5, -1), (-3, 1), (-1, 0)]:
        found = nearest_mean_agrees([angle, [0, 0]], [0, 0], [[1, -1], [0, 0]])
        assert not found
        assert found.classes[1] in classified([angle, [0, 0]], [0, 0], found.witness)


def test_classes_without_a_common_facet_are_free():
    # On a line the outer means have no common facet: one slope for each pair of neighbours.
    assert nearest_mean_agrees([[0], [1], [3]], [0, "-0.5", "-3.5"], [[0, 1, 2]])
    assert not nearest_mean_agrees([[0], [1], [3]], [0, "-0.5", "-3.4"], [[0, 1, 2]])
    # The cells of a square's opposite corners meet in a point only.
    square = [[1, -1, 1, -1], [1, 1, -1, -1]]
    assert nearest_mean_agrees([[1, 2], [-1, 2], [1, -2], [-1, -2]], [0] * 4, square)
    assert not nearest_mean_agrees([[1, 2], [-1, 2], [1, -2], [-1, -3]], [0] * 4, square)


def test_floats_are_their_binary_values():
    assert not nearest_mean_agrees([[0.1], [0.2]], [0, -0.015], [[0.1, 0.2]])
    assert nearest_mean_agrees([["0.1"], ["0.2"]], [0, "-0.015"], [["0.1", "0.2"]])


@pytest.mark.parametrize(
    ("A", "b", "means", "message"),
    [
        ([[1], [2]], [0, 0], [[1, 1]], "columns 0 and 1 of means are equal"),
        ([[1]], [0], [[1]], "at least two"),
        ([[1], [2]], [0, 0, 0], [[1, 2]], "b has 3 entries"),
        ([[1]], [0, 0], [[1, 2]], "A has 1 entries"),
        ([[1], [2]], [0, np.inf], [[1, 2]], r"b\[1\] = inf"),
        ([[1, 1], [2, 2]], [0, 0], [[1, 2], [1]], r"means\[1\] has 1 entries"),
    ],
)
def test_wrong_input(A, b, means, message):
    with pytest.raises(ValueError, match=message):
        nearest_mean_agrees(A, b, means)
