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
from ._linearised import (
    LinearisedDrift as LinearisedDrift,
)
from ._linearised import (
    linearised_drift as linearised_drift,
)
from ._ode import (
    le_ode as le_ode,
)
from ._sde import (
    simulate_le_sde as simulate_le_sde,
)
from ._separation import (
    pairwise_separable as pairwise_separable,
)
from ._separation import (
    separation_bounds as separation_bounds,
)
from ._separation import (
    separation_probability as separation_probability,
)
from ._separation import (
    separation_threshold as separation_threshold,
)
