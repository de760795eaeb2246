"""theory.ufm: objective, gradient, selections, the minimum over the scale, search, wrong input."""

import numpy as np
import pytest
from scipy.optimize import check_grad, minimize_scalar

from theory import dufm
from theory.ufm import RELU, Problem, least_over_scale, search, within_class_deviation
from theory.ufm.relu_epsilon import ReluEpsilon


def random_point(problem, seed=0):
    generator = np.random.default_rng(seed)
    features, *weights = (generator.standard_normal(shape) for shape in problem.shapes)
    return problem.point(features, weights)


@pytest.mark.parametrize(("L", "n"), [(1, 1), (2, 3), (4, 2)])
def test_objective_is_that_of_dufm(L, n):
    problem = Problem(K=3, lams=tuple(0.1 * (i + 1) for i in range(L + 1)), n=n, width=5)
    point = random_point(problem)
    assert point.loss == pytest.approx(dufm.evaluate_loss(point.features, point.weights, problem.lams, n), rel=1e-14)


@pytest.mark.parametrize("activation", [RELU, ReluEpsilon(0.5, 3)])
def test_gradient_against_differences(activation):
    problem = Problem(K=2, lams=(0.1, 0.2, 0.3, 0.4), n=2, width=(3, 4, 2), activation=activation)
    point = random_point(problem)
    sizes = np.cumsum([rows * columns for rows, columns in problem.shapes])[:-1]

    def call(x):
        features, *weights = (
            part.reshape(shape) for part, shape in zip(np.split(x, sizes), problem.shapes, strict=True)
        )
        loss, gradients = problem.loss_and_gradient(features, weights)
        return loss, np.concatenate([g.ravel() for g in gradients])

    x = np.concatenate([m.ravel() for m in (point.features, *point.weights)])
    assert check_grad(lambda x: call(x)[0], lambda x: call(x)[1], x) < 1e-5
    assert point.gradient_norm == pytest.approx(np.linalg.norm(call(x)[1]))


def test_collapsed_point_attains_the_collapsed_loss():
    for L in (2, 3, 5):
        problem = Problem(K=3, lams=(0.02, 0.01, *[0.005] * (L - 1)), n=2, width=4)
        point = problem.collapsed()
        assert point.loss == pytest.approx(problem.collapsed_loss(), rel=1e-12)
        assert point.loss < 0.5
        assert point.gradient_norm < 1e-7
        if L >= 3:
            assert point.loss == pytest.approx(dufm.dnc_loss(3, L, lams=problem.lams, n=2), rel=1e-11)


def test_sample_costs_average_to_the_loss():
    point = random_point(Problem(K=3, lams=(0.1, 0.2, 0.3), n=4))
    decay = sum(lam / 2 * (w**2).sum() for lam, w in zip((0.2, 0.3), point.weights, strict=True))
    assert point.sample_costs().mean(axis=1).sum() + decay == pytest.approx(point.loss)
    chosen = [3, 0, 2]
    costs = point.sample_costs()[np.arange(3), chosen].sum()
    assert point.select(chosen).loss == pytest.approx(costs + decay)


def test_optimal_classifier_is_optimal():
    point = random_point(Problem(K=3, lams=(0.1, 0.2, 0.3), n=2)).with_optimal_classifier()
    last = point.problem.loss_and_gradient(point.features, point.weights)[1][-1]
    assert np.abs(last).max() < 1e-13


def test_layers():
    problem = Problem(K=2, lams=(1.0, 1.0, 1.0), width=2)
    point = problem.point(np.array([[1.0, -1.0], [2.0, 0.0]]), [-np.eye(2), np.eye(2)])
    assert point.layer(1).tolist() == [[1.0, -1.0], [2.0, 0.0]]
    assert point.layer(2).tolist() == [[0.0, 1.0], [0.0, 0.0]]
    assert point.outputs.tolist() == [[0.0, 1.0], [0.0, 0.0]]


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
    problem = Problem(K=2, lams=(0.02, 0.02, 0.02), width=3)
    first, again = (search(problem, starts=4, seed=7) for _ in range(2))
    assert [p.loss for p in first] == [p.loss for p in again]
    assert sorted(p.loss for p in first) == [p.loss for p in first]
    assert search(problem, starts=0, seed=0, first=[problem.collapsed()])[0].loss == pytest.approx(
        problem.collapsed_loss()
    )


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: Problem(K=1, lams=(1.0, 1.0)), ValueError, "K = 1"),
        (lambda: Problem(K=2.5, lams=(1.0, 1.0)), ValueError, "K = 2.5"),
        (lambda: Problem(K="2", lams=(1.0, 1.0)), TypeError, "K = '2'"),
        (lambda: Problem(K=2, lams=(1.0,)), ValueError, "lams has shape"),
        (lambda: Problem(K=2, lams=(1.0, -1.0)), ValueError, "lams = "),
        (lambda: Problem(K=2, lams=(1.0, np.nan)), ValueError, "lams = "),
        (lambda: Problem(K=2, lams=(1.0, 1.0), n=0), ValueError, "n = 0"),
        (lambda: Problem(K=2, lams=(1.0, 1.0), width=0), ValueError, "width = 0"),
        (lambda: Problem(K=2, lams=(1.0, 1.0), width=(3, 3)), ValueError, "width = "),
        (lambda: Problem(K=3, lams=(1.0, 1.0, 1.0), width=2).collapsed(), ValueError, "widths"),
        (lambda: Problem(K=3, lams=(1.0, 0.0, 1.0)).collapsed(), ValueError, "lams"),
        (lambda: Problem(K=2, lams=(1.0, 1.0)).point(np.ones((2, 3)), [np.ones((2, 2))]), ValueError, "shapes"),
        (lambda: Problem(K=2, lams=(1.0, 1.0)).point(np.ones((2, 2)), []), ValueError, "0 weights"),
        (lambda: random_point(Problem(K=2, lams=(1.0, 1.0))).layer(2), ValueError, "l = 2"),
        (lambda: random_point(Problem(K=2, lams=(1.0, 1.0))).select([0, 1]), ValueError, "samples"),
        (lambda: random_point(Problem(K=2, lams=(1.0, 0.0))).with_optimal_classifier(), ValueError, "λ_WL = 0"),
        (lambda: search(Problem(K=2, lams=(1.0, 1.0)), starts=0, seed=0), ValueError, "starts = 0"),
        (lambda: least_over_scale(1, 0.0, np.ones(2)), ValueError, "L = 1"),
        (lambda: least_over_scale(2, 0.0, np.array([-1.0])), ValueError, "eigenvalues"),
        (lambda: least_over_scale(2, 0.0, np.array([])), ValueError, "eigenvalues"),
        (lambda: within_class_deviation(np.ones((2, 3)), 2), ValueError, "n = 2 does not divide"),
    ],
)
def test_wrong_input(call, error, match):
    with pytest.raises(error, match=match):
        call()
