r"""Measures of neural collapse: NC1 to NC4, CDNV, effective rank, Gram matrices; in one pass, sharded or at once.

With :math:`μ_c` the mean of class c, :math:`n_c` its number of samples and N that of all,

.. math::
    Σ_W = \frac1N \sum_c \sum_{i ∈ c} (x_i - μ_c)(x_i - μ_c)^\top, \qquad
    Σ_B = \sum_c w_c (μ_c - μ_G)(μ_c - μ_G)^\top, \qquad μ_G = \sum_c w_c μ_c .

The weights make the difference when classes are not of equal size. ``weighting="classes"`` is :math:`w_c = 1/K`, as
both source papers print it; ``weighting="samples"`` is :math:`w_c = n_c/N`, for which Σ_W + Σ_B is the covariance of
all samples. For balanced classes they agree.

Everything but NC4 and Gram matrices follows from :class:`ClassStatistics`: counts, class means, and squared
deviations *from the class means*. Two such records merge exactly (Chan, Golub and LeVeque 1983); nothing is ever
computed as a difference of large sums, so that the measures keep their relative accuracy as the features collapse.
:class:`NeuralCollapse` is the same as a torchmetrics ``Metric``, whose one state merges over devices.
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torchmetrics import Metric

from numerics.linalg import gram
from numerics.tensors import check_labels, check_matrix

__all__ = [
    "ClassStatistics",
    "CollapseMetrics",
    "NearestClassCenter",
    "NeuralCollapse",
    "cdnv",
    "centred_gram",
    "class_statistics",
    "collapse_metrics",
    "dnc2",
    "effective_rank",
    "nc1",
    "nc1_pinv",
    "nc2",
    "nc2_normalised",
    "nc3",
    "nc4",
    "simplex_etf",
]

Weighting = Literal["classes", "samples"]


@dataclass(frozen=True, eq=False)
class ClassStatistics:
    """Counts, class means and within-class deviations of labelled samples.

    Attributes
    ----------
    counts
        Samples of each class.
    means
        Class means in rows; zero for a class without samples.
    deviations
        Σ ‖x − μ_c‖² over the samples of each class.
    scatter
        Σ (x − μ_y)(x − μ_y)ᵀ over all samples, or None where it was not asked for.
    """

    counts: Float[Tensor, " K"]
    means: Float[Tensor, "K d"]
    deviations: Float[Tensor, " K"]
    scatter: Float[Tensor, "d d"] | None = None

    @property
    def total(self) -> Tensor:
        """Number of samples."""
        return self.counts.sum()

    def merge(self, other: "ClassStatistics") -> "ClassStatistics":
        """The statistics of both sets of samples together.

        Raises
        ------
        ValueError
            If the two differ in classes or features, or only one has the scatter matrix.
        """
        if self.means.shape != other.means.shape or (self.scatter is None) != (other.scatter is None):
            raise ValueError(
                f"statistics do not match: means {tuple(self.means.shape)} and {tuple(other.means.shape)}, "
                f"scatter {self.scatter is not None} and {other.scatter is not None}"
            )
        counts = self.counts + other.counts
        share = other.counts / counts.clamp_min(1.0)
        gap = other.means - self.means
        between = self.counts * share  # n_a n_b / (n_a + n_b)
        scatter = None
        if self.scatter is not None and other.scatter is not None:
            scatter = self.scatter + other.scatter + gram(gap.T * between.sqrt())
        return ClassStatistics(
            counts=counts,
            means=self.means + share[:, None] * gap,
            deviations=self.deviations + other.deviations + between * gap.square().sum(dim=1),
            scatter=scatter,
        )

    def require_samples(self) -> None:
        """Raise ValueError unless every class has a sample."""
        empty = (self.counts == 0).nonzero().flatten().tolist()
        if empty:
            raise ValueError(
                f"classes without a sample: {empty}; every one of the {len(self.counts)} classes needs one"
            )


def _check_classes(num_classes: int) -> int:
    if isinstance(num_classes, bool) or not isinstance(num_classes, int):
        raise TypeError(f"num_classes must be an integer, got {type(num_classes).__name__}")
    if num_classes < 2:
        raise ValueError(f"num_classes must be at least 2 for classes to be told apart, got {num_classes}")
    return num_classes


def _check_weighting(weighting: str) -> None:
    if weighting not in ("classes", "samples"):
        raise ValueError(f"weighting must be 'classes' or 'samples', got {weighting!r}")


def _features(X: Tensor, dtype: torch.dtype) -> Tensor:
    if not isinstance(X, Tensor):
        raise TypeError(f"X must be a torch.Tensor, got {type(X).__name__}")
    if not X.is_floating_point():
        raise ValueError(f"X must be floating point, got dtype {X.dtype}")
    return check_matrix("X", X.detach().to(dtype))


def class_statistics(
    X: Float[Tensor, "N d"],
    y: Int[Tensor, " N"],
    num_classes: int,
    *,
    scatter: bool = False,
    dtype: torch.dtype = torch.float64,
) -> ClassStatistics:
    """The :class:`ClassStatistics` of samples in rows; a class may be missing.

    Parameters
    ----------
    X
        Features of any floating-point dtype.
    y
        Integer labels in 0…num_classes−1.
    scatter
        Whether to keep the d × d scatter matrix, which nc1_pinv and effective_rank need.
    dtype
        In which to compute, float64 unless the device has none.

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
    K = _check_classes(num_classes)
    X = _features(X, dtype)
    labels = check_labels("y", y, samples=X.shape[0], classes=K).to(X.device)
    counts = torch.bincount(labels, minlength=K).to(dtype)
    means = _class_means(X, labels, counts)
    residual = X - means[labels]
    # Rounding of the means leaves the residuals with a mean of their own; taking it out is one step of refinement.
    correction = _class_means(residual, labels, counts)
    means = means + correction
    residual -= correction[labels]
    deviations = torch.zeros(K, dtype=dtype, device=X.device)
    deviations.index_add_(0, labels, residual.square().sum(dim=1))
    return ClassStatistics(counts, means, deviations, gram(residual.T) if scatter else None)


