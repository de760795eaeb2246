r"""The slope of the cross-entropy in the classifiers, class by class: what pulls them and what pushes them.

With p_k(f) the softmax share of class k on the outputs Af, the slope in a_k is the pull $\sum_i f_{k,i}(p_k(f_{k,i}) -
1)$ of the class's own features plus the push $\sum_{k'\ne k}\sum_j f_{k',j}\,p_k(f_{k',j})$ of all others (review,
equation 35). The loss is the sum over samples.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.arguments import IntegerLike, RealLike, check_array, check_real
from theory.overflow import within_floats
from theory.ufm.layer_peeled._threshold import check_classes

if TYPE_CHECKING:
    from jaxtyping import Float, Int, Num

__all__ = ["PullPush", "etf_push_ratio", "labelled_risk", "pull_push"]


class PullPush(NamedTuple):
    """The two parts of the slope of the summed cross-entropy in the classifiers.

    Attributes
    ----------
    pull : ndarray, shape (K, m)
        From the features of the row's own class.
    push : ndarray, shape (K, m)
        From the features of all other classes.
    """

    pull: Float[np.ndarray, "K m"]
    push: Float[np.ndarray, "K m"]


def _checked(
    A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"], labels: Num[np.ndarray, " N"]
) -> tuple[Float[np.ndarray, "K m"], Float[np.ndarray, "m N"], Int[np.ndarray, " N"]]:
    A, F = check_array("A", A, ndim=2, empty=False), check_array("F", F, ndim=2, empty=False)
    if len(A) < 2:
        raise ValueError(f"A has shape {A.shape}; A must have at least 2 rows, one a class")
    if len(F) != A.shape[1]:
        raise ValueError(f"F has shape {F.shape}; for A of shape {A.shape} F must have {A.shape[1]} rows")
    classes = check_array("labels", labels, ndim=1)
    if len(classes) != F.shape[1]:
        raise ValueError(f"labels has shape {classes.shape}; for F of shape {F.shape} labels must have {F.shape[1:]}")
    wrong = np.flatnonzero((classes != np.floor(classes)) | (classes < 0) | (classes >= len(A)))
    if len(wrong):
        raise ValueError(
            f"labels[{wrong[0]}] = {classes[wrong[0]]:g}; labels must be integers from 0 to {len(A) - 1}, the rows of A"
        )
    return A, F, classes.astype(int)


@within_floats
def labelled_risk(A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"], labels: Num[np.ndarray, " N"]) -> float:
    """The mean cross-entropy of the outputs AF, for classes of any sizes.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, in any order.
    labels : ndarray of ints, shape (N,)
        The class of each sample, from 0 on.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If shapes do not fit, a label is no row of A, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    References
    ----------
    review, equation 34.

    Examples
    --------
    >>> round(labelled_risk(np.eye(2), np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 2.0]]), np.array([0, 1, 1])), 6)
    0.25115
    """
    A, F, classes = _checked(A, F, labels)
    H = A @ F
    H -= H.max(axis=0)
    return float(np.mean(np.log(np.exp(H).sum(axis=0)) - H[classes, np.arange(len(classes))]))


@within_floats
def pull_push(A: Float[np.ndarray, "K m"], F: Float[np.ndarray, "m N"], labels: Num[np.ndarray, " N"]) -> PullPush:
    """Split the slope of the summed cross-entropy in each classifier into pull and push.

    Parameters
    ----------
    A : ndarray, shape (K, m)
        Classifier, one row a class.
    F : ndarray, shape (m, N)
        Features, one column a sample, in any order.
    labels : ndarray of ints, shape (N,)
        The class of each sample, from 0 on; a class may be empty.

    Returns
    -------
    PullPush
        Their sum is the slope, N times that of the mean.

    Raises
    ------
    ValueError
        If shapes do not fit, a label is no row of A, or an entry is not finite.
    TypeError
        If an argument is no array of real numbers.

    References
    ----------
    review, equation 35.

    Examples
    --------
    >>> pull_push(np.zeros((2, 1)), np.array([[1.0, 3.0, 5.0]]), np.array([0, 1, 1]))
    PullPush(pull=array([[-0.5],
           [-4. ]]), push=array([[4. ],
           [0.5]]))
    """
    A, F, classes = _checked(A, F, labels)
    H = A @ F
    shares = np.exp(H - H.max(axis=0))
    shares /= shares.sum(axis=0)
    own = np.arange(len(A))[:, None] == classes
    return PullPush(np.where(own, shares - 1, 0) @ F.T, np.where(own, 0, shares) @ F.T)


@within_floats
def etf_push_ratio(K_maj: IntegerLike, K_min: IntegerLike, ratio: RealLike) -> float:
    """Push over pull, in norm, for a minority classifier where classifiers and features are a simplex ETF.

    It is the same for all scales of the two. It is 1/(K−1) for equal sizes, and exceeds 1 just if
    (ratio−1)² K_min K_maj + 2 (ratio−1) K_maj > K(K−1)(K−2).

    Parameters
    ----------
    K_maj, K_min : int
        Number of majority and of minority classes, each at least 1.
    ratio : float
        n_maj/n_min, at least 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an argument is out of its range.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 35 and the text after it.

    Examples
    --------
    >>> etf_push_ratio(2, 1, 1), round(etf_push_ratio(2, 1, 3), 6)
    (0.5, 1.5)
    """
    a, b = check_classes(K_maj, K_min)
    more, K = check_real("ratio", ratio, at_least=1) - 1, a + b
    return sqrt((more * b + 2) * more * a / (K - 1) + 1) / (K - 1)
