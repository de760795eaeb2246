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
