from . import (
    certificate as certificate,
)
from . import (
    contrastive as contrastive,
)
from . import (
    coq as coq,
)
from . import (
    deep_rfm as deep_rfm,
)
from . import (
    dufm as dufm,
)
from . import (
    generalisation as generalisation,
)
from . import (
    geometry as geometry,
)
from . import (
    labels as labels,
)
from . import (
    local_elasticity as local_elasticity,
)
from . import (
    parameter_counts as parameter_counts,
)
from . import (
    ridge as ridge,
)
from . import (
    schatten as schatten,
)
from . import (
    ufm as ufm,
)
from . import (
    verified as verified,
)
from . import (
    woodbury as woodbury,
)
