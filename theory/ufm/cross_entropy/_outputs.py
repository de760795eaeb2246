r"""Collapsed outputs have the least cross-entropy, and what that says of the features before them.

With z_k the mean of the outputs of class k, the linear term of Bregman's identity vanishes, and what is left is exact:

$$ R_{CE}(h) - R_{CE}(\bar h)
= \mathbb E\, \mathrm{KL}\bigl(\mathrm{softmax}(z_k) \,\Vert\, \mathrm{softmax}(h)\bigr). $$

So it is positive unless h − z_k is a multiple of the ones vector (review, equation 10 and Appendix A.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import null_space
from scipy.optimize import minimize

from theory.arguments import RealLike, check_array, check_real
from theory.overflow import within_floats
from theory.ufm.cross_entropy._risk import check_outputs, output_gradient
from theory.ufm.factors import balanced_labels

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["Preimage", "collapse_gap", "collapsed_outputs", "least_norm_preimage", "preimage"]


@within_floats
def collapsed_outputs(H: Float[np.ndarray, "K N"]) -> Float[np.ndarray, "K N"]:
    """The outputs with each replaced by the mean of its class, which have the least cross-entropy of all such.

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

    References
    ----------
    review, equation 10, with the probability of the class for n.

    Examples
    --------
    >>> collapsed_outputs(np.array([[1.0, 3.0, 0.0, 0.0], [0.0, 0.0, 2.0, 4.0]]))
    array([[2., 2., 0., 0.],
           [0., 0., 3., 3.]])
    """
    H = check_outputs(H)
    n = H.shape[1] // len(H)
    means: Float[np.ndarray, "K N"] = np.repeat(H.reshape(len(H), len(H), n).mean(axis=2), n, axis=1)
    return means


@within_floats
def collapse_gap(H: Float[np.ndarray, "K N"]) -> float:
    """By how much the cross-entropy falls if outputs are replaced by the means of their classes.

    Parameters
    ----------
    H : ndarray, shape (K, N)
        Outputs, one column a sample, sorted by class, the same number of each class.

    Returns
    -------
    float
        The mean Kullback–Leibler divergence of softmax(h) from the softmax of the class mean; at least 0.

    Raises
    ------
    ValueError
        If there are fewer than two rows, N is no multiple of K, or an entry is not finite.
    TypeError
        If H is no array of real numbers.

    References
    ----------
    review, Appendix A.2.

    Examples
    --------
    >>> H = np.array([[1.0, 3.0, 0.0, 0.0], [0.0, 0.0, 2.0, 4.0]])
    >>> round(collapse_gap(H), 6), collapse_gap(H + np.array([5.0, -5.0, 2.0, 0.0])) == collapse_gap(H)
    (0.038974, True)
    """
    Z = collapsed_outputs(H)
    H = check_array("H", H)
    N = H.shape[1]
    p = output_gradient(Z) * N
    p[balanced_labels(*H.shape), np.arange(N)] += 1
    # KL(p‖q) = log Σ p_j exp(d_j) − Σ p_j d_j, where d is the difference of the outputs up to a constant.
    d = H - Z
    d = d - (p * d).sum(axis=0)
    largest = np.maximum(d.max(axis=0), 0)
    mean = np.where(largest > 1, largest + np.log((p * np.exp(d - largest)).sum(axis=0)), 0)
    small = np.log1p((p * (np.expm1(np.minimum(d, 1)) - np.minimum(d, 1))).sum(axis=0))
    return float(np.mean(np.where(largest > 1, mean, small)))


class Preimage(NamedTuple):
    """The features with given outputs, a point and the directions that change nothing."""

    point: Float[np.ndarray, " m"]
    directions: Float[np.ndarray, "m dimension"]

    @property
    def dimension(self) -> int:
        """The dimension of the affine subspace."""
        return int(self.directions.shape[1])


@within_floats
def preimage(
    A: Float[np.ndarray, "K m"], z: Float[np.ndarray, " K"], b: Float[np.ndarray, " K"] | None = None
) -> Preimage:
    """All features f with A f + b = z: an affine subspace of dimension m − rank A, where it is not empty.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier.
    z : ndarray, shape (K,)
        An output.
    b : ndarray, shape (K,), optional
        Bias, 0 by default.

    Returns
    -------
    Preimage
        `point`, the one of least Euclidean norm; orthonormal `directions`; `dimension`.

    Raises
    ------
    ValueError
        If there is none, the shapes do not fit, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    References
    ----------
    review, Section 3.1.1, which has the dimension m − K: so it is only if A has rank K, and the classifier of a
    collapsed state has K − 1.

    Examples
    --------
    >>> A = np.eye(3) - 1 / 3
    >>> preimage(A, A[0]).dimension
    1
    """
    A = check_array("A", A, ndim=2, empty=False)
    z = check_array("z", z, ndim=1)
    b = np.zeros(len(A)) if b is None else check_array("b", b, ndim=1)
    for name, vector in (("z", z), ("b", b)):
        if vector.shape != A.shape[:1]:
            raise ValueError(
                f"{name} has shape {vector.shape}; for A of shape {A.shape} {name} must have {A.shape[:1]}"
            )
    point = np.linalg.lstsq(A, z - b)[0]
    left = np.linalg.norm(A @ point + b - z)
    if left > 1e-10 * (np.linalg.norm(z) + np.linalg.norm(b)):
        raise ValueError(f"z − b is {left:.3g} away from the range of A; z must be an output of A and b")
    return Preimage(point, null_space(A))


@within_floats
def least_norm_preimage(
    A: Float[np.ndarray, "K m"],
    z: Float[np.ndarray, " K"],
    p: RealLike = 2,
    b: Float[np.ndarray, " K"] | None = None,
) -> Float[np.ndarray, " m"]:
    """The one vector of features of least lᵖ norm with a given output, for 1 < p < ∞.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier.
    z : ndarray, shape (K,)
        An output.
    p : float
        Above 1, where the norm is strictly convex, so that there is only one.
    b : ndarray, shape (K,), optional
        Bias, 0 by default.

    Returns
    -------
    ndarray, shape (m,)

    Raises
    ------
    ValueError
        If there is none, p is not above 1, the shapes do not fit, or an entry is not finite.
    TypeError
        If an argument is of a wrong type.
    RuntimeError
        If the minimisation does not converge, as for p close to 1.

    References
    ----------
    review, Section 3.1.1.

    Examples
    --------
    >>> least_norm_preimage(np.array([[1.0, 2.0], [0.0, 0.0]]), np.array([5.0, 0.0]), p=3).round(6)
    array([1.306019, 1.84699 ])
    """
    p = check_real("p", p, above=1)
    x, V = preimage(A, z, b)
    size = np.abs(x).max()
    if size == 0 or not V.shape[1] or p == 2:
        return x
    x = x / size

    def value(t: Float[np.ndarray, " d"]) -> tuple[float, Float[np.ndarray, " d"]]:
        f = x + V @ t
        return float(np.sum(np.abs(f) ** p) / p), V.T @ (np.sign(f) * np.abs(f) ** (p - 1))

    found = minimize(value, np.zeros(V.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 2000})
    f: Float[np.ndarray, " m"] = x + V @ found.x
    slope = np.abs(value(found.x)[1]).max()
    if not slope < 1e-6:
        raise RuntimeError(f"the least l^{p:g} norm was not found: a slope of {slope:.3g} is left")
    f *= size
    return f
