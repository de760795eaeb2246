r"""Kernel ridge regression with the kernel matrix itself as a variable, and Mahalanobis kernels that come close to the optimum.

The relaxed problem, for labels Y (rows × samples) and μ > 0, is

.. math::
    \inf_{A,\,k}\; \operatorname{tr}\bigl((Y-Ak)(Y-Ak)^\top\bigr) + \mu \operatorname{tr}(kA^\top A)

over positive semi-definite k with non-negative entries and ones on the diagonal. For fixed k the best coefficients are
:math:`A = Y(k+\mu I)^{-1}`, which leaves :math:`\mu\operatorname{tr}\,Y(k+\mu I)^{-1}Y^\top`, a convex function of k. Its gradient is
−C with :math:`C = \mu\, (k+\mu I)^{-1}Y^\top Y(k+\mu I)^{-1}`, so that k₀ is optimal as soon as

.. math:: C(k_0) = \operatorname{diag}(d) - S - \Lambda, \quad S \succeq 0,\; S k_0 = 0, \quad \Lambda \ge 0,\; \Lambda\circ k_0 = 0,

and every feasible k then costs at least ⟨S, k⟩ + ⟨Λ, k⟩ more.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from theory.arguments import check_real

if TYPE_CHECKING:
    from jaxtyping import Float, Shaped

__all__ = [
    "Certificate",
    "Optimum",
    "collapsed_kernel",
    "collapsing_metric",
    "dual_certificate",
    "mahalanobis_kernel",
    "metric_realising",
    "objective",
    "optimal_coefficients",
    "reduced_objective",
    "solve",
]


# The problem.


def objective(A: ArrayLike, k: ArrayLike, Y: ArrayLike, mu: float) -> float:
    r"""The relaxed problem's value at coefficients A and kernel matrix k.

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

    References
    ----------
    agop, problem (7); up to the constant :math:`\operatorname{tr} YY^\top`, agop-v1, problem (4).

    Examples
    --------
    >>> objective([[0.5]], [[1.0]], [[1.0]], 1.0)
    0.5
    """
    k, Y = _kernel(k), _labels(Y)
    A, mu = np.asarray(A, dtype=np.float64), float(check_real("mu", mu, at_least=0))
    if A.shape != Y.shape:
        raise ValueError(f"A has shape {A.shape}; it must have that of Y, {Y.shape}")
    residual = Y - A @ k
    return float(np.sum(residual**2) + mu * np.sum((A @ k) * A))


def optimal_coefficients(k: ArrayLike, Y: ArrayLike, mu: float) -> Float[np.ndarray, "K N"]:
    r"""The coefficients :math:`Y(k+\mu I)^{-1}` that are best for the kernel matrix k, positive semi-definite.

    Raises
    ------
    ValueError
        If k is not symmetric positive semi-definite (to rounding), μ is not positive, or the shapes do not fit.

    Examples
    --------
    >>> optimal_coefficients([[1.0, 0.0], [0.0, 1.0]], [[1, -1]], 1.0)
    array([[ 0.5, -0.5]])
    """
    k, Y = _kernel(k), _labels(Y)
    mu = float(check_real("mu", mu, above=0))
    if len(k) != Y.shape[1]:
        raise ValueError(f"k has shape {k.shape}; it needs a row for each of the {Y.shape[1]} columns of Y")
    _check_psd("k", k)
    coefficients: Float[np.ndarray, "K N"] = np.linalg.solve(k + mu * np.eye(len(k)), Y.T).T
    return coefficients


def reduced_objective(k: ArrayLike, Y: ArrayLike, mu: float) -> float:
    r"""The problem's value at k with the best coefficients, :math:`\mu\operatorname{tr}\,Y(k+\mu I)^{-1}Y^\top`.

    Examples
    --------
    >>> reduced_objective([[1.0]], [[1.0]], 1.0)
    0.5
    """
    return float(mu * np.sum(optimal_coefficients(k, Y, mu) * _labels(Y)))


def collapsed_kernel(Y: ArrayLike) -> Float[np.ndarray, "N N"]:
    """The kernel matrix that is one between samples of equal labels and zero elsewhere.

    >>> collapsed_kernel([[1, -1, 1]])
    array([[1., 0., 1.],
           [0., 1., 0.],
           [1., 0., 1.]])
    """
    Y = _labels(Y)
    equal: Float[np.ndarray, "N N"] = (Y[:, :, None] == Y[:, None, :]).all(axis=0).astype(np.float64)
    return equal


# Optimality.


class Certificate(NamedTuple):
    """Multipliers of the constraints at a kernel matrix: of the diagonal, of semi-definiteness, of the entries' signs."""

    kernel: Shaped[np.ndarray, "N N"]
    diagonal: Shaped[np.ndarray, " N"]
    psd: Shaped[np.ndarray, "N N"]
    entries: Shaped[np.ndarray, "N N"]

    def faults(self, *, psd: bool = True, nonnegative: bool = True, unit_diagonal: bool = True) -> list[str]:
        """Why the kernel matrix is not proved optimal under the given constraints; empty if it is.

        A constraint that is absent has no multiplier: the corresponding part has to vanish. Of exact multipliers the signs
        are decided exactly, of float64 ones to rounding.
        """
        exact = self.psd.dtype == object
        size = 1.0 if exact else float(np.abs(self.psd).max() + np.abs(self.entries).max())
        slack = 0 if exact else 1e-12 * size * len(self.psd)

        def vanishes(matrix: Any) -> bool:
            return bool(np.all(np.abs(matrix) <= slack))

        faults = []
        if not vanishes(self.psd @ self.kernel):
            faults.append("S k ≠ 0")
        if not (_is_psd(self.psd, slack) if psd else vanishes(self.psd)):
            faults.append("S is not positive semi-definite" if psd else "S ≠ 0")
        if not (np.all(self.entries >= -slack) if nonnegative else vanishes(self.entries)):
            faults.append("Λ has a negative entry" if nonnegative else "Λ ≠ 0")
        if not vanishes(self.entries * self.kernel):
            faults.append("Λ ∘ k ≠ 0")
        if not (unit_diagonal or vanishes(self.diagonal)):
            faults.append("d ≠ 0")
        return faults

    def gap(self, k: ArrayLike) -> float:
        """⟨S, k⟩ + ⟨Λ, k⟩: what a feasible kernel matrix costs at least beyond the optimal one."""
        return float(np.sum((self.psd + self.entries) * np.asarray(k, dtype=np.float64)))


