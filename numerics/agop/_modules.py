"""The average gradient outer product (AGOP) of any torch module, at its input or at the input of one of its layers."""

import itertools
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from numerics.linalg import gram
from numerics.scaling import common_scale, restored
from numerics.tensors import check_matrix
from theory.arguments import LARGEST_SIZE, IntegerLike, check_integer
from theory.wording import wrong_type

__all__ = ["model_agop"]

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
_INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


def model_agop(
    model: nn.Module,
    X: Float[Tensor, "n ..."],
    *,
    layer: str | None = None,
    batch_size: IntegerLike = 128,
) -> Float[Tensor, "d d"]:
    """The AGOP of a torch module at its input, or at the input of one of its layers, averaged over X.

    Parameters
    ----------
    model : torch.nn.Module
        Maps a batch (n, …) to outputs (n, c) (or (n,)), sample by sample. It must be in evaluation mode if it holds
        layers that draw random numbers or treat a batch as a whole while training.
    X : Tensor, shape (n, ...)
        The points, first axis the samples; the remaining axes are flattened to d in the result.
    layer : str, optional
        Name of a submodule, as in ``model.named_modules()``: gradients are then taken with respect to the tensor
        that enters it. The submodule must be called exactly once, with one tensor.
    batch_size : int
        Samples differentiated at a time.

    Returns
    -------
    Tensor, shape (d, d)
        d is the number of entries of one input of the model or layer. It carries no graph of autograd.

    Raises
    ------
    TypeError
        If the model is no module that can be differentiated, or X is no tensor.
    ValueError
        If X is not finite floating point of the model's dtype and device, a layer is in training mode that is another
        function then, the layer named does not exist or is called other than once, the output is not one vector a
        sample, or torch cannot differentiate the model sample by sample.

    References
    ----------
    agop, equations (1) and (2).

    Examples
    --------
    >>> model = nn.Linear(2, 3, bias=False, dtype=torch.float64)
    >>> X = torch.randn(5, 2, dtype=torch.float64)
    >>> torch.allclose(model_agop(model, X), model.weight.T @ model.weight)
    True
    """
    batch_size = check_integer("batch_size", batch_size, at_least=1, at_most=LARGEST_SIZE)
    _check_model(model, X)
    _check_layer(model, layer)
    total, scale = None, 1.0
    try:
        for jacobian in _jacobians(_Pass(model, layer), X.detach(), batch_size):
            rows = jacobian.detach().flatten(0, 1).flatten(1)
            if total is None:
                total, scale = rows.new_zeros(rows.shape[1], rows.shape[1]), common_scale(rows)
            elif common_scale(rows) > scale:
                total, scale = total * (scale / common_scale(rows)) ** 2, common_scale(rows)
            total = total + gram((rows if scale == 1.0 else rows / scale).T)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"model cannot be differentiated sample by sample: {reason}") from error
    assert total is not None
    return restored(total / X.shape[0], scale, "the AGOP")