def _class_means(X: Tensor, labels: Tensor, counts: Tensor) -> Tensor:
    sums = X.new_zeros(counts.shape[0], X.shape[1])
    sums.index_add_(0, labels, X)
    return sums / counts.clamp_min(1.0)[:, None]


def _between(statistics: ClassStatistics, weighting: Weighting) -> tuple[Tensor, Tensor]:
    """Class means less the global mean, and the weights."""
    _check_weighting(weighting)
    statistics.require_samples()
    K = statistics.means.shape[0]
    if weighting == "classes":
        weights = torch.full_like(statistics.counts, 1.0 / K)
    else:
        weights = statistics.counts / statistics.total
    return statistics.means - weights @ statistics.means, weights


def nc1(statistics: ClassStatistics, *, weighting: Weighting = "classes") -> Float[Tensor, ""]:
    """NC1 as the trace ratio tr Σ_W / tr Σ_B.

    Raises
    ------
    ValueError
        If a class has no sample, or all class means coincide.

    References
    ----------
    agop, section 3.4 and appendix E.

    Examples
    --------
    >>> X = torch.tensor([[-1.0], [1.0], [9.0], [11.0]])
    >>> nc1(class_statistics(X, torch.tensor([0, 0, 1, 1]), 2)).item()
    0.04
    """
    centred, weights = _between(statistics, weighting)
    between = (weights * centred.square().sum(dim=1)).sum()
    if float(between) == 0.0:
        raise ValueError("all class means coincide: tr Σ_B = 0 and NC1 is not defined")
    return statistics.deviations.sum() / statistics.total / between


def nc1_pinv(statistics: ClassStatistics, *, weighting: Weighting = "classes") -> Float[Tensor, ""]:
    """NC1 as tr(Σ_W Σ_B†) / K; the statistics must hold the scatter matrix.

    The pseudo-inverse keeps the at most K − 1 singular values of the centred class means above max(d, K) machine
    epsilons of the largest.

    References
    ----------
    review, equation (4).
    """
    if statistics.scatter is None:
        raise ValueError("nc1_pinv needs the scatter matrix; make the statistics with scatter=True")
    basis, squares = _between_basis(statistics, weighting)
    within = (basis * (statistics.scatter @ basis)).sum(dim=0) / statistics.total
    return (within / squares).sum() / statistics.means.shape[0]


