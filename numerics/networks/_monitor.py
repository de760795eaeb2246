"""Neural collapse of one's own network, layer by layer, while it trains."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from numerics.metrics import Weighting
from numerics.networks._forward import device_of, labelled, undisturbed, unwrapped
from numerics.networks._history import CollapseHistory, CollapseRecord, Subject
from numerics.networks._layers import Layers, Pooling, check_pooling, classifier_of, select_layers
from numerics.networks._measuring import Conventions, measure_layer
from numerics.networks._passes import Diverged, Plan, Totals, first_pass, second_pass
from numerics.tensors import check_device
from theory.arguments import LARGEST_SIZE, IntegerLike, RealLike, check_choice, check_integer, check_real
from theory.wording import wrong_type

__all__ = ["CollapseMonitor"]


class CollapseMonitor:
    """Measures neural collapse in the layers of any torch module, and leaves its training as it was.

    `measure` passes over the data at most twice, in evaluation mode and without gradients; it keeps K·d numbers a
    layer, and d² for layers of up to `scatter_up_to` features. Modes, buffers, gradients and the random generators are
    afterwards what they were. Under torch.distributed every process calls `measure` with its part of the data, and
    gets the measures of all of it.

    Parameters
    ----------
    model : torch.nn.Module
        The network. What wraps it for several devices or compilation is looked through.
    layers : str, type, or a sequence of them
        Whose outputs are measured: names as in ``model.named_modules()``, patterns such as ``"blocks.*.relu"``, or
        types such as ``nn.ReLU``. What enters the classifier is measured besides, as "NAME.input".
    num_classes : int
        K ≥ 2.
    classifier : str, optional
        The name of the linear layer that gives the classes, for NC3; by default the last one with K outputs.
    pooling : {"flatten", "mean", "max", "tokens"} or function, or a mapping from layers' names to these
        How features of more axes than (N, d) become vectors: all of them; the mean or the maximum over all axes after
        the channels' (the second); the mean over all axes but the last, as for tokens; or a function of what the layer
        gives, which returns a tensor whose first axis is the samples'.
    weighting : {"classes", "samples"}
        Whether classes or samples weigh the same in the global mean and in Σ_B.
    divisor : {"N", "KN"}
        By what Σ_W, a sum over all N samples, is divided; with "KN", `nc1` and `nc1_pinv` are K times smaller.
    means : {"unit", "scaled"}
        Whether the centred class means in `nc2_normalised` and `nc3` are scaled to unit length each, or are taken at
        their lengths.
    scatter_up_to : int
        The width up to which a layer's d × d covariance is kept, for its rank and effective rank.
    passes : {1, 2}
        With one pass there is no NC4, and no `nc1_pinv` of wider layers.
    predict : function, optional
        From the model's output to scores (N, K), where these are not the output itself.
    unpack : function, optional
        From a batch of the loader to inputs (a mapping is given as keyword arguments) and labels; by default its first
        and its last entry.
    loss : function, optional
        From the model's output and labels to the mean loss, which is recorded then.
    device : str or torch.device, optional
        Where inputs are moved to; by default where the model is.
    dtype : torch.dtype
        In which is accumulated: float64, or float32 on devices that have no other.
    history : CollapseHistory or path, optional
        What to continue. A path is read if it exists, and written after each measurement by the first process.

    Attributes
    ----------
    history : CollapseHistory
        All records.
    layers : list of str
        The layers measured.
    classifier : str or None
        The layer that gives the classes.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of these, a layer does not exist, or the history is of another network.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> X = torch.tensor([[0.0, 1.0], [0.1, 1.0], [1.0, 0.0], [1.0, 0.1]])
    >>> monitor = CollapseMonitor(model, layers=nn.ReLU, num_classes=2)
    >>> record = monitor.measure([(X, torch.tensor([0, 0, 1, 1]))])
    >>> list(record.layers), record["1"]["nc1"] < 0.1
    (['1', '2.input'], True)
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Layers,
        num_classes: IntegerLike,
        *,
        classifier: str | None = None,
        pooling: Pooling | Mapping[str, Pooling] = "flatten",
        weighting: Weighting = "classes",
        divisor: Literal["N", "KN"] = "N",
        means: Literal["unit", "scaled"] = "unit",
        scatter_up_to: IntegerLike = 1024,
        passes: IntegerLike = 2,
        predict: Callable[[Any], Tensor] | None = None,
        unpack: Callable[[Any], tuple[Any, Tensor]] | None = None,
        loss: Callable[[Any, Tensor], Tensor] | None = None,
        device: str | torch.device | None = None,
        dtype: torch.dtype = torch.float64,
        history: CollapseHistory | str | os.PathLike[str] | None = None,
    ) -> None:
        self.model = unwrapped(model)
        self.num_classes = check_integer("num_classes", num_classes, at_least=2, at_most=LARGEST_SIZE)
        self.layers = select_layers(self.model, layers)
        self.classifier = classifier_of(self.model, classifier, self.num_classes)
        self.conventions = Conventions(
            check_choice("weighting", weighting, ("classes", "samples")),
            check_choice("divisor", divisor, ("N", "KN")),
            check_choice("means", means, ("unit", "scaled")),
        )
        self.pooling = check_pooling(pooling, [*self.layers, *self._entered()])
        self.scatter_up_to = check_integer("scatter_up_to", scatter_up_to, at_least=0, at_most=LARGEST_SIZE)
        self.passes = check_integer("passes", passes, at_least=1, at_most=2)
        self.predict = _function("predict", predict) or _itself
        self.unpack = _function("unpack", unpack) or labelled
        self.loss = _function("loss", loss)
        self.device = None if device is None else check_device(device)
        self.dtype = check_choice("dtype", dtype, (torch.float32, torch.float64))
        self.path = None if history is None or isinstance(history, CollapseHistory) else Path(history)
        self.history = self._continued(history)

    def measure(self, loader: Iterable[Any], *, epoch: RealLike | None = None) -> CollapseRecord:
        """Pass over the data, add what is found to the history, and return it.

        Parameters
        ----------
        loader : iterable of batches
            Such as a torch DataLoader; it is gone through once for each pass, with the random generators in the same
            state. Of a distributed training, this process's part: a sampler that repeats samples to make parts equal
            makes these count twice. One DataLoader with persistent workers cannot be gone through twice at a time:
            measure between epochs then.
        epoch : int or float, optional
            When; by default one more than at the last record.

        Returns
        -------
        CollapseRecord

        Raises
        ------
        Diverged
            If features, outputs or the loss are not finite. A record that says where is in the history then.
        TypeError, ValueError
            If the loader gives no labels, a class has no sample, or a layer's output does not fit.
        """
        when = self._next_epoch() if epoch is None else check_real("epoch", epoch)
        when = int(when) if when == round(when) else when
        try:
            record = self._measured(loader, when)
        except Diverged as error:
            self._keep(CollapseRecord(when, diverged=str(error)))
            raise Diverged(f"at epoch {when:g}, {error}: the network has diverged") from error
        self._keep(record)
        return record

    def _measured(self, loader: Iterable[Any], epoch: float) -> CollapseRecord:
        if not isinstance(loader, Iterable):
            raise wrong_type("loader", loader, "loader must give batches when it is gone through")
        plan = self._plan()
        with undisturbed(self.model, loader) as rewind:
            totals, own = first_pass(plan, loader)
            for statistics in totals.statistics.values():
                statistics.require_samples()
            rewind()
            fits = second_pass(plan, loader, totals, own) if self.passes == 2 else {}
        return CollapseRecord(
            epoch,
            totals.samples,
            totals.wrong / totals.samples,
            None if self.loss is None else totals.loss / totals.samples,
            {
                layer: measure_layer(statistics, fits.get(layer), self._weight(layer), totals.samples, self.conventions)
                for layer, statistics in self._ordered(totals).items()
            },
        )

    def _plan(self) -> Plan:
        _check_initialised(self.model)
        return Plan(
            self.model,
            self.layers,
            self.classifier,
            self.num_classes,
            self.pooling,
            self.unpack,
            self.predict,
            self.loss,
            self.conventions.weighting,
            self.scatter_up_to,
            device_of(self.model, self.device),
            self.dtype,
        )

    def _ordered(self, totals: Totals) -> dict[str, Any]:
        """In the model's order, whatever the order in which the layers were called."""
        order = [*self.layers, *self._entered()]
        names = sorted(totals.statistics, key=lambda name: order.index(name.partition(":")[0]))
        return {name: totals.statistics[name] for name in names}

    def _entered(self) -> list[str]:
        return [] if self.classifier is None else [f"{self.classifier}.input"]

    def _weight(self, layer: str) -> Tensor | None:
        if self.classifier is None or layer != f"{self.classifier}.input":
            return None
        weight: Tensor = self.model.get_submodule(self.classifier).weight  # type: ignore[assignment]
        return weight.detach().to("cpu", self.dtype)

    def _next_epoch(self) -> float:
        return self.history.records[-1].epoch + 1 if self.history.records else 0

    def _keep(self, record: CollapseRecord) -> None:
        self.history.add(record)
        first = not (torch.distributed.is_available() and torch.distributed.is_initialized())
        if self.path is not None and (first or torch.distributed.get_rank() == 0):
            self.history.save(self.path)

    def _continued(self, history: CollapseHistory | str | os.PathLike[str] | None) -> CollapseHistory:
        conventions = {name: str(value) for name, value in asdict(self.conventions).items()}
        conventions |= {name: way if isinstance(way, str) else "function" for name, way in self._ways().items()}
        _check_initialised(self.model)
        subject = Subject(_architecture(self.model), self.num_classes, [*self.layers, *self._entered()], conventions)
        if self.path is not None and self.path.exists():
            history = CollapseHistory.load(self.path)
        if not isinstance(history, CollapseHistory):
            return CollapseHistory(subject)
        subject.check_same(history.subject)
        return history

    def _ways(self) -> dict[str, Pooling]:
        return {f"pooling of {name}": way for name, way in self.pooling.items()}


def _itself(outputs: Any) -> Any:
    return outputs


def _function(name: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise wrong_type(name, value, f"{name} must be a function")
    return value


def _architecture(model: nn.Module) -> str:
    """Digest the names and shapes of a network's parameters and buffers."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    shapes = sorted((name, list(tensor.shape)) for name, tensor in tensors)
    return hashlib.sha256(json.dumps(shapes).encode()).hexdigest()[:16]


def _check_initialised(model: nn.Module) -> None:
    for name, parameter in model.named_parameters():
        if is_lazy(parameter):
            raise ValueError(f"{name} of the model has no shape yet; call the model once, so that it is initialised")
