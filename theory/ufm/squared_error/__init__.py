"""Squared error with weight decay in the unconstrained features model: minima, classifiers, renormalised flow."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
