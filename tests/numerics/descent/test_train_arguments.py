"""What `train` and its kin say to wrong arguments, and that a number means the same in every type."""

from fractions import Fraction

import numpy as np
import pytest
import torch

import theory.dufm
from numerics import descent

pytestmark = pytest.mark.any_type

NOT_FINITE = [torch.full((2, 4, 6), torch.nan), *[torch.zeros(2, 6, 6)] * 2, torch.zeros(2, 4, 6)]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"K": 1}, ValueError, "K = 1; K must be an integer ≥ 2"),
        ({"K": 4.5}, ValueError, r"K = 4\.5; K must be an integer ≥ 2"),
        ({"K": "4"}, TypeError, "K = '4' is a str; K must be an integer ≥ 2"),
        ({"L": 1}, ValueError, "L = 1; L must be an integer ≥ 2"),
        ({"lam": 0}, ValueError, "lam = 0; lam must be a finite number > 0"),
        ({"lam": "1e-320"}, ValueError, "lam is so small that the loss is below"),
        ({"lam": float("nan")}, ValueError, "lam = nan; lam must be"),
        ({"lam": "a"}, ValueError, "lam = 'a'; lam must be"),
        ({"lam": "1e-340"}, ValueError, "must be within the range of float64"),
        ({"lam": None}, ValueError, "neither of lam and lams given; exactly one is allowed"),
        ({"lams": [1e-3] * 4}, ValueError, "both of lam and lams given; exactly one is allowed"),
        ({"lam": None, "lams": [1e-3] * 3}, ValueError, r"lams has 3 entries; for L = 3 it must have L\+1 = 4"),
        ({"lam": None, "lams": [1e-3, -1, 1, 1]}, ValueError, r"lams\[1\] = -1; lams\[1\] must be"),
        ({"lam": None, "lams": [1e-3, 0, 1, 1]}, ValueError, r"lams\[1\] = 0; lams\[1\] must be a finite number > 0"),
        ({"n": 0}, ValueError, "n = 0; n must be an integer ≥ 1"),
        ({"width": 3}, ValueError, "width = 3; width must be an integer ≥ K = 4 in every layer"),
        ({"width": [5, 5]}, ValueError, r"width = \[5, 5\]; width must be one integer or a sequence of L = 3 of them"),
        ({"seeds": 0}, ValueError, "seeds = 0; seeds must be an integer ≥ 1"),
        ({"seeds": []}, ValueError, "seeds must hold at least one seed"),
        ({"seeds": [1, 1]}, ValueError, r"seeds = \[1, 1\]; seeds must be distinct"),
        ({"seeds": [-1]}, ValueError, "seeds = -1; seeds must be an integer ≥ 0"),
        ({"seeds": {1, 2}}, TypeError, "seeds = .* is a set; seeds must be an integer ≥ 1"),
        ({"steps": -1}, ValueError, "steps = -1; steps must be an integer ≥ 0"),
        ({"lr": 0.0}, ValueError, r"lr = 0\.0; lr must be a finite real number > 0"),
        ({"init_scale": -1}, ValueError, "init_scale = -1; init_scale must be a finite real number > 0"),
        ({"init_scale": [1, 2]}, ValueError, r"init_scale has 2 entries; init_scale must be one number or L \+ 1 = 4"),
        ({"init_scale": 1e300}, ValueError, r"init_scale = 1e\+300: the loss at the start is not finite.*be smaller"),
        ({"init_scale": 1.7e308}, ValueError, "the loss at the start is not finite; init_scale must be smaller"),
        ({"init_scale": 1e39, "dtype": torch.float32}, ValueError, "is not finite; init_scale must be smaller"),
        ({"init_scale": 1e-46, "dtype": torch.float32}, ValueError, "the start is 0 in torch.float32; .* be larger"),
        ({"init_scale": [1, 5e-324, 1, 1]}, ValueError, "the start is 0 in torch.float64; init_scale must be larger"),
        ({"optimizer": "sgd"}, ValueError, "optimizer = 'sgd'; optimizer must be one of 'gd', 'momentum', 'adam'"),
        ({"optimizer_options": {"momentum": 0.9}}, TypeError, "'momentum', which 'gd' does not take"),
        ({"activation": "tanh"}, ValueError, "activation = 'tanh'; activation must be"),
        ({"activation": ["relu"]}, ValueError, "activation must be one or a sequence of L−1 = 2 of them"),
        ({"activation": "relu_eps", "eps": 0}, ValueError, "eps = 0; eps must be .*> 0"),
        ({"record": 1}, ValueError, "record = 1; record must be an integer ≥ 2"),
        ({"record": [11]}, ValueError, "record = 11; record must not go beyond steps = 10"),
        ({"record": "all"}, TypeError, "record = 'all' is a str; record must be an integer ≥ 2"),
        (
            {"dtype": torch.float16},
            ValueError,
            r"dtype = torch\.float16; dtype must be torch\.float32 or torch\.float64",
        ),
        ({"dtype": "float32"}, ValueError, r"dtype = 'float32'; dtype must be torch\.float32 or torch\.float64"),
        ({"device": "nowhere"}, ValueError, "device .*nowhere"),
        ({"threads": 0}, ValueError, "threads = 0; threads must be an integer ≥ 1"),
        ({"initial": NOT_FINITE}, ValueError, "initial has NaN or infinity in H_1; initial must be finite"),
        ({"initial": [torch.zeros(2, 4, 6)]}, ValueError, "parameters must be the 4 matrices H_1, W_1, …, W_L"),
        (
            {"initial": [torch.zeros(3, 4, 6), *[torch.zeros(3, 6, 6)] * 2, torch.zeros(3, 4, 6)]},
            ValueError,
            "initial must hold one run for each of the 2 seeds",
        ),
        (
            {"initial": [torch.zeros(4, 6), *[torch.zeros(6, 6)] * 2, torch.zeros(4, 6)]},
            ValueError,
            "initial must hold one run for each of the 2 seeds",
        ),
        (
            {"initial": [torch.zeros(2, 4, 6), *[torch.zeros(2, 6, 6)] * 2, torch.zeros(2, 4, 5)]},
            ValueError,
            r"W_3 has shape \(2, 4, 5\); W_3 must have shape \(2, 4, 6\)",
        ),
        (
            {"initial": [1e200 * torch.ones(2, *s, dtype=torch.float64) for s in [(4, 6), (6, 6), (6, 6), (4, 6)]]},
            ValueError,
            "initial: the loss at the start is not finite; initial must be smaller",
        ),
    ],
)
@pytest.mark.filterwarnings("error")
def test_names_argument_value_and_what_is_allowed(change, error, message):
    arguments = {"K": 4, "L": 3, "lam": 1e-3, "width": 6, "seeds": 2, "steps": 10} | change
    with pytest.raises(error, match=message) as raised:
        descent.train(**arguments)
    assert "\n" not in str(raised.value)


