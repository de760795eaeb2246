"""The deep unconstrained features model (DUFM): its deep neural collapse and strongly regular graph solutions.

>>> from theory import dufm
>>> bool(dufm.loss_ratio(10, 4, 5e-4) < 1)  # the strongly regular graph beats deep neural collapse
True
>>> dufm.srg(10, 4, 5e-4)
<SRG solution of the 4-DUFM: K = 10, n = 1, loss 0.0101983, ranks (5, 5, 5, 10)>

`symbolic_loss` derives both losses with SymPy, which is loaded only then; `enclose_loss`, `enclose_ratio` and
`enclose_ratio_over` give proved bounds by ball arithmetic.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
