"""Symmetric products and positive semi-definite matrices: half the flops, and none of the rounding noise."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import get_blas_funcs
from threadpoolctl import ThreadpoolController
from torch import Tensor

__all__ = ["add_gram", "gram", "psd_eigh", "row_blocks", "row_squares", "triangular_product"]

_LEAF = {"cpu": 128, "cuda": 1024}  # size at which halving a product stops
_BLAS_LEAF = 2048  # the same where BLAS has a symmetric product: larger ones it mirrors out of cache
_CHUNK = {"cpu": 1 << 18, "cuda": 1 << 26}  # entries that element-wise passes handle at a time


def _leaf(A: Tensor) -> int:
    return _LEAF.get(A.device.type, 1024)


def _one_thread(A: Tensor) -> bool:
    """Whether BLAS routines that torch does not offer can be called: two pools of threads would collide."""
    return A.device.type == "cpu" and torch.get_num_threads() == 1


@contextmanager
def _blas_on_one_thread() -> Iterator[None]:
    with _blas().limit(limits=1, user_api="blas"):
        yield


@cache
def _blas() -> Any:
    """The thread pools of the BLAS libraries of NumPy and SciPy."""
    return ThreadpoolController()


def gram(A: Float[Tensor, "n d"], *, mirror: bool = True) -> Float[Tensor, "n n"]:
    """A Aᵀ for about half the multiplications of a general product, exactly symmetric.

    Parameters
    ----------
    A : Tensor, shape (n, d)
        The factor.
    mirror : bool
        Whether to fill in what is below the diagonal blocks; zero there without.

    Returns
    -------
    Tensor, shape (n, n)

    Examples
    --------
    >>> gram(torch.tensor([[1.0, 2.0], [0.0, 3.0]])).tolist()
    [[5.0, 6.0], [6.0, 9.0]]
    """
    n = A.shape[0]
    out = A.new_empty(n, n) if mirror else A.new_zeros(n, n)
    add_gram(out, A, beta=0.0, mirror=mirror)
    return out


def add_gram(out: Float[Tensor, "n n"], A: Float[Tensor, "n d"], *, beta: float = 1.0, mirror: bool = True) -> None:
    """Add A Aᵀ to beta · out, in place, on and above the diagonal blocks.

    Parameters
    ----------
    out : Tensor, shape (n, n)
        What is added to.
    A : Tensor, shape (n, d)
        The factor.
    beta : float
        By which `out` is multiplied first; where it is zero, `out` is not read.
    mirror : bool
        Whether to make the result symmetric below the diagonal blocks, too.
    """
    n = A.shape[0]
    if beta == 0.0 and n <= _BLAS_LEAF and _one_thread(A):
        values = A.detach().numpy()
        with _blas_on_one_thread():
            np.matmul(values, values.T, out=out.numpy())
        return
    if n <= _leaf(A):
        torch.addmm(out, A, A.T, beta=beta, out=out)
        if mirror:  # the product of a leaf is symmetric up to rounding; make it so exactly
            out.copy_(out.triu() + out.triu(1).T)
        return
    half = n // 2
    top, bottom = A[:half], A[half:]
    corner = out[:half, half:]
    torch.addmm(corner, top, bottom.T, beta=beta, out=corner)
    if mirror:
        out[half:, :half].copy_(corner.T)
    add_gram(out[:half, :half], top, beta=beta, mirror=mirror)
    add_gram(out[half:, half:], bottom, beta=beta, mirror=mirror)


def triangular_product(T: Float[Tensor, "n n"], X: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """triu(T) X for about half the multiplications; entries of T below the diagonal are never read into the result.

    Parameters
    ----------
    T : Tensor, shape (n, n)
        Whose upper triangle counts.
    X : Tensor, shape (n, d)
        The other factor.

    Returns
    -------
    Tensor, shape (n, d)

    Examples
    --------
    >>> triangular_product(torch.tensor([[1.0, 2.0], [torch.nan, 3.0]]), torch.ones(2, 1)).tolist()
    [[3.0], [3.0]]
    """
    if _one_thread(X):
        (multiply,) = get_blas_funcs(("trmm",), dtype=T.detach().numpy().dtype)
        with _blas_on_one_thread():  # in BLAS's order of memory (T X)ᵀ = Xᵀ Tᵀ
            product = multiply(1.0, T.detach().numpy().T, X.detach().numpy().T, side=1, lower=1)
        return torch.from_numpy(product.T)
    out = X.new_empty(X.shape)
    _triangular_into(out, T, X)
    return out


def _triangular_into(out: Tensor, T: Tensor, X: Tensor) -> None:
    n = T.shape[0]
    if n <= _leaf(T):
        torch.mm(T.triu(), X, out=out)
        return
    half = n // 2
    _triangular_into(out[:half], T[:half, :half], X[:half])
    out[:half].addmm_(T[:half, half:], X[half:])
    _triangular_into(out[half:], T[half:, half:], X[half:])


def row_blocks(A: Float[Tensor, "n d"]) -> Iterator[slice]:
    """Slices of rows so few that temporaries of their size stay in cache (or, on a GPU, in bounds).

    Parameters
    ----------
    A : Tensor, shape (n, d)
        Whose rows they are.

    Yields
    ------
    slice
    """
    rows = max(1, _CHUNK.get(A.device.type, 1 << 22) // A.shape[1])
    for start in range(0, A.shape[0], rows):
        yield slice(start, min(start + rows, A.shape[0]))


def row_squares(A: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """‖row‖² of every row.

    Parameters
    ----------
    A : Tensor, shape (n, d)
        Rows, for whose squares there are numbers.

    Returns
    -------
    Tensor, shape (n,)

    Examples
    --------
    >>> row_squares(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [25.0, 0.0]
    """
    return torch.cat([A[rows].square().sum(dim=1) for rows in row_blocks(A)])


def psd_eigh(M: Float[Tensor, "d d"]) -> tuple[Float[Tensor, " d"], Float[Tensor, "d d"]]:
    """Eigenvalues and eigenvectors of a symmetric positive semi-definite matrix.

    Parameters
    ----------
    M : Tensor, shape (d, d)
        The matrix.

    Returns
    -------
    values : Tensor, shape (d,)
        Ascending; those that are below zero by rounding are zero.
    vectors : Tensor, shape (d, d)
        In columns.

    Examples
    --------
    >>> psd_eigh(torch.ones(2, 2, dtype=torch.float64))[0].round(decimals=12).tolist()
    [0.0, 2.0]
    """
    values, vectors = torch.linalg.eigh(M)
    return values.clamp_min(0.0), vectors
