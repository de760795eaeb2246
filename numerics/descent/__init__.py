"""Training of the deep unconstrained features model (L-DUFM), thousands of runs at a time.

The problem and its activations are those of `theory.ufm`; here samples are in rows, and torch does the work in place.

>>> from numerics import descent
>>> runs = descent.train(4, 3, 1e-3, width=8, seeds=4, steps=2000)
>>> len(runs), runs.ranks().shape
(4, (4, 3))
"""

from numerics.descent._activations import Kernel, kernel, relaxed
from numerics.descent._closed_forms import loss_dnc, loss_srg
from numerics.descent._history import History
from numerics.descent._initial import initial_parameters, seed_list
from numerics.descent._model import check_parameters, check_trainable, labels, layers, loss, shapes
from numerics.descent._network import Network
from numerics.descent._optimizer import OPTIMIZERS, make_optimizer
from numerics.descent._plotting import plot
from numerics.descent._polishing import polish
from numerics.descent._recognition import Recognition, gram_distance, recognise, recognise_gram
from numerics.descent._runs import Runs
from numerics.descent._solutions import from_solution
from numerics.descent._tile import tiles
from numerics.descent._training import Interrupted, flushed_denormals, train
from theory.ufm import Activation, Identity, Problem, ReLU, ReLUEpsilon

__all__ = [
    "OPTIMIZERS",
    "Activation",
    "History",
    "Identity",
    "Interrupted",
    "Kernel",
    "Network",
    "Problem",
    "ReLU",
    "ReLUEpsilon",
    "Recognition",
    "Runs",
    "check_parameters",
    "check_trainable",
    "flushed_denormals",
    "from_solution",
    "gram_distance",
    "initial_parameters",
    "kernel",
    "labels",
    "layers",
    "loss",
    "loss_dnc",
    "loss_srg",
    "make_optimizer",
    "plot",
    "polish",
    "recognise",
    "recognise_gram",
    "relaxed",
    "seed_list",
    "shapes",
    "tiles",
    "train",
]
