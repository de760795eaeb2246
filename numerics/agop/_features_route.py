"""The AGOP of a kernel machine over its features: the n·C gradients, and then their outer products."""

import math

from torch import Tensor

from numerics.agop._machine import KernelMachine
from numerics.agop._memory import block_size, blocks
from numerics.linalg import add_gram

__all__ = ["by_features"]


def by_features(machine: KernelMachine, limit: int) -> tuple[Tensor, float]:
    """The AGOP, and the factor by which rounding was amplified.

    Parameters
    ----------
    machine : KernelMachine
        The machine.
    limit : int
        Bytes of working memory.

    Returns
    -------
    tuple of Tensor, shape (d, d), and float
    """
    centred = machine.centred
    (n, d), c = centred.shape, machine.alpha.shape[1]
    size = centred.element_size()
    fixed = size * (2 * n * d + d * d)
    rows = block_size(limit, fixed, size * (13 * n // 4 + 2 * d * c + 2 * d), 0.0, min(n, 4096))
    inner = centred.new_zeros(d, d)
    uncancelled = 0.0
    for block in blocks(n, rows):
        gradients, terms = machine.gradients(block)
        uncancelled += terms
        add_gram(inner, gradients.view(-1, d).T, mirror=False)
    trace = float(inner.diagonal().sum())
    return _mirrored(inner).div_(n), math.sqrt(uncancelled / trace) if trace > 0.0 else 1.0


def _mirrored(upper: Tensor) -> Tensor:
    """A symmetric matrix from its upper triangle."""
    upper.triu_()
    upper.add_(upper.triu(1).T)
    return upper
