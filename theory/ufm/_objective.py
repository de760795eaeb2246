"""The objective of the L-DUFM with any activations, and its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import check_array, check_instance
from theory.overflow import within_floats
from theory.ufm._problem import Problem
from theory.wording import wrong_type

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["matrices_of", "objective", "objective_and_gradient"]


@within_floats
def objective(
    problem: Problem, features: Float[np.ndarray, "d N"], weights: Sequence[Float[np.ndarray, "_ _"]]
) -> float:
    """The objective at given features and weights.

    Parameters
    ----------
    problem : Problem
    features : ndarray, shape (d_1, N)
        H_1, with the n samples of each class side by side.
    weights : sequence of L ndarrays
        W_1, …, W_L.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes are not those of the problem.

    References
    ----------
    lowrank, equation (1).

    Examples
    --------
    >>> objective(Problem.of(3, 2, 1, width=2), np.zeros((2, 3)), [np.zeros((2, 2)), np.zeros((3, 2))])
    0.5
    """
    matrices, _, pre_activations = _run(problem, features, weights)
    return _value(problem, matrices, pre_activations[-1] - problem.labels)


@within_floats
def objective_and_gradient(
    problem: Problem, features: Float[np.ndarray, "d N"], weights: Sequence[Float[np.ndarray, "_ _"]]
) -> tuple[float, list[Float[np.ndarray, "_ _"]]]:
    """The objective, and its gradients in H_1, W_1, …, W_L.

    Where the ReLU is not differentiable, the derivative 0 is taken.

    Parameters
    ----------
    problem : Problem
    features : ndarray, shape (d_1, N)
        H_1.
    weights : sequence of L ndarrays
        W_1, …, W_L; W_l has the shape (d_{l+1}, d_l), with d_{L+1} = K.

    Returns
    -------
    loss : float
    gradients : list of L+1 ndarrays

    Raises
    ------
    ValueError
        If the shapes are not those of the problem.

    Examples
    --------
    >>> loss, gradients = objective_and_gradient(Problem.of(2, 1, 0.5), np.eye(2), [np.eye(2)])
    >>> loss, gradients[0].tolist()
    (1.0, [[0.5, 0.0], [0.0, 0.5]])
    """
    matrices, inputs, pre_activations = _run(problem, features, weights)
    residual = pre_activations[-1] - problem.labels
    gradients = [lam * matrix for lam, matrix in zip(problem.lams, matrices, strict=True)]
    back = residual / problem.N
    for l in range(problem.L, 0, -1):
        if l < problem.L:
            back = back * problem.activations[l - 1].derivative(pre_activations[l - 1])
        gradients[l] += back @ inputs[l - 1].T
        back = matrices[l].T @ back
    gradients[0] += back
    return _value(problem, matrices, residual), gradients


def matrices_of(
    problem: Problem, features: Float[np.ndarray, "d N"], weights: Sequence[Float[np.ndarray, "_d_out _d_in"]]
) -> list[Float[np.ndarray, "_rows _columns"]]:
    """H_1, W_1, …, W_L as float64 matrices.

    Parameters
    ----------
    problem : Problem
    features : ndarray, shape (d_1, N)
        H_1.
    weights : sequence of L ndarrays
        W_1, …, W_L; W_l has the shape (d_{l+1}, d_l), with d_{L+1} = K.

    Returns
    -------
    list of L+1 ndarrays

    Raises
    ------
    ValueError
        If the shapes are not those of the problem.
    TypeError
        If one is a masked array.

    Examples
    --------
    >>> [matrix.shape for matrix in matrices_of(Problem.of(2, 1, 0.5, n=3), np.ones((2, 6)), [np.eye(2)])]
    [(2, 6), (2, 2)]
    """
    from theory.ufm._problem import Problem

    check_instance("problem", problem, Problem)
    if isinstance(weights, (str, bytes, dict)) or not hasattr(weights, "__len__"):
        raise wrong_type("weights", weights, f"weights must be a sequence of {problem.L} matrices")
    names = ["features", *(f"weights[{i}]" for i in range(problem.L))]
    matrices = [check_array(name, matrix) for name, matrix in zip(names, (features, *weights), strict=False)]
    shapes = [matrix.shape for matrix in matrices]
    if shapes != problem.shapes or len(weights) != problem.L:
        raise ValueError(
            f"features and weights, H_1, W_1, …, W_L, have the shapes {shapes};"
            f" for this problem they must be {problem.shapes}"
        )
    return matrices


def _run(
    problem: Problem, features: Float[np.ndarray, "d N"], weights: Sequence[Float[np.ndarray, "_ _"]]
) -> tuple[list[Float[np.ndarray, "_ _"]], list[Float[np.ndarray, "_ N"]], list[Float[np.ndarray, "_ N"]]]:
    """H_1, W_1, …, W_L; H_1, …, H_L; and the pre-activations W_l H_l."""
    matrices = matrices_of(problem, features, weights)
    inputs, pre_activations = [matrices[0]], [matrices[1] @ matrices[0]]
    for activation, weight in zip(problem.activations, matrices[2:], strict=True):
        inputs.append(activation(pre_activations[-1]))
        pre_activations.append(weight @ inputs[-1])
    return matrices, inputs, pre_activations


def _value(problem: Problem, matrices: Sequence[Float[np.ndarray, "_ _"]], residual: Float[np.ndarray, "K N"]) -> float:
    fit = (residual**2).sum() / (2 * problem.N)
    decay = (lam / 2 * (matrix**2).sum() for lam, matrix in zip(problem.lams, matrices, strict=True))
    return float(fit + sum(decay))
