"""Minima of the regularised squared error, classifiers and the renormalised flow, against computations of their own."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import minimize

from theory.ufm import squared_error

SIZES = [(2, 1, 1), (2, 3, 2), (3, 2, 1), (3, 2, 2), (3, 1, 5), (4, 2, 3)]


def labels(K, n):
    return np.repeat(np.eye(K), n, axis=1)


def risk(factors, lams, n, b=0.0):
    """The mean squared error from its definition; the last factor has one column a sample."""
    product = np.linalg.multi_dot(factors) if len(factors) > 2 else factors[0] @ factors[1]
    N = product.shape[1]
    fit = np.sum((product + np.reshape(b, (-1, 1)) - labels(N // n, n)) ** 2) / (2 * N)
    return fit + sum(lam / 2 * np.sum(factor**2) for lam, factor in zip(lams, factors, strict=True))


def least_found(shapes, lams, n, bias=False, starts=4):
    """The least risk that L-BFGS finds from random starts, with gradients of its own."""
    rng, sizes = np.random.default_rng(0), np.cumsum([a * b for a, b in shapes])
    K, N = shapes[0][0], shapes[-1][1]

    def value(x):
        factors = [part.reshape(s) for part, s in zip(np.split(x, sizes)[:-1], shapes, strict=True)]
        b = x[sizes[-1] :]
        left, right = [np.eye(K)], [np.eye(N)]
        for factor in factors:
            left.append(left[-1] @ factor)
        for factor in factors[::-1]:
            right.append(factor @ right[-1])
        E = (left[-1] + b[:, None] - labels(K, n)) / N if bias else (left[-1] - labels(K, n)) / N
        slopes = [left[i].T @ E @ right[len(factors) - 1 - i].T + lams[i] * factor for i, factor in enumerate(factors)]
        total = N / 2 * np.sum(E**2) + sum(lam / 2 * np.sum(f**2) for lam, f in zip(lams, factors, strict=True))
        return total, np.concatenate([s.ravel() for s in slopes] + ([E.sum(axis=1)] if bias else []))

    size = sizes[-1] + K * bias
    runs = [
        minimize(value, rng.normal(size=size), jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-11})
        for _ in range(starts)
    ]
    return min(run.fun for run in runs)


@pytest.mark.parametrize(("K", "n", "m"), SIZES)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("lams", [(0.02, 0.03), (0.3, 0.5)])
def test_two_factors(K, n, m, bias, lams):
    found = squared_error.ufm_mse_optimum(K, n, m, *lams, bias=bias)
    assert risk([*found.classifiers, found.F], lams, n, found.b) == pytest.approx(found.loss, rel=1e-12)
    searched = least_found([(K, m), (m, K * n)], lams, n, bias)
    assert searched == pytest.approx(found.loss, rel=1e-7)
    outputs = found.classifiers[0] @ found.class_means
    expected = [found.singular_value] * found.rank + [0.0] * (min(K, m) - found.rank)
    np.testing.assert_allclose(np.linalg.svd(outputs)[1][: min(K, m)], expected, atol=1e-12)
    assert found.rank == (0 if found.zero else min(m, K - bias))


@pytest.mark.parametrize(("K", "n", "m"), SIZES)
@pytest.mark.parametrize("lams", [(0.02, 0.03, 0.01), (0.01, 0.2, 0.05), (0.5, 0.3, 0.5)])
def test_three_factors(K, n, m, lams):
    found = squared_error.three_factor_optimum(K, n, m, lams)
    assert risk([*found.classifiers, found.F], lams, n) == pytest.approx(found.loss, rel=1e-12)
    searched = least_found([(K, m), (m, m), (m, K * n)], lams, n, starts=8)
    assert searched >= found.loss * (1 - 1e-9)
    assert searched == pytest.approx(found.loss, rel=1e-6)
    assert found.zero == (K**3 * n * np.prod(lams) > 1 / 16)


def test_thresholds_are_exact():
    two = squared_error.ufm_mse_optimum
    assert two(2, 1, 2, Fraction(1, 2), Fraction(1, 2)).zero
    assert not two(2, 1, 2, Fraction(1, 2), Fraction(1, 2) - Fraction(1, 10**12)).zero
    tie = squared_error.three_factor_optimum(2, 1, 2, ["1/2", "1/4", "1/16"])
    assert (tie.tie, tie.zero, tie.rank) == (True, False, 2)
    assert tie.loss == pytest.approx(0.5)
    assert "threshold" in tie.regime
    assert squared_error.three_factor_optimum(2, 1, 2, ["1/2", "1/4", "0.0625001"]).zero
    assert not squared_error.three_factor_optimum(2, 1, 2, ["1/2", "1/4", "0.0624999"]).tie
    assert squared_error.batchnorm_optimum(2, 4, 2, 2).zero
    assert not squared_error.batchnorm_optimum(2, 4, 2, 2 - 1e-9).zero
    # tiny weight decay does not underflow
    assert two(2, 1, 2, "1e-200", "1e-200").loss == pytest.approx(2e-200)


def test_regimes_in_words():
    two = squared_error.ufm_mse_optimum
    assert two(3, 1, 3, 0.01, 0.01).regime == "orthogonal frame"
    assert two(3, 1, 2, 0.01, 0.01, bias=True).regime == "simplex ETF"
    assert two(3, 1, 2, 0.01, 0.01).regime == "rank 2: the width leaves out 1 of 3 directions"
    found = two(3, 1, 3, 1, 1)
    assert found.regime.startswith("zero")
    assert "zero" in repr(found)
    assert "zero" in found._repr_html_()
    assert found.plot().get_xlabel() == "class"


def batchnorm_risk(A, F, gamma, v, n, lam):
    centred = F - F.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.divide(centred, norms, out=np.zeros_like(F), where=norms > 0)
    G = gamma[:, None] * unit + v[:, None] / F.shape[1] ** 0.5
    decay = lam / 2 * (np.sum(gamma**2) + np.sum(v**2) + np.sum(A**2))
    return np.sum((A @ np.maximum(G, 0) - labels(len(A), n)) ** 2) / 2 + decay, G


@pytest.mark.parametrize(("K", "n", "m"), [(2, 1, 2), (2, 4, 3), (3, 3, 3)])
@pytest.mark.parametrize("lam", [0.1, 0.7, 1.0, 1.5, 3.0])
def test_batch_norm(K, n, m, lam):
    found = squared_error.batchnorm_optimum(K, n, m, lam)
    value, G = batchnorm_risk(found.A, found.F, found.gamma, found.v, n, lam)
    assert value == pytest.approx(found.loss, rel=1e-12)
    np.testing.assert_allclose(G, found.F_BN, atol=1e-12)
    rng = np.random.default_rng(1)
    for _ in range(200):
        size = rng.choice([1e-3, 0.1, 1.0])
        near = [x + size * rng.normal(size=x.shape) for x in (found.A, found.F, found.gamma, found.v)]
        assert batchnorm_risk(*near, n, lam)[0] >= found.loss * (1 - 1e-12)


@pytest.mark.parametrize("lam", [0.0, 0.3])
@pytest.mark.parametrize("bias", [False, True])
def test_ridge_classifier_and_split(lam, bias):
    rng = np.random.default_rng(2)
    K, n, m = 3, 4, 2
    F, A, b = rng.normal(size=(m, K * n)), rng.normal(size=(K, m)), rng.normal(size=K) * bias
    best, best_b = squared_error.ridge_classifier(F, K, lam, bias=bias)
    design = np.vstack([F, np.ones((int(bias), K * n))])
    decay = np.diag([lam] * m + [0.0] * int(bias))
    expected = labels(K, n) @ design.T / (K * n) @ np.linalg.inv(design @ design.T / (K * n) + decay)
    np.testing.assert_allclose(np.column_stack([best, best_b])[:, : m + bias], expected, atol=1e-12)
    parts = squared_error.split_mse(A, F, b if bias else None, lam_A=lam)
    whole = np.sum((A @ F + b[:, None] - labels(K, n)) ** 2) / (2 * K * n) + lam / 2 * np.sum(A**2)
    assert sum(parts) == pytest.approx(whole, rel=1e-12)
    assert parts[1] > 0
    assert squared_error.split_mse(best, F, best_b if bias else None, lam_A=lam)[1] == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("scheme", ["projected", "retracted", "total"])
@pytest.mark.parametrize("lam", [0.0, 0.7])
def test_renormalised_flow_against_an_integrator(scheme, lam):
    K, n, s0 = 3, 4, np.array([0.0, 1e-3, 0.5, 4.0])
    kappa = K * (1 + lam)
    slope = {
        "projected": lambda t, s: (1 + lam) * s / (n * (kappa + s**2) ** 2),
        "retracted": lambda t, s: s / (K * n * (kappa + s**2)),
        "total": lambda t, s: s / (K * n * kappa),
    }[scheme]
    for t in (0.0, 1.0, 300.0):
        run = solve_ivp(slope, (0, t), s0, rtol=1e-12, atol=1e-16, method="DOP853")
        found = squared_error.renormalised_flow(s0, t, K=K, n=n, lam=lam, scheme=scheme)
        np.testing.assert_allclose(found, run.y[:, -1], rtol=1e-9)


def test_zeros_stay_for_any_time():
    for scheme in ("projected", "retracted"):
        grown = squared_error.renormalised_flow([0.0, 1.0, 1.5], 1e16, K=3, n=2, scheme=scheme)
        assert grown[0] == 0
        assert grown[1] == pytest.approx(grown[2], rel=1e-6)


@pytest.mark.parametrize("scheme", ["projected", "retracted"])
def test_central_path_follows_gradient_steps(scheme):
    """Small steps down the numerical gradient of the least risk, kept on the manifold."""
    rng, K, n, m, lam, t = np.random.default_rng(3), 3, 3, 2, 0.4, 0.5
    N = K * n

    def least(F):
        return squared_error.split_mse(np.zeros((K, m)), F, np.zeros(K), lam_A=lam)[0]

    def within(F):
        return F - np.repeat(F.reshape(m, K, n).mean(axis=2), n, axis=1)

    start = squared_error.central_path(rng.normal(size=(m, N)), 0.0, K=K)
    np.testing.assert_allclose(within(start) @ within(start).T / N, np.eye(m), atol=1e-12)
    F, steps = start, 200
    for _ in range(steps):
        slope, h = np.zeros_like(F), 1e-5
        for i in np.ndindex(F.shape):
            up = np.zeros_like(F)
            up[i] = h
            slope[i] = (least(F + up) - least(F - up)) / (2 * h)
        if scheme == "projected":
            W = within(F)
            normal = within(slope) @ W.T / N  # S of the normal part S W: symmetric by itself only up to projection
            slope = slope - (normal + normal.T) / 2 @ W
        F = F - t / steps * slope
        left, values, _ = np.linalg.svd(within(F) / N**0.5, full_matrices=False)
        F = (left / values) @ left.T @ F
    expected = squared_error.central_path(start, t, K=K, lam=lam, scheme=scheme)
    moved = np.abs(expected - start).max()
    assert np.abs(F - expected).max() < 0.01 * moved


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: squared_error.ufm_mse_optimum(1, 1, 1, 1, 1), "K = 1"),
        (lambda: squared_error.ufm_mse_optimum(2, 0, 1, 1, 1), "n = 0"),
        (lambda: squared_error.ufm_mse_optimum(2, 1, 1, 0, 1), "lam_A"),
        (lambda: squared_error.three_factor_optimum(2, 1, 1, [1, 1]), "2 entries"),
        (lambda: squared_error.three_factor_optimum(2, 1, 1, [1, 1, -1]), "lams"),
        (lambda: squared_error.batchnorm_optimum(3, 1, 2, 1), "m = 2"),
        (lambda: squared_error.batchnorm_optimum(2, 1, 2, 0), "lam"),
        (lambda: squared_error.ridge_classifier(np.ones((2, 3)), 2, 1), "multiple of K"),
        (lambda: squared_error.ridge_classifier(np.ones((2, 4)), 2, -1), "lam_A"),
        (lambda: squared_error.split_mse(np.ones((2, 2)), np.ones((2, 4)), lam_A=-1), "lam_A"),
        (lambda: squared_error.renormalised_flow([-1.0], 1, K=2, n=1), "singular_values"),
        (lambda: squared_error.renormalised_flow([1.0], -1, K=2, n=1), "t = -1"),
        (lambda: squared_error.renormalised_flow([1.0], 1, K=2, n=1, scheme="none"), "scheme"),
        (lambda: squared_error.central_path(np.eye(2), 1, K=2), "singular covariance"),
        (lambda: squared_error.central_path(np.ones((1, 3)), 1, K=2), "multiple of K"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_central_path_does_not_see_where_the_features_are():
    F0 = np.random.default_rng(3).normal(size=(3, 12))
    path = squared_error.central_path(F0, 0.0, K=3)
    np.testing.assert_allclose(path.sum(axis=1), 0, atol=1e-12)  # of each coordinate by itself
    moved = squared_error.central_path(F0 + np.array([[1.0], [-2.0], [5.0]]), 0.0, K=3)
    np.testing.assert_allclose(moved, path, atol=1e-12)
