"""numerics.linalg: products by halves against whole products, around the size at which halving stops."""

import pytest
import torch

from numerics import linalg

F64 = torch.float64


def matrix(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=F64)


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def threads(request):
    """BLAS of NumPy and SciPy serves one thread, torch more."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("n", [1, 127, 128, 129, 300, 517])
def test_gram_is_the_product_and_exactly_symmetric(n, threads, monkeypatch):
    monkeypatch.setattr(linalg, "_BLAS_LEAF", 128)
    A = matrix(n, 7)
    G = linalg.gram(A)
    torch.testing.assert_close(G, A @ A.T, rtol=1e-13, atol=1e-13)
    assert torch.equal(G, G.T)
    torch.testing.assert_close(linalg.gram(A, mirror=False).triu(), G.triu(), rtol=1e-13, atol=1e-13)
    halved = torch.full((n, n), torch.nan, dtype=F64)
    linalg.add_gram(halved, A, beta=0.0)
    torch.testing.assert_close(halved, G, rtol=1e-13, atol=1e-13)
    assert torch.equal(halved, halved.T)
    strided = A.T.contiguous().T[:, :5]
    torch.testing.assert_close(linalg.gram(strided), A[:, :5] @ A[:, :5].T, rtol=1e-13, atol=1e-13)
    total = G.clone()
    linalg.add_gram(total, matrix(n, 3, 1))
    torch.testing.assert_close(total, G + matrix(n, 3, 1) @ matrix(n, 3, 1).T, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("n", [1, 128, 129, 517])
@pytest.mark.parametrize("dtype", [F64, torch.float32])
def test_triangular_product_reads_the_upper_triangle_alone(n, dtype, threads):
    T, X = matrix(n, n).to(dtype), matrix(n, 5, 1).to(dtype)
    poisoned = torch.where(torch.ones(n, n).triu().bool(), T, torch.nan)
    expected = (T.double().triu() @ X.double()).to(dtype)
    for order in (poisoned, poisoned.T.contiguous().T):
        product = linalg.triangular_product(order, X)
        assert product.is_contiguous()
        error = 1e-12 if dtype == F64 else 1e-4
        torch.testing.assert_close(product, expected, rtol=error, atol=error)


def test_row_squares_and_blocks_cover_every_row(monkeypatch):
    monkeypatch.setitem(linalg._CHUNK, "cpu", 20)
    A = matrix(17, 6)
    assert [(s.start, s.stop) for s in linalg.row_blocks(A)] == [(k, min(k + 3, 17)) for k in range(0, 17, 3)]
    torch.testing.assert_close(linalg.row_squares(A), (A**2).sum(dim=1))


def test_eigenvalues_below_zero_by_rounding_become_zero():
    A = matrix(30, 2)
    values, vectors = linalg.psd_eigh(A @ A.T)
    assert (values >= 0).all()
    torch.testing.assert_close((vectors * values) @ vectors.T, A @ A.T, rtol=0, atol=1e-12)
