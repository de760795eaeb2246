"""Cross-entropy in the unconstrained features model: its risk, margins, landscape, flow, and its minimum with decay."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
