"""Solutions of the deep unconstrained features model as objects: matrices, graph, scales, loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import comb, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from theory import ridge
from theory.arguments import check_integer
from theory.dufm._losses import (
    Construction,
    Minimum,
    _block,
    _dnc,
    _drop,
    check_construction,
    log_kappa_dnc,
    log_kappa_srg,
    srg_minimum,
)
from theory.dufm._problem import Problems, Scalar, log_exact, scalar_problem
from theory.geometry import triangular_graph

if TYPE_CHECKING:
    import networkx as nx
    from jaxtyping import Float
    from matplotlib.figure import Figure

__all__ = ["Matrices", "Solution", "conditionally_optimal", "dnc", "evaluate_loss", "srg"]


@dataclass(frozen=True)
class Matrices:
    """Class means and weights of a DNC1-collapsed solution.

    Attributes
    ----------
    class_means : tuple of ndarray
        M_1, …, M_L, each of shape (d_l, K); M_1 has the class means of the free features H_1.
    weights : tuple of ndarray
        W_1, …, W_L, with W_l of shape (d_{l+1}, d_l) and d_{L+1} = K.
    """

    class_means: tuple[Float[np.ndarray, "d K"], ...]
    weights: tuple[Float[np.ndarray, "d_out d_in"], ...]


def evaluate_loss(
    features: Float[np.ndarray, "d N"],
    weights: Sequence[Float[np.ndarray, "d_out d_in"]],
    lams: Sequence[float],
    n: int = 1,
) -> float:
    r"""The objective of the L-DUFM at given features and weights.

    .. math::
        \frac1{2N}\lVert W_L\sigma(W_{L-1}\sigma(\dots\sigma(W_1H_1)))-Y\rVert_F^2
        + \sum_{l=1}^L\frac{\lambda_{W_l}}2\lVert W_l\rVert_F^2 + \frac{\lambda_{H_1}}2\lVert H_1\rVert_F^2,
        \qquad Y = I_K\otimes 1_n^\top

    Parameters
    ----------
    features : ndarray, shape (d_1, N)
        H_1, with the n samples of each class side by side.
    weights : sequence of L ndarrays
        W_1, …, W_L.
    lams : sequence of L+1 floats
        (λ_H1, λ_W1, …, λ_WL).
    n : int
        Samples per class; N = Kn.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit together.

    References
    ----------
    lowrank, Definition 2, equation (1).

    Examples
    --------
    >>> evaluate_loss(np.zeros((2, 3)), [np.zeros((2, 2)), np.zeros((3, 2))], (1, 1, 1))
    0.5
    """
    n = check_integer("n", n, at_least=1)
    if len(lams) != len(weights) + 1:
        raise ValueError(f"lams has {len(lams)} entries; with {len(weights)} weights it must have {len(weights) + 1}")
    hidden = np.asarray(features, float)
    for l, weight in enumerate(weights, start=1):
        if weight.ndim != 2 or weight.shape[1] != hidden.shape[0]:
            raise ValueError(f"weights[{l - 1}] has shape {weight.shape}; it must have {hidden.shape[0]} columns")
        hidden = weight @ (hidden if l == 1 else np.maximum(hidden, 0.0))
    K, N = hidden.shape
    if N != K * n:
        raise ValueError(f"features has {N} columns; for K = {K} outputs and n = {n} it must have {K * n}")
    fit = ((hidden - np.kron(np.eye(K), np.ones(n))) ** 2).sum() / (2 * N)
    norms = [(np.asarray(matrix) ** 2).sum() for matrix in (features, *weights)]
    return float(fit + sum(lam / 2 * norm for lam, norm in zip(lams, norms, strict=True)))


def conditionally_optimal(
    intermediate: Sequence[Float[np.ndarray, "d K"]],
    pre_activations: Float[np.ndarray, "d K"],
    lams: Sequence[float],
    n: int = 1,
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
        M_1 and W_1 by the balanced factorisation of M_2 (Lemma 18), W_2, …, W_{L−1} of least norm (Lemma 12), W_L by ridge
        regression on the identity (Lemma 17).

    Raises
    ------
    ValueError
        If a class mean is negative or a layer cannot be mapped to the next.

    References
    ----------
    lowrank, Definitions 4 and 9, Lemmas 12–14, 17 and 18.
    """
    layers = [np.asarray(layer, float) for layer in intermediate]
    if len(lams) != len(layers) + 3:
        raise ValueError(f"lams has {len(lams)} entries; {len(layers)} intermediate layers need {len(layers) + 3}")
    for l, layer in enumerate(layers, start=2):
        if (layer < 0).any():
            raise ValueError(f"the class means of layer {l} have the negative entry {layer.min()}")
    first_means, first_weight = _balanced_factors(layers[0], n * lams[0], lams[1])
    weights = [first_weight]
    for l, (here, there) in enumerate(zip(layers, [*layers[1:], pre_activations], strict=True), start=2):
        weight = np.linalg.lstsq(here.T, there.T, rcond=1e-12)[0].T
        gap = np.abs(weight @ here - there).max()
        if gap > 1e-9 * max(1e-300, np.abs(there).max()):
            raise ValueError(f"layer {l + 1} is not a linear image of layer {l}: they differ by {gap:.3g}")
        weights.append(weight)
    last = np.maximum(pre_activations, 0.0)
    weights.append(ridge.minimiser(last, lams[-1]))
    return Matrices((first_means, *layers, last), tuple(weights))


