from ._cdnv import (
    CdnvBound as CdnvBound,
)
from ._cdnv import (
    ClassMoments as ClassMoments,
)
from ._cdnv import (
    cdnv as cdnv,
)
from ._cdnv import (
    cdnv_bound as cdnv_bound,
)
from ._cdnv import (
    class_moments as class_moments,
)
from ._cdnv import (
    mean_gap as mean_gap,
)
from ._cdnv import (
    variance_gap as variance_gap,
)
from ._depth import (
    EffectiveDepth as EffectiveDepth,
)
from ._depth import (
    MinimalDepth as MinimalDepth,
)
from ._depth import (
    effective_depth as effective_depth,
)
from ._depth import (
    minimal_ncc_depth as minimal_ncc_depth,
)
from ._test_collapse import (
    TestCollapse as TestCollapse,
)
from ._test_collapse import (
    ncc_error as ncc_error,
)
from ._test_collapse import (
    test_collapse as test_collapse,
)
from ._transfer import (
    transfer_error_bound as transfer_error_bound,
)
