"""Rational matrices of the strongly regular graph solution: their structure and their exact loss."""

from fractions import Fraction

import numpy as np
import pytest

from theory import dufm


def floats(matrix):
    return np.array([[int(x.p) / int(x.q) for x in row] for row in matrix.table()])


def test_rational_matrices_have_the_structure_and_nearly_the_least_loss():
    lams = [Fraction(1, 700), Fraction(1, 90), Fraction(2, 1000), Fraction(1, 500)]
    matrices = dufm.rational_srg(5, lams, n=2)
    first, to_last, output = matrices.weights
    assert (first * matrices.class_means).rank() == 5
    assert output.rank() == 10
    loss = dufm.exact_loss(matrices, lams, n=2)
    lower, upper = dufm.enclose_loss("srg", 10, 3, lams=lams, n=2)
    assert lower < loss < Fraction(upper) * (1 + Fraction(1, 10**10))
    pre_activations = floats(to_last * first * matrices.class_means)
    np.testing.assert_allclose(
        pre_activations, dufm.srg(10, 3, lams=lams, n=2).pre_activations(3), rtol=1e-5, atol=1e-12
    )


def test_exact_loss_is_the_float_loss():
    lams = ["0.002"] * 5
    matrices = dufm.rational_srg(4, lams, n=3)
    means, *weights = map(floats, (matrices.class_means, *matrices.weights))
    value = dufm.evaluate_loss(np.repeat(means, 3, axis=1), weights, [0.002] * 5, n=3)
    assert float(dufm.exact_loss(matrices, lams, n=3)) == pytest.approx(value, rel=1e-13)


def test_rational_matrices_wrong_input():
    with pytest.raises(ValueError, match="zero solution is optimal"):
        dufm.rational_srg(4, [1] * 5)
    with pytest.raises(ValueError, match="r = 3"):
        dufm.rational_srg(3, ["1e-3"] * 5)
    with pytest.raises(ValueError, match="lams has 4 entries"):
        dufm.exact_loss(dufm.rational_srg(4, ["1e-3"] * 5), ["1e-3"] * 4)
    with pytest.raises(ValueError, match="n = 0"):
        dufm.exact_loss(dufm.rational_srg(4, ["1e-3"] * 5), ["1e-3"] * 5, n=0)
