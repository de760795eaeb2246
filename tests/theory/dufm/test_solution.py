"""Solutions as objects: the definition of the loss, conditional optimality, the parts a user holds."""

import builtins
import multiprocessing
import pickle
import re
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from figures import faults

from theory import dufm
from theory.geometry import triangular_graph

CASES = [
    ("dnc", {}, 2),
    ("dnc", {}, 10),
    ("srg", {"construction": "block"}, 6),
    ("srg", {"construction": "block"}, 10),
    ("srg", {"construction": "block"}, 12),
    ("srg", {"construction": "drop"}, 7),
    ("srg", {"construction": "drop"}, 12),
    ("srg", {"construction": "best"}, 14),
    ("srg", {"construction": "best"}, 20),
]


def regularisations(L):
    rng = np.random.default_rng(L)
    yield from ([10.0**e] * (L + 1) for e in (-2, -4, -6))
    yield (10 ** rng.uniform(-7, -2, L + 1)).tolist()
    yield [1.0] * (L + 1)  # the zero solution


@pytest.mark.parametrize(("function", "options", "K"), CASES)
@pytest.mark.parametrize("L", [3, 4, 6])
@pytest.mark.parametrize("n", [1, 3])
def test_loss_by_its_definition(function, options, K, L, n):
    for lams in regularisations(L):
        solution = getattr(dufm, function)(K, L, lams=lams, n=n, **options)
        vectorised = getattr(dufm, f"{function}_loss")(K, L, lams=lams, n=n, **options)
        assert solution.loss == pytest.approx(vectorised, rel=1e-15)
        assert solution.evaluate() == pytest.approx(solution.loss, rel=1e-12)
        means = [solution.class_means(l) for l in range(1, L + 1)]
        assert solution.ranks == tuple(np.linalg.matrix_rank(m, rtol=1e-9) if m.any() else 0 for m in means)


def perturbed_loss(solution, rng, size):
    """The loss after random relative perturbations of every matrix."""
    H = np.repeat(solution.class_means(1), solution.n, axis=1)
    matrices = [H, *(solution.weights(l) for l in range(1, solution.L + 1))]
    moved = [m + size * np.linalg.norm(m) / np.sqrt(m.size) * rng.standard_normal(m.shape) for m in matrices]
    return dufm.evaluate_loss(moved[0], moved[1:], solution.lams, solution.n)


@pytest.mark.parametrize("solution", [dufm.dnc(10, 4, 1e-4, n=2), dufm.srg(10, 4, 1e-4, n=2)], ids=["dnc", "srg"])
def test_the_scales_are_stationary(solution):
    """Scaling any two matrices against each other, or all features at once, does not lower the loss."""
    H = np.repeat(solution.class_means(1), solution.n, axis=1)
    weights = [solution.weights(l) for l in range(1, solution.L + 1)]
    for l in range(solution.L):
        for factor in (1 - 1e-4, 1 + 1e-4):
            scaled = [w * factor if i == l else w for i, w in enumerate(weights)]
            scaled_back = [w / factor if i == (l + 1) % solution.L else w for i, w in enumerate(scaled)]
            assert dufm.evaluate_loss(H, scaled, solution.lams, solution.n) > solution.loss
            assert dufm.evaluate_loss(H, scaled_back, solution.lams, solution.n) > solution.loss
        assert dufm.evaluate_loss(H * (1 + 1e-4), weights, solution.lams, solution.n) > solution.loss


def test_random_moves_of_deep_neural_collapse_raise_the_loss_of_a_deep_linear_fit():
    """First-order optimality: small random moves change the loss only to second order."""
    rng = np.random.default_rng(0)
    solution = dufm.dnc(6, 3, 1e-4)
    small, smaller = (
        np.mean([perturbed_loss(solution, rng, s) for _ in range(200)]) - solution.loss for s in (1e-3, 1e-4)
    )
    assert 0 < smaller < small / 5


