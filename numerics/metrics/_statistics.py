"""Counts, class means and deviations from them, from which most measures of neural collapse follow.

Two such records merge exactly (Chan, Golub and LeVeque 1983). Nothing is computed as a difference of large sums, so
that measures keep their relative accuracy as features collapse.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from numerics.linalg import gram
from numerics.scaling import safe_scale
from numerics.tensors import check_labels, check_matrix, check_tensor
from theory.arguments import LARGEST_SIZE, IntegerLike, check_integer

__all__ = ["ClassStatistics", "balanced_statistics", "check_features", "class_means", "class_statistics"]


@dataclass(frozen=True, eq=False)
class ClassStatistics:
    """Counts, class means and within-class deviations of labelled samples, of one set or of a batch of sets.

    Means, deviations and scatter are kept in units of `scale`, a power of two that is 1 unless the samples are
    extremely large or small; the properties `means`, `deviations` and `scatter` give them as they are.

    Attributes
    ----------
    counts : tensor, shape (K,)
        Samples of each class.
    scaled_means : tensor, shape (..., K, d)
        Class means in rows; zero for a class without samples.
    scaled_deviations : tensor, shape (..., K)
        Σ ‖x − μ_c‖² over the samples of each class.
    scale : tensor, shape (...)
        The unit; 0 if there are no samples at all.
    scaled_scatter : tensor, shape (d, d), optional
        Σ (x − μ_y)(x − μ_y)ᵀ over all samples, or None where it was not asked for.
    """

    counts: Float[Tensor, " K"]
    scaled_means: Float[Tensor, "*batch K d"]
    scaled_deviations: Float[Tensor, "*batch K"]
    scale: Float[Tensor, "*batch"]
    scaled_scatter: Float[Tensor, "d d"] | None = None

    @property
    def num_classes(self) -> int:
        """The number of classes K."""
        return self.counts.shape[0]

    @property
    def total(self) -> Float[Tensor, ""]:
        """The number of samples."""
        return self.counts.sum()

    @property
    def means(self) -> Float[Tensor, "*batch K d"]:
        """Class means in rows; zero for a class without samples."""
        return self.scaled_means * self.scale[..., None, None]

    @property
    def deviations(self) -> Float[Tensor, "*batch K"]:
        """Σ ‖x − μ_c‖² over the samples of each class, which overflows where the squares do."""
        return self.scaled_deviations * self.scale[..., None] * self.scale[..., None]

    @property
    def scatter(self) -> Float[Tensor, "d d"] | None:
        """Σ (x − μ_y)(x − μ_y)ᵀ over all samples, which overflows where the squares do."""
        return None if self.scaled_scatter is None else self.scaled_scatter * self.scale * self.scale

    @property
    def resolution(self) -> Float[Tensor, "*batch"]:
        """The distance of class means, in units of `scale`, that may be rounding: 8 machine epsilons of their size."""
        spread = self.scaled_deviations / self.counts.clamp_min(1.0)
        sizes = (self.scaled_means.square().sum(-1) + spread).sqrt()
        return 8.0 * torch.finfo(sizes.dtype).eps * sizes.amax(-1)

    def merge(self, other: "ClassStatistics") -> "ClassStatistics":
        """Return the statistics of both sets of samples together.

        Raises
        ------
        ValueError
            If the two differ in classes or features, or only one has the scatter matrix.
        """
        shapes = [tuple(part.scaled_means.shape) for part in (self, other)]
        scatters = [part.scaled_scatter is not None for part in (self, other)]
        if shapes[0] != shapes[1] or scatters[0] != scatters[1]:
            raise ValueError(f"statistics do not match: means {shapes[0]} and {shapes[1]}, scatter {scatters}")
        scale = torch.maximum(self.scale, other.scale)
        return _pooled(self._in_units_of(scale), other._in_units_of(scale))

    def _in_units_of(self, scale: Tensor) -> "ClassStatistics":
        factor = self.scale / torch.where(scale == 0, torch.ones_like(scale), scale)
        return ClassStatistics(
            self.counts,
            self.scaled_means * factor[..., None, None],
            self.scaled_deviations * factor[..., None].square(),
            scale,
            None if self.scaled_scatter is None else self.scaled_scatter * factor.square(),
        )

    def require_samples(self) -> None:
        """Raise ValueError unless every class has a sample."""
        empty = (self.counts == 0).nonzero().flatten().tolist()
        if empty:
            raise ValueError(
                f"classes without a sample: {empty}; every one of the num_classes = {self.num_classes} needs one"
            )


def _pooled(one: ClassStatistics, other: ClassStatistics) -> ClassStatistics:
    """The statistics of both, which have the same unit."""
    counts = one.counts + other.counts
    share = other.counts / counts.clamp_min(1.0)
    gap = other.scaled_means - one.scaled_means
    between = one.counts * share  # n_a n_b / (n_a + n_b)
    scatter = None
    if one.scaled_scatter is not None and other.scaled_scatter is not None:
        scatter = one.scaled_scatter + other.scaled_scatter + gram(gap.T * between.sqrt())
    return ClassStatistics(
        counts=counts,
        scaled_means=one.scaled_means + share[:, None] * gap,
        scaled_deviations=one.scaled_deviations + other.scaled_deviations + between * gap.square().sum(dim=-1),
        scale=one.scale,
        scaled_scatter=scatter,
    )


def check_features(X: Tensor, dtype: torch.dtype) -> Float[Tensor, "N d"]:
    """Return features of any floating-point dtype as a finite matrix of `dtype`, cut off from the graph of gradients.

    Raises
    ------
    TypeError, ValueError
        If X is no tensor, or not a finite floating-point matrix.
    """
    if not isinstance(X, Tensor):
        raise TypeError(f"X is a {type(X).__name__}; X must be a torch.Tensor")
    if not X.is_floating_point():
        raise ValueError(f"X has dtype {X.dtype}; X must be floating point")
    return check_matrix("X", X.detach().to(dtype))


def class_statistics(
    X: Float[Tensor, "N d"],
    y: Integer[Tensor, " N"],
    num_classes: IntegerLike,
    *,
    scatter: bool = False,
    dtype: torch.dtype = torch.float64,
) -> ClassStatistics:
    """Return the counts, means and deviations of labelled samples in rows; a class may be missing.

    Parameters
    ----------
    X : tensor, shape (N, d)
        Features of any floating-point dtype and of any size; no gradient flows through them.
    y : tensor of integers, shape (N,)
        Labels 0…num_classes−1 of any integer dtype.
    num_classes : int
        K ≥ 2.
    scatter : bool
        Whether to keep the d × d scatter matrix, which `nc1_pinv` and the effective rank of the covariance need.
    dtype : torch.dtype
        In which to compute, float64 unless the device has none; float32 counts exactly up to 2²⁴ samples a class.

    Returns
    -------
    ClassStatistics

    Raises
    ------
    TypeError, ValueError
        If X is not a finite floating-point matrix, labels do not fit, or num_classes < 2.

    Examples
    --------
    >>> X = torch.tensor([[0.0], [2.0], [5.0]])
    >>> class_statistics(X, torch.tensor([0, 0, 1]), 2).deviations.tolist()
    [2.0, 0.0]
    """
    K = check_integer("num_classes", num_classes, at_least=2, at_most=LARGEST_SIZE)
    X = check_features(X, dtype)
    labels = check_labels("y", y, samples=X.shape[0], classes=K).to(X.device)
    scale = safe_scale(X)
    if float(scale) != 1.0:
        X = X / scale
    counts = torch.bincount(labels, minlength=K).to(dtype)
    means = _means(X, labels, counts)
    residual = X - means[labels]
    # Rounding of the means leaves the residuals with a mean of their own; taking it out is one step of refinement.
    correction = _means(residual, labels, counts)
    residual -= correction[labels]
    deviations = torch.zeros(K, dtype=dtype, device=X.device)
    deviations.index_add_(0, labels, residual.square().sum(dim=1))
    return ClassStatistics(counts, means + correction, deviations, scale, gram(residual.T) if scatter else None)


def _means(X: Tensor, labels: Tensor, counts: Tensor) -> Tensor:
    sums = X.new_zeros(counts.shape[0], X.shape[1])
    sums.index_add_(0, labels, X)
    return sums / counts.clamp_min(1.0)[:, None]


def balanced_statistics(features: Float[Tensor, "*batch N d"], num_classes: IntegerLike) -> ClassStatistics:
    """Return the statistics of a batch of sets of samples that come class by class, the same number in each class.

    Parameters
    ----------
    features : tensor, shape (..., N, d)
        Samples in rows: first those of class 0, then those of class 1, and so on. A set that is not finite makes its
        own statistics not finite, and leaves the others.
    num_classes : int
        K ≥ 2, a divisor of N.

    Returns
    -------
    ClassStatistics
        Without the scatter matrix.

    Raises
    ------
    TypeError, ValueError
        If N is no multiple of K, or the features are no floating-point tensor.

    Examples
    --------
    >>> balanced_statistics(torch.tensor([[1.0], [3.0], [5.0], [7.0]]), 2).deviations
    tensor([2., 2.])
    """
    K = check_integer("num_classes", num_classes, at_least=2, at_most=LARGEST_SIZE)
    features = check_tensor("features", features, dimensions=2, finite=False).detach()
    scale = safe_scale(features, dim=(-2, -1))
    features = features / scale[..., None, None]
    means = class_means(features, K)
    residual = _by_class(features, K) - means.unsqueeze(-2)
    counts = features.new_full((K,), features.shape[-2] // K)
    return ClassStatistics(counts, means, residual.square().sum((-2, -1)), scale)


def class_means(features: Float[Tensor, "*batch N d"], num_classes: IntegerLike) -> Float[Tensor, "*batch K d"]:
    """Return the mean of each class, of samples that come class by class, the same number in each class.

    Parameters
    ----------
    features : tensor, shape (..., N, d)
        Samples in rows.
    num_classes : int
        K, a divisor of N.

    Returns
    -------
    tensor, shape (..., K, d)

    Raises
    ------
    TypeError, ValueError
        If N is no multiple of K, or the features are no floating-point tensor.

    Examples
    --------
    >>> class_means(torch.tensor([[1.0], [3.0], [5.0], [5.0]]), 2).flatten()
    tensor([2., 5.])
    """
    K = check_integer("num_classes", num_classes, at_least=1, at_most=LARGEST_SIZE)
    features = check_tensor("features", features, dimensions=2, finite=False)
    scale = safe_scale(features, dim=(-2, -1))[..., None, None]
    return _by_class(features / scale, K).mean(-2) * scale


def _by_class(features: Float[Tensor, "*batch N d"], K: int) -> Float[Tensor, "*batch K n d"]:
    *batch, N, d = features.shape
    if N == 0 or N % K:
        raise ValueError(f"features has {N} rows; features must have a multiple of num_classes = {K}")
    return features.reshape(*batch, K, N // K, d)
