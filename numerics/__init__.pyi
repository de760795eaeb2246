from . import (
    agop as agop,
)
from . import (
    data as data,
)
from . import (
    deep_rfm as deep_rfm,
)
from . import (
    descent as descent,
)
from . import (
    files as files,
)
from . import (
    kernels as kernels,
)
from . import (
    linalg as linalg,
)
from . import (
    metrics as metrics,
)
from . import (
    networks as networks,
)
from . import (
    scaling as scaling,
)
from . import (
    sweep as sweep,
)
from . import (
    tensors as tensors,
)
