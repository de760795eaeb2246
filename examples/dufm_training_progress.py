"""Training progress of the DUFM: losses against DNC and SRG, DNC1 by layer, singular values (lowrank, Figure 2, top).

    python examples/dufm_training_progress.py              # under a minute on one core
    python examples/dufm_training_progress.py --paper      # 200,000 steps, 5 samples a class, more runs

Writes dufm_training_progress.png and prints what each run has found.
"""

import argparse
from collections import Counter

import torch

from numerics import descent

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--paper", action="store_true", help="the paper's number of steps")
parser.add_argument("--device", default="cpu")
parser.add_argument("--output", default="dufm_training_progress.png")
arguments = parser.parse_args()

runs = descent.train(
    10,
    4,
    6e-3,
    n=5 if arguments.paper else 2,
    width=20,
    seeds=64 if arguments.paper else 16,
    steps=200_000 if arguments.paper else 30_000,
    lr=0.5,
    record=80,
    dtype=torch.float32,
    device=arguments.device,
)
print(runs)
print(
    f"L_dnc = {runs.loss_dnc:.6f}, L_srg = {runs.loss_srg:.6f}; below L_dnc: {(runs.losses < runs.loss_dnc).sum()} runs"
)
print("ranks of M_1, …, M_4:", Counter(map(tuple, runs.ranks(1e-2).tolist())).most_common())
print("DNC1 of the best run, by layer:", runs.best.dnc1()[0])
for i, found in enumerate(runs.recognise()):
    print(f"seed {runs.seeds[i]:2}: loss {runs.losses[i]:.6f}, {found}")
runs.plot().savefig(arguments.output, dpi=150)
