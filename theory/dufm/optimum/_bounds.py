"""The optimum of the DUFM between a proved lower bound and the loss of the best solution known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import cache, partial
from typing import Literal, NamedTuple

from flint import arb, arb_mat, ctx, fmpq

from theory.arguments import IntegerLike, RealLike, check_instance
from theory.dufm import graphs
from theory.dufm._problem import scalar_problem
from theory.dufm._solution import Solution
from theory.dufm.enclosure import Interval, enclose_loss
from theory.dufm.optimum._best_known import constructions
from theory.dufm.optimum._lower_bound import Argument, lower_bound
from theory.dufm.optimum._rescaled import rescaled
from theory.ufm import Problem, exact_lams

__all__ = ["OptimumBounds", "attained", "bounds"]

HALF = Decimal("0.5")
_BITS = 160


class OptimumBounds(NamedTuple):
    """Numbers between which the global minimum of a problem is proved to lie.

    Attributes
    ----------
    lower : Decimal
        The lower bound.
    upper : Decimal
        A loss that is attained, rounded up; 0.5 where no better solution than the zero solution is known.
    argument : {"two classes", "removing classes", "nuclear norm"}
        Why the lower bound holds.
    solution : Solution or None
        What attains the upper one; None for the zero solution.
    optimal : bool
        Whether the solution is proved to be optimal: the bounds are those of one and the same number.
    """

    lower: Decimal
    upper: Decimal
    argument: Argument
    solution: Solution | None
    optimal: bool

    def __contains__(self, value: object) -> bool:
        """Say whether a number lies between the bounds or is one of them."""
        return bool(self.lower <= value <= self.upper)  # type: ignore[operator]


def bounds(
    K: IntegerLike,
    L: IntegerLike,
    lam: RealLike | None = None,
    *,
    lams: Sequence[RealLike] | None = None,
    n: IntegerLike = 1,
) -> OptimumBounds:
    """Enclose the global minimum of the L-DUFM, over all widths.

    From below by `lower_bound`. From above by the best of deep neural collapse, the strongly regular graph
    constructions, the solution of rank two and the solution of `best_known` for these sizes at its best scale; its
    loss is enclosed, so that it is proved to be attained.

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
        Samples per class.

    Returns
    -------
    OptimumBounds

    Raises
    ------
    ValueError, TypeError
        As `dnc_loss`.

    Examples
    --------
    >>> from theory import dufm
    >>> found = dufm.bounds(10, 4, "5e-4")
    >>> round(float(found.lower), 6), round(float(found.upper), 6), found.solution.name, found.optimal
    (0.004757, 0.010198, 'SRG', False)
    >>> dufm.bounds(2, 5, 1e-3).optimal
    True
    """
    problem = scalar_problem(K, L, lam, lams, n, solution="dnc")
    below = lower_bound(problem.K, problem.L, lams=problem.exact_lams, n=problem.n)
    best, enclosed = min(_candidates(problem), key=lambda candidate: candidate[0].loss)
    upper = enclosed() if best.nontrivial else HALF
    if upper >= HALF:
        return OptimumBounds(below.value, HALF, below.argument, None, below.value == HALF)
    return OptimumBounds(below.value, upper, below.argument, best, below.argument == "two classes")


def attained(solution: Solution, lams: Sequence[RealLike] | None = None) -> Decimal:
    """The loss of a solution's matrices, as exact numbers, rounded up: a number that the global minimum is not above.

    Parameters
    ----------
    solution : Solution
        Its features and weights are taken as they are, but for W_L, which is the exact ridge solution.
    lams : sequence of L+1 floats, Fractions or decimal strings, optional
        (λ_H1, λ_W1, …, λ_WL) as exact numbers, where they are not those of the solution, which are floats.

    Returns
    -------
    Decimal

    Raises
    ------
    ValueError, TypeError
        If `lams` does not have L+1 positive numbers, or `solution` is none.

    Examples
    --------
    >>> from theory import dufm
    >>> solution = dufm.srg(6, 4, "5e-4")
    >>> upper = attained(solution)
    >>> bool(abs(float(upper) / solution.loss - 1) < 1e-9), upper >= dufm.enclose_loss("srg", 6, 4, 5e-4).lower
    (True, True)
    """
    K, L = check_instance("solution", solution, Solution).K, solution.L
    given = exact_lams(L, None, solution.lams if lams is None else lams, positive=True)
    decay = [fmpq(lam.numerator, lam.denominator) for lam in given]
    with ctx.workprec(_BITS):
        means = arb_mat(solution.class_means(1).tolist())
        total = solution.n * decay[0] * _squares(means)
        for l in range(1, L):
            weight = arb_mat(solution.weights(l).tolist())
            total += decay[l] * _squares(weight)
            means = _relu(weight * means)
        shift = arb_mat([[arb(K * decay[L]) if i == j else arb(0) for j in range(K)] for i in range(K)])
        inverse = (means.transpose() * means + shift).inv()
        # the fit and the decay of W_L, at their least: (λ_WL/2) tr (MᵀM + Kλ_WL)⁻¹
        total += decay[L] * sum((inverse[i, i] for i in range(K)), arb(0))
        return Interval.of(total / 2).decimals(15).upper


def _squares(matrix: arb_mat) -> arb:
    return sum((entry * entry for entry in matrix.entries()), arb(0))


def _relu(matrix: arb_mat) -> arb_mat:
    return arb_mat(matrix.nrows(), matrix.ncols(), [entry.max(arb(0)) for entry in matrix.entries()])


def _candidates(problem: Problem) -> Iterator[tuple[Solution, Callable[[], Decimal]]]:
    """Solutions of a problem, and proved upper bounds of their losses: by a closed form, or from the matrices."""
    lams = problem.exact_lams
    for kind, solution in constructions(problem).items():
        if kind == "rank two":
            yield solution, partial(attained, solution, lams)
        else:
            yield solution, partial(_enclosed, kind, problem)
    if (problem.K, problem.L) in _table():
        other = rescaled(graphs.best_known(problem.K, problem.L), problem)
        yield other, partial(attained, other, lams)


def _enclosed(kind: Literal["dnc", "srg"], problem: Problem) -> Decimal:
    lams, n = problem.exact_lams, problem.n
    return enclose_loss(kind, problem.K, problem.L, lams=lams, n=n, digits=15, construction="best").upper


@cache
def _table() -> frozenset[tuple[int, int]]:
    return frozenset((entry.K, entry.L) for entry in graphs.best_known_table())
