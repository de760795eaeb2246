"""Average rank of the intermediate layers against K, L, weight decay, learning rate and width (lowrank, Figure 3).

    python examples/dufm_ranks.py                # about two minutes on two cores
    python examples/dufm_ranks.py --paper        # 200,000 steps and 64 seeds a point: many hours on two cores

The runs are kept in dufm_ranks.db (or --file), so that a second call, also after an interruption, only does what is
missing. Writes dufm_ranks.png. Each learning rate is given as many steps as make lr · steps the same.
"""

import argparse
import json
from collections import defaultdict
from statistics import fmean, stdev

from matplotlib.figure import Figure

from numerics import sweep

CENTRE = {"K": 10, "L": 4, "lam": 6e-3, "width": 20, "lr": 0.5}
AXES = {"lam": [1e-3, 2e-3, 4e-3, 6e-3, 1e-2], "lr": [0.125, 0.25, 0.5, 1.0, 2.0], "width": [12, 16, 20, 30, 40]}
CLASSES, LAYERS = [4, 6, 10, 15], [3, 4, 5]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paper", action="store_true", help="the paper's number of steps")
    parser.add_argument("--file", default="dufm_ranks.db")
    parser.add_argument("--output", default="dufm_ranks.png")
    arguments = parser.parse_args()
    steps, seeds = (200_000, 64) if arguments.paper else (20_000, 16)

    common = {"seeds": seeds, "steps": steps, "recognise": False}
    sweep.run(arguments.file, sweep.Grid(**CENTRE | {"K": CLASSES, "L": LAYERS}, **common), progress=True)
    for axis in ("lam", "width"):
        sweep.run(arguments.file, sweep.Grid(**CENTRE | {axis: AXES[axis]}, **common), progress=True)
    for lr in AXES["lr"]:
        longer = common | {"steps": round(steps * CENTRE["lr"] / lr)}
        results = sweep.run(arguments.file, sweep.Grid(**CENTRE | {"lr": lr}, **longer), progress=True)
    draw([r for r in results.rows() if r["status"] == "finished"], steps, arguments.output)


def ranks(rows, axis, steps, centre=CENTRE):
    """Values on the axis through the centre, mean effective rank of the intermediate layers, its standard error."""
    found = defaultdict(list)
    for row in rows:
        same_time = round(row["steps"] * row["lr"]) == round(steps * CENTRE["lr"])
        if same_time and all(row[k] == v for k, v in centre.items() if k != axis):
            found[row[axis]].append(fmean(json.loads(row["effective_ranks"])[1:-1]))
    values = sorted(found)
    return values, [fmean(found[v]) for v in values], [stdev(found[v]) / len(found[v]) ** 0.5 for v in values]


def draw(rows, steps, output):
    figure = Figure(figsize=(14, 3.4), layout="constrained")
    panels = figure.subplots(1, 4)
    for L in LAYERS:
        K, mean, error = ranks(rows, "K", steps, CENTRE | {"L": L})
        panels[0].errorbar(K, mean, error, marker="o", label=f"L = {L}")
        print(f"L = {L}: K = {K}, effective rank {[round(m, 2) for m in mean]}")
    panels[0].plot(CLASSES, CLASSES, color="0.7", linestyle=":", label="K")
    panels[0].set(xlabel="classes K", ylabel="mean effective rank")
    panels[0].legend()
    for panel, (axis, name) in zip(
        panels[1:], {"lam": "weight decay", "lr": "learning rate", "width": "width"}.items(), strict=True
    ):
        values, mean, error = ranks(rows, axis, steps)
        panel.errorbar(values, mean, error, marker="o")
        panel.set(xlabel=name, xscale="log")
        panel.set_xticks(values, [f"{value:g}" for value in values])
        panel.minorticks_off()
        print(f"{name} {values}: effective rank {[round(m, 2) for m in mean]} ± {[round(e, 2) for e in error]}")
    figure.savefig(output, dpi=150)
    return figure


if __name__ == "__main__":
    main()
