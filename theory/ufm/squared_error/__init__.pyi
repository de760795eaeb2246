from ._batch_norm import (
    BatchNormOptimum as BatchNormOptimum,
)
from ._batch_norm import (
    batchnorm_optimum as batchnorm_optimum,
)
from ._classifier import (
    ridge_classifier as ridge_classifier,
)
from ._classifier import (
    split_mse as split_mse,
)
from ._optimum import (
    SquaredErrorOptimum as SquaredErrorOptimum,
)
from ._optimum import (
    three_factor_optimum as three_factor_optimum,
)
from ._optimum import (
    ufm_mse_optimum as ufm_mse_optimum,
)
from ._renormalised import (
    Scheme as Scheme,
)
from ._renormalised import (
    central_path as central_path,
)
from ._renormalised import (
    renormalised_flow as renormalised_flow,
)
