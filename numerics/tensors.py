"""The door of numerical functions: array and tensor arguments are checked here, scalars in `theory.arguments`."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from theory.arguments import refuse_masked
from theory.foreign import array_of

__all__ = [
    "check_device",
    "check_generator",
    "check_label_array",
    "check_labels",
    "check_matrix",
    "check_same_kind",
    "check_symmetric",
    "check_tensor",
]


def check_matrix(
    name: str, value: Any, *, columns: int | None = None, finite: bool = True, detached: bool = False
) -> Tensor:
    """Return `value` if it is a non-empty real floating-point matrix of finite numbers.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller was given.
    columns : int, optional
        How many columns it must have.
    finite : bool
        Whether to look for NaN and infinity.
    detached : bool
        Whether to refuse a tensor that autograd follows: for functions that give no gradient, which would otherwise be
        zero in silence.

    Returns
    -------
    Tensor
        The value.

    Raises
    ------
    TypeError
        If it is no tensor.
    ValueError
        If it is none that the functions of this package can compute with.

    Examples
    --------
    >>> check_matrix("X", torch.ones(2, 3), columns=4)
    Traceback (most recent call last):
    ...
    ValueError: X has shape (2, 3); X must have 4 columns
    """
    tensor = _check_dense(name, value, "a torch.Tensor")
    if tensor.ndim != 2 or 0 in tensor.shape:
        raise ValueError(
            f"{name} has shape {tuple(tensor.shape)}; {name} must be a matrix with at least one row and column"
        )
    if tensor.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"{name} has dtype {tensor.dtype}; {name} must have torch.float32 or torch.float64")
    if columns is not None and tensor.shape[1] != columns:
        raise ValueError(f"{name} has shape {tuple(tensor.shape)}; {name} must have {columns} columns")
    if detached and tensor.requires_grad and torch.is_grad_enabled():
        raise ValueError(
            f"{name} requires a gradient, which is not given here; {name} must be detached: {name}.detach()"
        )
    # A finite sum has finite terms; only when it is not (it may overflow) is every entry looked at.
    if finite and not math.isfinite(float(tensor.detach().sum())) and not bool(torch.isfinite(tensor).all()):
        bad = int((~torch.isfinite(tensor)).any(dim=1).nonzero()[0, 0])
        raise ValueError(f"{name} contains NaN or infinity, first in row {bad}; every entry must be finite")
    return tensor


def check_symmetric(name: str, value: Any, *, detached: bool = False) -> Tensor:
    """Return `value` if it is a matrix as of `check_matrix` that is symmetric up to rounding.

    Rounding is n machine epsilons of the largest entry, n the size of the matrix.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller was given.
    detached : bool
        As for `check_matrix`.

    Returns
    -------
    Tensor
        The value.

    Raises
    ------
    TypeError, ValueError
        If it is none.

    Examples
    --------
    >>> check_symmetric("K", torch.tensor([[1.0, 0.5], [0.0, 1.0]]))
    Traceback (most recent call last):
    ...
    ValueError: K differs from its transpose by 0.5; K must be symmetric
    """
    matrix = check_matrix(name, value, detached=detached)
    n = matrix.shape[0]
    if n != matrix.shape[1]:
        raise ValueError(f"{name} has shape {tuple(matrix.shape)}; {name} must be square")
    largest = float(torch.linalg.vector_norm(matrix, torch.inf))
    step = max(1, (1 << 20) // n)
    skew = max(
        float(torch.linalg.vector_norm(matrix[k : k + step] - matrix[:, k : k + step].T, torch.inf))
        for k in range(0, n, step)
    )
    if skew > n * torch.finfo(matrix.dtype).eps * largest:
        raise ValueError(f"{name} differs from its transpose by {skew:.3g}; {name} must be symmetric")
    return matrix


def check_tensor(name: str, value: Any, *, dimensions: int, finite: bool = True) -> Tensor:
    """Return `value` if it is a non-empty dense tensor of float32 or float64 numbers.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller was given.
    dimensions : int
        How many dimensions it must have at least; those before are a batch.
    finite : bool
        Whether to refuse NaN and infinity.

    Returns
    -------
    Tensor
        The value.

    Raises
    ------
    TypeError
        If it is no tensor.
    ValueError
        If it is sparse, on the device meta, of another dtype, empty, of too few dimensions, or not finite.

    Examples
    --------
    >>> check_tensor("spectrum", torch.ones(3, dtype=torch.int64), dimensions=1)
    Traceback (most recent call last):
    ...
    ValueError: spectrum has dtype torch.int64; spectrum must have torch.float32 or torch.float64
    """
    tensor = _check_dense(name, value, "a torch.Tensor")
    if tensor.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"{name} has dtype {tensor.dtype}; {name} must have torch.float32 or torch.float64")
    if tensor.ndim < dimensions or tensor.numel() == 0:
        raise ValueError(
            f"{name} has shape {tuple(tensor.shape)}; {name} must have {dimensions} or more dimensions, none empty"
        )
    if finite and not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"{name} contains NaN or infinity; every entry must be finite")
    return tensor


def _check_dense(name: str, value: Any, wanted: str) -> Tensor:
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} is a {type(value).__name__}; {name} must be {wanted}")
    if value.layout != torch.strided or value.is_nested:
        raise ValueError(f"{name} is sparse or nested; {name} must be dense, as {name}.to_dense() is")
    if value.device.type == "meta":
        raise ValueError(f"{name} is on the device meta, which holds no numbers; {name} must be on another")
    return value


def check_same_kind(name: str, value: Tensor, reference_name: str, reference: Tensor) -> None:
    """Raise if `value` and `reference` differ in dtype or device.

    Parameters
    ----------
    name, reference_name : str
        What they are called in the error.
    value, reference : Tensor
        The two tensors.

    Raises
    ------
    ValueError
        If they differ.
    """
    if value.dtype != reference.dtype:
        raise ValueError(f"{name} has dtype {value.dtype} but {reference_name} has {reference.dtype}; they must agree")
    if value.device != reference.device:
        raise ValueError(f"{name} is on {value.device} but {reference_name} is on {reference.device}; they must agree")


def check_labels(name: str, value: Any, *, samples: int, classes: int) -> Tensor:
    """Return `value` as int64 labels if it is a vector of integers in 0…classes−1, of any integer dtype.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller was given.
    samples, classes : int
        Its length, and the number of classes.

    Returns
    -------
    Tensor, shape (samples,)

    Raises
    ------
    TypeError
        If it is no tensor of integers.
    ValueError
        If it has another shape, or an entry is no class.
    """
    tensor = _check_dense(name, value, "a torch.Tensor of integers")
    if tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool:
        raise TypeError(f"{name} has dtype {tensor.dtype}; {name} must hold integer labels")
    if tensor.shape != (samples,):
        raise ValueError(
            f"{name} has shape {tuple(tensor.shape)}; {name} must have shape ({samples},), one label a sample"
        )
    labels = tensor.to(torch.int64)
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        wrong = low if low < 0 else high
        raise ValueError(f"{name} contains {wrong}; labels must lie in 0…{classes - 1}")
    return labels


def check_label_array(name: str, value: Any) -> np.ndarray:
    """Return `value` as an int64 array if it is one of integers of any type, without a mask.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller was given.

    Returns
    -------
    ndarray of int64

    Raises
    ------
    TypeError, ValueError
        If it is none.
    """
    refuse_masked(name, value)
    labels = array_of(name, value)
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"{name} has entries of type {labels.dtype}; {name} must hold integers, for instance {name}.astype(int)"
        )
    if labels.size and int(labels.max()) > np.iinfo(np.int64).max:
        raise ValueError(f"{name} contains {int(labels.max())}; {name} must hold labels 0…K−1")
    return labels.astype(np.int64, copy=False)


def check_generator(name: str, value: Any) -> torch.Generator:
    """Return `value` if it is a generator on the CPU, where random numbers are drawn whatever the device.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : object
        What the caller was given.

    Returns
    -------
    torch.Generator
        The value.

    Raises
    ------
    TypeError, ValueError
        If it is none.
    """
    if not isinstance(value, torch.Generator):
        raise TypeError(f"{name} is a {type(value).__name__}; {name} must be a torch.Generator")
    if value.device.type != "cpu":
        raise ValueError(f"{name} is on {value.device}; {name} must be on the CPU")
    return value


def check_device(device: str | torch.device) -> torch.device:
    """Return `device` as a torch.device on which a tensor can be made and holds numbers.

    Parameters
    ----------
    device : str or torch.device
        What the caller was given.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If there is none of that name here.
    """
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device {device!r} cannot be used here: {reason}") from error
    if found.type == "meta":
        raise ValueError(f"device {device!r} cannot be used here: it holds no numbers")
    return found