def _between_basis(statistics: ClassStatistics, weighting: Weighting) -> tuple[Tensor, Tensor]:
    """Eigenvectors and non-zero eigenvalues of Σ_B."""
    centred, weights = _between(statistics, weighting)
    left, values, _ = torch.linalg.svd((centred * weights.sqrt()[:, None]).T, full_matrices=False)
    cutoff = max(centred.shape) * torch.finfo(values.dtype).eps * values[0]
    kept = (values > cutoff) & (torch.arange(len(values), device=values.device) < centred.shape[0] - 1)
    if not bool(kept.any()):
        raise ValueError("all class means coincide: Σ_B = 0 and NC1 is not defined")
    return left[:, kept], values[kept].square()


def simplex_etf(num_classes: int, *, dtype: torch.dtype = torch.float64) -> Float[Tensor, "K K"]:
    """The Gram matrix of the simplex ETF of unit vectors: 1 on the diagonal, −1/(K−1) off it."""
    K = _check_classes(num_classes)
    return (K * torch.eye(K, dtype=dtype) - 1.0) / (K - 1)


def _normalised_means(statistics: ClassStatistics, weighting: Weighting) -> Tensor:
    centred, _ = _between(statistics, weighting)
    norms = torch.linalg.vector_norm(centred, dim=1, keepdim=True)
    if bool((norms == 0).any()):
        at = (norms.flatten() == 0).nonzero().flatten().tolist()
        raise ValueError(f"the means of classes {at} equal the global mean: their direction is not defined")
    means: Tensor = centred / norms
    return means


def nc2(statistics: ClassStatistics, *, weighting: Weighting = "classes") -> Float[Tensor, ""]:
    """NC2 as ‖μ̄ᵀμ̄ − Σ_ETF‖_F, with μ̄ the centred class means scaled to unit length.

    The authors' code plots the square of this over K², and the first version of the paper this over K².

    References
    ----------
    agop, definition 3.2 and appendix E.
    """
    means = _normalised_means(statistics, weighting)
    target = simplex_etf(means.shape[0], dtype=means.dtype).to(means.device)
    distance: Tensor = torch.linalg.matrix_norm(means @ means.T - target)
    return distance


def _against_etf(product: Tensor) -> Tensor:
    K = product.shape[0]
    norm = torch.linalg.matrix_norm(product)
    if float(norm) == 0.0:
        raise ValueError("the product of classifier and class means is zero: its direction is not defined")
    target = simplex_etf(K, dtype=product.dtype).to(product.device) * ((K - 1) ** 0.5 / K)
    distance: Tensor = torch.linalg.matrix_norm(product / norm - target)
    return distance


def nc2_normalised(statistics: ClassStatistics, *, weighting: Weighting = "classes") -> Float[Tensor, ""]:
    """NC2 as the distance of MMᵀ/‖MMᵀ‖_F from the ETF of unit norm, M as in :func:`nc2`.

    References
    ----------
    review, equation (7).
    """
    means = _normalised_means(statistics, weighting)
    return _against_etf(means @ means.T)


def dnc2(statistics: ClassStatistics) -> Float[Tensor, ""]:
    """DNC2 as the condition number σ_1/σ_K of the class means, not centred; infinite if they are dependent.

    References
    ----------
    lowrank, section 6.
    """
    statistics.require_samples()
    K, d = statistics.means.shape
    values: Tensor = torch.linalg.svdvals(statistics.means)
    if d < K or float(values[-1]) <= max(K, d) * torch.finfo(values.dtype).eps * float(values[0]):
        return torch.full_like(values[0], torch.inf)
    return values[0] / values[-1]


def nc3(
    statistics: ClassStatistics, weight: Float[Tensor, "K d"], *, weighting: Weighting = "classes"
) -> Float[Tensor, ""]:
    """NC3, the distance of A Mᵀ/‖A Mᵀ‖_F from the ETF of unit norm: A the last layer's weights, M as in :func:`nc2`.

    References
    ----------
    review, equation (8).
    """
    means = _normalised_means(statistics, weighting)
    weight = check_matrix("weight", weight.detach().to(means))
    if weight.shape != means.shape:
        raise ValueError(f"weight must have shape {tuple(means.shape)}, a row a class, got {tuple(weight.shape)}")
    return _against_etf(weight @ means.T)


