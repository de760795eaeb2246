"""Measures of collapse and of rank for batches of runs; samples in rows, class by class."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["class_means", "dnc1", "dnc2", "effective_rank", "rank"]


def class_means(features: Float[Tensor, "*runs N d"], K: int) -> Float[Tensor, "*runs K d"]:
    """Mean of the features of each class.

    Examples
    --------
    >>> class_means(torch.tensor([[1.0], [3.0], [5.0], [5.0]]), K=2).flatten()
    tensor([2., 5.])
    """
    *batch, N, d = features.shape
    return features.reshape(*batch, K, N // K, d).mean(-2)


def dnc1(features: Float[Tensor, "*runs N d"], K: int) -> Float[Tensor, "*runs"]:
    """tr Σ_W / tr Σ_B: within-class against between-class variability; 0 when nothing varies at all.

    References
    ----------
    `lowrank`, Section 6.

    Examples
    --------
    >>> dnc1(torch.tensor([[1.0], [3.0], [5.0], [7.0]]), K=2)
    tensor(0.2500)
    """
    *batch, N, d = features.shape
    means = class_means(features, K)
    within = (features.reshape(*batch, K, N // K, d) - means.unsqueeze(-2)).square().sum((-3, -2, -1)) / N
    between = (means - means.mean(-2, keepdim=True)).square().sum((-2, -1)) / K
    return torch.where(within == 0, torch.zeros_like(within), within / between)


def dnc2(singular_values: Float[Tensor, "*shape K"]) -> Float[Tensor, "*shape"]:
    """Condition number of the class-mean matrix: 1 for an orthogonal frame, infinite for a rank below K.

    References
    ----------
    `lowrank`, Section 6.

    Examples
    --------
    >>> dnc2(torch.tensor([[2.0, 1.0], [1.0, 0.0]]))
    tensor([2., inf])
    """
    return singular_values[..., 0] / singular_values[..., -1]


def rank(singular_values: Float[Tensor, "*shape K"], tol: float = 1e-3) -> Float[Tensor, "*shape"]:
    """Count the singular values above ``tol`` times the largest; a zero matrix has rank 0.

    Examples
    --------
    >>> rank(torch.tensor([[2.0, 1.0, 1e-9], [0.0, 0.0, 0.0]]))
    tensor([2, 0])
    """
    return (singular_values > tol * singular_values[..., :1]).sum(-1)


def effective_rank(singular_values: Float[Tensor, "*shape K"]) -> Float[Tensor, "*shape"]:
    """exp of the entropy of the normalised singular values (Roy & Vetterli 2007); 0 for a zero matrix.

    Examples
    --------
    >>> effective_rank(torch.tensor([1.0, 1.0, 1.0, 0.0]))
    tensor(3.)
    """
    total = singular_values.sum(-1, keepdim=True)
    p = singular_values / torch.where(total == 0, 1, total)
    return torch.where(total[..., 0] == 0, 0, torch.special.entr(p).sum(-1).exp())
