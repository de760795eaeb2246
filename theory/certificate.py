r"""Certificates: finite data that prove an inequality for all values, and the exact arithmetic that verifies them.

A certificate is believed for what its `verify` does, which is short, uses integers and fractions only, and does not
care how the data were found. Two kinds occur:

* `ShiftCertificate`: a polynomial in several variables is positive (or non-negative) wherever every variable is at
  least its bound. With each variable written as bound + shift, no coefficient is negative.
* `SturmCertificate`: a polynomial in one variable is positive on a half-line. It is positive at the end, and Sturm's
  theorem counts no root beyond.

`strongly_regular_beats_collapse` and `zero_is_optimal` give the certificates behind Theorem 5 of lowrank.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise, product
from math import comb, prod
from types import MappingProxyType
from typing import Any

from theory.arguments import IntegerLike, RealLike, check_exact, check_integer, check_sequence
from theory.verified import note_verified

__all__ = [
    "ShiftCertificate",
    "SturmCertificate",
    "Theorem5Certificate",
    "strongly_regular_beats_collapse",
    "zero_is_optimal",
]


@dataclass(frozen=True)
class ShiftCertificate:
    """A polynomial is positive wherever every variable is at least its bound.

    Attributes
    ----------
    statement : str
        The inequality, for people.
    variables : tuple of str
        The names of the variables.
    coefficients : mapping of tuple of int to int or Fraction
        The polynomial: exponents of the variables, and the coefficient.
    bounds : tuple of int or Fraction
        The least value of each variable.
    strict : bool
        Whether the polynomial is positive, or only non-negative, on that whole region.

    Examples
    --------
    >>> certificate = ShiftCertificate("r(r−3)/2 > 0", ("r",), {(2,): 1, (1,): -3}, (4,))
    >>> certificate.shifted() == {(2,): 1, (1,): 5, (0,): 4}  # r = 4 + s
    True
    >>> certificate.verify(), certificate.with_bounds(3).verify()
    (True, False)
    """

    statement: str
    variables: tuple[str, ...]
    coefficients: Mapping[tuple[int, ...], int | Fraction]
    bounds: tuple[int | Fraction, ...]
    strict: bool = True

    def __post_init__(self) -> None:
        widths = {len(exponents) for exponents in self.coefficients} | {len(self.bounds)}
        if widths != {len(self.variables)}:
            raise ValueError(f"{len(self.variables)} variables, but exponents or bounds of lengths {sorted(widths)}")
        object.__setattr__(self, "coefficients", MappingProxyType(dict(self.coefficients)))

    @classmethod
    def of(
        cls, statement: str, polynomial: Any, bounds: Mapping[Any, int | Fraction], *, strict: bool = True
    ) -> ShiftCertificate:
        """The certificate of a SymPy polynomial with rational coefficients; `bounds` has each symbol's least value.

        Examples
        --------
        >>> import sympy as sp
        >>> r = sp.Symbol("r")
        >>> ShiftCertificate.of("r(r−3)/2 > 0", r * (r - 3) / 2, {r: 4}).verify()
        True
        """
        import sympy as sp

        terms = sp.Poly(polynomial, *bounds).terms()
        coefficients = {powers: Fraction(int(c.p), int(c.q)) for powers, c in terms}
        return cls(statement, tuple(map(str, bounds)), coefficients, tuple(bounds.values()), strict)

    def verify(self) -> bool:
        """Whether no shifted coefficient is negative and, for strict positivity, the constant one is positive."""
        shifted = self.shifted()
        constant = shifted.get((0,) * len(self.variables), 0)
        return note_verified(self, all(c >= 0 for c in shifted.values()) and (constant > 0 or not self.strict))

    def shifted(self) -> dict[tuple[int, ...], int | Fraction]:
        """The polynomial's coefficients in the shifts variable − bound, by the binomial theorem."""
        result: dict[tuple[int, ...], int | Fraction] = {}
        for exponents, coefficient in self.coefficients.items():
            for kept in product(*(range(e + 1) for e in exponents)):
                term = (comb(e, k) * b ** (e - k) for e, k, b in zip(exponents, kept, self.bounds, strict=True))
                result[kept] = result.get(kept, 0) + coefficient * prod(term)
        return result

    def with_bounds(self, *bounds: int | Fraction) -> ShiftCertificate:
        """The same polynomial with other bounds."""
        return replace(self, bounds=bounds)

    def value(self, *point: int | Fraction) -> int | Fraction:
        """The polynomial at a point."""
        terms = (
            c * prod(x**e for x, e in zip(point, exponents, strict=True)) for exponents, c in self.coefficients.items()
        )
        return sum(terms, 0)


