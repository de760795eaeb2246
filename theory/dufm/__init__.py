"""The deep unconstrained features model (DUFM): its deep neural collapse and strongly regular graph solutions.

>>> from theory import dufm
>>> bool(dufm.loss_ratio(10, 4, 5e-4) < 1)  # the strongly regular graph beats deep neural collapse
True
>>> dufm.srg(10, 4, 5e-4)
<SRG solution of the 4-DUFM: K = 10, n = 1, loss 0.0101983, ranks (5, 5, 5, 10)>
"""

from theory.dufm._losses import Construction, dnc_loss, loss_ratio, srg_loss
from theory.dufm._solution import Matrices, Solution, conditionally_optimal, dnc, evaluate_loss, srg

__all__ = [
    "Construction",
    "Matrices",
    "Solution",
    "conditionally_optimal",
    "dnc",
    "dnc_loss",
    "evaluate_loss",
    "loss_ratio",
    "srg",
    "srg_loss",
]
