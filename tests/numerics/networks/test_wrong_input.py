"""What the monitor says of layers, loaders, models and files that do not fit."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from numerics.networks import CollapseHistory, CollapseMonitor, Diverged
from numerics.networks._forward import device_of

K = 3


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, K))


X, Y = torch.randn(12, 4, generator=torch.Generator().manual_seed(0)), torch.arange(12) % K


def refused(message, loader=((X, Y),), layers="1", network=None, **options):
    network = model() if network is None else network
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        CollapseMonitor(network, layers, K, **options).measure(loader)


def test_layers_that_do_not_exist():
    network = nn.ModuleDict({"encoder": nn.Linear(2, 3), "decoder": nn.ReLU()})
    refused("layers = 'encoderr' is in no module of the model; layers must be the name", layers="encoderr")
    refused("such as 'encoder', 'decoder'", layers="encodr", network=network)
    refused("layers = 'block.*' is in no module", layers="block.*")
    refused(
        "layers = Conv2d is in no module of the model; layers must be a type that the model has: Lin", layers=nn.Conv2d
    )
    refused("layers = [] is a list", layers=[])
    refused("layers = 3 is a int", layers=[3])
    refused("layers = <class 'int'> is a type", layers=int)
    refused("classifier = '1' is a ReLU; classifier must be a Linear layer with num_classes = 3", classifier="1")
    refused("pooling has a key '0'; its keys must be layers that are measured: ['1', '2.input']", pooling={"0": "mean"})
    refused("pooling = 'sum'", pooling="sum")


def test_models_that_cannot_be_measured():
    refused("model = 3 is a int; model must be a torch.nn.Module", network=3)
    refused("model is on the device meta", network=model().to("meta"))
    refused("no shape yet", network=nn.Sequential(nn.LazyLinear(5), nn.ReLU(), nn.Linear(5, K)))
    mixed = model()
    mixed[0].to("meta")
    refused("model is on the device meta", network=mixed)
    refused("device 'nowhere' cannot be used here", device="nowhere")
    refused(
        "model gives (12, 5) for 12 samples; it must give (samples, num_classes = 3)", network=model()[:2], layers="1"
    )
    refused("layer '0' gives a tuple; pooling must be a function", network=nn.Sequential(nn.LSTM(4, K)), layers="0")


@pytest.mark.parametrize(
    ("places", "wanted", "message"),
    [
        (["cpu", "cuda:0"], None, "model is on ['cpu', 'cuda:0']; model must be on one device, or device be given"),
        (["cuda:1"], "cuda:0", "device = 'cuda:0' but the model is on cuda:1; they must agree"),
        (["cpu"], "cuda", "device = 'cuda' but the model is on cpu; they must agree"),
        (["cuda:0"], "cuda", None),
        (["cuda:0", "cuda:1"], "cuda:1", None),
        ([], None, None),
    ],
)
def test_a_model_on_another_device(places, wanted, message):
    """Of devices that are not here: a network is what has parameters and buffers that say where they are."""
    network = SimpleNamespace(
        parameters=lambda: [SimpleNamespace(device=torch.device(place)) for place in places], buffers=list
    )
    asked = None if wanted is None else torch.device(wanted)
    if message is None:
        assert device_of(network, asked) == (asked or torch.device("cpu"))
        return
    with pytest.raises(ValueError, match=re.escape(message)):
        device_of(network, asked)


def test_loaders_that_do_not_fit():
    refused("loader gives a Tensor without labels", loader=[X])
    refused("loader gives a tuple without labels", loader=[(X,)])
    refused("loader gives a tuple without labels", loader=[(X, Y.double())])
    refused("loader gives no samples", loader=[])
    refused("loader = 3 is a int", loader=3)
    refused("classes without a sample: [1, 2]; every one of the num_classes = 3", loader=[(X, 0 * Y)])
    refused("loader's labels contains 4; labels must lie in 0…2", loader=[(X, Y + 2)])
    refused("loader gave 12 samples and then 0; it must give the same each time", loader=iter([(X, Y)]))
    refused("loader gives inputs with NaN or infinity", loader=[(X * torch.nan, Y)])


def test_arguments():
    refused("passes = 3; passes must be", passes=3)
    refused("passes", passes=0)
    refused("weighting", weighting="batches")
    refused("divisor", divisor="K")
    refused("means", means="raw")
    refused("loss = 3 is a int; loss must be a function", loss=3)
    refused("dtype", dtype=torch.float16)
    monitor = CollapseMonitor(model(), "1", K)
    with pytest.raises(ValueError, match="epoch = nan"):
        monitor.measure([(X, Y)], epoch=np.nan)


@pytest.mark.parametrize("where", ["features", "outputs", "loss"])
def test_a_diverged_run_is_reported_as_such(where):
    network = model()
    if where != "loss":
        with torch.no_grad():
            network[{"features": 0, "outputs": 2}[where]].weight.fill_(torch.nan)
    monitor = CollapseMonitor(network, "1", K, loss=lambda outputs, labels: outputs.sum() * torch.nan)
    with pytest.raises(Diverged, match=r"at epoch 7, the .*: the network has diverged") as caught:
        monitor.measure([(X, Y)], epoch=7)
    assert where in str(caught.value) or where == "loss"
    record = monitor.history.records[-1]
    assert record.epoch == 7
    assert record.diverged in str(caught.value)
    assert not record.layers
    assert network.training


def test_a_failure_in_the_model_leaves_it_as_it_was():
    network = model()
    monitor = CollapseMonitor(network, "1", K)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        monitor.measure([(X[:, :2], Y)])
    assert network.training
    assert all(not module._forward_hooks for module in network.modules())
    assert len(monitor.history) == 0


def test_a_resumed_file_of_another_architecture(tmp_path):
    path = tmp_path / "history.json"
    CollapseMonitor(model(), "1", K, history=path).measure([(X, Y)])
    CollapseMonitor(model(), "1", K, history=path)
    wider = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, K))
    for network, layers, options, message in [
        (wider, "1", {}, "architecture (names and shapes of parameters)"),
        (model(), "0", {}, "layers ['1', '2.input']; history must be of what is measured: ['0', '2.input']"),
        (model(), "1", {"divisor": "KN"}, "conventions"),
        (model(), "1", {"pooling": "mean"}, "conventions"),
    ]:
        with pytest.raises(ValueError, match=re.escape(f"history is of {message}")):
            CollapseMonitor(network, layers, K, history=path, **options)
    for text in ["", "{}", "[]", '{"format": 9}', json.dumps({"format": 1, "subject": 3, "records": []})]:
        path.write_text(text)
        with pytest.raises(ValueError, match="is no history of collapse that this version can read"):
            CollapseHistory.load(path)
