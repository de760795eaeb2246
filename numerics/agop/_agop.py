r"""The average gradient outer product (AGOP) of a predictor, exactly.

.. math:: \mathrm{AGOP}(f, X) = \frac1n \sum_{i=1}^n \sum_{c=1}^C \nabla f_c(x_i)\, \nabla f_c(x_i)^\top .

:func:`kernel_agop` is for kernel machines :math:`f(x) = \sum_j \alpha_j k(x, x_j)` on their own training points, and
:func:`model_agop` for any torch module.

A radial kernel has gradient :math:`p(x, z)\,(x - z)` with :math:`p = φ'(r)/r`, so with :math:`P_{ij} = p(x_i, x_j)`
and :math:`s = Pα` the gradient of output c at x_i is :math:`X^\top w_{ic}`, :math:`w_{ic} = s_{ic} e_i - P_i ∘ α_c`.
Two orders of summation give two routes:

features
    Form the n·C gradients, then their outer products: 2n²dC + nCd² flops.
samples
    Sum the outer products of the w first. They need no dimension of the features at all,

    .. math:: \sum_{i,c} w_{ic} w_{ic}^\top = Q
              = P^2 ∘ (αα^\top) - P ∘ (sα^\top + αs^\top) + \mathrm{diag}\Bigl(\sum_c s_{ic}^2\Bigr),

    and AGOP = XᵀQX / n. All of P², Q and the last product are symmetric, so half of their flops suffice: n³ + O(n²C)
    for Q, and n²d + 2nd², or n³/3 + n²d + nd² through a Cholesky factor of Q, for the rest.

The samples route is cheaper by about the number of outputs when C·d ≫ n, and never builds anything of size n·C·d.

Its price is that it squares: w is summed against X after the outer product, so that when the gradients are small by
cancellation (‖Xᵀw‖ ≪ ‖X‖‖w‖) rounding is amplified by the square of the ratio. So it does as classes collapse, since a
pair of near points has a large p(x, z) and a small x − z. The amplification is foreseen from the gradients at a few
points. Where it would cost more than 4·10⁻¹¹ of the result (float64), pairs within a cluster are taken apart: with
w = u + v, v over the pairs of near points and u over all others, and with Δ the points less the mean of their
cluster, Xᵀw = Xᵀu + Δᵀv, and neither term cancels. Where that does not help either, ``route="auto"`` takes the
features route after all.
"""

import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from numerics.kernels import Kernel, Linear, RadialKernel, coincidence_radius, distances_about
from numerics.linalg import add_gram, gram, row_blocks, row_squares, triangular_product
from numerics.tensors import check_matrix, check_same_kind

__all__ = ["AgopAccuracyWarning", "agop_cost", "kernel_agop", "model_agop"]

Route = Literal["auto", "features", "samples"]

# Relative error that a samples route may cost, as a power of machine epsilon: 4e-11 in float64, 2e-5 in float32.
_TOLERANCE = 2.0 / 3.0
_MINIMUM_PANEL = 64
_CUTOFF = 1.0 / math.sqrt(3.0)
_PROBES = 4  # points whose gradients tell the amplification in advance
_NEAR = 0.1  # radius of a cluster, over the root mean square of the points about their mean
_CLUSTERS = 256  # that are looked for


class AgopAccuracyWarning(RuntimeWarning):
    """The samples route amplified rounding errors beyond half of the digits."""


