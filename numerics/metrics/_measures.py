r"""NC1 to NC4, DNC2 and CDNV as functions of class statistics, each once, for one set of samples or a batch of them.

With μ_c the mean of class c, n_c its number of samples and N that of all,

$$
Σ_W = \frac1N \sum_c \sum_{i ∈ c} (x_i - μ_c)(x_i - μ_c)^\top, \qquad
Σ_B = \sum_c w_c (μ_c - μ_G)(μ_c - μ_G)^\top, \qquad μ_G = \sum_c w_c μ_c .
$$

The weights matter when classes are not of equal size. ``weighting="classes"`` is w_c = 1/K, as both source papers print
it; ``weighting="samples"`` is w_c = n_c/N, for which Σ_W + Σ_B is the covariance of all samples.

Where class means coincide, or one is the global mean, some measures are not defined. Which means coincide is decided
up to rounding (`ClassStatistics.resolution`). A function then raises `UndefinedMeasure` or, with ``undefined="nan"``,
which is of use for batches, gives nan there.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor

from numerics.linalg import gram
from numerics.metrics._spectrum import condition_number, effective_rank, psd_spectrum
from numerics.metrics._statistics import ClassStatistics, check_features
from numerics.scaling import binary_scale, safe_scale, unit_rows
from numerics.tensors import check_labels, check_matrix, check_same_kind, check_tensor
from theory.arguments import LARGEST_SIZE, IntegerLike, check_choice, check_instance, check_integer

__all__ = [
    "UndefinedMeasure",
    "Weighting",
    "against_etf",
    "between_basis",
    "cdnv",
    "centred_means",
    "check_weighting",
    "covariance_effective_rank",
    "dnc2",
    "nc1",
    "nc1_pinv",
    "nc2",
    "nc2_normalised",
    "nc3",
    "nc4",
    "nearest_mean",
    "simplex_etf",
    "total_covariance",
]

Weighting = Literal["classes", "samples"]
Undefined = Literal["raise", "nan"]


class UndefinedMeasure(ValueError):
    """A measure is not defined for these samples; the message says why."""


def check_weighting(weighting: Weighting) -> None:
    """Raise ValueError unless the weighting is one of the two."""
    check_choice("weighting", weighting, ("classes", "samples"))


def nc1(
    statistics: ClassStatistics, *, weighting: Weighting = "classes", undefined: Undefined = "raise"
) -> Float[Tensor, "*batch"]:
    """Return NC1 as the trace ratio tr Σ_W / tr Σ_B, which DNC1 is in every layer.

    Parameters
    ----------
    statistics : ClassStatistics
        Every class needs a sample.
    weighting : {"classes", "samples"}
    undefined : {"raise", "nan"}
        What to do where all class means coincide.

    Returns
    -------
    tensor, shape (...)

    Raises
    ------
    UndefinedMeasure
        If all class means coincide, even if nothing varies within the classes either.
    ValueError
        If a class has no sample.

    References
    ----------
    agop, section 3.4 and appendix E; lowrank, section 6.

    Examples
    --------
    >>> from numerics.metrics import class_statistics
    >>> X = torch.tensor([[-1.0], [1.0], [9.0], [11.0]])
    >>> nc1(class_statistics(X, torch.tensor([0, 0, 1, 1]), 2)).item()
    0.04
    """
    centred, weights = centred_means(statistics, weighting)
    between = (weights * centred.square().sum(-1)).sum(-1)
    ratio = statistics.scaled_deviations.sum(-1) / statistics.total / between
    apart = _norms(centred).amax(-1) > statistics.resolution
    return _where_defined(ratio, apart, "all class means coincide: tr Σ_B = 0 and NC1 is not defined", undefined)


def nc1_pinv(statistics: ClassStatistics, *, weighting: Weighting = "classes") -> Float[Tensor, ""]:
    """Return NC1 as tr(Σ_W Σ_B†) / K; the statistics must hold the scatter matrix.

    The pseudo-inverse keeps the at most K − 1 singular values of the centred class means above max(d, K) machine
    epsilons of the largest, and above the rounding of the means.

    Raises
    ------
    UndefinedMeasure
        If all class means coincide.
    ValueError
        If a class has no sample, or there is no scatter matrix.

    References
    ----------
    review, equation (4).
    """
    check_instance("statistics", statistics, ClassStatistics)
    if statistics.scaled_scatter is None:
        raise ValueError("nc1_pinv needs the scatter matrix; make the statistics with scatter=True")
    basis, squares = between_basis(statistics, weighting)
    within = (basis * (statistics.scaled_scatter @ basis)).sum(dim=0) / statistics.total
    return (within / squares).sum() / statistics.num_classes


def between_basis(
    statistics: ClassStatistics, weighting: Weighting
) -> tuple[Float[Tensor, "d r"], Float[Tensor, " r"]]:
    """Return eigenvectors (in columns) and non-zero eigenvalues of Σ_B, in units of the statistics' scale.

    Raises
    ------
    UndefinedMeasure
        If all class means coincide.
    """
    centred, weights = centred_means(statistics, weighting)
    left, values, _ = torch.linalg.svd((centred * weights.sqrt()[:, None]).T, full_matrices=False)
    cutoff = torch.maximum(max(centred.shape) * torch.finfo(values.dtype).eps * values[0], statistics.resolution)
    kept = (values > cutoff) & (torch.arange(len(values), device=values.device) < centred.shape[0] - 1)
    if not bool(kept.any()):
        raise UndefinedMeasure("all class means coincide: Σ_B = 0 and NC1 is not defined")
    return left[:, kept], values[kept].square()


def simplex_etf(num_classes: IntegerLike, *, dtype: torch.dtype = torch.float64) -> Float[Tensor, "K K"]:
    """Return the Gram matrix of the simplex ETF of K unit vectors: 1 on the diagonal, −1/(K−1) off it.

    Examples
    --------
    >>> simplex_etf(3)[0]
    tensor([ 1.0000, -0.5000, -0.5000], dtype=torch.float64)
    """
    K = check_integer("num_classes", num_classes, at_least=2, at_most=LARGEST_SIZE)
    return (K * torch.eye(K, dtype=dtype) - 1.0) / (K - 1)


def nc2(
    statistics: ClassStatistics, *, weighting: Weighting = "classes", undefined: Undefined = "raise"
) -> Float[Tensor, "*batch"]:
    """Return NC2 as the Frobenius norm of M Mᵀ less the ETF's Gram matrix, M the centred class means of unit length.

    The authors' code plots the square of this over K², and the first version of the paper this over K².

    Raises
    ------
    UndefinedMeasure
        If a class mean is the global mean.

    References
    ----------
    agop, definition 3.2 and appendix E.
    """
    means, defined, reason = _directions(statistics, weighting)
    distance = torch.linalg.matrix_norm(means @ means.mT - _etf_like(means))
    return _where_defined(distance, defined, reason, undefined)


def nc2_normalised(
    statistics: ClassStatistics, *, weighting: Weighting = "classes", undefined: Undefined = "raise"
) -> Float[Tensor, "*batch"]:
    """Return NC2 as the distance of M Mᵀ over its Frobenius norm from the ETF of unit norm, M as in `nc2`.

    Raises
    ------
    UndefinedMeasure
        If a class mean is the global mean.

    References
    ----------
    review, equation (7).
    """
    means, defined, reason = _directions(statistics, weighting)
    return _where_defined(against_etf(means @ means.mT), defined, reason, undefined)


def nc3(
    statistics: ClassStatistics,
    weight: Float[Tensor, "K d"],
    *,
    weighting: Weighting = "classes",
    undefined: Undefined = "raise",
) -> Float[Tensor, "*batch"]:
    """Return NC3, the distance of A Mᵀ over its Frobenius norm from the ETF of unit norm.

    Parameters
    ----------
    statistics : ClassStatistics
        Their centred class means of unit length are M.
    weight : tensor, shape (K, d)
        The last layer's weights A, a row a class.
    weighting : {"classes", "samples"}
    undefined : {"raise", "nan"}
        What to do where the measure is not defined.

    Returns
    -------
    tensor, shape (...)

    Raises
    ------
    UndefinedMeasure
        If a class mean is the global mean, or A Mᵀ = 0.
    ValueError
        If the weights have another shape.

    References
    ----------
    review, equation (8).
    """
    means, defined, reason = _directions(statistics, weighting)
    weight = check_tensor("weight", weight, dimensions=2).detach().to(means)
    if weight.shape != means.shape[-2:]:
        expected = tuple(means.shape[-2:])
        raise ValueError(f"weight has shape {tuple(weight.shape)}; weight must have shape {expected}, a row a class")
    product = (weight / binary_scale(weight)) @ means.mT
    zero = torch.linalg.matrix_norm(product) == 0
    if defined.all():
        defined, reason = (
            ~zero,
            "the product of classifier (weight) and class means is zero: its direction is not defined",
        )
    return _where_defined(against_etf(product), defined & ~zero, reason, undefined)


def dnc2(statistics: ClassStatistics) -> Float[Tensor, "*batch"]:
    """Return DNC2, the condition number σ₁/σ_K of the class means, not centred; infinite if they are dependent.

    A singular value counts as zero up to max(d, K) machine epsilons of the largest, or up to the rounding of the means.

    References
    ----------
    lowrank, section 6.
    """
    check_instance("statistics", statistics, ClassStatistics).require_samples()
    *_, K, d = statistics.scaled_means.shape
    values = torch.linalg.svdvals(statistics.scaled_means)
    values = torch.nn.functional.pad(values, (0, max(0, K - d)))
    zero = max(K, d) * torch.finfo(values.dtype).eps * values[..., 0]
    return condition_number(values, zero=torch.maximum(zero, statistics.resolution))


def cdnv(statistics: ClassStatistics, *, undefined: Undefined = "raise") -> Float[Tensor, "*batch K K"]:
    """Return class-distance normalised variances (Var_i + Var_j) / (2‖μ_i − μ_j‖²), zero on the diagonal.

    Raises
    ------
    UndefinedMeasure
        If two class means coincide.
    ValueError
        If a class has no sample.

    References
    ----------
    review, equation (51).
    """
    check_instance("statistics", statistics, ClassStatistics).require_samples()
    variances = statistics.scaled_deviations / statistics.counts
    means = statistics.scaled_means
    gaps = torch.cdist(means, means, compute_mode="donot_use_mm_for_euclid_dist")
    own = torch.eye(statistics.num_classes, dtype=torch.bool, device=gaps.device)
    apart = own | (gaps > statistics.resolution[..., None, None])
    ratios = (variances[..., :, None] + variances[..., None, :]) / (2.0 * torch.where(own, 1.0, gaps.square()))
    pair = (~apart).nonzero()[:1, -2:].flatten().tolist()
    reason = f"the means of classes {pair} coincide: their CDNV is not defined"
    return _where_defined(torch.where(own, 0.0, ratios), apart, reason, undefined)


def total_covariance(statistics: ClassStatistics) -> Float[Tensor, "d d"]:
    """Return the covariance of all samples about their mean; the statistics must hold the scatter matrix."""
    return _scaled_covariance(statistics) * statistics.scale * statistics.scale


def covariance_effective_rank(statistics: ClassStatistics) -> Float[Tensor, ""]:
    """Return the effective rank of the eigenvalues of the covariance of all samples, 0 if all samples are equal."""
    return effective_rank(psd_spectrum(_scaled_covariance(statistics)))


def nc4(X: Float[Tensor, "N d"], predictions: Integer[Tensor, " N"], means: Float[Tensor, "K d"]) -> Float[Tensor, ""]:
    """Return NC4, the share of samples whose prediction is not the class of the nearest class mean.

    Parameters
    ----------
    X : tensor, shape (N, d)
        Features.
    predictions : tensor of integers, shape (N,)
        Classes that the network predicts for them. With the true labels instead this is the error of the
        nearest-class-mean rule.
    means : tensor, shape (K, d)
        Class means in rows.

    Returns
    -------
    tensor, shape ()

    References
    ----------
    review, equation (9).
    """
    means = check_matrix("means", means)
    X = check_features(X, means.dtype)
    labels = check_labels("predictions", predictions, samples=X.shape[0], classes=means.shape[0])
    return (nearest_mean(X.detach(), means) != labels.to(X.device)).to(X.dtype).mean()


def nearest_mean(X: Float[Tensor, "N d"], means: Float[Tensor, "K d"]) -> Int[Tensor, " N"]:
    """Return the class whose mean is nearest to each sample, the first of equals."""
    X = check_matrix("X", X, detached=True)
    means = check_matrix("means", means, columns=X.shape[1]).detach()
    check_same_kind("means", means, "X", X)
    scale = torch.maximum(safe_scale(X), safe_scale(means))
    origin = (means / scale).mean(dim=0)
    centred = means / scale - origin
    scores = (X / scale - origin) @ centred.T - 0.5 * centred.square().sum(dim=1)
    return scores.argmax(dim=1)


def centred_means(
    statistics: ClassStatistics, weighting: Weighting
) -> tuple[Float[Tensor, "*batch K d"], Float[Tensor, " K"]]:
    """Class means less the global mean, in units of the statistics' scale, and the weights."""
    check_weighting(weighting)
    check_instance("statistics", statistics, ClassStatistics).require_samples()
    if weighting == "classes":
        weights = torch.full_like(statistics.counts, 1.0 / statistics.num_classes)
    else:
        weights = statistics.counts / statistics.total
    means = statistics.scaled_means
    return means - (weights @ means).unsqueeze(-2), weights


