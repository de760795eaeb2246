r"""The linearised Deep RFM iteration on Gram matrices: one step, its fixed point, its contraction factor.

The predictor's kernel is :math:`X^\top X + \lambda_k I` and the random feature map turns a Gram matrix G into
:math:`A = G + \lambda_\mathrm{map} I`. The AGOP of the ridgeless predictor, applied to the data and rescaled, gives the
next Gram matrix

.. math::
    T(G) = \kappa^{-1}\, S\, Y^\top Y\, S, \qquad
    S = A (A + \lambda_k I)^{-1}, \quad A = G + \lambda_\mathrm{map} I,

for one-hot labels Y (classes × samples). In what follows k = λ_k, m = λ_map, and :math:`n_c` are the class sizes.

*Fixed point.* :math:`\bigoplus_c g_c\, 1 1^\top`, block by block, with :math:`\kappa g_c = \bigl(\frac{a_c+m}{a_c+m+k}\bigr)^2`
for :math:`a_c = g_c n_c`. It is :math:`Y^\top Y` exactly when all classes have n samples and
:math:`\kappa = (1 + \frac{k}{n+m})^{-2}`.

*Contraction.* With e the spectral distance of G from the fixed point, for every positive semi-definite G,

.. math::
    \lVert T(G) - G^*\rVert \le 2\vartheta e + q e^2, \qquad
    \vartheta = \max_c \frac{k}{m+k}\frac{a_c}{a_c+m}, \quad
    q = \max_c \Bigl(\frac{k}{m+k}\Bigr)^2\frac{a_c}{(a_c+m)^2}.

Proof: :math:`D = S(G) - S(G^*) = k R^* (G - G^*) R` with the resolvents :math:`R = (G+(m+k)I)^{-1}` of norm ≤ 1/(m+k) and
R* that of G*; then :math:`\kappa(T(G) - G^*) = D Y^\top Y S^* + S^* Y^\top Y D + D Y^\top Y D`, where
:math:`Y^\top Y S^*` and R* act on the indicator of class c as :math:`n_c s_c` and :math:`1/(a_c+m+k)`, and
:math:`\kappa g_c = s_c^2`. `theory.deep_rfm.collapse_convergence` has the sharper bound for classes of equal size.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import inf
from numbers import Rational
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from theory.arguments import check_integer, check_real
from theory.labels import as_one_hot, class_sizes

if TYPE_CHECKING:
    import flint
    from jaxtyping import Float

__all__ = [
    "ContractionBound",
    "agop_gram",
    "collapsed_gram",
    "collapsed_gram_inverse",
    "contraction_bound",
    "contraction_factor",
    "critical_lam_k",
    "exact_kappa",
    "exact_step",
    "fixed_point",
    "fixed_point_scales",
    "iterate",
    "printed_kappa",
    "step",
]


# The scaling κ.


def printed_kappa(lam_k: float | Fraction, lam_map: float | Fraction) -> Any:
    r"""The scaling that the papers print, :math:`\kappa = 1 - 2\lambda_k(1 + \lambda_\mathrm{map}^{-1})`.

    Exact for exact arguments. It may be zero or negative, and then the iteration is not defined.

    References
    ----------
    agop, equation (3) and the line below it; agop-v1, Section 5.3.

    Examples
    --------
    >>> printed_kappa(Fraction(1, 100), 1)
    Fraction(24, 25)
    """
    lam_k, lam_map = _positive("lam_k", lam_k), _positive("lam_map", lam_map)
    return 1 - 2 * lam_k * (1 + 1 / lam_map)


def exact_kappa(n: int, lam_k: float | Fraction, lam_map: float | Fraction) -> Any:
    r"""The scaling that makes the collapsed Gram matrix a fixed point, :math:`(1 + \lambda_k/(n+\lambda_\mathrm{map}))^{-2}`.

    Exact for exact arguments. To first order in λ_k it is :math:`1 - 2\lambda_k/(n+\lambda_\mathrm{map})`.

    Parameters
    ----------
    n : int
        Samples in each class.
    lam_k, lam_map : float, int or Fraction
        Perturbations of the predictor's kernel and of the feature map's, positive.

    Examples
    --------
    >>> exact_kappa(1, Fraction(1, 100), 1)
    Fraction(40000, 40401)
    """
    n = check_integer("n", n, at_least=1)
    lam_k, lam_map = _positive("lam_k", lam_k), _positive("lam_map", lam_map)
    return (1 + lam_k / (n + lam_map)) ** -2


# The collapsed Gram matrix.


def collapsed_gram(Y: ArrayLike) -> Float[np.ndarray, "N N"]:
    """The collapsed Gram matrix YᵀY: one where two samples share their class, zero elsewhere.

    Raises
    ------
    ValueError
        If the columns of Y are not one-hot.

    Examples
    --------
    >>> collapsed_gram([[1, 0, 0], [0, 1, 1]])
    array([[1., 0., 0.],
           [0., 1., 1.],
           [0., 1., 1.]])
    """
    Y = as_one_hot(Y)
    gram: Float[np.ndarray, "N N"] = Y.T @ Y
    return gram


def collapsed_gram_inverse(Y: ArrayLike, lam_map: float) -> Float[np.ndarray, "N N"]:
    r"""The inverse of :math:`Y^\top Y + \lambda_\mathrm{map} I`, for classes of any sizes.

    .. math:: \lambda_\mathrm{map}^{-1} \bigl(I - Y^\top \operatorname{diag}(\lambda_\mathrm{map} + n_c)^{-1} Y\bigr)

    Parameters
    ----------
    Y : array_like, shape (K, N)
        One-hot labels.
    lam_map : float
        Positive.

    References
    ----------
    agop, Lemma C.2 and agop-v1, Lemma A.2, for n samples in each class.

    Examples
    --------
    >>> collapsed_gram_inverse([[1, 1]], 1.0) * 3
    array([[ 2., -1.],
           [-1.,  2.]])
    """
    Y, lam_map = as_one_hot(Y), float(_positive("lam_map", lam_map))
    scaled = Y / (lam_map + Y.sum(axis=1, keepdims=True))
    inverse: Float[np.ndarray, "N N"] = (np.eye(Y.shape[1]) - Y.T @ scaled) / lam_map
    return inverse


# The iteration.


def agop_gram(A: ArrayLike, Y: ArrayLike, lam_k: float) -> Float[np.ndarray, "N N"]:
    r"""The Gram matrix of the data after the AGOP, :math:`X^\top M X = A(A+\lambda_k I)^{-1} Y^\top Y (A+\lambda_k I)^{-1}A`.

    Parameters
    ----------
    A : array_like, shape (N, N)
        Gram matrix of the data, symmetric positive definite.
    Y : array_like, shape (K, N)
        One-hot labels.
    lam_k : float
        Perturbation of the predictor's kernel, at least 0; at 0 the result is :math:`Y^\top Y`.

    Returns
    -------
    ndarray, shape (N, N)

    Raises
    ------
    ValueError
        If A is not symmetric positive definite, or an argument does not fit.

    Notes
    -----
    M is the mean over the samples of the outer products of the predictor's gradients. The gradient is one and the same at
    every sample, so that the sum that the papers' algorithm prints is N times as large.

    References
    ----------
    agop, Appendix C.1, proof of Theorem 5.3.

    Examples
    --------
    >>> agop_gram(np.eye(2), [[1, 1]], 1.0)
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    Y = as_one_hot(Y)
    A = _symmetric("A", A, Y.shape[1])
    lam_k = float(check_real("lam_k", lam_k, at_least=0))
    values, vectors = np.linalg.eigh(A)
    if not values[0] > 0:
        raise ValueError(f"A has the eigenvalue {values[0]:.3g}; A must be positive definite")
    smoothed = (Y @ vectors) * (values / (values + lam_k)) @ vectors.T
    gram: Float[np.ndarray, "N N"] = smoothed.T @ smoothed
    return gram


