"""The L-DUFM on tensors, samples in rows: shapes, labels, layers and the objective of a `theory.ufm.Problem`.

The problem itself is the one of theory, where samples are columns. Here H_1 has shape (N, d_1), W_l has shape
(d_{l+1}, d_l) with d_{L+1} = K, the next layer is σ(H Wᵀ), and any number of batch dimensions may come first.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.descent._activations import kernel
from numerics.descent._closed_forms import loss_dnc
from numerics.tensors import check_device
from theory.arguments import LARGEST_SIZE, check_instance, check_integer
from theory.ufm import Problem

__all__ = [
    "check_parameters",
    "check_trainable",
    "labels",
    "layers",
    "loss",
    "matrix_name",
    "objective",
    "shapes",
    "size",
]


def shapes(problem: Problem) -> tuple[tuple[int, int], ...]:
    """Return the shapes of H_1, W_1, …, W_L, samples in rows.

    Examples
    --------
    >>> shapes(Problem.of(3, 2, 0.1, n=2, width=4))
    ((6, 4), (4, 4), (3, 4))
    """
    (d, N), *weights = check_instance("problem", problem, Problem).shapes
    return ((N, d), *weights)


def size(problem: Problem) -> int:
    """Return the number of parameters of one run."""
    return sum(rows * columns for rows, columns in shapes(problem))


def labels(
    problem: Problem, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu"
) -> Float[Tensor, "N K"]:
    """Return the one-hot labels, class by class."""
    K = check_instance("problem", problem, Problem).K
    return torch.eye(K, dtype=dtype, device=check_device(device)).repeat_interleave(problem.n, 0)


def matrix_name(i: int) -> str:
    """Name the i-th of the matrices H_1, W_1, …, W_L."""
    return f"W_{i}" if i else "H_1"


def check_parameters(problem: Problem, parameters: Sequence[Tensor]) -> None:
    """Raise ValueError unless the parameters are (H_1, W_1, …, W_L), with the same batch dimensions.

    Parameters
    ----------
    problem : Problem
        The problem.
    parameters : sequence of tensors
        What is to be checked.

    Raises
    ------
    ValueError
        Naming the matrix that has a wrong shape.
    """
    check_instance("problem", problem, Problem)
    if not isinstance(parameters, (list, tuple)) or not all(isinstance(one, Tensor) for one in parameters):
        raise TypeError(f"parameters is a {type(parameters).__name__}; parameters must be a list of tensors")
    if len(parameters) != problem.L + 1:
        raise ValueError(
            f"parameters has {len(parameters)} entries;"
            f" parameters must be the {problem.L + 1} matrices H_1, W_1, …, W_L"
        )
    batch = tuple(parameters[0].shape[:-2])
    for i, (matrix, shape) in enumerate(zip(parameters, shapes(problem), strict=True)):
        if tuple(matrix.shape) != (*batch, *shape):
            raise ValueError(
                f"{matrix_name(i)} has shape {tuple(matrix.shape)}; {matrix_name(i)} must have shape {(*batch, *shape)}"
            )


def check_trainable(problem: Problem) -> Problem:
    """Return the problem if descent can be compared with the collapsed solutions of it.

    Parameters
    ----------
    problem : Problem
        The problem.

    Returns
    -------
    Problem

    Raises
    ------
    ValueError
        If L < 2, a regularisation is 0 or beyond the floats, or so small that the losses of the collapsed solutions
        are, or a layer is narrower than K.
    TypeError
        If an activation has no operations on tensors.

    Examples
    --------
    >>> check_trainable(Problem.of(4, 3, 0.1, width=3))
    Traceback (most recent call last):
    ...
    ValueError: width = 3; width must be an integer ≥ K = 4 in every layer, or the collapsed solutions do not fit
    """
    if check_instance("problem", problem, Problem).L < 2:
        raise ValueError(f"L = {problem.L}; L must be an integer ≥ 2")
    for i, lam in enumerate(problem.lams):
        if lam == 0:
            name = "lam" if len(set(problem.lams)) == 1 else f"lams[{i}]"
            raise ValueError(f"{name} = 0; {name} must be a finite number > 0")
    for name, size in (("K", problem.K), ("n", problem.n), ("width", max(problem.widths))):
        check_integer(name, size, at_least=1, at_most=LARGEST_SIZE)
    if min(problem.widths) < problem.K:
        raise ValueError(
            f"width = {min(problem.widths)}; width must be an integer ≥ K = {problem.K} in every layer,"
            " or the collapsed solutions do not fit"
        )
    for activation in problem.activations:
        kernel(activation)
    loss_dnc(problem)
    return problem


def layers(problem: Problem, parameters: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """Run the network.

    Parameters
    ----------
    problem : Problem
        The problem.
    parameters : sequence of tensors
        (H_1, W_1, …, W_L), each with any number of leading batch dimensions.

    Returns
    -------
    features : list of L tensors
        H_1, …, H_L.
    pre : list of L − 1 tensors
        The pre-activations H̃_2, …, H̃_L.
    output : tensor, shape (…, N, K)
        H_L W_Lᵀ.
    """
    check_parameters(problem, parameters)
    features, pre = [parameters[0]], []
    for weight, activation in zip(parameters[1:-1], problem.activations, strict=True):
        pre.append(features[-1] @ weight.mT)
        out = torch.empty_like(pre[-1])
        kernel(activation).forward(pre[-1], out)
        features.append(out)
    return features, pre, features[-1] @ parameters[-1].mT


def loss(problem: Problem, parameters: Sequence[Tensor]) -> Float[Tensor, "*runs"]:
    """Return the objective of the L-DUFM.

    Parameters
    ----------
    problem : Problem
        The problem.
    parameters : sequence of tensors
        (H_1, W_1, …, W_L), each with any number of leading batch dimensions.

    Returns
    -------
    tensor

    References
    ----------
    lowrank, equation (1).

    Examples
    --------
    >>> eye = torch.eye(3, dtype=torch.float64)
    >>> float(loss(Problem.of(3, 2, 0.1), [eye, eye, eye]))  # fits exactly; three matrices of squared norm 3
    0.45000000000000007
    """
    check_parameters(problem, parameters)
    return objective(problem, parameters, layers(problem, parameters)[2])


def objective(
    problem: Problem, parameters: Sequence[Tensor], output: Float[Tensor, "*runs N K"]
) -> Float[Tensor, "*runs"]:
    """Compute the objective from the output of the network."""
    fit = (output - labels(problem, output.dtype, output.device)).square().sum((-2, -1)) / (2 * problem.N)
    for lam, p in zip(problem.lams, parameters, strict=True):
        fit = fit + lam / 2 * p.square().sum((-2, -1))
    return fit