def _balanced_factors(
    product: Float[np.ndarray, "d K"], lam_features: float, lam_weight: float
) -> tuple[Float[np.ndarray, "rank K"], Float[np.ndarray, "d rank"]]:
    """M and W with W M = product that minimise lam_features ‖M‖² + lam_weight ‖W‖²."""
    left, values, right = np.linalg.svd(product, full_matrices=False)
    rank = int((values > 1e-12 * values.max(initial=0.0)).sum()) or 1
    root = np.sqrt(values[:rank])
    balance = (lam_features / lam_weight) ** 0.25
    return root[:, None] * right[:rank] / balance, left[:, :rank] * root * balance


@dataclass(frozen=True, eq=False, repr=False)
class Solution:
    """A solution of the L-DUFM that is collapsed to its class means. Immutable; matrices are made when asked for.

    Attributes
    ----------
    name : str
        Which solution it is.
    K, L, n : int
        Classes, layers, samples per class.
    lams : tuple of float
        (λ_H1, λ_W1, …, λ_WL).
    loss : float
        The objective (1) at the solution; 0.5 if it is the zero solution.
    scales : ndarray, shape (blocks, L−1)
        For each block of the solution α_2, …, α_L: M_lᵀM_l is α_l times the block's fixed Gram matrix. For a strongly
        regular graph α_L is the β of Lemma 16.
    ranks : tuple of int
        The ranks of M_1, …, M_L.
    graph : networkx.Graph
        The graph whose vertices are the rows of the intermediate layers, up to scale, and whose edges are the classes: the
        edge attribute ``label`` is the class. The complete graph for a strongly regular graph solution (its line graph is
        the triangular graph), K disjoint edges for deep neural collapse.
    """

    name: str
    K: int
    L: int
    n: int
    lams: tuple[float, ...]
    loss: float
    scales: Float[np.ndarray, "blocks L-1"]
    ranks: tuple[int, ...]
    make_graph: Callable[[], nx.Graph] = field(compare=False)
    make_matrices: Callable[[], Matrices] = field(compare=False)

    def __post_init__(self) -> None:
        _freeze(self.scales)

    @cached_property
    def graph(self) -> nx.Graph:
        import networkx as nx

        return nx.freeze(self.make_graph())

    @cached_property
    def _matrices(self) -> Matrices:
        matrices = self.make_matrices()
        for array in (*matrices.class_means, *matrices.weights):
            _freeze(array)
        return matrices

    @property
    def nontrivial(self) -> bool:
        """Whether the solution beats the zero solution, whose loss is 0.5."""
        return self.loss < 0.5

    def class_means(self, l: int) -> Float[np.ndarray, "d_l K"]:
        """M_l, the class means of layer l after its ReLU, l = 1, …, L.

        Parameters
        ----------
        l : int
            Layer.

        Returns
        -------
        ndarray, shape (d_l, K)
            Read-only.

        Raises
        ------
        ValueError
            If there is no such layer.
        """
        return self._matrices.class_means[self._layer(l) - 1]

    def pre_activations(self, l: int) -> Float[np.ndarray, "d_l K"]:
        """The class means of layer l before its ReLU, W_{l−1} M_{l−1}, l = 2, …, L+1; at L+1 they are the outputs."""
        l = check_integer("l", l, at_least=2)
        if l > self.L + 1:
            raise ValueError(f"l = {l}; l must be an integer from 2 to {self.L + 1}")
        values: Float[np.ndarray, "d_l K"] = self.weights(l - 1) @ self.class_means(l - 1)
        return values

    def weights(self, l: int) -> Float[np.ndarray, "d_out d_in"]:
        """W_l, l = 1, …, L; read-only, of shape (d_{l+1}, d_l)."""
        return self._matrices.weights[self._layer(l) - 1]

    def gram(self, l: int) -> Float[np.ndarray, "K K"]:
        """The Gram matrix M_lᵀ M_l of the class means of layer l = 1, …, L."""
        means = self.class_means(l)
        gram: Float[np.ndarray, "K K"] = means.T @ means
        return gram

    def evaluate(self) -> float:
        """The loss recomputed from the matrices by its definition, equation (1), with each class mean repeated n times.

        It agrees with `loss` to a relative 1e-12, as long as the loss is well above the square of the rounding error of
        the outputs, about 1e-31.
        """
        return evaluate_loss(np.repeat(self.class_means(1), self.n, axis=1), self._matrices.weights, self.lams, self.n)

    def plot(self) -> Figure:
        """The class means and Gram matrices of layers 2, …, L side by side, as in Figure 1 of lowrank.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ImportError
            If matplotlib is missing.
        """
        from theory.dufm._plot import plot_solution

        return plot_solution(self)

    def _layer(self, l: int) -> int:
        number = check_integer("l", l, at_least=1)
        if number > self.L:
            raise ValueError(f"l = {l}; l must be an integer from 1 to {self.L}")
        return number

    def __repr__(self) -> str:
        return f"<{self.name} solution of the {self.L}-DUFM: K = {self.K}, n = {self.n}, loss {self.loss:.6g}, ranks {self.ranks}>"

    def _repr_latex_(self) -> str:
        ranks = ", ".join(map(str, self.ranks))
        return rf"$\text{{{self.name}}},\; K = {self.K},\; L = {self.L},\; n = {self.n}:\quad \mathcal L = {self.loss:.6g},\quad \operatorname{{rank}} M_1, \dots, M_L = {ranks}$"

    def _repr_html_(self) -> str:
        rows: dict[str, Any] = {
            "K, L, n": f"{self.K}, {self.L}, {self.n}",
            "loss": f"{self.loss:.6g}",
            "ranks": ", ".join(map(str, self.ranks)),
            "scales": "; ".join(", ".join(f"{scale:.4g}" for scale in block) for block in self.scales),
        }
        body = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows.items())
        return f"<table><caption>{self.name} solution</caption>{body}</table>"


