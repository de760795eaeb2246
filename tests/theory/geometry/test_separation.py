"""The largest smallest distance of points in a ball, against configurations and a search."""

import numpy as np
import pytest
from scipy.optimize import minimize

from theory.geometry.polytopes import polytope
from theory.geometry.separation import largest_separation


def smallest_distance(points):
    gram = points.T @ points
    square = np.diag(gram)[:, None] + np.diag(gram) - 2 * gram
    return np.sqrt(square[~np.eye(len(gram), dtype=bool)].min())


@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_simplex_and_orthoplex_attain_it(d):
    assert largest_separation(d + 1, d).distance == pytest.approx(smallest_distance(polytope("simplex", d).vertices))
    found = largest_separation(2 * d, d)
    assert found.distance == pytest.approx(smallest_distance(polytope("orthoplex", d).vertices))
    assert found.attained
    assert found.unique
    assert not largest_separation(2 * d + 1, d).attained or d <= 2


def test_lines_and_discs():
    assert largest_separation(5, 1).distance == 0.5
    pentagon = np.exp(2j * np.pi * np.arange(5) / 5)
    pentagon = np.array([pentagon.real, pentagon.imag])
    assert largest_separation(5, 2).distance == pytest.approx(smallest_distance(pentagon))
    hexagon = np.exp(2j * np.pi * np.arange(6) / 6)
    around = np.hstack([np.array([hexagon.real, hexagon.imag]), np.zeros((2, 1))])
    assert largest_separation(7, 2).distance == pytest.approx(smallest_distance(around))
    assert not largest_separation(6, 2).unique
    assert not largest_separation(8, 2).attained
    assert "&lt;" in largest_separation(8, 2)._repr_html_()


@pytest.mark.parametrize(("K", "d"), [(3, 2), (4, 2), (5, 2), (6, 2), (5, 3), (6, 3), (7, 3), (5, 1)])
def test_search_does_not_find_more(K, d):
    pairs = np.triu_indices(K, 1)
    generator = np.random.default_rng(K + d)
    best = 0.0
    for _ in range(6):
        # max s subject to ‖x_i − x_j‖² ≥ s and ‖x_i‖² ≤ 1
        found = minimize(
            lambda v: -v[-1],
            np.append(generator.normal(size=K * d), 0),
            constraints=[
                {
                    "type": "ineq",
                    "fun": lambda v: (
                        ((v[:-1].reshape(d, K)[:, pairs[0]] - v[:-1].reshape(d, K)[:, pairs[1]]) ** 2).sum(0) - v[-1]
                    ),
                },
                {"type": "ineq", "fun": lambda v: 1 - (v[:-1].reshape(d, K) ** 2).sum(0)},
            ],
            method="SLSQP",
        )
        if found.success:
            best = max(best, found.x[-1])
    bound = largest_separation(K, d)
    assert best <= bound.distance**2 + 1e-6
    assert (best > bound.distance**2 - 1e-3) == bound.attained


@pytest.mark.parametrize(("K", "d", "name"), [(1, 2, "K"), (3, 0, "d")])
def test_wrong_input(K, d, name):
    with pytest.raises(ValueError, match=f"{name} = .; {name} must be"):
        largest_separation(K, d)
