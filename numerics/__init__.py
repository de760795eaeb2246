"""Experiments on deep neural collapse in torch, CPU and CUDA alike.

Submodules are loaded when they are first asked for, so that ``import numerics`` does not import torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
