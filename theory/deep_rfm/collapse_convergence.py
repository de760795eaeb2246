"""The convergence theorem of the linearised Deep RFM for classes of equal size, with its certificate.

With n samples in each class and κ = (1 + λ_k/(n+λ_map))⁻², let λ_k ≤ λ_map and let the data's Gram matrix have no
eigenvalue below λ_map. Then each layer from the second on multiplies the distance of the Gram matrix from YᵀY
by at most λ_k/λ_map. The theorem, its proof and the meaning of each quantity below are in
docs/deep_rfm_convergence.md; this file has the bound that the proof ends with, and the certificate of its last
inequality. Two ratios say everything:

- x = λ_k/λ_map, from 0 to 1, and
- c = (λ_map+λ_k)/n, positive: small for many samples in each class.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from theory.arguments import RealLike
from theory.certificate import ShiftCertificate
from theory.deep_rfm._matrices import exact_or_float
from theory.overflow import within_floats

__all__ = ["bound_pieces", "certificate_of_multiples", "certificates", "layer_factor", "smoothing"]


def smoothing(x: Any, c: Any) -> Any:
    """Return ϑ = x/(1+x+c), the factor by which a layer shrinks a small turn of the classes' directions.

    Parameters
    ----------
    x, c : float, Fraction or SymPy expression
        λ_k/λ_map and (λ_map+λ_k)/n.

    Returns
    -------
    float, Fraction or SymPy expression
        As the arguments.

    Examples
    --------
    >>> from fractions import Fraction
    >>> smoothing(Fraction(1, 2), Fraction(1, 2))
    Fraction(1, 4)
    """
    return x / (1 + x + c)


@within_floats
def layer_factor(x: RealLike, c: RealLike) -> Any:
    """Return the bound of the proof on the factor by which a layer multiplies the distance, which is at most x.

    Parameters
    ----------
    x, c : float, Fraction or str
        λ_k/λ_map in (0, 1] and (λ_map+λ_k)/n > 0.

    Returns
    -------
    float or Fraction
        A Fraction if neither argument is a float.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range.

    Examples
    --------
    >>> from fractions import Fraction
    >>> round(float(layer_factor(Fraction(1, 2), Fraction(1, 4))), 3)  # below 1/2
    0.408
    """
    ratio, crowding = exact_or_float("x", x, above=0), exact_or_float("c", c, above=0)
    if ratio > 1:
        raise ValueError(f"x = {x!r}; x must be in (0, 1]")
    pieces = bound_pieces(ratio, crowding, many_samples=crowding <= 1)
    return smoothing(ratio, crowding) * max(pieces.values())


def bound_pieces(x: Any, c: Any, *, many_samples: bool) -> dict[str, Any]:
    """Return the expressions whose maximum, times ϑ, is the layer's factor; each is a rational function of x and c.

    The Gram matrix over n and the next layer's are compared in two blocks: on the range of the former, where its
    eigenvalues have moved down or up from one, and on the rest of the space.

    Parameters
    ----------
    x, c : float, Fraction or SymPy expression
        λ_k/λ_map and (λ_map+λ_k)/n.
    many_samples : bool
        Whether c ≤ 1, which decides which part of the change is the main one.

    Returns
    -------
    dict of str to float, Fraction or SymPy expression
        Keys: "range, eigenvalues below", "range, eigenvalues above" and "rest".

    Examples
    --------
    >>> from fractions import Fraction
    >>> pieces = bound_pieces(Fraction(1, 2), Fraction(1, 4), many_samples=True)
    >>> {name: round(float(piece), 3) for name, piece in pieces.items()}
    {'range, eigenvalues below': 1.427, 'range, eigenvalues above': 1.236, 'rest': 1.31}
    """
    theta, tilt, main = smoothing(x, c), x / (2 + x), 2 * c / (1 + c)
    lowest, highest = ((1 + c) / (1 + c + x)) ** 2, (1 + x * c / (1 + x + c)) ** 2
    response = c / (c + lowest)
    whole = (1 if many_samples else main) + (1 - theta) * response * tilt

    def in_range(moved: Any) -> Any:
        second_order = main * moved / (c + lowest) + theta * response**2 * moved * (1 + tilt**2)
        return second_order + main * tilt + 2 * response * tilt**2

    return {
        "range, eigenvalues below": whole + in_range(1 - lowest),
        "range, eigenvalues above": whole + in_range(highest - 1),
        "rest": whole + (2 - theta - (main if many_samples else 1)) * tilt,
    }


@cache
def certificates() -> tuple[ShiftCertificate, ...]:
    """Return certificates that the bound on a layer's factor is at most x, for all 0 < x ≤ 1 and c > 0.

    For each of the pieces, with c ≤ 1 and with c ≥ 1, the inequality is 1 + x + c − piece ≥ 0. With x = 1/(1+u), and
    c = v/(1+v) or c = 1 + v, numerator and denominator are polynomials in u, v ≥ 0 without a negative coefficient.

    Returns
    -------
    tuple of ShiftCertificate
        A numerator and a denominator for each of the six combinations.

    Examples
    --------
    >>> all(certificate.verify() for certificate in certificates())
    True
    """
    import sympy as sp

    u, v = sp.symbols("u v")
    x = 1 / (1 + u)
    found = []
    for many_samples, c, region in ((True, v / (1 + v), "c ≤ 1"), (False, 1 + v, "c ≥ 1")):
        for name, piece in bound_pieces(x, c, many_samples=many_samples).items():
            fraction = sp.fraction(sp.cancel(sp.together(1 + x + c - piece)))
            for part, polynomial in zip(("numerator", "denominator"), fraction, strict=True):
                statement = f"1 + x + c − factor/ϑ ≥ 0, {region}, {name}: {part}"
                found.append(ShiftCertificate.of(statement, polynomial, {u: 0, v: 0}))
    return tuple(found)


@cache
def certificate_of_multiples() -> ShiftCertificate:
    r"""Return the certificate that a layer shrinks g − 1 by λ_k/λ_map where the Gram matrix is g YᵀY, from layer 2 on.

    With m = λ_map, k = λ_k and N = n + m a layer takes g to $f(g) = a^2$, $a = \frac{(gn+m)(N+k)}{(gn+m+k)N}$, and
    $a - 1 = \frac{kn(g-1)}{(gn+m+k)N}$. So $|f(g) - 1| \le \frac km|g - 1|$ is $mn(a+1) \le (gn+m+k)N$. That is
    certified for all m = k + w and g = f(0) + h with k, w, n, h ≥ 0, after the denominators are cleared.

    Returns
    -------
    ShiftCertificate

    Examples
    --------
    >>> certificate_of_multiples().verify()
    True
    """
    import sympy as sp

    k, w, n, h = sp.symbols("k w n h")
    m, N = k + w, n + k + w
    square = (m + k) ** 2 * N**2
    E = n * m**2 * (N + k) ** 2 + (n * h + m + k) * square  # gn + m + k, over the square
    numerator = sp.cancel(E * (E - m * n * (m + k) ** 2 * N) - m * n * (N + k) * (m + k) ** 2 * (E - k * square))
    statement = "mn(a + 1) ≤ (gn + m + k)(n + m), with m = k + w and g = f(0) + h"
    return ShiftCertificate.of(statement, numerator, dict.fromkeys((k, w, n, h), 0), strict=False)
