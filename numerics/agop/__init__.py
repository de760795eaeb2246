"""The average gradient outer product (AGOP) of kernel machines and of torch modules."""

from numerics.agop._cost import agop_cost
from numerics.agop._kernel_machines import AgopAccuracyWarning, kernel_agop
from numerics.agop._modules import model_agop

__all__ = [
    "AgopAccuracyWarning",
    "agop_cost",
    "kernel_agop",
    "model_agop",
]
