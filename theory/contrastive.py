r"""Supervised contrastive loss, and how small it is for features of a given mean square.

With the products $z_{ab} = ⟨f_a, f_b⟩/τ$ the loss of an anchor a is that of cross-entropy, spread over its class
(the anchor itself included, features not normalised),

$$ \frac1N\sum_a\Bigl(\log\sum_be^{z_{ab}} - \frac1{n_{y_a}}\sum_{b:\,y_b=y_a}z_{ab}\Bigr). $$

For K classes of n samples with $\frac1N\sum_a\|f_a\|^2 \le Ω$ it is at least $\log n + φ(-x)$,
$φ(d) = \log(1 + (K-1)e^d)$, $x = \frac{KΩ}{(K-1)τ}$. Every tangent of the convex φ is a lower bound as well: equation
33 of the review has one for each c₂/(c₁ + c₂), its slope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import logsumexp, xlogy

from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_array, check_integer, check_real
from theory.labels import check_labels
from theory.overflow import within_floats
from theory.wording import wrong_value

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["SupConBound", "supcon_bound", "supcon_loss"]


class SupConBound(NamedTuple):
    """A lower bound of the supervised contrastive loss.

    Attributes
    ----------
    value : float
        The bound.
    share : float
        c₂/(c₁ + c₂), where the bound touches: the probability that an anchor gives to the other classes.
    width : int
        Dimensions that the features need for the bound of the best share to be attained.
    """

    value: float
    share: float
    width: int


@within_floats
def supcon_loss(F: ArrayLike, labels: ArrayLike, tau: RealLike) -> float:
    """The supervised contrastive loss of features, with the anchor among its positives and nothing normalised.

    Parameters
    ----------
    F : array_like, shape (m, N)
        Features, one column a sample.
    labels : array_like of int, shape (N,)
        Classes of the samples, from 0 on, in any order and of any sizes.
    tau : float
        Temperature, positive.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit or tau is not positive.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 32; for classes of different sizes every anchor counts the same.

    Examples
    --------
    Two classes at opposite points, where the loss is least:

    >>> round(supcon_loss([[1.0, 1.0, -1.0, -1.0]], [0, 0, 1, 1], 1.0), 6)
    0.820075
    >>> round(supcon_bound(2, 2, 1.0, 1.0).value, 6)
    0.820075
    """
    F = check_array("F", F, ndim=2, empty=False)
    y = check_labels("labels", labels, samples=F.shape[1])
    products = F.T @ (F / check_real("tau", tau, above=0))
    own = y[:, None] == y
    positives = (products * own).sum(axis=1) / own.sum(axis=1)
    return float(logsumexp(products - positives[:, None], axis=1).mean())


@within_floats
def supcon_bound(
    K: IntegerLike, n: IntegerLike, tau: RealLike, Omega: RealLike, *, share: RealLike | None = None
) -> SupConBound:
    """The least supervised contrastive loss of K classes of n features whose mean square is at most Omega.

    Equality holds just if every class is at one point, these form a simplex equiangular tight frame of squared norm
    Omega, and the share is the best.

    Parameters
    ----------
    K : int
        Number of classes, at least 2.
    n : int
        Samples in each class.
    tau : float
        Temperature, positive.
    Omega : float
        Bound of the features' mean squared norm, at least 0.
    share : float, optional
        c₂/(c₁ + c₂) of the bound that is wanted, between 0 and 1; by default the best, which gives the least loss.

    Returns
    -------
    SupConBound

    Raises
    ------
    ValueError
        If an argument is out of its range.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 33; the best constants are c₁/c₂ = exp(KΩ/((K−1)τ))/(K−1), which the printed ones are not.

    Examples
    --------
    >>> from theory.geometry.simplex_etf import etf
    >>> import numpy as np
    >>> bound = supcon_bound(3, 2, 0.5, 1.0)
    >>> np.isclose(supcon_loss(np.repeat(etf(3), 2, axis=1), [0, 0, 1, 1, 2, 2], 0.5), bound.value)
    np.True_
    >>> supcon_bound(3, 2, 0.5, 1.0, share=0.5).value < bound.value
    True
    """
    K = check_integer("K", K, at_least=2, at_most=LARGEST_SIZE)
    n = check_integer("n", n, at_least=1, at_most=LARGEST_SIZE)
    omega = check_real("Omega", Omega, at_least=0)
    x = np.float64(K / (K - 1)) * omega / check_real("tau", tau, above=0)
    width = K - 1 if omega else 1
    if share is None:
        odds = float((K - 1) * np.exp(-x))
        return SupConBound(float(np.log(n) + np.log1p(odds)), odds / (1 + odds), width)
    q = check_real("share", share, above=0)
    if q >= 1:
        raise wrong_value("share", share, "share must be a real number > 0 and < 1")
    entropy = -xlogy(1 - q, 1 - q) - xlogy(q, q / (K - 1))
    return SupConBound(float(np.log(n) + entropy - q * x), q, width)
