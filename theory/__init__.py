"""The exact mathematics of deep neural collapse: symbolic, rational, ball and careful float64 arithmetic.

Nothing here imports torch. Submodules are loaded when they are first asked for, so that
``from theory import dufm`` stays quick.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
