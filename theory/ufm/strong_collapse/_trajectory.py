"""The full gradient flow of the squared error by an integrator, and gradient descent for many starts at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.integrate import solve_ivp

from theory.arguments import IntegerLike, RealLike, check_array, check_integer, check_real
from theory.display import axes_of
from theory.overflow import within_floats
from theory.ufm.factors import check_factors
from theory.ufm.strong_collapse._point import distance_from_collapse_subspace, snc_errors
from theory.ufm.strong_collapse._risk import Loss, loss_scale, risk

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["Trajectory", "gradient_descent", "gradient_flow"]

#: How often `gradient_flow` computes the slope at most.
MOST_SLOPES = 200_000


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """The points of a gradient flow, or of a descent, at increasing times.

    Attributes
    ----------
    times : ndarray, shape (T,)
    A : ndarray, shape (T, K, m)
    F : ndarray, shape (T, m, N)
    b : ndarray, shape (T, K)
    """

    times: Float[np.ndarray, " T"]
    A: Float[np.ndarray, "T K m"]
    F: Float[np.ndarray, "T m N"]
    b: Float[np.ndarray, "T K"]

    @property
    def risks(self) -> Float[np.ndarray, " T"]:
        """The squared error at each time."""
        return np.array([risk(*point) for point in zip(self.A, self.F, self.b, strict=True)])

    @property
    def errors(self) -> Float[np.ndarray, "T 3"]:
        """δ_SNC1, δ_SNC2 and δ_SNC3 at each time."""
        return np.array([snc_errors(*point) for point in zip(self.A, self.F, self.b, strict=True)])

    @property
    def distances(self) -> Float[np.ndarray, " T"]:
        """The distance from the subspace S of collapse at each time."""
        points = zip(self.A, self.F, self.b, strict=True)
        return np.array([distance_from_collapse_subspace(*point) for point in points])

    def __repr__(self) -> str:
        (_, K, m), N = self.A.shape, self.F.shape[2]
        errors = ", ".join(f"{error:.3g}" for error in self.errors[-1])
        return (
            f"<squared error: K = {K}, n = {N // K}, m = {m}, {len(self.times)} times to {self.times[-1]:.4g}, "
            f"risk {self.risks[-1]:.3g}, SNC errors {errors}>"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{t:.4g}</td><td>{r:.4g}</td>{''.join(f'<td>{e:.4g}</td>' for e in errors)}</tr>"
            for t, r, errors in list(zip(self.times, self.risks, self.errors, strict=True))[
                :: max(1, len(self.times) // 8)
            ]
        )
        head = "<tr><th>t</th><th>risk</th><th>δ₁</th><th>δ₂</th><th>δ₃</th></tr>"
        return f"<table>{head}{rows}</table>"

    def plot(self, ax: Any = None) -> Any:
        """Plot the three SNC errors and the risk over time.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        ax = axes_of(ax)
        for k in range(3):
            ax.plot(self.times, self.errors[:, k], label=f"SNC{k + 1} error")
        ax.plot(self.times, self.risks, "--", color="gray", label="risk")
        ax.set(xlabel="time", yscale="log")
        ax.legend()
        return ax


