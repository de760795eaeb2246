"""Powers of two that bring data of any size to size one, so that squares neither overflow nor vanish.

Dividing by a power of two changes no digit. Data of ordinary size are left alone.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["binary_scale", "safe_scale", "unit_rows"]


def binary_scale(X: Float[Tensor, "*shape"], dim: int | tuple[int, ...] | None = None) -> Tensor:
    """Return the largest power of two that is not above the largest entry in absolute value, 1 where all are zero.

    Parameters
    ----------
    X : tensor of floats
        Finite numbers of any size.
    dim : int or tuple of ints, optional
        The dimensions that share a scale; all by default.

    Returns
    -------
    tensor
        Of the shape of X without those dimensions.

    Examples
    --------
    >>> binary_scale(torch.tensor([[3.0, -5.0], [0.0, 0.0]]), dim=1)
    tensor([4., 1.])
    """
    largest = torch.linalg.vector_norm(X, ord=math.inf, dim=dim)
    mantissa, _ = torch.frexp(largest)
    return torch.where(largest == 0, torch.ones_like(largest), largest / (2.0 * mantissa))


def safe_scale(X: Float[Tensor, "*shape"], dim: int | tuple[int, ...] | None = None) -> Tensor:
    """Return 1 for data of ordinary size and their `binary_scale` for data so large or small that squares are at risk.

    Ordinary is an eighth of the range of exponents on either side of one: from 1e-38 to 1e38 in float64, from 2e-5
    to 6e4 in float32.

    Parameters
    ----------
    X : tensor of floats
        Finite numbers of any size.
    dim : int or tuple of ints, optional
        The dimensions that share a scale; all by default.

    Returns
    -------
    tensor
        Of the shape of X without those dimensions.

    Examples
    --------
    >>> safe_scale(torch.tensor([3.0, -5.0])), safe_scale(torch.tensor([3.0, -5.0]) * 2.0**100) == 2.0**102
    (tensor(1.), tensor(True))
    """
    scale = binary_scale(X, dim)
    limit = 2.0 ** round(math.log2(torch.finfo(X.dtype).max) / 8)
    return torch.where((scale >= 1.0 / limit) & (scale <= limit), torch.ones_like(scale), scale)


def unit_rows(X: Float[Tensor, "*batch n d"]) -> Float[Tensor, "*batch n d"]:
    """Scale every row to unit length, whatever its size; rows of zeros stay.

    Parameters
    ----------
    X : tensor, shape (..., n, d)
        Finite numbers of any size.

    Returns
    -------
    tensor, shape (..., n, d)

    Examples
    --------
    >>> unit_rows(torch.tensor([[3e-30, 4e-30], [0.0, 0.0], [0.0, -2e30]]))
    tensor([[ 0.6000,  0.8000],
            [ 0.0000,  0.0000],
            [ 0.0000, -1.0000]])
    """
    rows = X / safe_scale(X, dim=-1).unsqueeze(-1)
    norms = torch.linalg.vector_norm(rows, dim=-1, keepdim=True)
    return rows / torch.where(norms == 0, torch.ones_like(norms), norms)
