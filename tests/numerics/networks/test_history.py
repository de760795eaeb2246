"""Histories: files and back, resuming, tables, pictures, and the logs of TensorBoard and Lightning."""

import dataclasses
import math

import pytest
import torch
from collapse_reference import labelled
from figures import faults
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from numerics.networks import CollapseHistory, CollapseMonitor, CollapseRecord, Diverged

K = 3


def model(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, K))


def loader(n=60):
    X, y = labelled(n, 4, K)
    return DataLoader(TensorDataset(X.float(), y), batch_size=16, shuffle=True)


def train(network, data, epochs):
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in epochs:
        for x, y in data:
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(x), y).backward()
            optimiser.step()
        yield


@pytest.fixture(scope="module")
def trained():
    network, data = model(), loader()
    monitor = CollapseMonitor(network, nn.ReLU, K, scatter_up_to=7)
    monitor.measure(data)
    for _ in train(network, data, range(3)):
        monitor.measure(data)
    return monitor


def same(one, other):
    """Equal, where nan is nan."""
    return repr(dataclasses.asdict(one)) == repr(dataclasses.asdict(other))


def test_files_and_back(trained, tmp_path):
    path = tmp_path / "history.json"
    broken = CollapseMonitor(trained.model, nn.ReLU, K, scatter_up_to=7, loss=lambda *_: torch.tensor(torch.inf))
    with pytest.raises(Diverged):
        broken.measure(loader())
    history = CollapseHistory(
        trained.history.subject, [*trained.history.records, dataclasses.replace(broken.history.records[0], epoch=9)]
    )
    history.save(path)
    again = CollapseHistory.load(path)
    assert same(again, history)
    assert [record.epoch for record in again.records] == [0, 1, 2, 3, 9]
    assert again.records[-1].diverged == "the loss is inf"
    assert any(math.isnan(value) for value in again.records[0]["1"].values.values())


def test_a_training_is_resumed_where_it_stopped(tmp_path):
    path, data = tmp_path / "history.json", loader()
    network = model()
    first = CollapseMonitor(network, nn.ReLU, K, history=path)
    for _ in train(network, data, range(3)):
        first.measure(data)
    second = CollapseMonitor(network, nn.ReLU, K, history=path)
    assert same(second.history, first.history)
    assert second.measure(data).epoch == 3
    second.measure(data, epoch=1)  # from a checkpoint of before: what came later is of another course of the training
    assert [record.epoch for record in CollapseHistory.load(path).records] == [0, 1]


def test_a_frame_has_a_row_for_each_epoch_and_layer(trained):
    frame = trained.history.to_frame()
    assert list(frame.columns[:6]) == ["epoch", "error", "loss", "diverged", "layer", "width"]
    assert list(zip(frame.epoch, frame.layer, strict=True)) == [
        (epoch, layer) for epoch in range(4) for layer in ("1", "3", "4.input")
    ]
    row = frame[(frame.epoch == 2) & (frame.layer == "3")].iloc[0]
    assert row.nc1 == trained.history.records[2]["3"]["nc1"]
    diverged = CollapseHistory(trained.history.subject, [CollapseRecord(0, diverged="the loss is nan")]).to_frame()
    assert diverged.diverged.tolist() == ["the loss is nan"]


def test_the_picture_shows_layers_by_epoch_and_epochs_by_layer(trained):
    figure = trained.history.plot(["nc1", "nc3"])
    assert faults(figure) == []
    assert [text.get_text() for text in figure.axes[1].get_legend().get_texts()] == ["1", "3", "4.input"]
    above, nc3, below, _ = figure.axes
    lines = {line.get_label(): line for line in above.get_lines()}
    assert list(lines) == ["1", "3", "4.input"]
    records = trained.history.records
    assert lines["3"].get_ydata().tolist() == [record["3"]["nc1"] for record in records]
    assert [line.get_label() for line in nc3.get_lines()] == ["4.input"]
    assert nc3.get_lines()[0].get_color() == lines["4.input"].get_color()
    assert below.get_lines()[-1].get_ydata()[1] == records[-1]["3"]["nc1"]
    with pytest.raises(ValueError, match="measures contains 'nc9'; each must be one of"):
        trained.history.plot(["nc9"])
    with pytest.raises(ValueError, match="no epoch that was measured"):
        CollapseHistory(trained.history.subject).plot()


def test_tensorboard_has_what_was_measured(trained, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path) as writer:
        for record in trained.history.records:
            record.log(writer, prefix="nc")
    events = EventAccumulator(str(tmp_path)).Reload()
    assert set(events.Tags()["scalars"]) == set(trained.history.records[0].scalars("nc"))
    found = [(event.step, event.value) for event in events.Scalars("nc/3/nc1")]
    wanted = [(record.epoch, pytest.approx(record["3"]["nc1"], rel=1e-6)) for record in trained.history.records]
    assert found == wanted
    assert "nc/1/rank" not in events.Tags()["scalars"]  # not had: the layer is wider than scatter_up_to


@pytest.fixture
def lightning():
    import lightning.pytorch

    return lightning.pytorch


def fit(lightning, folder, epochs, checkpoint=None, **options):
    from numerics.networks.lightning import CollapseCallback

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = model()

        def forward(self, x):
            return self.net(x)

        def training_step(self, batch, _):
            return nn.functional.cross_entropy(self(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    logger = lightning.loggers.CSVLogger(folder)
    callback = CollapseCallback("net.[13]", K, every=2, **options)
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    trainer = lightning.Trainer(
        max_epochs=epochs, logger=logger, callbacks=[callback], default_root_dir=folder, log_every_n_steps=1, **quiet
    )
    module = Module()
    torch.manual_seed(1)
    trainer.fit(module, loader(), ckpt_path=checkpoint)
    return trainer, module, callback


def test_lightning_measures_logs_and_resumes(lightning, tmp_path):
    trainer, module, callback = fit(lightning, tmp_path, 4)
    records = callback.monitor.history.records
    assert [record.epoch for record in records] == [1, 3]
    assert list(records[0].layers) == ["net.1", "net.3", "net.4.input"]
    logged = trainer.logged_metrics["collapse/net.3/nc1"]
    assert float(logged) == pytest.approx(records[-1]["net.3"]["nc1"], rel=1e-6)
    again = CollapseMonitor(module, "net.[13]", K).measure(loader())
    assert again["net.3"]["nc1"] == pytest.approx(records[-1]["net.3"]["nc1"], rel=1e-10)
    path = tmp_path / "last.ckpt"
    trainer.save_checkpoint(path)
    _, _, resumed = fit(lightning, tmp_path, 6, checkpoint=path)
    assert [record.epoch for record in resumed.monitor.history.records] == [1, 3, 5]
    assert same(resumed.monitor.history.records[0], records[0])


def test_lightning_trains_the_same_with_the_callback(lightning, tmp_path):
    from numerics.networks.lightning import CollapseCallback

    measured = fit(lightning, tmp_path, 4)[1]
    original = CollapseCallback.on_train_epoch_end
    try:
        CollapseCallback.on_train_epoch_end = lambda *_: None
        alone = fit(lightning, tmp_path, 4)[1]
    finally:
        CollapseCallback.on_train_epoch_end = original
    for one, other in zip(measured.state_dict().values(), alone.state_dict().values(), strict=True):
        assert torch.equal(one, other)
