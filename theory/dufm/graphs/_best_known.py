"""The committed table of the best known solutions, for equal regularisation of all matrices."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from theory.arguments import IntegerLike, check_choice, check_integer
from theory.dufm._constructions import dnc, srg
from theory.dufm._losses import dnc_loss, srg_loss
from theory.dufm._problem import SMALLEST_K
from theory.dufm._solution import Solution
from theory.dufm.graphs._enumeration import graph_of
from theory.dufm.graphs._free_descent import solution_of_matrices
from theory.dufm.graphs._solution import graph_solution

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["LAM", "BestKnown", "Improvement", "best_known", "best_known_table"]

Base: TypeAlias = Literal["DNC", "SRG", "graph"]

#: The regularisation of every matrix in the table, as an exact decimal.
LAM = "0.0005"


class Improvement(NamedTuple):
    """A loss that was the best known from some day on.

    Attributes
    ----------
    loss : float
    date : str
        As in 2026-11-25.
    method : str
        How it was found.
    """

    loss: float
    date: str
    method: str


@dataclass(frozen=True)
class BestKnown:
    """An entry of the table: λ = `LAM` for every matrix, n = 1.

    Attributes
    ----------
    K, L : int
        Classes and layers.
    base : {"DNC", "SRG", "graph"}
        Deep neural collapse, the better of the two strongly regular graph constructions, or a graph solution of less
        loss: the best of these three.
    base_loss : float
        Its loss.
    loss : float
        The best known loss; less than `base_loss` where matrices without structure do better.
    graph6 : str or None
        The graph of a graph solution.
    every_graph_scored : bool
        Whether all graphs with K edges were scored in the search, for two depths L, or only mixtures of blocks and
        their neighbours.
    history : tuple of Improvement
        How the loss came down, the latest last.
    """

    K: int
    L: int
    base: Base
    base_loss: float
    loss: float
    graph6: str | None
    every_graph_scored: bool
    history: tuple[Improvement, ...]

    @property
    def lam(self) -> str:
        """The regularisation of every matrix, as an exact decimal."""
        return LAM

    @property
    def ratio(self) -> float:
        """The loss over that of deep neural collapse."""
        return self.loss / float(dnc_loss(self.K, self.L, LAM))

    @property
    def ratio_to_srg(self) -> float | None:
        """The loss over that of the better strongly regular graph construction; None for K < 6."""
        if SMALLEST_K["srg"] > self.K:
            return None
        return self.loss / float(srg_loss(self.K, self.L, LAM, construction="best"))


def best_known(K: IntegerLike, L: IntegerLike, family: Literal["any", "graph"] = "any") -> Solution:
    """The best known solution of the L-DUFM with K classes, n = 1 and λ = 0.0005 for every matrix.

    Parameters
    ----------
    K : int
        Classes, 2 to 28.
    L : int
        Layers, 3 to 8.
    family : {"any", "graph"}
        "graph": the best of deep neural collapse, the strongly regular graph constructions and the graph solutions.
        "any": the table's matrices without structure where they do better.

    Returns
    -------
    Solution

    Raises
    ------
    ValueError
        If the table has no such entry, or the family is unknown.

    Examples
    --------
    >>> best_known(2, 3).name, best_known(10, 4, "graph").name
    ('DNC', 'SRG')
    """
    check_choice("family", family, ("any", "graph"))
    entry = _raw(K, L)
    if entry["base"] == "DNC":
        base: Solution = dnc(K, L, LAM)
    elif entry["base"] == "SRG":
        base = srg(K, L, LAM, construction="best")
    else:
        graph = graph_of(entry["graph6"])
        base = graph_solution(graph, L, LAM, last_layer=entry["weightings"], vertex_scales=entry["vertex_scales"])
    if family == "any" and entry["loss"] < entry["base_loss"]:
        return solution_of_matrices(_matrices(entry["K"], entry["L"]), base, "matrices")
    return base


def best_known_table() -> list[BestKnown]:
    """The entries of the table, by K and L.

    Returns
    -------
    list of BestKnown

    Examples
    --------
    >>> table = best_known_table()
    >>> (table[0].K, table[0].L, table[-1].K, table[-1].L)
    (2, 3, 28, 8)
    """
    return [
        BestKnown(
            *(e["K"], e["L"], e["base"], e["base_loss"], e["loss"], e.get("graph6"), e["every_graph_scored"]),
            history=tuple(Improvement(*step) for step in e["history"]),
        )
        for e in _table().values()
    ]


@cache
def _table() -> dict[tuple[int, int], dict[str, Any]]:
    text = files("theory.dufm.graphs").joinpath("best_known.json").read_text(encoding="utf-8")
    return {(entry["K"], entry["L"]): entry for entry in json.loads(text)["entries"]}


@cache
def _matrices(K: int, L: int) -> list[Float[np.ndarray, "_ _"]]:
    """H_1, W_1, …, W_L of an entry whose best solution has no structure that is known."""
    with files("theory.dufm.graphs").joinpath("best_known.npz").open("rb") as file, np.load(file) as stored:
        return [stored[f"{K} {L} {i}"] for i in range(L + 1)]


def _raw(K: IntegerLike, L: IntegerLike) -> dict[str, Any]:
    K, L = check_integer("K", K, at_least=2), check_integer("L", L, at_least=3)
    table = _table()
    if (K, L) not in table:
        (first_K, first_L), (last_K, last_L) = min(table), max(table)
        raise ValueError(
            f"K = {K}, L = {L}; the table has K from {first_K} to {last_K} and L from {first_L} to {last_L}"
        )
    return table[K, L]
