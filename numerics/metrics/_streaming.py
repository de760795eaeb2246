"""The measures in one pass over data of any size, as torchmetrics metrics whose states merge over devices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torchmetrics import Metric

from numerics.metrics._measures import Weighting, check_weighting, nearest_mean
from numerics.metrics._statistics import ClassStatistics, check_features, class_statistics
from numerics.metrics._summary import defined_measures
from numerics.tensors import check_labels, check_matrix
from theory.arguments import LARGEST_SIZE, IntegerLike, check_choice, check_integer

__all__ = ["NearestClassCenter", "NeuralCollapse"]


class _KeepsPrecision(Metric):  # type: ignore[misc]
    """A metric that moves with the module around it, and keeps its dtypes whatever that module is cast to."""

    full_state_update = False
    is_differentiable = False

    def _apply(self, fn: Callable[[Tensor], Tensor], exclude_state: Sequence[str] = "") -> torch.nn.Module:
        def moved(tensor: Tensor) -> Tensor:
            result = fn(tensor)
            return result if result.dtype == tensor.dtype else tensor.to(result.device)

        return super()._apply(moved, exclude_state)  # type: ignore[no-any-return]

    def set_dtype(self, dst_type: str | torch.dtype) -> Metric:
        """Refuse: the precision is chosen when the metric is made."""
        raise ValueError(f"dst_type = {dst_type!r}; {type(self).__name__} keeps the dtype that it was made with")


@dataclass(frozen=True)
class _Layout:
    """How the statistics of K classes in d dimensions lie in one vector, so that a state is one tensor."""

    K: int
    d: int
    scatter: bool

    @property
    def sizes(self) -> list[int]:
        return [self.K, self.K * self.d, self.K, 1, self.d**2 if self.scatter else 0]

    def pack(self, statistics: ClassStatistics) -> Float[Tensor, " size"]:
        scatter = statistics.scaled_scatter
        return torch.cat(
            [
                statistics.counts,
                statistics.scaled_means.flatten(),
                statistics.scaled_deviations,
                statistics.scale.reshape(1),
                statistics.counts.new_empty(0) if scatter is None else scatter.flatten(),
            ]
        )

    def unpack(self, state: Float[Tensor, " size"]) -> ClassStatistics:
        counts, means, deviations, scale, scatter = torch.split(state, self.sizes)
        return ClassStatistics(
            counts,
            means.view(self.K, self.d),
            deviations,
            scale[0],
            scatter.view(self.d, self.d) if self.scatter else None,
        )

    def __call__(self, states: Float[Tensor, "parts size"]) -> Float[Tensor, " size"]:
        """Merge stacked states: torchmetrics calls this with those of all processes, or of two shards."""
        merged, *others = (self.unpack(state) for state in states)
        for other in others:
            merged = merged.merge(other)
        return self.pack(merged)


class NeuralCollapse(_KeepsPrecision):
    """The measures of `collapse_metrics` in one pass over the data, as a torchmetrics metric.

    Memory is K·d + 2K + 1 numbers, and d² more for `nc1_pinv` and the effective rank; it does not grow with the
    samples. The state is one tensor that merges exactly, so ``merge_state``, pickling, and the reduction over processes
    of torch.distributed all give what one pass over everything gives, up to rounding. It keeps its dtype when the
    module around it is cast.

    Parameters
    ----------
    num_classes, num_features : int
        K ≥ 2 and d ≥ 1.
    weighting : {"classes", "samples"}
        Whether the classes or the samples weigh the same in the global mean and in Σ_B.
    scatter : bool
        Whether to keep the d × d scatter matrix.
    dtype : torch.dtype
        In which to accumulate, whatever the dtype of the features.
    **kwargs
        Those of torchmetrics.Metric.

    Attributes
    ----------
    undefined : dict of str to str
        For each measure that the last ``compute()`` gave as nan, why it is not defined.

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

    higher_is_better = None
    moments: Tensor

    def __init__(
        self,
        num_classes: IntegerLike,
        num_features: IntegerLike,
        *,
        weighting: Weighting = "classes",
        scatter: bool = True,
        dtype: torch.dtype = torch.float64,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_classes = check_integer("num_classes", num_classes, at_least=2, at_most=LARGEST_SIZE)
        self.num_features = check_integer("num_features", num_features, at_least=1, at_most=LARGEST_SIZE)
        check_weighting(weighting)
        self.weighting: Weighting = weighting
        self.scatter = scatter
        self.accumulate_dtype = check_choice("dtype", dtype, (torch.float32, torch.float64))
        self.undefined: dict[str, str] = {}
        self.layout = _Layout(self.num_classes, self.num_features, scatter)
        self.add_state("moments", default=torch.zeros(sum(self.layout.sizes), dtype=dtype), dist_reduce_fx=self.layout)

    def statistics(self) -> ClassStatistics:
        """Return what has been accumulated in this process so far."""
        return self.layout.unpack(self.moments)

    def update(self, X: Float[Tensor, "N d"], y: Integer[Tensor, " N"]) -> None:
        """Take in a batch of features and labels."""
        batch = class_statistics(X, y, self.num_classes, scatter=self.scatter, dtype=self.accumulate_dtype)
        if X.shape[1] != self.num_features:
            raise ValueError(f"X has shape {tuple(X.shape)}; X must have num_features = {self.num_features} columns")
        self.moments = self.layout.pack(self.statistics().merge(batch))

    def compute(self) -> dict[str, Tensor]:
        """Return the measures of everything taken in; those that are not defined are nan, see `undefined`."""
        statistics = self.statistics()
        if float(statistics.total) == 0.0:
            raise ValueError("no samples were taken in: call update first")
        values, self.undefined = defined_measures(statistics, self.weighting)
        return values


class NearestClassCenter(_KeepsPrecision):
    """NC4 as a torchmetrics metric: a second pass over the data, against class means from the first.

    Parameters
    ----------
    means : tensor, shape (K, d)
        Class means in rows, such as ``NeuralCollapse.statistics().means``.
    **kwargs
        Those of torchmetrics.Metric.

    Notes
    -----
    ``update(X, predictions)`` as in `nc4`.

    Examples
    --------
    >>> metric = NearestClassCenter(torch.tensor([[0.0], [10.0]]))
    >>> metric.update(torch.tensor([[1.0], [2.0], [9.0]]), torch.tensor([0, 1, 1]))
    >>> print(f"{metric.compute():.3f}")
    0.333
    """

    higher_is_better = False
    means: Tensor
    mismatches: Tensor
    samples: Tensor

    def __init__(self, means: Float[Tensor, "K d"], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.register_buffer("means", check_matrix("means", means).detach().clone())
        self.add_state("mismatches", default=torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("samples", default=torch.tensor(0), dist_reduce_fx="sum")

    def update(self, X: Float[Tensor, "N d"], predictions: Integer[Tensor, " N"]) -> None:
        """Take in a batch of features and predicted classes."""
        X = check_features(X, self.means.dtype)
        labels = check_labels("predictions", predictions, samples=X.shape[0], classes=self.means.shape[0])
        self.mismatches = self.mismatches + (nearest_mean(X, self.means) != labels.to(X.device)).sum()
        self.samples = self.samples + X.shape[0]

    def compute(self) -> Tensor:
        """Return the share of mismatches."""
        if int(self.samples) == 0:
            raise ValueError("no samples were taken in: call update first")
        return self.mismatches.to(self.means.dtype) / self.samples
