r"""The linearised Deep RFM iteration on Gram matrices: what one layer does to them, in float64 and exactly.

For one-hot labels Y (classes × samples) one layer takes the Gram matrix G of the samples to

$$
T(G) = \kappa^{-1}\, S\, Y^\top Y\, S, \qquad
S = A (A + \lambda_k I)^{-1}, \quad A = G + \lambda_{\mathrm{map}} I .
$$

Here λ_map is what the random feature map adds to the diagonal, and λ_k what ridgeless regression adds to the kernel of
the predictor. S Yᵀ Y S is the Gram matrix of the data after the average gradient outer product (AGOP) of that
predictor, and κ rescales it. The fixed point of T and the speed at which it is reached are in
`theory.deep_rfm.collapse_fixed_point`, the convergence theorem is in `theory.deep_rfm.collapse_convergence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from theory.arguments import IntegerLike, RealLike, check_exact, check_integer, check_real
from theory.deep_rfm._matrices import as_symmetric, exact_or_float, flint_matrix, fractions_of
from theory.foreign import entries
from theory.labels import as_one_hot
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = [
    "agop_gram",
    "collapsed_gram",
    "collapsed_gram_inverse",
    "exact_kappa",
    "exact_step",
    "iterate",
    "printed_kappa",
    "step",
]


# The scaling κ.


@within_floats
def printed_kappa(lam_k: RealLike, lam_map: RealLike) -> Any:
    """Return the scaling that the papers print, κ = 1 − 2λ_k(1 + 1/λ_map).

    It may be zero or negative, and then the iteration is not defined.

    Parameters
    ----------
    lam_k, lam_map : float, int, Fraction or str
        Perturbations of the predictor's kernel and of the feature map's, positive.

    Returns
    -------
    Fraction or float
        A Fraction if neither argument is a float.

    Raises
    ------
    TypeError, ValueError
        If an argument is no positive number.

    References
    ----------
    agop, equation (3) and the line below it; agop-v1, Section 5.3.

    Examples
    --------
    >>> printed_kappa(Fraction(1, 100), 1)
    Fraction(24, 25)
    """
    k, m = exact_or_float("lam_k", lam_k, above=0), exact_or_float("lam_map", lam_map, above=0)
    return 1 - 2 * k * (1 + 1 / m)


@within_floats
def exact_kappa(n: IntegerLike, lam_k: RealLike, lam_map: RealLike) -> Any:
    """Return the scaling that makes the collapsed Gram matrix a fixed point, κ = (1 + λ_k/(n+λ_map))⁻².

    To first order in λ_k it is 1 − 2λ_k/(n+λ_map).

    Parameters
    ----------
    n : int
        Samples in each class.
    lam_k, lam_map : float, int, Fraction or str
        Perturbations of the predictor's kernel and of the feature map's, positive.

    Returns
    -------
    Fraction or float
        A Fraction if neither λ is a float.

    Raises
    ------
    TypeError, ValueError
        If n is no integer ≥ 1, or another argument no positive number.

    Examples
    --------
    >>> exact_kappa(1, Fraction(1, 100), 1)
    Fraction(40000, 40401)
    """
    n = check_integer("n", n, at_least=1)
    k, m = exact_or_float("lam_k", lam_k, above=0), exact_or_float("lam_map", lam_map, above=0)
    return (1 + k / (n + m)) ** -2


# The collapsed Gram matrix.


def collapsed_gram(Y: ArrayLike) -> Float[np.ndarray, "N N"]:
    """Return the collapsed Gram matrix YᵀY: one where two samples share their class, zero elsewhere.

    Parameters
    ----------
    Y : array_like, shape (K, N)
        One-hot labels.

    Returns
    -------
    ndarray, shape (N, N)

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