def dual_certificate(kernel: ArrayLike, Y: ArrayLike, mu: float | Fraction) -> Certificate:
    r"""The only candidate for the multipliers at a kernel matrix whose zero entries are the active ones.

    :math:`\Lambda = -C` where the kernel matrix is zero, :math:`d = \operatorname{diag}(C k)` and
    :math:`S = \operatorname{diag}(d) - C - \Lambda`; `Certificate.faults` tells whether they prove optimality.

    Parameters
    ----------
    kernel : array_like, shape (N, N)
        Symmetric positive semi-definite with ones on the diagonal.
    Y : array_like, shape (K, N)
        Labels: one-hot, or ±1.
    mu : float, int or Fraction
        Ridge parameter, positive. With an integer or a Fraction the certificate is exact, the entries of kernel and labels
        being taken at their binary values.

    Returns
    -------
    Certificate
        Its arrays hold Fractions if μ is exact.

    Raises
    ------
    ValueError
        If the kernel matrix is not as above, the labels are of another kind or μ is not positive.

    Examples
    --------
    >>> Y = [[1, 1, 0], [0, 0, 1]]
    >>> dual_certificate(collapsed_kernel(Y), Y, Fraction(1, 3)).faults()
    []
    >>> dual_certificate(np.eye(3), Y, Fraction(1, 3)).faults()
    ['Λ has a negative entry']
    """
    k, labels = _kernel(kernel), _labels(Y)
    mu = check_real("mu", mu, above=0)
    if len(k) != labels.shape[1]:
        raise ValueError(f"kernel has shape {k.shape}; it needs a row for each of the {labels.shape[1]} columns of Y")
    if not np.array_equal(np.diag(k), np.ones(len(k))):
        raise ValueError(f"kernel has the diagonal {np.diag(k).tolist()}; it must have ones on its diagonal")
    _check_psd("kernel", k)
    if isinstance(mu, int | Fraction):
        k, labels, inverse, mu = _exact(k), _exact(labels), _exact_inverse(k, Fraction(mu)), Fraction(mu)
    else:
        mu = float(mu)
        inverse = np.linalg.inv(k + mu * np.eye(len(k)))
    coefficients = labels @ inverse
    C = mu * coefficients.T @ coefficients
    entries = np.where(k == 0, -C, 0 * C)
    diagonal = np.array([row @ column for row, column in zip(C, k.T, strict=True)], dtype=C.dtype)
    return Certificate(k, diagonal, np.diag(diagonal) - C - entries, entries)


class Optimum(NamedTuple):
    """What the conic solver found: the kernel matrix, the problem's value, the solver's status."""

    kernel: Float[np.ndarray, "N N"]
    value: float
    status: str


