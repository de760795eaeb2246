r"""Global minima of the mean squared error with weight decay on two or three factors, for every width.

By Jensen the features are their class means, whose outputs are Z, and the factors are balanced, so that the risk is

$$ \frac1{2K}\lVert Z-I\rVert_F^2 + \frac L2 c\,\lVert Z\rVert_{S_{2/L}}^{2/L}, \qquad
c^L = n\lambda_1\cdots\lambda_L, \quad \operatorname{rank} Z \le m, $$

and by von Neumann's trace inequality a sum over singular values z of Z: min(m, K) of them cost what is best for
(1 − z)²/(2K) + (L/2) c z^{2/L}, the others 1/(2K). A free bias takes the direction of 1 off the problem.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import helmert
from scipy.optimize import brentq

from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_exact, check_integer, check_sequence
from theory.display import axes_of, html_table
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["SquaredErrorOptimum", "check_sizes", "three_factor_optimum", "ufm_mse_optimum"]


@dataclass(frozen=True, eq=False, repr=False)
class SquaredErrorOptimum:
    """A global minimum of the squared error with weight decay, with what all of its minimisers share.

    Attributes
    ----------
    K, n : int
        Classes, and samples of each.
    loss : float
        The least risk.
    singular_value : float
        The non-zero singular values of the outputs of the class means are all equal to this; 0 if the minimum is 0.
    rank : int
        How many of them there are; where the minimum is not unique up to rotations, the largest number.
    tie : bool
        Whether the zero point, or fewer singular values, are minimisers as well.
    classifiers : tuple of ndarrays
        One minimiser: the classifier A, shape (K, m), or the two layers, shapes (K, m) and (m, m).
    class_means : ndarray, shape (m, K)
        Its features, one column a class.
    b : ndarray, shape (K,)
        Its bias, 0 in a model without.
    """

    K: int
    n: int
    loss: float
    singular_value: float
    rank: int
    tie: bool
    classifiers: tuple[Float[np.ndarray, "_ _"], ...]
    class_means: Float[np.ndarray, "m K"]
    b: Float[np.ndarray, " K"]

    @property
    def zero(self) -> bool:
        """Whether all factors vanish at the minimum: the weight decay is above the threshold."""
        return self.singular_value == 0

    @property
    def F(self) -> Float[np.ndarray, "m N"]:
        """The features of all samples, sorted by class."""
        return np.repeat(self.class_means, self.n, axis=1)

    @property
    def regime(self) -> str:
        """What the minimum is, in words."""
        if self.zero:
            return "zero: the weight decay is at or above the threshold"
        if self.tie:
            return "at the threshold: the zero point is a minimiser too"
        full = self.K - bool(self.b.any())
        if self.rank < full:
            return f"rank {self.rank}: the width leaves out {full - self.rank} of {full} directions"
        return "simplex ETF" if full < self.K else "orthogonal frame"

    def __repr__(self) -> str:
        return f"<minimum {self.loss:.6g}, {self.rank} singular values {self.singular_value:.6g}, {self.regime}>"

    def _repr_html_(self) -> str:
        rows = {"loss": f"{self.loss:.6g}", "singular value": f"{self.singular_value:.6g}"}
        rows |= {"rank": str(self.rank), "regime": self.regime}
        return html_table(rows)

    def plot(self, ax: Any = None) -> Any:
        """Plot the inner products of the class means.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        ax = axes_of(ax)
        ax.imshow(self.class_means.T @ self.class_means)
        ax.set(xlabel="class", ylabel="class", title="inner products of the class means")
        return ax


@within_floats
def ufm_mse_optimum(
    K: IntegerLike, n: IntegerLike, m: IntegerLike, lam_A: RealLike, lam_F: RealLike, *, bias: bool = False
) -> SquaredErrorOptimum:
    """The global minimum of the mean squared error with weight decay, for every width.

    With c = √(n λ_A λ_F) the non-zero singular values of the outputs of the class means are 1 − Kc, min(m, K) of them,
    or min(m, K − 1) with a free bias; for Kc ≥ 1 all vanish.

    Parameters
    ----------
    K : int
        Classes, at least 2.
    n : int
        Samples of each class.
    m : int
        Width, the dimension of the features.
    lam_A, lam_F : float
        Weight decay of the classifier and of the features, positive.
    bias : bool
        Whether there is a bias, which no weight decay applies to.

    Returns
    -------
    SquaredErrorOptimum

    Raises
    ------
    ValueError
        If a number is out of range, or the result is beyond the floats.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equations 28 and 29.

    Examples
    --------
    >>> ufm_mse_optimum(3, 4, 5, 0.01, 0.01)
    <minimum 0.0582, 3 singular values 0.94, orthogonal frame>
    >>> ufm_mse_optimum(3, 4, 1, 0.01, 0.01, bias=True)
    <minimum 0.186067, 1 singular values 0.94, rank 1: the width leaves out 1 of 2 directions>
    >>> ufm_mse_optimum(3, 4, 5, 0.1, 0.3).zero
    True
    """
    K, n, m = check_sizes(K, n, m)
    lams = [check_exact("lam_A", lam_A, above=0), check_exact("lam_F", lam_F, above=0)]
    square = K**2 * n * lams[0] * lams[1]
    vanishes = square >= 1
    kappa = _root(square, 2)
    z = 0.0 if vanishes else float(1 - square) / (1 + kappa)
    cost = 1.0 if vanishes else kappa * (2 - kappa)  # 2K times the cost of a singular value
    directions = helmert(K).T if bias else np.eye(K)
    b = np.full(K, 1 / K if bias else 0.0)
    return _optimum(K, n, m, lams, z, cost, directions, b, tie=False)


