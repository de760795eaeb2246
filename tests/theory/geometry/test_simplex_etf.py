"""Simplex equiangular tight frames against their definition."""

from fractions import Fraction

import numpy as np
import pytest

from theory.geometry import simplex_etf as se


@pytest.mark.parametrize(("K", "d"), [(2, None), (3, 2), (5, 7), (20, None)])
def test_vectors_have_the_gram_matrix(K, d):
    vectors = se.etf(K, d)
    assert vectors.shape == (d or K - 1, K)
    expected = (K * np.eye(K) - np.ones((K, K))) / (K - 1)
    np.testing.assert_allclose(vectors.T @ vectors, expected, atol=1e-14)
    np.testing.assert_allclose(se.etf_gram(K), expected, atol=1e-15)
    assert se.etf_cosine(K) == Fraction(-1, K - 1)


def test_deviation_sees_norms_angles_and_nothing_else():
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    vectors = se.etf(5, 6)
    assert se.etf_deviation(1e9 * rotation @ vectors + 1e9) < 1e-14
    assert se.etf_deviation(1e-200 * vectors) < 1e-14
    longer = vectors * [1.1, 1, 1, 1, 1]
    assert se.etf_deviation(longer) > 0.02
    means = np.array([[1.0, 0.0, -1.0]])  # centred Gram matrix of norm 2, against (I − J/3)/√2
    expected = np.linalg.norm(np.outer(means, means) / 2 - (np.eye(3) - 1 / 3) / np.sqrt(2))
    assert se.etf_deviation(means) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: se.etf(1), "K = 1; K must be an integer ≥ 2"),
        (lambda: se.etf(5, 3), "d = 3; d must be at least K − 1 = 4"),
        (lambda: se.etf_gram(0), "K = 0; K must be"),
        (lambda: se.etf_cosine(1), "K = 1; K must be"),
        (lambda: se.etf_deviation(np.ones((2, 1))), "at least two columns"),
        (lambda: se.etf_deviation(np.ones((2, 3))), "columns of means are equal"),
    ],
)
def test_wrong_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("K", "d", "named"), [(3, 2**31, "d"), (2**31, None, "K")])
def test_frames_larger_than_any_array_are_refused(K, d, named):
    with pytest.raises(ValueError, match=rf"{named} = 2147483648; {named} must be an integer .*≤ 2147483647"):
        se.etf(K, d)