def _directions(
    statistics: ClassStatistics, weighting: Weighting
) -> tuple[Float[Tensor, "*batch K d"], Bool[Tensor, "*batch"], str]:
    """Centred class means of unit length, whether all have a direction, and what to say of those that have none."""
    centred, _ = centred_means(statistics, weighting)
    without = _norms(centred) <= statistics.resolution[..., None]
    classes = sorted(set(without.nonzero()[:, -1].tolist()))
    reason = f"the means of classes {classes} equal the global mean: their direction is not defined"
    return unit_rows(centred), ~without.any(-1), reason


def _norms(rows: Float[Tensor, "*batch K d"]) -> Float[Tensor, "*batch K"]:
    norms: Tensor = torch.linalg.vector_norm(rows, dim=-1)
    return norms


def _etf_like(means: Float[Tensor, "*batch K d"]) -> Float[Tensor, "K K"]:
    return simplex_etf(means.shape[-2], dtype=means.dtype).to(means.device)


def against_etf(product: Float[Tensor, "*batch K K"]) -> Float[Tensor, "*batch"]:
    """Return the distance of a K × K matrix over its Frobenius norm from the Gram matrix of the ETF of unit norm."""
    K = product.shape[-1]
    target = _etf_like(product) * ((K - 1) ** 0.5 / K)
    distance: Tensor = torch.linalg.matrix_norm(product / torch.linalg.matrix_norm(product, keepdim=True) - target)
    return distance


def _scaled_covariance(statistics: ClassStatistics) -> Float[Tensor, "d d"]:
    check_instance("statistics", statistics, ClassStatistics)
    if statistics.scaled_scatter is None:
        raise ValueError("the total covariance needs the scatter matrix; make the statistics with scatter=True")
    centred, weights = centred_means(statistics, "samples")
    return statistics.scaled_scatter / statistics.total + gram(centred.T * weights.sqrt())


def _where_defined(
    values: Float[Tensor, "*shape"], defined: Bool[Tensor, "*shape"], reason: str, undefined: Undefined
) -> Float[Tensor, "*shape"]:
    check_choice("undefined", undefined, ("raise", "nan"))
    if undefined == "raise" and not bool(defined.all()):
        raise UndefinedMeasure(reason)
    return torch.where(defined, values, torch.nan)
