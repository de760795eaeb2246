"""The minimum of the layer-peeled model, against a conic solver, duality and its own constraints."""

import numpy as np
import pytest

from theory.ufm import layer_peeled

CASES = [
    (1, 1, 3.0, 1.0), (1, 2, 5.0, 1.0), (1, 2, 50.0, 1.0), (2, 1, 1.1, 0.01), (2, 1, 3.0, 0.01), (2, 2, 2.0, 1.0),
    (2, 2, 4.0, 1.0), (3, 2, 1.2, 0.05), (3, 2, 1.5, 0.05), (2, 3, 30.0, 4.0), (3, 3, 1.0, 2.0),
]  # fmt: skip


def conic(a, b, r, product):
    """The relaxation to a semidefinite program, by an interior-point method."""
    import cvxpy as cp

    K = a + b
    gram = cp.Variable((2 * K, 2 * K), PSD=True)
    weights = np.repeat([r, 1.0], [a, b]) / (r * a + b)
    outputs = gram[:K, K:]
    loss = sum(weights[k] * (cp.log_sum_exp(outputs[:, k]) - outputs[k, k]) for k in range(K))
    bounds = [cp.trace(gram[:K, :K]) <= K * product, cp.trace(gram[K:, K:]) <= K]
    cp.Problem(cp.Minimize(loss), bounds).solve(solver=cp.CLARABEL)
    return loss.value, gram.value


@pytest.mark.parametrize(("a", "b", "r", "product"), CASES)
def test_conic_solver(a, b, r, product):
    value, gram = conic(a, b, r, product)
    found = layer_peeled.layer_peeled_optimum(a, b, r, product, 1)
    assert found.loss == pytest.approx(value, abs=1e-7)
    assert gram[: a + b, a + b :] == pytest.approx(found.outputs, abs=2e-3)
    assert gram[: a + b, : a + b] == pytest.approx(found.A @ found.A.T, abs=2e-3)


@pytest.mark.parametrize(("a", "b", "r", "product"), [*CASES, (30, 40, 1.02, 0.3), (2, 2, 1e30, 1.0), (2, 2, 7.0, 1e4)])
def test_norms_loss_and_duality(a, b, r, product):
    Omega_A = 3 * np.sqrt(product)
    found = layer_peeled.layer_peeled_optimum(a, b, r, Omega_A, product / Omega_A, m=a + b + 1)
    K = a + b
    assert found.A.shape == (K, K + 1)
    assert found.F.shape == (K + 1, K)
    assert np.sum(found.A**2) == pytest.approx(K * Omega_A)
    assert np.sum(found.F**2) == pytest.approx(K * product / Omega_A)
    assert abs(found.gap) <= 1e-13 * (1 + abs(found.outputs).max()) * (1 if r < 1e9 else 3)
    if r < 100 and product < 100:
        sizes = np.repeat([round(r * 20), 20], [a, b])
        labels = np.repeat(np.arange(K), sizes)
        assert layer_peeled.labelled_risk(found.A, found.F[:, labels], labels) == pytest.approx(
            found.loss, rel=1e-12 if (r * 20) % 1 == 0 else 1e-2
        )
    classifier = found.A[a:]
    lengths = np.linalg.norm(classifier, axis=1)
    if b > 1 and lengths[0]:
        assert classifier[0] @ classifier[1] / lengths[0] ** 2 == pytest.approx(found.minority_cosine)
    if a > 1:
        lengths = np.linalg.norm(found.A[:a], axis=1)
        assert found.A[0] @ found.A[1] / lengths[0] ** 2 == pytest.approx(found.majority_cosine)


def test_equal_sizes_are_a_simplex_frame():
    for a, b in ((1, 1), (1, 3), (3, 2)):
        found, K = layer_peeled.layer_peeled_optimum(a, b, 1, 2, 0.5), a + b
        assert found.outputs == pytest.approx(K / (K - 1) * (np.eye(K) - 1 / K), abs=1e-12)
        assert b == 1 or found.minority_cosine == pytest.approx(-1 / (K - 1))
        assert found.loss == pytest.approx(np.log1p((K - 1) * np.exp(-K / (K - 1))))


def test_width():
    below, above = (layer_peeled.layer_peeled_optimum(2, 3, r, 1, 1) for r in (2, 50))
    assert (below.rank, above.rank) == (4, 2)
    narrow = layer_peeled.layer_peeled_optimum(2, 3, 50, 1, 1, m=2)
    assert narrow.outputs == pytest.approx(above.outputs)
    with pytest.raises(ValueError, match="m = 3; m must be at least 4, the rank of the outputs"):
        layer_peeled.layer_peeled_optimum(2, 3, 2, 1, 1, m=3)


def test_collapsed_rows_are_equal_to_the_last_bit():
    found = layer_peeled.layer_peeled_optimum(3, 4, 40, 1, 1)
    assert found.regime == "collapsed"
    assert not (found.A[3:] - found.A[3]).any()
    assert found.A[3].any()


def test_display():
    found = layer_peeled.layer_peeled_optimum(2, 2, 4, 1, 1)
    assert "collapsed" in found._repr_html_()
    assert "0°" in found._repr_html_()
    assert found.plot().get_title() == "collapsed, ratio 4"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"K_maj": 0}, "K_maj = 0"),
        ({"K_maj": 1000, "K_min": 1001}, "K_min = 1001; K_min must be at most 1000 for K_maj = 1000"),
        ({"ratio": 0.5}, "ratio = 0.5"),
        ({"ratio": 1e101}, "ratio must be at most"),
        ({"Omega_A": 0}, "Omega_A = 0"),
        ({"Omega_F": 1e-21}, "must be at least 1e-20"),
        ({"Omega_F": 1e9}, "the loss is 0 in floats"),
        ({"m": 0}, "m = 0"),
    ],
)
def test_wrong_input(change, message):
    usual = {"K_maj": 2, "K_min": 2, "ratio": 2, "Omega_A": 1, "Omega_F": 1}
    with pytest.raises(ValueError, match=message):
        layer_peeled.layer_peeled_optimum(**usual | change)
