"""The cross-entropy risk against its definition in many digits, its derivatives against differences, wrong input."""

import mpmath
import numpy as np
import pytest

from theory.ufm import cross_entropy, factors


def reference(H):
    """The mean of −log softmax, in 400 digits."""
    K, N = H.shape
    with mpmath.workdps(400):
        total = mpmath.mpf(0)
        for s in range(N):
            terms = [mpmath.e ** mpmath.mpf(float(h)) for h in H[:, s]]
            total -= mpmath.log(terms[s * K // N] / sum(terms))
        return float(total / N)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 300.0])
@pytest.mark.parametrize("separated", [False, True])
def test_the_risk_has_all_its_digits(scale, separated):
    H = np.random.default_rng(0).normal(size=(3, 6))
    H = scale * (H + 9 * separated * np.repeat(np.eye(3), 2, axis=1))
    # exp carries an error of a few ulp of its argument
    assert cross_entropy.output_risk(H) == pytest.approx(reference(H), rel=1e-15 * max(1, 40 * scale), abs=0)


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_the_gradient_is_that_of_the_risk(scale):
    rng = np.random.default_rng(1)
    A, F, b = scale * rng.normal(size=(4, 3)), rng.normal(size=(3, 8)), rng.normal(size=4)
    dA, dF, db = rng.normal(size=A.shape), rng.normal(size=F.shape), rng.normal(size=4)
    GA, GF, Gb = cross_entropy.gradient(A, F, b)
    h = 1e-5
    plus, minus = (cross_entropy.risk(A + s * dA, F + s * dF, b + s * db) for s in (h, -h))
    assert (GA * dA).sum() + (GF * dF).sum() + Gb @ db == pytest.approx((plus - minus) / (2 * h), rel=1e-7)


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_the_hessian_is_the_derivative_of_the_gradient(scale):
    rng = np.random.default_rng(2)
    A, F = scale * rng.normal(size=(4, 3)), rng.normal(size=(3, 8))
    dA, dF = rng.normal(size=A.shape), rng.normal(size=F.shape)
    h = 1e-5
    plus, minus = (cross_entropy.gradient(A + s * dA, F + s * dF) for s in (h, -h))
    for part, one, other in zip(cross_entropy.hessian_vector(A, F, dA, dF), plus, minus, strict=False):
        np.testing.assert_allclose(part, (one - other) / (2 * h), rtol=1e-6, atol=1e-9)


def test_small_gradients_keep_their_digits():
    G = cross_entropy.output_gradient(400 * np.eye(3))
    np.testing.assert_allclose(G, np.exp(-400) / 3 * (np.ones((3, 3)) - 3 * np.eye(3)), rtol=1e-13)


@pytest.mark.parametrize(
    ("A", "F", "message"),
    [
        (np.ones((1, 2)), np.ones((2, 2)), "A must have at least 2 rows"),
        (np.ones((2, 2)), np.ones((3, 2)), "F must have 2 rows"),
        (np.ones((2, 2)), np.ones((2, 3)), "must be a multiple of 2"),
        (np.full((2, 2), np.nan), np.ones((2, 2)), "must be finite"),
        (np.ones(2), np.ones((2, 2)), "must have 2 dimensions"),
    ],
)
def test_wrong_factors(A, F, message):
    with pytest.raises(ValueError, match=message):
        cross_entropy.risk(A, F)


def test_wrong_bias_direction_outputs_and_labels():
    A, F = np.ones((2, 3)), np.ones((3, 4))
    with pytest.raises(ValueError, match="b must have"):
        cross_entropy.gradient(A, F, np.ones(3))
    with pytest.raises(ValueError, match="dA must have"):
        cross_entropy.hessian_vector(A, F, A.T, F)
    with pytest.raises(ValueError, match="H has shape"):
        cross_entropy.output_risk(np.ones((3, 4)))
    with pytest.raises(ValueError, match="multiple of K = 3"):
        factors.balanced_labels(3, 4)
    with pytest.raises(ValueError, match="K must be an integer ≥ 2"):
        factors.balanced_labels(1, 4)
