"""Random feature maps: ReLU features, and cosine random Fourier features of three kernels.

A feature map is described by a small immutable object; its method `draw` draws its weights for a dimension and gives
`DrawnFeatures`, which map points. Weights are drawn on the CPU in float64 whatever the device, so that
a seed means the same features on every machine.
"""

import abc
import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.tensors import check_generator, check_matrix, check_same_kind
from theory.arguments import LARGEST_SIZE, IntegerLike, check_choice, check_integer, check_real

__all__ = ["CosineFeatures", "DrawnFeatures", "FeatureMap", "ReLUFeatures"]

Spectrum = Literal["gaussian", "laplace-l2", "laplace-l1"]


@dataclass(frozen=True, eq=False)
class DrawnFeatures:
    """Random features that were drawn: x ↦ scale · σ(Wx + b), σ the ReLU or the cosine.

    Parameters
    ----------
    activation : {"relu", "cos"}
        σ.
    weight : Tensor, shape (D, d)
        W.
    bias : Tensor, shape (D,), or None
        b, if there is one.
    scale : float
        The factor in front.

    Examples
    --------
    >>> features = DrawnFeatures("relu", torch.tensor([[1.0], [-1.0]]), None, 1.0)
    >>> features(torch.tensor([[3.0]])).tolist()
    [[3.0, 0.0]]
    """

    activation: Literal["relu", "cos"]
    weight: Float[Tensor, "D d"]
    bias: Float[Tensor, " D"] | None
    scale: float

    def __call__(self, X: Float[Tensor, "n d"]) -> Float[Tensor, "n D"]:
        check_matrix("X", X, columns=self.weight.shape[1])
        check_same_kind("X", X, "the weights", self.weight)
        out = X @ self.weight.T
        if self.bias is not None:
            out.add_(self.bias)
        out = out.relu_() if self.activation == "relu" else out.cos_()
        if self.scale != 1.0:
            out.mul_(self.scale)
        return check_matrix("the matrix of features", out)  # the points may be beyond what the weights can bear


@dataclass(frozen=True)
class FeatureMap(abc.ABC):
    """A distribution of random features.

    Parameters
    ----------
    width : int
        Number of features D ≥ 1.

    Raises
    ------
    TypeError, ValueError
        If the width is no positive integer.
    """

    width: int

    def __post_init__(self) -> None:
        self._keep("width", check_integer("width", self.width, at_least=1, at_most=LARGEST_SIZE))

    def _keep(self, name: str, number: float) -> None:
        """Keep a checked number in place of one of another type."""
        if type(getattr(self, name)) is not type(number):
            object.__setattr__(self, name, number)

    @abc.abstractmethod
    def sample(self, d: int, generator: torch.Generator) -> DrawnFeatures:
        """Weights in float64 on the CPU for points in d dimensions."""

    def draw(
        self,
        d: IntegerLike,
        generator: torch.Generator,
        *,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float64,
    ) -> DrawnFeatures:
        """Draw the weights for points in d dimensions.

        Parameters
        ----------
        d : int
            Dimension of the points.
        generator : torch.Generator
            A generator on the CPU.
        device : str or torch.device
            Where the features are to be computed.
        dtype : torch.dtype
            In what.

        Returns
        -------
        DrawnFeatures

        Raises
        ------
        TypeError, ValueError
            If d is no positive integer or the generator is not on the CPU.
        """
        drawn = self.sample(
            check_integer("d", d, at_least=1, at_most=LARGEST_SIZE), check_generator("generator", generator)
        )
        bias = None if drawn.bias is None else drawn.bias.to(device, dtype)
        return DrawnFeatures(drawn.activation, drawn.weight.to(device, dtype), bias, drawn.scale)


