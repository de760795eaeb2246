"""Strong neural collapse: squared error without regularisation in the unconstrained features model, and its flow."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
