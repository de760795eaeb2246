"""Training of the deep unconstrained features model (L-DUFM), thousands of runs at a time.

>>> from numerics import dufm
>>> runs = dufm.train(4, 3, 1e-3, width=8, seeds=4, steps=2000)
>>> len(runs), runs.ranks().shape
(4, (4, 3))
"""

from numerics.dufm._activation import Activation, Identity, ReLU, SmoothReLU
from numerics.dufm._history import History
from numerics.dufm._network import Network
from numerics.dufm._polishing import polish
from numerics.dufm._problem import Problem
from numerics.dufm._recognition import Recognition, recognise, recognise_gram
from numerics.dufm._runs import Runs
from numerics.dufm._solutions import from_solution
from numerics.dufm._training import initial_parameters, train

__all__ = [
    "Activation",
    "History",
    "Identity",
    "Network",
    "Problem",
    "ReLU",
    "Recognition",
    "Runs",
    "SmoothReLU",
    "from_solution",
    "initial_parameters",
    "polish",
    "recognise",
    "recognise_gram",
    "train",
]
