"""Forward and backward passes against autograd on the definition, and against `theory.ufm` in its own layout."""

import numpy as np
import pytest
import torch
from descents import MIXED, autograd, reference_loss, relative, start

import theory.ufm
from numerics import descent
from numerics.descent import Network


@pytest.mark.parametrize("problem", MIXED)
def test_gradient_agrees_with_autograd(problem):
    parameters = start(problem)
    gradient = [torch.full_like(p, torch.nan) for p in parameters]
    Network(problem, parameters).gradient(gradient)
    for run in range(3):
        for ours, theirs in zip(gradient, autograd(problem, [p[run] for p in parameters]), strict=True):
            assert relative(ours[run], theirs) < 1e-12


@pytest.mark.parametrize("problem", MIXED)
def test_loss_agrees_with_the_definition(problem):
    parameters = start(problem)
    network = Network(problem, parameters)
    network.forward()
    for run in range(3):
        expected = float(reference_loss(problem, [p[run] for p in parameters]))
        assert float(descent.loss(problem, parameters)[run]) == pytest.approx(expected, rel=1e-13)
        assert float(network.objective()[run]) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("problem", MIXED)
def test_loss_and_gradient_are_those_of_theory(problem):
    parameters = [p[0] for p in start(problem)]
    value, gradient = theory.ufm.objective_and_gradient(
        problem, parameters[0].numpy().T, [p.numpy() for p in parameters[1:]]
    )
    assert float(descent.loss(problem, parameters)) == pytest.approx(value, rel=1e-13)
    for ours, theirs in zip(autograd(problem, parameters), [gradient[0].T, *gradient[1:]], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_shapes_and_labels_are_transposed_from_theory():
    problem = MIXED[1]
    assert descent.Problem is theory.ufm.Problem
    assert descent.shapes(problem)[0] == problem.shapes[0][::-1]
    assert list(descent.shapes(problem)[1:]) == list(problem.shapes[1:])
    np.testing.assert_array_equal(descent.labels(problem), problem.labels.T)
    parameters = [torch.zeros(2, 3, *shape) for shape in descent.shapes(problem)]
    assert descent.loss(problem, parameters).shape == (2, 3)  # any number of batch dimensions
    with pytest.raises(ValueError, match=r"W_1 has shape \(2, 3, 5, 7\); W_1 must have shape \(2, 4, 5, 7\)"):
        descent.loss(problem, [torch.zeros(2, 4, 12, 7), *parameters[1:]])
