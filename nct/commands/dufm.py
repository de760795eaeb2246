"""Gradient descent on the deep unconstrained features model (DUFM) from many seeds: the losses that it reaches against
those of deep neural collapse (DNC) and of the strongly regular graph (SRG), the ranks of the class means layer by
layer, and which solution each run has found.

With --save and --plot the runs are kept. Ctrl-C ends the training: --save then writes what the runs have reached.

examples:
  nct dufm --classes 10 --layers 4 --weight-decay 6e-3 --width 20 --seeds 16 --steps 40000
  nct dufm --classes 4 --layers 4 --weight-decay 5e-3 --width 10 --seeds 32 --polish
  nct dufm --classes 10 --layers 4 --weight-decay 6e-3 --width 20 --save runs.npz --plot runs.png
"""

import argparse
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nct.arguments import (
    Output,
    add_forms,
    add_training_arguments,
    check_outputs,
    image_endings,
    integer,
    integers,
    number,
    numbers,
    save_figure,
)
from nct.commands import InputError, wrong_input
from nct.progress import progress, say
from nct.tables import print_csv, print_json, print_table

if TYPE_CHECKING:
    from numerics.descent import Runs

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "-K", "--classes", metavar="K", type=integer, required=True, help="number of classes, at least 2"
    )
    parser.add_argument("-L", "--layers", metavar="L", type=integer, required=True, help="number of layers, at least 2")
    strength = parser.add_mutually_exclusive_group(required=True)
    strength.add_argument("--weight-decay", metavar="LAM", type=number, help="one regularisation for every matrix")
    strength.add_argument("--lams", metavar="H1,W1,...,WL", type=numbers, help="the L+1 separate regularisations")
    parser.add_argument(
        "--width", type=integers, default=[64], help="width of every layer, or L of them (default: 64); at least K"
    )
    parser.add_argument("--lr", type=number, default=0.5, help="learning rate (default: 0.5)")
    add_training_arguments(parser)
    parser.add_argument(
        "--activation",
        default="relu",
        help="relu, relu_eps or identity, or L-1 of them with commas (default: relu)",
    )
    parser.add_argument("--eps", type=number, default=1e-3, help="the ε of relu_eps (default: 1e-3)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--threads", type=integer, default=1, help="threads on a CPU (default: 1)")
    parser.add_argument("--save", metavar="FILE", help="write the runs to an .npz file, for numerics.descent.Runs.load")
    parser.add_argument("--force", action="store_true", help="let --save replace a file")
    parser.add_argument("--plot", metavar="FILE", help="write losses, DNC1 and singular values to an image")
    add_forms(parser, each="one for each run")


def run(arguments: argparse.Namespace) -> None:
    """Train, write files and print."""
    check_outputs(
        Output("--save", arguments.save, [".npz"], arguments.force),
        Output("--plot", arguments.plot, image_endings),
    )
    with wrong_input():
        runs = _trained(arguments)
        if arguments.save:
            runs.save(arguments.save)
    with progress("naming the solutions", len(runs)) as update:
        rows = []
        for i in runs.losses.argsort(kind="stable"):
            rows.append(_row(runs[int(i)]))
            update(len(rows))
    failure = save_figure(runs.plot, arguments.plot) if arguments.plot else None
    if arguments.json:
        print_json(rows)
    elif arguments.csv:
        print_csv(rows)
    else:
        _print(runs, rows)
    if failure is not None:
        raise InputError(failure)


def _trained(arguments: argparse.Namespace) -> "Runs":
    """The runs, polished if that is wanted; after an interrupt, what there is of them is written."""
    from numerics import descent

    try:
        with progress("training") as update:
            runs = descent.train(**_settings(arguments), progress=lambda done, total: update(done, total))
    except descent.Interrupted as stop:
        _keep(stop.runs, arguments)
        raise
    if not arguments.polish:
        return runs
    try:
        with progress("polishing"):
            return runs.polish()
    except KeyboardInterrupt:
        _keep(runs, arguments)
        raise


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    import torch

    names = arguments.activation.split(",")
    return {
        "K": arguments.classes,
        "L": arguments.layers,
        "lam": arguments.weight_decay,
        "lams": arguments.lams,
        "n": arguments.samples_per_class,
        "width": arguments.width if len(arguments.width) > 1 else arguments.width[0],
        "seeds": arguments.seeds,
        "steps": arguments.steps,
        "lr": arguments.lr,
        "init_scale": arguments.init_scale,
        "optimizer": arguments.optimizer,
        "activation": names if len(names) > 1 else names[0],
        "eps": arguments.eps,
        "dtype": getattr(torch, arguments.dtype),
        "device": arguments.device,
        "threads": arguments.threads,
    }


def _keep(runs: "Runs", arguments: argparse.Namespace) -> None:
    """Write what an interrupt has left, and say where it is."""
    stopped = f"stopped after {runs.steps} of {arguments.steps} steps" + ", not polished" * arguments.polish
    if arguments.save and runs.steps:
        runs.save(arguments.save)
        say(f"{stopped}; the runs so far are in {arguments.save}", "dufm")
    else:
        say(f"{stopped}; nothing was kept" + ("" if arguments.save else ", for want of --save"), "dufm")


def _row(run: "Runs") -> dict[str, Any]:
    row: dict[str, Any] = {"seed": run.seeds[0], "status": run.status[0]}
    if run.diverged_at[0] >= 0:
        nothing = dict.fromkeys(
            ["loss", "ratio_to_dnc", "gradient_norm", "ranks", "dnc1", "kind", "solution", "distance"]
        )
        return row | {"diverged_at": int(run.diverged_at[0])} | nothing
    found = run.recognise()[0]
    return row | {
        "diverged_at": None,
        "loss": float(run.losses[0]),
        "ratio_to_dnc": float(run.losses[0] / run.loss_dnc),
        "gradient_norm": float(run.gradient_norms()[0]),
        "ranks": run.ranks()[0].tolist(),
        "dnc1": run.dnc1()[0].tolist(),
        "kind": found.kind,
        "solution": found.name,
        "distance": found.distance,
    }


def _print(runs: "Runs", rows: list[dict[str, Any]]) -> None:
    p = runs.problem
    print(f"{p.K} classes, {p.L} layers, widths {' '.join(map(str, p.widths))}: {len(runs)} runs of {runs.steps} steps")
    srg = "" if runs.loss_srg is None else f", SRG {runs.loss_srg:.8g}"
    print(f"losses: DNC {runs.loss_dnc:.8g}{srg}")
    print()
    titles = ("seed", "loss", "/ DNC", "gradient", "ranks", "solution")
    print_table(titles, map(_cells, rows), ">>>><<")
    print()
    counts = Counter("diverged" if row["loss"] is None else row["kind"] for row in rows)
    below = sum(row["loss"] is not None and row["loss"] < runs.loss_dnc for row in rows)
    print(
        f"below DNC: {below} of {len(rows)};  {', '.join(f'{kind}: {count}' for kind, count in counts.most_common())}"
    )


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    seed = str(row["seed"])
    if row["loss"] is None:
        return seed, "", "", "", "", f"diverged at step {row['diverged_at']}"
    numbers = f"{row['loss']:.8g}", f"{row['ratio_to_dnc']:.4f}", f"{row['gradient_norm']:.1e}"
    return seed, *numbers, " ".join(map(str, row["ranks"])), row["solution"]
