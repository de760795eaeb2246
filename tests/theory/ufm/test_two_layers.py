"""theory.ufm.two_layers: the cuts' spectra, losses, matrices, the certificate, wrong input."""

from math import comb

import numpy as np
import pytest

from theory.ufm import Problem, two_layers


@pytest.mark.parametrize("r", [4, 6, 8])
def test_spectra_of_balanced_cuts(r):
    m, K = r // 2, r * (r - 1) // 2
    M = two_layers.balanced_cuts(r)
    assert M.shape == (comb(r, m), K)
    assert set(np.unique(M)) == {-1, 0, 1}
    a = comb(r - 2, m - 2)
    values = np.linalg.eigvalsh(M.T @ M)
    assert values[-(r - 1) :] == pytest.approx(a * r)
    assert values[: K - r + 1] == pytest.approx(0, abs=1e-10)
    Z = np.maximum(M, 0)
    expected = [a * m / (2 * (2 * m - 3))] * (r * (r - 3) // 2) + [a * m / 2] * (r - 1) + [a * m * (m - 1) / 2]
    assert np.linalg.eigvalsh(Z.T @ Z) == pytest.approx(np.sort(expected))


def test_relu_raises_the_nuclear_norm_of_the_cuts_only():
    def nuclear(M):
        return np.linalg.svd(M, compute_uv=False).sum()

    for M in (two_layers.hexagon(), two_layers.balanced_cuts(6), two_layers.balanced_cuts(8)):
        assert nuclear(np.maximum(M, 0)) > nuclear(M) * 1.05
    # r = 4 ties with collapse: pairs of opposite classes.
    four = two_layers.balanced_cuts(4)
    assert nuclear(np.maximum(four, 0)) == pytest.approx(nuclear(four)) == 6


@pytest.mark.parametrize("n", [1, 3])
def test_explicit_matrices_have_the_stated_loss(n):
    problem = Problem.of(15, 2, lams=(0.001, 0.02, 0.004), n=n)
    M = two_layers.balanced_cuts(6)
    point = two_layers.solution(M, problem)
    stated = two_layers.least_loss(M, problem.log_kappa)
    assert point.loss == pytest.approx(stated.loss, rel=1e-12)
    assert point.loss < problem.collapsed_loss() * 0.99
    pre_activations = point.weights[0] @ point.features
    assert np.linalg.matrix_rank(pre_activations, tol=1e-9) == 5


def test_collapse_is_the_identity():
    for log_kappa in (-6.0, -2.0, -1.4):
        assert two_layers.least_loss(np.eye(7), log_kappa).loss == pytest.approx(
            Problem.of(7, 2, lams=(1.0, 1.0, np.exp(2 * log_kappa) / 7**3)).collapsed_loss(), rel=1e-12
        )


def test_hexagon_is_a_matrix_of_cosines():
    i = np.arange(6)
    cosines = np.cos(np.pi / 3 * (i[:, None] - i + 0.5))
    assert two_layers.hexagon() * np.sqrt(3) / 2 == pytest.approx(cosines, abs=1e-12)


@pytest.mark.parametrize("exponent", [-150, 150])
def test_size_of_the_pre_activations_does_not_matter(exponent):
    M, scale = two_layers.balanced_cuts(6), 10.0**exponent
    problem = Problem.of(15, 2, lams=(0.001, 0.02, 0.004))
    least, scaled = (two_layers.least_loss(X, problem.log_kappa) for X in (M, scale * M))
    assert scaled.loss == pytest.approx(least.loss, rel=1e-13)
    assert scaled.u * scale**2 == pytest.approx(least.u, rel=1e-9)
    points = [two_layers.solution(X, problem) for X in (M, scale * M)]
    assert points[1].loss == pytest.approx(points[0].loss, rel=1e-12)


def test_certificate_rejects_what_is_false():
    assert two_layers.balanced_cuts_beat_collapse().verify()
    assert not two_layers.balanced_cuts_beat_collapse(2).verify()
    certificate = two_layers.balanced_cuts_beat_collapse(4)
    assert certificate.bounds == (4, 0)
    assert certificate.value(3, 2) > 0


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: two_layers.balanced_cuts(5), "r = 5"),
        (lambda: two_layers.balanced_cuts(2), "r = 2"),
        (lambda: two_layers.least_loss(np.zeros((2, 2)), -1.0), "zero"),
        (lambda: two_layers.least_loss(np.array([[np.nan]]), -1.0), "finite"),
        (lambda: two_layers.solution(np.eye(3), Problem.of(2, 2, 1)), "3 classes"),
        (lambda: two_layers.solution(np.eye(2), Problem.of(2, 3, 1)), "L = 3"),
    ],
)
def test_wrong_input(call, match):
    with pytest.raises(ValueError, match=match):
        call()


@pytest.mark.parametrize("K", range(4, 15))
def test_few_classes_beat_collapse_up_to_the_stated_scale(K):
    M, limit = two_layers.few_classes(K)
    assert M.shape[1] == K
    assert np.linalg.norm(np.maximum(M, 0), "nuc") > np.linalg.norm(M, "nuc")
    for part in (1e-6, 0.3, 1):
        u = 1 + float(limit - 1) * part
        problem = Problem.of(K, 2, lams=(np.sqrt(u) / (1 + u) ** 2 / K,) * 2 + (1 / K,))
        collapsed = (3 * u + 1) / (2 * (1 + u) ** 2)
        assert problem.collapsed_loss() == pytest.approx(collapsed, rel=1e-12)
        assert two_layers.solution(M, problem).loss < collapsed * (1 - 1e-6)  # explicit matrices through the objective


@pytest.mark.parametrize("K", [3, 15])
def test_few_classes_are_four_to_fourteen(K):
    with pytest.raises(ValueError, match=f"K = {K}"):
        two_layers.few_classes(K)


def test_cuts_of_more_than_24_vertices_are_refused():
    with pytest.raises(ValueError, match="r = 26; r must be an integer ≥ 4 and ≤ 24"):
        two_layers.balanced_cuts(26)
