from . import (
    decision_regions as decision_regions,
)
from . import (
    edge_sums as edge_sums,
)
from . import (
    graph_names as graph_names,
)
from . import (
    polytopes as polytopes,
)
from . import (
    separation as separation,
)
from . import (
    simplex_etf as simplex_etf,
)
from . import (
    triangular_graph as triangular_graph,
)