class _Pass:
    """A model as a function of one sample, or of a shift of what enters one of its layers."""

    def __init__(self, model: nn.Module, layer: str | None) -> None:
        self.model, self.layer = model, layer
        self.parameters = {name: value.detach() for name, value in _tensors(model)}

    def output(self, x: Tensor) -> Tensor:
        result = torch.func.functional_call(self.model, self.parameters, (x.unsqueeze(0),))
        if not isinstance(result, Tensor) or result.shape[0] != 1 or result.ndim > 2:
            given = getattr(result, "shape", type(result))
            raise ValueError(f"model gives {given} for a row of X; model must give one vector a sample")
        return result.reshape(-1)

    def shifted(self, x: Tensor, shift: Tensor) -> Tensor:
        assert self.layer is not None
        calls = []

        def add(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            calls.append(True)
            return (inputs[0] + shift, *inputs[1:])

        handle = self.model.get_submodule(self.layer).register_forward_pre_hook(add)
        try:
            result = self.output(x)
        finally:
            handle.remove()
        _check_calls(self.layer, len(calls))
        return result

    def layer_input(self, X: Tensor) -> Tensor:
        """The tensor that enters the layer when the model is applied to X."""
        assert self.layer is not None
        seen: list[Tensor] = []
        module = self.model.get_submodule(self.layer)
        handle = module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
        try:
            with torch.no_grad():
                self.model(X)
        finally:
            handle.remove()
        _check_calls(self.layer, len(seen))
        return seen[0]


def _jacobians(forward: _Pass, X: Tensor, batch_size: int) -> Iterator[Tensor]:
    """Jacobians of the samples of one batch after another."""
    for batch in torch.split(X, batch_size):
        if forward.layer is None:
            yield torch.func.vmap(torch.func.jacrev(forward.output))(batch)
        else:
            shift = torch.zeros_like(forward.layer_input(batch[:1])[0])
            yield torch.func.vmap(torch.func.jacrev(forward.shifted, argnums=1), in_dims=(0, None))(batch, shift)


def _tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    return itertools.chain(model.named_parameters(), model.named_buffers())


def _check_calls(layer: str, calls: int) -> None:
    if calls != 1:
        raise ValueError(f"layer {layer!r} was called {calls} times in one pass; it must be called once")


def _check_model(model: nn.Module, X: Tensor) -> None:
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is a {type(model).__name__}; model must be a torch.nn.Module")
    if isinstance(model, torch.jit.ScriptModule):
        raise TypeError("model is a ScriptModule; model must be the torch.nn.Module that it was made from")
    if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
        raise TypeError(f"model is a {type(model).__name__}; model must be what it wraps: model.module")
    if not isinstance(X, Tensor):
        raise TypeError(f"X is a {type(X).__name__}; X must be a torch.Tensor")
    if X.ndim < 2:
        raise ValueError(f"X has shape {tuple(X.shape)}; X must hold samples along its first axis: (n, …)")
    check_matrix("X", X if X.ndim == 2 else X.detach().flatten(1))
    _check_kinds(model, X)
    for name, module in model.named_modules():
        _check_mode(f"layer {name!r} of the model" if name else "model", module)


def _check_kinds(model: nn.Module, X: Tensor) -> None:
    """Whether a parameter has X's dtype and all are initialised and on X's device."""
    tensors = dict(_tensors(model))
    for name, value in tensors.items():
        if is_lazy(value):
            raise ValueError(f"{name} of the model has no shape yet; call the model once, so that it is initialised")
        if value.device != X.device:
            raise ValueError(f"{name} of the model is on {value.device} but X is on {X.device}; they must agree")
    kinds = {value.dtype for value in tensors.values() if value.is_floating_point() or value.is_complex()}
    if kinds and X.dtype not in kinds:
        found = " and ".join(sorted(map(str, kinds)))
        raise ValueError(f"the model has dtype {found} but X has {X.dtype}; they must agree, as with model.to(X.dtype)")


def _check_mode(name: str, module: nn.Module) -> None:
    """Whether a layer, as it stands, is a function of each sample alone."""
    kind = type(module).__name__
    if isinstance(module, _BATCH_NORMS) and not module.track_running_stats:
        raise ValueError(f"{name}, a {kind}, has no running statistics: it is no function of each sample alone")
    random = isinstance(module, _DROPOUTS) and module.p > 0.0
    random = random or (isinstance(module, nn.MultiheadAttention) and module.dropout > 0.0)
    running = isinstance(module, _BATCH_NORMS + _INSTANCE_NORMS) and module.track_running_stats
    if module.training and (random or running):
        raise ValueError(f"{name}, a {kind}, is in training mode; the model must be in evaluation mode: model.eval()")


def _check_layer(model: nn.Module, layer: str | None) -> None:
    names = dict(model.named_modules())
    if layer is not None and not isinstance(layer, str):
        raise wrong_type("layer", layer, "layer must be the name of a submodule")
    if layer is not None and (layer == "" or layer not in names):
        known = ", ".join(name for name in names if name)
        raise ValueError(f"layer = {layer!r} is no submodule of the model; layer must be one of {known}")
