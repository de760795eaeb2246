"""Collapse by layer and epoch while a network trains, and the yardstick of docs/tutorials/monitor.md.

    python examples/collapse_monitor.py [--epochs 100] [--seeds 3] [--loss squared-error] [--output collapse.svg]

Trains multilayer perceptrons with six hidden layers of 128 units and batch normalisation on digits. Prints measures of
what enters the classifier before and after, as the range over the seeds, and draws the first seed's history.
"""

import argparse
import itertools

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from numerics import data
from numerics.networks import CollapseMonitor, CollapseRecord

MEASURES = ("nc1", "nc1_pinv", "cdnv", "nc2_normalised", "equinorm", "equiangularity", "nc3", "self_duality", "nc4")


def network(width: int = 128, depth: int = 6) -> nn.Sequential:
    sizes = [64] + depth * [width]
    hidden = [layer for i, o in itertools.pairwise(sizes) for layer in (nn.Linear(i, o), nn.BatchNorm1d(o), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(width, 10))


def squared_error(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return 0.5 * (outputs - nn.functional.one_hot(y, 10)).square().sum(dim=1).mean()


LOSSES = {"squared-error": squared_error, "cross-entropy": nn.functional.cross_entropy}


def train(seed: int, epochs: int, loss: str) -> CollapseMonitor:
    torch.manual_seed(seed)
    digits = data.digits().standardised()
    dataset = TensorDataset(torch.as_tensor(digits.X, dtype=torch.float32), torch.as_tensor(digits.y))
    loader = DataLoader(dataset, batch_size=128, shuffle=True)
    model = network()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    monitor = CollapseMonitor(model, nn.ReLU, num_classes=10)
    monitor.measure(loader)
    for epoch in range(1, epochs + 1):
        for x, y in loader:
            optimiser.zero_grad()
            LOSSES[loss](model(x), y).backward()
            optimiser.step()
        schedule.step()
        if epoch % 5 == 0 or epoch == epochs:
            monitor.measure(loader, epoch=epoch)
    return monitor


def report(title: str, records: list[CollapseRecord]) -> None:
    print(f"{title}: share of errors {max(record.error for record in records):.4f} at most")
    last = list(records[0].layers)[-1]
    for measure in MEASURES:
        values = [record[last][measure] for record in records]
        print(f"  {measure:16} {min(values):8.4f} to {max(values):8.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--loss", choices=list(LOSSES), default="squared-error")
    parser.add_argument("--output", help="a file for the picture")
    arguments = parser.parse_args()
    monitors = [train(seed, arguments.epochs, arguments.loss) for seed in range(arguments.seeds)]
    report("before training", [monitor.history.records[0] for monitor in monitors])
    report("after training", [monitor.history.records[-1] for monitor in monitors])
    if arguments.output:
        monitors[0].history.plot().savefig(arguments.output)


if __name__ == "__main__":
    main()
