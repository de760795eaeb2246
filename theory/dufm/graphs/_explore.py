"""A search for the graph whose solution of the deep unconstrained features model has the least loss."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from theory.arguments import check_integer
from theory.dufm._losses import dnc_loss, srg_loss
from theory.dufm._problem import SMALLEST_K, scalar_problem
from theory.dufm.graphs._enumeration import NUMBER_OF_GRAPHS, Bag, block_mixtures, graphs, neighbours
from theory.dufm.graphs._solution import Candidate, GraphProblem, GraphSolution
from theory.ufm import Scalar

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Exploration", "Found", "SearchLimitReached", "explore", "graph_of"]

Stage: TypeAlias = Literal["scored", "screened", "searched"]
Method: TypeAlias = Literal["auto", "exhaustive", "local"]

_MIXTURES = 60  # block mixtures that are screened, of all that are scored
_BEAM = 4  # graphs that the local search moves on from
_MOVES = 24  # moves from each that are screened


@dataclass(frozen=True)
class Found:
    """A graph and the least loss that is known for it.

    Attributes
    ----------
    graph6 : str
        The graph in NetworkX's and nauty's graph6 format; `graph` is the graph itself.
    loss : float
    ratio : float
        The loss over that of deep neural collapse.
    stage : {"scored", "screened", "searched"}
        How thoroughly.
    """

    graph6: str
    loss: float
    ratio: float
    stage: Stage

    @property
    def graph(self) -> nx.Graph:
        """The graph, its edges in lexicographic order the classes."""
        return graph_of(self.graph6)


class SearchLimitReached(RuntimeError):
    """A limit ended the search; `exploration` keeps what was found so far."""

    def __init__(self, message: str, exploration: Exploration) -> None:
        super().__init__(message)
        self.exploration = exploration


def explore(
    K: int,
    L: int,
    lam: Scalar | None = None,
    *,
    lams: Sequence[Scalar] | None = None,
    n: int = 1,
    method: Method = "auto",
    time_limit: float | None = None,
    max_graphs: int = 5000,
    screened: int = 200,
    refined: int = 6,
    restarts: int = 1,
    kicks: int = 4,
    seed: int = 0,
) -> Exploration:
    r"""Search graphs with K edges for the solution of the least loss.

    Parameters
    ----------
    K : int
        Number of classes, which is the number of edges, at least 2.
    L, lam, lams, n
        As in `graph_solution`.
    method : {"auto", "exhaustive", "local"}
        "exhaustive": every graph with K edges, up to isomorphism. "local": mixtures of blocks (complete and complete bipartite
        graphs, also without some edges at one vertex, cycles, single edges), then moves of one edge at a time from the best,
        as long as they improve. "auto": exhaustive if there are at most `max_graphs` graphs with K edges, else local.
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

    Returns
    -------
    Exploration
        An iterator over what is found, as it is found. The search runs as far as it is iterated; `Exploration.run` runs it
        to the end.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range or of a wrong type, or `max_graphs` does not allow the exhaustive search asked for.
    SearchLimitReached
        When the search, not its end, meets `time_limit` or `max_graphs`; the results so far stay in the exploration.

    Notes
    -----
    Three stages, each for the best of the stage before: a graph is scored in closed form, with the weightings of
    ``last_layer="edges"`` and also without rows for pendant vertices; screened, by short descents from there; searched, as by
    `graph_solution`. Exhaustive means that every graph was scored. It is no proof: a graph whose closed form falls far
    short of its best solution may be missed.

    Examples
    --------
    >>> search = explore(4, 6, 5e-4, refined=1, restarts=0, kicks=0)
    >>> first = next(search)
    >>> best = search.run().best
    >>> best.name, search.exhaustive, search.scored
    ('C4 graph', True, 11)
    """
    problem = scalar_problem(K, L, lam, lams, n, solution="dnc")
    K = problem.K
    if method not in get_args(Method):
        raise ValueError(f"method = {method!r}; allowed are {', '.join(map(repr, get_args(Method)))}")
    max_graphs = check_integer("max_graphs", max_graphs, at_least=1)
    screened = check_integer("screened", screened, at_least=1)
    refined = check_integer("refined", refined, at_least=0)
    restarts = check_integer("restarts", restarts, at_least=0)
    kicks = check_integer("kicks", kicks, at_least=0)
    seed = check_integer("seed", seed, at_least=0)
    if time_limit is not None and not time_limit > 0:
        raise ValueError(f"time_limit = {time_limit!r}; time_limit must be a positive number of seconds")
    feasible = len(NUMBER_OF_GRAPHS) > K and NUMBER_OF_GRAPHS[K] <= max_graphs
    if method == "exhaustive" and not feasible:
        count = NUMBER_OF_GRAPHS[K] if len(NUMBER_OF_GRAPHS) > K else f"more than {NUMBER_OF_GRAPHS[-1]}"
        raise ValueError(
            f"max_graphs = {max_graphs}; there are {count} graphs with K = {K} edges: an exhaustive search needs as many"
        )
    return Exploration(
        K=K,
        L=problem.L,
        lams=problem.exact_lams,
        n=problem.n,
        exhaustive_search=feasible and method != "local",
        time_limit=time_limit,
        max_graphs=max_graphs,
        screened=screened,
        refined=refined,
        restarts=restarts,
        kicks=kicks,
        seed=seed,
    )


class Exploration(Iterator[Found]):
    """A search under way: an iterator over `Found`, with the results so far.

    Attributes
    ----------
    K, L, n, lams
        The problem.
    dnc_loss : float
        L_dnc.
    srg_loss : float or None
        L_srg, the better construction of the two of Definition 11; None for K < 6.
    scored : int
        Graphs scored so far.
    total : int or None
        Graphs to score, if the search is exhaustive.
    """

    def __init__(
        self,
        *,
        K: int,
        L: int,
        lams: tuple[Scalar, ...],
        n: int,
        exhaustive_search: bool,
        time_limit: float | None,
        max_graphs: int,
        screened: int,
        refined: int,
        restarts: int,
        kicks: int,
        seed: int,
    ) -> None:
        self.K, self.L, self.lams, self.n = K, L, lams, n
        self.dnc_loss = float(dnc_loss(K, L, lams=lams, n=n))
        self.srg_loss = float(srg_loss(K, L, lams=lams, n=n, construction="best")) if SMALLEST_K["srg"] <= K else None
        self.total = NUMBER_OF_GRAPHS[K] if exhaustive_search else None
        self.scored = 0
        self._time_limit, self._max_graphs = time_limit, max_graphs
        self._screened, self._refined = screened, refined
        self._restarts, self._kicks = restarts, kicks
        self._rng = np.random.default_rng(seed)
        self._known: dict[str, tuple[Found, Candidate]] = {}
        self._spent = 0.0
        self._steps = self._search(exhaustive_search)

    @property
    def exhaustive(self) -> bool:
        """Whether every graph with K edges has been scored."""
        return self.scored == self.total

    @property
    def ranking(self) -> list[Found]:
        """The graphs scored so far, least loss first."""
        return sorted((found for found, _ in self._known.values()), key=lambda found: found.loss)

    @property
    def best(self) -> GraphSolution:
        """The best solution so far.

        Raises
        ------
        LookupError
            If nothing has been scored yet.
        """
        if not self._known:
            raise LookupError("nothing has been scored yet: iterate the exploration, or call run()")
        return self.solution(self.ranking[0])

    def solution(self, found: Found) -> GraphSolution:
        """The solution behind a result of this search."""
        return self._problem(found.graph6).solution(self._known[found.graph6][1])

    def run(self, progress: bool = False) -> Exploration:
        """Search to the end.

        Parameters
        ----------
        progress : bool
            Show a progress bar on stderr.

        Returns
        -------
        Exploration
            Itself.

        Raises
        ------
        SearchLimitReached
        """
        if not progress:
            for _ in self:
                pass
            return self
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task("", total=self.total)
            for found in self:
                best = f"{found.stage}; best {self.ranking[0].ratio:.6f} of DNC"
                bar.update(task, completed=self.scored, description=best)
        return self

    def __next__(self) -> Found:
        start = time.perf_counter()
        try:
            if self._time_limit is not None and self._spent >= self._time_limit:
                raise SearchLimitReached(f"time_limit = {self._time_limit} s reached after {self.scored} graphs", self)
            return next(self._steps)
        finally:
            self._spent += time.perf_counter() - start

    def __repr__(self) -> str:
        state = f"{self.scored} graphs" if self.total is None else f"{self.scored} of {self.total} graphs"
        best = f", best {self.ranking[0].ratio:.6f} of DNC" if self._known else ""
        return f"<exploration of the {self.L}-DUFM, K = {self.K}: {state}{best}>"

    # The search.

    def _search(self, exhaustive: bool) -> Iterator[Found]:
        if exhaustive:
            for graph in graphs(self.K):
                yield self._score(graph)
            for found in self.ranking[: self._screened]:
                yield self._screen(found.graph6)
        else:
            yield from self._local()
        done: set[str] = set()
        while todo := [found.graph6 for found in self.ranking[: self._refined] if found.graph6 not in done]:
            done.add(todo[0])
            problem, (_, screened) = self._problem(todo[0]), self._known[todo[0]]
            thorough = problem.search(self._restarts, 0, self._rng)
            best = min(problem.polished(screened, 900), thorough, key=lambda candidate: candidate.loss)
            best = problem.improved(best, self._kicks, self._rng)
            yield self._keep(todo[0], best, "searched")
            if len(done) >= 2 * self._refined:
                return

    def _local(self) -> Iterator[Found]:
        bag = Bag()
        for graph in block_mixtures(self.K, 2):
            if bag.add(graph):
                yield self._score(graph)
        single = {_graph6(graph) for graph in block_mixtures(self.K, 1)}
        for found in [f for i, f in enumerate(self.ranking) if i < _MIXTURES or f.graph6 in single]:
            yield self._screen(found.graph6)
        improved = True
        while improved:
            before = self.ranking[0].loss
            for found in self.ranking[:_BEAM]:
                moves = [graph for graph in neighbours(found.graph) if bag.add(graph)]
                moved = [self._score(graph) for graph in moves]
                yield from moved
                for some in sorted(moved, key=lambda found: found.loss)[:_MOVES]:
                    yield self._screen(some.graph6)
            improved = self.ranking[0].loss < before * (1 - 1e-6)

    def _score(self, graph: nx.Graph) -> Found:
        if self.scored >= self._max_graphs:
            raise SearchLimitReached(f"max_graphs = {self._max_graphs} graphs have been scored", self)
        self.scored += 1
        graph6 = _graph6(graph)
        return self._keep(graph6, self._problem(graph6).at_once(), "scored")

    def _screen(self, graph6: str) -> Found:
        return self._keep(graph6, self._problem(graph6).screened(self._rng), "screened")

    def _keep(self, graph6: str, candidate: Candidate, stage: Stage) -> Found:
        found = Found(graph6, candidate.loss, candidate.loss / self.dnc_loss, stage)
        self._known[graph6] = (found, candidate)
        return found

    def _problem(self, graph6: str) -> GraphProblem:
        return GraphProblem.of(graph_of(graph6), self.L, lams=self.lams, n=self.n)


def _graph6(graph: nx.Graph) -> str:
    import networkx as nx

    text: bytes = nx.to_graph6_bytes(nx.convert_node_labels_to_integers(graph), header=False)
    return text.decode().strip()


def graph_of(graph6: str) -> nx.Graph:
    import networkx as nx

    return nx.from_graph6_bytes(graph6.encode())
