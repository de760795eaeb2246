"""Pull and push on classifiers, and features for a classifier that is fixed."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize

from theory.geometry import simplex_etf
from theory.ufm import cross_entropy, layer_peeled

RNG = np.random.default_rng(0)


def test_pull_and_push_are_the_slope():
    A, F, labels = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 9)), np.array([0, 3, 1, 1, 0, 2, 3, 3, 3])
    parts = layer_peeled.pull_push(A, F, labels)
    slope = approx_fprime(A.ravel(), lambda x: 9 * layer_peeled.labelled_risk(x.reshape(4, 3), F, labels), 1e-7)
    assert (parts.pull + parts.push).ravel() == pytest.approx(slope, abs=1e-5)
    own = [F[:, labels == k] for k in range(4)]
    for k in range(4):  # the pull alone is that of a risk in which the others do not depend on a_k
        assert np.linalg.matrix_rank(np.column_stack([own[k], parts.pull[k]])) == np.linalg.matrix_rank(own[k])


def test_risk_of_equal_sizes():
    A, F = RNG.normal(size=(3, 2)), RNG.normal(size=(2, 6))
    assert layer_peeled.labelled_risk(A, F, np.repeat(np.arange(3), 2)) == pytest.approx(cross_entropy.risk(A, F))


@pytest.mark.parametrize(("a", "b", "r"), [(1, 1, 1), (1, 1, 4), (2, 1, 3), (3, 4, 2), (3, 4, 20)])
def test_push_over_pull_at_a_frame(a, b, r):
    K = a + b
    labels = np.repeat(np.arange(K), np.repeat([3 * r, 3], [a, b]))
    frame = simplex_etf.etf(K, K)
    parts = layer_peeled.pull_push(2.5 * frame.T, 0.7 * frame[:, labels], labels)
    ratio = np.linalg.norm(parts.push[a:], axis=1) / np.linalg.norm(parts.pull[a:], axis=1)
    assert ratio == pytest.approx(np.full(b, layer_peeled.etf_push_ratio(a, b, r)))


def test_features_for_a_simplex_frame():
    for K, m in ((2, 1), (3, 5), (6, 5)):
        frame = simplex_etf.etf(K, m)
        assert layer_peeled.fixed_classifier_features(3 * frame.T, 0.4) == pytest.approx(0.4 * frame)
        assert layer_peeled.fixed_classifier_features(3 * frame.T + 1, 40) == pytest.approx(40 * frame)


@pytest.mark.parametrize("seed", range(6))
def test_features_for_any_classifier(seed):
    rng = np.random.default_rng(seed)
    K, m, radius = rng.integers(2, 6), rng.integers(1, 5), float(np.exp(rng.normal()))
    A = rng.normal(size=(K, m))
    F = layer_peeled.fixed_classifier_features(A, radius)
    assert (np.linalg.norm(F, axis=0) <= radius * (1 + 1e-12)).all()
    for k in range(K):

        def loss(h, k=k):
            return layer_peeled.labelled_risk(A, h[:, None], np.array([k]))

        found = minimize(
            loss, F[:, k] * 0.5, constraints={"type": "ineq", "fun": lambda h: radius**2 - h @ h},
            options={"ftol": 1e-14, "maxiter": 500},
        )  # fmt: skip
        assert loss(F[:, k]) <= found.fun + 1e-9


@pytest.mark.parametrize("seed", range(40))
def test_features_by_duality(seed):
    # convexity: the loss is at least f + ⟨g, h' − h⟩ for each h' of the ball
    rng = np.random.default_rng(seed)
    K, m, radius = rng.integers(2, 7), rng.integers(1, 6), float(10 ** rng.uniform(-1, 0.7))
    A = rng.normal(size=(K, m))
    for k, h in enumerate(layer_peeled.fixed_classifier_features(A, radius).T):
        loss = layer_peeled.labelled_risk(A, h[:, None], np.array([k]))
        shares = np.exp(A @ h) / np.exp(A @ h).sum()
        slope = A.T @ (shares - np.eye(K)[k])
        assert slope @ h + radius * np.linalg.norm(slope) < 1e-12 * loss


def test_feature_of_a_class_between_others():
    A = np.array([[1.0, 0], [0, 0], [-2, 0]])
    F = layer_peeled.fixed_classifier_features(A, 5)
    assert abs(F[0, 1] - np.log(2) / 3) < 1e-9
    assert F[0, 0] == 5
    assert F[0, 2] == -5
    assert not layer_peeled.fixed_classifier_features(np.ones((3, 2)), 1).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layer_peeled.pull_push(np.eye(2), np.eye(2), np.array([0, 2])), r"labels\[1\] = 2; labels must be"),
        (lambda: layer_peeled.pull_push(np.eye(2), np.eye(2), np.array([0.5, 1])), r"labels\[0\] = 0.5"),
        (lambda: layer_peeled.pull_push(np.eye(2), np.eye(2), np.zeros(3)), "labels has shape"),
        (lambda: layer_peeled.pull_push(np.eye(2), np.eye(3), np.zeros(3)), "F has shape"),
        (lambda: layer_peeled.pull_push(np.ones((1, 2)), np.eye(2), np.zeros(2)), "A must have at least 2 rows"),
        (lambda: layer_peeled.fixed_classifier_features(np.ones((1, 2)), 1), "A must have at least 2 rows"),
        (lambda: layer_peeled.fixed_classifier_features(np.eye(2), 0), "radius = 0"),
        (lambda: layer_peeled.fixed_classifier_features(np.eye(2), 1e9), "radius must be at most 1e"),
        (lambda: layer_peeled.etf_push_ratio(2, 1, 0.9), "ratio = 0.9"),
    ],
)
def test_wrong_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
