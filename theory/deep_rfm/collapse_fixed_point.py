r"""The fixed point of the linearised Deep RFM iteration, and how fast it is reached.

With n_c samples in class c, the map of `theory.deep_rfm.collapse_map` has the fixed point ⨁_c g_c 11ᵀ: every class
collapsed to one point, the classes orthogonal. Its scales solve

$$
\kappa g_c = \Bigl(\frac{a_c+\lambda_{\mathrm{map}}}{a_c+\lambda_{\mathrm{map}}+\lambda_k}\Bigr)^2, \qquad
a_c = g_c n_c .
$$

It is YᵀY exactly when all classes have n samples and κ = (1 + λ_k/(n+λ_map))⁻². The bound on one step is proved in
docs/deep_rfm_convergence.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from theory.arguments import IntegerLike, RealLike, check_integer, check_real, check_sequence
from theory.labels import as_one_hot, class_sizes
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = [
    "ContractionBound",
    "contraction_bound",
    "contraction_factor",
    "critical_lam_k",
    "fixed_point",
    "fixed_point_scales",
    "one_layer_distance",
]


@within_floats
def fixed_point_scales(
    sizes: Sequence[IntegerLike], *, lam_k: RealLike, lam_map: RealLike, kappa: RealLike
) -> Float[np.ndarray, " K"]:
    """Return the scales g_c of the fixed point, one for each class.

    Parameters
    ----------
    sizes : sequence of int
        Samples n_c in each class.
    lam_k, lam_map, kappa : float
        As for `theory.deep_rfm.collapse_map.step`.

    Returns
    -------
    ndarray, shape (K,)
        The largest solution for each class. It is the only one when λ_k ≤ λ_map.

    Raises
    ------
    TypeError, ValueError
        If a size is no integer ≥ 1, or a parameter is out of range.

    Notes
    -----
    For a = g_c n_c the equation is the cubic κ a (a + λ_map + λ_k)² = n_c (a + λ_map)².

    Examples
    --------
    >>> from theory.deep_rfm.collapse_map import exact_kappa
    >>> fixed_point_scales([3, 3], lam_k=0.1, lam_map=1.0, kappa=exact_kappa(3, 0.1, 1.0))
    array([1., 1.])
    """
    k, m = check_real("lam_k", lam_k, at_least=0), check_real("lam_map", lam_map, above=0)
    kappa = check_real("kappa", kappa, above=0)
    scales = []
    for n in _checked(sizes):
        # In units of m + k: u (u+1)² = ν (u+τ)², ν = n/(κ(m+k)), τ = m/(m+k).
        nu, tau = n / (kappa * (m + k)), m / (m + k)
        roots = np.roots([1.0, 2.0 - nu, 1.0 - 2 * nu * tau, -nu * tau**2])
        u = float(max(roots[np.abs(roots.imag) <= 1e-6 * np.abs(roots)].real))
        for _ in range(3):  # polish what the companion matrix's eigenvalues lose
            value = u * (u + 1) ** 2 - nu * (u + tau) ** 2
            slope = (u + 1) * (3 * u + 1) - 2 * nu * (u + tau)
            u -= value / slope if slope else 0.0
        scales.append(((u + tau) / (u + 1)) ** 2 / kappa)
    return np.array(scales)


@within_floats
def fixed_point(Y: ArrayLike, *, lam_k: RealLike, lam_map: RealLike, kappa: RealLike) -> Float[np.ndarray, "N N"]:
    """Return the Gram matrix that a layer leaves as it is: each class collapsed, the classes orthogonal.

    Its blocks are constant, with the values of `fixed_point_scales`. For classes of equal size it is a multiple of YᵀY;
    for classes of unequal size it is YᵀY for no κ.

    Parameters
    ----------
    Y : array_like, shape (K, N)
        One-hot labels.
    lam_k, lam_map, kappa : float
        As for `theory.deep_rfm.collapse_map.step`.

    Returns
    -------
    ndarray, shape (N, N)

    Raises
    ------
    TypeError, ValueError
        If the columns of Y are not one-hot, or a parameter is out of range.

    Examples
    --------
    >>> fixed_point([[1, 1]], lam_k=0.0, lam_map=1.0, kappa=0.5)
    array([[2., 2.],
           [2., 2.]])
    """
    Y = as_one_hot(Y)
    scales = fixed_point_scales(class_sizes(Y).tolist(), lam_k=lam_k, lam_map=lam_map, kappa=kappa)
    gram: Float[np.ndarray, "N N"] = Y.T @ (scales[:, None] * Y)
    return gram


# Contraction.


class ContractionBound(NamedTuple):
    """The next distance from the fixed point is at most linear · e + quadratic · e², e the distance now.

    Attributes
    ----------
    linear, quadratic : float
        In the spectral norm.
    """

    linear: float
    quadratic: float


@within_floats
def contraction_bound(
    sizes: Sequence[IntegerLike], *, lam_k: RealLike, lam_map: RealLike, kappa: RealLike
) -> ContractionBound:
    r"""Return a bound on the distance to the fixed point after one layer, from any positive semi-definite Gram matrix.

    With a_c = g_c n_c the coefficients are

    $$
    \text{linear} = \max_c \frac{2\lambda_k}{\lambda_{\mathrm{map}}+\lambda_k}
        \frac{a_c}{a_c+\lambda_{\mathrm{map}}}, \qquad
    \text{quadratic} = \max_c \Bigl(\frac{\lambda_k}{\lambda_{\mathrm{map}}+\lambda_k}\Bigr)^2
        \frac{a_c}{(a_c+\lambda_{\mathrm{map}})^2} .
    $$

    After the first layer the distance is at most max_c a_c ((1 + λ_k/λ_map)² − 1), provided that the data's Gram matrix
    has no eigenvalue below λ_map. Hence, if λ_k/λ_map is at most (1−ε)/2 and at most min_c a_c / max_c a_c, each later
    layer shrinks the distance by the factor 1 − ε or better. For classes of equal size
    `theory.deep_rfm.collapse_convergence` proves twice the range. The proofs are in docs/deep_rfm_convergence.md.

    Parameters
    ----------
    sizes : sequence of int
        Samples n_c in each class.
    lam_k, lam_map, kappa : float
        As for `theory.deep_rfm.collapse_map.step`.

    Returns
    -------
    ContractionBound

    Raises
    ------
    TypeError, ValueError
        If a size is no integer ≥ 1, or a parameter is out of range.

    Examples
    --------
    >>> from theory.deep_rfm.collapse_map import exact_kappa
    >>> bound = contraction_bound([1], lam_k=0.5, lam_map=1.0, kappa=exact_kappa(1, 0.5, 1.0))
    >>> round(bound.linear, 4), round(bound.quadratic, 4)
    (0.3333, 0.0278)
    """
    a, _ = _occupied(sizes, lam_k, lam_map, kappa)
    k, m = check_real("lam_k", lam_k), check_real("lam_map", lam_map)
    smoothing = k / (m + k)
    return ContractionBound(float(np.max(2 * smoothing * a / (a + m))), float(np.max(smoothing**2 * a / (a + m) ** 2)))


@within_floats
def contraction_factor(sizes: Sequence[IntegerLike], *, lam_k: RealLike, lam_map: RealLike, kappa: RealLike) -> float:
    r"""Return the asymptotic factor by which a layer shrinks the distance to the fixed point.

    It is the spectral radius of the derivative there. The derivative is diagonal on pairs of classes, and on pairs of a
    class and a direction within a class; with a_c = g_c n_c, r_c = 1/(a_c+λ_map+λ_k) and β_c = n_c (a_c+λ_map) r_c its
    eigenvalues are

    $$
    \frac{\lambda_k}{\kappa}\, r_c r_{c'} (\beta_c + \beta_{c'}), \qquad
    \frac{\lambda_k}{\kappa}\, \frac{r_c}{\lambda_{\mathrm{map}}+\lambda_k}\, \beta_c .
    $$

    For n samples in each class and the exact κ these are 2λ_k n/((n+λ_map)(n+λ_map+λ_k)) and
    λ_k n/((n+λ_map)(λ_map+λ_k)).

    Parameters
    ----------
    sizes : sequence of int
        Samples n_c in each class.
    lam_k, lam_map, kappa : float
        As for `theory.deep_rfm.collapse_map.step`.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If a size is no integer ≥ 1, or a parameter is out of range.

    Examples
    --------
    >>> from theory.deep_rfm.collapse_map import exact_kappa
    >>> round(contraction_factor([5, 5], lam_k=0.1, lam_map=1.0, kappa=exact_kappa(5, 0.1, 1.0)), 4)  # 0.5/(6 · 1.1)
    0.0758
    """
    a, n = _occupied(sizes, lam_k, lam_map, kappa)
    k, m, kappa = check_real("lam_k", lam_k), check_real("lam_map", lam_map), check_real("kappa", kappa)
    resolvent = 1 / (a + m + k)
    beta = n * (a + m) * resolvent
    between = np.outer(resolvent, resolvent) * (beta[:, None] + beta[None, :])
    factors = between.max()
    if n.sum() > n.size:  # some class has a direction within it
        factors = max(factors, float(np.max(resolvent * beta)) / (m + k))
    return float(k / kappa * factors)


def critical_lam_k(n: IntegerLike, lam_map: RealLike) -> float:
    """Return the λ_k from which the collapsed Gram matrix no longer attracts, (n+λ_map)²/(n−λ_map).

    This is for n samples in each class and the exact κ. For n ≤ λ_map it attracts for every λ_k: the value is infinite.

    Parameters
    ----------
    n : int
        Samples in each class.
    lam_map : float
        Perturbation of the feature map's kernel, positive.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If n is no integer ≥ 1, or λ_map is not positive.

    Examples
    --------
    >>> critical_lam_k(2, 1.0)
    9.0
    """
    n, lam_map = check_integer("n", n, at_least=1), check_real("lam_map", lam_map, above=0)
    return (n + lam_map) * ((n + lam_map) / (n - lam_map)) if n > lam_map else inf


@within_floats
def one_layer_distance(sizes: Sequence[IntegerLike], *, lam_k: RealLike, lam_map: RealLike) -> float:
    r"""Return the largest distance from YᵀY that one layer leaves, max_c n_c (1 − (1 + λ_k/λ_map)⁻²).

    It is the maximum of $\lVert S Y^\top Y S - Y^\top Y\rVert$ in the spectral norm, $S = A(A+\lambda_k I)^{-1}$, over
    all Gram matrices A of the data without an eigenvalue below λ_map, and is attained at A = λ_map I. There is no
    scaling, κ = 1.

    Parameters
    ----------
    sizes : sequence of int
        Samples n_c in each class.
    lam_k : float
        Perturbation of the predictor's kernel, at least 0.
    lam_map : float
        Least eigenvalue of the data's Gram matrix, positive.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If a size is no integer ≥ 1, or a parameter is out of range.

    References
    ----------
    agop, Section 5.1: collapse in a single layer when λ_map is large against λ_k. Proof: agop.one-layer-limit in the
    ledger, whose argument needs the largest class only.

    Examples
    --------
    >>> one_layer_distance([2, 4], lam_k=1.0, lam_map=1.0)
    3.0
    """
    k, m = check_real("lam_k", lam_k, at_least=0), check_real("lam_map", lam_map, above=0)
    smoothing = k / (m + k)
    return max(_checked(sizes)) * smoothing * (2 - smoothing)


def _checked(sizes: Sequence[IntegerLike]) -> list[int]:
    return check_sequence("sizes", sizes, lambda _, size: check_integer("sizes", size, at_least=1))


def _occupied(
    sizes: Sequence[IntegerLike], lam_k: RealLike, lam_map: RealLike, kappa: RealLike
) -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
    """The eigenvalues a_c = g_c n_c of the fixed point, and the n_c as floats."""
    n = _checked(sizes)
    scales = fixed_point_scales(n, lam_k=lam_k, lam_map=lam_map, kappa=kappa)
    counts = np.array(n, dtype=np.float64)
    return scales * counts, counts
