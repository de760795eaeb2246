"""Forward and backward passes of many DUFM runs at once, into buffers allocated once.

Run s of the batch is slice s of every tensor, and each operation is one batched
matrix product, so that the cost of calling torch is shared by all runs. Nothing is
recorded for autograd, and no step allocates memory for ReLU and linear networks.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.descent._activations import kernel
from numerics.descent._model import check_parameters, labels
from theory.ufm import Problem

__all__ = ["Network"]


class Network:
    """Parameters of S runs with the buffers of a forward and a backward pass.

    Parameters
    ----------
    problem : Problem
        The problem.
    parameters : sequence of L + 1 tensors
        (H_1, W_1, …, W_L), each of shape (S, …); they are used, not copied.

    Attributes
    ----------
    parameters : list of L + 1 tensors
        The current H_1, W_1, …, W_L.
    residual : tensor (S, N, K)
        H_L W_Lᵀ − Y at the parameters of the latest `forward`.
    """

    def __init__(self, problem: Problem, parameters: Sequence[Tensor]) -> None:
        check_parameters(problem, parameters)
        self.problem = problem
        self.parameters = list(parameters)
        first = self.parameters[0]
        runs, self.dtype, self.device = first.shape[0], first.dtype, first.device

        def buffer(columns: int) -> Tensor:
            return first.new_empty((runs, problem.N, columns))

        widths = problem.widths
        self._minus_labels = (-labels(problem, self.dtype, self.device)).expand(runs, -1, -1)
        self.residual = buffer(problem.K)
        self._kernels = [kernel(activation) for activation in problem.activations]
        self._pre = [buffer(d) for d in widths[1:]]
        self._out = [
            pre if act.overwrites else torch.empty_like(pre) for pre, act in zip(self._pre, self._kernels, strict=True)
        ]
        self._grad = [buffer(d) for d in widths[1:]]
        self._transposed = [weight.mT for weight in self.parameters[1:]]
        self._grad_transposed = [g.mT for g in (*self._grad, self.residual)]

    def forward(self) -> None:
        """Fill the activations and `residual`."""
        h = self.parameters[0]
        for weight, pre, out, act in zip(self._transposed[:-1], self._pre, self._out, self._kernels, strict=True):
            torch.bmm(h, weight, out=pre)
            act.forward(pre, out)
            h = out
        torch.baddbmm(self._minus_labels, h, self._transposed[-1], out=self.residual)

    def objective(self) -> Float[Tensor, " runs"]:
        """Return the objective of each run at the latest `forward`, summed up in float64."""
        loss = self.residual.double().square().sum((1, 2)) / (2 * self.problem.N)
        for lam, p in zip(self.problem.lams, self.parameters, strict=True):
            loss = loss + lam / 2 * p.double().square().sum((1, 2))
        return loss

    def gradient(self, out: Sequence[Tensor]) -> None:
        """Run forward and backward, and write ∂loss/∂(H_1, W_1, …, W_L) to `out`."""
        self.forward()
        scale, lams, weights = 1 / self.problem.N, self.problem.lams, self.parameters
        delta, delta_t = self.residual, self._grad_transposed[-1]
        for l in range(self.problem.L, 1, -1):
            h, grad = self._out[l - 2], self._grad[l - 2]
            torch.baddbmm(weights[l], delta_t, h, beta=lams[l], alpha=scale, out=out[l])
            torch.bmm(delta, weights[l], out=grad)
            self._kernels[l - 2].backward(grad, self._pre[l - 2], h)
            delta, delta_t = grad, self._grad_transposed[l - 2]
        torch.baddbmm(weights[1], delta_t, weights[0], beta=lams[1], alpha=scale, out=out[1])
        torch.baddbmm(weights[0], delta, weights[1], beta=lams[0], alpha=scale, out=out[0])

    def descend(self, lr: float, spare: Tensor) -> Tensor:
        """Take one step of gradient descent; every product is fused with the update it feeds.

        The weight decay is the factor 1 − lr·λ that the update is accumulated onto. H_1 goes to `spare`,
        because the update of W_1 still needs the old one.

        Returns
        -------
        Tensor
            The buffer that has become free: the `spare` of the next step.
        """
        self.forward()
        scale, lams, weights = -lr / self.problem.N, self.problem.lams, self.parameters
        delta, delta_t = self.residual, self._grad_transposed[-1]
        for l in range(self.problem.L, 1, -1):
            h, grad = self._out[l - 2], self._grad[l - 2]
            torch.bmm(delta, weights[l], out=grad)
            weights[l].baddbmm_(delta_t, h, beta=1 - lr * lams[l], alpha=scale)
            self._kernels[l - 2].backward(grad, self._pre[l - 2], h)
            delta, delta_t = grad, self._grad_transposed[l - 2]
        features = weights[0]
        torch.baddbmm(features, delta, weights[1], beta=1 - lr * lams[0], alpha=scale, out=spare)
        weights[1].baddbmm_(delta_t, features, beta=1 - lr * lams[1], alpha=scale)
        weights[0] = spare
        return features
