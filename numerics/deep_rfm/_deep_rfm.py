r"""Deep recursive feature machines: a network built layer by layer from the AGOP of a kernel machine.

For l = 1, …, depth (Algorithm 1 of the paper, samples in rows):

1. scale every row of X_l to unit length;
2. solve (k(X_l, X_l) + ridge·I) α_l = Y;
3. M_l = AGOP of x ↦ k(x, X_l) α_l over X_l;
4. X_{l+1} = Φ_l(X_l M_l^{1/2}), with Φ_l a random feature map that is not trained;

and at the end rows are scaled once more and coefficients learned for prediction.

:class:`DeepRFM` keeps, for every layer, the measures of collapse of X_l, X_l M_l^{1/2} and Φ_l(X_l M_l^{1/2}), the
spectrum of M_l, the condition number of the kernel matrix and how it was solved, and the time each step took.
"""

import hashlib
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from numerics.agop import kernel_agop
from numerics.kernels import (
    CosineFeatures,
    DrawnFeatures,
    FeatureMap,
    Gaussian,
    Kernel,
    Laplace,
    Linear,
    Linearised,
    ReLUFeatures,
    SingularKernelWarning,
    solve_kernel,
)
from numerics.linalg import psd_eigh, row_squares
from numerics.metrics import CollapseMetrics, centred_gram, collapse_metrics
from numerics.tensors import check_device
from theory.arguments import check_real

__all__ = ["STAGES", "AgopRoot", "DeepRFM", "LayerRecord", "agop_root"]

STAGES = ("input", "projected", "features")
"""Where a layer is measured: X, X M^{1/2}, Φ(X M^{1/2})."""

_KERNELS: dict[str, type[Kernel]] = {cls.__name__: cls for cls in (Laplace, Gaussian, Linear, Linearised)}
_MAPS: dict[str, type[FeatureMap]] = {cls.__name__: cls for cls in (ReLUFeatures, CosineFeatures)}


