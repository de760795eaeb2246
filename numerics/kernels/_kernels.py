r"""Kernels, their gradients, and distances that stay accurate as points come together.

Every kernel takes samples in rows. A kernel is a small immutable object: calling it gives the kernel matrix,
:meth:`Kernel.gradient` its gradient in the first argument. Each may carry a Mahalanobis matrix :math:`M`, symmetric
positive semi-definite, which replaces ⟨x, z⟩ by xᵀMz and ‖x − z‖² by (x − z)ᵀM(x − z).

Near-coincident points need care: the expanded square ‖x‖² + ‖z‖² − 2⟨x, z⟩ loses everything when ‖x − z‖ falls below
about 1e-8 of the norms, which is exactly where collapsing data goes. :func:`squared_distances` finds such pairs and
recomputes them about a common reference point, so that distances keep their relative accuracy down to the spacing
of the floating-point numbers that the points themselves are made of.
"""

import abc
import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.linalg import gram, row_blocks, row_squares
from numerics.tensors import check_matrix, check_number, check_same_kind

__all__ = [
    "COINCIDENCE",
    "Gaussian",
    "Kernel",
    "Laplace",
    "Linear",
    "Linearised",
    "RadialKernel",
    "squared_distances",
]

COINCIDENCE: dict[torch.dtype, float] = {torch.float64: 1e-10, torch.float32: 1e-5}
"""Points closer than this multiple of the largest distance from the mean count as coincident in gradients."""

# A squared distance below this part of ‖x‖² + ‖z‖² is recomputed: above it, the expanded square is accurate to a few
# machine epsilons over this part, 1e-11 in float64.
_CANCELLATION = {torch.float64: 1e-4, torch.float32: 1e-2}
_CHUNK = 1 << 22  # entries of differences taken at a time
_FEW = 8  # entries of a row that are recomputed one by one
_BALL = {torch.float64: 4.0, torch.float32: 1.0}  # radius of a ball, in distances at which digits are lost
_DEPTH = 20  # levels of balls within balls