def _freeze(array: np.ndarray[Any, Any]) -> None:
    array.flags.writeable = False


def dnc(K: int, L: int, lam: Scalar | None = None, *, lams: Sequence[Scalar] | None = None, n: int = 1) -> Solution:
    """The deep neural collapse solution: M_lᵀM_l = α_l I for l ≥ 2.

    Parameters
    ----------
    K, L, lam, lams, n
        As in `dnc_loss`, scalars.

    Returns
    -------
    Solution

    Raises
    ------
    ValueError, TypeError
        As `dnc_loss`.

    References
    ----------
    lowrank, Definition 10.

    Examples
    --------
    >>> dnc(10, 4, 5e-4)
    <DNC solution of the 4-DUFM: K = 10, n = 1, loss 0.0124875, ranks (10, 10, 10, 10)>
    """
    K, L, exact, n = scalar_problem(K, L, lam, lams, n, solution="dnc")
    block = _Block.dnc(K, K, L, exact, n)
    return _of_blocks("DNC", [block], float(_dnc(_one(K, exact, n)).value[0]), K, L, exact, n)


def srg(
    K: int,
    L: int,
    lam: Scalar | None = None,
    *,
    lams: Sequence[Scalar] | None = None,
    n: int = 1,
    construction: Construction = "block",
) -> Solution:
    """The strongly regular graph solution.

    Parameters
    ----------
    K, L, lam, lams, n, construction
        As in `srg_loss`, scalars.

    Returns
    -------
    Solution

    Raises
    ------
    ValueError, TypeError
        As `srg_loss`.

    References
    ----------
    lowrank, Definitions 4, 9 and 11.

    Examples
    --------
    >>> solution = srg(10, 4, 5e-4)
    >>> solution
    <SRG solution of the 4-DUFM: K = 10, n = 1, loss 0.0101983, ranks (5, 5, 5, 10)>
    >>> bool(abs(solution.evaluate() / solution.loss - 1) < 1e-12)
    True
    """
    check_construction(construction)
    K, L, exact, n = scalar_problem(K, L, lam, lams, n, solution="srg")
    problem = _one(K, exact, n)
    below, above = triangular_graph.triangular_order(K)
    block, drop = float(_block(problem, np.array([below]))[0]), float(_drop(problem, np.array([above]))[0])
    if below != above and (construction == "drop" or (construction == "best" and drop < block)):
        return _without_classes(above, drop, K, L, exact, n)
    blocks = [_Block.srg(below, K, L, exact, n)]
    if below != above:
        blocks.append(_Block.dnc(K - comb(below, 2), K, L, exact, n))
    return _of_blocks("SRG" if below == above else "SRG block", blocks, block, K, L, exact, n)


