"""Runs that end in, or near, the strongly regular graph (lowrank, Figures 1, 7 and 8).

    python examples/dufm_near_srg.py                      # K = 10: under a minute on one core
    python examples/dufm_near_srg.py --classes 15 --paper # 200,000 steps, 256 seeds

The runs whose intermediate Gram matrix is closest to that of an SRG solution are finished at a stationary point.
Printed are their losses against L_srg and their distances, in the intermediate layers and in the last one, where
solutions near SRG differ from it. Writes dufm_near_srg.png with the class means and Gram matrices of the closest.
"""

import argparse

import numpy as np
import torch
from matplotlib.figure import Figure

from numerics import descent

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--paper", action="store_true", help="the paper's number of steps")
parser.add_argument("--classes", type=int, choices=[6, 10, 15, 21], default=10)
parser.add_argument("--layers", type=int, default=4)
parser.add_argument("--weight-decay", type=float, default=8e-3)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--output", default="dufm_near_srg.png")
a = parser.parse_args()

runs = descent.train(
    a.classes,
    a.layers,
    a.weight_decay,
    width=max(a.width, a.classes),
    seeds=256 if a.paper else 64,
    steps=200_000 if a.paper else 10_000,
    lr=0.5 if a.paper else 1.5,
    dtype=torch.float32,
    record=2,
)
runs = runs[runs.losses < runs.loss_dnc]
distances = np.array([found.distances["srg"] for found in runs.recognise()])
nearest = runs[np.argsort(distances)[:3]].polish()
print(f"L_dnc = {runs.loss_dnc:.7f}, L_srg = {runs.loss_srg:.7f}; {(distances < 0.08).sum()} runs end in SRG")
for i, found in enumerate(nearest.recognise()):
    print(f"seed {nearest.seeds[i]}: loss {nearest.losses[i]:.7f}, {found}")
    print(f"    to SRG: intermediate layers {found.distances['srg']:.2g}, last layer {found.last['srg']:.2g}")

figure = Figure(figsize=(4 * (a.layers - 1), 7), layout="constrained")
for l, (top, bottom) in zip(range(2, a.layers + 1), figure.subplots(2, a.layers - 1).T, strict=True):
    top.imshow(nearest.class_means(l)[0].mT, cmap="Blues", vmin=0)
    bottom.imshow(nearest.gram(l)[0], cmap="Blues", vmin=0)
    top.set(title=f"class means, layer {l}", xticks=[], yticks=[])
    bottom.set(title=f"Gram matrix, layer {l}", xticks=[], yticks=[])
figure.savefig(a.output, dpi=120)
