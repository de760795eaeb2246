r"""The mean cross-entropy of K classes with n samples each, its gradient and Hessian, precise for outputs of any size.

The risk of the outputs H = AF + b1ᵀ, with samples sorted by class (review, equation 13, there with b = 0), is

$$ R_{CE}(F, A, b) = \frac1N \sum_{k,i} \log\Bigl(1 + \sum_{j\ne k} e^{h_{j} - h_{k}}\Bigr), \qquad N = Kn. $$

It is computed in this form, so that a risk of 1e-100 has as many digits as one of 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import check_array
from theory.overflow import within_floats
from theory.ufm.factors import balanced_labels, check_factors

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["check_outputs", "gradient", "hessian_vector", "output_gradient", "output_risk", "risk"]


def check_outputs(H: Float[np.ndarray, "K N"]) -> Float[np.ndarray, "K N"]:
    """Return outputs as a float64 array with one row a class and the same number of columns for each.

    Parameters
    ----------
    H : ndarray, shape (K, N)
        Outputs, one column a sample, sorted by class, the same number of each class.

    Returns
    -------
    ndarray, shape (K, N)

    Raises
    ------
    ValueError
        If there are fewer than two rows, N is no multiple of K, or an entry is not finite.
    TypeError
        If H is no array of real numbers.

    Examples
    --------
    >>> check_outputs(np.zeros((3, 4)))
    Traceback (most recent call last):
    ...
    ValueError: H has shape (3, 4); H must have one row for each of at least 2 classes, and as many columns for each
    """
    H = check_array("H", H, ndim=2, empty=False)
    if H.shape[0] < 2 or H.shape[1] % H.shape[0]:
        raise ValueError(
            f"H has shape {H.shape}; H must have one row for each of at least 2 classes, and as many columns for each"
        )
    return H


def _exponentials(H: Float[np.ndarray, "K N"]) -> tuple[np.ndarray, ...]:
    """The exponentials of h_j − h_k below the largest, 0 at j = k; that at k; the largest; the labels."""
    y = balanced_labels(*H.shape)
    samples = np.arange(H.shape[1])
    gaps = H - H[y, samples]
    largest = gaps.max(axis=0)
    E = np.exp(gaps - largest)
    own = E[y, samples].copy()
    E[y, samples] = 0
    return E, own, largest, y


@within_floats
def output_risk(H: Float[np.ndarray, "K N"]) -> float:
    """The mean cross-entropy of outputs.

    Parameters
    ----------
    H : ndarray, shape (K, N)
        Outputs, one column a sample, sorted by class, the same number of each class.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are fewer than two rows, N is no multiple of K, or an entry is not finite.
    TypeError
        If H is no array of real numbers.

    Examples
    --------
    >>> output_risk(np.zeros((2, 4))), output_risk(200 * np.eye(3))
    (0.6931471805599453, 2.767793053473475e-87)
    """
    E, own, largest, _ = _exponentials(check_outputs(H))
    others = E.sum(axis=0)
    # largest ≥ 0, and own = exp(−largest).
    return float(np.mean(np.where(largest > 0, largest + np.log(own + others), np.log1p(others))))


@within_floats
def output_gradient(H: Float[np.ndarray, "K N"]) -> Float[np.ndarray, "K N"]:
    """The gradient of `output_risk`, (softmax(H) − Y)/N.

    Parameters
    ----------
    H : ndarray, shape (K, N)
        Outputs, one column a sample, sorted by class, the same number of each class.

    Returns
    -------
    ndarray, shape (K, N)
        Its columns sum to 0; small entries are relatively precise.

    Raises
    ------
    ValueError
        If there are fewer than two rows, N is no multiple of K, or an entry is not finite.
    TypeError
        If H is no array of real numbers.

    Examples
    --------
    >>> output_gradient(np.zeros((2, 2)))
    array([[-0.25,  0.25],
           [ 0.25, -0.25]])
    """
    E, own, _, y = _exponentials(check_outputs(H))
    others = E.sum(axis=0)
    E[y, np.arange(len(y))] = -others
    G: Float[np.ndarray, "K N"] = E / ((own + others) * len(y))
    return G


@within_floats
def risk(A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"], b: Float[np.ndarray, " K"] | None = None) -> float:
    """The mean cross-entropy of the unconstrained features model without regularisation (review, equation 13).

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    b : ndarray, shape (K,), optional
        Bias, 0 by default.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    References
    ----------
    review, equation 13.

    Examples
    --------
    >>> risk(np.eye(2), np.zeros((2, 6)))
    0.6931471805599453
    """
    A, F, b = check_factors(A, F, b)
    return output_risk(A @ F + b[:, None])


@within_floats
def gradient(
    A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"], b: Float[np.ndarray, " K"] | None = None
) -> tuple[Float[np.ndarray, "K m"], Float[np.ndarray, "m N"], Float[np.ndarray, " K"]]:
    """The gradient of `risk` in the classifier, the features and the bias.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    b : ndarray, shape (K,), optional
        Bias, 0 by default.

    Returns
    -------
    dA : ndarray, shape (K, m)
    dF : ndarray, shape (m, N)
    db : ndarray, shape (K,)

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    References
    ----------
    review, equation 14.

    Examples
    --------
    >>> dA, dF, db = gradient(np.zeros((2, 1)), np.array([[1.0, -1.0]]))
    >>> dA.T, dF, db
    (array([[-0.5,  0.5]]), array([[0., 0.]]), array([0., 0.]))
    """
    A, F, b = check_factors(A, F, b)
    G = output_gradient(A @ F + b[:, None])
    return G @ F.T, A.T @ G, G.sum(axis=1)


@within_floats
def hessian_vector(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    dA: Float[np.ndarray, "K m"],
    dF: Float[np.ndarray, "m N"],
) -> tuple[Float[np.ndarray, "K m"], Float[np.ndarray, "m N"]]:
    """The Hessian of `risk` without bias, applied to a direction.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    dA : ndarray, shape (K, m)
        The direction's part in A.
    dF : ndarray, shape (m, N)
        The direction's part in F.

    Returns
    -------
    ndarray, shape (K, m)
    ndarray, shape (m, N)

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    Examples
    --------
    At A = 0 and F = 0 the risk falls along (E, G) and rises along (E, −G):

    >>> zero, E = np.zeros((2, 2)), np.eye(2)
    >>> for s in (1, -1):
    ...     dA, dF = hessian_vector(zero, zero, E, s * E)
    ...     print((dA * E).sum() + (dF * s * E).sum())
    -1.0
    1.0
    """
    A, F, _ = check_factors(A, F)
    dA, dF = check_array("dA", dA, ndim=2), check_array("dF", dF, ndim=2)
    for name, direction, at in (("dA", dA, A), ("dF", dF, F)):
        if direction.shape != at.shape:
            raise ValueError(f"{name} has shape {direction.shape}; {name} must have {at.shape}")
    G = output_gradient(A @ F)
    P = G * G.shape[1]
    P[balanced_labels(*P.shape), np.arange(P.shape[1])] += 1
    dH = dA @ F + A @ dF
    dG = P * (dH - (P * dH).sum(axis=0)) / P.shape[1]
    return dG @ F.T + G @ dF.T, A.T @ dG + dA.T @ G
