"""The loss of a shape and its gradient, descents with a smoothed ReLU, moves, and the table that they improved."""

import json
import runpy
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from theory import dufm
from theory.dufm.optimum import _best_known, _search, _shape
from theory.dufm.optimum._rescaled import of_shape
from theory.ufm import Problem

TABLE = dufm.best_known_table()
ROOT = Path(__file__).parents[4]


def shape_of(solution):
    return [solution.class_means(1), *(solution.weights(l) for l in range(1, solution.L))]


def disturbed(shape, seed, size=0.1):
    generator = np.random.default_rng(seed)
    return [m + size * abs(m).max() * generator.standard_normal(m.shape) for m in shape]


@pytest.mark.parametrize("width", [0.0, 0.01, 0.2])
@pytest.mark.parametrize(("K", "L"), [(3, 3), (5, 4), (4, 2)])
def test_the_gradient_of_a_shape(K, L, width):
    problem = Problem.of(K, L, 5e-4)
    generator = np.random.default_rng(K)
    shape = [generator.standard_normal((6, K)), *(generator.standard_normal((6, 6)) for _ in range(L - 1))]
    loss, gradients = _shape.loss_and_gradient(problem, shape, width)
    assert loss < 0.5
    for i, gradient in enumerate(gradients):
        assert abs((gradient * shape[i]).sum()) < 1e-9  # scales do not matter
        direction, step = generator.standard_normal(shape[i].shape), 1e-6
        ends = []
        for sign in (1, -1):
            changed = [m.copy() for m in shape]
            changed[i] += sign * step * direction
            ends.append(_shape.loss_and_gradient(problem, changed, width)[0])
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx((gradient * direction).sum(), rel=1e-5, abs=1e-10)


@pytest.mark.parametrize("make", [dufm.dnc, dufm.srg])
def test_the_loss_of_a_shape_is_that_of_the_solution(make):
    lams = [1e-3, 3e-4, 5e-4, 2e-4, 1e-4]
    solution = make(10, 4, lams=lams, n=3)
    problem = Problem.of(10, 4, lams=lams, n=3)
    assert _shape.loss_and_gradient(problem, shape_of(solution))[0] == pytest.approx(solution.loss, rel=1e-10)
    assert of_shape(problem, shape_of(solution), "it", dict).loss == pytest.approx(solution.loss, rel=1e-10)


def test_a_descent_comes_down():
    problem = Problem.of(5, 4, 5e-4)
    start = disturbed(shape_of(dufm.best_known(5, 4, "graph")), 0)
    before = _shape.loss_and_gradient(problem, start)[0]
    loss, shape = _search.annealed(problem, start)
    assert loss < before * 0.99
    assert _shape.loss_and_gradient(problem, shape)[0] == pytest.approx(loss, rel=1e-12)
    assert of_shape(problem, shape, "it", dict).evaluate() == pytest.approx(loss, rel=1e-9)


def test_idle_units_are_left_out():
    shape = shape_of(dufm.srg(6, 4, 5e-4))
    padded = [np.pad(m, ((0, 2), (0, 2 if l else 0))) for l, m in enumerate(shape)]
    assert [m.shape for m in _search.pruned(padded)] == [m.shape for m in _search.pruned(shape)]
    problem = Problem.of(6, 4, 5e-4)
    assert _shape.loss_and_gradient(problem, _search.pruned(padded))[0] == pytest.approx(
        _shape.loss_and_gradient(problem, shape)[0], rel=1e-12
    )


@pytest.mark.parametrize("name", _search.MOVES)
def test_every_move_makes_a_shape_of_the_right_sizes(name):
    K, L = 6, 4

    def at(dK, dL):
        return shape_of(dufm.srg(K + dK, L + dL, 5e-4) if K + dK >= 6 else dufm.dnc(K + dK, L + dL, 5e-4))

    moved = _search.MOVES[name](shape_of(dufm.srg(K, L, 5e-4)), np.random.default_rng(0), at)
    assert len(moved) == L
    assert moved[0].shape[1] == K
    assert all(after.shape[1] == len(before) for before, after in pairwise(moved))
    loss = _search.annealed(Problem.of(K, L, 5e-4), moved, steps=20)[0]
    assert loss < 0.5


def test_moves_at_the_rim_of_the_table():
    for name in ("two layers merged", "a layer put in", "a class added", "a class removed"):
        assert _search.MOVES[name](shape_of(dufm.dnc(3, 3, 5e-4)), np.random.default_rng(0), lambda *_: None) is None


# The table.


