from . import (
    collapse_convergence as collapse_convergence,
)
from . import (
    collapse_fixed_point as collapse_fixed_point,
)
from . import (
    collapse_map as collapse_map,
)
from . import (
    kernel_certificate as kernel_certificate,
)
from . import (
    kernel_ridge as kernel_ridge,
)
from . import (
    mahalanobis as mahalanobis,
)
from . import (
    relu_angle as relu_angle,
)
from . import (
    relu_distance as relu_distance,
)
from . import (
    relu_kernel as relu_kernel,
)
