"""Collapsed outputs, their gap, preimages and minimisers in a ball, against optimisers that do not know them."""

import numpy as np
import pytest
from scipy.optimize import minimize

from theory.ufm import cross_entropy


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 20.0, 500.0])
def test_the_gap_is_the_difference_of_the_risks(scale):
    H = np.random.default_rng(0).normal(size=(3, 12)) + 0.5
    centre = cross_entropy.collapsed_outputs(H)
    H = centre + scale * (H - centre)
    gap = cross_entropy.collapse_gap(H)
    difference = cross_entropy.output_risk(H) - cross_entropy.output_risk(cross_entropy.collapsed_outputs(H))
    assert gap == pytest.approx(difference, rel=1e-10, abs=1e-15 * (1 + scale))
    assert gap > 0


def test_small_gaps_keep_their_digits():
    H = np.random.default_rng(1).normal(size=(3, 6))
    centre = cross_entropy.collapsed_outputs(H)
    one, other = (cross_entropy.collapse_gap(centre + s * (H - centre)) for s in (1e-5, 1e-7))
    assert one / other == pytest.approx(1e4, rel=1e-4)


def softmax_loss(h, k):
    return np.logaddexp.reduce(h) - h[k]


@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("R", [1e-3, 1.0, 20.0])
@pytest.mark.parametrize("spread", [0.0, 1.0, 30.0])
def test_the_minimiser_in_a_ball_is_a_kkt_point(K, R, spread):
    # The problem is convex, so that the multiplier rule with a positive multiplier is enough.
    rng = np.random.default_rng(2)
    c = spread * rng.normal(size=K)
    for k in range(K):
        h = cross_entropy.ball_minimiser(K, R, k, c)
        assert np.linalg.norm(h - c) == pytest.approx(R, rel=1e-12 + 1e-14 * spread / R)
        q = h - h[k]
        others = np.exp(np.delete(q, k) - max(q.max(), 0))
        total = others.sum() + np.exp(-max(q.max(), 0))
        slope = np.insert(-others, k, others.sum()) / total  # minus the gradient
        np.testing.assert_allclose(slope / np.linalg.norm(slope), (h - c) / R, atol=1e-11 + 1e-14 * spread / R)


def test_the_minimiser_in_a_ball_against_a_constrained_optimiser():
    rng = np.random.default_rng(3)
    for K in (2, 3, 4):
        c, R = rng.normal(size=K), 1.5
        ball = {"type": "ineq", "fun": lambda h, c=c, R=R: R**2 - (h - c) @ (h - c)}
        found = minimize(softmax_loss, c, args=(1,), constraints=ball, method="SLSQP", options={"ftol": 1e-14})
        np.testing.assert_allclose(cross_entropy.ball_minimiser(K, R, 1, c), found.x, atol=1e-5)


def test_the_minimum_in_a_ball_and_of_unit_outputs():
    for K in (2, 3, 7):
        h = cross_entropy.ball_minimiser(K, 2.5, 1)
        assert cross_entropy.ball_minimum(K, 2.5) == pytest.approx(softmax_loss(h, 1), rel=1e-13)
        gram = (K * np.eye(K) - 1) / (K - 1)
        assert cross_entropy.unit_outputs_minimum(K) == pytest.approx(cross_entropy.output_risk(gram), rel=1e-13)


@pytest.mark.parametrize("p", [1.3, 1.5, 2, 3, 8])
def test_the_least_norm_preimage(p):
    rng = np.random.default_rng(4)
    A, b = rng.normal(size=(3, 6)), rng.normal(size=3)
    z = A @ rng.normal(size=6) + b
    f = cross_entropy.least_norm_preimage(A, z, p, b)
    np.testing.assert_allclose(A @ f + b, z, atol=1e-12)
    # At the least norm its gradient is in the row space of A.
    slope = np.sign(f) * np.abs(f) ** (p - 1)
    assert np.abs(cross_entropy.preimage(A, z, b).directions.T @ slope).max() < 1e-6


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_dimension_of_the_preimage(rank):
    rng = np.random.default_rng(5)
    A = rng.normal(size=(3, rank)) @ rng.normal(size=(rank, 5))
    found = cross_entropy.preimage(A, A @ rng.normal(size=5))
    assert found.dimension == 5 - rank
    np.testing.assert_allclose(A @ found.directions, 0, atol=1e-12)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="z must be an output"):
        cross_entropy.preimage(np.ones((2, 3)), [1.0, 0.0])
    with pytest.raises(ValueError, match="p must be a finite real number > 1"):
        cross_entropy.least_norm_preimage(np.ones((2, 3)), [1.0, 1.0], 1)
    with pytest.raises(ValueError, match="z must have"):
        cross_entropy.preimage(np.ones((2, 3)), np.ones(3))
    with pytest.raises(ValueError, match="k must be an integer ≥ 0 and ≤ 2"):
        cross_entropy.ball_minimiser(3, 1, 3)
    with pytest.raises(ValueError, match="R must be a finite real number > 0"):
        cross_entropy.ball_minimiser(3, 0, 1)
    with pytest.raises(ValueError, match="centre must have"):
        cross_entropy.ball_minimiser(3, 1, 1, centre=np.ones(2))
    with pytest.raises(ValueError, match="K must be an integer ≥ 2"):
        cross_entropy.unit_outputs_minimum(1)
    with pytest.raises(ValueError, match="as many columns for each"):
        cross_entropy.collapsed_outputs(np.ones((2, 3)))
