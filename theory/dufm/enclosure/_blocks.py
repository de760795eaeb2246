"""The two solutions as blocks of classes, with exact arguments: what each block's loss is made of, and their sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import comb

from flint import arb, fmpq, fmpz

from theory.deadline import Deadline
from theory.dufm.enclosure._bounds import HALF, Ball, Interval, root
from theory.dufm.enclosure._minimum import minimum
from theory.dufm.enclosure._objective import Part
from theory.geometry import triangular_graph

__all__ = ["Blocks", "Kappa", "rational"]

_LARGEST = 332_193  # bits of 10^100000


def rational(name: str, number: Fraction) -> fmpq:
    """A Fraction as FLINT's rational number; beyond 10^±100000 it is refused: losses could not be written down."""
    size = number.numerator.bit_length() - number.denominator.bit_length()
    if abs(size) > _LARGEST:
        raise ValueError(f"{name} = about 2^{size}; {name} must be between 10^-100000 and 10^100000")
    return fmpq(fmpz(number.numerator), fmpz(number.denominator))


@dataclass(frozen=True)
class Kappa:
    """The cost κ of deep neural collapse, κ^L = K^{L+1} n λ_H1 λ_W1 ⋯ λ_WL, for any number of classes.

    It is K · `factor` · (K · `radicand`)^{1/L}. If all regularisations are the same λ, then one of them is taken out of
    the root, factor = λ and radicand = nλ, so that no power of λ is ever written out.
    """

    L: int
    factor: fmpq
    radicand: fmpq

    @classmethod
    def of(cls, L: int, lams: Sequence[Fraction], n: int) -> Kappa:
        """The cost for n samples per class and one regularisation for all matrices, or a list of the L+1 of them."""
        if len(set(lams)) == 1:
            lam = rational("lam", lams[0])
            return cls(L, lam, n * lam)
        product = fmpq(n)
        for i, lam in enumerate(lams):
            product *= rational(f"lams[{i}]", lam)
        return cls(L, fmpq(1), product)

    def __call__(self, K: int) -> Ball:
        """κ for K classes, at the working precision."""
        return arb(K * self.factor) * root(arb(K * self.radicand), self.L)


class Blocks:
    """The blocks of both solutions for K classes at a given κ."""

    def __init__(self, K: int, L: int, kappa: Callable[[], Ball], deadline: Deadline) -> None:
        self.r, _ = triangular_graph.triangular_order(K)
        self.K, self.L, self.K1 = K, L, comb(self.r, 2)
        self.kappa, self.deadline = kappa, deadline
        self.share = fmpq(self.K1, K)
        self.collapsed = Part(fmpq(1), L, (1,), (fmpq(1),), kappa)

    @cached_property
    def graph(self) -> Part:
        """The strongly regular graph on the largest triangular number of classes, K ≥ 6."""
        weights: dict[int, fmpq] = {}
        for e, multiplicity in zip(*triangular_graph.last_layer_gram_spectrum(self.r), strict=True):
            weights[e] = weights.get(e, fmpq(0)) + fmpq(multiplicity, self.K1)
        cost = _Product(self.kappa, self.relative_cost)
        return Part(self.share, self.L, tuple(weights), tuple(weights.values()), cost)

    @property
    def parts(self) -> list[Part]:
        """The blocks of Definition 11's first construction."""
        if self.K1 == self.K:
            return [self.graph]
        return [self.graph, replace(self.collapsed, share=1 - self.share)]

    def relative_cost(self) -> Ball:
        """ϱ^{1/L}: what the strongly regular graph pays at the same u, over what the collapsed solution pays."""
        r, K1 = self.r, self.K1
        nuclear = arb(2).sqrt() + arb((r - 1) * (r - 2)).sqrt()
        # ϱ = nuclear² r^{L−3} / (2 K₁^{L−2}), without the L-th powers
        return root(nuclear**2 * fmpq(K1**2, 2 * r**3), self.L) * fmpq(r, K1)

    def collapsed_loss(self, bits: int) -> Interval:
        """L_dnc."""
        return minimum(self.collapsed, bits, self.deadline).value

    def block_loss(self, bits: int) -> Interval:
        """L_srg by Definition 11's first construction."""
        minima = [minimum(part, bits, self.deadline).value for part in self.parts]
        if all(m.exact_half for m in minima):
            return Interval.exactly(HALF)
        return Interval.of(sum(part.share * m.ball for part, m in zip(self.parts, minima, strict=True)))

    def loss_without(self, surplus: int, bits: int) -> Interval:
        """The loss after `surplus` classes, edges at one vertex, are removed from the solution for all K₁ classes.

        Every class has the same share of ‖H_1‖², ‖W_L‖² and the fit; the outputs' errors are
        −(M_LᵀM_L/(Kλ) + I)⁻¹, whose entries depend on whether two edges are the same, meet or are disjoint.
        """
        best = minimum(self.graph, bits, self.deadline)
        if best.value.exact_half:
            return Interval.exactly(HALF)
        if best.bracket is None:
            return Interval(arb(0), arb(HALF))  # undecided at this precision
        u, r, K1 = best.bracket, self.r, self.K1
        eigenvalues, multiplicities = triangular_graph.last_layer_gram_spectrum(r)
        errors = [1 / (1 + e * u) for e in eigenvalues]
        fit = sum(m * rho**2 for m, rho in zip(multiplicities, errors, strict=True))
        norm = sum(m * rho * (1 - rho) for m, rho in zip(multiplicities, errors, strict=True))
        cosines = (fmpq(1), fmpq(r - 4, 2 * (r - 2)), fmpq(-1, r - 2))
        same = sum(m * rho for m, rho in zip(multiplicities, errors, strict=True)) / K1
        meeting = sum(m * rho * c for m, rho, c in zip(multiplicities, errors, cosines, strict=True)) / K1
        left_out = fit * fmpq(2 * surplus, K1) - surplus * same**2 - surplus * (surplus - 1) * meeting**2
        share = fmpq(K1 - surplus, K1)
        one_layer = self.kappa() * self.relative_cost() * root(u, self.L) / 2
        return Interval.of(
            one_layer * (self.L - 1 + share) + share * norm / (2 * K1) + (fit - left_out) / (2 * (K1 - surplus))
        )

    def mixed(self, ratio: Ball) -> Ball:
        """L_srg / L_dnc, from that of the strongly regular graph's block alone."""
        return self.share * ratio + (1 - self.share)


@dataclass(frozen=True)
class _Product:
    """The product of two numbers, made when it is asked for at the precision of that moment."""

    one: Callable[[], Ball]
    other: Callable[[], Ball]

    def __call__(self) -> Ball:
        return self.one() * self.other()
