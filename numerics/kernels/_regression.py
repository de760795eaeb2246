"""Kernel ridge(less) regression that knows when its matrix is singular.

It solves (K + γI) α = Y. As data collapses the rows of K for one class become equal, and without a ridge the
matrix becomes singular to working precision. The limit γ → 0 of the solution then still exists: it is the
pseudo-inverse solution K†Y. Two ways of computing it are offered.

pinv
    Eigenvalues below the cut-off n·ε·λ_max, the rounding error of K itself, are dropped.
jitter
    K + δI is factored with δ = n·ε·λ_max, and the solution is refined by Riley's iteration
    α ← α + (K + δI)⁻¹(Y − Kα), which converges to K†Y on all eigenvalues above δ and leaves the rest, on which Y has
    no more than rounding error, damped. One Cholesky factorisation instead of an eigendecomposition: a fortieth of
    the cost. The predictor is as good; how coincident points share their coefficient is resolved to 1/n only, which
    the predictor cannot tell.

References
----------
J. D. Riley, Solving systems of linear equations with a positive definite, symmetric, but possibly ill-conditioned
matrix (1955).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.scaling import common_scale
from numerics.tensors import check_matrix, check_same_kind, check_symmetric
from theory.arguments import RealLike, check_choice, check_real

__all__ = ["KernelSolution", "SingularKernelWarning", "extreme_eigenvalue", "solve_kernel"]

Singular = Literal["auto", "pinv", "jitter"]

_PINV_SIZE = 2048  # up to which "auto" takes the eigendecomposition
_LANCZOS_STEPS = 40
_RILEY_STEPS = 5
_JITTER_TRIALS = 8


class SingularKernelWarning(RuntimeWarning):
    """A kernel matrix was singular to working precision, and the solution is that of the pseudo-inverse."""


@dataclass(frozen=True, eq=False)
class KernelSolution:
    """Coefficients and how they were found.

    Attributes
    ----------
    alpha : Tensor, shape (n, c)
        The coefficients.
    method : {"cholesky", "pinv", "jitter"}
        The last two where the matrix was singular to working precision.
    condition : float
        Condition number of K + γI: the estimate of 40 Lanczos steps at either end of the spectrum, a lower bound that
        is good to a few per cent; exact for ``"pinv"``; infinite where the smallest eigenvalue is not positive.
    rank : int
        Number of eigenvalues kept; n unless the method is ``"pinv"``.
    shift : float
        The cut-off of the pseudo-inverse, or the jitter; zero for ``"cholesky"``.
    residual : float
        ‖(K + γI)α − Y‖_F / ‖Y‖_F.
    """

    alpha: Float[Tensor, "n c"]
    method: Literal["cholesky", "pinv", "jitter"]
    condition: float
    rank: int
    shift: float
    residual: float

    @property
    def singular(self) -> bool:
        """Whether the matrix was singular to working precision."""
        return self.method != "cholesky"


def extreme_eigenvalue(apply: Callable[[Tensor], Tensor], like: Float[Tensor, "n c"]) -> float:
    """The largest eigenvalue of a symmetric operator, from below, by 40 steps of Lanczos from a fixed vector.

    Parameters
    ----------
    apply : callable
        v ↦ Av for tensors of shape (n, 1).
    like : Tensor, shape (n, c)
        A tensor with n rows, and the dtype and device to work in.

    Returns
    -------
    float

    Examples
    --------
    >>> A = torch.diag(torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64))
    >>> round(extreme_eigenvalue(lambda v: A @ v, A), 9)
    5.0
    """
    n = like.shape[0]
    generator = torch.Generator().manual_seed(0)
    v = torch.randn(n, 1, generator=generator, dtype=torch.float64).to(like)
    basis = [v / torch.linalg.vector_norm(v)]
    diagonal: list[Tensor] = []
    off: list[Tensor] = []
    for _ in range(min(n, _LANCZOS_STEPS)):
        w = apply(basis[-1])
        diagonal.append((basis[-1] * w).sum())
        Q = torch.cat(basis, dim=1)
        for _ in range(2):  # orthogonal to all before, twice is enough
            w = w - Q @ (Q.T @ w)
        length = torch.linalg.vector_norm(w)
        if float(length) <= torch.finfo(like.dtype).eps * float(diagonal[0].abs()):
            break
        off.append(length)
        basis.append(w / length)
    k = len(diagonal)
    T = torch.diag(torch.stack(diagonal))
    for i in range(k - 1):
        T[i, i + 1] = T[i + 1, i] = off[i]
    return float(torch.linalg.eigvalsh(T)[-1])


def solve_kernel(
    K: Float[Tensor, "n n"],
    Y: Float[Tensor, "n c"],
    *,
    ridge: float = 0.0,
    singular: Singular = "auto",
) -> KernelSolution:
    """Solve (K + ridge·I) alpha = Y for a symmetric positive semi-definite K.

    Parameters
    ----------
    K : Tensor, shape (n, n)
        The kernel matrix; overwritten when ridge > 0.
    Y : Tensor, shape (n, c)
        Targets, one column an output.
    ridge : float
        γ ≥ 0.
    singular : {"auto", "pinv", "jitter"}
        What to do if the matrix is singular to working precision, see the module: ``"auto"`` is ``"pinv"`` up to
        2,048 points and ``"jitter"`` beyond.

    Returns
    -------
    KernelSolution

    Raises
    ------
    TypeError, ValueError
        If arguments do not fit together or are not finite, K is not symmetric up to rounding or has an eigenvalue that
        is negative beyond rounding, or the coefficients are beyond the numbers of the dtype.

    Examples
    --------
    >>> K = torch.ones(2, 2, dtype=torch.float64)  # two coincident points
    >>> solution = solve_kernel(K, torch.ones(2, 1, dtype=torch.float64))
    >>> solution.method, solution.rank, round(solution.alpha[0].item(), 12)
    ('pinv', 1, 0.5)
    """
    ridge = _check(K, Y, ridge, singular)
    size, target_size = common_scale(K, K.new_tensor(ridge)), common_scale(Y)
    if size == target_size == 1.0:
        return _solution(K, Y, ridge, singular)
    scaled = _solution(K / size, Y / target_size, ridge / size, singular)
    alpha = scaled.alpha * target_size / size
    if not bool(torch.isfinite(alpha).all()):
        raise ValueError(f"the coefficients are of size 1e{math.log10(target_size / size):+.0f}, beyond {alpha.dtype}")
    return replace(scaled, alpha=alpha, shift=scaled.shift * size)


def _solution(K: Tensor, Y: Tensor, ridge: float, singular: Singular) -> KernelSolution:
    n = K.shape[0]
    if ridge > 0.0:
        K.diagonal().add_(ridge)
    largest = extreme_eigenvalue(lambda v: K @ v, K)
    cutoff = n * torch.finfo(K.dtype).eps * largest
    solution = _by_cholesky(K, Y, largest, cutoff)
    if solution is not None:
        return solution
    if singular == "pinv" or (singular == "auto" and n <= _PINV_SIZE):
        return _by_pinv(K, Y, cutoff)
    return _by_jitter(K, Y, cutoff)


def _solve(factor: Tensor, Y: Tensor) -> Tensor:
    """(LLᵀ)⁻¹Y, as torch.cholesky_solve, which would copy L first: ten times the work of a single column."""
    half = torch.linalg.solve_triangular(factor, Y, upper=False)
    solution: Tensor = torch.linalg.solve_triangular(factor.mT, half, upper=True)
    return solution


def _by_cholesky(K: Tensor, Y: Tensor, largest: float, cutoff: float) -> KernelSolution | None:
    """The solution, unless the smallest eigenvalue is below the cut-off."""
    factor, info = torch.linalg.cholesky_ex(K)
    if int(info) != 0:
        return None
    inverse = extreme_eigenvalue(lambda v: _solve(factor, v), K)
    if not inverse > 0.0 or 1.0 / inverse <= cutoff:
        return None
    alpha = _solve(factor, Y)
    return KernelSolution(alpha, "cholesky", largest * inverse, K.shape[0], 0.0, _residual(K, alpha, Y))


def _check(K: Tensor, Y: Tensor, ridge: RealLike, singular: str) -> float:
    check_symmetric("K", K, detached=True)
    check_matrix("Y", Y, detached=True)
    check_same_kind("Y", Y, "K", K)
    if Y.shape[0] != K.shape[0]:
        raise ValueError(f"Y has shape {tuple(Y.shape)}; Y must have one row a point: {K.shape[0]}")
    check_choice("singular", singular, ("auto", "pinv", "jitter"))
    return check_real("ridge", ridge, at_least=0.0)


def _residual(K: Tensor, alpha: Tensor, Y: Tensor) -> float:
    size = float(torch.linalg.matrix_norm(Y))
    return float(torch.linalg.matrix_norm(K @ alpha - Y)) / size if size > 0.0 else 0.0


def _by_pinv(K: Tensor, Y: Tensor, cutoff: float) -> KernelSolution:
    try:
        values, vectors = torch.linalg.eigh(K)
    except RuntimeError:
        raise ValueError("K has no eigenvalues that could be computed; K must be scaled, or well conditioned") from None
    if float(values[0]) < -cutoff:
        raise ValueError(f"K has the eigenvalue {float(values[0]):.3g}; K must be positive semi-definite")
    kept = values > cutoff
    basis = vectors[:, kept]
    alpha = basis @ ((basis.T @ Y) / values[kept, None])
    condition = float(values[-1] / values[0]) if float(values[0]) > 0.0 else math.inf
    return KernelSolution(alpha, "pinv", condition, int(kept.sum()), cutoff, _residual(K, alpha, Y))


def _by_jitter(K: Tensor, Y: Tensor, jitter: float) -> KernelSolution:
    diagonal = K.diagonal().clone()
    for _ in range(_JITTER_TRIALS):
        K.diagonal().add_(jitter)
        factor, info = torch.linalg.cholesky_ex(K)
        K.diagonal().copy_(diagonal)
        if int(info) == 0:
            break
        jitter *= 4.0
    else:
        raise ValueError(f"K has an eigenvalue below {-jitter / 4.0:.3g}; K must be positive semi-definite")
    alpha = _solve(factor, Y)
    residual = _residual(K, alpha, Y)
    for _ in range(_RILEY_STEPS):
        refined = alpha + _solve(factor, Y - K @ alpha)
        smaller = _residual(K, refined, Y)
        if not smaller < 0.5 * residual:
            break
        alpha, residual = refined, smaller
    return KernelSolution(alpha, "jitter", math.inf, K.shape[0], jitter, residual)
