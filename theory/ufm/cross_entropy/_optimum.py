r"""The global minimum of the cross-entropy with weight decay, in closed form for widths of K − 1 or more.

With s = √(nλ_Aλ_F), the convex program has the only solution b = 0 and Z = t(I − J/K) ⊗ 1ᵀ,

$$ t = \log\Bigl(\frac1s - K + 1\Bigr) \text{ if } Ks < 1, \quad t = 0 \text{ otherwise}, \qquad
\text{loss} = \log\bigl(1 + (K-1)e^{-t}\bigr) + (K-1)st. $$

The negative gradient there is $\frac1{n(e^t+K-1)}(I - J/K) \otimes 1^\top$, with all K − 1 singular values equal to
√(λ_Aλ_F) if Ks ≤ 1, and to $\frac1{K\sqrt n}$ at t = 0: the condition of optimality. Z has rank K − 1 or 0 and is a
product of factors of any width from there on.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log1p, sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from theory import schatten
from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_array, check_integer, check_real
from theory.display import axes_of, html_table
from theory.overflow import within_floats
from theory.ufm.cross_entropy._margin import largest_margin_factors
from theory.ufm.cross_entropy._regularised import regularised_gradient, regularised_risk

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["CEOptimum", "balanced_factors", "ce_optimum"]


@dataclass(frozen=True, eq=False, repr=False)
class CEOptimum:
    """The global minimum of the cross-entropy with weight decay, or the best that was found.

    Attributes
    ----------
    regime : "collapsed", "zero" or "searched"
        Neural collapse; A = 0 and F = 0, once nK²λ_Aλ_F ≥ 1; or the best of a search, for a width below K − 1.
    loss : float
        The regularised risk.
    bound : float
        The minimum of the convex program, which no width can beat; the loss but where it was searched.
    scale : float
        The margin t of every sample, 0 in the regime "zero"; of a search the least margin.
    A : ndarray, shape (K, m)
    F : ndarray, shape (m, Kn)
    b : ndarray, shape (K,)
        0 but where it was searched with a bias.
    """

    regime: Literal["collapsed", "zero", "searched"]
    loss: float
    bound: float
    scale: float
    A: Float[np.ndarray, "K m"]
    F: Float[np.ndarray, "m N"]
    b: Float[np.ndarray, " K"]

    def __repr__(self) -> str:
        (K, m), N = self.A.shape, self.F.shape[1]
        return (
            f"<cross-entropy: K = {K}, n = {N // K}, m = {m}, {self.regime}, loss {self.loss:.6g}, "
            f"margin {self.scale:.6g}>"
        )

    def _repr_html_(self) -> str:
        rows = {"regime": self.regime, "loss": f"{self.loss:.6g}", "margin": f"{self.scale:.6g}"}
        if self.regime == "searched":
            rows["lower bound"] = f"{self.bound:.6g}"
        return html_table(rows, "Cross-entropy with weight decay")

    def plot(self, ax: Any = None) -> Any:
        """Plot the outputs of the first sample of each class, as a matrix.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        ax = axes_of(ax)
        n = self.F.shape[1] // len(self.A)
        image = ax.imshow(self.A @ self.F[:, ::n] + self.b[:, None], cmap="coolwarm")
        ax.figure.colorbar(image, ax=ax, label="output")
        ax.set(xlabel="class of the sample", ylabel="class", title=f"{self.regime}, loss {self.loss:.4g}")
        return ax


def balanced_factors(
    Z: Float[np.ndarray, "K N"], lam_A: RealLike, lam_F: RealLike, m: IntegerLike | None = None
) -> tuple[Float[np.ndarray, "K m"], Float[np.ndarray, "m N"]]:
    """Factors A, F of a matrix with the least (λ_A/2)‖A‖² + (λ_F/2)‖F‖², which is √(λ_Aλ_F)‖Z‖_*.

    Parameters
    ----------
    Z : ndarray, shape (K, N)
    lam_A, lam_F : float
        Weight decay, positive.
    m : int, optional
        Width, at least the rank of Z. By default the smaller dimension of Z.

    Returns
    -------
    A : ndarray, shape (K, m)
    F : ndarray, shape (m, N)

    Raises
    ------
    ValueError
        If the width is below the rank, so that Z has no such factors, or a weight decay is not positive.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 24.

    Examples
    --------
    >>> A, F = balanced_factors(np.diag([3.0, 1.0]), 4, 1, m=5)
    >>> A.shape, round(4 / 2 * float((A**2).sum()) + 1 / 2 * float((F**2).sum()), 12)
    ((2, 5), 8.0)
    """
    Z = check_array("Z", Z, ndim=2, empty=False)
    A, F = schatten.minimal_factors(Z, [check_real("lam_A", lam_A, above=0), check_real("lam_F", lam_F, above=0)])
    if m is None:
        return A, F
    m, rank = check_integer("m", m, at_least=1, at_most=LARGEST_SIZE), int(np.count_nonzero(A.any(axis=0)))
    if m < rank:
        raise ValueError(f"m = {m}; m must be at least {rank}, the rank of Z, for which else there are no factors")
    wide = max(0, m - A.shape[1])
    return np.pad(A[:, :m], ((0, 0), (0, wide))), np.pad(F[:m], ((0, wide), (0, 0)))


