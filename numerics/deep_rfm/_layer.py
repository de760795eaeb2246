"""One layer of a deep recursive feature machine: how it is fitted, what it does, and what was measured at it."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from numerics.deep_rfm._measuring import peak_memory, timed
from numerics.deep_rfm._root import AgopRoot, agop_root
from numerics.deep_rfm._settings import Settings
from numerics.kernels import DrawnFeatures, KernelSolution, SingularKernelWarning, solve_kernel
from numerics.metrics import CollapseMetrics, collapse_metrics
from numerics.scaling import unit_rows

__all__ = ["STAGES", "Layer", "LayerRecord", "fit_layer", "warn_if_singular"]

STAGES = ("input", "projected", "features")
"""Where a layer is measured: X, X M^{1/2}, Φ(X M^{1/2})."""


@dataclass(frozen=True, eq=False)
class LayerRecord:
    """What was measured at one layer.

    Attributes
    ----------
    layer : int
        1 for the first.
    metrics : mapping of str to CollapseMetrics
        Measures of collapse at the three `STAGES`; those that are not defined are nan, with the reason.
    spectrum : array, shape (r,)
        Eigenvalues of M, descending.
    condition, shift, residual : float
        Of the kernel regression, see `numerics.kernels.KernelSolution`.
    solver : str
        How it was solved.
    rank : int
        How many eigenvalues were kept.
    seconds : dict
        Of the steps kernel, solve, agop, root, features, metrics.
    peak_memory : int or None
        Bytes: on a GPU the most that torch had allocated during the layer; on the CPU the largest resident set of the
        process so far, None where the system does not tell.
    """

    layer: int
    metrics: Mapping[str, CollapseMetrics]
    spectrum: Float[np.ndarray, " r"] = field(repr=False)
    condition: float
    solver: str
    rank: int
    shift: float
    residual: float
    seconds: dict[str, float]
    peak_memory: int | None


@dataclass(frozen=True, eq=False)
class Layer:
    """What a layer does to points: unit rows, M^{1/2}, random features.

    Parameters
    ----------
    root : AgopRoot
        M^{1/2}.
    features : DrawnFeatures
        The random features.
    """

    root: AgopRoot
    features: DrawnFeatures

    def __call__(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n D"]:
        return self.features(self.root(unit_rows(X)))


def fit_layer(
    settings: Settings,
    number: int,
    seed: int,
    X: Float[Tensor, "n d"],
    labels: Int[Tensor, " n"],
    targets: Float[Tensor, "n K"],
) -> tuple[Layer, LayerRecord, Float[Tensor, "n d"], Float[Tensor, "n D"]]:
    """Fit one layer to points.

    Parameters
    ----------
    settings : Settings
        Those of the machine.
    number : int
        1 for the first.
    seed : int
        Of the feature maps of all layers.
    X : Tensor, shape (n, d)
        The points, as the layer before has left them.
    labels : Tensor, shape (n,)
        Their classes.
    targets : Tensor, shape (n, K)
        What the kernel machine is to give.

    Returns
    -------
    layer : Layer
    record : LayerRecord
    projected : Tensor, shape (n, d)
        The points after M^{1/2}.
    output : Tensor, shape (n, D)
        The points after the features.
    """
    seconds: dict[str, float] = {}
    device = X.device
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    X = unit_rows(X)
    solution = _solve(settings, X, targets, seconds)
    root = _root(settings, X, solution.alpha, seconds)
    with timed(seconds, "features", device):
        features = _draw(settings, number, seed, X)
        projected = root(X)
        output = features(projected)
    with timed(seconds, "metrics", device):
        stages = zip(STAGES, (X, projected, output), strict=True)
        metrics = {stage: collapse_metrics(points, labels, targets.shape[1]) for stage, points in stages}
    record = LayerRecord(
        layer=number,
        metrics=metrics,
        spectrum=root.values.square().flip(0).cpu().numpy(),
        condition=solution.condition,
        solver=solution.method,
        rank=solution.rank,
        shift=solution.shift,
        residual=solution.residual,
        seconds=seconds,
        peak_memory=peak_memory(device),
    )
    return Layer(root, features), record, projected, output


def _solve(settings: Settings, X: Tensor, targets: Tensor, seconds: dict[str, float]) -> KernelSolution:
    with timed(seconds, "kernel", X.device):
        K = settings.kernel(X)
    with timed(seconds, "solve", X.device):
        return solve_kernel(K, targets, ridge=settings.ridge, singular=settings.singular)


def _root(settings: Settings, X: Tensor, alpha: Tensor, seconds: dict[str, float]) -> AgopRoot:
    limit = settings.memory_limit
    root = agop_root(settings.kernel, X, alpha, route=settings.agop_route, memory_limit=limit, timings=seconds)
    return root if settings.agop_scale == "mean" else AgopRoot(root.vectors, root.values * X.shape[0] ** 0.5)


def _draw(settings: Settings, number: int, seed: int, X: Tensor) -> DrawnFeatures:
    """The feature map of a layer: it depends on the seed and the layer's number alone."""
    state = np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0]
    generator = torch.Generator().manual_seed(int(state >> np.uint64(1)))
    return settings.feature_map.draw(X.shape[1], generator, device=X.device, dtype=X.dtype)


def warn_if_singular(records: Sequence[LayerRecord]) -> None:
    """Warn once, if kernel matrices were singular to working precision.

    Parameters
    ----------
    records : sequence of LayerRecord
        Of all layers.

    Warns
    -----
    SingularKernelWarning
        With the layers, how they were solved and the largest residual.
    """
    singular = [record for record in records if record.solver != "cholesky"]
    if singular:
        layers = ", ".join(str(record.layer) for record in singular)
        methods = " and ".join(sorted({record.solver for record in singular}))
        worst = max(record.residual for record in singular)
        warnings.warn(
            f"kernel matrices of layers {layers} are singular to working precision; solved by {methods}, "
            f"largest relative residual {worst:.1e}",
            SingularKernelWarning,
            stacklevel=4,
        )
