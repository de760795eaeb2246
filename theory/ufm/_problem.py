"""One problem of the deep unconstrained features model: its sizes, its regularisation and its activations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_exact, check_integer
from theory.foreign import entries
from theory.ufm._activations import Activation, ActivationLike, activations
from theory.ufm._scale import least_over_scale
from theory.wording import shown, wrong_type

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["LARGEST", "LARGEST_L", "Problem", "exact_lams", "log_exact", "one_of"]


LARGEST = 10**15  # up to here K, n and, in closed forms, L are exact in float64
LARGEST_L = 10**6  # of a problem whose L+1 matrices are told apart


@dataclass(frozen=True)
class Problem:
    r"""An instance of the L-DUFM, the deep unconstrained features model.

    $$
    \min_{H_1, W_1, \dots, W_L} \frac1{2N}\lVert W_L\sigma(W_{L-1}\sigma(\dots\sigma(W_1H_1)))-Y\rVert_F^2
    + \sum_{l=1}^L\frac{\lambda_{W_l}}2\lVert W_l\rVert_F^2 + \frac{\lambda_{H_1}}2\lVert H_1\rVert_F^2
    $$

    Samples are columns: H_1 has shape (d_1, N) with N = Kn, the n samples of a class side by side, W_l has shape
    (d_{l+1}, d_l) with d_{L+1} = K, and Y is the identity with every column n times. `Problem.of` makes one from what
    a user would write.

    Attributes
    ----------
    K, L : int
        Classes and layers of weights.
    exact_lams : tuple of L+1 Fractions
        (λ_H1, λ_W1, …, λ_WL) as they were given; `lams` has them as floats.
    n : int
        Samples per class.
    widths : tuple of L ints
        d_1, …, d_L. A point of a narrow problem is one of a wider problem, with zeros added.
    activations : tuple of L−1 Activation
        The σ that make H_2, …, H_L.

    References
    ----------
    lowrank, Definition 2 and equation (1).

    Examples
    --------
    >>> problem = Problem.of(10, 4, "5e-4", width=64)
    >>> problem.widths, problem.N, problem.lams[0], problem.exact_lams[0]
    ((64, 64, 64, 64), 10, 0.0005, Fraction(1, 2000))
    """

    K: int
    L: int
    exact_lams: tuple[Fraction, ...]
    n: int
    widths: tuple[int, ...]
    activations: tuple[Activation, ...]

    @classmethod
    def of(
        cls,
        K: IntegerLike,
        L: IntegerLike,
        lam: RealLike | None = None,
        *,
        lams: Sequence[RealLike] | None = None,
        n: IntegerLike = 1,
        width: IntegerLike | Sequence[IntegerLike] | np.ndarray | None = None,
        activation: ActivationLike | Sequence[ActivationLike] = "relu",
        eps: RealLike = 1e-3,
    ) -> Problem:
        """Make a problem from what a user would write.

        Parameters
        ----------
        K : int
            Classes, at least 2.
        L : int
            Layers of weights, at least 1.
        lam : float, Fraction or decimal string, optional
            One regularisation for every matrix, at least 0.
        lams : sequence of L+1 of these, optional
            (λ_H1, λ_W1, …, λ_WL). Exactly one of `lam` and `lams` is given.
        n : int
            Samples per class.
        width : int or sequence of L ints, optional
            d_1, …, d_L, or one size for all; K by default.
        activation : str, Activation or a sequence of L−1 of them
            "relu", "relu_eps", "identity". The simplified problem (2) of lowrank is
            ``("identity",) * (L - 2) + ("relu",)``.
        eps : float
            The ε of "relu_eps".

        Returns
        -------
        Problem

        Raises
        ------
        ValueError, TypeError
            If an argument is out of range or of a wrong type.
        """
        K = check_integer("K", K, at_least=2, at_most=LARGEST)
        L = check_integer("L", L, at_least=1, at_most=LARGEST_L)
        n = check_integer("n", n, at_least=1, at_most=LARGEST)
        return cls(K, L, exact_lams(L, lam, lams), n, _widths(K, L, width), activations(activation, L, eps))

    def __post_init__(self) -> None:
        lengths = (len(self.exact_lams), len(self.widths), len(self.activations))
        if lengths != (self.L + 1, self.L, self.L - 1):
            raise ValueError(
                f"{lengths} lams, widths and activations; for L = {self.L} there must be L+1, L and L−1 of them"
            )

    @cached_property
    def lams(self) -> tuple[float, ...]:
        """(λ_H1, λ_W1, …, λ_WL) as floats.

        Raises
        ------
        ValueError
            If one is positive but below the smallest float, or beyond the largest.
        """
        return tuple(_as_float(f"lams[{i}]", lam) for i, lam in enumerate(self.exact_lams))

    @property
    def N(self) -> int:
        """Number of samples."""
        return self.K * self.n

    @cached_property
    def labels(self) -> Float[np.ndarray, "K N"]:
        """Y, the identity with every column n times; read-only."""
        labels = np.kron(np.eye(self.K), np.ones(self.n))
        labels.setflags(write=False)
        return labels

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """The shapes of H_1, W_1, …, W_L."""
        sizes = (self.N, *self.widths, self.K)
        return [(there, here) for here, there in pairwise(sizes)]

    @property
    def log_lams_n(self) -> float:
        """log (n λ_H1 λ_W1 ⋯ λ_WL); −∞ where a λ is 0."""
        if min(self.exact_lams) == 0:
            return -np.inf
        return float(sum(log_exact(lam) for lam in self.exact_lams) + np.log(self.n))

    @property
    def log_kappa(self) -> float:
        """log κ, with κ = K (n λ_H1 λ_W1 ⋯ λ_WL K)^{1/L}; −∞ where a λ is 0."""
        log_K = np.log(self.K)
        return float(log_K + (self.log_lams_n + log_K) / self.L)

    def collapsed_loss(self) -> float:
        """The loss of deep neural collapse, minimised over its scale: min over u of (L/2) κ u^{1/L} + 1/(2(1+u)).

        It is defined from two layers on; `theory.dufm.dnc_loss` has it for arrays, from three layers on.
        """
        return least_over_scale(self.L, self.log_kappa, np.ones(1)).loss

    def single(self) -> Problem:
        """The problem with one sample per class and n λ_H1 in place of λ_H1, to which collapsed solutions belong."""
        return replace(self, n=1, exact_lams=(self.n * self.exact_lams[0], *self.exact_lams[1:]))


def exact_lams(
    L: IntegerLike, lam: RealLike | None, lams: Sequence[RealLike] | np.ndarray | None = None, *, positive: bool = False
) -> tuple[Fraction, ...]:
    """(λ_H1, λ_W1, …, λ_WL) as exact numbers, from one for all or L+1 of them.

    Parameters
    ----------
    L : int
        Layers.
    lam : float, Fraction or decimal string, or None
        One for every matrix.
    lams : sequence of L+1 of these, or None
        One each; exactly one of `lam` and `lams` is given.
    positive : bool
        Whether each has to be positive; by default each has to be at least 0.

    Returns
    -------
    tuple of L+1 Fractions

    Raises
    ------
    ValueError
        If neither or both are given, there are not L+1 of them, or one is out of range.
    TypeError
        If `lams` is no sequence, or one is no number.

    Examples
    --------
    >>> exact_lams(2, None, [0.5, "1e-3", 1])
    (Fraction(1, 2), Fraction(1, 1000), Fraction(1, 1))
    """
    L = check_integer("L", L, at_least=1, at_most=LARGEST_L)
    above, at_least = (0, None) if positive else (None, 0)
    one_of(lam, lams)
    if lams is None:
        return (check_exact("lam", lam, above=above, at_least=at_least),) * (L + 1)
    several = entries(lams)
    if several is None:
        raise wrong_type("lams", lams, f"lams must be a sequence of L+1 = {L + 1} numbers")
    if len(several) != L + 1:
        raise ValueError(
            f"lams has {len(several)} entries; for L = {L} it must have L+1 = {L + 1}: λ_H1, λ_W1, …, λ_W{L}"
        )
    return tuple(check_exact(f"lams[{i}]", value, above=above, at_least=at_least) for i, value in enumerate(several))


def one_of(lam: object, lams: object) -> None:
    """Raise ValueError unless exactly one of `lam` and `lams` is given."""
    if (lam is None) == (lams is None):
        given = "neither" if lam is None else "both"
        raise ValueError(f"{given} of lam and lams given; exactly one is allowed")


def log_exact(value: Fraction) -> float:
    """log of a positive number, also where the number itself would overflow or underflow a float.

    >>> log_exact(Fraction(1, 10**400)) / log(10)
    -400.0
    """
    size = value.numerator.bit_length() - value.denominator.bit_length()
    return log(float(value)) if -1000 <= size < 1000 else log(value.numerator) - log(value.denominator)


def _as_float(name: str, value: Fraction) -> float:
    try:
        nearest = float(value)
    except OverflowError:
        nearest = np.inf
    if value and not 0 < nearest < np.inf:
        exponent = round(log_exact(value) / log(10))
        raise ValueError(f"{name} ≈ 1e{exponent}; {name} must be within the range of float64 here")
    return nearest


def _widths(K: int, L: int, width: IntegerLike | Sequence[IntegerLike] | np.ndarray | None) -> tuple[int, ...]:
    if width is None:
        return (K,) * L
    several = entries(width)
    if several is None:
        return (check_integer("width", width, at_least=1),) * L
    if len(several) != L:
        raise ValueError(f"width = {shown(width)}; width must be one integer or a sequence of L = {L} of them")
    return tuple(check_integer(f"width[{i}]", one, at_least=1) for i, one in enumerate(several))