def solve(Y: ArrayLike, mu: float, *, nonnegative: bool = True, largest_diagonal: float | None = None) -> Optimum:
    r"""Solve the relaxed problem as a semidefinite programme with Clarabel.

    .. math::
        \min \mu \operatorname{tr} W \quad\text{over}\quad
        \begin{pmatrix} k+\mu I & Y^\top \\ Y & W \end{pmatrix} \succeq 0,\; k \succeq 0,\; k \ge 0,\; k_{ii} = 1.

    Parameters
    ----------
    Y : array_like, shape (K, N)
        Labels: one-hot, or ±1.
    mu : float
        Ridge parameter, positive.
    nonnegative : bool, optional
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
    Y, mu = _labels(Y), float(check_real("mu", mu, above=0))
    K, N = Y.shape
    k, W = cp.Variable((N, N), PSD=True), cp.Variable((K, K), symmetric=True)
    constraints = [cp.bmat([[k + mu * np.eye(N), Y.T], [Y, W]]) >> 0]
    constraints.append(cp.diag(k) == 1 if largest_diagonal is None else cp.diag(k) <= largest_diagonal)
    if nonnegative:
        constraints.append(k >= 0)
    problem = cp.Problem(cp.Minimize(mu * cp.trace(W)), constraints)
    problem.solve(solver="CLARABEL")
    if problem.status != "optimal":
        raise ArithmeticError(f"the conic solver ended with status {problem.status!r}")
    return Optimum(np.asarray(k.value, dtype=np.float64), float(problem.value), problem.status)


# Mahalanobis kernels.


def mahalanobis_kernel(
    X: ArrayLike, M: ArrayLike, phi: Callable[[Float[np.ndarray, "N N"]], Float[np.ndarray, "N N"]]
) -> Float[np.ndarray, "N N"]:
    r"""The kernel matrix :math:`\phi(\lVert x_i - x_j\rVert_M)` of samples in columns, :math:`\lVert v\rVert_M^2 = v^\top M v`.

    Parameters
    ----------
    X : array_like, shape (d, N)
        Samples.
    M : array_like, shape (d, d)
        Symmetric positive semi-definite.
    phi : callable
        Takes an array of distances; φ(0) = 1.

    Examples
    --------
    >>> mahalanobis_kernel([[0.0, 1.0]], [[4.0]], lambda distance: np.exp(-distance)).round(3)
    array([[1.   , 0.135],
           [0.135, 1.   ]])
    """
    X, M = np.asarray(X, dtype=np.float64), _kernel(M, name="M")
    if X.ndim != 2 or len(X) != len(M):
        raise ValueError(f"X has shape {X.shape}; it must be a matrix with {len(M)} rows, as many as M")
    _check_psd("M", M)
    values, vectors = np.linalg.eigh(M)
    mapped = np.sqrt(np.maximum(values, 0))[:, None] * (vectors.T @ X)
    return phi(np.linalg.norm(mapped[:, :, None] - mapped[:, None, :], axis=0))


def metric_realising(X: ArrayLike, R: ArrayLike) -> Float[np.ndarray, "d d"]:
    r"""The M for which the samples X have among each other the Euclidean distances of the points R.

    :math:`M = N^\top N` with :math:`N = R X^+`, which solves NX = R when X has full column rank.

    Parameters
    ----------
    X : array_like, shape (d, N)
        Samples, linearly independent.
    R : array_like, shape (p, N)
        Points.

    Raises
    ------
    ValueError
        If the samples are linearly dependent to working precision; the singular values are then in the message.

    References
    ----------
    agop, Appendix B, proof of Proposition B.1.

    Examples
    --------
    >>> metric_realising([[2.0, 0.0], [0.0, 1.0]], [[0.0, 3.0]])
    array([[0., 0.],
           [0., 9.]])
    """
    X, R = np.asarray(X, dtype=np.float64), np.asarray(R, dtype=np.float64)
    if X.ndim != 2 or R.ndim != 2 or X.shape[1] != R.shape[1]:
        raise ValueError(f"X and R have shapes {X.shape} and {R.shape}; they must be matrices with one column a sample")
    singular = np.linalg.svd(X, compute_uv=False)
    if X.shape[1] > X.shape[0] or singular[-1] <= 1e-13 * singular[0]:
        raise ValueError(
            f"X has singular values from {singular[0]:.3g} to {singular[-1]:.3g} for {X.shape[1]} samples; "
            "they must be linearly independent"
        )
    N = R @ np.linalg.pinv(X)
    metric: Float[np.ndarray, "d d"] = N.T @ N
    return metric


def collapsing_metric(X: ArrayLike, Y: ArrayLike, *, distance: float) -> Float[np.ndarray, "d d"]:
    r"""An M that maps equally labelled samples to one point and keeps others at the given distance or more.

    A multiple of the projection off the span of the differences of equally labelled samples. Such an M exists exactly if no
    difference of differently labelled samples lies in that span: if it does, every M that collapses the classes merges the
    two. Linear independence of the samples suffices, affine independence too.

    Parameters
    ----------
    X : array_like, shape (d, N)
        Samples.
    Y : array_like, shape (K, N)
        Labels; samples with equal columns share their class.
    distance : float
        Smallest distance wanted between classes, positive.

    Raises
    ------
    ValueError
        If there is no such M, naming two samples that cannot be separated.

    Examples
    --------
    >>> collapsing_metric([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [[1, 1, 0], [0, 0, 1]], distance=2.0)
    array([[0., 0.],
           [0., 4.]])
    """
    X, Y = np.asarray(X, dtype=np.float64), _labels(Y)
    distance = float(check_real("distance", distance, above=0))
    if X.ndim != 2 or X.shape[1] != Y.shape[1]:
        raise ValueError(f"X has shape {X.shape}; it must be a matrix with a column for each of the {Y.shape[1]} of Y")
    same = collapsed_kernel(Y) == 1
    first = np.argmax(same, axis=0)  # the first sample of each sample's class
    within = X - X[:, first]
    left, singular, _ = np.linalg.svd(within, full_matrices=False)
    span = left[:, singular > 1e-12 * max(np.linalg.norm(X, 2), np.finfo(np.float64).tiny)]
    projected = X - span @ (span.T @ X)
    between = np.linalg.norm(projected[:, :, None] - projected[:, None, :], axis=0)
    between[same] = np.inf
    i, j = np.unravel_index(np.argmin(between), between.shape)
    if between[i, j] <= 1e-10 * np.linalg.norm(X, 2):
        raise ValueError(
            f"samples {i} and {j} of different classes differ by a combination of differences within classes"
        )
    scale = distance / between[i, j] if np.isfinite(between[i, j]) else 1.0
    metric: Float[np.ndarray, "d d"] = scale**2 * (np.eye(len(X)) - span @ span.T)
    return metric


def _labels(Y: ArrayLike) -> Float[np.ndarray, "K N"]:
    labels = np.atleast_2d(np.asarray(Y, dtype=np.float64))
    if labels.ndim != 2 or labels.size == 0:
        raise ValueError(f"Y has shape {labels.shape}; it must be a matrix (rows × samples), not empty")
    signs = np.abs(labels) == 1
    one_hot = (labels == 0) | (labels == 1)
    if not (signs.all() or (one_hot.all() and (labels.sum(axis=0) == 1).all())):
        raise ValueError("Y must have one-hot columns, or entries 1 and -1 only")
    return labels


def _kernel(k: ArrayLike, name: str = "k") -> Float[np.ndarray, "N N"]:
    kernel = np.asarray(k, dtype=np.float64)
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or not np.isfinite(kernel).all():
        raise ValueError(f"{name} has shape {kernel.shape}; it must be a square matrix of finite numbers")
    asymmetry = float(np.abs(kernel - kernel.T).max())
    if asymmetry > 1e-12 * float(np.abs(kernel).max()):
        raise ValueError(f"{name} differs from its transpose by {asymmetry:.3g}; it must be symmetric")
    return kernel


def _check_psd(name: str, kernel: Float[np.ndarray, "N N"]) -> None:
    smallest = float(np.linalg.eigvalsh(kernel)[0])
    if smallest < -1e-12 * np.abs(kernel).max() * len(kernel):
        raise ValueError(f"{name} has the eigenvalue {smallest:.3g}; {name} must be positive semi-definite")


def _exact(matrix: Float[np.ndarray, "p q"]) -> Shaped[np.ndarray, "p q"]:
    return np.array([[Fraction(entry) for entry in row] for row in matrix.tolist()], dtype=object)


def _exact_inverse(k: Float[np.ndarray, "N N"], mu: Fraction) -> Shaped[np.ndarray, "N N"]:
    from flint import fmpq, fmpq_mat

    N = len(k)
    shifted = _exact(k) + np.diag([mu] * N)
    inverse = fmpq_mat(N, N, [fmpq(entry.numerator, entry.denominator) for entry in shifted.ravel()]).inv()
    return np.array([[Fraction(int(e.p), int(e.q)) for e in row] for row in inverse.tolist()], dtype=object)


def _is_psd(matrix: Shaped[np.ndarray, "N N"], slack: float) -> bool:
    """Whether a symmetric matrix is positive semi-definite: exactly, by elimination, or to `slack`."""
    if matrix.dtype != object:
        return bool(np.linalg.eigvalsh(matrix)[0] >= -slack)
    rest = matrix.copy()
    while len(rest):
        pivot = rest[0, 0]
        if pivot < 0 or (pivot == 0 and np.any(rest[0] != 0)):
            return False
        rest = rest[1:, 1:] - (np.outer(rest[1:, 0], rest[0, 1:]) / pivot if pivot else 0)
    return True
