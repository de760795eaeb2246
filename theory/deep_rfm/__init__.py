"""Deep recursive feature machines in exact terms: the kernel of ReLU features, the map of a layer, its fixed point."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
