"""Extreme values for arguments of every sort, and what each is worth in the plainest type.

`SCALARS` are values for a number; `arrays` and `tensors` are variants of a good array or tensor. A value comes with a
name. `plain` is what a value means, so that a function can be called again with it.
"""

import decimal
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import torch

_NOT_NUMBERS = {
    "None": None,
    "True": True,
    "word": "word",
    "empty string": "",
    "bytes": b"2",
    "1/0": "1/0",
    "'nan'": "nan",
    "complex": 1j,
    "object": object(),
    "dict": {},
    "empty list": [],
    "list of a string": ["word"],
    "generator": (entry for entry in (2.0,)),
    "masked": np.ma.masked,
    "masked array": np.ma.masked_array([1.0, 2.0], [True, False]),
    "NumPy bool": np.bool_(True),
    "NumPy complex": np.complex128(2),
    "date": np.datetime64("2020-01-01"),
    "meta tensor": torch.tensor(2.0, device="meta"),
    "complex tensor": torch.tensor(2j),
    "bool tensor": torch.tensor(True),
    "sparse tensor": torch.ones(2).to_sparse(),
    "function": math.sin,
    "type": int,
}
_NUMBERS = {
    **{
        str(value): value
        for value in (
            *(-1, 0, 1, 2, 3, 4, 2**31, 2**63 - 1, 2**63, 10**30, -(2**63)),
            *(0.0, -0.0, 0.25, 0.5, 1.5, 2.0, 1e-30, 1e-308, 5e-324, 1e308, -1e308, math.nan, math.inf, -math.inf),
            *(Fraction(1, 3), Fraction(1, 10**400), Fraction(10**400), Fraction(4, 2)),
        )
    },
    **{f"Decimal {value}": Decimal(value) for value in ("0.25", "2", "1e-400", "1e400", "NaN", "sNaN", "Infinity")},
    **{repr(value): value for value in ("0.25", "2", "1e-400", "1e400", "1e99999", "1e-99999", "1/3", " 0.25 ")},
    **{
        f"{kind.__name__} {value}": kind(value)
        for kind, value in (
            *((kind, 2) for kind in (np.int8, np.uint8, np.uint64, np.longdouble)),
            *((kind, 0.25) for kind in (np.float16, np.float32, np.float64)),
            (np.float64, math.nan),
            (np.float32, math.inf),
        )
    },
    "array 2": np.array(2),
    "array 0.25": np.array(0.25),
    "array of one": np.array([2]),
    "list of one": [2],
    "list of two": [0.25, 2.0],
    "range": range(2, 4),
    "tensor 2": torch.tensor(2),
    "tensor 0.25": torch.tensor(0.25),
    "tensor with a gradient": torch.tensor(0.25, requires_grad=True),
    "bfloat16 tensor": torch.tensor(0.25, dtype=torch.bfloat16),
    "tensor of one": torch.tensor([2]),
}
#: Values where a number is wanted. Some are none.
SCALARS = _NUMBERS | _NOT_NUMBERS


