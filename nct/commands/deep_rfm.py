"""Run a deep recursive feature machine on labelled data and print NC1 and NC2 of every layer, before the AGOP, after it
and after the random features.

Progress goes to standard error, the table to standard output. With --checkpoint the layers done are written after every
layer; an interrupted run (Ctrl-C) leaves them, and the same command with --resume goes on from there.

examples:
  nct deep-rfm --data digits --depth 20
  nct deep-rfm --data mnist1d --depth 10 --kernel gaussian --features cos-laplace-l1 --csv
  nct deep-rfm --data cifar10 --samples 50000 --depth 20 --device cuda --checkpoint cifar10.pt
  nct deep-rfm --data cifar10 --samples 50000 --depth 20 --device cuda --checkpoint cifar10.pt --resume
"""

import argparse
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nct.arguments import Output, add_forms, check_outputs, integer, number
from nct.commands import InputError, wrong_input
from nct.progress import progress, say
from nct.tables import print_csv, print_json, print_table

if TYPE_CHECKING:
    from numerics.deep_rfm import DeepRFM, LayerRecord

__all__ = ["add_arguments", "run"]

DATA = ("digits", "mnist1d", "mnist", "cifar10", "svhn")
FEATURES = ("relu", "cos-gaussian", "cos-laplace-l2", "cos-laplace-l1")
BANDWIDTHS = {"cos-gaussian": 1.0, "cos-laplace-l2": 1.0, "cos-laplace-l1": 20.0}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("--data", choices=DATA, default="digits", help="the data (default: digits)")
    parser.add_argument("--samples", metavar="N", type=integer, help="use the first N samples (default: all)")
    parser.add_argument("--depth", metavar="L", type=integer, default=20, help="number of layers (default: 20)")
    parser.add_argument("--kernel", choices=("laplace", "gaussian"), default="laplace", help="(default: laplace)")
    parser.add_argument("--bandwidth", metavar="B", type=number, default=2.0, help="of the kernel (default: 2)")
    parser.add_argument("--features", choices=FEATURES, default="relu", help="random features (default: relu)")
    parser.add_argument("--width", metavar="W", type=integer, help="number of features (default: 1024, cosine 4096)")
    parser.add_argument(
        "--feature-bandwidth",
        metavar="B",
        type=number,
        help="of the cosine features' kernel (default: 1; laplace-l1: 20)",
    )
    parser.add_argument("--ridge", metavar="G", type=number, default=0.0, help="ridge parameter (default: 0)")
    parser.add_argument("--seed", metavar="S", type=integer, default=0, help="of the random features (default: 0)")
    parser.add_argument("--device", metavar="DEVICE", default="cpu", help="cpu, cuda, cuda:1 … (default: cpu)")
    parser.add_argument("--dtype", choices=("float64", "float32"), default="float64", help="(default: float64)")
    parser.add_argument(
        "--memory-limit", metavar="BYTES", type=integer, help="of the AGOP (default: four fifths of the free)"
    )
    parser.add_argument(
        "--checkpoint", metavar="FILE", type=Path, help="write the layers done to FILE after every layer"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the layers in FILE")
    add_forms(parser, each="one for each layer, with all that was measured")


def run(arguments: argparse.Namespace) -> None:
    """Fit the machine and print its layers."""
    check_outputs(Output("--checkpoint", arguments.checkpoint))
    with wrong_input():
        model = _model(arguments)
        dataset = _dataset(arguments)
    with _progress(model, arguments), wrong_input(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(dataset.X, dataset.y)
        except KeyboardInterrupt:
            _tell_how_to_resume(model, arguments)
            raise
    for warning in caught:
        say(f"warning: {warning.message}", "deep-rfm")
    _print(model.records_, arguments)


def _dataset(arguments: argparse.Namespace) -> Any:
    from numerics import data

    try:
        with progress(f"loading {arguments.data}"):
            dataset = data.load(arguments.data)
    except (ImportError, ConnectionError) as error:
        raise InputError(str(error)) from error
    return (dataset if arguments.samples is None else dataset.first(arguments.samples)).standardised()


def _model(arguments: argparse.Namespace) -> "DeepRFM":
    from numerics.deep_rfm import DeepRFM
    from numerics.kernels import Gaussian, Laplace

    if arguments.resume and arguments.checkpoint is None:
        raise InputError("--resume needs --checkpoint FILE")
    kernel = Laplace if arguments.kernel == "laplace" else Gaussian
    new = DeepRFM(
        arguments.depth,
        kernel=kernel(arguments.bandwidth),
        feature_map=_feature_map(arguments),
        ridge=arguments.ridge,
        memory_limit=arguments.memory_limit,
        device=arguments.device,
        dtype=arguments.dtype,
        random_state=arguments.seed,
    )
    if arguments.checkpoint is None:
        return new
    if not arguments.resume:
        if arguments.checkpoint.exists():
            raise InputError(f"{arguments.checkpoint} exists; go on from it with --resume, or delete it")
        return new
    saved = DeepRFM.load(arguments.checkpoint, device=arguments.device)
    for name in ("kernel", "feature_map", "ridge", "dtype"):
        if repr(getattr(saved, name)) != repr(getattr(new, name)):
            raise InputError(
                f"{arguments.checkpoint} was made with {name} {getattr(saved, name)}, not {getattr(new, name)}"
            )
    if saved.seed_ != DeepRFM.seed_of(arguments.seed):
        raise InputError(f"{arguments.checkpoint} was made with another --seed than {arguments.seed}")
    return saved.set_params(depth=arguments.depth, memory_limit=arguments.memory_limit, warm_start=True)


def _feature_map(arguments: argparse.Namespace) -> Any:
    from numerics.kernels import CosineFeatures, ReLUFeatures

    if arguments.features == "relu":
        if arguments.feature_bandwidth is not None:
            raise InputError("--feature-bandwidth is for cosine features; ReLU features have none")
        return ReLUFeatures(1024 if arguments.width is None else arguments.width)
    bandwidth = BANDWIDTHS[arguments.features] if arguments.feature_bandwidth is None else arguments.feature_bandwidth
    width = 4096 if arguments.width is None else arguments.width
    return CosineFeatures(width, arguments.features.removeprefix("cos-"), bandwidth)


@contextmanager
def _progress(model: "DeepRFM", arguments: argparse.Namespace) -> Iterator[None]:
    """A bar on standard error, and a checkpoint, after every layer."""
    done = len(getattr(model, "records_", []))
    with progress("layers", arguments.depth, done=done) as update:

        def after_layer(model: "DeepRFM", record: "LayerRecord") -> None:
            if arguments.checkpoint is not None:
                model.save(arguments.checkpoint)
            nc1 = record.metrics["projected"].nc1
            update(record.layer, text=f"NC1 after the AGOP {nc1:.3g}")

        model.set_params(callback=after_layer)
        yield


def _tell_how_to_resume(model: "DeepRFM", arguments: argparse.Namespace) -> None:
    done = len(getattr(model, "records_", []))
    if arguments.checkpoint is not None and done:
        message = f"{done} of {arguments.depth} layers are in {arguments.checkpoint}; go on with --resume"
    else:
        message = f"stopped after {done} of {arguments.depth} layers; nothing was kept, for want of --checkpoint"
    say(message, "deep-rfm")


def _print(records: list["LayerRecord"], arguments: argparse.Namespace) -> None:
    rows = [_row(record) for record in records]
    if arguments.json:
        print_json([_to_json(record) for record in records])
    elif arguments.csv:
        print_csv(rows)
    else:
        titles = ["layer", "NC1: X", "M½X", "Φ(M½X)", "NC2: X", "M½X", "Φ(M½X)", "condition", "solver", "seconds"]
        cells = [[f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows]
        print_table(titles, cells, ">" * len(titles))


def _row(record: "LayerRecord") -> dict[str, int | float | str]:
    nc1 = {f"nc1_{stage}": metrics.nc1 for stage, metrics in record.metrics.items()}
    nc2 = {f"nc2_{stage}": metrics.nc2 for stage, metrics in record.metrics.items()}
    total = round(sum(record.seconds.values()), 3)
    rest: dict[str, float | str] = {"condition": record.condition, "solver": record.solver, "seconds": total}
    return {"layer": record.layer, **nc1, **nc2, **rest}


def _to_json(record: "LayerRecord") -> dict[str, Any]:
    return {**asdict(record), "spectrum": record.spectrum.tolist()}
