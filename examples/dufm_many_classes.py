"""Many classes or many layers: the rank of the first layers is small and grows towards the last (lowrank, Figure 6).

    python examples/dufm_many_classes.py              # K = 20, L = 7: under a minute on one core
    python examples/dufm_many_classes.py --paper      # 200,000 steps

Writes dufm_many_classes.png with the singular values of every layer of the best run, and prints ranks and losses.
"""

import argparse

import torch
from matplotlib.figure import Figure

from numerics import descent

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--paper", action="store_true", help="the paper's number of steps")
parser.add_argument("--classes", type=int, default=20)
parser.add_argument("--layers", type=int, default=7)
parser.add_argument("--weight-decay", type=float, default=1.5e-3)
parser.add_argument("--width", type=int, default=30)
parser.add_argument("--device", default="cpu")
parser.add_argument("--output", default="dufm_many_classes.png")
a = parser.parse_args()

runs = descent.train(
    a.classes,
    a.layers,
    a.weight_decay,
    width=a.width,
    seeds=16,
    steps=200_000 if a.paper else 30_000,
    dtype=torch.float32,
    device=a.device,
)
best = runs.best
print(runs)
print(f"L_dnc = {runs.loss_dnc:.6f}, L_srg = {runs.loss_srg:.6f}")
print(
    f"the best run: loss {best.losses[0]:.6f}, ranks {best.ranks(1e-2)[0]}, negative parts "
    f"{best.negativity()[0].round(3)}"
)
figure = Figure(figsize=(6, 4), layout="constrained")
axes = figure.subplots()
for l in range(a.layers):
    axes.semilogy(range(1, a.classes + 1), best.singular_values[0, l].clip(1e-8), marker=".", label=f"layer {l + 1}")
axes.set(xlabel="index", ylabel="singular value of the class means", title=f"K = {a.classes}, L = {a.layers}")
axes.locator_params(axis="x", integer=True)
axes.legend()
figure.savefig(a.output, dpi=150)
