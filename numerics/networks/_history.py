"""What a monitor measured, epoch by epoch: in tables, in files, in pictures, in the logs of other tools."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from numerics.files import check_output, check_path, replacing
from numerics.networks._plotting import plot_history
from theory.arguments import check_real

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

__all__ = ["CollapseHistory", "CollapseRecord", "LayerCollapse", "ScalarWriter", "Subject"]

FORMAT = 1


@runtime_checkable
class ScalarWriter(Protocol):
    """What takes scalars, as TensorBoard's SummaryWriter does."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> Any:
        """Take in a number."""


@dataclass(frozen=True)
class LayerCollapse:
    """The measures of one layer.

    Attributes
    ----------
    width : int
        Features of a sample.
    values : mapping of str to float
        The measures by name; nan where one is not defined or was not had.
    undefined : mapping of str to str
        For each measure that is nan, why.
    """

    width: int
    values: Mapping[str, float]
    undefined: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, measure: str) -> float:
        return self.values[measure]


@dataclass(frozen=True)
class CollapseRecord:
    """What was measured at one epoch.

    Attributes
    ----------
    epoch : int or float
        When.
    samples : int
        On how many.
    error : float
        Share of samples whose predicted class is not their label.
    loss : float or None
        The mean loss, where the monitor was given one.
    layers : mapping of str to LayerCollapse
        In the model's order.
    diverged : str
        Where NaN or infinity was found, and nothing measured; empty otherwise.
    """

    epoch: float
    samples: int = 0
    error: float = math.nan
    loss: float | None = None
    layers: Mapping[str, LayerCollapse] = field(default_factory=dict)
    diverged: str = ""

    def __getitem__(self, layer: str) -> LayerCollapse:
        return self.layers[layer]

    def scalars(self, prefix: str = "collapse") -> dict[str, float]:
        """Return what is finite, by tags ``prefix/layer/measure``, as loggers take it."""
        found = {f"{prefix}/error": self.error} | ({} if self.loss is None else {f"{prefix}/loss": self.loss})
        for name, layer in self.layers.items():
            found |= {f"{prefix}/{name}/{measure}": value for measure, value in layer.values.items()}
        return {tag: value for tag, value in found.items() if math.isfinite(value)}

    def log(self, writer: ScalarWriter, prefix: str = "collapse") -> None:
        """Write `scalars` to a TensorBoard SummaryWriter, or to anything with its ``add_scalar``."""
        for tag, value in self.scalars(prefix).items():
            writer.add_scalar(tag, value, round(self.epoch))


@dataclass(frozen=True)
class Subject:
    """What a history is of, so that a file is not continued by another network or under other conventions.

    Attributes
    ----------
    architecture : str
        A digest of the names and shapes of the network's parameters and buffers.
    num_classes : int
    layers : list of str
    conventions : mapping of str to str
    """

    architecture: str
    num_classes: int
    layers: Sequence[str]
    conventions: Mapping[str, str]

    def check_same(self, other: Subject) -> None:
        """Raise ValueError, naming what differs, unless the other is the same."""
        for name, mine in asdict(self).items():
            theirs = asdict(other)[name]
            if mine != theirs:
                what = "(names and shapes of parameters) " if name == "architecture" else ""
                raise ValueError(
                    f"history is of {name} {what}{theirs!r}; history must be of what is measured: {mine!r}"
                )


@dataclass
class CollapseHistory:
    """The records of a training, one an epoch, in order.

    Attributes
    ----------
    subject : Subject
    records : list of CollapseRecord
    """

    subject: Subject
    records: list[CollapseRecord] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.records)

    def add(self, record: CollapseRecord) -> None:
        """Append a record; those of its epoch and later ones, of a training resumed from before, make room."""
        check_real("epoch", record.epoch)
        self.records = [*(old for old in self.records if old.epoch < record.epoch), record]

    def to_frame(self) -> pandas.DataFrame:
        """Return a pandas DataFrame with a row for each epoch and layer, a column for each measure.

        Raises
        ------
        ImportError
            If pandas is missing.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("to_frame needs pandas: pip install 'neural-collapse-theory[frame]'") from error
        rows: list[dict[str, Any]] = []
        for record in self.records:
            about = {"epoch": record.epoch, "error": record.error, "loss": record.loss, "diverged": record.diverged}
            rows += [
                about | {"layer": name, "width": layer.width, **layer.values} for name, layer in record.layers.items()
            ] or [about | {"layer": None}]
        return pandas.DataFrame(rows)

    def plot(self, measures: Sequence[str] = ("nc1", "nc2_normalised", "nc3", "nc4")) -> Figure:
        """Plot measures by epoch, a line a layer, and by layer, a line an epoch.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If there is nothing to plot, or no such measure.
        """
        return plot_history(
            [record.epoch for record in self.records if record.layers],
            [{name: layer.values for name, layer in record.layers.items()} for record in self.records if record.layers],
            measures,
        )

    def to_json(self) -> str:
        """Return the history as JSON; what is not finite is a string in it: "nan", "inf"."""
        content = {"format": FORMAT, "subject": asdict(self.subject), "records": [asdict(r) for r in self.records]}
        return json.dumps(_written(content), ensure_ascii=False, allow_nan=False, indent=1)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_json` to a file, whole or not at all.

        Raises
        ------
        OSError, ValueError
            If the file cannot be written.
        """
        with replacing(check_output(path)) as new:
            new.write_text(self.to_json(), encoding="utf-8")

    @staticmethod
    def load(path: str | os.PathLike[str]) -> CollapseHistory:
        """Read a history that `save` wrote.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is no such file.
        """
        check_path("path", path)
        return CollapseHistory.from_json(Path(path).read_text(encoding="utf-8"), name=f"path = {os.fspath(path)!r}")

    @staticmethod
    def from_json(text: str, *, name: str = "text") -> CollapseHistory:
        """Read what `to_json` gave.

        Raises
        ------
        ValueError
            If it is something else.
        """
        try:
            content = json.loads(text)
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']}")
            subject = Subject(**content["subject"])
            return CollapseHistory(subject, [_record(entry) for entry in content["records"]])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{name} is no history of collapse that this version can read: {error}") from error


def _written(value: Any) -> Any:
    """Replace floats that JSON has no word for by strings."""
    if isinstance(value, Mapping):
        return {key: _written(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_written(entry) for entry in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _record(entry: Mapping[str, Any]) -> CollapseRecord:
    layers = {
        name: LayerCollapse(
            layer["width"],
            {measure: float(value) for measure, value in layer["values"].items()},
            layer["undefined"],
        )
        for name, layer in entry["layers"].items()
    }
    loss = entry["loss"]
    return CollapseRecord(
        entry["epoch"],
        entry["samples"],
        float(entry["error"]),
        None if loss is None else float(loss),
        layers,
        entry["diverged"],
    )
