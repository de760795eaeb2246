"""Limited-memory BFGS for many independent problems at once.

Each row of the point is a problem of its own, with its own memory, step length and end. The library
implementations take one problem at a time, at a cost per iteration many times that of the objective here.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["minimise"]

_ARMIJO = 1e-4
_NOISE = 1e-14  # rounding error of a value, relative; see Hager and Zhang (2005) on the approximate Wolfe conditions
_HALVINGS = 25


def minimise(
    objective: Callable[[Float[Tensor, "S P"]], tuple[Float[Tensor, " S"], Float[Tensor, "S P"]]],
    start: Float[Tensor, "S P"],
    *,
    tol: float,
    max_steps: int,
    memory: int = 20,
) -> Float[Tensor, "S P"]:
    """Minimise a function row by row.

    Parameters
    ----------
    objective : callable
        From points to the values and the gradients; row s of both depends on row s of the points alone.
    start : tensor, shape (S, P)
        Where the rows begin.
    tol : float
        A row is done when no entry of its gradient is larger.
    max_steps : int
        Most iterations.
    memory : int
        Pairs of steps and gradient differences kept.

    Returns
    -------
    tensor, shape (S, P)
        Not higher than the start, up to rounding. A row also ends where no step along the steepest descent lowers it
        any more.

    Examples
    --------
    >>> def bowls(x):
    ...     a = torch.tensor([[1.0, 9.0], [4.0, 2.0]], dtype=torch.float64)
    ...     return (a * x**2 / 2).sum(1), a * x
    >>> minimise(bowls, torch.ones(2, 2, dtype=torch.float64), tol=1e-12, max_steps=50).abs().max() < 1e-12
    tensor(True)
    """
    point = start.clone()
    value, gradient = (t.clone() for t in objective(point))
    pairs = _Memory(point, memory)
    fresh = torch.ones(len(point), dtype=torch.bool, device=point.device)  # nothing remembered: steepest descent
    done = torch.zeros_like(fresh)
    for _ in range(max_steps):
        done |= gradient.abs().amax(1) <= tol
        if bool(done.all()):
            break
        direction = pairs.direction(gradient)
        slope = (direction * gradient).sum(1)
        astray = ~done & (slope >= 0)
        pairs.forget(astray)
        fresh |= astray
        direction[astray], slope[astray] = -gradient[astray], -gradient[astray].square().sum(1)
        length = torch.where(fresh, 1 / gradient.norm(dim=1).clamp(min=1e-300), 1.0).clamp(max=1)
        moved, new_value, new_gradient, found = _search(objective, point, value, direction, slope, length, done)
        pairs.remember(moved - point, new_gradient - gradient, found)
        pairs.forget(~found)
        done |= ~found & fresh
        fresh = ~found
        point, value, gradient = moved, new_value, new_gradient
    return point


def _search(
    objective: Callable[[Tensor], tuple[Tensor, Tensor]],
    point: Tensor,
    value: Tensor,
    direction: Tensor,
    slope: Tensor,
    length: Tensor,
    done: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Halve the lengths until every row that is not done satisfies the Armijo condition; rows that never do stay."""
    length = torch.where(done, 0, length)
    found = done.clone()
    for _ in range(_HALVINGS):
        trial = point + length[:, None] * direction
        new_value, new_gradient = objective(trial)
        found |= new_value <= value + _ARMIJO * length * slope
        flat = (new_value - value).abs() <= _NOISE * value.abs()  # where values say no more, slopes still do
        found |= flat & ((direction * new_gradient).sum(1) <= (2 * _ARMIJO - 1) * slope)
        if bool(found.all()):
            break
        length = torch.where(found, length, length / 2)
    if not bool(found.all()):
        trial = torch.where(found[:, None], trial, point)
        new_value, new_gradient = objective(trial)
    return trial, new_value.clone(), new_gradient.clone(), found


class _Memory:
    """The last few steps s and gradient differences y of every row, and the two-loop recursion over them."""

    def __init__(self, point: Tensor, size: int) -> None:
        self._size, self._next = size, 0
        self._steps = point.new_zeros(size, *point.shape)
        self._changes = point.new_zeros(size, *point.shape)
        self._rho = point.new_zeros(size, len(point))  # 1 / s·y, or 0 for a pair that does not count
        self._scale = point.new_ones(len(point))

    def remember(self, step: Tensor, change: Tensor, rows: Tensor) -> None:
        curvature = (step * change).sum(1)
        square = change.square().sum(1)
        rows = rows & (curvature > 1e-12 * square.sqrt() * step.norm(dim=1))
        slot = self._next % self._size
        self._next += 1
        self._steps[slot], self._changes[slot] = step, change
        self._rho[slot] = torch.where(rows, 1 / torch.where(rows, curvature, 1), 0)
        self._scale = torch.where(rows, curvature / torch.where(rows, square, 1), self._scale)

    def forget(self, rows: Tensor) -> None:
        self._rho[:, rows] = 0
        self._scale[rows] = 1

    def direction(self, gradient: Tensor) -> Tensor:
        slots = [i % self._size for i in range(max(0, self._next - self._size), self._next)]
        q = -gradient
        alphas = {}
        for i in reversed(slots):
            alphas[i] = self._rho[i] * (self._steps[i] * q).sum(1)
            q.addcmul_(alphas[i][:, None], self._changes[i], value=-1)
        q *= self._scale[:, None]
        for i in slots:
            beta = self._rho[i] * (self._changes[i] * q).sum(1)
            q.addcmul_((alphas[i] - beta)[:, None], self._steps[i])
        return q
