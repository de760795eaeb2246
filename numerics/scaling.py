"""Powers of two that bring data of any size to size one, so that squares neither overflow nor vanish.

Dividing by a power of two changes no digit. Data of ordinary size are left alone.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.linalg import row_squares

__all__ = ["binary_scale", "common_scale", "restored", "safe_scale", "unit_rows"]


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


def common_scale(*tensors: Tensor | None) -> float:
    """Return one `safe_scale` for several tensors, as a float.

    Parameters
    ----------
    *tensors : tensor of floats or None
        Finite numbers of any size; None stands for no tensor.

    Examples
    --------
    >>> common_scale(torch.tensor([3e-30]), torch.tensor([3.0]), None), common_scale(torch.tensor([3e30])) == 2.0**101
    (1.0, True)
    """
    return max(float(safe_scale(tensor.detach())) for tensor in tensors if tensor is not None)


def restored(A: Float[Tensor, "*shape"], scale: float, name: str) -> Float[Tensor, "*shape"]:
    """Multiply a quantity that is quadratic in data by scale², in place, where the data were divided by `scale` before.

    Parameters
    ----------
    A : tensor of floats
        The quantity of the divided data.
    scale : float
        A power of two.
    name : str
        What it is, for the error.

    Returns
    -------
    tensor
        The same tensor.

    Raises
    ------
    ValueError
        If the largest entry is beyond the numbers of its dtype, or so small that they do not have its digits.

    Examples
    --------
    >>> restored(torch.tensor([1.0]), 2.0**70, "the AGOP")
    Traceback (most recent call last):
    ...
    ValueError: the AGOP has entries of size 1.4e+42, which torch.float32 cannot hold; take float64, or scale the data
    """
    if scale == 1.0:
        return A
    largest = float(torch.linalg.vector_norm(A, ord=math.inf))
    if largest == 0.0:
        return A
    size = math.log10(largest) + 2.0 * (math.log10(scale) if 0.0 < scale < math.inf else math.inf)
    limits = torch.finfo(A.dtype)
    if not math.log10(limits.tiny) < size < math.log10(limits.max):
        held = f"{10.0 ** (size % 1.0):.2g}e{math.floor(size):+d}" if math.isfinite(size) else largest
        message = f"{name} has entries of size {held}, which {A.dtype} cannot hold"
        raise ValueError(f"{message}; take float64, or scale the data")
    return A.mul_(scale).mul_(scale)


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
    norms = row_squares(rows.flatten(0, -2)).sqrt_().reshape(*rows.shape[:-1], 1)
    return rows / torch.where(norms == 0, torch.ones_like(norms), norms)
