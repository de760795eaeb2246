from ._fixed_classifier import (
    fixed_classifier_features as fixed_classifier_features,
)
from ._gradient import (
    PullPush as PullPush,
)
from ._gradient import (
    etf_push_ratio as etf_push_ratio,
)
from ._gradient import (
    labelled_risk as labelled_risk,
)
from ._gradient import (
    pull_push as pull_push,
)
from ._optimum import (
    LayerPeeledOptimum as LayerPeeledOptimum,
)
from ._optimum import (
    layer_peeled_optimum as layer_peeled_optimum,
)
from ._threshold import (
    ThresholdPoint as ThresholdPoint,
)
from ._threshold import (
    minority_collapse_threshold as minority_collapse_threshold,
)
from ._threshold import (
    minority_vanishing_threshold as minority_vanishing_threshold,
)
from ._threshold import (
    threshold_point as threshold_point,
)
