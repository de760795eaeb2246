"""The near pairs of a kernel machine, taken apart on the way over its samples."""

import torch
from torch import Tensor

from numerics.agop._cost import agop_cost
from numerics.agop._machine import KernelMachine, uncancelled_size
from numerics.linalg import gram, row_blocks, row_squares

__all__ = ["NearPairs", "complete_core", "near_pairs", "symmetric_part"]


def symmetric_part(half: Tensor) -> Tensor:
    """A + Aᵀ."""
    return half + half.T


def complete_core(core: Tensor, factor: Tensor, alpha: Tensor, steps: Tensor) -> None:
    """Q from P², P, α and s = Pα, in place of P²."""
    left, right = torch.cat([steps, alpha], dim=1), torch.cat([alpha, steps], dim=1)
    for rows in row_blocks(core):
        core[rows].mul_(alpha[rows] @ alpha.T)
        core[rows].sub_((left[rows] @ right.T).mul_(factor[rows]))
    core.diagonal().add_(row_squares(steps))


class NearPairs:
    r"""The pairs of points of one cluster, taken out of P, in coordinates about the mean of their cluster.

    With P = F + N, N the pairs within clusters and F all others, s = Fα and t = Nα, the gradients are Xᵀu + Δᵀv with
    u_ic = s_ic e_i − F_i∘α_c and v_ic = t_ic e_i − N_i∘α_c, and

    $$ \sum_{i,c} u_{ic} v_{ic}^\top = FN ∘ αα^\top - N ∘ sα^\top - F ∘ αt^\top
       + \mathrm{diag}\Bigl(\sum_c s_{ic} t_{ic}\Bigr) $$

    Parameters
    ----------
    machine : KernelMachine
        The machine.
    factor : Tensor, shape (n, n)
        P, which becomes F.
    clusters : list of Tensor
        Indices of the points of each cluster.
    """

    def __init__(self, machine: KernelMachine, factor: Tensor, clusters: list[Tensor]) -> None:
        self.machine, self.clusters = machine, clusters
        self.blocks, self.points = [], []
        for members in clusters:
            pairs = (members[:, None], members)
            self.blocks.append(factor[pairs])
            factor[pairs] = 0.0
            points = machine.X[members]
            self.points.append(points - points.mean(dim=0))
        self.alpha = [machine.alpha[members] for members in clusters]
        self.steps = [block @ alpha for block, alpha in zip(self.blocks, self.alpha, strict=True)]

    def uncancelled(self) -> float:
        """The size of the terms that tr ΔᵀQΔ of the near pairs is left of."""
        parts = zip(self.blocks, self.alpha, self.steps, self.points, strict=True)
        return sum(uncancelled_size(block, alpha, steps, row_squares(points)) for block, alpha, steps, points in parts)

    def rest(self, factor: Tensor, steps: Tensor) -> Tensor:
        """Σ (Xᵀu)(Δᵀv)ᵀ + (Δᵀv)(Xᵀu)ᵀ + (Δᵀv)(Δᵀv)ᵀ, where `factor` is F and `steps` is Fα."""
        machine = self.machine
        mixed = torch.zeros_like(machine.centred)  # Σ u vᵀ Δ
        within = mixed.new_zeros(mixed.shape[1], mixed.shape[1])
        parts = zip(self.clusters, self.blocks, self.alpha, self.steps, self.points, strict=True)
        for members, block, alpha, own, points in parts:
            far = factor[:, members]
            core = (far @ block).mul_(machine.alpha @ alpha.T)
            core.sub_((machine.alpha @ own.T).mul_(far))
            core[members] -= (steps[members] @ alpha.T).mul_(block)
            core[members, torch.arange(members.numel(), device=members.device)] += (steps[members] * own).sum(dim=1)
            mixed.addmm_(core, points)
            core = gram(block)
            complete_core(core, block, alpha, own)
            within.addmm_(points.T, core @ points, alpha=0.5)
        return symmetric_part(within.addmm_(machine.centred.T, mixed))


def near_pairs(machine: KernelMachine, factor: Tensor, limit: int, forced: bool) -> NearPairs | None:
    """Near pairs taken out of P, if there are any, the memory allows it and it is cheaper than the features route."""
    (n, d), c = machine.X.shape, machine.alpha.shape[1]
    clusters = machine.clusters()
    sizes = [members.numel() for members in clusters]
    more = sum(2.0 * (n + m) * m * (m + d) for m in sizes) + 4.0 * n * d * d
    cost = agop_cost(n, d, c)
    entries = n * n + sum(m * m for m in sizes) + 3 * n * max(sizes, default=0) + 5 * n * d + 3 * d * d
    fits = machine.X.element_size() * entries <= limit
    if not sizes or not fits or (not forced and cost["samples"] + more > cost["features"]):
        return None
    return NearPairs(machine, factor, clusters)