@dataclass(frozen=True)
class SturmCertificate:
    """A polynomial in one variable is positive from `at_least` to infinity.

    Attributes
    ----------
    statement : str
        The inequality, for people.
    coefficients : tuple of int or Fraction
        The polynomial, constant coefficient first.
    at_least : int or Fraction
        The end of the half-line.

    Examples
    --------
    >>> SturmCertificate("x⁴ − x + 1 > 0", (1, -1, 0, 0, 1), 0).verify()
    True
    >>> SturmCertificate("x⁴ − 2x + 1 > 0", (1, -2, 0, 0, 1), 0).verify()  # a root at 1
    False
    """

    statement: str
    coefficients: tuple[int | Fraction, ...]
    at_least: int | Fraction

    def verify(self) -> bool:
        """Whether the polynomial is positive at the end and has no root beyond, by Sturm's theorem."""
        chain = self.chain()
        if not chain or _value(chain[0], self.at_least) <= 0:
            return False
        here = _sign_changes(_value(p, self.at_least) for p in chain)
        at_infinity = _sign_changes(p[-1] for p in chain)
        return note_verified(self, here == at_infinity)

    def chain(self) -> list[list[Fraction]]:
        """Sturm's chain: the polynomial, its derivative, and the negated remainders of the division algorithm."""
        p = _trimmed(map(Fraction, self.coefficients))
        chain, following = [], _trimmed(i * c for i, c in enumerate(p) if i)
        while p:
            chain.append(p)
            p, following = following, _trimmed(-c for c in _remainder(p, following)) if following else []
        return chain


def _trimmed(coefficients: Iterable[Fraction]) -> list[Fraction]:
    result = list(coefficients)
    while result and result[-1] == 0:
        result.pop()
    return result


def _remainder(p: Sequence[Fraction], q: Sequence[Fraction]) -> list[Fraction]:
    rest = list(p)
    while len(rest) >= len(q):
        factor = rest[-1] / q[-1]
        for i, c in enumerate(q, start=len(rest) - len(q)):
            rest[i] -= factor * c
        rest.pop()
    return rest


def _value(p: Sequence[Fraction], x: int | Fraction) -> Fraction:
    total = Fraction(0)
    for coefficient in reversed(p):
        total = total * x + coefficient
    return total


def _sign_changes(values: Iterable[Fraction]) -> int:
    signs = [value > 0 for value in values if value != 0]
    return sum(a != b for a, b in pairwise(signs))


# Theorem 5 of lowrank.


