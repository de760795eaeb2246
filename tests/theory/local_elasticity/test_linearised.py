"""The linearised drift against differences of the drift."""

import numpy as np
import pytest
from scipy.special import softmax

from theory import local_elasticity as le


@pytest.mark.parametrize("K", [2, 3, 5])
def test_first_order(K):
    rng = np.random.default_rng(K)
    G, F, V = rng.normal(size=(K * K, K * K)), rng.normal(size=(K, K)), rng.normal(size=(K, K))

    def drift(F):
        return G @ (np.eye(K) - softmax(F, axis=0)).T.ravel()

    slope, constant = le.linearised_drift(G, F)
    np.testing.assert_allclose(slope @ F.T.ravel() + constant, drift(F), atol=1e-12)
    errors = [np.abs(slope @ (F + h * V).T.ravel() + constant - drift(F + h * V)).max() for h in (1e-2, 5e-3)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize(
    ("G", "means", "message"),
    [
        (np.eye(4), np.zeros((2, 3)), "means must be square"),
        (np.eye(1), np.zeros((1, 1)), "means must be square"),
        (np.eye(3), np.zeros((2, 2)), "G must have 4 rows"),
    ],
)
def test_wrong_values(G, means, message):
    with pytest.raises(ValueError, match=message):
        le.linearised_drift(G, means)
