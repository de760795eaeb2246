r"""Kernel ridge regression with the kernel matrix itself as a variable.

The relaxed problem, for labels Y (rows × samples) and μ > 0, is

$$ \inf_{A,\,k}\; \operatorname{tr}\bigl((Y-Ak)(Y-Ak)^\top\bigr) + \mu \operatorname{tr}(kA^\top A) $$

over positive semi-definite k with non-negative entries and ones on the diagonal. For fixed k the best coefficients are
A = Y(k+μI)⁻¹, which leaves μ tr Y(k+μI)⁻¹Yᵀ, a convex function of k. `theory.deep_rfm.kernel_certificate` proves that a
kernel matrix is optimal, and `theory.deep_rfm.mahalanobis` has kernels that come close to the optimum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from theory.arguments import RealLike, check_array, check_real
from theory.deep_rfm._matrices import as_labels, as_symmetric, check_psd
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = [
    "Optimum",
    "collapsed_kernel",
    "objective",
    "optimal_coefficients",
    "reduced_objective",
    "solve",
]


@within_floats
def objective(A: ArrayLike, k: ArrayLike, Y: ArrayLike, mu: RealLike) -> float:
    """Return the relaxed problem's value at coefficients A and kernel matrix k.

    Parameters
    ----------
    A : array_like, shape (K, N)
        Coefficients, one row for each row of Y.
    k : array_like, shape (N, N)
        Symmetric kernel matrix.
    Y : array_like, shape (K, N)
        Labels: one-hot, or ±1.
    mu : float
        Ridge parameter, at least 0.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If k is not symmetric, Y is of another kind, μ is negative, or the shapes do not fit.

    References
    ----------
    agop, problem (7); up to the constant tr YYᵀ, agop-v1, problem (4).

    Examples
    --------
    >>> objective([[0.5]], [[1.0]], [[1.0]], 1.0)
    0.5
    """
    Y = as_labels(Y)
    k = as_symmetric("k", k, Y.shape[1])
    A, mu = check_array("A", A), check_real("mu", mu, at_least=0)
    if A.shape != Y.shape:
        raise ValueError(f"A has shape {A.shape}; A must have that of Y, {Y.shape}")
    residual = Y - A @ k
    return float(np.sum(residual**2) + mu * np.sum((A @ k) * A))


@within_floats
def optimal_coefficients(k: ArrayLike, Y: ArrayLike, mu: RealLike) -> Float[np.ndarray, "K N"]:
    """Return the coefficients Y(k+μI)⁻¹ that are best for the kernel matrix k.

    Parameters
    ----------
    k : array_like, shape (N, N)
        Symmetric positive semi-definite kernel matrix. Eigenvalues up to N machine epsilons times the largest are zero.
    Y : array_like, shape (K, N)
        Labels: one-hot, or ±1.
    mu : float
        Ridge parameter, positive, however small.

    Returns
    -------
    ndarray, shape (K, N)

    Raises
    ------
    TypeError, ValueError
        If k is not symmetric positive semi-definite (to rounding), μ is not positive, or the shapes do not fit.

    Examples
    --------
    >>> optimal_coefficients([[1.0, 0.0], [0.0, 1.0]], [[1, -1]], 1.0)
    array([[ 0.5, -0.5]])
    """
    eigenvalues, components, vectors = _in_eigenvectors(k, Y)
    coefficients: Float[np.ndarray, "K N"] = components / (eigenvalues + check_real("mu", mu, above=0)) @ vectors.T
    return coefficients


@within_floats
def reduced_objective(k: ArrayLike, Y: ArrayLike, mu: RealLike) -> float:
    """Return the problem's value at k with the best coefficients, μ tr Y(k+μI)⁻¹Yᵀ.

    It is computed as the sum of μ/(λ+μ) ‖Yv‖² over the eigenvalues λ and eigenvectors v of k, so that its accuracy does
    not depend on μ.

    Parameters
    ----------
    k : array_like, shape (N, N)
        Symmetric positive semi-definite kernel matrix. Eigenvalues up to N machine epsilons times the largest are zero.
    Y : array_like, shape (K, N)
        Labels: one-hot, or ±1.
    mu : float
        Ridge parameter, positive, however small.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        As `optimal_coefficients`.

    Examples
    --------
    >>> reduced_objective([[1.0]], [[1.0]], 1.0)
    0.5
    >>> reduced_objective([[1.0, 1.0], [1.0, 1.0]], [[1.0, 1.0]], 1e-200)  # 2μ/(2+μ)
    1e-200
    """
    eigenvalues, components, _ = _in_eigenvectors(k, Y)
    mu = check_real("mu", mu, above=0)
    return float(np.sum(mu / (eigenvalues + mu) * np.sum(components**2, axis=0)))


def _in_eigenvectors(
    k: ArrayLike, Y: ArrayLike
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, "K N"], Float[np.ndarray, "N N"]]:
    """Eigenvalues λ of k, the labels' components Yv, and the eigenvectors v; what is zero up to rounding is zero."""
    Y = as_labels(Y)
    k = as_symmetric("k", k, Y.shape[1])
    check_psd("k", k)
    values, vectors = np.linalg.eigh(k)
    rounding = len(k) * np.finfo(np.float64).eps
    null = values <= rounding * values[-1]
    components = Y @ vectors
    nothing = null & (np.linalg.norm(components, axis=0) <= rounding * np.linalg.norm(Y))
    return np.where(null, 0.0, values), np.where(nothing, 0.0, components), vectors


