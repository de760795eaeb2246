"""All measures of one set of features at once; those that are not defined are nan, with the reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor

from numerics.metrics import _measures as measures
from numerics.metrics._measures import UndefinedMeasure, Weighting
from numerics.metrics._statistics import ClassStatistics, class_statistics
from numerics.tensors import check_labels
from theory.arguments import IntegerLike

__all__ = ["CollapseMetrics", "collapse_metrics", "defined_measures", "within_along"]


@dataclass(frozen=True)
class CollapseMetrics:
    """The measures of one set of features.

    Attributes
    ----------
    nc1, nc1_pinv, nc2, nc2_normalised, dnc2, cdnv : float
        As the functions of these names, `cdnv` as the mean over pairs of distinct classes; nan where not defined.
    effective_rank : float, optional
        Of the eigenvalues of the covariance of all samples; None where it was not asked for.
    undefined : mapping of str to str
        For each measure that is nan, why it is not defined.
    """

    nc1: float
    nc1_pinv: float
    nc2: float
    nc2_normalised: float
    dnc2: float
    cdnv: float
    effective_rank: float | None = None
    undefined: Mapping[str, str] = field(default_factory=dict)


def collapse_metrics(
    X: Float[Tensor, "N d"],
    y: Integer[Tensor, " N"],
    num_classes: IntegerLike,
    *,
    weighting: Weighting = "classes",
    with_effective_rank: bool = False,
) -> CollapseMetrics:
    """Measure collapse in every way that needs features and labels alone.

    A measure that is not defined for these samples, because class means coincide or one is the global mean, is nan, and
    `undefined` says why; the others are not lost. Without the effective rank no d × d matrix is made.

    Parameters
    ----------
    X : tensor, shape (N, d)
        Features of any floating-point dtype and any size; measured in float64.
    y : tensor of integers, shape (N,)
        Labels 0…num_classes−1; every class needs a sample.
    num_classes : int
        K ≥ 2.
    weighting : {"classes", "samples"}
        Whether the classes or the samples weigh the same in the global mean and in Σ_B.
    with_effective_rank : bool
        Whether to compute the effective rank of the covariance.

    Returns
    -------
    CollapseMetrics

    Raises
    ------
    TypeError, ValueError
        If X is not a finite floating-point matrix, labels do not fit, or a class has no sample.

    Examples
    --------
    >>> X = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    >>> collapse_metrics(X, torch.tensor([0, 0, 1, 1]), 2).nc1
    0.0
    >>> xor = collapse_metrics(torch.tensor([[1.0, 1], [-1, -1], [1, -1], [-1, 1]]), torch.tensor([0, 0, 1, 1]), 2)
    >>> xor.nc1, xor.undefined["nc1"]
    (nan, 'all class means coincide: tr Σ_B = 0 and NC1 is not defined')
    """
    statistics = class_statistics(X, y, num_classes, scatter=with_effective_rank)

    def pinv(statistics: ClassStatistics, weighting: Weighting) -> Tensor:
        return _pinv_by_samples(statistics, weighting, X, y)

    values, undefined = defined_measures(statistics, weighting, None if with_effective_rank else pinv)
    return CollapseMetrics(**{name: float(value) for name, value in values.items()}, undefined=undefined)


def defined_measures(
    statistics: ClassStatistics,
    weighting: Weighting,
    pinv: Callable[[ClassStatistics, Weighting], Tensor] | None = None,
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return all measures that the statistics allow, nan where one is not defined, and the reasons.

    Parameters
    ----------
    statistics : ClassStatistics
        With the scatter matrix, `nc1_pinv` and `effective_rank` are among the measures.
    weighting : {"classes", "samples"}
    pinv : callable, optional
        Another way to `nc1_pinv`, from the statistics and the weighting.

    Returns
    -------
    values : dict of str to tensor of shape ()
    undefined : dict of str to str
    """
    K = statistics.num_classes
    wanted: dict[str, Callable[[], Tensor]] = {
        "nc1": lambda: measures.nc1(statistics, weighting=weighting),
        "nc2": lambda: measures.nc2(statistics, weighting=weighting),
        "nc2_normalised": lambda: measures.nc2_normalised(statistics, weighting=weighting),
        "dnc2": lambda: measures.dnc2(statistics),
        "cdnv": lambda: measures.cdnv(statistics).sum() / (K * (K - 1)),
    }
    if pinv is not None:
        wanted["nc1_pinv"] = lambda: pinv(statistics, weighting)
    elif statistics.scaled_scatter is not None:
        wanted["nc1_pinv"] = lambda: measures.nc1_pinv(statistics, weighting=weighting)
    if statistics.scaled_scatter is not None:
        wanted["effective_rank"] = lambda: measures.covariance_effective_rank(statistics)
    values, undefined = {}, {}
    for name, measure in wanted.items():
        try:
            values[name] = measure()
        except UndefinedMeasure as error:
            values[name], undefined[name] = torch.full_like(statistics.total, torch.nan), str(error)
    return values, undefined


def _pinv_by_samples(statistics: ClassStatistics, weighting: Weighting, X: Tensor, y: Tensor) -> Tensor:
    """NC1 as in `measures.nc1_pinv`, from the samples instead of their d × d scatter matrix."""
    basis, squares = measures.between_basis(statistics, weighting)
    labels = check_labels("y", y, samples=X.shape[0], classes=statistics.num_classes).to(X.device)
    within = within_along(statistics, basis, X.detach(), labels)
    return (within / statistics.total / squares).sum() / statistics.num_classes


def within_along(
    statistics: ClassStatistics, basis: Float[Tensor, "d r"], X: Float[Tensor, "N d"], labels: Int[Tensor, " N"]
) -> Float[Tensor, " r"]:
    """Return Σ ⟨x − μ_y, b⟩² over samples for each column b of a basis, in units of the statistics' scale squared."""
    features = X.to(basis.dtype)
    if float(statistics.scale) != 1.0:
        features = features / statistics.scale
    return ((features - statistics.scaled_means[labels]) @ basis).square().sum(dim=0)
