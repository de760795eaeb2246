"""Descent over all matrices from a disturbed solution."""

import numpy as np
import pytest

from theory import dufm
from theory.dufm.graphs._free_descent import solution_of_matrices


def test_finds_less_than_a_graph_solution_and_says_so():
    start = dufm.best_known(8, 5, "graph")
    found = dufm.free_descent(start, restarts=1, steps=1500)
    assert found.loss < 0.99 * start.loss
    assert found.evaluate() == pytest.approx(found.loss, rel=1e-14)
    assert found.name.endswith("released")
    for l in range(2, 6):
        np.testing.assert_allclose(found.class_means(l), np.maximum(found.pre_activations(l), 0), rtol=1e-12)


def test_does_not_leave_an_optimum():
    # Deep neural collapse is optimal for two classes.
    start = dufm.dnc(2, 3, 1e-3)
    found = dufm.free_descent(start, noise=0.1, restarts=3, steps=400)
    assert found.loss == pytest.approx(start.loss, rel=1e-12)


@pytest.mark.parametrize("n", [1, 3])
def test_scale_of_every_matrix_is_optimal(n):
    # Along these directions the loss is smooth: the ReLU is homogeneous.
    lams = [2e-3, 1e-3, 3e-3, 1e-3]
    start = dufm.srg(6, 3, lams=lams, n=n)
    found = dufm.free_descent(start, noise=0.2, restarts=1, steps=4000)
    assert found.loss < 0.99 * start.loss  # the descent's own point, not the start
    expected = [np.linalg.norm(found.class_means(l)) ** 2 / 6 for l in (2, 3)]
    np.testing.assert_allclose(found.scales, [expected], rtol=1e-12)
    matrices = [found.class_means(1), *(found.weights(l) for l in range(1, 4))]
    for k in range(4):
        for factor in (0.999, 1.001):
            moved = [m * factor if i == k else m for i, m in enumerate(matrices)]
            assert dufm.evaluate_loss(np.repeat(moved[0], n, axis=1), moved[1:], found.lams, n) > found.loss


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": 0}, "noise = 0"),
        ({"noise": float("nan")}, "noise = nan"),
        ({"restarts": 0}, "restarts = 0"),
        ({"steps": 0}, "steps = 0"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_wrong_values(options, message):
    with pytest.raises(ValueError, match=message):
        dufm.free_descent(dufm.dnc(3, 3, 1e-3), **options)


def test_zero_solution():
    with pytest.raises(ValueError, match="zero solution"):
        dufm.free_descent(dufm.dnc(3, 3, 1.0))


def test_the_start_is_kept_where_no_descent_is_better():
    start = dufm.dnc(6, 4, 5e-4)
    assert dufm.free_descent(start, noise=100, restarts=1, steps=1) is start


def test_ranks_of_every_layer():
    """Of matrices with small singular values that count, and smaller ones that do not."""
    start = dufm.dnc(4, 3, 1e-3)
    means = np.diag([1.0, 0.5, 1e-3, 1e-5])
    found = solution_of_matrices([means, np.eye(4), np.eye(4)[:3], np.ones((4, 3))], start)
    assert found.ranks == (3, 3, 3)
    large = solution_of_matrices([1e6 * means, np.eye(4), np.eye(4)[:3], np.ones((4, 3))], start)
    assert large.ranks == (3, 3, 3)
    assert found.graph.number_of_edges() == 4
