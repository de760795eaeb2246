"""Runs: measures against NumPy and the exact solutions, selection."""

import numpy as np
import pytest
import torch

import theory.dufm
from numerics import descent


@pytest.fixture(scope="module")
def runs():
    return descent.train(4, 3, 2e-3, n=2, width=9, seeds=[3, 8, 5], steps=1500, record=6)


class TestMeasures:
    def test_of_the_exact_solutions(self):
        solution = theory.dufm.srg(10, 4, 5e-4, n=2)
        run = descent.from_solution(solution)
        assert tuple(run.ranks()[0]) == solution.ranks
        assert run.loss_srg == pytest.approx(solution.loss, rel=1e-12)
        assert run.loss_dnc == pytest.approx(theory.dufm.dnc_loss(10, 4, 5e-4, n=2), rel=1e-12)
        assert run.loss_srg < run.loss_dnc
        np.testing.assert_allclose(run.gram(3)[0], solution.gram(3), rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(run.dnc1(), 0)
        assert run.negativity()[0, :2].max() < 1e-12
        assert run.negativity()[0, 2] > 0.1
        assert np.isinf(run.dnc2()[0, 1]) or run.dnc2()[0, 1] > 1e7
        dnc = descent.from_solution(theory.dufm.dnc(5, 3, 1e-3))
        np.testing.assert_allclose(dnc.dnc2(), 1, rtol=1e-12)
        np.testing.assert_allclose(dnc.effective_ranks(), 5, rtol=1e-12)
        assert dnc.loss_srg is None

    def test_against_numpy(self, runs):
        for i in range(len(runs)):
            h = runs.features(2)[i].numpy()
            classes = h.reshape(4, 2, -1)
            means = classes.mean(1)
            within = sum(np.outer(x - m, x - m) for c, m in zip(classes, means, strict=True) for x in c) / 8
            between = sum(np.outer(m - means.mean(0), m - means.mean(0)) for m in means) / 4
            assert runs.dnc1()[i, 1] == pytest.approx(np.trace(within) / np.trace(between), rel=1e-9)
            np.testing.assert_allclose(runs.singular_values[i, 1], np.linalg.svd(means)[1], rtol=1e-10)
            pre = runs.preactivations(3)[i].numpy()
            assert runs.negativity()[i, 1] == pytest.approx(np.linalg.norm(pre[pre < 0]) / np.linalg.norm(pre))
            np.testing.assert_allclose(np.maximum(pre, 0), runs.features(3)[i])

    def test_history_ends_at_the_outcome(self, runs):
        np.testing.assert_array_equal(runs.history.loss[-1], runs.losses)
        np.testing.assert_array_equal(runs.history.dnc1[-1], runs.dnc1())
        np.testing.assert_array_equal(runs.history.singular_values[-1], runs.singular_values)
        assert (np.diff(runs.history.loss[:, :], axis=0) < 0).all()

    def test_zero_solution(self):
        run = descent.train(3, 3, 0.5, width=3, seeds=1, steps=2000, lr=0.3)
        assert run.losses[0] == pytest.approx(0.5, abs=1e-12)
        assert run.effective_ranks().max() < 4
        assert run.recognise()[0].kind == "zero"

    def test_at_exactly_zero_what_is_not_defined_is_nan(self):
        zero = [torch.zeros(1, *shape) for shape in descent.shapes(descent.Problem.of(3, 3, 0.5))]
        run = descent.train(3, 3, 0.5, width=3, seeds=1, steps=5, initial=zero)
        assert run.losses[0] == 0.5
        assert np.isnan(run.dnc1()).all()
        assert np.isnan(run.history.dnc1).all()
        assert np.isinf(run.dnc2()).all()
        assert (run.ranks() == 0).all()
        assert (run.effective_ranks() == 0).all()
        assert run.plot().axes

    @pytest.mark.parametrize("L", [2, 3])
    def test_losses_to_compare_with(self, L):
        run = descent.train(4, L, lams=[1e-3, 2e-3, 5e-3, 1e-2][: L + 1], n=2, width=4, seeds=1, steps=0)
        s = np.geomspace(1e-3, 1e3, 400_001)  # the scale of collapse, by a scan
        kappa = 4 * (2 * np.prod(run.problem.lams) * 4) ** (1 / L)
        assert run.loss_dnc == pytest.approx((L / 2 * kappa * s ** (1 / L) + 1 / (2 * (1 + s))).min(), rel=1e-9)
        assert descent.loss_dnc(run.problem) == run.loss_dnc
        assert run.loss_srg is None

    @pytest.mark.parametrize("l", [0, 4])
    def test_layers_out_of_range(self, runs, l):
        with pytest.raises(ValueError, match=f"l = {l}; l must be an integer ≥ 1 and ≤ 3"):
            runs.gram(l)
        with pytest.raises(ValueError, match=r"tol = 1\.0; tol must be in \[0, 1\)"):
            runs.ranks(tol=1.0)


class TestSelection:
    def test_by_index_slice_and_mask(self, runs):
        assert runs[1].seeds == (8,)
        assert runs[-1].seeds == (5,)
        assert runs[:2].seeds == (3, 8)
        assert runs[[2, 0]].seeds == (5, 3)
        assert runs[np.array([True, False, True])].seeds == (3, 5)
        np.testing.assert_array_equal(runs[[2, 0]].losses, runs.losses[[2, 0]])
        np.testing.assert_array_equal(runs[[2, 0]].history.loss, runs.history.loss[:, [2, 0]])
        assert runs.best.losses[0] == runs.losses.min()
        with pytest.raises(IndexError):
            runs[3]

    def test_is_immutable(self, runs):
        with pytest.raises(AttributeError):
            runs.steps = 3


def test_runs_and_recognitions_show_themselves_in_a_notebook():
    runs = descent.train(3, 3, 1e-2, width=4, seeds=12, steps=20)
    html = runs._repr_html_()
    assert html.count("<tr>") == 1 + 10
    best = int(runs.losses.argmin())
    assert f"<th>{runs.seeds[best]}</th><td>{runs.losses[best]:.6g}, " in html
    assert "12 runs of 20 steps" in html
    found = runs[best].recognise()[0]
    assert found.name in found._repr_html_()
    assert f"<td>{found.distances['dnc']:.3g}</td>" in found._repr_html_()


def test_runs_that_diverged_show_themselves_as_such():
    runs = descent.train(3, 3, 1e-2, width=4, seeds=2, steps=20, lr=1e4)
    assert runs._repr_html_().count("<td>diverged</td>") == 2