def step(gram: ArrayLike, Y: ArrayLike, *, lam_k: float, lam_map: float, kappa: float) -> Float[np.ndarray, "N N"]:
    r"""One layer: :math:`\tilde X_{l+1}^\top \tilde X_{l+1}` from :math:`\tilde X_l^\top \tilde X_l`.

    Parameters
    ----------
    gram : array_like, shape (N, N)
        Gram matrix before the feature map, symmetric positive semi-definite.
    Y : array_like, shape (K, N)
        One-hot labels.
    lam_k, lam_map : float
        Perturbations of the predictor's kernel (at least 0) and of the feature map's (positive).
    kappa : float
        The scaling, positive.

    Returns
    -------
    ndarray, shape (N, N)

    Raises
    ------
    ValueError
        If the Gram matrix has an eigenvalue ≤ −λ_map, or an argument does not fit.

    References
    ----------
    agop, equations (3) and (4).

    Examples
    --------
    >>> Y = np.eye(2)
    >>> kappa = exact_kappa(1, 0.1, 1.0)
    >>> bool(np.allclose(step(np.eye(2), Y, lam_k=0.1, lam_map=1.0, kappa=kappa), np.eye(2)))
    True
    """
    lam_map, kappa = float(_positive("lam_map", lam_map)), float(_positive("kappa", kappa))
    Y = as_one_hot(Y)
    gram = _symmetric("gram", gram, Y.shape[1])
    return agop_gram(gram + lam_map * np.eye(len(gram)), Y, lam_k) / kappa


