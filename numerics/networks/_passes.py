"""The two passes over the data: class statistics of every layer, then what needs their final means.

Under torch.distributed each process passes over its own part of the data; results meet between the passes, and a
failure of one process is an error of all, so that none waits for ever.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
import torch.distributed
from jaxtyping import Float
from torch import Tensor, nn

from numerics.metrics import (
    ClassStatistics,
    UndefinedMeasure,
    Weighting,
    between_basis,
    class_statistics,
    nearest_mean,
    within_along,
)
from numerics.networks._forward import hooked, moved
from numerics.networks._layers import Pooling, pooled
from numerics.tensors import check_labels

__all__ = ["Diverged", "Fit", "Plan", "Totals", "first_pass", "second_pass"]


T = TypeVar("T")


class Diverged(ValueError):
    """A network's features, outputs or loss are not finite; the message says where."""


@dataclass(frozen=True)
class Plan:
    """What is measured, and how a batch goes through the network."""

    network: nn.Module
    layers: list[str]
    classifier: str | None
    num_classes: int
    pooling: Mapping[str, Pooling]
    unpack: Callable[[Any], tuple[Any, Tensor]]
    predict: Callable[[Any], Tensor]
    loss: Callable[[Any, Tensor], Tensor] | None
    weighting: Weighting
    scatter_up_to: int
    device: torch.device
    dtype: torch.dtype


@dataclass
class Totals:
    """What the first pass gives: class statistics by layer, and sums over the samples."""

    statistics: dict[str, ClassStatistics] = field(default_factory=dict)
    samples: int = 0
    wrong: int = 0
    loss: float = 0.0

    def merge(self, other: "Totals") -> "Totals":
        """Return the totals of both sets of samples together."""
        statistics = dict(self.statistics)
        for layer, part in other.statistics.items():
            statistics[layer] = statistics[layer].merge(part) if layer in statistics else part
        return Totals(statistics, self.samples + other.samples, self.wrong + other.wrong, self.loss + other.loss)


@dataclass(frozen=True)
class Fit:
    """What the second pass adds for a layer: samples that the nearest mean calls otherwise, and tr(Σ_W Σ_B†)·N."""

    mismatches: int
    within: float | None


def first_pass(plan: Plan, loader: Iterable[Any]) -> tuple[Totals, int]:
    """Return the totals over all processes' samples, and the number of this process's samples.

    Raises
    ------
    Diverged
        If a layer's features, the outputs or the loss are not finite.
    ValueError
        If the loader gives no samples, or what it gives does not fit.
    """
    own = Totals()

    def take(layer: str, X: Tensor, labels: Tensor) -> None:
        scatter = X.shape[1] <= plan.scatter_up_to
        batch = class_statistics(X, labels, plan.num_classes, scatter=scatter, dtype=plan.dtype)
        own.statistics[layer] = own.statistics[layer].merge(batch) if layer in own.statistics else batch

    def close(outputs: Any, predictions: Tensor, labels: Tensor) -> None:
        own.samples += len(labels)
        own.wrong += int((predictions != labels).sum())
        if plan.loss is not None:
            loss = float(plan.loss(outputs, labels))
            if not math.isfinite(loss):
                raise Diverged(f"the loss is {loss}")
            own.loss += loss * len(labels)

    def run() -> Totals:
        _run(plan, loader, take, close)
        parts = {layer: _on(part, torch.device("cpu")) for layer, part in own.statistics.items()}
        return Totals(parts, own.samples, own.wrong, own.loss)

    first, *others = _shared(run)
    for other in others:
        first = first.merge(other)
    if first.samples == 0:
        raise ValueError("loader gives no samples; it must give some, each time that it is gone through")
    return first, own.samples


def second_pass(plan: Plan, loader: Iterable[Any], totals: Totals, samples: int) -> dict[str, Fit]:
    """Return, by layer, what needs the final class means of `totals`.

    Raises
    ------
    ValueError
        If the loader gives another number of samples than in the first pass.
    """
    statistics = {layer: _on(part, plan.device) for layer, part in totals.statistics.items()}
    bases = {layer: _basis(part, plan.weighting) for layer, part in statistics.items()}
    within = {layer: 0.0 for layer, basis in bases.items() if basis is not None}
    mismatches = dict.fromkeys(statistics, 0)
    nearest: dict[str, Tensor] = {}
    seen = 0

    def take(layer: str, X: Tensor, labels: Tensor) -> None:
        X = X.to(plan.dtype)
        nearest[layer] = nearest_mean(X, statistics[layer].means)
        basis = bases[layer]
        if basis is not None:
            columns, squares = basis
            within[layer] += float((within_along(statistics[layer], columns, X, labels) / squares).sum())

    def close(outputs: Any, predictions: Tensor, labels: Tensor) -> None:
        nonlocal seen
        seen += len(labels)
        for layer, chosen in nearest.items():
            mismatches[layer] += int((chosen != predictions).sum())

    def run() -> tuple[dict[str, int], dict[str, float]]:
        _run(plan, loader, take, close)
        if seen != samples:
            raise ValueError(
                f"loader gave {samples} samples and then {seen}; it must give the same each time that it is gone "
                "through, or passes be 1"
            )
        return mismatches, within

    parts = _shared(run)
    return {
        layer: Fit(
            sum(part[0][layer] for part in parts),
            sum(part[1][layer] for part in parts) if layer in within else None,
        )
        for layer in statistics
    }


