"""The gradients of a kernel machine, with their digits however near some of its points are to each other.

The gradient of output c at x_i is Σ_j P_ij α_jc (x_i − x_j). As a matrix product it is the difference of s_ic x_i and
Σ_j P_ij α_jc x_j, both as large as the points are, so that of a pair at distance r only a part r/size of the digits is
left: half of them at 1e-8, where P_ij of a Laplace kernel is large enough for the pair to matter. Pairs nearer than a
hundredth of the size are therefore taken out of P: few of a point as differences, and many by a product about a point
of a ball around them, whose size is a hundredth, again with the nearest pairs taken out.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.kernels import RadialKernel
from numerics.linalg import row_squares

__all__ = ["gradients", "take_near"]

_NEAR = 1e-2  # pairs nearer than this part of the size are taken out
_FEW = 8  # of a point, that are taken out as differences
_CHUNK = 1 << 18  # entries of differences taken at a time


@dataclass(frozen=True, eq=False)
class _Ball:
    """The pairs of some rows of P with all columns that are near to one of them."""

    rows: Tensor
    factor: Tensor
    X: Tensor
    Z: Tensor
    alpha: Tensor
    origin: Tensor

    def add_to(self, result: Tensor, kernel: RadialKernel) -> None:
        x, z = self.X - self.origin, self.Z - self.origin
        near = take_near(kernel, self.factor, self.X, self.Z, self.alpha, float(row_squares(z).max()))
        steps = self.factor @ self.alpha
        result.index_add_(1, self.rows, gradients(kernel, self.factor, steps, x, z, self.alpha, near))


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Single entries of P."""

    rows: Tensor
    columns: Tensor
    values: Tensor
    X: Tensor
    Z: Tensor
    alpha: Tensor

    def add_to(self, result: Tensor, kernel: RadialKernel) -> None:
        step = max(1, _CHUNK // self.X.shape[1])
        for start in range(0, self.rows.numel(), step):
            part = slice(start, start + step)
            rows, columns = self.rows[part], self.columns[part]
            steps = self.values[part, None] * (self.X[rows] - self.Z[columns])
            for output, gradient in enumerate(result):
                gradient.index_add_(0, rows, steps * self.alpha[columns, output, None])


Near = list[_Ball | _Pairs]


def gradients(
    kernel: RadialKernel, factor: Tensor, steps: Tensor, x: Tensor, z: Tensor, alpha: Tensor, near: Near
) -> Tensor:
    """Σ_j P_ij α_jc (x_i − z_j) for every output c and row i, and what was taken out of P.

    Parameters
    ----------
    kernel : RadialKernel
        Of P.
    factor : Tensor, shape (m, n)
        P, of what is not near.
    steps : Tensor, shape (m, c)
        Pα of the same.
    x, z : Tensor, shapes (m, d) and (n, d)
        The points less one point near them.
    alpha : Tensor, shape (n, c)
        Coefficients.
    near : list
        What `take_near` has taken out of P.

    Returns
    -------
    Tensor, shape (c, m, d)
    """
    result = x.new_empty(alpha.shape[1], *x.shape)
    weighted = torch.empty_like(factor)
    for output, gradient in enumerate(result):
        torch.mul(factor, alpha[:, output], out=weighted)
        torch.mul(x, steps[:, output, None], out=gradient)
        gradient.addmm_(weighted, z, alpha=-1.0)
    del weighted
    for part in near:
        part.add_to(result, kernel)
    return result


def take_near(kernel: RadialKernel, factor: Tensor, X: Tensor, Z: Tensor, alpha: Tensor, square: float) -> Near:
    """Take the pairs that are near for the size of the points out of P, in place.

    Parameters
    ----------
    kernel : RadialKernel
        Of P. Its radial factor falls with the distance, so that P tells which pairs are near.
    factor : Tensor, shape (m, n)
        P, zero for coincident points.
    X, Z : Tensor, shapes (m, d) and (n, d)
        The points as given.
    alpha : Tensor, shape (n, c)
        Coefficients.
    square : float
        The square of the size: of the largest distance of Z from the origin of the product.

    Returns
    -------
    list
        What was taken out.
    """
    reach = _NEAR**2 * square
    nearest = kernel.slope(factor.new_full((1, 1), reach), 0.0).squeeze()
    if not reach > 0.0 or not bool(factor.min() < nearest):
        return []
    pairs = factor < nearest
    crowded = pairs.sum(dim=1) > _FEW
    pairs[crowded] = False
    rows, columns = pairs.nonzero().T
    taken: Near = [_Pairs(rows, columns, factor[rows, columns], X, Z, alpha)]
    factor[rows, columns] = 0.0
    while bool(crowded.any()):
        first = int(crowded.to(torch.uint8).argmax())
        inner = crowded & (row_squares(X - X[first]) <= reach)
        inner[first] = True
        outer = row_squares(Z - X[first]) <= 4.0 * reach  # all that is near to one of the rows
        crowded &= ~inner
        rows, columns = inner.nonzero().squeeze(1), outer.nonzero().squeeze(1)
        block = factor[rows[:, None], columns]
        factor[rows[:, None], columns] = 0.0
        taken.append(_Ball(rows, block, X[rows], Z[columns], alpha[columns], X[first]))
    return taken
