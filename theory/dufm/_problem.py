"""The problems that the closed forms of theory.dufm hold for: enough layers and classes, positive regularisation."""

from __future__ import annotations

from collections.abc import Sequence

from theory.arguments import IntegerLike, RealLike, check_integer
from theory.ufm import LARGEST, LARGEST_L, Integers, Problem, Problems, Regularisation, ReLU, exact_lams

__all__ = ["LARGEST_K", "SMALLEST_K", "SMALLEST_L", "problems", "scalar_problem"]

LARGEST_K = 10**12  # up to here r(r−1)/2 ≤ K is decided exactly in float64
SMALLEST_K = {"srg": 6, "dnc": 2}
SMALLEST_L = 3


def problems(
    K: Integers, L: Integers, lam: Regularisation, lams: Sequence[RealLike] | None, n: Integers, *, solution: str
) -> Problems:
    """Check the arguments of a vectorised closed form and broadcast them.

    Raises
    ------
    ValueError
        If a value is out of range, the shapes do not broadcast, or not exactly one of `lam` and `lams` is given.
    TypeError
        If a value is of a wrong type.
    """
    limits = {"smallest_K": SMALLEST_K[solution], "largest_K": LARGEST_K, "smallest_L": SMALLEST_L}
    return Problems.of(K, L, lam, lams=lams, n=n, **limits)


def scalar_problem(
    K: IntegerLike,
    L: IntegerLike,
    lam: RealLike | None,
    lams: Sequence[RealLike] | None,
    n: IntegerLike,
    *,
    solution: str,
) -> Problem:
    """Check the arguments of one problem.

    Raises
    ------
    ValueError, TypeError
        As `problems`.
    """
    K = check_integer("K", K, at_least=SMALLEST_K[solution], at_most=LARGEST_K)
    L = check_integer("L", L, at_least=SMALLEST_L, at_most=LARGEST_L)
    n = check_integer("n", n, at_least=1, at_most=LARGEST)
    return Problem(K, L, exact_lams(L, lam, lams, positive=True), n, (K,) * L, (ReLU(),) * (L - 1))
