"""A solution of the deep unconstrained features model as an object: matrices, graph, scales, loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.arguments import IntegerLike, check_integer
from theory.display import html_table
from theory.dufm._matrices import Matrices
from theory.dufm._plot import plot_layers

if TYPE_CHECKING:
    import networkx as nx
    from jaxtyping import Float
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["Solution"]


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
        The graph whose vertices are the rows of the intermediate layers, up to scale, and whose edges are the
        classes: the edge attribute ``label`` is the class. The complete graph for a strongly regular graph solution
        (its line graph is the triangular graph), K disjoint edges for deep neural collapse.
    make_graph, make_matrices : callable
        What makes the graph and the matrices; module-level functions, or partial ones, so that solutions pickle.
    """

    name: str
    K: int
    L: int
    n: int
    lams: tuple[float, ...]
    loss: float
    scales: Float[np.ndarray, "blocks scaled"]
    ranks: tuple[int, ...]
    make_graph: Callable[[], nx.Graph] = field(compare=False)
    make_matrices: Callable[[], Matrices] = field(compare=False)

    def __post_init__(self) -> None:
        _freeze(self.scales)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what the solution is made from; matrices and graph are made anew, arrays are read-only again."""
        return type(self), tuple(getattr(self, f.name) for f in fields(self))

    @cached_property
    def graph(self) -> nx.Graph:
        import networkx as nx

        return nx.freeze(self.make_graph())

    @cached_property
    def matrices(self) -> Matrices:
        """All class means and weights; read-only."""
        matrices = self.make_matrices()
        for array in (*matrices.class_means, *matrices.weights, matrices.residual):
            if array is not None:
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
        return self.matrices.class_means[self._layer(l) - 1]

    def pre_activations(self, l: IntegerLike) -> Float[np.ndarray, "d_l K"]:
        """The class means of layer l before its ReLU, W_{l−1} M_{l−1}, l = 2, …, L+1; at L+1 they are the outputs."""
        l = check_integer("l", l, at_least=2, at_most=self.L + 1)
        values: Float[np.ndarray, "d_l K"] = self.weights(l - 1) @ self.class_means(l - 1)
        return values

    def weights(self, l: int) -> Float[np.ndarray, "_ _"]:
        """W_l, l = 1, …, L; read-only, of shape (d_{l+1}, d_l)."""
        return self.matrices.weights[self._layer(l) - 1]

    def gram(self, l: int) -> Float[np.ndarray, "K K"]:
        """The Gram matrix M_lᵀ M_l of the class means of layer l = 1, …, L."""
        means = self.class_means(l)
        gram: Float[np.ndarray, "K K"] = means.T @ means
        return gram

    def evaluate(self) -> float:
        """The loss recomputed from the matrices by its definition, equation (1), with each class mean repeated n times.

        It agrees with `loss` to a relative 1e-12. The fit is that of exact ridge weights W_L, without cancellation: at
        small regularisation it is smaller than the rounding errors of W_L M_L.
        """
        return self.matrices.loss(self.lams, self.n)

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
        title = f"{self.name}, K = {self.K}, L = {self.L}: loss {self.loss:.6g}"
        return plot_layers({l: self.class_means(l) for l in range(2, self.L + 1)}, title)

    def _layer(self, l: IntegerLike) -> int:
        return check_integer("l", l, at_least=1, at_most=self.L)

    def __repr__(self) -> str:
        what = f"{self.name} solution of the {self.L}-DUFM"
        return f"<{what}: K = {self.K}, n = {self.n}, loss {self.loss:.6g}, ranks {self.ranks}>"

    def _repr_latex_(self) -> str:
        ranks = ", ".join(map(str, self.ranks))
        sizes = rf"K = {self.K},\; L = {self.L},\; n = {self.n}"
        result = rf"\mathcal L = {self.loss:.6g},\quad \operatorname{{rank}} M_1, \dots, M_L = {ranks}"
        return rf"$\text{{{self.name}}},\; {sizes}:\quad {result}$"

    def _repr_html_(self) -> str:
        rows: dict[str, Any] = {
            "K, L, n": f"{self.K}, {self.L}, {self.n}",
            "loss": f"{self.loss:.6g}",
            "ranks": ", ".join(map(str, self.ranks)),
            "scales": "; ".join(", ".join(f"{scale:.4g}" for scale in block) for block in self.scales),
        }
        return html_table(rows, f"{self.name} solution")


def _freeze(array: NDArray[Any]) -> None:
    array.flags.writeable = False
