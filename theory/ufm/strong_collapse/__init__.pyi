from ._eigenspaces import (
    Eigenspaces as Eigenspaces,
)
from ._eigenspaces import (
    eigenspaces as eigenspaces,
)
from ._eigenspaces import (
    eigenvalues as eigenvalues,
)
from ._eigenspaces import (
    linearised_operator as linearised_operator,
)
from ._eigenspaces import (
    sharp_constant as sharp_constant,
)
from ._landscape import (
    CriticalPoint as CriticalPoint,
)
from ._landscape import (
    critical_point as critical_point,
)
from ._linearised import (
    flow_on_collapse_subspace as flow_on_collapse_subspace,
)
from ._linearised import (
    linearised_flow as linearised_flow,
)
from ._point import (
    SNCErrors as SNCErrors,
)
from ._point import (
    SNCPoint as SNCPoint,
)
from ._point import (
    distance_from_collapse_subspace as distance_from_collapse_subspace,
)
from ._point import (
    imbalance as imbalance,
)
from ._point import (
    least_risk as least_risk,
)
from ._point import (
    snc_errors as snc_errors,
)
from ._point import (
    snc_point as snc_point,
)
from ._risk import (
    Loss as Loss,
)
from ._risk import (
    curvature as curvature,
)
from ._risk import (
    gradient as gradient,
)
from ._risk import (
    loss_scale as loss_scale,
)
from ._risk import (
    residual as residual,
)
from ._risk import (
    risk as risk,
)
from ._symmetry import (
    SymmetricOperator as SymmetricOperator,
)
from ._symmetry import (
    reduced as reduced,
)
from ._symmetry import (
    symmetric_matrix as symmetric_matrix,
)
from ._symmetry import (
    symmetric_operator as symmetric_operator,
)
from ._trajectory import (
    Trajectory as Trajectory,
)
from ._trajectory import (
    gradient_descent as gradient_descent,
)
from ._trajectory import (
    gradient_flow as gradient_flow,
)
