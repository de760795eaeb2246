"""The L-DUFM problem: its sizes, its regularisation and its objective."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.descent._activation import Activation, ReLU, SmoothReLU, activation

__all__ = ["Problem", "positive_integer", "positive_number", "relaxed"]


def positive_integer(name: str, value: object, least: int = 1) -> int:
    """Return ``value`` as an int that is at least ``least``, or say what is wrong with it."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value!r}")
    return int(value)


def positive_number(name: str, value: object) -> float:
    """Return ``value`` as a positive finite float, or say what is wrong with it."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    number = float(value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{name} must be positive and finite, got {value!r}")
    return number


@dataclass(frozen=True)
class Problem:
    """One instance of the deep unconstrained features model.

    minimise 1/(2N) ‖W_L σ(W_{L−1} σ( … σ(W_1 H_1))) − Y‖² + λ_{H1}/2 ‖H_1‖² + Σ_l λ_{Wl}/2 ‖W_l‖²

    over the features H_1 and the weights, with N = Kn samples and one-hot labels.
    Samples are in rows here: H_1 has shape (N, d_1), W_l has shape (d_{l+1}, d_l) with d_{L+1} = K,
    sample i belongs to class i // n, and the next layer is σ(H W^T).

    Attributes
    ----------
    K, L, n : int
        Classes, layers, samples per class.
    lams : tuple of L + 1 floats
        (λ_H1, λ_W1, …, λ_WL).
    widths : tuple of L ints
        (d_1, …, d_L), each at least K.
    activations : tuple of L − 1 activations
        The σ that makes H_2, …, H_L.

    References
    ----------
    `lowrank`, Definition 2 and equation (1).

    Examples
    --------
    >>> problem = Problem.of(10, 4, 5e-4, width=64)
    >>> problem.widths, problem.N
    ((64, 64, 64, 64), 10)
    """

    K: int
    L: int
    lams: tuple[float, ...]
    n: int
    widths: tuple[int, ...]
    activations: tuple[Activation, ...]

    @classmethod
    def of(
        cls,
        K: int,
        L: int,
        lam: float | None = None,
        *,
        lams: Sequence[float] | None = None,
        n: int = 1,
        width: int | Sequence[int] = 64,
        activation: str | Activation | Sequence[str | Activation] = "relu",
        eps: float = 1e-3,
    ) -> Problem:
        """Make a problem from what a user would write.

        Parameters
        ----------
        K, L : int
            Classes (at least 2) and layers (at least 2).
        lam : float, optional
            One regularisation for every matrix.
        lams : sequence of L + 1 floats, optional
            (λ_H1, λ_W1, …, λ_WL). Exactly one of ``lam`` and ``lams`` is given.
        n : int
            Samples per class.
        width : int or sequence of L ints
            d_1, …, d_L; at least K, or the collapsed solutions do not fit.
        activation : str, Activation or a sequence of L − 1 of them
            ``"relu"``, ``"relu_eps"``, ``"identity"``. The simplified problem (2) of the paper is
            ``("identity",) * (L - 2) + ("relu",)``.
        eps : float
            The ε of ``"relu_eps"``.

        Returns
        -------
        Problem

        Raises
        ------
        ValueError, TypeError
            For an argument outside what is said above.
        """
        K, L, n = positive_integer("K", K, 2), positive_integer("L", L, 2), positive_integer("n", n)
        return cls(K, L, _lams(L, lam, lams), n, _widths(K, L, width), _activations(L, activation, eps))

    @property
    def N(self) -> int:
        """Number of samples Kn."""
        return self.K * self.n

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shapes of H_1, W_1, …, W_L."""
        d = (*self.widths, self.K)
        return ((self.N, d[0]), *((d[l + 1], d[l]) for l in range(self.L)))

    @property
    def size(self) -> int:
        """Number of parameters of one run."""
        return sum(rows * columns for rows, columns in self.shapes)

    def labels(self, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu") -> Float[Tensor, "N K"]:
        """One-hot labels, class by class."""
        return torch.eye(self.K, dtype=dtype, device=device).repeat_interleave(self.n, 0)

    def check(self, parameters: Sequence[Tensor]) -> None:
        """Raise ValueError unless ``parameters`` are (H_1, W_1, …, W_L), batched over runs."""
        if len(parameters) != self.L + 1:
            raise ValueError(f"parameters must be the {self.L + 1} matrices H_1, W_1, …, W_L, got {len(parameters)}")
        batch = parameters[0].shape[:-2]
        for i, (matrix, shape) in enumerate(zip(parameters, self.shapes, strict=True)):
            name = f"W_{i}" if i else "H_1"
            if matrix.shape != (*batch, *shape):
                raise ValueError(f"{name} must have shape {(*batch, *shape)}, got {tuple(matrix.shape)}")

    def layers(self, parameters: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """Run the network.

        Parameters
        ----------
        parameters : sequence of tensors
            (H_1, W_1, …, W_L), each with any number of leading batch dimensions.

        Returns
        -------
        features : list of L tensors
            H_1, …, H_L.
        pre : list of L − 1 tensors
            The pre-activations H̃_2, …, H̃_L.
        output : tensor
            W_L H_L, of shape (…, N, K).
        """
        features, pre = [parameters[0]], []
        for weight, act in zip(parameters[1:-1], self.activations, strict=True):
            pre.append(features[-1] @ weight.mT)
            out = torch.empty_like(pre[-1])
            act.forward(pre[-1], out)
            features.append(out)
        return features, pre, features[-1] @ parameters[-1].mT

    def loss(self, parameters: Sequence[Tensor]) -> Float[Tensor, "*runs"]:
        """The objective (1).

        Examples
        --------
        >>> problem = Problem.of(3, 2, 0.1, width=3)
        >>> eye = torch.eye(3, dtype=torch.float64)
        >>> float(problem.loss([eye, eye, eye]))  # fits exactly; three matrices of squared norm 3
        0.45000000000000007
        """
        self.check(parameters)
        return self.objective(parameters, self.layers(parameters)[2])

    def objective(self, parameters: Sequence[Tensor], output: Float[Tensor, "*runs N K"]) -> Float[Tensor, "*runs"]:
        """Compute the objective (1) from the output of the network."""
        fit = (output - self.labels(output.dtype, output.device)).square().sum((-2, -1)) / (2 * self.N)
        for lam, p in zip(self.lams, parameters, strict=True):
            fit = fit + lam / 2 * p.square().sum((-2, -1))
        return fit


def relaxed(problem: Problem, eps: float) -> Problem:
    """Return the problem with every ReLU replaced by ReLU_ε.

    Examples
    --------
    >>> relaxed(Problem.of(3, 2, 0.1, width=3), 0.01).activations
    (SmoothReLU(eps=0.01),)
    """
    smooth = tuple(SmoothReLU(eps) if isinstance(a, ReLU) else a for a in problem.activations)
    return replace(problem, activations=smooth)


def _lams(L: int, lam: float | None, lams: Sequence[float] | None) -> tuple[float, ...]:
    if (lam is None) == (lams is None):
        raise ValueError(f"give exactly one of lam and lams, got lam={lam!r} and lams={lams!r}")
    if lams is None:
        return (positive_number("lam", lam),) * (L + 1)
    values = tuple(positive_number(f"lams[{i}]", value) for i, value in enumerate(lams))
    if len(values) != L + 1:
        raise ValueError(f"lams must have L + 1 = {L + 1} entries (λ_H1, λ_W1, …, λ_WL), got {len(values)}")
    return values


def _widths(K: int, L: int, width: int | Sequence[int]) -> tuple[int, ...]:
    widths = tuple(width) if isinstance(width, Sequence) else (width,) * L
    if len(widths) != L:
        raise ValueError(f"width must be one integer or L = {L} of them, got {len(widths)}")
    values = tuple(positive_integer("width", w) for w in widths)
    if min(values) < K:
        raise ValueError(f"width must be at least K = {K} in every layer, got {min(values)}")
    return values


def _activations(L: int, spec: str | Activation | Sequence[str | Activation], eps: float) -> tuple[Activation, ...]:
    specs = (spec,) * (L - 1) if isinstance(spec, str | Activation) else tuple(spec)
    if len(specs) != L - 1:
        raise ValueError(f"activation must be one or L - 1 = {L - 1} of them, got {len(specs)}")
    return tuple(activation(s, eps) for s in specs)
