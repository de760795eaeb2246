"""Proved bounds on the losses of the DUFM, in ball arithmetic."""

from theory.dufm.enclosure._enclosure import Bounds, WidthNotReached, enclose_loss, enclose_ratio, enclose_ratio_over

__all__ = ["Bounds", "WidthNotReached", "enclose_loss", "enclose_ratio", "enclose_ratio_over"]
