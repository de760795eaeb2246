"""The unconstrained features model (UFM): its problem, its objective, and searches for its global minimum."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