def iterate(
    data_gram: ArrayLike, Y: ArrayLike, *, lam_k: float, lam_map: float, kappa: float, layers: int
) -> Float[np.ndarray, "layers N N"]:
    r"""The Gram matrices :math:`\tilde X_l^\top\tilde X_l`, l = 2, …, layers + 1, that follow from the data's.

    The first layer acts on the data themselves, :math:`A_1 = X_1^\top X_1`; each later one on the feature map's output.

    Parameters
    ----------
    data_gram : array_like, shape (N, N)
        Gram matrix of the data, symmetric positive definite. The bounds of this module suppose that its smallest
        eigenvalue is at least λ_map.
    Y, lam_k, lam_map, kappa
        As for `step`.
    layers : int
        Number of applications, at least 1.

    Examples
    --------
    >>> errors = [np.linalg.norm(gram - np.eye(2), 2) for gram in
    ...           iterate(2 * np.eye(2) + 1, np.eye(2), lam_k=0.1, lam_map=1.0, kappa=exact_kappa(1, 0.1, 1.0), layers=3)]
    >>> [f"{error:.0e}" for error in errors]
    ['5e-02', '2e-03', '1e-04']
    """
    layers = check_integer("layers", layers, at_least=1)
    kappa = float(_positive("kappa", kappa))
    grams = [agop_gram(data_gram, Y, lam_k) / kappa]
    for _ in range(layers - 1):
        grams.append(step(grams[-1], Y, lam_k=lam_k, lam_map=lam_map, kappa=kappa))
    return np.stack(grams)


def exact_step(
    gram: Sequence[Sequence[Fraction | int]],
    Y: ArrayLike,
    *,
    lam_k: Fraction | int,
    lam_map: Fraction | int,
    kappa: Fraction | int,
) -> list[list[Fraction]]:
    """`step` in rational arithmetic, for a Gram matrix and parameters given as integers or Fractions.

    Raises
    ------
    TypeError
        If an entry or a parameter is not rational.
    ValueError
        If an argument does not fit.

    Examples
    --------
    >>> exact_step([[1]], [[1]], lam_k=Fraction(1), lam_map=Fraction(1), kappa=exact_kappa(1, Fraction(1), 1))
    [[Fraction(1, 1)]]
    """
    import flint

    Y = as_one_hot(Y)
    N = Y.shape[1]
    for name, value in (("lam_k", lam_k), ("lam_map", lam_map), ("kappa", kappa)):
        if not isinstance(_positive(name, value), Rational):
            raise TypeError(f"{name} = {value!r} is a {type(value).__name__}; it must be an integer or a Fraction")
    rows = [[_rational(entry) for entry in row] for row in gram]
    if len(rows) != N or any(len(row) != N for row in rows):
        raise ValueError(f"gram must be {N} × {N}, one row and column for each column of Y")

    def matrix(entry: Any) -> flint.fmpq_mat:
        return flint.fmpq_mat(N, N, [_fmpq(entry(i, j)) for i in range(N) for j in range(N)])

    lam_map, lam_k = Fraction(lam_map), Fraction(lam_k)
    A = matrix(lambda i, j: rows[i][j] + (lam_map if i == j else 0))
    kernel = matrix(lambda i, j: rows[i][j] + (lam_map + lam_k if i == j else 0))
    labels = matrix(lambda i, j: int(Y[:, i] @ Y[:, j]))
    smoother = A * kernel.inv()
    result = smoother * labels * smoother.transpose() * _fmpq(1 / Fraction(kappa))
    return [[Fraction(int(entry.p), int(entry.q)) for entry in row] for row in result.tolist()]


