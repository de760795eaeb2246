"""The losses that runs are compared with: deep neural collapse and the strongly regular graph."""

from __future__ import annotations

from theory.arguments import check_instance
from theory.ufm import Problem

__all__ = ["loss_dnc", "loss_srg"]


def loss_dnc(problem: Problem) -> float:
    """Return the loss of deep neural collapse at its best scale.

    Parameters
    ----------
    problem : Problem
        From two layers on.

    Returns
    -------
    float

    References
    ----------
    lowrank, Definition 10.

    Examples
    --------
    >>> round(loss_dnc(Problem.of(2, 2, "1/500")), 4)
    0.006
    """
    from theory import dufm

    if check_instance("problem", problem, Problem).L == 2:
        return problem.collapsed_loss()
    return float(dufm.dnc_loss(problem.K, problem.L, lams=problem.exact_lams, n=problem.n))


def loss_srg(problem: Problem) -> float | None:
    """Return the lower of the losses of the two SRG constructions, or None where there is none.

    Parameters
    ----------
    problem : Problem
        The constructions need K ≥ 6 and L ≥ 3.

    Returns
    -------
    float or None

    References
    ----------
    lowrank, Definition 11.

    Examples
    --------
    >>> loss_srg(Problem.of(5, 4, 0.001)) is None, loss_srg(Problem.of(10, 4, 5e-4)) < loss_dnc(Problem.of(10, 4, 5e-4))
    (True, True)
    """
    from theory import dufm

    if check_instance("problem", problem, Problem).K < 6 or problem.L < 3:
        return None
    return float(dufm.srg_loss(problem.K, problem.L, lams=problem.exact_lams, n=problem.n, construction="best"))
