r"""Ridge regression of the one-hot labels on class means, the last layer of the deep unconstrained features model.

The labels of K classes with n samples each are :math:`I_K \otimes 1_n^\top`. For collapsed features
:math:`M \otimes 1_n^\top` the objective of the last layer does not depend on n:

.. math::
    \frac{1}{2Kn} \lVert W (M \otimes 1_n^\top) - I_K \otimes 1_n^\top \rVert_F^2 + \frac\lambda2 \lVert W \rVert_F^2
    = \frac{1}{2K} \lVert W M - I_K \rVert_F^2 + \frac\lambda2 \lVert W \rVert_F^2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theory.arguments import check_integer, check_real

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["minimiser", "minimum", "objective", "residual"]


def objective(W: Float[np.ndarray, "K d"], M: Float[np.ndarray, "d K"], lam: float) -> float:
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

    Examples
    --------
    >>> objective(np.zeros((3, 2)), np.ones((2, 3)), 0.1)
    0.5
    """
    M, lam = _means(M), float(check_real("lam", lam, above=0))
    if np.shape(W) != M.T.shape:
        raise ValueError(f"W has shape {np.shape(W)}; for M of shape {M.shape} it must be {M.T.shape}")
    if not np.all(np.isfinite(W)):
        raise ValueError("W has an entry that is not finite; all must be")
    residual = W @ M - np.eye(M.shape[1])
    return float(np.sum(residual**2) / (2 * M.shape[1]) + lam / 2 * np.sum(np.square(W)))


def minimiser(M: Float[np.ndarray, "d K"], lam: float) -> Float[np.ndarray, "K d"]:
    r"""The weights that minimise `objective`, :math:`M^\top (M M^\top + K \lambda I)^{-1}`.

    They are computed from the singular value decomposition of M, which does not square its condition number. Where M is
    singular, or nearly so, they are sensitive to M itself: rounding errors of M count ‖M‖/(Kλ)-fold.

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

    References
    ----------
    lowrank, proof of Lemma 17.

    Examples
    --------
    >>> minimiser(np.diag([1.0, 2.0]), 0.5)  # s/(s² + Kλ)
    array([[0.5, 0. ],
           [0. , 0.4]])
    """
    M, lam = _means(M), float(check_real("lam", lam, above=0))
    left, values, right = np.linalg.svd(M, full_matrices=False)
    weights: Float[np.ndarray, "K d"] = (right.T * (values / (values**2 + M.shape[1] * lam))) @ left.T
    return weights


def residual(M: Float[np.ndarray, "d K"], lam: float) -> Float[np.ndarray, "K K"]:
    r"""The residual W M − I of the weights that minimise `objective`, −Kλ (MᵀM + Kλ I)⁻¹, without cancellation.

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
    M, lam = _means(M), check_real("lam", lam, above=0)
    K = M.shape[1]
    _, values, right = np.linalg.svd(M, full_matrices=True)
    squares = np.zeros(K)
    values[values <= max(M.shape) * np.finfo(float).eps * values.max()] = 0.0
    squares[: len(values)] = values**2
    result: Float[np.ndarray, "K K"] = -(right.T * (K * lam / (squares + K * lam))) @ right
    return result


def minimum(singular_values: Any, lam: float, K: int | None = None) -> float:
    r"""The least value of `objective`, :math:`\frac\lambda2 \sum_{i=1}^K 1/(s_i^2 + K\lambda)`.

    Parameters
    ----------
    singular_values : array of float
        Singular values of M; those that are left out are zeros, each of which costs 1/(2K).
    lam : float
        Regularisation, positive.
    K : int, optional
        The number of classes, at least that of the singular values and equal to it by default. It is larger where M has
        fewer rows than columns.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are more singular values than classes, one is negative or not finite, or lam is not positive.

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
    values, lam = np.atleast_1d(np.asarray(singular_values, dtype=float)), float(check_real("lam", lam, above=0))
    if values.ndim != 1 or not np.all(np.isfinite(values)) or np.any(values < 0):
        raise ValueError(f"singular_values = {singular_values!r}; they must be finite and non-negative")
    K = check_integer("K", values.size if K is None else K, at_least=max(1, values.size))
    return float((np.sum(lam / (values**2 + K * lam)) + (K - values.size) / K) / 2)


def _means(M: Any) -> Float[np.ndarray, "d K"]:
    means: Float[np.ndarray, "d K"] = np.asarray(M, dtype=float)
    if means.ndim != 2 or 0 in means.shape or not np.all(np.isfinite(means)):
        raise ValueError(
            f"M has shape {means.shape}; it must be a matrix of finite numbers with a column for each class"
        )
    return means
