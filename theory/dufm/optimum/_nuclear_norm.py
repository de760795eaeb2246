"""By how much a ReLU can raise the nuclear norm of a matrix with K columns, from above."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

from theory.arguments import IntegerLike, check_integer
from theory.dufm._problem import LARGEST_K

__all__ = ["relu_constant"]


def relu_constant(K: IntegerLike) -> Fraction:
    r"""A rational upper bound of γ_K², for which ‖σ(M)‖_* ≤ γ_K ‖M‖_* for every matrix M with K columns.

    σ(M) is the entrywise product of M and a matrix of zeros and ones. γ_K is the norm of the worst such product: the
    γ₂ norm of the matrix whose rows are all 2^K patterns,

    $$
    \gamma_K^2 = \min_{0\le q<1}\ \max_{0\le m\le K}\ \frac1{1-q}\Bigl(m - \frac{q m^2}{1-q+Kq}\Bigr),
    $$

    and any q gives an upper bound. The one used here is within 1e-9 of the best. γ_K ≤ (1 + √K)/2, with equality where
    √K is an integer.

    Parameters
    ----------
    K : int
        Columns, from 1 to 10¹².

    Returns
    -------
    Fraction
        The bound of γ_K².

    Raises
    ------
    ValueError, TypeError
        If K is out of range or no integer.

    Examples
    --------
    >>> [str(relu_constant(K)) for K in (1, 2, 3, 4, 5, 9)]
    ['1', '4/3', '9/5', '9/4', '18/7', '4']
    """
    K = check_integer("K", K, at_least=1, at_most=LARGEST_K)
    if K == 1:
        return Fraction(1)
    near = 1 / (1 + sqrt(K))
    # The minimiser over q is where two of the functions of m meet, which is at 1/(2m + 2 − K), or it is stationary for
    # one m, close to 1/(1 + √K); the maximum of convex functions is convex.
    m = round((K - 2 + 1 / near) / 2)
    meetings = [Fraction(1, 2 * i + 2 - K) for i in range(m - 2, m + 3) if 2 * i + 2 - K > 1]
    lowest, highest = near / 2, (1 + near) / 2
    for _ in range(80):
        third = (highest - lowest) / 3
        inner = lowest + third, highest - third
        below, above = (_largest(K, Fraction(q)) for q in inner)
        lowest, highest = (lowest, inner[1]) if below <= above else (inner[0], highest)
    return min(_largest(K, q) for q in (*meetings, Fraction(lowest).limit_denominator(10**6), Fraction(lowest)))


def _largest(K: int, q: Fraction) -> Fraction:
    """The largest of the functions of m at q: a concave parabola in m, highest at (1 − q + Kq)/(2q)."""
    total = 1 - q + K * q
    peak = int(total / (2 * q))
    return max((m - q * m * m / total) / (1 - q) for m in {min(max(m, 0), K) for m in (peak, peak + 1)})
