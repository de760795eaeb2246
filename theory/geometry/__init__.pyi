from . import (
    triangular_graph as triangular_graph,
)