def _basis(
    statistics: ClassStatistics, weighting: Weighting
) -> tuple[Float[Tensor, "d r"], Float[Tensor, " r"]] | None:
    """Where there is no d × d scatter, the directions along which NC1 needs the samples; None if there are none."""
    if statistics.scaled_scatter is not None:
        return None
    try:
        return between_basis(statistics, weighting)
    except UndefinedMeasure:
        return None


def _run(
    plan: Plan,
    loader: Iterable[Any],
    take: Callable[[str, Tensor, Tensor], None],
    close: Callable[[Any, Tensor, Tensor], None],
) -> None:
    """Pass over the data: `take` gets each layer's features, `close` the outputs of each batch."""
    labels = torch.empty(0)

    def taken(layer: str, value: object) -> None:
        pooling = plan.pooling.get(layer.partition(":")[0], "flatten")
        X = pooled(layer, value, pooling, len(labels))
        if not X.is_floating_point():
            raise ValueError(f"layer {layer!r} gives {X.dtype}; it must give floating-point numbers")
        _finite(f"the features of layer {layer!r}", X)
        with torch.autocast(plan.device.type, enabled=False):
            take(layer, X, labels)

    with hooked(plan.network, plan.layers, plan.classifier, taken) as begin:
        for batch in loader:
            inputs, labels = plan.unpack(batch)
            if labels.numel() == 0:
                continue
            labels = check_labels("loader's labels", labels, samples=labels.numel(), classes=plan.num_classes)
            inputs, labels = moved(inputs, plan.device), labels.to(plan.device)
            _check_inputs(inputs)
            begin()
            outputs = plan.network(**inputs) if isinstance(inputs, Mapping) else plan.network(inputs)
            close(outputs, _predicted(plan, outputs, labels), labels)


def _predicted(plan: Plan, outputs: Any, labels: Tensor) -> Tensor:
    scores = plan.predict(outputs)
    if not isinstance(scores, Tensor) or scores.shape != (len(labels), plan.num_classes):
        given = tuple(scores.shape) if isinstance(scores, Tensor) else f"a {type(scores).__name__}"
        raise ValueError(
            f"model gives {given} for {len(labels)} samples; it must give (samples, num_classes = "
            f"{plan.num_classes}), or predict be a function that makes this of it"
        )
    _finite("the outputs", scores)
    return scores.argmax(dim=1)


def _finite(what: str, values: Tensor) -> None:
    # A finite sum has finite terms; only when it is not (it may overflow) is every entry looked at.
    if not math.isfinite(float(values.detach().sum())) and not bool(torch.isfinite(values).all()):
        raise Diverged(f"{what} contain NaN or infinity")


def _check_inputs(inputs: Any) -> None:
    if isinstance(inputs, Tensor) and inputs.is_floating_point() and not bool(torch.isfinite(inputs).all()):
        raise ValueError("loader gives inputs with NaN or infinity; every entry must be finite")


def _on(statistics: ClassStatistics, device: torch.device) -> ClassStatistics:
    scatter = statistics.scaled_scatter
    return ClassStatistics(
        statistics.counts.to(device),
        statistics.scaled_means.to(device),
        statistics.scaled_deviations.to(device),
        statistics.scale.to(device),
        None if scatter is None else scatter.to(device),
    )


def _shared(function: Callable[[], T]) -> list[T]:
    """Call the function in every process and return all results, in the order of the processes."""
    value, failure = None, None
    try:
        value = function()
    except Exception as error:
        failure = error
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        if failure is not None:
            raise failure
        return [value]  # type: ignore[list-item]
    told = None if failure is None else (isinstance(failure, Diverged), str(failure))
    everyone: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(everyone, (value, told))
    if failure is not None:
        raise failure
    for process, (_, other) in enumerate(everyone):
        if other is not None:
            diverged, message = other
            raise (Diverged if diverged else ValueError)(f"process {process}: {message}")
    return [result for result, _ in everyone]