def test_structure_of_the_strongly_regular_graph():
    solution = dufm.srg(10, 4, 5e-4)
    assert solution.ranks == (5, 5, 5, 10)
    assert solution.nontrivial
    assert solution.scales.shape == (1, 3)
    T = triangular_graph.normalised_incidence_matrix(5)
    for l in (2, 3):
        np.testing.assert_allclose(solution.class_means(l), np.sqrt(solution.scales[0, l - 2]) * T, rtol=1e-12)
        np.testing.assert_allclose(solution.gram(l), solution.scales[0, l - 2] * T.T @ T, atol=1e-12)
    levels = solution.pre_activations(4) / np.sqrt(solution.scales[0, -1])
    np.testing.assert_allclose(levels, triangular_graph.last_layer_pre_activations(5), atol=1e-12)
    assert (solution.pre_activations(3) >= -1e-12).all()
    np.testing.assert_allclose(np.maximum(solution.pre_activations(4), 0), solution.class_means(4), atol=1e-12)
    assert np.linalg.norm(solution.pre_activations(5) - np.eye(10)) < 0.5  # the outputs fit the labels


def test_graphs():
    srg = dufm.srg(10, 4, 5e-4).graph
    assert nx.is_isomorphic(srg, nx.complete_graph(5))
    assert nx.is_isomorphic(nx.line_graph(srg), triangular_graph.triangular_graph(5))
    assert sorted(label for *_, label in srg.edges(data="label")) == list(range(10))
    dnc = dufm.dnc(7, 3, 1e-3).graph
    assert dnc.number_of_edges() == 7
    assert max(dict(dnc.degree).values()) == 1
    block = dufm.srg(12, 4, 1e-3).graph
    assert sorted(len(c) for c in nx.connected_components(block)) == [2, 2, 5]
    drop = dufm.srg(12, 4, 1e-3, construction="drop").graph
    assert drop.number_of_edges() == 12
    assert sorted(dict(drop.degree).values()) == [2, 4, 4, 4, 5, 5]


@pytest.mark.parametrize(
    "solution", [dufm.srg(10, 4, 1e-3), dufm.srg(12, 4, 1e-3, construction="drop"), dufm.dnc(4, 3, 1e-4)]
)
def test_the_graph_is_that_of_the_class_means(solution):
    """Two classes share an end exactly where their intermediate class means are not orthogonal."""
    ends = {label: {i, j} for i, j, label in solution.graph.edges(data="label")}
    gram = solution.gram(2)
    for a in range(solution.K):
        for b in range(solution.K):
            assert (gram[a, b] > 1e-9 * gram.max()) == bool(ends[a] & ends[b])


def test_immutable():
    solution = dufm.srg(10, 4, 1e-3)
    with pytest.raises(AttributeError):
        solution.loss = 0.0
    for array in (solution.scales, solution.class_means(2), solution.weights(4)):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
    with pytest.raises(nx.NetworkXError):
        solution.graph.add_edge(0, 99)


def test_reprs():
    solution = dufm.srg(10, 4, 5e-4)
    assert repr(solution) == "<SRG solution of the 4-DUFM: K = 10, n = 1, loss 0.0101983, ranks (5, 5, 5, 10)>"
    assert re.fullmatch(r"\$.*0\.0101983.*\$", solution._repr_latex_())
    assert re.fullmatch(r"<table>.*5, 5, 5, 10.*</table>", solution._repr_html_())
    assert re.findall(r"<th[^>]*>(?:<[^>]*>)*([^<]+)", solution._repr_html_()) == ["K, L, n", "loss", "ranks", "scales"]


def test_plot(tmp_path):
    figure = dufm.srg(10, 4, 5e-4).plot()
    figure.savefig(tmp_path / "srg.png")
    panels = [axis for axis in figure.axes if axis.get_title()]
    assert [axis.get_title() for axis in panels[:4]] == ["$M_{2}$", "$M_{3}$", "$M_{4}$", "$M_{2}^\\top M_{2}$"]
    assert panels[0].images[0].get_array().shape == (5, 10)
    for axis in panels:  # white at zero, nothing smoothed
        (image,) = axis.images
        assert image.get_cmap().name == "RdBu_r"
        assert image.get_interpolation() == "nearest"
        assert image.get_clim() == pytest.approx((-np.abs(image.get_array()).max(), np.abs(image.get_array()).max()))
    assert figure.get_suptitle()
    assert faults(figure) == []
    zero = dufm.dnc(6, 3, 1.0).plot()  # the zero solution
    assert zero.axes[0].images[0].get_clim() == (-1.0, 1.0)


