"""Proved lower bounds on the global minimum of the DUFM, over all widths."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from theory.arguments import IntegerLike, RealLike, check_exact, check_integer
from theory.deadline import Deadline
from theory.dufm._problem import LARGEST_K
from theory.dufm.enclosure import enclose_collapse_at
from theory.dufm.optimum._nuclear_norm import relu_constant
from theory.ufm import exact_lams, one_of

__all__ = ["Argument", "LowerBound", "lower_bound"]

Argument: TypeAlias = Literal["two classes", "removing classes", "nuclear norm"]


class LowerBound(NamedTuple):
    """A number that no loss of the problem is below.

    Attributes
    ----------
    value : Decimal
        The bound, exact; 0.5 where the zero solution is proved to be optimal.
    argument : {"two classes", "removing classes", "nuclear norm"}
        Why it holds (docs/optimum.md). With two classes it is the minimum itself, up to the digits asked for.
    """

    value: Decimal
    argument: Argument


def lower_bound(
    K: IntegerLike,
    L: IntegerLike,
    lam: RealLike | None = None,
    *,
    lams: Sequence[RealLike] | None = None,
    n: IntegerLike = 1,
    digits: IntegerLike = 15,
    time_limit: RealLike | None = 10.0,
) -> LowerBound:
    r"""Bound the global minimum of the L-DUFM from below, for all widths of its layers.

    Each argument gives

    $$
    \min\mathcal L \ge \min_{u\ge0}\ \frac L2\,(c\,\Pi)^{1/L}u^{1/L} + \frac1{2(1+u)},
    \qquad \Pi = n\lambda_{H_1}\lambda_{W_1}\cdots\lambda_{W_L},
    $$

    which for $c = K^{L+1}$ would be the loss of deep neural collapse. Removing all classes but two gives $c =
    2^{L-1}K^2$, which for K = 2 is the minimum itself; the nuclear norm of the last layer gives $c =
    K^3/\gamma_K^2$ (`relu_constant`), which is the larger one for L = 2 from K = 6 on. The best is returned.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    L : int
        Number of layers, at least 2; with `lam` there is no largest.
    lam : float, Fraction or decimal string, optional
        One regularisation for every matrix. Fractions and decimal strings are exact, a float is its binary value.
    lams : sequence of L+1 numbers, optional
        (λ_H1, λ_W1, …, λ_WL), in place of `lam`.
    n : int
        Samples per class.
    digits : int
        The number is rounded down by at most 10^−digits of it.
    time_limit : float, optional
        Seconds; None for no limit.

    Returns
    -------
    LowerBound

    Raises
    ------
    ValueError, TypeError
        If a value is out of range or of a wrong type, or not exactly one of `lam` and `lams` is given.
    TimeoutError
        If the time does not suffice.

    Examples
    --------
    >>> from theory import dufm
    >>> value, argument = dufm.lower_bound(10, 4, "5e-4")
    >>> round(float(value), 6), argument
    (0.004757, 'removing classes')
    >>> bool(float(value) < dufm.srg_loss(10, 4, 5e-4) < dufm.dnc_loss(10, 4, 5e-4))
    True
    >>> dufm.lower_bound(2, 7, 1e-3).argument, dufm.lower_bound(100, 2, 1e-9).argument
    ('two classes', 'nuclear norm')
    """
    deadline = Deadline(time_limit)
    K = check_integer("K", K, at_least=2, at_most=LARGEST_K)
    L = check_integer("L", L, at_least=2)
    n = check_integer("n", n, at_least=1)
    one_of(lam, lams)
    exact = exact_lams(L, None, lams, positive=True) if lams is not None else (check_exact("lam", lam, above=0),)
    argument, constant = _largest_constant(K, L)
    return LowerBound(enclose_collapse_at(constant, L, exact, n, digits, deadline).lower, argument)


def _largest_constant(K: int, L: int) -> tuple[Argument, tuple[Fraction, int]]:
    """The argument of the largest c, and (a, b) for c = a b^L."""
    if K == 2:
        return "two classes", (Fraction(2), 2)
    square = _relu_constant(K)
    if L < 64 and 2 ** (L - 1) * square < K:
        return "nuclear norm", (K**3 / square, 1)
    return "removing classes", (Fraction(K * K, 2), 2)


@lru_cache(4096)
def _relu_constant(K: int) -> Fraction:
    """Kept, since it takes longer than the rest of a bound where tables ask for many layers."""
    return relu_constant(K)
