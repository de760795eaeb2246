"""Passes through a network that leave it, and every random generator, as they were."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from theory.wording import wrong_type

__all__ = ["device_of", "hooked", "labelled", "moved", "undisturbed", "unwrapped"]


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the network inside what wraps it for several devices or for compilation."""
    if not isinstance(model, nn.Module):
        raise wrong_type("model", model, "model must be a torch.nn.Module")
    if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return unwrapped(model.module)
    original = getattr(model, "_orig_mod", None)
    return unwrapped(original) if isinstance(original, nn.Module) else model


def device_of(model: nn.Module, wanted: torch.device | None = None) -> torch.device:
    """Return the device on which a network takes its inputs: where its parameters and buffers are, if that is one.

    Raises
    ------
    ValueError
        If they are on several and none is wanted, on another than the one wanted, or on one that holds no numbers.
    """
    found = {tensor.device for tensor in [*model.parameters(), *model.buffers()]}
    if any(device.type == "meta" for device in found):
        raise ValueError("model is on the device meta, which holds no numbers; model must be on another")
    if len(found) > 1 and wanted is None:
        raise ValueError(f"model is on {sorted(map(str, found))}; model must be on one device, or device be given")
    if wanted is not None and found and not any(_same_device(device, wanted) for device in found):
        where = " and ".join(sorted(map(str, found)))
        raise ValueError(f"device = {str(wanted)!r} but the model is on {where}; they must agree")
    return wanted or (found.pop() if found else torch.device("cpu"))


def _same_device(one: torch.device, other: torch.device) -> bool:
    return one.type == other.type and (one.index or 0) == (other.index or 0)


@contextmanager
def undisturbed(model: nn.Module, loader: object) -> Iterator[Callable[[], None]]:
    """Put a network into evaluation mode without gradients, and everything back at the end, whatever happens.

    Back come the mode of every module, the buffers (as objects and as values) and the states of the random generators:
    Python's, NumPy's, torch's on every device used, and the loader's own. It gives a function that puts the generators
    back at once, so that a second pass draws what the first did.
    """
    modes = [(module, module.training) for module in model.modules()]
    buffers = [
        (module, name, buffer, buffer.detach().clone())
        for module in model.modules()
        for name, buffer in module.named_buffers(recurse=False)
    ]
    rewind = _generators(model, loader)
    try:
        with torch.no_grad():
            model.eval()
            yield rewind
    finally:
        for module, training in modes:
            module.training = training
        for module, name, buffer, value in buffers:
            if getattr(module, name) is not buffer:
                setattr(module, name, buffer)
            if not torch.equal(torch.nan_to_num(buffer), torch.nan_to_num(value)):
                with torch.no_grad():
                    buffer.copy_(value)
        rewind()


def _generators(model: nn.Module, loader: object) -> Callable[[], None]:
    """Remember the states of all random generators; calling the result restores them."""
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    types = {tensor.device for tensor in model.parameters() if tensor.device.type in ("cuda", "xpu")}
    apple = torch.mps.get_rng_state() if any(t.device.type == "mps" for t in model.parameters()) else None
    devices = [(device, getattr(torch, device.type).get_rng_state(device)) for device in types]
    holders = [loader, getattr(loader, "sampler", None), getattr(loader, "batch_sampler", None)]
    own = {id(g): g for holder in holders if isinstance(g := getattr(holder, "generator", None), torch.Generator)}
    states = [(generator, generator.get_state()) for generator in own.values()]

    def rewind() -> None:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(cpu)
        if apple is not None:
            torch.mps.set_rng_state(apple)
        for device, state in devices:
            getattr(torch, device.type).set_rng_state(state, device)
        for generator, state in states:
            generator.set_state(state)

    return rewind


@contextmanager
def hooked(
    model: nn.Module, layers: list[str], classifier: str | None, take: Callable[[str, object], None]
) -> Iterator[Callable[[], None]]:
    """Call `take` with the name and the output of each layer, and with what enters the classifier, in every pass.

    A module that is called again in one pass is called "name:2" then. It gives a function to be called before each
    pass.
    """
    calls: dict[str, int] = {}

    def taken(name: str, value: object) -> None:
        calls[name] = calls.get(name, 0) + 1
        take(name if calls[name] == 1 else f"{name}:{calls[name]}", value)

    def after(name: str) -> Callable[..., None]:
        return lambda module, inputs, output: taken(name, output)

    handles = [model.get_submodule(name).register_forward_hook(after(name)) for name in layers]
    if classifier is not None:
        entered = f"{classifier}.input"

        def before(module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
            taken(entered, inputs[0] if inputs else next(iter(named.values())))

        handles.append(model.get_submodule(classifier).register_forward_pre_hook(before, with_kwargs=True))
    try:
        yield calls.clear
    finally:
        for handle in handles:
            handle.remove()


def labelled(batch: object) -> tuple[Any, Tensor]:
    """Return inputs and labels of a loader's batch: its first entry and its last.

    Raises
    ------
    ValueError
        If it has no labels.
    """
    if isinstance(batch, tuple | list) and len(batch) >= 2 and isinstance(batch[-1], Tensor):
        labels = batch[-1]
        if labels.ndim == 1 and not labels.is_floating_point():
            return batch[0], labels
    kind = type(batch).__name__
    raise ValueError(
        f"loader gives a {kind} without labels; each batch must be (inputs, labels) with a vector of integer labels, "
        "or unpack a function that makes this of it"
    )


def moved(value: Any, device: torch.device) -> Any:
    """Return tensors, also those inside tuples, lists and mappings, on a device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, Mapping):
        return {key: moved(entry, device) for key, entry in value.items()}
    return type(value)(moved(entry, device) for entry in value) if isinstance(value, tuple | list) else value