@dataclass(frozen=True)
class Theorem5Certificate:
    r"""The strongly regular graph beats deep neural collapse, scale by scale, for all r, L, n and all regularisations.

    Let u > 0 be any scale of the collapsed solution, and give the strongly regular graph the scale v at which its
    weights and features cost the same. Both solutions have costs of the form (L/2) κ u^{1/L}, with κ^L in the ratio

    $$
    \varrho(r, L) = \frac{S_r^2\,r^{L-3}}{2K^{L-2}}, \qquad K = \tbinom r2,\; S_r = \sqrt2 + \sqrt{(r-1)(r-2)},
    $$

    so that v = u/ϱ, and what remains of either loss decides:

    $$
    \sum_i \frac{w_i}{1 + e_i v} < \frac1{1+u}, \qquad e = \bigl(\tbinom{r-2}2^2, (r-3)^2, 1\bigr),\quad
    w = \bigl(\tfrac1K, \tfrac2r, \tfrac{r-3}{r-1}\bigr).
    $$

    κ alone carries the regularisation, and it has dropped out: an inequality in (r, u) is left for L = 3, where S_r²
    is replaced by an upper bound; then one in r for L = 4, r = 4; larger L follow by induction. For K between
    triangular numbers the block on K₁ = r(r−1)/2 classes has the same ϱ, e and w, with the factor K₁/K before the
    whole, and the other block is collapsed in both solutions.

    Attributes
    ----------
    nuclear_norm : ShiftCertificate
        S_r² ≤ r² − 1. As 2√2 √((r−1)(r−2)) ≤ 3r − 5, which is compared in squares.
    three_layers : ShiftCertificate
        For r ≥ 5 and u ≥ 0, with v = ur/(r+1): (1/(1+u) − Σ w_i/(1+e_i v)) / u times positive factors.
    four_layers : ShiftCertificate
        ϱ(r, 4) < 1 for r ≥ 4: (r−1)r − 2(r+1) > 0.
    next_layer : ShiftCertificate
        ϱ(r, L+1) ≤ ϱ(r, L), as each further layer brings a factor r/K = 2/(r−1): r − 3 > 0.
    eigenvalues : tuple of two ShiftCertificate
        e_i ≥ 1, so that ϱ < 1 is enough.
    """

    nuclear_norm: ShiftCertificate
    three_layers: ShiftCertificate
    four_layers: ShiftCertificate
    next_layer: ShiftCertificate
    eigenvalues: tuple[ShiftCertificate, ShiftCertificate]

    @property
    def steps(self) -> tuple[ShiftCertificate, ...]:
        """All the inequalities."""
        return (self.nuclear_norm, self.three_layers, self.four_layers, self.next_layer, *self.eigenvalues)

    def verify(self) -> bool:
        """Whether every inequality is certified."""
        return all(step.verify() for step in self.steps)


_MOST_LAYERS = 1000  # the polynomial's degree is L times the number of eigenvalues

#: (1/(1+u) − Σ w_i/(1+e_i v)) at v = ur/(r+1), times the common denominator, divided by u r (r−1): by powers of u, the
#: coefficients of r⁰, r¹, ….
_THREE_LAYERS = {
    0: (-4, 0, 2, -10, -6, 2),
    1: (0, -64, -486, 351, 243, -351, 149, -28, 2),
    2: (0, 0, -828, 1074, -449, 10, 44, -12, 1),
}


def strongly_regular_beats_collapse(
    three_layers_from: IntegerLike = 5, four_layers_from: IntegerLike = 4
) -> Theorem5Certificate:
    """The certificate of lowrank, Theorem 5, with the orders r from which it is to hold.

    Parameters
    ----------
    three_layers_from : int
        The least r for L = 3. 5 is K ≥ 10; the certificate with 4 does not verify.
    four_layers_from : int
        The least r for L ≥ 4. 4 is K ≥ 6; the certificate with 3 does not verify.

    Returns
    -------
    Theorem5Certificate

    Raises
    ------
    ValueError, TypeError
        If an order is no integer that is at least 2.

    References
    ----------
    lowrank, Theorem 5 and its proof (Appendix A.1). The proof there restricts u for L = 3; the inequality needs no
    restriction.

    Examples
    --------
    >>> strongly_regular_beats_collapse().verify()
    True
    >>> strongly_regular_beats_collapse(three_layers_from=4).verify()
    False
    """
    r0, half = check_integer("four_layers_from", four_layers_from, at_least=2), Fraction(1, 2)
    three_layers_from = check_integer("three_layers_from", three_layers_from, at_least=2)
    return Theorem5Certificate(
        nuclear_norm=ShiftCertificate(
            "(3r−5)² − 8(r−1)(r−2) ≥ 0, so S_r² ≤ r² − 1", ("r",), {(2,): 1, (1,): -6, (0,): 9}, (r0,), strict=False
        ),
        three_layers=ShiftCertificate(
            "Σ w_i/(1 + e_i ur/(r+1)) < 1/(1+u)",
            ("r", "u"),
            {(i, j): c for j, column in _THREE_LAYERS.items() for i, c in enumerate(column) if c},
            (three_layers_from, 0),
        ),
        four_layers=ShiftCertificate("ϱ(r, 4) < 1", ("r",), {(2,): 1, (1,): -3, (0,): -2}, (r0,)),
        next_layer=ShiftCertificate("r/K < 1", ("r",), {(1,): 1, (0,): -3}, (r0,)),
        eigenvalues=(
            ShiftCertificate(
                "C(r−2,2) − 1 = (r−1)(r−4)/2 ≥ 0", ("r",), {(2,): half, (1,): -5 * half, (0,): 2}, (r0,), strict=False
            ),
            ShiftCertificate("(r−3)² − 1 = (r−2)(r−4) ≥ 0", ("r",), {(2,): 1, (1,): -6, (0,): 8}, (r0,), strict=False),
        ),
    )


