"""The deep unconstrained features model (DUFM): losses of its deep neural collapse and strongly regular graph solutions.

>>> from theory import dufm
>>> bool(dufm.loss_ratio(10, 4, 5e-4) < 1)  # the strongly regular graph beats deep neural collapse
True
"""

from theory.dufm._losses import Construction, dnc_loss, loss_ratio, srg_loss

__all__ = ["Construction", "dnc_loss", "loss_ratio", "srg_loss"]
