"""Runs that diverge: when, what is kept of them, and that the others are not disturbed."""

import numpy as np
from descents import autograd, reference_loss, relative

from numerics import descent


def test_step_status_and_the_other_runs():
    seeds = list(range(12))
    arguments = {"width": 20, "steps": 1200, "lr": 0.5, "init_scale": 1.75}
    runs = descent.train(10, 4, 6e-3, seeds=seeds, **arguments)
    lost = runs.diverged_at >= 0
    assert 0 < lost.sum() < len(seeds)
    assert runs.status == tuple("diverged" if x else "finished" for x in lost)
    assert np.isinf(runs.losses[lost]).all()
    assert np.isfinite(runs.losses[~lost]).all()
    assert np.isinf(runs.history.loss[-1, lost]).all()
    healthy = [s for s, x in zip(seeds, lost, strict=True) if not x]
    alone = descent.train(10, 4, 6e-3, seeds=healthy, **arguments)
    np.testing.assert_allclose(alone.losses, runs.losses[~lost], rtol=1e-8)
    assert runs.best.seeds[0] in healthy
    assert "diverged" in repr(runs)
    run = int(np.flatnonzero(lost)[0])  # the step, found independently
    problem = runs.problem
    point = [p[0] for p in descent.initial_parameters(problem, [run], 1.75)]
    for step in range(1, int(runs.diverged_at[run]) + 1):
        kept, point = point, [p - 0.5 * g for p, g in zip(point, autograd(problem, point), strict=True)]
        beyond = not float(reference_loss(problem, point)) <= 1e8
        assert beyond == (step == runs.diverged_at[run])
    for p, q in zip(runs.parameters, kept, strict=True):
        assert relative(p[run], q) < 1e-8


def test_a_diverged_run_keeps_finite_numbers_and_has_no_solution():
    runs = descent.train(4, 4, 1e-3, width=8, seeds=2, steps=60, lr=50.0)
    assert runs.status == ("diverged", "diverged")
    assert all(bool(p.isfinite().all()) for p in runs.parameters)
    assert np.isinf(runs.gradient_norms()).all()
    found = runs.recognise()
    assert [f.kind for f in found] == ["diverged", "diverged"]
    assert found[0].name == f"diverged at step {runs.diverged_at[0]}"
    assert np.isnan(found[0].distance)
    assert runs.polish().status == runs.status


def test_a_run_that_comes_back_is_not_lost_with_another(monkeypatch):
    """Of two runs in a segment, one is beyond the limit in the middle only, the other one at the end."""
    alone = descent.train(10, 4, 6e-3, seeds=[6], width=20, steps=400, init_scale=1.7, record=list(range(9)))
    limit = alone.history.loss.max() / 2
    assert max(alone.losses[0], alone.history.loss[0, 0]) < limit
    monkeypatch.setattr("numerics.descent._tile._LIMIT", limit)
    start = descent.initial_parameters(alone.problem, [6, 3], 1.7)
    for p in start:
        p[1] *= 50
    both = descent.train(10, 4, 6e-3, seeds=[6, 3], width=20, steps=400, initial=start, record=[400])
    assert both.status == ("finished", "diverged")
    np.testing.assert_allclose(both.losses[0], alone.losses[0], rtol=1e-8)


def test_one_that_diverged_does_not_keep_the_others_from_being_named():
    runs = descent.train(10, 4, 6e-3, seeds=12, width=20, steps=1200, lr=0.5, init_scale=1.75)
    lost = runs.diverged_at >= 0
    assert 0 < lost.sum() < 12
    found = runs.recognise()
    assert [f.kind == "diverged" for f in found] == lost.tolist()
    healthy = [f for f, x in zip(found, lost, strict=True) if not x]
    assert [f.name for f in healthy] == [f.name for f in runs[~lost].recognise()]
