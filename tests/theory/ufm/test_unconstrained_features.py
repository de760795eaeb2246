"""theory.ufm: objective, gradient, selections, the minimum over the scale, search, wrong input."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import check_grad, minimize_scalar

from theory import dufm
from theory.ufm import (
    Identity,
    Point,
    Problem,
    ReLU,
    ReLUEpsilon,
    collapsed_point,
    least_over_scale,
    objective_and_gradient,
    search,
    within_class_deviation,
)


def random_point(problem, seed=0):
    generator = np.random.default_rng(seed)
    features, *weights = (generator.standard_normal(shape) for shape in problem.shapes)
    return Point(problem, features, weights)


@pytest.mark.parametrize(("L", "n"), [(1, 1), (2, 3), (4, 2)])
def test_objective_is_that_of_dufm(L, n):
    problem = Problem.of(3, L, lams=[0.1 * (i + 1) for i in range(L + 1)], n=n, width=5)
    point = random_point(problem)
    assert point.loss == pytest.approx(dufm.evaluate_loss(point.features, point.weights, problem.lams, n), rel=1e-14)


@pytest.mark.parametrize("activation", ["relu", ReLUEpsilon(0.5, 3), ("relu_eps", "identity")])
def test_gradient_against_differences(activation):
    problem = Problem.of(2, 3, lams=(0.1, 0.2, 0.3, 0.4), n=2, width=(3, 4, 2), activation=activation, eps=0.5)
    point = random_point(problem)
    sizes = np.cumsum([rows * columns for rows, columns in problem.shapes])[:-1]

    def call(x):
        features, *weights = (
            part.reshape(shape) for part, shape in zip(np.split(x, sizes), problem.shapes, strict=True)
        )
        loss, gradients = objective_and_gradient(problem, features, weights)
        return loss, np.concatenate([g.ravel() for g in gradients])

    x = np.concatenate([m.ravel() for m in (point.features, *point.weights)])
    assert check_grad(lambda x: call(x)[0], lambda x: call(x)[1], x) < 1e-5
    assert point.gradient_norm == pytest.approx(np.linalg.norm(call(x)[1]))


def test_collapsed_point_attains_the_collapsed_loss():
    for L in (2, 3, 5):
        problem = Problem.of(3, L, lams=(0.02, 0.01, *[0.005] * (L - 1)), n=2, width=4)
        point = collapsed_point(problem)
        assert point.loss == pytest.approx(problem.collapsed_loss(), rel=1e-12)
        assert point.loss < 0.5
        assert point.gradient_norm < 1e-7
        if L >= 3:
            assert point.loss == pytest.approx(dufm.dnc_loss(3, L, lams=problem.lams, n=2), rel=1e-11)


def test_sample_costs_average_to_the_loss():
    point = random_point(Problem.of(3, 2, lams=(0.1, 0.2, 0.3), n=4))
    decay = sum(lam / 2 * (w**2).sum() for lam, w in zip((0.2, 0.3), point.weights, strict=True))
    assert point.sample_costs().mean(axis=1).sum() + decay == pytest.approx(point.loss)
    chosen = [3, 0, 2]
    costs = point.sample_costs()[np.arange(3), chosen].sum()
    assert point.select(chosen).loss == pytest.approx(costs + decay)


def test_optimal_classifier_is_optimal():
    point = random_point(Problem.of(3, 2, lams=(0.1, 0.2, 0.3), n=2)).with_optimal_classifier()
    last = objective_and_gradient(point.problem, point.features, point.weights)[1][-1]
    assert np.abs(last).max() < 1e-13


def test_layers():
    problem = Problem.of(2, 2, 1.0, width=2)
    point = Point(problem, np.array([[1.0, -1.0], [2.0, 0.0]]), [-np.eye(2), np.eye(2)])
    assert point.layer(1).tolist() == [[1.0, -1.0], [2.0, 0.0]]
    assert point.layer(2).tolist() == [[0.0, 1.0], [0.0, 0.0]]
    assert point.outputs.tolist() == [[0.0, 1.0], [0.0, 0.0]]


def test_problem_keeps_exact_numbers():
    problem = Problem.of(3.0, np.int8(2), "1e-3", n=Fraction(4, 2), width=np.array([3, 5]), activation=["identity"])
    assert (problem.K, problem.L, problem.n, problem.widths) == (3, 2, 2, (3, 5))
    assert problem.exact_lams == (Fraction(1, 1000),) * 3
    assert problem.lams == (0.001,) * 3
    assert problem.activations == (Identity(),)
    assert problem.single().exact_lams == (Fraction(1, 500), Fraction(1, 1000), Fraction(1, 1000))
    assert {problem, Problem.of(3, 2, "1e-3", n=2, width=(3, 5), activation="identity")} == {problem}


def test_activations_by_name():
    assert Problem.of(2, 4, 1, activation=("identity", "relu", "relu_eps"), eps=0.5).activations == (
        Identity(),
        ReLU(),
        ReLUEpsilon(0.5),
    )
    x = np.array([-1.0, 0.0, 2.0])
    assert ReLU()(x).tolist() == [0.0, 0.0, 2.0]
    assert ReLU().derivative(x).tolist() == [0.0, 0.0, 1.0]
    assert Identity()(x).tolist() == x.tolist()
    assert Identity().derivative(x).tolist() == [1.0, 1.0, 1.0]


def test_within_class_deviation_ignores_other_classes():
    features = np.array([[0.0, 0.0, 9.0, 9.5]])
    assert within_class_deviation(features, 2) == 0.5
    assert within_class_deviation(features, 4) == 9.5
    assert within_class_deviation(features, 1) == 0


@pytest.mark.parametrize("L", [2, 3, 6])
def test_minimum_over_the_scale_against_another_minimiser(L):
    generator = np.random.default_rng(L)
    for _ in range(30):
        e = 10 ** generator.uniform(-3, 3, size=4) * (generator.random(4) < 0.8)
        log_kappa = generator.uniform(-6, 0)

        def f(s, e=e, log_kappa=log_kappa):
            return L / 2 * np.exp(log_kappa + s / L) + np.mean(1 / (1 + np.multiply.outer(np.exp(s), e)), axis=-1) / 2

        grid = np.linspace(-30, 40, 20001)
        best = grid[np.argmin(f(grid))]
        exact = minimize_scalar(f, bounds=(best - 0.01, best + 0.01), method="bounded", options={"xatol": 1e-10}).fun
        found = least_over_scale(L, log_kappa, e)
        assert found.loss == pytest.approx(min(0.5, exact), abs=1e-12)
        if found.u > 0:
            assert f(np.log(found.u)) == pytest.approx(found.loss, abs=1e-12)


def test_minimum_over_the_scale_at_the_ends():
    assert least_over_scale(2, 0.0, np.ones(2)) == (0.5, 0.0)
    assert least_over_scale(2, np.inf, np.ones(2)) == (0.5, 0.0)
    assert least_over_scale(2, -1.0, np.zeros(2)) == (0.5, 0.0)
    assert least_over_scale(3, -np.inf, np.array([1.0, 0.0])).loss == 0.25
    assert least_over_scale(2, -400.0, np.array([1e9, 1e-9])).loss < 1e-80


def test_search_repeats_and_sorts():
    problem = Problem.of(2, 2, 0.02, width=3)
    first, again = (search(problem, starts=4, seed=7) for _ in range(2))
    assert [p.loss for p in first] == [p.loss for p in again]
    assert sorted(p.loss for p in first) == [p.loss for p in first]
    assert search(problem, starts=0, seed=0, first=[collapsed_point(problem)])[0].loss == pytest.approx(
        problem.collapsed_loss()
    )


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: Problem.of(1, 1, 1.0), ValueError, "K = 1"),
        (lambda: Problem.of(2.5, 1, 1.0), ValueError, "K = 2.5"),
        (lambda: Problem.of("2", 1, 1.0), TypeError, "K = '2'"),
        (lambda: Problem.of(2, 0, 1.0), ValueError, "L = 0"),
        (lambda: Problem.of(2, 10**7, 1.0), ValueError, "L = 10000000; L must be an integer ≥ 1 and ≤ 1000000"),
        (lambda: Problem.of(2, 1), ValueError, "neither of lam and lams given"),
        (lambda: Problem.of(2, 1, 1.0, lams=(1.0, 1.0)), ValueError, "both of lam and lams given"),
        (lambda: Problem.of(2, 1, lams=(1.0,)), ValueError, "lams has 1 entries; for L = 1"),
        (lambda: Problem.of(2, 1, lams=(1.0, -1.0)), ValueError, r"lams\[1\] = -1.0"),
        (lambda: Problem.of(2, 1, lams=(1.0, np.nan)), ValueError, r"lams\[1\] = nan"),
        (lambda: Problem.of(2, 1, "1e-400").lams, ValueError, r"lams\[0\] ≈ 1e-400; .* within the range of float64"),
        (lambda: Problem.of(2, 1, "1e400").lams, ValueError, r"lams\[0\] ≈ 1e400"),
        (lambda: Problem.of(2, 1, 1.0, n=0), ValueError, "n = 0"),
        (lambda: Problem.of(2, 1, 1.0, width=0), ValueError, "width = 0"),
        (lambda: Problem.of(2, 1, 1.0, width=(3, 3)), ValueError, "width = "),
        (lambda: Problem.of(2, 3, 1.0, activation="tanh"), ValueError, "activation = 'tanh'; .* 'relu', 'relu_eps'"),
        (lambda: Problem.of(2, 3, 1.0, activation=["relu"]), ValueError, "sequence of L−1 = 2"),
        (lambda: Problem.of(2, 2, 1.0, activation=np.tanh), TypeError, "or an Activation"),
        (lambda: Problem(2, 2, (Fraction(1),), 1, (2, 2), (ReLU(),)), ValueError, "lams, widths and activations"),
        (lambda: collapsed_point(Problem.of(3, 2, 1.0, width=2)), ValueError, "widths"),
        (lambda: collapsed_point(Problem.of(3, 2, lams=(1.0, 0.0, 1.0))), ValueError, "lams"),
        (lambda: Point(Problem.of(2, 1, 1.0), np.ones((2, 3)), [np.ones((2, 2))]), ValueError, "shapes"),
        (lambda: Point(Problem.of(2, 1, 1.0), np.ones((2, 2)), []), ValueError, "shapes"),
        (lambda: random_point(Problem.of(2, 1, 1.0)).layer(2), ValueError, "l = 2"),
        (lambda: random_point(Problem.of(2, 1, 1.0)).select([0, 1]), ValueError, "samples"),
        (lambda: random_point(Problem.of(2, 1, lams=(1.0, 0))).with_optimal_classifier(), ValueError, r"lams\[1\] = 0"),
        (lambda: search(Problem.of(2, 1, 1.0), starts=0, seed=0), ValueError, "starts = 0"),
        (lambda: least_over_scale(1, 0.0, np.ones(2)), ValueError, "L = 1"),
        (lambda: least_over_scale(2, 0.0, np.array([-1.0])), ValueError, "eigenvalues"),
        (lambda: least_over_scale(2, 0.0, np.array([])), ValueError, "eigenvalues"),
        (lambda: within_class_deviation(np.ones((2, 3)), 2), ValueError, "n = 2 does not divide"),
    ],
)
def test_wrong_input(call, error, match):
    with pytest.raises(error, match=match):
        call()
