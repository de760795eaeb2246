"""Rank, effective rank and condition number as functions of a spectrum.

A spectrum is a vector of numbers ≥ 0 in any order, or a batch of them in the last dimension. Singular values of a
matrix and eigenvalues of its Gram matrix are different spectra with different effective ranks: the caller says which.
For the singular values (2, 1) it is 1.890, for the eigenvalues (4, 1) of the Gram matrix 1.649.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from numerics.scaling import binary_scale
from numerics.tensors import check_tensor
from theory.arguments import RealLike, check_real

__all__ = ["condition_number", "effective_rank", "psd_spectrum", "rank"]


def effective_rank(spectrum: Float[Tensor, "*batch k"]) -> Float[Tensor, "*batch"]:
    """Return exp of the entropy of a spectrum scaled to sum to one: r for r equal numbers, 0 for a spectrum of zeros.

    It does not change with scale.

    Parameters
    ----------
    spectrum : tensor, shape (..., k)
        Singular values (as in the reference), or eigenvalues such as those of `psd_spectrum`. A matrix is a batch of
        spectra here: of a covariance C ask for ``effective_rank(psd_spectrum(C))``.

    Returns
    -------
    tensor, shape (...)

    Raises
    ------
    ValueError
        If an entry is negative or not finite.

    References
    ----------
    O. Roy and M. Vetterli, The effective rank: a measure of effective dimensionality (2007).

    Examples
    --------
    >>> effective_rank(torch.tensor([1.0, 1.0, 1.0, 0.0]))
    tensor(3.)
    >>> A = torch.diag(torch.tensor([2.0, 1.0], dtype=torch.float64))
    >>> print(f"{effective_rank(torch.linalg.svdvals(A)):.3f} {effective_rank(psd_spectrum(A @ A.T)):.3f}")
    1.890 1.649
    """
    spectrum = _check_spectrum("spectrum", spectrum)
    shares = spectrum / binary_scale(spectrum, dim=-1).unsqueeze(-1)
    total = shares.sum(-1, keepdim=True)
    shares = shares / torch.where(total == 0, 1.0, total)
    return torch.where(total[..., 0] == 0, 0.0, torch.special.entr(shares).sum(-1).exp())


def condition_number(
    singular_values: Float[Tensor, "*batch k"], *, zero: float | Tensor | None = None
) -> Float[Tensor, "*batch"]:
    """Return the largest over the smallest singular value, infinite where the smallest counts as zero.

    Parameters
    ----------
    singular_values : tensor, shape (..., k)
        All k of them, those that are zero included.
    zero : float or tensor of shape (...), optional
        The size up to which a singular value counts as zero; by default k machine epsilons times the largest, which is
        what a decomposition can tell from zero.

    Returns
    -------
    tensor, shape (...)

    Raises
    ------
    ValueError
        If an entry is negative or not finite.

    Examples
    --------
    >>> condition_number(torch.tensor([[2.0, 1.0], [1.0, 1e-17], [0.0, 0.0]]))
    tensor([2., inf, inf])
    """
    singular_values = _check_spectrum("singular_values", singular_values)
    largest, smallest = singular_values.amax(-1), singular_values.amin(-1)
    if zero is None:
        zero = singular_values.shape[-1] * torch.finfo(largest.dtype).eps * largest
    elif not isinstance(zero, Tensor) or zero.ndim == 0:
        zero = check_real("zero", zero, at_least=0.0)
    return torch.where(smallest <= zero, torch.inf, largest / smallest)


def rank(singular_values: Float[Tensor, "*batch k"], tol: RealLike = 1e-3) -> Int[Tensor, "*batch"]:
    """Count the singular values above `tol` times the largest; a zero matrix has rank 0.

    Parameters
    ----------
    singular_values : tensor, shape (..., k)
    tol : float
        From 0 to below 1.

    Returns
    -------
    tensor of integers, shape (...)

    Raises
    ------
    ValueError
        If an entry is negative or not finite, or tol is not in [0, 1).

    Examples
    --------
    >>> rank(torch.tensor([[2.0, 1.0, 1e-9], [0.0, 0.0, 0.0]]))
    tensor([2, 0])
    """
    singular_values = _check_spectrum("singular_values", singular_values)
    tol = check_real("tol", tol, at_least=0)
    if tol >= 1:
        raise ValueError(f"tol = {tol!r}; tol must be in [0, 1)")
    return (singular_values > tol * singular_values.amax(-1, keepdim=True)).sum(-1)


def psd_spectrum(matrix: Float[Tensor, "*batch d d"]) -> Float[Tensor, "*batch d"]:
    """Return the eigenvalues of a symmetric positive semi-definite matrix, ascending; negative by rounding is zero.

    Parameters
    ----------
    matrix : tensor, shape (..., d, d)
        Such as a covariance or a Gram matrix. Asymmetry and negative eigenvalues up to 8 d machine epsilons times the
        largest entry count as rounding.

    Returns
    -------
    tensor, shape (..., d)

    Raises
    ------
    ValueError
        If the matrix is not square, not finite, not symmetric, or has a negative eigenvalue.

    Examples
    --------
    >>> psd_spectrum(torch.tensor([[2.0, 1.0], [1.0, 2.0]]))
    tensor([1., 3.])
    """
    check_tensor("matrix", matrix, dimensions=2)
    if matrix.shape[-1] != matrix.shape[-2]:
        raise ValueError(f"matrix has shape {tuple(matrix.shape)}; matrix must be square")
    scale = binary_scale(matrix, dim=(-2, -1))[..., None, None]
    scaled = matrix / scale  # the largest entry is between 1 and 2
    rounding = 16 * matrix.shape[-1] * torch.finfo(matrix.dtype).eps
    gap = (scaled - scaled.mT).abs()
    if bool((gap > rounding).any()):
        raise ValueError(f"matrix differs from its transpose by {float((gap * scale).max()):.3g}; it must be symmetric")
    values: Tensor = torch.linalg.eigvalsh((scaled + scaled.mT) / 2) * scale[..., 0]
    if bool((values < -rounding * scale[..., 0]).any()):
        raise ValueError(f"matrix has the eigenvalue {float(values.min()):.3g}; every eigenvalue must be ≥ 0")
    return values.clamp_min(0.0)


def _check_spectrum(name: str, spectrum: Tensor) -> Tensor:
    check_tensor(name, spectrum, dimensions=1)
    if bool((spectrum < 0).any()):
        raise ValueError(f"{name} contains {float(spectrum.min()):.6g}; every entry must be ≥ 0")
    return spectrum
