"""The search over graphs, the enumeration behind it, and the table of best known solutions."""

import itertools
import runpy
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from theory import dufm
from theory.dufm.graphs._best_known import LAM
from theory.dufm.graphs._enumeration import NUMBER_OF_GRAPHS, block_mixtures, connected_graphs, graphs, neighbours

TABLE = dufm.best_known_table()


# Enumeration.


def test_numbers_of_graphs():
    assert [len(connected_graphs(k)) for k in range(1, 9)] == [1, 1, 3, 5, 12, 30, 79, 227]  # A002905
    assert [sum(1 for _ in graphs(k)) for k in range(1, 9)] == list(NUMBER_OF_GRAPHS[1:9])


def test_graphs_against_the_atlas():
    # NetworkX's atlas has all graphs with up to 7 vertices, so all with 6 edges and no more vertices than that.
    atlas = [g for g in nx.graph_atlas_g() if g.number_of_edges() == 6 and not list(nx.isolates(g))]
    ours = [g for g in graphs(6) if len(g) <= 7]
    assert len(ours) == len(atlas)
    for one in atlas:
        assert sum(nx.is_isomorphic(one, other) for other in ours) == 1


def test_neighbours_are_all_single_moves():
    start = nx.cycle_graph(4)
    moves = list(neighbours(start))
    assert not any(nx.is_isomorphic(a, b) for a, b in itertools.combinations([start, *moves], 2))
    assert all(m.number_of_edges() == 4 and not list(nx.isolates(m)) for m in moves)
    expected = []
    for other in graphs(4):
        # a move keeps three edges in place
        cores = [nx.Graph(list(c)) for c in itertools.combinations(other.edges, 3)]
        if any(nx.is_isomorphic(core, nx.path_graph(4)) for core in cores) and not nx.is_isomorphic(other, start):
            expected.append(other)
    assert len(moves) == len(expected)


@pytest.mark.parametrize("K", [3, 6, 11])
def test_block_mixtures(K):
    mixtures = list(block_mixtures(K, 2))
    assert all(m.number_of_edges() == K for m in mixtures)
    assert any(nx.is_isomorphic(m, nx.disjoint_union_all([nx.path_graph(2)] * K)) for m in mixtures)
    if K == 11:
        both = nx.disjoint_union_all([nx.complete_graph(5), nx.path_graph(2)])
        assert any(nx.is_isomorphic(m, both) for m in mixtures)


@pytest.mark.parametrize("K", [5, 6, 9, 12])
def test_block_mixtures_against_a_list_made_independently(K):
    # Blocks by their definition, edge by edge, and unions of at most two with single edges.
    def blocks(size):
        whole = [nx.complete_graph(r) for r in range(3, 9)]
        whole += [nx.complete_bipartite_graph(a, b) for a in range(2, 7) for b in range(a, 8)]
        for graph in whole:
            surplus = graph.number_of_edges() - size
            smallest = min(graph, key=graph.degree)
            if 0 <= surplus < graph.degree(smallest):
                graph.remove_edges_from(list(graph.edges(smallest))[:surplus])
                yield graph
        yield nx.cycle_graph(size)
        for r in range(3, 6):
            if r * (r + 1) // 2 == size:
                yield nx.Graph([*nx.complete_graph(r).edges, *((i, r + i) for i in range(r))])

    def union(parts):
        return nx.disjoint_union_all([*parts, *[nx.path_graph(2)] * (K - sum(p.number_of_edges() for p in parts))])

    every = {size: list(blocks(size)) for size in range(3, K + 1)}
    expected = [union([])] + [union([b]) for size in every for b in every[size]]
    expected += [
        union([b, c]) for i in every for j in every if i <= j and i + j <= K for b in every[i] for c in every[j]
    ]
    found, wanted = distinct(block_mixtures(K, 2)), distinct(expected)
    assert len(found) == len(wanted)
    assert all(any(nx.vf2pp_is_isomorphic(one, other) for other in found) for one in wanted)


def distinct(graphs):
    kept = []
    for graph in graphs:
        if not any(nx.faster_could_be_isomorphic(graph, k) and nx.vf2pp_is_isomorphic(graph, k) for k in kept):
            kept.append(graph)
    return kept


# The search.


@pytest.mark.parametrize("K", [7, 8, 9])
def test_losses_to_compare_with_where_the_strongly_regular_graph_has_two_constructions(K):
    search = dufm.explore(K, 4, 5e-4, method="local")
    found = [next(search) for _ in range(3)]
    losses = [dufm.enclose_loss("srg", K, 4, 5e-4, construction=c, digits=15).lower for c in ("block", "drop")]
    assert search.srg_loss == pytest.approx(float(min(losses)), rel=1e-12)
    assert search.dnc_loss == pytest.approx(float(dufm.enclose_loss("dnc", K, 4, 5e-4).lower), rel=1e-12)
    for one in found:
        assert one.ratio == pytest.approx(one.loss / search.dnc_loss, rel=1e-15)


