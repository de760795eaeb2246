r"""Certificates that a kernel matrix is optimal for the relaxed problem of `theory.deep_rfm.kernel_ridge`.

With the best coefficients the problem's value μ tr Y(k+μI)⁻¹Yᵀ is a convex function of k with the gradient −C, for
C = μ (k+μI)⁻¹YᵀY(k+μI)⁻¹. So k₀ is optimal as soon as

$$
C(k_0) = \operatorname{diag}(d) - S - \Lambda, \quad S \succeq 0,\; S k_0 = 0, \quad
\Lambda \ge 0,\; \Lambda\circ k_0 = 0,
$$

and every feasible k then costs at least ⟨S, k⟩ + ⟨Λ, k⟩ more.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from theory.arguments import RealLike
from theory.deep_rfm._matrices import (
    as_labels,
    as_symmetric,
    check_psd,
    exact_matrix,
    exact_or_float,
    flint_matrix,
    fractions_of,
)
from theory.deep_rfm.kernel_ridge import optimal_coefficients
from theory.verified import note_verified

if TYPE_CHECKING:
    from jaxtyping import Shaped

__all__ = ["Certificate", "dual_certificate"]


class Certificate(NamedTuple):
    """Multipliers of the constraints at a kernel matrix.

    Attributes
    ----------
    kernel : ndarray, shape (N, N)
        The kernel matrix k.
    diagonal : ndarray, shape (N,)
        d, of the ones on the diagonal.
    psd : ndarray, shape (N, N)
        S, of positive semi-definiteness.
    entries : ndarray, shape (N, N)
        Λ, of the entries' signs.
    """

    kernel: Shaped[np.ndarray, "N N"]
    diagonal: Shaped[np.ndarray, " N"]
    psd: Shaped[np.ndarray, "N N"]
    entries: Shaped[np.ndarray, "N N"]

    def faults(self, *, psd: bool = True, nonnegative: bool = True, unit_diagonal: bool = True) -> list[str]:
        """Return why the kernel matrix is not proved optimal under the given constraints; nothing if it is.

        A constraint that is absent has no multiplier: the corresponding part has to vanish. Of exact multipliers the
        signs are decided exactly, of float64 ones up to 1e-12 N times the largest multiplier.

        Parameters
        ----------
        psd, nonnegative, unit_diagonal : bool
            Which constraints there are.

        Returns
        -------
        list of str
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
        note_verified(self, exact and not faults)
        return faults

    def gap(self, k: ArrayLike) -> float:
        """Return ⟨S, k⟩ + ⟨Λ, k⟩, what a feasible kernel matrix costs at least beyond the optimal one.

        Parameters
        ----------
        k : array_like, shape (N, N)
            Another kernel matrix.

        Returns
        -------
        float
        """
        return float(np.sum((self.psd + self.entries) * as_symmetric("k", k, len(self.psd))))


def dual_certificate(kernel: ArrayLike, Y: ArrayLike, mu: RealLike) -> Certificate:
    """Return the only candidate for the multipliers at a kernel matrix whose zero entries are the active ones.

    Λ = −C where the kernel matrix is zero, d = diag(C k) and S = diag(d) − C − Λ; `Certificate.faults` tells whether
    they prove optimality.

    Parameters
    ----------
    kernel : array_like, shape (N, N)
        Symmetric positive semi-definite with ones on the diagonal.
    Y : array_like, shape (K, N)
        Labels: one-hot, or ±1.
    mu : float, int, Fraction or str
        Ridge parameter, positive. Unless it is a float the certificate is exact, the entries of kernel and labels being
        taken at their binary values.

    Returns
    -------
    Certificate
        Its arrays hold Fractions if μ is exact.

    Raises
    ------
    TypeError, ValueError
        If the kernel matrix is not as above, the labels are of another kind or μ is not positive.

    Examples
    --------
    >>> from theory.deep_rfm.kernel_ridge import collapsed_kernel
    >>> Y = [[1, 1, 0], [0, 0, 1]]
    >>> dual_certificate(collapsed_kernel(Y), Y, Fraction(1, 3)).faults()
    []
    >>> dual_certificate(np.eye(3), Y, Fraction(1, 3)).faults()
    ['Λ has a negative entry']
    """
    labels = as_labels(Y)
    k = as_symmetric("kernel", kernel, labels.shape[1])
    ridge = exact_or_float("mu", mu, above=0)
    if not np.array_equal(np.diag(k), np.ones(len(k))):
        raise ValueError(f"kernel has the diagonal {np.diag(k).tolist()}; kernel must have ones on its diagonal")
    check_psd("kernel", k)
    if isinstance(ridge, Fraction):
        k, labels = exact_matrix(k), exact_matrix(labels)
        shifted = flint_matrix(k + np.diag([ridge] * len(k)))
        coefficients = labels @ np.array(fractions_of(shifted.inv()), dtype=object)
    else:
        coefficients = optimal_coefficients(k, labels, ridge)
    C = ridge * coefficients.T @ coefficients
    entries = np.where(k == 0, -C, 0 * C)
    diagonal = np.array([row @ column for row, column in zip(C, k.T, strict=True)], dtype=C.dtype)
    return Certificate(k, diagonal, np.diag(diagonal) - C - entries, entries)


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
