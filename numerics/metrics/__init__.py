"""Measures of neural collapse: NC1 to NC4, DNC, CDNV, ranks and Gram matrices; at once, in batches, or in one pass."""

from numerics.metrics._frame import equiangularity, equinorm, gram_to_etf, self_duality
from numerics.metrics._gram import centred_gram
from numerics.metrics._measures import (
    UndefinedMeasure,
    Weighting,
    between_basis,
    cdnv,
    centred_means,
    covariance_effective_rank,
    dnc2,
    nc1,
    nc1_pinv,
    nc2,
    nc2_normalised,
    nc3,
    nc4,
    nearest_mean,
    simplex_etf,
    total_covariance,
)
from numerics.metrics._spectrum import condition_number, effective_rank, psd_spectrum, rank
from numerics.metrics._statistics import ClassStatistics, balanced_statistics, class_means, class_statistics
from numerics.metrics._streaming import NearestClassCenter, NeuralCollapse
from numerics.metrics._summary import CollapseMetrics, collapse_metrics, defined_measures, within_along

__all__ = [
    "ClassStatistics",
    "CollapseMetrics",
    "NearestClassCenter",
    "NeuralCollapse",
    "UndefinedMeasure",
    "Weighting",
    "balanced_statistics",
    "between_basis",
    "cdnv",
    "centred_gram",
    "centred_means",
    "class_means",
    "class_statistics",
    "collapse_metrics",
    "condition_number",
    "covariance_effective_rank",
    "defined_measures",
    "dnc2",
    "effective_rank",
    "equiangularity",
    "equinorm",
    "gram_to_etf",
    "nc1",
    "nc1_pinv",
    "nc2",
    "nc2_normalised",
    "nc3",
    "nc4",
    "nearest_mean",
    "psd_spectrum",
    "rank",
    "self_duality",
    "simplex_etf",
    "total_covariance",
    "within_along",
]