# Blocks: the parts of a solution, each on classes of its own.


@dataclass(frozen=True)
class _Block:
    """Class means of some of the K classes, up to scale: the same matrix in every intermediate layer."""

    layer: Callable[[], Float[np.ndarray, "rows classes"]]  # M_l / √α_l for 2 ≤ l ≤ L−1
    last: Callable[[], Float[np.ndarray, "rows classes"]]  # the last pre-activations / √α_L
    edges: Callable[[], list[tuple[int, int]]]
    classes: int
    rank: int
    scales: Float[np.ndarray, " L-1"]

    @classmethod
    def srg(cls, r: int, K: int, L: int, lams: tuple[Fraction, ...], n: int) -> _Block:
        problem, order = _one(K, lams, n), np.array([r])
        spread = 2 * np.log(sqrt(2) + sqrt((r - 1) * (r - 2)))
        best, log_kappa = srg_minimum(problem, order), log_kappa_srg(problem, order)
        scales = _scales(_log_one_layer(best, log_kappa, L), spread, np.log(r), K, L, lams, n, best)
        return cls(
            layer=lambda: triangular_graph.normalised_incidence_matrix(r),
            last=lambda: triangular_graph.last_layer_pre_activations(r).astype(float),
            edges=lambda: triangular_graph.complete_graph_edges(r),
            classes=comb(r, 2),
            rank=r,
            scales=scales,
        )

    @classmethod
    def dnc(cls, classes: int, K: int, L: int, lams: tuple[Fraction, ...], n: int) -> _Block:
        problem = _one(K, lams, n)
        best, log_kappa = _dnc(problem), log_kappa_dnc(problem)
        scales = _scales(_log_one_layer(best, log_kappa, L), 2 * np.log(K), np.log(K), K, L, lams, n, best)
        return cls(
            layer=lambda: np.eye(classes),
            last=lambda: np.eye(classes),
            edges=lambda: [(2 * i, 2 * i + 1) for i in range(classes)],
            classes=classes,
            rank=classes,
            scales=scales,
        )


