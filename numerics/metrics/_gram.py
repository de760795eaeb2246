"""Gram matrices of the directions of samples, as they are drawn to show collapse."""

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.linalg import gram
from numerics.scaling import safe_scale, unit_rows
from numerics.tensors import check_matrix, check_tensor

__all__ = ["centred_gram"]


def centred_gram(X: Float[Tensor, "N d"], *, centre: Float[Tensor, " d"] | None = None) -> Float[Tensor, "N N"]:
    """Return the cosines of all pairs of samples about the global mean.

    A sample at the global mean, up to rounding, has no direction and gives a row of zeros. No gradient flows.

    Parameters
    ----------
    X : tensor, shape (N, d)
        Samples in rows.
    centre : tensor, shape (d,), optional
        The point about which; the mean of X by default.

    Returns
    -------
    tensor, shape (N, N)
        X̄X̄ᵀ, X̄ the centred samples scaled to unit length.

    References
    ----------
    agop, figure 1.

    Examples
    --------
    >>> centred_gram(torch.tensor([[0.0, 1.0], [0.0, 3.0]])).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    X = check_matrix("X", X).detach()
    scale = safe_scale(X)
    X = X / scale
    origin = X.mean(dim=0) if centre is None else _check_centre(centre, X) / scale
    centred = X - origin
    rounding = torch.finfo(X.dtype).eps * (X.abs() + origin.abs()).sum(dim=1, keepdim=True)
    at_centre = torch.linalg.vector_norm(centred, dim=1, keepdim=True) <= rounding
    return gram(torch.where(at_centre, 0.0, unit_rows(centred)))


def _check_centre(centre: Tensor, X: Tensor) -> Tensor:
    centre = check_tensor("centre", centre, dimensions=1).detach().to(X)
    if centre.shape != X.shape[1:]:
        raise ValueError(f"centre has shape {tuple(centre.shape)}; centre must have shape ({X.shape[1]},)")
    return centre