def zero_is_optimal(
    L: IntegerLike, kappa: RealLike, weights: Sequence[RealLike], eigenvalues: Sequence[RealLike]
) -> SturmCertificate:
    r"""The certificate that no scale beats the zero solution, for κ and above.

    $$ L\,\kappa\,x + \sum_i \frac{w_i}{1+e_ix^L} > 1 \text{ for all } x = u^{1/L} > 0, $$

    after the common denominator is cleared and a factor x taken out, with Σ w_i = 1.

    Parameters
    ----------
    L : int
        Layers, at least 2.
    kappa : Fraction, float or decimal string
        A lower bound of κ; for the strongly regular graph κ is the L-th root of n λ_H1 ⋯ λ_WL K · S_r² r^{L−3} K²/2.
    weights, eigenvalues : sequence of Fraction, float or decimal string
        The shares w_i of the eigenspaces of the last layer, and their eigenvalues e_i per unit scale.

    Returns
    -------
    SturmCertificate

    Raises
    ------
    ValueError
        If the weights do not sum to 1, or a value is out of range.
    TypeError
        If a value is of a wrong type.

    References
    ----------
    lowrank, proof of Theorem 5; both losses are exactly 1/2 there.

    Examples
    --------
    Deep neural collapse with three layers: the threshold is κ³ = 4/729, κ = 0.17638….

    >>> zero_is_optimal(3, Fraction(177, 1000), [Fraction(1)], [1]).verify()
    True
    >>> zero_is_optimal(3, Fraction(176, 1000), [Fraction(1)], [1]).verify()
    False
    """
    L, kappa = check_integer("L", L, at_least=2, at_most=_MOST_LAYERS), check_exact("kappa", kappa, at_least=0)
    shares = check_sequence("weights", weights, lambda name, w: check_exact(name, w, at_least=0))
    values = check_sequence(
        "eigenvalues", eigenvalues, lambda name, e: check_exact(name, e, at_least=0), length=len(shares)
    )
    if sum(shares) != 1:
        total_weight = sum(shares, Fraction(0))
        found = str(total_weight) if total_weight.denominator < 10**9 else f"about {float(total_weight):.6g}"
        raise ValueError(f"weights sum to {found}; weights must sum to 1")
    factors: list[list[int | Fraction]] = [[1, *[0] * (L - 1), e] for e in values]
    total = [L * kappa * c for c in _product(factors)]
    for i, (w, e) in enumerate(zip(shares, values, strict=True)):
        # 1 − 1/(1 + e x^L) = e x^L/(1 + e x^L)
        rest = _product(factors[:i] + factors[i + 1 :])
        for j, c in enumerate(rest, start=L - 1):
            total[j] -= w * e * c
    return SturmCertificate(f"no scale beats zero, L = {L}, κ ≥ {kappa}", tuple(total), 0)


def _product(polynomials: Iterable[Sequence[int | Fraction]]) -> list[Fraction]:
    result = [Fraction(1)]
    for p in polynomials:
        longer = [Fraction(0)] * (len(result) + len(p) - 1)
        for i, a in enumerate(result):
            for j, b in enumerate(p):
                longer[i + j] += a * b
        result = longer
    return result
