"""A kernel machine f(x) = Σ_j α_j k(x, x_j) on its own points, with what both routes to its AGOP need of it."""

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.agop._gradients import gradients, take_near
from numerics.kernels import RadialKernel, coincidence_radius, distances_about
from numerics.linalg import row_squares

__all__ = ["KernelMachine", "uncancelled_size"]

_PROBES = 4  # points whose gradients tell the amplification in advance
_CLUSTER = 0.1  # radius of a cluster, over the root mean square of the points about their mean
_CLUSTERS = 256  # that are looked for


class KernelMachine:
    """A kernel machine; with P_ij = φ'(r)/r of points i and j.

    Its gradients do not change if all points move together; about their mean the products lose least.

    Parameters
    ----------
    kernel : RadialKernel
        Without Mahalanobis matrix.
    X : Tensor, shape (n, d)
        The points, of size about one.
    alpha : Tensor, shape (n, c)
        Coefficients.
    """

    def __init__(self, kernel: RadialKernel, X: Float[Tensor, "n d"], alpha: Float[Tensor, "n c"]) -> None:
        self.kernel, self.X, self.alpha = kernel, X, alpha
        self.centred = X - X.mean(dim=0)
        self.squares = row_squares(self.centred)
        self.coincident = coincidence_radius(self.squares)

    def factor(self) -> Float[Tensor, "n n"]:
        """P."""
        return self.kernel.slope(distances_about(self.X, None, self.centred, None), self.coincident)

    def factor_columns(self, block: slice | Tensor) -> Float[Tensor, "n m"]:
        """P[:, block]."""
        square = distances_about(self.X, self.X[block], self.centred, self.centred[block])
        return self.kernel.slope(square, self.coincident)

    def gradients(self, block: slice) -> tuple[Float[Tensor, "c m d"], float]:
        """The gradients of all outputs at the points of a block, and the size of the terms that they are left of."""
        factor = self.factor_columns(block).T
        near = take_near(self.kernel, factor, self.X[block], self.X, self.alpha, float(self.squares.max()))
        uncancelled = float((factor.square() @ (row_squares(self.alpha) * self.squares)).sum())
        steps = factor @ self.alpha
        uncancelled += float(row_squares(steps) @ self.squares[block])
        return gradients(self.kernel, factor, steps, self.centred[block], self.centred, self.alpha, near), uncancelled

    def uncancelled(self, block: slice, factor: Tensor, steps: Tensor) -> float:
        """Σ Q_ii ‖x_i‖² over a block, from its rows of P and Pα: the size of the terms that tr XᵀQX is left of."""
        return uncancelled_size(factor, self.alpha[block], steps, self.squares[block])

    def probes(self, most: int = _PROBES) -> Tensor:
        """Indices of a few points, at even steps."""
        n = self.X.shape[0]
        return torch.linspace(0, n - 1, min(n, most), device=self.X.device).round().long()

    def foreseen_trace(self, factor: Float[Tensor, "p n"], probes: Tensor) -> float:
        """tr XᵀQX, as the gradients at the probes tell it, from their rows of P."""
        weighted = (factor[:, None, :] * self.alpha.T).flatten(0, 1)  # of a point and an output: X is read but once
        steps = (factor @ self.alpha).view(-1, 1)
        slopes = steps * self.centred[probes].repeat_interleave(self.alpha.shape[1], 0) - weighted @ self.centred
        return float(slopes.square().sum()) * self.X.shape[0] / probes.numel()

    def clusters(self) -> list[Tensor]:
        """Disjoint clusters of two or more near points each, greedily; points beyond 256 clusters are in none."""
        reach = _CLUSTER**2 * float(self.squares.mean())
        free = torch.ones_like(self.squares, dtype=torch.bool)
        found = []
        for _ in range(_CLUSTERS):
            if not bool(free.any()):
                break
            first = int(free.to(torch.uint8).argmax())
            square = self.squares + self.squares[first] - 2.0 * (self.centred @ self.centred[first])
            cluster = free & (square <= reach)
            cluster[first] = True
            free &= ~cluster
            members = cluster.nonzero().squeeze(1)
            if members.numel() > 1:
                found.append(members)
        return found


def uncancelled_size(factor: Tensor, alpha: Tensor, steps: Tensor, squares: Tensor) -> float:
    """Σ_i (‖P_i‖² ‖α_i‖² + ‖s_i‖²) ‖x_i‖² of rows of P, α, s = Pα and squared norms of points."""
    return float((row_squares(factor) * row_squares(alpha) + row_squares(steps)) @ squares)
