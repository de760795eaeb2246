"""Features and weights of a problem, and deep neural collapse as one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import IntegerLike, check_array, check_instance, check_integer
from theory.overflow import within_floats
from theory.ufm._objective import matrices_of, objective, objective_and_gradient
from theory.ufm._problem import Problem
from theory.ufm._scale import least_over_scale

if TYPE_CHECKING:
    from jaxtyping import Float, Int

__all__ = ["Point", "collapsed_point", "within_class_deviation"]


@dataclass(frozen=True, eq=False)
class Point:
    """Features and weights of a problem.

    Attributes
    ----------
    problem : Problem
    features : ndarray, shape (d_1, N)
        H_1.
    weights : sequence of L ndarrays
        W_1, …, W_L.

    Raises
    ------
    ValueError
        If the shapes are not those of the problem.

    Examples
    --------
    >>> Point(Problem.of(2, 1, 0.5), np.eye(2), [np.eye(2)]).loss
    1.0
    """

    problem: Problem
    features: Float[np.ndarray, "d N"]
    weights: Sequence[Float[np.ndarray, "_ _"]]

    def __post_init__(self) -> None:
        features, *weights = matrices_of(self.problem, self.features, self.weights)
        object.__setattr__(self, "features", features)
        object.__setattr__(self, "weights", tuple(weights))

    @cached_property
    def loss(self) -> float:
        """The objective."""
        return objective(self.problem, self.features, self.weights)

    @cached_property
    def gradient_norm(self) -> float:
        """The Euclidean norm of the gradient."""
        gradients = objective_and_gradient(self.problem, self.features, self.weights)[1]
        return float(np.sqrt(sum((g**2).sum() for g in gradients)))

    def layer(self, l: IntegerLike) -> Float[np.ndarray, "d N"]:
        """H_l, l = 1, …, L: the features for l = 1, after the activation for the others."""
        l = check_integer("l", l, at_least=1, at_most=self.problem.L)
        hidden: Float[np.ndarray, "d N"] = self.features
        for activation, weight in zip(self.problem.activations[: l - 1], self.weights, strict=False):
            hidden = activation(weight @ hidden)
        return hidden

    @property
    def outputs(self) -> Float[np.ndarray, "K N"]:
        """W_L H_L."""
        outputs: Float[np.ndarray, "K N"] = self.weights[-1] @ self.layer(self.problem.L)
        return outputs

    def sample_costs(self) -> Float[np.ndarray, "K n"]:
        """What each sample adds to the fit and to the decay of the features, times n.

        With the weights' decay they average to the loss: the loss of a selection of one sample per class, as a point
        of `Problem.single`, is the sum of its samples' costs and that decay.
        """
        p = self.problem
        fit = ((self.outputs - p.labels) ** 2).sum(axis=0) / (2 * p.K)
        decay = p.n * p.lams[0] / 2 * (self.features**2).sum(axis=0)
        costs: Float[np.ndarray, "K n"] = (fit + decay).reshape(p.K, p.n)
        return costs

    def select(self, samples: Sequence[int] | Int[np.ndarray, " K"]) -> Point:
        """The point of `Problem.single` that keeps one sample per class, by number 0 … n−1."""
        p, chosen = self.problem, np.asarray(samples)
        if chosen.shape != (p.K,) or not ((chosen >= 0) & (chosen < p.n)).all():
            raise ValueError(
                f"samples = {samples}; samples must be one number in 0 … {p.n - 1} for each of the {p.K} classes"
            )
        return Point(p.single(), self.features[:, np.arange(p.K) * p.n + chosen], self.weights)

    def with_optimal_classifier(self) -> Point:
        """The same point with W_L replaced by ridge regression on H_L.

        Raises
        ------
        ValueError
            If λ_WL = 0.
        """
        p = self.problem
        if p.lams[-1] == 0:
            raise ValueError(f"lams[{p.L}] = 0; lams[{p.L}] must be > 0 for the ridge solution to be unique")
        H = self.layer(p.L)
        last = np.linalg.solve(H @ H.T + p.N * p.lams[-1] * np.eye(len(H)), H @ p.labels.T).T
        return Point(p, self.features, (*self.weights[:-1], last))


def collapsed_point(problem: Problem) -> Point:
    """Deep neural collapse at its best scale: every matrix a multiple of the identity, with zeros added.

    Parameters
    ----------
    problem : Problem
        With widths of at least K and positive regularisation, so that there is a best scale.

    Returns
    -------
    Point

    Raises
    ------
    ValueError
        If a width is below K, or a regularisation is 0.

    References
    ----------
    lowrank, Definition 10.

    Examples
    --------
    >>> problem = Problem.of(3, 2, 0.01)
    >>> bool(abs(collapsed_point(problem).loss - problem.collapsed_loss()) < 1e-14)
    True
    """
    check_instance("problem", problem, Problem)
    p = problem
    if min(p.widths) < p.K or min(p.lams) == 0:
        raise ValueError(
            f"widths = {p.widths}, lams = {p.lams}; for collapse widths must be ≥ K = {p.K} and every λ > 0"
        )
    u = least_over_scale(p.L, p.log_kappa, np.ones(1)).u
    scale = np.sqrt(u * p.K * p.lams[-1])  # of M_L
    decay = np.array([p.n * p.lams[0], *p.lams[1:-1]])
    factors = scale ** (1 / p.L) * np.sqrt(np.exp(np.log(decay).mean()) / decay)
    diagonals = [*factors, scale / (scale**2 + p.K * p.lams[-1])]
    sizes = pairwise((p.K, *p.widths, p.K))
    matrices = [np.zeros((there, here)) for here, there in sizes]
    for matrix, diagonal in zip(matrices, diagonals, strict=True):
        np.fill_diagonal(matrix[: p.K, : p.K], diagonal)
    return Point(p, np.repeat(matrices[0], p.n, axis=1), matrices[1:])


@within_floats
def within_class_deviation(features: Float[np.ndarray, "d N"], n: IntegerLike) -> float:
    """The largest distance of two features of a class.

    Parameters
    ----------
    features : ndarray, shape (d, N)
        With the n samples of each class side by side.
    n : int
        Samples per class; it divides N.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If n does not divide the number of columns.

    Examples
    --------
    >>> within_class_deviation(np.array([[0.0, 3.0, 1.0, 1.0], [0.0, 4.0, 1.0, 1.0]]), 2)
    5.0
    """
    features = check_array("features", features, ndim=2, empty=False)
    d, N = features.shape
    n = check_integer("n", n, at_least=1)
    if N % n:
        raise ValueError(f"features has {N} columns, which n = {n} does not divide")
    classes = features.reshape(d, N // n, n)
    differences = classes[:, :, :, None] - classes[:, :, None, :]
    return float(np.sqrt((differences**2).sum(axis=0)).max())