@within_floats
def gradient_flow(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    times: Sequence[RealLike] | Float[np.ndarray, " T"],
    *,
    b: Float[np.ndarray, " K"] | None = None,
    loss: Loss = "se",
    rtol: RealLike = 1e-10,
) -> Trajectory:
    """Integrate the gradient flow of the squared error from any start.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier at the start, one row a class.
    F : ndarray, shape (m, N)
        Features at the start, one column a sample, sorted by class, the same number of each.
    times : sequence of float
        Increasing times, the first at least 0, that of the start.
    b : ndarray, shape (K,), optional
        Bias at the start, 0 by default.
    loss : "se" or "mse"
        The squared error, or the mean squared error.
    rtol : float
        Relative tolerance of the integrator, at least 1e-13; the absolute one is smaller by the size of the start.

    Returns
    -------
    Trajectory

    Raises
    ------
    ValueError
        If the shapes do not fit, the times do not increase, an entry is not finite, or the last time would take more
        than 200,000 slopes.
    TypeError
        If an argument is of a wrong type.
    RuntimeError
        If the integrator gives up.

    References
    ----------
    review, equations 18 and 57.

    Examples
    --------
    >>> F = np.array([[0.01, -0.02]])
    >>> gradient_flow(F.T, F, [0, 10, 20])
    <squared error: K = 2, n = 1, m = 1, 3 times to 20, risk ..., SNC errors ...>
    """
    A, F, b = check_factors(A, F, b)
    at = check_array("times", times, ndim=1, empty=False)
    if at[0] < 0 or (np.diff(at) <= 0).any():
        raise ValueError(f"times = {np.asarray(times).tolist()}; times must increase, the first at least 0")
    tolerance = check_real("rtol", rtol, at_least=1e-13)
    (K, m), N = A.shape, F.shape[1]
    cuts = [K * m, K * m + m * N]
    Y, scale = np.repeat(np.eye(K), N // K, axis=1), loss_scale(loss, N)
    slopes = count(1)

    def parts(x: Float[np.ndarray, " d"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        a, f, c = np.split(x, cuts)
        return a.reshape(K, m), f.reshape(m, N), c

    def slope(_: float, x: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        if next(slopes) > MOST_SLOPES:
            raise ValueError(
                f"times[-1] = {at[-1]} is not reached from A, F and b of this size in {MOST_SLOPES} evaluations; times "
                "must be shorter, or the start smaller"
            )
        a, f, c = parts(x)
        E = scale * (Y - a @ f - c[:, None])
        return np.concatenate([(E @ f.T).ravel(), (a.T @ E).ravel(), E.sum(axis=1)])

    start = np.concatenate([A.ravel(), F.ravel(), b])
    size = min(1.0, float(np.abs(start).max())) or 1.0
    if at[-1] == 0:
        return Trajectory(at, A[None], F[None], b[None])
    found = solve_ivp(
        slope, (0, float(at[-1])), start, method="DOP853", t_eval=at, rtol=tolerance, atol=tolerance * size * 1e-2
    )
    if not found.success:
        raise RuntimeError(f"the integrator stopped at t = {found.t[-1] if len(found.t) else 0}: {found.message}")
    points = [parts(x) for x in found.y.T]
    return Trajectory(at, *(np.array([point[i] for point in points]) for i in range(3)))


def gradient_descent(
    A: Float[np.ndarray, "R K m"],
    F: Float[np.ndarray, "R m N"],
    *,
    step: RealLike,
    steps: IntegerLike,
    every: IntegerLike | None = None,
    loss: Loss = "se",
) -> list[Trajectory]:
    """Gradient descent on the squared error from several starts at once, with bias 0 at the start.

    Parameters
    ----------
    A : ndarray, shape (R, K, m)
        Classifiers at the starts.
    F : ndarray, shape (R, m, N)
        Features at the starts.
    step : float
        Step size, positive; below 1/N for descent at small factors.
    steps : int
        Number of steps.
    every : int, optional
        Steps from one recorded point to the next; by default only the start and the end are recorded.
    loss : "se" or "mse"
        The squared error, or the mean squared error.

    Returns
    -------
    list of Trajectory
        One for each start; times are steps times step size.

    Raises
    ------
    ValueError
        If the shapes do not fit, a value is out of range, an entry is not finite, or the descent diverges.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, Figure 3.

    Examples
    --------
    >>> F = np.array([[[0.01, -0.02]]])
    >>> gradient_descent(F.swapaxes(1, 2), F, step=0.1, steps=200)
    [<squared error: K = 2, n = 1, m = 1, 2 times to 20, risk ..., SNC errors ...>]
    """
    A, F = check_array("A", A, ndim=3, empty=False), check_array("F", F, ndim=3, empty=False)
    if len(A) != len(F):
        raise ValueError(f"F has shape {F.shape}; for A of shape {A.shape} F must have {len(A)} starts")
    check_factors(A[0], F[0])
    eta, steps = check_real("step", step, above=0), check_integer("steps", steps, at_least=1)
    every = steps if every is None else check_integer("every", every, at_least=1)
    K, N = A.shape[1], F.shape[2]
    Y, b = np.repeat(np.eye(K), N // K, axis=1), np.zeros((len(A), K))
    scale = eta * loss_scale(loss, N)
    kept = [(0.0, A, F, b)]
    for i in range(1, steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            E = scale * (A @ F + b[:, :, None] - Y)
            A, F, b = A - E @ F.swapaxes(1, 2), F - A.swapaxes(1, 2) @ E, b - E.sum(axis=2)
        if i % every == 0 or i == steps:
            kept.append((i * eta, A, F, b))
            if not np.isfinite(A).all() or np.abs(A).max() > 1e100:
                raise ValueError(f"step = {eta}; step must be smaller, the descent diverges")
    times, *tracks = (np.array(track) for track in zip(*kept, strict=True))
    return [Trajectory(times, *(track[:, r] for track in tracks)) for r in range(len(A))]