def arrays(good):
    """Variants of a float64 NumPy array by name."""
    first = np.zeros_like(good)
    first.flat[0] = 1.0
    spread = np.repeat(np.repeat(good, 2, axis=-1), 2, axis=0)
    at = (slice(None, None, 2),) * 1 + (Ellipsis, slice(None, None, 2))
    variants = {
        **{f"{size:g} times": size * good for size in (1e308, 1e150, 1e20, 1e-20, 1e-150, 1e-308, 5e-324, 0.0, -1.0)},
        "a nan": np.where(first == 1, np.nan, good),
        "an inf": np.where(first == 1, np.inf, good),
        "a huge entry": np.where(first == 1, 1e300, good),
        "every other": (np.repeat(spread, 1) if good.ndim == 0 else spread)[at] if good.ndim > 1 else good,
        "Fortran order": np.asfortranarray(good),
        "reversed twice": good[::-1].copy()[::-1],
        "big endian": good.astype(">f8"),
        "integers": np.rint(good).astype(np.int8),
        "float16": good.astype(np.float16),
        "float32": good.astype(np.float32),
        "longdouble": good.astype(np.longdouble),
        "bool": good > 0,
        "complex": good + 1j,
        "objects": good.astype(object),
        "strings": good.astype(str),
        "masked": np.ma.masked_array(good, first == 1),
        "empty": good[:0],
        "no columns": good[..., :0],
        "0-d": np.array(1.0),
        "one more dimension": good[None],
        "one dimension less": good.ravel(),
        "half": good[: len(good) // 2],
        "list": good.tolist(),
        "tuple": tuple(map(tuple, good)) if good.ndim == 2 else tuple(good),
        "ragged": [[1.0], [1.0, 2.0]],
        "tensor": torch.from_numpy(good.copy()),
        "tensor with a gradient": torch.from_numpy(good.copy()).requires_grad_(),
        "meta tensor": torch.zeros(good.shape, device="meta"),
        "sparse tensor": torch.from_numpy(good.copy()).to_sparse(),
    }
    variants["read-only"] = good.copy()
    variants["read-only"].flags.writeable = False
    return variants | _NOT_ARRAYS


def tensors(good):
    """Variants of a float64 tensor by name."""
    first = torch.zeros_like(good)
    first.view(-1)[0] = 1.0
    variants = {
        **{f"{size:g} times": size * good for size in (1e308, 1e150, 1e20, 1e-20, 1e-150, 1e-308, 5e-324, 0.0, -1.0)},
        "a nan": torch.where(first == 1, math.nan, good),
        "an inf": torch.where(first == 1, math.inf, good),
        "a huge entry": torch.where(first == 1, 1e300, good),
        "every other": good.repeat_interleave(2, 0)[::2],
        "transposed twice": good.mT.contiguous().mT if good.ndim > 1 else good,
        "integers": good.round().long(),
        "float16": good.half(),
        "bfloat16": good.bfloat16(),
        "float32": good.float(),
        "bool": good > 0,
        "complex": good + 1j,
        "with a gradient": good.clone().requires_grad_(),
        "meta": torch.zeros(good.shape, device="meta", dtype=good.dtype),
        "sparse": good.to_sparse(),
        "empty": good[:0],
        "no columns": good[..., :0],
        "0-d": torch.tensor(1.0, dtype=good.dtype),
        "one more dimension": good[None],
        "one dimension less": good.reshape(-1),
        "half": good[: max(len(good) // 2, 1)],
        "array": good.numpy(),
        "list": good.tolist(),
        "parameter": torch.nn.Parameter(good.clone()),
    }
    return variants | _NOT_ARRAYS


def labels(good):
    """Variants of a tensor of labels by name."""
    kinds = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.uint16, torch.uint32, torch.uint64)
    variants = {
        **{str(kind): good.to(kind) for kind in kinds},
        **{str(kind): good.to(kind) for kind in (torch.float64, torch.bool, torch.complex64)},
        "from one": good + 1,
        "negative": good - 1,
        "huge": good + 2**62,
        "huge of uint64": torch.full(good.shape, 2**64 - 1, dtype=torch.uint64),
        "every other": good.repeat_interleave(2)[::2],
        "all one class": torch.zeros_like(good),
        "column": good[:, None],
        "0-d": good[0],
        "empty": good[:0],
        "one-hot": torch.nn.functional.one_hot(good),
        "meta": good.to("meta"),
        "sparse": good.to_sparse(),
        "array": good.numpy(),
        "list": good.tolist(),
    }
    return variants | _NOT_ARRAYS


_NOT_ARRAYS = {
    name: _NOT_NUMBERS[name] for name in ("None", "True", "word", "bytes", "dict", "empty list", "generator", "object")
} | {"number": 2.0, "a nan alone": math.nan, "array of strings": np.array(["a", "b"])}


def variants(good):
    """Extreme values for an argument of which `good` is a good value."""
    if isinstance(good, torch.Tensor) and good.dtype == torch.int64:
        return labels(good)
    if isinstance(good, torch.Tensor):
        return tensors(good)
    if isinstance(good, np.ndarray):
        return arrays(good.astype(float)) if good.dtype.kind == "f" else labels(torch.from_numpy(good))
    if isinstance(good, list) and good and type(good[0]) in (int, float):
        return (
            {f"{name} first": [value, *good[1:]] for name, value in SCALARS.items()}
            | SCALARS
            | {
                "array": np.array(good),
                "tuple": tuple(good),
                "tensor": torch.tensor(good),
                "masked array of them": np.ma.masked_array(good, [True] + [False] * (len(good) - 1)),
                "twice": good + good,
                "meta": torch.tensor(good, device="meta"),
            }
        )
    if type(good) in (int, float):
        return SCALARS
    if isinstance(good, list):
        return {"reversed": good[::-1], "half": good[: len(good) // 2], "tuple": tuple(good)} | _NOT_ARRAYS
    return _NOT_ARRAYS


def plain(value, good):
    """What `worth` says, or None where it cannot read the value."""
    try:
        return worth(value, good)
    except (RuntimeError, NotImplementedError):  # a tensor without numbers
        return None


def worth(value, good):
    """What a value means where `good` is a good one: an int or a float, a list of them, a float64 array or tensor.

    None if it means nothing: then a function that takes it is not asked again.
    """
    if type(good) in (int, float):
        return _number(value, type(good))
    if isinstance(good, list) and good and type(good[0]) in (int, float):
        entries = getattr(value, "tolist", lambda: value)()
        if not isinstance(entries, (list, tuple, range)):
            return _number(entries, type(good[0]))
        numbers = [_number(entry, type(good[0])) for entry in entries]
        return None if None in numbers else numbers
    if value is None:
        return None
    if isinstance(good, np.ndarray):
        kind = getattr(value, "dtype", None)
        if getattr(kind, "kind", "") == "c" or getattr(kind, "is_complex", False) or getattr(value, "is_meta", False):
            return None
        try:
            given = value.detach().numpy() if isinstance(value, torch.Tensor) and not value.is_sparse else value
            with np.errstate(all="ignore"):
                return np.array(given, dtype=good.dtype, order="C", subok=False)
        except (TypeError, ValueError):
            return None
    if isinstance(good, torch.Tensor) and isinstance(value, torch.Tensor) and value.layout == torch.strided:
        if value.is_complex() != good.is_complex():
            return None
        return value.detach().to(good.dtype).clone(memory_format=torch.contiguous_format)
    return None


def _number(value, kind):
    """An int or a float that equals the value, or else a Fraction, if there is one."""
    value = value.item() if getattr(value, "shape", None) == () and hasattr(value, "item") else value
    if isinstance(value, (bool, complex)) or value is None:
        return None
    try:
        exact = Fraction(float(value) if isinstance(value, np.floating) else value)
        number = int(exact) if kind is int else float(exact) if abs(exact) <= Fraction(1.7e308) else exact
    except (TypeError, ValueError, OverflowError, ZeroDivisionError, decimal.InvalidOperation):
        return None
    return number if number == exact else None if kind is int else exact
