"""What a search over graphs does next: each phase by itself, told losses that are made up."""

import pickle

import pytest

from theory.dufm.graphs import _plan
from theory.dufm.graphs._enumeration import block_mixtures, graph6_of, graphs
from theory.dufm.graphs._plan import Found, exhaustive_phases, local_phases


def found(losses):
    """A ranking of graphs with these losses."""
    return lambda: sorted(
        (Found(graph6, loss, loss, "scored") for graph6, loss in losses.items()), key=lambda one: one.loss
    )


def tasks(phase, ranking):
    """All that a phase wants done while the losses stay the same."""
    wanted = []
    while task := phase.next_task(ranking):
        wanted.append(task)
    return wanted


def test_every_graph_is_scored_and_so_many_are_screened_and_searched():
    scoring, screening, searching = exhaustive_phases(5, screened=7, refined=3)
    expected = [graph6_of(graph) for graph in graphs(5)]
    assert tasks(scoring, found({})) == [("scored", graph6) for graph6 in expected]
    losses = {graph6: (7 * k) % 26 for k, graph6 in enumerate(expected)}
    best = sorted(losses, key=losses.get)
    assert tasks(screening, found(losses)) == [("screened", graph6) for graph6 in best[:7]]
    assert tasks(searching, found(losses)) == [("searched", graph6) for graph6 in best[:3]]


def test_mixtures_are_scored_once_and_of_the_others_only_the_best_are_screened():
    scoring, screening, _, _ = local_phases(11, refined=1)
    scored = [graph6 for _, graph6 in tasks(scoring, found({}))]
    assert len(scored) == len(set(scored)) > 80
    single = {graph6_of(graph) for graph in block_mixtures(11, 1)}
    assert single < {graph6_of(graph) for graph in block_mixtures(11, 2)}
    losses = {graph6: k + 1000 * (graph6 in single) for k, graph6 in enumerate(scored)}  # the single blocks come last
    screened = [graph6 for _, graph6 in tasks(screening, found(losses))]
    best = sorted(losses, key=losses.get)
    assert screened == best[:60] + [graph6 for graph6 in best[60:] if graph6 in single]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_no_more_than_twice_as_many_are_searched_as_wanted(count):
    *_, searching = exhaustive_phases(6, screened=1, refined=count)
    losses = {graph6_of(graph): 1.0 for graph in graphs(6)}
    searched = []
    while task := searching.next_task(found(losses)):
        searched.append(task[1])
        losses[task[1]] = 2.0  # a search that finds worse puts another graph in its place, for ever
    assert len(searched) == len(set(searched)) == 2 * count


def test_moves_go_on_from_the_best_for_as_long_as_that_finds_less(monkeypatch):
    monkeypatch.setattr(_plan, "_MOVES", 5)
    scoring, _, moving, _ = local_phases(6, refined=1)
    losses = {graph6: 1.0 + k / 100 for k, (_, graph6) in enumerate(tasks(scoring, found({})))}  # all are in the bag
    batches = []
    while task := moving.next_task(found(losses)):
        moving = pickle.loads(pickle.dumps(moving))
        stage, graph6 = task
        if not batches or batches[-1][0] != stage:
            batches.append((stage, []))
        batches[-1][1].append(graph6)
        if stage == "scored":
            assert graph6 not in losses  # each graph once
            losses[graph6] = 5.0 - len(losses) / 1e4 if len(batches) > 7 else 0.5 - len(losses) / 1e4
    moves, best = [batch for _, batch in batches[::2]], [batch for _, batch in batches[1::2]]
    # a round from the four best, and one more because the first found less
    assert [stage for stage, _ in batches] == ["scored", "screened"] * 8
    assert max(map(len, moves)) > 5
    for made, screened in zip(moves, best, strict=True):
        assert screened == sorted(made, key=losses.get)[:5]


def test_moves_that_find_nothing_are_the_last():
    _, _, moving, _ = local_phases(4, refined=1)
    losses = {graph6_of(graph): 1.0 for graph in block_mixtures(4, 2)}
    stages = []
    while task := moving.next_task(found(losses)):
        stages.append(task[0])
        losses.setdefault(task[1], 1.0 - 1e-9)  # less, but not by a millionth
    count = len(stages)
    assert 0 < count < 200
    assert moving.next_task(found(losses)) is None