def test_as_many_graphs_as_there_are_may_be_scored():
    assert dufm.explore(4, 4, 5e-4, max_graphs=11).total == 11
    assert dufm.explore(4, 4, 5e-4, max_graphs=10).total is None
    assert dufm.explore(4, 4, 5e-4, max_graphs=11, method="exhaustive").total == 11
    with pytest.raises(ValueError, match="there are 11 graphs with K = 4"):
        dufm.explore(4, 4, 5e-4, max_graphs=10, method="exhaustive")


def test_no_more_than_twice_the_graphs_wanted_are_searched():
    stages = [found.stage for found in dufm.explore(4, 4, 5e-4, screened=5, refined=2, restarts=0, kicks=0)]
    assert 2 <= stages.count("searched") <= 4
    assert stages.count("screened") == 5


def test_exhaustive_search():
    search = dufm.explore(4, 5, 5e-4, restarts=0, kicks=1, refined=2)
    assert (search.total, search.scored, search.exhaustive) == (11, 0, False)
    first = next(search)
    assert (first.stage, search.scored) == ("scored", 1)
    stages = [found.stage for found in search]
    assert stages == sorted(stages, key=["scored", "screened", "searched"].index)
    assert search.exhaustive
    best = search.best
    assert nx.is_isomorphic(best.graph, nx.cycle_graph(4))
    assert best.evaluate() == pytest.approx(search.ranking[0].loss, rel=1e-12)
    losses = [found.loss for found in search.ranking]
    assert losses == sorted(losses)
    assert len(losses) == 11
    for found in search.ranking:
        assert found.ratio == pytest.approx(found.loss / dufm.dnc_loss(4, 5, 5e-4), rel=1e-12)
        assert nx.is_isomorphic(found.graph, search.solution(found).graph)


def test_local_search_meets_the_exhaustive_one():
    local, every = (dufm.explore(5, 8, 5e-4, method=m, refined=0, screened=26).run() for m in ("local", "exhaustive"))
    assert local.total is None
    assert not local.exhaustive
    assert local.best.loss == pytest.approx(every.best.loss, rel=0.02)  # screened only
    assert every.best.loss < 0.8 * every.dnc_loss  # on a triangle with pendant edges, or a part of it
    assert every.best.ranks[1] == 3


def test_collapse_wins_for_two_classes():
    search = dufm.explore(2, 3, 1e-4).run()
    assert search.best.loss == pytest.approx(search.dnc_loss, rel=1e-9)


def test_a_search_is_repeatable():
    one, two = (
        [found.loss for found in dufm.explore(4, 3, 1e-3, restarts=0, kicks=0, refined=1, seed=5)] for _ in range(2)
    )
    assert one == two


# Limits: the error is clear, and what was found is kept.


def test_time_limit():
    search = dufm.explore(8, 4, 5e-4, time_limit=0.2)
    with pytest.raises(dufm.SearchLimitReached, match=r"time_limit = 0\.2 s") as caught:
        search.run()
    assert caught.value.exploration is search
    assert 0 < search.scored == len(search.ranking)
    assert not search.exhaustive
    assert search.best.evaluate() == pytest.approx(search.ranking[0].loss, rel=1e-12)
    with pytest.raises(dufm.SearchLimitReached):
        next(search)


def test_graph_limit():
    search = dufm.explore(12, 4, 5e-4, max_graphs=30)
    with pytest.raises(dufm.SearchLimitReached, match="max_graphs = 30"):
        search.run()
    assert search.scored == len(search.ranking) == 30


def test_progress(capsys):
    dufm.explore(2, 3, 1e-3, restarts=0, kicks=1).run(progress=True)
    captured = capsys.readouterr()
    assert "of DNC" in captured.err
    assert captured.out == ""


