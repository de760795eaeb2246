"""theory.deep_rfm.kernel_certificate: multipliers against the gradient, exactness, how much counts as rounding."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_kernels import SIZES

from theory import labels
from theory.deep_rfm import kernel_certificate, kernel_ridge


@given(SIZES, st.floats(0.05, 5.0), st.integers(0, 2**32 - 1))
def test_certificate_holds_the_gradient(sizes, mu, seed):
    rng, Y = np.random.default_rng(seed), labels.one_hot(sizes)
    certificate = kernel_certificate.dual_certificate(kernel_ridge.collapsed_kernel(Y), Y, mu)
    C = np.diag(certificate.diagonal) - certificate.psd - certificate.entries
    direction = rng.standard_normal((Y.shape[1],) * 2)
    direction = direction @ direction.T  # so that a step along it stays positive semi-definite
    step = 1e-6 / np.linalg.norm(direction)
    at = certificate.kernel + 1e-3 * np.eye(Y.shape[1])
    slope = (
        kernel_ridge.reduced_objective(at + step * direction, Y, mu) - kernel_ridge.reduced_objective(at, Y, mu)
    ) / step
    assert slope == pytest.approx(-np.sum(C * direction), rel=0.1, abs=1e-6)  # 10⁻³ away from where C is taken


@given(SIZES, st.fractions(min_value=Fraction(1, 30), max_value=9, max_denominator=30))
def test_one_hot_labels_need_no_sign_constraint(sizes, mu):
    Y = labels.one_hot(sizes)
    assert kernel_certificate.dual_certificate(kernel_ridge.collapsed_kernel(Y), Y, mu).faults(nonnegative=False) == []


@pytest.mark.parametrize("K", range(2, 8))
def test_sign_labels_stop_at_four_classes(K):
    # one row of labels ±1 a class: the inner product of the columns of two classes is K − 4
    Y = 2 * labels.one_hot([2] * K) - 1
    certificate = kernel_certificate.dual_certificate(kernel_ridge.collapsed_kernel(Y), Y, Fraction(1, 2))
    assert (certificate.faults() == []) == (K <= 4)
    assert (certificate.faults(nonnegative=False) == []) == (K == 4)


def test_faults_name_what_fails():
    Y = labels.one_hot([2, 1])
    good = kernel_certificate.dual_certificate(kernel_ridge.collapsed_kernel(Y), Y, 1)
    assert good.faults() == []
    assert good.faults(psd=False) == ["S ≠ 0"]
    assert good.faults(unit_diagonal=False) == ["d ≠ 0"]
    signs = kernel_certificate.dual_certificate(kernel_ridge.collapsed_kernel([[1, -1]]), [[1, -1]], 1)
    assert signs.faults(nonnegative=False) == ["Λ ≠ 0"]
    assert good._replace(kernel=np.eye(3)).faults() == ["S k ≠ 0"]
    assert good._replace(entries=np.eye(3)).faults() == ["Λ ∘ k ≠ 0"]
    assert "S is not positive semi-definite" in good._replace(psd=-good.psd).faults()


@pytest.mark.any_type
@pytest.mark.parametrize("mu", [1, np.int64(1), np.uint8(1), Fraction(1, 3), "1/3", "0.001", "1e-30", 10**30])
def test_certificates_are_exact_unless_mu_is_a_float(mu):
    Y = labels.one_hot([3, 1, 2])
    certificate = kernel_certificate.dual_certificate(kernel_ridge.collapsed_kernel(Y), Y, mu)
    assert all(isinstance(entry, Fraction) for entry in certificate.psd.ravel())
    assert certificate.faults(nonnegative=False) == []
    exact = Fraction(int(mu)) if isinstance(mu, np.integer) else Fraction(mu)
    scale = exact / (3 + exact) ** 2  # of the multiplier (n I − 11ᵀ) of the first class, n = 3
    assert certificate.psd[0, 0] == 2 * scale
    assert certificate.psd[0, 1] == -scale
    assert certificate.diagonal[0] == 3 * scale


@pytest.mark.any_type
@pytest.mark.parametrize("mu", [0.5, np.float32(0.5), np.array(0.5)])
def test_certificates_of_a_float_are_floats(mu):
    Y = labels.one_hot([3, 1, 2])
    certificate = kernel_certificate.dual_certificate(kernel_ridge.collapsed_kernel(Y), Y, mu)
    exact = kernel_certificate.dual_certificate(kernel_ridge.collapsed_kernel(Y), Y, Fraction(1, 2))
    assert certificate.psd.dtype == np.float64
    assert np.allclose(certificate.psd, exact.psd.astype(float), atol=1e-15)
    assert certificate.faults(nonnegative=False) == []


@pytest.mark.any_type
@pytest.mark.parametrize("mu", [Fraction(1, 2), 3, 0.25])
@pytest.mark.parametrize("rho", [0.0, 1e-6, 0.3, 1.0])
def test_gap_with_a_multiplier_of_the_signs(mu, rho):
    """Labels 1, −1 at k = I: S = 0 and Λ₁₂ = μ/(1+μ)². So k₁₂ = ρ costs 2ρμ/(1+μ)² or more, which is the slope."""
    certificate = kernel_certificate.dual_certificate(np.eye(2), [1, -1], mu)
    assert certificate.faults() == []
    k = np.array([[1.0, rho], [rho, 1.0]])
    gap = 2 * rho * float(mu) / (1 + float(mu)) ** 2
    assert certificate.gap(k) == pytest.approx(gap, rel=1e-14)
    cost = kernel_ridge.reduced_objective(k, [1, -1], mu) - kernel_ridge.reduced_objective(np.eye(2), [1, -1], mu)
    assert certificate.gap(k) <= cost + 1e-15
    if rho == 1e-6:
        assert certificate.gap(k) == pytest.approx(cost, rel=1e-5)


@pytest.mark.parametrize("mu", [Fraction(1, 2), 0.5])
def test_gap_with_a_multiplier_of_semi_definiteness(mu):
    """Two samples of one class: S = μ/(2+μ)² (2I − 11ᵀ), and the gap at k₁₂ = ρ is 2(1−ρ)μ/(2+μ)²."""
    certificate = kernel_certificate.dual_certificate(np.ones((2, 2)), [[1, 1]], mu)
    for rho in (-1.0, 0.0, 0.5, 1.0):
        assert certificate.gap([[1, rho], [rho, 1]]) == pytest.approx(
            2 * (1 - rho) * 0.5 / 2.5**2, rel=1e-13, abs=1e-16
        )


def test_the_signs_of_exact_multipliers_are_decided_exactly():
    Y = labels.one_hot([2, 1])
    good = kernel_certificate.dual_certificate(kernel_ridge.collapsed_kernel(Y), Y, 1)
    tiny = Fraction(1, 10**40)
    lowered = good.psd.copy()
    lowered[2, 2] -= tiny
    assert "S is not positive semi-definite" in good._replace(psd=lowered).faults()
    one = kernel_certificate.dual_certificate(np.eye(2), [1, -1], 1)
    for matrix, definite in (
        ([[0, 0], [0, tiny]], True),
        ([[0, tiny], [tiny, 1]], False),  # a pivot of zero with something beside it
        ([[1, 1], [1, 1]], True),
        ([[1, 1], [1, 1 - tiny]], False),
        ([[-tiny, 0], [0, 1]], False),
    ):
        exact = np.array([[Fraction(entry) for entry in row] for row in matrix], dtype=object)
        faults = one._replace(kernel=0 * exact, psd=exact, entries=0 * exact).faults()
        assert ("S is not positive semi-definite" in faults) == (not definite)
    negative = one.entries.copy()
    negative[0, 1] = negative[1, 0] = -tiny
    assert "Λ has a negative entry" in one._replace(entries=negative).faults()


@pytest.mark.parametrize(("share", "fault"), [(0.5, False), (2.0, True)])
def test_how_much_of_a_float_multiplier_counts_as_rounding(share, fault):
    """1e-12 N times the size of the multipliers, N = 3, for each of the conditions."""
    zero, one, rounding = np.zeros((3, 3)), np.eye(3), share * 3e-12
    corner = zero.copy()
    corner[0, 0] = 1.0
    at = kernel_certificate.Certificate
    for name, certificate, options in (
        ("S k ≠ 0", at(rounding * (one - corner), np.ones(3), one - corner + corner, zero), {}),
        ("S is not positive semi-definite", at(corner, np.ones(3), one - corner - rounding * corner, zero), {}),
        ("S ≠ 0", at(zero, np.ones(3), rounding * corner, one), {"psd": False}),
        ("Λ has a negative entry", at(zero, np.ones(3), one, -rounding * corner), {}),
        ("Λ ≠ 0", at(zero, np.ones(3), one, rounding * corner), {"nonnegative": False}),
        ("Λ ∘ k ≠ 0", at(rounding * corner, np.ones(3), zero, one), {}),
        ("d ≠ 0", at(zero, rounding * np.ones(3), one, zero), {"unit_diagonal": False}),
    ):
        assert (name in certificate.faults(**options)) == fault, name


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (2 * np.eye(2), "ones on its diagonal"),
        ([[1.0, -2.0], [-2.0, 1.0]], "eigenvalue -1"),
        (np.eye(3), r"shape \(3, 3\)"),
    ],
)
def test_kernel_matrices_to_certify(kernel, message):
    with pytest.raises(ValueError, match=message):
        kernel_certificate.dual_certificate(kernel, [[1, -1]], 1)


@pytest.mark.parametrize("mu", [0, -1.0, np.nan, np.inf, "x"])
def test_ridge_that_is_not_positive(mu):
    with pytest.raises(ValueError, match="mu = "):
        kernel_certificate.dual_certificate(np.eye(2), [[1, -1]], mu)
