from . import (
    edge_sums as edge_sums,
)
from . import (
    graph_names as graph_names,
)
from . import (
    triangular_graph as triangular_graph,
)