def nc4(X: Float[Tensor, "N d"], predictions: Int[Tensor, " N"], means: Float[Tensor, "K d"]) -> Float[Tensor, ""]:
    """NC4, the share of samples whose prediction is not the class of the nearest class mean.

    Parameters
    ----------
    X
        Features.
    predictions
        Classes that the network predicts for them. With the true labels instead this is the error of the
        nearest-class-mean rule.
    means
        Class means in rows.

    References
    ----------
    review, equation (9).
    """
    X = _features(X, means.dtype)
    labels = check_labels("predictions", predictions, samples=X.shape[0], classes=means.shape[0])
    return (nearest_mean(X, means) != labels.to(X.device)).to(X.dtype).mean()


def nearest_mean(X: Float[Tensor, "N d"], means: Float[Tensor, "K d"]) -> Int[Tensor, " N"]:
    """The class whose mean is nearest, the first of equals."""
    check_matrix("means", means, columns=X.shape[1])
    origin = means.mean(dim=0)
    centred = means - origin
    scores = (X - origin) @ centred.T - 0.5 * centred.square().sum(dim=1)
    return scores.argmax(dim=1)


def cdnv(statistics: ClassStatistics) -> Float[Tensor, "K K"]:
    """Class-distance normalised variances (Var_i + Var_j) / (2‖μ_i − μ_j‖²), zero on the diagonal.

    Raises
    ------
    ValueError
        If a class has no sample or two class means coincide.

    References
    ----------
    review, equation (51).
    """
    statistics.require_samples()
    variances = statistics.deviations / statistics.counts
    gaps = torch.cdist(statistics.means, statistics.means, compute_mode="donot_use_mm_for_euclid_dist").square()
    apart = ~torch.eye(len(variances), dtype=torch.bool, device=gaps.device)
    equal = ((gaps == 0) & apart).nonzero().tolist()
    if equal:
        raise ValueError(f"the means of classes {equal[0]} coincide: their CDNV is not defined")
    gaps.fill_diagonal_(1.0)
    return torch.where(apart, (variances[:, None] + variances) / (2.0 * gaps), torch.zeros_like(gaps))


def effective_rank(covariance: Float[Tensor, "d d"]) -> Float[Tensor, ""]:
    """exp of the entropy of the eigenvalues of a PSD matrix, scaled to sum to one.

    It is r for a matrix with r equal eigenvalues, and does not change with scale.

    References
    ----------
    O. Roy and M. Vetterli, The effective rank (2007).

    Examples
    --------
    >>> round(effective_rank(torch.diag(torch.tensor([2.0, 2.0, 0.0], dtype=torch.float64))).item(), 12)
    2.0
    """
    check_matrix("covariance", covariance, columns=covariance.shape[0] if covariance.ndim == 2 else None)
    values = torch.linalg.eigvalsh(covariance).clamp_min(0.0)
    total = values.sum()
    if float(total) == 0.0:
        raise ValueError("covariance is zero: its effective rank is not defined")
    shares = values / total
    return torch.exp(-torch.special.xlogy(shares, shares).sum())


def total_covariance(statistics: ClassStatistics) -> Float[Tensor, "d d"]:
    """Covariance of all samples about their mean; the statistics must hold the scatter matrix."""
    if statistics.scatter is None:
        raise ValueError("the total covariance needs the scatter matrix; make the statistics with scatter=True")
    centred, weights = _between(statistics, "samples")
    return statistics.scatter / statistics.total + gram(centred.T * weights.sqrt())


