"""What a search over graphs does next, given what it has found: score, screen, move, search."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from theory.dufm.graphs._enumeration import Bag, block_mixtures, graph6_of, graph_of, graphs, neighbours

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Found", "Phase", "Ranking", "Stage", "Task", "exhaustive_phases", "local_phases"]

Stage: TypeAlias = Literal["scored", "screened", "searched"]
Task: TypeAlias = tuple[Stage, str]  # what to do with a graph in the graph6 format

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
        The loss.
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


Ranking: TypeAlias = Callable[[], Sequence[Found]]


@runtime_checkable
class Phase(Protocol):
    """A part of a search. It pickles between two tasks."""

    def next_task(self, ranking: Ranking) -> Task | None:
        """What to do next, given the graphs found so far, the best first; None if the phase is over."""


def exhaustive_phases(K: int, screened: int, refined: int) -> list[Phase]:
    """Score every graph, screen the best, search the best of these."""
    return [_Scoring(partial(graphs, K), None), _Screening(screened, frozenset()), _Searching(refined)]


def local_phases(K: int, refined: int) -> list[Phase]:
    """Score mixtures of two blocks, screen the best and all single blocks, move from the best, search the best."""
    bag = Bag()
    single = frozenset(graph6_of(graph) for graph in block_mixtures(K, 1))
    return [
        _Scoring(partial(block_mixtures, K, 2), bag),
        _Screening(_MIXTURES, single),
        _Moving(bag),
        _Searching(refined),
    ]


class _Scoring:
    """Graphs one after the other, those that are not in the bag yet."""

    def __init__(self, make: Callable[[], Iterator[nx.Graph]], bag: Bag | None) -> None:
        self._make, self._bag = make, bag
        self._taken = 0
        self._source: Iterator[nx.Graph] | None = None

    def next_task(self, ranking: Ranking) -> Task | None:
        if self._source is None:
            self._source = islice(self._make(), self._taken, None)
        for graph in self._source:
            self._taken += 1
            if self._bag is None or self._bag.add(graph):
                return "scored", graph6_of(graph)
        return None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_source": None}


class _Screening:
    """So many of the best graphs, and some in any case."""

    def __init__(self, count: int, always: frozenset[str]) -> None:
        self._count, self._always = count, always
        self._waiting: deque[str] | None = None

    def next_task(self, ranking: Ranking) -> Task | None:
        if self._waiting is None:
            ranked = [found.graph6 for found in ranking()]
            self._waiting = deque(g for i, g in enumerate(ranked) if i < self._count or g in self._always)
        return ("screened", self._waiting.popleft()) if self._waiting else None


class _Moving:
    """Moves of one edge from the best graphs, scored, and the best of them screened, for as long as that finds less."""

    def __init__(self, bag: Bag) -> None:
        self._bag = bag
        self._before: float | None = None
        self._beam: deque[str] = deque()
        self._moved: frozenset[str] = frozenset()
        self._waiting: deque[Task] = deque()

    def next_task(self, ranking: Ranking) -> Task | None:
        while not self._waiting:
            if self._moved:
                best = [found.graph6 for found in ranking() if found.graph6 in self._moved][:_MOVES]
                self._moved = frozenset()
                self._waiting.extend(("screened", g) for g in best)
            elif self._beam:
                moves = [graph6_of(g) for g in neighbours(graph_of(self._beam.popleft())) if self._bag.add(g)]
                self._moved = frozenset(moves)
                self._waiting.extend(("scored", g) for g in moves)
            elif not self._next_round(ranking()):
                return None
        return self._waiting.popleft()

    def _next_round(self, ranking: Sequence[Found]) -> bool:
        if self._before is not None and not ranking[0].loss < self._before * (1 - 1e-6):
            return False
        self._before = ranking[0].loss
        self._beam.extend(found.graph6 for found in ranking[:_BEAM])
        return True


class _Searching:
    """The best graphs, until they have all been searched; no more than twice as many as wanted."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._done: set[str] = set()

    def next_task(self, ranking: Ranking) -> Task | None:
        todo = [found.graph6 for found in ranking()[: self._count] if found.graph6 not in self._done]
        if not todo or len(self._done) >= 2 * self._count:
            return None
        self._done.add(todo[0])
        return "searched", todo[0]
