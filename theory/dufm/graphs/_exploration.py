"""A search over graphs under way: what is done next, and what was found so far."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from theory.display import html_table
from theory.dufm._losses import dnc_loss, srg_loss
from theory.dufm._problem import SMALLEST_K
from theory.dufm.graphs._candidates import Candidate, GraphProblem
from theory.dufm.graphs._enumeration import NUMBER_OF_GRAPHS, graph_of
from theory.dufm.graphs._plan import Found, Phase, Stage, Task, exhaustive_phases, local_phases
from theory.dufm.graphs._search import at_once, improved, polished, screened, search
from theory.dufm.graphs._solution import GraphSolution, solution_of
from theory.ufm import Problem

if TYPE_CHECKING:
    from fractions import Fraction

__all__ = ["Exploration", "Limits", "SearchLimitReached"]

_SHOWN = 10  # graphs in a notebook


class SearchLimitReached(RuntimeError):
    """A limit ended the search; `exploration` keeps what was found so far."""

    def __init__(self, message: str, exploration: Exploration) -> None:
        super().__init__(message, exploration)
        self.exploration = exploration

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Limits:
    """How far a search goes: the arguments of `explore` that are not the problem's."""

    time_limit: float | None
    max_graphs: int
    screened: int
    refined: int
    restarts: int
    kicks: int


class Exploration(Iterator[Found]):
    """A search under way: an iterator over `Found`, with the results so far.

    Attributes
    ----------
    problem : theory.ufm.Problem
        The problem; `K`, `L`, `n` and `lams` are its own.
    dnc_loss : float
        L_dnc.
    srg_loss : float or None
        L_srg, the better construction of the two of Definition 11; None for K < 6.
    scored : int
        Graphs scored so far.
    total : int or None
        Graphs to score, if the search is exhaustive.
    """

    def __init__(self, problem: Problem, limits: Limits, *, exhaustive: bool, seed: int) -> None:
        self.problem = problem
        K, L, lams, n = problem.K, problem.L, problem.exact_lams, problem.n
        self.dnc_loss = float(dnc_loss(K, L, lams=lams, n=n))
        self.srg_loss = float(srg_loss(K, L, lams=lams, n=n, construction="best")) if SMALLEST_K["srg"] <= K else None
        self.total = NUMBER_OF_GRAPHS[K] if exhaustive else None
        self.scored = 0
        self._limits = limits
        self._rng = np.random.default_rng(seed)
        self._known: dict[str, tuple[Found, Candidate]] = {}
        self._spent = 0.0
        self._pending: Task | None = None
        if exhaustive:
            self._phases: list[Phase] = exhaustive_phases(K, limits.screened, limits.refined)
        else:
            self._phases = local_phases(K, limits.refined)

    @property
    def K(self) -> int:
        """Classes."""
        return self.problem.K

    @property
    def L(self) -> int:
        """Layers."""
        return self.problem.L

    @property
    def n(self) -> int:
        """Samples per class."""
        return self.problem.n

    @property
    def lams(self) -> tuple[Fraction, ...]:
        """(λ_H1, λ_W1, …, λ_WL)."""
        return self.problem.exact_lams

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
        return solution_of(self._on(found.graph6), self._known[found.graph6][1])

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
            When it meets a limit.
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
            self._check_time()
            if self._pending is None:
                self._pending = self._next_task()
            found = self._do(*self._pending)
            self._pending = None  # only now: what is interrupted is done again
            return found
        finally:
            self._spent += time.perf_counter() - start

    def __repr__(self) -> str:
        state = f"{self.scored} graphs" if self.total is None else f"{self.scored} of {self.total} graphs"
        best = f", best {self.ranking[0].ratio:.6f} of DNC" if self._known else "; run() or iteration scores them"
        return f"<exploration of the {self.L}-DUFM, K = {self.K}: {state}{best}>"

    def _repr_html_(self) -> str:
        rows = {escape(found.graph6): f"{found.ratio:.6f} ({found.stage})" for found in self.ranking[:_SHOWN]}
        head = {"graph (graph6)": "loss over that of deep neural collapse"} if rows else {}
        return html_table(head | rows, escape(repr(self)))

    def _check_time(self) -> None:
        limit = self._limits.time_limit
        if limit is not None and self._spent >= limit:
            raise SearchLimitReached(f"time_limit = {limit} s reached after {self.scored} graphs", self)

    def _next_task(self) -> Task:
        while self._phases:
            task = self._phases[0].next_task(lambda: self.ranking)
            if task is not None:
                return task
            del self._phases[0]
        raise StopIteration

    def _do(self, stage: Stage, graph6: str) -> Found:
        problem = self._on(graph6)
        if stage == "scored":
            if self.scored >= self._limits.max_graphs:
                raise SearchLimitReached(f"max_graphs = {self._limits.max_graphs} graphs have been scored", self)
            candidate = at_once(problem)
            self.scored += 1
        elif stage == "screened":
            candidate = screened(problem, self._rng)
        else:
            candidate = self._searched(problem, self._known[graph6][1])
        found = Found(graph6, candidate.loss, candidate.loss / self.dnc_loss, stage)
        self._known[graph6] = (found, candidate)
        return found

    def _searched(self, problem: GraphProblem, before: Candidate) -> Candidate:
        thorough = search(problem, self._limits.restarts, 0, self._rng)
        best = min(polished(problem, before, 900), thorough, key=lambda candidate: candidate.loss)
        return improved(problem, best, self._limits.kicks, self._rng)

    def _on(self, graph6: str) -> GraphProblem:
        return GraphProblem.of(graph_of(graph6), self.L, lams=self.lams, n=self.n)
