"""The deep unconstrained features model (DUFM): its deep neural collapse and strongly regular graph solutions.

>>> from theory import dufm
>>> bool(dufm.loss_ratio(10, 4, 5e-4) < 1)  # the strongly regular graph beats deep neural collapse
True
>>> dufm.srg(10, 4, 5e-4)
<SRG solution of the 4-DUFM: K = 10, n = 1, loss 0.0101983, ranks (5, 5, 5, 10)>

`symbolic_loss` derives both losses with SymPy, which is loaded only then; `enclose_loss`, `enclose_ratio` and
`enclose_ratio_over` give proved bounds by ball arithmetic.
"""

from typing import TYPE_CHECKING, Any

from theory.dufm._losses import Construction, dnc_loss, loss_ratio, srg_loss
from theory.dufm._solution import Matrices, Solution, conditionally_optimal, dnc, evaluate_loss, srg

__all__ = [
    "BestKnown",
    "Bounds",
    "Construction",
    "Exploration",
    "Found",
    "GraphSolution",
    "Matrices",
    "RationalMatrices",
    "SearchLimitReached",
    "Solution",
    "SymbolicLoss",
    "WidthNotReached",
    "best_known",
    "best_known_table",
    "conditionally_optimal",
    "dnc",
    "dnc_loss",
    "enclose_loss",
    "enclose_ratio",
    "enclose_ratio_over",
    "evaluate_loss",
    "exact_loss",
    "explore",
    "free_descent",
    "graph_solution",
    "loss_ratio",
    "rational_srg",
    "srg",
    "srg_loss",
    "symbolic_loss",
]

_LAZY = {
    **dict.fromkeys(("SymbolicLoss", "symbolic_loss"), "theory.dufm._symbolic"),
    **dict.fromkeys(
        ("Bounds", "WidthNotReached", "enclose_loss", "enclose_ratio", "enclose_ratio_over"), "theory.dufm._enclosure"
    ),
    **dict.fromkeys(("RationalMatrices", "exact_loss", "rational_srg"), "theory.dufm._rational"),
    **dict.fromkeys(("GraphSolution", "graph_solution"), "theory.dufm._graph_solution"),
    **dict.fromkeys(("Exploration", "Found", "SearchLimitReached", "explore"), "theory.dufm._explore"),
    **dict.fromkeys(("BestKnown", "best_known", "best_known_table"), "theory.dufm._best_known"),
    **dict.fromkeys(("free_descent",), "theory.dufm._free_descent"),
}

if TYPE_CHECKING:
    from theory.dufm._best_known import BestKnown, best_known, best_known_table
    from theory.dufm._enclosure import Bounds, WidthNotReached, enclose_loss, enclose_ratio, enclose_ratio_over
    from theory.dufm._explore import Exploration, Found, SearchLimitReached, explore
    from theory.dufm._free_descent import free_descent
    from theory.dufm._graph_solution import GraphSolution, graph_solution
    from theory.dufm._rational import RationalMatrices, exact_loss, rational_srg
    from theory.dufm._symbolic import SymbolicLoss, symbolic_loss


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
