"""theory.woodbury: agreement with a fresh inverse, wrong input."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from theory import woodbury


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
