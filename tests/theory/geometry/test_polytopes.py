"""Regular polytopes: vertices, angles, the smallest one, and recognition."""

import numpy as np
import pytest

from theory.geometry import polytopes
from theory.geometry.polytopes import KINDS, polytope, recognise, smallest_polytope


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("m", [1, 2, 3, 5])
def test_angles_are_those_of_the_vertices(kind, m):
    found = polytope(kind, m)
    assert found.count == {"simplex": m + 1, "cube": 2**m, "orthoplex": 2 * m}[kind]
    gram = found.vertices.T @ found.vertices
    np.testing.assert_allclose(np.diag(gram), 1, atol=1e-14)
    cosines = sorted(set(gram[~np.eye(found.count, dtype=bool)].round(9)), reverse=True)
    np.testing.assert_allclose(cosines, [float(c) for c in found.cosines], atol=1e-8)
    assert found.smallest_angle == pytest.approx(np.arccos(cosines[0]))
    assert np.linalg.matrix_rank(found.vertices) == m
    assert found.kind in found._repr_html_()


@pytest.mark.parametrize("kind", KINDS)
def test_smallest_has_enough_vertices_and_the_next_smaller_has_not(kind):
    for K in range(2, 40):
        found = smallest_polytope(kind, K)
        assert found.count >= K
        assert found.dimension == 1 or polytope(kind, found.dimension - 1).count < K


@pytest.mark.parametrize(
    ("kind", "m"), [("simplex", 1), ("simplex", 6), ("orthoplex", 2), ("orthoplex", 5), ("cube", 3), ("cube", 5)]
)
def test_recognised_in_any_order_place_size_and_orientation(kind, m):
    generator = np.random.default_rng(m)
    vertices = polytope(kind, m).vertices
    rotation = np.linalg.qr(generator.normal(size=(m + 2, m)))[0]
    means = 5 + 3 * rotation @ vertices[:, generator.permutation(vertices.shape[1])]
    found, K = recognise(means), means.shape[1]
    assert found.kind == kind
    assert found.deviations[kind] < 1e-12
    assert found.scale == pytest.approx(3)
    assert kind in found._repr_html_()
    means[:, 0] *= 1.01
    if K == 2:  # two points are always a segment
        return
    disturbed = recognise(means)
    assert disturbed.kind is None
    assert 1e-4 < disturbed.deviations[kind] < 0.1
    assert recognise(means, tol=0.5).kind == kind


def test_what_is_no_polytope():
    assert recognise(polytope("orthoplex", 3).vertices[:, :5]).kind is None
    assert recognise([[1.0, 1.0, -1.0, -1.0]]).kind is None  # a doubled segment
    doubled = np.hstack([polytope("orthoplex", 2).vertices] * 2)  # eight points: no cube, though their norms are one
    assert recognise(doubled).kind is None
    assert recognise(doubled).deviations["cube"] > 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: polytope("ball", 2), "kind = 'ball'; kind must be one of"),
        (lambda: polytope("cube", 21), "m = 21; m must be an integer ≥ 1 and ≤ 20"),
        (lambda: smallest_polytope("cube", 1), "K = 1; K must be"),
        (lambda: recognise(np.ones((2, 1))), "at least two columns"),
        (lambda: recognise(np.ones((2, 3))), "columns of means are equal"),
        (lambda: recognise(np.eye(3), tol=0), "tol = 0; tol must be"),
    ],
)
def test_wrong_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_kinds_are_listed_once():
    assert polytopes.KINDS == ("simplex", "cube", "orthoplex")
