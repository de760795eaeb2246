"""Solutions and explorations go through process pools."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import networkx as nx
import numpy as np
import pytest

from theory import dufm

SOLUTIONS = {
    "graph": lambda: dufm.graph_solution(nx.cycle_graph(4), 4, 1e-3, n=2, restarts=0, kicks=0),
    "edges": lambda: dufm.graph_solution(nx.complete_graph(4), 4, 1e-3, last_layer="edges"),
    "best known": lambda: dufm.best_known(4, 5),
    "released": lambda: dufm.free_descent(dufm.dnc(4, 3, 1e-3), steps=100),
}


def read(solution):
    return solution.loss, solution.evaluate(), solution.ranks, sorted(solution.graph.edges(data="label"))


@pytest.mark.parametrize("name", SOLUTIONS)
@pytest.mark.parametrize("used", [False, True])
def test_solutions_pickle(name, used):
    solution = SOLUTIONS[name]()
    if used:  # graph and matrices have been made
        read(solution)
    again = pickle.loads(pickle.dumps(solution))
    assert type(again) is type(solution)
    assert read(again) == read(solution)
    with pytest.raises(ValueError, match="read-only"):
        again.scales[0, 0] = 1.0


@pytest.mark.parametrize(("K", "method"), [(4, "exhaustive"), (4, "local")])
@pytest.mark.parametrize("steps", [0, 3, 13])
def test_an_exploration_goes_on_where_it_was(K, method, steps):
    options = {"method": method, "screened": 4, "refined": 1, "restarts": 0, "kicks": 1}
    whole = dufm.explore(K, 4, 5e-4, **options)
    everything = list(whole)
    search = dufm.explore(K, 4, 5e-4, **options)
    first = [next(search) for _ in range(min(steps, len(everything)))]
    again = pickle.loads(pickle.dumps(search))
    assert first + list(again) == everything
    assert (again.scored, again.exhaustive, again.ranking) == (whole.scored, whole.exhaustive, whole.ranking)
    np.testing.assert_array_equal(again.best.weightings, whole.best.weightings)


def test_both_go_through_a_process_pool():
    context = get_context("spawn")  # nothing is inherited
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        solution = SOLUTIONS["edges"]()
        assert pool.submit(dufm.graph_solution, nx.complete_graph(4), 4, 1e-3, last_layer="edges").result().loss == (
            solution.loss
        )
        assert pool.submit(dufm.Solution.evaluate, solution).result() == solution.evaluate()
        search = dufm.explore(3, 4, 1e-3, refined=0)
        next(search)
        found = pool.submit(dufm.Exploration.run, search).result()
    assert found.exhaustive
    assert found.ranking == search.run().ranking


def test_errors_pickle():
    with pytest.raises(dufm.SearchLimitReached) as caught:
        dufm.explore(5, 4, 1e-3, method="local", max_graphs=2).run()
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value) == "max_graphs = 2 graphs have been scored"
    assert again.exploration.scored == 2
    with pytest.raises(dufm.WidthNotReached) as caught:
        dufm.enclose_ratio_over(10, 4, ("1e-6", "1e-2"), width="1e-5", max_points=4)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.bounds, again.excess) == (str(caught.value), caught.value.bounds, caught.value.excess)


def test_an_interrupted_step_is_done_again(monkeypatch):
    from theory.dufm.graphs import _exploration

    usual = [found for found in dufm.explore(4, 4, 1e-3, refined=0)]
    search = dufm.explore(4, 4, 1e-3, refined=0)
    first = [next(search), next(search)]

    def interrupt(problem):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(_exploration, "at_once", interrupt)
        with pytest.raises(KeyboardInterrupt):
            next(search)
    assert first + list(search) == usual