@within_floats
def three_factor_optimum(
    K: IntegerLike, n: IntegerLike, m: IntegerLike, lams: Sequence[RealLike]
) -> SquaredErrorOptimum:
    """The global minimum of the mean squared error with weight decay on two layers and the features.

    With κ³ = K³ n λ_{A2} λ_{A1} λ_F the singular values of the outputs of the class means are z = x³ for the largest
    root of x(1 − x³) = κ, as long as κ³ ≤ 1/16, where z = 1/2; above that all vanish.

    Parameters
    ----------
    K : int
        Classes, at least 2.
    n : int
        Samples of each class.
    m : int
        Width of features and hidden layer.
    lams : sequence of 3 floats
        Weight decay of A₂, A₁ and F, positive.

    Returns
    -------
    SquaredErrorOptimum

    Raises
    ------
    ValueError
        If a number is out of range, or the result is beyond the floats.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equations 36 to 39.

    Examples
    --------
    >>> three_factor_optimum(2, 1, 2, ["1/2", "1/4", "1/16"])
    <minimum 0.5, 2 singular values 0.5, at the threshold: the zero point is a minimiser too>
    >>> three_factor_optimum(3, 2, 4, [0.01, 0.01, 0.01])
    <minimum 0.0559728, 3 singular values 0.961707, orthogonal frame>
    """
    K, n, m = check_sizes(K, n, m)
    decay = check_sequence("lams", lams, lambda name, lam: check_exact(name, lam, above=0), length=3)
    cube = K**3 * n * decay[0] * decay[1] * decay[2]
    kappa, least = _root(cube, 3), 2 ** (-1 / 3)
    vanishes, tie = cube > Fraction(1, 16), cube == Fraction(1, 16)
    x = 0.0 if vanishes else least
    if not vanishes and least * (1 - least**3) > kappa:
        x = brentq(lambda y: y * (1 - y**3) - kappa, least, 1.0, xtol=1e-16)
    # κ/x is 1 − x³, to full precision also where x is near 1.
    cost = 1.0 if vanishes else 3 * kappa * x**2 + (kappa / x) ** 2
    return _optimum(K, n, m, decay, x**3, cost, np.eye(K), np.zeros(K), tie)


def check_sizes(K: IntegerLike, n: IntegerLike, m: IntegerLike) -> tuple[int, int, int]:
    """The numbers of classes, samples of each and features as ints, at least 2, 1 and 1.

    Parameters
    ----------
    K, n, m : int

    Returns
    -------
    tuple of 3 ints

    Raises
    ------
    ValueError, TypeError
        As `theory.arguments.check_integer`.
    """
    return (
        check_integer("K", K, at_least=2, at_most=LARGEST_SIZE),
        check_integer("n", n, at_least=1, at_most=LARGEST_SIZE),
        check_integer("m", m, at_least=1, at_most=LARGEST_SIZE),
    )


def _root(value: Fraction, order: int) -> float:
    """The root of a positive Fraction of any size."""
    shift = (value.numerator.bit_length() - value.denominator.bit_length()) // order
    scaled = value / Fraction(2) ** (order * shift)
    return float(float(scaled) ** (1 / order) * 2.0**shift)


def _optimum(
    K: int,
    n: int,
    m: int,
    lams: list[Fraction],
    z: float,
    cost: float,
    directions: Float[np.ndarray, "K r"],
    b: Float[np.ndarray, " K"],
    tie: bool,
) -> SquaredErrorOptimum:
    """Balanced factors along the first directions: λ_i times the square of a singular value is the same for all."""
    full, L = directions.shape[1], len(lams)
    rank = 0 if z == 0 else min(m, full)
    decay = [*lams[:-1], n * lams[-1]]
    product = np.prod([_root(lam, 2 * L) for lam in decay])
    scales = [z ** (1 / L) * product / _root(lam, 2) for lam in decay]
    kept = min(m, full)
    U = np.zeros((K, m))
    U[:, :kept] = directions[:, :kept]
    layers = [scales[0] * U] + [scale * np.eye(m) * (np.arange(m) < kept) for scale in scales[1:-1]]
    loss = (min(m, full) * cost + full - min(m, full)) / (2 * K)
    return SquaredErrorOptimum(K, n, float(loss), float(z), rank, tie, tuple(layers), scales[-1] * U.T, b)
