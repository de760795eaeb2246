"""A pretended CUDA device, for machines without one: tensors that say they live on cuda:0 and compute on the CPU.

What it shows is where tensors meet: an operation on tensors of both devices fails as it would on a GPU, and so do NumPy
and a CPU generator on tensors of the device. It says nothing of CUDA's own kernels, their speed or their rounding.
"""

from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map_only

CUDA = torch.device("cuda", 0)
_COPIES = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default}
# A tensor of the device may have indices that lie on the CPU.
_INDEXING = {
    torch.ops.aten.index.Tensor,
    torch.ops.aten.index_put.default,
    torch.ops.aten.index_put_.default,
}


class PretendTensor(torch.Tensor):
    """A tensor on the pretended device, and the tensor on the CPU that holds its values."""

    @staticmethod
    def __new__(cls, inner):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
        )

    def __init__(self, inner):
        self.inner = inner

    @property
    def device(self):
        return CUDA

    @property
    def is_cuda(self):
        return True

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return _dispatch(function, args, kwargs or {})


def _dispatch(function, args, kwargs):
    tensors = [leaf for leaf in tree_flatten((args, kwargs))[0] if isinstance(leaf, torch.Tensor)]
    pretended = [tensor for tensor in tensors if isinstance(tensor, PretendTensor)]
    asked = kwargs.get("device")
    asked = None if asked is None else torch.device(asked).type
    if pretended and function not in _COPIES:
        together = [args[0], *args[2:3]] if function in _INDEXING and isinstance(args[0], PretendTensor) else tensors
        if any(not isinstance(tensor, PretendTensor) and tensor.ndim > 0 for tensor in together):
            raise RuntimeError(f"{function}: expected all tensors on one device, found cuda:0 and cpu")
    on_device = asked == "cuda" if asked is not None else bool(pretended)
    if function is torch.ops.aten.copy_.default:
        on_device = isinstance(args[0], PretendTensor)
    generator = kwargs.get("generator")
    if on_device and generator is not None and generator.device.type != "cuda":
        raise RuntimeError(f"{function}: expected a 'cuda' device type for generator but found 'cpu'")
    plain_args, plain_kwargs = tree_map_only(PretendTensor, lambda tensor: tensor.inner, (args, kwargs))
    if asked is not None:
        plain_kwargs["device"] = torch.device("cpu")
    result = function(*plain_args, **plain_kwargs)
    if not on_device:
        return result
    known = {id(tensor.inner): tensor for tensor in pretended}

    def wrap(leaf):
        return known[id(leaf)] if id(leaf) in known else PretendTensor(leaf)

    wrapped = tree_map_only(torch.Tensor, wrap, result)
    return return_and_correct_aliasing(function, args, kwargs, wrapped) if pretended else wrapped


class _Mode(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return _dispatch(function, args, kwargs or {})


def _moved(tensor, *args, **kwargs):
    """``tensor.to(…)``, which otherwise would not leave the tensor where it is."""
    like = [argument for argument in args if isinstance(argument, torch.Tensor)]
    named = [kwargs.pop("device", None), *(argument for argument in args if isinstance(argument, str | torch.device))]
    target = next((torch.device(name) for name in named if name is not None), like[0].device if like else tensor.device)
    dtype = kwargs.pop("dtype", None) or next((a for a in args if isinstance(a, torch.dtype)), None)
    values = tensor.inner if isinstance(tensor, PretendTensor) else tensor
    moved = values.to(dtype or (like[0].dtype if like else tensor.dtype), **kwargs)
    if moved is values:
        if target.type == tensor.device.type:
            return tensor
        moved = values.clone()
    return PretendTensor(moved) if target.type == "cuda" else moved


class _Constructors(TorchFunctionMode):
    """Those that reach for the device before they dispatch: made on the CPU, then moved."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function in (torch.tensor, torch.as_tensor) and torch.device(kwargs.get("device") or "cpu").type == "cuda":
            del kwargs["device"]
            return PretendTensor(function(*args, **kwargs))
        if function is torch.nn.functional.one_hot and isinstance(args[0], PretendTensor):  # makes a range on its way
            return PretendTensor(function(args[0].inner, *args[1:], **kwargs))
        if function is torch.Tensor.tolist and isinstance(args[0], PretendTensor):
            return args[0].inner.tolist()
        if function is torch.Tensor.cpu:
            function, args = torch.Tensor.to, (args[0], "cpu")
        if function is torch.Tensor.to:
            return _moved(*args, **kwargs)
        return function(*args, **kwargs)


@contextmanager
def pretend_gpu(monkeypatch):
    """While it lasts, ``device="cuda"`` is the pretended device and ``torch.cuda`` answers for it."""
    for name, answer in {
        "_lazy_init": None,
        "is_available": True,
        "device_count": 1,
        "current_device": 0,
        "synchronize": None,
        "reset_peak_memory_stats": None,
        "max_memory_allocated": 1 << 20,
        "memory_allocated": 1 << 20,
        "memory_reserved": 1 << 20,
        "mem_get_info": (1 << 33, 1 << 34),
    }.items():
        monkeypatch.setattr(torch.cuda, name, lambda *_, answer=answer, **__: answer)
    with _Constructors(), _Mode():
        yield
