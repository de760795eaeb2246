"""Training: exact solutions, repeatability, histories, devices."""

import numpy as np
import pytest
import torch
from descents import relative

import theory.dufm
from numerics import descent
from numerics.descent import Network


class TestExactSolutions:
    @pytest.mark.parametrize(
        ("K", "L", "lam"), [(6, 4, 1e-3), (10, 3, 1e-3), (10, 4, 5e-4), (8, 5, 1e-4), (15, 4, 1e-3)]
    )
    @pytest.mark.parametrize("n", [1, 3])
    def test_losses_agree_with_theory(self, K, L, lam, n):
        for solution in (theory.dufm.dnc(K, L, lam, n=n), theory.dufm.srg(K, L, lam, n=n)):
            assert descent.from_solution(solution).losses[0] == pytest.approx(solution.loss, rel=1e-12)

    @pytest.mark.parametrize(("K", "L"), [(4, 3), (6, 4), (10, 4)])
    def test_dnc_is_stationary(self, K, L):
        assert descent.from_solution(theory.dufm.dnc(K, L, 1e-3, n=2)).gradient_norms()[0] < 1e-12

    @pytest.mark.parametrize(("K", "L"), [(6, 4), (10, 3), (10, 4), (15, 4)])
    def test_srg_is_stationary_under_rescaling_each_matrix(self, K, L):
        run = descent.from_solution(theory.dufm.srg(K, L, 1e-3))
        parameters = [p.clone() for p in run.parameters]
        gradient = [torch.empty_like(p) for p in parameters]
        Network(run.problem, parameters).gradient(gradient)
        for p, g in zip(parameters, gradient, strict=True):
            assert abs(float((p * g).sum())) < 1e-12

    def test_descent_from_dnc_stays_and_from_nearby_returns(self):
        run = descent.from_solution(theory.dufm.dnc(4, 3, 1e-2))
        stayed = descent.train(4, 3, 1e-2, width=4, seeds=1, steps=2000, initial=run.parameters)
        assert stayed.losses[0] == pytest.approx(run.losses[0], rel=1e-12)
        moved = [p * 1.05 for p in run.parameters]
        returned = descent.train(4, 3, 1e-2, width=4, seeds=1, steps=4000, initial=moved)
        assert returned.history.loss[0, 0] > run.losses[0] * (1 + 1e-3)
        assert returned.losses[0] == pytest.approx(run.losses[0], rel=1e-9)


class TestRepeatability:
    @pytest.mark.parametrize("optimizer", ["gd", "momentum", "adam"])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_bit_for_bit(self, optimizer, dtype):
        arguments = {"width": 11, "seeds": 5, "steps": 300, "lr": 0.05, "optimizer": optimizer, "dtype": dtype}
        first, second = (descent.train(5, 3, 2e-3, **arguments) for _ in range(2))
        assert first.parameters[0].dtype == dtype
        assert all(torch.equal(a, b) for a, b in zip(first.parameters, second.parameters, strict=True))

    def test_a_run_does_not_depend_on_its_batch(self):
        # Batched products may be summed in another order in a batch of another size. Over 300 smooth steps an
        # error of 1e-16 grows by no more than the product of the steps' Lipschitz factors; 1e-10 leaves room for that.
        together = descent.train(6, 3, 2e-3, width=17, seeds=40, steps=300)
        for chosen in ([0], [39, 3], list(range(7, 30))):
            alone = descent.train(6, 3, 2e-3, width=17, seeds=chosen, steps=300)
            for a, b in zip(alone.parameters, together[chosen].parameters, strict=True):
                assert relative(a, b) < 1e-10

    def test_tiles_do_not_change_a_run(self, monkeypatch):
        whole = descent.train(6, 3, 2e-3, width=17, seeds=9, steps=300)
        monkeypatch.setattr("numerics.descent._tile._TILE_BYTES", 1)
        apart = descent.train(6, 3, 2e-3, width=17, seeds=9, steps=300)
        for a, b in zip(apart.parameters, whole.parameters, strict=True):
            assert relative(a, b) < 1e-10

    def test_threads_are_put_back(self):
        before = torch.get_num_threads()
        descent.train(3, 2, 1e-2, width=3, seeds=1, steps=1, threads=before + 1)
        assert torch.get_num_threads() == before


def test_history_is_that_of_shorter_trainings():
    long = descent.train(4, 3, 1e-3, width=6, seeds=3, steps=40, record=[13, 20])
    assert long.history.steps.tolist() == [0, 13, 20, 40]
    for i, steps in enumerate([0, 13, 20, 40]):
        short = descent.train(4, 3, 1e-3, width=6, seeds=3, steps=steps)
        np.testing.assert_array_equal(long.history.loss[i], short.losses)
        np.testing.assert_array_equal(long.history.singular_values[i], short.singular_values)


@pytest.mark.any_type
def test_a_history_at_steps_of_every_kind():
    arguments = {"width": 6, "seeds": 1, "steps": 40}
    expected = descent.train(4, 3, 1e-3, **arguments, record=[13, 20]).history.steps.tolist()
    for record in (np.array([13, 20]), (20.0, 13), range(13, 21, 7), torch.tensor([13, 20])):
        assert descent.train(4, 3, 1e-3, **arguments, record=record).history.steps.tolist() == expected


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
class TestCUDA:
    @pytest.mark.parametrize("optimizer", ["gd", "momentum", "adam"])
    def test_agrees_with_the_cpu_and_repeats(self, optimizer):
        arguments = {"width": 17, "seeds": 9, "steps": 333, "lr": 0.05, "optimizer": optimizer}
        host = descent.train(6, 3, 2e-3, **arguments)
        first, second = (descent.train(6, 3, 2e-3, device="cuda", **arguments) for _ in range(2))
        for a, b, c in zip(host.parameters, first.parameters, second.parameters, strict=True):
            assert torch.equal(b, c)
            assert relative(a, b) < 1e-8


def test_progress_counts_the_steps_of_all_runs():
    told = []
    descent.train(
        3,
        3,
        1e-2,
        width=5,
        lr=0.3,
        steps=40,
        seeds=3,
        record=5,
        progress=lambda done, total: told.append((done, total)),
    )
    counts = [done for done, _ in told]
    assert counts == sorted(set(counts))
    assert counts[0] > 0
    assert told[-1] == (120, 120)
    assert {total for _, total in told} == {120}
