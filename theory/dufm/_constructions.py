"""The two solutions of the paper: deep neural collapse, and strongly regular graphs for any number of classes."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np

from theory.arguments import IntegerLike, RealLike
from theory.dufm._blocks import Block, of_blocks, without_classes
from theory.dufm._losses import Construction, block_loss, check_construction, dnc_minimum, drop_loss
from theory.dufm._problem import scalar_problem
from theory.dufm._solution import Solution
from theory.geometry import triangular_graph
from theory.ufm import Problems

__all__ = ["dnc", "srg"]


def dnc(
    K: IntegerLike,
    L: IntegerLike,
    lam: RealLike | None = None,
    *,
    lams: Sequence[RealLike] | None = None,
    n: IntegerLike = 1,
) -> Solution:
    """The deep neural collapse solution: M_lᵀM_l = α_l I for l ≥ 2.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    L : int
        Number of layers, at least 3.
    lam : float, Fraction or decimal string, optional
        One regularisation for every matrix.
    lams : sequence of L+1 numbers, optional
        (λ_H1, λ_W1, …, λ_WL), in place of `lam`.
    n : int
        Samples per class, at least 1.

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
    problem = scalar_problem(K, L, lam, lams, n, solution="dnc")
    batch = Problems.one(problem)
    return of_blocks("DNC", [Block.dnc(problem.K, problem)], float(batch.losses(dnc_minimum(batch).value)[0]), problem)


def srg(
    K: IntegerLike,
    L: IntegerLike,
    lam: RealLike | None = None,
    *,
    lams: Sequence[RealLike] | None = None,
    n: IntegerLike = 1,
    construction: Construction = "block",
) -> Solution:
    """The strongly regular graph solution.

    Parameters
    ----------
    K : int
        Number of classes, at least 6.
    L : int
        Number of layers, at least 3.
    lam : float, Fraction or decimal string, optional
        One regularisation for every matrix.
    lams : sequence of L+1 numbers, optional
        (λ_H1, λ_W1, …, λ_WL), in place of `lam`.
    n : int
        Samples per class, at least 1.
    construction : {"block", "drop", "best"}
        What Definition 11 does where K is no triangular number, as in `srg_loss`.

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
    problem = scalar_problem(K, L, lam, lams, n, solution="srg")
    batch = Problems.one(problem)
    below, above = triangular_graph.triangular_order(problem.K)
    block = float(batch.losses(block_loss(batch, np.array([below])))[0])
    if below == above:
        return of_blocks("SRG", [Block.srg(below, problem)], block, problem)
    drop = float(batch.losses(drop_loss(batch, np.array([above])))[0])
    if construction == "drop" or (construction == "best" and drop < block):
        return without_classes(above, drop, problem)
    rest = Block.dnc(problem.K - comb(below, 2), problem)
    return of_blocks("SRG block", [Block.srg(below, problem), rest], block, problem)
