"""The exact mathematics of deep neural collapse: symbolic, rational, ball and careful float64 arithmetic.

Nothing here imports torch. Submodules are loaded when they are first asked for, so that
``from theory import dufm`` stays quick.
"""

import importlib
from typing import Any

__all__ = [
    "certificate",
    "collapse_convergence",
    "collapse_map",
    "dufm",
    "kernel_ridge",
    "labels",
    "ledger",
    "relu_epsilon",
    "relu_kernel",
    "ridge",
    "schatten",
    "triangular_graph",
    "two_layers",
    "unconstrained_features",
    "woodbury",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
