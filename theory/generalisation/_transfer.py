r"""The error of classes met after training, bounded by how well features separate them.

A sample x of class i goes to class j, with the means of n samples each as class centres, only if $\|u - a\| +
\|u - b\| \ge d$: u is x less the true mean, a and b are what the two centres are off, d is the distance of the true
means. By Markov's inequality for the square, of which $2\|u-a\|^2 + 2\|u-b\|^2$ is an upper bound, the probability is
at most $(4σ_i^2 + \frac2n(σ_i^2 + σ_j^2))/d^2$. The mean over i → j and j → i is $4(1 + \frac1n)V_{ij}$.
"""

from __future__ import annotations

import numpy as np

from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_integer, check_real
from theory.overflow import within_floats

__all__ = ["transfer_error_bound"]


@within_floats
def transfer_error_bound(cdnv: RealLike, classes: IntegerLike, shots: IntegerLike) -> float:
    """An upper bound of the error on new classes, told apart by the nearest mean of a few samples of each.

    Parameters
    ----------
    cdnv : float
        Mean of the class-distance normalised variance over pairs of different classes, and over the tasks if they
        are drawn.
    classes : int
        Classes t of a task, equally frequent, at least 2.
    shots : int
        Samples n of each class that its mean is taken of.

    Returns
    -------
    float
        4(t − 1)(1 + 1/n) times the mean; it says nothing from 1 on. For n → ∞ no smaller factor will do.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    TypeError
        If an argument is of a wrong type.

    References
    ----------
    review, equation 54 and after it, where neither the classifier nor the factor is printed.

    Examples
    --------
    >>> round(transfer_error_bound(0.01, classes=5, shots=5), 3)
    0.192
    """
    mean = np.float64(check_real("cdnv", cdnv, at_least=0))
    t = check_integer("classes", classes, at_least=2, at_most=LARGEST_SIZE)
    n = check_integer("shots", shots, at_least=1, at_most=LARGEST_SIZE)
    return float(4 * (t - 1) * (1 + 1 / n) * mean)