def centred_gram(X: Float[Tensor, "N d"], *, centre: Float[Tensor, " d"] | None = None) -> Float[Tensor, "N N"]:
    """Cosines of all pairs of samples about the global mean: X̄X̄ᵀ, X̄ the centred samples scaled to unit length.

    A sample at the global mean has no direction and gives a row of zeros.

    Parameters
    ----------
    X
        Samples in rows.
    centre
        The point about which; the mean of X by default.

    References
    ----------
    agop, figure 1.

    Examples
    --------
    >>> centred_gram(torch.tensor([[0.0, 1.0], [0.0, 3.0]])).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    check_matrix("X", X)
    centred = X - (X.mean(dim=0) if centre is None else centre)
    norms = torch.linalg.vector_norm(centred, dim=1, keepdim=True)
    return gram(torch.where(norms > 0, centred / norms.clamp_min(torch.finfo(X.dtype).tiny), centred))


@dataclass(frozen=True)
class CollapseMetrics:
    """The measures of one set of features; ``effective_rank`` is None where it was not asked for."""

    nc1: float
    nc1_pinv: float
    nc2: float
    nc2_normalised: float
    dnc2: float
    cdnv: float
    effective_rank: float | None = None


def collapse_metrics(
    X: Float[Tensor, "N d"],
    y: Int[Tensor, " N"],
    num_classes: int,
    *,
    weighting: Weighting = "classes",
    with_effective_rank: bool = False,
) -> CollapseMetrics:
    """All measures that need features and labels alone, at once.

    Without the effective rank no d × d matrix is made. ``cdnv`` is the mean over pairs of distinct classes.

    Examples
    --------
    >>> X = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    >>> collapse_metrics(X, torch.tensor([0, 0, 1, 1]), 2).nc1
    0.0
    """
    statistics = class_statistics(X, y, num_classes, scatter=with_effective_rank)
    if with_effective_rank:
        return _all_metrics(statistics, weighting)
    basis, squares = _between_basis(statistics, weighting)
    residual = (X.detach().to(basis.dtype) - statistics.means[y.to(X.device)]) @ basis
    pinv = (residual.square().sum(dim=0) / statistics.total / squares).sum() / num_classes
    return _metrics(statistics, weighting, float(pinv), None)


def _all_metrics(statistics: ClassStatistics, weighting: Weighting) -> CollapseMetrics:
    pinv = float(nc1_pinv(statistics, weighting=weighting))
    return _metrics(statistics, weighting, pinv, float(effective_rank(total_covariance(statistics))))


def _metrics(statistics: ClassStatistics, weighting: Weighting, pinv: float, rank: float | None) -> CollapseMetrics:
    K = statistics.means.shape[0]
    return CollapseMetrics(
        nc1=float(nc1(statistics, weighting=weighting)),
        nc1_pinv=pinv,
        nc2=float(nc2(statistics, weighting=weighting)),
        nc2_normalised=float(nc2_normalised(statistics, weighting=weighting)),
        dnc2=float(dnc2(statistics)),
        cdnv=float(cdnv(statistics).sum()) / (K * (K - 1)),
        effective_rank=rank,
    )


# --- in one pass, over devices -----------------------------------------------------------------------------------


def _pack(statistics: ClassStatistics) -> Tensor:
    parts = [statistics.counts, statistics.means.flatten(), statistics.deviations]
    if statistics.scatter is not None:
        parts.append(statistics.scatter.flatten())
    return torch.cat(parts)


def _unpack(state: Tensor, K: int, d: int, scatter: bool) -> ClassStatistics:
    sizes = [K, K * d, K, d * d if scatter else 0]
    counts, means, deviations, rest = torch.split(state, sizes)
    return ClassStatistics(counts, means.view(K, d), deviations, rest.view(d, d) if scatter else None)


@dataclass(frozen=True)
class _Merge:
    """Reduction of stacked states: torchmetrics calls it with those of all processes, or of two shards."""

    K: int
    d: int
    scatter: bool

    def __call__(self, states: Tensor) -> Tensor:
        merged, *others = (_unpack(state, self.K, self.d, self.scatter) for state in states)
        for other in others:
            merged = merged.merge(other)
        return _pack(merged)


class NeuralCollapse(Metric):  # type: ignore[misc]
    """The measures of :func:`collapse_metrics` in one pass over the data, as a torchmetrics metric.

    Memory is K·d + 2K numbers, and d² more for nc1_pinv and the effective rank; it does not grow with the samples.
    The state is one tensor that merges exactly, so ``merge_state``, pickling, and the reduction over processes of
    torch.distributed all give what one pass over everything gives, up to rounding.

    Parameters
    ----------
    num_classes, num_features
        K ≥ 2 and d ≥ 1.
    weighting
        ``"classes"`` or ``"samples"``, see the module.
    scatter
        Whether to keep the d × d scatter matrix.
    dtype
        In which to accumulate, whatever the dtype of the features.
    **kwargs
        Those of torchmetrics.Metric.

    Notes
    -----
    ``update(X, y)`` takes features (N, d) and labels (N,); a batch may lack classes, ``compute()`` may not.
    ``compute()`` returns a dictionary of scalar tensors.

    Examples
    --------
    >>> metric = NeuralCollapse(num_classes=2, num_features=1, scatter=False)
    >>> metric.update(torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 0]))
    >>> metric.update(torch.tensor([[9.0], [11.0]]), torch.tensor([1, 1]))
    >>> metric.compute()["nc1"].item()
    0.04
    """

    full_state_update = False
    is_differentiable = False
    higher_is_better = None
    moments: Tensor

    def __init__(
        self,
        num_classes: int,
        num_features: int,
        *,
        weighting: Weighting = "classes",
        scatter: bool = True,
        dtype: torch.dtype = torch.float64,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_classes = _check_classes(num_classes)
        if isinstance(num_features, bool) or not isinstance(num_features, int) or num_features < 1:
            raise ValueError(f"num_features must be a positive integer, got {num_features!r}")
        _check_weighting(weighting)
        self.num_features = num_features
        self.weighting: Weighting = weighting
        self.scatter = scatter
        self.accumulate_dtype = dtype
        size = 2 * num_classes + num_classes * num_features + (num_features**2 if scatter else 0)
        merge = _Merge(num_classes, num_features, scatter)
        self.add_state("moments", default=torch.zeros(size, dtype=dtype), dist_reduce_fx=merge)

    def statistics(self) -> ClassStatistics:
        """What has been accumulated in this process so far."""
        return _unpack(self.moments, self.num_classes, self.num_features, self.scatter)

    def update(self, X: Float[Tensor, "N d"], y: Int[Tensor, " N"]) -> None:
        """Take in a batch of features and labels."""
        batch = class_statistics(X, y, self.num_classes, scatter=self.scatter, dtype=self.accumulate_dtype)
        if X.shape[1] != self.num_features:
            raise ValueError(f"X must have num_features = {self.num_features} columns, got shape {tuple(X.shape)}")
        self.moments = _pack(self.statistics().merge(batch))

    def compute(self) -> dict[str, Tensor]:
        """The measures of everything taken in."""
        statistics = self.statistics()
        if float(statistics.total) == 0.0:
            raise ValueError("no samples were taken in: call update first")
        K = self.num_classes
        result = {
            "nc1": nc1(statistics, weighting=self.weighting),
            "nc2": nc2(statistics, weighting=self.weighting),
            "nc2_normalised": nc2_normalised(statistics, weighting=self.weighting),
            "dnc2": dnc2(statistics),
            "cdnv": cdnv(statistics).sum() / (K * (K - 1)),
        }
        if self.scatter:
            result["nc1_pinv"] = nc1_pinv(statistics, weighting=self.weighting)
            result["effective_rank"] = effective_rank(total_covariance(statistics))
        return result


class NearestClassCenter(Metric):  # type: ignore[misc]
    """NC4 as a torchmetrics metric: a second pass over the data, against class means from the first.

    Parameters
    ----------
    means
        Class means in rows, such as ``NeuralCollapse.statistics().means``.

    Notes
    -----
    ``update(X, predictions)`` as in :func:`nc4`.
    """

    full_state_update = False
    is_differentiable = False
    higher_is_better = False
    means: Tensor
    mismatches: Tensor
    samples: Tensor

    def __init__(self, means: Float[Tensor, "K d"], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.register_buffer("means", check_matrix("means", means.detach().clone()))
        self.add_state("mismatches", default=torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("samples", default=torch.tensor(0), dist_reduce_fx="sum")

    def update(self, X: Float[Tensor, "N d"], predictions: Int[Tensor, " N"]) -> None:
        """Take in a batch of features and predicted classes."""
        X = _features(X, self.means.dtype)
        labels = check_labels("predictions", predictions, samples=X.shape[0], classes=self.means.shape[0])
        self.mismatches = self.mismatches + (nearest_mean(X, self.means) != labels.to(X.device)).sum()
        self.samples = self.samples + X.shape[0]

    def compute(self) -> Tensor:
        """The share of mismatches."""
        if int(self.samples) == 0:
            raise ValueError("no samples were taken in: call update first")
        return self.mismatches / self.samples
