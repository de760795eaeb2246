"""How far vectors, one a class, are from a simplex frame: their norms, their angles, and the classifier beside them.

These are the measures of the first paper on neural collapse. `nc2`, `nc2_normalised` and `nc3` say the same in one
number each.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.metrics._measures import UndefinedMeasure, Weighting, against_etf, centred_means
from numerics.metrics._statistics import ClassStatistics
from numerics.scaling import binary_scale, unit_rows
from numerics.tensors import check_matrix

__all__ = ["equiangularity", "equinorm", "gram_to_etf", "self_duality"]


def equinorm(vectors: Float[Tensor, "K d"]) -> Float[Tensor, ""]:
    """Return the standard deviation of the vectors' norms over their mean, zero if all norms are equal.

    Parameters
    ----------
    vectors : tensor, shape (K, d)
        One a class, such as centred class means or a classifier's weights.

    Returns
    -------
    tensor, shape ()
        With the unbiased standard deviation, as in the reference's code.

    Raises
    ------
    UndefinedMeasure
        If all vectors are zero.

    References
    ----------
    V. Papyan, X. Y. Han and D. L. Donoho, Prevalence of neural collapse (2020), Figure 2.

    Examples
    --------
    >>> equinorm(torch.tensor([[3.0, 0.0], [0.0, 3.0]])).item()
    0.0
    """
    norms: Tensor = torch.linalg.vector_norm(_scaled(vectors), dim=-1)
    if float(norms.amax()) == 0.0:
        raise UndefinedMeasure("all vectors are zero: their norms cannot be compared")
    return norms.std() / norms.mean()


def equiangularity(vectors: Float[Tensor, "K d"]) -> Float[Tensor, ""]:
    """Return the mean over pairs of |cos + 1/(K−1)|, zero if all angles are those of a simplex frame.

    Parameters
    ----------
    vectors : tensor, shape (K, d)
        One a class.

    Returns
    -------
    tensor, shape ()

    Raises
    ------
    UndefinedMeasure
        If a vector is zero.

    References
    ----------
    V. Papyan, X. Y. Han and D. L. Donoho, Prevalence of neural collapse (2020), Figure 4.

    Examples
    --------
    >>> equiangularity(torch.tensor([[1.0, 0.0], [-2.0, 0.0]])).item()
    0.0
    """
    vectors = _scaled(vectors)
    if bool((torch.linalg.vector_norm(vectors, dim=-1) == 0).any()):
        raise UndefinedMeasure("a vector is zero: its angles are not defined")
    K = vectors.shape[0]
    off = ~torch.eye(K, dtype=torch.bool, device=vectors.device)
    directions = unit_rows(vectors)
    return (directions @ directions.mT + 1.0 / (K - 1))[off].abs().mean()


def self_duality(
    statistics: ClassStatistics, weight: Float[Tensor, "K d"], *, weighting: Weighting = "classes"
) -> Float[Tensor, ""]:
    """Return ‖A/‖A‖ − M/‖M‖‖², A the classifier's weights and M the centred class means, in Frobenius norms.

    Parameters
    ----------
    statistics : ClassStatistics
        Every class needs a sample.
    weight : tensor, shape (K, d)
        A row a class.
    weighting : {"classes", "samples"}

    Returns
    -------
    tensor, shape ()

    Raises
    ------
    UndefinedMeasure
        If the weights are zero, or all class means coincide.
    ValueError
        If the weights have another shape.

    References
    ----------
    V. Papyan, X. Y. Han and D. L. Donoho, Prevalence of neural collapse (2020), Figure 5.
    """
    means, _ = centred_means(statistics, weighting)
    if bool((torch.linalg.vector_norm(means, dim=-1) <= statistics.resolution).all()):
        raise UndefinedMeasure("all class means coincide: they have no direction")
    weight = _weight(weight, means)
    return (_unit(weight) - _unit(means)).square().sum()


def gram_to_etf(
    statistics: ClassStatistics, weight: Float[Tensor, "K d"] | None = None, *, weighting: Weighting = "classes"
) -> Float[Tensor, ""]:
    """Return the distance of A Mᵀ over its norm from the simplex frame's, M the centred class means at their lengths.

    `nc2_normalised` and `nc3` are this for class means of unit length, which unequal norms do not move.

    Parameters
    ----------
    statistics : ClassStatistics
        Every class needs a sample.
    weight : tensor, shape (K, d), optional
        A, a row a class; M itself where there is none.
    weighting : {"classes", "samples"}

    Returns
    -------
    tensor, shape ()

    Raises
    ------
    UndefinedMeasure
        If all class means coincide, or A Mᵀ = 0.
    ValueError
        If the weights have another shape.

    References
    ----------
    Z. Zhu and others, A geometric analysis of neural collapse with unconstrained features (2021), section 4.
    """
    means, _ = centred_means(statistics, weighting)
    if bool((torch.linalg.vector_norm(means, dim=-1) <= statistics.resolution).all()):
        raise UndefinedMeasure("all class means coincide: their Gram matrix has no direction")
    means = _unit(means)
    product = (means if weight is None else _unit(_weight(weight, means))) @ means.mT
    if float(torch.linalg.matrix_norm(product)) == 0.0:
        raise UndefinedMeasure("the product of classifier (weight) and class means is zero")
    return against_etf(product)


def _scaled(vectors: Tensor) -> Tensor:
    vectors = check_matrix("vectors", vectors).detach()
    if vectors.shape[0] < 2:
        raise ValueError(f"vectors has shape {tuple(vectors.shape)}; vectors must have two rows or more, one a class")
    return vectors / binary_scale(vectors)


def _weight(weight: Tensor, means: Tensor) -> Tensor:
    weight = check_matrix("weight", weight).detach().to(means)
    if weight.shape != means.shape:
        shape = tuple(means.shape)
        raise ValueError(f"weight has shape {tuple(weight.shape)}; weight must have shape {shape}, a row a class")
    if not bool(weight.any()):
        raise UndefinedMeasure("the weights are zero: they have no direction")
    return weight


def _unit(matrix: Tensor) -> Tensor:
    matrix = matrix / binary_scale(matrix)
    norm: Tensor = torch.linalg.matrix_norm(matrix)
    return matrix / norm
