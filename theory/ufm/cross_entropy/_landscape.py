r"""The landscape of the cross-entropy of the unconstrained features model without regularisation, along tangents.

A tangent of the sphere ‖A‖² + ‖F‖² = const at (A, F) is a direction with tr(AᵀΔA) + tr(FᵀΔF) = 0. Two questions are to
be kept apart (review, Section 3.1.1): whether the risk falls along a straight tangent line, which leaves the sphere,
and whether it falls on the sphere. Where the gradient is −c(A, F), the second derivative on the sphere is that of the
line plus c‖Δ‖².

* On the sphere, for m ≥ K − 1: every critical point but the collapsed ones, which are the global minima, has a
  direction along which the risk falls to second order.
* Along lines, for m ≥ 2: every point has one, collapsed or not.

`docs/landscape.md` has the proofs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from theory.arguments import check_choice
from theory.overflow import within_floats
from theory.ufm.cross_entropy._risk import gradient, hessian_vector, output_gradient
from theory.ufm.factors import check_factors

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["Descent", "sphere_multiplier", "tangent_descent", "tangent_hessian"]

#: The largest number of parameters for which a Hessian is made.
LARGEST_HESSIAN = 3000


class Descent(NamedTuple):
    """A tangent of unit length along which the risk falls, and how fast: the first or second derivative."""

    dA: Float[np.ndarray, "K m"]
    dF: Float[np.ndarray, "m N"]
    order: Literal[1, 2]
    derivative: float


def _flat(A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"]) -> Float[np.ndarray, " d"]:
    return np.concatenate([A.ravel(), F.ravel()])


@within_floats
def sphere_multiplier(A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"]) -> tuple[float, float]:
    """The multiplier c for which the gradient of the risk is closest to −c(A, F), and what is left of the gradient.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.

    Returns
    -------
    c : float
        0 at A = 0, F = 0.
    rest : float
        The norm of the gradient's part along the tangents, 0 exactly at the critical points on the sphere.

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two classes, N is no multiple of K, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    Examples
    --------
    >>> c, rest = sphere_multiplier(np.array([[1.0], [-1.0]]), np.array([[1.0, -1.0]]))
    >>> round(c, 6), rest
    (0.119203, 0.0)
    """
    A, F, _ = check_factors(A, F)
    theta, slope = _flat(A, F), _flat(*gradient(A, F)[:2])
    size = theta @ theta
    c = -float(slope @ theta / size) if size > 0 else 0.0
    return c, float(np.linalg.norm(slope + c * theta))


@within_floats
def tangent_hessian(
    A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"], along: Literal["line", "sphere"] = "sphere"
) -> tuple[Float[np.ndarray, " tangents"], Float[np.ndarray, "d tangents"]]:
    """The eigenvalues of the risk's second derivatives over unit tangents, and the tangents.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    along : str
        "sphere" for the Riemannian Hessian, "line" for second derivatives along straight lines.

    Returns
    -------
    eigenvalues : ndarray, shape (tangents,)
        Ascending.
    tangents : ndarray, shape (Km + mN, tangents)
        One a column, the entries of A before those of F.

    Raises
    ------
    ValueError
        If the shapes do not fit, A and F have more than 3000 entries together, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    Examples
    --------
    A collapsed point with two classes in the plane: a minimum on the sphere, but not along lines.

    >>> A = np.array([[1.0, 0.0], [-1.0, 0.0]])
    >>> [float(tangent_hessian(A, A.T, along)[0][0].round(4)) for along in ("sphere", "line")]
    [-0.0, -0.1192]
    """
    A, F, _ = check_factors(A, F)
    check_choice("along", along, ["line", "sphere"])
    if A.size + F.size > LARGEST_HESSIAN:
        raise ValueError(f"A and F have {A.size + F.size} entries; they must have at most {LARGEST_HESSIAN}")
    theta = _flat(A, F)
    unit = np.eye(theta.size)
    columns = [_flat(*hessian_vector(A, F, e[: A.size].reshape(A.shape), e[A.size :].reshape(F.shape))) for e in unit]
    basis = np.linalg.svd(theta[:, None])[0][:, 1:] if theta.any() else unit
    projected = basis.T @ np.array(columns) @ basis
    if along == "sphere":
        projected += sphere_multiplier(A, F)[0] * np.eye(len(projected))
    eigenvalues, vectors = np.linalg.eigh((projected + projected.T) / 2)
    return eigenvalues, basis @ vectors


@within_floats
def tangent_descent(
    A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"], along: Literal["line", "sphere"] = "sphere"
) -> Descent | None:
    """A tangent along which the cross-entropy falls, to first order or, at a critical point, to second order.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, sorted by class, the same number of each.
    along : str
        "sphere", or "line" for the straight line.

    Returns
    -------
    Descent or None
        None if there is none: to rounding errors, the gradient vanishes on the tangents and the second derivatives are
        not negative.

    Raises
    ------
    ValueError
        If the shapes do not fit, A and F have more than 3000 entries together, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    References
    ----------
    review, Section 3.1.1, on the loss landscape.

    Examples
    --------
    Three classes on a line are the best on the sphere, and not collapsed:

    >>> A = 1.5 * np.array([[1.0], [-1.0], [0.0]])
    >>> tangent_descent(A, A.T, "line") is None
    True
    """
    A, F, _ = check_factors(A, F)
    c, rest = sphere_multiplier(A, F)
    slope, theta = _flat(*gradient(A, F)[:2]), _flat(A, F)
    # What the entries of the gradient are sums of: at A = 1aᵀ, F = 0 all of it is cancellation.
    if rest > 1e-9 * np.linalg.norm(output_gradient(A @ F)) * np.linalg.norm(theta):
        direction, order, derivative = -(slope + c * theta) / rest, 1, -rest
    else:
        eigenvalues, tangents = tangent_hessian(A, F, along)
        if not eigenvalues[0] < -1e-9 * np.abs(eigenvalues).max():
            return None
        direction, order, derivative = tangents[:, 0], 2, float(eigenvalues[0])
    return Descent(
        direction[: A.size].reshape(A.shape), direction[A.size :].reshape(F.shape), 1 if order == 1 else 2, derivative
    )
