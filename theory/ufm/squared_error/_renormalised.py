r"""The flow of renormalised features on the central path, in closed form.

The best classifier has the risk $\frac12\bigl(1-\frac1K\bigr)-\frac1{2K^2}\operatorname{tr}
\tilde M^\top(\Sigma+\lambda I)^{-1}\tilde M$. With N = M̃Y + W, Σ_W = WWᵀ/N = I and the singular values s of M̃, its
slope along W is S W with a symmetric S, so that W stays. With κ = K(1 + λ)

- projected on the tangent space of Σ_W = I: s' = (1 + λ) s / (n (κ + s²)²),
- renormalised by Σ_W^{-1/2} after each step: s' = s / (N (κ + s²)),
- with Σ = I instead of Σ_W = I: s' = s / (N κ), for the singular values s of Σ_W^{-1/2} M̃.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_array, check_choice, check_integer, check_real
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["Scheme", "central_path", "renormalised_flow"]

#: How the features are kept on the manifold.
Scheme: TypeAlias = Literal["projected", "retracted", "total"]


@within_floats
def renormalised_flow(
    singular_values: Sequence[RealLike] | Float[np.ndarray, " r"],
    t: RealLike,
    *,
    K: IntegerLike,
    n: IntegerLike,
    lam: RealLike = 0.0,
    scheme: Scheme = "projected",
) -> Float[np.ndarray, " r"]:
    """The singular values of Σ_W^{-1/2} M̃ after a time t of the renormalised flow.

    Parameters
    ----------
    singular_values : array_like, shape (r,)
        At time 0, not negative. Those that are 0 stay 0.
    t : float
        Time, at least 0.
    K : int
        Classes, at least 2.
    n : int
        Samples of each class.
    lam : float
        Weight decay of the classifier, at least 0.
    scheme : "projected", "retracted" or "total"
        The slope projected on the tangent space of Σ_W = I; the features renormalised after each small step;
        or projected on that of Σ = I, where all grow by the same factor.

    Returns
    -------
    ndarray, shape (r,)

    Raises
    ------
    ValueError
        If a number is out of range.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 31, with the slope turned downwards.

    Examples
    --------
    >>> renormalised_flow([1.0, 2.0], 1e6, K=3, n=2).round(3)
    array([37.526, 37.526])
    """
    start = check_array("singular_values", singular_values, ndim=1)
    if (start < 0).any():
        raise ValueError(f"singular_values = {start.tolist()}; singular_values must be at least 0")
    K, n = check_integer("K", K, at_least=2), check_integer("n", n, at_least=1)
    time, lam = check_real("t", t, at_least=0), check_real("lam", lam, at_least=0)
    kappa, s2 = K * (1 + lam), start**2
    scheme = check_choice("scheme", scheme, get_args(Scheme))
    if scheme == "total" or time == 0:
        uniform: Float[np.ndarray, " r"] = start * np.exp(time / (K * n * kappa))
        return uniform
    # With s = s₀ e^d: a d + (p/2)(e^{2d} − 1) + (q/4)(e^{4d} − 1) = τ, convex and increasing in d.
    projected = scheme == "projected"
    a, tau = (kappa**2, (1 + lam) * time / n) if projected else (kappa, time / (K * n))
    p, q = (2 * kappa * s2, s2**2) if projected else (s2, 0 * s2)
    grown, moves = np.zeros_like(start), start > 0
    grown[moves] = start[moves] * np.exp(_solve(a, p[moves], q[moves], tau))
    return grown


def _solve(a: float, p: Float[np.ndarray, " r"], q: Float[np.ndarray, " r"], tau: float) -> Float[np.ndarray, " r"]:
    """The root d of a d + (p/2)(e^{2d} − 1) + (q/4)(e^{4d} − 1) = τ, by Newton's method from above."""
    d = np.full_like(p, tau / a)
    for rate, coefficient in ((2, p), (4, q)):
        bound = np.divide(rate * tau, coefficient, out=np.full_like(p, np.inf), where=coefficient > tau * 1e-290)
        d = np.minimum(d, np.log1p(bound) / rate)
    for _ in range(100):
        value = a * d + p * np.expm1(2 * d) / 2 + q * np.expm1(4 * d) / 4 - tau
        step = value / (a + p * np.exp(2 * d) + q * np.exp(4 * d))
        d = d - step
        if (np.abs(step) <= 1e-15 * (1 + np.abs(d))).all():
            break
    root: Float[np.ndarray, " r"] = np.maximum(d, 0.0)
    return root


@within_floats
def central_path(
    F0: Float[np.ndarray, "m N"],
    t: RealLike,
    *,
    K: IntegerLike,
    lam: RealLike = 0.0,
    scheme: Literal["projected", "retracted"] = "projected",
) -> Float[np.ndarray, "m N"]:
    """The renormalised features after a time t of the flow on the central path.

    Parameters
    ----------
    F0 : ndarray, shape (m, N)
        Features at time 0, one column a sample, sorted by class, the same number of each. They are centred and
        renormalised to Σ_W = I first, for which Σ_W has to be invertible.
    t : float
        Time, at least 0.
    K : int
        Classes, at least 2.
    lam : float
        Weight decay of the classifier, at least 0.
    scheme : "projected" or "retracted"
        As in `renormalised_flow`.

    Returns
    -------
    ndarray, shape (m, N)
        M̃(t)Y + W, where W and the singular vectors of M̃ are those at time 0.

    Raises
    ------
    ValueError
        If Σ_W is singular, N is no multiple of K, or a number is out of range.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 31.

    Examples
    --------
    >>> central_path(np.array([[2.0, 3.0, 0.0, 1.0]]), 0.0, K=2)
    array([[ 1.,  3., -3., -1.]])
    """
    features, K = check_array("F0", F0, ndim=2, empty=False), check_integer("K", K, at_least=2)
    m, N = features.shape
    if N % K:
        raise ValueError(f"F0 has shape {features.shape}; F0 must have a multiple of K = {K} columns")
    scheme = check_choice("scheme", scheme, ["projected", "retracted"])
    means = features.reshape(m, K, N // K).mean(axis=2)
    within = features - np.repeat(means, N // K, axis=1)
    left, values, right = np.linalg.svd(within / N**0.5, full_matrices=False)
    if m > N - K or values.min() <= max(m, N) * np.finfo(float).eps * values.max():
        raise ValueError("F0 has a singular covariance within classes; F0 must have an invertible one (N − K ≥ m)")
    centred = (left / values) @ left.T @ (means - means.mean(axis=1, keepdims=True))
    U, s, Vt = np.linalg.svd(centred, full_matrices=False)
    s = np.where(s > max(m, K) * np.finfo(float).eps * s.max(), s, 0.0)
    grown = renormalised_flow(s, t, K=K, n=N // K, lam=lam, scheme=scheme)
    moved: Float[np.ndarray, "m N"] = np.repeat((U * grown) @ Vt, N // K, axis=1) + N**0.5 * (left @ right)
    return moved
