"""Polishing: a stationary point, a minimum known otherwise, runs that diverged."""

import numpy as np
import pytest

from numerics import descent


def test_reaches_a_stationary_point_that_descent_does_not():
    rough = descent.train(6, 4, 3e-3, width=8, seeds=2, steps=3000)
    fine = rough.polish(eps=1e-5, max_steps=1500)
    assert (fine.losses < rough.losses).all()
    # The gradients of the fit and of the regularisation cancel; the latter is λ times the parameters.
    scale = 3e-3 * sum(p.square().sum((1, 2)) for p in fine.parameters).sqrt().numpy()
    assert (fine.gradient_norms() < 1e-3 * scale).all()
    assert (rough.gradient_norms() > 1e-2 * scale).all()
    assert fine.gradient_norms() == pytest.approx(fine.gradient_norms(eps=1e-5))
    # The relaxed loss differs by O(ε): each of the KN outputs by at most 4ε/27 times the norms it passes.
    relaxed = descent.loss(descent.relaxed(fine.problem, 1e-5), fine.parameters).numpy()
    np.testing.assert_allclose(relaxed, fine.losses, atol=1e-4)


def test_linear_network_reaches_machine_precision():
    runs = descent.train(3, 3, 1e-2, width=4, seeds=2, steps=3000, activation="identity").polish()
    assert (runs.gradient_norms() < 1e-7).all()
    # Equal singular values s of the three factors of each of K directions, found by a scan, independently.
    s = np.linspace(0, 2, 2_000_001)
    best = 3 * ((s**4 - 1) ** 2 / 6 + 4 * 1e-2 / 2 * s**2).min()
    assert runs.losses.min() == pytest.approx(best, rel=1e-9)