def test_plot_without_matplotlib(monkeypatch):
    original = builtins.__import__

    def without_matplotlib(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_matplotlib)
    with pytest.raises(ImportError, match=r"plotting needs matplotlib: pip install 'neural-collapse-theory\[plot\]'"):
        dufm.srg(10, 4, 5e-4).plot()


@pytest.mark.parametrize("l", [0, 5, -1])
def test_wrong_layer(l):
    solution = dufm.srg(10, 4, 1e-3)
    for method in (solution.class_means, solution.weights, solution.gram):
        with pytest.raises(ValueError, match=f"l = {l}"):
            method(l)
    with pytest.raises(TypeError, match="l = 'two' is a str"):
        solution.class_means("two")


@pytest.mark.any_type
def test_arrays_are_no_problem_of_one_solution():
    with pytest.raises(TypeError, match=r"K = \[6, 10\] is a list; K must be an integer"):
        dufm.srg([6, 10], 4, 1e-3)
    with pytest.raises(
        TypeError, match=r"lam = \[0.001\] is a list; lam must be a finite number, Fraction or decimal string > 0"
    ):
        dufm.dnc(6, 4, [1e-3])


def test_evaluate_loss_checks_shapes():
    H, W = np.zeros((2, 3)), [np.zeros((2, 2)), np.zeros((3, 2))]
    with pytest.raises(ValueError, match=r"lams has 2 entries; for L = 2 it must have L\+1 = 3"):
        dufm.evaluate_loss(H, W, (1, 1))
    with pytest.raises(ValueError, match=r"weights\[1\] has shape \(3, 4\); weights\[1\] must have 2 columns"):
        dufm.evaluate_loss(H, [W[0], np.zeros((3, 4))], (1, 1, 1))
    with pytest.raises(ValueError, match="features has 3 columns; for K = 3 outputs and n = 2 features must have 6"):
        dufm.evaluate_loss(H, W, (1, 1, 1), n=2)


def test_conditionally_optimal_refuses_what_no_network_computes():
    T = triangular_graph.normalised_incidence_matrix(4)
    with pytest.raises(ValueError, match="layer 3 is not a linear image of layer 2"):
        dufm.conditionally_optimal([T], np.eye(6), [1e-3] * 4)
    with pytest.raises(ValueError, match="the class means of layer 2 have the negative entry"):
        dufm.conditionally_optimal([-T], T, [1e-3] * 4)


@pytest.mark.parametrize("L", [3, 4, 5])
def test_conditionally_optimal_is_optimal(L):
    """No perturbation of the features and weights around fixed intermediate layers lowers their cost."""
    lams = [3e-3, 1e-3, *[2e-3] * (L - 1)]
    T = triangular_graph.normalised_incidence_matrix(4)
    matrices = dufm.conditionally_optimal([T] * (L - 2), triangular_graph.last_layer_pre_activations(4), lams, n=2)
    rng = np.random.default_rng(0)
    for _ in range(50):
        A = np.eye(4) + 0.1 * rng.standard_normal((4, 4))  # W_1 A and A⁻¹ M_1 have the same product
        M, W = matrices.class_means[0], matrices.weights[0]
        cost = lambda M, W: 2 * lams[0] * (M**2).sum() + lams[1] * (W**2).sum()  # noqa: E731
        assert cost(np.linalg.solve(A, M), W @ A) >= cost(M, W) * (1 - 1e-12)


