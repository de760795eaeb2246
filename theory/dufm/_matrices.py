"""Class means and weights of collapsed solutions, and the objective at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory import ridge
from theory.arguments import IntegerLike, RealLike, check_array, check_integer, check_real, check_sequence
from theory.overflow import within_floats
from theory.ufm import Problem, exact_lams, objective
from theory.wording import shown, wrong_type

if TYPE_CHECKING:
    from jaxtyping import Float, Real
    from numpy.typing import ArrayLike

__all__ = ["Matrices", "conditionally_optimal", "evaluate_loss", "layers", "ranks", "without_idle_units"]


@dataclass(frozen=True)
class Matrices:
    """Class means and weights of a DNC1-collapsed solution.

    Attributes
    ----------
    class_means : tuple of ndarray
        M_1, …, M_L, each of shape (d_l, K); M_1 has the class means of the free features H_1.
    weights : tuple of ndarray
        W_1, …, W_L, with W_l of shape (d_{l+1}, d_l) and d_{L+1} = K.
    residual : ndarray of shape (K, K), optional
        W_L M_L − I as it would be without rounding errors, where it is known: at small regularisation it is smaller
        than the rounding errors of W_L M_L.
    """

    class_means: tuple[Float[np.ndarray, "_ K"], ...]
    weights: tuple[Float[np.ndarray, "_ _"], ...]
    residual: Float[np.ndarray, "K K"] | None = None

    def loss(self, lams: Sequence[float], n: int = 1) -> float:
        """The objective (1) of lowrank with each class mean repeated n times.

        Parameters
        ----------
        lams : sequence of L+1 floats
            (λ_H1, λ_W1, …, λ_WL).
        n : int
            Samples per class.

        Returns
        -------
        float
        """
        residual = self.residual
        if residual is None:
            outputs = self.weights[-1] @ self.class_means[-1]
            residual = outputs - np.eye(len(outputs))
        fit = (residual**2).sum() / (2 * len(residual))
        decay = [n * lams[0] / 2 * (self.class_means[0] ** 2).sum()]
        decay += [lam / 2 * (weight**2).sum() for lam, weight in zip(lams[1:], self.weights, strict=True)]
        return float(fit + sum(decay))


@within_floats
def evaluate_loss(
    features: ArrayLike,
    weights: Sequence[ArrayLike],
    lams: Sequence[RealLike] | np.ndarray,
    n: IntegerLike = 1,
) -> float:
    r"""The objective of the L-DUFM with the ReLU at given features and weights.

    $$
    \frac1{2N}\lVert W_L\sigma(W_{L-1}\sigma(\dots\sigma(W_1H_1)))-Y\rVert_F^2
    + \sum_{l=1}^L\frac{\lambda_{W_l}}2\lVert W_l\rVert_F^2 + \frac{\lambda_{H_1}}2\lVert H_1\rVert_F^2,
    \qquad Y = I_K\otimes 1_n^\top
    $$

    Parameters
    ----------
    features : ndarray, shape (d_1, N)
        H_1, with the n samples of each class side by side.
    weights : sequence of L ndarrays
        W_1, …, W_L.
    lams : sequence of L+1 floats, Fractions or decimal strings
        (λ_H1, λ_W1, …, λ_WL), at least 0.
    n : int
        Samples per class; N = Kn.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit together, or a value is out of range.
    TypeError
        If a value is of a wrong type.

    References
    ----------
    lowrank, Definition 2, equation (1).

    Examples
    --------
    >>> evaluate_loss(np.zeros((2, 3)), [np.zeros((2, 2)), np.zeros((3, 2))], (1, 1, 1))
    0.5
    """
    n = check_integer("n", n, at_least=1)
    H = check_array("features", features, ndim=2, empty=False)
    if not isinstance(weights, Sequence) or isinstance(weights, (str, bytes)):
        raise wrong_type("weights", weights, "weights must be a sequence of matrices")
    Ws = [check_array(f"weights[{i}]", weight, ndim=2, empty=False) for i, weight in enumerate(weights)]
    if not Ws:
        raise ValueError("weights is empty; weights must have at least one matrix")
    exact = exact_lams(len(Ws), None, lams)
    for i, (rows, weight) in enumerate(zip([len(H), *map(len, Ws)], Ws, strict=False)):
        if weight.shape[1] != rows:
            raise ValueError(f"weights[{i}] has shape {weight.shape}; weights[{i}] must have {rows} columns")
    K, N = len(Ws[-1]), H.shape[1]
    if N != K * n:
        raise ValueError(
            f"features has {N} columns; for K = {K} outputs and n = {shown(n)} features must have {shown(K * n)}"
        )
    problem = Problem.of(K, len(Ws), lams=exact, n=n, width=[weight.shape[1] for weight in Ws])
    return objective(problem, H, Ws)


@within_floats
def conditionally_optimal(
    intermediate: Sequence[Float[np.ndarray, "_ K"]],
    pre_activations: Real[np.ndarray, "d_L K"],
    lams: Sequence[RealLike],
    n: IntegerLike = 1,
) -> Matrices:
    """Complete the intermediate layers of a solution by the best features and weights.

    Parameters
    ----------
    intermediate : sequence of L−2 ndarrays
        The class means M_2, …, M_{L−1}, entrywise non-negative, so that they are their own pre-activations.
    pre_activations : ndarray, shape (d_L, K)
        The last layer's class means before the ReLU; every row lies in the row space of M_{L−1}.
    lams : sequence of L+1 floats
        (λ_H1, λ_W1, …, λ_WL).
    n : int
        Samples per class.

    Returns
    -------
    Matrices
        M_1 and W_1 by the balanced factorisation of M_2 (Lemma 18), W_2, …, W_{L−1} of least norm (Lemma 12), W_L by
        ridge regression on the identity (Lemma 17).

    Raises
    ------
    ValueError
        If a class mean is negative, a layer cannot be mapped to the next, or a value is out of range.
    TypeError
        If a value is of a wrong type.

    References
    ----------
    lowrank, Definitions 4 and 9, Lemmas 12–14, 17 and 18.
    """
    if isinstance(intermediate, (str, bytes)) or not isinstance(intermediate, Sequence):
        raise wrong_type("intermediate", intermediate, "intermediate must be a sequence of matrices")
    layers = [check_array(f"intermediate[{i}]", layer, ndim=2, empty=False) for i, layer in enumerate(intermediate)]
    if not layers:
        raise ValueError("intermediate is empty; intermediate must have M_2, …, M_{L−1}, at least one")
    targets = check_array("pre_activations", pre_activations, ndim=2, empty=False)
    n = check_integer("n", n, at_least=1)
    decay = check_sequence("lams", lams, lambda name, lam: check_real(name, lam, above=0))
    if len(decay) != len(layers) + 3:
        raise ValueError(f"lams has {len(decay)} entries; {len(layers)} intermediate layers need {len(layers) + 3}")
    for l, layer in enumerate(layers, start=2):
        if (layer < 0).any():
            raise ValueError(
                f"the class means of layer {l} have the negative entry {layer.min()}; none may be negative"
            )
    first_means, first_weight = _balanced_factors(layers[0], n * decay[0], decay[1])
    weights = [first_weight]
    for l, (here, there) in enumerate(zip(layers, [*layers[1:], targets], strict=True), start=2):
        weight = np.linalg.lstsq(here.T, there.T, rcond=1e-12)[0].T
        gap = np.abs(weight @ here - there).max()
        if gap > 1e-9 * max(1e-300, np.abs(there).max()):
            raise ValueError(f"layer {l + 1} is not a linear image of layer {l}: they differ by {gap:.3g}")
        weights.append(weight)
    last = np.maximum(targets, 0.0)
    weights.append(ridge.minimiser(last, decay[-1]))
    return Matrices((first_means, *layers, last), tuple(weights), ridge.residual(last, decay[-1]))


def _balanced_factors(
    product: Float[np.ndarray, "d K"], lam_features: float, lam_weight: float
) -> tuple[Float[np.ndarray, "rank K"], Float[np.ndarray, "d rank"]]:
    """M and W with W M = product that minimise lam_features ‖M‖² + lam_weight ‖W‖²."""
    left, values, right = np.linalg.svd(product, full_matrices=False)
    rank = int((values > 1e-12 * values.max(initial=0.0)).sum()) or 1
    root = np.sqrt(values[:rank])
    balance = (lam_features / lam_weight) ** 0.25
    return root[:, None] * right[:rank] / balance, left[:, :rank] * root * balance


def layers(features: Float[np.ndarray, "d_1 K"], weights: Sequence[Float[np.ndarray, "_ _"]]) -> list[np.ndarray]:
    """The class means of all layers, M_1 and those behind the ReLUs of W_1, W_2, …, as far as weights are given.

    Parameters
    ----------
    features : ndarray, shape (d_1, K)
    weights : sequence of ndarray

    Returns
    -------
    list of ndarray
    """
    means = [features]
    for weight in weights:
        means.append(np.maximum(weight @ means[-1], 0.0))
    return means


def ranks(means: Sequence[Float[np.ndarray, "_ K"]]) -> tuple[int, ...]:
    """The numerical ranks of class means: singular values below 1e-4 of the largest count as 0.

    Parameters
    ----------
    means : sequence of ndarray

    Returns
    -------
    tuple of int
    """
    return tuple(int(np.linalg.matrix_rank(m, tol=1e-4 * np.linalg.norm(m, 2))) for m in means)


def without_idle_units(matrices: Sequence[Float[np.ndarray, "_ _"]], share: float) -> list[Float[np.ndarray, "_ _"]]:
    """The network without units that hardly do anything; the free features are turned onto their principal axes.

    Parameters
    ----------
    matrices : sequence of ndarray
        M_1, and weights up to some layer behind which there is no ReLU.
    share : float
        A unit whose class means are below this share of its layer's largest is left out.

    Returns
    -------
    list of ndarray
    """
    first, *weights = (m.copy() for m in matrices)
    left, values, right = np.linalg.svd(first, full_matrices=False)
    kept = values > share * values.max(initial=1e-300)
    first = values[kept, None] * right[kept]
    weights[0] = weights[0] @ left[:, kept]
    hidden = first
    for l in range(len(weights) - 1):
        hidden = np.maximum(weights[l] @ hidden, 0.0)
        active = hidden.max(axis=1) > share * hidden.max(initial=1e-300)
        hidden = hidden[active]
        weights[l], weights[l + 1] = weights[l][active], weights[l + 1][:, active]
    return [first, *weights]
