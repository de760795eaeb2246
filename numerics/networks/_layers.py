"""Which layers of a network are measured, and how what they give becomes a matrix of features."""

import difflib
import fnmatch
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from theory.arguments import check_choice
from theory.wording import wrong_type

__all__ = ["Layers", "Pooling", "check_pooling", "classifier_of", "pooled", "select_layers"]

Pooling = Literal["flatten", "mean", "max", "tokens"] | Callable[[Any], Tensor]
Layers = str | type[nn.Module] | Sequence[str | type[nn.Module]]
POOLINGS = ("flatten", "mean", "max", "tokens")


def select_layers(model: nn.Module, layers: Layers) -> list[str]:
    """Return the names of a model's modules that are named, match a pattern, or are of a type; in the model's order.

    Parameters
    ----------
    model : torch.nn.Module
        The network.
    layers : str, type, or a sequence of them
        A name as in ``model.named_modules()``, a pattern with ``*``, ``?`` or ``[`` in it (``*`` goes over dots as
        well), or a type of module.

    Returns
    -------
    list of str

    Raises
    ------
    TypeError
        If an entry is neither a string nor a type of module.
    ValueError
        If an entry finds no module; names near to it are offered.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> select_layers(model, nn.Linear), select_layers(model, ["1"])
    (['0', '2'], ['1'])
    """
    wanted = [layers] if isinstance(layers, str | type) else layers
    if not isinstance(wanted, Sequence) or not wanted:
        raise wrong_type("layers", layers, "layers must be names, patterns or types of modules, one at least")
    names = [name for name, _ in model.named_modules() if name]
    chosen: set[str] = set()
    for entry in wanted:
        chosen.update(_matching(model, names, entry))
    return [name for name in names if name in chosen]


def _matching(model: nn.Module, names: list[str], entry: object) -> list[str]:
    if isinstance(entry, type) and issubclass(entry, nn.Module):
        found = [name for name in names if isinstance(model.get_submodule(name), entry)]
        kinds = sorted({type(module).__name__ for module in model.modules()})
        near = f"a type that the model has: {', '.join(kinds)}"
    elif isinstance(entry, str):
        pattern = entry not in names and any(sign in entry for sign in "*?[")
        found = fnmatch.filter(names, entry) if pattern else [name for name in names if name == entry]
        close = difflib.get_close_matches(entry, names, n=5, cutoff=0.4) or names[:8]
        near = f"the name of a module or a pattern, such as {', '.join(map(repr, close))}"
    else:
        raise wrong_type("layers", entry, "each of layers must be a name, a pattern or a type of module")
    if not found:
        shown = entry.__name__ if isinstance(entry, type) else repr(entry)
        raise ValueError(f"layers = {shown} is in no module of the model; layers must be {near}")
    return found


def classifier_of(model: nn.Module, classifier: str | None, num_classes: int) -> str | None:
    """Return the name of the linear layer that gives the classes: the one asked for, or the last with K outputs.

    Raises
    ------
    ValueError
        If the one asked for is no such layer.
    """
    if classifier is None:
        linear = [
            name
            for name, module in model.named_modules()
            if isinstance(module, nn.Linear) and module.out_features == num_classes
        ]
        return linear[-1] if linear and linear[-1] else None
    (name,) = select_layers(model, [classifier])[:1]
    module = model.get_submodule(name)
    if not isinstance(module, nn.Linear) or module.out_features != num_classes:
        raise ValueError(
            f"classifier = {classifier!r} is a {type(module).__name__}; classifier must be a Linear layer with "
            f"num_classes = {num_classes} outputs"
        )
    return name


def check_pooling(pooling: Pooling | Mapping[str, Pooling], names: Sequence[str]) -> dict[str, Pooling]:
    """Return how each layer is pooled, from one way for all or a mapping from layers' names to ways.

    Raises
    ------
    ValueError
        If a way is none of those known, or a name is no layer that is measured.
    """
    if not isinstance(pooling, Mapping):
        pooling = dict.fromkeys(names, pooling)
    for name, way in pooling.items():
        if name not in names:
            raise ValueError(f"pooling has a key {name!r}; its keys must be layers that are measured: {list(names)}")
        if not callable(way):
            check_choice("pooling", way, POOLINGS)
    return {name: pooling.get(name, "flatten") for name in names}


def pooled(layer: str, given: object, pooling: Pooling, samples: int) -> Tensor:
    """Return what a layer gave as a matrix of features, a row a sample.

    Raises
    ------
    ValueError
        If that is not possible.
    """
    value = pooling(given) if callable(pooling) else given
    if not isinstance(value, Tensor):
        raise ValueError(
            f"layer {layer!r} gives a {type(given).__name__}; pooling must be a function that makes a tensor of it"
        )
    if value.ndim < 1 or value.shape[0] != samples:
        raise ValueError(
            f"layer {layer!r} gives the shape {tuple(value.shape)} for {samples} samples; their axis must come first"
        )
    if value.ndim > 2 and not callable(pooling):
        value = _reduced(value, pooling)
    return value.detach().reshape(samples, -1)


def _reduced(value: Tensor, pooling: str) -> Tensor:
    if pooling == "mean":
        return value.flatten(2).mean(dim=2)
    if pooling == "max":
        return value.flatten(2).amax(dim=2)
    if pooling == "tokens":
        return value.flatten(1, -2).mean(dim=1)
    return torch.flatten(value, 1)
