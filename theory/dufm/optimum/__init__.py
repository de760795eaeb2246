"""The optimum of the DUFM between proved bounds: from below by an argument, from above by a solution.

The arguments are proved in docs/optimum.md.
"""

from theory.dufm.optimum._best_known import best_known
from theory.dufm.optimum._bounds import OptimumBounds, attained, bounds
from theory.dufm.optimum._given import of_matrices
from theory.dufm.optimum._lower_bound import LowerBound, lower_bound
from theory.dufm.optimum._nuclear_norm import relu_constant
from theory.dufm.optimum._rank_two import rank_two
from theory.dufm.optimum._rescaled import rescaled

__all__ = [
    "LowerBound",
    "OptimumBounds",
    "attained",
    "best_known",
    "bounds",
    "lower_bound",
    "of_matrices",
    "rank_two",
    "relu_constant",
    "rescaled",
]