def test_nothing_scored_yet():
    with pytest.raises(LookupError, match="nothing has been scored"):
        _ = dufm.explore(4, 3, 1e-3).best


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((1, 4), {}, "K = 1"),
        ((4.5, 4), {}, "K = 4.5"),
        ((4, 2), {}, "L = 2"),
        ((4, 4), {"lam": 0}, "lam = 0"),
        ((4, 4), {"lam": None}, "neither"),
        ((4, 4), {"n": 0}, "n = 0"),
        ((4, 4), {"method": "all"}, "method = 'all'"),
        ((4, 4), {"time_limit": 0}, "time_limit = 0"),
        ((4, 4), {"time_limit": float("nan")}, "time_limit = nan"),
        ((4, 4), {"max_graphs": 0}, "max_graphs = 0"),
        ((4, 4), {"screened": 0}, "screened = 0"),
        ((4, 4), {"refined": -1}, "refined = -1"),
        ((4, 4), {"restarts": 0.5}, "restarts = 0.5"),
        ((4, 4), {"kicks": -1}, "kicks = -1"),
        ((12, 4), {"method": "exhaustive"}, "there are 52944 graphs with K = 12"),
        ((40, 4), {"method": "exhaustive"}, "more than 193367 graphs with K = 40"),
    ],
)
def test_wrong_values(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        dufm.explore(*arguments, **{"lam": 1e-3, **options})


def test_the_example_runs(capsys, monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    script = Path(__file__).parents[4] / "examples" / "from_k10_to_the_best_graph.py"
    picture = tmp_path / "graph.png"
    monkeypatch.setattr(sys, "argv", [str(script), "--classes", "3", "--layers", "4", "--picture", str(picture)])
    runpy.run_path(str(script), run_name="__main__")
    assert "P4 graph" in capsys.readouterr().out  # the path whose ends have no row
    assert picture.stat().st_size > 10_000


# The table.


def test_table_is_complete():
    assert [(e.K, e.L) for e in TABLE] == [(K, L) for K in range(2, 29) for L in range(3, 9)]
    assert dufm.best_known_table() == TABLE
    assert all((entry.graph6 is not None) == (entry.base == "graph") for entry in dufm.best_known_table())


@pytest.mark.parametrize("entry", TABLE, ids=lambda e: f"K{e.K}-L{e.L}")
def test_table_entry_by_the_definition_of_the_loss(entry):
    base, best = dufm.best_known(entry.K, entry.L, "graph"), dufm.best_known(entry.K, entry.L)
    assert base.evaluate() == pytest.approx(entry.base_loss, rel=1e-10)
    assert best.evaluate() == pytest.approx(entry.loss, rel=1e-10)
    for solution in (base, best):
        assert solution.lams == (float(LAM),) * (entry.L + 1)
        assert (solution.K, solution.L, solution.n) == (entry.K, entry.L, 1)
        features, weights = solution.class_means(1), [solution.weights(l) for l in range(1, entry.L + 1)]
        assert dufm.evaluate_loss(features, weights, solution.lams) == pytest.approx(solution.evaluate(), rel=1e-12)
    for l in range(2, entry.L):
        assert (base.pre_activations(l) >= -1e-9).all()  # the ReLU does nothing in the intermediate layers
    collapsed = dufm.dnc_loss(entry.K, entry.L, LAM)
    strongly_regular = dufm.srg_loss(entry.K, entry.L, LAM, construction="best") if entry.K >= 6 else np.inf
    if entry.base == "graph":
        assert entry.base_loss < min(collapsed, strongly_regular) * (1 - 1e-8)
        assert nx.is_isomorphic(base.graph, nx.from_graph6_bytes(entry.graph6.encode()))
    else:
        assert entry.base_loss == pytest.approx(min(collapsed, strongly_regular), rel=1e-12)
        assert entry.base == ("DNC" if collapsed <= strongly_regular else "SRG")
        assert entry.graph6 is None
    assert entry.loss == entry.base_loss or entry.loss < entry.base_loss * (1 - 1e-6)
    assert entry.ratio == pytest.approx(entry.loss / collapsed)
    assert (entry.ratio_to_srg is None) == (entry.K < 6)
    assert entry.K < 6 or entry.ratio_to_srg == pytest.approx(entry.loss / strongly_regular)


@pytest.mark.any_type
def test_unknown_family():
    with pytest.raises(ValueError, match="family = 'square'"):
        dufm.best_known(4, 4, "square")


@pytest.mark.parametrize(("K", "L"), [(1, 3), (29, 4), (10, 2), (10, 9), (2.5, 3)])
def test_not_in_the_table(K, L):
    with pytest.raises(ValueError, match=r"K = |L = "):
        dufm.best_known(K, L)


def test_numbers_of_graphs_are_the_euler_transform_of_those_of_connected_graphs():
    connected = [1, 1, 3, 5, 12, 30, 79, 227, 710, 2322, 8071, 29503, 112822]  # A002905 of the OEIS, from one edge
    shares = [sum(d * connected[d - 1] for d in range(1, k + 1) if k % d == 0) for k in range(1, 14)]
    numbers = [1]
    for edges in range(1, 14):
        numbers.append(sum(shares[k - 1] * numbers[edges - k] for k in range(1, edges + 1)) // edges)
    assert tuple(numbers) == NUMBER_OF_GRAPHS


def test_the_strongly_regular_loss_is_there_from_six_classes_on():
    assert dufm.explore(5, 4, 1e-3).srg_loss is None
    assert dufm.explore(6, 4, 1e-3).srg_loss == pytest.approx(dufm.srg_loss(6, 4, 1e-3, construction="best"), rel=1e-15)


def test_an_exploration_says_how_to_run_it_and_shows_itself():
    exploration = dufm.explore(4, 4, 5e-4)
    assert repr(exploration).endswith("0 of 11 graphs; run() or iteration scores them>")
    next(iter(exploration))
    assert "1 of 11 graphs, best " in repr(exploration)
    html = exploration._repr_html_()
    assert html.count("<tr>") == 2
    assert f"{exploration.ranking[0].ratio:.6f}" in html
    assert "<exploration" not in html  # it would be taken for a tag
