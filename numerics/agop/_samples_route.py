"""The AGOP of a kernel machine over its samples: the outer products of its coefficients first, points at the end."""

import math

import torch
from torch import Tensor

from numerics.agop._machine import KernelMachine
from numerics.agop._memory import block_size, blocks
from numerics.agop._near_pairs import complete_core, near_pairs, symmetric_part
from numerics.linalg import gram, row_squares, triangular_product

__all__ = ["by_samples", "tolerated_amplification"]

# Relative error that the route may cost, as a power of machine epsilon: 4e-11 in float64, 2e-5 in float32.
_TOLERANCE = 2.0 / 3.0
_CUTOFF = 1.0 / math.sqrt(3.0)


def _tolerance(dtype: torch.dtype) -> float:
    return math.pow(torch.finfo(dtype).eps, _TOLERANCE)


def tolerated_amplification(dtype: torch.dtype) -> float:
    """The largest amplification of rounding that ``route="auto"`` puts up with."""
    return _tolerance(dtype) / torch.finfo(dtype).eps


def by_samples(machine: KernelMachine, limit: int, *, forced: bool) -> tuple[Tensor | None, float]:
    """The AGOP, and the factor by which rounding was amplified.

    Parameters
    ----------
    machine : KernelMachine
        The machine.
    limit : int
        Bytes of working memory.
    forced : bool
        Whether to go on if the amplification is foreseen to be more than is tolerated.

    Returns
    -------
    tuple of Tensor, shape (d, d), or None, and float
    """
    n, d = machine.X.shape
    size = machine.X.element_size()
    whole = size * (2 * n * n + n * n // 8 + 3 * n * d + 2 * d * d)
    if whole <= limit:
        inner, uncancelled = _in_core(machine, limit, forced)
    else:
        fixed = size * (3 * n * d + 3 * d * d)
        panel = block_size(limit, fixed, size * (13 * n // 4 + d), 4.0 * size, n)
        inner, uncancelled = _in_panels(machine, panel, forced)
    if inner is None:
        return None, math.inf
    trace = float(inner.diagonal().sum())
    return inner.div_(n), _ratio(uncancelled, trace)


def _ratio(uncancelled: float, trace: float) -> float:
    if uncancelled <= 0.0:
        return 1.0
    return uncancelled / trace if trace > 0.0 else math.inf


def _through_cholesky(core: Tensor, X: Tensor) -> Tensor | None:
    """XᵀQX by a Cholesky factor of Q, or None where rounding leaves Q without one; the points have mean zero.

    Q annihilates constants. They are given the mean eigenvalue of Q, Q + (tr Q/n) 11ᵀ/n, which makes Q regular where
    nothing else is in its kernel, and adds nothing to the result, since Xᵀ1 = 0.
    """
    size = float(core.diagonal().mean()) / core.shape[0]
    core.add_(size)
    upper, info = torch.linalg.cholesky_ex(core, upper=True)
    core.sub_(size)
    return gram(triangular_product(upper, X).T) if int(info) == 0 else None


def _in_core(machine: KernelMachine, limit: int, forced: bool) -> tuple[Tensor | None, float]:
    alpha, centred = machine.alpha, machine.centred
    n, d = centred.shape
    factor = machine.factor()
    steps = factor @ alpha
    uncancelled = machine.uncancelled(slice(n), factor, steps)
    probes = machine.probes()
    most = machine.foreseen_trace(factor[probes], probes) * tolerated_amplification(factor.dtype)
    near = None
    if uncancelled > most:
        near = near_pairs(machine, factor, limit, forced)
        if near is not None:
            steps = factor @ alpha
            uncancelled = 2.0 * (machine.uncancelled(slice(n), factor, steps) + near.uncancelled())
        if not forced and uncancelled > most:
            return None, uncancelled
    rest = None if near is None else near.rest(factor, steps)
    del near
    core = gram(factor)
    complete_core(core, factor, alpha, steps)
    del factor
    inner = _through_cholesky(core, centred) if d > _CUTOFF * n else None
    if inner is None:
        core.diagonal().mul_(0.5)
        inner = symmetric_part(centred.T @ triangular_product(core, centred))
    return inner if rest is None else inner.add_(rest), uncancelled


def _in_panels(machine: KernelMachine, panel: int, forced: bool) -> tuple[Tensor | None, float]:
    """As `_in_core`, with Q made block by block, from columns of P that are computed when needed."""
    alpha, centred = machine.alpha, machine.centred
    n, d = centred.shape
    steps = torch.empty_like(alpha)
    uncancelled = 0.0
    for block in blocks(n, panel):
        factor = machine.factor_columns(block).T
        steps[block] = factor @ alpha
        uncancelled += machine.uncancelled(block, factor, steps[block])
        del factor
    if not forced:
        probes = machine.probes()
        trace = machine.foreseen_trace(machine.factor_columns(probes).T, probes)
        if uncancelled > trace * tolerated_amplification(centred.dtype):
            return None, uncancelled
    inner = centred.new_zeros(d, d)
    for block in blocks(n, panel):
        first = machine.factor_columns(block)
        right = centred.new_zeros(first.shape[1], d)
        for other in blocks(n, panel, start=block.start):
            second = first if other.start == block.start else machine.factor_columns(other)
            core = first.T @ second
            core.mul_(alpha[block] @ alpha[other].T)
            core.sub_((steps[block] @ alpha[other].T).addmm_(alpha[block], steps[other].T).mul_(second[block]))
            if second is first:
                core.diagonal().add_(row_squares(steps[block]))
                core.mul_(0.5)
            right.addmm_(core, centred[other])
            del second, core
        inner.addmm_(centred[block].T, right)
    return symmetric_part(inner), uncancelled
