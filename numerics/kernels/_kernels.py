"""Kernels and their gradients.

Every kernel takes samples in rows. A kernel is a small immutable object: calling it gives the kernel matrix, and its
method `gradient` the gradient in the first argument. Each may carry a Mahalanobis matrix M, symmetric positive
semi-definite, which replaces ⟨x, z⟩ by xᵀMz and ‖x − z‖² by (x − z)ᵀM(x − z).

Points of any size are taken: matrices are computed of the points divided by a power of two, and of a bandwidth divided
by the same, so that no square leaves the floating-point numbers.
"""

import abc
import math
import sys
from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.kernels._distances import coincidence_radius, squared_distances
from numerics.linalg import gram, row_blocks, row_squares
from numerics.scaling import common_scale, restored
from numerics.tensors import check_matrix, check_same_kind, check_symmetric
from theory.arguments import check_real

__all__ = ["Gaussian", "Kernel", "Laplace", "Linear", "Linearised", "RadialKernel"]

Radial = TypeVar("Radial", bound="RadialKernel")

# Bandwidths, in the size of the points, whose powers the dtype holds. Below the smallest a kernel is zero off the
# diagonal to the last digit; above the largest its values are one, but gradients vanish and are refused.
_SMALLEST = {torch.float64: 1e-100, torch.float32: 1e-12}
_LARGEST = {torch.float64: 1e100, torch.float32: 1e12}


