from ._drift import (
    Spectrum as Spectrum,
)
from ._drift import (
    drift_matrix as drift_matrix,
)
from ._drift import (
    impact_matrix as impact_matrix,
)
from ._drift import (
    spectrum as spectrum,
)
from ._drift import (
    transformation as transformation,
)
from ._ode import (
    le_ode as le_ode,
)
