"""What the parameters of a deep recursive feature machine mean: checked, and of one type each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import torch

from numerics.kernels import FeatureMap, Kernel, Laplace, ReLUFeatures
from numerics.tensors import check_device
from theory.arguments import check_choice, check_integer, check_real

__all__ = ["DEFAULTS", "Settings"]

DEFAULTS: Mapping[str, Any] = MappingProxyType({"kernel": Laplace(2.0), "feature_map": ReLUFeatures(1024)})
"""What stands for None."""


@dataclass(frozen=True, eq=False)
class Settings:
    """The parameters of `DeepRFM` that matter to its numbers, converted at the door.

    Attributes
    ----------
    depth, gram_samples : int
    kernel : Kernel
    feature_map : FeatureMap
    ridge : float
    targets, agop_scale, agop_route, singular : str
    memory_limit : int or None
    grams : tuple of int
    device : torch.device
    dtype : torch.dtype
    """

    depth: int
    kernel: Kernel
    feature_map: FeatureMap
    ridge: float
    targets: Literal["signed", "onehot"]
    agop_scale: Literal["mean", "sum"]
    agop_route: Literal["auto", "features", "samples"]
    memory_limit: int | None
    singular: Literal["auto", "pinv", "jitter"]
    grams: tuple[int, ...]
    gram_samples: int
    device: torch.device
    dtype: torch.dtype

    @classmethod
    def of(cls, parameters: dict[str, Any]) -> "Settings":
        """The settings that parameters stand for.

        Parameters
        ----------
        parameters : dict
            As of ``DeepRFM.get_params(deep=False)``.

        Returns
        -------
        Settings

        Raises
        ------
        TypeError, ValueError
            If one of them is not allowed.
        """
        given = parameters
        depth = check_integer("depth", given["depth"], at_least=1)
        limit = given["memory_limit"]
        if given["callback"] is not None and not callable(given["callback"]):
            raise TypeError(f"callback = {given['callback']!r} cannot be called; callback must be a function or None")
        return cls(
            depth=depth,
            kernel=_kernel(given["kernel"]),
            feature_map=_feature_map(given["feature_map"]),
            ridge=check_real("ridge", given["ridge"], at_least=0.0),
            targets=check_choice("targets", given["targets"], ("signed", "onehot")),
            agop_scale=check_choice("agop_scale", given["agop_scale"], ("mean", "sum")),
            agop_route=check_choice("agop_route", given["agop_route"], ("auto", "features", "samples")),
            memory_limit=None if limit is None else check_integer("memory_limit", limit, at_least=1),
            singular=check_choice("singular", given["singular"], ("auto", "pinv", "jitter")),
            grams=_grams(given["grams"], depth),
            gram_samples=check_integer("gram_samples", given["gram_samples"], at_least=1),
            device=check_device(given["device"]),
            dtype=_dtype(given["dtype"]),
        )


def _kernel(value: Any) -> Kernel:
    kernel = DEFAULTS["kernel"] if value is None else value
    if not isinstance(kernel, Kernel):
        raise TypeError(f"kernel = {value!r} is a {type(value).__name__}; kernel must be one of numerics.kernels")
    if kernel.M is not None:
        raise ValueError("kernel has a Mahalanobis matrix M; kernel must have none: each layer has its own")
    return kernel


def _feature_map(value: Any) -> FeatureMap:
    feature_map = DEFAULTS["feature_map"] if value is None else value
    if not isinstance(feature_map, FeatureMap):
        kind = type(value).__name__
        raise TypeError(f"feature_map = {value!r} is a {kind}; feature_map must be one of numerics.kernels")
    return feature_map


def _grams(value: Any, depth: int) -> tuple[int, ...]:
    if not isinstance(value, Collection) or isinstance(value, str):
        raise TypeError(f"grams = {value!r} is a {type(value).__name__}; grams must be a collection of layers")
    try:
        return tuple(check_integer("grams", layer, at_least=1, at_most=depth + 1) for layer in value)
    except ValueError as error:
        raise ValueError(f"grams = {value!r}; grams must name layers in 1…{depth + 1}") from error


def _dtype(value: Any) -> torch.dtype:
    for dtype in (torch.float32, torch.float64):
        if value is dtype or (isinstance(value, str) and value == str(dtype).removeprefix("torch.")):
            return dtype
    raise ValueError(f"dtype = {value!r}; dtype must be 'float32' or 'float64'")
