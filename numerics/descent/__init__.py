"""Training of the deep unconstrained features model (L-DUFM), thousands of runs at a time.

>>> from numerics import descent
>>> runs = descent.train(4, 3, 1e-3, width=8, seeds=4, steps=2000)
>>> len(runs), runs.ranks().shape
(4, (4, 3))
"""

from numerics.descent._activation import Activation, Identity, ReLU, SmoothReLU
from numerics.descent._history import History
from numerics.descent._network import Network
from numerics.descent._polishing import polish
from numerics.descent._problem import Problem
from numerics.descent._recognition import Recognition, recognise, recognise_gram
from numerics.descent._runs import Runs
from numerics.descent._solutions import from_solution
from numerics.descent._training import Interrupted, initial_parameters, train

__all__ = [
    "Activation",
    "History",
    "Identity",
    "Interrupted",
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
