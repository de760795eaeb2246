"""The low-rank solutions of small numbers of classes, among them the square for K = 4 (lowrank, Figure 5).

    python examples/dufm_small_K.py              # about a minute on one core
    python examples/dufm_small_K.py --paper      # 200,000 steps, more seeds

For K = 2, …, 6 the best of many runs, finished at a stationary point: its loss against DNC, its ranks and its name.
Writes dufm_small_K.png with the class means of layer 3 and the Gram matrices of layers 3 and 4.
"""

import argparse

import torch
from matplotlib.figure import Figure

from numerics import descent

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--paper", action="store_true", help="the paper's number of steps")
parser.add_argument("--output", default="dufm_small_K.png")
arguments = parser.parse_args()
steps, seeds = (200_000, 256) if arguments.paper else (20_000, 64)

figure = Figure(figsize=(7, 11), layout="constrained")
panels = figure.subplots(5, 3)
for K, row in zip(range(2, 7), panels, strict=True):
    runs = descent.train(K, 4, 5e-3, width=10, seeds=seeds, steps=steps, dtype=torch.float32, record=2)
    best = runs[runs.losses.argsort()[:4]].polish().best
    found = best.recognise()[0]
    below = int((runs.losses < (1 - 1e-4) * runs.loss_dnc).sum())
    print(f"K = {K}: {below} of {seeds} runs below L_dnc = {best.loss_dnc:.6f}; the best {best.losses[0]:.6f}")
    print(f"       ranks {best.ranks()[0]}, {found}")
    for panel, (name, matrix) in zip(
        row,
        {
            "$M_3$": best.class_means(3)[0].mT,
            "Gram matrix, layer 3": best.gram(3)[0],
            "Gram matrix, layer 4": best.gram(4)[0],
        }.items(),
        strict=True,
    ):
        panel.imshow(matrix, cmap="Blues", vmin=0)
        panel.set(title=name, xticks=[], yticks=[])
    row[0].set_ylabel(f"K = {K}")
figure.savefig(arguments.output, dpi=120)
