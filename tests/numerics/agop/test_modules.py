"""numerics.agop.model_agop: modules against Jacobians, at the input and inside; modes, kinds and sizes; wrong input."""

import pytest
import torch
from torch import nn

from numerics.agop import model_agop

F64 = torch.float64


def points(n, d, seed=0, dtype=F64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Linear(4, 6, dtype=F64)
        self.second = nn.Linear(6, 3, dtype=F64)
        self.unused = nn.Linear(2, 2, dtype=F64)

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))


def test_model_agop_at_the_input_and_at_a_layer():
    model, X = Model(), points(11, 4)
    W1, W2 = model.first.weight, model.second.weight
    expected_input, expected_hidden = torch.zeros(4, 4, dtype=F64), W2.T @ W2
    for x in X:
        J = W2 @ torch.diag(1 - torch.tanh(model.first(x)) ** 2) @ W1
        expected_input += J.T @ J / len(X)
    torch.testing.assert_close(model_agop(model, X, batch_size=4), expected_input.detach())
    torch.testing.assert_close(model_agop(model, X, layer="first"), expected_input.detach())
    torch.testing.assert_close(model_agop(model, X, layer="second", batch_size=5), expected_hidden.detach())
    assert all(not module._forward_pre_hooks for module in model.modules())


def test_model_agop_of_images():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.ReLU(), nn.Linear(8, 3)).double().eval()
    X = points(5, 16).reshape(5, 1, 4, 4)
    J = torch.stack([torch.autograd.functional.jacobian(lambda x: model(x[None])[0], x).flatten(1) for x in X])
    torch.testing.assert_close(model_agop(model, X), torch.einsum("ncd,nce->de", J, J) / 5)
    assert model_agop(model, X, layer="3").shape == (8, 8)


def test_wrong_input_to_model_agop():
    model, X = Model(), points(3, 4)
    with pytest.raises(TypeError, match="Module"):
        model_agop(lambda x: x, X)
    with pytest.raises(ValueError, match="layer must be one of first, second"):
        model_agop(model, X, layer="third")
    with pytest.raises(ValueError, match="called 0 times"):
        model_agop(model, X, layer="unused")
    with pytest.raises(ValueError, match="batch_size"):
        model_agop(model, X, batch_size=0)
    with pytest.raises(ValueError, match="X must hold samples along its first axis"):
        model_agop(model, X[0])
    with pytest.raises(ValueError, match="one vector a sample"):
        model_agop(nn.Unflatten(1, (2, 2)), X)
    with pytest.raises(ValueError, match="X is sparse or nested"):
        model_agop(model, X.to_sparse())
    with pytest.raises(ValueError, match="X is on the device meta"):
        model_agop(model, X.to("meta"))
    with pytest.raises(TypeError, match="X is a list"):
        model_agop(model, X.tolist())


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        (nn.BatchNorm1d(3), "BatchNorm1d"),
        (nn.Dropout(0.5), "Dropout"),
        (nn.AlphaDropout(0.5), "AlphaDropout"),
    ],
)
def test_layers_that_are_another_function_in_training_are_refused_then(layer, named):
    model, X = nn.Sequential(nn.Linear(4, 3), layer, nn.Linear(3, 2)).double(), points(5, 4)
    message = rf"layer '1' of the model, a {named}, is in training mode; the model must be .*: model\.eval\(\)"
    with pytest.raises(ValueError, match=message):
        model_agop(model, X)
    model.eval()
    J = torch.autograd.functional.jacobian(lambda X: model(X).sum(dim=0), X).permute(1, 0, 2).flatten(0, 1)
    torch.testing.assert_close(model_agop(model, X), J.T @ J / 5)


def test_layers_that_are_one_function_in_either_mode_are_taken_in_both():
    linear = nn.Linear(4, 3, dtype=F64)
    model = nn.Sequential(linear, nn.Dropout(0.0), nn.LayerNorm(3, dtype=F64)).train()
    trained = model_agop(model, points(5, 4))
    torch.testing.assert_close(trained, model_agop(model.eval(), points(5, 4)))


def test_a_batch_norm_without_running_statistics_is_no_function_of_a_sample():
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3, track_running_stats=False)).double().eval()
    with pytest.raises(ValueError, match="has no running statistics"):
        model_agop(model, points(5, 4))


class Branch(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Linear(4, 3), ValueError, r"the model has dtype torch\.float32 but X has torch\.float64"),
        (
            lambda: nn.Linear(4, 3, device="meta", dtype=F64),
            ValueError,
            "weight of the model is on meta but X is on cpu",
        ),
        (lambda: nn.LazyLinear(3), ValueError, "weight of the model has no shape yet"),
        (lambda: torch.jit.trace(nn.Linear(4, 3, dtype=F64), points(2, 4)), TypeError, "model is a ScriptModule"),
        (lambda: nn.DataParallel(nn.Linear(4, 3, dtype=F64)), TypeError, r"must be what it wraps: model\.module"),
        (lambda: nn.LSTM(4, 3, dtype=F64), ValueError, "model"),
        (Branch, ValueError, "model cannot be differentiated sample by sample: vmap"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_models_that_cannot_be_differentiated_say_why_in_one_line(make, error, message):
    with pytest.raises(error, match=message) as caught:
        model_agop(make(), points(5, 4))
    assert "\n" not in str(caught.value)


def test_points_that_require_a_gradient_and_parameters_that_do_not_are_taken():
    model, X = Model(), points(5, 4)
    expected = model_agop(model, X)
    result = model_agop(model.requires_grad_(False), X.clone().requires_grad_(), layer="first")
    torch.testing.assert_close(result, expected)
    assert not result.requires_grad


@pytest.mark.parametrize("dtype", [F64, torch.float32])
def test_gradients_of_any_size_are_right_or_refused(dtype):
    model, X = nn.Linear(3, 2, bias=False, dtype=dtype), points(40, 3, dtype=dtype)
    whole = model_agop(model, X, batch_size=7)
    size = 2.0**498 if dtype == F64 else 2.0**40
    for factor in (size, 1.0 / size):
        with torch.no_grad():
            model.weight.mul_(factor)
        torch.testing.assert_close(model_agop(model, X, batch_size=7), whole * factor**2, rtol=1e-5, atol=0.0)
        with torch.no_grad():
            model.weight.mul_(factor)
        with pytest.raises(ValueError, match="the AGOP has entries of size"):
            model_agop(model, X)
        with torch.no_grad():
            model.weight.div_(factor**2)


class Exponential(nn.Module):
    def forward(self, x):
        return torch.exp(x)


def test_gradients_whose_size_grows_from_batch_to_batch():
    X = points(6, 3)
    X[2:4] += 150.0
    X[4:] += 300.0  # gradients of 1e130
    expected = torch.diag(torch.exp(X).square().sum(dim=0) / 6)
    torch.testing.assert_close(model_agop(Exponential(), X, batch_size=2), expected, rtol=1e-13, atol=0.0)
    torch.testing.assert_close(model_agop(Exponential(), X.flip(0), batch_size=2), expected, rtol=1e-13, atol=0.0)