# The fixed point.


def fixed_point_scales(sizes: Sequence[int], *, lam_k: float, lam_map: float, kappa: float) -> Float[np.ndarray, " K"]:
    r"""The scales :math:`g_c` of the fixed point, :math:`\kappa g_c = \bigl(\frac{g_cn_c+m}{g_cn_c+m+k}\bigr)^2`.

    Parameters
    ----------
    sizes : sequence of int
        Samples in each class.
    lam_k, lam_map, kappa : float
        As for `step`.

    Returns
    -------
    ndarray, shape (K,)
        The largest solution for each class. It is the only one when λ_k ≤ λ_map.

    Notes
    -----
    With :math:`a = g_cn_c` the equation is the cubic :math:`\kappa a (a+m+k)^2 = n_c(a+m)^2`.

    Examples
    --------
    >>> fixed_point_scales([3, 3], lam_k=0.1, lam_map=1.0, kappa=exact_kappa(3, 0.1, 1.0))
    array([1., 1.])
    """
    k = float(check_real("lam_k", lam_k, at_least=0))
    m, kappa = float(_positive("lam_map", lam_map)), float(_positive("kappa", kappa))
    scales = []
    for n in (check_integer("sizes", size, at_least=1) for size in sizes):
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


def fixed_point(Y: ArrayLike, *, lam_k: float, lam_map: float, kappa: float) -> Float[np.ndarray, "N N"]:
    r"""The Gram matrix that `step` leaves as it is: each class collapsed, the classes orthogonal.

    Its blocks are `fixed_point_scales`. It is a multiple of :math:`Y^\top Y` for classes of equal size, and for no single κ
    equal to :math:`Y^\top Y` otherwise.

    Examples
    --------
    >>> fixed_point([[1, 1]], lam_k=0.0, lam_map=1.0, kappa=0.5)
    array([[2., 2.],
           [2., 2.]])
    """
    Y = as_one_hot(Y)
    scales = fixed_point_scales(list(class_sizes(Y)), lam_k=lam_k, lam_map=lam_map, kappa=kappa)
    gram: Float[np.ndarray, "N N"] = Y.T @ (scales[:, None] * Y)
    return gram


# Contraction.


class ContractionBound(NamedTuple):
    r"""The next distance is at most ``linear`` · e + ``quadratic`` · e² (spectral norm), e the distance now."""

    linear: float
    quadratic: float


def contraction_bound(sizes: Sequence[int], *, lam_k: float, lam_map: float, kappa: float) -> ContractionBound:
    r"""The coefficients 2ϑ and q of the bound on the distance to the fixed point after one step (see the module).

    It holds for every positive semi-definite Gram matrix. After the first layer the distance is at most
    :math:`\max_c a_c\,((1 + \lambda_k/\lambda_\mathrm{map})^2 - 1)`, provided that the data's Gram matrix has no
    eigenvalue below λ_map; hence, if :math:`\lambda_k/\lambda_\mathrm{map}` is at most (1−ε)/2 and at most
    :math:`\min_c a_c/\max_c a_c`, each later layer shrinks the distance by the factor 1 − ε or better.
    For classes of equal size `theory.deep_rfm.collapse_convergence` proves twice the range.

    Examples
    --------
    >>> bound = contraction_bound([1], lam_k=0.5, lam_map=1.0, kappa=exact_kappa(1, 0.5, 1.0))
    >>> round(bound.linear, 4), round(bound.quadratic, 4)
    (0.3333, 0.0278)
    """
    sizes = list(sizes)
    a = fixed_point_scales(sizes, lam_k=lam_k, lam_map=lam_map, kappa=kappa) * np.array(sizes, dtype=np.float64)
    k, m = float(lam_k), float(lam_map)
    smoothing = k / (m + k)
    return ContractionBound(float(np.max(2 * smoothing * a / (a + m))), float(np.max(smoothing**2 * a / (a + m) ** 2)))


