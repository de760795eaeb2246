"""Deep recursive feature machines on disk: what is kept of one, and what has to fit together when it is read."""

import dataclasses
import io
import os
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from numerics.deep_rfm._archive import read_archive, write_archive
from numerics.deep_rfm._layer import STAGES, Layer, LayerRecord
from numerics.deep_rfm._root import AgopRoot
from numerics.deep_rfm._settings import Settings
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
)
from numerics.metrics import CollapseMetrics
from numerics.tensors import check_device

__all__ = ["load_machine", "save_machine"]

Machine = TypeVar("Machine")

_KERNELS: dict[str, type[Kernel]] = {cls.__name__: cls for cls in (Laplace, Gaussian, Linear, Linearised)}
_MAPS: dict[str, type[FeatureMap]] = {cls.__name__: cls for cls in (ReLUFeatures, CosineFeatures)}


def save_machine(model: Any, path: str | os.PathLike[str]) -> None:
    """Write the layers of a model to a file that `load_machine` reads.

    Parameters
    ----------
    model : DeepRFM
        With one layer or more.
    path : path
        The file; one that is there is replaced, whole or not at all.

    Raises
    ------
    TypeError, ValueError
        If a parameter or a label is of a kind that a file cannot keep.
    OSError
        If the file cannot be written.
    """
    names = getattr(model, "feature_names_in_", None)
    state = {
        "parameters": _plain_parameters(model.get_params(deep=False)),
        "classes": _plain_array(model.classes_),
        "features_in": int(model.n_features_in_),
        "feature_names": None if names is None else [str(name) for name in names],
        "seed": model.seed_,
        "digest": model.digest_,
        "layers": [_plain_layer(layer) for layer in model.layers_],
        "records": [_plain_record(record) for record in model.records_],
        "grams": {layer: torch.as_tensor(gram) for layer, gram in model.grams_.items()},
        "gram_index": torch.as_tensor(model.gram_index_),
        "machine": (model.train_.cpu(), model.coef_.cpu()) if hasattr(model, "coef_") else None,
    }
    write_archive(path, state)


def load_machine(cls: Callable[..., Machine], path: str | os.PathLike[str], device: str | torch.device) -> Machine:
    """Read a model.

    Parameters
    ----------
    cls : type
        Its class, as a function of its parameters.
    path : path
        The file.
    device : str or torch.device
        Where to compute.

    Returns
    -------
    DeepRFM

    Raises
    ------
    ValueError
        If the file is none that `save_machine` wrote, has been damaged, or what it holds does not fit together.
    """
    check_device(device)
    state = read_archive(path)
    if not {"parameters", "classes", "layers", "records", "machine"} <= state.keys():
        raise ValueError(f"{path} is not a saved DeepRFM: it holds something else")
    try:
        return _restored(cls, state, device)
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason'}"
        raise ValueError(f"{path} is damaged: what it holds does not fit together ({reason})") from error


def _restored(cls: Callable[..., Machine], state: dict[str, Any], device: str | torch.device) -> Machine:
    machine = cls(**_parameters(state["parameters"]), device=device)
    _fill(machine, state)
    return machine


def _fill(model: Any, state: dict[str, Any]) -> None:
    """Give a model what a fit has left."""
    settings = Settings.of(model.get_params(deep=False))
    classes = state["classes"]
    model.classes_ = np.array(classes) if state["format"] == 1 else _array(classes)
    model.n_features_in_ = state["features_in"]
    if state.get("feature_names") is not None:
        model.feature_names_in_ = np.array(state["feature_names"], dtype=object)
    model.seed_, model.digest_ = state["seed"], state["digest"]
    _check_layers(state, settings.dtype)
    model.layers_ = [_layer(entry, settings) for entry in state["layers"]]
    model.records_ = [_record(entry) for entry in state["records"]]
    model.grams_ = {layer: gram.numpy() for layer, gram in state["grams"].items()}
    if "gram_index" in state:
        model.gram_index_ = state["gram_index"].numpy()
    if state["machine"] is not None:
        model.train_, model.coef_ = (tensor.to(settings.device, settings.dtype) for tensor in state["machine"])
    _check_rest(model, state)


# --- what has to fit together ------------------------------------------------------------------------------------


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(what)


def _check_layers(state: dict[str, Any], dtype: torch.dtype) -> None:
    """Whether each layer takes what the one before gives."""
    d = state["features_in"]
    _require(len(state["layers"]) == len(state["records"]) > 0, "there is not one record a layer")
    for number, (vectors, values, activation, weight, bias, scale) in enumerate(state["layers"], 1):
        width, rank = weight.shape[0], values.shape[0]
        shapes = [(vectors, (d, rank)), (values, (rank,)), (weight, (width, d))]
        shapes += [] if bias is None else [(bias, (width,))]
        _require(all(tensor.shape == shape for tensor, shape in shapes), f"the shapes of layer {number}")
        _require(all(tensor.dtype == dtype for tensor, _ in shapes), f"the dtypes of layer {number}")
        _require(all(bool(tensor.isfinite().all()) for tensor, _ in shapes), f"NaN or infinity in layer {number}")
        _require(activation in ("relu", "cos") and 0.0 < scale < np.inf, f"the features of layer {number}")
        d = width
    if state["machine"] is not None:
        train, coef = state["machine"]
        _require(train.ndim == coef.ndim == 2 and train.shape == (coef.shape[0], d), "the shapes of the machine")
        _require(train.dtype == coef.dtype == dtype, "the dtypes of the machine")
        _require(bool(train.isfinite().all() and coef.isfinite().all()), "NaN or infinity in the machine")


