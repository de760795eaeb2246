"""The descent of a graph solution's loss: how long, how far, and that it ends at the loss itself."""

import networkx as nx
import numpy as np
import pytest

from theory.dufm.graphs._candidates import GraphProblem
from theory.dufm.graphs._descent import descend
from theory.dufm.graphs._reduced_loss import Parameters, ReducedLoss


@pytest.fixture
def case():
    problem = GraphProblem.of(nx.cycle_graph(5), 5, 1e-3)
    loss, rng = problem.loss(np.ones(5, dtype=bool)), np.random.default_rng(3)
    return loss, Parameters(0.3 * rng.standard_normal((3, 5)), rng.standard_normal((7, 5)))


def test_the_relu_is_smoothed_less_and_less_and_in_the_end_not_at_all(case, monkeypatch):
    loss, start = case
    widths = []
    kept = ReducedLoss.value_and_gradient

    def noted(self, parameters, width):
        widths.append(width)
        return kept(self, parameters, width)

    monkeypatch.setattr(ReducedLoss, "value_and_gradient", noted)
    monkeypatch.setattr(ReducedLoss, "value", lambda self, parameters: kept(self, parameters, 0.0)[0])
    descend(loss, start, 5)
    size = np.sqrt(np.mean((start.weightings @ loss.incidence.matrix) ** 2))
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == pytest.approx(0.3 * size)
    assert widths[-1] == 0.0


def test_more_steps_come_further_down(case):
    loss, start = case
    found = [loss.value(descend(loss, start, steps, (0.0,))) for steps in (1, 5, 400)]
    assert loss.value(start) > found[0] > found[1] > found[2]
    steps = [loss.value(descend(loss, start, steps, (0.0,))) for steps in (1, 2, 3, 4, 5)]
    assert len(set(steps)) == 5  # each number of steps is kept


def test_a_vertex_scale_stays_within_a_factor_e_to_the_fourth_of_its_layer(case):
    loss, start = case
    far = Parameters(np.zeros((3, 5)), 1e-3 * start.weightings)
    found = descend(loss, far, 400)
    assert np.abs(found.log_scales).max() <= 4.0
    outside = Parameters(np.tile([5.5, 0, 0, 0, 0], (3, 1)), start.weightings)
    kept = descend(loss, outside, 20, (0.0,))
    assert loss.value(kept) < loss.value(outside)
    np.testing.assert_array_equal(kept.log_scales[:, 0], 5.5)  # 4.4 from the mean: it stays where it is
