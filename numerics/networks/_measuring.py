"""The measures of one layer from its class statistics, under the conventions chosen."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from numerics import metrics
from numerics.metrics import ClassStatistics, UndefinedMeasure, Weighting
from numerics.networks._history import LayerCollapse
from numerics.networks._passes import Fit

__all__ = ["Conventions", "measure_layer"]


@dataclass(frozen=True)
class Conventions:
    """In what codes that measure collapse differ; see `CollapseMonitor`."""

    weighting: Weighting = "classes"
    divisor: Literal["N", "KN"] = "N"
    means: Literal["unit", "scaled"] = "unit"


def measure_layer(
    statistics: ClassStatistics,
    fit: Fit | None,
    weight: Tensor | None,
    samples: int,
    conventions: Conventions,
) -> LayerCollapse:
    """Return all measures of a layer.

    Parameters
    ----------
    statistics : ClassStatistics
        Every class has a sample.
    fit : Fit or None
        What the second pass found, if there was one.
    weight : tensor, shape (K, d), optional
        The classifier's weights, if the features are what enters it.
    samples : int
        N.
    conventions : Conventions

    Returns
    -------
    LayerCollapse
    """
    K = statistics.num_classes
    width = statistics.scaled_means.shape[1]
    scatter = statistics.scaled_scatter is not None
    within = None if fit is None else fit.within

    def pinv(_: ClassStatistics, weighting: Weighting) -> Tensor:
        if scatter:
            return metrics.nc1_pinv(statistics, weighting=weighting)
        if within is None and fit is not None:
            raise UndefinedMeasure("all class means coincide: Σ_B = 0 and NC1 is not defined")
        if within is None:
            raise UndefinedMeasure(f"the layer has {width} features, too many for one pass; it takes passes = 2")
        return statistics.counts.new_tensor(within / samples / K)

    found, undefined = metrics.defined_measures(replace(statistics, scaled_scatter=None), conventions.weighting, pinv)
    values = {name: float(value) for name, value in found.items()}
    for name, measure in _further(statistics, weight, conventions).items():
        try:
            values[name] = float(measure())
        except UndefinedMeasure as error:
            values[name], undefined[name] = math.nan, str(error)
    if conventions.divisor == "KN":
        values |= {name: values[name] / K for name in ("nc1", "nc1_pinv")}
    if not scatter:
        reason = f"the layer has {width} features, too many for its covariance; see scatter_up_to"
        values |= dict.fromkeys(("rank", "effective_rank"), math.nan)
        undefined |= dict.fromkeys(("rank", "effective_rank"), reason)
    if fit is not None:
        values["nc4"] = fit.mismatches / samples
    return LayerCollapse(width, values, undefined)


def _further(
    statistics: ClassStatistics, weight: Tensor | None, conventions: Conventions
) -> dict[str, Callable[[], Tensor | int]]:
    weighting, unit = conventions.weighting, conventions.means == "unit"
    spectrum = torch.linalg.svdvals(statistics.scaled_means)
    wanted: dict[str, Callable[[], Tensor | int]] = {
        "equinorm": lambda: metrics.equinorm(_centred(statistics, weighting)),
        "equiangularity": lambda: metrics.equiangularity(_centred(statistics, weighting)),
        "rank_of_means": lambda: metrics.rank(spectrum),
        "effective_rank_of_means": lambda: metrics.effective_rank(spectrum),
    }
    if statistics.scaled_scatter is not None:
        covariance = metrics.total_covariance(replace(statistics, scale=torch.ones_like(statistics.scale)))
        eigenvalues = metrics.psd_spectrum(covariance)
        wanted["rank"] = lambda: metrics.rank(eigenvalues.sqrt())
        wanted["effective_rank"] = lambda: metrics.effective_rank(eigenvalues)
    if not unit:
        wanted["nc2_normalised"] = lambda: metrics.gram_to_etf(statistics, weighting=weighting)
    if weight is not None:
        nc3 = metrics.nc3 if unit else metrics.gram_to_etf
        wanted["nc3"] = lambda: nc3(statistics, weight, weighting=weighting)
        wanted["self_duality"] = lambda: metrics.self_duality(statistics, weight, weighting=weighting)
    return wanted


def _centred(statistics: ClassStatistics, weighting: Weighting) -> Tensor:
    """Centred class means, zero where a mean is the global one up to rounding."""
    means, _ = metrics.centred_means(statistics, weighting)
    norms = torch.linalg.vector_norm(means, dim=-1, keepdim=True)
    return torch.where(norms > statistics.resolution, means, torch.zeros_like(means))
