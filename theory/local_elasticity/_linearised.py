r"""The drift of the logits under cross-entropy, linearised at the class means.

With $r_k = e_k - σ(f_k)$ the drift is $D(F) = Gr(F)$ for logits stacked class by class, and to first order
$D(\tilde F) = G(\nabla r\,\tilde F + r(\bar F) - \nabla r\,\bar F)$, where ∇r has the blocks σσᵀ − diag σ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import block_diag
from scipy.special import softmax

from theory.arguments import check_array
from theory.overflow import within_floats

if TYPE_CHECKING:
    from jaxtyping import Float
    from numpy.typing import ArrayLike

__all__ = ["LinearisedDrift", "linearised_drift"]


class LinearisedDrift(NamedTuple):
    """A drift that is affine in the stacked logits: slope times these, and a constant.

    Attributes
    ----------
    slope : ndarray, shape (K², K²)
        G∇r at the means.
    constant : ndarray, shape (K²,)
        G(r − ∇r F̄): what the source calls the residue, times G.
    """

    slope: Float[np.ndarray, "KK KK"]
    constant: Float[np.ndarray, " KK"]


@within_floats
def linearised_drift(G: ArrayLike, means: ArrayLike) -> LinearisedDrift:
    """The drift of the logits under cross-entropy near the class means, to first order.

    Parameters
    ----------
    G : array_like, shape (K², K²)
        Gram matrix of the logits' gradients in the parameters, its blocks (k, k') for classes k and k'.
    means : array_like, shape (K, K)
        Mean logits, one column a class.

    Returns
    -------
    LinearisedDrift
        Of G[e_k − σ(f_k)]; the mean over the class that is drawn is 1/K of it.

    Raises
    ------
    ValueError
        If the shapes do not fit, or K is below 2.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 50, whose second line has G twice.

    Examples
    --------
    >>> slope, constant = linearised_drift(np.eye(4), np.zeros((2, 2)))
    >>> slope[:2, :2], constant
    (array([[-0.25,  0.25],
           [ 0.25, -0.25]]), array([ 0.5, -0.5, -0.5,  0.5]))
    """
    F, gram = check_array("means", means, ndim=2), check_array("G", G, ndim=2)
    K = len(F)
    if K < 2 or F.shape != (K, K):
        raise ValueError(
            f"means has shape {F.shape}; means must be square, with a column for each of at least 2 classes"
        )
    if gram.shape != (K * K, K * K):
        raise ValueError(f"G has shape {gram.shape}; for K = {K} classes G must have {K * K} rows and columns")
    P = softmax(F, axis=0)
    jacobian = block_diag(*[np.outer(p, p) - np.diag(p) for p in P.T])
    slope: Float[np.ndarray, "KK KK"] = gram @ jacobian
    return LinearisedDrift(slope, gram @ (np.eye(K) - P).T.ravel() - slope @ F.T.ravel())
