"""Deep recursive feature machines, measured at every step of a layer."""

from numerics.deep_rfm._estimator import DeepRFM
from numerics.deep_rfm._layer import STAGES, LayerRecord
from numerics.deep_rfm._root import AgopRoot, agop_root

__all__ = [
    "STAGES",
    "AgopRoot",
    "DeepRFM",
    "LayerRecord",
    "agop_root",
]
