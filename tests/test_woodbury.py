"""theory.woodbury and theory.labels."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from theory import labels, woodbury


@given(st.integers(1, 6), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_update_agrees_with_a_fresh_inverse(N, m, seed):
    rng = np.random.default_rng(seed)
    P, U, V = rng.standard_normal((N, N)), rng.standard_normal((N, m)), rng.standard_normal((N, m))
    condition = np.linalg.cond(P) * np.linalg.cond(P + U @ V.T)
    assume(condition < 1e6)
    updated = woodbury.updated_inverse(np.linalg.inv(P), U, V)
    fresh = np.linalg.inv(P + U @ V.T)
    assert np.abs(updated - fresh).max() < 1e-13 * condition * (
        1 + np.abs(np.linalg.inv(P)).max() + np.abs(fresh).max()
    )


def test_singular_sum():
    with pytest.raises(ValueError, match="singular to working precision"):
        woodbury.updated_inverse(np.eye(2), [[1.0], [0.0]], [[-1.0], [0.0]])


@pytest.mark.parametrize(
    ("P_inverse", "U", "V"),
    [
        (np.ones((2, 3)), np.ones((2, 1)), np.ones((2, 1))),
        (np.eye(2), np.ones((3, 1)), np.ones((3, 1))),
        (np.eye(2), np.ones((2, 1)), np.ones((2, 2))),
        (np.eye(2), np.ones(2), np.ones(2)),
    ],
)
def test_shapes(P_inverse, U, V):
    with pytest.raises(ValueError, match="shape"):
        woodbury.updated_inverse(P_inverse, U, V)


def test_labels():
    Y = labels.one_hot([2, 1, 3])
    assert Y.shape == (3, 6)
    assert np.array_equal(labels.class_sizes(Y[:, ::-1]), [2, 1, 3])
    assert np.array_equal(labels.as_signs([[1, -1]]), [[1, -1]])


@pytest.mark.parametrize("sizes", [[], [0], [2, -1], [1.5]])
def test_sizes_of_classes(sizes):
    with pytest.raises(ValueError, match="sizes"):
        labels.one_hot(sizes)


def test_labels_of_the_wrong_kind():
    with pytest.raises(ValueError, match=r"Y has 0.0 at \(0, 1\); every label must be 1 or -1"):
        labels.as_signs([1, 0])
    with pytest.raises(TypeError, match="sizes = 'a'"):
        labels.one_hot(["a"])