@within_floats
def ce_optimum(
    K: IntegerLike,
    n: IntegerLike,
    lam_A: RealLike,
    lam_F: RealLike,
    *,
    m: IntegerLike | None = None,
    lam_b: RealLike | None = None,
    starts: IntegerLike = 20,
    seed: IntegerLike = 0,
) -> CEOptimum:
    """The global minimum of the cross-entropy with weight decay: closed form for m ≥ K − 1, a search below.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    n : int
        Samples of each class.
    lam_A, lam_F : float
        Weight decay of classifier and features, positive.
    m : int, optional
        Width, K − 1 by default.
    lam_b : float, optional
        Weight decay of the bias, at least 0; by default there is no bias. From m = K − 1 on it is 0 at the minimum.
    starts, seed : int
        For the search: random starts of L-BFGS, and their seed.

    Returns
    -------
    CEOptimum
        Its regime says whether the minimum is collapsed, at zero (as soon as nK²λ_Aλ_F ≥ 1), or was searched.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equations 21–25 and 27.

    Examples
    --------
    >>> ce_optimum(3, 1, 0.1, 0.1)
    <cross-entropy: K = 3, n = 1, m = 2, collapsed, loss 0.639032, margin 2.07944>
    >>> ce_optimum(3, 1, 0.4, 0.4).regime
    'zero'
    """
    K, n = check_integer("K", K, at_least=2, at_most=10_000), check_integer("n", n, at_least=1, at_most=10**6)
    lam_A, lam_F = check_real("lam_A", lam_A, above=0), check_real("lam_F", lam_F, above=0)
    m = K - 1 if m is None else check_integer("m", m, at_least=1, at_most=10**6)
    decay = None if lam_b is None else check_real("lam_b", lam_b, at_least=0)
    starts, seed = check_integer("starts", starts, at_least=1), check_integer("seed", seed, at_least=0)
    s = sqrt(lam_A) * sqrt(lam_F) * sqrt(n)
    t = log1p((1 - K * s) / s) if K * s < 1 else 0.0
    loss = log1p((K - 1) * exp(-t)) + (K - 1) * s * t
    if t == 0:
        return CEOptimum("zero", loss, loss, 0.0, np.zeros((K, m)), np.zeros((m, K * n)), np.zeros(K))
    if m < K - 1:
        return _search(K, n, m, (lam_A, lam_F, decay), loss, starts, seed)
    A, F = largest_margin_factors(K, n, 2 * (K - 1) * sqrt(n) * t, m)
    ratio = sqrt(sqrt(lam_F) / sqrt(lam_A))
    return CEOptimum("collapsed", loss, loss, t, A * ratio, F / ratio, np.zeros(K))


def _search(
    K: int, n: int, m: int, decays: tuple[float, float, float | None], bound: float, starts: int, seed: int
) -> CEOptimum:
    """The best of many descents in the class means: the risk is convex in the features, so they collapse."""
    from scipy.optimize import minimize

    lams = (decays[0], n * decays[1], decays[2] or 0.0)
    rng, bias = np.random.default_rng(seed), decays[2] is not None

    def parts(x: Float[np.ndarray, " d"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return x[: K * m].reshape(K, m), x[K * m : 2 * K * m].reshape(m, K), x[2 * K * m :] if bias else np.zeros(K)

    def value(x: Any) -> Any:
        A, F, b = parts(x)
        slopes = regularised_gradient(A, F, b, lams=lams)
        return regularised_risk(A, F, b, lams=lams), np.concatenate([g.ravel() for g in slopes])[: x.size]

    options = {"maxiter": 5000, "maxfun": 10_000, "ftol": 1e-15, "gtol": 1e-10}
    size = 2 * K * m + (K if bias else 0)
    runs = [
        minimize(value, rng.normal(size=size), jac=True, method="L-BFGS-B", options=options)  # type: ignore[call-overload]
        for _ in range(starts)
    ]
    best = min(runs, key=lambda run: float(run.fun))
    A, F, b = parts(best.x)
    H = A @ F + b[:, None]
    scale = float((np.diag(H) - np.where(np.eye(K, dtype=bool), -np.inf, H).max(axis=0)).min())
    return CEOptimum("searched", float(best.fun), bound, scale, A, np.repeat(F, n, axis=1), b)
