"""The monitor of collapse as a callback of Lightning, for whoever has it installed."""

from collections.abc import Iterable
from typing import Any

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
except ImportError as error:
    raise ImportError("this module needs Lightning: pip install 'neural-collapse-theory[lightning]'") from error

from torch import Tensor

from numerics.networks._forward import labelled
from numerics.networks._history import CollapseHistory
from numerics.networks._layers import Layers
from numerics.networks._monitor import CollapseMonitor
from theory.arguments import LARGEST_SIZE, IntegerLike, check_integer

__all__ = ["CollapseCallback"]


class CollapseCallback(Callback):  # type: ignore[misc]
    """Measures collapse at the end of training epochs, logs it, and keeps its history in the checkpoints.

    Parameters
    ----------
    layers : str, type, or a sequence of them
        As for `CollapseMonitor`, whose names are those in the Lightning module.
    num_classes : int
        K ≥ 2.
    loader : iterable of batches, optional
        The data; by default the training's own.
    every : int
        Epochs from one measurement to the next.
    prefix : str
        Of the tags, "PREFIX/LAYER/MEASURE".
    **options
        Those of `CollapseMonitor`.

    Attributes
    ----------
    monitor : CollapseMonitor
        Made when the training begins; it has the history.

    Examples
    --------
    >>> callback = CollapseCallback(layers="net.1", num_classes=10, every=5)  # for Trainer(callbacks=[callback])
    """

    def __init__(
        self,
        layers: Layers,
        num_classes: IntegerLike,
        *,
        loader: Iterable[Any] | None = None,
        every: IntegerLike = 1,
        prefix: str = "collapse",
        **options: Any,
    ) -> None:
        super().__init__()
        self.loader = loader
        self.every = check_integer("every", every, at_least=1, at_most=LARGEST_SIZE)
        self.prefix = prefix
        self._layers, self._num_classes, self._options = layers, num_classes, options
        self._restored: CollapseHistory | None = None
        self.monitor: CollapseMonitor

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Make the monitor, with the history that a checkpoint brought."""
        options = dict(self._options)
        unpack = options.pop("unpack", labelled)

        def converted(batch: Any) -> tuple[Any, Tensor]:
            inputs, labels = unpack(batch)
            return trainer.precision_plugin.convert_input(inputs), labels

        if self._restored is not None:
            options["history"] = self._restored
        self.monitor = CollapseMonitor(pl_module, self._layers, self._num_classes, unpack=converted, **options)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure and log, if it is time."""
        if (trainer.current_epoch + 1) % self.every:
            return
        loader = trainer.train_dataloader if self.loader is None else self.loader
        with trainer.precision_plugin.forward_context():
            record = self.monitor.measure(loader, epoch=trainer.current_epoch)
        self.log_dict(record.scalars(self.prefix))

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: the history."""
        return {"history": self.monitor.history.to_json()} if hasattr(self, "monitor") else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the history from a checkpoint."""
        if "history" in state_dict:
            self._restored = CollapseHistory.from_json(state_dict["history"], name="state_dict['history']")
