"""Distances that stay accurate as points come together.

The expanded square ‖x‖² + ‖z‖² − 2⟨x, z⟩ loses everything when ‖x − z‖ falls below about 1e-8 of the norms, which is
exactly where collapsing data goes. `squared_distances` finds such pairs and recomputes them about a common reference
point, so that distances keep their relative accuracy down to the spacing of the floating-point numbers that the points
themselves are made of.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from numerics.linalg import gram, row_blocks, row_squares
from numerics.scaling import common_scale, restored
from numerics.tensors import check_matrix, check_same_kind

__all__ = ["CANCELLATION", "COINCIDENCE", "coincidence_radius", "distances_about", "refine_pairs", "squared_distances"]

COINCIDENCE: dict[torch.dtype, float] = {torch.float64: 1e-10, torch.float32: 1e-5}
"""Points closer than this multiple of the largest distance from the mean count as coincident in gradients."""

CANCELLATION: dict[torch.dtype, float] = {torch.float64: 1e-4, torch.float32: 1e-2}
"""A squared distance below this part of ‖x‖² + ‖z‖² is recomputed: above, the expanded square has 11 (5) digits."""

_CHUNK = 1 << 22  # entries of differences taken at a time
_FEW = 8  # entries of a row that are recomputed one by one
_BALL = {torch.float64: 4.0, torch.float32: 1.0}  # radius of a ball, in distances at which digits are lost
_DEPTH = 20  # levels of balls within balls


def squared_distances(X: Float[Tensor, "n d"], Z: Float[Tensor, "m d"] | None = None) -> Float[Tensor, "n m"]:
    """Squared Euclidean distances between the rows of X and of Z (of X and itself without Z).

    Parameters
    ----------
    X : Tensor, shape (n, d)
        Points in rows, float32 or float64.
    Z : Tensor, shape (m, d), optional
        Points in rows, of X's dtype and device.

    Returns
    -------
    Tensor, shape (n, m)
        Non-negative; exactly zero for equal rows, and on the diagonal when Z is not given.

    Raises
    ------
    TypeError, ValueError
        If X or Z is not a finite floating-point matrix, they disagree in columns, dtype or device, or the squares are
        beyond the numbers of the dtype.

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
    check_matrix("X", X, detached=True)
    if Z is not None:
        check_matrix("Z", Z, columns=X.shape[1], detached=True)
        check_same_kind("Z", Z, "X", X)
    scale = common_scale(X, Z)
    if scale == 1.0:
        return _about_mean(X, Z)
    square = _about_mean(X / scale, None if Z is None else Z / scale)
    smallest = square[square > 0].min() if bool((square > 0).any()) else square.max()
    restored(smallest.clone(), scale, "the matrix of squared distances")  # every one of them has all its digits
    return restored(square, scale, "the matrix of squared distances")


def _about_mean(X: Tensor, Z: Tensor | None) -> Tensor:
    origin = X.mean(dim=0)
    return distances_about(X, Z, X - origin, None if Z is None else Z - origin)


def distances_about(X: Tensor, Z: Tensor | None, x: Tensor, z: Tensor | None, depth: int = 0) -> Tensor:
    """Squared distances between X and Z (X and itself) by a product of x and z, the same points seen from nearby.

    Differences are always taken of the points as given: a difference of neighbours is exact, or nearly so, while one
    of points that were shifted before carries the rounding of the shift.

    Parameters
    ----------
    X, Z : Tensor, shapes (n, d) and (m, d)
        The points; Z may be None.
    x, z : Tensor, shapes (n, d) and (m, d)
        The points less one point near them.
    depth : int
        How many balls are around them.

    Returns
    -------
    Tensor, shape (n, m)
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
        lost = part < norms.mul_(CANCELLATION[X.dtype])
        if z is None:
            part.diagonal(rows.start).zero_()
            lost.diagonal(rows.start).fill_(False)
        degree = lost.sum(dim=1)
        if bool(degree.any()):
            torch.gt(degree, _FEW if depth < _DEPTH else square.shape[1], out=crowded[rows])
            lost[crowded[rows]] = False
            pairs.append(lost.nonzero() + torch.tensor([rows.start, 0], device=X.device))
    if pairs:
        refine_pairs(square, X, Z, torch.cat(pairs))
    if bool(crowded.any()):
        _refine_balls(square, X, Z, x_square, crowded, depth)
    return square


def refine_pairs(square: Tensor, X: Tensor, Z: Tensor | None, pairs: Tensor) -> None:
    """Recompute entries of the matrix of squared distances from the differences themselves, in place."""
    step = max(1, _CHUNK // X.shape[1])
    for start in range(0, pairs.shape[0], step):
        i, j = pairs[start : start + step].T
        values = (X[i] - (X if Z is None else Z)[j]).square_().sum(dim=1)
        square[i, j] = values
        if Z is None:
            square[j, i] = values


def _refine_balls(square: Tensor, X: Tensor, Z: Tensor | None, x_square: Tensor, rows: Tensor, depth: int) -> None:
    """Recompute all entries of the marked rows of the matrix that have lost digits, in place.

    The rows are split into balls, and those of a ball recomputed as seen from one of its points, against a larger ball
    that holds every point to which they have lost a distance. What is lost is known from norms: a pair (x, z) is lost
    if ‖x − z‖² < ε(‖x‖² + ‖z‖²), so that ‖x − z‖ < t‖x‖ with t = √(2ε) / (1 − √(2ε)).
    """
    root = math.sqrt(2.0 * CANCELLATION[X.dtype])
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
    """Entries of the matrix as seen from the most central of the rows; without Z also of the rows among themselves."""
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


def coincidence_radius(squares: Float[Tensor, " m"]) -> float:
    """The squared distance up to which two points count as coincident.

    Parameters
    ----------
    squares : Tensor, shape (m,)
        Squared distances of the machine's points from their mean.
    """
    return COINCIDENCE[squares.dtype] ** 2 * float(squares.max())
