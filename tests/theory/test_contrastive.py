"""Supervised contrastive loss and its lower bound."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from theory.contrastive import supcon_bound, supcon_loss
from theory.geometry.simplex_etf import etf


def looped(F, labels, tau):
    """Equation 32 word for word."""
    total = 0.0
    for a, own in enumerate(labels):
        below = sum(math.exp(F[:, a] @ F[:, b] / tau) for b in range(len(labels)))
        positives = [b for b in range(len(labels)) if labels[b] == own]
        total -= sum(math.log(math.exp(F[:, a] @ F[:, j] / tau) / below) for j in positives) / len(positives)
    return total / len(labels)


@given(st.integers(1, 4), st.integers(1, 9), st.floats(0.1, 3), st.integers(0, 2**32 - 1))
def test_the_loss_is_that_of_a_loop(m, N, tau, seed):
    rng = np.random.default_rng(seed)
    F, labels = rng.normal(size=(m, N)), rng.integers(0, 3, N)
    assert supcon_loss(F, labels, tau) == pytest.approx(looped(F, labels, tau), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("tau", [0.1, 1.0])
def test_the_loss_is_that_of_pytorch_metric_learning(tau):
    from pytorch_metric_learning.distances import DotProductSimilarity
    from pytorch_metric_learning.losses import SupConLoss

    rng = np.random.default_rng(1)
    F, labels = rng.normal(size=(5, 12)), np.array([0, 1, 2] * 4)
    rows, y = torch.tensor(F.T.copy()), torch.tensor(labels)
    loss = SupConLoss(temperature=tau, distance=DotProductSimilarity(normalize_embeddings=False))
    # A copy of the batch as reference, and the anchor is among its own positives, as in equation 32; the same tensors
    # would leave it out.
    assert supcon_loss(F, labels, tau) == pytest.approx(
        float(loss(rows, y, ref_emb=rows.clone(), ref_labels=y.clone())), rel=1e-12
    )
    assert supcon_loss(F, labels, tau) != pytest.approx(float(loss(rows, y)), rel=1e-3)


def test_large_products_are_no_trouble():
    assert supcon_loss([[1e150, -1e150]], [0, 1], 1.0) == 0.0
    assert supcon_loss([[30.0, 30.0, -30.0]], [0, 0, 1], 1.0) == pytest.approx(2 / 3 * math.log(2), rel=1e-15)


@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("K", [2, 3, 4])
def test_no_descent_goes_below_the_bound(K, m):
    n, tau, omega = 2, 0.7, 1.3
    bound = supcon_bound(K, n, tau, omega)
    y, rng, least = torch.arange(K).repeat_interleave(n), np.random.default_rng(K + 10 * m), math.inf
    own = (y[:, None] == y).double()
    for _ in range(3):
        F = torch.tensor(rng.normal(size=(m, K * n)), requires_grad=True)
        optimiser = torch.optim.LBFGS([F], max_iter=300, line_search_fn="strong_wolfe")

        def loss(F=F):
            z = F.T @ F * (omega / F.square().sum(dim=0).mean()) / tau
            return (z.logsumexp(dim=1) - (z * own).sum(dim=1) / n).mean()

        def closure(F=F, optimiser=optimiser, loss=loss):
            optimiser.zero_grad()
            value = loss()
            value.backward()
            return value

        optimiser.step(closure)
        least = min(least, loss().item())
    assert least >= bound.value - 1e-12
    assert (least <= bound.value + 1e-7) == (m >= bound.width)


@given(st.integers(2, 9), st.integers(1, 5), st.floats(0.05, 5), st.floats(0, 9), st.floats(1e-3, 1 - 1e-3))
def test_the_best_share_is_best_and_attained(K, n, tau, omega, share):
    best = supcon_bound(K, n, tau, omega)
    assert supcon_bound(K, n, tau, omega, share=share).value <= best.value + 1e-12
    if 0 < best.share < 1:
        same = supcon_bound(K, n, tau, omega, share=best.share)
        assert same.value == pytest.approx(best.value, rel=1e-12, abs=1e-13)
    F = math.sqrt(omega) * np.repeat(etf(K), n, axis=1)
    assert supcon_loss(F, np.repeat(np.arange(K), n), tau) == pytest.approx(best.value, rel=1e-11, abs=1e-13)


def test_features_of_norm_zero_need_one_dimension():
    assert supcon_bound(5, 3, 1.0, 0.0).width == 1
    assert supcon_bound(5, 3, 1.0, 0.0).value == pytest.approx(math.log(15), rel=1e-15)
    assert supcon_bound(5, 3, 1.0, 0.0).share == 0.8


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"K": 1}, "K = 1; K must be an integer ≥ 2"),
        ({"n": 0}, "n = 0; n must be an integer ≥ 1"),
        ({"tau": 0}, "tau = 0; tau must be a finite real number > 0"),
        ({"Omega": -1}, "Omega = -1; Omega must be a finite real number ≥ 0"),
        ({"share": 1}, "share = 1; share must be a real number > 0 and < 1"),
    ],
)
def test_wrong_arguments_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        supcon_bound(**{"K": 3, "n": 2, "tau": 1.0, "Omega": 1.0} | arguments)


def test_wrong_labels_are_named():
    with pytest.raises(ValueError, match="labels has 1 entries"):
        supcon_loss([[1.0, 2.0]], [0], 1.0)
