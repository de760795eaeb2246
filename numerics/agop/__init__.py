"""The average gradient outer product (AGOP) of kernel machines and of torch modules."""

from numerics.agop._agop import (
    AgopAccuracyWarning,
    agop_cost,
    kernel_agop,
    model_agop,
)

__all__ = [
    "AgopAccuracyWarning",
    "agop_cost",
    "kernel_agop",
    "model_agop",
]
