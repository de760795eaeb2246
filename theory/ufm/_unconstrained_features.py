r"""The objective of the L-DUFM with any activation, its gradient, and a multi-start search for its global minimum.

.. math::
    \frac1{2N}\lVert W_L\sigma(W_{L-1}\sigma(\dots\sigma(W_1H_1)))-Y\rVert_F^2
    + \sum_{l=1}^L\frac{\lambda_{W_l}}2\lVert W_l\rVert_F^2 + \frac{\lambda_{H_1}}2\lVert H_1\rVert_F^2

A search finds no proof, but a point below a stated least loss refutes it. `Problem.collapsed_loss` is the loss of deep
neural collapse, from two layers on; `theory.dufm` has it with the other closed forms, from three layers on.

>>> problem = Problem(K=2, lams=(0.02, 0.02, 0.02), width=3)
>>> best = search(problem, starts=5, seed=0)[0]
>>> round(best.loss, 9) == round(problem.collapsed_loss(), 9)
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import exp, log
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import numpy as np

from theory.arguments import check_integer
from theory.dufm._losses import minimise_scale

if TYPE_CHECKING:
    from jaxtyping import Float, Int

__all__ = [
    "RELU",
    "Activation",
    "Point",
    "Problem",
    "Relu",
    "ScaleMinimum",
    "descend",
    "least_over_scale",
    "search",
    "within_class_deviation",
]


@runtime_checkable
class Activation(Protocol):
    """A function of the entries with its derivative."""

    def __call__(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """σ, entrywise."""

    def derivative(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """σ', entrywise."""