@pytest.mark.parametrize("solution", ["dnc", "srg"])
@pytest.mark.parametrize("L", [3, 4, 6])
def test_symbolic_loss_gives_the_numeric_one(solution, L):
    """The derived expressions, minimised over the last scale, are the float64 losses, and so are the derived scales."""
    symbolic = dufm.symbolic_loss(solution, L)
    size, K = (5, 10) if solution == "srg" else (10, 10)
    lams = (10 ** np.random.default_rng(L).uniform(-5, -3, L + 1)).tolist()
    numeric = getattr(dufm, solution)(K, L, lams=lams, n=3)
    values = {symbolic.size: size, symbolic.samples: 3, **dict(zip(symbolic.lams, lams, strict=True))}
    at = lambda scale: float(symbolic.loss.subs(values).subs(symbolic.last_scale, scale))  # noqa: E731
    best = numeric.scales[0, -1]
    assert at(best) == pytest.approx(numeric.loss, rel=1e-12)
    assert min(at(best * 1.001), at(best / 1.001)) > at(best)
    for l, (alpha, expression) in enumerate(symbolic.scales.items()):
        stationary = float(expression.subs(values).subs(symbolic.last_scale, best))
        assert stationary == pytest.approx(numeric.scales[0, l], rel=1e-9), alpha


@pytest.mark.parametrize(("solution", "size"), [("dnc", "K"), ("srg", "r")])
def test_symbols_have_the_names_and_signs_of_the_paper(solution, size):
    symbolic = dufm.symbolic_loss(solution, 4)
    symbols = [symbolic.size, symbolic.samples, symbolic.last_scale, *symbolic.scales, *symbolic.lams]
    names = [size, "n", "alpha_4", "alpha_2", "alpha_3", "lambda_H1", *(f"lambda_W{l}" for l in range(1, 5))]
    assert [symbol.name for symbol in symbols] == names
    assert all(symbol.is_positive for symbol in symbols)
    assert symbolic.loss.free_symbols <= set(symbols)


@pytest.mark.parametrize("solution", ["dnc", "srg"])
@pytest.mark.parametrize("L", [3, 7])
def test_symbolic_power_is_that_of_the_numeric_costs(solution, L):
    """At the optimal scales each weight matrix costs t, and t^L is the derived product."""
    power, size, scale, layers = dufm.symbolic_power(solution)
    lams = (10 ** np.random.default_rng(L).uniform(-5, -3, L + 1)).tolist()
    numeric = getattr(dufm, solution)(10, L, lams=lams, n=3)
    last = float(numeric.scales[0][-1])
    t = lams[1] / 2 * (numeric.weights(1) ** 2).sum()
    stated = float(power.subs({size: 5 if solution == "srg" else 10, layers: L}).subs(scale, last))
    assert t == pytest.approx((stated * 3 * np.prod(lams[:L])) ** (1 / L), rel=1e-10)


def test_symbolic_power_wrong_input():
    with pytest.raises(ValueError, match="solution = 'etf'; solution must be one of 'srg', 'dnc'"):
        dufm.symbolic_power("etf")


def test_symbolic_loss_wrong_input():
    with pytest.raises(ValueError, match="solution = 'etf'; solution must be one of 'srg', 'dnc'"):
        dufm.symbolic_loss("etf", 4)
    with pytest.raises(ValueError, match="L = 2; L must be an integer ≥ 3"):
        dufm.symbolic_loss("srg", 2)


SOLUTIONS = [
    dufm.dnc(5, 3, 1e-3, n=2),
    dufm.srg(10, 4, 5e-4),
    dufm.srg(12, 4, "5e-4", construction="block"),
    dufm.srg(12, 4, 5e-4, construction="drop"),
]


def same_solution(one, other):
    assert (one.name, one.K, one.L, one.n, one.lams, one.loss) == (
        other.name,
        other.K,
        other.L,
        other.n,
        other.lams,
        other.loss,
    )
    assert (one.scales == other.scales).all()
    assert nx.utils.graphs_equal(one.graph, other.graph)
    for l in range(1, one.L + 1):
        assert (one.class_means(l) == other.class_means(l)).all()
        assert (one.weights(l) == other.weights(l)).all()


@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda s: s.name)
def test_solutions_pickle(solution):
    fresh = pickle.loads(pickle.dumps(solution))
    same_solution(fresh, solution)
    again = pickle.loads(pickle.dumps(solution))  # after its matrices and its graph were made
    same_solution(again, solution)
    with pytest.raises(ValueError, match="read-only"):
        again.scales[0] = 1.0


