"""Functions of a spectrum: equal numbers, limits of what counts as zero, any size, wrong input."""

import math

import pytest
import torch
from collapse_reference import F64
from hypothesis import given
from hypothesis import strategies as st

from numerics import metrics as nc

EPS = torch.finfo(F64).eps


@given(st.integers(1, 12), st.integers(0, 3), st.sampled_from([1e-320, 1e-300, 0.3, 1e300, 1.7e308]))
def test_effective_rank_of_equal_numbers_is_their_number(r, zeros, size):
    spectrum = torch.cat([torch.zeros(zeros, dtype=F64), torch.full((r,), size, dtype=F64)])
    assert float(nc.effective_rank(spectrum)) == pytest.approx(r, rel=1e-12)
    assert float(nc.effective_rank(nc.psd_spectrum(torch.diag(spectrum)))) == pytest.approx(r, rel=1e-12)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=12))
def test_effective_rank_is_exp_of_the_entropy_in_any_order_and_batch(numbers):
    shares = [number / math.fsum(numbers) for number in numbers]
    expected = math.exp(-math.fsum(p * math.log(p) for p in shares))
    spectrum = torch.tensor(numbers, dtype=F64)
    batch = torch.stack([spectrum, spectrum.flip(0), 1e200 * spectrum, 0 * spectrum])
    found = nc.effective_rank(batch)
    assert found[:3].tolist() == pytest.approx([expected] * 3, rel=1e-12)
    assert found[3] == 0


def test_singular_values_and_eigenvalues_are_different_spectra():
    A = torch.diag(torch.tensor([2.0, 1.0], dtype=F64))
    entropy = math.log(3) - 2 / 3 * math.log(2)
    assert float(nc.effective_rank(torch.linalg.svdvals(A))) == pytest.approx(math.exp(entropy), rel=1e-14)
    entropy = math.log(5) - 4 / 5 * math.log(4)
    assert float(nc.effective_rank(nc.psd_spectrum(A @ A.T))) == pytest.approx(math.exp(entropy), rel=1e-14)


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e300])
def test_condition_number_is_infinite_up_to_rounding_of_the_largest(size):
    k = 7
    values = torch.full((3, k), size, dtype=F64)
    values[0, 3], values[1, 3], values[2, 3] = 0.5 * k * EPS * size, 2 * k * EPS * size, 0.0
    assert nc.condition_number(values).tolist() == pytest.approx([math.inf, 1 / (2 * k * EPS), math.inf])
    assert nc.condition_number(values, zero=0.0)[0] == pytest.approx(2 / (k * EPS))
    assert nc.condition_number(torch.zeros(k)) == math.inf
    assert nc.condition_number(torch.ones(k)) == 1


@pytest.mark.parametrize("tol", [1e-12, 1e-3, 0.5])
def test_rank_counts_above_tol_times_the_largest(tol):
    largest = 4.0
    near = [largest, 2 * tol * largest if tol < 0.5 else largest, 1.0001 * tol * largest, 0.9999 * tol * largest, 0.0]
    values = torch.tensor([near, [0.0] * 5], dtype=F64)
    assert nc.rank(values, tol).tolist() == [3, 0]
    assert nc.rank(torch.ones(9), 0) == 9


def rotated(values, seed=0):
    d = len(values)
    Q, _ = torch.linalg.qr(torch.randn(d, d, dtype=F64, generator=torch.Generator().manual_seed(seed)))
    matrix = Q @ torch.diag(torch.tensor(values, dtype=F64)) @ Q.T
    return (matrix + matrix.T) / 2


def test_psd_spectrum_is_that_of_the_matrix_and_clears_rounding():
    values = [0.0, 0.0, 1e-3, 2.0, 5.0, 5.0]
    batch = torch.stack([rotated(values, seed) for seed in range(4)])
    found = nc.psd_spectrum(batch)
    assert (found >= 0).all()
    torch.testing.assert_close(found, torch.tensor([values] * 4, dtype=F64), rtol=0, atol=1e-14)
    torch.testing.assert_close(nc.psd_spectrum(1e300 * batch) / 1e300, found, rtol=0, atol=1e-14)


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_psd_spectrum_refuses_what_is_no_covariance(size):
    matrix = size * rotated([1.0, 2.0, 3.0])
    for gap, refused in ((1e-16, False), (1e-13, True), (1e-6, True), (1.0, True)):
        moved = matrix.clone()
        moved[0, 2] += gap * size
        if refused:
            with pytest.raises(ValueError, match="differs from its transpose"):
                nc.psd_spectrum(moved)
        else:
            nc.psd_spectrum(moved)
    for low, refused in ((-1e-16, False), (-1e-13, True), (-1.0, True)):
        moved = size * torch.diag(torch.tensor([low, 1.0, 2.0], dtype=F64))
        if refused:
            with pytest.raises(ValueError, match="has the eigenvalue"):
                nc.psd_spectrum(moved)
        else:
            assert nc.psd_spectrum(moved)[0] == 0


def test_wrong_input():
    with pytest.raises(ValueError, match="spectrum contains -1; every entry must be ≥ 0"):
        nc.effective_rank(torch.tensor([2.0, -1.0]))
    with pytest.raises(ValueError, match="contains NaN or infinity"):
        nc.condition_number(torch.tensor([2.0, math.nan]))
    with pytest.raises(ValueError, match="contains NaN or infinity"):
        nc.rank(torch.tensor([math.inf, 1.0]))
    with pytest.raises(ValueError, match=r"tol = 1.0; tol must be in \[0, 1\)"):
        nc.rank(torch.tensor([2.0, 1.0]), 1)
    with pytest.raises(ValueError, match="spectrum must have 1 or more dimensions"):
        nc.effective_rank(torch.tensor(2.0))
    with pytest.raises(ValueError, match="must be square"):
        nc.psd_spectrum(torch.ones(2, 3))
    with pytest.raises(ValueError, match="NaN or infinity"):
        nc.psd_spectrum(torch.tensor([[math.nan]]))


@pytest.mark.parametrize("d", [2, 40])
def test_rounding_of_a_matrix_is_up_to_sixteen_epsilons_an_entry(d):
    rounding = 16 * d * torch.finfo(F64).eps
    for share, refused in ((0.9, False), (1.1, True)):
        asymmetric, negative = torch.eye(d, dtype=F64), torch.eye(d, dtype=F64)
        asymmetric[0, 1] = share * rounding
        negative[0, 0] = -share * rounding
        if refused:
            with pytest.raises(ValueError, match="it must be symmetric"):
                nc.psd_spectrum(asymmetric)
            with pytest.raises(ValueError, match="every eigenvalue must be"):
                nc.psd_spectrum(negative)
        else:
            assert nc.psd_spectrum(asymmetric).max() == pytest.approx(1.0, abs=rounding)
            assert nc.psd_spectrum(negative).min() == 0.0
