"""Proved bounds on the losses of the DUFM, in ball arithmetic (python-flint's Arb).

The method, and why its bounds hold, is in docs/enclosures.md.
"""

from theory.dufm.enclosure._bounds import Bounds, Interval, WidthNotReached
from theory.dufm.enclosure._boxes import enclose_ratio_over
from theory.dufm.enclosure._losses import enclose_collapse_at, enclose_loss, enclose_ratio

__all__ = [
    "Bounds",
    "Interval",
    "WidthNotReached",
    "enclose_collapse_at",
    "enclose_loss",
    "enclose_ratio",
    "enclose_ratio_over",
]
