r"""The unconstrained features model with batch normalisation and ReLU: the global minimum of the squared error.

A row of F_BN is γ_j u + v_j 1/√N with any centred unit vector u, hence any vector at all, of squared norm γ_j² + v_j².
So the risk is that of a classifier A and G = F_BN with weight decay λ on both and ReLU on G. Without the ReLU its
minimum is a soft threshold of the singular values √n of Y, which a multiple of Y, which is not negative, attains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_exact
from theory.overflow import within_floats
from theory.ufm.squared_error._optimum import check_sizes

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["BatchNormOptimum", "batchnorm_optimum"]


@dataclass(frozen=True, eq=False, repr=False)
class BatchNormOptimum:
    """A global minimum of the squared error with batch normalisation.

    Attributes
    ----------
    loss : float
        The least risk.
    gamma, v : ndarray, shape (m,)
        Scales and shifts of the normalisation, 0 in the rows that are not used.
    A : ndarray, shape (K, m)
        Classifier.
    F : ndarray, shape (m, N)
        Features before the normalisation, [Y; 0]; a row of zeros counts as any other that is not constant, as its
        scale is 0.
    F_BN : ndarray, shape (m, N)
        Features after the normalisation.
    """

    loss: float
    gamma: Float[np.ndarray, " m"]
    v: Float[np.ndarray, " m"]
    A: Float[np.ndarray, "K m"]
    F: Float[np.ndarray, "m N"]
    F_BN: Float[np.ndarray, "m N"]

    @property
    def zero(self) -> bool:
        """Whether the minimum is the zero point: λ ≥ √n."""
        return not self.A.any()

    def __repr__(self) -> str:
        regime = (
            "zero: lam is at or above √n" if self.zero else f"scale of the outputs {(self.A @ self.F_BN).max():.6g}"
        )
        return f"<minimum {self.loss:.6g} with batch normalisation, {regime}>"

    def _repr_html_(self) -> str:
        row = "<tr><th>loss</th><th>γ</th><th>v</th><th>zero</th></tr>"
        return f"<table>{row}<tr><td>{self.loss:.6g}</td><td>{self.gamma[0]:.6g}</td><td>{self.v[0]:.6g}</td><td>{self.zero}</td></tr></table>"  # noqa: E501


@within_floats
def batchnorm_optimum(K: IntegerLike, n: IntegerLike, m: IntegerLike, lam: RealLike) -> BatchNormOptimum:
    """The global minimum of the squared error with batch normalisation, ReLU and weight decay.

    For λ < √n it is K(λ√n − λ²/2), at A = √(√n − λ) [I, 0] and F_BN = √((√n − λ)/n) [Y; 0]; else N/2, at 0.

    Parameters
    ----------
    K : int
        Classes, at least 2.
    n : int
        Samples of each class.
    m : int
        Width, at least K.
    lam : float
        Weight decay of scales, shifts and classifier, positive.

    Returns
    -------
    BatchNormOptimum

    Raises
    ------
    ValueError
        If a number is out of range, or m < K.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, Appendix A.4, equations 60 to 63, whose scales are the minimisers for λ = √n − 1 only.

    Examples
    --------
    >>> found = batchnorm_optimum(2, 4, 3, 0.5)
    >>> found
    <minimum 1.75 with batch normalisation, scale of the outputs 0.75>
    >>> batchnorm_optimum(2, 4, 3, 1).gamma.round(6)  # λ = √n − 1: as printed
    array([0.707107, 0.707107, 0.      ])
    """
    K, n, m = check_sizes(K, n, m)
    if m < K:
        raise ValueError(f"m = {m}; m must be an integer ≥ K = {K}")
    exact = check_exact("lam", lam, above=0)
    decay, zero = float(exact), exact**2 >= n
    excess = 0.0 if zero else float(n - exact**2) / (n**0.5 + decay)  # √n − λ
    loss = K * n / 2 if zero else K * decay * (n**0.5 - decay / 2)
    Y, used = np.repeat(np.eye(m, K), n, axis=1), np.arange(m) < K
    return BatchNormOptimum(
        loss,
        used * np.sqrt(excess * (1 - 1 / K)),
        used * np.sqrt(excess / K),
        np.sqrt(excess) * np.eye(K, m),
        Y,
        np.sqrt(excess / n) * Y,
    )
