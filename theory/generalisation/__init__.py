"""Generalisation and collapse: test collapse, the error of the nearest class mean, depths, bounds on the true CDNV."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
