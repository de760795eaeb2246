from ._risk import (
    balanced_labels as balanced_labels,
)
from ._risk import (
    check_factors as check_factors,
)
from ._risk import (
    gradient as gradient,
)
from ._risk import (
    hessian_vector as hessian_vector,
)
from ._risk import (
    output_gradient as output_gradient,
)
from ._risk import (
    output_risk as output_risk,
)
from ._risk import (
    risk as risk,
)
