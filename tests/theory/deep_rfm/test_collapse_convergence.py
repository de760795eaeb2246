"""theory.deep_rfm.collapse_convergence: each step of the proof on random layers, and its certificate."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory import labels
from theory.deep_rfm import collapse_convergence, collapse_fixed_point, collapse_map


def layer(n, K, lam_map, x, seed):
    """A later layer's Gram matrix over n, the next one's, and the projection."""
    rng, N, lam_k = np.random.default_rng(seed), n * K, x * lam_map
    Y = labels.one_hot([n] * K)
    features = rng.standard_normal((N, rng.integers(1, N + 1))) * 10 ** rng.uniform(-2, 2) * lam_map**0.5
    parameters = {"lam_k": lam_k, "lam_map": lam_map, "kappa": collapse_map.exact_kappa(n, lam_k, lam_map)}
    before, after = collapse_map.iterate(lam_map * np.eye(N) + features @ features.T, Y, **parameters, layers=2)
    return before / n, after / n, Y.T @ Y / n


LAYERS = (st.integers(1, 5), st.integers(1, 3), st.floats(-2, 2), st.floats(0.01, 1.0), st.integers(0, 2**32 - 1))


@given(*LAYERS)
def test_steps_of_the_proof(n, K, log_map, x, seed):
    lam_map = 10.0**log_map
    H, mapped, P = layer(n, K, lam_map, x, seed)
    c = lam_map * (1 + x) / n
    theta = x / (1 + x + c)
    values, vectors = np.linalg.eigh(H)
    inside, delta = vectors[:, -K:], values[-K:] - 1
    outside = vectors[:, :-K]
    E, e, rounding = H - P, np.linalg.norm(H - P, 2), 1e-10
    # step 1
    j = np.diag(c * delta / (1 + c + delta))
    Sigma = np.eye(K) - inside.T @ P @ inside
    E01, E11 = inside.T @ E @ outside, outside.T @ E @ outside
    change = mapped - P
    first = 2 * j + theta * j @ j - j @ Sigma - Sigma @ j - theta * j @ Sigma @ j
    assert np.allclose(inside.T @ change @ inside, theta * first, atol=rounding)
    assert np.allclose(inside.T @ change @ outside, theta * (np.eye(K) - (1 - theta) * j) @ E01, atol=rounding)
    assert np.allclose(outside.T @ change @ outside, theta * (2 - theta) * E11, atol=rounding)
    assert np.allclose(Sigma, inside.T @ E @ inside - np.diag(delta), atol=rounding)
    # step 2
    angle = np.linalg.norm(outside.T @ P, 2) if n > 1 else 0.0
    smallest, largest = ((1 + c) / (1 + c + x)) ** 2, (1 + x * c / (1 + x + c)) ** 2
    assert angle <= min(e, x / (2 + x)) + rounding
    assert np.all(np.abs(delta) <= e + rounding)
    assert np.all((delta >= smallest - 1 - rounding) & (delta <= largest - 1 + rounding))
    assert np.all(np.abs(np.diag(j)) <= c / (c + smallest) * np.abs(delta) + rounding)
    # step 3: what is left of each block beside the main part
    t, sigma, gamma = 2 * c / (1 + c), x / (2 + x), c / (c + smallest)
    d = max(1 - smallest, largest - 1)
    T00 = 2 * c * d / ((1 + c) * (c + smallest)) + t * sigma + theta * gamma**2 * d * (1 + sigma**2)
    T00 += 2 * gamma * sigma**2
    T11 = (2 - theta - min(t, 1)) * sigma
    E00 = inside.T @ E @ inside
    for block, bound in (
        (first - t * E00, T00),
        ((2 - theta) * E11 - min(t, 1) * E11, T11),
        (-(1 - theta) * j @ E01, (1 - theta) * gamma * sigma),
    ):
        assert not block.size or np.linalg.norm(block, 2) <= bound * e + rounding
    corner = E - inside @ E00 @ inside.T - outside @ E11 @ outside.T  # E₀₁ + E₁₀
    main = E + (t - 1) * inside @ E00 @ inside.T if t >= 1 else t * E + (1 - t) * corner
    assert np.linalg.norm(main, 2) <= max(1, t) * e + rounding
    # step 4
    factor = theta * (max(1, t) + max(T00, T11) + (1 - theta) * gamma * sigma)
    assert collapse_convergence.layer_factor(x, c) == pytest.approx(factor, rel=1e-12)
    assert np.linalg.norm(change, 2) <= factor * e + rounding
    assert factor <= x


@given(*LAYERS)
def test_theorem(n, K, log_map, x, seed):
    H, mapped, P = layer(n, K, 10.0**log_map, x, seed)
    assert np.linalg.norm(mapped - P, 2) <= x * np.linalg.norm(H - P, 2) + 1e-13 * (1 + 10.0**-log_map)


def written_again(x, c, d):
    """The bound of step 4 over ϑ as docs/deep_rfm_convergence.md has it: with T₀₀ for this d, and with T₁₁."""
    theta, t, sigma = x / (1 + x + c), 2 * c / (1 + c), x / (2 + x)
    below = 1 - ((1 + c) / (1 + c + x)) ** 2
    gamma = c / (1 + c - below)
    T00 = 2 * c * d / ((1 + c) * (1 + c - below)) + t * sigma + theta * gamma**2 * d * (1 + sigma**2)
    T00 += 2 * gamma * sigma**2
    T11 = (2 - theta - min(t, 1)) * sigma
    return [max(1, t) + T + (1 - theta) * gamma * sigma for T in (T00, T11)]


ENDS = [
    (u, v) for u in (Fraction(0), Fraction(2, 3), Fraction(40)) for v in (Fraction(0), Fraction(5, 7), Fraction(30))
]


@pytest.mark.parametrize(("u", "v"), ENDS)
@pytest.mark.parametrize("many_samples", [True, False])
def test_pieces_and_certificates_are_of_the_inequality(u, v, many_samples):
    """At rational points of both regions, their ends c = 0, 1 and x = 1 among them."""
    x, c = 1 / (1 + u), v / (1 + v) if many_samples else 1 + v
    below, above = 1 - ((1 + c) / (1 + c + x)) ** 2, (1 + x * c / (1 + x + c)) ** 2 - 1
    expected = [written_again(x, c, below)[0], written_again(x, c, above)[0], written_again(x, c, below)[1]]
    pieces = collapse_convergence.bound_pieces(x, c, many_samples=many_samples)
    assert list(pieces.values()) == expected
    certificates = collapse_convergence.certificates()[0 if many_samples else 6 :][:6]
    for numerator, denominator, piece in zip(certificates[::2], certificates[1::2], expected, strict=True):
        assert ("c ≤ 1" in numerator.statement) == many_samples
        assert numerator.value(u, v) / denominator.value(u, v) == 1 + x + c - piece
    if c:
        factor = collapse_convergence.layer_factor(x, c)
        assert factor == collapse_convergence.smoothing(x, c) * max(expected)
        assert factor <= x


def test_certificates_verify():
    certificates = collapse_convergence.certificates()
    assert len(certificates) == 12
    assert all(certificate.verify() for certificate in certificates)
    regions = [certificate.statement.split(", ")[1] for certificate in certificates]
    assert regions == ["c ≤ 1"] * 6 + ["c ≥ 1"] * 6


def test_wrong_input():
    for x, message in ((0, "x = 0; x must be"), (1.5, r"x = 1\.5; x must be in \(0, 1\]"), ("nan", "x = 'nan'")):
        with pytest.raises(ValueError, match=message):
            collapse_convergence.layer_factor(x, 1)
    with pytest.raises(ValueError, match="c = -1"):
        collapse_convergence.layer_factor("1/2", -1)


def test_a_smaller_slack_is_not_certified():
    certificate = collapse_convergence.certificates()[0]
    lowered = dict(certificate.coefficients)
    lowered[0, 0] -= 2 * certificate.coefficients[0, 0]
    assert not replace(certificate, coefficients=lowered).verify()


@pytest.mark.parametrize("x", [0.1, 0.5, 1.0])
def test_factor_is_attained_for_many_samples(x):
    # ϑ → x/(1+x): with c (1−ε) λ_map for c > 1 as the range, ε near 1 would fail
    n, lam_map = 400, 1.0
    Y, lam_k = labels.one_hot([n]), x * lam_map
    kappa = collapse_map.exact_kappa(n, lam_k, lam_map)
    within = np.eye(n)[0] - 1 / n
    small = 1e-5 * (np.add.outer(within, within))  # turns the class's direction by a small angle
    gram = Y.T @ Y
    after = collapse_map.step(gram + small, Y, lam_k=lam_k, lam_map=lam_map, kappa=kappa) - gram
    factor = np.linalg.norm(after, 2) / np.linalg.norm(small, 2)
    assert factor == pytest.approx(x / (1 + x), rel=0.01)
    exact = collapse_fixed_point.contraction_factor([n], lam_k=lam_k, lam_map=lam_map, kappa=kappa)
    assert exact == pytest.approx(factor, rel=1e-4)


@given(st.fractions(Fraction(1, 50), 50), st.fractions(0, 50), st.integers(1, 4), st.fractions(0, 9))
def test_certificate_of_multiples_is_of_the_layers(k, w, n, h):
    m, N = k + w, n + k + w

    def step(g):
        kappa = collapse_map.exact_kappa(n, k, m)
        return collapse_map.exact_step([[g] * n] * n, [[1] * n], lam_k=k, lam_map=m, kappa=kappa)[0][0]

    g = step(Fraction(0)) + h
    shrinks = k / m * abs(g - 1) - abs(step(g) - 1)
    denominators = (m + k) ** 4 * N**3 * (g * n + m + k)
    value = collapse_convergence.certificate_of_multiples().value(k, w, n, h)
    assert g == 1 or value == shrinks * denominators * (g * n + m + k) * N * m / (k * abs(g - 1))
    assert value >= 0