@dataclass(frozen=True, eq=False)
class AgopRoot:
    """M^{1/2} as V diag(values) Vᵀ, V with orthonormal columns; at most as many as samples or features."""

    vectors: Float[Tensor, "d r"]
    values: Float[Tensor, " r"]

    @cached_property
    def matrix(self) -> Float[Tensor, "d d"]:
        """M^{1/2} itself."""
        return (self.vectors * self.values) @ self.vectors.T

    def __call__(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        d, r = self.vectors.shape
        return X @ self.matrix if 2 * r > d else ((X @ self.vectors) * self.values) @ self.vectors.T


def agop_root(
    kernel: Kernel,
    X: Float[Tensor, "n d"],
    alpha: Float[Tensor, "n c"],
    *,
    route: Literal["auto", "features", "samples"] = "auto",
    memory_limit: int | None = None,
    timings: dict[str, float] | None = None,
) -> AgopRoot:
    """The square root of the AGOP of a kernel machine, by the cheaper of the d × d and the n × n eigenproblem.

    Parameters
    ----------
    kernel, X, alpha, route, memory_limit
        As for :func:`numerics.agop.kernel_agop`; the kernel without a Mahalanobis matrix.
    timings
        If given, the seconds of the steps "agop" and "root" are added to it.

    Notes
    -----
    The kernels here see points through their distances or inner products alone, so gradients lie in the span of the
    points. With n < d both the AGOP and its root are computed in n coordinates on an orthonormal basis of that span.
    """
    if kernel.M is not None:
        raise ValueError("kernel must have no Mahalanobis matrix M: M^{1/2} is what is being computed")
    timings = {} if timings is None else timings
    n, d = X.shape
    if n < d:
        with _timed(timings, "root", X.device):
            basis = torch.linalg.qr(X.T).Q
            X = X @ basis
    with _timed(timings, "agop", X.device):
        M = kernel_agop(kernel, X, alpha, route=route, memory_limit=memory_limit)
    with _timed(timings, "root", X.device):
        values, vectors = psd_eigh(M)
        if n < d:
            vectors = basis @ vectors
        return AgopRoot(vectors, values.sqrt())


@contextmanager
def _timed(timings: dict[str, float], name: str, device: torch.device) -> Iterator[None]:
    """Add the seconds that the block takes to an entry, with the device's work done."""
    start = _now(device)
    yield
    timings[name] = timings.get(name, 0.0) + _now(device) - start


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


@dataclass(frozen=True, eq=False)
class LayerRecord:
    """What was measured at one layer.

    Attributes
    ----------
    layer
        1 for the first.
    metrics
        Measures of collapse at the three :data:`STAGES`.
    spectrum
        Eigenvalues of M, descending.
    condition, solver, rank, shift, residual
        Of the kernel regression, see :class:`numerics.kernels.KernelSolution`.
    seconds
        Of the steps kernel, solve, agop, root, features, metrics.
    peak_memory
        Bytes: on a GPU the most that torch had allocated during the layer; on the CPU the largest resident set of the
        process so far.
    """

    layer: int
    metrics: dict[str, CollapseMetrics]
    spectrum: Float[np.ndarray, " r"] = field(repr=False)
    condition: float
    solver: str
    rank: int
    shift: float
    residual: float
    seconds: dict[str, float]
    peak_memory: int


@dataclass(frozen=True, eq=False)
class _Layer:
    root: AgopRoot
    features: DrawnFeatures

    def __call__(self, X: Tensor) -> Tensor:
        return self.features(self.root(_unit_rows(X)))


def _unit_rows(X: Tensor) -> Tensor:
    """Rows scaled to unit length; a zero row, which has no direction, stays zero."""
    norms = row_squares(X).sqrt_()
    return X / torch.where(norms > 0, norms, torch.ones_like(norms))[:, None]


class DeepRFM(ClassifierMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Deep recursive feature machine, as a scikit-learn classifier and transformer.

    Parameters
    ----------
    depth
        Number of layers L ≥ 1.
    kernel
        Kernel of the machines, without Mahalanobis matrix; ``Laplace(2.0)`` by default.
    feature_map
        Random features Φ; ``ReLUFeatures(1024)`` by default.
    ridge
        γ ≥ 0; 0 interpolates.
    targets
        ``"signed"``: +1 for the class and −1 for others, as in the paper; ``"onehot"``: 1 and 0.
    agop_scale
        ``"mean"``: M averages over samples, as the paper defines the AGOP; ``"sum"``: M sums over them, as its
        Algorithm 1 prints. ReLU features do not feel the difference, as rows are scaled; cosine features do.
    agop_route, memory_limit
        See :func:`numerics.agop.kernel_agop`.
    singular
        What to do when a kernel matrix is singular to working precision, see :mod:`numerics.kernels`.
    grams
        Layers whose Gram matrix is kept, as in Figure 1 of the paper: for 1 of the (scaled) data, for l ≥ 2 of the data
        that layer l − 1 has projected, each centred and scaled to unit length.
    gram_samples
        Most samples that a Gram matrix has; beyond, it takes samples at even steps. They are ordered by class.
    device, dtype
        Where and in what to compute; float64 by default, since collapse goes on far below float32's resolution.
    random_state
        Seed of the feature maps. A layer's map depends on the seed and its number alone.
    warm_start
        Whether ``fit`` continues from the layers that are already there, on the same data, up to ``depth``.
    callback
        Called after every layer with this estimator and its new :class:`LayerRecord`. If it, or the user, interrupts,
        the layers done stay, and ``fit`` with ``warm_start`` takes up from there.

    Attributes
    ----------
    records_
        One :class:`LayerRecord` a layer.
    grams_
        Gram matrices by layer, and ``gram_index_`` the samples they are of.
    classes_, n_features_in_, seed_, coef_
        As usual; ``coef_`` are the coefficients of the last machine.

    Warns
    -----
    SingularKernelWarning
        Once a fit, if kernel matrices were singular to working precision.

    References
    ----------
    agop, Algorithm 1 and appendix D.

    Examples
    --------
    >>> X, y = np.random.default_rng(0).normal(size=(40, 5)), np.arange(40) % 2
    >>> X[y == 1] += 1.0
    >>> model = DeepRFM(depth=2, feature_map=ReLUFeatures(64), random_state=0).fit(X, y)
    >>> model.transform(X).shape
    (40, 64)
    >>> model.score(X, y)
    1.0
    """

    def __init__(
        self,
        depth: int = 5,
        *,
        kernel: Kernel | None = None,
        feature_map: FeatureMap | None = None,
        ridge: float = 0.0,
        targets: Literal["signed", "onehot"] = "signed",
        agop_scale: Literal["mean", "sum"] = "mean",
        agop_route: Literal["auto", "features", "samples"] = "auto",
        memory_limit: int | None = None,
        singular: Literal["auto", "pinv", "jitter"] = "auto",
        grams: tuple[int, ...] = (),
        gram_samples: int = 2000,
        device: str | torch.device = "cpu",
        dtype: str | torch.dtype = "float64",
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
        callback: Callable[["DeepRFM", LayerRecord], None] | None = None,
    ) -> None:
        self.depth = depth
        self.kernel = kernel
        self.feature_map = feature_map
        self.ridge = ridge
        self.targets = targets
        self.agop_scale = agop_scale
        self.agop_route = agop_route
        self.memory_limit = memory_limit
        self.singular = singular
        self.grams = grams
        self.gram_samples = gram_samples
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.warm_start = warm_start
        self.callback = callback

    # --- fitting -------------------------------------------------------------------------------------------------

    def fit(self, X: Float[np.ndarray, "n d"], y: Any) -> "DeepRFM":
        """Build the layers on samples X, in rows, with labels y of any kind.

        Rows are scaled to unit length, so that one feature alone says nothing: X needs two or more.
        """
        self._check_parameters()
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2, ensure_min_features=2)
        check_classification_targets(y)
        classes, labels = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"y must hold at least two classes, got {len(classes)} class: {classes[0]!r}")
        self._start(classes, hashlib.sha256(np.ascontiguousarray(X).tobytes() + labels.tobytes()).hexdigest())
        points = self._to_device(X)
        index = torch.as_tensor(labels, dtype=torch.int64, device=points.device)
        self._fit(points, index)
        return self

    def _start(self, classes: Any, digest: str) -> None:
        """Forget everything, or check that the layers there can be continued."""
        if self.warm_start and hasattr(self, "layers_"):
            if not np.array_equal(self.classes_, classes):
                raise ValueError(f"warm_start needs the classes fitted before, {self.classes_!r}; got {classes!r}")
            if self.digest_ != digest:
                raise ValueError("warm_start needs the samples and labels fitted before; X or y differ from them")
            if len(self.layers_) > self.depth:
                raise ValueError(
                    f"depth = {self.depth} but {len(self.layers_)} layers are fitted; warm_start cannot remove"
                )
            return
        self.classes_: np.ndarray = classes
        self.digest_: str = digest
        self.seed_ = self.seed_of(self.random_state)
        self.layers_: list[_Layer] = []
        self.records_: list[LayerRecord] = []
        self.grams_: dict[int, np.ndarray] = {}

    @staticmethod
    def seed_of(random_state: int | np.random.RandomState | None) -> int:
        """The seed of the feature maps that a ``random_state`` stands for."""
        return int(check_random_state(random_state).randint(2**31 - 1))

    def _fit(self, X: Tensor, labels: Tensor) -> None:
        for stale in ("coef_", "train_"):  # of fewer layers, should the fit be interrupted
            self.__dict__.pop(stale, None)
        targets = self._targets(labels)
        self.gram_index_ = self._gram_index(labels)
        for layer in self.layers_:
            X = layer(X)
        if not self.layers_:
            self._keep_gram(1, _unit_rows(X))
        while len(self.layers_) < self.depth:
            X = self._add_layer(X, labels, targets)
            if self.callback is not None:
                self.callback(self, self.records_[-1])
        self.train_ = _unit_rows(X)
        solution = solve_kernel(self._kernel()(self.train_), targets, ridge=self.ridge, singular=self.singular)
        self.coef_ = solution.alpha
        self._warn_if_singular()

    def _add_layer(self, X: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
        """Fit one layer to X, keep it and its record, and return its output."""
        number = len(self.layers_) + 1
        seconds: dict[str, float] = {}
        device = X.device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        kernel = self._kernel()
        X = _unit_rows(X)
        with _timed(seconds, "kernel", device):
            K = kernel(X)
        with _timed(seconds, "solve", device):
            solution = solve_kernel(K, targets, ridge=self.ridge, singular=self.singular)
        del K
        root = agop_root(
            kernel, X, solution.alpha, route=self.agop_route, memory_limit=self.memory_limit, timings=seconds
        )
        if self.agop_scale == "sum":
            root = AgopRoot(root.vectors, root.values * X.shape[0] ** 0.5)
        with _timed(seconds, "features", device):
            features = self._draw(number, X)
            projected = root(X)
            output = features(projected)
        with _timed(seconds, "metrics", device):
            stages = zip(STAGES, (X, projected, output), strict=True)
            metrics = {stage: collapse_metrics(points, labels, len(self.classes_)) for stage, points in stages}
        self._keep_gram(number + 1, projected)
        self.layers_.append(_Layer(root, features))
        self.records_.append(
            LayerRecord(
                layer=number,
                metrics=metrics,
                spectrum=root.values.square().flip(0).cpu().numpy(),
                condition=solution.condition,
                solver=solution.method,
                rank=solution.rank,
                shift=solution.shift,
                residual=solution.residual,
                seconds=seconds,
                peak_memory=_peak_memory(device),
            )
        )
        return output

    def _draw(self, number: int, X: Tensor) -> DrawnFeatures:
        state = np.random.SeedSequence([self.seed_, number]).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(state >> np.uint64(1)))
        return self._feature_map().draw(X.shape[1], generator, device=X.device, dtype=X.dtype)

    def _targets(self, labels: Int[Tensor, " n"]) -> Float[Tensor, "n K"]:
        onehot = torch.nn.functional.one_hot(labels, len(self.classes_)).to(self._torch_dtype())
        return onehot if self.targets == "onehot" else 2.0 * onehot - 1.0

    def _gram_index(self, labels: Tensor) -> np.ndarray:
        order: np.ndarray = torch.argsort(labels, stable=True).cpu().numpy()
        if len(order) <= self.gram_samples:
            return order
        steps = np.linspace(0, len(order) - 1, self.gram_samples).round().astype(int)
        return np.asarray(order[steps])

    def _keep_gram(self, number: int, X: Tensor) -> None:
        if number in self.grams:
            rows = torch.as_tensor(self.gram_index_, device=X.device)
            self.grams_[number] = centred_gram(X[rows], centre=X.mean(dim=0)).float().cpu().numpy()

    def _warn_if_singular(self) -> None:
        singular = [record for record in self.records_ if record.solver != "cholesky"]
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

    # --- using ---------------------------------------------------------------------------------------------------

    def _represent(self, X: Any, depth: int | None = None) -> Tensor:
        """What the first ``depth`` layers (all) make of samples, rows of unit length."""
        check_is_fitted(self, "coef_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        points = self._to_device(X)
        for layer in self.layers_[:depth]:
            points = layer(points)
        return _unit_rows(points)

    def transform(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m D"]:
        """The representation after the last layer, rows of unit length: what the last machine sees."""
        return self._represent(X).cpu().numpy()

    def project(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m D"]:
        """The last layer's input after M^{1/2}, where collapse is at its furthest: its stage "projected"."""
        points = self._represent(X, len(self.layers_) - 1)
        return self.layers_[-1].root(points).cpu().numpy()

    def decision_function(self, X: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m K"]:
        """Outputs of the last machine, a column a class; for two classes the second's less the first's, halved."""
        scores = (self._kernel()(self._represent(X), self.train_) @ self.coef_).cpu().numpy()
        return 0.5 * (scores[:, 1] - scores[:, 0]) if len(self.classes_) == 2 else scores

    def predict(self, X: Float[np.ndarray, "m d"]) -> Any:
        """The class of the largest output."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return self.classes_[(scores > 0).astype(int)]
        return self.classes_[scores.argmax(axis=1)]

    # --- parameters ----------------------------------------------------------------------------------------------

    def _kernel(self) -> Kernel:
        return Laplace(2.0) if self.kernel is None else self.kernel

    def _feature_map(self) -> FeatureMap:
        return ReLUFeatures(1024) if self.feature_map is None else self.feature_map

    def _torch_device(self) -> torch.device:
        return check_device(self.device)

    def _torch_dtype(self) -> torch.dtype:
        dtype = getattr(torch, self.dtype, None) if isinstance(self.dtype, str) else self.dtype
        if dtype not in (torch.float32, torch.float64):
            raise ValueError(f"dtype must be 'float32' or 'float64', got {self.dtype!r}")
        return dtype

    def _to_device(self, X: np.ndarray) -> Tensor:
        return torch.as_tensor(np.require(X, requirements="W")).to(self._torch_device(), self._torch_dtype())

    def _check_parameters(self) -> None:
        if isinstance(self.depth, bool) or not isinstance(self.depth, int | np.integer):
            raise TypeError(f"depth must be an integer, got {type(self.depth).__name__}")
        if self.depth < 1:
            raise ValueError(f"depth must be at least 1, got {self.depth}")
        if not isinstance(self._kernel(), Kernel):
            raise TypeError(f"kernel must be a kernel of numerics.kernels, got {type(self.kernel).__name__}")
        if self._kernel().M is not None:
            raise ValueError("kernel must have no Mahalanobis matrix M: each layer has its own")
        if not isinstance(self._feature_map(), FeatureMap):
            raise TypeError(f"feature_map must be one of numerics.kernels, got {type(self.feature_map).__name__}")
        check_real("ridge", self.ridge, at_least=0.0)
        allowed = {
            "targets": ("signed", "onehot"),
            "agop_scale": ("mean", "sum"),
            "agop_route": ("auto", "features", "samples"),
            "singular": ("auto", "pinv", "jitter"),
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise ValueError(f"{name} must be one of {', '.join(values)}; got {getattr(self, name)!r}")
        beyond = [layer for layer in self.grams if not 1 <= layer <= self.depth + 1]
        if beyond:
            raise ValueError(f"grams must name layers in 1…{self.depth + 1}, got {beyond}")
        self._torch_device()
        self._torch_dtype()

    # --- on disk -------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the layers done so far to a file that :meth:`load` reads; an interrupted write leaves the old file.

        The device, the callback and ``warm_start`` are not kept.
        """
        if not getattr(self, "layers_", None):
            raise ValueError("there are no layers to save: call fit first")
        state = {
            "format": 1,
            "parameters": self._plain_parameters(),
            "classes": self.classes_.tolist(),
            "features_in": self.n_features_in_,
            "seed": self.seed_,
            "digest": self.digest_,
            "layers": [(*_tensors(layer.root), *_drawn(layer.features)) for layer in self.layers_],
            "records": [_plain_record(record) for record in self.records_],
            "grams": {layer: torch.as_tensor(gram) for layer, gram in self.grams_.items()},
            "machine": (self.train_.cpu(), self.coef_.cpu()) if hasattr(self, "coef_") else None,
        }
        partial = Path(f"{path}.partial")
        torch.save(state, partial)
        os.replace(partial, path)

    @classmethod
    def load(cls, path: str | Path, *, device: str | torch.device = "cpu") -> "DeepRFM":
        """A model from a file written by :meth:`save`; with ``warm_start=True`` set, ``fit`` continues it.

        Raises
        ------
        ValueError
            If the file is not one that :meth:`save` wrote.
        """
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            parameters = state["parameters"]
            if state["format"] != 1:
                raise KeyError(f"format {state['format']}")
        except OSError:
            raise
        except Exception as error:
            raise ValueError(f"{path} is not a saved DeepRFM: {str(error).splitlines()[0]}") from error
        for name, known in (("kernel", _KERNELS), ("feature_map", _MAPS)):
            kind, arguments = parameters[name]
            parameters[name] = known[kind](**arguments)
        model = cls(**parameters, device=device)
        where: dict[str, Any] = {"device": model._torch_device(), "dtype": model._torch_dtype()}
        model.classes_ = np.array(state["classes"])
        model.n_features_in_ = state["features_in"]
        model.seed_ = state["seed"]
        model.digest_ = state["digest"]
        model.layers_ = [_layer(entry, **where) for entry in state["layers"]]
        model.records_ = [_record(entry) for entry in state["records"]]
        model.grams_ = {layer: gram.numpy() for layer, gram in state["grams"].items()}
        if state["machine"] is not None:
            model.train_, model.coef_ = (tensor.to(**where) for tensor in state["machine"])
        return model

    def _plain_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = self.get_params(deep=False)
        for name in ("device", "callback", "warm_start"):
            del parameters[name]
        parameters["dtype"] = str(self._torch_dtype()).removeprefix("torch.")
        parameters["random_state"] = None
        parameters["grams"] = tuple(int(layer) for layer in self.grams)
        kernel, feature_map = self._kernel(), self._feature_map()
        for name, value, known in (("kernel", kernel, _KERNELS), ("feature_map", feature_map, _MAPS)):
            if type(value).__name__ not in known:
                raise ValueError(f"{name} of type {type(value).__name__} cannot be saved; {', '.join(known)} can")
            plain = {key: item for key, item in vars(value).items() if key != "M"}
            parameters[name] = (type(value).__name__, plain)
        return parameters


def _tensors(root: AgopRoot) -> tuple[Tensor, Tensor]:
    return root.vectors.cpu(), root.values.cpu()


def _drawn(features: DrawnFeatures) -> tuple[str, Tensor, Tensor | None, float]:
    bias = None if features.bias is None else features.bias.cpu()
    return features.activation, features.weight.cpu(), bias, features.scale


def _layer(entry: tuple[Any, ...], *, device: torch.device, dtype: torch.dtype) -> _Layer:
    moved: list[Any] = [item.to(device, dtype) if isinstance(item, Tensor) else item for item in entry]
    vectors, values, activation, weight, bias, scale = moved
    return _Layer(AgopRoot(vectors, values), DrawnFeatures(activation, weight, bias, scale))


def _plain_record(record: LayerRecord) -> dict[str, Any]:
    plain = asdict(record)
    plain["spectrum"] = torch.as_tensor(record.spectrum)
    return plain


def _record(plain: dict[str, Any]) -> LayerRecord:
    metrics = {stage: CollapseMetrics(**values) for stage, values in plain["metrics"].items()}
    return LayerRecord(**{**plain, "metrics": metrics, "spectrum": plain["spectrum"].numpy()})


def _peak_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
