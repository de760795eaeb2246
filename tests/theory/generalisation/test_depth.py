"""Effective and minimal depths against enumerations by loops."""

import itertools

import numpy as np
import pytest

from theory import generalisation


def error(F, y):
    """The error of the nearest class mean, by loops."""
    K = max(y) + 1
    means = [np.mean([f for f, k in zip(F.T, y, strict=True) if k == c], axis=0) for c in range(K)]
    nearest = [min(range(K), key=lambda c: sum((f - means[c]) ** 2)) for f in F.T]
    return sum(a != b for a, b in zip(nearest, y, strict=True)) / len(y)


@pytest.mark.parametrize("seed", range(6))
def test_effective_depth(seed):
    rng = np.random.default_rng(seed)
    y = rng.permutation([0, 0, 0, 1, 1, 2, 2, 2])
    layers = [rng.normal(size=(m, 8)) + s * np.eye(3)[:m][:, y] for m, s in ((3, 0), (2, 1), (3, 4), (1, 0))]
    errors = tuple(error(F, y) for F in layers)
    for eps in (0, 0.125, 0.5, 1):
        first = [i + 1 for i, e in enumerate(errors) if e <= eps]
        found = generalisation.effective_depth(layers, y, eps)
        assert found == ((first or [4])[0], bool(first), errors)


def test_no_depth_is_enough():
    found = generalisation.effective_depth([[[0.0, 0.0]], [[1.0, 1.0]]], [0, 1], 0.25)
    assert (found.depth, found.attained, found.errors) == (2, False, (0.5, 0.5))


@pytest.mark.parametrize("seed", range(6))
def test_minimal_depth(seed):
    rng = np.random.default_rng(seed)
    matrices = rng.integers(-1, 2, size=(3, 2, 2))
    layers = [lambda F, A=A: np.maximum(A @ F, 0) for A in matrices]
    X, y = rng.integers(-2, 3, size=(2, 6)).astype(float), [0, 0, 1, 1, 2, 2]
    for eps in (0, 1 / 6, 1 / 2):
        found = generalisation.minimal_ncc_depth(layers, X, y, eps, max_depth=4)
        depths = []
        for depth in (1, 2, 3, 4):
            for names in itertools.product(range(3), repeat=depth):
                F = X
                for i in names:
                    F = layers[i](F)
                if error(F, y) <= eps:
                    depths.append(depth)
        assert found.depth == min(depths, default=None)
        if found.depth:
            F = X
            for i in found.layers:
                F = layers[i](F)
            assert len(found.layers) == found.depth
            assert error(F, y) <= eps


def test_all_compositions_are_known():
    never = generalisation.minimal_ncc_depth([np.negative], [[0.0, 1.0, 0.0]], [0, 0, 1], 0, max_depth=9)
    assert never == (None, (), True)
    shorter = generalisation.minimal_ncc_depth([lambda F: F / 2], [[0.0, 1.0, 0.0]], [0, 0, 1], 0, max_depth=9)
    assert shorter == (None, (), False)


def test_the_data_are_no_composition():
    swap = generalisation.minimal_ncc_depth([np.negative], [[0.0, 1.0]], [0, 1], 0, max_depth=1)
    assert swap == (1, (0,), False)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: generalisation.effective_depth([], [0, 1], 0), "features_by_layer has 0 entries"),
        (lambda: generalisation.effective_depth([[[0.0, 1.0]], [[0.0]]], [0, 1], 0), r"\[1\] has shape \(1, 1\)"),
        (lambda: generalisation.effective_depth([[[0.0, 1.0]]], [0, 0], 0), "labels has one class"),
        (lambda: generalisation.effective_depth([[[0.0, 1.0]]], [0, 2], 0), "labels has no sample in class 1"),
        (lambda: generalisation.effective_depth([[[0.0, 1.0]]], [0, 1], -1), "eps must be a finite real number ≥ 0"),
        (lambda: generalisation.minimal_ncc_depth([], [[0.0, 1.0]], [0, 1], 0, max_depth=1), "must have a layer"),
        (lambda: generalisation.minimal_ncc_depth([abs], [[0.0, 1.0]], [0, 1], 0, max_depth=0), "max_depth = 0"),
        (
            lambda: generalisation.minimal_ncc_depth([lambda F: F[:, :1]], [[0.0, 1.0]], [0, 1], 0, max_depth=1),
            r"layers\[0\] must return 2 columns",
        ),
    ],
)
def test_wrong_values(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_wrong_types():
    with pytest.raises(TypeError, match="layers must be a sequence of callables"):
        generalisation.minimal_ncc_depth(np.abs, [[0.0, 1.0]], [0, 1], 0, max_depth=1)
    with pytest.raises(TypeError, match="features_by_layer must be a sequence of arrays"):
        generalisation.effective_depth(3, [0, 1], 0)
