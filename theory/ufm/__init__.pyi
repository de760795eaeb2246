from . import (
    relu_epsilon as relu_epsilon,
)
from . import (
    two_layers as two_layers,
)
from ._unconstrained_features import (
    RELU as RELU,
)
from ._unconstrained_features import (
    Activation as Activation,
)
from ._unconstrained_features import (
    Point as Point,
)
from ._unconstrained_features import (
    Problem as Problem,
)
from ._unconstrained_features import (
    Relu as Relu,
)
from ._unconstrained_features import (
    ScaleMinimum as ScaleMinimum,
)
from ._unconstrained_features import (
    descend as descend,
)
from ._unconstrained_features import (
    least_over_scale as least_over_scale,
)
from ._unconstrained_features import (
    search as search,
)
from ._unconstrained_features import (
    within_class_deviation as within_class_deviation,
)
