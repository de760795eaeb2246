r"""Ridge regression of the one-hot labels on class means, the last layer of the deep unconstrained features model.

The labels of K classes with n samples each are I_K ⊗ 1_nᵀ. For collapsed features M ⊗ 1_nᵀ the objective of the last
layer does not depend on n:

$$ \frac{1}{2Kn} \lVert W (M \otimes 1_n^\top) - I_K \otimes 1_n^\top \rVert_F^2 + \frac\lambda2 \lVert W \rVert_F^2
= \frac{1}{2K} \lVert W M - I_K \rVert_F^2 + \frac\lambda2 \lVert W \rVert_F^2. $$
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_array, check_choice, check_integer, check_real
from theory.labels import as_one_hot
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Float
    from numpy.typing import ArrayLike

__all__ = ["least_squares_classifier", "minimiser", "minimum", "objective", "residual"]


@within_floats
def objective(W: Float[np.ndarray, "K d"], M: Float[np.ndarray, "d K"], lam: RealLike) -> float:
    """The regularised squared error of the weights W on the class means M.

    Parameters
    ----------
    W : ndarray, shape (K, d)
        Weights.
    M : ndarray, shape (d, K)
        Class means, one a column.
    lam : float
        Regularisation, positive.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit, an entry is not finite, or lam is not positive.
    TypeError
        If an argument is of a wrong type.

    Examples
    --------
    >>> objective(np.zeros((3, 2)), np.ones((2, 3)), 0.1)
    0.5
    """
    means, lam = check_array("M", M, ndim=2, empty=False), check_real("lam", lam, above=0)
    weights = check_array("W", W)
    if weights.shape != means.T.shape:
        raise ValueError(f"W has shape {weights.shape}; for M of shape {means.shape} W must have {means.T.shape}")
    error = weights @ means - np.eye(means.shape[1])
    return float(np.sum(error**2) / (2 * means.shape[1]) + lam / 2 * np.sum(np.square(weights)))


@within_floats
def minimiser(M: Float[np.ndarray, "d K"], lam: RealLike) -> Float[np.ndarray, "K d"]:
    """The weights that minimise `objective`, Mᵀ (M Mᵀ + KλI)⁻¹.

    They are computed from the singular value decomposition of M, which does not square its condition number. Where M
    is singular, or nearly so, they are sensitive to M itself: rounding errors of M count ‖M‖/(Kλ)-fold.

    Parameters
    ----------
    M : ndarray, shape (d, K)
        Class means, one a column.
    lam : float
        Regularisation, positive.

    Returns
    -------
    ndarray, shape (K, d)

    Raises
    ------
    ValueError
        If M is not a matrix of finite numbers, or lam is not positive.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    lowrank, proof of Lemma 17.

    Examples
    --------
    >>> minimiser(np.diag([1.0, 2.0]), 0.5)  # s/(s² + Kλ)
    array([[0.5, 0. ],
           [0. , 0.4]])
    """
    means, lam = check_array("M", M, ndim=2, empty=False), check_real("lam", lam, above=0)
    left, values, right = np.linalg.svd(means, full_matrices=False)
    K, large = means.shape[1], values > 1e100  # whose squares may overflow
    shrunk = np.empty_like(values)
    shrunk[~large] = values[~large] / (values[~large] ** 2 + K * lam)
    shrunk[large] = 1 / (values[large] + K * (lam / values[large]))
    weights: Float[np.ndarray, "K d"] = (right.T * shrunk) @ left.T
    return weights


@within_floats
def residual(M: Float[np.ndarray, "d K"], lam: RealLike) -> Float[np.ndarray, "K K"]:
    """The residual W M − I of the weights that minimise `objective`, −Kλ (MᵀM + KλI)⁻¹, without cancellation.

    Parameters
    ----------
    M : ndarray, shape (d, K)
        Class means, one a column.
    lam : float
        Regularisation, positive.

    Returns
    -------
    ndarray, shape (K, K)

    Raises
    ------
    ValueError
        If M is not a matrix of finite numbers, or lam is not positive.
    TypeError
        If an argument is of a wrong type.

    Notes
    -----
    Singular values below max(d, K) · ε · s₁, with ε = 2.2e-16, are indistinguishable from 0 in float64 and count as 0.

    References
    ----------
    lowrank, Lemma 17.

    Examples
    --------
    >>> residual(np.diag([1.0, 1e10]), 0.5)  # −Kλ/(s² + Kλ)
    array([[-5.e-01,  0.e+00],
           [ 0.e+00, -1.e-20]])
    """
    means, lam = check_array("M", M, ndim=2, empty=False), check_real("lam", lam, above=0)
    K = means.shape[1]
    _, values, right = np.linalg.svd(means, full_matrices=True)
    squares = np.zeros(K)
    values[values <= max(means.shape) * np.finfo(float).eps * values.max()] = 0.0
    with np.errstate(over="ignore"):
        squares[: len(values)] = values**2
    result: Float[np.ndarray, "K K"] = -(right.T * (K * lam / (squares + K * lam))) @ right
    return result


@within_floats
def minimum(singular_values: ArrayLike, lam: RealLike, K: IntegerLike | None = None) -> float:
    """The least value of `objective`, (λ/2) Σ_{i=1}^K 1/(s_i² + Kλ).

    Parameters
    ----------
    singular_values : array_like of float
        Singular values of M; those that are left out are zeros, each of which costs 1/(2K).
    lam : float
        Regularisation, positive.
    K : int, optional
        The number of classes, at least that of the singular values and equal to it by default. It is larger where M
        has fewer rows than columns.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are more singular values than classes, one is negative or not finite, or lam is not positive.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    lowrank, Lemma 17.

    Examples
    --------
    >>> minimum([1.0, 2.0], 0.5), objective(minimiser(np.diag([1.0, 2.0]), 0.5), np.diag([1.0, 2.0]), 0.5)
    (0.175, 0.175)
    >>> round(minimum([1.0, 2.0], 0.5, K=3), 6)  # λ/(s² + Kλ) is 1/5, 1/11 and 1/3
    0.312121
    """
    lam = check_real("lam", lam, above=0)
    values = np.atleast_1d(check_array("singular_values", singular_values))
    if values.ndim != 1 or np.any(values < 0):
        raise ValueError(f"singular_values = {singular_values!r}; singular_values must be a sequence of numbers ≥ 0")
    K = check_integer("K", values.size if K is None else K, at_least=max(1, values.size))
    with np.errstate(over="ignore"):
        fitted = np.sum(lam / (values**2 + K * lam))
    return float((fitted + (K - values.size) / K) / 2)


@within_floats
def least_squares_classifier(
    F: Float[np.ndarray, "m N"], Y: ArrayLike, *, bias: bool = True, ridge: RealLike = 0
) -> tuple[Float[np.ndarray, "K m"], Float[np.ndarray, " K"]]:
    r"""The classifier A, b that fits the labels Y to features F by least squares, as small as possible.

    It minimises $\frac1{2N}\lVert AF+b1^\top-Y\rVert_F^2+\frac\lambda2\lVert A\rVert_F^2$; the bias is not regularised.
    Without regularisation it is of all minimisers the one with the least ‖A‖.

    Parameters
    ----------
    F : ndarray, shape (m, N)
        Features, one sample a column.
    Y : array_like, shape (K, N)
        One-hot labels.
    bias : bool
        Whether b is free; else it is 0.
    ridge : float
        The regularisation λ, at least 0.

    Returns
    -------
    A : ndarray, shape (K, m)
    b : ndarray, shape (K,)

    Raises
    ------
    ValueError
        If the shapes do not fit, Y is not one-hot, an entry is not finite or ridge is negative.
    TypeError
        If an argument is of a wrong type.

    Notes
    -----
    Singular values of the (centred) features below max(m, N) · ε · s₁ count as 0.

    References
    ----------
    review, NC3, and Section 3.1.5 on the least-squares optimal classifier.

    Examples
    --------
    >>> A, b = least_squares_classifier(np.array([[3.0, 3.0, 1.0, 1.0]]), [[1, 1, 0, 0], [0, 0, 1, 1]])
    >>> A.round(12), b.round(12)
    (array([[ 0.5],
           [-0.5]]), array([-0.5,  1.5]))
    """
    features, labels = check_array("F", F, ndim=2, empty=False), as_one_hot(Y)
    lam, bias = check_real("ridge", ridge, at_least=0), check_choice("bias", bias, [True, False])
    N = features.shape[1]
    if labels.shape[1] != N:
        raise ValueError(f"Y has shape {labels.shape}; for F of shape {features.shape} Y must have {N} columns")
    centre = features.mean(axis=1) if bias else np.zeros(len(features))
    target = labels - labels.mean(axis=1, keepdims=True) if bias else labels
    left, values, right = np.linalg.svd(features - centre[:, None], full_matrices=False)
    kept = values > max(features.shape) * np.finfo(float).eps * values.max()
    shrunk = 1 / (values[kept] + N * (lam / values[kept]))
    weights: Float[np.ndarray, "K m"] = ((target @ right[kept].T) * shrunk) @ left[:, kept].T
    offset: Float[np.ndarray, " K"] = labels.mean(axis=1) - weights @ centre if bias else np.zeros(len(labels))
    return weights, offset
