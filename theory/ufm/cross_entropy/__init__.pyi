from ._ball import (
    ball_minimiser as ball_minimiser,
)
from ._ball import (
    ball_minimum as ball_minimum,
)
from ._ball import (
    unit_outputs_minimum as unit_outputs_minimum,
)
from ._certificate import (
    Escape as Escape,
)
from ._certificate import (
    GlobalCertificate as GlobalCertificate,
)
from ._certificate import (
    criticality as criticality,
)
from ._certificate import (
    escape_direction as escape_direction,
)
from ._certificate import (
    is_global as is_global,
)
from ._flow import (
    Trajectory as Trajectory,
)
from ._flow import (
    gradient_flow as gradient_flow,
)
from ._flow import (
    log_risk as log_risk,
)
from ._kkt import (
    KKTResidual as KKTResidual,
)
from ._kkt import (
    constraint_gradients as constraint_gradients,
)
from ._kkt import (
    kkt_residual as kkt_residual,
)
from ._kkt import (
    polygon_kkt_point as polygon_kkt_point,
)
from ._landscape import (
    Descent as Descent,
)
from ._landscape import (
    sphere_multiplier as sphere_multiplier,
)
from ._landscape import (
    tangent_descent as tangent_descent,
)
from ._landscape import (
    tangent_hessian as tangent_hessian,
)
from ._margin import (
    largest_margin as largest_margin,
)
from ._margin import (
    largest_margin_factors as largest_margin_factors,
)
from ._margin import (
    margin_bound as margin_bound,
)
from ._margin import (
    margins as margins,
)
from ._margin import (
    sphere_minimum as sphere_minimum,
)
from ._optimum import (
    CEOptimum as CEOptimum,
)
from ._optimum import (
    balanced_factors as balanced_factors,
)
from ._optimum import (
    ce_optimum as ce_optimum,
)
from ._outputs import (
    Preimage as Preimage,
)
from ._outputs import (
    collapse_gap as collapse_gap,
)
from ._outputs import (
    collapsed_outputs as collapsed_outputs,
)
from ._outputs import (
    least_norm_preimage as least_norm_preimage,
)
from ._outputs import (
    preimage as preimage,
)
from ._regularised import (
    ce_lower_bound as ce_lower_bound,
)
from ._regularised import (
    check_lams as check_lams,
)
from ._regularised import (
    nuclear_risk as nuclear_risk,
)
from ._regularised import (
    regularised_curvature as regularised_curvature,
)
from ._regularised import (
    regularised_gradient as regularised_gradient,
)
from ._regularised import (
    regularised_risk as regularised_risk,
)
from ._risk import (
    check_outputs as check_outputs,
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
