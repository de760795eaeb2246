"""Deep recursive feature machines, measured at every step of a layer."""

from numerics.deep_rfm._deep_rfm import (
    STAGES,
    AgopRoot,
    DeepRFM,
    LayerRecord,
    agop_root,
)

__all__ = [
    "STAGES",
    "AgopRoot",
    "DeepRFM",
    "LayerRecord",
    "agop_root",
]