@dataclass(frozen=True, eq=False)
class Kernel(abc.ABC):
    """A positive semi-definite kernel with an optional Mahalanobis matrix.

    Parameters
    ----------
    M : Tensor, shape (d, d), optional
        Symmetric positive semi-definite.

    Raises
    ------
    TypeError, ValueError
        If M is no such matrix.
    """

    M: Float[Tensor, "d d"] | None = field(default=None, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        if self.M is None:
            return
        M = check_symmetric("M", self.M, detached=True)
        values, vectors = torch.linalg.eigh(M)
        if float(values[0]) < -M.shape[0] * torch.finfo(M.dtype).eps * float(M.abs().max()):
            raise ValueError(f"M has the eigenvalue {float(values[0]):.3g}; M must be positive semi-definite")
        root = (vectors * values.clamp_min(0.0).sqrt()) @ vectors.T
        object.__setattr__(self, "_root", root)

    def _convert(self, name: str, *, above: float | None = None, at_least: float | None = None) -> None:
        """Check a field that is a real number, and make it a float if it is a number of another type."""
        value = getattr(self, name)
        number = check_real(name, value, above=above, at_least=at_least)
        if type(value) is not float:
            object.__setattr__(self, name, number)

    def root(self) -> Float[Tensor, "d d"] | None:
        """M^{1/2}, or None without M."""
        return getattr(self, "_root", None)

    def mapped(self, X: Float[Tensor, "n d"], name: str = "X") -> Float[Tensor, "n d"]:
        """X M^{1/2}: the points on which the kernel without M has the same values.

        Parameters
        ----------
        X : Tensor, shape (n, d)
            Points in rows.
        name : str
            What they are called, for the error.

        Returns
        -------
        Tensor, shape (n, d)

        Raises
        ------
        ValueError
            If X and M differ in dimension, dtype or device.
        """
        root = self.root()
        if root is None:
            return X
        if X.shape[1] != root.shape[0]:
            raise ValueError(f"{name} has {X.shape[1]} columns but M is {root.shape[0]} × {root.shape[0]}")
        check_same_kind(name, X, "M", root)
        return X @ root

    def _arguments(self, X: Tensor, Z: Tensor | None) -> tuple[Tensor, Tensor | None, float]:
        """X M^{1/2} and Z M^{1/2}, both divided by a power of two if their squares are at risk, and that power."""
        x = self.mapped(check_matrix("X", X, detached=True))
        z = None
        if Z is not None:
            check_same_kind("Z", check_matrix("Z", Z, columns=X.shape[1], detached=True), "X", X)
            z = self.mapped(Z, "Z")
        scale = common_scale(x, z)
        return (x, z, scale) if scale == 1.0 else (x / scale, None if z is None else z / scale, scale)

    @abc.abstractmethod
    def __call__(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m"]:
        """The matrix of k(x_i, z_j); without Z, of k(x_i, x_j).

        Parameters
        ----------
        X : Tensor, shape (n, d)
            Points in rows.
        Z : Tensor, shape (m, d), optional
            Points in rows.

        Returns
        -------
        Tensor, shape (n, m)

        Raises
        ------
        TypeError, ValueError
            If the points are no finite floating-point matrices, do not fit together or with M, or require a gradient
            of autograd: derivatives are given by `gradient`.
        """

    @abc.abstractmethod
    def gradient(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m d"]:
        """The gradient of k(x_i, z_j) in its first argument x_i.

        Parameters
        ----------
        X : Tensor, shape (n, d)
            Points in rows.
        Z : Tensor, shape (m, d), optional
            Points in rows; X by default.

        Returns
        -------
        Tensor, shape (n, m, d)
        """

    def diagonal(self, X: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """k(x_i, x_i) for every row, without the rest of the matrix.

        Parameters
        ----------
        X : Tensor, shape (n, d)
            Points in rows.

        Returns
        -------
        Tensor, shape (n,)
        """
        x, _, scale = self._arguments(X, None)
        return restored(x.square().sum(dim=1), scale, "the kernel's diagonal")


@dataclass(frozen=True, eq=False)
class RadialKernel(Kernel):
    """A kernel φ(‖x − z‖_M) of the distance alone, with φ(0) = 1.

    Its gradient in x is p(x, z) M (x − z) with the *radial factor* p = φ'(r)/r. At coincident points the gradient is
    zero: of itself where φ is smooth (Gaussian), and by convention where φ has a kink and no gradient exists
    (Laplace), as the paper's code does. The factor is therefore set to zero there for every kernel. Coincident means
    closer than `COINCIDENCE` times the largest distance of a point of Z from their mean (1e-10 in float64): nearer
    pairs differ by rounding alone, and the direction of their difference means nothing.

    Parameters
    ----------
    bandwidth : float
        Length scale L > 0.
    M : Tensor, shape (d, d), optional
        Mahalanobis matrix.
    """

    bandwidth: float

    def __post_init__(self) -> None:
        self._convert("bandwidth", above=0.0)
        super().__post_init__()

    @abc.abstractmethod
    def profile(self, square: Float[Tensor, "n m"]) -> Float[Tensor, "n m"]:
        """φ(r) from r², overwriting its argument."""

    @abc.abstractmethod
    def slope(self, square: Float[Tensor, "n m"], coincident: float) -> Float[Tensor, "n m"]:
        """φ'(r)/r from r², overwriting its argument; zero where r² is at most `coincident`."""

    def at_scale(self: Radial, scale: float) -> Radial:
        """The kernel of the mapped points divided by `scale`: without M, and the bandwidth divided as well."""
        if scale == 1.0 and self.M is None:
            return self
        bandwidth = min(max(self.bandwidth / scale, sys.float_info.min), sys.float_info.max)
        return replace(self, M=None, bandwidth=bandwidth)

    def _gradient_bandwidth(self, dtype: torch.dtype) -> float:
        """The bandwidth where the radial factor is within the numbers of a dtype, for points of size about one."""
        if self.bandwidth > _LARGEST[dtype]:
            raise ValueError(
                f"bandwidth is {self.bandwidth:.3g} times the size of the points; it must be at most "
                f"{_LARGEST[dtype]:.0e} times for gradients in {dtype}"
            )
        return max(self.bandwidth, _SMALLEST[dtype])

    def __call__(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m"]:
        x, z, scale = self._arguments(X, Z)
        return self.at_scale(scale).profile(squared_distances(x, z))

    def gradient(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m d"]:
        x, z, scale = self._arguments(X, Z)
        points = x if z is None else z
        radius = coincidence_radius(row_squares(points - points.mean(dim=0)))
        factor = self.at_scale(scale).slope(squared_distances(x, z), radius)
        result = (factor[:, :, None] * (x[:, None, :] - points)).div_(scale)
        root = self.root()
        return result if root is None else result @ root

    def diagonal(self, X: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Ones: φ(0) = 1."""
        return torch.ones_like(check_matrix("X", X)[:, 0])


def _rate(rate: float, dtype: torch.dtype) -> float:
    """A rate of decay, if need be the largest number: a product with zero is then zero."""
    return min(rate, torch.finfo(dtype).max)


@dataclass(frozen=True, eq=False)
class Laplace(RadialKernel):
    """The Laplace kernel exp(−‖x − z‖₂ / bandwidth).

    Parameters
    ----------
    bandwidth : float
        Length scale L > 0.
    M : Tensor, shape (d, d), optional
        Mahalanobis matrix.

    References
    ----------
    agop, appendix D (bandwidth 2 there).

    Examples
    --------
    >>> x = torch.tensor([[0.0], [2.0]], dtype=torch.float64)
    >>> Laplace(2.0)(x)[0, 1].item() == math.exp(-1.0)
    True
    """

    def profile(self, square: Float[Tensor, "n m"]) -> Float[Tensor, "n m"]:
        return square.sqrt_().mul_(-_rate(1.0 / self.bandwidth, square.dtype)).exp_()

    def slope(self, square: Float[Tensor, "n m"], coincident: float) -> Float[Tensor, "n m"]:
        bandwidth = self._gradient_bandwidth(square.dtype)
        for rows in row_blocks(square):
            part = square[rows]
            apart = part > coincident
            distance = part.sqrt()
            torch.mul(distance, -1.0 / bandwidth, out=part).exp_()
            part.div_(distance.mul_(-bandwidth)).masked_fill_(apart.logical_not_(), 0.0)
        return square


@dataclass(frozen=True, eq=False)
class Gaussian(RadialKernel):
    """The Gaussian kernel exp(−‖x − z‖² / (2 bandwidth²)).

    Parameters
    ----------
    bandwidth : float
        Length scale L > 0.
    M : Tensor, shape (d, d), optional
        Mahalanobis matrix.

    Examples
    --------
    >>> x = torch.tensor([[0.0], [2.0]], dtype=torch.float64)
    >>> Gaussian(2.0)(x)[0, 1].item() == math.exp(-0.5)
    True
    """

    def profile(self, square: Float[Tensor, "n m"]) -> Float[Tensor, "n m"]:
        variance = self.bandwidth * self.bandwidth
        return square.mul_(-_rate(0.5 / variance if variance else math.inf, square.dtype)).exp_()

    def slope(self, square: Float[Tensor, "n m"], coincident: float) -> Float[Tensor, "n m"]:
        bandwidth = self._gradient_bandwidth(square.dtype)
        apart = square > coincident
        return self.profile(square).mul_(-1.0 / bandwidth**2).mul_(apart)


@dataclass(frozen=True, eq=False)
class Linear(Kernel):
    """The linear kernel xᵀMz (xᵀz without M).

    Parameters
    ----------
    M : Tensor, shape (d, d), optional
        Mahalanobis matrix.

    Examples
    --------
    >>> Linear()(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])).item()
    11.0
    """

    def __call__(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m"]:
        x, z, scale = self._arguments(X, Z)
        return restored(gram(x) if z is None else x @ z.T, scale, "the kernel matrix")

    def gradient(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m d"]:
        x, z, scale = self._arguments(X, Z)
        root = self.root()
        rows = x if z is None else z
        rows = (rows if root is None else rows @ root) * scale
        if not bool(torch.isfinite(rows).all()):
            raise ValueError(f"the gradients are beyond what {rows.dtype} can hold; X, Z and M must be scaled")
        return rows.expand(X.shape[0], *rows.shape).clone()


@dataclass(frozen=True, eq=False)
class Linearised(Linear):
    """The linearised kernel XᵀX + λI of the asymptotic theory.

    The perturbation λI belongs to the training points, by their index: it is on the diagonal of k(X) and absent from
    k(X, Z). Gradients are those of the linear part, as in the theory, where the predictor's AGOP is X ααᵀ Xᵀ.

    Parameters
    ----------
    lam : float
        λ ≥ 0.
    M : Tensor, shape (d, d), optional
        Mahalanobis matrix.

    References
    ----------
    agop, section 5.1.

    Examples
    --------
    >>> x = torch.eye(2, dtype=torch.float64)
    >>> Linearised(0.5)(x).tolist()
    [[1.5, 0.0], [0.0, 1.5]]
    """

    lam: float

    def __post_init__(self) -> None:
        self._convert("lam", at_least=0.0)
        super().__post_init__()

    def __call__(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m"]:
        values = super().__call__(X, Z)
        if Z is None:
            values.diagonal().add_(self.lam)
        return values

    def diagonal(self, X: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        return super().diagonal(X) + self.lam
