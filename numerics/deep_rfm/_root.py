"""The square root of the AGOP of a kernel machine."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.agop import kernel_agop
from numerics.deep_rfm._measuring import timed
from numerics.kernels import Kernel
from numerics.linalg import psd_eigh
from numerics.tensors import check_matrix

__all__ = ["AgopRoot", "agop_root"]


@dataclass(frozen=True, eq=False)
class AgopRoot:
    """M^{1/2} as V diag(values) Vᵀ, V with orthonormal columns; at most as many as samples or features.

    Parameters
    ----------
    vectors : Tensor, shape (d, r)
        V.
    values : Tensor, shape (r,)
        Square roots of the eigenvalues of M, ascending.

    Examples
    --------
    >>> root = AgopRoot(torch.tensor([[1.0], [0.0]]), torch.tensor([3.0]))
    >>> root(torch.tensor([[2.0, 5.0]])).tolist()
    [[6.0, 0.0]]
    """

    vectors: Float[Tensor, "d r"]
    values: Float[Tensor, " r"]

    @cached_property
    def matrix(self) -> Float[Tensor, "d d"]:
        """M^{1/2} itself."""
        return (self.vectors * self.values) @ self.vectors.T

    def __call__(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        d, r = self.vectors.shape
        return X @ self.matrix if 2 * r > d else ((X @ self.vectors) * self.values) @ self.vectors.T


def agop_root(
    kernel: Kernel,
    X: Float[Tensor, "n d"],
    alpha: Float[Tensor, "n c"],
    *,
    route: Literal["auto", "features", "samples"] = "auto",
    memory_limit: int | None = None,
    timings: dict[str, float] | None = None,
) -> AgopRoot:
    """The square root of the AGOP of a kernel machine, by the cheaper of the d × d and the n × n eigenproblem.

    Parameters
    ----------
    kernel : Kernel
        A linear or radial kernel without a Mahalanobis matrix.
    X : Tensor, shape (n, d)
        The points, in rows.
    alpha : Tensor, shape (n, c)
        Coefficients, one row a point and one column an output.
    route : {"auto", "features", "samples"}
        As for `numerics.agop.kernel_agop`.
    memory_limit : int, optional
        As for `numerics.agop.kernel_agop`.
    timings : dict, optional
        If given, the seconds of the steps ``"agop"`` and ``"root"`` are added to it.

    Returns
    -------
    AgopRoot

    Raises
    ------
    TypeError, ValueError
        As `numerics.agop.kernel_agop` does, and if the kernel has a Mahalanobis matrix.

    Notes
    -----
    The kernels here see points through their distances or inner products alone, so gradients lie in the span of the
    points. With n < d both the AGOP and its root are computed in n coordinates on an orthonormal basis of that span.

    Examples
    --------
    >>> from numerics.kernels import Linear
    >>> X = torch.eye(2, dtype=torch.float64)
    >>> agop_root(Linear(), X, 3.0 * X).matrix.tolist()  # the gradient of x ↦ 3x
    [[3.0, 0.0], [0.0, 3.0]]
    """
    if not isinstance(kernel, Kernel):
        raise TypeError(
            f"kernel is a {type(kernel).__name__}; kernel must be a linear or radial one of numerics.kernels"
        )
    check_matrix("X", X, detached=True)
    if kernel.M is not None:
        raise ValueError("kernel has a Mahalanobis matrix M; kernel must have none: M^{1/2} is what is computed")
    timings = {} if timings is None else timings
    n, d = X.shape
    if n < d:
        with timed(timings, "root", X.device):
            basis = torch.linalg.qr(X.T).Q
            X = X @ basis
    with timed(timings, "agop", X.device):
        M = kernel_agop(kernel, X, alpha, route=route, memory_limit=memory_limit)
    with timed(timings, "root", X.device):
        values, vectors = psd_eigh(M)
        if n < d:
            vectors = basis @ vectors
        return AgopRoot(vectors, values.sqrt())