INTEGERS = [np.int8, np.uint8, np.int16, np.uint64, float, np.float32, Fraction, torch.tensor, np.array]


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_mean_the_same_in_every_type(kind):
    plain = descent.train(4, 3, 1e-3, n=2, width=6, seeds=2, steps=10, record=3, threads=1)
    other = descent.train(
        kind(4), kind(3), 1e-3, n=kind(2), width=kind(6), seeds=kind(2), steps=kind(10), record=kind(3), threads=kind(1)
    )
    assert other.problem == plain.problem
    assert (other.seeds, other.steps) == (plain.seeds, plain.steps)
    np.testing.assert_array_equal(other.history.loss, plain.history.loss)
    np.testing.assert_array_equal(plain.gram(kind(2)), plain.gram(2))
    solution = theory.dufm.dnc(4, 3, 1e-3)
    assert descent.from_solution(solution, kind(6)).problem == descent.from_solution(solution, 6).problem


@pytest.mark.parametrize("kind", [str, Fraction, np.float64, np.float32, torch.tensor, np.array])
def test_reals_mean_the_same_in_every_type(kind):
    arguments = {"width": 6, "seeds": 2, "steps": 10, "optimizer": "momentum"}
    plain = descent.train(4, 3, 0.125, lr=0.5, init_scale=0.75, optimizer_options={"momentum": 0.5}, **arguments)
    other = descent.train(
        4, 3, kind(0.125), lr=kind(0.5), init_scale=kind(0.75), optimizer_options={"momentum": kind(0.5)}, **arguments
    )
    assert other.problem == plain.problem
    np.testing.assert_array_equal(other.losses, plain.losses)
    np.testing.assert_array_equal(
        plain.polish(eps=kind(0.25), tol=kind(0.5)).losses, plain.polish(eps=0.25, tol=0.5).losses
    )
    np.testing.assert_array_equal(plain.gradient_norms(kind(0.25)), plain.gradient_norms(0.25))


def test_a_decimal_string_is_exact():
    runs = descent.train(4, 3, "1e-3", width=4, seeds=1, steps=1)
    assert runs.problem.exact_lams[0] == Fraction(1, 1000)
    np.testing.assert_array_equal(runs.losses, descent.train(4, 3, 1e-3, width=4, seeds=1, steps=1).losses)


def test_what_is_no_solution():
    with pytest.raises(TypeError, match=r"solution = 'srg' is a str; solution must be a theory\.dufm\.Solution"):
        descent.from_solution("srg")
    with pytest.raises(ValueError, match="width = 9; width must be an integer ≥ 10"):
        descent.from_solution(theory.dufm.dnc(10, 3, 1e-3), 9)


@pytest.mark.parametrize("options", [{"eps": 0}, {"tol": -1}, {"max_steps": 0}, {"max_steps": 1.5}])
def test_wrong_options_of_polishing(options):
    runs = descent.train(3, 3, 1e-2, width=4, seeds=1, steps=1)
    ((name, value),) = options.items()
    for polish in (runs.polish, lambda **o: descent.polish(runs.problem, runs.parameters, **o)):
        with pytest.raises(ValueError, match=f"{name} = {value}; {name} must be"):
            polish(**options)