@within_floats
def collapsed_gram_inverse(Y: ArrayLike, lam_map: RealLike) -> Float[np.ndarray, "N N"]:
    r"""Return the inverse of YᵀY + λ_map I, for classes of any sizes.

    $$ \lambda_{\mathrm{map}}^{-1} \bigl(I - Y^\top \operatorname{diag}(\lambda_{\mathrm{map}} + n_c)^{-1} Y\bigr) $$

    Parameters
    ----------
    Y : array_like, shape (K, N)
        One-hot labels.
    lam_map : float
        Positive.

    Returns
    -------
    ndarray, shape (N, N)

    Raises
    ------
    TypeError, ValueError
        If the columns of Y are not one-hot, or λ_map is not positive.

    References
    ----------
    agop, Lemma C.2 and agop-v1, Lemma A.2, for n samples in each class.

    Examples
    --------
    >>> collapsed_gram_inverse([[1, 1]], 1.0) * 3
    array([[ 2., -1.],
           [-1.,  2.]])
    """
    Y, lam_map = as_one_hot(Y), check_real("lam_map", lam_map, above=0)
    scaled = Y / (lam_map + Y.sum(axis=1, keepdims=True))
    inverse: Float[np.ndarray, "N N"] = (np.eye(Y.shape[1]) - Y.T @ scaled) / lam_map
    return inverse


# The iteration.


def agop_gram(A: ArrayLike, Y: ArrayLike, lam_k: RealLike) -> Float[np.ndarray, "N N"]:
    r"""Return the Gram matrix of the data after the AGOP M of the predictor.

    $$ X^\top M X = A(A+\lambda_k I)^{-1}\, Y^\top Y\, (A+\lambda_k I)^{-1}A, \qquad A = X^\top X $$

    Parameters
    ----------
    A : array_like, shape (N, N)
        Gram matrix of the data, symmetric positive definite.
    Y : array_like, shape (K, N)
        One-hot labels.
    lam_k : float
        Perturbation of the predictor's kernel, at least 0; at 0 the result is YᵀY.

    Returns
    -------
    ndarray, shape (N, N)

    Raises
    ------
    ValueError
        If A is not symmetric positive definite, or an argument does not fit.

    Notes
    -----
    M is the mean over the samples of the outer products of the predictor's gradients. The gradient is one and the same
    at every sample, so that the sum that the papers' algorithm prints is N times as large.

    References
    ----------
    agop, Appendix C.1, proof of Theorem 5.3.

    Examples
    --------
    >>> agop_gram(np.eye(2), [[1, 1]], 1.0)
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    return _agop_gram("A", A, Y, lam_k)


def _agop_gram(name: str, A: ArrayLike, Y: ArrayLike, lam_k: RealLike) -> Float[np.ndarray, "N N"]:
    Y = as_one_hot(Y)
    A = as_symmetric(name, A, Y.shape[1])
    lam_k = check_real("lam_k", lam_k, at_least=0)
    values, vectors = np.linalg.eigh(A)
    if not values[0] > 0:
        raise ValueError(f"{name} has the eigenvalue {values[0]:.3g}; {name} must be positive definite")
    smoothed = (Y @ vectors) * (values / (values + lam_k)) @ vectors.T
    gram: Float[np.ndarray, "N N"] = smoothed.T @ smoothed
    return gram


@within_floats
def step(
    gram: ArrayLike, Y: ArrayLike, *, lam_k: RealLike, lam_map: RealLike, kappa: RealLike
) -> Float[np.ndarray, "N N"]:
    """Return the Gram matrix after one layer, T(G).

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
    lam_map, kappa = check_real("lam_map", lam_map, above=0), check_real("kappa", kappa, above=0)
    Y = as_one_hot(Y)
    gram = as_symmetric("gram", gram, Y.shape[1])
    return _agop_gram("gram + lam_map I", gram + lam_map * np.eye(len(gram)), Y, lam_k) / kappa


