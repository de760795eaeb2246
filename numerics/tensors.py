"""The door of numerical functions: array and tensor arguments are checked here, scalars in `theory.arguments`."""

import math
from typing import Any

import torch
from torch import Tensor

__all__ = ["check_device", "check_labels", "check_matrix", "check_number", "check_same_kind"]


def check_matrix(name: str, value: Any, *, columns: int | None = None, finite: bool = True) -> Tensor:
    """Return ``value`` if it is a non-empty real floating-point matrix of finite numbers."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor, got {type(value).__name__}")
    if value.ndim != 2 or 0 in value.shape:
        raise ValueError(f"{name} must be a matrix with at least one row and column, got shape {tuple(value.shape)}")
    if value.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"{name} has dtype {value.dtype}; allowed are torch.float32 and torch.float64")
    if columns is not None and value.shape[1] != columns:
        raise ValueError(f"{name} must have {columns} columns, got shape {tuple(value.shape)}")
    # A finite sum has finite terms; only when it is not (it may overflow) is every entry looked at.
    if finite and not math.isfinite(float(value.sum())) and not bool(torch.isfinite(value).all()):
        bad = int((~torch.isfinite(value)).any(dim=1).nonzero()[0, 0])
        raise ValueError(f"{name} contains NaN or infinity, first in row {bad}; every entry must be finite")
    return value


def check_same_kind(name: str, value: Tensor, reference_name: str, reference: Tensor) -> None:
    """Raise if ``value`` and ``reference`` differ in dtype or device."""
    if value.dtype != reference.dtype:
        raise ValueError(f"{name} has dtype {value.dtype} but {reference_name} has {reference.dtype}; they must agree")
    if value.device != reference.device:
        raise ValueError(f"{name} is on {value.device} but {reference_name} is on {reference.device}; they must agree")


def check_labels(name: str, value: Any, *, samples: int, classes: int) -> Tensor:
    """Return ``value`` as int64 labels if it is a vector of ``samples`` integers in 0…classes−1."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor of integers, got {type(value).__name__}")
    if value.is_floating_point() or value.is_complex() or value.dtype == torch.bool:
        raise TypeError(f"{name} must hold integer labels, got dtype {value.dtype}")
    if value.shape != (samples,):
        raise ValueError(f"{name} must have shape ({samples},), one label a sample, got {tuple(value.shape)}")
    labels = value.to(torch.int64)
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        wrong = low if low < 0 else high
        raise ValueError(f"{name} contains {wrong}; labels must lie in 0…{classes - 1}")
    return labels


def check_number(name: str, value: Any, *, positive: bool = True) -> float:
    """Return ``value`` as a finite float that is positive (or, with ``positive=False``, non-negative)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a real number, got {type(value).__name__}")
    number = float(value)
    if not math.isfinite(number) or number < 0 or (positive and number == 0):
        raise ValueError(f"{name} must be {'positive' if positive else 'non-negative'} and finite, got {value!r}")
    return number


def check_device(device: str | torch.device) -> torch.device:
    """Return ``device`` as a torch.device on which a tensor can be made."""
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device {device!r} cannot be used here: {reason}") from error
    return found
