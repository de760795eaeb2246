"""Gradient descent on the deep unconstrained features model (DUFM) from many seeds: the losses that it reaches against those
of deep neural collapse (DNC) and of the strongly regular graph (SRG), the ranks of the class means layer by layer, and
which solution each run has found.

examples:
  nct dufm --classes 10 --layers 4 --weight-decay 6e-3 --width 20 --seeds 16 --steps 40000
  nct dufm --classes 4 --layers 4 --weight-decay 5e-3 --width 10 --seeds 32 --polish
  nct dufm --classes 10 --layers 4 --weight-decay 6e-3 --width 20 --save runs.npz --plot runs.png
"""

import argparse
import csv
import json
import sys
from collections import Counter
from typing import Any

import torch

from nct.commands import wrong_input
from nct.commands.ratio import integers, numbers
from numerics import descent
from numerics.descent._optimizer import OPTIMIZERS

__all__ = ["add_arguments", "add_training_arguments", "run", "seeds"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("-K", "--classes", metavar="K", type=int, required=True, help="number of classes, at least 2")
    parser.add_argument("-L", "--layers", metavar="L", type=int, required=True, help="number of layers, at least 2")
    strength = parser.add_mutually_exclusive_group(required=True)
    strength.add_argument("--weight-decay", metavar="LAM", type=float, help="one regularisation for every matrix")
    strength.add_argument("--lams", metavar="H1,W1,...,WL", type=numbers, help="the L+1 separate regularisations")
    parser.add_argument(
        "--width", type=integers, default=[64], help="width of every layer, or L of them (default: 64); at least K"
    )
    parser.add_argument("--lr", type=float, default=0.5, help="learning rate (default: 0.5)")
    add_training_arguments(parser)
    parser.add_argument(
        "--activation",
        default="relu",
        help="relu, relu_eps or identity, or L-1 of them with commas (default: relu)",
    )
    parser.add_argument("--eps", type=float, default=1e-3, help="the ε of relu_eps (default: 1e-3)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--threads", type=int, default=1, help="threads on a CPU (default: 1)")
    parser.add_argument("--save", metavar="FILE", help="write the runs to an .npz file, for numerics.descent.Runs.load")
    parser.add_argument("--plot", metavar="FILE", help="write losses, DNC1 and singular values to an image")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a list of JSON objects, one for each run")
    form.add_argument("--csv", action="store_true", help="print comma-separated values")


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments that training and sweeps share."""
    parser.add_argument("-n", "--samples-per-class", metavar="N", type=int, default=1, help="default: 1")
    parser.add_argument(
        "--seeds", type=seeds, default=16, help="how many, or which: 3,8 or a range 0:9 (default: 16 seeds, 0 to 15)"
    )
    parser.add_argument("--steps", type=int, default=20_000, help="number of steps (default: 20000)")
    parser.add_argument("--init-scale", type=float, default=1.0, help="size of the initial matrices (default: 1)")
    parser.add_argument("--optimizer", choices=list(OPTIMIZERS), default="gd", help="default: gd, gradient descent")
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float64", help="default: float64")
    parser.add_argument("--polish", action="store_true", help="finish each run at a stationary point by L-BFGS")


def run(arguments: argparse.Namespace) -> None:
    """Train and print."""
    with wrong_input():
        runs = _train(arguments)
        if arguments.save:
            runs.save(arguments.save)
        if arguments.plot:
            runs.plot().savefig(arguments.plot)
    rows = [_row(runs[int(i)]) for i in runs.losses.argsort(kind="stable")]
    if arguments.json:
        print(json.dumps(rows, indent=2))
    elif arguments.csv:
        writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: " ".join(map(str, v)) if isinstance(v, list) else v for k, v in r.items()} for r in rows)
    else:
        _print(runs, rows)


def seeds(text: str) -> int | list[int]:
    """Read a number of seeds, or a list of seeds.

    Examples
    --------
    >>> seeds("16"), seeds("3,8"), seeds("0:2")
    (16, [3, 8], [0, 1, 2])
    """
    values = integers(text)
    return values if "," in text or ":" in text else values[0]


def _train(arguments: argparse.Namespace) -> descent.Runs:
    names = arguments.activation.split(",")
    runs = descent.train(
        arguments.classes,
        arguments.layers,
        arguments.weight_decay,
        lams=arguments.lams,
        n=arguments.samples_per_class,
        width=arguments.width if len(arguments.width) > 1 else arguments.width[0],
        seeds=arguments.seeds,
        steps=arguments.steps,
        lr=arguments.lr,
        init_scale=arguments.init_scale,
        optimizer=arguments.optimizer,
        activation=names if len(names) > 1 else names[0],
        eps=arguments.eps,
        dtype=getattr(torch, arguments.dtype),
        device=arguments.device,
        threads=arguments.threads,
    )
    return runs.polish() if arguments.polish else runs


def _row(run: descent.Runs) -> dict[str, Any]:
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


def _print(runs: descent.Runs, rows: list[dict[str, Any]]) -> None:
    p = runs.problem
    print(f"{p.K} classes, {p.L} layers, widths {' '.join(map(str, p.widths))}: {len(runs)} runs of {runs.steps} steps")
    srg = "" if runs.loss_srg is None else f", SRG {runs.loss_srg:.8g}"
    print(f"losses: DNC {runs.loss_dnc:.8g}{srg}")
    print()
    width = max(len("ranks"), *(len(_words(row["ranks"])) for row in rows))
    print(f"seed          loss   / DNC  gradient  {'ranks':{width}}  solution")
    for row in rows:
        if row["loss"] is None:
            print(f"{row['seed']:4}  diverged at step {row['diverged_at']}")
            continue
        print(
            f"{row['seed']:4}  {row['loss']:12.8g}  {row['ratio_to_dnc']:6.4f}  {row['gradient_norm']:8.1e}"
            f"  {_words(row['ranks']):{width}}  {row['solution']}"
        )
    print()
    counts = Counter("diverged" if row["loss"] is None else row["kind"] for row in rows)
    below = sum(row["loss"] is not None and row["loss"] < runs.loss_dnc for row in rows)
    print(
        f"below DNC: {below} of {len(rows)};  {', '.join(f'{kind}: {count}' for kind, count in counts.most_common())}"
    )


def _words(values: list[int] | None) -> str:
    return " ".join(map(str, values or []))
