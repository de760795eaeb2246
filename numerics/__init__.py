"""Experiments on deep neural collapse in torch, CPU and CUDA alike.

Submodules are loaded when they are first asked for, so that
importing the command line does not import torch.
"""

import importlib
from typing import Any

__all__ = [
    "agop",
    "cli",
    "data",
    "deep_rfm",
    "dufm",
    "feature_maps",
    "kernel_regression",
    "kernels",
    "neural_collapse",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