@dataclass(frozen=True)
class Relu:
    """The ReLU, with derivative 0 at 0."""

    def __call__(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """max(x, 0), entrywise."""
        positive: Float[np.ndarray, "..."] = np.maximum(x, 0.0)
        return positive

    def derivative(self, x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """1 where x > 0, else 0."""
        return (x > 0).astype(float)


RELU = Relu()


@dataclass(frozen=True)
class Problem:
    """An L-DUFM problem.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    lams : sequence of L+1 floats
        (λ_H1, λ_W1, …, λ_WL), non-negative; L ≥ 1.
    n : int
        Samples per class; the n columns of a class are side by side.
    width : int or sequence of L ints, optional
        Sizes d_1, …, d_L of the layers but the output, or one size for all; K by default. A point of a narrow problem
        is one of a wider problem, with zeros added.
    activation : Activation
        σ; the ReLU by default.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range or of a wrong type.
    """

    K: int
    lams: tuple[float, ...]
    n: int = 1
    width: int | tuple[int, ...] | None = None
    activation: Activation = RELU

    def __post_init__(self) -> None:
        check_integer("K", self.K, at_least=2)
        check_integer("n", self.n, at_least=1)
        lams = np.asarray(self.lams, float)
        if lams.ndim != 1 or lams.size < 2:
            raise ValueError(f"lams has shape {lams.shape}; it must have L+1 ≥ 2 entries: λ_H1, λ_W1, …, λ_WL")
        if not (np.isfinite(lams) & (lams >= 0)).all():
            raise ValueError(f"lams = {self.lams}; each must be finite and ≥ 0")
        object.__setattr__(self, "lams", tuple(map(float, lams)))
        width = self.K if self.width is None else self.width
        widths = tuple(width) if isinstance(width, Sequence) else (width,) * self.L
        if len(widths) != self.L:
            raise ValueError(f"width = {width}; there must be one, or L = {self.L} of them")
        object.__setattr__(self, "width", tuple(check_integer("width", d, at_least=1) for d in widths))

    @property
    def L(self) -> int:
        """Number of weight matrices."""
        return len(self.lams) - 1

    @property
    def widths(self) -> tuple[int, ...]:
        """d_1, …, d_L."""
        assert isinstance(self.width, tuple)
        return self.width

    @property
    def N(self) -> int:
        """Number of samples."""
        return self.K * self.n

    @cached_property
    def labels(self) -> Float[np.ndarray, "K N"]:
        """Y, the identity with every column n times; read-only."""
        labels = np.kron(np.eye(self.K), np.ones(self.n))
        labels.setflags(write=False)
        return labels

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """The shapes of H_1, W_1, …, W_L."""
        sizes = (self.N, *self.widths, self.K)
        return [(there, here) for here, there in pairwise(sizes)]

    @property
    def log_kappa(self) -> float:
        """log κ, with κ = K (n λ_H1 λ_W1 ⋯ λ_WL K)^{1/L}; −∞ where a λ is 0."""
        if min(self.lams) == 0:
            return -np.inf
        return log(self.K) + (sum(map(log, self.lams)) + log(self.n * self.K)) / self.L

    def collapsed_loss(self) -> float:
        """The loss of deep neural collapse, minimised over its scale: min over u of (L/2) κ u^{1/L} + 1/(2(1+u))."""
        return least_over_scale(self.L, self.log_kappa, np.ones(1)).loss

    def collapsed(self) -> Point:
        """Deep neural collapse at its best scale: every matrix a multiple of the identity, with zeros added.

        Raises
        ------
        ValueError
            If a width is below K, or a regularisation is 0, so that there is no best scale.
        """
        if min(self.widths) < self.K or min(self.lams) == 0:
            raise ValueError(
                f"widths = {self.widths}, lams = {self.lams}; collapse needs widths ≥ K = {self.K} and λ > 0"
            )
        u = least_over_scale(self.L, self.log_kappa, np.ones(1)).u
        scale = np.sqrt(u * self.K * self.lams[-1])  # of M_L
        decay = np.array([self.n * self.lams[0], *self.lams[1:-1]])
        factors = scale ** (1 / self.L) * np.sqrt(np.exp(np.log(decay).mean()) / decay)
        diagonals = [*factors, scale / (scale**2 + self.K * self.lams[-1])]
        sizes = pairwise((self.K, *self.widths, self.K))
        matrices = [np.zeros((there, here)) for here, there in sizes]
        for matrix, diagonal in zip(matrices, diagonals, strict=True):
            np.fill_diagonal(matrix[: self.K, : self.K], diagonal)
        return self.point(np.repeat(matrices[0], self.n, axis=1), matrices[1:])

    def single(self) -> Problem:
        """The problem with one sample per class and n λ_H1 in place of λ_H1, to which collapsed solutions belong."""
        return Problem(self.K, (self.n * self.lams[0], *self.lams[1:]), 1, self.width, self.activation)

    def point(self, features: Float[np.ndarray, "d N"], weights: Sequence[Float[np.ndarray, "d_out d_in"]]) -> Point:
        """Features and weights as a point of this problem."""
        return Point(self, np.asarray(features, float), tuple(np.asarray(weight, float) for weight in weights))

    def loss_and_gradient(
        self, features: Float[np.ndarray, "d N"], weights: Sequence[Float[np.ndarray, "d_out d_in"]]
    ) -> tuple[float, list[Float[np.ndarray, "rows columns"]]]:
        """The objective, and its gradients in H_1, W_1, …, W_L.

        Where the ReLU is not differentiable, the derivative 0 is taken.
        """
        inputs, pre_activations = [features], []
        for weight in weights:
            pre_activations.append(weight @ inputs[-1])
            inputs.append(self.activation(pre_activations[-1]))
        residual = pre_activations[-1] - self.labels
        matrices = [features, *weights]
        loss = (residual**2).sum() / (2 * self.N)
        loss += sum(lam / 2 * (matrix**2).sum() for lam, matrix in zip(self.lams, matrices, strict=True))
        gradients = [lam * matrix for lam, matrix in zip(self.lams, matrices, strict=True)]
        back = residual / self.N
        for l in range(self.L, 0, -1):
            if l < self.L:
                back = back * self.activation.derivative(pre_activations[l - 1])
            gradients[l] += back @ inputs[l - 1].T
            back = weights[l - 1].T @ back
        gradients[0] += back
        return float(loss), gradients


@dataclass(frozen=True)
class Point:
    """Features and weights of a problem.

    Attributes
    ----------
    problem : Problem
    features : ndarray, shape (d, N)
        H_1.
    weights : tuple of L ndarrays
        W_1, …, W_L.
    """

    problem: Problem
    features: Float[np.ndarray, "d N"]
    weights: tuple[Float[np.ndarray, "d_out d_in"], ...]

    def __post_init__(self) -> None:
        matrices = [self.features, *self.weights]
        if len(self.weights) != self.problem.L:
            raise ValueError(f"{len(self.weights)} weights for L = {self.problem.L}")
        ends = matrices[0].shape[1] == self.problem.N and matrices[-1].shape[0] == self.problem.K
        if not ends or any(b.shape[1] != a.shape[0] for a, b in pairwise(matrices)):
            raise ValueError(f"shapes {[m.shape for m in matrices]} of H_1, W_1, …, W_L do not fit together")

    @cached_property
    def loss(self) -> float:
        """The objective."""
        return self.problem.loss_and_gradient(self.features, self.weights)[0]

    @cached_property
    def gradient_norm(self) -> float:
        """The Euclidean norm of the gradient."""
        gradients = self.problem.loss_and_gradient(self.features, self.weights)[1]
        return float(np.sqrt(sum((g**2).sum() for g in gradients)))

    def layer(self, l: int) -> Float[np.ndarray, "d N"]:
        """H_l, l = 1 … L: the features for l = 1, after the activation for the others."""
        if check_integer("l", l, at_least=1) > self.problem.L:
            raise ValueError(f"l = {l}; l must be at most L = {self.problem.L}")
        hidden: Float[np.ndarray, "d N"] = self.features
        for weight in self.weights[: l - 1]:
            hidden = self.problem.activation(weight @ hidden)
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
            raise ValueError(f"samples = {samples}; one number in 0 … {p.n - 1} for each of the {p.K} classes")
        return p.single().point(self.features[:, np.arange(p.K) * p.n + chosen], self.weights)

    def with_optimal_classifier(self) -> Point:
        """The same point with W_L replaced by ridge regression on H_L.

        Raises
        ------
        ValueError
            If λ_WL = 0.
        """
        p = self.problem
        if p.lams[-1] == 0:
            raise ValueError("λ_WL = 0: the ridge solution is not unique")
        H = self.layer(p.L)
        last = np.linalg.solve(H @ H.T + p.N * p.lams[-1] * np.eye(len(H)), H @ p.labels.T).T
        return Point(p, self.features, (*self.weights[:-1], last))


def within_class_deviation(features: Float[np.ndarray, "d N"], n: int) -> float:
    """The largest distance of two features of a class.

    >>> within_class_deviation(np.array([[0.0, 3.0, 1.0, 1.0], [0.0, 4.0, 1.0, 1.0]]), 2)
    5.0
    """
    d, N = features.shape
    if N % check_integer("n", n, at_least=1):
        raise ValueError(f"features has {N} columns, which n = {n} does not divide")
    classes = features.reshape(d, N // n, n)
    differences = classes[:, :, :, None] - classes[:, :, None, :]
    return float(np.sqrt((differences**2).sum(axis=0)).max())


class ScaleMinimum(NamedTuple):
    """The least loss over the scale of a solution, and the scale u = (that of M_LᵀM_L)/(K λ_WL) at which it is taken."""

    loss: float
    u: float


def least_over_scale(L: int, log_kappa: float, eigenvalues: Float[np.ndarray, " K"]) -> ScaleMinimum:
    r"""The least over u ≥ 0 of :math:`\frac L2\kappa u^{1/L} + \frac1K\sum_{i=1}^K\frac1{2(1+e_iu)}`.

    The loss of last-layer features of which only the scale is free: ridge regression on singular values :math:`\sqrt{e_iu}`,
    and weight decay in the layers before, at its balanced least.

    Parameters
    ----------
    L : int
        At least 2.
    log_kappa : float
    eigenvalues : ndarray, shape (K,)
        e_i ≥ 0; those above 0 within a factor 1e100 of each other and of 1.

    Returns
    -------
    ScaleMinimum
        The global minimum, with an absolute error of a few units of rounding of ½, and u.

    Raises
    ------
    ValueError
        If L < 2, or an eigenvalue is negative or not finite.

    Examples
    --------
    One eigenvalue and L = 2: at κ = √u/(1+u)² the scale u is stationary.

    >>> least_over_scale(2, np.log(2 / 25), np.ones(1))
    ScaleMinimum(loss=0.26, u=4.0)
    """
    L = check_integer("L", L, at_least=2)
    e = np.asarray(eigenvalues, float)
    if e.ndim != 1 or e.size == 0 or not (np.isfinite(e) & (e >= 0)).all():
        raise ValueError(f"eigenvalues = {eigenvalues}; they must be finite and ≥ 0")
    fitted = np.sort(e[e > 0])[::-1, None]
    never = 1 - len(fitted) / e.size
    if not len(fitted) or np.isposinf(log_kappa):
        return ScaleMinimum(0.5, 0.0)
    if np.isneginf(log_kappa):
        return ScaleMinimum(never / 2, np.inf)
    least = minimise_scale(np.array([log_kappa]), np.array([L]), np.full(fitted.shape, 1 / e.size), fitted)
    loss, log_u = float(least.value[0]) + never / 2, float(least.log_u[0])
    return ScaleMinimum(loss, exp(log_u)) if loss < 0.5 else ScaleMinimum(0.5, 0.0)


def search(
    problem: Problem,
    *,
    starts: int,
    seed: int,
    first: Sequence[Point] = (),
    tolerance: float = 1e-9,
    iterations: int = 5000,
) -> list[Point]:
    """Local minima by L-BFGS from random starts, the lowest first.

    Parameters
    ----------
    problem : Problem
    starts : int
        Random starts, normal matrices with scales drawn between 0.5 and 2 times that at which the layers keep norms.
    seed : int
    first : sequence of Point
        Further points to start from.
    tolerance : float
        A run ends where no entry of the gradient is larger.
    iterations : int
        At most so many steps in a run. A ReLU network may come to rest at a kink, where the gradient does not vanish; such
        points are returned too, with what they reached.

    Returns
    -------
    list of Point

    Raises
    ------
    ValueError
        If there is nothing to start from.
    """
    generator = np.random.default_rng(seed)
    if check_integer("starts", starts, at_least=0) + len(first) == 0:
        raise ValueError("starts = 0 and first is empty; there must be a point to start from")
    shapes = problem.shapes
    beginnings = [[point.features, *point.weights] for point in first]
    for _ in range(starts):
        scale = exp(generator.uniform(log(0.5), log(2.0)))
        beginnings.append([generator.standard_normal(shape) * scale / np.sqrt(shape[-1]) for shape in shapes])
        beginnings[-1][0] *= np.sqrt(shapes[0][1] / shapes[0][0])

    points = [problem.point(features, weights) for features, *weights in beginnings]
    ends = (descend(point, tolerance=tolerance, iterations=iterations) for point in points)
    return sorted(ends, key=lambda point: point.loss)


def descend(
    point: Point, *, tolerance: float = 1e-9, iterations: int = 5000, flat: float = 1e-16, memory: int = 20
) -> Point:
    """Where L-BFGS ends from a point.

    Parameters
    ----------
    point : Point
    tolerance : float
        It ends where no entry of the gradient is larger.
    iterations : int
        At most so many steps, and twice as many evaluations.
    flat : float
        It also ends where a step lowers the loss by no more than this share.
    memory : int
        Steps that the Hessian is estimated from.

    Returns
    -------
    Point
    """
    from scipy.optimize import minimize

    problem, matrices = point.problem, [point.features, *point.weights]
    sizes = [m.shape for m in matrices]
    cuts = np.cumsum([a * b for a, b in sizes])[:-1]

    def unpack(x: Float[np.ndarray, " parameters"]) -> list[Float[np.ndarray, "rows columns"]]:
        return [part.reshape(size) for part, size in zip(np.split(x, cuts), sizes, strict=True)]

    def objective(x: Float[np.ndarray, " parameters"]) -> tuple[float, Float[np.ndarray, " parameters"]]:
        features, *weights = unpack(x)
        loss, gradients = problem.loss_and_gradient(features, weights)
        return loss, np.concatenate([g.ravel() for g in gradients])

    options = {"maxiter": iterations, "maxfun": 2 * iterations, "ftol": flat, "gtol": tolerance, "maxcor": memory}
    start = np.concatenate([m.ravel() for m in matrices])
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)  # type: ignore[call-overload]
    features, *weights = unpack(found.x)
    return problem.point(features, weights)