def collapsed_kernel(Y: ArrayLike) -> Float[np.ndarray, "N N"]:
    """Return the kernel matrix that is one between samples of equal labels and zero elsewhere.

    Parameters
    ----------
    Y : array_like, shape (K, N)
        Labels: one-hot, or ±1.

    Returns
    -------
    ndarray, shape (N, N)

    Raises
    ------
    TypeError, ValueError
        If the labels are of another kind.

    Examples
    --------
    >>> collapsed_kernel([[1, -1, 1]])
    array([[1., 0., 1.],
           [0., 1., 0.],
           [1., 0., 1.]])
    """
    Y = as_labels(Y)
    equal: Float[np.ndarray, "N N"] = (Y[:, :, None] == Y[:, None, :]).all(axis=0).astype(np.float64)
    return equal


class Optimum(NamedTuple):
    """What the conic solver found.

    Attributes
    ----------
    kernel : ndarray, shape (N, N)
        The kernel matrix.
    value : float
        The problem's value.
    status : str
        The solver's status.
    """

    kernel: Float[np.ndarray, "N N"]
    value: float
    status: str


def solve(Y: ArrayLike, mu: RealLike, *, nonnegative: bool = True, largest_diagonal: RealLike | None = None) -> Optimum:
    r"""Solve the relaxed problem as a semidefinite programme with Clarabel.

    $$
    \min \mu \operatorname{tr} W \quad\text{over}\quad
    \begin{pmatrix} k+\mu I & Y^\top \\ Y & W \end{pmatrix} \succeq 0,\; k \succeq 0,\; k \ge 0,\; k_{ii} = 1
    $$

    Parameters
    ----------
    Y : array_like, shape (K, N)
        Labels: one-hot, or ±1.
    mu : float
        Ridge parameter, positive.
    nonnegative : bool
        Whether the entries of k must not be negative.
    largest_diagonal : float, optional
        Instead of ones on the diagonal of k, entries up to this number.

    Returns
    -------
    Optimum

    Raises
    ------
    ImportError
        If CVXPY is not installed.
    ArithmeticError
        If the solver does not converge; its status is in the message.

    Examples
    --------
    >>> optimum = solve([[1, 1, 0], [0, 0, 1]], 0.5)
    >>> optimum.kernel.round(3) + 0.0
    array([[1., 1., 0.],
           [1., 1., 0.],
           [0., 0., 1.]])
    """
    try:
        import cvxpy as cp
    except ImportError as error:
        raise ImportError("solve needs CVXPY with Clarabel: pip install 'neural-collapse-theory[test]'") from error
    Y, mu = as_labels(Y), check_real("mu", mu, above=0)
    if largest_diagonal is not None:
        largest_diagonal = check_real("largest_diagonal", largest_diagonal, above=0)
    K, N = Y.shape
    k, W = cp.Variable((N, N), PSD=True), cp.Variable((K, K), symmetric=True)
    constraints = [cp.bmat([[k + mu * np.eye(N), Y.T], [Y, W]]) >> 0]
    constraints.append(cp.diag(k) == 1 if largest_diagonal is None else cp.diag(k) <= largest_diagonal)
    if nonnegative:
        constraints.append(k >= 0)
    problem = cp.Problem(cp.Minimize(mu * cp.trace(W)), constraints)
    try:
        problem.solve(solver="CLARABEL")
    except cp.error.SolverError:
        raise ArithmeticError(f"the conic solver failed for mu = {mu}, largest_diagonal = {largest_diagonal}") from None
    if problem.status != "optimal":
        raise ArithmeticError(f"the conic solver ended with status {problem.status!r}")
    return Optimum(np.asarray(k.value, dtype=np.float64), float(problem.value), problem.status)
