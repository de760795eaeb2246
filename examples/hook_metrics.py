"""Neural collapse of a network of your own: hooks on its layers, one pass over the data, memory that does not grow.

    python examples/hook_metrics.py

Trains a small classifier on digits and prints NC1 to NC4 of every hidden layer before and after. Under
torch.distributed the metrics reduce over the processes of themselves: call ``compute()`` on every one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from numerics import data
from numerics.metrics import NearestClassCenter, NeuralCollapse, nc3

CLASSES = 10


@contextmanager
def outputs_of(model: nn.Module, names: list[str]) -> Iterator[dict[str, Tensor]]:
    """A dictionary that holds, after every forward pass, what the named modules gave, flattened to (N, d)."""
    seen: dict[str, Tensor] = {}

    def keep(name: str):
        return lambda module, inputs, output: seen.__setitem__(name, output.detach().flatten(1))

    handles = [model.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def measure(model: nn.Module, loader: DataLoader, widths: dict[str, int]) -> dict[str, NeuralCollapse]:
    """One metric a layer, fed by hooks."""
    metrics = {name: NeuralCollapse(CLASSES, width) for name, width in widths.items()}
    with outputs_of(model, list(widths)) as seen, torch.no_grad():
        for x, y in loader:
            model(x)
            for name, metric in metrics.items():
                metric.update(seen[name], y)
    return metrics


def mismatches(model: nn.Module, loader: DataLoader, layer: str, means: Tensor) -> float:
    """NC4: a second pass, against the class means of the first."""
    metric = NearestClassCenter(means)
    with outputs_of(model, [layer]) as seen, torch.no_grad():
        for x, _ in loader:
            predictions = model(x).argmax(dim=1)
            metric.update(seen[layer], predictions)
    return float(metric.compute())


def train(model: nn.Module, loader: DataLoader, epochs: int) -> None:
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    for _ in range(epochs):
        for x, y in loader:
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimiser.step()


def report(model: nn.Module, loader: DataLoader, widths: dict[str, int], last: str) -> None:
    metrics = measure(model, loader, widths)
    for name, metric in metrics.items():
        values = {key: float(value) for key, value in metric.compute().items()}
        print(
            f"  layer {name}: NC1 {values['nc1']:8.4f}  NC2 {values['nc2_normalised']:6.4f}  rank "
            f"{values['effective_rank']:5.2f}"
        )
    statistics = metrics[last].statistics()
    weight = model.get_submodule("6").weight
    print(
        f"  last layer: NC3 {float(nc3(statistics, weight)):.4f}  NC4 "
        f"{mismatches(model, loader, last, statistics.means):.4f}"
    )


def main() -> None:
    torch.manual_seed(0)
    digits = data.digits().standardised()
    dataset = TensorDataset(torch.as_tensor(digits.X, dtype=torch.float32), torch.as_tensor(digits.y))
    loader = DataLoader(dataset, batch_size=128, shuffle=True)
    model = nn.Sequential(
        nn.Linear(64, 128),
        nn.ReLU(),
        nn.Linear(128, 128),
        nn.ReLU(),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Linear(64, CLASSES),
    )
    widths = {"1": 128, "3": 128, "5": 64}  # after each ReLU
    print("at initialisation")
    report(model, loader, widths, last="5")
    train(model, loader, epochs=60)
    print("after 60 epochs")
    report(model, loader, widths, last="5")


if __name__ == "__main__":
    main()
