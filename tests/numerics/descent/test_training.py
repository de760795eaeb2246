"""Training of the DUFM: gradients, optimisers, repeatability, divergence, history, wrong input."""

import pickle
from typing import ClassVar

import numpy as np
import pytest
import torch

import theory.dufm
from numerics import descent
from numerics.descent import Network, Problem, ReLU, SmoothReLU
from numerics.descent._optimizer import make_optimizer

MIXED = [
    Problem.of(3, 2, 1e-2, width=5),
    Problem.of(4, 4, lams=[1e-3, 2e-3, 5e-3, 1e-2, 3e-2], n=3, width=[7, 5, 6, 4]),
    Problem.of(4, 3, 1e-2, n=2, width=6, activation="identity"),
    Problem.of(4, 4, 1e-2, width=6, activation=["identity", "identity", "relu"]),
    Problem.of(5, 4, 1e-2, width=8, activation="relu_eps", eps=0.3),
]


def reference_loss(problem, parameters):
    """Equation (1) in the paper's layout (columns are samples), for autograd; one run."""
    h = parameters[0].mT
    for weight, act in zip(parameters[1:-1], problem.activations, strict=True):
        z = weight @ h
        match act.name:
            case "relu":
                h = torch.relu(z)
            case "identity":
                h = z
            case "relu_eps":
                t = z / act.eps
                h = torch.where(z <= 0, 0 * z, torch.where(z >= act.eps, z, act.eps * (2 * t**2 - t**3)))
    labels = torch.kron(torch.eye(problem.K, dtype=h.dtype), torch.ones(1, problem.n, dtype=h.dtype))
    fit = ((parameters[-1] @ h - labels) ** 2).sum() / (2 * problem.K * problem.n)
    return fit + sum(lam / 2 * (p**2).sum() for lam, p in zip(problem.lams, parameters, strict=True))


def autograd(problem, parameters):
    leaves = [p.clone().requires_grad_() for p in parameters]
    return torch.autograd.grad(reference_loss(problem, leaves), leaves)


def start(problem, seeds=(0, 1, 2), scale=1.5):
    return descent.initial_parameters(problem, seeds, scale)


def relative(a, b):
    return float((a - b).norm() / b.norm())


class TestGradients:
    @pytest.mark.parametrize("problem", MIXED)
    def test_gradient_agrees_with_autograd(self, problem):
        parameters = start(problem)
        gradient = [torch.full_like(p, torch.nan) for p in parameters]
        Network(problem, parameters).gradient(gradient)
        for run in range(3):
            for ours, theirs in zip(gradient, autograd(problem, [p[run] for p in parameters]), strict=True):
                assert relative(ours[run], theirs) < 1e-12

    @pytest.mark.parametrize("problem", MIXED)
    def test_loss_agrees_with_the_definition(self, problem):
        parameters = start(problem)
        network = Network(problem, parameters)
        network.forward()
        for run in range(3):
            expected = float(reference_loss(problem, [p[run] for p in parameters]))
            assert float(problem.loss(parameters)[run]) == pytest.approx(expected, rel=1e-13)
            assert float(network.objective()[run]) == pytest.approx(expected, rel=1e-13)

    def test_derivative_of_smooth_relu(self):
        act, x = SmoothReLU(0.5), torch.linspace(-1, 1, 401, dtype=torch.float64)
        out, slope, h = torch.empty_like(x), torch.ones_like(x), 1e-6
        act.forward(x, out)
        act.backward(slope, x, out)
        up, down = torch.empty_like(x), torch.empty_like(x)
        act.forward(x + h, up)
        act.forward(x - h, down)
        assert float(((up - down) / (2 * h) - slope).abs().max()) < 1e-4  # the second derivative jumps at 0 and ε
        assert bool((out[x >= 0.5] == x[x >= 0.5]).all())
        assert bool((out[x <= 0] == 0).all())
        assert bool((slope[(x > 0) & (x <= 0.5)] > 0).all())
        assert float(slope.max()) <= 4 / 3 + 1e-12