def contraction_factor(sizes: Sequence[int], *, lam_k: float, lam_map: float, kappa: float) -> float:
    r"""The asymptotic factor by which a layer shrinks the distance to the fixed point.

    The spectral radius of the derivative there. The derivative is diagonal on pairs of classes and on pairs of a class
    and a direction within classes; with :math:`r_c = 1/(a_c+m+k)` and :math:`\beta_c = n_c(a_c+m)r_c`,

    .. math::
        \frac{k}{\kappa}\, r_c r_{c'} (\beta_c + \beta_{c'}), \qquad \frac{k}{\kappa}\, \frac{r_c}{m+k}\, \beta_c.

    For n samples in each class and the `exact_kappa` these are :math:`\frac{2kn}{(n+m)(n+m+k)}` and
    :math:`\frac{kn}{(n+m)(m+k)}`.

    Examples
    --------
    >>> round(contraction_factor([5, 5], lam_k=0.1, lam_map=1.0, kappa=exact_kappa(5, 0.1, 1.0)), 4)  # 0.5/(6 · 1.1)
    0.0758
    """
    n = np.array([check_integer("sizes", size, at_least=1) for size in sizes], dtype=np.float64)
    a = fixed_point_scales(list(sizes), lam_k=lam_k, lam_map=lam_map, kappa=kappa) * n
    k, m = float(lam_k), float(lam_map)
    resolvent = 1 / (a + m + k)
    beta = n * (a + m) * resolvent
    between = np.outer(resolvent, resolvent) * (beta[:, None] + beta[None, :])
    factors = between.max()
    if n.sum() > n.size:  # some class has a direction within it
        factors = max(factors, float(np.max(resolvent * beta)) / (m + k))
    return float(k / float(kappa) * factors)


def critical_lam_k(n: int, lam_map: float) -> float:
    r"""The λ_k from which the collapsed Gram matrix no longer attracts, :math:`(n+\lambda_\mathrm{map})^2/(n-\lambda_\mathrm{map})`.

    For n samples in each class and the `exact_kappa`. For n ≤ λ_map it attracts for every λ_k, and the value is infinite.

    Examples
    --------
    >>> critical_lam_k(2, 1.0)
    9.0
    """
    n, lam_map = check_integer("n", n, at_least=1), float(_positive("lam_map", lam_map))
    return (n + lam_map) ** 2 / (n - lam_map) if n > lam_map else inf


def _positive(name: str, value: Any) -> Any:
    """The value, an integer as a Fraction so that dividing by it stays exact."""
    value = check_real(name, value, above=0)
    return Fraction(value) if isinstance(value, Rational) else value


def _rational(entry: Any) -> Fraction:
    if not isinstance(entry, Rational):
        raise TypeError(
            f"gram has the entry {entry!r}, a {type(entry).__name__}; entries must be integers or Fractions"
        )
    return Fraction(entry)


def _fmpq(value: Fraction | int) -> flint.fmpq:
    import flint

    return flint.fmpq(value.numerator, value.denominator)


def _symmetric(name: str, value: ArrayLike, N: int) -> Float[np.ndarray, "N N"]:
    matrix = np.asarray(value, dtype=np.float64)
    if matrix.shape != (N, N):
        raise ValueError(f"{name} has shape {matrix.shape}; it must be ({N}, {N}), one row for each column of Y")
    if not np.isfinite(matrix).all():
        raise ValueError(f"{name} has an entry that is not finite")
    asymmetry = float(np.abs(matrix - matrix.T).max())
    if asymmetry > 1e-12 * float(np.abs(matrix).max()):
        raise ValueError(f"{name} differs from its transpose by {asymmetry:.3g}; it must be symmetric")
    return (matrix + matrix.T) / 2
