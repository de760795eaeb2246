"""Batched L-BFGS: minima known in closed form, rows that do not know of each other, rows that cannot go on."""

import numpy as np
import torch
from scipy.optimize import rosen, rosen_der

from numerics.descent._lbfgs import minimise


def rosenbrock(points):
    values = points.numpy()
    return torch.tensor([rosen(x) for x in values]), torch.tensor(np.array([rosen_der(x) for x in values]))


def starts(rows, dimension, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).uniform(-2, 2, (rows, dimension)))


def test_rosenbrock_from_many_starts():
    found = minimise(rosenbrock, starts(20, 2), tol=1e-10, max_steps=500)
    assert float((found - 1).abs().max()) < 1e-9


def test_quadratic_of_condition_1e6():
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    matrix = torch.from_numpy(turn @ np.diag(np.geomspace(1, 1e6, 12)) @ turn.T)
    centre = torch.from_numpy(rng.standard_normal((5, 12)))

    def objective(x):
        slope = (x - centre) @ matrix
        return (slope * (x - centre)).sum(1) / 2, slope

    found = minimise(objective, starts(5, 12), tol=1e-9, max_steps=2000)
    assert float((found - centre).abs().max()) < 1e-8


def test_a_row_does_not_depend_on_the_others():
    start = starts(6, 4)
    together = minimise(rosenbrock, start, tol=1e-10, max_steps=37)
    for i in range(6):
        alone = minimise(rosenbrock, start[i : i + 1], tol=1e-10, max_steps=37)
        np.testing.assert_allclose(alone[0], together[i], rtol=1e-9)


def test_never_ends_higher_than_it_began():
    def wavy(x):
        return (torch.sin(5 * x) + 0.1 * x**2).sum(1), 5 * torch.cos(5 * x) + 0.2 * x

    start = starts(50, 3, seed=2)
    for steps in (1, 2, 5, 50):
        found = minimise(wavy, start, tol=1e-12, max_steps=steps)
        assert bool((wavy(found)[0] <= wavy(start)[0]).all())
    assert float(wavy(found)[1].abs().max()) < 1e-6


def test_a_row_at_a_kink_stops_and_the_others_go_on():
    def kink_and_bowl(x):
        slopes = torch.stack([torch.sign(x[0]) + 0.5, 2 * x[1]])
        return torch.stack([x[0].abs().sum() + 0.5 * x[0].sum(), x[1].square().sum()]), slopes

    found = minimise(kink_and_bowl, torch.tensor([[0.3], [3.0]], dtype=torch.float64), tol=1e-12, max_steps=200)
    assert abs(float(found[0, 0])) < 1e-6
    assert abs(float(found[1, 0])) < 1e-12


def test_a_start_that_is_stationary_stays():
    start = torch.ones(1, 3, dtype=torch.float64)
    assert torch.equal(minimise(rosenbrock, start, tol=1e-10, max_steps=10), start)
