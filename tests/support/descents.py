"""The objective of the L-DUFM written out in the paper's layout, for autograd, and problems of every sort."""

import torch

from numerics import descent
from numerics.descent import Identity, Problem, ReLU, ReLUEpsilon

MIXED = [
    Problem.of(3, 2, 1e-2, width=5),
    Problem.of(4, 4, lams=[1e-3, 2e-3, 5e-3, 1e-2, 3e-2], n=3, width=[7, 5, 6, 4]),
    Problem.of(4, 3, 1e-2, n=2, width=6, activation="identity"),
    Problem.of(4, 4, 1e-2, width=6, activation=["identity", "identity", "relu"]),
    Problem.of(5, 4, 1e-2, width=8, activation="relu_eps", eps=0.3),
    Problem.of(4, 3, 1e-2, n=2, width=6, activation=[ReLU(), ReLUEpsilon(0.4, exponent=5)]),
]


def reference_loss(problem, parameters):
    """Equation (1), columns are samples; one run."""
    h = parameters[0].mT
    for weight, act in zip(parameters[1:-1], problem.activations, strict=True):
        z = weight @ h
        match act:
            case ReLU():
                h = torch.relu(z)
            case Identity():
                h = z
            case ReLUEpsilon(epsilon=eps, exponent=p):
                t = z / eps
                h = torch.where(z <= 0, 0 * z, torch.where(z >= eps, z, eps * (p * t**p - (p - 1) * t ** (p + 1))))
    labels = torch.kron(torch.eye(problem.K, dtype=h.dtype), torch.ones(1, problem.n, dtype=h.dtype))
    fit = ((parameters[-1] @ h - labels) ** 2).sum() / (2 * problem.K * problem.n)
    return fit + sum(lam / 2 * (p**2).sum() for lam, p in zip(problem.lams, parameters, strict=True))


def autograd(problem, parameters):
    leaves = [p.clone().requires_grad_() for p in parameters]
    return torch.autograd.grad(reference_loss(problem, leaves), leaves)


def start(problem, seeds=(0, 1, 2), scale=1.5):
    return descent.initial_parameters(problem, seeds, scale)


def relative(a, b):
    return float((a - b).norm() / b.norm())
