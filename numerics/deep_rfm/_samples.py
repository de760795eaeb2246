"""Samples and labels of a deep recursive feature machine, as its layers take them."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from numerics.deep_rfm._settings import Settings
from numerics.scaling import binary_scale

__all__ = ["check_unmasked", "gram_index", "points_of", "targets_of"]


def points_of(settings: Settings, X: Float[np.ndarray, "n d"]) -> Float[Tensor, "n d"]:
    """Samples as a tensor, in float32 each row at a size that float32 has: its direction alone matters.

    Parameters
    ----------
    settings : Settings
        Which say where and in what.
    X : array, shape (n, d)
        Samples in rows.

    Returns
    -------
    Tensor, shape (n, d)
    """
    points = torch.as_tensor(np.require(X, requirements=["C", "W"]))
    if settings.dtype == torch.float32:
        points = points / binary_scale(points, dim=1)[:, None]
    return points.to(settings.device, settings.dtype)


def targets_of(settings: Settings, labels: Int[Tensor, " n"], classes: int) -> Float[Tensor, "n K"]:
    """What the machines are to give for labels: a column a class.

    Parameters
    ----------
    settings : Settings
        Which say in what form.
    labels : Tensor, shape (n,)
        Labels 0…K−1.
    classes : int
        K.

    Returns
    -------
    Tensor, shape (n, K)
    """
    onehot = torch.nn.functional.one_hot(labels, classes).to(settings.dtype)
    return onehot if settings.targets == "onehot" else 2.0 * onehot - 1.0


def gram_index(settings: Settings, labels: Int[Tensor, " n"]) -> Int[np.ndarray, " m"]:
    """The samples that a Gram matrix is of, ordered by class; if there are too many, at even steps.

    Parameters
    ----------
    settings : Settings
        Which say how many are too many.
    labels : Tensor, shape (n,)
        Labels of all samples.

    Returns
    -------
    array of int
    """
    order: np.ndarray = torch.argsort(labels, stable=True).cpu().numpy()
    if len(order) <= settings.gram_samples:
        return order
    steps = np.linspace(0, len(order) - 1, settings.gram_samples).round().astype(int)
    return np.asarray(order[steps])


def check_unmasked(**arrays: Any) -> None:
    """Refuse masked arrays, whose masks would be ignored.

    Parameters
    ----------
    **arrays
        By name.

    Raises
    ------
    TypeError
        If one is masked.
    """
    for name, array in arrays.items():
        if isinstance(array, np.ma.MaskedArray):
            raise TypeError(f"{name} is a masked array; {name} must be a plain one, without missing values")
        if isinstance(array, Tensor) and (array.requires_grad or array.device.type != "cpu"):
            raise TypeError(f"{name} is a tensor that NumPy cannot read; {name} must be detached, and on the CPU")
