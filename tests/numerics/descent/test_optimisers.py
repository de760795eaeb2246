"""Gradient descent, heavy ball and Adam against torch's own, and their state when runs are frozen."""

import pytest
import torch
from descents import MIXED, reference_loss, relative, start

from numerics.descent import Network, Problem, make_optimizer


@pytest.mark.parametrize("problem", MIXED)
@pytest.mark.parametrize(
    ("name", "options", "theirs"),
    [
        ("gd", {}, lambda p: torch.optim.SGD(p, lr=0.1)),
        ("momentum", {"momentum": 0.7}, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.7)),
        ("adam", {"betas": (0.8, 0.95)}, lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.95))),
    ],
)
def test_five_steps_agree_with_torch(problem, name, options, theirs):
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
def test_descent_leaves_the_features_where_they_were(steps):
    problem = MIXED[0]
    parameters = start(problem)
    network = Network(problem, parameters)
    make_optimizer("gd", network, 0.1).advance(steps)
    assert network.parameters[0] is parameters[0]


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_the_state_of_other_optimisers_is_frozen_too(optimizer):
    problem = Problem.of(3, 2, 1e-2, width=4)
    stepper = make_optimizer(optimizer, Network(problem, start(problem)), 0.1)
    stepper.advance(3)
    stepper.freeze(torch.tensor([False, True, False]))
    stepper.advance(50)
    for p in stepper.network.parameters:
        assert float(p[1].abs().max()) == 0
        assert float(p[0].abs().max()) > 0


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("sgd", {}, ValueError, "optimizer = 'sgd'; optimizer must be one of 'gd', 'momentum', 'adam'"),
        ("gd", {"momentum": 0.9}, TypeError, "optimizer_options has 'momentum', which 'gd' does not take"),
        ("adam", {"momentum": 0.9}, TypeError, "optimizer_options has 'momentum', which 'adam' does not take"),
        ("momentum", {"momentum": 1.0}, ValueError, r"momentum = 1\.0; momentum must be in \[0, 1\)"),
        ("adam", {"betas": (0.9, 1)}, ValueError, r"betas\[1\] = 1; betas\[1\] must be in \[0, 1\)"),
        ("adam", {"betas": 0.9}, TypeError, r"betas = 0\.9; betas must be two numbers"),
        ("adam", {"epsilon": -1}, ValueError, "epsilon = -1; epsilon must be .*≥ 0"),
    ],
)
def test_wrong_options(name, options, error, message):
    with pytest.raises(error, match=message):
        make_optimizer(name, Network(MIXED[0], start(MIXED[0])), 0.1, **options)