@within_floats
def iterate(
    data_gram: ArrayLike, Y: ArrayLike, *, lam_k: RealLike, lam_map: RealLike, kappa: RealLike, layers: IntegerLike
) -> Float[np.ndarray, "layers N N"]:
    """Return the Gram matrices of layers 2 to `layers` + 1 that follow from the data's.

    The first layer acts on the data themselves, without λ_map; each later one on the feature map's output, as `step`.

    Parameters
    ----------
    data_gram : array_like, shape (N, N)
        Gram matrix of the data, symmetric positive definite. The convergence theorems suppose that its smallest
        eigenvalue is at least λ_map.
    Y : array_like, shape (K, N)
        One-hot labels.
    lam_k, lam_map, kappa : float
        As for `step`.
    layers : int
        Number of applications, at least 1.

    Returns
    -------
    ndarray, shape (layers, N, N)

    Raises
    ------
    TypeError, ValueError
        If the Gram matrix is not symmetric positive definite, or an argument does not fit.

    Examples
    --------
    >>> kappa = exact_kappa(1, 0.1, 1.0)
    >>> grams = iterate(2 * np.eye(2) + 1, np.eye(2), lam_k=0.1, lam_map=1.0, kappa=kappa, layers=3)
    >>> errors = [np.linalg.norm(gram - np.eye(2), 2) for gram in grams]
    >>> [f"{error:.0e}" for error in errors]
    ['5e-02', '2e-03', '1e-04']
    """
    layers = check_integer("layers", layers, at_least=1)
    kappa = check_real("kappa", kappa, above=0)
    grams = [_agop_gram("data_gram", data_gram, Y, lam_k) / kappa]
    for _ in range(layers - 1):
        grams.append(step(grams[-1], Y, lam_k=lam_k, lam_map=lam_map, kappa=kappa))
    return np.stack(grams)


def exact_step(
    gram: Sequence[Sequence[RealLike]],
    Y: ArrayLike,
    *,
    lam_k: RealLike,
    lam_map: RealLike,
    kappa: RealLike,
) -> list[list[Fraction]]:
    """Return what `step` returns, in rational arithmetic.

    Parameters
    ----------
    gram : sequence of sequences of numbers, shape (N, N)
        Gram matrix before the feature map. A float is its exact binary value, here and below.
    Y : array_like, shape (K, N)
        One-hot labels.
    lam_k, lam_map, kappa : Fraction, int, float or str
        As for `step`; positive.

    Returns
    -------
    list of lists of Fraction, shape (N, N)

    Raises
    ------
    TypeError, ValueError
        If an entry or a parameter is no number, or an argument does not fit.

    Examples
    --------
    >>> exact_step([[1]], [[1]], lam_k=Fraction(1), lam_map=Fraction(1), kappa=exact_kappa(1, Fraction(1), 1))
    [[Fraction(1, 1)]]
    """
    Y = as_one_hot(Y)
    N = Y.shape[1]
    k, m, scale = (
        check_exact(name, value, above=0) for name, value in (("lam_k", lam_k), ("lam_map", lam_map), ("kappa", kappa))
    )
    square = f"gram must be {N} × {N}, one row and column for each column of Y"
    given = [entries(row) or [] for row in entries(gram) or []]
    if len(given) != N or any(len(row) != N for row in given):
        raise ValueError(square)
    rows = [[check_exact(f"gram[{i}, {j}]", entry) for j, entry in enumerate(row)] for i, row in enumerate(given)]
    A = _plus_multiple_of_identity(rows, m)
    smoother = flint_matrix(A) * flint_matrix(_plus_multiple_of_identity(A, k)).inv()
    labels = flint_matrix([[Fraction(int(entry)) for entry in row] for row in Y.T @ Y])
    mapped = fractions_of(smoother * labels * smoother.transpose())
    return [[entry / scale for entry in row] for row in mapped]


def _plus_multiple_of_identity(rows: list[list[Fraction]], amount: Fraction) -> list[list[Fraction]]:
    return [[entry + amount * (i == j) for j, entry in enumerate(row)] for i, row in enumerate(rows)]