@dataclass(frozen=True)
class ReLUFeatures(FeatureMap):
    """ReLU random features Φ(x) = σ(Wx), W of shape (width, d) with independent entries.

    Parameters
    ----------
    width : int
        Number of features D ≥ 1.
    distribution : {"normal", "uniform"}
        ``"normal"``: N(0, 2/width), for which ⟨Φ(x), Φ(z)⟩ has the expectation of Proposition A.1 of the paper.
        ``"uniform"``: uniform in ±1/√d, the initialisation of a torch linear layer, as in the paper's code.

    References
    ----------
    agop, section 3.3, appendix A and appendix D (width 1024).

    Examples
    --------
    >>> features = ReLUFeatures(4000).draw(2, torch.Generator().manual_seed(0))
    >>> phi = features(torch.eye(2, dtype=torch.float64))
    >>> abs(phi[0] @ phi[1] - 1 / math.pi).item() < 0.1  # sin θ / π at θ = π/2, within 4/√width
    True
    """

    distribution: Literal["normal", "uniform"] = "normal"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("distribution", self.distribution, ("normal", "uniform"))

    def sample(self, d: int, generator: torch.Generator) -> DrawnFeatures:
        if self.distribution == "normal":
            weight = torch.randn(self.width, d, generator=generator, dtype=torch.float64)
            weight.mul_(math.sqrt(2.0 / self.width))
        else:
            weight = torch.rand(self.width, d, generator=generator, dtype=torch.float64)
            weight.mul_(2.0).sub_(1.0).div_(math.sqrt(d))
        return DrawnFeatures("relu", weight, None, 1.0)


@dataclass(frozen=True)
class CosineFeatures(FeatureMap):
    """Random Fourier features √(2/D) cos(ωx + b), b uniform in [0, 2π), of a shift-invariant kernel.

    ⟨Φ(x), Φ(z)⟩ has expectation k(x, z) for

    | `kernel` | k(x, z), L the bandwidth | frequencies ω |
    | --- | --- | --- |
    | ``"gaussian"`` | exp(−‖x − z‖₂² / (2L²)) | N(0, I) / L |
    | ``"laplace-l2"`` | exp(−‖x − z‖₂ / L) | multivariate Cauchy: N(0, I) / (L·abs(N(0, 1))) |
    | ``"laplace-l1"`` | exp(−‖x − z‖₁ / L) | independent Cauchy / L |

    Parameters
    ----------
    width : int
        Number of features D ≥ 1.
    kernel : {"gaussian", "laplace-l2", "laplace-l1"}
        One of the three.
    bandwidth : float
        L > 0. The paper states its ℓ1-Laplace features by a rate, 0.05: that is L = 20 here.

    References
    ----------
    agop, appendix D. A. Rahimi and B. Recht, Random features for large-scale kernel machines (2007).

    Examples
    --------
    >>> features = CosineFeatures(4000, "laplace-l1", 20.0).draw(2, torch.Generator().manual_seed(0))
    >>> phi = features(torch.tensor([[0.0, 0.0], [3.0, 4.0]], dtype=torch.float64))
    >>> abs(phi[0] @ phi[1] - math.exp(-7 / 20)).item() < 0.1
    True
    """

    kernel: Spectrum = "gaussian"
    bandwidth: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("kernel", self.kernel, ("gaussian", "laplace-l2", "laplace-l1"))
        self._keep("bandwidth", check_real("bandwidth", self.bandwidth, above=0.0))

    def sample(self, d: int, generator: torch.Generator) -> DrawnFeatures:
        D = self.width
        if self.kernel == "laplace-l1":
            uniform = torch.rand(D, d, generator=generator, dtype=torch.float64)
            frequencies = uniform.sub_(0.5).mul_(math.pi).tan_()
        else:
            frequencies = torch.randn(D, d, generator=generator, dtype=torch.float64)
            if self.kernel == "laplace-l2":
                frequencies.div_(torch.randn(D, 1, generator=generator, dtype=torch.float64).abs_())
        bias = torch.rand(D, generator=generator, dtype=torch.float64).mul_(2.0 * math.pi)
        return DrawnFeatures("cos", frequencies.div_(self.bandwidth), bias, math.sqrt(2.0 / D))
