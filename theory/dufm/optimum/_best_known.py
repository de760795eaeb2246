"""The best known solution of any problem of the table's sizes, whatever its regularisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from theory.arguments import IntegerLike, RealLike
from theory.dufm import graphs
from theory.dufm._constructions import dnc, srg
from theory.dufm._problem import SMALLEST_K, scalar_problem
from theory.dufm._solution import Solution
from theory.dufm.optimum._rank_two import rank_two
from theory.dufm.optimum._rescaled import of_shape, rescaled
from theory.dufm.optimum._search import annealed
from theory.ufm import Problem

__all__ = ["Kind", "best_known", "constructions"]

Kind: TypeAlias = Literal["dnc", "srg", "rank two"]

_MOST_CLASSES = 64  # up to here the matrices of the solution of rank two are made

_WIDTHS = (0.1, 0.01)  # of the smoothed ReLU: a wide one finds other shapes, a narrow one keeps to the shape at hand


def best_known(
    K: IntegerLike,
    L: IntegerLike,
    family: Literal["any", "graph"] = "any",
    *,
    lam: RealLike | None = None,
    lams: Sequence[RealLike] | None = None,
    n: IntegerLike = 1,
) -> Solution:
    """The best known solution of the L-DUFM with K classes.

    The table is of λ = 0.0005 for every matrix and n = 1. For another problem the best of its solution, of deep
    neural collapse, of the strongly regular graph constructions and of the solution of rank two is taken, each at
    its best scales, and descents follow over all its matrices, with a ReLU that is smooth at first. That takes up
    to some seconds; structures that are best only at other regularisations are not sought.

    Parameters
    ----------
    K : int
        Classes, 2 to 28.
    L : int
        Layers, 3 to 8.
    family : {"any", "graph"}
        "graph": the table's best of deep neural collapse, the strongly regular graph constructions and the graph
        solutions; only without a regularisation.
        "any": matrices without structure where they do better.
    lam : float, Fraction or decimal string, optional
        One regularisation for every matrix.
    lams : sequence of L+1 numbers, optional
        (λ_H1, λ_W1, …, λ_WL), in place of `lam`.
    n : int
        Samples per class; other than 1 only with a regularisation.

    Returns
    -------
    Solution

    Raises
    ------
    ValueError
        If the table has no such entry, the family is unknown, or a value is out of range.
    TypeError
        If a value is of a wrong type.

    Examples
    --------
    >>> best_known(2, 3).name, best_known(10, 4, "graph").name
    ('DNC', 'SRG')
    >>> other = best_known(5, 4, lam=1e-4)
    >>> bool(other.loss < dnc(5, 4, 1e-4).loss)
    True
    """
    table = graphs.best_known(K, L, family)
    if lam is None and lams is None:
        if n != 1:
            raise ValueError(f"n = {n}; n must be 1 where neither lam nor lams is given: the table is of one sample")
        return table
    if family == "graph":
        raise ValueError("family = 'graph' goes with the table's own problem; lam and lams must not be given")
    problem = scalar_problem(K, L, lam, lams, n, solution="dnc")
    best = min([*constructions(problem).values(), rescaled(table, problem)], key=lambda solution: solution.loss)
    if not best.nontrivial:
        return best
    shape = [best.class_means(1), *(best.weights(l) for l in range(1, problem.L))]
    _, end = min((annealed(problem, shape, width) for width in _WIDTHS), key=lambda descent: descent[0])
    found = of_shape(problem, end, "matrices", best.make_graph)
    return found if found.loss < best.loss * (1 - 1e-9) else best


def constructions(problem: Problem) -> dict[Kind, Solution]:
    """The solutions of a problem that are written down, not found: collapse, strongly regular graphs, rank two.

    Parameters
    ----------
    problem : Problem
        With at least 3 layers.

    Returns
    -------
    dict of Solution
        "dnc", and of "srg" and "rank two" those that there are for so many classes.
    """
    K, L, lams, n = problem.K, problem.L, problem.exact_lams, problem.n
    found: dict[Kind, Solution] = {"dnc": dnc(K, L, lams=lams, n=n)}
    if SMALLEST_K["srg"] <= K:
        found["srg"] = srg(K, L, lams=lams, n=n, construction="best")
    if 3 <= K <= _MOST_CLASSES:
        found["rank two"] = rank_two(K, L, lams=lams, n=n)
    return found