class TestOptimisers:
    @pytest.mark.parametrize("problem", MIXED)
    @pytest.mark.parametrize(
        ("name", "options", "theirs"),
        [
            ("gd", {}, lambda p: torch.optim.SGD(p, lr=0.1)),
            ("momentum", {"momentum": 0.7}, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.7)),
            ("adam", {"betas": (0.8, 0.95)}, lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.95))),
        ],
    )
    def test_five_steps_agree_with_torch(self, problem, name, options, theirs):
        parameters = start(problem, seeds=(5,))
        leaves = [p[0].clone().requires_grad_() for p in parameters]
        optimiser = theirs(leaves)
        for _ in range(5):
            optimiser.zero_grad()
            reference_loss(problem, leaves).backward()
            optimiser.step()
        make_optimizer(name, Network(problem, parameters), 0.1, **options).advance(5)
        for ours, leaf in zip(parameters, leaves, strict=True):
            assert relative(ours[0], leaf.detach()) < 1e-11

    @pytest.mark.parametrize("steps", [1, 2, 7])
    def test_descent_leaves_the_features_where_they_were(self, steps):
        problem = MIXED[0]
        parameters = start(problem)
        network = Network(problem, parameters)
        make_optimizer("gd", network, 0.1).advance(steps)
        assert network.parameters[0] is parameters[0]

    def test_history_is_that_of_shorter_trainings(self):
        long = descent.train(4, 3, 1e-3, width=6, seeds=3, steps=40, record=[13, 20])
        assert long.history.steps.tolist() == [0, 13, 20, 40]
        for i, steps in enumerate([0, 13, 20, 40]):
            short = descent.train(4, 3, 1e-3, width=6, seeds=3, steps=steps)
            np.testing.assert_array_equal(long.history.loss[i], short.losses)
            np.testing.assert_array_equal(long.history.singular_values[i], short.singular_values)


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
        monkeypatch.setattr("numerics.descent._training._TILE_BYTES", 1)
        apart = descent.train(6, 3, 2e-3, width=17, seeds=9, steps=300)
        for a, b in zip(apart.parameters, whole.parameters, strict=True):
            assert relative(a, b) < 1e-10

    def test_threads_are_put_back(self):
        before = torch.get_num_threads()
        descent.train(3, 2, 1e-2, width=3, seeds=1, steps=1, threads=before + 1)
        assert torch.get_num_threads() == before


class TestDivergence:
    def test_step_status_and_the_other_runs(self):
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

    def test_a_diverged_run_keeps_finite_numbers_and_is_refused_by_recognise(self):
        runs = descent.train(4, 4, 1e-3, width=8, seeds=2, steps=60, lr=50.0)
        assert runs.status == ("diverged", "diverged")
        assert all(bool(p.isfinite().all()) for p in runs.parameters)
        assert np.isinf(runs.gradient_norms()).all()
        with pytest.raises(ValueError, match=r"run must not have diverged; seed 0 did at step \d"):
            runs.recognise()
        assert runs.polish().status == runs.status

    def test_a_run_that_comes_back_is_not_lost_with_another(self, monkeypatch):
        """Of two runs in a segment, one is beyond the limit in the middle only, the other one at the end."""
        alone = descent.train(10, 4, 6e-3, seeds=[6], width=20, steps=400, init_scale=1.7, record=list(range(9)))
        limit = alone.history.loss.max() / 2
        assert max(alone.losses[0], alone.history.loss[0, 0]) < limit
        monkeypatch.setattr("numerics.descent._training._LIMIT", limit)
        start = descent.initial_parameters(alone.problem, [6, 3], 1.7)
        for p in start:
            p[1] *= 50
        both = descent.train(10, 4, 6e-3, seeds=[6, 3], width=20, steps=400, initial=start, record=[400])
        assert both.status == ("finished", "diverged")
        np.testing.assert_allclose(both.losses[0], alone.losses[0], rtol=1e-8)

    @pytest.mark.parametrize("optimizer", ["momentum", "adam"])
    def test_the_state_of_other_optimisers_is_frozen_too(self, optimizer):
        problem = Problem.of(3, 2, 1e-2, width=4)
        stepper = make_optimizer(optimizer, Network(problem, start(problem)), 0.1)
        stepper.advance(3)
        stepper.freeze(torch.tensor([False, True, False]))
        stepper.advance(50)
        for p in stepper.network.parameters:
            assert float(p[1].abs().max()) == 0
            assert float(p[0].abs().max()) > 0


