"""The simulated stochastic equation against moments in closed form: its weak order, its means, its seed."""

import numpy as np
import pytest
from scipy.linalg import expm

from theory import local_elasticity as le

START = np.array([[1.0, 0.5, -1.0, 0.0, 0.5, 2.0], [0.0, 1.0, 1.0, 1.0, -1.0, 0.0]])  # K = 3, n = 2, m = 2


def stacked(F, K):
    return F.reshape(2, K, -1).mean(axis=2).T.ravel()


@pytest.mark.parametrize("kind", ["isotropic", "residuals"])
def test_means_have_second_order(kind):
    K, m = (3, 2) if kind == "isotropic" else (2, 2)
    start = START[:, : 2 * K]
    T = le.transformation(K, m, kind=kind)
    B = le.drift_matrix(le.impact_matrix(K, 2.0, -1.0), T)
    want = (expm(B * 1.5) @ stacked(start, K)).reshape(K, 2).T
    errors = []
    for steps in (20, 40, 80):
        F = le.simulate_le_sde(start, K, 2.0, -1.0, 0.0, np.linspace(0, 1.5, steps + 1), paths=1, seed=0, T=T)
        errors.append(np.abs(F[0].reshape(2, K, 2).mean(axis=2) - want).max())
        # without noise each sample keeps its distance from its mean
        gaps = F[0].reshape(2, K, 2) - F[0].reshape(2, K, 2).mean(axis=2, keepdims=True)
        np.testing.assert_allclose(gaps.ravel(), (START[:, : 2 * K].reshape(2, K, 2) - stacked(start, K).reshape(
            K, 2).T[:, :, None]).ravel(), atol=1e-12)  # fmt: skip
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.1)


def test_variance_has_second_order():
    # n = 1, m = 1, the difference of K = 2 classes: dx = a x dt + √2 σ dW with a = (α − β)/2: variance
    # 2σ²(e^{2at} − 1)/(2a). Heun's step multiplies by 1 + ah + (ah)²/2 and adds noise times 1 + ah/2.
    alpha, beta, sigma, t, paths = 3.0, -1.0, 0.5, 1.0, 200_000
    a = (alpha - beta) / 2
    want = 2 * sigma**2 * np.expm1(2 * a * t) / (2 * a)
    errors = []
    for steps in (2, 4, 8):
        F = le.simulate_le_sde(
            [[0.5, -0.5]], 2, alpha, beta, sigma, np.linspace(0, t, steps + 1), paths=paths, seed=steps
        )
        difference = F[:, 0, 0] - F[:, 0, 1]
        errors.append(want - difference.var())
        h = t / steps
        growth = (1 + a * h + (a * h) ** 2 / 2) ** 2
        exact = 2 * sigma**2 * h * (1 + a * h / 2) ** 2 * (growth**steps - 1) / (growth - 1)
        assert difference.var() == pytest.approx(exact, rel=5 * np.sqrt(2 / paths))
    noise = 5 * np.sqrt(2 / paths) * want
    assert errors[0] > 2.5 * errors[1] - 3.5 * noise
    assert errors[1] > 2.5 * errors[2] - 3.5 * noise
    assert errors[0] > 10 * noise


def test_rates_that_change():
    # α − β = 1/t, from 1 to 16: the gap grows by 16^{1/2}; the variance of a sample about its mean by ∫σ² = 15.
    F = le.simulate_le_sde(
        np.repeat([[1.0, -1.0]], 40, axis=1), 2, lambda t: 1 / t, 0.0, 1.0, np.geomspace(1, 16, 257), paths=500, seed=3,
        means="expected",
    )  # fmt: skip
    classes = F.reshape(500, 2, 40)
    assert classes.mean(axis=(0, 2)) @ [0.5, -0.5] == pytest.approx(4, abs=5 * np.sqrt(15 / 40_000))
    assert classes.var(axis=(0, 2)).mean() == pytest.approx(15, rel=5 * np.sqrt(2 / 40_000))


def test_own_means_are_random_too():
    # With n = 1 the own mean is the sample: the noise grows with the features; the expected means know no noise.
    grid = np.linspace(0, 1, 33)
    own, expected = (
        le.simulate_le_sde([[1.0, -1.0]], 2, 4.0, 0.0, 1.0, grid, paths=20_000, seed=1, means=means)
        for means in ("samples", "expected")
    )
    assert expected[:, 0, 0].var() == pytest.approx(1, rel=0.05)
    assert own[:, 0, 0].var() == pytest.approx(np.expm1(4) / 4, rel=0.05)


def test_seeds():
    a, b, c = (
        le.simulate_le_sde(START, 3, 1.0, 0.0, 1.0, [0.0, 0.5, 1.0], paths=4, seed=seed)
        for seed in (0, 0, np.random.default_rng(0))
    )
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(a, c)
    assert a.shape == (4, 2, 6)
    assert len(np.unique(a[:, 0, 0])) == 4
    np.testing.assert_array_equal(le.simulate_le_sde(START, 3, 1, 0, 1, [2.0], paths=2, seed=0), [START, START])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"K": 4}, "F0 must have a multiple of K = 4 columns"),
        ({"times": [0.0, 1.0, 1.0]}, "times must be increasing"),
        ({"sigma": -1.0}, "sigma = -1.0"),
        ({"sigma": lambda t: -t}, r"sigma\(0.5\) = -0.5"),
        ({"alpha": lambda t: np.inf}, r"alpha\(0.0\) = inf"),
        ({"paths": 0}, "paths = 0"),
        ({"seed": -1}, "seed = -1"),
        ({"T": np.eye(5)}, "T must have 6 rows and columns"),
        ({"means": "own"}, "means = 'own'"),
        ({"alpha": 1e300, "times": [0.0, 1e200]}, "beyond the floats"),
    ],
)
def test_wrong_values(change, message):
    arguments = {"K": 3, "alpha": 1.0, "beta": 0.0, "sigma": 1.0, "times": [0.0, 1.0], "paths": 2, "seed": 0} | change
    with pytest.raises(ValueError, match=message):
        le.simulate_le_sde(START, **arguments)
