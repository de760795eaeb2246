r"""The average gradient outer product (AGOP) of a kernel machine on its own training points, exactly.

$$ \mathrm{AGOP}(f, X) = \frac1n \sum_{i=1}^n \sum_{c=1}^C \nabla f_c(x_i)\, \nabla f_c(x_i)^\top ,
   \qquad f(x) = \sum_j α_j k(x, x_j) $$

A radial kernel has the gradient p(x, z) (x − z) with p = φ'(r)/r, so with P_ij = p(x_i, x_j) and s = Pα the gradient
of output c at x_i is Xᵀw_ic, w_ic = s_ic e_i − P_i∘α_c. Two orders of summation give two routes:

features
    Form the n·C gradients, then their outer products: 2n²dC + nCd² flops.
samples
    Sum the outer products of the w first. They need no dimension of the features at all,

    $$ \sum_{i,c} w_{ic} w_{ic}^\top = Q
       = P^2 ∘ αα^\top - P ∘ (sα^\top + αs^\top) + \mathrm{diag}\Bigl(\sum_c s_{ic}^2\Bigr) $$

    and AGOP = XᵀQX / n. All of P², Q and the last product are symmetric, so half of their flops suffice: n³ + O(n²C)
    for Q, and n²d + 2nd², or n³/3 + n²d + nd² through a Cholesky factor of Q, for the rest.

The samples route is cheaper by about the number of outputs when C·d ≫ n, and never builds anything of size n·C·d.

Its price is that it squares: w is summed against X after the outer product, so that when the gradients are small by
cancellation (‖Xᵀw‖ ≪ ‖X‖‖w‖) rounding is amplified by the square of the ratio. So it does as classes collapse, since a
pair of near points has a large p(x, z) and a small x − z. The amplification is foreseen from the gradients at a few
points. Where it would cost more than 4·10⁻¹¹ of the result (float64), pairs within a cluster are taken apart: with
w = u + v, v over the pairs of near points and u over all others, and with Δ the points less the mean of their
cluster, Xᵀw = Xᵀu + Δᵀv, and neither term cancels. Where that does not help either, ``route="auto"`` takes the
features route after all, whose gradients keep their digits among points at any distance.
"""

import math
import warnings
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.agop._cost import agop_cost
from numerics.agop._features_route import by_features
from numerics.agop._machine import KernelMachine
from numerics.agop._memory import free_memory
from numerics.agop._near_pairs import symmetric_part
from numerics.agop._samples_route import by_samples, tolerated_amplification
from numerics.kernels import Kernel, Linear, RadialKernel
from numerics.linalg import gram
from numerics.scaling import common_scale, restored
from numerics.tensors import check_matrix, check_same_kind
from theory.arguments import IntegerLike, check_choice, check_integer

__all__ = ["AgopAccuracyWarning", "kernel_agop"]

Route = Literal["auto", "features", "samples"]


class AgopAccuracyWarning(RuntimeWarning):
    """The AGOP has lost more than half of its digits to rounding."""