def _one(K: int, lams: tuple[Fraction, ...], n: int) -> Problems:
    total = sum(log_exact(lam) for lam in lams) + np.log(n)
    return Problems(np.array([K]), np.array([len(lams) - 1]), np.array([total]), ())


def _log_one_layer(best: Minimum, log_kappa: Float[np.ndarray, "1"], L: int) -> float:
    """log of the regularisation that each of W_2, …, W_{L−1} costs at the optimum; H_1 and W_1 cost twice that."""
    return float(np.log(0.5) + log_kappa[0] + best.log_u[0] / L)


def _scales(
    log_term: float,
    log_spread: float,
    log_step: float,
    K: int,
    L: int,
    lams: tuple[Fraction, ...],
    n: int,
    best: Minimum,
) -> Float[np.ndarray, " L-1"]:
    """α_2, …, α_L by equation (6): the first layer costs √(nλ_H1 λ_W1 · spread · α_2), W_l costs (λ_Wl/2) step α_{l+1}/α_l."""
    logs = [log_exact(lam) for lam in lams]
    log_scales = [2 * (np.log(2.0) + log_term) - np.log(n) - logs[0] - logs[1] - log_spread]
    for l in range(2, L - 1):
        log_scales.append(log_scales[-1] + np.log(2.0) + log_term - log_step - logs[l])
    log_scales.append(float(best.log_u[0]) + np.log(K) + logs[L])
    return np.exp(log_scales)


def _of_blocks(
    name: str, blocks: list[_Block], loss: float, K: int, L: int, exact: tuple[Fraction, ...], n: int
) -> Solution:
    """The block-diagonal solution."""
    lams = tuple(map(float, exact))

    def matrices() -> Matrices:
        from scipy.linalg import block_diag

        layers = [block_diag(*(sqrt(b.scales[l]) * b.layer() for b in blocks)) for l in range(L - 2)]
        last = block_diag(*(sqrt(b.scales[-1]) * b.last() for b in blocks))
        return conditionally_optimal(layers, last, lams, n)

    def graph() -> nx.Graph:
        edges: list[tuple[int, int]] = []
        for block in blocks:
            first = 1 + max((max(edge) for edge in edges), default=-1)
            edges += [(i + first, j + first) for i, j in block.edges()]
        return _labelled(edges)

    rank = sum(block.rank for block in blocks if block.scales[-1] > 0)
    full = sum(block.classes for block in blocks if block.scales[-1] > 0)
    scales = np.stack([block.scales for block in blocks])
    return Solution(name, K, L, n, lams, loss, scales, (*(rank,) * (L - 1), full), graph, matrices)


def _without_classes(r: int, loss: float, K: int, L: int, exact: tuple[Fraction, ...], n: int) -> Solution:
    """Definition 11's second construction: the solution for r(r−1)/2 classes without the last edges of vertex 0."""
    whole = _of_blocks("SRG", [_Block.srg(r, comb(r, 2), L, exact, n)], 0.0, comb(r, 2), L, exact, n)
    surplus = comb(r, 2) - K
    kept = np.r_[0 : r - 1 - surplus, r - 1 : comb(r, 2)]  # vertex 0 has the first r−1 edges

    def matrices() -> Matrices:
        means = tuple(whole.class_means(l)[:, kept] for l in range(1, L + 1))
        weights = [whole.weights(l) for l in range(1, L)]
        return Matrices(means, (*weights, whole.weights(L)[kept]))

    edges = triangular_graph.complete_graph_edges(r)
    hidden, last = (r, min(K, comb(r, 2))) if whole.scales[0, -1] > 0 else (0, 0)
    ranks = (*(hidden,) * (L - 1), last)
    lams = tuple(map(float, exact))
    return Solution(
        "SRG drop",
        K,
        L,
        n,
        lams,
        loss,
        whole.scales.copy(),
        ranks,
        lambda: _labelled([edges[i] for i in kept]),
        matrices,
    )


def _labelled(edges: list[tuple[int, int]]) -> nx.Graph:
    import networkx as nx

    graph = nx.Graph()
    graph.add_edges_from((i, j, {"label": label}) for label, (i, j) in enumerate(edges))
    return graph