@pytest.mark.parametrize("entry", [e for e in TABLE if e.loss < e.base_loss], ids=lambda e: f"K{e.K}-L{e.L}")
def test_a_descent_from_the_table_gains_next_to_nothing(entry):
    problem = Problem.of(entry.K, entry.L, "0.0005")
    loss, _ = _shape.loss_and_gradient(problem, shape_of(dufm.best_known(entry.K, entry.L)))
    assert loss == pytest.approx(entry.loss, rel=1e-9)
    assert _shape.descended(problem, shape_of(dufm.best_known(entry.K, entry.L)), steps=30)[0] > entry.loss * (1 - 1e-5)


def test_history_comes_down_to_the_loss():
    for entry in TABLE:
        losses = [step.loss for step in entry.history]
        assert losses == sorted(losses, reverse=True)
        assert entry.loss == pytest.approx(losses[-1], rel=2e-6)
        assert all(step.date >= "2026-11-22" and step.method for step in entry.history)


def test_the_search_goes_on_from_the_table():
    script = runpy.run_path(str(ROOT / "benchmarks" / "best_known.py"))
    table = script["Table"]()
    text = json.loads(files("theory.dufm.graphs").joinpath("best_known.json").read_text(encoding="utf-8"))
    assert len(table.entries) == len(text["entries"])
    assert not table.improve((5, 4), "noise", table.entries[5, 4]["loss"], table.shapes[5, 4])
    found = script["attempt"]((3, 3), table.shapes, 1)
    assert found[0] == (3, 3)
    assert found[2] >= table.entries[3, 3]["loss"] * (1 - 1e-9)  # where collapse is the best that is known
    assert "| 3 |" in script["summary"](table)


# Other regularisations.


@pytest.mark.parametrize("lam", [3e-3, 1e-4, 1e-6])
@pytest.mark.parametrize(("K", "L"), [(3, 5), (6, 4), (10, 3)])
def test_best_known_at_another_regularisation(K, L, lam):
    solution = dufm.best_known(K, L, lam=lam)
    assert solution.loss <= min(s.loss for s in _best_known.constructions(Problem.of(K, L, lam)).values())
    assert solution.evaluate() == pytest.approx(solution.loss, rel=1e-9)
    assert float(dufm.lower_bound(K, L, lam).value) <= solution.loss
    samples = dufm.best_known(K, L, lams=[lam / 4, *[lam] * L], n=4)
    assert samples.loss == pytest.approx(solution.loss, rel=1e-6)


@pytest.mark.parametrize(("K", "L", "lam"), [(5, 4, 2e-2), (8, 3, 1e-2)])
def test_best_known_at_another_regularisation_gets_past_kinks(K, L, lam):
    """The table's shape is not the best one here; L-BFGS with the ReLU itself would stop where it starts."""
    scaled = dufm.rescaled(dufm.best_known(K, L), Problem.of(K, L, lam))
    assert dufm.best_known(K, L, lam=lam).loss < scaled.loss * (1 - 1e-4)


def test_best_known_at_its_own_regularisation_is_the_table():
    assert dufm.best_known(5, 4, lam="0.0005").loss == pytest.approx(dufm.best_known(5, 4).loss, rel=1e-6)


def test_best_known_where_zero_is_optimal():
    assert dufm.best_known(4, 3, lam=1).loss == 0.5


def test_best_known_wrong_input():
    with pytest.raises(ValueError, match="n = 2"):
        dufm.best_known(4, 3, n=2)
    with pytest.raises(ValueError, match="family = 'graph'"):
        dufm.best_known(4, 3, "graph", lam=1e-3)
    with pytest.raises(ValueError, match="K = 29"):
        dufm.best_known(29, 3, lam=1e-3)


def test_a_dimension_less_of_those_above_a_thousandth_of_the_largest():
    values = np.array([1.0] * 19 + [1.5e-3, 0.9e-3])
    shape = [np.diag(values), np.diag(values[::-1]), np.eye(21)]
    seen = set()
    for seed in range(8):
        truncated = _search.MOVES["rank truncated"](shape, np.random.default_rng(seed), None)
        seen.add(tuple(np.linalg.matrix_rank(m, tol=1e-6) for m in truncated))
        if truncated[0].tolist() == np.diag([*values[:19], 0.0, 0.0]).tolist():
            np.testing.assert_allclose(truncated[2], np.diag([1.0] * 19 + [0.0, 0.0]), atol=1e-15)
    assert (19, 19, 19) in seen  # of twenty, the last not counted; or with noise added
    assert _search.MOVES["rank truncated"]([np.eye(2), np.eye(2)], np.random.default_rng(0), None) is None
