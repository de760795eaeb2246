"""Runs of the DUFM: measures, selection, files, polishing, recognition, plots."""

import builtins
import json

import networkx as nx
import numpy as np
import pytest
import torch

import theory.dufm
from numerics import descent
from numerics.descent import recognise_gram


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

    @pytest.mark.parametrize("l", [0, 4])
    def test_layers_out_of_range(self, runs, l):
        with pytest.raises(ValueError, match="l must be at"):
            runs.gram(l)
        with pytest.raises(ValueError, match=r"tol must lie in \[0, 1\)"):
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


class TestFiles:
    def test_round_trip(self, runs, tmp_path):
        path = tmp_path / "runs.npz"
        runs.save(path)
        again = descent.Runs.load(path)
        assert again.problem == runs.problem
        assert (again.seeds, again.steps, again.settings) == (runs.seeds, runs.steps, runs.settings)
        assert all(torch.equal(a, b) for a, b in zip(again.parameters, runs.parameters, strict=True))
        np.testing.assert_array_equal(again.history.singular_values, runs.history.singular_values)
        assert [p.name for p in tmp_path.iterdir()] == ["runs.npz"]

    def test_relaxed_activations_survive(self, tmp_path):
        runs = descent.train(3, 3, 1e-2, width=4, seeds=1, steps=3, activation=["identity", "relu_eps"], eps=0.25)
        runs.save(tmp_path / "a")
        assert descent.Runs.load(tmp_path / "a").problem == runs.problem

    def test_damaged_and_foreign_files(self, runs, tmp_path):
        path = tmp_path / "runs.npz"
        runs.save(path)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ValueError, match="does not hold saved runs"):
            descent.Runs.load(path)
        path.write_text("steps,loss\n")
        with pytest.raises(ValueError, match="does not hold saved runs"):
            descent.Runs.load(path)
        np.savez(path, meta=np.array(json.dumps({"format": "neural-collapse-theory dufm runs, version 99"})))
        with pytest.raises(ValueError, match=r"its format is .*version 99.*this version reads .*version 1"):
            descent.Runs.load(path)
        np.savez(path, meta=np.array({"a": 1}, dtype=object))  # a pickle is not executed
        with pytest.raises(ValueError, match="allow_pickle"):
            descent.Runs.load(path)
        with pytest.raises(FileNotFoundError):
            descent.Runs.load(tmp_path / "missing.npz")

    def test_a_failed_save_leaves_the_old_file(self, runs, tmp_path, monkeypatch):
        path = tmp_path / "runs.npz"
        runs[:1].save(path)

        def full(file, **arrays):
            file.write(b"half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(np, "savez", full)
        with pytest.raises(OSError, match="No space left"):
            runs.save(path)
        monkeypatch.undo()
        assert len(descent.Runs.load(path)) == 1
        assert [p.name for p in tmp_path.iterdir()] == ["runs.npz"]


class TestPolish:
    def test_reaches_a_stationary_point_that_descent_does_not(self):
        rough = descent.train(6, 4, 3e-3, width=8, seeds=2, steps=3000)
        fine = rough.polish(eps=1e-5, max_steps=1500)
        assert (fine.losses < rough.losses).all()
        # The gradients of the fit and of the regularisation cancel; the latter is λ times the parameters.
        scale = 3e-3 * sum(p.square().sum((1, 2)) for p in fine.parameters).sqrt().numpy()
        assert (fine.gradient_norms() < 1e-3 * scale).all()
        assert (rough.gradient_norms() > 1e-2 * scale).all()
        assert fine.gradient_norms() == pytest.approx(fine.gradient_norms(eps=1e-5))
        # The relaxed loss differs by O(ε): each of the KN outputs by at most 4ε/27 times the norms it passes.
        relaxed = descent._problem.relaxed(fine.problem, 1e-5).loss(fine.parameters).numpy()
        np.testing.assert_allclose(relaxed, fine.losses, atol=1e-4)

    def test_linear_network_reaches_machine_precision(self):
        runs = descent.train(3, 3, 1e-2, width=4, seeds=2, steps=3000, activation="identity").polish()
        assert (runs.gradient_norms() < 1e-7).all()
        # Equal singular values s of the three factors of each of K directions, found by a scan, independently.
        s = np.linspace(0, 2, 2_000_001)
        best = 3 * ((s**4 - 1) ** 2 / 6 + 4 * 1e-2 / 2 * s**2).min()
        assert runs.losses.min() == pytest.approx(best, rel=1e-9)


class TestRecognise:
    @pytest.mark.parametrize("K", [6, 10, 15, 21])
    def test_srg_up_to_permutation_scale_and_rotation(self, K):
        run = descent.from_solution(theory.dufm.srg(K, 4, 1e-5))
        rng = np.random.default_rng(K)
        order = torch.from_numpy(rng.permutation(K))
        h, *weights = run.parameters
        turn = torch.from_numpy(np.linalg.qr(rng.standard_normal((weights[0].shape[-1],) * 2))[0])
        moved = [h[:, order] @ turn, weights[0] @ turn * 3, *weights[1:-1], weights[-1][:, order]]
        found = descent.recognise(
            descent.train(K, 4, 1e-5, width=run.problem.widths, seeds=1, steps=0, initial=moved)[0]
        )
        assert found.kind == "srg"
        assert found.distance < 1e-10
        assert found.distances["srg"] < 1e-10
        assert found.distances["dnc"] > 0.5
        assert found.last["srg"] < 1e-10
        assert nx.is_isomorphic(found.graph, nx.line_graph(nx.complete_graph(round((2 * K + 0.25) ** 0.5 + 0.5))))

    def test_dnc(self):
        found = descent.recognise(descent.from_solution(theory.dufm.dnc(7, 5, 1e-6)))
        assert (found.kind, found.graph.number_of_edges(), len(found.layers)) == ("dnc", 0, 3)
        assert found.distances["srg (block)"] > 0.3

    @pytest.mark.parametrize(
        ("graph", "name"),
        [
            (nx.cycle_graph(4), "graph: the cycle C_4, the line graph of C_4"),
            (nx.cycle_graph(5), "graph: the cycle C_5, the line graph of C_5"),
            (nx.line_graph(nx.complete_bipartite_graph(2, 3)), "graph: the line graph of K_{2,3}"),
            (nx.petersen_graph(), "graph: a graph of 10 vertices, degrees 3 3 3 3 3 3 3 3 3 3, that is no line graph"),
            (nx.line_graph(nx.complete_graph(4)), "SRG: the triangular graph T_4, the line graph of K_4"),
        ],
    )
    def test_graphs(self, graph, name):
        gram = 0.3 * (2 * np.eye(len(graph)) + nx.to_numpy_array(graph))
        order = np.random.default_rng(1).permutation(len(graph))
        found = recognise_gram(gram[np.ix_(order, order)])
        assert found.name == name
        assert found.distance < 1e-12
        assert nx.is_isomorphic(found.graph, graph)

    def test_blocks(self):
        triangular = nx.to_numpy_array(nx.line_graph(nx.complete_graph(4)))
        gram = np.zeros((11, 11))
        gram[:6, :6] = 2 * np.eye(6) + triangular
        gram[6:9, 6:9] = 1.7 * np.eye(3)
        gram[9, 9] = 1.7
        found = recognise_gram(gram)
        assert found.kind == "blocks"
        assert found.name == "blocks: the triangular graph T_4, the line graph of K_4 + 4 orthogonal + 1 lost"
        assert recognise_gram(np.diag([1.0, 1.0, 0.3])).kind == "none"

    def test_solutions_of_general_K(self):
        block, drop = (theory.dufm.srg(8, 4, 5e-4, construction=c) for c in ("block", "drop"))
        for solution, key, other in ((block, "srg (block)", "srg (drop)"), (drop, "srg (drop)", "srg (block)")):
            found = descent.recognise(descent.from_solution(solution))
            assert found.distances[key] < 1e-7
            assert found.distances[other] > 0.2

    def test_a_random_gram_matrix_is_none_of_them(self):
        means = np.random.default_rng(0).random((10, 5))
        found = recognise_gram(means @ means.T)
        assert found.kind == "none"
        assert found.distance > 0.05

    def test_noise_within_the_tolerance(self):
        rng = np.random.default_rng(2)
        gram = 2 * np.eye(10) + nx.to_numpy_array(nx.line_graph(nx.complete_graph(5)))
        noise = rng.standard_normal((10, 10))
        noise = (noise + noise.T) * np.linalg.norm(gram) / np.linalg.norm(noise + noise.T)
        assert recognise_gram(gram + 0.03 * noise).kind == "srg"
        assert recognise_gram(gram + 0.2 * noise).kind == "none"

    def test_one_run_at_a_time(self, runs):
        with pytest.raises(ValueError, match=r"run must be a single run, such as runs\.best; got 3 runs"):
            descent.recognise(runs)
        assert len(runs.recognise()) == 3

    def test_layers_that_disagree(self):
        dnc = theory.dufm.dnc(10, 4, 5e-4)
        run = descent.from_solution(dnc, width=10)
        weights = [p.clone() for p in run.parameters]
        square = torch.from_numpy(theory.dufm.srg(10, 4, 5e-4).gram(2))
        weights[2] = torch.linalg.cholesky(square + 1e-9 * torch.eye(10)).mT[None].abs()
        found = descent.recognise(descent.train(10, 4, 5e-4, width=10, seeds=1, steps=0, initial=weights))
        assert found.kind == "none"
        assert "layer 2: DNC" in found.name
        assert "layer 3:" in found.name


class TestPlot:
    def test_shows_losses_collapse_and_spectrum(self, runs):
        figure = runs.plot()
        left, middle, right = figure.axes
        assert len(left.lines) == len(runs) + 1  # the runs and DNC; K = 4 has no SRG
        assert len(middle.lines) == len(right.lines) == 3
        np.testing.assert_array_equal(right.lines[0].get_ydata(), runs.best.singular_values[0, 0])

    def test_without_matplotlib(self, runs, monkeypatch):
        real = builtins.__import__

        def no_matplotlib(name, *arguments, **keywords):
            if name.startswith("matplotlib"):
                raise ImportError(name)
            return real(name, *arguments, **keywords)

        monkeypatch.setattr(builtins, "__import__", no_matplotlib)
        with pytest.raises(ImportError, match="needs matplotlib: pip install"):
            runs.plot()
