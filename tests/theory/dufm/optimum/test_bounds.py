"""dufm.bounds, attained and rescaled: the upper bound is attained, and solutions move to other regularisations."""

import pickle
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from theory import dufm
from theory.ufm import Problem


@pytest.mark.parametrize("K", [2, 3, 6, 8, 12])
@pytest.mark.parametrize("L", [3, 5, 8])
def test_the_optimum_lies_between(K, L):
    found = dufm.bounds(K, L, "5e-4")
    assert found.lower <= found.upper
    assert found.optimal == (K == 2)
    assert found.solution.loss == pytest.approx(float(found.upper), rel=1e-9)
    assert float(found.upper) <= dufm.best_known(K, L).loss * (1 + 1e-9)
    assert float(found.lower) * (1 - 1e-12) < found.solution.loss
    assert 0.5 not in found


def test_a_deep_network_has_rank_two():
    found = dufm.bounds(12, 20, "1e-4")
    assert found.solution.name == "rank two"
    assert float(found.upper) < dufm.srg_loss(12, 20, 1e-4, construction="best")


def test_losses_are_enclosed_from_the_matrices():
    for solution in (dufm.best_known(10, 4), dufm.rank_two(7, 9, 1e-5), dufm.srg(8, 4, 1e-3)):
        upper = dufm.attained(solution)
        means = np.repeat(solution.class_means(1), solution.n, axis=1)
        weights = [solution.weights(l) for l in range(1, solution.L + 1)]
        assert float(upper) == pytest.approx(dufm.evaluate_loss(means, weights, solution.lams, solution.n), rel=1e-9)


def test_the_last_weights_are_taken_at_their_best():
    stored = dufm.best_known(5, 4)
    worse = replace(stored, loss=1.0, make_matrices=lambda: doubled(stored.matrices))
    assert float(dufm.attained(worse)) == pytest.approx(stored.loss, rel=1e-9)


def doubled(matrices):
    return replace(matrices, weights=(*matrices.weights[:-1], 2 * matrices.weights[-1]), residual=None)


def test_attained_takes_exact_regularisations():
    solution = dufm.dnc(3, 3, 1e-3)
    assert dufm.attained(solution, ["1e-3"] * 4) != dufm.attained(solution, ["1.0001e-3"] * 4)
    with pytest.raises(ValueError, match="lams has 3"):
        dufm.attained(solution, [1e-3] * 3)


@pytest.mark.parametrize("make", [dufm.dnc, dufm.srg])
@pytest.mark.parametrize("n", [1, 4])
def test_a_rescaled_construction_is_that_of_the_other_problem(make, n):
    lams = [1e-3, 3e-4, 5e-4, 2e-4, 1e-4]
    other = dufm.rescaled(make(10, 4, 1e-3), Problem.of(10, 4, lams=lams, n=n))
    expected = make(10, 4, lams=lams, n=n)
    assert other.loss == pytest.approx(expected.loss, rel=1e-10)
    assert other.evaluate() == pytest.approx(other.loss, rel=1e-10)
    assert other.ranks == expected.ranks
    assert other.n == n


def test_rescaling_a_table_entry_to_its_own_problem_changes_little_and_for_the_better():
    solution = dufm.best_known(5, 4)
    again = dufm.rescaled(solution, Problem.of(5, 4, 5e-4))
    assert solution.loss * (1 - 1e-4) < again.loss <= solution.loss * (1 + 1e-12)
    assert pickle.loads(pickle.dumps(again)).evaluate() == pytest.approx(again.loss, rel=1e-10)


def test_rescaled_to_where_zero_is_optimal():
    other = dufm.rescaled(dufm.dnc(3, 3, 1e-3), Problem.of(3, 3, 1.0))
    assert (other.loss, other.ranks, other.nontrivial) == (0.5, (0, 0, 0), False)
    assert other.evaluate() == pytest.approx(0.5)


def test_rescaled_wrong_input():
    with pytest.raises(ValueError, match="K = 4, L = 3"):
        dufm.rescaled(dufm.dnc(3, 3, 1e-3), Problem.of(4, 3, 1e-3))
    with pytest.raises(ValueError, match="zero solution"):
        dufm.rescaled(dufm.dnc(3, 3, 1.0), Problem.of(3, 3, 1e-3))


def test_rank_two_is_what_it_says():
    lams, n = [1e-6, 2e-6, 5e-7, 1e-6, 3e-6, 1e-6], 3
    solution = dufm.rank_two(6, 5, lams=lams, n=n)
    assert solution.ranks == (2, 2, 2, 2, 6)
    for l in range(1, 5):
        assert np.linalg.matrix_rank(solution.class_means(l)) == 2
        assert l == 1 or (solution.class_means(l) >= 0).all()
    last = solution.class_means(5)
    np.testing.assert_allclose(last / last[0, 0], np.maximum(np.arange(6) - np.arange(6)[:, None] + 1, 0), atol=1e-9)
    # Stationary over the scales: every matrix but the last costs the same.
    norms = [n * lams[0] * (solution.class_means(1) ** 2).sum()]
    norms += [lam * (solution.weights(l) ** 2).sum() for l, lam in enumerate(lams[1:5], start=1)]
    np.testing.assert_allclose(norms, norms[0], rtol=1e-9)
    assert solution.evaluate() == pytest.approx(solution.loss, rel=1e-9)
    with pytest.raises(ValueError, match="no graph"):
        solution.graph  # noqa: B018


def test_rank_two_where_zero_is_optimal():
    solution = dufm.rank_two(4, 3, 1.0)
    assert (solution.loss, solution.ranks) == (0.5, (0, 0, 0))
    assert solution.evaluate() == pytest.approx(0.5)


def test_rank_two_wrong_input():
    with pytest.raises(ValueError, match="K = 2"):
        dufm.rank_two(2, 4, 1e-3)
    with pytest.raises(ValueError, match="K = 1001"):
        dufm.rank_two(1001, 4, 1e-3)


def test_trivial_problems():
    found = dufm.bounds(4, 3, 1)
    assert (found.lower, found.upper, found.solution, found.optimal) == (Decimal("0.5"), Decimal("0.5"), None, True)
