"""Solutions of the DUFM on any graph whose edges are the classes: search, enumeration, and the best that is known."""

from theory.dufm.graphs._best_known import BestKnown, best_known, best_known_table
from theory.dufm.graphs._exploration import Exploration, SearchLimitReached
from theory.dufm.graphs._explore import explore
from theory.dufm.graphs._free_descent import free_descent
from theory.dufm.graphs._plan import Found
from theory.dufm.graphs._solution import GraphSolution, graph_solution

__all__ = [
    "BestKnown",
    "Exploration",
    "Found",
    "GraphSolution",
    "SearchLimitReached",
    "best_known",
    "best_known_table",
    "explore",
    "free_descent",
    "graph_solution",
]