def _check_rest(model: Any, state: dict[str, Any]) -> None:
    K = len(model.classes_)
    _require(model.classes_.ndim == 1 and K >= 2, "the classes")
    _require(state["machine"] is None or state["machine"][1].shape[1] == K, "the outputs of the machine")
    names = state.get("feature_names")
    _require(names is None or len(names) == model.n_features_in_, "the names of the features")
    _require(type(model.seed_) is int and type(model.digest_) is str, "the seed or the digest")
    _require([record.layer for record in model.records_] == list(range(1, len(model.layers_) + 1)), "the records")


# --- plain forms: tensors, numbers and strings -------------------------------------------------------------------


def _plain_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """All parameters but the device, which is chosen anew, and the callback, which is code."""
    settings = Settings.of(parameters)
    numbers = (
        "depth",
        "ridge",
        "targets",
        "agop_scale",
        "agop_route",
        "memory_limit",
        "singular",
        "grams",
        "gram_samples",
    )
    plain: dict[str, Any] = {name: getattr(settings, name) for name in numbers}
    plain["dtype"] = str(settings.dtype).removeprefix("torch.")
    plain["random_state"] = _plain_random_state(parameters["random_state"])
    plain["warm_start"] = bool(parameters["warm_start"])
    plain["kernel"] = None if parameters["kernel"] is None else _named("kernel", settings.kernel, _KERNELS)
    feature_map = parameters["feature_map"]
    plain["feature_map"] = None if feature_map is None else _named("feature_map", settings.feature_map, _MAPS)
    return plain


def _parameters(plain: dict[str, Any]) -> dict[str, Any]:
    parameters = dict(plain)
    for name, known in (("kernel", _KERNELS), ("feature_map", _MAPS)):
        if parameters[name] is not None:
            kind, arguments = parameters[name]
            parameters[name] = known[kind](**arguments)
    if isinstance(parameters["random_state"], dict):
        parameters["random_state"] = _random_state(parameters["random_state"])
    return parameters


def _named(name: str, value: Any, known: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name and the fields of a kernel (without M) or a feature map."""
    kind = type(value).__name__
    if type(value) is not known.get(kind):
        raise ValueError(f"{name} = {value!r} cannot be saved; {name} must be one of {', '.join(known)}")
    return kind, {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.name != "M"}


def _plain_random_state(value: Any) -> int | dict[str, Any] | None:
    if value is None or value is np.random:
        return None
    if not isinstance(value, np.random.RandomState):
        return int(value)
    state: dict[str, Any] = value.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        raise ValueError(f"random_state has the bit generator {state['bit_generator']}; only MT19937 can be saved")
    return {
        **state,
        "state": {"key": torch.as_tensor(state["state"]["key"].astype(np.int64)), "pos": int(state["state"]["pos"])},
    }


def _random_state(plain: dict[str, Any]) -> np.random.RandomState:
    key = plain["state"]["key"].numpy().astype(np.uint32)
    random_state = np.random.RandomState()
    random_state.set_state({**plain, "state": {**plain["state"], "key": key}})
    return random_state


def _plain_array(labels: np.ndarray) -> Tensor | list[Any]:
    """Labels: objects as a list of strings and numbers, all others as the bytes of a .npy file."""
    if labels.dtype == object:
        plain = [label.item() if isinstance(label, np.generic) else label for label in labels]
        for label in plain:
            if type(label) not in (str, int, float, bool):
                kind = type(label).__name__
                raise ValueError(f"y has the label {label!r} of type {kind}, which cannot be saved; take strings")
        return plain
    buffer = io.BytesIO()
    np.save(buffer, labels, allow_pickle=False)
    return torch.frombuffer(bytearray(buffer.getvalue()), dtype=torch.uint8)


def _array(plain: Tensor | list[Any]) -> np.ndarray:
    if isinstance(plain, list):
        return np.array(plain, dtype=object)
    labels: np.ndarray = np.load(io.BytesIO(plain.numpy().tobytes()), allow_pickle=False)
    return labels


def _plain_layer(layer: Layer) -> tuple[Any, ...]:
    features = layer.features
    bias = None if features.bias is None else features.bias.cpu()
    root = (layer.root.vectors.cpu(), layer.root.values.cpu())
    return (*root, features.activation, features.weight.cpu(), bias, float(features.scale))


def _layer(entry: tuple[Any, ...], settings: Settings) -> Layer:
    moved: list[Any] = [
        item.to(settings.device, settings.dtype) if isinstance(item, Tensor) else item for item in entry
    ]
    vectors, values, activation, weight, bias, scale = moved
    return Layer(AgopRoot(vectors, values), DrawnFeatures(activation, weight, bias, scale))


def _plain_record(record: LayerRecord) -> dict[str, Any]:
    plain = dataclasses.asdict(record)
    plain["spectrum"] = torch.as_tensor(record.spectrum)
    return plain


def _record(plain: dict[str, Any]) -> LayerRecord:
    metrics = {stage: CollapseMetrics(**plain["metrics"][stage]) for stage in STAGES}
    return LayerRecord(**{**plain, "metrics": metrics, "spectrum": plain["spectrum"].numpy()})
