r"""The drift matrix of the features of all classes, from impact and transformation.

With $M = (E \otimes J_m) \odot T$, the drift matrix is $B = M/K$: its block (k, k') is $E_{kk'}T_{kk'}/K$. For the
transformation by residuals, $T_{ij} = d_jd_j^\top/\|d_j\|^2$ with $d_j = e_j - 1/K$ and m = K, it acts on
$c_j = ⟨d_j, f_j⟩/\|d_j\|^2$ by the K × K matrix with α on the diagonal and −β/(K−1) off it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from theory.arguments import (
    LARGEST_SIZE,
    IntegerLike,
    RealLike,
    check_array,
    check_choice,
    check_exact,
    check_integer,
    check_real,
)
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["Spectrum", "drift_matrix", "impact_matrix", "spectrum", "transformation"]


class Spectrum(NamedTuple):
    """Eigenvalues of K times the drift matrix of residuals, with their algebraic multiplicities.

    Attributes
    ----------
    values : tuple of floats
        α − β, α + β/(K−1) and 0, in this order; two of them may be equal.
    multiplicities : tuple of ints
        1, K − 1 and K(K−1).
    diagonalisable : bool
        Whether the matrix has a basis of eigenvectors. If not, the class means also grow linearly in time.
    """

    values: tuple[float, float, float]
    multiplicities: tuple[int, int, int]
    diagonalisable: bool


@within_floats
def impact_matrix(K: IntegerLike, alpha: RealLike, beta: RealLike) -> Float[np.ndarray, "K K"]:
    """The impact of a step on a sample of one class on the features of another, α within a class and β across.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    alpha, beta : float
        Impact within a class, and across classes.

    Returns
    -------
    ndarray, shape (K, K)
        Its eigenvalues are α − β, K − 1 times, and α + (K−1)β.

    Raises
    ------
    ValueError
        If K is below 2, or a number is not finite.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, Section 3.2.2, after equation 43.

    Examples
    --------
    >>> impact_matrix(2, 1.0, -0.25)
    array([[ 1.  , -0.25],
           [-0.25,  1.  ]])
    """
    K = check_integer("K", K, at_least=2, at_most=LARGEST_SIZE)
    alpha, beta = check_real("alpha", alpha), check_real("beta", beta)
    return np.where(np.eye(K, dtype=bool), alpha, beta)


def transformation(
    K: IntegerLike, m: IntegerLike | None = None, *, kind: Literal["residuals", "isotropic"] = "residuals"
) -> Float[np.ndarray, "Km Km"]:
    """The transformation matrix T, whose block (i, j) says how a sample of class j moves the features of class i.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    m : int, optional
        Dimension of the features; K by default. For residuals at least K, for e_j has to be one of the unit vectors.
    kind : "residuals" or "isotropic"
        The blocks are d_jd_jᵀ/‖d_j‖², the projections on d_j = e_j − (1/K)1_m, or they are all the identity.

    Returns
    -------
    ndarray, shape (Km, Km)
        For residuals every block is positive semidefinite, but T as a whole is not even symmetric, unless K = m = 2.

    Raises
    ------
    ValueError
        If K is below 2, m is too small, or the kind is unknown.
    TypeError
        If a size is no integer.

    References
    ----------
    review, equation 46.

    Examples
    --------
    >>> transformation(2)[:, :2]
    array([[ 0.5, -0.5],
           [-0.5,  0.5],
           [ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    K = check_integer("K", K, at_least=2, at_most=LARGEST_SIZE)
    kind = check_choice("kind", kind, ("residuals", "isotropic"))
    least = K if kind == "residuals" else 1
    m = K if m is None else check_integer("m", m, at_least=least, at_most=LARGEST_SIZE)
    if kind == "isotropic":
        return np.tile(np.eye(m), (K, K))
    residuals = np.eye(K, m) - 1 / K
    blocks = [np.outer(d, d) / (d @ d) for d in residuals]
    return np.tile(np.hstack(blocks), (K, 1))


@within_floats
def drift_matrix(E: Float[np.ndarray, "K K"], T: Float[np.ndarray, "Km Km"]) -> Float[np.ndarray, "Km Km"]:
    """The drift matrix B, whose block (k, k') is E_{kk'} T_{kk'}/K.

    Parameters
    ----------
    E : ndarray, shape (K, K)
        Impact matrix.
    T : ndarray, shape (Km, Km)
        Transformation matrix, of K × K blocks.

    Returns
    -------
    ndarray, shape (Km, Km)

    Raises
    ------
    ValueError
        If E is not square with at least two rows, or T is not square of a multiple of its size.
    TypeError
        If an argument is no array of real numbers.

    References
    ----------
    review, after equation 42. Equation 46 prints (E ⊗ I_K) ⊙ T, which keeps the diagonals of the blocks only.

    Examples
    --------
    >>> drift_matrix(impact_matrix(2, 1.0, -0.5), transformation(2, 1, kind="isotropic"))
    array([[ 0.5 , -0.25],
           [-0.25,  0.5 ]])
    """
    E, T = check_array("E", E, ndim=2, empty=False), check_array("T", T, ndim=2, empty=False)
    K = len(E)
    if K < 2 or E.shape != (K, K):
        raise ValueError(f"E has shape {E.shape}; E must be square, with a row for each of at least 2 classes")
    if T.shape != (len(T), len(T)) or len(T) % K:
        raise ValueError(f"T has shape {T.shape}; T must be square, of a multiple of K = {K} rows")
    m = len(T) // K
    B: Float[np.ndarray, "Km Km"] = np.repeat(np.repeat(E, m, axis=0), m, axis=1) * T / K
    return B


@within_floats
def spectrum(K: IntegerLike, alpha: RealLike, beta: RealLike) -> Spectrum:
    """The eigenvalues of K times the drift matrix for the transformation by residuals, m = K.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    alpha, beta : float
        Impact within a class, and across classes.

    Returns
    -------
    Spectrum

    Raises
    ------
    ValueError
        If K is below 2, or a number is not finite.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, after equation 46, where the multiplicities of the last two are exchanged.

    Examples
    --------
    >>> spectrum(3, 1.0, -0.5)
    Spectrum(values=(1.5, 0.75, 0.0), multiplicities=(1, 2, 6), diagonalisable=True)
    """
    K = check_integer("K", K, at_least=2, at_most=LARGEST_SIZE)
    alpha, beta = check_exact("alpha", alpha), check_exact("beta", beta)
    second = alpha + beta / (K - 1)
    # Where the second vanishes, Jordan blocks of size 2; but not for K = 2, where d₁ and d₂ are parallel.
    diagonalisable = second != 0 or alpha == beta == 0 or K == 2
    return Spectrum((float(alpha - beta), float(second), 0.0), (1, K - 1, K * (K - 1)), diagonalisable)
