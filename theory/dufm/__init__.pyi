from ._constructions import (
    dnc as dnc,
)
from ._constructions import (
    srg as srg,
)
from ._losses import (
    Construction as Construction,
)
from ._losses import (
    dnc_loss as dnc_loss,
)
from ._losses import (
    loss_ratio as loss_ratio,
)
from ._losses import (
    srg_loss as srg_loss,
)
from ._matrices import (
    Matrices as Matrices,
)
from ._matrices import (
    conditionally_optimal as conditionally_optimal,
)
from ._matrices import (
    evaluate_loss as evaluate_loss,
)
from ._rational import (
    RationalMatrices as RationalMatrices,
)
from ._rational import (
    exact_loss as exact_loss,
)
from ._rational import (
    rational_srg as rational_srg,
)
from ._solution import (
    Solution as Solution,
)
from ._symbolic import (
    SymbolicLoss as SymbolicLoss,
)
from ._symbolic import (
    symbolic_loss as symbolic_loss,
)
from ._symbolic import (
    symbolic_power as symbolic_power,
)
from .enclosure import (
    Bounds as Bounds,
)
from .enclosure import (
    WidthNotReached as WidthNotReached,
)
from .enclosure import (
    enclose_loss as enclose_loss,
)
from .enclosure import (
    enclose_ratio as enclose_ratio,
)
from .enclosure import (
    enclose_ratio_over as enclose_ratio_over,
)
from .graphs import (
    BestKnown as BestKnown,
)
from .graphs import (
    Exploration as Exploration,
)
from .graphs import (
    Found as Found,
)
from .graphs import (
    GraphSolution as GraphSolution,
)
from .graphs import (
    SearchLimitReached as SearchLimitReached,
)
from .graphs import (
    best_known_table as best_known_table,
)
from .graphs import (
    explore as explore,
)
from .graphs import (
    free_descent as free_descent,
)
from .graphs import (
    graph_solution as graph_solution,
)
from .optimum import (
    LowerBound as LowerBound,
)
from .optimum import (
    OptimumBounds as OptimumBounds,
)
from .optimum import (
    attained as attained,
)
from .optimum import (
    best_known as best_known,
)
from .optimum import (
    bounds as bounds,
)
from .optimum import (
    lower_bound as lower_bound,
)
from .optimum import (
    of_matrices as of_matrices,
)
from .optimum import (
    rank_two as rank_two,
)
from .optimum import (
    relu_constant as relu_constant,
)
from .optimum import (
    rescaled as rescaled,
)
