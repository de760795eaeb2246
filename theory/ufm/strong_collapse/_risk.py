r"""The squared error of the unconstrained features model without regularisation, its gradient and curvature.

With samples sorted by class, n of each of K, and labels $Y = I_K \otimes 1_n^\top$,

$$ R_{SE}(A, F, b) = \tfrac12\|AF + b1^\top - Y\|_F^2, \qquad R_{MSE} = R_{SE}/N, \qquad N = Kn. $$
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from theory.arguments import check_array, check_choice
from theory.overflow import within_floats
from theory.ufm.factors import check_factors

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["Loss", "curvature", "gradient", "loss_scale", "residual", "risk"]

#: The squared error (review, equation 16), or the mean squared error (review, equation 56).
Loss = Literal["se", "mse"]


def loss_scale(loss: Loss, N: int) -> float:
    """The factor before ½‖AF + b1ᵀ − Y‖²: 1 for the squared error "se", 1/N for the mean squared error "mse"."""
    return 1.0 if check_choice("loss", loss, ("se", "mse")) == "se" else 1 / N


@within_floats
def residual(
    A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"], b: Float[np.ndarray, " K"] | None = None
) -> Float[np.ndarray, "K N"]:
    """The outputs less the labels, AF + b1ᵀ − Y.

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
    ndarray, shape (K, N)

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    Examples
    --------
    >>> residual(np.eye(2), np.ones((2, 2)))
    array([[0., 1.],
           [1., 0.]])
    """
    A, F, b = check_factors(A, F, b)
    K, N = len(A), F.shape[1]
    E: Float[np.ndarray, "K N"] = A @ F + b[:, None] - np.repeat(np.eye(K), N // K, axis=1)
    return E


@within_floats
def risk(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    b: Float[np.ndarray, " K"] | None = None,
    *,
    loss: Loss = "se",
) -> float:
    """The squared error without regularisation, ½‖AF + b1ᵀ − Y‖², or a share 1/N of it.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    b : ndarray, shape (K,), optional
        Bias, 0 by default.
    loss : "se" or "mse"
        The squared error, or the mean squared error.

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
    review, equations 16 and 56.

    Examples
    --------
    >>> risk(np.zeros((2, 3)), np.zeros((3, 8))), risk(np.eye(2), np.eye(2), loss="mse")
    (4.0, 0.0)
    """
    E = residual(A, F, b)
    return float((E**2).sum() / 2 * loss_scale(loss, E.shape[1]))


@within_floats
def gradient(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    b: Float[np.ndarray, " K"] | None = None,
    *,
    loss: Loss = "se",
) -> tuple[Float[np.ndarray, "K m"], Float[np.ndarray, "m N"], Float[np.ndarray, " K"]]:
    """The gradient of `risk` in the classifier, the features and the bias: EFᵀ, AᵀE, E1 with E = AF + b1ᵀ − Y.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    b : ndarray, shape (K,), optional
        Bias, 0 by default.
    loss : "se" or "mse"
        The squared error, or the mean squared error.

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
    review, equations 18 and 57.

    Examples
    --------
    >>> dA, dF, db = gradient(np.eye(2), np.zeros((2, 2)), loss="mse")
    >>> dF, db
    (array([[-0.5,  0. ],
           [ 0. , -0.5]]), array([-0.5, -0.5]))
    """
    A, F, b = check_factors(A, F, b)
    E = residual(A, F, b) * loss_scale(loss, F.shape[1])
    return E @ F.T, A.T @ E, E.sum(axis=1)


@within_floats
def curvature(
    A: Float[np.ndarray, "K m"],
    F: Float[np.ndarray, "m N"],
    b: Float[np.ndarray, " K"] | None,
    dA: Float[np.ndarray, "K m"],
    dF: Float[np.ndarray, "m N"],
    db: Float[np.ndarray, " K"] | None = None,
) -> float:
    """The second derivative of the squared error along a line, ‖A dF + dA F + db 1ᵀ‖² + 2⟨E, dA dF⟩.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    b : ndarray, shape (K,), or None
        Bias, 0 by default.
    dA, dF, db : ndarray
        The direction, of the shapes of A, F and b; db is 0 by default.

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
    >>> zero, E = np.zeros((2, 2)), np.eye(2)
    >>> curvature(zero, zero, None, E, E), curvature(zero, zero, None, E, -E)
    (-4.0, 4.0)
    """
    A, F, b = check_factors(A, F, b)
    step = {"dA": (dA, A), "dF": (dF, F), "db": (np.zeros(len(A)) if db is None else db, b)}
    for name, (direction, at) in step.items():
        if check_array(name, direction).shape != at.shape:
            raise ValueError(f"{name} has shape {np.shape(direction)}; {name} must have {at.shape}")
    dA, dF, db = (check_array(name, direction) for name, (direction, _) in step.items())
    first = A @ dF + dA @ F + db[:, None]
    return float((first**2).sum() + 2 * (residual(A, F, b) * (dA @ dF)).sum())
