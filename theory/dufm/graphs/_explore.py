"""A search for the graph whose solution of the deep unconstrained features model has the least loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

from theory.arguments import IntegerLike, RealLike, check_choice, check_integer, check_real
from theory.dufm._problem import scalar_problem
from theory.dufm.graphs._enumeration import NUMBER_OF_GRAPHS
from theory.dufm.graphs._exploration import Exploration, Limits

__all__ = ["explore"]

Method: TypeAlias = Literal["auto", "exhaustive", "local"]


def explore(
    K: IntegerLike,
    L: IntegerLike,
    lam: RealLike | None = None,
    *,
    lams: Sequence[RealLike] | None = None,
    n: IntegerLike = 1,
    method: Method = "auto",
    time_limit: RealLike | None = None,
    max_graphs: IntegerLike = 5000,
    screened: IntegerLike = 200,
    refined: IntegerLike = 6,
    restarts: IntegerLike = 1,
    kicks: IntegerLike = 4,
    seed: IntegerLike = 0,
) -> Exploration:
    """Search graphs with K edges for the solution of the least loss.

    Parameters
    ----------
    K : int
        Number of classes, which is the number of edges, at least 2.
    L : int
        Number of layers, at least 3.
    lam : float, Fraction or decimal string, optional
        One regularisation for every matrix.
    lams : sequence of L+1 numbers, optional
        (λ_H1, λ_W1, …, λ_WL), in place of `lam`.
    n : int
        Samples per class, at least 1.
    method : {"auto", "exhaustive", "local"}
        "exhaustive": every graph with K edges, up to isomorphism. "local": mixtures of blocks (complete and complete
        bipartite graphs, also without some edges at one vertex, cycles, single edges), then moves of one edge at a
        time from the best, as long as they improve. "auto": exhaustive if there are at most `max_graphs` graphs with
        K edges, else local.
    time_limit : float, optional
        Seconds of wall-clock time.
    max_graphs : int
        The number of graphs that may be scored. With the default every K ≤ 10 is exhaustive.
    screened : int
        An exhaustive search screens so many of the graphs that score best.
    refined : int
        So many of the graphs that are best after screening are searched thoroughly.
    restarts, kicks : int
        Of the thorough searches, as in `graph_solution`.
    seed : int
        Seed of the starts.

    Returns
    -------
    Exploration
        An iterator over what is found, as it is found. The search runs as far as it is iterated; `Exploration.run` runs
        it to the end. It pickles at any point, and goes on from there in another process.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range or of a wrong type, or `max_graphs` does not allow the exhaustive search asked for.
    SearchLimitReached
        When the search, not its end, meets `time_limit` or `max_graphs`; the results so far stay in the exploration.

    Notes
    -----
    Three stages, each for the best of the stage before: a graph is scored in closed form, with the weightings of
    ``last_layer="edges"`` and also without rows for pendant vertices; screened, by short descents from there;
    searched, as by `graph_solution`. Exhaustive means that every graph was scored. It is no proof: a graph whose
    closed form falls far short of its best solution may be missed.

    Examples
    --------
    >>> search = explore(4, 6, 5e-4, refined=1, restarts=0, kicks=0)
    >>> first = next(search)
    >>> best = search.run().best
    >>> best.name, search.exhaustive, search.scored
    ('C4 graph', True, 11)
    """
    problem = scalar_problem(K, L, lam, lams, n, solution="dnc")
    check_choice("method", method, get_args(Method))
    limits = Limits(
        time_limit=None if time_limit is None else check_real("time_limit", time_limit, above=0),
        max_graphs=check_integer("max_graphs", max_graphs, at_least=1),
        screened=check_integer("screened", screened, at_least=1),
        refined=check_integer("refined", refined, at_least=0),
        restarts=check_integer("restarts", restarts, at_least=0),
        kicks=check_integer("kicks", kicks, at_least=0),
    )
    seed = check_integer("seed", seed, at_least=0)
    feasible = len(NUMBER_OF_GRAPHS) > problem.K and NUMBER_OF_GRAPHS[problem.K] <= limits.max_graphs
    if method == "exhaustive" and not feasible:
        known = len(NUMBER_OF_GRAPHS) > problem.K
        count = NUMBER_OF_GRAPHS[problem.K] if known else f"more than {NUMBER_OF_GRAPHS[-1]}"
        raise ValueError(
            f"max_graphs = {limits.max_graphs}; there are {count} graphs with K = {problem.K} edges: "
            "an exhaustive search needs as many"
        )
    return Exploration(problem, limits, exhaustive=feasible and method != "local", seed=seed)
