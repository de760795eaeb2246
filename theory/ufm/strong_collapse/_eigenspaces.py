r"""The linearised flow of the squared error: its operator L_t, the five eigenspaces and the sharp constant.

Where A and F are small the flow is $(A, F)' = (BF^\top, A^\top B)$ with $B = Y - β(t)1_K1_N^\top$ (review, equation 58,
there divided by N). With $b(0) = 0$, $1 - Kβ(t) = e^{-Nt}$. The eigenspaces are the same at all times:

| space | A | F | eigenvalue | dimension |
| --- | --- | --- | --- | --- |
| $E_1^\pm$ | $1^\top A = 0$ | $\pm(A \otimes 1_n)^\top/\sqrt n$ | $\pm\sqrt n$ | m(K−1) each |
| $E_2^\pm$ | $\sqrt n\,1_Kz^\top$ | $\pm z1_N^\top$ | $\pm\sqrt n\,(1 - Kβ)$ | m each |
| $E_3$ | 0 | class means 0 | 0 | m(N−K) |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_integer, check_real
from theory.display import html_table
from theory.overflow import within_floats
from theory.ufm.factors import check_factors
from theory.ufm.strong_collapse._risk import Loss, loss_scale

if TYPE_CHECKING:
    from jaxtyping import Float

    Pair: TypeAlias = tuple[Float[np.ndarray, "K m"], Float[np.ndarray, "m N"]]

__all__ = ["Eigenspaces", "eigenspaces", "eigenvalues", "linearised_operator", "sharp_constant"]


class Eigenspaces(NamedTuple):
    """The parts of a pair (A, F) in the five eigenspaces of the linearised flow; they sum to the pair.

    Attributes
    ----------
    rising, falling : (A, F)
        Parts in E₁⁺, the subspace T of collapse, and in E₁⁻.
    common_rising, common_falling : (A, F)
        Parts in E₂⁺ and E₂⁻, which are the same for all classes.
    still : (A, F)
        Part in E₃: what distinguishes samples of a class.
    """

    rising: Pair
    falling: Pair
    common_rising: Pair
    common_falling: Pair
    still: Pair

    @property
    def norms(self) -> tuple[float, ...]:
        """The norm √(‖A‖² + ‖F‖²) of each part."""
        return tuple(float(np.sqrt((A**2).sum() + (F**2).sum())) for A, F in self)

    def _repr_html_(self) -> str:
        names = ("E₁⁺ = T", "E₁⁻", "E₂⁺", "E₂⁻", "E₃")
        rows = {name: f"{norm:.4g}" for name, norm in zip(names, self.norms, strict=True)}
        return html_table(rows, "norm in each eigenspace")


@within_floats
def eigenspaces(A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"]) -> Eigenspaces:
    """Project a pair (A, F) orthogonally onto the five eigenspaces of the linearised flow.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.

    Returns
    -------
    Eigenspaces

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    References
    ----------
    review, Appendix A.3, before equation 59.

    Examples
    --------
    >>> eigenspaces(np.zeros((2, 1)), np.array([[1.0, 0.0]])).norms
    (0.5, 0.5, 0.5, 0.5, 0.0)
    """
    A, F, _ = check_factors(A, F)
    (K, m), n = A.shape, F.shape[1] // len(A)
    root = n**0.5
    means = F.reshape(m, K, n).mean(axis=2).T
    parts = []
    for centre in (True, False):
        a, f = ((X - X.mean(axis=0)) if centre else np.tile(X.mean(axis=0), (K, 1)) for X in (A, root * means))
        for sign in (1, -1):
            part = (a + sign * f) / 2
            parts.append((part, sign / root * np.repeat(part.T, n, axis=1)))
    parts.append((np.zeros_like(A), F - np.repeat(means.T, n, axis=1)))
    return Eigenspaces(*parts)


def eigenvalues(K: IntegerLike, n: IntegerLike, t: RealLike = 0.0, *, loss: Loss = "se") -> tuple[float, ...]:
    """The eigenvalues of the linearised flow at a time, in the order of `Eigenspaces`.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    n : int
        Samples of each class.
    t : float
        Time, at least 0; the bias starts at 0.
    loss : "se" or "mse"
        The squared error, or the mean squared error.

    Returns
    -------
    tuple of five floats
        ±√n, ±√n e^{−Nt} and 0; for the mean squared error ±√n/N, ±(√n/N) e^{−t} and 0.

    Raises
    ------
    ValueError
        If K is below 2, n below 1, or t negative.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 59.

    Examples
    --------
    >>> eigenvalues(3, 4)
    (2.0, -2.0, 2.0, -2.0, 0.0)
    """
    K = check_integer("K", K, at_least=2, at_most=LARGEST_SIZE)
    n = check_integer("n", n, at_least=1, at_most=LARGEST_SIZE)
    scale = loss_scale(loss, K * n)
    rate = n**0.5 * scale
    common = rate * float(np.exp(-min(K * n * scale * check_real("t", t, at_least=0), 1e4)))
    return rate, -rate, common, -common, 0.0


@within_floats
def linearised_operator(
    A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"], beta: RealLike = 0.0, *, loss: Loss = "se"
) -> Pair:
    """The operator of the linearised flow, (BFᵀ, AᵀB) with B = Y − β 11ᵀ, from its definition.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    beta : float
        The entries of the bias.
    loss : "se" or "mse"
        The squared error, or the mean squared error, for which B is divided by N.

    Returns
    -------
    A : ndarray, shape (K, m)
    F : ndarray, shape (m, N)

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, or an entry is not finite.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equations 19 and 58.

    Examples
    --------
    >>> linearised_operator(np.eye(2), np.zeros((2, 2)), 0.25)
    (array([[0., 0.],
           [0., 0.]]), array([[ 0.75, -0.25],
           [-0.25,  0.75]]))
    """
    A, F, _ = check_factors(A, F)
    K, N = len(A), F.shape[1]
    B = (np.repeat(np.eye(K), N // K, axis=1) - check_real("beta", beta)) * loss_scale(loss, N)
    return B @ F.T, A.T @ B


def sharp_constant(K: IntegerLike, n: IntegerLike) -> float:
    """The least C with ‖(A, F)(t) − e^{√n t} Π_T(A₀, F₀)‖ ≤ C ‖Π_{T^⊥}(A₀, F₀)‖ along the linearised flow.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    n : int
        Samples of each class.

    Returns
    -------
    float
        exp(1/(K√n)), which starts in E₂⁺ approach as t → ∞; the same for the mean squared error.

    Raises
    ------
    ValueError
        If K is below 2 or n below 1.
    TypeError
        If one is no integer.

    References
    ----------
    review, equation 19, with K for the κ that is not defined there.

    Examples
    --------
    >>> sharp_constant(2, 1), sharp_constant(10, 100)
    (1.6487212707001282, 1.010050167084168)
    """
    K = check_integer("K", K, at_least=2, at_most=LARGEST_SIZE)
    n = check_integer("n", n, at_least=1, at_most=LARGEST_SIZE)
    return float(np.exp(1 / (K * n**0.5)))
