from . import (
    collapse_convergence as collapse_convergence,
)
from . import (
    collapse_map as collapse_map,
)
from . import (
    kernel_ridge as kernel_ridge,
)
from . import (
    relu_kernel as relu_kernel,
)