def squared_distances(X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m"]:
    """Squared Euclidean distances between the rows of X and of Z (of X and itself without Z).

    Parameters
    ----------
    X, Z
        Points in rows, float32 or float64.

    Returns
    -------
    Tensor
        Non-negative; exactly zero for equal rows, and on the diagonal when Z is not given.

    Raises
    ------
    TypeError, ValueError
        If X or Z is not a finite floating-point matrix, or they disagree in columns, dtype or device.

    Notes
    -----
    One matrix product about the mean of X. Pairs whose squared distance is below 1e-4 (float32: 1e-2) of the squared
    norms have lost digits to cancellation; they are recomputed ball by ball, by a product about a point of the ball,
    recursively, and from direct differences where a point has few of them. The relative error is about 1e-11
    (float32: 5e-5). However the points are spread, a level of recursion costs no more than the first product.

    Examples
    --------
    >>> x = torch.tensor([[1.0, 0.0], [1.0, 1e-12]], dtype=torch.float64)
    >>> squared_distances(x)[0, 1].sqrt().item()
    1e-12
    """
    check_matrix("X", X)
    if Z is not None:
        check_matrix("Z", Z, columns=X.shape[1])
        check_same_kind("Z", Z, "X", X)
    origin = X.mean(dim=0)
    return distances_about(X, Z, X - origin, None if Z is None else Z - origin)


def distances_about(X: Tensor, Z: Tensor | None, x: Tensor, z: Tensor | None, depth: int = 0) -> Tensor:
    """Squared distances between X and Z (X and itself) by a matrix product of x and z, the same points seen from nearby.

    Differences are always taken of the points as given: a difference of neighbours is exact, or nearly so, while one
    of points that were shifted before carries the rounding of the shift.
    """
    x_square = row_squares(x)
    square, z_square = (gram(x), x_square) if z is None else (x @ z.T, row_squares(z))
    crowded = torch.zeros(X.shape[0], dtype=torch.bool, device=X.device)  # rows with many entries to recompute
    pairs: list[Tensor] = []  # the entries to recompute of other rows
    for rows in row_blocks(square):
        part = square[rows]
        norms = x_square[rows, None] + z_square
        torch.sub(norms, part, alpha=2.0, out=part)
        part.clamp_(min=0.0)
        lost = part < norms.mul_(_CANCELLATION[X.dtype])
        if z is None:
            part.diagonal(rows.start).zero_()
            lost.diagonal(rows.start).fill_(False)
        degree = lost.sum(dim=1)
        if bool(degree.any()):
            torch.gt(degree, _FEW if depth < _DEPTH else square.shape[1], out=crowded[rows])
            lost[crowded[rows]] = False
            pairs.append(lost.nonzero() + torch.tensor([rows.start, 0], device=X.device))
    if pairs:
        _refine_pairs(square, X, Z, torch.cat(pairs))
    if bool(crowded.any()):
        _refine_balls(square, X, Z, x_square, crowded, depth)
    return square


def _refine_pairs(square: Tensor, X: Tensor, Z: Tensor | None, pairs: Tensor) -> None:
    """Recompute entries of ``square`` from the differences themselves, in place."""
    step = max(1, _CHUNK // X.shape[1])
    for start in range(0, pairs.shape[0], step):
        i, j = pairs[start : start + step].T
        values = (X[i] - (X if Z is None else Z)[j]).square_().sum(dim=1)
        square[i, j] = values
        if Z is None:
            square[j, i] = values


def _refine_balls(square: Tensor, X: Tensor, Z: Tensor | None, x_square: Tensor, rows: Tensor, depth: int) -> None:
    """Recompute all entries of the marked rows of ``square`` that have lost digits, in place.

    The rows are split into balls, and those of a ball recomputed as seen from one of its points, against a larger ball
    that holds every point to which they have lost a distance. What is lost is known from norms: a pair (x, z) is lost
    if ‖x − z‖² < ε(‖x‖² + ‖z‖²), so that ‖x − z‖ < t‖x‖ with t = √(2ε) / (1 − √(2ε)).
    """
    root = math.sqrt(2.0 * _CANCELLATION[X.dtype])
    lost = root / (1.0 - root)
    size = _BALL[X.dtype] * lost
    while bool(rows.any()):
        centre = int(rows.to(torch.uint8).argmax())
        norm = float(x_square[centre].sqrt())
        # In units of the norm of the centre x: the ball is about z, at most `lost` from x.
        z = centre if Z is None else int(square[centre].argmin())
        inner = rows & (square[:, z] <= (size * norm) ** 2)
        inner[centre] = True
        farthest = size + lost  # of the ball's points from x
        outer = square[centre] <= ((farthest + lost * (1.0 + farthest)) * norm) ** 2
        if Z is None:
            outer &= rows & ~inner  # the others were done with a ball before, both ways
        rows &= ~inner
        _recompute(square, X, Z, inner.nonzero().squeeze(1), outer.nonzero().squeeze(1), depth + 1)


def _recompute(square: Tensor, X: Tensor, Z: Tensor | None, rows: Tensor, columns: Tensor, depth: int) -> None:
    """Entries of ``square`` as seen from the most central of the rows; without Z also of the rows among themselves."""
    x = X[rows]
    origin = x[row_squares(x - x.mean(dim=0)).argmin()]
    shifted = x - origin
    if Z is None:
        square[rows[:, None], rows] = distances_about(x, None, shifted, None, depth)
    if columns.numel():
        z = (X if Z is None else Z)[columns]
        near = distances_about(x, z, shifted, z - origin, depth)
        square[rows[:, None], columns] = near
        if Z is None:
            square[columns[:, None], rows] = near.T


@dataclass(frozen=True, eq=False)
class Kernel(abc.ABC):
    """A positive semi-definite kernel with an optional Mahalanobis matrix."""

    M: Float[Tensor, "d d"] | None = field(default=None, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        if self.M is None:
            return
        M = check_matrix("M", self.M)
        if M.shape[0] != M.shape[1]:
            raise ValueError(f"M must be square, got shape {tuple(M.shape)}")
        scale = float(M.abs().max())
        tolerance = M.shape[0] * torch.finfo(M.dtype).eps * scale
        skew = float((M - M.T).abs().max())
        if skew > tolerance:
            raise ValueError(f"M must be symmetric; it differs from its transpose by {skew:.3g}")
        values, vectors = torch.linalg.eigh(M)
        if float(values[0]) < -tolerance:
            raise ValueError(f"M must be positive semi-definite; its smallest eigenvalue is {float(values[0]):.3g}")
        root = (vectors * values.clamp_min(0.0).sqrt()) @ vectors.T
        object.__setattr__(self, "_root", root)

    def root(self) -> Float[Tensor, "d d"] | None:
        """M^{1/2}, or None without M."""
        return getattr(self, "_root", None)

    def mapped(self, X: Float[Tensor, "n d"], name: str = "X") -> Float[Tensor, "n d"]:
        """X M^{1/2}: the points on which the kernel without M has the same values."""
        root = self.root()
        if root is None:
            return X
        if X.shape[1] != root.shape[0]:
            raise ValueError(f"{name} has {X.shape[1]} columns but M is {root.shape[0]} × {root.shape[0]}")
        check_same_kind(name, X, "M", root)
        return X @ root

    def _arguments(self, X: Tensor, Z: Tensor | None) -> tuple[Tensor, Tensor | None]:
        check_matrix("X", X)
        if Z is None:
            return self.mapped(X), None
        check_matrix("Z", Z, columns=X.shape[1])
        check_same_kind("Z", Z, "X", X)
        return self.mapped(X), self.mapped(Z, "Z")

    @abc.abstractmethod
    def __call__(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m"]:
        """The matrix of k(x_i, z_j); without Z, of k(x_i, x_j)."""

    @abc.abstractmethod
    def gradient(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m d"]:
        """The gradient of k(x_i, z_j) in its first argument x_i."""

    def diagonal(self, X: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """k(x_i, x_i) for every row, without the rest of the matrix."""
        return self.mapped(check_matrix("X", X)).square().sum(dim=1)


@dataclass(frozen=True, eq=False)
class RadialKernel(Kernel):
    r"""A kernel φ(‖x − z‖_M) of the distance alone, with φ(0) = 1.

    Its gradient in x is p(x, z) M (x − z) with the *radial factor* p = φ'(r)/r. At coincident points the gradient is
    zero: of itself where φ is smooth (Gaussian), and by convention where φ has a kink and no gradient exists
    (Laplace), as the paper's code does. The factor is therefore set to zero there for every kernel. Coincident means
    closer than :data:`COINCIDENCE` times the largest distance of a point of Z from their mean (1e-10 in float64):
    nearer pairs differ by rounding alone, and the direction of their difference means nothing.
    """

    bandwidth: float

    def __post_init__(self) -> None:
        check_number("bandwidth", self.bandwidth)
        super().__post_init__()

    @abc.abstractmethod
    def profile(self, square: Float[Tensor, "n m"]) -> Float[Tensor, "n m"]:
        """φ(r) from r², overwriting its argument."""

    @abc.abstractmethod
    def slope(self, square: Float[Tensor, "n m"], coincident: float) -> Float[Tensor, "n m"]:
        """φ'(r)/r from r², overwriting its argument; zero where r² is at most ``coincident``."""

    def __call__(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m"]:
        x, z = self._arguments(X, Z)
        return self.profile(squared_distances(x, z))

    def radial_factor(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m"]:
        """The matrix of φ'(r)/r between the rows of X and of Z, zero for coincident points."""
        x, z = self._arguments(X, Z)
        points = x if z is None else z
        return self.slope(squared_distances(x, z), coincidence_radius(row_squares(points - points.mean(dim=0))))

    def gradient(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m d"]:
        factor = self.radial_factor(X, Z)
        x, z = self._arguments(X, Z)
        difference = x[:, None, :] - (x if z is None else z)
        result = factor[:, :, None] * difference
        root = self.root()
        return result if root is None else result @ root

    def diagonal(self, X: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """Ones: φ(0) = 1."""
        return torch.ones_like(check_matrix("X", X)[:, 0])


def coincidence_radius(squares: Float[Tensor, " m"]) -> float:
    """The squared distance up to which two points count as coincident, from those of the machine's points to their mean."""
    return COINCIDENCE[squares.dtype] ** 2 * float(squares.max())


@dataclass(frozen=True, eq=False)
class Laplace(RadialKernel):
    """The Laplace kernel exp(−‖x − z‖₂ / bandwidth).

    Parameters
    ----------
    bandwidth
        Length scale L > 0.
    M
        Mahalanobis matrix, optional.

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
        return square.sqrt_().mul_(-1.0 / self.bandwidth).exp_()

    def slope(self, square: Float[Tensor, "n m"], coincident: float) -> Float[Tensor, "n m"]:
        for rows in row_blocks(square):
            part = square[rows]
            apart = part > coincident
            distance = part.sqrt()
            torch.mul(distance, -1.0 / self.bandwidth, out=part).exp_()
            part.div_(distance.mul_(-self.bandwidth)).masked_fill_(apart.logical_not_(), 0.0)
        return square


@dataclass(frozen=True, eq=False)
class Gaussian(RadialKernel):
    """The Gaussian kernel exp(−‖x − z‖² / (2 bandwidth²)).

    Examples
    --------
    >>> x = torch.tensor([[0.0], [2.0]], dtype=torch.float64)
    >>> Gaussian(2.0)(x)[0, 1].item() == math.exp(-0.5)
    True
    """

    def profile(self, square: Float[Tensor, "n m"]) -> Float[Tensor, "n m"]:
        return square.mul_(-0.5 / self.bandwidth**2).exp_()

    def slope(self, square: Float[Tensor, "n m"], coincident: float) -> Float[Tensor, "n m"]:
        apart = square > coincident
        return self.profile(square).mul_(-1.0 / self.bandwidth**2).mul_(apart)


@dataclass(frozen=True, eq=False)
class Linear(Kernel):
    """The linear kernel xᵀMz (xᵀz without M)."""

    def __call__(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m"]:
        x, z = self._arguments(X, Z)
        return gram(x) if z is None else x @ z.T

    def gradient(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m d"]:
        x, z = self._arguments(X, Z)
        root = self.root()
        rows = x if z is None else z
        rows = rows if root is None else rows @ root
        return rows.expand(X.shape[0], *rows.shape).clone()


@dataclass(frozen=True, eq=False)
class Linearised(Linear):
    """The linearised kernel XᵀX + λI of the asymptotic theory.

    The perturbation λI belongs to the training points, by their index: it is on the diagonal of k(X) and absent from
    k(X, Z). Gradients are those of the linear part, as in the theory, where the predictor's AGOP is X ααᵀ Xᵀ.

    Parameters
    ----------
    lam
        λ ≥ 0.

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
        check_number("lam", self.lam, positive=False)
        super().__post_init__()

    def __call__(self, X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m"]:
        values = super().__call__(X, Z)
        if Z is None:
            values.diagonal().add_(self.lam)
        return values

    def diagonal(self, X: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        return super().diagonal(X) + self.lam
