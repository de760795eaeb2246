"""Local elasticity: how a step on one sample moves the features of others, as a differential equation."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
