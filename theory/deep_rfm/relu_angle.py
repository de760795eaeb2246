r"""Angles between unit vectors through wide random ReLU layers: one layer, and many.

In a layer of infinite width the angle θ becomes θ' with $\cos\theta' = \frac1\pi(\sin\theta+(\pi-\theta)\cos\theta)$.
Every angle in (0, π] shrinks, the larger ones faster: θ'/θ falls from 1 to 1/2, and θ − θ' rises. Small angles hardly
change, $\theta' = \theta-\theta^2/(3\pi)+\dots$, and after many layers all are near 3π/L.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from theory.arguments import LARGEST_SIZE, IntegerLike, check_integer
from theory.deep_rfm._arcs import as_angle
from theory.deep_rfm.relu_distance import distance_ratio

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["angle_after"]


def angle_after(theta: ArrayLike, layers: IntegerLike = 1) -> Float[np.ndarray, "..."] | np.float64:
    """The angle between the features of two vectors after random ReLU layers of infinite width.

    Parameters
    ----------
    theta : array_like
        Angle between the vectors, in [0, π]; what exceeds that by rounding is cut off.
    layers : int
        How many layers, at least 0.

    Returns
    -------
    ndarray of float, the shape of theta

    Raises
    ------
    TypeError, ValueError
        If an angle is outside [0, π], the number of layers is negative, or an argument is of a wrong type.

    References
    ----------
    review, Section 1 (Giryes et al.).

    Examples
    --------
    >>> angle_after([0.1, 1.0, np.pi]).round(4)
    array([0.0989, 0.8813, 1.5708])
    >>> angle_after([0.1, np.pi], layers=100).round(3)
    array([0.048, 0.085])
    """
    angle: Float[np.ndarray, "..."] | np.float64 = as_angle("theta", theta)
    for _ in range(check_integer("layers", layers, at_least=0, at_most=LARGEST_SIZE)):
        angle = 2 * np.arcsin(distance_ratio(angle) * np.sin(angle / 2))
    return angle