class TestWrongInput:
    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"K": 1}, ValueError, "K must be at least 2, got 1"),
            ({"K": 4.5}, TypeError, "K must be an integer, got 4.5"),
            ({"L": 1}, ValueError, "L must be at least 2, got 1"),
            ({"lam": 0}, ValueError, "lam must be positive and finite, got 0"),
            ({"lam": float("nan")}, ValueError, "lam must be positive and finite, got nan"),
            ({"lam": "a"}, TypeError, "lam must be a number, got 'a'"),
            ({"lam": None}, ValueError, "exactly one of lam and lams, got lam=None and lams=None"),
            ({"lams": [1e-3] * 4}, ValueError, "exactly one of lam and lams"),
            ({"lam": None, "lams": [1e-3] * 3}, ValueError, r"lams must have L \+ 1 = 4 entries .*, got 3"),
            ({"lam": None, "lams": [1e-3, -1, 1, 1]}, ValueError, r"lams\[1\] must be positive and finite, got -1"),
            ({"n": 0}, ValueError, "n must be at least 1, got 0"),
            ({"width": 3}, ValueError, "width must be at least K = 4 in every layer, got 3"),
            ({"width": [5, 5]}, ValueError, "width must be one integer or L = 3 of them, got 2"),
            ({"width": 5.0}, TypeError, "width must be an integer, got 5.0"),
            ({"seeds": 0}, ValueError, "seeds must be at least 1, got 0"),
            ({"seeds": []}, ValueError, "at least one seed"),
            ({"seeds": [1, 1]}, ValueError, r"seeds must be distinct, got \[1, 1\]"),
            ({"seeds": [-1]}, ValueError, "seeds must be at least 0, got -1"),
            ({"steps": -1}, ValueError, "steps must be at least 0, got -1"),
            ({"lr": 0.0}, ValueError, "lr must be positive and finite, got 0.0"),
            ({"init_scale": -1}, ValueError, "init_scale must be positive and finite, got -1"),
            ({"init_scale": [1, 2]}, ValueError, r"init_scale must be one number or L \+ 1 = 4 of them, got 2"),
            ({"optimizer": "sgd"}, ValueError, "optimizer must be one of 'gd', 'momentum', 'adam', got 'sgd'"),
            ({"optimizer_options": {"momentum": 0.9}}, TypeError, "momentum"),
            (
                {"optimizer": "momentum", "optimizer_options": {"momentum": 1.0}},
                ValueError,
                r"momentum must lie in \[0, 1\), got 1.0",
            ),
            ({"activation": "tanh"}, ValueError, "activation must be .*, got 'tanh'"),
            ({"activation": ["relu"]}, ValueError, "activation must be one or L - 1 = 2 of them, got 1"),
            ({"activation": "relu_eps", "eps": 0}, ValueError, "eps must be positive and finite, got 0"),
            ({"record": 1}, ValueError, "record must be at least 2, got 1"),
            ({"record": [11]}, ValueError, "record must not go beyond steps = 10, got 11"),
            ({"dtype": torch.float16}, ValueError, "dtype must be torch.float32 or torch.float64, got torch.float16"),
            ({"device": "nowhere"}, ValueError, "device 'nowhere' cannot be used"),
            (
                {"initial": [torch.full((2, 4, 6), torch.nan), *[torch.zeros(2, 6, 6)] * 2, torch.zeros(2, 4, 6)]},
                ValueError,
                "initial must be finite, got NaN or infinity in H_1",
            ),
            ({"threads": 0}, ValueError, "threads must be at least 1, got 0"),
            ({"initial": [torch.zeros(2, 4, 6)]}, ValueError, "the 4 matrices H_1, W_1, …, W_L, got 1"),
            (
                {"initial": [torch.zeros(3, 4, 6), *[torch.zeros(3, 6, 6)] * 2, torch.zeros(3, 4, 6)]},
                ValueError,
                "initial must hold one run for each of the 2 seeds, got 3",
            ),
            (
                {"initial": [torch.zeros(2, 4, 6), *[torch.zeros(2, 6, 6)] * 2, torch.zeros(2, 4, 5)]},
                ValueError,
                r"W_3 must have shape \(2, 4, 6\), got \(2, 4, 5\)",
            ),
        ],
    )
    def test_names_argument_value_and_what_is_allowed(self, change, error, message):
        arguments = {"K": 4, "L": 3, "lam": 1e-3, "width": 6, "seeds": 2, "steps": 10} | change
        with pytest.raises(error, match=message):
            descent.train(**arguments)


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


