"""Trained networks: a monitor of neural collapse in the layers of any torch module."""

from numerics.networks._history import CollapseHistory, CollapseRecord, LayerCollapse, ScalarWriter, Subject
from numerics.networks._monitor import CollapseMonitor
from numerics.networks._passes import Diverged

__all__ = [
    "CollapseHistory",
    "CollapseMonitor",
    "CollapseRecord",
    "Diverged",
    "LayerCollapse",
    "ScalarWriter",
    "Subject",
]
