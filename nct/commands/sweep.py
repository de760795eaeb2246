"""Gradient descent on the deep unconstrained features model over a grid of settings, into one file. The same command
continues what was interrupted; finished runs are never done again, and several processes may work on one file. Without
--classes, --layers and --weight-decay it shows and exports what a file holds.

Wherever a list is wanted, values are separated by commas; integers may also be ranges START:STOP or
START:STOP:STEP with both ends.

examples:
  nct sweep ranks.db --classes 6,10,15 --layers 3:5 --weight-decay 2e-3,6e-3 --width 20 --seeds 32
  nct sweep ranks.db --csv ranks.csv
  nct sweep ranks.db --classes 10 --layers 4 --weight-decay 6e-3 --width 12:32:4 --dask tcp://127.0.0.1:8786
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, cast

from nct.arguments import Output, add_training_arguments, check_outputs, integer, integers, numbers
from nct.commands import InputError, wrong_input
from nct.progress import progress, say
from nct.tables import print_json, print_table
from numerics import sweep

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("file", help="the sweep's file, made if there is none")
    parser.add_argument("-K", "--classes", metavar="K,...", type=integers, help="numbers of classes")
    parser.add_argument("-L", "--layers", metavar="L,...", type=integers, help="numbers of layers")
    parser.add_argument("--weight-decay", metavar="LAM,...", type=numbers, help="regularisations")
    parser.add_argument("--width", metavar="D,...", type=integers, default=[64], help="widths (default: 64)")
    parser.add_argument("--lr", metavar="LR,...", type=numbers, default=[0.5], help="learning rates (default: 0.5)")
    add_training_arguments(parser)
    parser.add_argument("--batch", type=integer, default=16, help="most seeds trained together (default: 16)")
    parser.add_argument("--no-recognise", action="store_true", help="do not name the solutions")
    parser.add_argument("--workers", type=integer, help="local processes (default: one for each CPU)")
    parser.add_argument("--dask", metavar="ADDRESS", help="run on the Dask cluster of this scheduler instead")
    parser.add_argument("--retry-failed", action="store_true", help="do runs again that ended with an error")
    parser.add_argument(
        "--leftovers", action="store_true", help="do also what sweeps over other grids have left waiting"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")
    parser.add_argument("--csv", metavar="FILE", help="export the finished runs")
    parser.add_argument("--parquet", metavar="FILE", help="export the finished runs; needs pyarrow")
    parser.add_argument("--json", action="store_true", help="print the summary as a list of JSON objects")


def run(arguments: argparse.Namespace) -> None:
    """Do the sweep, export it and print a summary."""
    axes = (arguments.classes, arguments.layers, arguments.weight_decay)
    if any(axis is not None for axis in axes) and any(axis is None for axis in axes):
        raise InputError("--classes, --layers and --weight-decay are given together, or none of them")
    _check_files(arguments)
    with wrong_input():
        results = sweep.Results(arguments.file) if axes[0] is None else _sweep(arguments)
        if arguments.csv:
            results.to_csv(arguments.csv)
        if arguments.parquet:
            results.to_parquet(arguments.parquet)
        summary = results.summary()
        counts = results.counts()
    if arguments.json:
        print_json(summary)
    else:
        _print(summary, counts)


def _check_files(arguments: argparse.Namespace) -> None:
    """Refuse exports that cannot be written, or that would replace the sweep's file or what SQLite keeps beside it."""
    if arguments.parquet is not None and find_spec("pyarrow") is None:
        raise InputError("--parquet needs pyarrow: pip install 'neural-collapse-theory[parquet]'")
    check_outputs(
        Output("--csv", arguments.csv, [".csv"]),
        Output("--parquet", arguments.parquet, [".parquet"]),
        inputs=[arguments.file + ending for ending in ("", "-journal", "-wal", "-shm")],
    )


def _sweep(arguments: argparse.Namespace) -> sweep.Results:
    grid = sweep.Grid(
        K=arguments.classes,
        L=arguments.layers,
        lam=arguments.weight_decay,
        width=arguments.width,
        lr=arguments.lr,
        seeds=arguments.seeds,
        n=arguments.samples_per_class,
        steps=arguments.steps,
        init_scale=arguments.init_scale,
        optimizer=arguments.optimizer,
        dtype=arguments.dtype,
        polish=arguments.polish,
        recognise=not arguments.no_recognise,
        batch=arguments.batch,
    )

    def show(state: sweep.Progress) -> None:
        update(state.done + state.failed, state.total, str(state))

    bar = progress("runs", shown=not arguments.quiet)
    with _told_how_to_go_on(arguments.file), _dask(arguments.dask) as executor, bar as update:
        return sweep.run(
            arguments.file,
            grid,
            executor=executor,
            workers=arguments.workers,
            retry_failed=arguments.retry_failed,
            leftovers=arguments.leftovers,
            progress=show,
        )


@contextmanager
def _told_how_to_go_on(file: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        say(f"stopped; what is finished is in {file}, and the same command goes on", "sweep")
        raise


@contextmanager
def _dask(address: str | None) -> Iterator[Executor | None]:
    if address is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError("--dask needs distributed: pip install 'neural-collapse-theory[dask]'") from error
    with Client(address, timeout=10) as client:
        yield cast(Executor, client.get_executor())


def _print(summary: list[dict[str, Any]], counts: dict[str, int]) -> None:
    titles = ("K", "L", "lam", "width", "lr", "runs", "diverged", "below DNC", "lowest / DNC", "mean rank", "solutions")
    print_table(titles, map(_cells, summary), ">>>>>>>>>><")
    if len(summary) > len({tuple(s[name] for name in sweep.SETTING) for s in summary}):
        digests = Counter[tuple[str, str]]()
        for s in summary:
            digests[s["version"] or "unknown", s["digest"]] += s["runs"]
        origins = "; ".join(f"{count} of version {version}, {digest}" for (version, digest), count in digests.items())
        print(f"runs from different code, libraries or devices are summarised apart: {origins}")
    states = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    print(f"runs: {states or 'none'}")


def _cells(s: dict[str, Any]) -> tuple[str, ...]:
    return (
        *(str(s[name]) for name in ("K", "L")),
        f"{s['lam']:.4g}",
        str(s["width"]),
        f"{s['lr']:.4g}",
        *(str(s[name]) for name in ("runs", "diverged", "below_dnc")),
        "" if s["lowest_loss"] is None else f"{s['lowest_loss'] / s['loss_dnc']:.5f}",
        "" if s["mean_rank"] is None else f"{s['mean_rank']:.2f}",
        ", ".join(f"{kind}: {count}" for kind, count in s["kinds"].items()),
    )