def test_smooth_relu_and_relu_are_values():
    assert ReLU() == ReLU()
    assert SmoothReLU(0.1) != SmoothReLU(0.2)


class TestInterrupt:
    ARGUMENTS: ClassVar = {"K": 6, "L": 3, "lam": 2e-3, "width": 17, "seeds": 9, "record": [0, 100, 700, 2000]}

    def interrupted(self, after, optimizer="gd", lr=0.5):
        """Train with a Ctrl-C after that many calls of progress."""
        calls = []

        def progress(done, total):
            calls.append((done, total))
            if len(calls) == after:
                raise KeyboardInterrupt

        with pytest.raises(descent.Interrupted) as stop:
            descent.train(**self.ARGUMENTS | {"steps": 2000, "optimizer": optimizer, "lr": lr, "progress": progress})
        return stop.value.runs, calls

    @pytest.mark.parametrize("optimizer", ["gd", "adam"])
    def test_the_runs_are_those_of_a_shorter_training(self, monkeypatch, optimizer):
        monkeypatch.setattr("numerics.descent._training._TILE_BYTES", 60_000)  # several tiles
        calls = []
        descent.train(**self.ARGUMENTS | {"steps": 1, "record": [0]}, progress=lambda *call: calls.append(call))
        tiles = len(calls)
        assert tiles > 2
        # Segments end at 100, 600, 700, 1200 …; the third is interrupted after its second tile.
        runs, _ = self.interrupted(2 * tiles + 2, optimizer, 0.01)
        assert runs.steps == 600
        change = {"record": [0, 100], "steps": 600, "optimizer": optimizer, "lr": 0.01}
        shorter = descent.train(**self.ARGUMENTS | change)
        for a, b in zip(runs.parameters, shorter.parameters, strict=True):
            assert torch.equal(a, b)
        assert runs.history.steps.tolist() == [0, 100, 600]
        np.testing.assert_array_equal(runs.history.loss, shorter.history.loss)
        np.testing.assert_array_equal(runs.losses, shorter.losses)

    def test_in_the_middle_of_a_step(self, monkeypatch):
        count = 0
        descend = Network.descend

        def once(network, *arguments):
            nonlocal count
            count += 1
            if count == 150:
                network.parameters[0] += 1
                raise KeyboardInterrupt
            return descend(network, *arguments)

        monkeypatch.setattr(Network, "descend", once)
        with pytest.raises(KeyboardInterrupt) as stop:
            descent.train(**self.ARGUMENTS | {"steps": 2000})
        monkeypatch.undo()
        shorter = descent.train(**self.ARGUMENTS | {"steps": 100, "record": [0]})
        assert stop.value.runs.steps == 100
        np.testing.assert_array_equal(stop.value.runs.losses, shorter.losses)

    def test_a_divergence_after_that_step_is_forgotten_and_one_before_is_kept(self):
        arguments = {"K": 10, "L": 4, "lam": 6e-3, "seeds": 12, "width": 20, "init_scale": 1.75, "steps": 1200}
        whole = descent.train(**arguments, record=[0])
        middle = int(whole.diverged_at[whole.diverged_at >= 0].min()) + 1

        def progress(done, total):
            if done > 12 * middle:
                raise KeyboardInterrupt

        with pytest.raises(descent.Interrupted) as stop:
            descent.train(**arguments, record=[0, middle], progress=progress)
        runs = stop.value.runs
        assert runs.steps == middle
        expected = np.where(whole.diverged_at <= middle, whole.diverged_at, -1)
        assert 0 < (expected >= 0).sum() < (whole.diverged_at >= 0).sum()
        np.testing.assert_array_equal(runs.diverged_at, expected)
        assert all(bool(p.isfinite().all()) for p in runs.parameters)
        np.testing.assert_array_equal(np.isinf(runs.history.loss[-1]), expected >= 0)

    def test_progress_counts_every_update_and_the_exception_pickles(self):
        calls = []
        descent.train(**self.ARGUMENTS | {"steps": 700, "record": [100]}, progress=lambda *call: calls.append(call))
        assert calls == [(9 * step, 9 * 700) for step in (100, 600, 700)]
        runs, _ = self.interrupted(1)
        assert runs.steps == 0
        assert pickle.loads(pickle.dumps(descent.Interrupted(runs))).runs.steps == 0