def kernel_agop(
    kernel: Kernel,
    X: Float[Tensor, "n d"],
    alpha: Float[Tensor, "n c"],
    *,
    route: Route = "auto",
    memory_limit: int | None = None,
) -> Float[Tensor, "d d"]:
    """The AGOP of f(x) = Σ_j alpha_j k(x, x_j), averaged over the same points X.

    Parameters
    ----------
    kernel : Kernel
        A linear or radial kernel of `numerics.kernels`.
    X : Tensor, shape (n, d)
        The points, in rows.
    alpha : Tensor, shape (n, c)
        Coefficients, one row a point and one column an output.
    route : {"auto", "features", "samples"}
        ``"auto"`` takes the cheaper by `agop_cost`, unless the samples route would amplify rounding errors too much
        (see the module's notes). Ignored for linear kernels.
    memory_limit : int, optional
        Bytes of working memory, the result included. By default four fifths of what is free. Where the n × n
        matrices do not fit they are made in panels, for n²d flops more a panel.

    Returns
    -------
    Tensor, shape (d, d)
        Positive semi-definite up to rounding, symmetric exactly.

    Raises
    ------
    TypeError, ValueError
        If arguments do not fit together or are not finite, the memory limit is too small for one block, or the entries
        of the AGOP are beyond the numbers of X's dtype.

    Warns
    -----
    AgopAccuracyWarning
        If less than half of the digits are right: where ``route="samples"`` was asked for, or where the gradients are
        left of terms that cancel by themselves.

    Notes
    -----
    Coincident points contribute a zero gradient (see `numerics.kernels.RadialKernel`). For a linear kernel
    the gradient is β = MXᵀα everywhere, and the AGOP is ββᵀ.

    References
    ----------
    agop, equation (1).

    Examples
    --------
    >>> from numerics.kernels import Laplace
    >>> x = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    >>> alpha = torch.tensor([[1.0], [0.0]], dtype=torch.float64)
    >>> round(kernel_agop(Laplace(1.0), x, alpha).item(), 6)  # only x = 1 has a gradient: e⁻² / 2
    0.067668
    """
    memory_limit = _check(kernel, X, alpha, route, memory_limit)
    points = kernel.mapped(X)  # the gradient in x is M^{1/2} times the one in these coordinates
    scale, size = common_scale(points), common_scale(alpha)
    if (scale, size) != (1.0, 1.0):
        points, alpha = points / scale, alpha / size
    if isinstance(kernel, Linear):
        inner, scale = gram(points.T @ alpha), size * scale
    else:
        assert isinstance(kernel, RadialKernel)
        inner, scale = _radial_agop(kernel.at_scale(scale), points, alpha, route, memory_limit), size / scale
    root = kernel.root()
    if root is not None:
        inner = symmetric_part(0.5 * root @ inner @ root)
    return restored(inner, scale, "the AGOP")


def _check(kernel: Kernel, X: Tensor, alpha: Tensor, route: str, memory_limit: IntegerLike | None) -> int | None:
    if not isinstance(kernel, Linear | RadialKernel):
        raise TypeError(
            f"kernel is a {type(kernel).__name__}; kernel must be a linear or radial one of numerics.kernels"
        )
    check_matrix("X", X, detached=True)
    check_matrix("alpha", alpha, detached=True)
    check_same_kind("alpha", alpha, "X", X)
    if alpha.shape[0] != X.shape[0]:
        raise ValueError(f"alpha has shape {tuple(alpha.shape)}; alpha must have one row a point: {X.shape[0]}")
    check_choice("route", route, ("auto", "features", "samples"))
    return None if memory_limit is None else check_integer("memory_limit", memory_limit, at_least=1)


def _radial_agop(kernel: RadialKernel, X: Tensor, alpha: Tensor, route: Route, memory_limit: int | None) -> Tensor:
    limit = free_memory(X.device) if memory_limit is None else memory_limit
    machine = KernelMachine(kernel, X, alpha)
    cost = agop_cost(X.shape[0], X.shape[1], alpha.shape[1])
    if route == "samples" or (route == "auto" and cost["samples"] < cost["features"]):
        inner, amplification = by_samples(machine, limit, forced=route == "samples")
        if inner is not None and (route == "samples" or amplification <= tolerated_amplification(X.dtype)):
            _warn_of(amplification, X.dtype, "the samples route amplified rounding", "; use route='features'")
            return inner
    inner, amplification = by_features(machine, limit)
    _warn_of(amplification, X.dtype, "gradients are left of terms that cancel, which amplified rounding", "")
    return inner


def _warn_of(amplification: float, dtype: torch.dtype, what: str, advice: str) -> None:
    error = amplification * torch.finfo(dtype).eps
    if error > math.sqrt(torch.finfo(dtype).eps):
        message = f"{what} by {amplification:.1e}: relative error about {error:.0e}{advice}"
        warnings.warn(message, AgopAccuracyWarning, stacklevel=4)
