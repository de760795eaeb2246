r"""The gradient flow of the cross-entropy without regularisation, in a time in which its slow end is quick.

Along the flow A' = −∂R/∂A, F' = −∂R/∂F (review, equation 14) the risk falls like 1/t, and the directions of A and F
settle like 1/log t. In the time s with ds = R dt the norms grow exponentially instead, and the right-hand side ∇R/R is
computed from logarithms, so that nothing underflows: risks of exp(−10⁴) are reached. AᵀA − FFᵀ does not change.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import logsumexp

from theory.arguments import IntegerLike, RealLike, check_integer, check_real
from theory.display import axes_of
from theory.overflow import within_floats
from theory.ufm.cross_entropy._margin import margins
from theory.ufm.factors import balanced_labels, check_factors

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["Trajectory", "gradient_flow", "log_risk"]

LARGEST_NORM2, LARGEST_WORK = 1e7, 100_000


def _log_risk_and_direction(H: Float[np.ndarray, "K N"]) -> tuple[float, Float[np.ndarray, "K N"]]:
    """The logarithm of the mean cross-entropy, and its gradient in H over itself."""
    y, samples = balanced_labels(*H.shape), np.arange(H.shape[1])
    gaps = H - H[y, samples]
    gaps[y, samples] = -np.inf
    odds = logsumexp(gaps, axis=0)  # log Σ_{j≠k} exp(h_j − h_k)
    losses = np.logaddexp(0, odds)
    # log log(1 + x) is log x below the precision of floats.
    log_losses = np.where(odds < -40, odds, np.log(np.maximum(losses, 1e-300)))
    total = float(logsumexp(log_losses))
    G = np.exp(gaps - losses - total)
    G[y, samples] = -G.sum(axis=0)
    return total - float(np.log(len(y))), G


@within_floats
def log_risk(A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"]) -> float:
    """The logarithm of the mean cross-entropy without bias, also where the risk itself is below the floats.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    Examples
    --------
    >>> log_risk(100 * np.eye(2), 100 * np.eye(2))
    -10000.0
    """
    A, F, _ = check_factors(A, F)
    return _log_risk_and_direction(A @ F)[0]


@dataclass(frozen=True)
class Trajectory:
    """A gradient flow at increasing times: points, risks, margins."""

    time: Float[np.ndarray, " T"]
    A: Float[np.ndarray, "T K m"]
    F: Float[np.ndarray, "T m N"]

    @property
    def norm2(self) -> Float[np.ndarray, " T"]:
        """‖A‖² + ‖F‖² at each time."""
        total: Float[np.ndarray, " T"] = (self.A**2).sum(axis=(1, 2)) + (self.F**2).sum(axis=(1, 2))
        return total

    @property
    def log_risk(self) -> Float[np.ndarray, " T"]:
        """The logarithm of the risk at each time."""
        return np.array([log_risk(A, F) for A, F in zip(self.A, self.F, strict=True)])

    @property
    def least_margin(self) -> Float[np.ndarray, " T"]:
        """The least margin over samples at each time."""
        return np.array([margins(A, F).min() for A, F in zip(self.A, self.F, strict=True)])

    def __repr__(self) -> str:
        """A line with the sizes and both ends."""
        (T, K, m), N = self.A.shape, self.F.shape[2]
        return (
            f"<gradient flow of cross-entropy: K = {K}, n = {N // K}, m = {m}, {T} times, log risk "
            f"{self.log_risk[0]:.4g} to {self.log_risk[-1]:.4g}>"
        )

    def plot(self, ax: Any = None) -> Any:
        """Plot the least margin over the squared norm, whose largest value is 1/(2(K−1)√n), against the log risk.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        ax = axes_of(ax)
        K, n = self.A.shape[1], self.F.shape[2] // self.A.shape[1]
        ax.plot(-self.log_risk, self.least_margin / self.norm2)
        ax.axhline(1 / (2 * (K - 1) * n**0.5), linestyle="--", color="gray", label="largest")
        ax.set(xlabel="−log risk", ylabel="least margin over ‖A‖² + ‖F‖²", xscale="symlog")
        ax.legend()
        return ax


def gradient_flow(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    *,
    norm2: RealLike = 1e4,
    longest: RealLike = 1e3,
    times: IntegerLike = 50,
    rtol: RealLike = 1e-8,
) -> Trajectory:
    """Integrate the gradient flow of the cross-entropy until the norm has a given size.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier at the start, one row a class.
    F : ndarray, shape (m, N)
        Features at the start, one column a sample, sorted by class, the same number of each.
    norm2 : float
        Where to end, ‖A‖² + ‖F‖²: above that of the start and at most 1e7, beyond which rounding errors of the outputs
        are as large as the differences that decide.
    longest : float
        The longest time s = ∫ R dt; a flow that does not separate the samples ends there.
    times : int
        How many points of the trajectory to return, at least 2, equally spaced in s.
    rtol : float
        Relative tolerance of the integrator, LSODA.

    Returns
    -------
    Trajectory
        `time` is s.

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, an entry is not finite, or
        norm2 is out of its range.
    TypeError
        If an argument is of a wrong type.
    RuntimeError
        If the integrator fails, or takes more than 100,000 evaluations.

    References
    ----------
    review, equation 14.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> flow = gradient_flow(rng.normal(size=(3, 2)), rng.normal(size=(2, 6)))
    >>> flow.time.size, bool(flow.log_risk[-1] < -1000)
    (50, True)
    >>> round(float(flow.least_margin[-1] / flow.norm2[-1] * 4 * 2**0.5), 2)
    1.0
    """
    A, F, _ = check_factors(A, F)
    norm2, longest = check_real("norm2", norm2, above=0), check_real("longest", longest, above=0)
    start = np.concatenate([A.ravel(), F.ravel()])
    if not start @ start < norm2 <= LARGEST_NORM2:
        raise ValueError(
            f"norm2 = {norm2:g}; norm2 must be above ‖A‖² + ‖F‖² = {start @ start:.6g} at the start and at most "
            f"{LARGEST_NORM2:g}"
        )
    times, rtol = check_integer("times", times, at_least=2, at_most=10**6), check_real("rtol", rtol, at_least=1e-13)

    evaluations = itertools.count(1)

    def velocity(s: float, theta: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        if next(evaluations) > LARGEST_WORK:
            raise RuntimeError(f"the flow was not integrated beyond s = {s:.6g} with {LARGEST_WORK} evaluations")
        a, f = theta[: A.size].reshape(A.shape), theta[A.size :].reshape(F.shape)
        G = _log_risk_and_direction(a @ f)[1]
        return -np.concatenate([(G @ f.T).ravel(), (a.T @ G).ravel()])

    def size(_: float, theta: Float[np.ndarray, " d"]) -> float:
        return float(theta @ theta - norm2)

    size.terminal = True  # type: ignore[attr-defined]
    found = solve_ivp(
        velocity, (0, longest), start, method="LSODA", events=size, dense_output=True, rtol=rtol, atol=rtol * 1e-3
    )
    if not found.success:
        raise RuntimeError(f"the flow was not integrated beyond s = {found.t[-1]:.6g}: {found.message}")
    s = np.linspace(0, found.t[-1], times)
    assert found.sol is not None
    states = found.sol(s).T
    return Trajectory(s, states[:, : A.size].reshape(times, *A.shape), states[:, A.size :].reshape(times, *F.shape))