def test_solutions_go_through_a_process_pool():
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        for solution, other in zip(SOLUTIONS, pool.map(dufm.Solution.evaluate, SOLUTIONS), strict=True):
            assert other == solution.evaluate()
        same_solution(pool.submit(dufm.srg, 12, 4, 5e-4, construction="drop").result(), SOLUTIONS[-1])


@pytest.mark.parametrize("lam", [1e-15, 1e-30, 1e-100, 1e-200])
@pytest.mark.parametrize(("K", "construction"), [(10, "block"), (12, "block"), (12, "drop"), (28, "block")])
@pytest.mark.parametrize("L", [3, 5])
def test_loss_by_its_definition_at_small_regularisation(K, construction, L, lam):
    solution = dufm.srg(K, L, lam, construction=construction, n=2)
    assert solution.evaluate() == pytest.approx(solution.loss, rel=1e-12, abs=0)
    assert dufm.dnc(K, L, lam).evaluate() == pytest.approx(dufm.dnc_loss(K, L, lam), rel=1e-12, abs=0)


@pytest.mark.parametrize("lam", ["1e-340", 1e-320, "1e400"])
def test_matrices_beyond_the_floats_are_refused(lam):
    with pytest.raises(ValueError, match=r"lam is so small that the loss is below|lams\[0\] ≈ 1e400"):
        dufm.srg(10, 4, lam)


def test_the_residual_is_that_of_the_weights():
    for solution in SOLUTIONS:
        outputs = solution.pre_activations(solution.L + 1)
        assert solution.matrices.residual == pytest.approx(outputs - np.eye(solution.K), abs=1e-13)


@pytest.mark.parametrize(
    "lams",
    [["1e-3", "1e-2", "1/50"], [Fraction(1, 1000), Fraction(1, 100), Fraction(1, 50)], np.array([1e-3, 1e-2, 0.02])],
)
def test_evaluate_loss_takes_numbers_of_every_type(lams):
    features, weights = np.ones((2, 6)), [np.ones((3, 2)), np.ones((3, 3))]
    expected = dufm.evaluate_loss(features, weights, (1e-3, 1e-2, 0.02), 2)
    assert (
        dufm.evaluate_loss(features.astype(int).tolist(), [w.tolist() for w in weights], lams, np.int8(2)) == expected
    )


def test_evaluate_loss_refuses_masked_arrays():
    with pytest.raises(TypeError, match="features is a masked array"):
        dufm.evaluate_loss(np.ma.array(np.ones((2, 2)), mask=np.eye(2)), [np.ones((2, 2))], (1, 1))
    with pytest.raises(TypeError, match=r"weights\[0\] is a masked array"):
        dufm.evaluate_loss(np.ones((2, 2)), [np.ma.array(np.ones((2, 2)), mask=np.eye(2))], (1, 1))


def test_one_sample_of_each_class_where_none_is_given():
    solution = dufm.dnc(4, 3, 1e-3)
    assert solution.matrices.loss(solution.lams) == pytest.approx(solution.loss, rel=1e-12)


def test_pre_activations_end_with_the_outputs():
    solution = dufm.dnc(4, 3, 1e-3)
    assert solution.pre_activations(4).shape == (4, 4)
    for l in (1, 5):
        with pytest.raises(ValueError, match=f"l = {l}"):
            solution.pre_activations(l)


def test_a_layer_of_zeros_has_factors_of_one_unit():
    found = dufm.conditionally_optimal([np.zeros((3, 3))], np.zeros((2, 3)), [1e-3] * 4)
    assert found.class_means[0].shape == (1, 3)
    assert found.weights[0].shape == (3, 1)
    assert not found.class_means[0].any()


def test_evaluate_loss_refuses_empty_matrices():
    with pytest.raises(ValueError, match=r"features has shape \(2, 0\); features must not be empty"):
        dufm.evaluate_loss(np.zeros((2, 0)), [np.zeros((2, 2))], (1, 1))
    for weights in ([np.zeros((0, 2)), np.zeros((2, 0))], [np.eye(2), np.zeros((0, 2))]):
        with pytest.raises(ValueError, match=r"weights\[\d\] has shape \(0, 2\); weights\[\d\] must not be empty"):
            dufm.evaluate_loss(np.eye(2), weights, (1, 1, 1))
