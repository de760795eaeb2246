"""L_srg, L_dnc and their ratio with proved bounds, to any number of digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from math import comb
from typing import Literal

from flint import arb, fmpq

from theory.arguments import IntegerLike, RealLike, check_choice, check_exact, check_integer
from theory.deadline import Deadline
from theory.dufm._losses import Construction, check_construction
from theory.dufm._problem import LARGEST_K, SMALLEST_K, SMALLEST_L
from theory.dufm.enclosure._blocks import Blocks, Kappa, rational
from theory.dufm.enclosure._bounds import Bounds, Interval, root, to_width
from theory.dufm.enclosure._minimum import minimum
from theory.dufm.enclosure._objective import Part
from theory.geometry import triangular_graph
from theory.ufm import exact_lams, one_of

__all__ = ["enclose_collapse_at", "enclose_loss", "enclose_ratio"]


def enclose_loss(
    solution: Literal["srg", "dnc"],
    K: IntegerLike,
    L: IntegerLike,
    lam: RealLike | None = None,
    *,
    lams: Sequence[RealLike] | None = None,
    n: IntegerLike = 1,
    digits: IntegerLike = 30,
    construction: Construction = "block",
    time_limit: RealLike | None = 10.0,
) -> Bounds:
    """Prove bounds of L_srg or L_dnc, the global minimum over the scale included.

    Parameters
    ----------
    solution : {"srg", "dnc"}
        The strongly regular graph or deep neural collapse.
    K : int
        Number of classes; at least 6 for "srg" and 2 for "dnc".
    L : int
        Number of layers, at least 3; with `lam` there is no largest.
    lam : float, Fraction or decimal string, optional
        One regularisation for every matrix. Fractions and decimal strings are exact, a float is its binary value.
    lams : sequence of L+1 numbers, optional
        (λ_H1, λ_W1, …, λ_WL), in place of `lam`.
    n : int
        Samples per class.
    digits : int
        The bounds differ by at most 10^−digits times the value.
    construction : {"block", "drop", "best"}
        As in `srg_loss`.
    time_limit : float, optional
        Seconds; None for no limit. Ctrl-C stops the computation at any time.

    Returns
    -------
    Bounds
        Both are exactly 1/2 where that is proved to be the value.

    Raises
    ------
    ValueError, TypeError
        As `srg_loss`, and for an unknown solution or digits < 1.
    TimeoutError
        If the time does not suffice, which for many digits is noticed before it is over.
    ArithmeticError
        If two minima of the loss cannot be told apart, where it matters which is the global one ("drop").

    References
    ----------
    lowrank, Definitions 9–11 and the proof of Theorem 5; the method is proved in docs/enclosures.md.

    Examples
    --------
    >>> from decimal import Decimal
    >>> lower, upper = enclose_loss("srg", 10, 4, "5e-4", digits=20)
    >>> str(lower)[:20], upper - lower < Decimal("1e-21")
    ('0.010198315767107897', True)
    """
    check_choice("solution", solution, ("srg", "dnc"))
    deadline = Deadline(time_limit)
    K, kappa = _checked(K, L, lam, lams, n, solution=solution)
    check_construction(construction)
    if solution == "dnc":
        return to_width(_blocks(K, kappa, deadline).collapsed_loss, digits, deadline)
    return to_width(_srg_loss(K, kappa, construction, deadline), digits, deadline)


def enclose_ratio(
    K: IntegerLike,
    L: IntegerLike,
    lam: RealLike | None = None,
    *,
    lams: Sequence[RealLike] | None = None,
    n: IntegerLike = 1,
    digits: IntegerLike = 30,
    construction: Construction = "block",
    time_limit: RealLike | None = 10.0,
) -> Bounds:
    """Prove bounds of L_srg / L_dnc.

    Parameters
    ----------
    K : int
        Number of classes, at least 6.
    L : int
        Number of layers, at least 3; with `lam` there is no largest.
    lam : float, Fraction or decimal string, optional
        One regularisation for every matrix. Fractions and decimal strings are exact, a float is its binary value.
    lams : sequence of L+1 numbers, optional
        (λ_H1, λ_W1, …, λ_WL), in place of `lam`.
    n : int
        Samples per class.
    digits : int
        The bounds differ by at most 10^−digits times the value.
    construction : {"block", "drop", "best"}
        As in `srg_loss`.
    time_limit : float, optional
        Seconds; None for no limit. Ctrl-C stops the computation at any time.

    Returns
    -------
    Bounds
        Both are exactly 1 where both losses are proved to be 1/2.

    Raises
    ------
    ValueError, TypeError, TimeoutError, ArithmeticError
        As `enclose_loss`.

    References
    ----------
    lowrank, Theorem 5.

    Examples
    --------
    >>> from decimal import Decimal
    >>> from fractions import Fraction
    >>> lower, upper = enclose_ratio(10, 4, Fraction(1, 2000))
    >>> str(lower)[:20], upper - lower < Decimal("1e-30")
    ('0.816684409818276153', True)
    >>> enclose_ratio(6, 4, 1)
    Bounds(lower=Decimal('1'), upper=Decimal('1'))
    """
    deadline = Deadline(time_limit)
    K, kappa = _checked(K, L, lam, lams, n, solution="srg")
    check_construction(construction)
    above, below = _srg_loss(K, kappa, construction, deadline), _blocks(K, kappa, deadline).collapsed_loss

    def quotient(bits: int) -> Interval:
        srg, dnc = above(bits), below(bits)
        if srg.exact_half and dnc.exact_half:
            return Interval.exactly(1)
        return Interval.of(srg.ball / dnc.ball)

    return to_width(quotient, digits, deadline)


def enclose_collapse_at(
    constant: tuple[Fraction, int],
    L: int,
    lams: Sequence[Fraction],
    n: int,
    digits: IntegerLike,
    deadline: Deadline,
) -> Bounds:
    """Prove bounds of min_u (L/2) (cΠ)^{1/L} u^{1/L} + 1/(2(1+u)), with Π the product of n and the regularisations.

    With c = K^{L+1} it is the loss of deep neural collapse; other c come from lower bounds.

    Parameters
    ----------
    constant : (Fraction, int)
        (a, b) for c = a b^L, so that no power is written out.
    L, n : int
        Layers, at least 2, and samples per class.
    lams : sequence of Fraction
        The L+1 regularisations, or the one of all matrices.
    digits : int
        The bounds differ by at most 10^−digits times the value.
    deadline : Deadline
        When to give up.

    Returns
    -------
    Bounds
    """
    kappa = Kappa.of(L, lams, n)
    inside, outside = rational("c", constant[0]), constant[1]
    part = Part(
        fmpq(1), L, (1,), (fmpq(1),), lambda: arb(outside * kappa.factor) * root(arb(inside * kappa.radicand), L)
    )
    return to_width(lambda bits: minimum(part, bits, deadline).value, digits, deadline)


def _checked(
    K: IntegerLike,
    L: IntegerLike,
    lam: RealLike | None,
    lams: Sequence[RealLike] | None,
    n: IntegerLike,
    *,
    solution: str,
) -> tuple[int, Kappa]:
    K = check_integer("K", K, at_least=SMALLEST_K[solution], at_most=LARGEST_K)
    L = check_integer("L", L, at_least=SMALLEST_L)
    n = check_integer("n", n, at_least=1)
    one_of(lam, lams)
    # one λ for all matrices is not repeated L+1 times: L may be very large
    values = exact_lams(L, None, lams, positive=True) if lams is not None else (check_exact("lam", lam, above=0),)
    return K, Kappa.of(L, values, n)


def _blocks(K: int, kappa: Kappa, deadline: Deadline) -> Blocks:
    return Blocks(K, kappa.L, partial(kappa, K), deadline)


def _srg_loss(K: int, kappa: Kappa, construction: Construction, deadline: Deadline) -> Callable[[int], Interval]:
    """L_srg at a precision in bits."""
    _, above = triangular_graph.triangular_order(K)
    whole = comb(above, 2)
    block = _blocks(K, kappa, deadline).block_loss
    if whole == K or construction == "block":
        return block
    drop = partial(_blocks(whole, kappa, deadline).loss_without, whole - K)
    if construction == "drop":
        return drop
    return lambda bits: block(bits).smaller(drop(bits))