def agop_cost(n: int, d: int, c: int) -> dict[str, float]:
    """Flops of the two routes of :func:`kernel_agop` for n points in d dimensions and c outputs.

    Both include n²d for the distances. ``route="auto"`` takes the smaller.

    Examples
    --------
    >>> cost = agop_cost(2000, 3072, 10)
    >>> round(cost["features"] / cost["samples"], 1)
    8.2
    """
    distances = float(n) * n * d
    features = 2.0 * n * n * d * c + float(n) * c * d * d
    last = min(2.0 * n * d * d, n**3 / 3.0 + float(n) * d * d)
    samples = float(n) ** 3 + 6.0 * n * n * c + float(n) * n * d + last
    return {"features": distances + features, "samples": distances + samples}


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
    kernel
        A kernel of :mod:`numerics.kernels`.
    X
        The n points, in rows.
    alpha
        Coefficients, one row a point and one column an output.
    route
        ``"features"``, ``"samples"``, or ``"auto"``: the cheaper by :func:`agop_cost`, unless the samples route
        would amplify rounding errors too much (see the module's notes). Ignored for linear kernels.
    memory_limit
        Bytes of working memory, the result included. By default four fifths of what is free. Where the n × n
        matrices do not fit they are made in panels, for n²d flops more a panel.

    Returns
    -------
    Tensor
        Symmetric positive semi-definite up to rounding, symmetric exactly.

    Raises
    ------
    TypeError, ValueError
        If arguments do not fit together, are not finite, or the memory limit is too small for one block.

    Warns
    -----
    AgopAccuracyWarning
        If ``route="samples"`` was asked for and less than half of the digits are right.

    Notes
    -----
    Coincident points contribute a zero gradient (see :class:`numerics.kernels.RadialKernel`). For a linear kernel
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
    _check(kernel, X, alpha, route, memory_limit)
    points = kernel.mapped(X)  # the gradient in x is M^{1/2} times the one in these coordinates
    root = kernel.root()
    if isinstance(kernel, Linear):
        inner = gram(points.T @ alpha)
    else:
        assert isinstance(kernel, RadialKernel)
        inner = _radial_agop(kernel, points, alpha, route, memory_limit)
    return inner if root is None else _symmetric_part(0.5 * root @ inner @ root)


def _check(kernel: Kernel, X: Tensor, alpha: Tensor, route: str, memory_limit: int | None) -> None:
    if not isinstance(kernel, Linear | RadialKernel):
        raise TypeError(f"kernel must be a linear or radial kernel of numerics.kernels, got {type(kernel).__name__}")
    check_matrix("X", X)
    check_matrix("alpha", alpha)
    check_same_kind("alpha", alpha, "X", X)
    if alpha.shape[0] != X.shape[0]:
        raise ValueError(f"alpha must have one row a point: {X.shape[0]}, got shape {tuple(alpha.shape)}")
    if route not in ("auto", "features", "samples"):
        raise ValueError(f"route must be 'auto', 'features' or 'samples', got {route!r}")
    if memory_limit is not None and (isinstance(memory_limit, bool) or not isinstance(memory_limit, int)):
        raise TypeError(f"memory_limit must be an integer number of bytes, got {type(memory_limit).__name__}")


def _radial_agop(kernel: RadialKernel, X: Tensor, alpha: Tensor, route: Route, memory_limit: int | None) -> Tensor:
    limit = _free_memory(X.device) if memory_limit is None else memory_limit
    n, d, c = X.shape[0], X.shape[1], alpha.shape[1]
    if route == "auto":
        cost = agop_cost(n, d, c)
        chosen = "samples" if cost["samples"] < cost["features"] else "features"
    else:
        chosen = route
    machine = _Machine(kernel, X, alpha)
    if chosen == "samples":
        inner, amplification = _by_samples(machine, limit, forced=route == "samples")
        if inner is not None and (route == "samples" or amplification <= _amplification(X.dtype)):
            error = amplification * torch.finfo(X.dtype).eps
            if error > math.sqrt(torch.finfo(X.dtype).eps):
                message = (
                    f"the samples route amplified rounding by {amplification:.1e}: relative error about {error:.0e}"
                )
                warnings.warn(f"{message}; use route='features'", AgopAccuracyWarning, stacklevel=4)
            return inner
    return _by_features(machine, limit)


def _tolerance(dtype: torch.dtype) -> float:
    return math.pow(torch.finfo(dtype).eps, _TOLERANCE)


def _amplification(dtype: torch.dtype) -> float:
    """The largest amplification of rounding that ``route="auto"`` puts up with."""
    return _tolerance(dtype) / torch.finfo(dtype).eps


class _Machine:
    """A kernel machine with what both routes need of it.

    Its gradients do not change if all points move together; about their mean the products lose least.
    """

    def __init__(self, kernel: RadialKernel, X: Tensor, alpha: Tensor) -> None:
        self.kernel, self.X, self.alpha = kernel, X, alpha
        self.centred = X - X.mean(dim=0)
        self.squares = row_squares(self.centred)
        self.coincident = coincidence_radius(self.squares)

    def factor(self) -> Tensor:
        """P, n × n."""
        return self.kernel.slope(distances_about(self.X, None, self.centred, None), self.coincident)

    def factor_columns(self, block: slice | Tensor) -> Tensor:
        """P[:, block]."""
        square = distances_about(self.X, self.X[block], self.centred, self.centred[block])
        return self.kernel.slope(square, self.coincident)

    def gradients(self, block: slice) -> Tensor:
        """The gradients of all outputs at the points of a block, outputs × points × features."""
        factor = self.factor_columns(block).T
        steps = factor @ self.alpha
        points = self.centred[block]
        gradients = points.new_empty(self.alpha.shape[1], *points.shape)
        weighted = torch.empty_like(factor)
        for output, gradient in enumerate(gradients):
            torch.mul(factor, self.alpha[:, output], out=weighted)
            torch.mul(points, steps[:, output, None], out=gradient)
            gradient.addmm_(weighted, self.centred, alpha=-1.0)
        return gradients

    def uncancelled(self, block: slice, factor: Tensor, steps: Tensor) -> float:
        """Σ Q_ii ‖x_i‖² over a block, from its rows of P and Pα: the size of the terms that tr XᵀQX is left of."""
        return _uncancelled(factor, self.alpha[block], steps, self.squares[block])

    def probes(self) -> Tensor:
        """Indices of a few points, at even steps."""
        n = self.X.shape[0]
        return torch.linspace(0, n - 1, min(n, _PROBES), device=self.X.device).round().long()

    def foreseen_trace(self, factor: Tensor) -> float:
        """tr XᵀQX, as the gradients at the probes tell it, from their rows of P."""
        probes = self.probes()
        weighted = (factor[:, None, :] * self.alpha.T).flatten(0, 1)  # of a point and an output: X is read but once
        steps = (factor @ self.alpha).view(-1, 1)
        gradients = steps * self.centred[probes].repeat_interleave(self.alpha.shape[1], 0) - weighted @ self.centred
        return float(gradients.square().sum()) * self.X.shape[0] / probes.numel()

    def clusters(self) -> list[Tensor]:
        """Disjoint clusters of two or more near points each, greedily; points beyond 256 clusters are in none."""
        reach = _NEAR**2 * float(self.squares.mean())
        free = torch.ones_like(self.squares, dtype=torch.bool)
        found = []
        for _ in range(_CLUSTERS):
            if not bool(free.any()):
                break
            first = int(free.to(torch.uint8).argmax())
            square = self.squares + self.squares[first] - 2.0 * (self.centred @ self.centred[first])
            cluster = free & (square <= reach)
            cluster[first] = True
            free &= ~cluster
            members = cluster.nonzero().squeeze(1)
            if members.numel() > 1:
                found.append(members)
        return found


def _uncancelled(factor: Tensor, alpha: Tensor, steps: Tensor, squares: Tensor) -> float:
    return float((row_squares(factor) * row_squares(alpha) + row_squares(steps)) @ squares)


# --- over features -----------------------------------------------------------------------------------------------


def _by_features(machine: _Machine, limit: int) -> Tensor:
    centred = machine.centred
    (n, d), c = centred.shape, machine.alpha.shape[1]
    size = centred.element_size()
    fixed = size * (2 * n * d + d * d)
    rows = _block(limit, fixed, size * (13 * n // 4 + 2 * d * c + 2 * d), 0.0, min(n, 4096))
    inner = centred.new_zeros(d, d)
    for block in _blocks(n, rows):
        add_gram(inner, machine.gradients(block).view(-1, d).T, mirror=False)
    return _mirrored(inner).div_(n)


def _mirrored(upper: Tensor) -> Tensor:
    """A symmetric matrix from its upper triangle."""
    upper.triu_()
    upper.add_(upper.triu(1).T)
    return upper


# --- over samples ------------------------------------------------------------------------------------------------


def _by_samples(machine: _Machine, limit: int, *, forced: bool) -> tuple[Tensor | None, float]:
    """The AGOP and the factor by which rounding was amplified; unless forced, nothing if that is going to be too much."""
    n, d = machine.X.shape
    size = machine.X.element_size()
    whole = size * (2 * n * n + n * n // 8 + 3 * n * d + 2 * d * d)
    if whole <= limit:
        inner, uncancelled = _in_core(machine, limit, forced)
    else:
        fixed = size * (3 * n * d + 3 * d * d)
        panel = _block(limit, fixed, size * (13 * n // 4 + d), 4.0 * size, n)
        inner, uncancelled = _in_panels(machine, panel, forced)
    if inner is None:
        return None, math.inf
    trace = float(inner.diagonal().sum())
    return inner.div_(n), _ratio(uncancelled, trace)


def _ratio(uncancelled: float, trace: float) -> float:
    if uncancelled <= 0.0:
        return 1.0
    return uncancelled / trace if trace > 0.0 else math.inf


def _in_core(machine: _Machine, limit: int, forced: bool) -> tuple[Tensor | None, float]:
    alpha, centred = machine.alpha, machine.centred
    n, d = centred.shape
    factor = machine.factor()
    steps = factor @ alpha
    uncancelled = machine.uncancelled(slice(n), factor, steps)
    most = machine.foreseen_trace(factor[machine.probes()]) * _amplification(factor.dtype)
    near = None
    if uncancelled > most:
        near = _near_pairs(machine, factor, limit, forced)
        if near is not None:
            steps = factor @ alpha
            uncancelled = 2.0 * (machine.uncancelled(slice(n), factor, steps) + near.uncancelled())
        if not forced and uncancelled > most:
            return None, uncancelled
    rest = None if near is None else near.rest(factor, steps)
    del near
    core = gram(factor)
    _complete(core, factor, alpha, steps)
    del factor
    inner = _through_cholesky(core, centred, float(machine.squares.sum())) if d > _CUTOFF * n else None
    if inner is None:
        core.diagonal().mul_(0.5)
        inner = _symmetric_part(centred.T @ triangular_product(core, centred))
    return inner if rest is None else inner.add_(rest), uncancelled


def _complete(core: Tensor, factor: Tensor, alpha: Tensor, steps: Tensor) -> None:
    """Q from P², P, α and s = Pα, in place of P²."""
    left, right = torch.cat([steps, alpha], dim=1), torch.cat([alpha, steps], dim=1)
    for rows in row_blocks(core):
        core[rows].mul_(alpha[rows] @ alpha.T)
        core[rows].sub_((left[rows] @ right.T).mul_(factor[rows]))
    core.diagonal().add_(row_squares(steps))


class _NearPairs:
    """The pairs of points of one cluster, taken out of P, in coordinates about the mean of their cluster.

    With P = F + N, N the pairs within clusters and F all others, s = Fα and t = Nα, the gradients are Xᵀu + Δᵀv with
    u_ic = s_ic e_i − F_i∘α_c and v_ic = t_ic e_i − N_i∘α_c, and

        Σ u vᵀ = FN∘(ααᵀ) − N∘(sαᵀ) − F∘(αtᵀ) + diag(Σ_c s_ic t_ic).
    """

    def __init__(self, machine: _Machine, factor: Tensor, clusters: list[Tensor]) -> None:
        self.machine, self.clusters = machine, clusters
        self.blocks, self.points = [], []
        for members in clusters:
            pairs = (members[:, None], members)
            self.blocks.append(factor[pairs])
            factor[pairs] = 0.0
            points = machine.X[members]
            self.points.append(points - points.mean(dim=0))
        self.alpha = [machine.alpha[members] for members in clusters]
        self.steps = [block @ alpha for block, alpha in zip(self.blocks, self.alpha, strict=True)]

    def uncancelled(self) -> float:
        """The size of the terms that tr ΔᵀQΔ of the near pairs is left of."""
        parts = zip(self.blocks, self.alpha, self.steps, self.points, strict=True)
        return sum(_uncancelled(block, alpha, steps, row_squares(points)) for block, alpha, steps, points in parts)

    def rest(self, factor: Tensor, steps: Tensor) -> Tensor:
        """Σ (Xᵀu)(Δᵀv)ᵀ + (Δᵀv)(Xᵀu)ᵀ + (Δᵀv)(Δᵀv)ᵀ, where ``factor`` is F and ``steps`` is Fα."""
        machine = self.machine
        mixed = torch.zeros_like(machine.centred)  # Σ u vᵀ Δ
        within = mixed.new_zeros(mixed.shape[1], mixed.shape[1])
        parts = zip(self.clusters, self.blocks, self.alpha, self.steps, self.points, strict=True)
        for members, block, alpha, own, points in parts:
            far = factor[:, members]
            core = (far @ block).mul_(machine.alpha @ alpha.T)
            core.sub_((machine.alpha @ own.T).mul_(far))
            core[members] -= (steps[members] @ alpha.T).mul_(block)
            core[members, torch.arange(members.numel(), device=members.device)] += (steps[members] * own).sum(dim=1)
            mixed.addmm_(core, points)
            core = gram(block)
            _complete(core, block, alpha, own)
            within.addmm_(points.T, core @ points, alpha=0.5)
        return _symmetric_part(within.addmm_(machine.centred.T, mixed))


def _near_pairs(machine: _Machine, factor: Tensor, limit: int, forced: bool) -> _NearPairs | None:
    """Near pairs taken out of P, if there are any, the memory allows it and it is cheaper than the features route."""
    (n, d), c = machine.X.shape, machine.alpha.shape[1]
    clusters = machine.clusters()
    sizes = [members.numel() for members in clusters]
    more = sum(2.0 * (n + m) * m * (m + d) for m in sizes) + 4.0 * n * d * d
    cost = agop_cost(n, d, c)
    entries = n * n + sum(m * m for m in sizes) + 3 * n * max(sizes, default=0) + 5 * n * d + 3 * d * d
    fits = machine.X.element_size() * entries <= limit
    if not sizes or not fits or (not forced and cost["samples"] + more > cost["features"]):
        return None
    return _NearPairs(machine, factor, clusters)


def _through_cholesky(core: Tensor, X: Tensor, size: float) -> Tensor | None:
    """XᵀQX by a Cholesky factor of Q, or None where that would cost accuracy; ``size`` is ‖X‖².

    Q is singular (it annihilates constants), but shifted by its own rounding error it has a factor. The shift adds
    shift · XᵀX to the result.
    """
    n = core.shape[0]
    shift = 4.0 * math.sqrt(n) * torch.finfo(core.dtype).eps * float(core.diagonal().max())
    diagonal = core.diagonal().clone()
    core.diagonal().add_(shift)
    upper, info = torch.linalg.cholesky_ex(core, upper=True)
    core.diagonal().copy_(diagonal)
    if int(info) != 0:
        return None
    inner = gram(triangular_product(upper, X).T)
    return inner if shift * size < _tolerance(core.dtype) * float(inner.diagonal().sum()) else None


def _in_panels(machine: _Machine, panel: int, forced: bool) -> tuple[Tensor | None, float]:
    """As :func:`_in_core` with Q made block by block, from columns of P that are computed when needed."""
    alpha, centred = machine.alpha, machine.centred
    n, d = centred.shape
    steps = torch.empty_like(alpha)
    uncancelled = 0.0
    for block in _blocks(n, panel):
        factor = machine.factor_columns(block).T
        steps[block] = factor @ alpha
        uncancelled += machine.uncancelled(block, factor, steps[block])
        del factor
    if not forced:
        trace = machine.foreseen_trace(machine.factor_columns(machine.probes()).T)
        if uncancelled > trace * _amplification(centred.dtype):
            return None, uncancelled
    inner = centred.new_zeros(d, d)
    for block in _blocks(n, panel):
        first = machine.factor_columns(block)
        right = centred.new_zeros(first.shape[1], d)
        for other in _blocks(n, panel, start=block.start):
            second = first if other.start == block.start else machine.factor_columns(other)
            core = first.T @ second
            core.mul_(alpha[block] @ alpha[other].T)
            core.sub_((steps[block] @ alpha[other].T).addmm_(alpha[block], steps[other].T).mul_(second[block]))
            if second is first:
                core.diagonal().add_(row_squares(steps[block]))
                core.mul_(0.5)
            right.addmm_(core, centred[other])
            del second, core
        inner.addmm_(centred[block].T, right)
    return _symmetric_part(inner), uncancelled


def _symmetric_part(half: Tensor) -> Tensor:
    return half + half.T


# --- memory ------------------------------------------------------------------------------------------------------


def _blocks(n: int, size: int, *, start: int = 0) -> Iterator[slice]:
    for first in range(start, n, size):
        yield slice(first, min(first + size, n))


def _block(limit: int, fixed: int, per_row: int, per_square: float, most: int) -> int:
    """The largest block b with fixed + per_row·b + per_square·b² ≤ limit."""
    least = min(most, _MINIMUM_PANEL)
    needed = fixed + per_row * least + int(per_square * least * least)
    if needed > limit:
        raise ValueError(
            f"memory_limit = {limit} bytes is too small: {needed} bytes are needed for the smallest block, {least} rows"
        )
    room = float(limit - fixed)
    if per_square > 0.0:
        largest = (math.sqrt(per_row**2 + 4.0 * per_square * room) - per_row) / (2.0 * per_square)
    else:
        largest = room / per_row
    return max(least, min(most, int(largest)))


def _free_memory(device: torch.device) -> int:
    """Four fifths of the memory that is free on the device."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(0.8 * (free + cached))
    return int(0.8 * _available_host_memory())


def _available_host_memory() -> int:
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 8 << 30  # no way to ask: eight gibibytes


# --- any torch module --------------------------------------------------------------------------------------------


def model_agop(
    model: nn.Module,
    X: Float[Tensor, "n ..."],
    *,
    layer: str | None = None,
    batch_size: int = 128,
) -> Float[Tensor, "d d"]:
    """The AGOP of a torch module at its input, or at the input of one of its layers, averaged over X.

    Parameters
    ----------
    model
        Maps a batch (n, …) to outputs (n, c) (or (n,)), sample by sample. It must be in evaluation mode if it holds
        layers that treat a batch as a whole while training.
    X
        The points, first axis the samples; the remaining axes are flattened to d in the result.
    layer
        Name of a submodule, as in ``model.named_modules()``: gradients are then taken with respect to the tensor
        that enters it. The submodule must be called exactly once, with one tensor.
    batch_size
        Samples differentiated at a time.

    Returns
    -------
    Tensor
        (d, d), d the number of entries of one input of the model or layer.

    Raises
    ------
    TypeError, ValueError
        If the model is no module, X is not finite floating point, the layer does not exist, is called other than
        once, or the output is not one vector a sample.

    References
    ----------
    agop, equations (1) and (2).

    Examples
    --------
    >>> model = nn.Linear(2, 3, bias=False, dtype=torch.float64)
    >>> X = torch.randn(5, 2, dtype=torch.float64)
    >>> torch.allclose(model_agop(model, X), model.weight.T @ model.weight)
    True
    """
    _check_model(model, X, layer, batch_size)
    parameters = {name: value.detach() for name, value in (*model.named_parameters(), *model.named_buffers())}

    def output(x: Tensor) -> Tensor:
        result = torch.func.functional_call(model, parameters, (x.unsqueeze(0),))
        if not isinstance(result, Tensor) or result.shape[0] != 1 or result.ndim > 2:
            raise ValueError(f"model must give one vector a sample, got {getattr(result, 'shape', type(result))}")
        return result.reshape(-1)

    def shifted(x: Tensor, shift: Tensor) -> Tensor:
        assert layer is not None
        calls = []

        def add(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            calls.append(True)
            return (inputs[0] + shift, *inputs[1:])

        handle = model.get_submodule(layer).register_forward_pre_hook(add)
        try:
            result = output(x)
        finally:
            handle.remove()
        if len(calls) != 1:
            raise ValueError(f"layer {layer!r} was called {len(calls)} times in one pass; it must be called once")
        return result

    total: Tensor | None = None
    for batch in torch.split(X, batch_size):
        if layer is None:
            jacobian = torch.func.vmap(torch.func.jacrev(output))(batch)
        else:
            shift = torch.zeros_like(_layer_input(model, layer, batch[:1])[0])
            jacobian = torch.func.vmap(torch.func.jacrev(shifted, argnums=1), in_dims=(0, None))(batch, shift)
        rows = jacobian.detach().flatten(0, 1).flatten(1)
        total = gram(rows.T) if total is None else total + gram(rows.T)
    assert total is not None
    return total / X.shape[0]


def _check_model(model: nn.Module, X: Tensor, layer: str | None, batch_size: int) -> None:
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    if not isinstance(X, Tensor) or X.ndim < 2:
        raise ValueError(f"X must be a tensor of samples (n, …), got {getattr(X, 'shape', type(X).__name__)}")
    check_matrix("X", X.flatten(1))
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size must be a positive integer, got {batch_size!r}")
    names = dict(model.named_modules())
    if layer is not None and (layer == "" or layer not in names):
        known = ", ".join(name for name in names if name)
        raise ValueError(f"layer {layer!r} is not a submodule of the model; there are: {known}")


def _layer_input(model: nn.Module, layer: str, X: Tensor) -> Tensor:
    """The tensor that enters a layer when the model is applied to X."""
    seen: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    try:
        with torch.no_grad():
            model(X)
    finally:
        handle.remove()
    if len(seen) != 1:
        raise ValueError(f"layer {layer!r} was called {len(seen)} times in one pass; it must be called once")
    return seen[0]
