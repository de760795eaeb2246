from . import (
    cross_entropy as cross_entropy,
)
from . import (
    factors as factors,
)
from . import (
    layer_peeled as layer_peeled,
)
from . import (
    relu_epsilon as relu_epsilon,
)
from . import (
    squared_error as squared_error,
)
from . import (
    strong_collapse as strong_collapse,
)
from . import (
    two_layers as two_layers,
)
from ._activations import (
    Activation as Activation,
)
from ._activations import (
    ActivationLike as ActivationLike,
)
from ._activations import (
    Identity as Identity,
)
from ._activations import (
    ReLU as ReLU,
)
from ._activations import (
    ReLUEpsilon as ReLUEpsilon,
)
from ._activations import (
    activation as activation,
)
from ._activations import (
    activations as activations,
)
from ._objective import (
    objective as objective,
)
from ._objective import (
    objective_and_gradient as objective_and_gradient,
)
from ._point import (
    Point as Point,
)
from ._point import (
    collapsed_point as collapsed_point,
)
from ._point import (
    within_class_deviation as within_class_deviation,
)
from ._problem import (
    LARGEST as LARGEST,
)
from ._problem import (
    LARGEST_L as LARGEST_L,
)
from ._problem import (
    Problem as Problem,
)
from ._problem import (
    exact_lams as exact_lams,
)
from ._problem import (
    log_exact as log_exact,
)
from ._problem import (
    one_of as one_of,
)
from ._problems import (
    Integers as Integers,
)
from ._problems import (
    Problems as Problems,
)
from ._problems import (
    Regularisation as Regularisation,
)
from ._scale import (
    Minimum as Minimum,
)
from ._scale import (
    ScaleMinimum as ScaleMinimum,
)
from ._scale import (
    least_over_scale as least_over_scale,
)
from ._scale import (
    minimise_scale as minimise_scale,
)
from ._search import (
    descend as descend,
)
from ._search import (
    search as search,
)
